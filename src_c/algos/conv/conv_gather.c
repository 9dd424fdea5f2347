/* A convolution seen as a product: row pointers into the image, packed weights, and the loops over groups and phases that the direct
 * and the im2col algorithm share. The geometry is derived in conv_gather.h. */
#include "algos/conv/conv_gather.h"

#include "algos/pack.h"

cc_gather_axis cc_gather_forward(const cc_axis *axis)
{
    return (cc_gather_axis){.count = axis->out,
                            .every = 1,
                            .step = axis->stride,
                            .offset = -axis->before,
                            .tap_step = axis->dilation,
                            .limit = axis->in,
                            .taps = axis->kernel,
                            .kernel_every = 1};
}

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

/* Phase p holds the cells i with i mod stride = p. Its taps solve dilation t = p + before (mod stride): none, or with
 * g = gcd(dilation, stride) every (stride / g)-th one from the first on; each next one moves the source back by dilation / g. */
cc_gather_axis cc_gather_backward(const cc_axis *axis, int64_t phase)
{
    const int64_t g = common_divisor(axis->dilation, axis->stride), apart = axis->stride / g;
    cc_gather_axis a = {.count = (axis->in - 1 - phase) / axis->stride + 1,
                        .first = phase,
                        .every = axis->stride,
                        .step = 1,
                        .tap_step = -(axis->dilation / g),
                        .limit = axis->out,
                        .kernel_every = apart};
    for (int64_t t = 0; t < apart && t < axis->kernel; ++t) {
        const int64_t distance = phase + axis->before - axis->dilation * t;
        if (distance % axis->stride) continue;
        a.kernel_first = t;
        a.taps = (axis->kernel - 1 - t) / apart + 1;
        a.offset = distance / axis->stride;
        break;
    }
    return a;
}

void cc_rows_of_gather(const void *source, int64_t first, int count, int64_t tap, int64_t taps, int64_t k, const float **a,
                       int a_taps, float **y)
{
    const cc_gather *g = source;
    const int64_t per_image = g->h.count * g->w.count;
    int64_t image = first / per_image, i = first % per_image / g->w.count, j = first % g->w.count;
    const int64_t tap_y = g->w.taps ? tap / g->w.taps : 0, tap_x = g->w.taps ? tap % g->w.taps : 0;
    for (int r = 0; r < count; ++r) {
        y[r] = g->target + ((image * g->target_h + g->h.first + i * g->h.every) * g->target_w + g->w.first + j * g->w.every) *
                               g->target_channels;
        const int64_t from_y = i * g->h.step + g->h.offset, from_x = j * g->w.step + g->w.offset;
        const float *plane = g->source + image * g->h.limit * g->w.limit * g->source_channels + k;
        int64_t ty = tap_y, tx = tap_x;
        const float **to = a + r;
        for (int64_t t = 0; t < taps; ++t, to += a_taps) {
            const int64_t sy = from_y + ty * g->h.tap_step, sx = from_x + tx * g->w.tap_step;
            const bool inside = sy >= 0 && sy < g->h.limit && sx >= 0 && sx < g->w.limit;
            *to = inside ? plane + (sy * g->w.limit + sx) * g->source_channels : cc_zero_row;
            if (++tx == g->w.taps) {
                tx = 0;
                ++ty;
            }
        }
        if (++j == g->w.count) {
            j = 0;
            if (++i == g->h.count) {
                i = 0;
                ++image;
            }
        }
    }
}

int64_t cc_gather_packed(const cc_conv *conv, cc_conv_pass pass)
{
    const int64_t taps = cc_conv_taps(conv), c = conv->c / conv->groups, oc = conv->oc / conv->groups;
    return conv->groups * (pass == CC_CONV_FORWARD ? cc_panels_count(taps, c, oc) : cc_panels_count(taps, oc, c));
}

static void pack_forward(const cc_conv *conv, float *packed, const float *w, const cc_team *team)
{
    const int64_t nr = cc_kernels_get()->gemm.nr, taps = cc_conv_taps(conv);
    const int64_t depth = conv->c / conv->groups, n = conv->oc / conv->groups, panels = (n + nr - 1) / nr;
    const cc_range mine = cc_slice(team, conv->groups * panels * taps, 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        const int64_t group = i / (panels * taps), panel = i / taps % panels, tap = i % taps;
        cc_pack_tap(packed + i * depth * nr, w + tap * depth * conv->oc + group * n, depth, n, conv->oc, 1, panel * nr);
    }
}

static void pack_transposed(const cc_conv *conv, float *packed, const float *w, const cc_team *team)
{
    const int64_t nr = cc_kernels_get()->gemm.nr, n = conv->c / conv->groups, depth = conv->oc / conv->groups;
    const int64_t panels = (n + nr - 1) / nr, kw = conv->window.w.kernel;
    for (int64_t py = 0; py < cc_gather_phases(&conv->window.h); ++py) {
        const cc_gather_axis h = cc_gather_backward(&conv->window.h, py);
        if (h.taps == 0) continue;
        for (int64_t px = 0; px < cc_gather_phases(&conv->window.w); ++px) {
            const cc_gather_axis v = cc_gather_backward(&conv->window.w, px);
            const int64_t taps = h.taps * v.taps, pieces = conv->groups * panels * taps;
            const cc_range mine = cc_slice(team, pieces, 1);
            for (int64_t i = mine.begin; i < mine.end; ++i) {
                const int64_t group = i / (panels * taps), panel = i / taps % panels, t = i % taps;
                const int64_t ty = h.kernel_first + t / v.taps * h.kernel_every;
                const int64_t tx = v.kernel_first + t % v.taps * v.kernel_every;
                cc_pack_tap(packed + i * depth * nr, w + (ty * kw + tx) * n * conv->oc + group * depth, depth, n, 1, conv->oc,
                            panel * nr);
            }
            packed += pieces * depth * nr;
        }
    }
}

void cc_gather_pack(const cc_conv *conv, cc_conv_pass pass, float *packed, const float *w, const cc_team *team)
{
    if (pass == CC_CONV_FORWARD)
        pack_forward(conv, packed, w, team);
    else
        pack_transposed(conv, packed, w, team);
}

double cc_gather_cost(const cc_conv *conv, cc_conv_pass pass, double extra)
{
    const double pointer = 9.4 * cc_gather_cycle(); /* measured, with 1 to 64 channels */
    const int64_t vec = cc_kernels_get()->gemm.nr / 2, c = conv->c / conv->groups, oc = conv->oc / conv->groups;
    const int64_t n = pass == CC_CONV_FORWARD ? oc : c, depth = pass == CC_CONV_FORWARD ? c : oc;
    const double cells = (double)cc_conv_pixels(conv) * (double)cc_conv_taps(conv) * (double)conv->groups;
    return cells * (1.02 * (double)((n + vec - 1) / vec * vec) * (double)depth + pointer + extra);
}

void cc_gather_forward_product(const cc_conv *conv, float *y, const float *x, const float *packed,
                               const cc_epilogue *epilogue, float *patches, const cc_team *team)
{
    const int64_t depth = conv->c / conv->groups, n = conv->oc / conv->groups, taps = cc_conv_taps(conv);
    const int64_t group_floats = cc_panels_count(taps, depth, n);
    for (int64_t g = 0; g < conv->groups; ++g) {
        const cc_gather gather = {
            .n = conv->n,
            .h = cc_gather_forward(&conv->window.h),
            .w = cc_gather_forward(&conv->window.w),
            .source = x + g * depth,
            .source_channels = conv->c,
            .target = y + g * n,
            .target_h = conv->window.h.out,
            .target_w = conv->window.w.out,
            .target_channels = conv->oc,
        };
        cc_product_run(&(cc_product){.m = cc_conv_pixels(conv),
                                     .n = n,
                                     .taps = taps,
                                     .depth = depth,
                                     .rows = cc_rows_of_gather,
                                     .source = &gather,
                                     .a_step = conv->c * conv->window.w.stride,
                                     .panels = packed + g * group_floats,
                                     .bias = epilogue->bias ? epilogue->bias + g * n : NULL,
                                     .act = epilogue->act,
                                     .alpha = epilogue->alpha,
                                     .accumulate = epilogue->accumulate,
                                     .patches = patches},
                       team);
    }
}

/* The transposed product: with dy before the activation,
 *     dx[iy][ix][c] = sum over ty, tx, oc with oy sh - pt + dh ty = iy (and x alike) of dy[oy][ox][oc] w[ty][tx][c][oc].
 * At stride 1 this is the full correlation of dy with the kernel rotated by half a turn and transposed. */
void cc_gather_input_gradient_product(const cc_conv *conv, float *dx, const float *dy, const float *packed, float *patches,
                                      const cc_team *team)
{
    const int64_t depth = conv->oc / conv->groups, n = conv->c / conv->groups;
    for (int64_t py = 0; py < cc_gather_phases(&conv->window.h); ++py) {
        const cc_gather_axis h = cc_gather_backward(&conv->window.h, py);
        for (int64_t px = 0; px < cc_gather_phases(&conv->window.w); ++px) {
            const cc_gather_axis v = cc_gather_backward(&conv->window.w, px);
            const int64_t taps = h.taps * v.taps, group_floats = cc_panels_count(taps, depth, n);
            for (int64_t g = 0; g < conv->groups; ++g) {
                const cc_gather gather = {
                    .n = conv->n,
                    .h = h,
                    .w = v,
                    .source = dy + g * depth,
                    .source_channels = conv->oc,
                    .target = dx + g * n,
                    .target_h = conv->window.h.in,
                    .target_w = conv->window.w.in,
                    .target_channels = conv->c,
                };
                cc_product_run(&(cc_product){.m = conv->n * h.count * v.count,
                                             .n = n,
                                             .taps = taps,
                                             .depth = depth,
                                             .rows = cc_rows_of_gather,
                                             .source = &gather,
                                             .a_step = conv->oc,
                                             .panels = packed + g * group_floats,
                                             .patches = patches},
                               team);
            }
            packed += conv->groups * group_floats;
        }
    }
}
