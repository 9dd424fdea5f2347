/* Memory of plans: where blocks are put, and how planning grows. */
#include "harness.h"
#include "cconv.h"
#include "plan/arena.h"
#include "base/map.h"
#include <stdlib.h>

static unsigned state = 1;

static int below(int n)
{
    state = state * 1664525u + 1013904223u;
    return (int)((state >> 8) % (unsigned)n);
}

/* What cc_arena_place promises, said plainly: the largest block first (of equals the first), each at its lowest free offset. */
static void place_plainly(const cc_arena_block *blocks, int n, size_t *offsets, bool *placed)
{
    for (int i = 0; i < n; ++i) placed[i] = false;
    for (int turn = 0; turn < n; ++turn) {
        int next = -1;
        for (int i = 0; i < n; ++i)
            if (!placed[i] && (next < 0 || blocks[i].bytes > blocks[next].bytes)) next = i;
        offsets[next] = 0;
        for (int again = 1; again;) {
            again = 0;
            for (int i = 0; i < n; ++i) {
                const bool meet = blocks[i].first <= blocks[next].last && blocks[next].first <= blocks[i].last;
                if (!placed[i] || !meet || offsets[next] >= offsets[i] + blocks[i].bytes ||
                    offsets[i] >= offsets[next] + blocks[next].bytes)
                    continue;
                offsets[next] = offsets[i] + blocks[i].bytes;
                again = 1;
            }
        }
        placed[next] = true;
    }
}

static void test_blocks_are_put_at_their_lowest_free_offsets(void)
{
    enum { MOST = 300 };
    cc_arena_block blocks[MOST];
    size_t offsets[MOST];
    bool placed[MOST];
    for (int round = 0; round < 60; ++round) {
        const int n = 1 + below(MOST), steps = 1 + below(round % 3 ? 200 : 5), sizes = 1 + below(40);
        size_t size = 0, end = 0;
        for (int i = 0; i < n; ++i) {
            const int first = below(steps), last = first + below(round % 2 ? steps - first : 1 + (steps - first) / 8);
            blocks[i] = (cc_arena_block){.bytes = (size_t)below(sizes) << 16, .first = first, .last = last};
        }
        blocks[0].bytes = (size_t)3 << 20; /* more than what is put apart anyway */
        CHECK(cc_arena_place(blocks, n, &size) == CCONV_OK);
        place_plainly(blocks, n, offsets, placed);
        for (int i = 0; i < n; ++i) {
            CHECK(blocks[i].offset == offsets[i]);
            if (end < offsets[i] + blocks[i].bytes) end = offsets[i] + blocks[i].bytes;
        }
        CHECK(size == end);
    }
}

static void test_small_blocks_share_nothing(void)
{
    cc_arena_block blocks[] = {{64, 0, 0, 0}, {0, 1, 1, 0}, {1 << 20, 2, 2, 0}, {64, 3, 3, 0}};
    size_t size = 0;
    CHECK(cc_arena_place(blocks, 4, &size) == CCONV_OK && size == (1 << 20) + 128);
    CHECK(blocks[2].offset == 0 && blocks[0].offset == 1 << 20 && blocks[1].offset == 0 && blocks[3].offset == (1 << 20) + 64);
}

static void test_blocks_that_cannot_be_are_refused(void)
{
    cc_arena_block blocks[] = {
        {PTRDIFF_MAX / 64 * 64, 0, 1, 0}, {PTRDIFF_MAX / 64 * 64, 1, 2, 0}, {PTRDIFF_MAX / 64 * 64, 0, 2, 0}};
    size_t size = 0;
    CHECK(cc_arena_place(blocks, 3, &size) == CCONV_NO_MEMORY);
    CHECK_ERROR("memory");
}

static void test_a_map_finds_what_was_put(void)
{
    enum { N = 5000 };
    static char keys[N * 64];
    cc_map map = {0};
    CHECK(cc_map_find(&map, keys) == 0);
    for (int i = 0; i < N; ++i) CHECK(cc_map_put(&map, &keys[i * 64], i + 1));
    CHECK(cc_map_put(&map, keys, 7));
    CHECK(map.n == N && cc_map_find(&map, keys) == 7 && cc_map_find(&map, keys + 1) == 0);
    for (int i = 1; i < N; ++i) CHECK(cc_map_find(&map, &keys[i * 64]) == i + 1);
    cc_map_free(&map);
}

const test arena_tests[] = {
    {"blocks_are_put_at_their_lowest_free_offsets", test_blocks_are_put_at_their_lowest_free_offsets},
    {"small_blocks_share_nothing", test_small_blocks_share_nothing},
    {"blocks_that_cannot_be_are_refused", test_blocks_that_cannot_be_are_refused},
    {"a_map_finds_what_was_put", test_a_map_finds_what_was_put},
    {0},
};
