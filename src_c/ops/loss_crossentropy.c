/* Cross-entropy between a distribution over classes, given as such or as the number of the one true class, and a predicted
 * one, given as probabilities or as logits. With x[c] the prediction and t[c] the target of one sample:
 *
 *     logits         y = sum_i t_i (log(sum_j exp(x_j)) - x_i)
 *                    softmax and cross-entropy in one: dx_i = dy (T softmax(x)_i - t_i), T = sum_i t_i
 *     probabilities  q = x / sum(x) clipped to [epsilon, 1 - epsilon];  y = -sum_i t_i log(q_i)
 *                    dq_i = -dy t_i / q_i, 0 where clipped;  dx_j = (dq_j - sum_i dq_i q_i) / sum(x)
 *
 * The form with class numbers is the same with t one-hot, without ever writing that down; a number that is no class ends the
 * run. Distributions get a gradient, too. */
#include "ops/loss.h"
#include "ops/exp_row.h"
#include "ops/meanings.h"
#include "ops/op.h"
#include <math.h>

#define EPSILON 1e-7f

/* Samples lie on a grid of outer x inner, c classes each, `inner` elements apart. */
typedef struct geometry {
    int64_t outer, c, inner;
} geometry;

typedef struct row_state { /* saved by forward: what turns a logit into a probability again, or the sum of the probabilities */
    float highest, sum;
} row_state;

static geometry loss_crossentropy_locate(const cc_shape *shape, int64_t axis)
{
    int a = (int)(axis < 0 ? axis + shape->rank : axis);
    return (geometry){cc_shape_product(shape, 0, a), shape->dim[a], cc_shape_product(shape, a + 1, shape->rank)};
}

/* ---- Shapes ------------------------------------------------------------------------------------------------------- */

/* y_true and y_pred of one shape; y without the axis of the classes. */
static cconv_status loss_crossentropy_infer_categorical(const cc_call *call, cc_shape *ys)
{
    const cc_crossentropy_attributes *a = call->attributes;
    const cc_shape *t = &call->xs[0], *p = &call->xs[1];
    char text[2][CC_SHAPE_TEXT];
    if (!(a->label_smoothing >= 0 && a->label_smoothing <= 1))
        return cc_op_fail(call, CCONV_INVALID, "expected label_smoothing between 0 and 1, received %g",
                          (double)a->label_smoothing);
    if (p->rank < 1) return cc_op_fail(call, CCONV_INVALID, "expected y_pred of rank 1 or more, received a scalar");
    if (a->axis < -p->rank || a->axis >= p->rank)
        return cc_op_fail(call, CCONV_INVALID, "expected an axis of y_pred, whose shape is %s, received axis=%lld",
                          cc_shape_text(p, text[0]), (long long)a->axis);
    bool same = t->rank == p->rank;
    for (int i = 0; same && i < p->rank; ++i) same = cc_agree(t->dim[i], p->dim[i]);
    if (!same)
        return cc_op_fail(call, CCONV_INVALID,
                          "expected y_true of y_pred's shape %s (a probability for each class), received %s; class numbers are "
                          "for sparse_categorical_crossentropy",
                          cc_shape_text(p, text[0]), cc_shape_text(t, text[1]));
    int axis = (int)(a->axis < 0 ? a->axis + p->rank : a->axis);
    ys->rank = p->rank - 1;
    for (int i = 0; i < ys->rank; ++i) {
        int j = i < axis ? i : i + 1;
        ys->dim[i] = p->dim[j] < 0 ? t->dim[j] : p->dim[j];
    }
    return CCONV_OK;
}

/* y_true of y_pred's shape without its last axis, or with 1 there. */
static cconv_status loss_crossentropy_infer_sparse(const cc_call *call, cc_shape *ys)
{
    const cc_shape *t = &call->xs[0], *p = &call->xs[1];
    char text[2][CC_SHAPE_TEXT];
    if (p->rank < 1) return cc_op_fail(call, CCONV_INVALID, "expected y_pred of rank 1 or more, received a scalar");
    bool same = t->rank == p->rank - 1 || (t->rank == p->rank && cc_agree(t->dim[t->rank - 1], 1));
    for (int i = 0; same && i < p->rank - 1; ++i) same = cc_agree(t->dim[i], p->dim[i]);
    if (!same)
        return cc_op_fail(call, CCONV_INVALID,
                          "expected y_true of y_pred's shape %s without its last size (a class number for each sample), "
                          "received %s; one-hot targets are for categorical_crossentropy",
                          cc_shape_text(p, text[0]), cc_shape_text(t, text[1]));
    ys->rank = p->rank - 1;
    for (int i = 0; i < ys->rank; ++i) ys->dim[i] = p->dim[i] < 0 ? t->dim[i] : p->dim[i];
    return CCONV_OK;
}

static void loss_crossentropy_need(const cc_call *call, int nth, cc_need *out)
{
    (void)nth;
    if (call->differentiate) out->saved = (uint64_t)cc_shape_count(&call->ys) * sizeof(row_state);
}

/* ---- One sample --------------------------------------------------------------------------------------------------- */

/* x[c], `inner` apart. */
static inline row_state loss_crossentropy_summarize(const float *x, int64_t c, int64_t inner, bool logits)
{
    double sum = 0;
    float highest = 0;
    if (logits && inner == 1) {
        highest = cc_row_max(x, c);
        sum = cc_row_exp_sum(x, highest, c);
    } else if (logits) {
        highest = x[0];
        for (int64_t i = 1; i < c; ++i) highest = x[i * inner] > highest ? x[i * inner] : highest;
        for (int64_t i = 0; i < c; ++i) sum += (double)expf(x[i * inner] - highest);
    } else {
        for (int64_t i = 0; i < c; ++i) sum += (double)x[i * inner];
    }
    return (row_state){highest, (float)sum};
}

static inline float loss_crossentropy_clip(float q)
{
    return q < EPSILON ? EPSILON : q > 1 - EPSILON ? 1 - EPSILON : q;
}

/* -log of the probability of the class whose element is x. */
static inline float loss_crossentropy_surprise(float x, row_state row, bool logits)
{
    return logits ? logf(row.sum) - (x - row.highest) : -logf(loss_crossentropy_clip(x / row.sum));
}

/* ---- Distributions as targets ------------------------------------------------------------------------------------- */

static void categorical_crossentropy_forward(const cc_call *call, const cc_team *team)
{
    const cc_crossentropy_attributes *a = call->attributes;
    const geometry g = loss_crossentropy_locate(&call->xs[1], a->axis);
    const bool logits = a->from_logits;
    const float keep = 1 - a->label_smoothing, add = a->label_smoothing / (float)g.c;
    row_state *saved = call->differentiate ? call->saved : NULL;
    cc_range mine = cc_slice(team, g.outer * g.inner, 1 + 512 / (g.c + 1));
    for (int64_t row = mine.begin; row < mine.end; ++row) {
        int64_t at = row / g.inner * g.c * g.inner + row % g.inner;
        const float *t = call->x[0] + at, *x = call->x[1] + at;
        row_state state = g.c > 0 ? loss_crossentropy_summarize(x, g.c, g.inner, logits) : (row_state){0, 0};
        double sum = 0;
        for (int64_t i = 0; i < g.c; ++i) {
            float target = t[i * g.inner] * keep + add;
            /* a class that is not asked for may have the logit -infinity */
            if (target != 0) sum += (double)target * (double)loss_crossentropy_surprise(x[i * g.inner], state, logits);
        }
        if (isnan(state.sum)) sum = (double)NAN;
        call->y[row] = (float)sum;
        if (saved) saved[row] = state;
    }
}

static void categorical_crossentropy_backward(const cc_call *call, const cc_team *team)
{
    const cc_crossentropy_attributes *a = call->attributes;
    const geometry g = loss_crossentropy_locate(&call->xs[1], a->axis);
    const bool logits = a->from_logits;
    const float keep = 1 - a->label_smoothing, add = a->label_smoothing / (float)g.c;
    const row_state *saved = call->saved;
    cc_range mine = cc_slice(team, g.outer * g.inner, 1 + 512 / (g.c + 1));
    for (int64_t row = mine.begin; row < mine.end; ++row) {
        const int64_t at = row / g.inner * g.c * g.inner + row % g.inner, n = g.inner;
        const float *t = call->x[0] + at, *x = call->x[1] + at, dy = call->dy[row];
        const row_state state = saved[row];
        if (call->dx[0])
            for (int64_t i = 0; i < g.c; ++i)
                call->dx[0][at + i * n] = dy * keep * loss_crossentropy_surprise(x[i * n], state, logits);
        if (!call->dx[1]) continue;
        float *dx = call->dx[1] + at;
        double total = 0;
        if (logits) {
            for (int64_t i = 0; i < g.c; ++i) total += (double)(t[i * n] * keep + add);
            const float scale = (float)(total / (double)state.sum);
            for (int64_t i = 0; i < g.c; ++i)
                dx[i * n] = dy * (scale * expf(x[i * n] - state.highest) - (t[i * n] * keep + add));
        } else {
            for (int64_t i = 0; i < g.c; ++i) {
                float q = x[i * n] / state.sum, target = t[i * n] * keep + add;
                float dq = loss_crossentropy_clip(q) == q ? -target / q : 0;
                dx[i * n] = dq;
                total += (double)dq * (double)q;
            }
            for (int64_t i = 0; i < g.c; ++i) dx[i * n] = dy * ((dx[i * n] - (float)total) / state.sum);
        }
    }
}

/* ---- Class numbers as targets ------------------------------------------------------------------------------------- */

static void sparse_categorical_crossentropy_forward(const cc_call *call, const cc_team *team)
{
    const cc_crossentropy_attributes *a = call->attributes;
    const int64_t c = call->xs[1].dim[call->xs[1].rank - 1], rows = cc_shape_count(&call->ys);
    row_state *saved = call->differentiate ? call->saved : NULL;
    cc_range mine = cc_slice(team, rows, 1 + 512 / (c + 1));
    for (int64_t row = mine.begin; row < mine.end; ++row) {
        const float *x = call->x[1] + row * c;
        const int32_t label = cc_ints(call->x[0])[row];
        row_state state = c > 0 ? loss_crossentropy_summarize(x, c, 1, a->from_logits) : (row_state){0, 0};
        if (label < 0 || label >= c) {
            cc_report(call, row);
            continue;
        }
        call->y[row] = loss_crossentropy_surprise(x[label], state, a->from_logits);
        if (saved) saved[row] = state;
    }
}

static cconv_status sparse_categorical_crossentropy_refuse(const cc_call *call, int64_t element)
{
    const int64_t c = call->xs[1].dim[call->xs[1].rank - 1];
    return cc_op_fail(call, CCONV_INVALID, "expected labels of 0 to %lld, for y_pred has %lld classes, received %ld",
                      (long long)c - 1, (long long)c, (long)cc_ints(call->x[0])[element]);
}

static void sparse_categorical_crossentropy_backward(const cc_call *call, const cc_team *team)
{
    const cc_crossentropy_attributes *a = call->attributes;
    const int64_t c = call->xs[1].dim[call->xs[1].rank - 1], rows = cc_shape_count(&call->ys);
    const row_state *saved = call->saved;
    cc_range mine = cc_slice(team, rows, 1 + 512 / (c + 1));
    if (!call->dx[1]) return;
    for (int64_t row = mine.begin; row < mine.end; ++row) {
        const float *x = call->x[1] + row * c, dy = call->dy[row];
        const int64_t k = cc_ints(call->x[0])[row];
        float *dx = call->dx[1] + row * c;
        const row_state state = saved[row];
        if (a->from_logits) {
            const float scale = 1 / state.sum;
            cc_kernels_get()->elementwise.exp(dx, x, state.highest, c);
            for (int64_t i = 0; i < c; ++i) dx[i] = dy * (scale * dx[i] - (i == k ? 1.0f : 0.0f));
        } else {
            /* q = x_k / s: d(-log q) is -1 / q, and dq/dx_i = ((i == k) - q) / s */
            const float q = x[k] / state.sum, slope = loss_crossentropy_clip(q) == q ? dy / state.sum : 0;
            for (int64_t i = 0; i < c; ++i) dx[i] = slope * (1 - (i == k ? 1 / loss_crossentropy_clip(q) : 0));
        }
    }
}

static bool categorical_crossentropy_per_sample(const cc_call *call)
{
    const cc_crossentropy_attributes *a = call->attributes;
    return a->axis != 0 && a->axis != -call->xs[1].rank;
}

static bool sparse_categorical_crossentropy_per_sample(const cc_call *call)
{
    return call->xs[1].rank > 1;
}

typedef cc_crossentropy_attributes settings;
static const cc_attr categorical_table[] = {
    {"from_logits", CC_BOOL, offsetof(settings, from_logits), "false", NULL, CC_LOGITS_MEANING},
    {"label_smoothing", CC_FLOAT, offsetof(settings, label_smoothing), "0", NULL, CC_SMOOTHING_MEANING},
    {"axis", CC_INT, offsetof(settings, axis), "-1", NULL, "axis of the classes; below 0 counted from the last"},
    {0}};

static const cc_attr sparse_table[] = {
    {"from_logits", CC_BOOL, offsetof(settings, from_logits), "false", NULL, CC_LOGITS_MEANING}, {0}};

const cc_op cc_op_categorical_crossentropy = {
    .name = "categorical_crossentropy",
    .inputs = "y_true y_pred",
    .meaning = "y_true: the probability of each class; y_pred: the computed ones, of the same shape",
    .attributes = categorical_table,
    .attributes_size = sizeof(cc_crossentropy_attributes),
    .reads = CC_READS_X(0) | CC_READS_X(1),
    .per_sample = categorical_crossentropy_per_sample,
    .infer = loss_crossentropy_infer_categorical,
    .need = loss_crossentropy_need,
    .forward = categorical_crossentropy_forward,
    .backward = categorical_crossentropy_backward};

const cc_op cc_op_sparse_categorical_crossentropy = {
    .name = "sparse_categorical_crossentropy",
    .inputs = "y_true y_pred",
    .meaning = "y_true: numbers of classes, from 0; y_pred: a value for each class along the last axis",
    .types = "i f -> f",
    .attributes = sparse_table,
    .attributes_size = sizeof(cc_crossentropy_attributes),
    .reads = CC_READS_X(0) | CC_READS_X(1),
    .per_sample = sparse_categorical_crossentropy_per_sample,
    .infer = loss_crossentropy_infer_sparse,
    .need = loss_crossentropy_need,
    .forward = sparse_categorical_crossentropy_forward,
    .refuse = sparse_categorical_crossentropy_refuse,
    .backward = sparse_categorical_crossentropy_backward};
