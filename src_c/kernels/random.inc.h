/* Dropout over the random numbers of base/random.h: the blocks of many counters side by side. In plain C, so that every instruction set
 * computes the same bits; compilers turn the loops over BLOCKS into vectors. */
#include "random.h"

#define BLOCKS 32

/* bits[j][b] is number j of block first + b. */
static void random_blocks(const cc_random *at, uint32_t first, uint32_t bits[4][BLOCKS])
{
    const uint32_t node = at->node, low = (uint32_t)at->step, high = (uint32_t)(at->step >> 32);
    const uint32_t key0 = (uint32_t)at->seed, key1 = (uint32_t)(at->seed >> 32);
    for (uint32_t b = 0; b < BLOCKS; ++b) {
        uint32_t c0 = first + b, c1 = node, c2 = low, c3 = high, k0 = key0, k1 = key1;
        UNROLL
        for (int round = 0; round < CC_RANDOM_ROUNDS; ++round) {
            const uint64_t p0 = (uint64_t)CC_RANDOM_FACTOR_0 * c0, p1 = (uint64_t)CC_RANDOM_FACTOR_1 * c2;
            c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
            c1 = (uint32_t)p1;
            c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
            c3 = (uint32_t)p0;
            k0 += CC_RANDOM_KEY_0;
            k1 += CC_RANDOM_KEY_1;
        }
        bits[0][b] = c0;
        bits[1][b] = c1;
        bits[2][b] = c2;
        bits[3][b] = c3;
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
