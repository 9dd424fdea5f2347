/* Convolution without copying the image: the row pointers of a product point into it. Depthwise shapes, whose products would be one
 * column wide, are loops over the channels instead. Weight gradients are sums of outer products read straight from x and dy. */
#include "conv2d.h"

#include <string.h>

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- Depthwise: groups = c, `many` = oc / c output channels for each input channel ---- */

/* y[g][j] += x[g] w[g][j] */
static void spread(const cc_kernels *kernels, float *y, const float *x, const float *w, int64_t channels, int64_t many)
{
    if (many == 1) {
        kernels->multiply_add(y, x, w, channels);
        return;
    }
    for (int64_t g = 0; g < channels; ++g)
        for (int64_t j = 0; j < many; ++j) y[g * many + j] += x[g] * w[g * many + j];
}

/* y[g] += sum over j of x[g][j] w[g][j] */
static void collect(const cc_kernels *kernels, float *y, const float *x, const float *w, int64_t channels, int64_t many)
{
    if (many == 1) {
        kernels->multiply_add(y, x, w, channels);
        return;
    }
    for (int64_t g = 0; g < channels; ++g)
        for (int64_t j = 0; j < many; ++j) y[g] += x[g * many + j] * w[g * many + j];
}

static void depthwise_forward(const cc_conv2d *conv, float *y, const float *x, const float *w, const float *bias,
                              cc_activation act, float alpha, const cc_team *team)
{
    const cc_kernels *kernels = cc_kernels_get();
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    const int64_t c = conv->c, oc = conv->oc;
    const cc_range mine = cc_slice(team, conv->n * ah->out, 1); /* output rows */
    for (int64_t row = mine.begin; row < mine.end; ++row) {
        const int64_t image = row / ah->out, oy = row % ah->out;
        int64_t ty0, ty1, tx0, tx1;
        cc_axis_taps(ah, oy, &ty0, &ty1);
        for (int64_t ox = 0; ox < aw->out; ++ox) {
            float *to = y + (row * aw->out + ox) * oc;
            if (bias)
                memcpy(to, bias, (size_t)oc * sizeof *to);
            else
                memset(to, 0, (size_t)oc * sizeof *to);
            cc_axis_taps(aw, ox, &tx0, &tx1);
            for (int64_t ty = ty0; ty < ty1; ++ty) {
                const int64_t iy = oy * ah->stride - ah->before + ah->dilation * ty;
                for (int64_t tx = tx0; tx < tx1; ++tx) {
                    const int64_t ix = ox * aw->stride - aw->before + aw->dilation * tx;
                    spread(kernels, to, x + ((image * ah->in + iy) * aw->in + ix) * c, w + (ty * aw->kernel + tx) * oc, c,
                           oc / c);
                }
            }
        }
        cc_act_forward(act, alpha, y + row * aw->out * oc, y + row * aw->out * oc, aw->out * oc);
    }
}

static void depthwise_input_gradient(const cc_conv2d *conv, float *dx, const float *dy, const float *w, const cc_team *team)
{
    const cc_kernels *kernels = cc_kernels_get();
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    const int64_t c = conv->c, oc = conv->oc;
    const cc_range mine = cc_slice(team, conv->n * ah->in, 1); /* rows of dx */
    for (int64_t row = mine.begin; row < mine.end; ++row) {
        const int64_t image = row / ah->in, iy = row % ah->in;
        memset(dx + row * aw->in * c, 0, (size_t)(aw->in * c) * sizeof *dx);
        for (int64_t ty = 0; ty < ah->kernel; ++ty) {
            const int64_t distance = iy + ah->before - ah->dilation * ty, oy = distance / ah->stride;
            if (distance < 0 || distance % ah->stride || oy >= ah->out) continue;
            for (int64_t tx = 0; tx < aw->kernel; ++tx) {
                int64_t begin, end;
                cc_axis_inside(aw, tx, &begin, &end);
                for (int64_t ox = begin; ox < end; ++ox) {
                    const int64_t ix = ox * aw->stride - aw->before + aw->dilation * tx;
                    collect(kernels, dx + (row * aw->in + ix) * c, dy + ((image * ah->out + oy) * aw->out + ox) * oc,
                            w + (ty * aw->kernel + tx) * oc, c, oc / c);
                }
            }
        }
    }
}

static int64_t depthwise_blocks(const cc_conv2d *conv)
{
    return cc_blocks(conv->n * conv->window.h.out, cc_conv2d_taps(conv), cc_conv2d_taps(conv) * conv->oc);
}

/* A piece of work is one tap over one block of output rows. */
static void depthwise_weight_gradient(const cc_conv2d *conv, float *dw, const float *x, const float *dy, float *partial,
                                      const cc_team *team)
{
    const cc_kernels *kernels = cc_kernels_get();
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    const int64_t c = conv->c, oc = conv->oc, taps = cc_conv2d_taps(conv), blocks = depthwise_blocks(conv);
    const cc_range mine = cc_slice(team, blocks * taps, 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        const int64_t block = i / taps, tap = i % taps, ty = tap / aw->kernel, tx = tap % aw->kernel;
        const cc_range rows = cc_block(conv->n * ah->out, blocks, block);
        float *to = (blocks > 1 ? partial + block * taps * oc : dw) + tap * oc;
        memset(to, 0, (size_t)oc * sizeof *to);
        int64_t begin, end;
        cc_axis_inside(aw, tx, &begin, &end);
        for (int64_t row = rows.begin; row < rows.end; ++row) {
            const int64_t image = row / ah->out, iy = row % ah->out * ah->stride - ah->before + ah->dilation * ty;
            if (iy < 0 || iy >= ah->in) continue;
            for (int64_t ox = begin; ox < end; ++ox) {
                const int64_t ix = ox * aw->stride - aw->before + aw->dilation * tx;
                spread(kernels, to, x + ((image * ah->in + iy) * aw->in + ix) * c, dy + (row * aw->out + ox) * oc, c, oc / c);
            }
        }
    }
    if (blocks > 1) {
        cc_barrier(team);
        cc_add_blocks(dw, partial, blocks, taps * oc, team);
    }
}

/* ---- All other shapes ---- */

void cc_conv2d_direct_forward(const cc_conv2d *conv, float *y, const float *x, const float *w, const float *packed,
                              const float *bias, cc_activation act, float alpha, const cc_team *team)
{
    if (cc_conv2d_is_depthwise(conv))
        depthwise_forward(conv, y, x, w, bias, act, alpha, team);
    else
        cc_conv2d_forward_product(conv, y, x, packed, bias, act, alpha, NULL, team);
}

void cc_conv2d_direct_input_gradient(const cc_conv2d *conv, float *dx, const float *dy, const float *w, const float *packed,
                                     const cc_team *team)
{
    if (cc_conv2d_is_depthwise(conv))
        depthwise_input_gradient(conv, dx, dy, w, team);
    else
        cc_conv2d_input_gradient_product(conv, dx, dy, packed, NULL, team);
}

/* Tiles of dw: taps x groups x blocks of c x panels of oc. */
typedef struct tiling {
    int64_t taps, groups, down, across, count, blocks;
} tiling;

static tiling tile_weights(const cc_conv2d *conv)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t c = conv->c / conv->groups, oc = conv->oc / conv->groups;
    tiling t = {.taps = cc_conv2d_taps(conv),
                .groups = conv->groups,
                .down = (c + kernels->mr - 1) / kernels->mr,
                .across = (oc + kernels->nr - 1) / kernels->nr};
    t.count = t.taps * t.groups * t.down * t.across;
    t.blocks = cc_blocks(conv->n * conv->window.h.out, t.count, t.taps * c * conv->oc);
    return t;
}

int64_t cc_conv2d_direct_partial(const cc_conv2d *conv)
{
    const int64_t outputs = cc_conv2d_taps(conv) * (conv->c / conv->groups) * conv->oc;
    const int64_t blocks = cc_conv2d_is_depthwise(conv) ? depthwise_blocks(conv) : tile_weights(conv).blocks;
    return blocks > 1 ? blocks * outputs : 0;
}

/* Adds to one tile of dw what the output rows oy0 .. oy1-1 of one image contribute:
 *     dw[ty][tx][c][oc] += sum over oy, ox of x[oy sh - pt + dh ty][ox sw - pl + dw tx][c] dy[oy][ox][oc]
 * over the part of them where that pixel of x is inside the image. */
static void add_tile(const cc_conv2d *conv, const tiling *t, int64_t tile, float *dw, const float *x, const float *dy,
                     int64_t oy0, int64_t oy1)
{
    const cc_kernels *kernels = cc_kernels_get();
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    const int64_t c = conv->c / conv->groups, oc = conv->oc / conv->groups;
    const int64_t column = tile % t->across * kernels->nr, row = tile / t->across % t->down * kernels->mr;
    const int64_t group = tile / (t->across * t->down) % t->groups, tap = tile / (t->across * t->down * t->groups);
    const int64_t ty = tap / aw->kernel, tx = tap % aw->kernel;
    int64_t y0, y1, x0, x1;
    cc_axis_inside(ah, ty, &y0, &y1);
    cc_axis_inside(aw, tx, &x0, &x1);
    if (y0 < oy0) y0 = oy0;
    if (y1 > oy1) y1 = oy1;
    if (y0 >= y1 || x0 >= x1) return;
    const int64_t iy = y0 * ah->stride - ah->before + ah->dilation * ty, ix = x0 * aw->stride - aw->before + aw->dilation * tx;
    kernels->outer_tile(&(cc_outer){
        .m = (int)least(kernels->mr, c - row),
        .n = (int)least(kernels->nr, oc - column),
        .lines = y1 - y0,
        .steps = x1 - x0,
        .a = x + (iy * aw->in + ix) * conv->c + group * c + row,
        .a_line = ah->stride * aw->in * conv->c,
        .a_step = aw->stride * conv->c,
        .b = dy + (y0 * aw->out + x0) * conv->oc + group * oc + column,
        .b_line = aw->out * conv->oc,
        .b_step = conv->oc,
        .y = dw + (tap * c + row) * conv->oc + group * oc + column,
        .y_row = conv->oc,
    });
}

static void clear_tile(const cc_conv2d *conv, const tiling *t, int64_t tile, float *dw)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t c = conv->c / conv->groups, oc = conv->oc / conv->groups;
    const int64_t column = tile % t->across * kernels->nr, row = tile / t->across % t->down * kernels->mr;
    const int64_t group = tile / (t->across * t->down) % t->groups, tap = tile / (t->across * t->down * t->groups);
    for (int64_t i = row; i < least(row + kernels->mr, c); ++i)
        memset(dw + (tap * c + i) * conv->oc + group * oc + column, 0, (size_t)least(kernels->nr, oc - column) * sizeof *dw);
}

/* Bands of output rows outermost, tiles inside: the band's pixels of x and dy stay in the cache for all tiles. */
void cc_conv2d_direct_weight_gradient(const cc_conv2d *conv, float *dw, const float *x, const float *dy, float *partial,
                                      const cc_team *team)
{
    if (cc_conv2d_is_depthwise(conv)) {
        depthwise_weight_gradient(conv, dw, x, dy, partial, team);
        return;
    }
    enum { BAND_FLOATS = 65536 }; /* of x and dy: 256 KB */
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    const tiling t = tile_weights(conv);
    const int64_t outputs = t.taps * (conv->c / conv->groups) * conv->oc;
    const int64_t image = ah->in * aw->in * conv->c, result = ah->out * aw->out * conv->oc;
    const int64_t row_floats = aw->in * conv->c * ah->stride + aw->out * conv->oc;
    const int64_t band = row_floats < BAND_FLOATS && row_floats > 0 ? BAND_FLOATS / row_floats : 1;

    const cc_range mine = cc_slice(team, t.blocks * t.count, 1);
    for (int64_t i = mine.begin; i < mine.end;) {
        const int64_t block = i / t.count, tile0 = i % t.count, tile1 = least(t.count, tile0 + mine.end - i);
        const cc_range rows = cc_block(conv->n * ah->out, t.blocks, block);
        float *to = t.blocks > 1 ? partial + block * outputs : dw;
        for (int64_t tile = tile0; tile < tile1; ++tile) clear_tile(conv, &t, tile, to);
        for (int64_t row = rows.begin; row < rows.end;) {
            const int64_t n = row / ah->out, oy0 = row % ah->out, oy1 = least(least(ah->out, oy0 + band), oy0 + rows.end - row);
            for (int64_t tile = tile0; tile < tile1; ++tile)
                add_tile(conv, &t, tile, to, x + n * image, dy + n * result, oy0, oy1);
            row += oy1 - oy0;
        }
        i += tile1 - tile0;
    }
    if (t.blocks > 1) {
        cc_barrier(team);
        cc_add_blocks(dw, partial, t.blocks, outputs, team);
    }
}
