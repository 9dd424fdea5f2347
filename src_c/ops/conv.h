/* The settings of a convolution, read from text: see conv.c. */
#ifndef CC_OPS_CONV_H
#define CC_OPS_CONV_H

#include "ops/op.h"

typedef struct cc_conv_attributes {
    cc_list strides, dilation, pads;
    int64_t groups;
    int padding, activation, algorithm;
    float alpha;
} cc_conv_attributes;

#endif
