/* The smaller and the larger of two sizes. */
#ifndef CC_MINMAX_H
#define CC_MINMAX_H

#include <stdint.h>

static inline int64_t cc_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t cc_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#endif
