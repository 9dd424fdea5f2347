/* A run that another thread cancels: it ends early with the variables as before, or as ever; the next one is not concerned. */
#define _POSIX_C_SOURCE 200809L
#include "cconv.h"
#include "harness.h"
#include <stdatomic.h>
#include <stdlib.h>
#if !defined(_WIN32)
#include <pthread.h>

enum { RUNS = 300 };

typedef struct canceller {
    cconv_plan *plan;
    atomic_int wanted, seen; /* 1: cancel; 0: do not; -1: the end; and which of them the thread acts on */
} canceller;

static void *cancel_again_and_again(void *context)
{
    canceller *c = context;
    for (int now; (now = atomic_load(&c->wanted)) >= 0;) {
        atomic_store(&c->seen, now);
        if (now && cconv_plan_cancel(c->plan) != CCONV_OK) return NULL;
    }
    return c;
}

static void want(canceller *c, int cancel)
{
    atomic_store(&c->wanted, cancel);
    while (atomic_load(&c->seen) != cancel) continue;
}

static size_t copy_variables(const network *net, float *values)
{
    size_t n = 0;
    for (int i = 0; i < net->n_variables; ++i) {
        const size_t count = cconv_variable_count(net->variables[i]);
        if (values) CHECK(cconv_variable_get(net->variables[i], values + n, count) == CCONV_OK);
        n += count;
    }
    return n;
}

static void test_a_thread_cancels_runs(void)
{
    network net;
    CHECK(network_build(&net));
    cconv_optimizer *sgd = cconv_optimizer_new("sgd", "learning_rate=0.001 momentum=0.9");
    canceller c = {
        .plan = cconv_plan_new(
            net.graph,
            &(cconv_plan_options){
                .max_batch = SAMPLES, .training = 1, .root = net.loss, .n_wrt = net.n_wrt, .wrt = net.wrt, .optimizer = sgd})};
    const size_t n = copy_variables(&net, NULL);
    float *before = malloc(n * sizeof *before), *after = malloc(n * sizeof *after);
    CHECK(c.plan && before && after);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, cancel_again_and_again, &c) == 0);
    int cancelled = 0;
    int64_t iterations = 0;
    for (uint64_t step = 0; step < RUNS; ++step) {
        const cconv_batch batch = {.n = SAMPLES,
                                   .step = step,
                                   .inputs = (cconv_array[]){{images, CCONV_FLOAT32, SAMPLES}, {labels, CCONV_INT32, SAMPLES}}};
        copy_variables(&net, before);
        want(&c, step % 3 == 0);
        const cconv_status status = cconv_plan_run(c.plan, &batch);
        copy_variables(&net, after);
        CHECK(status == CCONV_OK || (status == CCONV_INTERRUPTED && step % 3 == 0));
        CHECK((memcmp(before, after, n * sizeof *before) == 0) == (status == CCONV_INTERRUPTED));
        iterations += status == CCONV_OK;
        CHECK(cconv_optimizer_iterations(sgd) == iterations);
        if (status != CCONV_INTERRUPTED) continue;
        ++cancelled;
        CHECK_ERROR("cancelled");
    }
    atomic_store(&c.wanted, -1);
    void *good = NULL;
    pthread_join(thread, &good);
    CHECK(good);
    CHECK(cancelled > 0);
    CHECK(cconv_plan_cancel(c.plan) == CCONV_OK); /* nobody runs it */
    CHECK(cconv_plan_run(c.plan, &(cconv_batch){.n = SAMPLES,
                                                .inputs = (cconv_array[]){{images, CCONV_FLOAT32, SAMPLES},
                                                                          {labels, CCONV_INT32, SAMPLES}}}) == CCONV_OK);
    free(before);
    free(after);
    cconv_plan_free(c.plan);
    cconv_optimizer_free(sgd);
    network_free(&net);
}
#endif

const test cancel_tests[] = {
#if !defined(_WIN32)
    {"a_thread_cancels_runs", test_a_thread_cancels_runs},
#endif
    {0},
};
