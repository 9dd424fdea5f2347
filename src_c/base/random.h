/* Counter-based random numbers: a value is a function of (seed, step, draw, element), so it does not depend on the order or the
 * thread that asks, and a mask is recomputed instead of stored. Philox4x32-10: Salmon et al., "Parallel random numbers: as easy
 * as 1, 2, 3", SC 2011, section 4.3. */
#ifndef CC_RANDOM_H
#define CC_RANDOM_H

#include <stdint.h>

/* What, besides its place, a number is a function of. */
typedef struct cc_random {
    uint64_t seed, step;
    uint32_t draw; /* which of those who draw */
} cc_random;

/* Multiplies and exchanges the numbers of a counter. */
static inline void cc_random_round(uint32_t c[4], uint32_t k0, uint32_t k1)
{
    const uint64_t p0 = (uint64_t)0xD2511F53u * c[0], p1 = (uint64_t)0xCD9E8D57u * c[2];
    c[0] = (uint32_t)(p1 >> 32) ^ c[1] ^ k0;
    c[1] = (uint32_t)p1;
    c[2] = (uint32_t)(p0 >> 32) ^ c[3] ^ k1;
    c[3] = (uint32_t)p0;
}

/* Four 32-bit numbers for elements 4 * block .. 4 * block + 3: a 128-bit counter, turned ten rounds with a 64-bit key. No
 * loop: then compilers turn a loop over blocks into vectors. */
static inline void cc_random_block(const cc_random *at, uint32_t block, uint32_t out[4])
{
    const uint32_t golden = 0x9E3779B9u, root = 0xBB67AE85u; /* the golden ratio; the square root of 3, less 1 */
    const uint32_t k0 = (uint32_t)at->seed, k1 = (uint32_t)(at->seed >> 32);
    uint32_t c[4] = {block, at->draw, (uint32_t)at->step, (uint32_t)(at->step >> 32)};
    cc_random_round(c, k0, k1);
    cc_random_round(c, k0 + golden, k1 + root);
    cc_random_round(c, k0 + 2 * golden, k1 + 2 * root);
    cc_random_round(c, k0 + 3 * golden, k1 + 3 * root);
    cc_random_round(c, k0 + 4 * golden, k1 + 4 * root);
    cc_random_round(c, k0 + 5 * golden, k1 + 5 * root);
    cc_random_round(c, k0 + 6 * golden, k1 + 6 * root);
    cc_random_round(c, k0 + 7 * golden, k1 + 7 * root);
    cc_random_round(c, k0 + 8 * golden, k1 + 8 * root);
    cc_random_round(c, k0 + 9 * golden, k1 + 9 * root);
    for (int j = 0; j < 4; ++j) out[j] = c[j];
}

#endif
