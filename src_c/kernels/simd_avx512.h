/* The vocabulary of vectors (see simd_portable.h) for AVX-512F: 16 floats, 32 registers. */
#ifndef CC_SIMD_H
#define CC_SIMD_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define VEC              16
#define MR               14
#define MR_1             10
#define MR_3             9
#define TILE_VECTORS     3
#define PLANAR_1         8
#define PLANAR_2         8
#define PLANAR_3         8
#define GROUPED_PIXELS   14
#define DEPTHWISE_PIXELS 8
#define DEPTHWISE_DYS    8
#define PARTS_ARE_FREE   1

typedef __m512 vec;
typedef __mmask16 mask;
typedef __m512i lanes;

static inline vec vec_zero(void)
{
    return _mm512_setzero_ps();
}

static inline vec vec_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

static inline void vec_store(float *p, vec v)
{
    _mm512_storeu_ps(p, v);
}

static inline vec vec_set1(float x)
{
    return _mm512_set1_ps(x);
}

static inline vec vec_add(vec a, vec b)
{
    return _mm512_add_ps(a, b);
}

static inline vec vec_mul(vec a, vec b)
{
    return _mm512_mul_ps(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return _mm512_sub_ps(a, b);
}

static inline vec vec_div(vec a, vec b)
{
    return _mm512_div_ps(a, b);
}

static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}

static inline vec vec_max(vec a, vec b)
{
    return _mm512_max_ps(a, b);
}

static inline vec vec_min(vec a, vec b)
{
    return _mm512_min_ps(a, b);
}

static inline vec vec_keep(vec y, vec a)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(y, _mm512_setzero_ps(), _CMP_GT_OQ), a);
}

static inline vec vec_keep_equal(vec x, vec y, vec a)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, y, _CMP_EQ_OQ), a);
}

static inline vec vec_above(vec x, vec y, vec a, vec b)
{
    return _mm512_mask_mov_ps(b, (mask)(_mm512_cmp_ps_mask(x, y, _CMP_GT_OQ) | _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q)), a);
}

static inline bool vec_below(vec a, vec b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ) == 0xffff;
}

static inline vec vec_power2(vec n)
{
    const __m512i bits = _mm512_castps_si512(_mm512_add_ps(n, _mm512_set1_ps(0x1.8p23f)));
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_slli_epi32(bits, 23), _mm512_set1_epi32(127 << 23)));
}

static inline vec vec_load_bytes(const uint8_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)));
}

static inline void vec_store_bytes(uint8_t *p, vec v)
{
    _mm_storeu_si128((__m128i *)(void *)p, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v)));
}

static inline mask mask_first(int n)
{
    return (mask)(n <= 0 ? 0 : n >= VEC ? 0xffff : (1 << n) - 1);
}

static inline vec vec_load_part(const float *p, mask m)
{
    return _mm512_maskz_loadu_ps(m, p);
}

static inline void vec_store_part(float *p, mask m, vec v)
{
    _mm512_mask_storeu_ps(p, m, v);
}

static inline lanes lanes_load(const int32_t *p)
{
    return _mm512_loadu_si512(p);
}

static inline vec vec_permute(vec v, lanes from)
{
    return _mm512_permutexvar_ps(from, v);
}

static inline vec vec_permute_near(vec v, lanes from)
{
    return _mm512_permutevar_ps(v, from);
}

/* Pairs, then fours of floats within the 128-bit lanes, then the lanes. */
static inline void vec_transpose(vec *v)
{
    vec t[16];
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(v[i], v[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(v[i], v[i + 1]);
    }
    for (int i = 0; i < 16; i += 4)
        for (int j = 0; j < 2; ++j) {
            const __m512d low = _mm512_castps_pd(t[i + j]), high = _mm512_castps_pd(t[i + 2 + j]);
            v[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
            v[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
        }
    for (int j = 0; j < 4; ++j) {
        const vec even0 = _mm512_shuffle_f32x4(v[j], v[4 + j], 0x88), odd0 = _mm512_shuffle_f32x4(v[j], v[4 + j], 0xdd);
        const vec even1 = _mm512_shuffle_f32x4(v[8 + j], v[12 + j], 0x88),
                  odd1 = _mm512_shuffle_f32x4(v[8 + j], v[12 + j], 0xdd);
        v[j] = _mm512_shuffle_f32x4(even0, even1, 0x88);
        v[4 + j] = _mm512_shuffle_f32x4(odd0, odd1, 0x88);
        v[8 + j] = _mm512_shuffle_f32x4(even0, even1, 0xdd);
        v[12 + j] = _mm512_shuffle_f32x4(odd0, odd1, 0xdd);
    }
}

#endif
