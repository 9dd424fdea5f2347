/* group_norm: x[n][..][c] -> y of the same shape: the c channels are divided into `groups`, and each group of a sample is
 * normalized over all its channels and positions; scale and shift are a channel's.
 *
 * With m elements in a group, s = 1 / sqrt(variance + epsilon), the normalized z, and gamma 1 and beta 0 where absent:
 *
 *     z = (x - mean) s,   y = gamma z + beta,      mean = sum x / m,   variance = sum (x - mean)^2 / m
 *
 * Backward, with g = dy gamma and sums over a group,
 *
 *     dx = s (g - (sum g) / m - (x - mean) s^2 (sum g (x - mean)) / m)
 *     dgamma = sum of dy z,   dbeta = sum of dy      over the positions of all samples
 *
 * (the derivation is that of batch_norm.c, whose kernels this uses with the coefficients of a sample's channels). The positions
 * of a sample are taken in blocks, whose sums are joined in double; their number depends on the shape only. */
#include "base/alloc.h"
#include "kernels/kernels.h"
#include "base/minmax.h"
#include "ops/op.h"
#include "ops/infer.h"
#include <math.h>
#include <string.h>

enum { X, GAMMA, BETA };

typedef struct settings {
    int64_t groups;
    float epsilon;
} settings;

static const cc_attr group_norm_attributes[] = {
    {"groups", CC_INT, offsetof(settings, groups), "1", NULL,
     "of channels, which must divide into them; as many: each by itself"},
    {"epsilon", CC_FLOAT, offsetof(settings, epsilon), "0.001", NULL, "added to the variance before its root is taken"},
    {0}};

static cconv_status group_norm_infer(const cc_call *call, cc_shape *ys)
{
    const settings *a = call->attributes;
    const cc_shape *x = &call->xs[X];
    static const char *const names[] = {"x", "gamma", "beta"};
    char text[CC_SHAPE_TEXT];
    if (x->rank < 2)
        return cc_op_fail(call, CCONV_INVALID, "expected x of shape (n, ..., c), received shape %s", cc_shape_text(x, text));
    const int64_t c = x->dim[x->rank - 1];
    if (a->groups < 1 || (c >= 0 && c % a->groups != 0))
        return cc_op_fail(call, CCONV_INVALID, "expected groups that the %lld channels of x divide into, received %lld",
                          (long long)c, (long long)a->groups);
    if (!(a->epsilon >= 0 && isfinite(a->epsilon)))
        return cc_op_fail(call, CCONV_INVALID, "expected an epsilon of at least 0, received %g", (double)a->epsilon);
    for (int i = GAMMA; i <= BETA; ++i)
        if (cc_has_input(call, i) && (call->xs[i].rank != 1 || !cc_agree(call->xs[i].dim[0], c)))
            return cc_op_fail(call, CCONV_INVALID, "expected %s of shape (%lld,), one number per channel, received shape %s",
                              names[i], (long long)c, cc_shape_text(&call->xs[i], text));
    return cc_infer_same(call, ys);
}

/* x as n samples of `positions` rows of c channels, in blocks of `each` rows; a task is a block of a sample. */
typedef struct layout {
    int64_t n, positions, c, groups, width, each, blocks;
} layout;

static layout group_norm_layout_of(const cc_call *call)
{
    const cc_shape *x = &call->xs[X];
    layout l = {.n = x->dim[0],
                .positions = cc_shape_product(x, 1, x->rank - 1),
                .c = x->dim[x->rank - 1],
                .groups = ((const settings *)call->attributes)->groups};
    l.width = l.c / l.groups;
    const int64_t fit = l.c > 0 ? 16384 / l.c : 0;
    l.each = fit > 256 ? 256 : fit > 16 ? fit : 16; /* a block stays in a cache, and float32 is good enough for its sums */
    l.blocks = (l.positions + l.each - 1) / l.each;
    return l;
}

static int64_t group_norm_rows_of(const layout *l, int64_t task)
{
    return cc_min(l->each, l->positions - task % l->blocks * l->each);
}

/* saved: high, low, s of each group of each sample. scratch: the coefficients of each thread (COEFFICIENTS rows of c), two of each
 * group, and three sums for each task and channel. */
enum { SAVED = 3, COEFFICIENTS = 5, SUMS = 3 };

static uint64_t group_norm_own_bytes(const layout *l)
{
    return CC_ALIGN_UP(COEFFICIENTS * (uint64_t)l->c * sizeof(float));
}

static float *group_norm_sums_of(const cc_call *call, const layout *l, const cc_team *team)
{
    return (float *)((char *)call->scratch + (uint64_t)team->nth * group_norm_own_bytes(l)) + 2 * l->n * l->groups;
}

static void group_norm_need(const cc_call *call, int nth, cc_need *need)
{
    const layout l = group_norm_layout_of(call);
    const uint64_t floats = 2 * (uint64_t)(l.n * l.groups) + SUMS * (uint64_t)(l.n * l.blocks * l.c);
    need->saved = SAVED * (uint64_t)(l.n * l.groups) * sizeof(float);
    need->forward_scratch = (uint64_t)nth * group_norm_own_bytes(&l) + floats * sizeof(float);
    if (!call->differentiate) return;
    need->backward_scratch = need->forward_scratch;
    if (cc_has_input(call, GAMMA)) need->reads |= CC_READS_X(GAMMA);
}

/* The coefficients of a sample's channels in this thread's memory; those of dx where `coefficients` of its groups are given. */
static cc_norm group_norm_of_sample(const cc_call *call, const layout *l, int64_t sample, const float *coefficients,
                                    const cc_team *team)
{
    const float *gamma = cc_has_input(call, GAMMA) ? call->x[GAMMA] : NULL,
                *beta = cc_has_input(call, BETA) ? call->x[BETA] : NULL;
    const float *saved = (const float *)call->saved + SAVED * sample * l->groups;
    float *own = (float *)((char *)call->scratch + (uint64_t)team->ith * group_norm_own_bytes(l));
    float *high = own, *low = own + l->c, *scale = low + l->c, *shift = scale + l->c, *by_x = shift + l->c;
    for (int64_t i = 0; i < l->c; ++i) {
        const int64_t group = i / l->width;
        high[i] = saved[SAVED * group];
        low[i] = saved[SAVED * group + 1];
        scale[i] = gamma ? gamma[i] * saved[SAVED * group + 2] : saved[SAVED * group + 2];
        shift[i] = coefficients ? coefficients[2 * group] : beta ? beta[i] : 0;
        by_x[i] = coefficients ? coefficients[2 * group + 1] : 0;
    }
    return (cc_norm){.c = l->c,
                     .act = CC_ACT_LINEAR,
                     .high = high,
                     .low = low,
                     .scale = scale,
                     .shift = shift,
                     .by_x = by_x,
                     .constant = shift};
}

/* Joins the sums of a group's blocks: about, first and second of each channel. */
static void group_norm_join(const cc_call *call, const layout *l, const float *sums, int64_t sample, int64_t group)
{
    const double m = (double)(l->positions * l->width), epsilon = (double)((const settings *)call->attributes)->epsilon;
    double mean = 0, variance = 0;
    for (int pass = 0; pass < 2; ++pass) {
        for (int64_t b = 0; b < l->blocks; ++b) {
            const double count = (double)group_norm_rows_of(l, b);
            const float *about = sums + (sample * l->blocks + b) * SUMS * l->c;
            for (int64_t i = group * l->width; i < (group + 1) * l->width; ++i) {
                const double first = (double)about[l->c + i], e = mean - (double)about[i];
                if (pass == 0)
                    mean += (count * (double)about[i] + first) / m;
                else
                    variance += (double)about[2 * l->c + i] + e * (count * e - 2 * first);
            }
        }
    }
    float *saved = (float *)call->saved + SAVED * (sample * l->groups + group);
    saved[0] = (float)mean;
    saved[1] = (float)(mean - (double)saved[0]);
    saved[2] = (float)(1 / sqrt((variance < 0 ? 0 : variance / m) + epsilon)); /* below 0 by rounding only */
}

static void group_norm_forward(const cc_call *call, const cc_team *team)
{
    const layout l = group_norm_layout_of(call);
    if (l.n * l.positions * l.c == 0) return;
    const cc_kernels *kernels = cc_kernels_get();
    float *sums = group_norm_sums_of(call, &l, team);
    const cc_range mine = cc_slice(team, l.n * l.blocks, 512 / (l.each * l.c) + 1);
    for (int64_t task = mine.begin; task < mine.end; ++task) {
        float *about = sums + task * SUMS * l.c;
        const int64_t row = task / l.blocks * l.positions + task % l.blocks * l.each;
        kernels->norm.moments(call->x[X] + row * l.c, group_norm_rows_of(&l, task), l.c, about, about + l.c, about + 2 * l.c);
    }
    cc_barrier_wait(team);
    const cc_range groups = cc_slice(team, l.n * l.groups, 1);
    for (int64_t i = groups.begin; i < groups.end; ++i) group_norm_join(call, &l, sums, i / l.groups, i % l.groups);
    cc_barrier_wait(team);
    cc_norm k = {0};
    for (int64_t task = mine.end - 1; task >= mine.begin; --task) { /* what was read last is still in a cache */
        const int64_t at = (task / l.blocks * l.positions + task % l.blocks * l.each) * l.c;
        if (task == mine.end - 1 || (task + 1) % l.blocks == 0) k = group_norm_of_sample(call, &l, task / l.blocks, NULL, team);
        kernels->norm.forward(&k, call->y + at, call->x[X] + at, NULL, group_norm_rows_of(&l, task));
    }
}

/* constant and by_x of a group's dx, from the sums of dy and dy (x - mean) of its channels' blocks. */
static void group_norm_coefficients(const cc_call *call, const layout *l, const float *sums, int64_t sample, int64_t group,
                                    float *to)
{
    const double m = (double)(l->positions * l->width),
                 s = (double)((const float *)call->saved)[SAVED * (sample * l->groups + group) + 2];
    double first = 0, second = 0;
    for (int64_t b = 0; b < l->blocks; ++b) {
        const float *sum = sums + (sample * l->blocks + b) * SUMS * l->c;
        for (int64_t i = group * l->width; i < (group + 1) * l->width; ++i) {
            const double gamma = cc_has_input(call, GAMMA) ? (double)call->x[GAMMA][i] : 1;
            first += gamma * (double)sum[i];
            second += gamma * (double)sum[l->c + i];
        }
    }
    to[0] = (float)(-s * first / m);
    to[1] = (float)(-s * s * s * second / m);
}

/* dgamma and dbeta. */
static void group_norm_channel_gradients(const cc_call *call, const layout *l, const float *sums, const cc_team *team)
{
    float *dgamma = cc_has_input(call, GAMMA) ? call->dx[GAMMA] : NULL,
          *dbeta = cc_has_input(call, BETA) ? call->dx[BETA] : NULL;
    const float *saved = call->saved;
    if (!dgamma && !dbeta) return;
    const cc_range mine = cc_slice(team, l->c, 512 / (l->n * l->blocks + 1) + 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        double product = 0, sum = 0;
        for (int64_t task = 0; task < l->n * l->blocks; ++task) {
            const double s = (double)saved[SAVED * (task / l->blocks * l->groups + i / l->width) + 2];
            sum += (double)sums[task * SUMS * l->c + i];
            product += s * (double)sums[task * SUMS * l->c + l->c + i];
        }
        if (dgamma) dgamma[i] = (float)product;
        if (dbeta) dbeta[i] = (float)sum;
    }
}

static void group_norm_backward(const cc_call *call, const cc_team *team)
{
    const layout l = group_norm_layout_of(call);
    const cc_kernels *kernels = cc_kernels_get();
    float *sums = group_norm_sums_of(call, &l, team), *coefficients = sums - 2 * l.n * l.groups;
    if (l.n * l.positions * l.c == 0) {
        for (int i = GAMMA; team->ith == 0 && i <= BETA; ++i)
            if (cc_has_input(call, i) && call->dx[i]) memset(call->dx[i], 0, (size_t)l.c * sizeof(float)); /* sums of nothing */
        return;
    }
    const cc_range mine = cc_slice(team, l.n * l.blocks, 512 / (l.each * l.c) + 1);
    cc_norm k = {0};
    for (int64_t task = mine.begin; task < mine.end; ++task) {
        const int64_t at = (task / l.blocks * l.positions + task % l.blocks * l.each) * l.c;
        float *sum = sums + task * SUMS * l.c;
        if (task == mine.begin || task % l.blocks == 0) k = group_norm_of_sample(call, &l, task / l.blocks, NULL, team);
        kernels->norm.sums(&k, NULL, call->dy + at, call->x[X] + at, NULL, group_norm_rows_of(&l, task), sum, sum + l.c);
    }
    cc_barrier_wait(team);
    group_norm_channel_gradients(call, &l, sums, team);
    if (!call->dx[X]) return;
    const cc_range groups = cc_slice(team, l.n * l.groups, 1);
    for (int64_t i = groups.begin; i < groups.end; ++i)
        group_norm_coefficients(call, &l, sums, i / l.groups, i % l.groups, coefficients + 2 * i);
    cc_barrier_wait(team);
    for (int64_t task = mine.begin; task < mine.end; ++task) {
        const int64_t sample = task / l.blocks, at = (sample * l.positions + task % l.blocks * l.each) * l.c;
        if (task == mine.begin || task % l.blocks == 0)
            k = group_norm_of_sample(call, &l, sample, coefficients + 2 * sample * l.groups, team);
        kernels->norm.combine(&k, call->dx[X] + at, call->dy + at, call->x[X] + at, group_norm_rows_of(&l, task));
    }
}

const cc_op cc_op_group_norm = {
    .name = "group_norm",
    .inputs = "x gamma? beta?",
    .meaning = "x: samples, their channels on the last axis; gamma: scale of a channel, else 1; beta: added to it",
    .attributes = group_norm_attributes,
    .attributes_size = sizeof(settings),
    .flags = CC_INPLACE | CC_INPLACE_BACKWARD,
    .reads = CC_READS_X(X),
    .per_sample = cc_per_sample_x,
    .infer = group_norm_infer,
    .need = group_norm_need,
    .forward = group_norm_forward,
    .backward = group_norm_backward};
