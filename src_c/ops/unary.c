/* Functions of one element: x -> y of the same shape. Each op is one line: what its backward pass reads, y[i], and dx[i]. */
#include "ops/infer.h"
#include "kernels/kernels.h"
#include <math.h>

static inline float unary_sign(float x)
{
    return x > 0 ? 1.0f : x < 0 ? -1.0f : x; /* zero and NaN stay what they are */
}

#define FORWARD(tag, formula)                                                                                                  \
    static void tag##_forward(const cc_call *call, const cc_team *team)                                                        \
    {                                                                                                                          \
        const float *x = call->x[0];                                                                                           \
        float *y = call->y;                                                                                                    \
        cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 1024);                                                       \
        for (int64_t i = mine.begin; i < mine.end; ++i) y[i] = formula;                                                        \
    }

/* Of int32 elements v, too. */
#define NUMBERS(tag, what_backward_reads, value, gradient, int_value)                                                          \
    FORWARD(tag##_float, value)                                                                                                \
    static void tag##_forward(const cc_call *call, const cc_team *team)                                                        \
    {                                                                                                                          \
        if (call->xs[0].type != CCONV_INT32) {                                                                                 \
            tag##_float_forward(call, team);                                                                                   \
            return;                                                                                                            \
        }                                                                                                                      \
        cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 1024);                                                       \
        for (int64_t i = mine.begin; i < mine.end; ++i) {                                                                      \
            const int32_t v = cc_ints(call->x[0])[i];                                                                          \
            cc_ints_out(call->y)[i] = int_value;                                                                               \
        }                                                                                                                      \
    }                                                                                                                          \
    WITH_FORWARD(tag, "n -> n", what_backward_reads, gradient)

#define BACKWARD(tag, formula)                                                                                                 \
    static void tag##_backward(const cc_call *call, const cc_team *team)                                                       \
    {                                                                                                                          \
        const float *x = call->x[0], *y = call->y, *dy = call->dy;                                                             \
        float *dx = call->dx[0];                                                                                               \
        (void)x;                                                                                                               \
        (void)y;                                                                                                               \
        if (!dx) return;                                                                                                       \
        cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 1024);                                                       \
        for (int64_t i = mine.begin; i < mine.end; ++i) dx[i] = formula;                                                       \
    }

#define UNARY(tag, what_backward_reads, value, gradient)                                                                       \
    FORWARD(tag, value)                                                                                                        \
    WITH_FORWARD(tag, NULL, what_backward_reads, gradient)

#define WITH_FORWARD(tag, takes, what_backward_reads, gradient)                                                                \
    BACKWARD(tag, gradient)                                                                                                    \
    const cc_op cc_op_##tag = {.name = #tag,                                                                                   \
                               .inputs = "x",                                                                                  \
                               .types = takes,                                                                                 \
                               .flags = CC_INPLACE | CC_INPLACE_BACKWARD | CC_ELEMENTWISE,                                     \
                               .reads = what_backward_reads,                                                                   \
                               .infer = cc_infer_same,                                                                         \
                               .forward = tag##_forward,                                                                       \
                               .backward = tag##_backward}

/* Flat between its steps: no gradient passes. */
#define STEPS(tag, value)                                                                                                      \
    FORWARD(tag, value)                                                                                                        \
    const cc_op cc_op_##tag = {                                                                                                \
        .name = #tag, .inputs = "x", .flags = CC_INPLACE | CC_ELEMENTWISE, .infer = cc_infer_same, .forward = tag##_forward}

/* Integers wrap around: the negative of the lowest is itself. */
NUMBERS(negative, 0, -x[i], -dy[i], (int32_t)(0u - (uint32_t)v));
NUMBERS(abs, CC_READS_X(0), fabsf(x[i]), dy[i] * unary_sign(x[i]),
        (int32_t)(v < 0 ? 0u - (uint32_t)v : (uint32_t)v)); /* slope 0 at 0 */
NUMBERS(square, CC_READS_X(0), x[i] * x[i], 2 * x[i] * dy[i], (int32_t)((uint32_t)v *(uint32_t)v));
UNARY(sqrt, CC_READS_Y, sqrtf(x[i]), dy[i] / (2 * y[i])); /* infinite at 0 */

static void exp_forward(const cc_call *call, const cc_team *team)
{
    cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 1024);
    cc_kernels_get()->elementwise.exp(call->y + mine.begin, call->x[0] + mine.begin, 0, mine.end - mine.begin);
}
WITH_FORWARD(exp, NULL, CC_READS_Y, dy[i] * y[i]);

UNARY(log, CC_READS_X(0), logf(x[i]), dy[i] / x[i]);
UNARY(sin, CC_READS_X(0), sinf(x[i]), dy[i] * cosf(x[i]));
UNARY(cos, CC_READS_X(0), cosf(x[i]), -dy[i] * sinf(x[i]));
UNARY(reciprocal, CC_READS_Y, 1 / x[i], -dy[i] * y[i] * y[i]);
STEPS(floor, floorf(x[i]));
STEPS(round, rintf(x[i])); /* halves to the even neighbour */

FORWARD(sign_float, unary_sign(x[i]))
static void sign_forward(const cc_call *call, const cc_team *team)
{
    if (call->xs[0].type != CCONV_INT32) {
        sign_float_forward(call, team);
        return;
    }
    cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 1024);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        const int32_t v = cc_ints(call->x[0])[i];
        cc_ints_out(call->y)[i] = (v > 0) - (v < 0);
    }
}
const cc_op cc_op_sign = {.name = "sign",
                          .inputs = "x",
                          .types = "n -> n",
                          .flags = CC_INPLACE | CC_ELEMENTWISE,
                          .infer = cc_infer_same,
                          .forward = sign_forward};
