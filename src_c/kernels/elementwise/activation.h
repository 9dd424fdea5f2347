/* The usual table of non-linearities: f(x) and f'(x), an element at a time. Loops over many elements, with vectors where these call
 * the C library, are in activation.inc.h.
 *
 * Where it can be, the derivative is expressed by the output, so that an op with a fused activation needs to keep nothing but y:
 *
 *     relu         max(x, 0)                     y > 0 ? 1 : 0
 *     relu6        min(max(x, 0), 6)             0 < y < 6 ? 1 : 0
 *     leaky_relu   x > 0 ? x : alpha x           y > 0 ? 1 : alpha
 *     elu          x > 0 ? x : alpha (e^x - 1)   y > 0 ? 1 : y + alpha
 *     sigmoid      1 / (1 + e^-x)                y (1 - y)
 *     tanh         tanh x                        1 - y^2
 *     softplus     log(1 + e^x)                  1 - e^-y              since 1 - 1 / (1 + e^x) = e^x / (1 + e^x)
 *     softsign     x / (1 + |x|)                 (1 - |y|)^2           since 1 - |y| = 1 / (1 + |x|)
 *     arctan       arctan x                      cos^2 y               since cos^2 = 1 / (1 + tan^2)
 *     binary_step  x >= 0 ? 1 : 0                0
 *     hard_sigmoid min(max(x + 3, 0), 6) / 6     0 < y < 1 ? 1 / 6 : 0
 *
 * Those that are bent twice do not say by y where it came from. Their derivative is told from x, with the sigmoid s:
 *
 *     gelu         x P(x)                        P(x) + x p(x)          P the share of a standard normal below x, p its density
 *     gelu_tanh    x s(u)                        s(u) + x s(u) s(-u) u' u(x) = 2 sqrt(2 / pi) (x + 0.044715 x^3)
 *     silu         x s(x)                        s(x) (1 + x s(-x))
 *     mish         x tanh log(1 + e^x)           t + x (1 - t^2) s(x)   t = tanh log(1 + e^x)
 *     hard_silu    x min(max(x + 3, 0), 6) / 6   x / 3 + 1 / 2          0 up to -3 and 1 from 3 on
 *
 * Told from y, leaky_relu and elu need alpha >= 0 (otherwise the sign of y is not the sign of x): ops refuse others. At the kink
 * x = 0 the derivative is that of the left side. Where y is next to a limit, its last place is what is known of the derivative: it
 * is right to 1e-7 of the largest one, not of itself. A NaN goes through every one of them. */
#ifndef CC_ACTIVATION_H
#define CC_ACTIVATION_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum cc_activation {
    CC_ACT_LINEAR = 0,
    CC_ACT_RELU,
    CC_ACT_RELU6,
    CC_ACT_LEAKY_RELU,
    CC_ACT_ELU,
    CC_ACT_SIGMOID,
    CC_ACT_TANH,
    CC_ACT_SOFTPLUS,
    CC_ACT_SOFTSIGN,
    CC_ACT_ARCTAN,
    CC_ACT_BINARY_STEP,
    CC_ACT_HARD_SIGMOID,
    CC_ACT_GELU,
    CC_ACT_GELU_TANH,
    CC_ACT_SILU,
    CC_ACT_MISH,
    CC_ACT_HARD_SILU,
    CC_ACT_COUNT
} cc_activation;

/* The same order, as the choices of an attribute: all, and the first ones, the clamps, which every kernel applies to what is still
 * in its registers. */
#define CC_ACT_CLAMPS  "linear|relu|relu6"
#define CC_ACT_CHOICES                                                                                                         \
    CC_ACT_CLAMPS "|leaky_relu|elu|sigmoid|tanh|softplus|softsign|arctan|binary_step|hard_sigmoid"                             \
                  "|gelu|gelu_tanh|silu|mish|hard_silu"

static inline bool cc_act_is_clamp(cc_activation act)
{
    return act <= CC_ACT_RELU6;
}

/* Whether f'(x) is told from y, not from x. */
static inline bool cc_act_told_from_y(cc_activation act)
{
    return act < CC_ACT_GELU;
}

static inline float cc_relu(float x)
{
    return x < 0 ? 0 : x; /* this way round a NaN stays one */
}

static inline float cc_relu6(float x)
{
    return x < 0 ? 0 : x > 6 ? 6 : x;
}

static inline float cc_leaky_relu(float x, float alpha)
{
    return x > 0 ? x : alpha * x;
}

static inline float cc_elu(float x, float alpha)
{
    return x > 0 ? x : alpha * expm1f(x);
}

static inline float cc_sigmoid(float x)
{
    float e = expf(-fabsf(x)); /* at most 1: no overflow on either side */
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

static inline float cc_softplus(float x)
{
    return cc_relu(x) + log1pf(expf(-fabsf(x)));
}

static inline float cc_softsign(float x)
{
    return isinf(x) ? (x > 0 ? 1.0f : -1.0f) : x / (1 + fabsf(x));
}

static inline float cc_binary_step(float x)
{
    return x >= 0 ? 1 : x < 0 ? 0 : x;
}

static inline float cc_hard_sigmoid(float x)
{
    return cc_relu6(x + 3) * (1.0f / 6); /* by x + 3, which near -3 is exact */
}

/* The curves bent twice are x g(x): g and its slope, in double, since a rounded exponent has lost digits. x is within 110 of 0:
 * beyond, g is 0 or 1. */
static inline double cc_gate(cc_activation act, double x, double *slope)
{
    const double u = 1.5957691216057308 * x * (1 + 0.044715 * x * x);
    double g;
    switch (act) {
    case CC_ACT_GELU:
        g = erfc(-0.70710678118654752 * x) / 2;
        *slope = 0.39894228040143268 * exp(-x * x / 2);
        break;
    case CC_ACT_GELU_TANH:
        g = 1 / (1 + exp(-u));
        *slope = g / (1 + exp(u)) * 1.5957691216057308 * (1 + 0.134145 * x * x);
        break;
    case CC_ACT_MISH:
        g = tanh(log1p(exp(x)));
        *slope = (1 - g * g) / (1 + exp(-x));
        break;
    default:
        g = 1 / (1 + exp(-x));
        *slope = g / (1 + exp(x));
    }
    return g;
}

static inline float cc_curve(cc_activation act, float x)
{
    const double v = x < -110 ? -110 : (double)x;
    double slope;
    return x > 110 ? x : (float)(v * cc_gate(act, v, &slope));
}

static inline float cc_curve_slope(cc_activation act, float x)
{
    const double v = x < -110 ? -110 : x > 110 ? 110 : (double)x;
    double slope;
    const double g = cc_gate(act, v, &slope);
    return (float)(g + v * slope);
}

static inline float cc_hard_silu(float x)
{
    return x <= -3 ? 0 : x * cc_hard_sigmoid(x);
}

/* f(x). alpha is the slope of leaky_relu and the scale of elu; others do not read it. */
static inline float cc_act(cc_activation act, float alpha, float x)
{
    switch (act) {
    case CC_ACT_RELU: return cc_relu(x);
    case CC_ACT_RELU6: return cc_relu6(x);
    case CC_ACT_LEAKY_RELU: return cc_leaky_relu(x, alpha);
    case CC_ACT_ELU: return cc_elu(x, alpha);
    case CC_ACT_SIGMOID: return cc_sigmoid(x);
    case CC_ACT_TANH: return tanhf(x);
    case CC_ACT_SOFTPLUS: return cc_softplus(x);
    case CC_ACT_SOFTSIGN: return cc_softsign(x);
    case CC_ACT_ARCTAN: return atanf(x);
    case CC_ACT_BINARY_STEP: return cc_binary_step(x);
    case CC_ACT_HARD_SIGMOID: return cc_hard_sigmoid(x);
    case CC_ACT_HARD_SILU: return cc_hard_silu(x);
    case CC_ACT_GELU:
    case CC_ACT_GELU_TANH:
    case CC_ACT_SILU:
    case CC_ACT_MISH: return cc_curve(act, x);
    case CC_ACT_LINEAR:
    case CC_ACT_COUNT: break;
    }
    return x;
}

/* f'(x) told from v, which is y = f(x) or x. */
static inline float cc_act_slope(cc_activation act, float alpha, float v)
{
    float t;
    switch (act) {
    case CC_ACT_RELU: return v > 0 ? 1.0f : 0.0f;
    case CC_ACT_RELU6: return v > 0 && v < 6 ? 1.0f : 0.0f;
    case CC_ACT_LEAKY_RELU: return v > 0 ? 1.0f : alpha;
    case CC_ACT_ELU: return v > 0 ? 1.0f : v + alpha;
    case CC_ACT_SIGMOID: return v * (1 - v);
    case CC_ACT_TANH: return 1 - v * v;
    case CC_ACT_SOFTPLUS: return -expm1f(-v);
    case CC_ACT_SOFTSIGN: return t = 1 - fabsf(v), t * t;
    case CC_ACT_ARCTAN: return t = cosf(v), t * t;
    case CC_ACT_BINARY_STEP: return 0;
    case CC_ACT_HARD_SIGMOID: return v > 0 && v < 1 ? 1.0f / 6 : 0.0f;
    case CC_ACT_HARD_SILU: return v <= -3 ? 0.0f : v >= 3 ? 1.0f : v * (1.0f / 3) + 0.5f; /* at bends the outer side's */
    case CC_ACT_GELU:
    case CC_ACT_GELU_TANH:
    case CC_ACT_SILU:
    case CC_ACT_MISH: return cc_curve_slope(act, v);
    case CC_ACT_LINEAR:
    case CC_ACT_COUNT: break;
    }
    return 1;
}

#endif
