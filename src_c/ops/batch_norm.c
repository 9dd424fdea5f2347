/* batch_norm: x -> y of the same shape, normalized for each channel (the index along `axis`) over all other axes.
 *
 * With m elements in a channel, s = 1 / sqrt(variance + epsilon), gamma 1 and beta 0 where absent, and the normalized z:
 *
 *     z = (x - mean) s,   v = gamma z + beta [+ r],   y = act(v)        r: an optional residual of x's shape
 *
 * Training (attribute `training`, in a plan for training): mean = sum x / m, variance = sum (x - mean)^2 / m (biased, as in
 * Keras), and after the backward pass, for both, moving = momentum moving + (1 - momentum) batch. Else: the moving ones.
 *
 * Backward. With dv = dy act'(v), in both modes
 *
 *     dr = dv,   dbeta = sum dv,   dgamma = sum dv z
 *
 * With given (moving) statistics v is affine in x:
 *
 *     dx = gamma s dv,   dmean = -gamma s sum dv = -gamma s dbeta
 *     dvariance = gamma sum dv (x - mean) ds/dvariance = -gamma s^2 / 2 dgamma     since ds/dvariance = -s^3 / 2
 *
 * With the batch's statistics x acts on v through them, too. Let dz = gamma dv, so that sum dz = gamma dbeta and
 * sum dz z = gamma dgamma; q[i] is the derivative of q by x[i]:
 *
 *     mean[i]   = 1 / m
 *     var[i]    = 2 (x[i] - mean) / m                            since sum (x - mean) = 0
 *     s[i]      = -s^3 / 2 var[i] = -s^2 z[i] / m
 *     z[j][i]   = s ([i = j] - mean[i]) + (x[j] - mean) s[i] = s ([i = j] - 1 / m - z[j] z[i] / m)
 *     dx[i]     = sum over j of dz[j] z[j][i] = gamma s (dv[i] - dbeta / m - z[i] dgamma / m)
 *
 * and nothing flows to the moving statistics.
 *
 * So training reads its data twice forward (statistics, y) and twice backward (sums, dx). act' is told from y, except where x
 * is read anyway and there is no residual: then v is computed again from x.
 *
 * Statistics are taken over blocks that stay in a cache, whose size depends on the shape only: their results do not depend on
 * the threads. A block gives `about`, its own mean up to rounding, and two float32 sums about it, small for that reason. They
 * are joined in double:
 *
 *     mean = sum over blocks of (n about + first) / m,              first = sum (x - about),  second = sum (x - about)^2
 *     squares = sum over blocks of second - 2 e first + n e^2       since x - mean = (x - about) - e,  e = mean - about
 *
 * which loses nothing when the mean is large and the variance small. For the same reason the mean is kept as two floats. */
#include "ops/batch_norm.h"
#include "ops/meanings.h"
#include "ops/fused.h"
#include "kernels/kernels.h"
#include <math.h>
#include <string.h>

typedef cc_batch_norm_attributes settings;
static const cc_attr batch_norm_attributes[] = {
    {"axis", CC_INT, offsetof(settings, axis), "-1", NULL, CC_AXIS_MEANING},
    {"momentum", CC_FLOAT, offsetof(settings, momentum), "0.99", NULL, "part of the moving averages that a step keeps"},
    {"epsilon", CC_FLOAT, offsetof(settings, epsilon), "0.001", NULL, "added to the variance before its root is taken"},
    {"training", CC_BOOL, offsetof(settings, training), "0", NULL, "1: plans for training take the batch's mean and variance"},
    {"activation", CC_ENUM, offsetof(settings, activation), "linear", CC_ACT_CLAMPS, CC_CLAMP_MEANING},
    {0}};

/* dx of an input that may be absent from the call. */
static float *batch_norm_gradient_of(const cc_call *call, int i)
{
    return i < call->n_inputs ? call->dx[i] : NULL;
}

/* ---- Shapes ---- */

static cconv_status batch_norm_infer(const cc_call *call, cc_shape *ys)
{
    const cc_batch_norm_attributes *a = call->attributes;
    const cc_shape *x = &call->xs[CC_NORM_X];
    char text[CC_SHAPE_TEXT];
    const int64_t axis = a->axis < 0 ? a->axis + x->rank : a->axis;
    if (axis < 0 || axis >= x->rank)
        return cc_op_fail(call, CCONV_INVALID, "expected an axis of x of shape %s, received %lld", cc_shape_text(x, text),
                          (long long)a->axis);
    if (!(a->momentum >= 0 && a->momentum <= 1))
        return cc_op_fail(call, CCONV_INVALID, "expected a momentum in [0, 1], received %g", (double)a->momentum);
    if (!(a->epsilon >= 0 && isfinite(a->epsilon)))
        return cc_op_fail(call, CCONV_INVALID, "expected an epsilon of at least 0, received %g", (double)a->epsilon);
    static const char *const names[] = {"x", "gamma", "beta", "moving_mean", "moving_var"};
    for (int i = CC_NORM_GAMMA; i <= CC_NORM_VARIANCE; ++i) {
        const cc_shape *s = &call->xs[i];
        if (s->rank >= 0 && (s->rank != 1 || !cc_agree(s->dim[0], x->dim[axis])))
            return cc_op_fail(call, CCONV_INVALID, "expected %s of shape (%lld,), one number per channel, received shape %s",
                              names[i], (long long)x->dim[axis], cc_shape_text(s, text));
    }
    *ys = *x;
    if (!cc_has_input(call, CC_NORM_RESIDUAL)) return CCONV_OK;
    const cc_shape *r = &call->xs[CC_NORM_RESIDUAL];
    bool same = r->rank == x->rank;
    for (int d = 0; same && d < x->rank; ++d) {
        same = cc_agree(r->dim[d], x->dim[d]);
        if (ys->dim[d] < 0) ys->dim[d] = r->dim[d];
    }
    if (!same) {
        char r_text[CC_SHAPE_TEXT];
        return cc_op_fail(call, CCONV_INVALID, "expected a residual of the shape of x, %s, received shape %s",
                          cc_shape_text(x, text), cc_shape_text(r, r_text));
    }
    return CCONV_OK;
}

/* x seen as (outer, c, inner), and the blocks its sums are taken over: `rows` of outer each. */
typedef struct layout {
    int64_t outer, c, inner, rows, blocks;
} layout;

static layout batch_norm_layout_of(const cc_call *call)
{
    const cc_batch_norm_attributes *a = call->attributes;
    const cc_shape *x = &call->xs[CC_NORM_X];
    const int axis = (int)(a->axis < 0 ? a->axis + x->rank : a->axis);
    layout l = {.outer = cc_shape_product(x, 0, axis), .c = x->dim[axis], .inner = cc_shape_product(x, axis + 1, x->rank)};
    const int64_t row = l.c * l.inner, fit = row > 0 ? 16384 / row : 0; /* a block stays in the second-level cache */
    l.rows = fit > 256 ? 256 : fit > 16 ? fit : 16;                     /* and float32 is good enough for its sums */
    l.blocks = (l.outer + l.rows - 1) / l.rows;
    return l;
}

/* Whether this run uses the batch's own statistics. */
static bool batch_norm_of_batch(const cc_call *call)
{
    const cc_batch_norm_attributes *a = call->attributes;
    return a->training && call->training;
}

/* Whether backward tells act' from y. */
static bool batch_norm_reads_y(const cc_call *call)
{
    const cc_batch_norm_attributes *a = call->attributes;
    return a->activation != CC_ACT_LINEAR && (cc_has_input(call, CC_NORM_RESIDUAL) || !batch_norm_of_batch(call));
}

/* saved, each c floats: mean = high + low, s, the batch's variance, and what v is made with: (x - mean) scale + shift. */
enum { SAVED = 6 };
typedef struct saved {
    float *high, *low, *s, *variance, *scale, *shift;
} saved;

static saved batch_norm_saved_of(const cc_call *call, int64_t c)
{
    float *p = call->saved;
    return (saved){p, p + c, p + 2 * c, p + 3 * c, p + 4 * c, p + 5 * c};
}

/* scratch: two coefficients of dx for each channel, then three sums for each block and channel. */
enum { COEFFICIENTS = 2, SUMS = 3 };
typedef struct scratch {
    float *by_x, *constant; /* [c] each, as in cc_norm */
    float *sums;            /* [blocks][SUMS][c] */
} scratch;

static scratch batch_norm_scratch_of(const cc_call *call, const layout *l)
{
    float *p = call->scratch;
    return (scratch){p, p + l->c, p + COEFFICIENTS * l->c};
}

static cc_norm batch_norm_norm_of(const cc_call *call, const layout *l)
{
    const cc_batch_norm_attributes *a = call->attributes;
    const saved s = batch_norm_saved_of(call, l->c);
    const scratch w = batch_norm_scratch_of(call, l);
    return (cc_norm){.c = l->c,
                     .act = (cc_activation)a->activation,
                     .high = s.high,
                     .low = s.low,
                     .scale = s.scale,
                     .shift = s.shift,
                     .by_x = w.by_x,
                     .constant = w.constant};
}

static void batch_norm_need(const cc_call *call, int nth, cc_need *need)
{
    (void)nth;
    const layout l = batch_norm_layout_of(call);
    const uint64_t row = (uint64_t)l.c * sizeof(float);
    need->saved = SAVED * row; /* also without a backward pass: update reads it */
    need->backward_scratch = (COEFFICIENTS + (uint64_t)l.blocks * SUMS) * row;
    need->forward_scratch = batch_norm_of_batch(call) ? need->backward_scratch : 0;
    const uint64_t residual = cc_has_input(call, CC_NORM_RESIDUAL) ? CC_READS_X(CC_NORM_RESIDUAL) : 0;
    if (batch_norm_of_batch(call)) need->recompute = CC_READS_X(CC_NORM_X) | residual;
    const bool scaled = call->needs_gradient[CC_NORM_GAMMA] || call->needs_gradient[CC_NORM_VARIANCE];
    need->reads = batch_norm_of_batch(call) || scaled ? CC_READS_X(CC_NORM_X) : 0;
    if (batch_norm_reads_y(call)) need->reads |= CC_READS_Y;
}

/* ---- Slices ---- */

/* Elements are worth some 4 operations each. */
static cc_range batch_norm_my_channels(const layout *l, const cc_team *team)
{
    return cc_slice(team, l->c, 512 / (l->blocks + 1) + 1);
}

/* For passes over all elements: rows of the outer axis if channels are last, else (outer, channel) pairs. */
static cc_range batch_norm_my_tasks(const layout *l, const cc_team *team)
{
    if (l->inner == 1) return cc_slice(team, l->outer, 512 / (l->c + 1) + 1);
    return cc_slice(team, l->outer * l->c, 512 / (l->inner + 1) + 1);
}

static int64_t batch_norm_rows_of_block(const layout *l, int64_t block)
{
    const int64_t left = l->outer - block * l->rows;
    return left < l->rows ? left : l->rows;
}

/* ---- Forward ---- */

/* about, first and second of one channel of a block, where channels are not last: its values lie in runs of `inner`, c * inner
 * apart. */
static void batch_norm_moments_inner(const layout *l, const float *x, int64_t rows, float *about, float *first, float *second)
{
    double sum = 0, difference = 0, square = 0;
    for (int64_t row = 0; row < rows; ++row)
        for (int64_t i = 0; i < l->inner; ++i) sum += (double)x[row * l->c * l->inner + i];
    *about = (float)(sum / (double)(rows * l->inner));
    for (int64_t row = 0; row < rows; ++row) {
        for (int64_t i = 0; i < l->inner; ++i) {
            const double d = (double)x[row * l->c * l->inner + i] - (double)*about;
            difference += d;
            square += d * d;
        }
    }
    *first = (float)difference;
    *second = (float)square;
}

static void batch_norm_moments_of_blocks(const cc_call *call, const layout *l, float *sums, const cc_team *team)
{
    const float *x = call->x[CC_NORM_X];
    const int64_t c = l->c, per_block = l->inner == 1 ? 1 : c;
    const cc_range mine = cc_slice(team, l->blocks * per_block, 1);
    for (int64_t task = mine.begin; task < mine.end; ++task) {
        const int64_t b = task / per_block, channel = task % per_block, rows = batch_norm_rows_of_block(l, b);
        const float *from = x + (b * l->rows * c + channel) * l->inner;
        float *about = sums + b * SUMS * c + channel;
        if (l->inner == 1)
            cc_kernels_get()->norm.moments(from, rows, c, about, about + c, about + 2 * c);
        else
            batch_norm_moments_inner(l, from, rows, about, about + c, about + 2 * c);
    }
}

static void batch_norm_keep(const saved *s, int64_t channel, double mean, double variance, float epsilon)
{
    s->high[channel] = (float)mean;
    s->low[channel] = (float)(mean - (double)s->high[channel]);
    s->s[channel] = (float)(1 / sqrt(variance + (double)epsilon));
    s->variance[channel] = (float)variance;
}

/* Joins the blocks' sums of n channels from `channel` on; n is at most TOGETHER. */
enum { TOGETHER = 64 };
static void batch_norm_join(const layout *l, const float *sums, int64_t channel, int64_t n, double *mean, double *variance)
{
    const double m = (double)(l->outer * l->inner);
    for (int64_t i = 0; i < n; ++i) mean[i] = variance[i] = 0;
    for (int64_t b = 0; b < l->blocks; ++b) {
        const float *about = sums + b * SUMS * l->c + channel, *first = about + l->c;
        const double count = (double)(batch_norm_rows_of_block(l, b) * l->inner);
        for (int64_t i = 0; i < n; ++i) mean[i] += count * (double)about[i] + (double)first[i];
    }
    for (int64_t i = 0; i < n; ++i) mean[i] /= m;
    for (int64_t b = 0; b < l->blocks; ++b) {
        const float *about = sums + b * SUMS * l->c + channel, *first = about + l->c, *second = first + l->c;
        const double count = (double)(batch_norm_rows_of_block(l, b) * l->inner);
        for (int64_t i = 0; i < n; ++i) {
            const double e = mean[i] - (double)about[i];
            variance[i] += (double)second[i] + e * (count * e - 2 * (double)first[i]);
        }
    }
    for (int64_t i = 0; i < n; ++i) variance[i] = variance[i] < 0 ? 0 : variance[i] / m; /* below 0 by rounding only */
}

static void batch_norm_find_statistics(const cc_call *call, const layout *l, const cc_team *team)
{
    const cc_batch_norm_attributes *a = call->attributes;
    const saved s = batch_norm_saved_of(call, l->c);
    const scratch w = batch_norm_scratch_of(call, l);
    if (batch_norm_of_batch(call)) {
        batch_norm_moments_of_blocks(call, l, w.sums, team);
        cc_barrier_wait(team);
    }
    const cc_range channels = batch_norm_my_channels(l, team);
    for (int64_t at = channels.begin; at < channels.end; at += TOGETHER) {
        double mean[TOGETHER], variance[TOGETHER];
        const int64_t n = channels.end - at < TOGETHER ? channels.end - at : TOGETHER;
        if (batch_norm_of_batch(call)) batch_norm_join(l, w.sums, at, n, mean, variance);
        for (int64_t i = at; i < at + n; ++i) {
            if (batch_norm_of_batch(call))
                batch_norm_keep(&s, i, mean[i - at], variance[i - at], a->epsilon);
            else
                batch_norm_keep(&s, i, (double)call->x[CC_NORM_MEAN][i], (double)call->x[CC_NORM_VARIANCE][i], a->epsilon);
            s.scale[i] = call->x[CC_NORM_GAMMA] ? call->x[CC_NORM_GAMMA][i] * s.s[i] : s.s[i];
            s.shift[i] = call->x[CC_NORM_BETA] ? call->x[CC_NORM_BETA][i] : 0;
        }
    }
    cc_barrier_wait(team);
}

static float batch_norm_activate(float v, int act)
{
    if (act != CC_ACT_LINEAR && v < 0) v = 0;
    return act == CC_ACT_RELU6 && v > 6 ? 6 : v;
}

/* y from x, the residual and the statistics in `saved`. */
static void batch_norm_normalize(const cc_call *call, const cc_team *team)
{
    const layout l = batch_norm_layout_of(call);
    const cc_norm k = batch_norm_norm_of(call, &l);
    const float *x = call->x[CC_NORM_X], *residual = cc_has_input(call, CC_NORM_RESIDUAL) ? call->x[CC_NORM_RESIDUAL] : NULL;
    float *y = call->y;
    const cc_range mine = batch_norm_my_tasks(&l, team);
    if (mine.begin >= mine.end) return;
    if (l.inner == 1) {
        const int64_t at = mine.begin * l.c;
        cc_kernels_get()->norm.forward(&k, y + at, x + at, residual ? residual + at : NULL, mine.end - mine.begin);
        return;
    }
    for (int64_t task = mine.begin; task < mine.end; ++task) {
        const int64_t i = task % l.c;
        for (int64_t at = task * l.inner; at < (task + 1) * l.inner; ++at) {
            const float v = ((x[at] - k.high[i]) - k.low[i]) * k.scale[i] + k.shift[i];
            y[at] = batch_norm_activate(residual ? v + residual[at] : v, k.act);
        }
    }
}

static void batch_norm_forward(const cc_call *call, const cc_team *team)
{
    const layout l = batch_norm_layout_of(call);
    if (l.outer * l.c * l.inner == 0) return;
    batch_norm_find_statistics(call, &l, team);
    batch_norm_normalize(call, team);
}

/* ---- Backward ---- */

/* What one pass of backward reads. */
typedef struct sources {
    const float *dy, *x, *y; /* x and y: NULL where not needed. dy is dv already if act is linear */
    cc_activation act;
} sources;

/* dv at one element of channel i, where channels are not last. */
static float batch_norm_dv_at(const sources *from, const cc_norm *k, int64_t i, int64_t at)
{
    if (from->act == CC_ACT_LINEAR) return from->dy[at];
    const float v = from->y ? from->y[at] : ((from->x[at] - k->high[i]) - k->low[i]) * k->scale[i] + k->shift[i];
    return v > 0 && (from->act != CC_ACT_RELU6 || v < 6) ? from->dy[at] : 0;
}

/* sum dv and sum dv (x - mean) of each block and channel, and dv itself if asked for. Without x the second sum is 0. */
static void batch_norm_sums(const layout *l, const cc_norm *k, const sources *from, float *dv, float *sums, const cc_team *team)
{
    const int64_t c = l->c, per_block = l->inner == 1 ? 1 : c;
    const cc_range mine = cc_slice(team, l->blocks * per_block, 1);
    for (int64_t task = mine.begin; task < mine.end; ++task) {
        const int64_t b = task / per_block, channel = task % per_block, rows = batch_norm_rows_of_block(l, b),
                      first = b * l->rows * c * l->inner;
        float *sum = sums + b * SUMS * c + channel;
        if (l->inner == 1) {
            cc_kernels_get()->norm.sums(k, dv ? dv + first : NULL, from->dy + first, from->x ? from->x + first : NULL,
                                        from->y ? from->y + first : NULL, rows, sum, sum + c);
            continue;
        }
        double total = 0, product = 0;
        for (int64_t row = 0; row < rows; ++row) {
            const int64_t begin = first + (row * c + channel) * l->inner;
            for (int64_t at = begin; at < begin + l->inner; ++at) {
                const float d = batch_norm_dv_at(from, k, channel, at);
                if (dv) dv[at] = d;
                total += (double)d;
                if (from->x) product += (double)d * (double)((from->x[at] - k->high[channel]) - k->low[channel]);
            }
        }
        sum[0] = (float)total;
        sum[c] = (float)product;
    }
}

/* With given statistics dx is a multiple of dv: from->x is NULL. */
static void batch_norm_input_gradient(const layout *l, const cc_norm *k, const sources *from, float *dx, const cc_team *team)
{
    const cc_range mine = batch_norm_my_tasks(l, team);
    if (mine.begin >= mine.end) return;
    if (l->inner == 1) {
        const int64_t at = mine.begin * l->c;
        cc_kernels_get()->norm.backward(k, dx + at, from->dy + at, from->x ? from->x + at : NULL, from->y ? from->y + at : NULL,
                                        mine.end - mine.begin);
        return;
    }
    for (int64_t task = mine.begin; task < mine.end; ++task) {
        const int64_t i = task % l->c;
        for (int64_t at = task * l->inner; at < (task + 1) * l->inner; ++at) {
            const float dv = batch_norm_dv_at(from, k, i, at);
            const float product = from->x ? ((from->x[at] - k->high[i]) - k->low[i]) * k->by_x[i] : 0;
            dx[at] = ((dv + k->constant[i]) + product) * k->scale[i];
        }
    }
}

/* The sums of every channel, the gradients that are those sums, and the coefficients of dx. */
static void batch_norm_channel_gradients(const cc_call *call, const layout *l, bool sums, const cc_team *team)
{
    const saved s = batch_norm_saved_of(call, l->c);
    const scratch w = batch_norm_scratch_of(call, l);
    const double m = (double)(l->outer * l->inner);
    const bool batch = batch_norm_of_batch(call);
    float *const *dx = call->dx;
    const cc_range channels = batch_norm_my_channels(l, team);
    for (int64_t i = channels.begin; i < channels.end; ++i) {
        const double scale = (double)s.scale[i], r = (double)s.s[i];
        double dbeta = 0, dgamma = 0;
        for (int64_t b = 0; sums && b < l->blocks; ++b) {
            dbeta += (double)w.sums[b * SUMS * l->c + i];
            dgamma += (double)w.sums[b * SUMS * l->c + l->c + i];
        }
        dgamma *= r;
        if (dx[CC_NORM_GAMMA]) dx[CC_NORM_GAMMA][i] = (float)dgamma;
        if (dx[CC_NORM_BETA]) dx[CC_NORM_BETA][i] = (float)dbeta;
        if (dx[CC_NORM_MEAN]) dx[CC_NORM_MEAN][i] = batch ? 0 : (float)(-scale * dbeta);
        if (dx[CC_NORM_VARIANCE]) dx[CC_NORM_VARIANCE][i] = batch ? 0 : (float)(-scale * r / 2 * dgamma);
        w.by_x[i] = batch ? (float)(-r * dgamma / m) : 0;
        w.constant[i] = batch ? (float)(-dbeta / m) : 0;
    }
}

static void batch_norm_backward(const cc_call *call, const cc_team *team)
{
    const layout l = batch_norm_layout_of(call);
    const scratch w = batch_norm_scratch_of(call, &l);
    const bool batch = batch_norm_of_batch(call);
    float *const *dx = call->dx, *residual_gradient = batch_norm_gradient_of(call, CC_NORM_RESIDUAL);
    if (l.outer * l.c * l.inner == 0) {
        for (int i = CC_NORM_GAMMA; team->ith == 0 && i <= CC_NORM_VARIANCE; ++i)
            if (dx[i]) memset(dx[i], 0, (size_t)l.c * sizeof(float)); /* sums of nothing */
        return;
    }

    cc_norm k = batch_norm_norm_of(call, &l);
    const bool sums = batch || dx[CC_NORM_GAMMA] || dx[CC_NORM_BETA] || dx[CC_NORM_MEAN] || dx[CC_NORM_VARIANCE];
    const bool reads_x = batch || dx[CC_NORM_GAMMA] || dx[CC_NORM_VARIANCE];
    sources from = {.dy = call->dy, .x = reads_x ? call->x[CC_NORM_X] : NULL, .act = k.act};
    if (batch_norm_reads_y(call)) from.y = call->y;
    if (sums || residual_gradient) batch_norm_sums(&l, &k, &from, residual_gradient, w.sums, team);
    if (residual_gradient) {
        from.dy = residual_gradient; /* dv itself: act' is done */
        from.act = k.act = CC_ACT_LINEAR;
    }
    cc_barrier_wait(team);
    batch_norm_channel_gradients(call, &l, sums, team);
    if (!dx[CC_NORM_X]) return;
    cc_barrier_wait(team);
    if (!batch) from.x = NULL;
    batch_norm_input_gradient(&l, &k, &from, dx[CC_NORM_X], team);
}

/* ---- Moving averages ---- */

static void batch_norm_update(const cc_call *call, const cc_team *team)
{
    const cc_batch_norm_attributes *a = call->attributes;
    const layout l = batch_norm_layout_of(call);
    const saved s = batch_norm_saved_of(call, l.c);
    if (!batch_norm_of_batch(call) || l.outer * l.inner == 0) return;
    float *mean = (float *)(uintptr_t)call->x[CC_NORM_MEAN], *variance = (float *)(uintptr_t)call->x[CC_NORM_VARIANCE];
    const float old = a->momentum, new = 1 - a->momentum;
    const cc_range channels = batch_norm_my_channels(&l, team);
    for (int64_t i = channels.begin; i < channels.end; ++i) {
        mean[i] = old * mean[i] + new *s.high[i];
        variance[i] = old * variance[i] + new *s.variance[i];
    }
}

static bool batch_norm_per_sample(const cc_call *call)
{
    const cc_batch_norm_attributes *a = call->attributes;
    return !a->training && a->axis != 0 && a->axis != -call->xs[CC_NORM_X].rank && cc_per_sample_x(call);
}

const cc_op cc_op_batch_norm = {.name = "batch_norm",
                                .inputs = "x gamma? beta? moving_mean moving_var r?",
                                .meaning = "gamma: scale of a channel, else 1; beta: added to it; moving_mean, moving_var: "
                                           "averages that training renews, if variables; r: added before the activation",
                                .attributes = batch_norm_attributes,
                                .attributes_size = sizeof(cc_batch_norm_attributes),
                                .flags = CC_INPLACE | CC_INPLACE_BACKWARD,
                                .reads = CC_READS_X(CC_NORM_X),
                                .updates = CC_READS_X(CC_NORM_MEAN) | CC_READS_X(CC_NORM_VARIANCE),
                                .residual = CC_NORM_RESIDUAL,
                                .per_sample = batch_norm_per_sample,
                                .infer = batch_norm_infer,
                                .need = batch_norm_need,
                                .forward = batch_norm_forward,
                                .backward = batch_norm_backward,
                                .recompute = batch_norm_normalize,
                                .update = batch_norm_update};
