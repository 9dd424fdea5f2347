/* Graphs as ONNX models and back: the same outputs, the same variables, training that goes on. */
#define _XOPEN_SOURCE 700
#include "cconv.h"
#include "harness.h"
#include <math.h>
#include <stdlib.h>
#if !defined(_WIN32)
#include <pthread.h>
#endif

enum { MOST = 2 * 16 * 16 * 8 };

/* Runs the graph's first output on n images; false if it fails. */
static bool predict(cconv_graph *graph, int n, const float *x, float *y)
{
    cconv_plan *plan = cconv_plan_new(graph, &(cconv_plan_options){.max_batch = n});
    cconv_array arrays[2] = {{x, CCONV_FLOAT32, n}, {labels, CCONV_INT32, n}};
    const bool fine =
        plan &&
        cconv_plan_run(plan, &(cconv_batch){.n = n, .inputs = arrays, .outputs = (cconv_output[]){{y, CCONV_FLOAT32}}}) ==
            CCONV_OK;
    cconv_plan_free(plan);
    return fine;
}

static bool is_near(const float *a, const float *b, int n)
{
    for (int i = 0; i < n; ++i)
        if (!(fabsf(a[i] - b[i]) <= 1e-5f * (1 + fabsf(a[i])))) return false;
    return true;
}

/* The graph saved to memory and loaded again; images in the order of the graph. */
static cconv_graph *again(const cconv_graph *graph, const cconv_onnx_options *options)
{
    void *bytes = NULL;
    size_t size = 0;
    CHECK(cconv_save_onnx_memory(graph, &(cconv_onnx_save_options){.channels_last = 1}, &bytes, &size) == CCONV_OK);
    CHECK(bytes && size > 0);
    cconv_graph *loaded = bytes ? cconv_load_onnx_memory(bytes, size, options) : NULL;
    cconv_onnx_free(bytes);
    return loaded;
}

/* ---- Ops ---------------------------------------------------------------------------------------------------------------- */

static void test_ops_there_and_back(void)
{
    static const struct {
        const char *op, *attributes;
        int inputs;
    } rows[] = {
        {"relu", NULL, 1},
        {"gelu", NULL, 1},
        {"hard_silu", NULL, 1},
        {"add", NULL, 2},
        {"multiply", NULL, 2},
        {"maximum", NULL, 2},
        {"max_pool", "pool_size=2 strides=2", 1},
        {"avg_pool", "pool_size=3 strides=2 padding=same", 1},
        {"global_avg_pool", NULL, 1},
        {"global_max_pool", "keepdims=1", 1},
        {"mean", "axes=1,2 keepdims=1", 1},
        {"sum", "axes=-1", 1},
        {"softmax", NULL, 1},
        {"log_softmax", "axis=1", 1},
        {"transpose", "axes=0,3,1,2", 1},
        {"reshape", "shape=0,-1", 1},
        {"flatten", NULL, 1},
        {"pad", "pads=0,1,2,0,0,1,0,0", 1},
        {"resize", "scale=2,2 interpolation=nearest", 1},
        {"resize", "size=9,5 interpolation=bilinear", 1},
        {"slice", "begin=0,1,0,0 size=-1,3,-1,1", 1},
        {"concatenate", "axis=-1", 2},
        {"leaky_relu", "alpha=0.3", 1},
        {"clip", "minimum=-0.5 maximum=0.25", 1},
    };
    float expected[MOST], y[MOST];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; ++i) {
        const int before = checks_failed;
        cconv_graph *graph = cconv_graph_new();
        const int x = cconv_graph_input(graph, "x", CCONV_FLOAT32, 4, (int64_t[]){-1, 8, 8, 2});
        const int t = cconv_graph_add(graph, "tanh", "t", 1, &x, NULL);
        const int node = cconv_graph_add(graph, rows[i].op, "node", rows[i].inputs, (int[]){x, t}, rows[i].attributes);
        CHECK(node && cconv_graph_output(graph, "y", node) == CCONV_OK);
        cconv_graph *loaded = again(graph, NULL);
        CHECK(loaded && cconv_graph_output_count(loaded) == 1 && strcmp(cconv_graph_output_name(loaded, 0), "y") == 0);
        int rank = 0, other = 0;
        int64_t shape[CCONV_MAX_RANK] = {0}, there[CCONV_MAX_RANK] = {0};
        CHECK(cconv_graph_shape(graph, node, &rank, shape) == CCONV_OK);
        CHECK(loaded && cconv_graph_shape(loaded, cconv_graph_output_node(loaded, 0), &other, there) == CCONV_OK);
        CHECK(rank == other && memcmp(shape, there, (size_t)rank * sizeof *shape) == 0);
        int count = 2;
        for (int k = 1; k < rank; ++k) count *= (int)shape[k];
        CHECK(predict(graph, 2, images, expected) && loaded && predict(loaded, 2, images, y));
        CHECK(is_near(expected, y, count));
        if (checks_failed != before) printf("    of %s\n", rows[i].op);
        cconv_graph_free(loaded);
        cconv_graph_free(graph);
    }
}

/* ---- A network ------------------------------------------------------------------------------------------------------------ */

static void test_network_there_and_back(void)
{
    network net;
    float expected[SAMPLES * CLASSES], y[SAMPLES * CLASSES], turned[SAMPLES * PIXELS];
    CHECK(network_build(&net) && cconv_graph_output(net.graph, "scores", net.logits) == CCONV_OK);
    CHECK(predict(net.graph, SAMPLES, images, expected));
    cconv_graph *loaded = again(net.graph, NULL);
    CHECK(loaded && cconv_graph_find(loaded, "x") && cconv_graph_parameter(loaded, "kernel"));
    for (int n = 1; loaded && n <= SAMPLES; n += 5) CHECK(predict(loaded, n, images, y) && is_near(expected, y, n * CLASSES));
    /* as the ecosystem has images: channels first */
    void *bytes;
    size_t size;
    CHECK(cconv_save_onnx_memory(net.graph, NULL, &bytes, &size) == CCONV_OK);
    cconv_graph *first = cconv_load_onnx_memory(bytes, size, NULL);
    for (int i = 0; i < SAMPLES; ++i)
        for (int j = 0; j < PIXELS; ++j) turned[i * PIXELS + j % 2 * 64 + j / 2] = images[i * PIXELS + j];
    CHECK(first && predict(first, SAMPLES, turned, y) && is_near(expected, y, SAMPLES * CLASSES));
    /* the same variables, and no others */
    cconv_graph *shared = cconv_load_onnx_memory(bytes, size, &(cconv_onnx_options){.parameters_of = first});
    const int n = first ? cconv_graph_parameters(first, 0, NULL, 0) : 0;
    CHECK(shared && n == net.n_variables && cconv_graph_parameters(shared, 0, NULL, 0) == n);
    int nodes[16];
    cconv_node node;
    if (shared) cconv_graph_parameters(shared, 0, nodes, 16);
    for (int i = 0; shared && i < n; ++i) {
        CHECK(cconv_graph_node(shared, nodes[i], &node) == CCONV_OK);
        CHECK(node.variable == cconv_graph_parameter(first, node.name));
    }
    /* sizes that are given */
    const cconv_input_shape shape = {"x", 4, {3, 2, 8, 8}};
    cconv_graph *fixed = cconv_load_onnx_memory(bytes, size, &(cconv_onnx_options){.n_shapes = 1, .shapes = &shape});
    int64_t dim[CCONV_MAX_RANK];
    CHECK(fixed && cconv_graph_shape(fixed, cconv_graph_output_node(fixed, 0), NULL, dim) == CCONV_OK && dim[0] == 3);
    CHECK(fixed && predict(fixed, 3, turned, y) && is_near(expected, y, 3 * CLASSES));
    cconv_graph_free(fixed);
    cconv_graph_free(shared);
    cconv_graph_free(first);
    cconv_graph_free(loaded);
    cconv_onnx_free(bytes);
    network_free(&net);
}

/* The scores of a plan for training: of a frozen graph they are those of prediction. */
static void test_frozen_models_train_as_they_predict(void)
{
    network net;
    float expected[SAMPLES * CLASSES], y[SAMPLES * CLASSES];
    CHECK(network_build(&net) && cconv_graph_output(net.graph, "scores", net.logits) == CCONV_OK);
    CHECK(predict(net.graph, SAMPLES, images, expected));
    for (int frozen = 0; frozen < 2; ++frozen) {
        cconv_graph *loaded = again(net.graph, &(cconv_onnx_options){.frozen = frozen});
        cconv_plan *plan =
            loaded ? cconv_plan_new(loaded, &(cconv_plan_options){.max_batch = SAMPLES, .training = 1, .no_update = 1}) : NULL;
        CHECK(plan && cconv_plan_run(plan, &(cconv_batch){.n = SAMPLES,
                                                          .inputs = (cconv_array[]){{images, CCONV_FLOAT32, SAMPLES},
                                                                                    {labels, CCONV_INT32, SAMPLES}},
                                                          .outputs = (cconv_output[]){{y, CCONV_FLOAT32}}}) == CCONV_OK);
        CHECK(is_near(expected, y, SAMPLES * CLASSES) == (frozen == 1));
        cconv_plan_free(plan);
        cconv_graph_free(loaded);
    }
    network_free(&net);
}

static void test_training_goes_on_from_a_model(void)
{
    network net;
    float loss = 0, begin = 0, expected[SAMPLES * CLASSES], y[SAMPLES * CLASSES];
    CHECK(network_build(&net) && cconv_graph_output(net.graph, "scores", net.logits) == CCONV_OK);
    cconv_graph *graph = again(net.graph, NULL);
    network_free(&net);
    if (!graph) return;
    CHECK(!cconv_graph_find(graph, "y")); /* no output needs the labels: they are not in the file */
    const int inputs[] = {cconv_graph_input(graph, "y", CCONV_INT32, 1, (int64_t[]){-1}), cconv_graph_output_node(graph, 0)};
    const int each = cconv_graph_add(graph, "sparse_categorical_crossentropy", NULL, 2, inputs, "from_logits=1");
    const int mean = cconv_graph_add(graph, "mean", "loss", 1, &each, NULL);
    int wrt[16];
    const int n = cconv_graph_parameters(graph, 1, wrt, 16);
    cconv_optimizer *adam = cconv_optimizer_new("adam", "learning_rate=0.01");
    cconv_plan *plan = cconv_plan_new(graph, &(cconv_plan_options){.max_batch = SAMPLES,
                                                                   .n_outputs = 1,
                                                                   .outputs = &mean,
                                                                   .training = 1,
                                                                   .root = mean,
                                                                   .n_wrt = n,
                                                                   .wrt = wrt,
                                                                   .optimizer = adam});
    CHECK(n == 6 && plan);
    for (uint64_t step = 0; plan && step < 20; ++step) {
        CHECK(cconv_plan_run(plan, &(cconv_batch){.n = SAMPLES,
                                                  .step = step,
                                                  .inputs = (cconv_array[]){{images, CCONV_FLOAT32, SAMPLES},
                                                                            {labels, CCONV_INT32, SAMPLES}},
                                                  .outputs = (cconv_output[]){{&loss, CCONV_FLOAT32}}}) == CCONV_OK);
        if (step == 0) begin = loss;
    }
    CHECK(loss < 0.7f * begin);
    cconv_plan_free(plan);
    cconv_optimizer_free(adam);
    cconv_graph *trained = again(graph, NULL);
    CHECK(trained && predict(graph, SAMPLES, images, expected) && predict(trained, SAMPLES, images, y));
    CHECK(is_near(expected, y, SAMPLES * CLASSES));
    cconv_graph_free(trained);
    cconv_graph_free(graph);
}

/* ---- Threads --------------------------------------------------------------------------------------------------------------- */

#if !defined(_WIN32)
enum { THREADS = 4, ROUNDS = 6 };

typedef struct worker {
    const void *bytes;
    size_t size;
    cconv_graph *graph; /* one for all, or NULL: each loads its own */
    float *expected;
    bool fine;
} worker;

static void *serve(void *of)
{
    worker *w = of;
    float y[SAMPLES * CLASSES];
    w->fine = true;
    for (int round = 0; round < ROUNDS; ++round) {
        cconv_graph *graph = w->graph ? w->graph : cconv_load_onnx_memory(w->bytes, w->size, NULL);
        w->fine = w->fine && graph && predict(graph, SAMPLES, images, y) && is_near(w->expected, y, SAMPLES * CLASSES);
        if (!w->graph) cconv_graph_free(graph);
        if (round == 1 && !w->graph) w->fine = w->fine && !cconv_load_onnx_memory(w->bytes, w->size / 2, NULL);
    }
    return NULL;
}

static void test_models_in_threads(void)
{
    network net;
    float expected[SAMPLES * CLASSES];
    void *bytes = NULL;
    size_t size = 0;
    CHECK(network_build(&net) && cconv_graph_output(net.graph, "scores", net.logits) == CCONV_OK);
    CHECK(predict(net.graph, SAMPLES, images, expected));
    CHECK(cconv_save_onnx_memory(net.graph, &(cconv_onnx_save_options){.channels_last = 1}, &bytes, &size) == CCONV_OK);
    network_free(&net);
    cconv_graph *one = cconv_load_onnx_memory(bytes, size, NULL);
    for (int shared = 0; one && shared < 2; ++shared) {
        pthread_t threads[THREADS];
        worker workers[THREADS];
        for (int i = 0; i < THREADS; ++i) {
            workers[i] = (worker){bytes, size, shared ? one : NULL, expected, false};
            CHECK(pthread_create(&threads[i], NULL, serve, &workers[i]) == 0);
        }
        for (int i = 0; i < THREADS; ++i) {
            pthread_join(threads[i], NULL);
            CHECK(workers[i].fine);
        }
    }
    cconv_graph_free(one);
    cconv_onnx_free(bytes);
}
#endif

const test onnx_tests[] = {
    {"onnx_ops_there_and_back", test_ops_there_and_back},
    {"onnx_network_there_and_back", test_network_there_and_back},
    {"onnx_frozen_models_train_as_they_predict", test_frozen_models_train_as_they_predict},
    {"onnx_training_goes_on_from_a_model", test_training_goes_on_from_a_model},
#if !defined(_WIN32)
    {"onnx_models_at_once", test_models_in_threads},
#endif
    {0},
};
