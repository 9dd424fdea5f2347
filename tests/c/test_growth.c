/* Deep, wide and shared graphs: planning follows every edge once, and needs no deep stack. */
#include "cconv.h"
#include "harness.h"
#include <stdlib.h>
#if !defined(_WIN32)
#include <pthread.h>
#endif

enum { DEPTH = 100000, WIDTH = 10000, C = 3 };

static cconv_plan *plan_of(cconv_graph *g, int output, int root, int n_wrt, const int *wrt)
{
    return cconv_plan_new(g, &(cconv_plan_options){.max_batch = 2,
                                                   .n_outputs = 1,
                                                   .outputs = &output,
                                                   .training = root != 0,
                                                   .root = root,
                                                   .n_wrt = n_wrt,
                                                   .wrt = wrt});
}

static int input(cconv_graph *g)
{
    return cconv_graph_input(g, "x", CCONV_FLOAT32, 2, (int64_t[]){-1, C});
}

/* The gradient of the sum of what is behind a chain of additions, each of which doubles: 2^20 by the last 20, 1 by those of 0. */
static void test_a_chain(void)
{
    cconv_graph *g = cconv_graph_new();
    const int x = input(g);
    int y = x;
    for (int i = 0; i < DEPTH; ++i) y = cconv_graph_add(g, i % 2 ? "negative" : "identity", NULL, 1, &y, NULL);
    for (int i = 0; i < 20; ++i) y = cconv_graph_add(g, "add", NULL, 2, (int[]){y, y}, NULL);
    const int root = cconv_graph_add(g, "sum", NULL, 1, &y, NULL);
    cconv_plan *plan = plan_of(g, root, root, 1, &x);
    CHECK(plan != NULL);
    float sum = 0, values[2 * C] = {1, 2, 3, 4, 5, 6};
    CHECK(plan && cconv_plan_run(plan, &(cconv_batch){.n = 2,
                                                      .inputs = &(cconv_array){values, CCONV_FLOAT32, 2},
                                                      .outputs = &(cconv_output){&sum, CCONV_FLOAT32}}) == CCONV_OK);
    CHECK(sum == 21 * (float)(1 << 20));
    for (int i = 0; plan && i < 2 * C; ++i) CHECK(cconv_plan_gradient(plan, x)[i] == (float)(1 << 20));
    char *text = malloc(1);
    CHECK(!plan || cconv_plan_describe(plan, text, 1) > DEPTH);
    free(text);
    cconv_plan_free(plan);
    cconv_graph_free(g);
}

/* Transposes that cancel, reshapes between a softmax and its loss, random ops: what rewriting follows. */
static void test_chains_that_are_rewritten(void)
{
    cconv_graph *g = cconv_graph_new();
    const int x = input(g), label = cconv_graph_input(g, "label", CCONV_INT32, 1, (int64_t[]){-1});
    int y = x;
    for (int i = 0; i < WIDTH; ++i) {
        y = cconv_graph_add(g, "transpose", NULL, 1, &y, "axes=1,0");
        y = cconv_graph_add(g, "negative", NULL, 1, &y, NULL);
        y = cconv_graph_add(g, "transpose", NULL, 1, &y, "axes=1,0");
        y = cconv_graph_add(g, "dropout", NULL, 1, &y, "rate=0.5");
    }
    y = cconv_graph_add(g, "softmax", NULL, 1, &y, NULL);
    for (int i = 0; i < DEPTH; ++i) y = cconv_graph_add(g, "reshape", NULL, 1, &y, "shape=0,3");
    y = cconv_graph_add(g, "sparse_categorical_crossentropy", NULL, 2, (int[]){label, y}, NULL);
    const int root = cconv_graph_add(g, "mean", NULL, 1, &y, NULL);
    cconv_plan *plan = plan_of(g, root, root, 1, &x);
    CHECK(plan != NULL);
    cconv_plan_free(plan);
    cconv_graph_free(g);
}

/* One value read by many, each of which is read by one. */
static void test_a_wide_graph(void)
{
    cconv_graph *g = cconv_graph_new();
    const int x = input(g);
    int *ys = malloc(WIDTH * sizeof *ys);
    for (int i = 0; i < WIDTH; ++i) {
        const int t = cconv_graph_add(g, "transpose", NULL, 1, &x, "axes=1,0");
        const int n = cconv_graph_add(g, "negative", NULL, 1, &t, NULL);
        ys[i] = cconv_graph_add(g, "transpose", NULL, 1, &n, "axes=1,0");
    }
    const int all = cconv_graph_add(g, "concatenate", NULL, WIDTH, ys, "axis=1");
    const int root = cconv_graph_add(g, "sum", NULL, 1, &all, NULL);
    cconv_plan *plan = plan_of(g, root, root, 1, &x);
    float values[2 * C] = {0};
    CHECK(plan && cconv_plan_run(plan, &(cconv_batch){.n = 2, .inputs = &(cconv_array){values, CCONV_FLOAT32, 2}}) == CCONV_OK);
    for (int i = 0; plan && i < 2 * C; ++i) CHECK(cconv_plan_gradient(plan, x)[i] == -WIDTH);
    cconv_plan_free(plan);
    cconv_graph_free(g);
    free(ys);
}

/* w + w, and that with itself, 40 times: 2^40 paths lead to w. Batch normalization behind it is folded into it. */
static void test_a_weight_of_shared_expressions(void)
{
    cconv_graph *g = cconv_graph_new();
    cconv_variable *w = cconv_variable_new(2, (int64_t[]){C, C}), *one = cconv_variable_new(1, (int64_t[]){C});
    for (int i = 0; i < C; ++i) cconv_variable_data(w)[i * C + i] = 1, cconv_variable_data(one)[i] = 1;
    const int x = input(g), variance = cconv_graph_variable(g, "one", one);
    int weights = cconv_graph_variable(g, "w", w);
    for (int i = 0; i < 40; ++i) weights = cconv_graph_add(g, "add", NULL, 2, (int[]){weights, weights}, NULL);
    int y = cconv_graph_add(g, "dense", NULL, 2, (int[]){x, weights}, NULL);
    y = cconv_graph_add(g, "batch_norm", NULL, 5, (int[]){y, variance, 0, variance, variance}, "epsilon=0");
    cconv_plan *plan = plan_of(g, y, 0, 0, NULL);
    float values[2 * C] = {1, 2, 3, 4, 5, 6}, result[2 * C] = {0};
    CHECK(plan && cconv_plan_run(plan, &(cconv_batch){.n = 2,
                                                      .inputs = &(cconv_array){values, CCONV_FLOAT32, 2},
                                                      .outputs = &(cconv_output){result, CCONV_FLOAT32}}) == CCONV_OK);
    for (int i = 0; i < 2 * C; ++i) CHECK(result[i] == values[i] * (float)((int64_t)1 << 40));
    cconv_plan_free(plan);
    cconv_graph_free(g);
    cconv_variable_free(w);
    cconv_variable_free(one);
}

/* More outputs than are compared with each other come where the caller wants them, even one over an input. */
static void test_many_outputs(void)
{
    enum { N = 200 };
    cconv_graph *g = cconv_graph_new();
    const int x = input(g);
    int ys[N];
    for (int i = 0; i < N; ++i) ys[i] = cconv_graph_add(g, "negative", NULL, 1, &x, NULL);
    cconv_plan *plan = cconv_plan_new(g, &(cconv_plan_options){.n_outputs = N, .outputs = ys});
    float values[C] = {1, 2, 3}, results[N][C];
    cconv_output outputs[N];
    for (int i = 0; i < N; ++i) outputs[i] = (cconv_output){i == 7 ? values : results[i], CCONV_FLOAT32};
    CHECK(plan && cconv_plan_run(
                      plan, &(cconv_batch){.n = 1, .inputs = &(cconv_array){values, CCONV_FLOAT32, 1}, .outputs = outputs}) ==
                      CCONV_OK);
    for (int i = 0; i < N; ++i)
        for (int k = 0; k < C; ++k) CHECK((i == 7 ? values[k] : results[i][k]) == -(float)(k + 1));
    cconv_plan_free(plan);
    cconv_graph_free(g);
}

#if !defined(_WIN32)
static void *run_all(void *unused)
{
    test_a_chain();
    test_chains_that_are_rewritten();
    test_a_wide_graph();
    test_a_weight_of_shared_expressions();
    return unused;
}

static void test_on_a_small_stack(void)
{
    pthread_attr_t small;
    pthread_t thread;
    pthread_attr_init(&small);
    CHECK(pthread_attr_setstacksize(&small, 144 << 10) == 0);
    CHECK(pthread_create(&thread, &small, run_all, NULL) == 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&small);
}
#endif

const test growth_tests[] = {
    {"a_chain", test_a_chain},
    {"chains_that_are_rewritten", test_chains_that_are_rewritten},
    {"a_wide_graph", test_a_wide_graph},
    {"a_weight_of_shared_expressions", test_a_weight_of_shared_expressions},
    {"many_outputs", test_many_outputs},
#if !defined(_WIN32)
    {"on_a_small_stack", test_on_a_small_stack},
#endif
    {0},
};
