/* How long a run takes. */
#if !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L /* clock_gettime, sigaction */
#endif
#include "bench.h"
#include "say.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST_WARMUP = 10 };

/* Ctrl-C ends the measuring, and what was measured is printed; a second one ends the program. */
static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static int is_stopped(void *context)
{
    (void)context;
    return stopped;
}

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int bench_runs(model *m, const options *o)
{
    const int warmup = o->bench < MOST_WARMUP ? o->bench : MOST_WARMUP;
    const int threads = o->threads ? o->threads : cconv_num_threads();
    int done = 0;
    cconv_status status = CCONV_OK;
    double *times = room((size_t)o->bench, sizeof *times);
    if (!times) return FAILED;
    sigaction(SIGINT, &(struct sigaction){.sa_handler = stop, .sa_flags = (int)SA_RESETHAND}, NULL);
    for (int i = -warmup; i < o->bench && status == CCONV_OK && !stopped; ++i) {
        const double start = milliseconds();
        status = model_run(m, is_stopped);
        if (i >= 0 && status == CCONV_OK) times[done++] = milliseconds() - start;
    }
    if (done > 0) {
        qsort(times, (size_t)done, sizeof *times, compare);
        const double median = (times[(done - 1) / 2] + times[done / 2]) / 2;
        printf("latency of %d runs of %lld sample%s (%s, %d thread%s at most): median %.3f ms, min %.3f ms, p90 %.3f ms\n",
               done, (long long)m->samples, m->samples == 1 ? "" : "s", cconv_isa(), threads, threads == 1 ? "" : "s", median,
               times[0], times[(9 * done + 9) / 10 - 1]);
    }
    free(times);
    if (stopped) say("interrupted after %d of %d runs", done, o->bench);
    return stopped ? STOPPED : status == CCONV_OK ? DONE : FAILED;
}
