/* The barrier and the shares of a step's work, with threads of our own: a ThreadSanitizer, which does not know how an OpenMP
 * runtime synchronizes, sees all there is (`make sanitize-threads`). */
#define _POSIX_C_SOURCE 200809L
#include "base/shares.h"
#include "cconv.h"
#include "harness.h"
#if !defined(_WIN32)
#include <pthread.h>
#include <time.h>

enum { THREADS = 4, ROUNDS = 3000, LOOPS = 400, ITEMS = 97 };

typedef struct region {
    cc_barrier barrier;
    cc_board board;
    int threads;
    int plain[THREADS]; /* written by one thread before a barrier, read by the others behind it */
    int wrong;
    unsigned char done[ITEMS];
} region;

typedef struct member {
    region *region;
    int ith;
    int64_t loops;
} member;

static void run_region(region *r, void *(*body)(void *))
{
    pthread_t threads[THREADS];
    member members[THREADS];
    for (int i = 0; i < r->threads; ++i) {
        members[i] = (member){.region = r, .ith = i};
        CHECK(pthread_create(&threads[i], NULL, body, &members[i]) == 0);
    }
    for (int i = 0; i < r->threads; ++i) pthread_join(threads[i], NULL);
}

static void be_late(int microseconds)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000L * microseconds}, NULL);
}

/* Every so often one thread is so late that the others go to sleep. */
static void *meet_often(void *context)
{
    member *me = context;
    region *r = me->region;
    int wrong = 0;
    for (int round = 1; round <= ROUNDS; ++round) {
        if (round % 97 == 24 * me->ith) be_late(700);
        r->plain[me->ith] = round;
        cc_barrier_meet(&r->barrier, r->threads);
        for (int i = 0; i < r->threads; ++i) wrong += r->plain[i] != round;
        cc_barrier_meet(&r->barrier, r->threads);
    }
    if (wrong) r->wrong = wrong;
    return NULL;
}

static void test_barrier_lets_nobody_through_early(void)
{
    for (int threads = 2; threads <= THREADS; ++threads) {
        region r = {.threads = threads};
        run_region(&r, meet_often);
        CHECK(r.wrong == 0);
    }
}

/* Loops of several lengths, with parts or fixed shares, some of them without a barrier between; one thread at a time is slow. */
static void *share_often(void *context)
{
    member *me = context;
    region *r = me->region;
    const cc_team team = {.ith = me->ith, .nth = r->threads, .barrier = &r->barrier, .board = &r->board, .loops = &me->loops};
    for (int loop = 0; loop < LOOPS; ++loop) {
        const int64_t n = loop % ITEMS + 1, grain = 1 + loop % 3;
        const double work = loop % 5 == 0 ? 0 : (double)(loop % 9) * CC_PART_WORK * r->threads;
        cc_range mine;
        for (cc_shares shares = cc_shares_of(&team, n, grain, work); cc_shares_take(&shares, &mine);) {
            if (loop % 7 == me->ith) be_late(20);
            for (int64_t i = mine.begin; i < mine.end; ++i) ++r->done[i];
        }
        cc_barrier_wait(&team);
        if (me->ith == 0) {
            for (int64_t i = 0; i < ITEMS; ++i) r->wrong += r->done[i] != (i < n);
            memset(r->done, 0, sizeof r->done);
        }
        cc_barrier_wait(&team);
        for (int k = 0; k < 2; ++k) /* one behind the other: they write to different places */
            for (cc_shares shares = cc_shares_of(&team, ITEMS / 2, 1, 1e9); cc_shares_take(&shares, &mine);)
                for (int64_t i = mine.begin; i < mine.end; ++i) ++r->done[k * (ITEMS / 2) + i];
        cc_barrier_wait(&team);
        if (me->ith == 0) {
            for (int64_t i = 0; i < ITEMS; ++i) r->wrong += r->done[i] != (i < ITEMS / 2 * 2);
            memset(r->done, 0, sizeof r->done);
        }
        cc_barrier_wait(&team);
    }
    return NULL;
}

static void test_barrier_shares_are_done_once(void)
{
    for (int threads = 1; threads <= THREADS; ++threads) {
        region r = {.threads = threads};
        run_region(&r, share_often);
        CHECK(r.wrong == 0);
    }
}
#endif

const test barrier_tests[] = {
#if !defined(_WIN32)
    {"barrier_lets_nobody_through_early", test_barrier_lets_nobody_through_early},
    {"barrier_shares_are_done_once", test_barrier_shares_are_done_once},
#endif
    {0}};
