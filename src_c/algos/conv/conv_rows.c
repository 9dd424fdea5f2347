/* Convolution over merged kernel rows, for images of few channels. Channels lie innermost, so the kw c numbers that one row of
 * the kernel meets are contiguous: a pixel of the output has kh taps of kw c numbers, where `direct` has kh kw taps of c.
 *
 * Windows that reach over the border would break that. So each thread copies what of the image lies under them into a buffer, with
 * the padding around it: forward at either end of a row only; for the weight gradient, which wants even steps, all that lies under
 * a block of output pixels, unless that needs no padding. */
#include "algos/conv/conv_gather.h"
#include "base/shares.h"
#include "algos/conv/conv_volume.h"

#include "algos/pack.h"

#include <string.h>

/* Numbers under a window, and under one row of it. */
static int64_t conv_rows_window_floats(const cc_conv *conv)
{
    return cc_conv_taps(conv) * conv->c;
}

static int64_t conv_rows_merged(const cc_conv *conv)
{
    return conv->window.w.kernel * conv->c;
}

/* There are pixels to merge, and a window fits the buffer. */
static bool conv_rows_supports(const cc_conv *conv)
{
    const cc_axis *h = &conv->window.h, *w = &conv->window.w;
    return conv->groups == 1 && h->dilation == 1 && w->dilation == 1 && conv->c > 0 && w->kernel > 1 &&
           cc_conv_taps(conv) <= CC_PATCH_FLOATS / conv->c;
}

static int64_t conv_rows_packed_floats(const cc_conv *conv, cc_conv_pass pass)
{
    return pass == CC_CONV_FORWARD ? cc_gather_packed(conv, pass) : cc_panels_count(1, conv->oc, conv_rows_window_floats(conv));
}

/* Input gradient: panels of the transposed matrix [oc][kh kw c]. */
static void conv_rows_pack(const cc_conv *conv, cc_conv_pass pass, float *packed, const float *w, const cc_team *team)
{
    if (pass == CC_CONV_FORWARD)
        cc_gather_pack(conv, pass, packed, w, team);
    else
        cc_pack_matrix(packed, w, conv->oc, conv_rows_window_floats(conv), 1, conv->oc, team);
}

/* Tiles of dw: rows of the kernel x blocks of kw c x panels of oc. */
typedef struct conv_rows_tiling {
    int64_t down, across, count, blocks;
} conv_rows_tiling;

static conv_rows_tiling conv_rows_tile_weights(const cc_conv *conv)
{
    const cc_kernels *kernels = cc_kernels_get();
    conv_rows_tiling t = {.down = (conv_rows_merged(conv) + kernels->gemm.mr - 1) / kernels->gemm.mr,
                          .across = (conv->oc + kernels->gemm.nr - 1) / kernels->gemm.nr};
    t.count = conv->window.h.kernel * t.down * t.across;
    t.blocks = cc_blocks(conv->n * conv->window.h.out, conv->window.w.out, t.count, conv_rows_window_floats(conv) * conv->oc);
    return t;
}

/* Measured: beside its multiplications, of whole vectors, a pixel costs about 20 cycles for row pointers, four results one; in
 * the input gradient a window's row costs the adding; in that of the weights a step of a tile loads two vectors. */
static double conv_rows_cost(const cc_conv *conv, cc_conv_pass pass)
{
    const double cycle = cc_gather_cycle();
    const int64_t vec = cc_kernels_get()->gemm.nr / 2, window = conv_rows_window_floats(conv);
    const double pixels = (double)cc_conv_pixels(conv), oc = (double)conv->oc, kh = (double)conv->window.h.kernel;
    const double made = (double)((conv->oc + vec - 1) / vec * vec), merged = (double)((window + vec - 1) / vec * vec);
    if (pass == CC_CONV_FORWARD)
        return pixels * (made * (cc_gather_factor(conv->oc) * (double)window + 0.25 * cycle) + 20 * cycle);
    if (pass == CC_CONV_INPUT_GRADIENT) return pixels * (merged * (1.05 * oc + 0.5 * cycle) + 12.5 * kh * cycle);
    const conv_rows_tiling t = conv_rows_tile_weights(conv);
    return 1.05 * pixels * kh * (double)t.across * 2 * (double)vec * (double)(conv_rows_merged(conv) + t.down);
}

static int64_t conv_rows_partial_floats(const cc_conv *conv, int64_t blocks)
{
    return blocks > 1 ? blocks * conv_rows_window_floats(conv) * conv->oc : 0;
}

/* Each thread's buffer, before them the partial sums of a weight gradient. */
static int64_t conv_rows_scratch_floats(const cc_conv *conv, cc_conv_pass pass, int nth)
{
    const int64_t partial =
        pass == CC_CONV_WEIGHT_GRADIENT ? conv_rows_partial_floats(conv, conv_rows_tile_weights(conv).blocks) : 0;
    return partial + nth * (int64_t)CC_PATCH_FLOATS;
}

/* The pixels oy0 .. oy1-1 by ox0 .. ox1-1 of one image's output, and the numbers under their windows. */
typedef struct conv_rows_block {
    int64_t oy0, oy1, ox0, ox1;
    const float *at;     /* the first cell under the first pixel's window */
    int64_t row;         /* from a row of the image to the next */
    int64_t down, right; /* from the window of a pixel to that of the next one down, to the right */
} conv_rows_block;

/* Rows and columns of the largest block whose windows fit the buffer. */
static void conv_rows_block_size(const cc_conv *conv, int64_t *rows, int64_t *columns)
{
    const cc_axis *h = &conv->window.h, *w = &conv->window.w;
    *columns = cc_max(1, cc_min(w->out, (CC_PATCH_FLOATS / (h->kernel * conv->c) - w->kernel) / w->stride + 1));
    const int64_t row = ((*columns - 1) * w->stride + w->kernel) * conv->c;
    *rows = cc_min(h->out, (CC_PATCH_FLOATS / row - h->kernel) / h->stride + 1);
}

/* The cells x0 .. x1-1 of a row of the image, those beyond its ends zeros; row NULL: all of them. */
static void conv_rows_copy_cells(const cc_conv *conv, float *to, const float *row, int64_t x0, int64_t x1)
{
    const int64_t c = conv->c, begin = row ? cc_min(cc_max(x0, 0), x1) : x1, end = cc_max(cc_min(x1, conv->window.w.in), begin);
    memset(to, 0, (size_t)((begin - x0) * c) * sizeof *to);
    if (begin < end) memcpy(to + (begin - x0) * c, row + begin * c, (size_t)((end - begin) * c) * sizeof *to);
    memset(to + (end - x0) * c, 0, (size_t)((x1 - end) * c) * sizeof *to);
}

/* Sets `at` and the steps for the pixels of `b`; x is the image. A block that needs no padding is read in place. */
static void conv_rows_read_block(const cc_conv *conv, conv_rows_block *b, const float *x, float *buffer)
{
    const cc_axis *h = &conv->window.h, *w = &conv->window.w;
    const int64_t c = conv->c, y0 = b->oy0 * h->stride - h->before, x0 = b->ox0 * w->stride - w->before;
    const int64_t y1 = (b->oy1 - 1) * h->stride - h->before + h->kernel, x1 = (b->ox1 - 1) * w->stride - w->before + w->kernel;
    const bool inside = y0 >= 0 && x0 >= 0 && y1 <= h->in && x1 <= w->in;
    b->at = inside ? x + (y0 * w->in + x0) * c : buffer;
    b->row = inside ? w->in * c : (x1 - x0) * c;
    b->down = h->stride * b->row;
    b->right = w->stride * c;
    for (int64_t iy = y0; iy < y1 && !inside; ++iy, buffer += b->row)
        conv_rows_copy_cells(conv, buffer, iy >= 0 && iy < h->in ? x + iy * w->in * c : NULL, x0, x1);
}

/* Neighbouring pixels of a row, begin .. end-1 from the view's first on, and where their windows lie: that of `begin` in the view's
 * first row of the image, and how far on the same of the next row. */
typedef struct conv_rows_span {
    int64_t begin, end;
    const float *at;
    int64_t row;
} conv_rows_span;

/* The pixels oy0 .. oy1-1 by ox0 .. ox1-1 of one image's output as rows of a product: those at the left end of a row, those whose
 * windows lie inside, those at the right end. */
typedef struct conv_rows_view {
    const cc_conv *conv;
    int64_t oy0, oy1, ox0, ox1;
    int64_t iy0; /* the first row of the image that a window meets */
    conv_rows_span spans[3];
    float *y; /* the first pixel's results */
} conv_rows_view;

/* Divides the columns of `v` into spans; returns the floats of the copies of one row of the image. */
static int64_t conv_rows_divide(conv_rows_view *v)
{
    const cc_axis *w = &v->conv->window.w;
    const int64_t columns = v->ox1 - v->ox0, c = v->conv->c;
    int64_t inside0, inside1, unused;
    cc_axis_inside(w, 0, &inside0, &unused);
    cc_axis_inside(w, w->kernel - 1, &unused, &inside1);
    const int64_t left = cc_max(0, cc_min(inside0 - v->ox0, columns)), right = cc_min(columns, cc_max(left, inside1 - v->ox0));
    v->spans[0] = (conv_rows_span){0, left, NULL, 0}, v->spans[1] = (conv_rows_span){left, right, NULL, 0};
    v->spans[2] = (conv_rows_span){right, columns, NULL, 0};
    return ((left > 0 ? (left - 1) * w->stride + w->kernel : 0) +
            (right < columns ? (columns - 1 - right) * w->stride + w->kernel : 0)) *
           c;
}

/* Lets the spans see image x; `row` is what conv_rows_divide has returned. */
static void conv_rows_look(conv_rows_view *v, const float *x, float *buffer, int64_t row)
{
    const cc_axis *h = &v->conv->window.h, *w = &v->conv->window.w;
    const int64_t c = v->conv->c, pitch = w->in * c;
    const int64_t iy1 = cc_min(h->in, (v->oy1 - 1) * h->stride - h->before + h->kernel);
    v->iy0 = cc_max(0, v->oy0 * h->stride - h->before);
    for (int q = 0; q < 3; ++q) {
        conv_rows_span *s = &v->spans[q];
        const int64_t x0 = (v->ox0 + s->begin) * w->stride - w->before,
                      x1 = x0 + (s->end - 1 - s->begin) * w->stride + w->kernel;
        s->at = q == 1 ? x + v->iy0 * pitch + x0 * c : buffer;
        s->row = q == 1 ? pitch : row;
        if (q == 1 || s->begin == s->end) continue;
        for (int64_t iy = v->iy0; iy < iy1; ++iy)
            conv_rows_copy_cells(v->conv, buffer + (iy - v->iy0) * row, x + iy * pitch, x0, x1);
        buffer += (x1 - x0) * c;
    }
}

/* kh taps of kw c numbers each. */
static void conv_rows_of_view(const void *source, int64_t first, int count, int64_t tap, int64_t taps, int64_t k,
                              const float **a, int a_taps, float **y)
{
    const conv_rows_view *v = source;
    const cc_axis *h = &v->conv->window.h;
    const int64_t columns = v->ox1 - v->ox0, oc = v->conv->oc;
    int64_t i = first / columns, j = first % columns;
    for (int64_t r = 0; r < count;) {
        const conv_rows_span *s = v->spans;
        while (j >= s->end) ++s;
        const int64_t n = cc_min(count - r, s->end - j);
        for (int64_t t = 0; t < taps; ++t) {
            const int64_t iy = (v->oy0 + i) * h->stride - h->before + tap + t;
            const bool inside = iy >= 0 && iy < h->in;
            const int64_t step = inside ? v->conv->window.w.stride * v->conv->c : 0;
            const float *from = inside ? s->at + (iy - v->iy0) * s->row + (j - s->begin) * step + k : cc_zero_row;
            for (int64_t p = 0; p < n; ++p, from += step) a[t * a_taps + r + p] = from;
        }
        float *to = v->y + (i * v->conv->window.w.out + j) * oc;
        for (int64_t p = 0; p < n; ++p, to += oc) y[r + p] = to;
        r += n;
        j += n;
        if (j == columns) {
            j = 0;
            ++i;
        }
    }
}

static void conv_rows_forward(const cc_conv *conv, float *y, const float *x, const float *w, const float *packed,
                              const cc_epilogue *epilogue, float *scratch, const cc_team *team)
{
    (void)w;
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    const int64_t image = ah->in * aw->in * conv->c, oc = conv->oc;
    float *buffer = scratch + team->ith * CC_PATCH_FLOATS;
    int64_t rows, columns;
    conv_rows_block_size(conv, &rows, &columns);
    const int64_t copied = conv_rows_divide(&(conv_rows_view){.conv = conv, .ox1 = aw->out});
    if (copied > 0) rows = cc_max(rows, (CC_PATCH_FLOATS / copied - ah->kernel) / ah->stride + 1);
    const int64_t blocks = cc_conv_row_blocks(conv->n, ah->out, aw->out);
    cc_range mine;
    for (cc_shares shares = cc_shares_of(team, conv->n * ah->out * blocks, 1, cc_conv_work(conv));
         cc_shares_take(&shares, &mine);)
        for (int64_t i = mine.begin; i < mine.end;) {
            const int64_t row = i / blocks, block = i % blocks, end = aw->out * (block + 1) / blocks;
            conv_rows_view v = {.conv = conv, .oy0 = row % ah->out, .ox0 = aw->out * block / blocks};
            v.oy1 = v.oy0 + (blocks > 1 ? 1 : cc_min(cc_min(ah->out - v.oy0, copied > 0 ? rows : ah->out), mine.end - row));
            for (; v.ox0 < end; v.ox0 = v.ox1) {
                v.ox1 = cc_min(end, v.ox0 + columns);
                v.y = y + (row * aw->out + v.ox0) * oc;
                conv_rows_look(&v, x + row / ah->out * image, buffer, conv_rows_divide(&v));
                cc_product_run(&(cc_product){.m = (v.oy1 - v.oy0) * (v.ox1 - v.ox0),
                                             .n = oc,
                                             .taps = ah->kernel,
                                             .depth = conv_rows_merged(conv),
                                             .rows = conv_rows_of_view,
                                             .source = &v,
                                             .panels = packed,
                                             .bias = epilogue->bias,
                                             .act = epilogue->act,
                                             .alpha = epilogue->alpha,
                                             .accumulate = epilogue->accumulate},
                               &(cc_team){.nth = 1});
            }
            i += v.oy1 - v.oy0;
        }
}

/* Adds what the pixels ox0 .. ox1-1 give to one row of dx through one row of the kernel, from[pixel][step], of which kw c
 * count. */
static void conv_rows_add_windows(const cc_conv *conv, float *dx, const float *from, int64_t step, int64_t ox0, int64_t ox1)
{
    const cc_kernels *kernels = cc_kernels_get();
    const cc_axis *aw = &conv->window.w;
    const int64_t c = conv->c;
    int64_t inside0, inside1, begin, end;
    cc_axis_inside(aw, 0, &inside0, &end);
    cc_axis_inside(aw, aw->kernel - 1, &begin, &inside1);
    inside0 = cc_min(cc_max(inside0, ox0), ox1);
    inside1 = cc_max(cc_min(inside1, ox1), inside0);
    for (int64_t ox = ox0; ox < ox1; ++ox) {
        if (ox == inside0 && inside0 < inside1) {
            kernels->elementwise.add_windows(dx + (ox * aw->stride - aw->before) * c, aw->stride * c, from + (ox - ox0) * step,
                                             step, inside1 - inside0, conv_rows_merged(conv));
            ox = inside1 - 1;
            continue;
        }
        cc_axis_taps(aw, ox, &begin, &end);
        if (begin < end)
            kernels->elementwise.add(dx + (ox * aw->stride - aw->before + begin) * c, from + (ox - ox0) * step + begin * c,
                                     (end - begin) * c);
    }
}

/* Sets pixels to what the sums start from. */
static void conv_rows_start_pixels(float *to, const cc_epilogue *epilogue, int64_t pixels, int64_t c)
{
    if (!epilogue->bias) {
        if (!epilogue->accumulate) memset(to, 0, (size_t)(pixels * c) * sizeof *to);
        return;
    }
    for (int64_t i = 0; i < pixels; ++i, to += c)
        for (int64_t k = 0; k < c; ++k) to[k] = (epilogue->accumulate ? to[k] : 0) + epilogue->bias[k];
}

/* Rows of dx are divided over the threads. The products of some pixels of dy with all of the kernel,
 *     p[ox][ty][tx][c] = sum over oc of dy[oy][ox][oc] w[ty][tx][c][oc]
 * are made in the buffer and added to the rows iy = oy sh - pt + ty that are this thread's, kw c neighbouring numbers at a
 * time. Every number of dx is summed in the same order, by oy first, whoever owns it. */
static void conv_rows_input_gradient(const cc_conv *conv, float *dx, const float *dy, const float *w, const float *packed,
                                     const cc_epilogue *epilogue, float *scratch, const cc_team *team)
{
    (void)w;
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    const int64_t nr = cc_kernels_get()->gemm.nr, oc = conv->oc, merged = conv_rows_merged(conv),
                  n = conv_rows_window_floats(conv);
    const int64_t dx_row = aw->in * conv->c, columns = cc_min(aw->out, CC_PATCH_FLOATS / n);
    float *products = scratch + team->ith * CC_PATCH_FLOATS;
    cc_range mine;
    for (cc_shares shares = cc_shares_of(team, conv->n * ah->in, 1, cc_conv_work(conv)); cc_shares_take(&shares, &mine);)
        for (int64_t row = mine.begin; row < mine.end;) {
            const int64_t image = row / ah->in, iy0 = row % ah->in, iy1 = cc_min(ah->in, iy0 + mine.end - row);
            const int64_t reach =
                iy0 + ah->before - ah->kernel; /* the rows of dy after (iy0 + pt - kh) / sh up to (iy1 - 1 + pt) / sh */
            const int64_t oy0 = reach < 0 ? 0 : reach / ah->stride + 1,
                          oy1 = cc_min(ah->out, (iy1 - 1 + ah->before) / ah->stride + 1);
            float *to = dx + image * ah->in * dx_row;
            conv_rows_start_pixels(to + iy0 * dx_row, epilogue, (iy1 - iy0) * aw->in, conv->c);
            for (int64_t oy = oy0; oy < oy1; ++oy) {
                const int64_t first = oy * ah->stride - ah->before; /* the row of dx that kernel row 0 gives to */
                const int64_t ty0 = cc_max(0, iy0 - first), ty1 = cc_min(ah->kernel, iy1 - first);
                if (ty0 >= ty1) continue;
                const int64_t begin = ty0 * merged / nr * nr,
                              end = cc_min(n, (ty1 * merged + nr - 1) / nr * nr); /* whole panels */
                for (int64_t ox = 0; ox < aw->out; ox += columns) {
                    const int64_t count = cc_min(columns, aw->out - ox);
                    const cc_matrix_rows rows = {
                        .a = dy + ((image * ah->out + oy) * aw->out + ox) * oc, .a_row = oc, .y = products + begin, .y_row = n};
                    cc_product_run(&(cc_product){.m = count,
                                                 .n = end - begin,
                                                 .taps = 1,
                                                 .depth = oc,
                                                 .rows = cc_rows_of_matrix,
                                                 .source = &rows,
                                                 .panels = packed + begin * oc,
                                                 .act = CC_ACT_LINEAR},
                                   &(cc_team){.nth = 1});
                    for (int64_t ty = ty0; ty < ty1; ++ty)
                        conv_rows_add_windows(conv, to + (first + ty) * dx_row, products + ty * merged, n, ox, ox + count);
                }
            }
            cc_act_forward(epilogue->act, epilogue->alpha, to + iy0 * dx_row, to + iy0 * dx_row, (iy1 - iy0) * dx_row);
            row += iy1 - iy0;
        }
}

/* One tile of dw, some of a row of the kernel by a panel of oc. */
typedef struct conv_rows_tile {
    int64_t ty, k, column;
    int m, n;
    float *to;
} conv_rows_tile;

static conv_rows_tile conv_rows_tile_at(const cc_conv *conv, const conv_rows_tiling *t, int64_t tile, float *dw)
{
    const cc_kernels *kernels = cc_kernels_get();
    conv_rows_tile p = {.column = tile % t->across * kernels->gemm.nr,
                        .k = tile / t->across % t->down * kernels->gemm.mr,
                        .ty = tile / (t->across * t->down)};
    p.m = (int)cc_min(kernels->gemm.mr, conv_rows_merged(conv) - p.k);
    p.n = (int)cc_min(kernels->gemm.nr, conv->oc - p.column);
    p.to = dw + (p.ty * conv_rows_merged(conv) + p.k) * conv->oc + p.column;
    return p;
}

/* Adds to tiles tile0 .. tile1-1 of dw what the output rows row0 .. row1-1 contribute, counted over all images:
 *     dw[ty][tx c][oc] += sum over oy, ox of block[oy sh + ty][ox sw c + tx c] dy[oy][ox][oc]
 * Blocks outermost, tiles inside: a block of x and dy stays in the cache for all tiles. */
static void conv_rows_add_tiles(const cc_conv *conv, const conv_rows_tiling *t, int64_t tile0, int64_t tile1, float *dw,
                                const float *x, const float *dy, int64_t row0, int64_t row1, float *buffer)
{
    enum { BLOCK_FLOATS = 65536 }; /* of dy: 256 KB */
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    const int64_t image = ah->in * aw->in * conv->c, oc = conv->oc;
    int64_t rows, columns;
    conv_rows_block_size(conv, &rows, &columns);
    rows = cc_max(1, cc_min(rows, BLOCK_FLOATS / (columns * oc + 1)));
    for (int64_t row = row0; row < row1;) {
        conv_rows_block b = {.oy0 = row % ah->out};
        b.oy1 = cc_min(cc_min(ah->out, b.oy0 + rows), b.oy0 + row1 - row);
        for (b.ox0 = 0; b.ox0 < aw->out; b.ox0 = b.ox1) {
            b.ox1 = cc_min(aw->out, b.ox0 + columns);
            conv_rows_read_block(conv, &b, x + row / ah->out * image, buffer);
            for (int64_t tile = tile0; tile < tile1; ++tile) {
                const conv_rows_tile p = conv_rows_tile_at(conv, t, tile, dw);
                cc_kernels_get()->gemm.outer_tile(&(cc_outer){
                    .m = p.m,
                    .n = p.n,
                    .lines = b.oy1 - b.oy0,
                    .steps = b.ox1 - b.ox0,
                    .a = b.at + p.ty * b.row + p.k,
                    .a_line = b.down,
                    .a_step = b.right,
                    .b = dy + (row * aw->out + b.ox0) * oc + p.column,
                    .b_line = aw->out * oc,
                    .b_step = oc,
                    .y = p.to,
                    .y_row = oc,
                });
            }
        }
        row += b.oy1 - b.oy0;
    }
}

static void conv_rows_weight_gradient(const cc_conv *conv, float *dw, const float *x, const float *dy, float *partial,
                                      const cc_team *team)
{
    const conv_rows_tiling t = conv_rows_tile_weights(conv);
    const int64_t outputs = conv_rows_window_floats(conv) * conv->oc;
    float *buffer = partial + conv_rows_partial_floats(conv, t.blocks) + team->ith * CC_PATCH_FLOATS;
    cc_range mine;
    for (cc_shares shares = cc_shares_of(team, t.blocks * t.count, 1, cc_conv_work(conv)); cc_shares_take(&shares, &mine);)
        for (int64_t i = mine.begin; i < mine.end;) {
            const int64_t block = i / t.count, tile0 = i % t.count, tile1 = cc_min(t.count, tile0 + mine.end - i);
            const cc_range rows = cc_block(conv->n * conv->window.h.out, t.blocks, block);
            float *to = t.blocks > 1 ? partial + block * outputs : dw;
            for (int64_t tile = tile0; tile < tile1; ++tile) {
                const conv_rows_tile p = conv_rows_tile_at(conv, &t, tile, to);
                for (int r = 0; r < p.m; ++r) memset(p.to + r * conv->oc, 0, (size_t)p.n * sizeof *p.to);
            }
            conv_rows_add_tiles(conv, &t, tile0, tile1, to, x, dy, rows.begin, rows.end, buffer);
            i += tile1 - tile0;
        }
    if (t.blocks > 1) {
        cc_barrier_wait(team);
        cc_add_blocks(dw, partial, t.blocks, outputs, team);
    }
}

static const cc_conv_algorithm rows_of_images = {
    .name = "rows",
    .supports = conv_rows_supports,
    .cost = conv_rows_cost,
    .packed = conv_rows_packed_floats,
    .pack = conv_rows_pack,
    .accumulates = true,
    .scratch = conv_rows_scratch_floats,
    .forward = conv_rows_forward,
    .input_gradient = conv_rows_input_gradient,
    .weight_gradient = conv_rows_weight_gradient,
};

CC_CONV_WITH_VOLUMES(rows, rows_of_images, false, false, false);
