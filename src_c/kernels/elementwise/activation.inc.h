/* The non-linearities of activation.h over many elements. Those with an exponential are computed by vectors, here and in
 * curve.inc.h; the others are activation.h's own, which compilers turn into vectors. */
#ifndef CC_ACTIVATION_INC_H
#define CC_ACTIVATION_INC_H

#include "kernels/elementwise/activation.h"
#include "kernels/elementwise/curve.inc.h"
#include "kernels/elementwise/exp.inc.h"
#include <string.h>

ALWAYS_INLINE vec vec_elu(vec x, vec alpha)
{
    return vec_above(x, vec_zero(), x, vec_mul(alpha, vec_exp_less_1(vec_min(vec_zero(), x))));
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
    return vec_add(vec_max(vec_zero(), x), vec_log_1_more(vec_exp(vec_negative(vec_absolute(x)))));
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
    case CC_ACT_SOFTPLUS: EACH_VECTOR(vec_softplus(value)) break;
    case CC_ACT_GELU: EACH_VECTOR(vec_gelu(value)) break;
    case CC_ACT_GELU_TANH: EACH_VECTOR(vec_gelu_tanh(value)) break;
    case CC_ACT_SILU: EACH_VECTOR(vec_silu(value)) break;
    case CC_ACT_MISH:
        EACH_VECTOR(vec_mish(value)) break;
        EACH_ELEMENT(CC_ACT_RELU);
        EACH_ELEMENT(CC_ACT_RELU6);
        EACH_ELEMENT(CC_ACT_LEAKY_RELU);
        EACH_ELEMENT(CC_ACT_SOFTSIGN);
        EACH_ELEMENT(CC_ACT_ARCTAN);
        EACH_ELEMENT(CC_ACT_BINARY_STEP);
        EACH_ELEMENT(CC_ACT_HARD_SIGMOID);
        EACH_ELEMENT(CC_ACT_HARD_SILU);
    case CC_ACT_LINEAR:
    case CC_ACT_COUNT: memmove(y, x, (size_t)n * sizeof *y);
    }
}

#define EACH_SLOPE(which)                                                                                                      \
    case which:                                                                                                                \
        for (int64_t i = 0; i < n; ++i) dx[i] = dy[i] * cc_act_slope(which, alpha, v[i]);                                      \
        break

/* dx[i] = dy[i] times what the formula makes of `value`, the vector v[i]. */
#define EACH_SLOPE_VECTOR(formula)                                                                                             \
    {                                                                                                                          \
        int64_t i = 0;                                                                                                         \
        for (; i + VEC <= n; i += VEC) {                                                                                       \
            const vec value = vec_load(v + i);                                                                                 \
            vec_store(dx + i, vec_mul(vec_load(dy + i), formula));                                                             \
        }                                                                                                                      \
        if (i < n) {                                                                                                           \
            const mask last = mask_first((int)(n - i));                                                                        \
            const vec value = vec_load_part(v + i, last);                                                                      \
            vec_store_part(dx + i, last, vec_mul(vec_load_part(dy + i, last), formula));                                       \
        }                                                                                                                      \
    }

static void act_backward(cc_activation act, float alpha, float *dx, const float *dy, const float *v, int64_t n)
{
    switch (act) {
    case CC_ACT_SOFTPLUS: EACH_SLOPE_VECTOR(vec_negative(vec_exp_less_1(vec_negative(value)))) break;
    case CC_ACT_GELU: EACH_SLOPE_VECTOR(vec_gelu_slope(value)) break;
    case CC_ACT_GELU_TANH: EACH_SLOPE_VECTOR(vec_gelu_tanh_slope(value)) break;
    case CC_ACT_SILU: EACH_SLOPE_VECTOR(vec_silu_slope(value)) break;
    case CC_ACT_MISH:
        EACH_SLOPE_VECTOR(vec_mish_slope(value)) break;
        EACH_SLOPE(CC_ACT_RELU);
        EACH_SLOPE(CC_ACT_RELU6);
        EACH_SLOPE(CC_ACT_LEAKY_RELU);
        EACH_SLOPE(CC_ACT_ELU);
        EACH_SLOPE(CC_ACT_SIGMOID);
        EACH_SLOPE(CC_ACT_TANH);
        EACH_SLOPE(CC_ACT_SOFTSIGN);
        EACH_SLOPE(CC_ACT_ARCTAN);
        EACH_SLOPE(CC_ACT_BINARY_STEP);
        EACH_SLOPE(CC_ACT_HARD_SIGMOID);
        EACH_SLOPE(CC_ACT_HARD_SILU);
    case CC_ACT_LINEAR:
    case CC_ACT_COUNT: memmove(dx, dy, (size_t)n * sizeof *dx);
    }
}

#endif
