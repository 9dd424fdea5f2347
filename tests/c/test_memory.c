/* Memory that cannot be had: every allocation of building, planning and running is refused in turn. Each time the call says so,
 * nothing leaks, and the same work done again gives the result it always gives. */
#include "cconv.h"
#include "harness.h"
#include <stdlib.h>

typedef struct meter {
    long asked, refuse_at, live; /* refuse_at: the allocation that fails, from 1; 0: none */
    bool refused;
} meter;

static void *allocate(size_t bytes, void *context)
{
    meter *m = context;
    if (++m->asked == m->refuse_at) {
        m->refused = true;
        return NULL;
    }
    void *memory = malloc(bytes);
    if (memory) ++m->live;
    return memory;
}

static void release(void *memory, void *context)
{
    --((meter *)context)->live;
    free(memory);
}

/* Trains for two steps; false if any call failed. A failed plan is asked for once more, when memory is there again. */
static bool train(meter *m, float *loss, bool retry)
{
    network net;
    cconv_optimizer *adam = NULL;
    cconv_plan *plan = NULL;
    bool good = network_build(&net);
    if (good) {
        adam = cconv_optimizer_new("adam", "learning_rate=0.01 amsgrad=1 global_clipnorm=1");
        const cconv_plan_options options = {.max_batch = 8,
                                            .n_outputs = 1,
                                            .outputs = &net.loss,
                                            .training = 1,
                                            .root = net.loss,
                                            .n_wrt = net.n_wrt,
                                            .wrt = net.wrt,
                                            .optimizer = adam};
        plan = adam ? cconv_plan_new(net.graph, &options) : NULL;
        if (adam && !plan && retry && m->refused) {
            CHECK_ERROR("memory");
            plan = cconv_plan_new(net.graph, &options);
            CHECK(plan != NULL);
        }
        good = plan != NULL;
    }
    for (uint64_t step = 0; good && step < 2; ++step) {
        const cconv_batch batch = {.n = 8,
                                   .outputs = (cconv_output[]){{loss, CCONV_FLOAT32}},
                                   .step = step,
                                   .inputs = (cconv_array[]){{images, CCONV_FLOAT32, SAMPLES}, {labels, CCONV_INT32, SAMPLES}}};
        cconv_status status = cconv_plan_run(plan, &batch);
        CHECK(status == CCONV_OK || (m->refused && status == CCONV_NO_MEMORY));
        good = status == CCONV_OK;
    }
    cconv_plan_free(plan);
    cconv_optimizer_free(adam);
    network_free(&net);
    return good;
}

static void test_every_allocation_may_fail(void)
{
    meter m = {0};
    const cconv_allocator allocator = {allocate, release, &m};
    float expected = 0, loss = 0;
    CHECK(train(&m, &expected, false)); /* whatever is made once and kept is made here */
    cconv_set_allocator(&allocator);
    m = (meter){0};
    CHECK(train(&m, &loss, false) && loss == expected);
    CHECK(m.live == 0);
    long all = m.asked, failed = 0;
    CHECK(all > 10);
    for (int retry = 0; retry < 2; ++retry)
        for (long k = 1; k <= all; ++k) {
            m = (meter){.refuse_at = k};
            loss = 0;
            bool good = train(&m, &loss, retry);
            CHECK(m.refused);
            if (good) {
                CHECK(loss == expected);
            } else {
                ++failed;
                CHECK_ERROR("memory");
            }
            if (m.live) printf("allocation %ld refused: %ld blocks leak\n", k, m.live);
            CHECK(m.live == 0);
        }
    CHECK(failed > all); /* without the retry nearly every refusal must surface */
    m = (meter){0};
    CHECK(train(&m, &loss, false) && loss == expected && m.live == 0);
    cconv_set_allocator(NULL);
}

/* The same for what is called outside of training. */
static void test_small_calls_may_fail(void)
{
    meter m = {0};
    const cconv_allocator allocator = {allocate, release, &m};
    cconv_set_allocator(&allocator);
    for (long k = 1; k <= 12; ++k) {
        m = (meter){.refuse_at = k};
        const float values[] = {1, 2, 3};
        cconv_graph *g = cconv_graph_new();
        int c = g ? cconv_graph_constant(g, "three", CCONV_FLOAT32, 1, (int64_t[]){3}, values) : 0;
        cconv_variable *v = cconv_variable_new(1, (int64_t[]){3}), *slot = NULL;
        cconv_optimizer *o = cconv_optimizer_new("sgd", "momentum=0.5");
        if (o && v) slot = cconv_optimizer_slot(o, v, 0);
        CHECK(m.refused || (g && c && v && o && slot));
        if (m.refused) CHECK_ERROR("memory");
        if (o && v) CHECK(cconv_optimizer_slot(o, v, 0) != NULL);
        cconv_optimizer_free(o);
        cconv_variable_free(v);
        cconv_graph_free(g);
        CHECK(m.live == 0);
    }
    cconv_set_allocator(NULL);
}

const test memory_tests[] = {
    {"every_allocation_may_fail", test_every_allocation_may_fail},
    {"small_calls_may_fail", test_small_calls_may_fail},
    {0},
};
