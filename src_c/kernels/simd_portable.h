/* The vocabulary of vectors in plain C: four floats, which compilers map to whatever the target has.
 *
 * Every simd_*.h defines: vec, VEC (lanes), mask; vec_zero, vec_load, vec_store, vec_set1, vec_add, vec_sub, vec_mul, vec_div,
 * vec_fma (a b + c), vec_max and vec_min (b if either is a NaN); vec_keep(y, a) (a where y > 0, else 0), vec_keep_equal(x, y, a) (a
 * where x == y, else 0), vec_above(x, y, a, b) (a where x > y or x is a NaN, else b); vec_below(a, b) (whether a < b in every
 * lane); vec_power2(n) (2^n for whole n of -126 .. 127, anything for a NaN); vec_load_bytes and vec_store_bytes (VEC whole
 * numbers of 0 .. 255, a byte each in memory); mask_first(n) (lanes 0 .. n-1), vec_load_part (other lanes 0), vec_store_part
 * (other lanes untouched in memory);
 * lanes_load (VEC numbers of lanes), vec_permute(v, lanes) (lane i is lane lanes[i] of v), vec_permute_near (the same where no lane
 * leaves its four); vec_transpose (the square of VEC vectors: lane j of vector i and lane i of vector j change places).
 *
 * And the sizes that suit its registers: MR, rows of a tile of products (1 .. 16), of two vectors each beside the two vectors of
 * columns and the number they are multiplied with, MR_1 and MR_3 of tiles of one vector and of three; TILE_VECTORS, 2 or 3, of the
 * usual ones; PLANAR_1, PLANAR_2 and
 * PLANAR_3, channels (1 .. 8, none more than the one before) of a tile of one to three vectors of pixels; GROUPED_PIXELS of a tile
 * of grouped convolution, a vector each; DEPTHWISE_PIXELS (1 .. 8), the sums of a depthwise block beside a row of taps;
 * DEPTHWISE_DYS (1 .. 8), the pixels of dy beside the sums of nine taps.
 *
 * PARTS_ARE_FREE: 1 where a part of a vector is loaded and stored as fast as a whole one: bodies for whole ones are left out. */
#ifndef CC_SIMD_H
#define CC_SIMD_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define VEC              4
#define MR               6
#define MR_1             8
#define MR_3             4
#define TILE_VECTORS     2
#define PLANAR_1         4
#define PLANAR_2         4
#define PLANAR_3         4
#define GROUPED_PIXELS   8
#define DEPTHWISE_PIXELS 4
#define DEPTHWISE_DYS    4
#define PARTS_ARE_FREE   0

typedef int mask;
typedef const int32_t *lanes;

#if defined(__GNUC__)
typedef float vec __attribute__((vector_size(16)));

static inline vec vec_zero(void)
{
    return (vec){0, 0, 0, 0};
}

static inline vec vec_load(const float *p)
{
    vec v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

static inline void vec_store(float *p, vec v)
{
    __builtin_memcpy(p, &v, sizeof v);
}

static inline vec vec_set1(float x)
{
    return (vec){x, x, x, x};
}

static inline vec vec_add(vec a, vec b)
{
    return a + b;
}

static inline vec vec_mul(vec a, vec b)
{
    return a * b;
}

static inline vec vec_sub(vec a, vec b)
{
    return a - b;
}

static inline vec vec_div(vec a, vec b)
{
    return a / b;
}

static inline vec vec_fma(vec a, vec b, vec c)
{
    return a * b + c;
}
#define LANE(v, i) ((v)[i])
#else
typedef struct vec {
    float lane[VEC];
} vec;
#define LANE(v, i) ((v).lane[i])

static inline vec vec_set1(float x)
{
    return (vec){{x, x, x, x}};
}

static inline vec vec_zero(void)
{
    return vec_set1(0);
}

static inline vec vec_load(const float *p)
{
    return (vec){{p[0], p[1], p[2], p[3]}};
}

static inline void vec_store(float *p, vec v)
{
    for (int i = 0; i < VEC; ++i) p[i] = v.lane[i];
}

static inline vec vec_add(vec a, vec b)
{
    for (int i = 0; i < VEC; ++i) a.lane[i] += b.lane[i];
    return a;
}

static inline vec vec_mul(vec a, vec b)
{
    for (int i = 0; i < VEC; ++i) a.lane[i] *= b.lane[i];
    return a;
}

static inline vec vec_sub(vec a, vec b)
{
    for (int i = 0; i < VEC; ++i) a.lane[i] -= b.lane[i];
    return a;
}

static inline vec vec_div(vec a, vec b)
{
    for (int i = 0; i < VEC; ++i) a.lane[i] /= b.lane[i];
    return a;
}

static inline vec vec_fma(vec a, vec b, vec c)
{
    return vec_add(vec_mul(a, b), c);
}
#endif

static inline vec vec_max(vec a, vec b)
{
    for (int i = 0; i < VEC; ++i) LANE(b, i) = LANE(a, i) > LANE(b, i) ? LANE(a, i) : LANE(b, i);
    return b;
}

static inline vec vec_min(vec a, vec b)
{
    for (int i = 0; i < VEC; ++i) LANE(b, i) = LANE(a, i) < LANE(b, i) ? LANE(a, i) : LANE(b, i);
    return b;
}

static inline vec vec_keep(vec y, vec a)
{
    for (int i = 0; i < VEC; ++i) LANE(a, i) = LANE(y, i) > 0 ? LANE(a, i) : 0;
    return a;
}

static inline vec vec_keep_equal(vec x, vec y, vec a)
{
    for (int i = 0; i < VEC; ++i) LANE(a, i) = LANE(x, i) == LANE(y, i) ? LANE(a, i) : 0;
    return a;
}

static inline vec vec_above(vec x, vec y, vec a, vec b)
{
    for (int i = 0; i < VEC; ++i) LANE(b, i) = LANE(x, i) > LANE(y, i) || LANE(x, i) != LANE(x, i) ? LANE(a, i) : LANE(b, i);
    return b;
}

static inline bool vec_below(vec a, vec b)
{
    bool below = true;
    for (int i = 0; i < VEC; ++i) below &= LANE(a, i) < LANE(b, i);
    return below;
}

/* Added to 1.5 * 2^23, a whole number stands in the last bits of the sum. */
static inline vec vec_power2(vec n)
{
    uint32_t bits[VEC];
    n = vec_add(n, vec_set1(0x1.8p23f));
    memcpy(bits, &n, sizeof bits);
    for (int i = 0; i < VEC; ++i) bits[i] = (bits[i] << 23) + (127u << 23);
    memcpy(&n, bits, sizeof bits);
    return n;
}

static inline vec vec_load_bytes(const uint8_t *p)
{
    vec v = vec_zero();
    for (int i = 0; i < VEC; ++i) LANE(v, i) = p[i];
    return v;
}

static inline void vec_store_bytes(uint8_t *p, vec v)
{
    for (int i = 0; i < VEC; ++i) p[i] = (uint8_t)LANE(v, i);
}

static inline mask mask_first(int n)
{
    return n < 0 ? 0 : n > VEC ? VEC : n;
}

static inline vec vec_load_part(const float *p, mask n)
{
    if (n == VEC) return vec_load(p);
    vec v = vec_zero();
    for (int i = 0; i < n; ++i) LANE(v, i) = p[i];
    return v;
}

static inline void vec_store_part(float *p, mask n, vec v)
{
    for (int i = 0; i < n; ++i) p[i] = LANE(v, i);
}

static inline lanes lanes_load(const int32_t *p)
{
    return p;
}

static inline vec vec_permute(vec v, lanes from)
{
    vec to;
    for (int i = 0; i < VEC; ++i) LANE(to, i) = LANE(v, from[i]);
    return to;
}

static inline vec vec_permute_near(vec v, lanes from)
{
    return vec_permute(v, from);
}

static inline void vec_transpose(vec *v)
{
    for (int i = 0; i < VEC; ++i)
        for (int j = 0; j < i; ++j) {
            const float x = LANE(v[i], j);
            LANE(v[i], j) = LANE(v[j], i);
            LANE(v[j], i) = x;
        }
}

#endif
