/* A convolution seen as a product: row pointers into the image, packed weights, and the loops over groups and phases that the
 * direct and the im2col algorithm share. The geometry is derived in conv_gather.h. */
#include "algos/conv/conv_gather.h"

#include "algos/pack.h"
#include "base/shares.h"

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

static int64_t conv_gather_common_divisor(int64_t a, int64_t b)
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
    const int64_t g = conv_gather_common_divisor(axis->dilation, axis->stride), apart = axis->stride / g;
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

cc_gather cc_gather_of_forward(const cc_conv *conv, float *y, const float *x)
{
    const cc_window *window = &conv->window;
    return (cc_gather){.n = conv->n,
                       .d = cc_gather_forward(&window->d),
                       .h = cc_gather_forward(&window->h),
                       .w = cc_gather_forward(&window->w),
                       .source = x,
                       .source_channels = conv->c,
                       .target = y,
                       .target_d = window->d.out,
                       .target_h = window->h.out,
                       .target_w = window->w.out,
                       .target_channels = conv->oc};
}

cc_gather cc_gather_of_phase(const cc_conv *conv, int64_t phase, float *dx, const float *dy)
{
    const cc_window *window = &conv->window;
    const int64_t down = cc_gather_phases(&window->h), across = cc_gather_phases(&window->w);
    return (cc_gather){.n = conv->n,
                       .d = cc_gather_backward(&window->d, phase / (down * across)),
                       .h = cc_gather_backward(&window->h, phase / across % down),
                       .w = cc_gather_backward(&window->w, phase % across),
                       .source = dy,
                       .source_channels = conv->oc,
                       .target = dx,
                       .target_d = window->d.in,
                       .target_h = window->h.in,
                       .target_w = window->w.in,
                       .target_channels = conv->c};
}

/* Where the taps of a row lie in one plane of the source: `taps` of them from (ty, tx) on, to[0], to[a_taps], ... */
static inline void conv_gather_plane(const cc_gather *g, const float *plane, int64_t from_y, int64_t from_x, int64_t ty,
                                     int64_t tx, int64_t taps, const float **to, int a_taps)
{
    for (int64_t t = 0; t < taps; ++t, to += a_taps) {
        const int64_t sy = from_y + ty * g->h.tap_step, sx = from_x + tx * g->w.tap_step;
        const bool inside = sy >= 0 && sy < g->h.limit && sx >= 0 && sx < g->w.limit;
        *to = inside ? plane + (sy * g->w.limit + sx) * g->source_channels : cc_zero_row;
        if (++tx == g->w.taps) {
            tx = 0;
            ++ty;
        }
    }
}

/* The same over several planes, the first of them at from_z; image: the source's. */
static void conv_gather_planes(const cc_gather *g, const float *image, int64_t from_z, int64_t from_y, int64_t from_x,
                               int64_t tap, int64_t taps, const float **to, int a_taps)
{
    const int64_t of_plane = g->h.taps * g->w.taps, end = tap + taps;
    while (tap < end) {
        const int64_t tz = tap / of_plane, at = tap % of_plane, count = cc_min(of_plane - at, end - tap);
        const int64_t sz = from_z + tz * g->d.tap_step;
        if (sz >= 0 && sz < g->d.limit) {
            const float *plane = image + sz * g->h.limit * g->w.limit * g->source_channels;
            conv_gather_plane(g, plane, from_y, from_x, at / g->w.taps, at % g->w.taps, count, to, a_taps);
        } else {
            for (int64_t t = 0; t < count; ++t) to[t * a_taps] = cc_zero_row;
        }
        tap += count;
        to += count * a_taps;
    }
}

void cc_rows_of_gather(const void *source, int64_t first, int count, int64_t tap, int64_t taps, int64_t k, const float **a,
                       int a_taps, float **y)
{
    const cc_gather *g = source;
    const bool flat = g->d.count == 1 && g->d.limit == 1 && g->d.taps == 1 && g->d.offset == 0;
    const int64_t per_plane = g->h.count * g->w.count, image_floats = g->d.limit * g->h.limit * g->w.limit * g->source_channels;
    int64_t plane = first / per_plane, i = first % per_plane / g->w.count, j = first % g->w.count;
    int64_t image = flat ? plane : plane / g->d.count, o = flat ? 0 : plane % g->d.count;
    const int64_t tap_y = flat && g->w.taps ? tap / g->w.taps : 0, tap_x = flat && g->w.taps ? tap % g->w.taps : 0;
    int64_t target_plane = image * g->target_d + g->d.first + o * g->d.every;
    for (int r = 0; r < count; ++r) {
        y[r] = g->target +
               ((target_plane * g->target_h + g->h.first + i * g->h.every) * g->target_w + g->w.first + j * g->w.every) *
                   g->target_channels;
        const int64_t from_y = i * g->h.step + g->h.offset, from_x = j * g->w.step + g->w.offset;
        const float *from = g->source + image * image_floats + k;
        if (flat)
            conv_gather_plane(g, from, from_y, from_x, tap_y, tap_x, taps, a + r, a_taps);
        else
            conv_gather_planes(g, from, o * g->d.step + g->d.offset, from_y, from_x, tap, taps, a + r, a_taps);
        if (++j == g->w.count) {
            j = 0;
            if (++i == g->h.count) {
                i = 0;
                if (++o == g->d.count) {
                    o = 0;
                    ++image;
                }
                target_plane = image * g->target_d + g->d.first + o * g->d.every;
            }
        }
    }
}

int64_t cc_gather_packed(const cc_conv *conv, cc_conv_pass pass)
{
    const int64_t taps = cc_conv_taps(conv), c = conv->c / conv->groups, oc = conv->oc / conv->groups;
    return conv->groups * (pass == CC_CONV_FORWARD ? cc_panels_count(taps, c, oc) : cc_panels_count(taps, oc, c));
}

static void conv_gather_pack_forward(const cc_conv *conv, float *packed, const float *w, const cc_team *team)
{
    const int64_t nr = cc_kernels_get()->gemm.nr, taps = cc_conv_taps(conv);
    const int64_t depth = conv->c / conv->groups, n = conv->oc / conv->groups, panels = (n + nr - 1) / nr;
    const cc_range mine = cc_slice(team, conv->groups * panels * taps, 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        const int64_t group = i / (panels * taps), panel = i / taps % panels, tap = i % taps;
        cc_pack_tap(packed + i * depth * nr, w + tap * depth * conv->oc + group * n, depth, n, conv->oc, 1, panel * nr);
    }
}

static void conv_gather_pack_transposed(const cc_conv *conv, float *packed, const float *w, const cc_team *team)
{
    const int64_t nr = cc_kernels_get()->gemm.nr, n = conv->c / conv->groups, depth = conv->oc / conv->groups;
    const int64_t panels = (n + nr - 1) / nr, kh = conv->window.h.kernel, kw = conv->window.w.kernel;
    for (int64_t phase = 0; phase < cc_conv_phases(conv); ++phase) {
        const cc_gather g = cc_gather_of_phase(conv, phase, NULL, NULL);
        const int64_t taps = cc_gather_taps(&g), tasks = conv->groups * panels * taps;
        const cc_range mine = cc_slice(team, tasks, 1);
        for (int64_t i = mine.begin; i < mine.end; ++i) {
            const int64_t group = i / (panels * taps), panel = i / taps % panels, t = i % taps;
            const int64_t tz = g.d.kernel_first + t / (g.h.taps * g.w.taps) * g.d.kernel_every;
            const int64_t ty = g.h.kernel_first + t / g.w.taps % g.h.taps * g.h.kernel_every;
            const int64_t tx = g.w.kernel_first + t % g.w.taps * g.w.kernel_every;
            cc_pack_tap(packed + i * depth * nr, w + ((tz * kh + ty) * kw + tx) * n * conv->oc + group * depth, depth, n, 1,
                        conv->oc, panel * nr);
        }
        packed += tasks * depth * nr;
    }
}

void cc_gather_pack(const cc_conv *conv, cc_conv_pass pass, float *packed, const float *w, const cc_team *team)
{
    if (pass == CC_CONV_FORWARD)
        conv_gather_pack_forward(conv, packed, w, team);
    else
        conv_gather_pack_transposed(conv, packed, w, team);
}

double cc_gather_cost(const cc_conv *conv, cc_conv_pass pass, double extra)
{
    const double pointer = 9.4 * cc_gather_cycle(); /* measured, with 1 to 64 channels */
    const int64_t vec = cc_kernels_get()->gemm.nr / 2, c = conv->c / conv->groups, oc = conv->oc / conv->groups;
    const int64_t n = pass == CC_CONV_FORWARD ? oc : c, depth = pass == CC_CONV_FORWARD ? c : oc;
    const double cells = (double)cc_conv_pixels(conv) * (double)cc_conv_taps(conv) * (double)conv->groups;
    return cells * (cc_gather_factor(n) * (double)((n + vec - 1) / vec * vec) * (double)depth + pointer + extra);
}

/* Whether every cell of the target is made from the same cell of the source. */
static bool conv_gather_is_identity(const cc_gather_axis *axis, int64_t target)
{
    return axis->taps == 1 && axis->step == 1 && axis->offset == 0 && axis->every == 1 && axis->first == 0 &&
           axis->count == axis->limit && axis->count == target;
}

/* From `depth` channels of the source to n of the target, group by group; `epilogue` counts from the first group's on. The groups
 * of one pixel lie side by side in memory: all of them are computed for a block of rows, which stays in the second-level cache,
 * before the next block. */
static void conv_gather_product(const cc_conv *conv, cc_gather gather, int64_t depth, int64_t n, int64_t a_step,
                                const float *packed, const cc_epilogue *epilogue, float *patches, const cc_team *team)
{
    enum { BLOCK_FLOATS = 1 << 16 };
    const int64_t taps = cc_gather_taps(&gather), group_floats = cc_panels_count(taps, depth, n), groups = conv->groups;
    const bool matrix = conv_gather_is_identity(&gather.d, gather.target_d) &&
                        conv_gather_is_identity(&gather.h, gather.target_h) &&
                        conv_gather_is_identity(&gather.w, gather.target_w); /* then rows are an even step apart */
    cc_matrix_rows rows = {gather.source, gather.source_channels, gather.target, gather.target_channels};
    cc_product product = {.m = cc_gather_rows(&gather),
                          .n = n,
                          .taps = taps,
                          .depth = depth,
                          .rows = matrix ? cc_rows_of_matrix : cc_rows_of_gather,
                          .source = matrix ? (const void *)&rows : &gather,
                          .a_step = a_step,
                          .panels = packed,
                          .bias = epilogue->bias,
                          .act = epilogue->act,
                          .alpha = epilogue->alpha,
                          .accumulate = epilogue->accumulate,
                          .patches = patches};
    if (groups == 1) {
        cc_product_run(&product, team);
        return;
    }
    const int64_t floats = gather.source_channels * gather.h.step * gather.w.step + gather.target_channels;
    const int64_t blocks = (product.m * floats + BLOCK_FLOATS - 1) / BLOCK_FLOATS;
    const float *source = gather.source;
    float *target = gather.target;
    cc_range mine;
    for (cc_shares shares = cc_shares_of(team, blocks * groups, 1, cc_conv_work(conv)); cc_shares_take(&shares, &mine);)
        for (int64_t i = mine.begin; i < mine.end; ++i) {
            const int64_t group = i % groups;
            rows.a = gather.source = source + group * depth, rows.y = gather.target = target + group * n;
            product.panels = packed + group * group_floats;
            product.bias = epilogue->bias ? epilogue->bias + group * n : NULL;
            cc_product_rows(&product, cc_block(product.m, blocks, i / groups));
        }
}

void cc_gather_forward_product(const cc_conv *conv, float *y, const float *x, const float *packed, const cc_epilogue *epilogue,
                               float *patches, const cc_team *team)
{
    cc_gather gather = cc_gather_of_forward(conv, y, x);
    if (epilogue->pitch) gather.target_channels = epilogue->pitch;
    conv_gather_product(conv, gather, conv->c / conv->groups, conv->oc / conv->groups, conv->c * conv->window.w.stride, packed,
                        epilogue, patches, team);
}

/* The transposed product: with dy before the activation,
 *     dx[i][c] = sum over t, oc with o s - p + d t = i along each axis of dy[o][oc] w[t][c][oc].
 * At stride 1 this is the full correlation of dy with the kernel rotated by half a turn and transposed. */
void cc_gather_input_gradient_product(const cc_conv *conv, float *dx, const float *dy, const float *packed,
                                      const cc_epilogue *epilogue, float *patches, const cc_team *team)
{
    const int64_t depth = conv->oc / conv->groups, n = conv->c / conv->groups;
    for (int64_t phase = 0; phase < cc_conv_phases(conv); ++phase) {
        const cc_gather gather = cc_gather_of_phase(conv, phase, dx, dy);
        conv_gather_product(conv, gather, depth, n, conv->oc, packed, epilogue, patches, team);
        packed += conv->groups * cc_panels_count(cc_gather_taps(&gather), depth, n);
    }
}
