/* Inputs and settings of batch normalization: see batch_norm.c. */
#ifndef CC_OPS_BATCH_NORM_H
#define CC_OPS_BATCH_NORM_H

#include "ops/op.h"

enum { CC_NORM_X, CC_NORM_GAMMA, CC_NORM_BETA, CC_NORM_MEAN, CC_NORM_VARIANCE, CC_NORM_RESIDUAL };

typedef struct cc_batch_norm_attributes {
    int64_t axis;
    float momentum, epsilon;
    int training, activation;
} cc_batch_norm_attributes;

#endif
