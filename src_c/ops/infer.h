/* What several ops' infer functions have in common: axes counted from either end, and outputs of the input's shape. */
#ifndef CC_INFER_H
#define CC_INFER_H

#include "ops/op.h"

/* The output has the shape of the first input. */
cconv_status cc_infer_same(const cc_call *call, cc_shape *ys);

/* An axis of a tensor of this rank, -rank .. rank-1, as 0 .. rank-1 in *index. */
cconv_status cc_infer_axis(const cc_call *call, int64_t axis, int rank, int *index);

/* Fails unless input i is images of one to three axes, (n, w, c), (n, h, w, c) or (n, d, h, w, c); *rank is their number. */
cconv_status cc_infer_image(const cc_call *call, int i, int *rank);

/* Axes of the first input as bits; an axis may be named once. */
cconv_status cc_infer_axes(const cc_call *call, const cc_list *axes, unsigned *bits);

/* The same for attributes that infer has already accepted: an axis of 0 .. rank-1, axes as bits (an empty list: all). */
static inline int cc_axis_of(int64_t axis, int rank)
{
    return (int)(axis < 0 ? axis + rank : axis);
}

static inline unsigned cc_axes_of(const cc_list *axes, int rank)
{
    unsigned bits = 0;
    if (axes->n == 0) return (1u << rank) - 1;
    for (int i = 0; i < axes->n; ++i) bits |= 1u << cc_axis_of(axes->v[i], rank);
    return bits;
}

/* Copies this thread's share of n elements; nothing to do if both are the same place. */
void cc_copy(float *to, const float *from, int64_t n, const cc_team *team);

/* Writes the gradient of an input that gets none, which is zeros, if it is asked for. */
void cc_no_gradient(const cc_call *call, int k, const cc_team *team);

#endif
