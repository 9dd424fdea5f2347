/* one_hot: class numbers x -> y with a last axis of `depth`: 1 at the class, else 0. A number that is no class gives zeros. No
 * gradient passes. */
#include "ops/op.h"

typedef struct one_hot {
    int64_t depth;
} one_hot;

static const cc_attr one_hot_attributes[] = {
    {"depth", CC_INT, offsetof(one_hot, depth), NULL, NULL, "number of classes, the size of the new last axis"}, {0}};

static cconv_status one_hot_infer(const cc_call *call, cc_shape *ys)
{
    const one_hot *a = call->attributes;
    const cc_shape *xs = &call->xs[0];
    char text[CC_SHAPE_TEXT];
    if (xs->rank == CCONV_MAX_RANK)
        return cc_op_fail(call, CCONV_INVALID, "expected x of rank %d or less, received rank %d", CCONV_MAX_RANK - 1, xs->rank);
    if (a->depth < 1)
        return cc_op_fail(call, CCONV_INVALID, "expected a depth of at least 1, received %lld", (long long)a->depth);
    *ys = *xs;
    ys->dim[ys->rank++] = a->depth;
    if (cc_shape_known(ys) && !cc_shape_check(ys))
        return cc_op_fail(call, CCONV_INVALID, "expected a result that fits in memory, received shape %s",
                          cc_shape_text(ys, text));
    return CCONV_OK;
}

static void one_hot_forward(const cc_call *call, const cc_team *team)
{
    int64_t depth = ((const one_hot *)call->attributes)->depth;
    cc_range mine = cc_slice(team, cc_shape_count(&call->xs[0]), 2048 / (depth + 1) + 1);
    for (int64_t i = mine.begin; i < mine.end; ++i)
        for (int64_t k = 0; k < depth; ++k) call->y[i * depth + k] = cc_ints(call->x[0])[i] == k ? 1.0f : 0.0f;
}

const cc_op cc_op_one_hot = {.name = "one_hot",
                             .inputs = "x",
                             .types = "i -> f",
                             .attributes = one_hot_attributes,
                             .attributes_size = sizeof(one_hot),
                             .per_sample = cc_per_sample_x,
                             .infer = one_hot_infer,
                             .forward = one_hot_forward};
