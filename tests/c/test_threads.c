/* Threads: of one plan, of several plans at once, after fork, and the call-back that stops a run. */
#if defined(__linux__)
#define _GNU_SOURCE /* sched_getaffinity */
#include <sched.h>
#endif
#define _POSIX_C_SOURCE 200809L
#include "base/team.h"
#include "cconv.h"
#include "harness.h"
#include "plan/pace.h"
#include <stdlib.h>
#include <time.h>
#if !defined(_WIN32)
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

enum { STEPS = 12, WEIGHTS = 3 * 3 * 2 * 6 };

/* Trains a network of its own; weights[WEIGHTS] are the kernel's at the end. */
static bool train(int threads, float *weights)
{
    network net;
    bool good = network_build(&net);
    cconv_optimizer *sgd = cconv_optimizer_new("sgd", "learning_rate=0.05 momentum=0.9");
    cconv_plan *plan = !good || !sgd ? NULL
                                     : cconv_plan_new(net.graph, &(cconv_plan_options){.max_batch = SAMPLES,
                                                                                       .training = 1,
                                                                                       .root = net.loss,
                                                                                       .n_wrt = net.n_wrt,
                                                                                       .wrt = net.wrt,
                                                                                       .optimizer = sgd,
                                                                                       .threads = threads});
    good = plan != NULL;
    for (uint64_t step = 0; good && step < STEPS; ++step)
        good = cconv_plan_run(plan, &(cconv_batch){.n = SAMPLES,
                                                   .seed = 11,
                                                   .step = step,
                                                   .inputs = (cconv_array[]){{images, CCONV_FLOAT32, SAMPLES},
                                                                             {labels, CCONV_INT32, SAMPLES}}}) == CCONV_OK;
    if (good) memcpy(weights, cconv_variable_data(net.variables[0]), WEIGHTS * sizeof *weights);
    cconv_plan_free(plan);
    cconv_optimizer_free(sgd);
    network_free(&net);
    return good;
}

static void test_results_do_not_depend_on_threads(void)
{
    float one[WEIGHTS] = {0}, other[WEIGHTS] = {0};
    CHECK(train(1, one));
    for (int threads = 2; threads <= 5; ++threads) {
        CHECK(cconv_set_num_threads(threads) == CCONV_OK);
        CHECK(train(threads, other));
        CHECK(memcmp(one, other, sizeof one) == 0);
    }
    cconv_set_num_threads(0);
}

#if !defined(_WIN32)
static void *train_in_thread(void *weights)
{
    return train(2, weights) ? weights : NULL;
}

static void test_two_plans_in_two_threads(void)
{
    float alone[WEIGHTS] = {0}, first[WEIGHTS] = {0}, second[WEIGHTS] = {0};
    CHECK(train(2, alone));
    pthread_t a, b;
    void *good_a = NULL, *good_b = NULL;
    CHECK(pthread_create(&a, NULL, train_in_thread, first) == 0 && pthread_create(&b, NULL, train_in_thread, second) == 0);
    pthread_join(a, &good_a);
    pthread_join(b, &good_b);
    CHECK(good_a && good_b);
    CHECK(memcmp(alone, first, sizeof alone) == 0 && memcmp(alone, second, sizeof alone) == 0);
}

static void *fail_once(void *unused)
{
    (void)unused;
    cconv_variable_new(99, NULL);
    return NULL;
}

static void test_errors_belong_to_a_thread(void)
{
    CHECK(cconv_optimizer_new("mine", NULL) == NULL);
    pthread_t other;
    CHECK(pthread_create(&other, NULL, fail_once, NULL) == 0);
    pthread_join(other, NULL);
    CHECK_ERROR("mine");
}

/* The child works with one thread and gets the same weights; a hang is ended by the alarm. */
static void test_a_forked_child_trains(void)
{
    float before[WEIGHTS] = {0}, after[WEIGHTS] = {0};
    cconv_set_num_threads(2);
    CHECK(train(2, before));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        if (cconv_num_threads() != 1) _exit(2);
        if (strcmp(cconv_num_threads_reason(), "fork") != 0) _exit(3);
        if (!train(2, after)) _exit(4);
        _exit(memcmp(before, after, sizeof before) ? 5 : 0);
    }
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    if (status) printf("child: status %d\n", WEXITSTATUS(status));
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cconv_set_num_threads(0);
    CHECK(train(2, after) && memcmp(before, after, sizeof before) == 0); /* the parent is as before */
}
#endif

typedef struct stop {
    cconv_plan *plan;
    const cconv_batch *batch;
    int asked;
    cconv_status inner;
} stop;

static int ask_to_stop(void *context)
{
    stop *s = context;
    s->asked++;
    s->inner = cconv_plan_run(s->plan, s->batch);
    return 1;
}

/* A run large enough to be asked: it stops, says so, and leaves the variables; meanwhile the plan is busy. */
static void test_a_run_can_be_stopped(void)
{
    enum { SIDE = 64, C = 32, BATCH = 32 };
    cconv_graph *g = cconv_graph_new();
    cconv_variable *w = cconv_variable_new(4, (int64_t[]){3, 3, C, C});
    for (size_t i = 0; i < cconv_variable_count(w); ++i) cconv_variable_data(w)[i] = 0.01f;
    cconv_variable_touch(w);
    int node = cconv_graph_input(g, "x", CCONV_FLOAT32, 4, (int64_t[]){-1, SIDE, SIDE, C}),
        weights = cconv_graph_variable(g, "w", w);
    for (int i = 0; i < 12; ++i)
        node = cconv_graph_add(g, "conv", NULL, 2, (int[]){node, weights}, "padding=same activation=tanh");
    int loss = cconv_graph_add(g, "mean", NULL, 1, &node, NULL);
    cconv_optimizer *sgd = cconv_optimizer_new("sgd", "learning_rate=1");
    cconv_plan *plan = cconv_plan_new(
        g,
        &(cconv_plan_options){.max_batch = BATCH, .training = 1, .root = loss, .n_wrt = 1, .wrt = &weights, .optimizer = sgd});
    float *x = calloc((size_t)BATCH * SIDE * SIDE * C, sizeof *x);
    CHECK(plan && x);
    if (plan && x) {
        for (size_t i = 0; i < (size_t)BATCH * SIDE * SIDE * C; ++i) x[i] = (float)(i % 7) / 7;
        stop s = {plan, NULL, 0, CCONV_OK};
        const cconv_array input = {x, CCONV_FLOAT32, BATCH};
        cconv_batch batch = {.n = BATCH, .inputs = &input, .interrupted = ask_to_stop, .context = &s};
        s.batch = &batch;
        cconv_status status = cconv_plan_run(plan, &batch);
        CHECK(s.asked >= 1 && status == CCONV_INTERRUPTED);
        CHECK(s.inner == CCONV_BUSY);
        for (size_t i = 0; i < cconv_variable_count(w); ++i) CHECK(cconv_variable_data(w)[i] == 0.01f);
        CHECK(cconv_optimizer_iterations(sgd) == 0);
        batch.n = 1;
        batch.interrupted = NULL;
        CHECK(cconv_plan_run(plan, &batch) == CCONV_OK && cconv_optimizer_iterations(sgd) == 1);
        CHECK(cconv_variable_data(w)[0] != 0.01f);
    }
    free(x);
    cconv_plan_free(plan);
    cconv_optimizer_free(sgd);
    cconv_graph_free(g);
    cconv_variable_free(w);
}

/* Runs of so many seconds by a team and by one thread; the part of all time that goes to the team. */
static double team_part(cc_pace *pace, double team, double alone, int runs)
{
    double spent[2] = {0};
    for (int i = 0; i < runs; ++i) {
        const bool now = pace->alone;
        spent[now] += now ? alone : team;
        cc_pace_add(pace, now ? alone : team);
    }
    return spent[0] / (spent[0] + spent[1]);
}

static void test_one_thread_or_a_team_by_what_was_sooner(void)
{
    cc_pace pace = {0};
    CHECK(!pace.alone);
    const double mostly = 0.9, seldom = 0.1; /* one turn of seventeen is the other's */
    CHECK(team_part(&pace, 1e-4, 2e-4, 50000) > mostly);
    team_part(&pace, 9e-4, 2e-4, 20000); /* another process begins */
    const double part = team_part(&pace, 9e-4, 2e-4, 50000);
    CHECK(part < seldom && part > 0);
    team_part(&pace, 1e-4, 2e-4, 20000);
    CHECK(team_part(&pace, 1e-4, 2e-4, 50000) == 1); /* what one thread takes is known by now */
    CHECK(team_part(&pace, 30e-3, 20e-3, 1000) < 0.2);
    cc_pace_add(&pace, 0.2);
    CHECK(team_part(&pace, 0.2, 0.1, 100) == 1); /* long runs */
}

/* Waits that others cause now and then, and a team that is nevertheless sooner than one thread ever was. */
static void test_a_team_that_is_sooner_than_one_thread_ever_was_is_left_alone(void)
{
    cc_pace pace = {0};
    CHECK(team_part(&pace, 14e-3, 20e-3, 40) < 1); /* the trial that tells what one thread takes */
    CHECK(team_part(&pace, 14e-3, 20e-3, 2000) == 1);
    cc_pace_add(&pace, 0.2); /* one disturbance */
    CHECK(team_part(&pace, 14e-3, 20e-3, 2000) == 1);
    team_part(&pace, 40e-3, 20e-3, 20); /* another process begins */
    CHECK(team_part(&pace, 40e-3, 20e-3, 1000) < 0.2);
}

/* A disturbance of some runs, then none: what the team took then is not held against it. */
static void test_a_team_that_was_disturbed_once_is_tried_again_soon(void)
{
    cc_pace pace = {0};
    team_part(&pace, 81e-3, 45e-3, 2);
    CHECK(team_part(&pace, 25e-3, 45e-3, 20) > 0.6);
    CHECK(team_part(&pace, 25e-3, 45e-3, 200) > 0.9);
}

#if defined(__linux__)
enum { MEMBERS = 4 };

static void may_run_where(const cc_team *team, void *context)
{
    sched_getaffinity(0, sizeof(cpu_set_t), &((cpu_set_t *)context)[team->ith]);
}

/* Placed or not: after a pause as before, each thread may run wherever its leader may. */
static void test_threads_stay_allowed_everywhere(void)
{
    cpu_set_t allowed[MEMBERS], mine;
    sched_getaffinity(0, sizeof mine, &mine);
    for (int round = 0; round < 6; ++round) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000L * (round % 3)}, NULL);
        for (int i = 0; i < MEMBERS; ++i) allowed[i] = mine;
        cc_team_run(2 + round % (MEMBERS - 1), may_run_where, allowed);
        for (int i = 0; i < MEMBERS; ++i) CHECK(CPU_EQUAL(&allowed[i], &mine));
    }
}
#endif

const test thread_tests[] = {
    {"results_do_not_depend_on_threads", test_results_do_not_depend_on_threads},
#if !defined(_WIN32)
    {"two_plans_in_two_threads", test_two_plans_in_two_threads},
    {"errors_belong_to_a_thread", test_errors_belong_to_a_thread},
    {"a_forked_child_trains", test_a_forked_child_trains},
#endif
    {"a_run_can_be_stopped", test_a_run_can_be_stopped},
    {"one_thread_or_a_team_by_what_was_sooner", test_one_thread_or_a_team_by_what_was_sooner},
    {"a_team_that_is_sooner_than_one_thread_ever_was_is_left_alone",
     test_a_team_that_is_sooner_than_one_thread_ever_was_is_left_alone},
    {"a_team_that_was_disturbed_once_is_tried_again_soon", test_a_team_that_was_disturbed_once_is_tried_again_soon},
#if defined(__linux__)
    {"threads_stay_allowed_everywhere", test_threads_stay_allowed_everywhere},
#endif
    {0},
};
