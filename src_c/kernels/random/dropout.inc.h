/* Dropout over the random numbers of base/random.h: the blocks of many counters side by side. In plain C, so that every instruction
 * set computes the same bits; compilers turn the loops over BLOCKS into vectors. */
#ifndef CC_DROPOUT_INC_H
#define CC_DROPOUT_INC_H

#include "kernels/random/random_kernels.h"

#define BLOCKS 32

/* bits[j][b] is number j of block first + b. */
static void random_blocks(const cc_random *at, uint32_t first, uint32_t bits[4][BLOCKS])
{
    for (uint32_t b = 0; b < BLOCKS; ++b) {
        uint32_t four[4];
        cc_random_block(at, first + b, four);
        for (int j = 0; j < 4; ++j) bits[j][b] = four[j];
    }
}

static void dropout(float *y, const float *x, int64_t n, const cc_random *at, uint32_t first, uint32_t least, float scale)
{
    uint32_t bits[4][BLOCKS];
    for (int64_t i = 0; i < n; i += 4 * BLOCKS, first += BLOCKS) {
        random_blocks(at, first, bits);
        const int many = n - i < 4 * BLOCKS ? (int)(n - i) : 4 * BLOCKS;
        float factor[4 * BLOCKS];
        for (int b = 0; b < BLOCKS; ++b)
            for (int j = 0; j < 4; ++j) factor[4 * b + j] = bits[j][b] >> 8 >= least ? scale : 0;
        for (int e = 0; e < many; ++e) {
            const float kept = x[i + e] * factor[e];
            y[i + e] = factor[e] != 0 ? kept : 0; /* also where x is infinite or a NaN */
        }
    }
}

#endif
