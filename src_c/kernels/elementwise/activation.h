/* The usual table of non-linearities: f(x), and f'(x) told from y = f(x), an element at a time. Loops over many elements, with
 * vectors where these call the C library, are in activation.inc.h.
 *
 * Every derivative is expressed by the output, so that an op with a fused activation needs to keep nothing but y:
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
    CC_ACT_COUNT
} cc_activation;

/* The same order, as the choices of an attribute: all, and the first ones, the clamps, which every kernel applies to what is still
 * in its registers. */
#define CC_ACT_CLAMPS  "linear|relu|relu6"
#define CC_ACT_CHOICES CC_ACT_CLAMPS "|leaky_relu|elu|sigmoid|tanh|softplus|softsign|arctan|binary_step"

static inline bool cc_act_is_clamp(cc_activation act)
{
    return act <= CC_ACT_RELU6;
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
    case CC_ACT_LINEAR:
    case CC_ACT_COUNT: break;
    }
    return x;
}

/* f'(x) where y = f(x). */
static inline float cc_act_slope(cc_activation act, float alpha, float y)
{
    float t;
    switch (act) {
    case CC_ACT_RELU: return y > 0 ? 1.0f : 0.0f;
    case CC_ACT_RELU6: return y > 0 && y < 6 ? 1.0f : 0.0f;
    case CC_ACT_LEAKY_RELU: return y > 0 ? 1.0f : alpha;
    case CC_ACT_ELU: return y > 0 ? 1.0f : y + alpha;
    case CC_ACT_SIGMOID: return y * (1 - y);
    case CC_ACT_TANH: return 1 - y * y;
    case CC_ACT_SOFTPLUS: return -expm1f(-y);
    case CC_ACT_SOFTSIGN: return t = 1 - fabsf(y), t * t;
    case CC_ACT_ARCTAN: return t = cosf(y), t * t;
    case CC_ACT_BINARY_STEP: return 0;
    case CC_ACT_LINEAR:
    case CC_ACT_COUNT: break;
    }
    return 1;
}

#endif
