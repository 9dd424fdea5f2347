/* What is told to who listens: once, the settings that were refused, and what became of threads. */
#if defined(__linux__)
#define _GNU_SOURCE /* sched_setaffinity */
#endif
#include "cconv.h"
#include "harness.h"
#include <stdlib.h>
#if defined(__linux__)
#include <sched.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#endif

typedef struct heard {
    int infos, warnings;
    char warning[512]; /* the last */
} heard;

static void listen(cconv_log_level level, const char *text, void *context)
{
    heard *h = context;
    CHECK(text[0] && cconv_num_threads() > 0); /* it may call the library */
    if (level == CCONV_LOG_INFO) ++h->infos;
    if (level != CCONV_LOG_WARNING) return;
    ++h->warnings;
    snprintf(h->warning, sizeof h->warning, "%s", text);
}

/* Makes a plan and runs it. */
static bool work(void)
{
    cconv_graph *g = cconv_graph_new();
    const int x = cconv_graph_input(g, "x", CCONV_FLOAT32, 1, (int64_t[]){-1}),
              y = cconv_graph_add(g, "tanh", NULL, 1, &x, NULL);
    cconv_plan *plan = cconv_plan_new(g, &(cconv_plan_options){.n_outputs = 1, .outputs = &y});
    const float zero = 0;
    const bool good =
        plan && cconv_plan_run(plan, &(cconv_batch){.n = 1, .inputs = &(cconv_array){&zero, CCONV_FLOAT32, 1}}) == CCONV_OK;
    cconv_plan_free(plan);
    cconv_graph_free(g);
    return good;
}

static void test_a_listener_hears_things_once(void)
{
    heard first = {0}, second = {0};
    cconv_set_log(listen, &first);
    CHECK(work());
    const int infos = first.infos;
    CHECK(infos >= 1);
    CHECK(work() && first.infos == infos);
    cconv_set_log(listen, &second);
    CHECK(work() && first.infos == infos && second.infos == infos);
    cconv_set_log(NULL, &first);
    CHECK(work() && first.infos == infos && second.infos == infos);
}

#if defined(__linux__)
static void test_what_is_refused_is_heard(void)
{
    heard h = {0};
    const char *wish = getenv("OMP_NUM_THREADS");
    char old[64];
    snprintf(old, sizeof old, "%s", wish ? wish : "");
    if (!cconv_openmp()) return;
    setenv("OMP_NUM_THREADS", "many", 1);
    cconv_set_num_threads(0);
    cconv_set_log(listen, &h);
    CHECK(work() && h.warnings >= 1 && strstr(h.warning, "\"many\""));
    setenv("OMP_NUM_THREADS", "100000", 1);
    CHECK(work() && strstr(h.warning, "1024"));
    if (wish)
        setenv("OMP_NUM_THREADS", old, 1);
    else
        unsetenv("OMP_NUM_THREADS");
    cconv_set_log(NULL, NULL);
    cconv_set_num_threads(0);
}

/* The part of a process of its own: 0 if it heard what it should. */
static int ended_with(pid_t child)
{
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_forks_and_lost_processors_are_heard(void)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        heard h = {0};
        alarm(60);
        cconv_set_log(listen, &h);
        _exit(!(work() && h.warnings >= 1 && strstr(h.warning, "forked")));
    }
    CHECK(ended_with(child) == 0);
    cpu_set_t all, one;
    heard h = {0};
    CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
    if (CPU_COUNT(&all) < 2 || cconv_num_threads() < 2) return;
    CPU_ZERO(&one);
    for (int i = 0; CPU_COUNT(&one) == 0; ++i)
        if (CPU_ISSET(i, &all)) CPU_SET(i, &one);
    cconv_set_log(listen, &h);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
    nanosleep(&(struct timespec){0, 50000000}, NULL);
    CHECK(work() && h.warnings >= 1 && strstr(h.warning, "1 are left"));
    CHECK(sched_setaffinity(0, sizeof all, &all) == 0);
    nanosleep(&(struct timespec){0, 50000000}, NULL);
    cconv_set_log(NULL, NULL);
    CHECK(cconv_num_threads() >= 2);
}

/* An emulator of another processor's programs starts none of them from within: exec fails there, and there only. */
enum { EMULATED = 3 };

/* The level is chosen once in a process: this test is run again in another. */
static void test_a_refused_instruction_set_is_heard(void)
{
    const char *isa = getenv("CCONV_ISA");
    if (isa && strcmp(isa, "nonsense") == 0) {
        heard h = {0};
        cconv_set_log(listen, &h);
        CHECK(work() && h.warnings >= 1 && strstr(h.warning, "nonsense"));
        cconv_set_log(NULL, NULL);
        return;
    }
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        setenv("CCONV_ISA", "nonsense", 1);
        if (!freopen("/dev/null", "w", stdout)) _exit(2);
        execl("/proc/self/exe", "c_tests", "a_refused_instruction_set", (char *)NULL);
        _exit(EMULATED);
    }
    const int end = ended_with(child);
    CHECK(end == 0 || end == EMULATED);
}
#endif

const test log_tests[] = {
    {"a_listener_hears_things_once", test_a_listener_hears_things_once},
#if defined(__linux__)
    {"what_is_refused_is_heard", test_what_is_refused_is_heard},
    {"forks_and_lost_processors_are_heard", test_forks_and_lost_processors_are_heard},
    {"a_refused_instruction_set_is_heard", test_a_refused_instruction_set_is_heard},
#endif
    {0},
};
