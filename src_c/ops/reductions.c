/* sum, mean, max, min and prod over some axes (an empty list: all): x -> y, whose reduced axes are dropped, or 1 with keepdims.
 * All but mean take int32, too: sums and products wrap around. The largest of bools is whether one holds.
 *
 *     sum    dx = dy                  mean   dx = dy / terms
 *     max    dx = dy / ties where x = y, else 0: equal maxima share it; min likewise
 *     prod   dx = dy times the product of the others: y / x; with one zero among the terms only that one has a gradient */
#include "ops/axes.h"
#include "ops/meanings.h"
#include "algos/broadcast.h"
#include "algos/reduce.h"
#include "ops/infer.h"

static const cc_attr settings_attributes[] = {
    {"axes", CC_LIST, offsetof(cc_reduction_attributes, axes), "", NULL, CC_AXES_MEANING},
    {"keepdims", CC_BOOL, offsetof(cc_reduction_attributes, keepdims), "0", NULL, CC_KEEPDIMS_MEANING},
    {0}};

static unsigned reductions_axes_of(const cc_call *call)
{
    return cc_axes_of(&((const cc_reduction_attributes *)call->attributes)->axes, call->xs[0].rank);
}

static cconv_status reductions_infer(const cc_call *call, cc_shape *ys)
{
    const cc_reduction_attributes *a = call->attributes;
    const cc_shape *xs = &call->xs[0];
    unsigned axes;
    CC_TRY(cc_infer_axes(call, &a->axes, &axes));
    axes = reductions_axes_of(call);
    *ys = (cc_shape){.rank = 0};
    for (int k = 0; k < xs->rank; ++k) {
        if (!(axes >> k & 1u))
            ys->dim[ys->rank++] = xs->dim[k];
        else if (a->keepdims)
            ys->dim[ys->rank++] = 1;
    }
    return CCONV_OK;
}

/* The largest of nothing is not a number. */
static cconv_status reductions_infer_of_some(const cc_call *call, cc_shape *ys)
{
    char text[CC_SHAPE_TEXT];
    CC_TRY(reductions_infer(call, ys));
    for (int k = 0; k < call->xs[0].rank; ++k)
        if ((reductions_axes_of(call) >> k & 1u) && call->xs[0].dim[k] == 0)
            return cc_op_fail(call, CCONV_INVALID, "expected at least one element along axis %d, received shape %s", k,
                              cc_shape_text(&call->xs[0], text));
    return CCONV_OK;
}

static cc_reduction reductions_reduction_of(const cc_call *call)
{
    cc_reduction reduction;
    cc_reduction_init(&reduction, &call->xs[0], reductions_axes_of(call));
    return reduction;
}

/* y in x's rank, the reduced axes 1. */
static cc_shape reductions_kept_shape(const cc_call *call)
{
    cc_shape shape = call->xs[0];
    for (int k = 0; k < shape.rank; ++k)
        if (reductions_axes_of(call) >> k & 1u) shape.dim[k] = 1;
    return shape;
}

static void reductions_forward(const cc_call *call, const cc_team *team, cc_fold fold, bool mean)
{
    cc_reduction r = reductions_reduction_of(call);
    if (call->xs[0].type == CCONV_INT32) {
        cc_reduce_ints(&r, fold, cc_ints(call->x[0]), cc_ints_out(call->y), team);
        return;
    }
    cc_reduce(&r, fold, cc_terms_stored, call->x[0], mean ? (double)r.terms : 1, call->y, NULL, call->scratch, team);
}

static void reductions_need(const cc_call *call, int nth, cc_need *need)
{
    (void)nth;
    cc_reduction r = reductions_reduction_of(call);
    need->forward_scratch = cc_reduction_scratch(&r);
}

/* dx = dy / divisor, repeated. */
static void reductions_spread(const cc_call *call, const cc_team *team, float divisor)
{
    if (!call->dx[0]) return;
    cc_shape kept = reductions_kept_shape(call);
    cc_broadcast shape;
    cc_broadcast_init(&shape, &call->xs[0], 1, &kept);
    int64_t step = cc_broadcast_moves(&shape, 0);
    cc_range mine = cc_slice(team, cc_shape_count(&call->xs[0]), 2048);
    for (cc_walk walk = cc_walk_begin(&shape, mine); walk.run > 0; cc_walk_next(&walk)) {
        const float *dy = call->dy + walk.offset[0];
        float *dx = call->dx[0] + walk.position;
        for (int64_t i = 0; i < walk.run; ++i) dx[i] = dy[i * step] / divisor;
    }
}

/* ---- max and min ---- */

typedef struct ties {
    const float *x, *y;
    cc_broadcast shape; /* of y beside x */
} ties;

/* 1 where x is the extreme. */
static const float *reductions_tie_terms(const void *context, int64_t begin, int64_t n, float *buffer)
{
    const ties *t = context;
    int64_t step = cc_broadcast_moves(&t->shape, 0);
    for (cc_walk walk = cc_walk_begin(&t->shape, (cc_range){begin, begin + n}); walk.run > 0; cc_walk_next(&walk)) {
        const float *x = t->x + walk.position, *y = t->y + walk.offset[0];
        float *out = buffer + (walk.position - begin);
        for (int64_t i = 0; i < walk.run; ++i) out[i] = x[i] == y[i * step] ? 1.0f : 0.0f;
    }
    return buffer;
}

/* Scratch: how often each extreme occurs, then the reduction's own. */
static void reductions_extreme_need(const cc_call *call, int nth, cc_need *out)
{
    reductions_need(call, nth, out);
    out->backward_scratch = (uint64_t)cc_shape_count(&call->ys) * sizeof(double) + out->forward_scratch;
}

static void reductions_extreme_backward(const cc_call *call, const cc_team *team)
{
    if (!call->dx[0]) return;
    cc_reduction r = reductions_reduction_of(call);
    cc_shape kept = reductions_kept_shape(call);
    double *count = call->scratch;
    ties t = {.x = call->x[0], .y = call->y};
    cc_broadcast_init(&t.shape, &call->xs[0], 1, &kept);
    cc_reduce(&r, CC_FOLD_SUM, reductions_tie_terms, &t, 1, NULL, count, count + r.outputs, team);
    cc_barrier_wait(team);

    int64_t step = cc_broadcast_moves(&t.shape, 0);
    cc_range mine = cc_slice(team, cc_shape_count(&call->xs[0]), 2048);
    for (cc_walk walk = cc_walk_begin(&t.shape, mine); walk.run > 0; cc_walk_next(&walk)) {
        const float *x = t.x + walk.position, *y = t.y + walk.offset[0], *dy = call->dy + walk.offset[0];
        const double *many = count + walk.offset[0];
        float *dx = call->dx[0] + walk.position;
        for (int64_t i = 0; i < walk.run; ++i) dx[i] = x[i] == y[i * step] ? (float)(dy[i * step] / many[i * step]) : 0;
    }
}

/* ---- prod ---- */

static const float *reductions_zero_terms(const void *context, int64_t begin, int64_t n, float *buffer)
{
    const float *x = (const float *)context + begin;
    for (int64_t i = 0; i < n; ++i) buffer[i] = x[i] == 0 ? 1.0f : 0.0f;
    return buffer;
}

static const float *reductions_nonzero_terms(const void *context, int64_t begin, int64_t n, float *buffer)
{
    const float *x = (const float *)context + begin;
    for (int64_t i = 0; i < n; ++i) buffer[i] = x[i] == 0 ? 1.0f : x[i];
    return buffer;
}

/* Scratch: number of zeros and product of the others of each output, then the reduction's own. */
static void prod_need(const cc_call *call, int nth, cc_need *out)
{
    reductions_need(call, nth, out);
    out->backward_scratch = (uint64_t)cc_shape_count(&call->ys) * 2 * sizeof(double) + out->forward_scratch;
}

static void prod_backward(const cc_call *call, const cc_team *team)
{
    if (!call->dx[0]) return;
    cc_reduction r = reductions_reduction_of(call);
    double *zeros = call->scratch, *others = zeros + r.outputs, *partial = others + r.outputs;
    cc_reduce(&r, CC_FOLD_SUM, reductions_zero_terms, call->x[0], 1, NULL, zeros, partial, team);
    cc_barrier_wait(team);
    cc_reduce(&r, CC_FOLD_PROD, reductions_nonzero_terms, call->x[0], 1, NULL, others, partial, team);
    cc_barrier_wait(team);

    cc_shape kept = reductions_kept_shape(call);
    cc_broadcast shape;
    cc_broadcast_init(&shape, &call->xs[0], 1, &kept);
    int64_t step = cc_broadcast_moves(&shape, 0);
    cc_range mine = cc_slice(team, cc_shape_count(&call->xs[0]), 2048);
    for (cc_walk walk = cc_walk_begin(&shape, mine); walk.run > 0; cc_walk_next(&walk)) {
        const float *x = call->x[0] + walk.position, *dy = call->dy + walk.offset[0];
        const double *zero = zeros + walk.offset[0], *other = others + walk.offset[0];
        float *dx = call->dx[0] + walk.position;
        for (int64_t i = 0; i < walk.run; ++i) {
            int64_t o = i * step;
            double rest = x[i] == 0 ? (zero[o] == 1 ? other[o] : 0) : zero[o] == 0 ? other[o] / x[i] : 0;
            dx[i] = (float)(dy[o] * rest);
        }
    }
}

/* ---- The table ---- */

static void sum_backward(const cc_call *call, const cc_team *team)
{
    reductions_spread(call, team, 1);
}

static void mean_backward(const cc_call *call, const cc_team *team)
{
    reductions_spread(call, team, (float)reductions_reduction_of(call).terms);
}

static bool reductions_per_sample(const cc_call *call)
{
    return !(reductions_axes_of(call) & 1u);
}

#define REDUCTION(tag, takes, fold, mean, infer_function, need_function, backward_function, what_backward_reads)               \
    static void tag##_forward(const cc_call *call, const cc_team *team)                                                        \
    {                                                                                                                          \
        reductions_forward(call, team, fold, mean);                                                                            \
    }                                                                                                                          \
    const cc_op cc_op_##tag = {.name = #tag,                                                                                   \
                               .inputs = "x",                                                                                  \
                               .types = takes,                                                                                 \
                               .attributes = settings_attributes,                                                              \
                               .attributes_size = sizeof(cc_reduction_attributes),                                             \
                               .reads = what_backward_reads,                                                                   \
                               .per_sample = reductions_per_sample,                                                            \
                               .infer = infer_function,                                                                        \
                               .need = need_function,                                                                          \
                               .forward = tag##_forward,                                                                       \
                               .backward = backward_function}

REDUCTION(sum, "n -> n", CC_FOLD_SUM, false, reductions_infer, reductions_need, sum_backward, 0);
REDUCTION(mean, NULL, CC_FOLD_SUM, true, reductions_infer, reductions_need, mean_backward, 0);
REDUCTION(max, "t -> t", CC_FOLD_MAX, false, reductions_infer_of_some, reductions_extreme_need, reductions_extreme_backward,
          CC_READS_X(0) | CC_READS_Y);
REDUCTION(min, "t -> t", CC_FOLD_MIN, false, reductions_infer_of_some, reductions_extreme_need, reductions_extreme_backward,
          CC_READS_X(0) | CC_READS_Y);
REDUCTION(prod, "n -> n", CC_FOLD_PROD, false, reductions_infer, prod_need, prod_backward, CC_READS_X(0));
