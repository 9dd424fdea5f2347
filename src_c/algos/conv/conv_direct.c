/* Convolution without copying the image: the row pointers of a product point into it. Weight gradients are sums of outer
 * products read straight from x and dy. */
#include "algos/conv/conv_gather.h"
#include "base/shares.h"

#include <string.h>

static void conv_direct_forward(const cc_conv *conv, float *y, const float *x, const float *w, const float *packed,
                                const cc_epilogue *epilogue, float *scratch, const cc_team *team)
{
    (void)w, (void)scratch;
    cc_gather_forward_product(conv, y, x, packed, epilogue, NULL, team);
}

static void conv_direct_input_gradient(const cc_conv *conv, float *dx, const float *dy, const float *w, const float *packed,
                                       const cc_epilogue *epilogue, float *scratch, const cc_team *team)
{
    (void)w, (void)scratch;
    cc_gather_input_gradient_product(conv, dx, dy, packed, epilogue, NULL, team);
}

/* Tiles of dw: taps x groups x blocks of c x panels of oc. */
typedef struct conv_direct_tiling {
    int64_t taps, groups, down, across, count, blocks;
} conv_direct_tiling;

static conv_direct_tiling conv_direct_tile_weights(const cc_conv *conv)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t c = conv->c / conv->groups, oc = conv->oc / conv->groups;
    conv_direct_tiling t = {.taps = cc_conv_taps(conv),
                            .groups = conv->groups,
                            .down = (c + kernels->gemm.mr - 1) / kernels->gemm.mr,
                            .across = (oc + kernels->gemm.nr - 1) / kernels->gemm.nr};
    t.count = t.taps * t.groups * t.down * t.across;
    t.blocks = cc_blocks(conv->n * conv->window.d.out * conv->window.h.out, conv->window.w.out, t.count, t.taps * c * conv->oc);
    return t;
}

/* Pointers an even step apart cost less. In a weight gradient each step of a tile loads two vectors, for c multiplications by
 * each. */
static double conv_direct_cost(const cc_conv *conv, cc_conv_pass pass)
{
    const cc_window *window = &conv->window;
    const bool even = cc_axis_is_pointwise(&window->d) && cc_axis_is_pointwise(&window->h) && cc_axis_is_pointwise(&window->w);
    if (pass != CC_CONV_WEIGHT_GRADIENT) return cc_gather_cost(conv, pass, even ? -7.4 * cc_gather_cycle() : 0);
    const conv_direct_tiling t = conv_direct_tile_weights(conv);
    const double steps = (double)cc_conv_pixels(conv) * (double)(t.taps * t.groups * t.across) * cc_kernels_get()->gemm.nr;
    return steps * (double)(conv->c / conv->groups + t.down);
}

static int64_t conv_direct_partial_floats(const cc_conv *conv, const conv_direct_tiling *t)
{
    return t->blocks > 1 ? t->blocks * t->taps * (conv->c / conv->groups) * conv->oc : 0;
}

/* Whether the weight gradient copies x and dy side by side: with many tiles the copies are used often enough. */
static bool conv_direct_copies(const cc_conv *conv)
{
    return conv->c / conv->groups * (conv->oc / conv->groups) >= 1 << 17;
}

/* Of the weight gradient: partial sums, then each thread's patches. */
static int64_t conv_direct_scratch_floats(const cc_conv *conv, cc_conv_pass pass, int nth)
{
    if (pass != CC_CONV_WEIGHT_GRADIENT) return 0;
    const conv_direct_tiling t = conv_direct_tile_weights(conv);
    return conv_direct_partial_floats(conv, &t) + (conv_direct_copies(conv) ? nth * (int64_t)CC_PATCH_FLOATS : 0);
}

/* A block of the output: some rows of one plane, or whole planes. Planes are counted through the images; those of a block are a
 * fixed distance apart, and so are the planes of x that they see. */
typedef struct conv_direct_block {
    int64_t plane, planes, oy0, oy1;
} conv_direct_block;

/* The axis along which planes are counted, and the image of the first of them: where an image is one plane, that is the batch. */
static cc_axis conv_direct_plane_axis(const cc_conv *conv)
{
    if (!cc_conv_is_flat(conv)) return conv->window.d;
    return (cc_axis){.in = conv->n, .out = conv->n, .kernel = 1, .stride = 1, .dilation = 1};
}

/* Adds to a rectangle of dw, from tile `tile` on `m` rows by `n` columns of one tap and group, what a block of the output
 * contributes:
 *     dw[tz][ty][tx][c][oc] += sum over oz, oy, ox of x[iz][iy][ix][c] dy[oz][oy][ox][oc], with i = o s - p + d t along each axis,
 * over those of it where that pixel of x is inside the image. */
static void conv_direct_add_rectangle(const cc_conv *conv, const conv_direct_tiling *t, int64_t tile, int64_t m, int64_t n,
                                      float *dw, const float *x, const float *dy, const conv_direct_block *b, float *patches)
{
    const cc_kernels *kernels = cc_kernels_get();
    const cc_axis ad = conv_direct_plane_axis(conv), *ah = &conv->window.h, *aw = &conv->window.w;
    const int64_t c = conv->c / conv->groups, oc = conv->oc / conv->groups;
    const int64_t column = tile % t->across * kernels->gemm.nr, row = tile / t->across % t->down * kernels->gemm.mr;
    const int64_t group = tile / (t->across * t->down) % t->groups, tap = tile / (t->across * t->down * t->groups);
    const int64_t tz = tap / (ah->kernel * aw->kernel), ty = tap / aw->kernel % ah->kernel, tx = tap % aw->kernel;
    const int64_t image = b->plane / ad.out, oz = b->plane % ad.out;
    int64_t z0, z1, y0, y1, x0, x1;
    cc_axis_inside(&ad, tz, &z0, &z1);
    cc_axis_inside(ah, ty, &y0, &y1);
    cc_axis_inside(aw, tx, &x0, &x1);
    z0 = cc_max(z0, oz), z1 = cc_min(z1, oz + b->planes);
    y0 = cc_max(y0, b->oy0), y1 = cc_min(y1, b->oy1);
    if (z0 >= z1 || y0 >= y1 || x0 >= x1) return;
    const int64_t iz = z0 * ad.stride - ad.before + ad.dilation * tz;
    const int64_t iy = y0 * ah->stride - ah->before + ah->dilation * ty, ix = x0 * aw->stride - aw->before + aw->dilation * tx;
    cc_outers_add(
        &(cc_outers){
            .m = cc_min(m, c - row),
            .n = cc_min(n, oc - column),
            .images = z1 - z0,
            .lines = y1 - y0,
            .steps = x1 - x0,
            .a = x + (((image * ad.in + iz) * ah->in + iy) * aw->in + ix) * conv->c + group * c + row,
            .a_image = ad.stride * ah->in * aw->in * conv->c,
            .a_line = ah->stride * aw->in * conv->c,
            .a_step = aw->stride * conv->c,
            .b = dy + (((image * ad.out + z0) * ah->out + y0) * aw->out + x0) * conv->oc + group * oc + column,
            .b_image = ah->out * aw->out * conv->oc,
            .b_line = aw->out * conv->oc,
            .b_step = conv->oc,
            .y = dw + (tap * c + row) * conv->oc + group * oc + column,
            .y_row = conv->oc,
        },
        patches);
}

/* Tiles tile0 .. tile1-1, as rectangles: the rest of a row of tiles, or as many whole rows as the tap and group have. */
static void conv_direct_add_tiles(const cc_conv *conv, const conv_direct_tiling *t, int64_t tile0, int64_t tile1, float *dw,
                                  const float *x, const float *dy, const conv_direct_block *b, float *patches)
{
    const int mr = cc_kernels_get()->gemm.mr, nr = cc_kernels_get()->gemm.nr;
    for (int64_t tile = tile0; tile < tile1;) {
        const int64_t before = tile % t->across, below = t->down - tile / t->across % t->down;
        int64_t down = before ? 0 : cc_min(below, (tile1 - tile) / t->across);
        const int64_t across = down > 0 ? t->across : cc_min(t->across - before, tile1 - tile);
        if (down < 1) down = 1;
        conv_direct_add_rectangle(conv, t, tile, down * mr, across * nr, dw, x, dy, b, patches);
        tile += down * across;
    }
}

static void conv_direct_clear_tile(const cc_conv *conv, const conv_direct_tiling *t, int64_t tile, float *dw)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t c = conv->c / conv->groups, oc = conv->oc / conv->groups;
    const int64_t column = tile % t->across * kernels->gemm.nr, row = tile / t->across % t->down * kernels->gemm.mr;
    const int64_t group = tile / (t->across * t->down) % t->groups, tap = tile / (t->across * t->down * t->groups);
    for (int64_t i = row; i < cc_min(row + kernels->gemm.mr, c); ++i)
        memset(dw + (tap * c + i) * conv->oc + group * oc + column, 0,
               (size_t)cc_min(kernels->gemm.nr, oc - column) * sizeof *dw);
}

/* Blocks of output rows outermost, tiles inside: the block's pixels of x and dy stay in the cache for all tiles. */
static void conv_direct_weight_gradient(const cc_conv *conv, float *dw, const float *x, const float *dy, float *partial,
                                        const cc_team *team)
{
    enum { BLOCK_PIXELS = 256, BLOCK_FLOATS = 65536 }; /* copied; read in place: 256 KB of x and dy */
    const cc_axis ad = conv_direct_plane_axis(conv), *ah = &conv->window.h, *aw = &conv->window.w;
    const conv_direct_tiling t = conv_direct_tile_weights(conv);
    const int64_t outputs = t.taps * (conv->c / conv->groups) * conv->oc, pixels = ah->out * aw->out;
    const int64_t row_floats = aw->in * conv->c * ah->stride + aw->out * conv->oc;
    /* A block is several planes, or some rows of one. */
    const int64_t per_plane = pixels > BLOCK_PIXELS ? (pixels + BLOCK_PIXELS - 1) / BLOCK_PIXELS : 1;
    int64_t block_rows = (ah->out + per_plane - 1) / per_plane,
            block_planes = pixels > 0 && per_plane == 1 ? BLOCK_PIXELS / pixels : 0;
    float *patches = NULL;
    if (conv_direct_copies(conv)) {
        patches = partial + conv_direct_partial_floats(conv, &t) + team->ith * CC_PATCH_FLOATS;
    } else {
        block_rows = row_floats < BLOCK_FLOATS && row_floats > 0 ? BLOCK_FLOATS / row_floats : 1;
        block_planes = 0;
    }

    cc_range mine;
    for (cc_shares shares = cc_shares_of(team, t.blocks * t.count, 1, cc_conv_work(conv)); cc_shares_take(&shares, &mine);)
        for (int64_t i = mine.begin; i < mine.end;) {
            const int64_t block = i / t.count, tile0 = i % t.count, tile1 = cc_min(t.count, tile0 + mine.end - i);
            const cc_range rows = cc_block(conv->n * conv->window.d.out * ah->out, t.blocks, block);
            float *to = t.blocks > 1 ? partial + block * outputs : dw;
            for (int64_t tile = tile0; tile < tile1; ++tile) conv_direct_clear_tile(conv, &t, tile, to);
            for (int64_t row = rows.begin; row < rows.end;) {
                const int64_t left = rows.end - row;
                conv_direct_block b = {.plane = row / ah->out, .planes = 1, .oy0 = row % ah->out};
                const int64_t whole = b.oy0 == 0 ? cc_min(cc_min(block_planes, left / ah->out), ad.out - b.plane % ad.out) : 0;
                b.oy1 = cc_min(ah->out, b.oy0 + cc_min(block_rows, left));
                if (whole > 0) b.planes = whole;
                conv_direct_add_tiles(conv, &t, tile0, tile1, to, x, dy, &b, patches);
                row += whole > 0 ? whole * ah->out : b.oy1 - b.oy0;
            }
            i += tile1 - tile0;
        }
    if (t.blocks > 1) {
        cc_barrier_wait(team);
        cc_add_blocks(dw, partial, t.blocks, outputs, team);
    }
}

const cc_conv_algorithm cc_conv_direct = {
    .name = "direct",
    .cost = conv_direct_cost,
    .packed = cc_gather_packed,
    .pack = cc_gather_pack,
    .by_rows = true,
    .accumulates = true,
    .pitched = true,
    .scratch = conv_direct_scratch_floats,
    .forward = conv_direct_forward,
    .input_gradient = conv_direct_input_gradient,
    .weight_gradient = conv_direct_weight_gradient,
};
