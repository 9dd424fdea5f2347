/* Blocked products over the tile kernels: see gemm.h. */
#include "algos/gemm.h"
#include "algos/pack.h"

#include <string.h>

enum { POINTERS = 2304, TILES = 8 }; /* row pointers and tiles of one block */
/* Rows at a distance of a multiple of ALIAS floats fall into the same set of the first-level cache, which has room for fewer
 * lines than a tile has rows. They are copied tile by tile, COPIED floats of each, and a copy serves PANELS panels, which fit
 * the second level. */
enum { ALIAS = 1024, COPIED = 256, COPY_ROW = COPIED + 16, PANELS = 16 };
enum { EVEN = 8 }; /* tiles per thread, below which rows are shared evenly */

const float cc_zero_row[CC_DEPTH_BLOCK] = {0};

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

/* Writes the `depth` floats of each of `taps` taps of each row side by side into a row of `to`, and lets rows[i] point there. */
static void gemm_copy_patches(const float **rows, float *to, int64_t pitch, const float *const *a, int mr, int count,
                              int64_t taps, int64_t depth)
{
    for (int i = 0; i < count; ++i, to += pitch) {
        float *row = to;
        for (int64_t t = 0; t < taps; ++t, row += depth) {
            const float *from = a[t * mr + i];
            for (int64_t k = 0; k < depth; ++k) row[k] = from[k]; /* often one or three floats: a call would cost more */
        }
        rows[i] = to;
    }
}

/* A block of the depth: taps tap .. tap+taps-1, of each the floats k .. k+depth-1. */
typedef struct gemm_depth {
    int64_t tap, taps, k, depth;
    bool first, last;
} gemm_depth;

/* What the tiles of a panel have in common. */
static cc_tile gemm_tile_of(const cc_product *p, const gemm_depth *s, int64_t panel, bool side_by_side)
{
    const int nr = cc_kernels_get()->gemm.nr;
    const int64_t column = panel * nr;
    return (cc_tile){
        .n = (int)cc_min(nr, p->n - column),
        .taps = side_by_side ? 1 : s->taps,
        .depth = side_by_side ? s->taps * s->depth : s->depth,
        .b = p->panels + (panel * p->taps * p->depth + s->tap * p->depth + s->k) * nr,
        .column = column,
        .bias = s->first && p->bias ? p->bias + column : NULL,
        .accumulate = !s->first || p->accumulate,
        .relu = s->last && p->act == CC_ACT_RELU,
    };
}

/* Rows m0 .. m1-1 by panels p0 .. p1-1. Blocks of tiles, then blocks of depth, then panels, then tiles: what a block of depth has
 * of a panel stays in the second-level cache while a block's tiles use it, and its rows of `a` stay there from panel to panel. */
static void gemm_run_range(const cc_product *p, int64_t m0, int64_t m1, int64_t p0, int64_t p1)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int mr = kernels->gemm.mr;
    const float *a[POINTERS], *copied[CC_MR_MAX];
    float *y[(TILES + 1) * CC_MR_MAX], copy[CC_MR_MAX * COPY_ROW];

    /* A block of depth is several whole taps, or some of the depth of one tap. */
    const bool copies = !p->patches && p->a_step != 0 && p->a_step % ALIAS == 0;
    const int64_t most = copies ? COPIED : CC_DEPTH_BLOCK, depth_block = cc_min(p->depth, most);
    int64_t tap_block = p->depth <= 0 ? p->taps : most / depth_block;
    tap_block = cc_min(cc_min(tap_block, p->taps), POINTERS / (2 * mr));
    if (tap_block < 1) tap_block = 1;
    int64_t tiles = cc_min(TILES, POINTERS / (mr * tap_block) - 1); /* and room for the next block's first tile */
    if (p->patches && depth_block > 0) tiles = cc_min(tiles, CC_PATCH_FLOATS / (mr * tap_block * depth_block));

    for (int64_t block = m0; block < m1; block += tiles * mr) {
        const int64_t block_end = cc_min(block + tiles * mr, m1);
        gemm_depth s = {.first = true};
        do {
            s.taps = cc_min(tap_block, p->taps - s.tap), s.depth = cc_min(depth_block, p->depth - s.k);
            s.last = s.tap + s.taps >= p->taps && s.k + s.depth >= p->depth;
            for (int64_t m = block, tile = 0; m < block_end; m += mr, ++tile) {
                const int rows = (int)cc_min(mr, block_end - m);
                const float **from = a + tile * mr * tap_block;
                p->rows(p->source, m, rows, s.tap, s.taps, s.k, from, mr, y + tile * mr);
                const int64_t pitch = s.taps * s.depth;
                if (p->patches) gemm_copy_patches(from, p->patches + tile * mr * pitch, pitch, from, mr, rows, s.taps, s.depth);
            }
            if (!p->patches && block_end + mr <= m1)
                p->rows(p->source, block_end, mr, s.tap, s.taps, s.k, a + tiles * mr * tap_block, mr, y + tiles * mr);
            const bool ahead = !p->patches && (!copies || s.taps == 1);
            /* All panels and all tiles at once, or a tile for a group of panels after the other. */
            const int64_t group = copies ? PANELS : p1 - p0, step = copies ? mr : block_end - block;
            for (int64_t panel0 = p0; panel0 < p1; panel0 += group) {
                for (int64_t row = block; row < block_end; row += step) {
                    const int64_t row_end = cc_min(row + step, block_end);
                    if (copies)
                        gemm_copy_patches(copied, copy, COPY_ROW, a + (row - block) * tap_block, mr, (int)(row_end - row),
                                          s.taps, s.depth);
                    for (int64_t panel = panel0; panel < cc_min(panel0 + group, p1); ++panel) {
                        cc_tile t = gemm_tile_of(p, &s, panel, copies || p->patches);
                        for (int64_t m = row; m < row_end; m += mr) {
                            const float *const *here = a + (m - block) * tap_block;
                            t.m = (int)cc_min(mr, row_end - m);
                            t.a = copies ? copied : here;
                            t.y = y + (m - block);
                            /* the next tile's rows are touched for the first time after this one */
                            t.next = panel == p0 && ahead && m + 2 * mr <= m1 ? here + mr * tap_block : NULL;
                            kernels->gemm.tile(&t);
                        }
                    }
                }
            }
            s.first = false;
            s.k += s.depth;
            if (s.k >= p->depth) {
                s.k = 0;
                s.tap += s.taps;
            }
        } while (!s.last);
        if (p->act != CC_ACT_LINEAR && p->act != CC_ACT_RELU) {
            const int64_t column = p0 * kernels->gemm.nr, columns = cc_min(p1 * kernels->gemm.nr, p->n) - column;
            for (int64_t i = 0; i < block_end - block; ++i)
                cc_act_forward(p->act, p->alpha, y[i] + column, y[i] + column, columns);
        }
    }
}

void cc_product_run(const cc_product *p, const cc_team *team)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t panels = (p->n + kernels->gemm.nr - 1) / kernels->gemm.nr;
    const int64_t tiles = (p->m + kernels->gemm.mr - 1) / kernels->gemm.mr;
    if (p->m <= 0 || p->n <= 0) return;
    /* By rows; with fewer tiles than two per thread by columns, which keeps every core busy at batch 1. */
    if (tiles >= 2 * team->nth || tiles >= panels) {
        /* Whole tiles, unless there are so few that one more or less matters. */
        const cc_range mine = cc_slice(team, p->m, tiles < EVEN * team->nth ? 1 : kernels->gemm.mr);
        if (mine.begin < mine.end) gemm_run_range(p, mine.begin, mine.end, 0, panels);
    } else {
        const cc_range mine = cc_slice(team, panels, 1);
        if (mine.begin < mine.end) gemm_run_range(p, 0, p->m, mine.begin, mine.end);
    }
}

/* A block: FLY_PANELS panels side by side, FLY_DEPTH deep, which stay in a second-level cache; LINES rows of b at a time, so that
 * neighbouring columns are read soon after each other. The depth is a multiple of the blocks in which a product is summed. */
enum { FLY_DEPTH = CC_DEPTH_BLOCK, FLY_PANELS = 4, LINES = 64 };

int64_t cc_product_late_floats(void)
{
    return (int64_t)FLY_PANELS * FLY_DEPTH * cc_kernels_get()->gemm.nr;
}

void cc_product_late(const cc_product *p, const float *from, int64_t row, int64_t step, float *scratch, const cc_team *team)
{
    const int64_t nr = cc_kernels_get()->gemm.nr;
    const cc_matrix_rows *whole = p->source;
    const cc_range mine = cc_slice(team, (p->n + nr - 1) / nr, 1);
    float *packed = scratch + team->ith * cc_product_late_floats();
    for (int64_t panel = mine.begin; panel < mine.end && p->m > 0; panel += FLY_PANELS) {
        const int64_t panels = cc_min(FLY_PANELS, mine.end - panel), column = panel * nr;
        int64_t k = 0;
        do {
            const int64_t depth = cc_min(FLY_DEPTH, p->depth - k);
            for (int64_t line = 0; line < depth; line += LINES)
                for (int64_t i = 0; i < panels; ++i)
                    cc_pack_tap(packed + (i * depth + line) * nr, from + (k + line) * row, cc_min(LINES, depth - line), p->n,
                                row, step, column + i * nr);
            const cc_matrix_rows rows = {whole->a + k, whole->a_row, whole->y + column, whole->y_row};
            cc_product block = *p;
            block.n = cc_min(panels * nr, p->n - column), block.depth = depth;
            block.source = &rows, block.panels = packed;
            block.bias = k == 0 && p->bias ? p->bias + column : NULL;
            block.accumulate = k > 0 || p->accumulate;
            k += depth;
            if (k < p->depth) block.act = CC_ACT_LINEAR;
            gemm_run_range(&block, 0, p->m, 0, panels);
        } while (k < p->depth);
    }
}

int64_t cc_blocks(int64_t terms, int64_t tasks, int64_t outputs)
{
    enum { WANTED = 64, FLOATS = 4 << 20 }; /* enough tasks for any desktop; 16 MB at most */
    int64_t blocks = tasks < 1 ? 1 : (WANTED + tasks - 1) / tasks;
    if (outputs > 0) blocks = cc_min(blocks, FLOATS / outputs);
    blocks = cc_min(blocks, terms);
    return blocks < 1 ? 1 : blocks;
}

void cc_add_blocks(float *y, const float *partial, int64_t blocks, int64_t count, const cc_team *team)
{
    const cc_kernels *kernels = cc_kernels_get();
    const cc_range mine = cc_slice(team, count, 1024);
    if (mine.begin >= mine.end) return;
    const int64_t n = mine.end - mine.begin;
    memcpy(y + mine.begin, partial + mine.begin, (size_t)n * sizeof *y);
    for (int64_t i = 1; i < blocks; ++i) kernels->elementwise.add(y + mine.begin, partial + i * count + mine.begin, n);
}

/* Terms are taken 32 rows at a time: fewer would not pay for a block. */
static int64_t gemm_row_terms(int64_t count)
{
    return (count + 31) / 32;
}

static int64_t gemm_outer_tiles(int64_t m, int64_t n)
{
    const cc_kernels *kernels = cc_kernels_get();
    return (m + kernels->gemm.mr - 1) / kernels->gemm.mr * ((n + kernels->gemm.nr - 1) / kernels->gemm.nr);
}

/* Floats of the terms p0 .. p0+count-1, side by side, each `width` <= nr wide. */
static void gemm_copy_terms(float *to, int64_t pitch, const float *from, const cc_outers *o, const int64_t apart[3], int64_t p0,
                            int64_t count, int width)
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

static void gemm_add_in_place(const cc_outers *o)
{
    const cc_kernels *kernels = cc_kernels_get();
    for (int64_t q = 0; q < o->images; ++q)
        for (int64_t row = 0; row < o->m; row += kernels->gemm.mr)
            for (int64_t column = 0; column < o->n; column += kernels->gemm.nr)
                kernels->gemm.outer_tile(&(cc_outer){.m = (int)cc_min(kernels->gemm.mr, o->m - row),
                                                     .n = (int)cc_min(kernels->gemm.nr, o->n - column),
                                                     .lines = o->lines,
                                                     .steps = o->steps,
                                                     .a = o->a + q * o->a_image + row,
                                                     .a_line = o->a_line,
                                                     .a_step = o->a_step,
                                                     .b = o->b + q * o->b_image + column,
                                                     .b_line = o->b_line,
                                                     .b_step = o->b_step,
                                                     .y = o->y + row * o->y_row + column,
                                                     .y_row = o->y_row});
}

void cc_outers_add(const cc_outers *o, float *patches)
{
    if (!patches) {
        gemm_add_in_place(o);
        return;
    }
    /* TERMS terms of a panel of b, and of ROW_TILES tiles of a, are copied side by side: in place, rows at distances of powers
     * of two share few sets of the caches, and every tile fetches them anew. */
    enum { TERMS = 256, ROW_TILES = 6 };
    const cc_kernels *kernels = cc_kernels_get();
    const int mr = kernels->gemm.mr, nr = kernels->gemm.nr;
    const int64_t pitch = mr <= nr / 2 ? nr / 2 : nr, terms = o->images * o->lines * o->steps;
    const int64_t a_apart[3] = {o->a_image, o->a_line, o->a_step}, b_apart[3] = {o->b_image, o->b_line, o->b_step};
    float *a = patches, *b = patches + ROW_TILES * TERMS * pitch;
    const int64_t blocks = (terms + TERMS - 1) / TERMS;
    const bool even = o->b_line == o->steps * o->b_step && o->b_image == o->lines * o->b_line; /* terms at one distance */
    for (int64_t block = 0; block < blocks; ++block) {
        const cc_range here = cc_block(terms, blocks, block);
        const int64_t count = here.end - here.begin;
        for (int64_t row0 = 0; row0 < o->m; row0 += ROW_TILES * mr) {
            const int64_t row1 = cc_min(row0 + ROW_TILES * mr, o->m);
            for (int64_t row = row0; row < row1; row += mr)
                gemm_copy_terms(a + (row - row0) / mr * TERMS * pitch, pitch, o->a + row, o, a_apart, here.begin, count,
                                (int)cc_min(mr, row1 - row));
            for (int64_t column = 0; column < o->n; column += nr) {
                const int width = (int)cc_min(nr, o->n - column);
                const float *next = even && column + nr < o->n ? o->b + here.begin * o->b_step + column + nr : NULL;
                gemm_copy_terms(b, nr, o->b + column, o, b_apart, here.begin, count, width);
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

int64_t cc_outer_sum_partial(int64_t m, int64_t n, int64_t count)
{
    const int64_t blocks = cc_blocks(gemm_row_terms(count), gemm_outer_tiles(m, n), m * n);
    return blocks > 1 ? blocks * m * n : 0;
}

/* Tiles tile0 .. tile1-1 of an m x n sum, counted along its rows, over terms p0 .. p1-1; `to` begins with row `row0`. Blocks
 * of terms outermost, tiles inside: a block of a and b stays in the cache for all tiles. A short one would spend its time on
 * loading and storing the tile. */
static void gemm_sum_tiles(float *to, int64_t row0, const float *a, const float *b, int64_t m, int64_t n, int64_t rows_end,
                           int64_t p0, int64_t p1, int64_t tile0, int64_t tile1)
{
    enum { BLOCK_FLOATS = 65536, BLOCK_LEAST = 256 };
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t across = (n + kernels->gemm.nr - 1) / kernels->gemm.nr;
    const int64_t fitting = BLOCK_FLOATS / (m + n + 1), block = fitting > BLOCK_LEAST ? fitting : BLOCK_LEAST;
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

void cc_outer_sum(float *y, const float *a, const float *b, int64_t m, int64_t n, int64_t count, float *partial,
                  const cc_team *team)
{
    const int64_t tiles = gemm_outer_tiles(m, n), blocks = cc_blocks(gemm_row_terms(count), tiles, m * n);
    const cc_range mine = cc_slice(team, blocks * tiles, 1);
    for (int64_t i = mine.begin; i < mine.end;) {
        const int64_t block = i / tiles, tile0 = i % tiles, tile1 = cc_min(tiles, tile0 + mine.end - i);
        const cc_range terms = cc_block(gemm_row_terms(count), blocks, block);
        gemm_sum_tiles(blocks > 1 ? partial + block * m * n : y, 0, a, b, m, n, m, terms.begin * 32,
                       cc_min(terms.end * 32, count), tile0, tile1);
        i += tile1 - tile0;
    }
    if (blocks > 1) {
        cc_barrier_wait(team);
        cc_add_blocks(y, partial, blocks, m * n, team);
    }
}

void cc_outer_sum_rows(float *to, const float *a, const float *b, int64_t m, int64_t n, int64_t count, int64_t row,
                       int64_t rows)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t across = (n + kernels->gemm.nr - 1) / kernels->gemm.nr, end = row + rows;
    gemm_sum_tiles(to, row, a, b, m, n, end, 0, count, row / kernels->gemm.mr * across,
                   (end + kernels->gemm.mr - 1) / kernels->gemm.mr * across);
}

int64_t cc_column_sum_partial(int64_t n, int64_t count)
{
    const int64_t blocks = cc_blocks(gemm_row_terms(count), 1, n);
    return blocks > 1 ? blocks * n : 0;
}

void cc_column_sum(float *y, const float *b, int64_t n, int64_t count, float *partial, const cc_team *team)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t blocks = cc_blocks(gemm_row_terms(count), 1, n);
    const cc_range mine = cc_slice(team, blocks, 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        const cc_range terms = cc_block(gemm_row_terms(count), blocks, i);
        float *to = blocks > 1 ? partial + i * n : y;
        memset(to, 0, (size_t)n * sizeof *to);
        kernels->elementwise.add_rows(to, b + terms.begin * 32 * n, cc_min(terms.end * 32, count) - terms.begin * 32, n);
    }
    if (blocks > 1) {
        cc_barrier_wait(team);
        cc_add_blocks(y, partial, blocks, n, team);
    }
}
