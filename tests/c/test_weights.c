/* Weights that one thread changes while another reads them: what was derived from them is right when the change is over. */
#include "cconv.h"
#include "harness.h"
#if !defined(_WIN32)
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { K = 256, M = 384, ROUNDS = 40, TRAINED = 2 };

/* y = x w, where w is read packed; a loss, to train it. */
typedef struct line {
    cconv_graph *graph;
    cconv_variable *w;
    int node, y, loss;
} line;

static line line_make(void)
{
    line l = {.graph = cconv_graph_new(), .w = cconv_variable_new(2, (int64_t[]){K, M})};
    float *w = cconv_variable_data(l.w);
    for (int i = 0; w && i < K * M; ++i) w[i] = (float)(i % 17 - 8) / 16;
    cconv_variable_touch(l.w);
    const int x = cconv_graph_input(l.graph, "x", CCONV_FLOAT32, 2, (int64_t[]){-1, K});
    l.node = cconv_graph_variable(l.graph, "w", l.w);
    l.y = cconv_graph_add(l.graph, "dense", NULL, 2, (int[]){x, l.node}, NULL);
    l.loss = cconv_graph_add(l.graph, "mean", NULL, 1, &l.y, NULL);
    return l;
}

static cconv_plan *line_reader(const line *l)
{
    return cconv_plan_new(l->graph, &(cconv_plan_options){.max_batch = 1, .n_outputs = 1, .outputs = &l->y, .threads = 1});
}

static float ones[K * 4];

static bool line_read(cconv_plan *plan, float y[M])
{
    return cconv_plan_run(plan, &(cconv_batch){.n = 1,
                                               .inputs = &(cconv_array){ones, CCONV_FLOAT32, 1},
                                               .outputs = &(cconv_output){y, CCONV_FLOAT32}}) == CCONV_OK;
}

typedef struct reading {
    cconv_plan *plan;
    atomic_bool over;
    bool good;
} reading;

static void *read_on(void *context)
{
    reading *r = context;
    float y[M];
    while (r->good && !atomic_load(&r->over)) r->good = line_read(r->plan, y);
    return NULL;
}

/* After each round of training, what the reader's plan says is what a new plan says. */
static void check_reader(const char *optimizer, const char *settings)
{
    line l = line_make();
    cconv_optimizer *o = cconv_optimizer_new(optimizer, settings);
    cconv_plan *trainer = cconv_plan_new(
        l.graph, &(cconv_plan_options){
                     .max_batch = 4, .training = 1, .root = l.loss, .n_wrt = 1, .wrt = &l.node, .optimizer = o, .threads = 2});
    reading r = {.plan = line_reader(&l), .good = true};
    CHECK(trainer && r.plan);
    for (int i = 0; i < K * 4; ++i) ones[i] = 1;
    int stale = 0;
    for (int round = 0; trainer && r.plan && round < ROUNDS; ++round) {
        pthread_t other;
        float y[M], expected[M];
        atomic_store(&r.over, false);
        if (pthread_create(&other, NULL, read_on, &r)) break;
        for (int step = 0; step < TRAINED; ++step)
            CHECK(cconv_plan_run(trainer, &(cconv_batch){.n = 4, .inputs = &(cconv_array){ones, CCONV_FLOAT32, 4}}) ==
                  CCONV_OK);
        atomic_store(&r.over, true);
        pthread_join(other, NULL);
        cconv_plan *fresh = line_reader(&l);
        CHECK(fresh && line_read(r.plan, y) && line_read(fresh, expected));
        stale += memcmp(y, expected, sizeof y) != 0;
        cconv_plan_free(fresh);
    }
    CHECK(r.good);
    if (stale) printf("%s: %d of %d predictions were not of the weights\n", optimizer, stale, ROUNDS);
    CHECK(stale == 0);
    cconv_plan_free(trainer);
    cconv_plan_free(r.plan);
    cconv_optimizer_free(o);
    cconv_graph_free(l.graph);
    cconv_variable_free(l.w);
}

static void test_what_is_packed_while_weights_change_is_packed_again(void)
{
    cconv_set_num_threads(2);
    check_reader("sgd", "learning_rate=0.5");
    check_reader("adam", "learning_rate=0.01");
    cconv_set_num_threads(0);
}
#endif

/* A slot is a variable like any other: a graph may read it, and sees what each step makes of it. */
static void test_slots_are_seen_to_change(void)
{
    cconv_graph *g = cconv_graph_new(), *reads = cconv_graph_new();
    cconv_variable *w = cconv_variable_new(2, (int64_t[]){3, 3});
    cconv_optimizer *sgd = cconv_optimizer_new("sgd", "learning_rate=1 momentum=0.5");
    const int node = cconv_graph_variable(g, "w", w), loss = cconv_graph_add(g, "mean", NULL, 1, &node, NULL);
    cconv_plan *trainer =
        cconv_plan_new(g, &(cconv_plan_options){.training = 1, .root = loss, .n_wrt = 1, .wrt = &node, .optimizer = sgd});
    const int x = cconv_graph_input(reads, "x", CCONV_FLOAT32, 2, (int64_t[]){-1, 3});
    const int slot = cconv_graph_variable(reads, "slot", cconv_optimizer_slot(sgd, w, 0));
    const int y = cconv_graph_add(reads, "dense", NULL, 2, (int[]){x, slot}, NULL);
    cconv_plan *reader = cconv_plan_new(reads, &(cconv_plan_options){.n_outputs = 1, .outputs = &y});
    CHECK(trainer && reader);
    for (int step = 0; trainer && reader && step < 3; ++step) {
        float values[3] = {0};
        CHECK(cconv_plan_run(trainer, &(cconv_batch){.n = 1}) == CCONV_OK);
        CHECK(cconv_plan_run(reader, &(cconv_batch){.n = 1,
                                                    .inputs = &(cconv_array){(float[]){1, 0, 0}, CCONV_FLOAT32, 1},
                                                    .outputs = &(cconv_output){values, CCONV_FLOAT32}}) == CCONV_OK);
        CHECK(values[0] == cconv_variable_data(cconv_optimizer_slot(sgd, w, 0))[0] && values[0] != 0);
    }
    cconv_plan_free(trainer);
    cconv_plan_free(reader);
    cconv_optimizer_free(sgd);
    cconv_graph_free(g);
    cconv_graph_free(reads);
    cconv_variable_free(w);
}

/* Weight decay of a half takes half of a weight, unless it is excluded; the gradient of each element takes a half besides. */
static void test_weight_decay_leaves_excluded_variables_alone(void)
{
    cconv_graph *g = cconv_graph_new();
    cconv_variable *w[2] = {cconv_variable_new(1, (int64_t[]){2}), cconv_variable_new(1, (int64_t[]){2})};
    cconv_optimizer *sgd = cconv_optimizer_new("sgd", "learning_rate=1 weight_decay=0.5");
    int nodes[2];
    for (int i = 0; i < 2; ++i) {
        for (int j = 0; j < 2; ++j) cconv_variable_data(w[i])[j] = 8;
        nodes[i] = cconv_graph_variable(g, i ? "b" : "a", w[i]);
    }
    CHECK(cconv_optimizer_exclude_from_weight_decay(sgd, w[1]) == CCONV_OK);
    CHECK(cconv_optimizer_exclude_from_weight_decay(sgd, NULL) == CCONV_INVALID);
    CHECK(cconv_optimizer_exclude_from_weight_decay(NULL, w[1]) == CCONV_INVALID);
    const int sum = cconv_graph_add(g, "add", NULL, 2, nodes, NULL), loss = cconv_graph_add(g, "mean", NULL, 1, &sum, NULL);
    cconv_plan *plan =
        cconv_plan_new(g, &(cconv_plan_options){.training = 1, .root = loss, .n_wrt = 2, .wrt = nodes, .optimizer = sgd});
    CHECK(plan && cconv_plan_run(plan, &(cconv_batch){.n = 1}) == CCONV_OK);
    CHECK(cconv_variable_data(w[0])[1] == 3.5f && cconv_variable_data(w[1])[1] == 7.5f);
    cconv_plan_free(plan);
    cconv_optimizer_free(sgd);
    cconv_graph_free(g);
    for (int i = 0; i < 2; ++i) cconv_variable_free(w[i]);
}

const test weight_tests[] = {
#if !defined(_WIN32)
    {"what_is_packed_while_weights_change_is_packed_again", test_what_is_packed_while_weights_change_is_packed_again},
#endif
    {"slots_are_seen_to_change", test_slots_are_seen_to_change},
    {"weight_decay_leaves_excluded_variables_alone", test_weight_decay_leaves_excluded_variables_alone},
    {0},
};
