/* Writers of activations, alone and joined to another op, and of softmax. See write.h. */
#include "kernels/elementwise/activation.h"
#include "onnx/write.h"

/* 1 where x >= 0, else 0; a NaN stays one. */
static int binary_step(save_call *c, int x)
{
    const int step = save_cast(c, save_add2(c, "GreaterOrEqual", x, save_number(c, 0)), SAVE_FLOAT);
    return save_add3(c, "Where", save_add1(c, "IsNaN", x), x, step);
}

/* x (1 + f(u)) / 2 */
static int gated(save_call *c, int x, const char *f, int u)
{
    const int gate = save_add2(c, "Add", save_add1(c, f, u), save_number(c, 1));
    return save_add2(c, "Mul", save_add2(c, "Mul", x, gate), save_number(c, 0.5));
}

/* sqrt(2 / pi) (x + 0.044715 x^3) */
static int gelu_argument(save_call *c, int x)
{
    const int square = save_add2(c, "Mul", x, x);
    const int factor = save_add2(c, "Add", save_add2(c, "Mul", square, save_number(c, 0.044715)), save_number(c, 1));
    return save_add2(c, "Mul", save_add2(c, "Mul", x, factor), save_number(c, 0.7978845608028654));
}

static int with_alpha(save_call *c, const char *onnx, int x, float alpha)
{
    const int y = save_add1(c, onnx, x);
    save_set_float(c, "alpha", alpha);
    return y;
}

int save_activated(save_call *c, int x, int activation, float alpha)
{
    int y;
    switch ((cc_activation)activation) {
    case CC_ACT_RELU: return save_add1(c, "Relu", x);
    case CC_ACT_RELU6: return save_add3(c, "Clip", x, save_number(c, 0), save_number(c, 6));
    case CC_ACT_LEAKY_RELU: return with_alpha(c, "LeakyRelu", x, alpha);
    case CC_ACT_ELU: return with_alpha(c, "Elu", x, alpha);
    case CC_ACT_SIGMOID: return save_add1(c, "Sigmoid", x);
    case CC_ACT_TANH: return save_add1(c, "Tanh", x);
    case CC_ACT_SOFTPLUS: return save_add1(c, "Softplus", x);
    case CC_ACT_SOFTSIGN: return save_add1(c, "Softsign", x);
    case CC_ACT_ARCTAN: return save_add1(c, "Atan", x);
    case CC_ACT_BINARY_STEP: return binary_step(c, x);
    case CC_ACT_HARD_SIGMOID:
        y = with_alpha(c, "HardSigmoid", x, (float)(1.0 / 6));
        save_set_float(c, "beta", 0.5f);
        return y;
    case CC_ACT_GELU: return gated(c, x, "Erf", save_add2(c, "Div", x, save_number(c, 1.4142135623730951)));
    case CC_ACT_GELU_TANH: return gated(c, x, "Tanh", gelu_argument(c, x));
    case CC_ACT_SILU: return save_add2(c, "Mul", x, save_add1(c, "Sigmoid", x));
    case CC_ACT_MISH: return save_add2(c, "Mul", x, save_add1(c, "Tanh", save_add1(c, "Softplus", x)));
    case CC_ACT_HARD_SILU: return save_add1(c, "HardSwish", x);
    case CC_ACT_LINEAR:
    case CC_ACT_COUNT: break;
    }
    return x;
}

int save_activation(save_call *c)
{
    static const struct {
        const cc_op *op;
        cc_activation activation;
    } rows[] = {{&cc_op_relu, CC_ACT_RELU},
                {&cc_op_leaky_relu, CC_ACT_LEAKY_RELU},
                {&cc_op_elu, CC_ACT_ELU},
                {&cc_op_sigmoid, CC_ACT_SIGMOID},
                {&cc_op_tanh, CC_ACT_TANH},
                {&cc_op_arctan, CC_ACT_ARCTAN},
                {&cc_op_softplus, CC_ACT_SOFTPLUS},
                {&cc_op_softsign, CC_ACT_SOFTSIGN},
                {&cc_op_binary_step, CC_ACT_BINARY_STEP},
                {&cc_op_hard_sigmoid, CC_ACT_HARD_SIGMOID},
                {&cc_op_gelu, CC_ACT_GELU},
                {&cc_op_gelu_tanh, CC_ACT_GELU_TANH},
                {&cc_op_silu, CC_ACT_SILU},
                {&cc_op_mish, CC_ACT_MISH},
                {&cc_op_hard_silu, CC_ACT_HARD_SILU}};
    cc_activation activation = CC_ACT_LINEAR;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; ++i)
        if (rows[i].op == c->node->op) activation = rows[i].activation;
    c->held = save_common_order(c);
    return save_activated(c, save_form(c, 0, &c->held), activation,
                          save_has_attribute(c, "alpha") ? save_float(c, "alpha") : 0);
}

int save_softmax(save_call *c)
{
    c->held = save_common_order(c);
    const int y = save_add1(c, c->onnx, save_form(c, 0, &c->held));
    save_set_int(c, "axis", save_position(&c->held, save_int(c, "axis")));
    return y;
}
