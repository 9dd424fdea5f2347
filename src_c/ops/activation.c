/* Activations as ops of their own: x -> y of the same shape, y = f(x) and dx = dy f'(x). The formulas are in
 * kernels/elementwise/activation.h, which also says from what the derivative is told. The fused ones of conv and dense are the
 * same functions. */
#include "ops/infer.h"
#include "kernels/kernels.h"

typedef struct settings {
    float alpha;
} settings;

static cconv_status activation_infer(const cc_call *call, cc_shape *ys)
{
    const settings *a = call->attributes;
    if (call->op->attributes && !(a->alpha >= 0 && a->alpha <= 3.4e38f))
        return cc_op_fail(call, CCONV_INVALID, "expected alpha at least 0 and finite, received %g", (double)a->alpha);
    return cc_infer_same(call, ys);
}

static void activation_forward(const cc_call *call, const cc_team *team, cc_activation act)
{
    cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 1024);
    float alpha = call->op->attributes ? ((const settings *)call->attributes)->alpha : 0;
    cc_act_forward(act, alpha, call->y + mine.begin, call->x[0] + mine.begin, mine.end - mine.begin);
}

static void activation_backward(const cc_call *call, const cc_team *team, cc_activation act)
{
    if (!call->dx[0]) return;
    cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 1024);
    float alpha = call->op->attributes ? ((const settings *)call->attributes)->alpha : 0;
    const float *told_from = cc_act_told_from_y(act) ? call->y : call->x[0];
    cc_act_backward(act, alpha, call->dx[0] + mine.begin, call->dy + mine.begin, told_from + mine.begin, mine.end - mine.begin);
}

static const cc_attr leaky_relu_attributes[] = {{"alpha", CC_FLOAT, offsetof(settings, alpha), "0.2", NULL, "slope below 0"},
                                                {0}};
static const cc_attr elu_attributes[] = {
    {"alpha", CC_FLOAT, offsetof(settings, alpha), "1", NULL, "scale of exp(x) - 1 below 0"}, {0}};

#define FORWARD(tag, act)                                                                                                      \
    static void tag##_forward(const cc_call *call, const cc_team *team)                                                        \
    {                                                                                                                          \
        activation_forward(call, team, act);                                                                                   \
    }
#define BACKWARD(tag, act)                                                                                                     \
    static void tag##_backward(const cc_call *call, const cc_team *team)                                                       \
    {                                                                                                                          \
        activation_backward(call, team, act);                                                                                  \
    }
#define ACTIVATION(tag, act, what_backward_reads, table, size)                                                                 \
    FORWARD(tag, act)                                                                                                          \
    BACKWARD(tag, act)                                                                                                         \
    const cc_op cc_op_##tag = {.name = #tag,                                                                                   \
                               .inputs = "x",                                                                                  \
                               .attributes = table,                                                                            \
                               .attributes_size = size,                                                                        \
                               .flags = CC_INPLACE | CC_INPLACE_BACKWARD | CC_ELEMENTWISE,                                     \
                               .reads = what_backward_reads,                                                                   \
                               .infer = activation_infer,                                                                      \
                               .forward = tag##_forward,                                                                       \
                               .backward = tag##_backward}

ACTIVATION(relu, CC_ACT_RELU, CC_READS_Y, NULL, 0);
ACTIVATION(leaky_relu, CC_ACT_LEAKY_RELU, CC_READS_Y, leaky_relu_attributes, sizeof(settings));
ACTIVATION(elu, CC_ACT_ELU, CC_READS_Y, elu_attributes, sizeof(settings));
ACTIVATION(sigmoid, CC_ACT_SIGMOID, CC_READS_Y, NULL, 0);
ACTIVATION(tanh, CC_ACT_TANH, CC_READS_Y, NULL, 0);
ACTIVATION(arctan, CC_ACT_ARCTAN, CC_READS_Y, NULL, 0);
ACTIVATION(softplus, CC_ACT_SOFTPLUS, CC_READS_Y, NULL, 0);
ACTIVATION(softsign, CC_ACT_SOFTSIGN, CC_READS_Y, NULL, 0);
ACTIVATION(hard_sigmoid, CC_ACT_HARD_SIGMOID, CC_READS_Y, NULL, 0);
ACTIVATION(gelu, CC_ACT_GELU, CC_READS_X(0), NULL, 0);
ACTIVATION(gelu_tanh, CC_ACT_GELU_TANH, CC_READS_X(0), NULL, 0);
ACTIVATION(silu, CC_ACT_SILU, CC_READS_X(0), NULL, 0);
ACTIVATION(mish, CC_ACT_MISH, CC_READS_X(0), NULL, 0);
ACTIVATION(hard_silu, CC_ACT_HARD_SILU, CC_READS_X(0), NULL, 0);

/* Flat wherever it has a slope at all: no gradient passes. */
FORWARD(binary_step, CC_ACT_BINARY_STEP)
const cc_op cc_op_binary_step = {.name = "binary_step",
                                 .inputs = "x",
                                 .flags = CC_INPLACE | CC_ELEMENTWISE,
                                 .infer = activation_infer,
                                 .forward = binary_step_forward};
