/* Waiting for the other threads of a team: team.h has the barrier. */
#if !defined(_WIN32) && !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L /* nanosleep */
#endif
#include "base/team.h"
#include <stdbool.h>

#if defined(_WIN32)
#include <windows.h>
#else
#include <time.h>
#endif
#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#endif

/* Some milliseconds of looking on, as OpenMP does; then the wait is so long that naps cost nothing beside it. Where threads
 * share processors (another region began meanwhile) the one waited for may need this one's. Yielding instead was tried: Linux
 * makes those who yield often wait for milliseconds later on. */
enum { LOOKS = 200000, LOOKS_IN_A_CROWD = 2000, NAP = 50000 }; /* the last in nanoseconds */

static atomic_int busy; /* threads in regions */

static bool crowded(int threads)
{
    return threads > cc_processors();
}

cc_barrier *cc_team_enter(int threads, cc_barrier *barrier)
{
    return crowded(atomic_fetch_add_explicit(&busy, threads, memory_order_relaxed) + threads) ? NULL : barrier;
}

void cc_team_leave(int threads)
{
    atomic_fetch_sub_explicit(&busy, threads, memory_order_relaxed);
}

static void relax(void)
{
#if defined(__SSE2__) || defined(_M_X64)
    _mm_pause();
#elif defined(__aarch64__) && defined(__GNUC__)
    __asm__ __volatile__("isb");
#endif
}

static void nap(void)
{
#if defined(_WIN32)
    Sleep(1);
#else
    nanosleep(&(struct timespec){.tv_nsec = NAP}, NULL);
#endif
}

void cc_barrier_await(cc_barrier *barrier, unsigned round)
{
    const int looks = crowded(atomic_load_explicit(&busy, memory_order_relaxed)) ? LOOKS_IN_A_CROWD : LOOKS;
    for (int i = 0; atomic_load_explicit(&barrier->rounds, memory_order_acquire) == round; i += i < looks)
        if (i < looks)
            relax();
        else
            nap();
}
