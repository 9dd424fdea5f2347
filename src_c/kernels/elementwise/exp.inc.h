/* The exponential by vectors, and what is made of it, within 2 units in the last place or so.
 *
 * With n the whole number next to x / log 2 and r = x - n log 2, |r| <= log(2) / 2,
 *
 *     e^x = 2^n e^r,      e^r = 1 + r + r^2 P(r)
 *
 * where P, and L below, are polynomials whose largest relative error is least, found by weighted least squares. A NaN goes through:
 * vec_min and vec_max return their second argument if one is a NaN. */
#ifndef CC_EXP_INC_H
#define CC_EXP_INC_H

#include "kernels/macros.h"

/* r + r^2 P(r) = e^r - 1. */
ALWAYS_INLINE vec small_exp(vec r)
{
    vec p = vec_set1(1.9914302e-4f);
    p = vec_fma(p, r, vec_set1(1.3941103e-3f));
    p = vec_fma(p, r, vec_set1(8.3332730e-3f));
    p = vec_fma(p, r, vec_set1(4.1666355e-2f));
    p = vec_fma(p, r, vec_set1(0.16666667f));
    p = vec_fma(p, r, vec_set1(0.5f));
    return vec_fma(vec_mul(r, r), p, r);
}

/* The whole number next to x times a scale. */
ALWAYS_INLINE vec rounded(vec x, float scale)
{
    const vec magic = vec_set1(0x1.8p23f); /* a sum with it has no places for a fraction */
    return vec_sub(vec_fma(x, vec_set1(scale), magic), magic);
}

/* r, and n. */
ALWAYS_INLINE vec reduced(vec x, vec *n)
{
    *n = rounded(x, 0x1.715476p0f);
    const vec r = vec_fma(*n, vec_set1(-0x1.62ep-1f), x); /* log 2 in two parts, of which n times the first one is exact */
    return vec_fma(*n, vec_set1(-0x1.0bfbe8p-15f), r);
}

/* The same for x + low, which is not rounded: x has so few places that what n log 2 leaves of it is exact. */
ALWAYS_INLINE vec reduced_sum(vec x, vec low, vec *n)
{
    *n = rounded(vec_add(x, low), 0x1.715476p0f);
    const vec r = vec_add(vec_fma(*n, vec_set1(-0x1.62ep-1f), x), low);
    return vec_fma(*n, vec_set1(-0x1.0bfbe8p-15f), r);
}

/* e^r - 1, and n. */
ALWAYS_INLINE vec reduced_exp(vec x, vec *n)
{
    return small_exp(reduced(x, n));
}

/* 2^n x for n of -252 .. 254, beyond what one power of two can be: it is applied in two parts. */
ALWAYS_INLINE vec vec_times_power2(vec x, vec n)
{
    const vec half = rounded(n, 0.5f);
    return vec_mul(vec_mul(x, vec_power2(half)), vec_power2(vec_sub(n, half)));
}

/* e^x for any x. */
ALWAYS_INLINE vec vec_exp(vec x)
{
    vec n;
    x = vec_min(vec_set1(89), vec_max(vec_set1(-104), x)); /* infinite and 0 */
    const vec e = vec_add(vec_set1(1), reduced_exp(x, &n));
    return vec_times_power2(e, n);
}

/* e^x - 1 for x <= 0, as 2^n (e^r - 1) + (2^n - 1): near 0 no place is lost. */
ALWAYS_INLINE vec vec_exp_less_1(vec x)
{
    vec n;
    const vec e = reduced_exp(vec_max(vec_set1(-80), x), &n), power = vec_power2(n);
    return vec_fma(power, e, vec_sub(power, vec_set1(1)));
}

/* log(1 + e) for e in 0 .. 1: with s = e / (2 + e) it is 2 artanh s = t + t s^2 L(s^2), t = 2 s. s itself may be too small for a
 * normal number where t is none. */
ALWAYS_INLINE vec vec_log_1_more(vec e)
{
    const vec half = vec_set1(0.5f), t = vec_div(e, vec_fma(e, half, vec_set1(1)));
    const vec s = vec_mul(t, half), z = vec_mul(s, s);
    vec p = vec_set1(0.121504715f);
    p = vec_fma(p, z, vec_set1(0.107138275f));
    p = vec_fma(p, z, vec_set1(0.14308442f));
    p = vec_fma(p, z, vec_set1(0.199994385f));
    p = vec_fma(p, z, vec_set1(0.333333375f));
    return vec_fma(vec_mul(t, z), p, t);
}

ALWAYS_INLINE vec vec_negative(vec x)
{
    return vec_sub(vec_zero(), x);
}

ALWAYS_INLINE vec vec_absolute(vec x)
{
    return vec_max(vec_negative(x), x);
}

/* 1 + e^-x, infinite below -89: what a sigmoid divides by. Above 87 it is 1 in any case, so one power of two will do. */
ALWAYS_INLINE vec vec_sigmoid_divisor(vec x)
{
    const vec one = vec_set1(1);
    vec n;
    const vec e = reduced_exp(vec_min(vec_set1(89), vec_max(vec_set1(-87), vec_negative(x))), &n);
    return vec_fma(vec_add(one, e), vec_power2(n), one);
}

ALWAYS_INLINE vec vec_sigmoid(vec x)
{
    return vec_div(vec_set1(1), vec_sigmoid_divisor(x));
}

/* y[i] = what the formula makes of `value`, the vector x[i]. */
#define EACH_VECTOR(formula)                                                                                                   \
    {                                                                                                                          \
        int64_t i = 0;                                                                                                         \
        for (; i + VEC <= n; i += VEC) {                                                                                       \
            const vec value = vec_load(x + i);                                                                                 \
            vec_store(y + i, formula);                                                                                         \
        }                                                                                                                      \
        if (i < n) {                                                                                                           \
            const mask last = mask_first((int)(n - i));                                                                        \
            const vec value = vec_load_part(x + i, last);                                                                      \
            vec_store_part(y + i, last, formula);                                                                              \
        }                                                                                                                      \
    }

static void vector_exp(float *y, const float *x, float shift, int64_t n)
{
    const vec less = vec_set1(shift);
    EACH_VECTOR(vec_exp(vec_sub(value, less)))
}

#endif
