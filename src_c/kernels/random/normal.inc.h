/* Numbers of the unit interval and of the normal distribution, over the random numbers of base/random.h. In plain C, as
 * dropout.inc.h: the same bits at every instruction set.
 *
 * Of the four numbers of a block, u = (upper 24 bits + 1/2) / 2^24. Two make two normal ones (Box and Muller, "A note on the
 * generation of random normal deviates", 1958):
 *
 *     r = sqrt(-2 log u),   (r cos t, r sin t)   with the angle t even over the circle
 *
 * t is that of the second number over a quarter of the circle, -pi/4 .. pi/4; the lowest bit of the first number turns it by a
 * quarter, that of the second by a half. Logarithm, sine and cosine are the beginnings of their series, to 1e-7. */
#ifndef CC_NORMAL_INC_H
#define CC_NORMAL_INC_H

#include "kernels/random/dropout.inc.h"
#include <math.h>
#include <string.h>

/* log u for 2^-25 <= u < 1: m 2^e with m from sqrt(1/2) to sqrt(2), log m = 2 artanh((m - 1) / (m + 1)). */
static inline float normal_log(float u)
{
    uint32_t bits;
    memcpy(&bits, &u, sizeof bits);
    const uint32_t root = 0x3f3504f3u; /* sqrt(1/2) */
    const int32_t e = (int32_t)(bits - root) >> 23;
    bits -= (uint32_t)e << 23;
    float m;
    memcpy(&m, &bits, sizeof m);
    const float s = (m - 1) / (m + 1), z = s * s;
    const float p = 2 * s * (1 + z * (1.0f / 3 + z * (1.0f / 5 + z * (1.0f / 7 + z * (1.0f / 9)))));
    return (float)e * 0.69314718f + p;
}

static inline float normal_sin(float t)
{
    const float z = t * t;
    return t * (1 + z * (-1.0f / 6 + z * (1.0f / 120 + z * (-1.0f / 5040 + z * (1.0f / 362880)))));
}

static inline float normal_cos(float t)
{
    const float z = t * t;
    return 1 + z * (-0.5f + z * (1.0f / 24 + z * (-1.0f / 720 + z * (1.0f / 40320))));
}

static inline float normal_unit(uint32_t bits)
{
    return ((float)(bits >> 8) + 0.5f) * 0x1p-24f;
}

/* Two numbers of a block become two normal ones. */
static inline void normal_pair(uint32_t a, uint32_t b, float *first, float *second)
{
    const float r = sqrtf(-2 * normal_log(normal_unit(a)));
    const float t = ((float)(b >> 8) * 0x1p-24f - 0.5f) * 1.57079633f;
    const float c = b & 1 ? -normal_cos(t) : normal_cos(t), s = normal_sin(t);
    *first = r * (a & 1 ? s : c);
    *second = r * (a & 1 ? c : s);
}

static void uniform(float *y, int64_t n, const cc_random *at, uint32_t first)
{
    uint32_t bits[4][BLOCKS];
    for (int64_t i = 0; i < n; i += 4 * BLOCKS, first += BLOCKS) {
        random_blocks(at, first, bits);
        const int many = n - i < 4 * BLOCKS ? (int)(n - i) : 4 * BLOCKS;
        for (int e = 0; e < many; ++e) y[i + e] = (float)(bits[e % 4][e / 4] >> 8) * 0x1p-24f;
    }
}

static void normal(float *y, int64_t n, const cc_random *at, uint32_t first)
{
    uint32_t bits[4][BLOCKS];
    float value[4][BLOCKS];
    for (int64_t i = 0; i < n; i += 4 * BLOCKS, first += BLOCKS) {
        random_blocks(at, first, bits);
        for (int b = 0; b < BLOCKS; ++b) normal_pair(bits[0][b], bits[1][b], &value[0][b], &value[1][b]);
        for (int b = 0; b < BLOCKS; ++b) normal_pair(bits[2][b], bits[3][b], &value[2][b], &value[3][b]);
        const int many = n - i < 4 * BLOCKS ? (int)(n - i) : 4 * BLOCKS;
        for (int e = 0; e < many; ++e) y[i + e] = value[e % 4][e / 4];
    }
}

static const cc_random_kernels random_kernels = {
    .dropout = dropout,
    .uniform = uniform,
    .normal = normal,
};

#endif
