/* batch_norm: x -> y of the same shape, normalized for each channel (the index along `axis`) over all other axes.
 *
 * With m elements in a channel, r = 1 / sqrt(variance + epsilon), gamma 1 and beta 0 where absent, and the normalized z:
 *
 *     z = (x - mean) r,   y = gamma z + beta
 *
 * Training (attribute `training`, in a plan for training): mean = sum x / m, variance = sum (x - mean)^2 / m (biased, as in
 * Keras), and after the backward pass, for both, moving = momentum moving + (1 - momentum) batch. Else: the moving ones.
 *
 * Backward. In both modes
 *
 *     dbeta = sum dy,   dgamma = sum dy z
 *
 * With given (moving) statistics y is affine in x:
 *
 *     dx = gamma r dy,   dmean = -gamma r sum dy = -gamma r dbeta
 *     dvariance = gamma sum dy (x - mean) dr/dvariance = -gamma r^2 / 2 dgamma     since dr/dvariance = -r^3 / 2
 *
 * With the batch's statistics x acts on y through them, too. Let dz = gamma dy, so that sum dz = gamma dbeta and
 * sum dz z = gamma dgamma; q[i] is the derivative of q by x[i]:
 *
 *     mean[i]   = 1 / m
 *     var[i]    = 2 (x[i] - mean) / m                            since sum (x - mean) = 0
 *     r[i]      = -r^3 / 2 var[i] = -r^2 z[i] / m
 *     z[j][i]   = r ([i = j] - mean[i]) + (x[j] - mean) r[i] = r ([i = j] - 1 / m - z[j] z[i] / m)
 *     dx[i]     = sum over j of dz[j] z[j][i] = gamma r (dy[i] - dbeta / m - z[i] dgamma / m)
 *
 * and nothing flows to the moving statistics.
 *
 * Sums are taken in double, over blocks whose size depends on the shape only, and joined in order: they do not depend on the
 * threads. A block gives its own mean and its sum of squares about that, joined by (Chan, Golub, LeVeque 1979)
 *
 *     delta = mean_b - mean_a,   mean = mean_a + delta n_b / n,   squares = squares_a + squares_b + delta^2 n_a n_b / n
 *
 * which loses nothing when the mean is large and the variance small. For the same reason the mean is kept as two floats. */
#include "op.h"
#include <math.h>

enum { X, GAMMA, BETA, MOVING_MEAN, MOVING_VAR };

typedef struct batch_norm {
    int64_t axis;
    float momentum, epsilon;
    int training;
} batch_norm;

static const cc_attr batch_norm_attributes[] = {{"axis", CC_INT, offsetof(batch_norm, axis), "-1", NULL},
                                                {"momentum", CC_FLOAT, offsetof(batch_norm, momentum), "0.99", NULL},
                                                {"epsilon", CC_FLOAT, offsetof(batch_norm, epsilon), "0.001", NULL},
                                                {"training", CC_BOOL, offsetof(batch_norm, training), "0", NULL},
                                                {0}};

/* ---- Shapes ---- */

static cconv_status batch_norm_infer(const cc_call *call, cc_shape *ys)
{
    const batch_norm *a = call->attributes;
    const cc_shape *x = &call->xs[X];
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
    for (int i = GAMMA; i <= MOVING_VAR; ++i) {
        const cc_shape *s = &call->xs[i];
        if (s->rank >= 0 && (s->rank != 1 || !cc_agree(s->dim[0], x->dim[axis])))
            return cc_op_fail(call, CCONV_INVALID, "expected %s of shape (%lld,), one number per channel, received shape %s",
                              names[i], (long long)x->dim[axis], cc_shape_text(s, text));
    }
    *ys = *x;
    return CCONV_OK;
}

/* x seen as (outer, c, inner), and the blocks its sums are taken over: `rows` of outer each. */
typedef struct layout {
    int64_t outer, c, inner, rows, blocks;
} layout;

static layout layout_of(const cc_call *call)
{
    const batch_norm *a = call->attributes;
    const cc_shape *x = &call->xs[X];
    const int axis = (int)(a->axis < 0 ? a->axis + x->rank : a->axis);
    layout l = {.outer = cc_shape_product(x, 0, axis), .c = x->dim[axis], .inner = cc_shape_product(x, axis + 1, x->rank)};
    const int64_t row = l.c * l.inner, fit = row > 0 ? 16384 / row : 0; /* a block stays in the second-level cache */
    l.rows = fit > 16 ? fit : 16;
    l.blocks = (l.outer + l.rows - 1) / l.rows;
    return l;
}

/* Whether this run uses the batch's own statistics. */
static bool of_batch(const cc_call *call)
{
    const batch_norm *a = call->attributes;
    return a->training && call->training;
}

/* saved, each c floats: mean = high + low, r, and the batch's variance. */
typedef struct saved {
    float *high, *low, *r, *variance;
} saved;

static saved saved_of(const cc_call *call, int64_t c)
{
    float *p = call->saved;
    return (saved){p, p + c, p + 2 * c, p + 3 * c};
}

/* scratch: two sums for each block and channel, then three coefficients for each channel. */
typedef struct scratch {
    double *sums;              /* (blocks, 2, c) */
    float *scale, *first, *second; /* (c) each */
} scratch;

static scratch scratch_of(const cc_call *call, const layout *l)
{
    double *sums = call->scratch;
    float *p = (float *)(sums + l->blocks * 2 * l->c);
    return (scratch){sums, p, p + l->c, p + 2 * l->c};
}

static void batch_norm_need(const cc_call *call, int nth, cc_need *need)
{
    (void)nth;
    const layout l = layout_of(call);
    const size_t c = (size_t)l.c, bytes = (size_t)l.blocks * 2 * c * sizeof(double) + 3 * c * sizeof(float);
    need->saved = 4 * c * sizeof(float); /* also without a backward pass: update reads it */
    need->forward_scratch = bytes;
    need->backward_scratch = bytes;
    need->reads = CC_READS_X(GAMMA);
    if (of_batch(call) || call->wants[GAMMA] || call->wants[MOVING_VAR]) need->reads |= CC_READS_X(X);
}

/* ---- Slices ---- */

/* Elements are worth some 4 operations each. */
static cc_range my_channels(const layout *l, const cc_team *team)
{
    return cc_slice(team, l->c, 512 / (l->blocks + 1) + 1);
}

/* For passes over all elements: rows of the outer axis if channels are last, else (outer, channel) pairs. */
static cc_range my_parts(const layout *l, const cc_team *team)
{
    if (l->inner == 1) return cc_slice(team, l->outer, 512 / (l->c + 1) + 1);
    return cc_slice(team, l->outer * l->c, 512 / (l->inner + 1) + 1);
}

/* ---- Forward ---- */

/* Mean and sum of squares about it of one block, for every channel; channels last. */
static void moments_last(const layout *l, const float *x, int64_t rows, double *restrict mean, double *restrict squares)
{
    const int64_t c = l->c;
    for (int64_t i = 0; i < c; ++i) mean[i] = squares[i] = 0;
    for (int64_t row = 0; row < rows; ++row)
        for (int64_t i = 0; i < c; ++i) mean[i] += (double)x[row * c + i];
    for (int64_t i = 0; i < c; ++i) mean[i] /= (double)rows;
    for (int64_t row = 0; row < rows; ++row) {
        for (int64_t i = 0; i < c; ++i) {
            double d = (double)x[row * c + i] - mean[i];
            squares[i] += d * d;
        }
    }
}

/* The same for one channel, rows apart by c * inner. */
static void moments_inner(const layout *l, const float *x, int64_t rows, double *mean, double *squares)
{
    double sum = 0, sum_squares = 0;
    for (int64_t row = 0; row < rows; ++row)
        for (int64_t i = 0; i < l->inner; ++i) sum += (double)x[row * l->c * l->inner + i];
    sum /= (double)(rows * l->inner);
    for (int64_t row = 0; row < rows; ++row) {
        for (int64_t i = 0; i < l->inner; ++i) {
            double d = (double)x[row * l->c * l->inner + i] - sum;
            sum_squares += d * d;
        }
    }
    *mean = sum;
    *squares = sum_squares;
}

static int64_t rows_of_block(const layout *l, int64_t block)
{
    const int64_t left = l->outer - block * l->rows;
    return left < l->rows ? left : l->rows;
}

static void moments_of_blocks(const cc_call *call, const layout *l, double *sums, const cc_team *team)
{
    const float *x = call->x[X];
    if (l->inner == 1) {
        const cc_range mine = cc_slice(team, l->blocks, 1);
        for (int64_t b = mine.begin; b < mine.end; ++b) {
            double *mean = sums + b * 2 * l->c;
            moments_last(l, x + b * l->rows * l->c, rows_of_block(l, b), mean, mean + l->c);
        }
        return;
    }
    const cc_range mine = cc_slice(team, l->blocks * l->c, 1);
    for (int64_t part = mine.begin; part < mine.end; ++part) {
        const int64_t b = part / l->c, channel = part % l->c;
        double *mean = sums + b * 2 * l->c + channel;
        moments_inner(l, x + (b * l->rows * l->c + channel) * l->inner, rows_of_block(l, b), mean, mean + l->c);
    }
}

static void keep_statistics(const saved *s, int64_t channel, double mean, double variance, float epsilon)
{
    s->high[channel] = (float)mean;
    s->low[channel] = (float)(mean - (double)s->high[channel]);
    s->r[channel] = (float)(1 / sqrt(variance + (double)epsilon));
    s->variance[channel] = (float)variance;
}

static void batch_norm_forward(const cc_call *call, const cc_team *team)
{
    const batch_norm *a = call->attributes;
    const layout l = layout_of(call);
    const saved s = saved_of(call, l.c);
    const scratch w = scratch_of(call, &l);
    if (l.outer * l.c * l.inner == 0) return;

    if (of_batch(call)) {
        moments_of_blocks(call, &l, w.sums, team);
        cc_barrier(team);
    }
    const cc_range channels = my_channels(&l, team);
    for (int64_t i = channels.begin; i < channels.end; ++i) {
        if (of_batch(call)) {
            double mean = 0, squares = 0, count = 0;
            for (int64_t b = 0; b < l.blocks; ++b) {
                const double *sums = w.sums + b * 2 * l.c + i;
                const double n = (double)(rows_of_block(&l, b) * l.inner), delta = sums[0] - mean;
                squares += sums[l.c] + delta * delta * (count * n / (count + n));
                count += n;
                mean += delta * (n / count);
            }
            keep_statistics(&s, i, mean, squares / count, a->epsilon);
        } else {
            keep_statistics(&s, i, (double)call->x[MOVING_MEAN][i], (double)call->x[MOVING_VAR][i], a->epsilon);
        }
        w.scale[i] = call->x[GAMMA] ? call->x[GAMMA][i] * s.r[i] : s.r[i];
        w.first[i] = call->x[BETA] ? call->x[BETA][i] : 0;
    }
    cc_barrier(team);

    const float *x = call->x[X];
    float *y = call->y;
    const cc_range mine = my_parts(&l, team);
    if (l.inner == 1) {
        for (int64_t row = mine.begin; row < mine.end; ++row)
            for (int64_t i = 0, at = row * l.c; i < l.c; ++i, ++at)
                y[at] = ((x[at] - s.high[i]) - s.low[i]) * w.scale[i] + w.first[i];
        return;
    }
    for (int64_t part = mine.begin; part < mine.end; ++part) {
        const int64_t i = part % l.c;
        const float high = s.high[i], low = s.low[i], scale = w.scale[i], shift = w.first[i];
        for (int64_t at = part * l.inner; at < (part + 1) * l.inner; ++at) y[at] = ((x[at] - high) - low) * scale + shift;
    }
}

/* ---- Backward ---- */

/* sum dy and sum dy (x - mean) of each block and channel; x may be NULL: then the second sum is 0. */
static void sums_of_blocks(const cc_call *call, const layout *l, const float *x, const saved *s, double *sums,
                           const cc_team *team)
{
    const float *dy = call->dy;
    const int64_t c = l->c;
    if (l->inner == 1) {
        const cc_range mine = cc_slice(team, l->blocks, 1);
        for (int64_t b = mine.begin; b < mine.end; ++b) {
            double *restrict sum = sums + b * 2 * c, *restrict product = sum + c;
            for (int64_t i = 0; i < c; ++i) sum[i] = product[i] = 0;
            for (int64_t row = b * l->rows; row < b * l->rows + rows_of_block(l, b); ++row) {
                for (int64_t i = 0; i < c; ++i) sum[i] += (double)dy[row * c + i];
                for (int64_t i = 0; x && i < c; ++i)
                    product[i] += (double)dy[row * c + i] * (double)((x[row * c + i] - s->high[i]) - s->low[i]);
            }
        }
        return;
    }
    const cc_range mine = cc_slice(team, l->blocks * c, 1);
    for (int64_t part = mine.begin; part < mine.end; ++part) {
        const int64_t b = part / c, channel = part % c;
        double sum = 0, product = 0;
        for (int64_t row = b * l->rows; row < b * l->rows + rows_of_block(l, b); ++row) {
            const int64_t begin = (row * c + channel) * l->inner, end = begin + l->inner;
            for (int64_t i = begin; i < end; ++i) sum += (double)dy[i];
            for (int64_t i = begin; x && i < end; ++i)
                product += (double)dy[i] * (double)((x[i] - s->high[channel]) - s->low[channel]);
        }
        sums[b * 2 * c + channel] = sum;
        sums[b * 2 * c + c + channel] = product;
    }
}

static void fill(float *values, int64_t n, float value)
{
    for (int64_t i = 0; values && i < n; ++i) values[i] = value;
}

/* dx = scale (dy - first - (x - mean) second), with the coefficients of the formula above; second == NULL: dx = scale dy. */
static void batch_norm_backward(const cc_call *call, const cc_team *team)
{
    const layout l = layout_of(call);
    const saved s = saved_of(call, l.c);
    const scratch w = scratch_of(call, &l);
    const double m = (double)(l.outer * l.inner);
    const bool batch = of_batch(call);
    float *const *dx = call->dx;
    if (l.outer * l.c * l.inner == 0) {
        for (int i = GAMMA; team->ith == 0 && i <= MOVING_VAR; ++i) fill(dx[i], l.c, 0); /* sums of nothing */
        return;
    }

    const bool sums = batch || dx[GAMMA] || dx[BETA] || dx[MOVING_MEAN] || dx[MOVING_VAR];
    const bool reads_x = batch || dx[GAMMA] || dx[MOVING_VAR];
    if (sums) {
        sums_of_blocks(call, &l, reads_x ? call->x[X] : NULL, &s, w.sums, team);
        cc_barrier(team);
    }
    const cc_range channels = my_channels(&l, team);
    for (int64_t i = channels.begin; i < channels.end; ++i) {
        const double r = (double)s.r[i], scale = call->x[GAMMA] ? (double)call->x[GAMMA][i] * r : r;
        double dbeta = 0, dgamma = 0;
        for (int64_t b = 0; sums && b < l.blocks; ++b) {
            dbeta += w.sums[b * 2 * l.c + i];
            dgamma += w.sums[b * 2 * l.c + l.c + i];
        }
        dgamma *= r;
        if (dx[GAMMA]) dx[GAMMA][i] = (float)dgamma;
        if (dx[BETA]) dx[BETA][i] = (float)dbeta;
        if (dx[MOVING_MEAN]) dx[MOVING_MEAN][i] = batch ? 0 : (float)(-scale * dbeta);
        if (dx[MOVING_VAR]) dx[MOVING_VAR][i] = batch ? 0 : (float)(-scale * r / 2 * dgamma);
        w.scale[i] = (float)scale;
        w.first[i] = (float)(dbeta / m);
        w.second[i] = (float)(r * dgamma / m);
    }
    if (!dx[X]) return;
    cc_barrier(team);

    const float *x = call->x[X], *dy = call->dy;
    float *out = dx[X];
    const cc_range mine = my_parts(&l, team);
    if (l.inner == 1) {
        for (int64_t row = mine.begin; row < mine.end; ++row) {
            const int64_t at = row * l.c;
            if (batch)
                for (int64_t i = 0; i < l.c; ++i)
                    out[at + i] = w.scale[i] * (dy[at + i] - w.first[i] - ((x[at + i] - s.high[i]) - s.low[i]) * w.second[i]);
            else
                for (int64_t i = 0; i < l.c; ++i) out[at + i] = w.scale[i] * dy[at + i];
        }
        return;
    }
    for (int64_t part = mine.begin; part < mine.end; ++part) {
        const int64_t i = part % l.c, begin = part * l.inner, end = begin + l.inner;
        const float high = s.high[i], low = s.low[i], scale = w.scale[i], first = w.first[i], second = w.second[i];
        if (batch)
            for (int64_t at = begin; at < end; ++at) out[at] = scale * (dy[at] - first - ((x[at] - high) - low) * second);
        else
            for (int64_t at = begin; at < end; ++at) out[at] = scale * dy[at];
    }
}

/* ---- Moving averages ---- */

static void batch_norm_update(const cc_call *call, const cc_team *team)
{
    const batch_norm *a = call->attributes;
    const layout l = layout_of(call);
    const saved s = saved_of(call, l.c);
    if (!of_batch(call) || l.outer * l.inner == 0) return;
    float *mean = (float *)(uintptr_t)call->x[MOVING_MEAN], *variance = (float *)(uintptr_t)call->x[MOVING_VAR];
    const float old = a->momentum, new = 1 - a->momentum;
    const cc_range channels = my_channels(&l, team);
    for (int64_t i = channels.begin; i < channels.end; ++i) {
        mean[i] = old * mean[i] + new * s.high[i];
        variance[i] = old * variance[i] + new * s.variance[i];
    }
}

const cc_op cc_op_batch_norm = {.name = "batch_norm",
                                .inputs = "x gamma? beta? moving_mean moving_var",
                                .attributes = batch_norm_attributes,
                                .attributes_size = sizeof(batch_norm),
                                .flags = CC_INPLACE | CC_INPLACE_BACKWARD,
                                .reads = CC_READS_X(X) | CC_READS_X(GAMMA),
                                .updates = CC_READS_X(MOVING_MEAN) | CC_READS_X(MOVING_VAR),
                                .infer = batch_norm_infer,
                                .need = batch_norm_need,
                                .forward = batch_norm_forward,
                                .backward = batch_norm_backward,
                                .update = batch_norm_update};
