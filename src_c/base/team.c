/* Waiting for the other threads of a team: team.h has the barrier. */
#if !defined(_WIN32) && !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L /* nanosleep */
#endif
#include "team.h"

#if defined(_WIN32)
#include <windows.h>
#else
#include <sched.h>
#include <time.h>
#endif
#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#endif

/* Some 50 microseconds of looking on; then, for milliseconds, the processor is offered to others, one of whom may be the thread waited
 * for; then the wait is long enough for naps to cost nothing beside it. */
enum { LOOKS = 2000, OFFERS = 10000, NAP = 50000 }; /* the last in nanoseconds */

static void relax(void)
{
#if defined(__SSE2__) || defined(_M_X64)
    _mm_pause();
#elif defined(__aarch64__) && defined(__GNUC__)
    __asm__ __volatile__("isb");
#endif
}

static void offer(void)
{
#if defined(_WIN32)
    SwitchToThread();
#else
    sched_yield();
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

void cc_meeting_wait(cc_meeting *meeting, unsigned round)
{
    for (int i = 0; atomic_load_explicit(&meeting->rounds, memory_order_acquire) == round; i += i < LOOKS + OFFERS) {
        if (i < LOOKS)
            relax();
        else if (i < LOOKS + OFFERS)
            offer();
        else
            nap();
    }
}
