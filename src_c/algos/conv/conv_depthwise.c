/* Depthwise convolution: one input channel per group (groups = c), `many` = oc / c output channels for each. Its products would
 * be one column wide, so channels, which lie side by side in memory, fill the vectors instead
 * (kernels/depthwise/depthwise.inc.h).
 *
 * Forward and the input gradient go row by row over what they write: each output row reads the rows of its input under the
 * kernel, and a row of the gradient of a strided convolution falls into phases, each a convolution with stride 1
 * (conv_gather.h). The weight gradient adds up the rows of dy by blocks. With several output channels for each input channel,
 * plain loops do. */
#include "algos/conv/conv_gather.h"
#include "base/shares.h"
#include "algos/gemm.h"

#include <string.h>

static bool conv_depthwise_supports(const cc_conv *conv)
{
    return cc_conv_is_flat(conv) && conv->c == conv->groups && conv->groups > 1;
}

static double conv_depthwise_cost(const cc_conv *conv, cc_conv_pass pass)
{
    (void)pass;
    return (conv->oc > conv->c ? 4 : 2) * cc_conv_work(conv);
}

/* ---- Several output channels for each input channel ---- */

/* y[g][j] += x[g] w[g][j] */
static void conv_depthwise_expand(float *y, const float *x, const float *w, int64_t channels, int64_t many)
{
    for (int64_t g = 0; g < channels; ++g)
        for (int64_t j = 0; j < many; ++j) y[g * many + j] += x[g] * w[g * many + j];
}

/* y[g] += sum over j of x[g][j] w[g][j] */
static void conv_depthwise_contract(float *y, const float *x, const float *w, int64_t channels, int64_t many)
{
    for (int64_t g = 0; g < channels; ++g)
        for (int64_t j = 0; j < many; ++j) y[g] += x[g * many + j] * w[g * many + j];
}

/* What the sums of a pixel start from. */
static void conv_depthwise_start_pixel(float *to, const cc_epilogue *epilogue, int64_t channels)
{
    if (epilogue->bias)
        memcpy(to, epilogue->bias, (size_t)channels * sizeof *to);
    else
        memset(to, 0, (size_t)channels * sizeof *to);
}

static void conv_depthwise_forward_many(const cc_conv *conv, float *y, const float *x, const float *w,
                                        const cc_epilogue *epilogue, const cc_team *team)
{
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    const int64_t c = conv->c, oc = conv->oc, pitch = epilogue->pitch ? epilogue->pitch : oc;
    const cc_range mine = cc_slice(team, conv->n * ah->out, 1); /* output rows */
    for (int64_t row = mine.begin; row < mine.end; ++row) {
        const int64_t image = row / ah->out, oy = row % ah->out;
        int64_t ty0, ty1, tx0, tx1;
        cc_axis_taps(ah, oy, &ty0, &ty1);
        for (int64_t ox = 0; ox < aw->out; ++ox) {
            float *to = y + (row * aw->out + ox) * pitch;
            conv_depthwise_start_pixel(to, epilogue, oc);
            cc_axis_taps(aw, ox, &tx0, &tx1);
            for (int64_t ty = ty0; ty < ty1; ++ty) {
                const int64_t iy = oy * ah->stride - ah->before + ah->dilation * ty;
                for (int64_t tx = tx0; tx < tx1; ++tx) {
                    const int64_t ix = ox * aw->stride - aw->before + aw->dilation * tx;
                    conv_depthwise_expand(to, x + ((image * ah->in + iy) * aw->in + ix) * c, w + (ty * aw->kernel + tx) * oc, c,
                                          oc / c);
                }
            }
        }
        cc_act_rows(epilogue->act, epilogue->alpha, y + row * aw->out * pitch, aw->out, pitch, oc);
    }
}

static void conv_depthwise_input_gradient_many(const cc_conv *conv, float *dx, const float *dy, const float *w,
                                               const cc_epilogue *epilogue, const cc_team *team)
{
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    const int64_t c = conv->c, oc = conv->oc;
    const cc_range mine = cc_slice(team, conv->n * ah->in, 1); /* rows of dx */
    for (int64_t row = mine.begin; row < mine.end; ++row) {
        const int64_t image = row / ah->in, iy = row % ah->in;
        float *to = dx + row * aw->in * c;
        for (int64_t ix = 0; ix < aw->in; ++ix) conv_depthwise_start_pixel(to + ix * c, epilogue, c);
        for (int64_t ty = 0; ty < ah->kernel; ++ty) {
            const int64_t distance = iy + ah->before - ah->dilation * ty, oy = distance / ah->stride;
            if (distance < 0 || distance % ah->stride || oy >= ah->out) continue;
            for (int64_t tx = 0; tx < aw->kernel; ++tx) {
                int64_t begin, end;
                cc_axis_inside(aw, tx, &begin, &end);
                for (int64_t ox = begin; ox < end; ++ox) {
                    const int64_t ix = ox * aw->stride - aw->before + aw->dilation * tx;
                    conv_depthwise_contract(to + ix * c, dy + ((image * ah->out + oy) * aw->out + ox) * oc,
                                            w + (ty * aw->kernel + tx) * oc, c, oc / c);
                }
            }
        }
        cc_act_forward(epilogue->act, epilogue->alpha, to, to, aw->in * c);
    }
}

/* dw of output rows begin .. end-1, added to `to`. */
static void conv_depthwise_add_rows_many(const cc_conv *conv, float *to, const float *x, const float *dy, cc_range rows)
{
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    const int64_t c = conv->c, oc = conv->oc;
    for (int64_t tap = 0; tap < cc_conv_taps(conv); ++tap, to += oc) {
        const int64_t ty = tap / aw->kernel, tx = tap % aw->kernel;
        int64_t begin, end;
        cc_axis_inside(aw, tx, &begin, &end);
        for (int64_t row = rows.begin; row < rows.end; ++row) {
            const int64_t image = row / ah->out, iy = row % ah->out * ah->stride - ah->before + ah->dilation * ty;
            if (iy < 0 || iy >= ah->in) continue;
            for (int64_t ox = begin; ox < end; ++ox) {
                const int64_t ix = ox * aw->stride - aw->before + aw->dilation * tx;
                conv_depthwise_expand(to, x + ((image * ah->in + iy) * aw->in + ix) * c, dy + (row * aw->out + ox) * oc, c,
                                      oc / c);
            }
        }
    }
}

/* ---- One for each: rows ---- */

/* The same axis with its taps in the order of the cells they read. */
static cc_gather_axis conv_depthwise_ascending(cc_gather_axis a)
{
    if (a.tap_step >= 0) return a;
    a.offset += (a.taps - 1) * a.tap_step;
    a.tap_step = -a.tap_step;
    a.kernel_first += (a.taps - 1) * a.kernel_every;
    a.kernel_every = -a.kernel_every;
    return a;
}

/* The taps of pixel i whose cells lie inside the image. */
static cc_range conv_depthwise_taps_inside(const cc_gather_axis *a, int64_t i)
{
    const int64_t first = i * a->step + a->offset, last = a->limit - 1 - first; /* 0 <= first + tap_step t <= limit - 1 */
    const int64_t begin = first < 0 ? (-first + a->tap_step - 1) / a->tap_step : 0, end = last < 0 ? 0 : last / a->tap_step + 1;
    return (cc_range){begin, end < begin ? begin : end < a->taps ? end : a->taps};
}

typedef struct conv_depthwise_place {
    int64_t x, w; /* floats from the start of the image and of the kernel */
} conv_depthwise_place;

/* Row i of axis h, with a kernel of kw columns: the geometry for the kernels, and where its first row under the kernel lies. */
static conv_depthwise_place conv_depthwise_set_row(cc_depthwise *k, const cc_gather_axis *h, const cc_gather_axis *w, int64_t i,
                                                   int64_t c, int64_t kw)
{
    const cc_range taps = conv_depthwise_taps_inside(h, i);
    *k = (cc_depthwise){.c = c,
                        .count = w->count,
                        .rows = taps.end > taps.begin ? taps.end - taps.begin : 0,
                        .taps = w->taps,
                        .step = w->step,
                        .offset = w->offset,
                        .tap_step = w->tap_step,
                        .limit = w->limit,
                        .x_row = h->tap_step * w->limit * c,
                        .x_pixel = c,
                        .y_pixel = w->every * c,
                        .w_row = h->kernel_every * kw * c,
                        .w_tap = w->kernel_every * c};
    if (!k->rows || !k->taps) {
        k->rows = 0;
        return (conv_depthwise_place){0, 0};
    }
    return (conv_depthwise_place){(i * h->step + h->offset + taps.begin * h->tap_step) * w->limit * c,
                                  ((h->kernel_first + taps.begin * h->kernel_every) * kw + w->kernel_first) * c};
}

/* Narrows a row to the pixels begin .. end-1 of it, of those it has; to: its place of pixel 0. */
static float *conv_depthwise_narrow(cc_depthwise *k, float *to, int64_t begin, int64_t end)
{
    const int64_t last = end < k->count ? end : k->count;
    k->count = last > begin ? last - begin : 0;
    k->offset += begin * k->step;
    return to + begin * k->y_pixel;
}

/* How many rows to prefetch while row i is computed. Images of so many floats come from memory, and vectors of channels that
 * are a pixel apart are not what the processor fetches ahead by itself; in smaller ones prefetching costs more than it brings. */
static int64_t conv_depthwise_fresh_rows(int64_t floats, const cc_gather_axis *h, int64_t i)
{
    enum { CACHED = 1 << 20 };
    const int64_t below = h->limit - (i * h->step + h->offset + (h->taps - 1) * h->tap_step + 1);
    return floats < CACHED || below <= 0 ? 0 : below < h->step ? below : h->step;
}

/* What the kernels apply; rows of other activations are gone over once more. */
static cc_activation conv_depthwise_act_of_row(const cc_epilogue *epilogue)
{
    return cc_act_is_clamp(epilogue->act) ? epilogue->act : CC_ACT_LINEAR;
}

static void conv_depthwise_forward(const cc_conv *conv, float *y, const float *x, const float *w, const float *packed,
                                   const cc_epilogue *epilogue, float *scratch, const cc_team *team)
{
    (void)packed, (void)scratch;
    if (conv->oc > conv->c) {
        conv_depthwise_forward_many(conv, y, x, w, epilogue, team);
        return;
    }
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t c = conv->c, x_image = conv->window.h.in * conv->window.w.in * c,
                  pitch = epilogue->pitch ? epilogue->pitch : c;
    const cc_gather_axis h = cc_gather_forward(&conv->window.h), across = cc_gather_forward(&conv->window.w);
    const cc_activation act = conv_depthwise_act_of_row(epilogue);
    const int64_t blocks = cc_conv_row_blocks(conv->n, h.count, across.count);
    cc_range mine; /* output rows, or blocks of one */
    for (cc_shares shares = cc_shares_of(team, conv->n * h.count * blocks, 1, 5 * cc_conv_work(conv));
         cc_shares_take(&shares, &mine);)
        for (int64_t i = mine.begin; i < mine.end; ++i) {
            const int64_t row = i / blocks, begin = across.count * (i % blocks) / blocks,
                          end = across.count * (i % blocks + 1) / blocks;
            cc_depthwise k;
            const conv_depthwise_place at = conv_depthwise_set_row(&k, &h, &across, row % h.count, c, across.taps);
            k.y_pixel = pitch;
            float *to = conv_depthwise_narrow(&k, y + row * conv->window.w.out * pitch, begin, end);
            k.bias = epilogue->bias;
            k.act = act;
            k.fresh = conv_depthwise_fresh_rows(conv->n * x_image, &h, row % h.count);
            kernels->depthwise.row(&k, to, x + row / h.count * x_image + at.x, w + at.w);
            if (act == CC_ACT_LINEAR) cc_act_rows(epilogue->act, epilogue->alpha, to, end - begin, pitch, c);
        }
}

static void conv_depthwise_input_gradient(const cc_conv *conv, float *dx, const float *dy, const float *w, const float *packed,
                                          const cc_epilogue *epilogue, float *scratch, const cc_team *team)
{
    (void)packed, (void)scratch;
    if (conv->oc > conv->c) {
        conv_depthwise_input_gradient_many(conv, dx, dy, w, epilogue, team);
        return;
    }
    const cc_kernels *kernels = cc_kernels_get();
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    const int64_t c = conv->c, dy_image = ah->out * aw->out * c, dx_row = aw->in * c;
    const cc_activation act = conv_depthwise_act_of_row(epilogue);
    const int64_t steps = (aw->in + aw->stride - 1) / aw->stride, blocks = cc_conv_row_blocks(conv->n, ah->in, steps);
    /* rows of dx, or blocks of one: so many pixels of each phase */
    cc_range mine;
    for (cc_shares shares = cc_shares_of(team, conv->n * ah->in * blocks, 1, 5 * cc_conv_work(conv));
         cc_shares_take(&shares, &mine);)
        for (int64_t i = mine.begin; i < mine.end; ++i) {
            const int64_t row = i / blocks, begin = steps * (i % blocks) / blocks, end = steps * (i % blocks + 1) / blocks;
            const int64_t iy = row % ah->in;
            const cc_gather_axis h = conv_depthwise_ascending(cc_gather_backward(ah, iy % ah->stride));
            for (int64_t phase = 0; phase < cc_gather_phases(aw); ++phase) {
                const cc_gather_axis across = conv_depthwise_ascending(cc_gather_backward(aw, phase));
                cc_depthwise k;
                const conv_depthwise_place at = conv_depthwise_set_row(&k, &h, &across, iy / ah->stride, c, aw->kernel);
                float *to = conv_depthwise_narrow(&k, dx + row * dx_row + across.first * c, begin, end);
                k.bias = epilogue->bias;
                k.act = act;
                k.fresh = phase > 0 ? 0 : conv_depthwise_fresh_rows(conv->n * dy_image, &h, iy / ah->stride);
                kernels->depthwise.row(&k, to, dy + row / ah->in * dy_image + at.x, w + at.w);
            }
            const int64_t first = begin * aw->stride * c, last = cc_min(end * aw->stride * c, dx_row);
            float *to = dx + row * dx_row + first;
            if (act == CC_ACT_LINEAR) cc_act_forward(epilogue->act, epilogue->alpha, to, to, last - first);
        }
}

/* ---- The weight gradient ---- */

enum { LEAST_ROWS = 8 }; /* of a block: adding up its results must not cost as much as computing them */

/* Blocks of channels: few enough that their gradients, and the rows of x between one row of dy and the next, stay in a
 * cache. */
static int64_t conv_depthwise_channel_blocks(const cc_conv *conv)
{
    return conv->oc > conv->c ? 1 : (conv->c + 95) / 96;
}

static int64_t conv_depthwise_blocks_of(const cc_conv *conv)
{
    const int64_t rows = conv->n * conv->window.h.out, row = conv->window.w.out;
    const int64_t least = rows * row > CC_LONG_SUM ? 1 : LEAST_ROWS;
    return cc_blocks((rows + least - 1) / least, least * row, conv_depthwise_channel_blocks(conv),
                     cc_conv_taps(conv) * conv->oc);
}

/* dw of channels first .. first + channels - 1 and output rows begin .. end-1, added to `to`. */
static void conv_depthwise_add_rows(const cc_conv *conv, float *to, const float *x, const float *dy, cc_range rows,
                                    int64_t first, int64_t channels)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t c = conv->c, x_image = conv->window.h.in * conv->window.w.in * c, dy_row = conv->window.w.out * c;
    const cc_gather_axis h = cc_gather_forward(&conv->window.h), across = cc_gather_forward(&conv->window.w);
    for (int64_t row = rows.begin; row < rows.end; ++row) {
        cc_depthwise k;
        const conv_depthwise_place at = conv_depthwise_set_row(&k, &h, &across, row % h.count, c, across.taps);
        k.c = channels;
        k.fresh = conv_depthwise_fresh_rows(conv->n * x_image, &h, row % h.count);
        kernels->depthwise.weights(&k, to + at.w + first, x + row / h.count * x_image + at.x + first,
                                   dy + row * dy_row + first);
    }
}

static void conv_depthwise_weight_gradient(const cc_conv *conv, float *dw, const float *x, const float *dy, float *partial,
                                           const cc_team *team)
{
    const int64_t oc = conv->oc, taps = cc_conv_taps(conv), blocks = conv_depthwise_blocks_of(conv),
                  across = conv_depthwise_channel_blocks(conv);
    const int64_t wide = ((oc + across - 1) / across + 15) / 16 * 16;
    cc_range mine;
    for (cc_shares shares = cc_shares_of(team, blocks * across, 1, 5 * cc_conv_work(conv)); cc_shares_take(&shares, &mine);)
        for (int64_t i = mine.begin; i < mine.end; ++i) {
            const int64_t block = i / across, first = i % across * wide, channels = oc - first < wide ? oc - first : wide;
            const cc_range rows = cc_block(conv->n * conv->window.h.out, blocks, block);
            float *to = blocks > 1 ? partial + block * taps * oc : dw;
            for (int64_t tap = 0; tap < taps && channels > 0; ++tap)
                memset(to + tap * oc + first, 0, (size_t)channels * sizeof *to);
            if (oc > conv->c)
                conv_depthwise_add_rows_many(conv, to, x, dy, rows);
            else if (channels > 0)
                conv_depthwise_add_rows(conv, to, x, dy, rows, first, channels);
        }
    if (blocks > 1) {
        cc_barrier_wait(team);
        cc_add_blocks(dw, partial, blocks, taps * oc, team);
    }
}

static int64_t conv_depthwise_scratch_floats(const cc_conv *conv, cc_conv_pass pass, int nth)
{
    (void)nth;
    if (pass != CC_CONV_WEIGHT_GRADIENT) return 0;
    const int64_t blocks = conv_depthwise_blocks_of(conv);
    return blocks > 1 ? blocks * cc_conv_taps(conv) * conv->oc : 0;
}

const cc_conv_algorithm cc_conv_depthwise = {
    .name = "depthwise",
    .supports = conv_depthwise_supports,
    .cost = conv_depthwise_cost,
    .by_rows = true,
    .pitched = true,
    .scratch = conv_depthwise_scratch_floats,
    .forward = conv_depthwise_forward,
    .input_gradient = conv_depthwise_input_gradient,
    .weight_gradient = conv_depthwise_weight_gradient,
};
