/* One graph that several threads serve at once: a plan each, all made at the same time, and variables that they share. */
#define _POSIX_C_SOURCE 200809L
#include "cconv.h"
#include "harness.h"
#include <stdatomic.h>
#include <stdlib.h>
#if !defined(_WIN32)
#include <pthread.h>

enum { SERVERS = 4, ROUNDS = 20 };

typedef struct server {
    network *net;
    atomic_int *waiting; /* for all to be there: plans are made at the same time */
    const float *expected;
    int number;
    bool good;
} server;

static cconv_plan *plan_of(network *net, int64_t batch, int no_rewrite)
{
    return cconv_plan_new(
        net->graph, &(cconv_plan_options){
                        .max_batch = batch, .n_outputs = 1, .outputs = &net->logits, .threads = 1, .no_rewrite = no_rewrite});
}

static bool run(cconv_plan *plan, int64_t first, int64_t n, float *logits)
{
    const cconv_array inputs[] = {{images + first * PIXELS, CCONV_FLOAT32, n}, {labels, CCONV_INT32, n}};
    const cconv_output output = {logits, CCONV_FLOAT32};
    return cconv_plan_run(plan, &(cconv_batch){.n = n, .inputs = inputs, .outputs = &output}) == CCONV_OK;
}

/* What every thread may do with a graph that no thread changes. */
static bool look_at(const cconv_graph *graph)
{
    char text[64];
    int nodes[16];
    cconv_node node;
    return cconv_graph_parameters(graph, 0, nodes, 16) == 8 && cconv_graph_node(graph, nodes[7], &node) == CCONV_OK &&
           cconv_graph_parameter(graph, node.name) == node.variable && cconv_graph_find(graph, "logits") > 0 &&
           cconv_graph_describe(graph, text, sizeof text) > 0;
}

static void *serve(void *context)
{
    server *s = context;
    float logits[SAMPLES * CLASSES];
    const int64_t n = 1 + s->number * 5; /* largest batches differ */
    atomic_fetch_sub(s->waiting, 1);
    while (atomic_load(s->waiting) > 0) continue;
    s->good = true;
    for (int round = 0; s->good && round < ROUNDS; ++round) {
        cconv_plan *plan = plan_of(s->net, n, 0);
        s->good = plan && look_at(s->net->graph);
        for (int64_t at = 0; s->good && at < SAMPLES; at += n) {
            const int64_t here = SAMPLES - at < n ? SAMPLES - at : n;
            s->good = run(plan, at, here, logits + at * CLASSES);
        }
        s->good = s->good && memcmp(logits, s->expected, sizeof logits) == 0;
        cconv_plan_free(plan);
    }
    return NULL;
}

static void test_threads_serve_one_graph(void)
{
    network net;
    float expected[SAMPLES * CLASSES];
    atomic_int waiting = SERVERS;
    CHECK(network_build(&net));
    cconv_plan *plan = plan_of(&net, 1, 0);
    for (int64_t i = 0; i < SAMPLES; ++i) CHECK(run(plan, i, 1, expected + i * CLASSES));
    cconv_plan_free(plan);
    pthread_t threads[SERVERS];
    server servers[SERVERS];
    for (int i = 0; i < SERVERS; ++i) {
        servers[i] = (server){&net, &waiting, expected, i, false};
        CHECK(pthread_create(&threads[i], NULL, serve, &servers[i]) == 0);
    }
    for (int i = 0; i < SERVERS; ++i) {
        pthread_join(threads[i], NULL);
        CHECK(servers[i].good);
    }
    network_free(&net);
}
#endif

const test serving_tests[] = {
#if !defined(_WIN32)
    {"threads_serve_one_graph", test_threads_serve_one_graph},
#endif
    {0},
};
