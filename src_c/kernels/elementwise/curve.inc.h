/* The activations of activation.h that are bent twice, by vectors, within a few units in the last place.
 *
 *     gelu       y = x P(x)          dy/dx = P(x) + x p(x),  p(x) = e^(-x^2 / 2) / sqrt(2 pi)
 *     gelu_tanh  y = x s(v)          dy/dx = s(v) + x s(v) s(-v) dv/dx
 *     silu       y = x s(x)          dy/dx = s(x) (1 + x s(-x))
 *     mish       y = x w / (w + 2)   dy/dx = w / (w + 2) + 4 x e (e + 1) / (w + 2)^2,  e = e^x, w = e (e + 2)
 *
 * With a = |x| it is P(-a) = e^(-a^2 / 2) R(a), where R falls slowly from 1/2 and is a quotient of polynomials without a negative
 * coefficient, fitted by weighted least squares: no digits cancel. Far below 0 each y is 0 in float32, also at
 * infinity. */
#ifndef CC_CURVE_INC_H
#define CC_CURVE_INC_H

#include "kernels/elementwise/exp.inc.h"

/* Where P(-a) and a P(-a) have become too small for normal numbers. */
#define BELL_END 13.25f

/* e^(-a^2 / 2) for a of 0 .. BELL_END, and there 0. a = h - d where h has so few places that its square is exact: then it is
 * e^(-h^2 / 2) e^(d (h - d / 2)), and the second exponent, less than 0.06, is added to what is left of the first. */
ALWAYS_INLINE vec vec_bell(vec a)
{
    const vec magic = vec_set1(0x1.8p16f), minus_half = vec_set1(-0.5f); /* rounds to 128ths */
    const vec h = vec_sub(vec_add(a, magic), magic), d = vec_sub(h, a);
    vec n;
    const vec r = reduced(vec_mul(vec_mul(h, minus_half), h), &n);
    const vec e = small_exp(vec_fma(d, vec_fma(d, minus_half, h), r));
    return vec_mul(vec_power2(n), vec_add(vec_set1(1), e)); /* their product alone may be too small for a normal number */
}

/* -P(-a) / e^(-a^2 / 2) */
ALWAYS_INLINE vec vec_minus_tail(vec a)
{
    vec p = vec_set1(-0.00415318544f), q = vec_set1(0.0104103804f);
    p = vec_fma(p, a, vec_set1(-0.0408808421f));
    p = vec_fma(p, a, vec_set1(-0.183968311f));
    p = vec_fma(p, a, vec_set1(-0.439282347f));
    p = vec_fma(p, a, vec_set1(-0.5f));
    q = vec_fma(q, a, vec_set1(0.102479191f));
    q = vec_fma(q, a, vec_set1(0.471406509f));
    q = vec_fma(q, a, vec_set1(1.2055449f));
    q = vec_fma(q, a, vec_set1(1.6764497f));
    q = vec_fma(q, a, vec_set1(1));
    return vec_div(p, q);
}

/* x between -most and most. */
ALWAYS_INLINE vec vec_within(vec x, float most)
{
    return vec_min(vec_set1(most), vec_max(vec_set1(-most), x));
}

/* s(v), and s(-v), from e = e^-|v|; x has the sign of v. */
ALWAYS_INLINE vec vec_sigmoids(vec e, vec x, vec *other)
{
    const vec one = vec_set1(1), part = vec_div(one, vec_add(one, e)), small = vec_mul(e, part);
    *other = vec_above(x, vec_zero(), small, part);
    return vec_above(x, vec_zero(), part, small);
}

/* n and e^r - 1 of e^-v, v = 2 sqrt(2 / pi) (x + 0.044715 x^3) of gelu_tanh. An error of v is one relative to e^-v: it stays in two
 * parts. With x = h - d, where h has few places, h times the first places of 2 sqrt(2 / pi) is exact. */
ALWAYS_INLINE vec vec_gelu_tanh_exp(vec x, vec *n)
{
    const vec magic = vec_set1(0x1.8p16f), first = vec_set1(-0x1.988p0f); /* rounds to 128ths */
    const vec h = vec_sub(vec_add(x, magic), magic), d = vec_sub(h, x);
    const vec rest = vec_fma(vec_mul(x, x), vec_set1(-0.0713548163f), vec_set1(-6.59966057e-5f));
    return small_exp(reduced_sum(vec_mul(h, first), vec_sub(vec_mul(x, rest), vec_mul(d, first)), n));
}

/* max(x, 0) - a P(-a), the last as (a e^(-a^2 / 2)) R: P(-a) alone may be too small for a normal number. */
ALWAYS_INLINE vec vec_gelu(vec x)
{
    const vec a = vec_min(vec_set1(BELL_END), vec_absolute(x));
    return vec_fma(vec_mul(a, vec_bell(a)), vec_minus_tail(a), vec_max(vec_zero(), x));
}

ALWAYS_INLINE vec vec_gelu_slope(vec x)
{
    const vec in = vec_within(x, BELL_END), a = vec_absolute(in), bell = vec_bell(a), minus = vec_mul(bell, vec_minus_tail(a));
    const vec share = vec_above(x, vec_zero(), vec_add(vec_set1(1), minus), vec_negative(minus));
    return vec_fma(vec_mul(in, vec_set1(0.398942280f)), bell, share);
}

ALWAYS_INLINE vec vec_gelu_tanh(vec x)
{
    const vec one = vec_set1(1), last = vec_max(vec_set1(-12), x);
    vec n;
    const vec e = vec_gelu_tanh_exp(vec_min(vec_set1(9), last), &n); /* beyond, s(v) is 1 */
    return vec_div(last, vec_fma(vec_add(one, e), vec_power2(vec_min(vec_set1(128), n)), one)); /* 2^128 is infinite */
}

ALWAYS_INLINE vec vec_gelu_tanh_slope(vec x)
{
    const vec in = vec_within(x, 12);
    vec n, other;
    const vec e = vec_add(vec_set1(1), vec_gelu_tanh_exp(vec_absolute(in), &n));
    const vec s = vec_sigmoids(vec_times_power2(e, n), in, &other);
    const vec rise = vec_mul(in, vec_fma(vec_mul(in, in), vec_set1(0.214064449f), vec_set1(1.59576917f)));
    return vec_fma(vec_mul(rise, other), s, s);
}

ALWAYS_INLINE vec vec_silu(vec x)
{
    return vec_div(vec_max(vec_set1(-110), x), vec_sigmoid_divisor(x));
}

ALWAYS_INLINE vec vec_silu_slope(vec x)
{
    vec other;
    const vec s = vec_sigmoids(vec_exp(vec_negative(vec_absolute(x))), x, &other);
    return vec_fma(vec_mul(vec_within(x, 110), other), s, s);
}

ALWAYS_INLINE vec vec_mish(vec x)
{
    const vec two = vec_set1(2), e = vec_exp(vec_min(vec_set1(20), x)), w = vec_mul(e, vec_add(e, two));
    return vec_mul(vec_max(vec_set1(-110), x), vec_div(w, vec_add(w, two)));
}

ALWAYS_INLINE vec vec_mish_slope(vec x)
{
    const vec one = vec_set1(1), two = vec_set1(2), e = vec_exp(vec_min(vec_set1(20), x)), w = vec_mul(e, vec_add(e, two));
    const vec part = vec_div(one, vec_add(w, two)), in = vec_within(x, 110);
    const vec rise = vec_mul(vec_mul(vec_set1(4), vec_mul(e, part)), vec_mul(vec_add(e, one), part));
    return vec_fma(in, rise, vec_mul(w, part));
}

#endif
