/* What consumes random numbers. */
#ifndef CC_RANDOM_KERNELS_H
#define CC_RANDOM_KERNELS_H

#include "base/random.h"
#include <stdint.h>

typedef struct cc_random_kernels {
    /* y[i] = x[i] * scale where the upper 24 bits of number i are at least `least`, else 0; blocks of four numbers begin with the
     * one numbered `first`. y may be x. The same bits at every instruction set. */
    void (*dropout)(float *y, const float *x, int64_t n, const cc_random *random, uint32_t first, uint32_t least, float scale);
    /* n numbers, evenly from 0 up to 1 (not 1), or of the normal distribution of mean 0 and deviation 1; likewise. */
    void (*uniform)(float *y, int64_t n, const cc_random *random, uint32_t first);
    void (*normal)(float *y, int64_t n, const cc_random *random, uint32_t first);
} cc_random_kernels;

#endif
