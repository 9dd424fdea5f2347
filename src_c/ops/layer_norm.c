/* layer_norm: x -> y of the same shape, normalized over the axes from `axis` to the last, for each position on those before it.
 *
 * With n elements in such a row, s = 1 / sqrt(variance + epsilon), the normalized z, and gamma 1 and beta 0 where absent:
 *
 *     z = (x - mean) s,   y = gamma z + beta,      mean = sum x / n,   variance = sum (x - mean)^2 / n
 *
 * With `rms` nothing is taken off: mean is 0 in both. Backward, with g = dy gamma and sums over a row,
 *
 *     dx = s (g - (sum g) / n - (x - mean) s^2 (sum g (x - mean)) / n),   the middle term only without `rms`
 *     dgamma = sum over rows of dy z,   dbeta = sum over rows of dy
 *
 * (the derivation is that of batch_norm.c). `saved` keeps the mean, as two floats, and s of each row. The mean is found first, and
 * then moments about it: nothing is lost where it is large and the variance small. dgamma and dbeta are sums over blocks of rows,
 * as many as the shape says. */
#include "algos/gemm.h"
#include "kernels/kernels.h"
#include "ops/infer.h"
#include "ops/meanings.h"
#include <math.h>
#include <string.h>

enum { X, GAMMA, BETA };

typedef struct settings {
    int64_t axis;
    float epsilon;
    int rms;
} settings;

static const cc_attr layer_norm_attributes[] = {
    {"axis", CC_INT, offsetof(settings, axis), "-1", NULL,
     "the first of the axes that are normalized together; " CC_AXIS_MEANING},
    {"epsilon", CC_FLOAT, offsetof(settings, epsilon), "0.001", NULL, "added to the variance before its root is taken"},
    {"rms", CC_BOOL, offsetof(settings, rms), "0", NULL, "1: divided by the root mean square only, no mean is taken off"},
    {0}};

static cconv_status layer_norm_infer(const cc_call *call, cc_shape *ys)
{
    const settings *a = call->attributes;
    const cc_shape *x = &call->xs[X];
    static const char *const names[] = {"x", "gamma", "beta"};
    int axis;
    CC_TRY(cc_infer_axis(call, a->axis, x->rank, &axis));
    if (!(a->epsilon >= 0 && isfinite(a->epsilon)))
        return cc_op_fail(call, CCONV_INVALID, "expected an epsilon of at least 0, received %g", (double)a->epsilon);
    for (int i = GAMMA; i <= BETA; ++i) {
        if (!cc_has_input(call, i)) continue;
        const cc_shape *s = &call->xs[i];
        bool fits = s->rank == x->rank - axis;
        for (int d = 0; fits && d < s->rank; ++d) fits = cc_agree(s->dim[d], x->dim[axis + d]);
        char text[CC_SHAPE_TEXT], x_text[CC_SHAPE_TEXT];
        if (!fits)
            return cc_op_fail(call, CCONV_INVALID, "expected %s of the shape of x from axis %d on, x: %s, received shape %s",
                              names[i], axis, cc_shape_text(x, x_text), cc_shape_text(s, text));
    }
    return cc_infer_same(call, ys);
}

/* x as rows of n numbers, in blocks of `each` rows. */
typedef struct layout {
    int64_t rows, n, each, blocks;
} layout;

static layout layer_norm_layout_of(const cc_call *call)
{
    const cc_shape *x = &call->xs[X];
    const int axis = cc_axis_of(((const settings *)call->attributes)->axis, x->rank);
    layout l = {.rows = cc_shape_product(x, 0, axis), .n = cc_shape_product(x, axis, x->rank)};
    const int64_t fit = l.n > 0 ? 16384 / l.n : 0;
    l.each = fit > 256 ? 256 : fit > 16 ? fit : 16; /* float32 is good enough for the sums of a block */
    l.blocks = (l.rows + l.each - 1) / l.each;
    return l;
}

static void layer_norm_need(const cc_call *call, int nth, cc_need *need)
{
    (void)nth;
    const layout l = layer_norm_layout_of(call);
    if (!call->differentiate) return;
    need->saved = 3 * (uint64_t)l.rows * sizeof(float);
    need->backward_scratch = 2 * (uint64_t)(l.blocks * l.n) * sizeof(float);
    if (cc_has_input(call, GAMMA) && call->needs_gradient[X]) need->reads |= CC_READS_X(GAMMA);
}

static cc_row_norm layer_norm_row_of(const cc_call *call, const layout *l)
{
    return (cc_row_norm){.n = l->n,
                         .gamma = cc_has_input(call, GAMMA) ? call->x[GAMMA] : NULL,
                         .beta = cc_has_input(call, BETA) ? call->x[BETA] : NULL};
}

static void layer_norm_find(const settings *a, cc_row_norm *row, const float *x)
{
    const cc_kernels *kernels = cc_kernels_get();
    const double n = (double)row->n;
    double first, second;
    row->high = row->low = 0;
    kernels->norm.row_moments(x, row->n, 0, &first, a->rms ? &second : NULL);
    if (!a->rms) {
        row->high = (float)(first / n);
        kernels->norm.row_moments(x, row->n, row->high, &first, &second);
        row->low = (float)(first / n);
        second -= first * first / n;
    }
    const double variance = second < 0 ? 0 : second / n; /* below 0 by rounding only */
    row->s = (float)(1 / sqrt(variance + (double)a->epsilon));
}

static void layer_norm_forward(const cc_call *call, const cc_team *team)
{
    const layout l = layer_norm_layout_of(call);
    cc_row_norm row = layer_norm_row_of(call, &l);
    const cc_range mine = cc_slice(team, l.rows, 512 / (l.n + 1) + 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        layer_norm_find(call->attributes, &row, call->x[X] + i * l.n);
        cc_kernels_get()->norm.row_forward(&row, call->y + i * l.n, call->x[X] + i * l.n);
        if (call->differentiate)
            memcpy((float *)call->saved + 3 * i, (const float[]){row.high, row.low, row.s}, 3 * sizeof(float));
    }
}

static void layer_norm_backward(const cc_call *call, const cc_team *team)
{
    const settings *a = call->attributes;
    const layout l = layer_norm_layout_of(call);
    const cc_kernels *kernels = cc_kernels_get();
    float *dgamma = cc_has_input(call, GAMMA) ? call->dx[GAMMA] : NULL,
          *dbeta = cc_has_input(call, BETA) ? call->dx[BETA] : NULL;
    float *dgammas = call->scratch, *dbetas = dgammas + l.blocks * l.n, *dx = call->dx[X];
    const bool sums = (dgamma || dbeta) && l.n > 0;
    cc_row_norm row = layer_norm_row_of(call, &l);
    if (!dx) row.gamma = NULL; /* which is not kept then */
    const cc_range mine = cc_slice(team, l.blocks, 1);
    for (int64_t block = mine.begin; block < mine.end; ++block) {
        float *own_dgamma = sums ? dgammas + block * l.n : NULL, *own_dbeta = sums ? dbetas + block * l.n : NULL;
        if (sums) memset(own_dgamma, 0, (size_t)l.n * sizeof(float));
        if (sums) memset(own_dbeta, 0, (size_t)l.n * sizeof(float));
        for (int64_t i = block * l.each; i < cc_min((block + 1) * l.each, l.rows); ++i) {
            const float *dy = call->dy + i * l.n, *x = call->x[X] + i * l.n, *saved = (const float *)call->saved + 3 * i;
            double first, second;
            row.high = saved[0];
            row.low = saved[1];
            row.s = saved[2];
            kernels->norm.row_sums(&row, dy, x, own_dgamma, own_dbeta, &first, &second);
            if (!dx) continue;
            const double s = (double)row.s, n = (double)l.n;
            kernels->norm.row_backward(&row, dx + i * l.n, dy, x, (float)(-s * s * second / n),
                                       a->rms ? 0 : (float)(-first / n));
        }
    }
    cc_barrier_wait(team);
    if (l.blocks == 0 || l.n == 0) {
        if (dgamma && l.n > 0 && team->ith == 0) memset(dgamma, 0, (size_t)l.n * sizeof(float));
        if (dbeta && l.n > 0 && team->ith == 0) memset(dbeta, 0, (size_t)l.n * sizeof(float));
        return;
    }
    if (dgamma) cc_add_blocks(dgamma, dgammas, l.blocks, l.n, team);
    if (dbeta) cc_add_blocks(dbeta, dbetas, l.blocks, l.n, team);
}

static bool layer_norm_per_sample(const cc_call *call)
{
    return cc_axis_of(((const settings *)call->attributes)->axis, call->xs[X].rank) != 0 && cc_per_sample_x(call);
}

const cc_op cc_op_layer_norm = {
    .name = "layer_norm",
    .inputs = "x gamma? beta?",
    .meaning =
        "x: what is normalized; gamma: scale of each position on the axes that are normalized, else 1; beta: added to it",
    .attributes = layer_norm_attributes,
    .attributes_size = sizeof(settings),
    .flags = CC_INPLACE | CC_INPLACE_BACKWARD,
    .reads = CC_READS_X(X),
    .per_sample = layer_norm_per_sample,
    .infer = layer_norm_infer,
    .need = layer_norm_need,
    .forward = layer_norm_forward,
    .backward = layer_norm_backward};
