/* The settings of ops that name axes: whoever exchanges the axes of their input must renumber them. */
#ifndef CC_OPS_AXES_H
#define CC_OPS_AXES_H

#include "ops/op.h"

typedef struct cc_axis_attributes { /* softmax, log_softmax, concatenate, expand_dims */
    int64_t axis;
} cc_axis_attributes;

typedef struct cc_argmax_attributes {
    int64_t axis;
    int keepdims;
} cc_argmax_attributes;

typedef struct cc_reduction_attributes { /* sum, mean, max, min, prod */
    cc_list axes;                        /* empty: all */
    int keepdims;
} cc_reduction_attributes;

typedef struct cc_transpose_attributes { /* axis k of y is axis axes[k] of x */
    cc_list axes;
} cc_transpose_attributes;

typedef struct cc_slice_attributes {
    cc_list begin, size;
} cc_slice_attributes;

#endif
