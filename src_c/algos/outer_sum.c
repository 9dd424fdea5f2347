/* Sums of outer products, of columns, and of blocks: see gemm.h. */
#include "algos/gemm.h"
#include "base/shares.h"

#include <string.h>

enum {
    WANTED = 64, /* blocks: enough for any desktop */
    BLOCK = 512  /* terms of a block of a long sum: few enough for float32 */
};

int64_t cc_blocks(int64_t terms, int64_t each, int64_t tiles, int64_t outputs)
{
    enum { FLOATS = 4 << 20 }; /* 16 MB at most */
    int64_t blocks = tiles < 1 ? 1 : (WANTED + tiles - 1) / tiles;
    if (terms > CC_LONG_SUM / cc_max(each, 1)) blocks = cc_max(blocks, terms / cc_max(BLOCK / cc_max(each, 1), 1));
    if (outputs > 0) blocks = cc_min(blocks, FLOATS / outputs);
    blocks = cc_min(blocks, terms);
    return blocks < 1 ? 1 : blocks;
}

/* Of many blocks, in double. */
static void outer_sum_add_many_blocks(float *y, const float *partial, int64_t blocks, int64_t count, cc_range mine)
{
    enum { FLOATS = 256 };
    for (int64_t at = mine.begin; at < mine.end; at += FLOATS) {
        const int64_t n = cc_min(FLOATS, mine.end - at);
        double total[FLOATS] = {0};
        for (int64_t i = 0; i < blocks; ++i)
            for (int64_t j = 0; j < n; ++j) total[j] += (double)partial[i * count + at + j];
        for (int64_t j = 0; j < n; ++j) y[at + j] = (float)total[j];
    }
}

void cc_add_blocks(float *y, const float *partial, int64_t blocks, int64_t count, const cc_team *team)
{
    const cc_kernels *kernels = cc_kernels_get();
    const cc_range mine = cc_slice(team, count, 1024);
    if (mine.begin >= mine.end) return;
    if (blocks > WANTED) {
        outer_sum_add_many_blocks(y, partial, blocks, count, mine);
        return;
    }
    const int64_t n = mine.end - mine.begin;
    memcpy(y + mine.begin, partial + mine.begin, (size_t)n * sizeof *y);
    for (int64_t i = 1; i < blocks; ++i) kernels->elementwise.add(y + mine.begin, partial + i * count + mine.begin, n);
}

/* Terms are taken ROWS rows at a time: fewer would not pay for a block. */
enum { ROWS = 32 };

/* Tiles below each other whose copies are kept while the columns of b pass by. */
enum { ROW_TILES = 6 };

static int64_t outer_sum_row_terms(int64_t count)
{
    return (count + ROWS - 1) / ROWS;
}

static int64_t outer_sum_tiles(int64_t m, int64_t n)
{
    const cc_kernels *kernels = cc_kernels_get();
    return (m + kernels->gemm.mr - 1) / kernels->gemm.mr * ((n + kernels->gemm.nr - 1) / kernels->gemm.nr);
}

/* Floats of the terms p0 .. p0+count-1, side by side, each `width` <= nr wide. */
static void outer_sum_copy_terms(float *to, int64_t pitch, const float *from, const cc_outers *o, const int64_t apart[3],
                                 int64_t p0, int64_t count, int width)
{
    for (int64_t p = p0, end = p0 + count; p < end;) {
        const int64_t line = p / o->steps, step = p % o->steps, steps = cc_min(o->steps - step, end - p);
        cc_kernels_get()->gemm.pack_rows(to, pitch,
                                         from + line / o->lines * apart[0] + line % o->lines * apart[1] + step * apart[2],
                                         apart[2], steps, width);
        to += steps * pitch;
        p += steps;
    }
}

/* Whether terms are at one distance. */
static bool outer_sum_is_even(const cc_outers *o)
{
    return o->b_line == o->steps * o->b_step && (o->images < 2 || o->b_image == o->lines * o->b_line);
}

/* A tile's sum over one image, BLOCK terms at a time: whole lines, or parts of long ones. The first row of tiles calls for what the
 * tile beside it reads of b: rows a pixel apart do not come by themselves. */
static void outer_sum_add_image(const cc_outers *o, const float *a, const float *b, int64_t row, int64_t column)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t steps = cc_min(cc_max(o->steps, 1), BLOCK), lines = BLOCK / steps;
    const bool calls = row == 0 && column + kernels->gemm.nr < o->n && outer_sum_is_even(o);
    for (int64_t line = 0; line < o->lines; line += lines)
        for (int64_t step = 0; step < o->steps; step += steps)
            kernels->gemm.outer_tile(
                &(cc_outer){.m = (int)cc_min(kernels->gemm.mr, o->m - row),
                            .n = (int)cc_min(kernels->gemm.nr, o->n - column),
                            .lines = cc_min(lines, o->lines - line),
                            .steps = cc_min(steps, o->steps - step),
                            .a = a + line * o->a_line + step * o->a_step + row,
                            .a_line = o->a_line,
                            .a_step = o->a_step,
                            .b = b + line * o->b_line + step * o->b_step + column,
                            .b_line = o->b_line,
                            .b_step = o->b_step,
                            .next = calls ? b + line * o->b_line + step * o->b_step + column + kernels->gemm.nr : NULL,
                            .next_step = o->b_step,
                            .y = o->y + row * o->y_row + column,
                            .y_row = o->y_row});
}

static void outer_sum_add_in_place(const cc_outers *o)
{
    const cc_kernels *kernels = cc_kernels_get();
    for (int64_t q = 0; q < o->images; ++q)
        for (int64_t row = 0; row < o->m; row += kernels->gemm.mr)
            for (int64_t column = 0; column < o->n; column += kernels->gemm.nr)
                outer_sum_add_image(o, o->a + q * o->a_image, o->b + q * o->b_image, row, column);
}

void cc_outers_add(const cc_outers *o, float *patches)
{
    if (!patches) {
        outer_sum_add_in_place(o);
        return;
    }
    /* TERMS terms of a panel of b, and of ROW_TILES tiles of a, are copied side by side: in place, rows at distances of powers
     * of two share few sets of the caches, and every tile fetches them anew. */
    enum { TERMS = 256 };
    const cc_kernels *kernels = cc_kernels_get();
    const int mr = kernels->gemm.mr, nr = kernels->gemm.nr;
    const int64_t pitch = mr <= nr / 2 ? nr / 2 : nr, terms = o->images * o->lines * o->steps;
    const int64_t a_apart[3] = {o->a_image, o->a_line, o->a_step}, b_apart[3] = {o->b_image, o->b_line, o->b_step};
    float *a = patches, *b = patches + ROW_TILES * TERMS * pitch;
    const int64_t blocks = (terms + TERMS - 1) / TERMS;
    const bool even = outer_sum_is_even(o);
    for (int64_t block = 0; block < blocks; ++block) {
        const cc_range here = cc_block(terms, blocks, block);
        const int64_t count = here.end - here.begin;
        for (int64_t row0 = 0; row0 < o->m; row0 += ROW_TILES * mr) {
            const int64_t row1 = cc_min(row0 + ROW_TILES * mr, o->m);
            for (int64_t row = row0; row < row1; row += mr)
                outer_sum_copy_terms(a + (row - row0) / mr * TERMS * pitch, pitch, o->a + row, o, a_apart, here.begin, count,
                                     (int)cc_min(mr, row1 - row));
            for (int64_t column = 0; column < o->n; column += nr) {
                const int width = (int)cc_min(nr, o->n - column);
                const float *next = even && column + nr < o->n ? o->b + here.begin * o->b_step + column + nr : NULL;
                outer_sum_copy_terms(b, nr, o->b + column, o, b_apart, here.begin, count, width);
                for (int64_t row = row0; row < row1; row += mr)
                    kernels->gemm.outer_tile(&(cc_outer){.m = (int)cc_min(mr, row1 - row),
                                                         .n = width,
                                                         .lines = 1,
                                                         .steps = count,
                                                         .a = a + (row - row0) / mr * TERMS * pitch,
                                                         .a_step = pitch,
                                                         .b = b,
                                                         .b_step = nr,
                                                         .next = row == row0 ? next : NULL,
                                                         .next_step = o->b_step,
                                                         .y = o->y + row * o->y_row + column,
                                                         .y_row = o->y_row});
            }
        }
    }
}

int64_t cc_outer_sum_patches(int64_t m, int64_t n, int64_t count)
{
    enum { OUTPUTS = 1 << 14, LEAST = 128 }; /* fewer do not pay for copies */
    return m * n >= OUTPUTS && count >= LEAST ? CC_PATCH_FLOATS : 0;
}

/* What is one task: a tile; or, where they are copied, the tiles below each other that share a copy of b. */
static int64_t outer_sum_tasks(int64_t m, int64_t n, int64_t count)
{
    const int64_t rows = ROW_TILES * cc_kernels_get()->gemm.mr, nr = cc_kernels_get()->gemm.nr;
    return cc_outer_sum_patches(m, n, count) > 0 ? (m + rows - 1) / rows * ((n + nr - 1) / nr) : outer_sum_tiles(m, n);
}

int64_t cc_outer_sum_partial(int64_t m, int64_t n, int64_t count)
{
    const int64_t blocks = cc_blocks(outer_sum_row_terms(count), ROWS, outer_sum_tasks(m, n, count), m * n);
    return blocks > 1 ? blocks * m * n : 0;
}

/* Rows row .. end-1 by columns column .. last-1, with copies; `to` begins with the first row and column 0. */
static void outer_sum_copied(float *to, const float *a, const float *b, int64_t m, int64_t n, int64_t p0, int64_t p1,
                             int64_t row, int64_t end, int64_t column, int64_t last, float *patches)
{
    for (int64_t i = row; i < end; ++i) memset(to + (i - row) * n + column, 0, (size_t)(last - column) * sizeof *to);
    cc_outers_add(&(cc_outers){.m = end - row,
                               .n = last - column,
                               .images = 1,
                               .lines = 1,
                               .steps = p1 - p0,
                               .a = a + p0 * m + row,
                               .a_step = m,
                               .b = b + p0 * n + column,
                               .b_step = n,
                               .y = to + column,
                               .y_row = n},
                  patches);
}

/* Tiles tile0 .. tile1-1 of an m x n sum, tiles in rows of tiles, over terms p0 .. p1-1; `to` begins with row `row0`. Blocks
 * of terms outermost, tiles inside: a block of a and b stays in the cache for all tiles. A short one would spend its time on
 * loading and storing the tile. */
static void outer_sum_add_tiles(float *to, int64_t row0, const float *a, const float *b, int64_t m, int64_t n, int64_t rows_end,
                                int64_t p0, int64_t p1, int64_t tile0, int64_t tile1)
{
    enum { BLOCK_FLOATS = 65536, BLOCK_LEAST = BLOCK / 2 };
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t across = (n + kernels->gemm.nr - 1) / kernels->gemm.nr;
    const int64_t block = cc_min(cc_max(BLOCK_FLOATS / (m + n + 1), BLOCK_LEAST), BLOCK);
    for (int64_t tile = tile0; tile < tile1; ++tile) {
        const int64_t row = tile / across * kernels->gemm.mr, column = tile % across * kernels->gemm.nr;
        for (int64_t j = row; j < cc_min(row + kernels->gemm.mr, rows_end); ++j)
            memset(to + (j - row0) * n + column, 0, (size_t)cc_min(kernels->gemm.nr, n - column) * sizeof *to);
    }
    for (int64_t p = p0; p < p1; p += block) {
        for (int64_t tile = tile0; tile < tile1; ++tile) {
            const int64_t row = tile / across * kernels->gemm.mr, column = tile % across * kernels->gemm.nr;
            kernels->gemm.outer_tile(&(cc_outer){
                .m = (int)cc_min(kernels->gemm.mr, rows_end - row),
                .n = (int)cc_min(kernels->gemm.nr, n - column),
                .lines = 1,
                .steps = cc_min(block, p1 - p),
                .a = a + p * m + row,
                .a_step = m,
                .b = b + p * n + column,
                .b_step = n,
                .y = to + (row - row0) * n + column,
                .y_row = n,
            });
        }
    }
}

void cc_outer_sum(float *y, const float *a, const float *b, int64_t m, int64_t n, int64_t count, float *partial, float *patches,
                  const cc_team *team)
{
    const int64_t nr = cc_kernels_get()->gemm.nr, rows = ROW_TILES * cc_kernels_get()->gemm.mr, across = (n + nr - 1) / nr;
    const int64_t tasks = outer_sum_tasks(m, n, count), blocks = cc_blocks(outer_sum_row_terms(count), ROWS, tasks, m * n);
    const bool copies = cc_outer_sum_patches(m, n, count) > 0;
    cc_range mine;
    for (cc_shares shares = cc_shares_of(team, blocks * tasks, 1, (double)(m * n) * (double)count);
         cc_shares_take(&shares, &mine);)
        for (int64_t i = mine.begin, taken; i < mine.end; i += taken) {
            const int64_t block = i / tasks, task = i % tasks, row = task / across * rows, column = task % across * nr;
            const cc_range terms = cc_block(outer_sum_row_terms(count), blocks, block);
            const int64_t p0 = terms.begin * ROWS, p1 = cc_min(terms.end * ROWS, count);
            float *to = blocks > 1 ? partial + block * m * n : y;
            taken = cc_min((copies ? across - task % across : tasks - task), mine.end - i);
            if (copies)
                outer_sum_copied(to + row * n, a, b, m, n, p0, p1, row, cc_min(row + rows, m), column,
                                 cc_min(column + taken * nr, n), patches);
            else
                outer_sum_add_tiles(to, 0, a, b, m, n, m, p0, p1, task, task + taken);
        }
    if (blocks > 1) {
        cc_barrier_wait(team);
        cc_add_blocks(y, partial, blocks, m * n, team);
    }
}

void cc_outer_sum_rows(float *to, const float *a, const float *b, int64_t m, int64_t n, int64_t count, int64_t row,
                       int64_t rows, float *patches)
{
    const int64_t mr = cc_kernels_get()->gemm.mr, across = (n + cc_kernels_get()->gemm.nr - 1) / cc_kernels_get()->gemm.nr;
    if (cc_outer_sum_patches(m, n, count) > 0)
        outer_sum_copied(to, a, b, m, n, 0, count, row, row + rows, 0, n, patches);
    else
        outer_sum_add_tiles(to, row, a, b, m, n, row + rows, 0, count, row / mr * across, (row + rows + mr - 1) / mr * across);
}

int64_t cc_column_sum_partial(int64_t n, int64_t count)
{
    const int64_t blocks = cc_blocks(outer_sum_row_terms(count), ROWS, 1, n);
    return blocks > 1 ? blocks * n : 0;
}

void cc_column_sum(float *y, const float *b, int64_t n, int64_t count, float *partial, const cc_team *team)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t blocks = cc_blocks(outer_sum_row_terms(count), ROWS, 1, n);
    const cc_range mine = cc_slice(team, blocks, 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        const cc_range terms = cc_block(outer_sum_row_terms(count), blocks, i);
        float *to = blocks > 1 ? partial + i * n : y;
        memset(to, 0, (size_t)n * sizeof *to);
        kernels->elementwise.add_rows(to, b + terms.begin * ROWS * n, cc_min(terms.end * ROWS, count) - terms.begin * ROWS, n);
    }
    if (blocks > 1) {
        cc_barrier_wait(team);
        cc_add_blocks(y, partial, blocks, n, team);
    }
}
