/* Counter-based random numbers: a value is a function of (seed, step, node, element), so it does not depend on the order or the
 * thread that asks, and a mask is recomputed instead of stored. Philox4x32-10: Salmon et al., "Parallel random numbers: as easy
 * as 1, 2, 3", SC 2011, section 4.3. */
#ifndef CC_RANDOM_H
#define CC_RANDOM_H

#include <stdint.h>

/* Philox' constants. */
#define CC_RANDOM_ROUNDS   10
#define CC_RANDOM_FACTOR_0 0xD2511F53u
#define CC_RANDOM_FACTOR_1 0xCD9E8D57u
#define CC_RANDOM_KEY_0    0x9E3779B9u /* the golden ratio */
#define CC_RANDOM_KEY_1    0xBB67AE85u /* the square root of 3, less 1 */

/* What, besides its place, a number is a function of. */
typedef struct cc_random {
    uint64_t seed, step;
    uint32_t node;
} cc_random;

/* Four 32-bit numbers for elements 4*block .. 4*block+3. */
void cc_random_block(uint64_t seed, uint64_t step, uint32_t node, uint32_t block, uint32_t out[4]);

/* A 32-bit number as a float in [0, 1), from its upper 24 bits. */
static inline float cc_random_uniform(uint32_t bits)
{
    return (float)(bits >> 8) * (1.0f / 16777216.0f);
}

#endif
