/* Smooth functions whose slope is told from x: bent twice, so that y does not say where it came from. */
#ifndef CC_CURVE_H
#define CC_CURVE_H

typedef enum cc_curve {
    CC_CURVE_GELU,      /* x P(x), P the share of a standard normal below x */
    CC_CURVE_GELU_TANH, /* x s(v(x)), v(x) = 2 sqrt(2 / pi) (x + 0.044715 x^3), s(v) = 1 / (1 + e^-v) = (1 + tanh(v / 2)) / 2 */
    CC_CURVE_SILU,      /* x s(x) */
    CC_CURVE_MISH       /* x tanh log(1 + e^x) */
} cc_curve;

#endif
