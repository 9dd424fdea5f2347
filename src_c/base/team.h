/* The threads that run a plan together. The only header that knows OpenMP.
 *
 * Every thread of the team enters every op with its own `ith`. Work is divided by output, so that no element is written by two
 * threads, and sums are added in an order that does not depend on `nth`: results are the same for any number of threads. */
#ifndef CC_TEAM_H
#define CC_TEAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#ifdef _OPENMP
#include <omp.h>
#endif

/* Where the threads of a team wait for each other: a place of its own for each parallel region, zeroed. */
typedef struct cc_barrier {
    _Alignas(64) atomic_int here;    /* how many have come */
    _Alignas(64) atomic_uint rounds; /* how often all have: what those who wait look at */
} cc_barrier;

enum { CC_MAX_THREADS = 1024 }; /* of a team */

typedef struct cc_team {
    int ith, nth;        /* this thread's number, 0 .. nth-1 */
    cc_barrier *barrier; /* NULL: of a thread on its own, or where threads share processors */
} cc_team;

/* Processors this process may use: of affinity and quota the smaller, as cc_team_size last found them. */
int cc_processors(void);

/* Those that the thread which calls may use now; a call to the system. */
int cc_processors_here(void);

/* A team of so many if the system lets it have the threads, else of one: an OpenMP runtime that is refused a thread would end the
 * process. */
int cc_team_grant(int threads);

/* Around a parallel region. Returns `barrier`, or NULL if there are more threads in regions now than processors. */
cc_barrier *cc_team_enter(int threads, cc_barrier *barrier);
void cc_team_leave(int threads);

/* The team as one of its threads sees it; called inside the parallel region. */
static inline cc_team cc_team_here(cc_barrier *barrier)
{
#ifdef _OPENMP
    return (cc_team){omp_get_thread_num(), omp_get_num_threads(), barrier};
#else
    (void)barrier;
    return (cc_team){.nth = 1};
#endif
}

/* Waits until barrier->rounds is no longer `round`. */
void cc_barrier_await(cc_barrier *barrier, unsigned round);

/* Waits until every thread of the team is here. All of them must call it. Takes two messages from core to core, 40 ns between
 * neighbours, where an OpenMP barrier takes 240: small networks have one every few microseconds. But OpenMP's knows how to
 * sleep, which is what counts where threads share a processor. */
static inline void cc_barrier_wait(const cc_team *team)
{
    if (team->nth <= 1) return;
    cc_barrier *barrier = team->barrier;
    if (!barrier) {
#ifdef _OPENMP
#pragma omp barrier
#endif
        return;
    }
    const unsigned round =
        atomic_load_explicit(&barrier->rounds, memory_order_relaxed); /* stays until this thread has come, too */
    if (atomic_fetch_add_explicit(&barrier->here, 1, memory_order_acq_rel) + 1 < team->nth) {
        cc_barrier_await(barrier, round);
    } else {
        atomic_store_explicit(&barrier->here, 0, memory_order_relaxed);
        atomic_store_explicit(&barrier->rounds, round + 1, memory_order_release);
    }
}

/* Calls body on each thread of a team of at most `threads`. */
static inline void cc_team_run(int threads, void (*body)(const cc_team *team, void *context), void *context)
{
    threads = cc_team_grant(threads);
    cc_barrier place = {0}, *barrier = cc_team_enter(threads, &place);
#ifdef _OPENMP
#pragma omp parallel num_threads(threads) if (threads > 1)
#endif
    {
        const cc_team team = cc_team_here(barrier);
        body(&team, context);
    }
    cc_team_leave(threads);
}

typedef struct cc_range {
    int64_t begin, end; /* end is not included; empty if begin >= end */
} cc_range;

/* This thread's part of 0 .. n-1, in multiples of `grain` (at least 1). With little work some threads get nothing: choose the
 * grain so that one grain is worth more than a barrier, some 2,000 operations. */
static inline cc_range cc_slice(const cc_team *team, int64_t n, int64_t grain)
{
    if (grain < 1) grain = 1;
    int64_t grains = (n + grain - 1) / grain;
    int64_t begin = grains * team->ith / team->nth * grain, end = grains * (team->ith + 1) / team->nth * grain;
    return (cc_range){begin < n ? begin : n, end < n ? end : n};
}

/* The number of threads to use now: see cconv_num_threads. */
int cc_team_size(void);

/* Whole processors granted by the cgroups listed in the file `cgroups` (as /proc/self/cgroup), whose tree is at `mount`: at least
 * 1, INT_MAX without a limit. */
int cc_cgroup_limit(const char *cgroups, const char *mount);

/* Flush subnormals to zero in this thread; returns the previous mode, for cc_subnormals_restore. */
unsigned cc_subnormals_flush(void);
void cc_subnormals_restore(unsigned mode);

#endif
