/* The threads that run a plan together. The only header that knows OpenMP.
 *
 * Every thread of the team enters every op with its own `ith`. Work is divided by output, so that no element is written by two
 * threads, and sums are added in an order that does not depend on `nth`: results are the same for any number of threads. */
#ifndef CC_TEAM_H
#define CC_TEAM_H

#include "base/barrier.h"
#include "base/placement.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#if defined(_OPENMP) && !defined(CCONV_NO_OPENMP)
#define CC_OPENMP _OPENMP /* its version */
#include <omp.h>
#endif

enum { CC_MAX_THREADS = 1024 }; /* of a team */

/* How much of a loop's work was taken: shares.h. */
enum { CC_SHARERS = 64, CC_SHARE_WORD = 256 };
typedef struct cc_board {
    _Alignas(64) _Atomic int64_t taken[CC_SHARERS]; /* of each thread's share: loop * CC_SHARE_WORD + parts */
} cc_board;

typedef struct cc_team {
    int ith, nth; /* this thread's number, 0 .. nth-1 */
    cc_barrier *barrier;
    cc_board *board; /* NULL: shares stay fixed */
    int64_t *loops;  /* of shares that this thread has come to */
} cc_team;

/* Processors this process may use: of affinity and quota the smaller, as cc_team_size last found them. */
int cc_processors(void);

/* A team of so many if the system lets it have the threads, else of one: an OpenMP runtime that is refused a thread would end the
 * process. */
int cc_team_grant(int threads);

/* Tells whoever listens (base/log.h) why plans get fewer threads than was asked for. */
void cc_tell_threads(void);

/* Around a parallel region of so many threads. */
void cc_team_enter(int threads);
void cc_team_leave(int threads);

/* Whether there are more threads in regions now than processors. */
bool cc_team_is_oversubscribed(void);

/* Whether threads may take over work from each other: where other processes use the processors too, and in tests
 * (CCONV_OVERSUBSCRIBE). On a quiet machine whole shares are some per cent faster. */
bool cc_team_takes_over(void);

/* How many of so many threads a region takes now: no more than there are processors that no other region of the process uses,
 * since more would only take turns. CCONV_OVERSUBSCRIBE=1 in the environment: all of them, for tests. */
int cc_team_room(int threads);

/* The number of the thread that calls, and of the threads, inside a parallel region. */
static inline cc_team cc_team_here(void)
{
#ifdef CC_OPENMP
    return (cc_team){.ith = omp_get_thread_num(), .nth = omp_get_num_threads()};
#else
    return (cc_team){.nth = 1};
#endif
}

/* Whether the threads of teams have places that somebody has chosen for them (OMP_PROC_BIND). */
static inline bool cc_team_is_bound(void)
{
#if defined(CC_OPENMP) && CC_OPENMP >= 201307
    return omp_get_proc_bind() != omp_proc_bind_false;
#else
    return false;
#endif
}

/* Waits until every thread of the team is here. All of them must call it. */
static inline void cc_barrier_wait(const cc_team *team)
{
    if (team->nth > 1) cc_barrier_meet(team->barrier, team->nth);
}

/* Calls body on each thread of a team of at most `threads`. The threads meet at their own barrier at the end: OpenMP's, which
 * follows, spins for milliseconds. */
static inline void cc_team_run(int threads, void (*body)(const cc_team *team, void *context), void *context)
{
    threads = cc_team_grant(cc_team_room(threads));
    cc_barrier barrier = {0};
    cc_board place = {0}, *board = threads > 1 && cc_team_takes_over() ? &place : NULL;
    cc_team_enter(threads);
    cc_placement *placement = cc_placement_begin(threads);
#ifdef CC_OPENMP
#pragma omp parallel num_threads(threads) if (threads > 1)
#endif
    {
        int64_t loops = 0;
        cc_team team = cc_team_here();
        cc_placement_arrive(placement, team.ith);
        team.barrier = &barrier;
        team.board = board;
        team.loops = &loops;
        body(&team, context);
        cc_barrier_wait(&team);
    }
    cc_placement_end(placement);
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
