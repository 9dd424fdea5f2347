/* Keeps threads that are about to wake away from the processor of who wakes them; only where that is needed. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* sched_setaffinity */
#endif
#include "base/placement.h"
#include "base/team.h"

#if defined(__linux__) && (defined(__x86_64__) || defined(__i386__)) && defined(CC_OPENMP)
#include "base/clock.h"
#include <cpuid.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PLACED = 64 }; /* threads of a team at most; larger ones are left to the system */

static const double PAUSE = 5e-3; /* seconds after which threads may sleep: OpenMP's look on for longer */

struct cc_placement {
    int threads;      /* of the last region, */
    int tids[PLACED]; /* and who they were */
    double ended;     /* cc_seconds */
    cpu_set_t allowed;
    atomic_ullong moved; /* bit i: thread i is to allow itself all that is `allowed` */
};

/* The processor says so by a bit that is zero on real ones. */
static bool placement_is_needed(void)
{
    static atomic_int answer; /* 0: not asked yet */
    int known = atomic_load_explicit(&answer, memory_order_relaxed);
    if (!known) {
        unsigned a, b, c = 0, d;
        known = __get_cpuid(1, &a, &b, &c, &d) && c >> 31 && !cc_team_is_bound() ? 1 : -1;
        atomic_store_explicit(&answer, known, memory_order_relaxed);
    }
    return known > 0;
}

/* A thread of this process only: it may have ended, and its number may be another's by now. */
static bool placement_set(int tid, const cpu_set_t *set)
{
    return syscall(SYS_tgkill, getpid(), tid, 0) == 0 && sched_setaffinity(tid, sizeof *set, set) == 0;
}

static void placement_move(cc_placement *p, int threads)
{
    const int here = sched_getcpu(), n = threads < p->threads ? threads : p->threads;
    cpu_set_t others;
    unsigned long long moved = 0;
    if (here < 0 || here >= CPU_SETSIZE || sched_getaffinity(0, sizeof p->allowed, &p->allowed) != 0) return;
    others = p->allowed;
    CPU_CLR(here, &others);
    if (CPU_COUNT(&others) + 1 < threads) return;
    for (int i = 1; i < n; ++i)
        if (placement_set(p->tids[i], &others)) moved |= 1ULL << i;
    atomic_store_explicit(&p->moved, moved, memory_order_relaxed); /* the region's begin tells the threads */
}

cc_placement *cc_placement_begin(int threads)
{
    static _Thread_local cc_placement mine;
    if (threads <= 1 || threads > PLACED || !placement_is_needed()) return NULL;
    if (mine.threads && cc_seconds() - mine.ended > PAUSE) placement_move(&mine, threads);
    mine.threads = threads;
    return &mine;
}

void cc_placement_arrive(cc_placement *p, int ith)
{
    static _Thread_local int tid;
    if (!p || ith == 0) return;
    if (!tid) tid = (int)syscall(SYS_gettid);
    if (p->tids[ith] != tid) p->tids[ith] = tid;
    const unsigned long long bit = 1ULL << ith;
    if (atomic_load_explicit(&p->moved, memory_order_relaxed) & bit) {
        atomic_fetch_and_explicit(&p->moved, ~bit, memory_order_relaxed);
        sched_setaffinity(0, sizeof p->allowed, &p->allowed);
    }
}

void cc_placement_end(cc_placement *p)
{
    if (!p) return;
    const unsigned long long moved = atomic_exchange_explicit(&p->moved, 0, memory_order_relaxed);
    for (int i = 1; i < PLACED && moved >> i; ++i) /* who was moved and did not come */
        if (moved >> i & 1) placement_set(p->tids[i], &p->allowed);
    p->ended = cc_seconds();
}
#else
cc_placement *cc_placement_begin(int threads)
{
    (void)threads;
    return NULL;
}

void cc_placement_arrive(cc_placement *p, int ith)
{
    (void)p;
    (void)ith;
}

void cc_placement_end(cc_placement *p)
{
    (void)p;
}
#endif
