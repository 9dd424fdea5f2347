/* Whether there are threads for a team, and how they wait for each other: team.h has the barrier. */
#if !defined(_WIN32) && !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L /* nanosleep */
#endif
#include "base/team.h"
#include <stdbool.h>

#if defined(_WIN32)
#include <windows.h>
#else
#include <pthread.h>
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

/* ---- Threads that can be had -------------------------------------------------------------------------------------- */

/* glibc 2.34 gave these new versions because they moved into another library of its. The old ones are there on any glibc, so that
 * a wheel that was built on a new system runs on an old one. */
#if defined(CCONV_EXTENSION) && defined(__GLIBC__) && defined(__x86_64__)
__asm__(".symver pthread_create, pthread_create@GLIBC_2.2.5\n.symver pthread_join, pthread_join@GLIBC_2.2.5");
#elif defined(CCONV_EXTENSION) && defined(__GLIBC__) && defined(__aarch64__)
__asm__(".symver pthread_create, pthread_create@GLIBC_2.17\n.symver pthread_join, pthread_join@GLIBC_2.17");
#endif

#if defined(_WIN32)
int cc_team_grant(int threads)
{
    return threads;
}
#else
static void *wait_for_all(void *all)
{
    pthread_mutex_lock(all);
    pthread_mutex_unlock(all);
    return NULL;
}

/* Whether so many threads can run beside those there are: they are started, wait for each other, and end. */
static bool can_start(int n)
{
    pthread_t threads[2 * CC_MAX_THREADS];
    pthread_mutex_t all = PTHREAD_MUTEX_INITIALIZER;
    int started = 0;
    pthread_mutex_lock(&all);
    while (started < n && pthread_create(&threads[started], NULL, wait_for_all, &all) == 0) ++started;
    pthread_mutex_unlock(&all);
    for (int i = 0; i < started; ++i) pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&all);
    return started == n;
}

/* The runtime keeps the threads of a leader's last team, and starts what is more. Twice as many are tried: the system may count
 * those that have just ended a little longer. */
int cc_team_grant(int threads)
{
    static _Thread_local int led = 1;
    if (threads <= 1 || threads == led) return threads;
    if (threads > led && !can_start(2 * (threads - led))) return 1;
    led = threads;
    return threads;
}
#endif

/* ---- Waiting ------------------------------------------------------------------------------------------------------ */

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
    int looks = crowded(atomic_load_explicit(&busy, memory_order_relaxed)) ? LOOKS_IN_A_CROWD : LOOKS;
    for (int i = 0; atomic_load_explicit(&barrier->rounds, memory_order_acquire) == round; i += i < looks) {
        /* A long wait: processors may have been taken away since anybody asked. */
        if (i == LOOKS_IN_A_CROWD && i < looks && atomic_load_explicit(&busy, memory_order_relaxed) > cc_processors_here())
            looks = LOOKS_IN_A_CROWD;
        if (i < looks)
            relax();
        else
            nap();
    }
}
