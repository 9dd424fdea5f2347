/* Convolution as a product of matrices: the patches that the window sees become the rows of a matrix ("image to columns";
 * Chellapilla, Puri, Simard, "High performance convolutional neural networks for document processing", 2006). The whole matrix
 * would be kd kh kw times the image, so each thread writes the patches of some hundred pixels, multiplies, and goes on with the
 * next. */
#include "algos/conv/conv_gather.h"
#include "base/shares.h"

#include <string.h>

/* Pointers, and copies by them: hardly ever less than `direct`. */
static double conv_im2col_cost(const cc_conv *conv, cc_conv_pass pass)
{
    const double c = (double)(conv->c / conv->groups), oc = (double)(conv->oc / conv->groups);
    const double cycle = cc_gather_cycle();
    if (pass == CC_CONV_WEIGHT_GRADIENT) return 1.1 * cc_gather_cost(conv, CC_CONV_FORWARD, (9 + c) * cycle);
    return cc_gather_cost(conv, pass, (4 + (pass == CC_CONV_FORWARD ? c : oc) / 3) * cycle);
}

static void conv_im2col_forward(const cc_conv *conv, float *y, const float *x, const float *w, const float *packed,
                                const cc_epilogue *epilogue, float *patches, const cc_team *team)
{
    (void)w;
    cc_gather_forward_product(conv, y, x, packed, epilogue, patches + team->ith * CC_PATCH_FLOATS, team);
}

/* The patches are those of dy around each pixel of dx. */
static void conv_im2col_input_gradient(const cc_conv *conv, float *dx, const float *dy, const float *w, const float *packed,
                                       const cc_epilogue *epilogue, float *patches, const cc_team *team)
{
    (void)w;
    cc_gather_input_gradient_product(conv, dx, dy, packed, epilogue, patches + team->ith * CC_PATCH_FLOATS, team);
}

/* The rows of dw, kernel cells by input channels, are divided into tiles whose patches fit the buffer: several cells, or some
 * channels of one. */
typedef struct conv_im2col_tiling {
    int64_t taps, depth;   /* of one tile */
    int64_t across, count; /* tiles along the channels; in all */
    int64_t blocks;
} conv_im2col_tiling;

static conv_im2col_tiling conv_im2col_tile_weights(const cc_conv *conv)
{
    const int64_t c = conv->c / conv->groups, taps = cc_conv_taps(conv);
    conv_im2col_tiling s = {.depth = c < 1 ? 1 : cc_min(c, CC_DEPTH_BLOCK)};
    s.taps = cc_min(CC_DEPTH_BLOCK / s.depth, taps);
    s.across = (c + s.depth - 1) / s.depth;
    s.count = conv->groups * s.across * ((taps + s.taps - 1) / s.taps);
    s.blocks = cc_blocks((cc_conv_pixels(conv) + 31) / 32, 32, s.count, taps * c * conv->oc);
    return s;
}

static int64_t conv_im2col_partial_floats(const cc_conv *conv, int64_t blocks)
{
    return blocks > 1 ? blocks * cc_conv_taps(conv) * (conv->c / conv->groups) * conv->oc : 0;
}

/* Each thread's patches, before them the partial sums of a weight gradient. */
static int64_t conv_im2col_scratch_floats(const cc_conv *conv, cc_conv_pass pass, int nth)
{
    const int64_t partial =
        pass == CC_CONV_WEIGHT_GRADIENT ? conv_im2col_partial_floats(conv, conv_im2col_tile_weights(conv).blocks) : 0;
    return partial + nth * (int64_t)CC_PATCH_FLOATS;
}

/* dw += patches^T dy for the patches [pixels][rows] and dy [pixels][oc] (its columns from the group's first on). */
static void conv_im2col_add_product(float *dw, const float *patches, const float *dy, int64_t rows, int64_t n, int64_t oc,
                                    int64_t pixels)
{
    const cc_kernels *kernels = cc_kernels_get();
    for (int64_t column = 0; column < n; column += kernels->gemm.nr)
        for (int64_t row = 0; row < rows; row += kernels->gemm.mr)
            kernels->gemm.outer_tile(&(cc_outer){.m = (int)cc_min(kernels->gemm.mr, rows - row),
                                                 .n = (int)cc_min(kernels->gemm.nr, n - column),
                                                 .lines = 1,
                                                 .steps = pixels,
                                                 .a = patches + row,
                                                 .a_step = rows,
                                                 .b = dy + column,
                                                 .b_step = oc,
                                                 .y = dw + row * oc + column,
                                                 .y_row = oc});
}

/* A task is one tile over one block of the terms. */
static void conv_im2col_weight_gradient(const cc_conv *conv, float *dw, const float *x, const float *dy, float *partial,
                                        const cc_team *team)
{
    enum { PIXELS = 256, POINTERS = CC_DEPTH_BLOCK };
    const conv_im2col_tiling s = conv_im2col_tile_weights(conv);
    const int64_t c = conv->c / conv->groups, n = conv->oc / conv->groups, taps = cc_conv_taps(conv);
    const int64_t pixels = cc_conv_pixels(conv), outputs = taps * c * conv->oc;
    const int64_t block = cc_min(PIXELS, CC_PATCH_FLOATS / (s.taps * s.depth));
    float nowhere = 0, *patches = partial + conv_im2col_partial_floats(conv, s.blocks) + team->ith * CC_PATCH_FLOATS;

    cc_range mine;
    for (cc_shares shares = cc_shares_of(team, s.blocks * s.count, 1, cc_conv_work(conv)); cc_shares_take(&shares, &mine);)
        for (int64_t i = mine.begin; i < mine.end; ++i) {
            const int64_t tile = i % s.count, per_group = s.count / conv->groups, group = tile / per_group;
            const int64_t tap = tile % per_group / s.across * s.taps, k = tile % s.across * s.depth;
            const int64_t tile_taps = cc_min(s.taps, taps - tap), depth = cc_min(s.depth, c - k), rows = tile_taps * depth;
            const cc_range terms = cc_block((pixels + 31) / 32, s.blocks, i / s.count);
            float *to = (s.blocks > 1 ? partial + i / s.count * outputs : dw) + (tap * c + k) * conv->oc + group * n;
            for (int64_t r = 0; r < rows; ++r) memset(to + r * conv->oc, 0, (size_t)n * sizeof *to);

            cc_gather gather = cc_gather_of_forward(conv, &nowhere, x + group * c);
            gather.target_d = gather.target_h = gather.target_w = gather.target_channels = 0;
            const int64_t end = cc_min(terms.end * 32, pixels);
            for (int64_t p = terms.begin * 32; p < end; p += block) {
                const int64_t count = cc_min(block, end - p);
                const float *from[POINTERS];
                float *unused;
                for (int64_t q = 0; q < count; ++q) {
                    cc_rows_of_gather(&gather, p + q, 1, tap, tile_taps, k, from, 1, &unused);
                    float *row = patches + q * rows;
                    for (int64_t t = 0; t < tile_taps; ++t, row += depth)
                        for (int64_t j = 0; j < depth; ++j) row[j] = from[t][j];
                }
                conv_im2col_add_product(to, patches, dy + p * conv->oc + group * n, rows, n, conv->oc, count);
            }
        }
    if (s.blocks > 1) {
        cc_barrier_wait(team);
        cc_add_blocks(dw, partial, s.blocks, outputs, team);
    }
}

const cc_conv_algorithm cc_conv_im2col = {
    .name = "im2col",
    .cost = conv_im2col_cost,
    .packed = cc_gather_packed,
    .pack = cc_gather_pack,
    .accumulates = true,
    .pitched = true,
    .scratch = conv_im2col_scratch_floats,
    .forward = conv_im2col_forward,
    .input_gradient = conv_im2col_input_gradient,
    .weight_gradient = conv_im2col_weight_gradient,
};
