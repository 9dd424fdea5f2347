/* argmax, argmin: x -> y, the position of the largest or smallest element along one axis, as an int32; the axis is dropped, or 1
 * with keepdims. The first of equal ones; a NaN comes before all others. No gradient passes. */
#include "ops/axes.h"
#include "ops/meanings.h"
#include "ops/infer.h"

static const cc_attr argmax_attributes[] = {
    {"axis", CC_INT, offsetof(cc_argmax_attributes, axis), "-1", NULL, CC_AXIS_MEANING},
    {"keepdims", CC_BOOL, offsetof(cc_argmax_attributes, keepdims), "0", NULL, CC_KEEPDIMS_MEANING},
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
    if (xs->dim[axis] > INT32_MAX)
        return cc_op_fail(call, CCONV_INVALID, "expected at most %d elements along axis %d, received shape %s", INT32_MAX, axis,
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

static int64_t argmax_of_floats(const float *x, int64_t length, int64_t inner)
{
    int64_t best = 0;
    for (int64_t k = 1; k < length; ++k) {
        float v = x[k * inner], most = x[best * inner];
        if (v > most || (v != v && most == most)) best = k;
    }
    return best;
}

static int64_t argmin_of_floats(const float *x, int64_t length, int64_t inner)
{
    int64_t best = 0;
    for (int64_t k = 1; k < length; ++k) {
        float v = x[k * inner], least = x[best * inner];
        if (v < least || (v != v && least == least)) best = k;
    }
    return best;
}

static int64_t argmax_of_ints(const int32_t *x, int64_t length, int64_t inner)
{
    int64_t best = 0;
    for (int64_t k = 1; k < length; ++k)
        if (x[k * inner] > x[best * inner]) best = k;
    return best;
}

static int64_t argmin_of_ints(const int32_t *x, int64_t length, int64_t inner)
{
    int64_t best = 0;
    for (int64_t k = 1; k < length; ++k)
        if (x[k * inner] < x[best * inner]) best = k;
    return best;
}

static bool argmax_per_sample(const cc_call *call)
{
    return cc_axis_of(((const cc_argmax_attributes *)call->attributes)->axis, call->xs[0].rank) != 0;
}

#define POSITION(tag)                                                                                                          \
    static void tag##_forward(const cc_call *call, const cc_team *team)                                                        \
    {                                                                                                                          \
        const cc_shape *xs = &call->xs[0];                                                                                     \
        const int axis = cc_axis_of(((const cc_argmax_attributes *)call->attributes)->axis, xs->rank);                         \
        const int64_t length = xs->dim[axis], inner = cc_shape_product(xs, axis + 1, xs->rank);                                \
        cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 2048 / (length + 1) + 1);                                    \
        for (int64_t o = mine.begin; o < mine.end; ++o) {                                                                      \
            const float *x = call->x[0] + o / inner * length * inner + o % inner;                                              \
            cc_ints_out(call->y)[o] = (int32_t)(xs->type == CCONV_INT32 ? tag##_of_ints(cc_ints(x), length, inner)             \
                                                                        : tag##_of_floats(x, length, inner));                  \
        }                                                                                                                      \
    }                                                                                                                          \
    const cc_op cc_op_##tag = {.name = #tag,                                                                                   \
                               .inputs = "x",                                                                                  \
                               .types = "n -> i",                                                                              \
                               .attributes = argmax_attributes,                                                                \
                               .attributes_size = sizeof(cc_argmax_attributes),                                                \
                               .per_sample = argmax_per_sample,                                                                \
                               .infer = argmax_infer,                                                                          \
                               .forward = tag##_forward}

POSITION(argmax);
POSITION(argmin);
