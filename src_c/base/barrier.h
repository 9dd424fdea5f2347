/* Where the threads of a team wait for each other.
 *
 * A quiet machine: two messages from core to core, 40 ns between neighbours, where an OpenMP barrier takes 240; small networks
 * have one every few microseconds. A machine that does other things too: the thread that is waited for may not be running, and
 * what spins for it takes the processor that it needs. So a wait spins for a while, then sleeps, and the last thread to come
 * wakes those that sleep.
 *
 * `rounds` counts in twos how often all have come; its lowest bit says that somebody sleeps for the round. One word knows both,
 * so that no wake-up can be lost: a thread sleeps only while the word is what it left there, bit included, and whoever ends the
 * round takes the word, bit included, and puts the next one. tests/test_barrier_model.py walks all interleavings. */
#ifndef CC_BARRIER_H
#define CC_BARRIER_H

#include <stdatomic.h>
#include <stdbool.h>

/* A place of its own for each parallel region, zeroed. */
typedef struct cc_barrier {
    _Alignas(64) atomic_int here;    /* how many have come */
    _Alignas(64) atomic_uint rounds; /* what those who wait look at */
} cc_barrier;

enum { CC_BARRIER_SLEEPS = 1, CC_BARRIER_ROUND = 2 }; /* in `rounds` */

/* Waits until `rounds` is of another round than `round`, which is even. */
void cc_barrier_await(cc_barrier *barrier, unsigned round);

/* Wakes those that sleep for the round that has just ended. */
void cc_barrier_wake(cc_barrier *barrier);

/* Whether threads of this process were waited for so long, lately, that other processes must have had their processors. */
bool cc_barrier_is_crowded(void);

/* Waits until `threads` threads, which all call it, have come. */
static inline void cc_barrier_meet(cc_barrier *barrier, int threads)
{
    /* The round stays until this thread has come, too. */
    const unsigned round = atomic_load_explicit(&barrier->rounds, memory_order_relaxed) & ~(unsigned)CC_BARRIER_SLEEPS;
    if (atomic_fetch_add_explicit(&barrier->here, 1, memory_order_acq_rel) + 1 < threads) {
        cc_barrier_await(barrier, round);
    } else {
        atomic_store_explicit(&barrier->here, 0, memory_order_relaxed);
        if (atomic_exchange_explicit(&barrier->rounds, round + CC_BARRIER_ROUND, memory_order_acq_rel) & CC_BARRIER_SLEEPS)
            cc_barrier_wake(barrier);
    }
}

#endif
