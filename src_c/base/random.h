/* Counter-based random numbers: a value is a function of (seed, step, node, element), so it does not depend on the order or the
 * thread that asks, and a mask is recomputed instead of stored. Philox4x32-10: Salmon et al., "Parallel random numbers: as easy
 * as 1, 2, 3", SC 2011, section 4.3. */
#ifndef CC_RANDOM_H
#define CC_RANDOM_H

#include <stdint.h>

/* Four 32-bit numbers for elements 4*block .. 4*block+3. */
void cc_random_block(uint64_t seed, uint64_t step, uint32_t node, uint32_t block, uint32_t out[4]);

/* A 32-bit number as a float in [0, 1), from its upper 24 bits. */
static inline float cc_random_uniform(uint32_t bits)
{
    return (float)(bits >> 8) * (1.0f / 16777216.0f);
}

#endif
