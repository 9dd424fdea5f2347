/* slice: x -> y, `size` elements from `begin` along each axis. A begin below 0 counts from the end; a size of -1 - k reaches to k
 * elements before the end. dx is dy in its place, 0 elsewhere. */
#include "ops/axes.h"
#include "algos/region.h"
#include "ops/op.h"

static const cc_attr slice_attributes[] = {
    {"begin", CC_LIST, offsetof(cc_slice_attributes, begin), NULL, NULL,
     "first index on each axis; below 0 counted from the end"},
    {"size", CC_LIST, offsetof(cc_slice_attributes, size), NULL, NULL, "indices taken on each axis; -1: up to the end"},
    {0}};

static cconv_status slice_infer(const cc_call *call, cc_shape *ys)
{
    const cc_slice_attributes *a = call->attributes;
    const cc_shape *xs = &call->xs[0];
    char text[CC_SHAPE_TEXT];
    if (a->begin.n != xs->rank || a->size.n != xs->rank)
        return cc_op_fail(call, CCONV_INVALID,
                          "expected begin and size for each axis of x of shape %s, received %d and %d of them",
                          cc_shape_text(xs, text), a->begin.n, a->size.n);
    *ys = *xs;
    for (int k = 0; k < xs->rank; ++k) {
        int64_t whole = xs->dim[k], begin = a->begin.v[k], size = a->size.v[k];
        if (whole >= 0 && begin < 0) begin += whole;
        bool fits = size > -INT64_MAX && (whole < 0 ? begin > -INT64_MAX : begin >= 0 && begin <= whole);
        if (fits && (whole >= 0 || begin < 0)) { /* what begins so far from the end has at most that many */
            const int64_t most = whole >= 0 ? whole - begin : -begin, count = size < 0 ? most + 1 + size : size;
            fits = count >= 0 && count <= most;
            ys->dim[k] = count;
        } else if (fits) {
            ys->dim[k] = size < 0 ? CC_UNKNOWN : size;
        }
        if (!fits)
            return cc_op_fail(call, CCONV_INVALID,
                              "expected a part of x of shape %s, received begin %lld and size %lld along axis %d",
                              cc_shape_text(xs, text), (long long)a->begin.v[k], (long long)size, k);
    }
    return CCONV_OK;
}

static void slice_place(const cc_call *call, int64_t begin[CCONV_MAX_RANK])
{
    const cc_slice_attributes *a = call->attributes;
    for (int k = 0; k < call->ys.rank; ++k) begin[k] = a->begin.v[k] < 0 ? a->begin.v[k] + call->xs[0].dim[k] : a->begin.v[k];
}

static void slice_forward(const cc_call *call, const cc_team *team)
{
    int64_t begin[CCONV_MAX_RANK];
    slice_place(call, begin);
    cc_region_gather(call->y, &call->ys, call->x[0], &call->xs[0], begin, team);
}

static void slice_backward(const cc_call *call, const cc_team *team)
{
    int64_t begin[CCONV_MAX_RANK];
    slice_place(call, begin);
    if (call->dx[0]) cc_region_scatter(call->dx[0], &call->xs[0], call->dy, &call->ys, begin, 0, team);
}

static bool slice_per_sample(const cc_call *call)
{
    const cc_slice_attributes *a = call->attributes;
    return a->begin.v[0] == 0 && a->size.v[0] == -1;
}

const cc_op cc_op_slice = {.name = "slice",
                           .inputs = "x",
                           .types = "t -> t",
                           .attributes = slice_attributes,
                           .attributes_size = sizeof(cc_slice_attributes),
                           .per_sample = slice_per_sample,
                           .infer = slice_infer,
                           .forward = slice_forward,
                           .backward = slice_backward};
