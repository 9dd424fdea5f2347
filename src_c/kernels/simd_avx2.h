/* The vocabulary of vectors (see simd_portable.h) for AVX2 with FMA: 8 floats, 16 registers. */
#ifndef CC_SIMD_H
#define CC_SIMD_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define VEC              8
#define MR               6
#define MR_1             8
#define MR_3             4
#define TILE_VECTORS     2
#define PLANAR_1         8
#define PLANAR_2         6
#define PLANAR_3         4
#define GROUPED_PIXELS   8
#define DEPTHWISE_PIXELS 8
#define DEPTHWISE_DYS    4
#define PARTS_ARE_FREE   0

typedef __m256 vec;
typedef struct mask {
    __m256i lanes;
    int count; /* of the first ones */
} mask;
typedef __m256i lanes;

static inline vec vec_zero(void)
{
    return _mm256_setzero_ps();
}

static inline vec vec_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

static inline void vec_store(float *p, vec v)
{
    _mm256_storeu_ps(p, v);
}

static inline vec vec_set1(float x)
{
    return _mm256_set1_ps(x);
}

static inline vec vec_add(vec a, vec b)
{
    return _mm256_add_ps(a, b);
}

static inline vec vec_mul(vec a, vec b)
{
    return _mm256_mul_ps(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return _mm256_sub_ps(a, b);
}

static inline vec vec_div(vec a, vec b)
{
    return _mm256_div_ps(a, b);
}

static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}

static inline vec vec_max(vec a, vec b)
{
    return _mm256_max_ps(a, b);
}

static inline vec vec_min(vec a, vec b)
{
    return _mm256_min_ps(a, b);
}

static inline vec vec_keep(vec y, vec a)
{
    return _mm256_and_ps(_mm256_cmp_ps(y, _mm256_setzero_ps(), _CMP_GT_OQ), a);
}

static inline vec vec_keep_equal(vec x, vec y, vec a)
{
    return _mm256_and_ps(_mm256_cmp_ps(x, y, _CMP_EQ_OQ), a);
}

static inline vec vec_above(vec x, vec y, vec a, vec b)
{
    return _mm256_blendv_ps(b, a, _mm256_or_ps(_mm256_cmp_ps(x, y, _CMP_GT_OQ), _mm256_cmp_ps(x, x, _CMP_UNORD_Q)));
}

static inline bool vec_below(vec a, vec b)
{
    return _mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LT_OQ)) == 0xff;
}

static inline vec vec_power2(vec n)
{
    const __m256i bits = _mm256_castps_si256(_mm256_add_ps(n, _mm256_set1_ps(0x1.8p23f)));
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_slli_epi32(bits, 23), _mm256_set1_epi32(127 << 23)));
}

static inline vec vec_load_bytes(const uint8_t *p)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p)));
}

static inline void vec_store_bytes(uint8_t *p, vec v)
{
    const __m256i whole = _mm256_cvtps_epi32(v);
    const __m128i pairs = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    _mm_storel_epi64((__m128i *)(void *)p, _mm_packus_epi16(pairs, pairs));
}

static inline mask mask_first(int n)
{
    const int count = n < 0 ? 0 : n > VEC ? VEC : n;
    return (mask){_mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)), count};
}

static inline vec vec_load_part(const float *p, mask m)
{
    return _mm256_maskload_ps(p, m.lanes);
}

/* Not by the instruction for it, which takes AMD's processors twelve cycles. */
static inline void vec_store_part(float *p, mask m, vec v)
{
    if (m.count == VEC) {
        vec_store(p, v);
        return;
    }
    __m128 few = _mm256_castps256_ps128(v);
    if (m.count & 4) {
        _mm_storeu_ps(p, few);
        few = _mm256_extractf128_ps(v, 1);
        p += 4;
    }
    if (m.count & 2) {
        _mm_storel_pi((__m64 *)(void *)p, few);
        few = _mm_movehl_ps(few, few);
        p += 2;
    }
    if (m.count & 1) _mm_store_ss(p, few);
}

static inline lanes lanes_load(const int32_t *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

static inline vec vec_permute(vec v, lanes from)
{
    return _mm256_permutevar8x32_ps(v, from);
}

static inline vec vec_permute_near(vec v, lanes from)
{
    return _mm256_permutevar_ps(v, from);
}

/* Pairs, then fours of floats within the 128-bit lanes, then the lanes. */
static inline void vec_transpose(vec *v)
{
    vec t[8];
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(v[i], v[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(v[i], v[i + 1]);
    }
    for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; ++j) {
            const __m256d low = _mm256_castps_pd(t[i + j]), high = _mm256_castps_pd(t[i + 2 + j]);
            v[i + 2 * j] = _mm256_castpd_ps(_mm256_unpacklo_pd(low, high));
            v[i + 2 * j + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low, high));
        }
    for (int j = 0; j < 4; ++j) {
        const vec low = v[j], high = v[4 + j];
        v[j] = _mm256_permute2f128_ps(low, high, 0x20);
        v[4 + j] = _mm256_permute2f128_ps(low, high, 0x31);
    }
}

#endif
