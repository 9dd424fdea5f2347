/* Functions of one element: x -> y of the same shape, a row of unary.def each. */
#include "ops/infer.h"
#include "kernels/kernels.h"
#include <math.h>
#include <string.h>

/* Zero and NaN stay what they are. By its bits, since comparisons of a run take subnormals for zeros. */
static inline float unary_sign(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t size = bits & 0x7fffffffu, one = (bits & 0x80000000u) | 0x3f800000u;
    bits = size == 0 || size > 0x7f800000u ? bits : one;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#define UNARY_LN_2  0.693147181f
#define UNARY_LN_10 2.30258509f

/* The slope of the error function, 2 / sqrt(pi) e^(-x^2): in float32 the rounding of x^2 would be multiplied by it. */
static inline double unary_erf_slope(double x)
{
    return 1.1283791670955126 * exp(-x * x);
}

/* By Winitzki's closed form, which is right to 0.2 percent, and two of Halley's steps. */
static float unary_erfinv(float x)
{
    if (!(fabsf(x) < 1)) return x == 1 || x == -1 ? x * INFINITY : NAN;
    const double a = 0.147, log_rest = log1p(-(double)x * x), half = 2 / (3.14159265358979 * a) + log_rest / 2;
    double y = copysign(sqrt(fmax(sqrt(half * half - log_rest / a) - half, 0)), x);
    for (int step = 0; step < 2; ++step) {
        const double newton = (erf(y) - x) / unary_erf_slope(y);
        y -= newton / (1 + y * newton);
    }
    return (float)y;
}

static void unary_exp(float *y, const float *x, int64_t n)
{
    cc_kernels_get()->elementwise.exp(y, x, 0, n);
}

static cc_range unary_slice(const cc_call *call, const cc_team *team)
{
    return cc_slice(team, cc_shape_count(&call->ys), 1024);
}

#define UNARY_FORWARD(tag, formula)                                                                                            \
    static void tag##_forward(const cc_call *call, const cc_team *team)                                                        \
    {                                                                                                                          \
        const float *x = call->x[0];                                                                                           \
        float *y = call->y;                                                                                                    \
        const cc_range mine = unary_slice(call, team);                                                                         \
        for (int64_t i = mine.begin; i < mine.end; ++i) y[i] = formula;                                                        \
    }

#define UNARY_FORWARD_OF_NUMBERS(tag, formula, int_formula)                                                                    \
    UNARY_FORWARD(tag##_float, formula)                                                                                        \
    static void tag##_forward(const cc_call *call, const cc_team *team)                                                        \
    {                                                                                                                          \
        if (call->xs[0].type != CCONV_INT32) {                                                                                 \
            tag##_float_forward(call, team);                                                                                   \
            return;                                                                                                            \
        }                                                                                                                      \
        const cc_range mine = unary_slice(call, team);                                                                         \
        for (int64_t i = mine.begin; i < mine.end; ++i) {                                                                      \
            const int32_t v = cc_ints(call->x[0])[i];                                                                          \
            cc_ints_out(call->y)[i] = int_formula;                                                                             \
        }                                                                                                                      \
    }

#define UNARY_BACKWARD(tag, formula)                                                                                           \
    static void tag##_backward(const cc_call *call, const cc_team *team)                                                       \
    {                                                                                                                          \
        const float *x = call->x[0], *y = call->y, *dy = call->dy;                                                             \
        float *dx = call->dx[0];                                                                                               \
        (void)x;                                                                                                               \
        (void)y;                                                                                                               \
        if (!dx) return;                                                                                                       \
        const cc_range mine = unary_slice(call, team);                                                                         \
        for (int64_t i = mine.begin; i < mine.end; ++i) dx[i] = formula;                                                       \
    }

#define UNARY_OP(tag, takes, backward_flag, what_backward_reads, tag_backward)                                                 \
    const cc_op cc_op_##tag = {.name = #tag,                                                                                   \
                               .inputs = "x",                                                                                  \
                               .types = takes,                                                                                 \
                               .flags = CC_INPLACE | CC_ELEMENTWISE | (backward_flag),                                         \
                               .reads = what_backward_reads,                                                                   \
                               .infer = cc_infer_same,                                                                         \
                               .forward = tag##_forward,                                                                       \
                               .backward = tag_backward};

/* The kinds of rows. */
#define UNARY_FLOATS(tag, reads, value, gradient)                                                                              \
    UNARY_FORWARD(tag, value)                                                                                                  \
    UNARY_BACKWARD(tag, gradient)                                                                                              \
    UNARY_OP(tag, NULL, CC_INPLACE_BACKWARD, reads, tag##_backward)
#define UNARY_NUMBERS(tag, reads, value, gradient, int_value)                                                                  \
    UNARY_FORWARD_OF_NUMBERS(tag, value, int_value)                                                                            \
    UNARY_BACKWARD(tag, gradient)                                                                                              \
    UNARY_OP(tag, "n -> n", CC_INPLACE_BACKWARD, reads, tag##_backward)
#define UNARY_VECTORS(tag, reads, function, gradient)                                                                          \
    static void tag##_forward(const cc_call *call, const cc_team *team)                                                        \
    {                                                                                                                          \
        const cc_range mine = unary_slice(call, team);                                                                         \
        function(call->y + mine.begin, call->x[0] + mine.begin, mine.end - mine.begin);                                        \
    }                                                                                                                          \
    UNARY_BACKWARD(tag, gradient)                                                                                              \
    UNARY_OP(tag, NULL, CC_INPLACE_BACKWARD, reads, tag##_backward)
#define UNARY_STEPS(tag, value)                                                                                                \
    UNARY_FORWARD(tag, value)                                                                                                  \
    UNARY_OP(tag, NULL, 0, 0, NULL)
#define UNARY_NUMBER_STEPS(tag, value, int_value)                                                                              \
    UNARY_FORWARD_OF_NUMBERS(tag, value, int_value)                                                                            \
    UNARY_OP(tag, "n -> n", 0, 0, NULL)
#define UNARY_TEST(tag, holds)                                                                                                 \
    UNARY_FORWARD(tag, (holds) ? 1.0f : 0.0f)                                                                                  \
    UNARY_OP(tag, "f -> b", 0, 0, NULL)
#define UNARY_BITS(tag, int_value)                                                                                             \
    static void tag##_forward(const cc_call *call, const cc_team *team)                                                        \
    {                                                                                                                          \
        const cc_range mine = unary_slice(call, team);                                                                         \
        for (int64_t i = mine.begin; i < mine.end; ++i) {                                                                      \
            const int32_t v = cc_ints(call->x[0])[i];                                                                          \
            cc_ints_out(call->y)[i] = int_value;                                                                               \
        }                                                                                                                      \
    }                                                                                                                          \
    UNARY_OP(tag, "i -> i", 0, 0, NULL)

#define CC_UNARY(kind, tag, ...) UNARY_##kind(tag, __VA_ARGS__)
#include "ops/unary.def"
#undef CC_UNARY
