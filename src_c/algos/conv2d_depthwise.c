/* Depthwise convolution: one input channel per group (groups = c), `many` = oc / c output channels for each. Its products would be one
 * column wide, so these are loops over the channels, which lie side by side in memory. */
#include "conv2d.h"
#include "gemm.h"

#include <string.h>

static bool fits(const cc_conv2d *conv)
{
    return conv->c == conv->groups && conv->groups > 1;
}

static double cost(const cc_conv2d *conv, cc_conv2d_pass pass)
{
    (void)pass;
    return 4 * cc_conv2d_work(conv);
}

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

static void forward(const cc_conv2d *conv, float *y, const float *x, const float *w, const float *packed,
                    const cc_epilogue *epilogue, float *scratch, const cc_team *team)
{
    (void)packed, (void)scratch;
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
            if (epilogue->bias)
                memcpy(to, epilogue->bias, (size_t)oc * sizeof *to);
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
        cc_act_forward(epilogue->act, epilogue->alpha, y + row * aw->out * oc, y + row * aw->out * oc, aw->out * oc);
    }
}

static void input_gradient(const cc_conv2d *conv, float *dx, const float *dy, const float *w, const float *packed,
                           float *scratch, const cc_team *team)
{
    (void)packed, (void)scratch;
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

static int64_t blocks_of(const cc_conv2d *conv)
{
    return cc_blocks(conv->n * conv->window.h.out, cc_conv2d_taps(conv), cc_conv2d_taps(conv) * conv->oc);
}

/* A piece of work is one tap over one block of output rows. */
static void weight_gradient(const cc_conv2d *conv, float *dw, const float *x, const float *dy, float *partial,
                            const cc_team *team)
{
    const cc_kernels *kernels = cc_kernels_get();
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    const int64_t c = conv->c, oc = conv->oc, taps = cc_conv2d_taps(conv), blocks = blocks_of(conv);
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

static int64_t scratch_floats(const cc_conv2d *conv, cc_conv2d_pass pass, int nth)
{
    (void)nth;
    if (pass != CC_CONV2D_WEIGHT_GRADIENT) return 0;
    const int64_t blocks = blocks_of(conv);
    return blocks > 1 ? blocks * cc_conv2d_taps(conv) * conv->oc : 0;
}

const cc_conv2d_algorithm cc_conv2d_depthwise = {
    .name = "depthwise",
    .fits = fits,
    .cost = cost,
    .scratch = scratch_floats,
    .forward = forward,
    .input_gradient = input_gradient,
    .weight_gradient = weight_gradient,
};
