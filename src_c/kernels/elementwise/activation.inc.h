/* The exponential and the non-linearities of activation.h over many elements. Those with an exponential are computed by vectors,
 * within 2 units in the last place or so; the others are activation.h's own, which compilers turn into vectors.
 *
 * With n the whole number next to x / log 2 and r = x - n log 2, |r| <= log(2) / 2,
 *
 *     e^x = 2^n e^r,      e^r = 1 + r + r^2 P(r)
 *
 * where P, and L below, are polynomials whose largest relative error is least, found by weighted least squares. A NaN goes through:
 * vec_min and vec_max return their second argument if one is a NaN. */
#ifndef CC_ACTIVATION_INC_H
#define CC_ACTIVATION_INC_H

#include "kernels/elementwise/activation.h"
#include "kernels/macros.h"
#include <string.h>

/* r + r^2 P(r) = e^r - 1, and n. */
ALWAYS_INLINE vec reduced_exp(vec x, vec *n)
{
    const vec magic = vec_set1(0x1.8p23f); /* a sum with it has no places for a fraction: it is rounded */
    *n = vec_sub(vec_fma(x, vec_set1(0x1.715476p0f), magic), magic);
    vec r = vec_fma(*n, vec_set1(-0x1.62ep-1f), x); /* log 2 in two parts, of which n times the first one is exact */
    r = vec_fma(*n, vec_set1(-0x1.0bfbe8p-15f), r);
    vec p = vec_set1(1.9914302e-4f);
    p = vec_fma(p, r, vec_set1(1.3941103e-3f));
    p = vec_fma(p, r, vec_set1(8.3332730e-3f));
    p = vec_fma(p, r, vec_set1(4.1666355e-2f));
    p = vec_fma(p, r, vec_set1(0.16666667f));
    p = vec_fma(p, r, vec_set1(0.5f));
    return vec_fma(vec_mul(r, r), p, r);
}

/* e^x for any x. n may be -150 .. 128, beyond what one power of two can be: it is applied in two parts. */
ALWAYS_INLINE vec vec_exp(vec x)
{
    const vec magic = vec_set1(0x1.8p23f);
    vec n;
    x = vec_min(vec_set1(89), vec_max(vec_set1(-104), x)); /* infinite and 0 */
    const vec e = vec_add(vec_set1(1), reduced_exp(x, &n));
    const vec half = vec_sub(vec_fma(n, vec_set1(0.5f), magic), magic);
    return vec_mul(vec_mul(e, vec_power2(half)), vec_power2(vec_sub(n, half)));
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

/* -|x| */
ALWAYS_INLINE vec vec_minus_absolute(vec x)
{
    return vec_min(vec_negative(x), x);
}

ALWAYS_INLINE vec vec_elu(vec x, vec alpha)
{
    return vec_above(x, vec_zero(), x, vec_mul(alpha, vec_exp_less_1(vec_min(vec_zero(), x))));
}

ALWAYS_INLINE vec vec_sigmoid(vec x)
{
    const vec one = vec_set1(1), e = vec_exp(vec_minus_absolute(x)); /* at most 1: no overflow on either side */
    return vec_div(vec_above(x, vec_zero(), one, e), vec_add(one, e));
}

/* -t / (2 + t) with t = e^(-2 |x|) - 1, and the sign of x. */
ALWAYS_INLINE vec vec_tanh(vec x)
{
    const vec t = vec_exp_less_1(vec_mul(vec_set1(-2), vec_absolute(x)));
    const vec y = vec_div(t, vec_add(vec_set1(2), t));
    return vec_above(x, vec_zero(), vec_negative(y), y);
}

ALWAYS_INLINE vec vec_softplus(vec x)
{
    return vec_add(vec_max(vec_zero(), x), vec_log_1_more(vec_exp(vec_minus_absolute(x))));
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

/* With `which` a constant, one tight loop per function: the switch is outside of the loops. */
#define EACH_ELEMENT(which)                                                                                                    \
    case which:                                                                                                                \
        for (int64_t i = 0; i < n; ++i) y[i] = cc_act(which, alpha, x[i]);                                                     \
        break

static void act_forward(cc_activation act, float alpha, float *y, const float *x, int64_t n)
{
    switch (act) {
    case CC_ACT_ELU: {
        const vec scale = vec_set1(alpha);
        EACH_VECTOR(vec_elu(value, scale))
        break;
    }
    case CC_ACT_SIGMOID: EACH_VECTOR(vec_sigmoid(value)) break;
    case CC_ACT_TANH: EACH_VECTOR(vec_tanh(value)) break;
    case CC_ACT_SOFTPLUS:
        EACH_VECTOR(vec_softplus(value)) break;
        EACH_ELEMENT(CC_ACT_RELU);
        EACH_ELEMENT(CC_ACT_LEAKY_RELU);
        EACH_ELEMENT(CC_ACT_SOFTSIGN);
        EACH_ELEMENT(CC_ACT_ARCTAN);
        EACH_ELEMENT(CC_ACT_BINARY_STEP);
        EACH_ELEMENT(CC_ACT_RELU6);
    case CC_ACT_LINEAR:
    case CC_ACT_COUNT: memmove(y, x, (size_t)n * sizeof *y);
    }
}

#define EACH_SLOPE(which)                                                                                                      \
    case which:                                                                                                                \
        for (int64_t i = 0; i < n; ++i) dx[i] = dy[i] * cc_act_slope(which, alpha, y[i]);                                      \
        break

static void act_backward(cc_activation act, float alpha, float *dx, const float *dy, const float *y, int64_t n)
{
    switch (act) {
    case CC_ACT_SOFTPLUS: {
        int64_t i = 0;
        for (; i + VEC <= n; i += VEC)
            vec_store(dx + i, vec_mul(vec_load(dy + i), vec_negative(vec_exp_less_1(vec_negative(vec_load(y + i))))));
        if (i < n) {
            const mask last = mask_first((int)(n - i));
            const vec slope = vec_negative(vec_exp_less_1(vec_negative(vec_load_part(y + i, last))));
            vec_store_part(dx + i, last, vec_mul(vec_load_part(dy + i, last), slope));
        }
        break;
    }
        EACH_SLOPE(CC_ACT_RELU);
        EACH_SLOPE(CC_ACT_LEAKY_RELU);
        EACH_SLOPE(CC_ACT_ELU);
        EACH_SLOPE(CC_ACT_SIGMOID);
        EACH_SLOPE(CC_ACT_TANH);
        EACH_SLOPE(CC_ACT_SOFTSIGN);
        EACH_SLOPE(CC_ACT_ARCTAN);
        EACH_SLOPE(CC_ACT_BINARY_STEP);
        EACH_SLOPE(CC_ACT_RELU6);
    case CC_ACT_LINEAR:
    case CC_ACT_COUNT: memmove(dx, dy, (size_t)n * sizeof *dx);
    }
}

#endif
