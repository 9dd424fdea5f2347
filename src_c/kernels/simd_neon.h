/* The vocabulary of vectors (see simd_portable.h) for AArch64's Advanced SIMD: 4 floats, 32 registers. Twelve rows of two vectors
 * leave eight registers for two vectors of columns and a few rows on their way. There are no masked loads: a mask is a number of
 * lanes. */
#ifndef CC_SIMD_H
#define CC_SIMD_H

#include <arm_neon.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define VEC              4
#define MR               12
#define MR_1             16
#define MR_3             8
#define TILE_VECTORS     2
#define PLANAR_1         4
#define PLANAR_2         4
#define PLANAR_3         4
#define GROUPED_PIXELS   12
#define DEPTHWISE_PIXELS 8
#define DEPTHWISE_DYS    8
#define PARTS_ARE_FREE   0

typedef float32x4_t vec;
typedef int mask;
typedef uint8x16_t lanes; /* of each byte of the result the number of a byte */

static inline vec vec_zero(void)
{
    return vdupq_n_f32(0);
}

static inline vec vec_load(const float *p)
{
    return vld1q_f32(p);
}

static inline void vec_store(float *p, vec v)
{
    vst1q_f32(p, v);
}

static inline vec vec_set1(float x)
{
    return vdupq_n_f32(x);
}

static inline vec vec_add(vec a, vec b)
{
    return vaddq_f32(a, b);
}

static inline vec vec_mul(vec a, vec b)
{
    return vmulq_f32(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return vsubq_f32(a, b);
}

static inline vec vec_div(vec a, vec b)
{
    return vdivq_f32(a, b);
}

static inline vec vec_fma(vec a, vec b, vec c)
{
    return vfmaq_f32(c, a, b);
}

/* By comparison: fmax and fmin return a NaN if either is one. */
static inline vec vec_max(vec a, vec b)
{
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}

static inline vec vec_min(vec a, vec b)
{
    return vbslq_f32(vcltq_f32(a, b), a, b);
}

static inline vec vec_and(uint32x4_t where, vec a)
{
    return vreinterpretq_f32_u32(vandq_u32(where, vreinterpretq_u32_f32(a)));
}

static inline vec vec_keep(vec y, vec a)
{
    return vec_and(vcgtq_f32(y, vdupq_n_f32(0)), a);
}

static inline vec vec_keep_equal(vec x, vec y, vec a)
{
    return vec_and(vceqq_f32(x, y), a);
}

static inline vec vec_above(vec x, vec y, vec a, vec b)
{
    return vbslq_f32(vorrq_u32(vcgtq_f32(x, y), vmvnq_u32(vceqq_f32(x, x))), a, b);
}

static inline bool vec_below(vec a, vec b)
{
    return vminvq_u32(vcltq_f32(a, b)) != 0;
}

static inline vec vec_power2(vec n)
{
    const uint32x4_t bits = vreinterpretq_u32_f32(vaddq_f32(n, vdupq_n_f32(0x1.8p23f)));
    return vreinterpretq_f32_u32(vaddq_u32(vshlq_n_u32(bits, 23), vdupq_n_u32(127u << 23)));
}

static inline vec vec_load_bytes(const uint8_t *p)
{
    uint32_t four;
    memcpy(&four, p, sizeof four);
    const uint16x8_t wide = vmovl_u8(vcreate_u8(four));
    return vcvtq_f32_u32(vmovl_u16(vget_low_u16(wide)));
}

static inline void vec_store_bytes(uint8_t *p, vec v)
{
    const uint16x4_t pairs = vmovn_u32(vcvtq_u32_f32(v));
    const uint32_t four = vget_lane_u32(vreinterpret_u32_u8(vmovn_u16(vcombine_u16(pairs, pairs))), 0);
    memcpy(p, &four, sizeof four);
}

static inline mask mask_first(int n)
{
    return n < 0 ? 0 : n > VEC ? VEC : n;
}

static inline vec vec_load_part(const float *p, mask n)
{
    if (n == VEC) return vec_load(p);
    vec v = vec_zero();
    if (n & 2) v = vcombine_f32(vld1_f32(p), n & 1 ? vld1_lane_f32(p + 2, vdup_n_f32(0), 0) : vdup_n_f32(0));
    return n == 1 ? vld1q_lane_f32(p, v, 0) : v;
}

static inline void vec_store_part(float *p, mask n, vec v)
{
    if (n == VEC) vec_store(p, v);
    if (n == 2 || n == 3) vst1_f32(p, vget_low_f32(v));
    if (n == 3) vst1q_lane_f32(p + 2, v, 2);
    if (n == 1) vst1q_lane_f32(p, v, 0);
}

static inline lanes lanes_load(const int32_t *p)
{
    const uint32x4_t bytes = vmulq_n_u32(vreinterpretq_u32_s32(vld1q_s32(p)), 0x04040404);
    return vreinterpretq_u8_u32(vaddq_u32(bytes, vdupq_n_u32(0x03020100)));
}

static inline vec vec_permute(vec v, lanes from)
{
    return vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(v), from));
}

static inline vec vec_permute_near(vec v, lanes from)
{
    return vec_permute(v, from);
}

/* Pairs of lanes, then pairs of pairs. */
static inline void vec_transpose(vec *v)
{
    vec t[4];
    for (int i = 0; i < 4; i += 2) {
        t[i] = vtrn1q_f32(v[i], v[i + 1]);
        t[i + 1] = vtrn2q_f32(v[i], v[i + 1]);
    }
    for (int j = 0; j < 2; ++j) {
        const float64x2_t low = vreinterpretq_f64_f32(t[j]), high = vreinterpretq_f64_f32(t[2 + j]);
        v[j] = vreinterpretq_f32_f64(vzip1q_f64(low, high));
        v[2 + j] = vreinterpretq_f32_f64(vzip2q_f64(low, high));
    }
}

#endif
