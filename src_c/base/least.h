/* The smaller and the larger of two sizes. */
#ifndef CC_LEAST_H
#define CC_LEAST_H

#include <stdint.h>

static inline int64_t cc_least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t cc_most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#endif
