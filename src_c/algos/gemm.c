/* Blocked products over the tile kernels: see gemm.h. */
#include "gemm.h"

#include <string.h>

enum { POINTERS = 2304, TILES = 8 }; /* row pointers and tiles of one chunk */

const float cc_zero_row[CC_DEPTH_BLOCK] = {0};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void cc_rows_of_matrix(const void *source, int64_t first, int count, int64_t tap, int64_t taps, int64_t k, const float **a,
                       int a_taps, float **y)
{
    const cc_matrix_rows *s = source;
    (void)tap, (void)a_taps;
    for (int i = 0; i < count; ++i) {
        if (taps > 0) a[i] = s->a + (first + i) * s->a_row + k;
        y[i] = s->y + (first + i) * s->y_row;
    }
}

/* Writes the `taps` pieces of `depth` floats of each row side by side into `to`, and lets a[i] point there. */
static void copy_patches(float *to, const float **a, int mr, int rows, int64_t taps, int64_t depth)
{
    for (int i = 0; i < rows; ++i) {
        float *row = to;
        for (int64_t t = 0; t < taps; ++t, to += depth) {
            const float *from = a[t * mr + i];
            for (int64_t k = 0; k < depth; ++k) to[k] = from[k]; /* often one or three floats: a call would cost more */
        }
        a[i] = row;
    }
}

/* Rows m0 .. m1-1 by panels p0 .. p1-1. Chunks of tiles, then blocks of depth, then panels, then tiles: a block of a panel stays in
 * the second-level cache while a chunk's tiles use it, and the chunk's rows of `a` stay there from panel to panel. */
static void run_range(const cc_product *p, int64_t m0, int64_t m1, int64_t p0, int64_t p1)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int mr = kernels->mr, nr = kernels->nr;
    const float *a[POINTERS];
    float *y[(TILES + 1) * CC_MR_MAX];

    /* A block is several whole taps, or a part of the depth of one tap. */
    const int64_t depth_block = least(p->depth, CC_DEPTH_BLOCK);
    int64_t tap_block = p->depth <= 0 ? p->taps : CC_DEPTH_BLOCK / depth_block;
    tap_block = least(least(tap_block, p->taps), POINTERS / (2 * mr));
    if (tap_block < 1) tap_block = 1;
    int64_t tiles = least(TILES, POINTERS / (mr * tap_block) - 1); /* and room for the next chunk's first tile */
    if (p->patches && depth_block > 0) tiles = least(tiles, CC_PATCH_FLOATS / (mr * tap_block * depth_block));

    for (int64_t chunk = m0; chunk < m1; chunk += tiles * mr) {
        const int64_t chunk_end = least(chunk + tiles * mr, m1);
        int64_t tap = 0, k = 0;
        bool first = true, last;
        do {
            const int64_t taps = least(tap_block, p->taps - tap), depth = least(depth_block, p->depth - k);
            last = tap + taps >= p->taps && k + depth >= p->depth;
            for (int64_t m = chunk, tile = 0; m < chunk_end; m += mr, ++tile) {
                const int rows = (int)least(mr, chunk_end - m);
                const float **from = a + tile * mr * tap_block;
                p->rows(p->source, m, rows, tap, taps, k, from, mr, y + tile * mr);
                if (p->patches) copy_patches(p->patches + tile * mr * taps * depth, from, mr, rows, taps, depth);
            }
            if (!p->patches && chunk_end + mr <= m1)
                p->rows(p->source, chunk_end, mr, tap, taps, k, a + tiles * mr * tap_block, mr, y + tiles * mr);
            for (int64_t panel = p0; panel < p1; ++panel) {
                const int64_t column = panel * nr;
                cc_tile t = {
                    .n = (int)least(nr, p->n - column),
                    .taps = p->patches ? 1 : taps,
                    .depth = p->patches ? taps * depth : depth,
                    .b = p->panels + (panel * p->taps * p->depth + tap * p->depth + k) * nr,
                    .column = column,
                    .bias = first && p->bias ? p->bias + column : NULL,
                    .accumulate = !first || p->accumulate,
                    .relu = last && p->act == CC_ACT_RELU,
                };
                for (int64_t m = chunk, tile = 0; m < chunk_end; m += mr, ++tile) {
                    t.m = (int)least(mr, chunk_end - m);
                    t.a = a + tile * mr * tap_block;
                    t.y = y + tile * mr;
                    t.next = panel == p0 && !p->patches && m + 2 * mr <= m1 ? t.a + mr * tap_block : NULL; /* first touched now */
                    kernels->gemm_tile(&t);
                }
            }
            first = false;
            k += depth;
            if (k >= p->depth) {
                k = 0;
                tap += taps;
            }
        } while (!last);
        if (p->act != CC_ACT_LINEAR && p->act != CC_ACT_RELU) {
            const int64_t column = p0 * nr, columns = least(p1 * nr, p->n) - column;
            for (int64_t i = 0; i < chunk_end - chunk; ++i)
                cc_act_forward(p->act, p->alpha, y[i] + column, y[i] + column, columns);
        }
    }
}

void cc_product_run(const cc_product *p, const cc_team *team)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t panels = (p->n + kernels->nr - 1) / kernels->nr, tiles = (p->m + kernels->mr - 1) / kernels->mr;
    if (p->m <= 0 || p->n <= 0) return;
    /* By rows; with fewer tiles than two per thread by columns, which keeps every core busy at batch 1. */
    if (tiles >= 2 * team->nth || tiles >= panels) {
        const cc_range mine = cc_slice(team, p->m, kernels->mr);
        if (mine.begin < mine.end) run_range(p, mine.begin, mine.end, 0, panels);
    } else {
        const cc_range mine = cc_slice(team, panels, 1);
        if (mine.begin < mine.end) run_range(p, 0, p->m, mine.begin, mine.end);
    }
}

int64_t cc_blocks(int64_t terms, int64_t pieces, int64_t outputs)
{
    enum { WANTED = 64, FLOATS = 4 << 20 }; /* enough pieces for any desktop; 16 MB at most */
    int64_t blocks = pieces < 1 ? 1 : (WANTED + pieces - 1) / pieces;
    if (outputs > 0) blocks = least(blocks, FLOATS / outputs);
    blocks = least(blocks, terms);
    return blocks < 1 ? 1 : blocks;
}

void cc_add_blocks(float *y, const float *partial, int64_t blocks, int64_t count, const cc_team *team)
{
    const cc_kernels *kernels = cc_kernels_get();
    const cc_range mine = cc_slice(team, count, 1024);
    if (mine.begin >= mine.end) return;
    const int64_t n = mine.end - mine.begin;
    memcpy(y + mine.begin, partial + mine.begin, (size_t)n * sizeof *y);
    for (int64_t i = 1; i < blocks; ++i) kernels->add(y + mine.begin, partial + i * count + mine.begin, n);
}

/* Terms are taken 32 rows at a time: fewer would not pay for a block. */
static int64_t row_terms(int64_t count)
{
    return (count + 31) / 32;
}

static int64_t outer_pieces(int64_t m, int64_t n)
{
    const cc_kernels *kernels = cc_kernels_get();
    return (m + kernels->mr - 1) / kernels->mr * ((n + kernels->nr - 1) / kernels->nr);
}

int64_t cc_outer_sum_partial(int64_t m, int64_t n, int64_t count)
{
    const int64_t blocks = cc_blocks(row_terms(count), outer_pieces(m, n), m * n);
    return blocks > 1 ? blocks * m * n : 0;
}

void cc_outer_sum(float *y, const float *a, const float *b, int64_t m, int64_t n, int64_t count, float *partial,
                  const cc_team *team)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t pieces = outer_pieces(m, n), across = (n + kernels->nr - 1) / kernels->nr;
    const int64_t blocks = cc_blocks(row_terms(count), pieces, m * n);
    /* Bands of terms outermost, tiles inside: a band of a and b stays in the cache for all tiles. A short one would spend its time
     * on loading and storing the tile. */
    enum { BAND_FLOATS = 65536, BAND_LEAST = 256 };
    const int64_t fitting = BAND_FLOATS / (m + n + 1), band = fitting > BAND_LEAST ? fitting : BAND_LEAST;
    const cc_range mine = cc_slice(team, blocks * pieces, 1);
    for (int64_t i = mine.begin; i < mine.end;) {
        const int64_t block = i / pieces, piece0 = i % pieces, piece1 = least(pieces, piece0 + mine.end - i);
        const cc_range terms = cc_block(row_terms(count), blocks, block);
        const int64_t end = least(terms.end * 32, count);
        float *to = blocks > 1 ? partial + block * m * n : y;
        for (int64_t piece = piece0; piece < piece1; ++piece) {
            const int64_t row = piece / across * kernels->mr, column = piece % across * kernels->nr;
            for (int64_t j = row; j < least(row + kernels->mr, m); ++j)
                memset(to + j * n + column, 0, (size_t)least(kernels->nr, n - column) * sizeof *to);
        }
        for (int64_t p = terms.begin * 32; p < end; p += band) {
            for (int64_t piece = piece0; piece < piece1; ++piece) {
                const int64_t row = piece / across * kernels->mr, column = piece % across * kernels->nr;
                kernels->outer_tile(&(cc_outer){
                    .m = (int)least(kernels->mr, m - row),
                    .n = (int)least(kernels->nr, n - column),
                    .lines = 1,
                    .steps = least(band, end - p),
                    .a = a + p * m + row,
                    .a_step = m,
                    .b = b + p * n + column,
                    .b_step = n,
                    .y = to + row * n + column,
                    .y_row = n,
                });
            }
        }
        i += piece1 - piece0;
    }
    if (blocks > 1) {
        cc_barrier(team);
        cc_add_blocks(y, partial, blocks, m * n, team);
    }
}

int64_t cc_column_sum_partial(int64_t n, int64_t count)
{
    const int64_t blocks = cc_blocks(row_terms(count), 1, n);
    return blocks > 1 ? blocks * n : 0;
}

void cc_column_sum(float *y, const float *b, int64_t n, int64_t count, float *partial, const cc_team *team)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t blocks = cc_blocks(row_terms(count), 1, n);
    const cc_range mine = cc_slice(team, blocks, 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        const cc_range terms = cc_block(row_terms(count), blocks, i);
        float *to = blocks > 1 ? partial + i * n : y;
        memset(to, 0, (size_t)n * sizeof *to);
        for (int64_t p = terms.begin * 32; p < least(terms.end * 32, count); ++p) kernels->add(to, b + p * n, n);
    }
    if (blocks > 1) {
        cc_barrier(team);
        cc_add_blocks(y, partial, blocks, n, team);
    }
}
