/* How threads wait at a barrier: looking on for a while, then asleep. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* syscall */
#endif
#include "base/barrier.h"
#include "base/clock.h"
#include "base/team.h"

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#if defined(_WIN32)
#include <windows.h>
#if defined(_MSC_VER)
#pragma comment(lib, "synchronization")
#endif
#elif !defined(SYS_futex)
#include <pthread.h>
#endif
#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#endif

/* ---- Sleeping: while *word is `value`, or for no reason at all ------------------------------------------------------ */

#if defined(SYS_futex)
enum { WAIT_PRIVATE = 128, WAKE_PRIVATE = 129 }; /* the kernel's numbers, whose header not every libc brings along */

static void barrier_sleep(atomic_uint *word, unsigned value)
{
    syscall(SYS_futex, word, WAIT_PRIVATE, value, NULL, NULL, 0);
}

void cc_barrier_wake(cc_barrier *barrier)
{
    syscall(SYS_futex, &barrier->rounds, WAKE_PRIVATE, CC_MAX_THREADS, NULL, NULL, 0);
}
#elif defined(_WIN32)
static void barrier_sleep(atomic_uint *word, unsigned value)
{
    WaitOnAddress((volatile VOID *)word, &value, sizeof value, INFINITE);
}

void cc_barrier_wake(cc_barrier *barrier)
{
    WakeByAddressAll((PVOID)&barrier->rounds);
}
#else
/* One place for all that sleep: they look again when any of them is woken, which is rare. */
static pthread_mutex_t bed = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t bell = PTHREAD_COND_INITIALIZER;

static void barrier_sleep(atomic_uint *word, unsigned value)
{
    pthread_mutex_lock(&bed);
    while (atomic_load(word) == value) pthread_cond_wait(&bell, &bed);
    pthread_mutex_unlock(&bed);
}

void cc_barrier_wake(cc_barrier *barrier)
{
    (void)barrier;
    pthread_mutex_lock(&bed); /* whoever has looked at its word sleeps by now */
    pthread_cond_broadcast(&bell);
    pthread_mutex_unlock(&bed);
}
#endif

/* ---- Waiting ------------------------------------------------------------------------------------------------------ */

/* Seconds. On a quiet machine who waits only looks on: waking takes tens of microseconds, and shares of large steps differ by more
 * than that. A wait of a scheduler's slice says that the thread waited for was not running: for a while, then, waits sleep after
 * some times what waking takes, so that the processor goes to who needs it. One such wait may be chance, or the host's of a virtual
 * machine, where waking takes long; who had another while it was crowded can expect more. docs/performance.md has the figures. */
static const double SPIN = 3e-3, SPIN_IN_A_CROWD = 300e-6, CROWDED_FOR = 0.1, CROWDED_AGAIN_FOR = 1;

enum { LOOKS = 64 }; /* at the word, before one at the clock */

static _Atomic double crowded_until; /* by other processes; cc_seconds */

bool cc_barrier_is_crowded(void)
{
    return cc_seconds() < atomic_load_explicit(&crowded_until, memory_order_relaxed);
}

static void relax(void)
{
#if defined(__SSE2__) || defined(_M_X64)
    _mm_pause();
#elif defined(__aarch64__) && defined(__GNUC__)
    __asm__ __volatile__("isb");
#endif
}

static bool is_over(cc_barrier *barrier, unsigned round)
{
    return (atomic_load_explicit(&barrier->rounds, memory_order_acquire) & ~(unsigned)CC_BARRIER_SLEEPS) != round;
}

static bool looks_on(cc_barrier *barrier, unsigned round)
{
    for (int i = 0; i < LOOKS; ++i, relax())
        if (is_over(barrier, round)) return true;
    return false;
}

void cc_barrier_await(cc_barrier *barrier, unsigned round)
{
    if (looks_on(barrier, round)) return;
    const double began = cc_seconds();
    const bool crowded = cc_barrier_is_crowded();
    const double until = began + (crowded || cc_team_is_oversubscribed() ? SPIN_IN_A_CROWD : SPIN);
    while (cc_seconds() < until)
        if (looks_on(barrier, round)) return;
    unsigned word = round;
    atomic_compare_exchange_strong(&barrier->rounds, &word, round | CC_BARRIER_SLEEPS);
    while (!is_over(barrier, round)) barrier_sleep(&barrier->rounds, round | CC_BARRIER_SLEEPS);
    const double ended = cc_seconds();
    if (ended - began <= SPIN) return;
    const double crowded_for = crowded ? CROWDED_AGAIN_FOR : CROWDED_FOR;
    atomic_store_explicit(&crowded_until, ended + crowded_for, memory_order_relaxed);
}
