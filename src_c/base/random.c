/* Philox4x32-10: ten rounds of multiply and exchange turn a 128-bit counter and a 64-bit key into 128 random bits. */
#include "random.h"

void cc_random_block(uint64_t seed, uint64_t step, uint32_t node, uint32_t block, uint32_t out[4])
{
    uint32_t c0 = block, c1 = node, c2 = (uint32_t)step, c3 = (uint32_t)(step >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < CC_RANDOM_ROUNDS; ++round) {
        uint64_t p0 = (uint64_t)CC_RANDOM_FACTOR_0 * c0, p1 = (uint64_t)CC_RANDOM_FACTOR_1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += CC_RANDOM_KEY_0;
        k1 += CC_RANDOM_KEY_1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}
