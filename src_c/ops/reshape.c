/* The same elements under another shape: flatten, reshape, expand_dims, squeeze, and those that keep even the shape: identity,
 * stop_gradient. y is a copy of x, or x itself where the planner put it there; dx is dy. */
#include "ops/axes.h"
#include "ops/infer.h"
#include <stdio.h>

static void reshape_forward(const cc_call *call, const cc_team *team)
{
    cc_copy(call->y, call->x[0], cc_shape_count(&call->ys), team);
}

static void reshape_backward(const cc_call *call, const cc_team *team)
{
    if (call->dx[0]) cc_copy(call->dx[0], call->dy, cc_shape_count(&call->ys), team);
}

/* (n, ...) -> (n, product of the others) */
static cconv_status flatten_infer(const cc_call *call, cc_shape *ys)
{
    const cc_shape *xs = &call->xs[0];
    if (xs->rank < 1) return cc_op_fail(call, CCONV_INVALID, "expected x of rank 1 or more, received a scalar");
    int64_t rest = 1;
    for (int k = 1; k < xs->rank; ++k) rest = rest < 0 || xs->dim[k] < 0 ? CC_UNKNOWN : rest * xs->dim[k];
    *ys = (cc_shape){.rank = 2, .dim = {xs->dim[0], rest}};
    return CCONV_OK;
}

typedef struct reshape {
    cc_list shape;
} reshape;

static const cc_attr reshape_attributes[] = {
    {"shape", CC_LIST, offsetof(reshape, shape), NULL, NULL,
     "sizes of the output; 0: the size that x has there, -2 - k: the size of axis k of x, one "
     "-1: what is left"},
    {0}};

/* "(0, -1, 3)", as the attribute was given. */
static const char *reshape_list_text(const cc_list *list, char text[CC_SHAPE_TEXT])
{
    size_t used = (size_t)snprintf(text, CC_SHAPE_TEXT, "(");
    for (int i = 0; i < list->n && used < CC_SHAPE_TEXT; ++i)
        used += (size_t)snprintf(text + used, CC_SHAPE_TEXT - used, i ? ", %lld" : "%lld", (long long)list->v[i]);
    if (used < CC_SHAPE_TEXT) snprintf(text + used, CC_SHAPE_TEXT - used, list->n == 1 ? ",)" : ")");
    return text;
}

/* a * b, or false if that is beyond what a tensor can hold. */
static bool reshape_times(int64_t *a, int64_t b)
{
    if (b != 0 && *a > INT64_MAX / b) return false;
    *a *= b;
    return true;
}

/* The axis of x whose size entry k is; -1: it is none, being a size or what is left. */
static int64_t reshape_copied(const cc_list *to, int k)
{
    return to->v[k] == 0 ? k : to->v[k] < -1 ? -2 - to->v[k] : -1;
}

/* An entry of 0 copies the size at its position, one of -2 - k that of axis k, one of -1 takes what is left. A size that is unknown
 * stands on both sides when it is copied, so it does not matter to what is left; none is copied twice. */
static cconv_status reshape_infer(const cc_call *call, cc_shape *ys)
{
    const cc_list *to = &((const reshape *)call->attributes)->shape;
    const cc_shape *xs = &call->xs[0];
    char text[2][CC_SHAPE_TEXT];
    reshape_list_text(to, text[1]);
    if (to->n > CCONV_MAX_RANK)
        return cc_op_fail(call, CCONV_INVALID, "expected a shape of rank %d or less, received %s", CCONV_MAX_RANK, text[1]);

    unsigned copied = 0;             /* axes of x, as bits */
    int free_axis = -1, unknown = 0; /* unknown sizes of x that y does not copy */
    int64_t have = 1, want = 1;      /* products of the other sizes */
    for (int k = 0; k < xs->rank; ++k) {
        if (xs->dim[k] < 0)
            ++unknown;
        else
            have *= xs->dim[k];
    }
    *ys = (cc_shape){.rank = to->n};
    for (int k = 0; k < to->n; ++k) {
        int64_t size = to->v[k];
        const int64_t from = reshape_copied(to, k);
        if (size == -1 && free_axis >= 0)
            return cc_op_fail(call, CCONV_INVALID, "expected a shape of sizes and at most one -1, received %s", text[1]);
        if (size == -1) {
            free_axis = k;
            continue;
        }
        if (from >= xs->rank || (from >= 0 && copied >> from & 1u))
            return cc_op_fail(call, CCONV_INVALID,
                              "expected a size of x to copy, once each, at position %d of shape %s, received x of shape %s", k,
                              text[1], cc_shape_text(xs, text[0]));
        if (from >= 0) {
            copied |= 1u << from;
            size = xs->dim[from];
        }
        ys->dim[k] = size;
        if (size < 0)
            --unknown;
        else if (!reshape_times(&want, size))
            return cc_op_fail(call, CCONV_INVALID, "expected a shape that fits in memory, received %s", text[1]);
    }
    bool fits;
    if (free_axis >= 0) {
        ys->dim[free_axis] = unknown > 0 ? CC_UNKNOWN : want > 0 ? have / want : 0;
        fits = unknown > 0 ? want > 0 || have == 0 : want > 0 && have % want == 0;
    } else {
        fits = unknown > 0 ? (have > 0 ? want % have == 0 : want == 0) : have == want;
    }
    if (!fits)
        return cc_op_fail(call, CCONV_INVALID, "expected as many elements in shape %s as in x, received x of shape %s", text[1],
                          cc_shape_text(xs, text[0]));
    return CCONV_OK;
}

static const cc_attr expand_dims_attributes[] = {
    {"axis", CC_INT, offsetof(cc_axis_attributes, axis), NULL, NULL,
     "where the new axis of size 1 stands in the output; below 0 counted from the last"},
    {0}};

static cconv_status expand_dims_infer(const cc_call *call, cc_shape *ys)
{
    const cc_shape *xs = &call->xs[0];
    int axis;
    if (xs->rank == CCONV_MAX_RANK)
        return cc_op_fail(call, CCONV_INVALID, "expected x of rank %d or less, received rank %d", CCONV_MAX_RANK - 1, xs->rank);
    CC_TRY(cc_infer_axis(call, ((const cc_axis_attributes *)call->attributes)->axis, xs->rank + 1, &axis));
    *ys = (cc_shape){.rank = xs->rank + 1};
    for (int k = 0; k < ys->rank; ++k) ys->dim[k] = k == axis ? 1 : xs->dim[k < axis ? k : k - 1];
    return CCONV_OK;
}

typedef struct squeeze {
    cc_list axes;
} squeeze;

static const cc_attr squeeze_attributes[] = {
    {"axes", CC_LIST, offsetof(squeeze, axes), NULL, NULL,
     "numbers of axes of size 1 that go, below 0 counted from the last; none given: all of size 1"},
    {0}};

/* Drops axes of size 1; an empty list: all there are. */
static cconv_status squeeze_infer(const cc_call *call, cc_shape *ys)
{
    const cc_list *axes = &((const squeeze *)call->attributes)->axes;
    const cc_shape *xs = &call->xs[0];
    char text[CC_SHAPE_TEXT];
    unsigned drop;
    CC_TRY(cc_infer_axes(call, axes, &drop));
    if (axes->n == 0 && !cc_shape_known(xs)) /* the rank of y would depend on it */
        return cc_op_fail(call, CCONV_INVALID,
                          "expected axes to squeeze while a size is unknown, received none for x of shape %s",
                          cc_shape_text(xs, text));
    *ys = (cc_shape){.rank = 0};
    for (int k = 0; k < xs->rank; ++k) {
        bool dropped = axes->n == 0 ? xs->dim[k] == 1 : drop >> k & 1u;
        if (dropped && !cc_agree(xs->dim[k], 1))
            return cc_op_fail(call, CCONV_INVALID, "expected size 1 along axis %d, received x of shape %s", k,
                              cc_shape_text(xs, text));
        if (!dropped) ys->dim[ys->rank++] = xs->dim[k];
    }
    return CCONV_OK;
}

/* ---- Whether samples stay apart ---- */

static bool flatten_per_sample(const cc_call *call)
{
    (void)call;
    return true;
}

/* The batch is copied, or is what is left when the other sizes hold the same number of elements as before. */
static bool reshape_per_sample(const cc_call *call)
{
    const cc_shape *xs = &call->xs[0], *ys = &call->ys;
    const cc_list *to = &((const reshape *)call->attributes)->shape;
    int64_t before = 1, after = 1;
    if (reshape_copied(to, 0) == 0) return true;
    for (int k = 1; k < xs->rank; ++k) before = before < 0 || xs->dim[k] < 0 ? -1 : before * xs->dim[k];
    for (int k = 1; k < ys->rank; ++k) after = after < 0 || ys->dim[k] < 0 ? -1 : after * ys->dim[k];
    return before >= 0 && before == after && cc_is_batched(xs);
}

static bool expand_dims_per_sample(const cc_call *call)
{
    return cc_axis_of(((const cc_axis_attributes *)call->attributes)->axis, call->ys.rank) != 0;
}

static bool squeeze_per_sample(const cc_call *call)
{
    const cc_list *axes = &((const squeeze *)call->attributes)->axes;
    return axes->n > 0 && !(cc_axes_of(axes, call->xs[0].rank) & 1u);
}

#define VIEW(tag, table, size, elementwise, per_sample_function, infer_function, backward_function)                            \
    const cc_op cc_op_##tag = {.name = #tag,                                                                                   \
                               .inputs = "x",                                                                                  \
                               .types = "t -> t",                                                                              \
                               .attributes = table,                                                                            \
                               .attributes_size = size,                                                                        \
                               .flags = CC_INPLACE | CC_INPLACE_BACKWARD | CC_VIEW | (elementwise),                            \
                               .per_sample = per_sample_function,                                                              \
                               .infer = infer_function,                                                                        \
                               .forward = reshape_forward,                                                                     \
                               .backward = backward_function}

VIEW(flatten, NULL, 0, 0, flatten_per_sample, flatten_infer, reshape_backward);
VIEW(reshape, reshape_attributes, sizeof(reshape), 0, reshape_per_sample, reshape_infer, reshape_backward);
VIEW(expand_dims, expand_dims_attributes, sizeof(cc_axis_attributes), 0, expand_dims_per_sample, expand_dims_infer,
     reshape_backward);
VIEW(squeeze, squeeze_attributes, sizeof(squeeze), 0, squeeze_per_sample, squeeze_infer, reshape_backward);
VIEW(identity, NULL, 0, CC_ELEMENTWISE, NULL, cc_infer_same, reshape_backward);
VIEW(stop_gradient, NULL, 0, CC_ELEMENTWISE, NULL, cc_infer_same, NULL);
