/* The settings of a dense layer, read from text: see dense.c. */
#ifndef CC_OPS_DENSE_H
#define CC_OPS_DENSE_H

#include "ops/op.h"

typedef struct cc_dense_attributes {
    int activation;
    float alpha;
} cc_dense_attributes;

#endif
