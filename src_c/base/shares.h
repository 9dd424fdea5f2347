/* Shares of a step's work, for threads that do not run equally fast.
 *
 * Each thread has its fixed share, the same in every step, so that it finds in its cache what it wrote there. On a machine that
 * does other things too (cc_team_takes_over) the share of a large step is taken in parts from a counter, and a thread that is
 * through with its own takes parts of the others': a processor that other programs use ends up with fewer. Parts, like shares,
 * are divided by output (team.h): who computes one does not matter to the numbers. A part that a thread has begun nobody takes
 * from it, so that parts are short.
 *
 * The counters are never reset. A word holds the number of the loop, as each thread counts the loops that it has come to, and
 * the parts taken of it. Who comes to a loop with a higher number than the word's has seen, on leaving the loop before, that all
 * parts of that were taken, and begins the count anew; who finds a higher one is late: his loop's parts are gone. */
#ifndef CC_SHARES_H
#define CC_SHARES_H

#include "base/team.h"

typedef struct cc_shares {
    const cc_team *team;
    int64_t n, grain;
    int64_t parts; /* of each share; 1: it is not divided, and nobody takes of another's */
    int64_t loop, owner;
    bool done;
} cc_shares;

/* A part takes at least so much work, some 50 microseconds. */
enum { CC_PART_WORK = 2000000, CC_SHARE_PARTS = 8 };

/* For 0 .. n-1, in multiples of `grain` (see cc_slice), of so much work in all: multiplications and additions in a product, some
 * five for each number of what only comes from memory. Every thread of the team must come here, and take until nothing is left;
 * what one thread did here another may go on with only after a barrier. */
static inline cc_shares cc_shares_of(const cc_team *team, int64_t n, int64_t grain, double work)
{
    cc_shares s = {.team = team, .n = n, .grain = grain < 1 ? 1 : grain, .parts = 1, .owner = team->ith};
    const double parts = team->board && team->nth > 1 && team->nth <= CC_SHARERS ? work / team->nth / CC_PART_WORK : 1;
    if (parts >= 2) {
        s.parts = parts < CC_SHARE_PARTS ? (int64_t)parts : CC_SHARE_PARTS;
        s.loop = ++*team->loops;
    }
    return s;
}

/* The number of the next part of the share of s->owner, or s->parts. */
static inline int64_t cc_shares_count(const cc_shares *s)
{
    _Atomic int64_t *word = &s->team->board->taken[s->owner];
    int64_t seen = atomic_load_explicit(word, memory_order_relaxed), next;
    do {
        if (seen / CC_SHARE_WORD > s->loop) return s->parts;
        next = seen / CC_SHARE_WORD == s->loop ? seen : s->loop * CC_SHARE_WORD;
        if (next % CC_SHARE_WORD >= s->parts) return s->parts;
    } while (!atomic_compare_exchange_weak_explicit(word, &seen, next + 1, memory_order_relaxed, memory_order_relaxed));
    return next % CC_SHARE_WORD;
}

/* Whether there is something left to do, and what. */
static inline bool cc_shares_take(cc_shares *s, cc_range *mine)
{
    const int64_t nth = s->team->nth, grains = (s->n + s->grain - 1) / s->grain;
    while (!s->done) {
        const int64_t part = s->parts == 1 ? 0 : cc_shares_count(s), begin = grains * s->owner / nth,
                      count = grains * (s->owner + 1) / nth - begin,
                      end = begin + count * (part + 1) / s->parts * (part < s->parts);
        if (s->parts == 1) {
            s->done = true;
        } else if (part == s->parts) {
            s->owner = (s->owner + 1) % nth;
            s->done = s->owner == s->team->ith;
            continue;
        }
        *mine = (cc_range){(begin + count * part / s->parts) * s->grain, end * s->grain};
        if (mine->end > s->n) mine->end = s->n;
        if (mine->begin < mine->end) return true;
    }
    return false;
}

#endif
