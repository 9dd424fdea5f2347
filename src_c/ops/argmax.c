/* argmax: x -> y, the position of the largest element along one axis, as a float; the axis is dropped, or 1 with keepdims. The first of
 * equal ones; a NaN counts as the largest. No gradient passes. */
#include "ops/axes.h"
#include "ops/infer.h"

static const cc_attr argmax_attributes[] = {
    {"axis", CC_INT, offsetof(cc_argmax_attributes, axis), "-1", NULL},
    {"keepdims", CC_BOOL, offsetof(cc_argmax_attributes, keepdims), "0", NULL},
    {0}};

static cconv_status argmax_infer(const cc_call *call, cc_shape *ys)
{
    const cc_argmax_attributes *a = call->attributes;
    const cc_shape *xs = &call->xs[0];
    char text[CC_SHAPE_TEXT];
    int axis;
    CC_TRY(cc_infer_axis(call, a->axis, xs->rank, &axis));
    if (xs->dim[axis] == 0)
        return cc_op_fail(call, CCONV_INVALID, "expected at least one element along axis %d, received shape %s", axis,
                          cc_shape_text(xs, text));
    *ys = (cc_shape){.rank = 0};
    for (int k = 0; k < xs->rank; ++k) {
        if (k != axis)
            ys->dim[ys->rank++] = xs->dim[k];
        else if (a->keepdims)
            ys->dim[ys->rank++] = 1;
    }
    return CCONV_OK;
}

static void argmax_forward(const cc_call *call, const cc_team *team)
{
    const cc_argmax_attributes *a = call->attributes;
    const cc_shape *xs = &call->xs[0];
    int axis = cc_axis_of(a->axis, xs->rank);
    int64_t length = xs->dim[axis], inner = cc_shape_product(xs, axis + 1, xs->rank);
    cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 2048 / (length + 1) + 1);
    for (int64_t o = mine.begin; o < mine.end; ++o) {
        const float *x = call->x[0] + o / inner * length * inner + o % inner;
        int64_t best = 0;
        for (int64_t k = 1; k < length; ++k) {
            float v = x[k * inner], most = x[best * inner];
            if (v > most || (v != v && most == most)) best = k;
        }
        call->y[o] = (float)best;
    }
}

static bool argmax_per_sample(const cc_call *call)
{
    return cc_axis_of(((const cc_argmax_attributes *)call->attributes)->axis, call->xs[0].rank) != 0;
}

const cc_op cc_op_argmax = {.name = "argmax",
                            .inputs = "x",
                            .attributes = argmax_attributes,
                            .attributes_size = sizeof(cc_argmax_attributes),
                            .per_sample = argmax_per_sample,
                            .infer = argmax_infer,
                            .forward = argmax_forward};
