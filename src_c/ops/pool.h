/* The attributes of max_pool, avg_pool, sum_pool and l2_pool: passes over graphs read and change them. */
#ifndef CC_POOL_H
#define CC_POOL_H

#include "base/attributes.h"

typedef struct cc_pool_attributes {
    cc_list pool_size, strides,
        pads;    /* pool_size and strides: one for all axes or one for each; no strides: those of pool_size */
    int padding; /* a cc_padding */
    int ceil_mode;
    int activation;        /* of max_pool: a cc_activation */
    int count_include_pad; /* of avg_pool */
} cc_pool_attributes;

#endif
