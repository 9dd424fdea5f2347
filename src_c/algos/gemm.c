/* Blocked products over the tile kernels: see gemm.h. */
#include "algos/gemm.h"
#include "base/shares.h"
#include "algos/pack.h"
#include "kernels/macros.h"

#include <string.h>

enum { POINTERS = 2304, TILES = 8 }; /* row pointers and tiles of one block */
/* Rows at a distance of a multiple of ALIAS floats fall into the same set of the first-level cache, which has room for fewer
 * lines than a tile has rows. They are copied COPY_TILES tiles at a time, COPIED floats of each row, and a copy serves PANELS
 * panels, which fit the second level. */
enum { ALIAS = 1024, COPIED = 256, COPY_ROW = COPIED + 16, COPY_TILES = 3, PANELS = 16 };
/* Floats of b: of fewer than FEW panels are not called for, nor by a single tile, which would do little else; of more than NEAR
 * for each block of rows, else for the first. */
enum { FEW = 1 << 17, NEAR = 1 << 18 };
enum { EVEN = 8 }; /* tiles per thread, below which rows are shared evenly */

const float cc_zero_row[CC_DEPTH_BLOCK] = {0};

void cc_rows_of_matrix(const void *source, int64_t first, int count, int64_t tap, int64_t taps, int64_t k, const float **a,
                       int a_taps, float **y)
{
    const cc_matrix_rows *s = source;
    (void)tap, (void)a_taps;
    const float *from = s->a + first * s->a_row + k;
    float *to = s->y + first * s->y_row;
    for (int i = 0; i < count; ++i, from += s->a_row, to += s->y_row) {
        if (taps > 0) a[i] = from;
        y[i] = to;
    }
}

/* Writes the `depth` floats of each of `taps` taps of each row side by side into a row of `to`, and lets rows[i] point there. */
static void gemm_copy_patches(const float **rows, float *to, int64_t pitch, const float *const *a, int64_t a_taps,
                              int64_t count, int64_t taps, int64_t depth)
{
    for (int64_t i = 0; i < count; ++i, to += pitch) {
        float *row = to;
        for (int64_t t = 0; t < taps; ++t, row += depth) {
            const float *from = a[t * a_taps + i];
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

/* What the blocks of some panels have in common. */
static cc_gemm_block gemm_block_of(const cc_product *p, const gemm_depth *s, int64_t p0, int64_t p1, bool side_by_side,
                                   bool far)
{
    const int nr = cc_kernels_get()->gemm.nr;
    const int64_t column = p0 * nr, panel = p->panel ? p->panel : p->taps * p->depth * nr;
    const float *b = p->panels + p0 * panel;
    const int64_t after = s->last ? 0 : (s->tap + s->taps - 1) * p->depth + s->k + s->depth; /* the next block of depth */
    return (cc_gemm_block){
        .n = cc_min(p1 * nr, p->n) - column,
        .taps = side_by_side ? 1 : s->taps,
        .depth = side_by_side ? s->taps * s->depth : s->depth,
        .b = b + (s->tap * p->depth + s->k) * nr,
        .panel = panel,
        .then = far ? b + after * nr : NULL,
        .column = column,
        .bias = s->first && p->bias ? p->bias + column : NULL,
        .accumulate = !s->first || p->accumulate,
        .act = s->last && cc_act_is_clamp(p->act) ? p->act : CC_ACT_LINEAR,
    };
}

/* The activation of so many columns of the rows y, of those at once that lie side by side: a row may be shorter than a vector. */
static void gemm_activate(const cc_product *p, float *const *y, int64_t rows, int64_t column, int64_t columns)
{
    for (int64_t i = 0, j; i < rows; i = j) {
        for (j = i + 1; j < rows && y[j] == y[j - 1] + columns; ++j) continue;
        cc_act_forward(p->act, p->alpha, y[i] + column, y[i] + column, (j - i) * columns);
    }
}

/* Of the rows of one tap, brings those that lie in the image to the front, and says how many: the others add nothing. */
static int64_t gemm_bring_forward(const float **a, float **y, int64_t rows)
{
    int64_t inside = 0;
    for (int64_t i = 0; i < rows; ++i) {
        if (a[i] == cc_zero_row) continue;
        const float *row = a[i];
        float *to = y[i];
        a[i] = a[inside], y[i] = y[inside];
        a[inside] = row, y[inside++] = to;
    }
    return inside;
}

/* Whether rows of a are copied, so that they do not drive each other out. */
static bool gemm_copies(const cc_product *p)
{
    return !p->patches && p->a_step != 0 && p->a_step % ALIAS == 0;
}

/* Terms that are summed from zero, before they are added to those before. */
static int64_t gemm_block_terms(const cc_product *p)
{
    return gemm_copies(p) ? COPIED : CC_DEPTH_BLOCK;
}

/* Rows m0 .. m1-1 by panels p0 .. p1-1. Blocks of rows, then blocks of depth, then panels, then tiles: what a block of depth has
 * of a panel stays in the second-level cache while a block's rows use it, and its rows of `a` stay there from panel to panel. */
static void gemm_run_range(const cc_product *p, int64_t m0, int64_t m1, int64_t p0, int64_t p1)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t mr = kernels->gemm.mr;
    const float *a[POINTERS], *copied[COPY_TILES * CC_MR_MAX];
    float *y[(TILES + 1) * CC_MR_MAX], copy[COPY_TILES * CC_MR_MAX * COPY_ROW];

    /* A block of depth is several whole taps, or some of the depth of one tap. */
    const bool copies = gemm_copies(p);
    const int64_t most = gemm_block_terms(p), depth_block = cc_min(p->depth, most);
    int64_t tap_block = p->depth <= 0 ? p->taps : most / depth_block;
    tap_block = cc_min(cc_min(tap_block, p->taps), POINTERS / (2 * mr));
    if (tap_block < 1) tap_block = 1;
    int64_t tiles = cc_min(TILES, POINTERS / (mr * tap_block) - 1); /* and room for the next block's first tile */
    if (p->patches && depth_block > 0) tiles = cc_min(tiles, CC_PATCH_FLOATS / (mr * tap_block * depth_block));
    const int64_t pitch = (tiles + 1) * mr, most_rows = p->patches ? tiles * mr : pitch;
    const int64_t floats = (p1 - p0) * kernels->gemm.nr * p->taps * p->depth;

    for (int64_t block = m0, rows; block < m1; block += rows) {
        rows = m1 - block <= most_rows ? m1 - block
                                       : tiles * mr; /* the last block takes a few more, rather than leave them alone */
        gemm_depth s = {.first = true};
        const bool far = rows > mr && (floats > NEAR || (floats > FEW && block == m0));
        do {
            s.taps = cc_min(tap_block, p->taps - s.tap), s.depth = cc_min(depth_block, p->depth - s.k);
            s.last = s.tap + s.taps >= p->taps && s.k + s.depth >= p->depth;
            const int64_t ahead = p->patches ? 0 : cc_min(mr, m1 - block - rows), row_floats = s.taps * s.depth;
            p->rows(p->source, block, (int)(rows + ahead), s.tap, s.taps, s.k, a, (int)pitch, y);
            const int64_t inside = s.taps == 1 ? gemm_bring_forward(a, y, rows) : rows;
            if (p->patches) gemm_copy_patches(a, p->patches, row_floats, a, pitch, inside, s.taps, s.depth);
            /* All panels and all rows at once, or some tiles for a group of panels after the other. */
            const int64_t group = copies ? PANELS : p1 - p0, steps = copies ? (inside - 1) / (COPY_TILES * mr) + 1 : 1;
            const int64_t step = cc_max((inside + steps - 1) / steps, 1);
            for (int64_t panel = p0; panel < p1; panel += group) {
                cc_gemm_block g = gemm_block_of(p, &s, panel, cc_min(panel + group, p1), copies || p->patches, far);
                for (int64_t row = 0; row < inside; row += step) {
                    g.m = cc_min(step, inside - row);
                    g.a = copies ? copied : a;
                    g.pitch = pitch;
                    g.ahead = copies || inside < rows ? 0 : ahead;
                    g.y = y + row;
                    if (copies) gemm_copy_patches(copied, copy, COPY_ROW, a + row, pitch, g.m, s.taps, s.depth);
                    kernels->gemm.block(&g);
                }
                if (inside == rows || !(s.first || s.last)) continue;
                g.m = rows - inside, g.depth = 0; /* what they begin and end with */
                g.a = a, g.ahead = 0;
                g.y = y + inside;
                kernels->gemm.block(&g);
            }
            s.first = false;
            s.k += s.depth;
            if (s.k >= p->depth) {
                s.k = 0;
                s.tap += s.taps;
            }
        } while (!s.last);
        if (!cc_act_is_clamp(p->act)) {
            const int64_t column = p0 * kernels->gemm.nr;
            gemm_activate(p, y, rows, column, cc_min(p1 * kernels->gemm.nr, p->n) - column);
        }
    }
}

/* ---- Long sums ---- */

enum { SPAN = 256, LONG_PANELS = 2, LONG_ROWS = 64, LONG_FLOATS = 2048 };

static bool gemm_is_long(int64_t terms)
{
    return terms > CC_LONG_DEPTH;
}

/* A source of rows of a, whose results wait in `part`; where they belong is noted in y. */
typedef struct gemm_span {
    const cc_product *product;
    int64_t first, tap, k, width;
    float *part, **y;
} gemm_span;

static void gemm_rows_of_span(const void *source, int64_t first, int count, int64_t tap, int64_t taps, int64_t k,
                              const float **a, int a_taps, float **y)
{
    const gemm_span *s = source;
    s->product->rows(s->product->source, s->first + first, count, s->tap + tap, taps, s->k + k, a, a_taps, y);
    for (int i = 0; i < count; ++i) {
        s->y[first + i] = y[i];
        y[i] = s->part + (first + i) * s->width;
    }
}

/* Adds to total[i * pitch + j] the terms tap .. tap+taps-1, k .. k+depth-1 of rows first .. first+count-1, count <= LONG_ROWS, by
 * LONG_PANELS panels at most, which begin at p->panels + skip. */
static void gemm_add_span(const cc_product *p, int64_t first, int64_t count, int64_t tap, int64_t taps, int64_t k,
                          int64_t depth, int64_t skip, double *total, int64_t pitch, float **y)
{
    float sums[LONG_FLOATS];
    const int64_t nr = cc_kernels_get()->gemm.nr;
    const gemm_span source = {.product = p, .first = first, .tap = tap, .k = k, .width = p->n, .part = sums, .y = y};
    cc_product block = *p;
    block.m = count, block.taps = taps, block.depth = depth;
    block.rows = gemm_rows_of_span, block.source = &source;
    block.panel = p->panel ? p->panel : p->taps * p->depth * nr;
    block.panels = p->panels + skip * nr;
    block.bias = NULL, block.act = CC_ACT_LINEAR, block.accumulate = false;
    gemm_run_range(&block, 0, count, 0, (p->n + nr - 1) / nr);
    for (int64_t i = 0; i < count; ++i)
        for (int64_t j = 0; j < p->n; ++j) total[i * pitch + j] += (double)sums[i * p->n + j];
}

/* y[i][column + j] = act(total + bias), of p->n columns. */
static void gemm_write_totals(const cc_product *p, int64_t count, int64_t column, const double *total, int64_t pitch,
                              float **rows)
{
    for (int64_t i = 0; i < count; ++i) {
        float *y = rows[i] + column;
        for (int64_t j = 0; j < p->n; ++j) {
            const double start = (p->bias ? (double)p->bias[j] : 0) + (p->accumulate ? (double)y[j] : 0);
            y[j] = (float)(start + total[i * pitch + j]);
        }
        cc_act_forward(p->act, p->alpha, y, y, p->n);
    }
}

/* How many rows and columns have a place in LONG_FLOATS. */
static int64_t gemm_long_rows(void)
{
    const int64_t mr = cc_kernels_get()->gemm.mr, nr = cc_kernels_get()->gemm.nr;
    return cc_min(LONG_ROWS, LONG_FLOATS / (LONG_PANELS * nr)) / mr * mr;
}

/* gemm_run_range of a product with very many terms. */
static void gemm_run_long(const cc_product *p, int64_t m0, int64_t m1, int64_t p0, int64_t p1)
{
    const int64_t nr = cc_kernels_get()->gemm.nr, rows = gemm_long_rows(), depth = cc_min(p->depth, SPAN), taps = SPAN / depth;
    for (int64_t panel = p0; panel < p1; panel += LONG_PANELS)
        for (int64_t first = m0; first < m1; first += rows) {
            const int64_t count = cc_min(rows, m1 - first), column = panel * nr;
            double total[LONG_FLOATS] = {0};
            float *y[LONG_ROWS + CC_MR_MAX];
            cc_product block = *p;
            block.n = cc_min(cc_min(LONG_PANELS, p1 - panel) * nr, p->n - column);
            block.bias = p->bias ? p->bias + column : NULL;
            block.panels = p->panels + panel * (p->panel ? p->panel : p->taps * p->depth * nr);
            for (int64_t tap = 0; tap < p->taps; tap += taps)
                for (int64_t k = 0; k < p->depth; k += depth)
                    gemm_add_span(&block, first, count, tap, cc_min(taps, p->taps - tap), k, cc_min(depth, p->depth - k),
                                  tap * p->depth + k, total, block.n, y);
            gemm_write_totals(&block, count, column, total, block.n, y);
        }
}

static void gemm_run(const cc_product *p, int64_t m0, int64_t m1, int64_t p0, int64_t p1)
{
    if (gemm_is_long(p->taps * p->depth))
        gemm_run_long(p, m0, m1, p0, p1);
    else
        gemm_run_range(p, m0, m1, p0, p1);
}

void cc_product_rows(const cc_product *p, cc_range rows)
{
    const int64_t nr = cc_kernels_get()->gemm.nr;
    if (p->n > 0) gemm_run(p, rows.begin, rows.end, 0, (p->n + nr - 1) / nr);
}

void cc_product_run(const cc_product *p, const cc_team *team)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t mr = kernels->gemm.mr, nr = kernels->gemm.nr, nth = team->nth;
    const int64_t panels = (p->n + nr - 1) / nr, tiles = (p->m + mr - 1) / mr;
    if (p->m <= 0 || p->n <= 0) return;
    /* By rows; with fewer tiles than two per thread by columns, which keeps every core busy at batch 1. And where b is much larger
     * than a and no near cache holds it: by rows every thread would read all of it. */
    const bool wide = p->n > 2 * p->m && p->n * p->taps * p->depth > FEW && panels >= 2 * nth;
    const bool by_rows = !wide && (tiles >= 2 * nth || tiles >= panels);
    /* Whole tiles, unless there are so few that one more or less matters; columns for which copied rows are worth it. */
    const int64_t grain = by_rows ? (tiles >= EVEN * nth ? mr : 1) : gemm_copies(p) ? cc_max(panels / (4 * nth), 1) : 1;
    const double work = (double)p->m * (double)p->n * (double)(p->taps * p->depth);
    cc_range mine;
    for (cc_shares shares = cc_shares_of(team, by_rows ? p->m : panels, grain, work); cc_shares_take(&shares, &mine);) {
        if (by_rows)
            gemm_run(p, mine.begin, mine.end, 0, panels);
        else
            gemm_run(p, 0, p->m, mine.begin, mine.end);
    }
}

/* A block: FLY_PANELS panels side by side, FLY_DEPTH deep, which stay in a second-level cache; LINES rows of b at a time, so that
 * neighbouring columns are read soon after each other. The depth is a multiple of the blocks in which a product is summed. */
enum { FLY_DEPTH = CC_DEPTH_BLOCK, FLY_PANELS = 4, LINES = 64 };

/* The panels, then, of a long sum, its totals. */
int64_t cc_product_late_floats(int64_t m, int64_t depth)
{
    const int64_t nr = cc_kernels_get()->gemm.nr;
    return FLY_PANELS * FLY_DEPTH * nr + (gemm_is_long(depth) ? 2 * m * FLY_PANELS * nr : 0);
}

/* Adds a block of a long sum, of which p is: its own depth, from `k` of the rows on. */
static void gemm_add_block(const cc_product *p, double *total, int64_t pitch)
{
    const int64_t nr = cc_kernels_get()->gemm.nr, rows = gemm_long_rows(), panel = p->depth * nr;
    for (int64_t column = 0; column < p->n; column += LONG_PANELS * nr) {
        cc_product block = *p;
        block.n = cc_min(LONG_PANELS * nr, p->n - column);
        block.panel = panel;
        block.panels = p->panels + column / nr * panel;
        for (int64_t first = 0; first < p->m; first += rows)
            for (int64_t k = 0; k < p->depth; k += SPAN) {
                float *y[LONG_ROWS + CC_MR_MAX];
                gemm_add_span(&block, first, cc_min(rows, p->m - first), 0, 1, k, cc_min(SPAN, p->depth - k), k,
                              total + first * pitch + column, pitch, y);
            }
    }
}

void cc_product_late(const cc_product *p, const float *from, int64_t row, int64_t step, float *scratch, const cc_team *team)
{
    const int64_t nr = cc_kernels_get()->gemm.nr;
    const cc_matrix_rows *whole = p->source;
    const cc_range mine = cc_slice(team, (p->n + nr - 1) / nr, 1);
    float *packed = scratch + team->ith * cc_product_late_floats(p->m, p->depth);
    const int64_t pitch = FLY_PANELS * nr;
    double *total = gemm_is_long(p->depth) ? (double *)(void *)(packed + FLY_DEPTH * pitch) : NULL;
    for (int64_t panel = mine.begin; panel < mine.end && p->m > 0; panel += FLY_PANELS) {
        const int64_t panels = cc_min(FLY_PANELS, mine.end - panel), column = panel * nr;
        int64_t k = 0;
        if (total) memset(total, 0, (size_t)(p->m * pitch) * sizeof *total);
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
            if (total) {
                gemm_add_block(&block, total, pitch);
                continue;
            }
            if (k < p->depth) block.act = CC_ACT_LINEAR;
            gemm_run_range(&block, 0, p->m, 0, panels);
        } while (k < p->depth);
        cc_product whole_panels = *p;
        whole_panels.n = cc_min(panels * nr, p->n - column);
        whole_panels.bias = p->bias ? p->bias + column : NULL;
        for (int64_t i = 0; total && i < p->m; ++i) {
            float *y = whole->y + i * whole->y_row;
            gemm_write_totals(&whole_panels, 1, column, total + i * pitch, pitch, &y);
        }
    }
}

/* Rows of b that are read at a time: one row of a waits for memory, eight for sums. */
enum { STEPS_OF_FEW = 8, STEPS = 16 };

/* sums[i * n + j], i < rows, begin with the bias of column j, or 0. */
static void gemm_begin_sums(float *sums, const float *bias, int64_t rows, int64_t n)
{
    for (int64_t i = 0; i < rows; ++i, sums += n)
        for (int64_t j = 0; j < n; ++j) sums[j] = bias ? bias[j] : 0;
}

/* Each sum is made as gemm_run_range makes it, whatever the number of rows: an image's result is the same in every batch. */
void cc_product_in_place(const cc_product *p, const float *from, const cc_team *team)
{
    enum { SUMS = 8192 }; /* floats: as many as a first-level cache has */
    float sums[SUMS], columns[STEPS * CC_FEW_ROWS], *y[CC_FEW_ROWS];
    const float *a[CC_FEW_ROWS];
    const int64_t steps = p->m <= CC_FEW_ROWS / 2 ? STEPS_OF_FEW : STEPS;
    const cc_range mine = cc_slice(team, p->n, LINE);
    for (int64_t column = mine.begin, n; column < mine.end && p->m > 0; column += n) {
        n = cc_min(SUMS / p->m / LINE * LINE, mine.end - column);
        for (int64_t block = 0, end; block < p->depth; block = end) {
            end = cc_min(block + gemm_block_terms(p), p->depth);
            gemm_begin_sums(sums, block == 0 && p->bias ? p->bias + column : NULL, p->m, n);
            for (int64_t k = block; k < end; k += steps) {
                p->rows(p->source, 0, (int)p->m, 0, 1, k, a, (int)p->m, y);
                const int64_t count = cc_min(steps, end - k);
                for (int64_t i = 0; i < p->m; ++i)
                    for (int64_t s = 0; s < count; ++s) columns[s * p->m + i] = a[i][s];
                cc_kernels_get()->gemm.few_rows(&(cc_few_rows){
                    .m = p->m, .n = n, .steps = count, .a = columns, .b = from + k * p->n + column, .b_row = p->n, .y = sums});
            }
            const bool adds = block > 0 || p->accumulate;
            for (int64_t i = 0; i < p->m; ++i)
                for (int64_t j = 0; j < n; ++j) {
                    float *to = y[i] + column + j;
                    *to = sums[i * n + j] + (adds ? *to : 0);
                }
        }
        for (int64_t i = 0; i < p->m; ++i) cc_act_forward(p->act, p->alpha, y[i] + column, y[i] + column, n);
    }
}
