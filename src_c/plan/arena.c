/* Places blocks in the arena: sorted by size, then each at its lowest free offset. Knows bytes and lifetimes, nothing of nodes.
 *
 * Which bytes are taken is kept in a tree over the steps: a leaf for each, above them sections of two, four ... steps. A block's
 * lifetime is made of few sections. Each section knows the bytes of the blocks that live through all of it, and those of the
 * blocks that live in any part of it; both as spans, which grow together where blocks lie side by side. What meets a lifetime is
 * then in the second of its own sections and in the first of all that hold its ends. */
#include "plan/arena.h"
#include "base/alloc.h"
#include "base/status.h"
#include <stdbool.h>
#include <string.h>

/* Blocks that fit the caches of a few cores all together share no bytes: the threads of a small network then write, run by run, the
 * lines that they wrote before, instead of taking over each other's. */
enum { APART = 2 << 20 };

/* Sifts order[root] down in a heap whose top is the block to be placed last: smallest, and of equals the one with the larger
 * number. */
static void sift(const cc_arena_block *blocks, int *order, int root, int n)
{
    for (int child; (child = 2 * root + 1) < n; root = child) {
#define LATER(a, b) (blocks[a].bytes < blocks[b].bytes || (blocks[a].bytes == blocks[b].bytes && (a) > (b)))
        if (child + 1 < n && LATER(order[child + 1], order[child])) ++child;
        if (!LATER(order[child], order[root])) return;
#undef LATER
        int moved = order[root];
        order[root] = order[child];
        order[child] = moved;
    }
}

/* Heap sort: in place, allocates nothing, and ties have one order, so a plan is the same on every machine. */
static void sort_by_size(const cc_arena_block *blocks, int n, int *order)
{
    for (int i = 0; i < n; ++i) order[i] = i;
    for (int i = n / 2 - 1; i >= 0; --i) sift(blocks, order, i, n);
    for (int end = n - 1; end > 0; --end) {
        int last = order[0];
        order[0] = order[end];
        order[end] = last;
        sift(blocks, order, 0, end);
    }
}

/* ---- Bytes that are taken ----------------------------------------------------------------------------------------- */

typedef struct span {
    size_t begin, end;
} span;

typedef struct span_set { /* in ascending order, with bytes that are free between them */
    span *spans;
    int n, capacity;
    int gap; /* where the places that are left stand among them: the next span is often put beside the last one */
} span_set;

static span *span_at(const span_set *set, int i)
{
    return &set->spans[i < set->gap ? i : i + set->capacity - set->n];
}

static void move_gap(span_set *set, int to)
{
    const int room = set->capacity - set->n, gap = set->gap;
    if (room && to < gap) memmove(set->spans + to + room, set->spans + to, (size_t)(gap - to) * sizeof *set->spans);
    if (room && to > gap) memmove(set->spans + gap, set->spans + gap + room, (size_t)(to - gap) * sizeof *set->spans);
    set->gap = to;
}

/* The number of the first span that ends behind `offset`, or at it where `touching`. */
static int find_span(const span_set *set, size_t offset, bool touching)
{
    int low = 0, high = set->n;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        const size_t end = span_at(set, middle)->end;
        if (end > offset || (touching && end == offset))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static bool make_room(span_set *set)
{
    if (set->n < set->capacity) return true;
    const int capacity = set->capacity ? 2 * set->capacity : 4;
    span *spans = cc_alloc((size_t)capacity * sizeof *spans);
    if (!spans) return false;
    if (set->n) memcpy(spans, set->spans, (size_t)set->n * sizeof *spans);
    cc_free(set->spans);
    set->spans = spans;
    set->capacity = capacity;
    set->gap = set->n;
    return true;
}

/* Adds begin .. end-1; false without memory. */
static bool take_span(span_set *set, size_t begin, size_t end)
{
    const int at = find_span(set, begin, true);
    int next = at; /* those from `at` to here become one with it */
    for (; next < set->n && span_at(set, next)->begin <= end; ++next) {
        if (span_at(set, next)->begin < begin) begin = span_at(set, next)->begin;
        if (span_at(set, next)->end > end) end = span_at(set, next)->end;
    }
    if (next == at) {
        if (!make_room(set)) return false;
        move_gap(set, at);
        ++set->gap;
        ++set->n;
    } else if (next > at + 1) {
        move_gap(set, next);
        set->gap = at + 1;
        set->n -= next - at - 1;
    }
    *span_at(set, at) = (span){begin, end};
    return true;
}

/* The lowest offset, not below the given one, at which so many bytes are free. */
static size_t free_offset(const span_set *set, size_t offset, size_t bytes)
{
    for (int i = find_span(set, offset, false); i < set->n; ++i) {
        const span *taken = span_at(set, i);
        if (taken->begin > offset && taken->begin - offset >= bytes) break;
        offset = taken->end;
    }
    return offset;
}

/* ---- Sections of the steps ---------------------------------------------------------------------------------------- */

typedef struct section {
    span_set whole, any;
} section;

typedef struct timeline {
    section *sections; /* 1: all steps, 2 i and 2 i + 1: the halves of i; `leaves` and on: a step each */
    int leaves;        /* a power of two */
} timeline;

enum { MOST = 128 }; /* sections that say all of a lifetime: four for each level of the tree */

/* The sections that make up a lifetime. */
static int own_sections(const timeline *t, const cc_arena_block *block, int found[MOST])
{
    int n = 0;
    for (int a = block->first + t->leaves, b = block->last + t->leaves + 1; a < b; a /= 2, b /= 2) {
        if (a % 2) found[n++] = a++;
        if (b % 2) found[n++] = --b;
    }
    return n;
}

static bool take_block(timeline *t, const cc_arena_block *block)
{
    int found[MOST];
    const size_t begin = block->offset, end = begin + block->bytes;
    for (int n = own_sections(t, block, found); n > 0; --n) {
        section *own = &t->sections[found[n - 1]];
        if (!take_span(&own->whole, begin, end) || !take_span(&own->any, begin, end)) return false;
    }
    for (int a = block->first + t->leaves, b = block->last + t->leaves; a; a /= 2, b /= 2) {
        if (!take_span(&t->sections[a].any, begin, end)) return false;
        if (a != b && !take_span(&t->sections[b].any, begin, end)) return false;
    }
    return true;
}

static size_t lowest_offset(const timeline *t, const cc_arena_block *block)
{
    int found[MOST], n = 0;
    const span_set *sets[MOST];
    for (int k = own_sections(t, block, found); k > 0; --k)
        if (t->sections[found[k - 1]].any.n) sets[n++] = &t->sections[found[k - 1]].any;
    for (int a = block->first + t->leaves, b = block->last + t->leaves; a; a /= 2, b /= 2) {
        if (t->sections[a].whole.n) sets[n++] = &t->sections[a].whole;
        if (a != b && t->sections[b].whole.n) sets[n++] = &t->sections[b].whole;
    }
    size_t offset = 0;
    for (int k = 0, agree = 0; agree < n; k = k + 1 < n ? k + 1 : 0) { /* until all sets have agreed to one offset */
        const size_t next = free_offset(sets[k], offset, block->bytes);
        agree = next == offset ? agree + 1 : 1;
        offset = next;
    }
    return offset;
}

/* ---- All blocks --------------------------------------------------------------------------------------------------- */

static cconv_status place_on_timeline(timeline *t, cc_arena_block *blocks, int n, const int *order, size_t *size)
{
    for (int i = 0; i < n; ++i) {
        cc_arena_block *block = &blocks[order[i]];
        block->offset = block->bytes ? lowest_offset(t, block) : 0;
        if (block->bytes > PTRDIFF_MAX - block->offset)
            return cc_fail(CCONV_NO_MEMORY, "plan: it wants more memory than there can be");
        if (block->offset + block->bytes > *size) *size = block->offset + block->bytes;
        if (block->bytes && !take_block(t, block)) return CCONV_NO_MEMORY;
    }
    return CCONV_OK;
}

static cconv_status place_apart(cc_arena_block *blocks, int n, const int *order, size_t *size)
{
    for (int i = 0; i < n; ++i) {
        blocks[order[i]].offset = blocks[order[i]].bytes ? *size : 0;
        *size += blocks[order[i]].bytes;
    }
    return CCONV_OK;
}

cconv_status cc_arena_place(cc_arena_block *blocks, int n, size_t *size)
{
    size_t total = 0;
    timeline t = {.leaves = 1};
    *size = 0;
    for (int i = 0; i < n && total <= APART; ++i) total = blocks[i].bytes > APART ? APART + 1 : total + blocks[i].bytes;
    for (int i = 0; i < n; ++i)
        while (t.leaves <= blocks[i].last) t.leaves *= 2;
    int *order = cc_alloc((size_t)n * sizeof *order);
    if (!order) return CCONV_NO_MEMORY;
    sort_by_size(blocks, n, order);
    cconv_status status = CCONV_NO_MEMORY;
    if (total <= APART) {
        status = place_apart(blocks, n, order, size);
    } else if ((t.sections = cc_alloc_zero(2 * (size_t)t.leaves * sizeof *t.sections))) {
        status = place_on_timeline(&t, blocks, n, order, size);
        for (int i = 0; i < 2 * t.leaves; ++i) cc_free(t.sections[i].whole.spans), cc_free(t.sections[i].any.spans);
        cc_free(t.sections);
    }
    cc_free(order);
    return status;
}
