/* Whether there are threads for a team, and how many threads are at work. */
#if !defined(_WIN32) && !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif
#include "base/team.h"
#include "base/log.h"
#include <stdlib.h>
#include <string.h>

#if !defined(_WIN32)
#include <pthread.h>
#endif

static atomic_int busy; /* threads in regions */

void cc_team_enter(int threads)
{
    atomic_fetch_add_explicit(&busy, threads, memory_order_relaxed);
}

void cc_team_leave(int threads)
{
    atomic_fetch_sub_explicit(&busy, threads, memory_order_relaxed);
}

bool cc_team_is_oversubscribed(void)
{
    return atomic_load_explicit(&busy, memory_order_relaxed) > cc_processors();
}

static bool may_oversubscribe(void)
{
    static atomic_int answer; /* 0: not asked yet */
    int known = atomic_load_explicit(&answer, memory_order_relaxed);
    if (!known) {
        const char *wish = getenv("CCONV_OVERSUBSCRIBE");
        atomic_store(&answer, known = wish && !strcmp(wish, "1") ? 1 : -1);
    }
    return known > 0;
}

bool cc_team_takes_over(void)
{
    return may_oversubscribe() || cc_barrier_is_crowded();
}

int cc_team_room(int threads)
{
    if (threads <= 1 || may_oversubscribe()) return threads;
    const int room = cc_processors() - atomic_load_explicit(&busy, memory_order_relaxed);
    return room < 1 ? 1 : room < threads ? room : threads;
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
    if (threads > led && !can_start(2 * (threads - led))) {
        CC_LOG_ONCE(CCONV_LOG_WARNING, "the system refuses to start %d threads: runs use one", threads);
        return 1;
    }
    led = threads;
    return threads;
}
#endif
