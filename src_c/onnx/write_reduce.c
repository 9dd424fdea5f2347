/* Writers of reductions, sums along an axis, positions of the largest, and of ops that choose elements by their positions. See
 * write.h. */
#include "onnx/write.h"
#include "ops/axes.h"
#include "ops/infer.h"

int save_reduction(save_call *c)
{
    const cc_reduction_attributes *a = c->node->attributes;
    const cc_shape *x = save_shape(c, 0);
    const save_order o = save_common_order(c);
    const unsigned reduced = cc_axes_of(&a->axes, x->rank);
    int64_t axes[CCONV_MAX_RANK];
    int n = 0;
    for (int k = 0; k < x->rank; ++k)
        if (reduced >> o.axis[k] & 1u) axes[n++] = k;
    int in = save_form(c, 0, &o);
    if (!n) { /* of a scalar, which is what it is */
        return save_add1(c, "Identity", in);
    }
    if (x->type == CCONV_BOOL) in = save_cast(c, in, SAVE_INT32);
    const int y = save_add2(c, c->onnx, in, save_ints(c, n, axes));
    save_set_int(c, "keepdims", a->keepdims);
    c->held = a->keepdims ? o : save_without(&o, reduced);
    return x->type == CCONV_BOOL ? save_cast(c, y, SAVE_BOOL) : y;
}

int save_cumsum(save_call *c)
{
    c->held = save_common_order(c);
    const int axis = save_index(c, save_position(&c->held, save_int(c, "axis")));
    const int y = save_add2(c, "CumSum", save_form(c, 0, &c->held), axis);
    save_set_int(c, "exclusive", save_int(c, "exclusive"));
    save_set_int(c, "reverse", save_int(c, "reverse"));
    return y;
}

int save_arg_extreme(save_call *c)
{
    const cc_argmax_attributes *a = c->node->attributes;
    const save_order o = save_common_order(c);
    const int axis = cc_axis_of(a->axis, o.rank);
    const int y = save_add1(c, c->onnx, save_form(c, 0, &o));
    save_set_int(c, "axis", save_position(&o, axis));
    save_set_int(c, "keepdims", a->keepdims);
    c->held = a->keepdims ? o : save_without(&o, 1u << axis);
    return save_cast(c, y, SAVE_INT32);
}

/* argsort and top_k_indices: the second output of TopK. */
int save_sorted(save_call *c)
{
    const cc_shape *x = save_shape(c, 0);
    const bool all = c->node->op == &cc_op_argsort;
    const int axis = all ? cc_axis_of(save_int(c, "axis"), x->rank) : x->rank - 1;
    const int64_t k = all ? x->dim[axis] : save_int(c, "k");
    if (k < 0) return save_refuse(c, "the number of elements to be sorted is not known");
    (void)save_add2(c, "TopK", save_input(c, 0), save_ints(c, 1, &k));
    const int positions = save_more_outputs(c, 1);
    save_set_int(c, "axis", axis);
    save_set_int(c, "largest", !all);
    return save_cast(c, positions, SAVE_INT32);
}

/* Positions that are none are 0 here, and an error there. */
int save_gather(save_call *c)
{
    const int y = save_add2(c, c->onnx, save_input(c, 0), save_input(c, 1));
    save_set_int(c, "axis", cc_axis_of(save_int(c, "axis"), save_shape(c, 0)->rank));
    return y;
}

/* ONNX's OneHot counts numbers below 0 from the last class; here they are none. */
int save_one_hot(save_call *c)
{
    const int64_t depth = save_int(c, "depth"), last = -1;
    if (depth > INT32_MAX) return save_refuse(c, "expected a depth of at most %d", INT32_MAX);
    const int x = save_add2(c, "Unsqueeze", save_input(c, 0), save_ints(c, 1, &last));
    const int classes = save_counted(c, (int32_t)depth);
    return save_cast(c, save_add2(c, "Equal", x, classes), SAVE_FLOAT);
}
