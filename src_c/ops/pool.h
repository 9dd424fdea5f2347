/* The settings of pooling over windows, read from text: see pool.c. */
#ifndef CC_OPS_POOL_H
#define CC_OPS_POOL_H

#include "ops/op.h"

typedef struct cc_pool_attributes {
    cc_list pool_size, strides, pads;
    int padding;
    int activation; /* of max_pool2d: a cc_norm_act */
} cc_pool_attributes;

#endif
