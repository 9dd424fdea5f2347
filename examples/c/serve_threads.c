/* One network serves several threads at once: the graph and its parameters are there once, and every thread has a plan of its own.
 *
 *     cc -Isrc_c/include examples/c/serve_threads.c build/lib/libcconv.a $(cat build/lib/link_flags) -o serve_threads
 *     ./serve_threads model.onnx [requests of each thread]
 *
 * Every thread answers the same requests; the answers are compared, bit for bit. */
#include "cconv.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4 };

typedef struct server {
    cconv_graph *graph; /* nobody changes it while they serve */
    const float *requests;
    size_t request_size, answer_size; /* floats */
    int n;                            /* requests */
    float *answers;                   /* of all requests */
    char error[256];                  /* cconv_last_error belongs to a thread */
} server;

static void *serve(void *context)
{
    server *s = context;
    /* One thread for each plan: with as many requests at once as processors a team would only wait for its members. */
    cconv_plan *plan = cconv_plan_new(s->graph, &(cconv_plan_options){.max_batch = 1, .threads = 1});
    cconv_status status = plan ? CCONV_OK : cconv_last_status();
    for (int i = 0; status == CCONV_OK && i < s->n; ++i) {
        const cconv_array input = {s->requests + (size_t)i * s->request_size, CCONV_FLOAT32, 1};
        const cconv_output output = {s->answers + (size_t)i * s->answer_size, CCONV_FLOAT32};
        status = cconv_plan_run(plan, &(cconv_batch){.n = 1, .inputs = &input, .outputs = &output});
    }
    if (status != CCONV_OK) snprintf(s->error, sizeof s->error, "%s", cconv_last_error());
    cconv_plan_free(plan);
    return NULL;
}

/* Elements of a node for a batch of one. */
static size_t size_of(const cconv_graph *graph, int node)
{
    int rank;
    int64_t shape[CCONV_MAX_RANK], size = 1;
    if (cconv_graph_shape(graph, node, &rank, shape) != CCONV_OK) return 0;
    for (int i = 0; i < rank; ++i) size *= i == 0 && shape[0] < 0 ? 1 : shape[i];
    return size < 0 ? 0 : (size_t)size;
}

int main(int argc, char **argv)
{
    const int n = argc > 2 ? atoi(argv[2]) : 20;
    if (argc < 2 || n < 1) {
        fprintf(stderr, "usage: %s model.onnx [requests]\n", argv[0]);
        return 2;
    }
    cconv_graph *graph = cconv_load_onnx(argv[1], NULL);
    if (!graph) {
        fprintf(stderr, "%s\n", cconv_last_error());
        return 1;
    }
    int input = 1; /* the first one */
    for (cconv_node node; cconv_graph_node(graph, input, &node) == CCONV_OK && node.kind != CCONV_INPUT;) ++input;
    const size_t request = size_of(graph, input), answer = size_of(graph, cconv_graph_output_node(graph, 0));
    float *requests = malloc((size_t)n * request * sizeof *requests);
    if (!request || !answer || !requests) {
        fprintf(stderr, "expected a model of one input, all of whose sizes but the batch are known\n");
        return 1;
    }
    for (size_t i = 0; i < (size_t)n * request; ++i) requests[i] = (float)(rand() % 256) / 255;

    pthread_t threads[THREADS];
    server servers[THREADS];
    for (int t = 0; t < THREADS; ++t) {
        servers[t] = (server){graph, requests, request, answer, n, malloc((size_t)n * answer * sizeof(float)), ""};
        if (!servers[t].answers || pthread_create(&threads[t], NULL, serve, &servers[t]) != 0) {
            fprintf(stderr, "no memory, or no thread\n");
            return 1;
        }
    }
    int good = 1;
    for (int t = 0; t < THREADS; ++t) {
        pthread_join(threads[t], NULL);
        if (servers[t].error[0]) fprintf(stderr, "thread %d: %s\n", t, servers[t].error);
        good =
            good && !servers[t].error[0] && !memcmp(servers[t].answers, servers[0].answers, (size_t)n * answer * sizeof(float));
    }
    if (good) printf("%d threads answered %d requests each, all alike\n", THREADS, n);
    for (int t = 0; t < THREADS; ++t) free(servers[t].answers);
    free(requests);
    cconv_graph_free(graph);
    return !good;
}
