/* Functions of one element. */
#include "onnx/reader.h"
#include <float.h>
#include <math.h>
#include <string.h>

static bool activation_plain(onnx_call *c, const char *op)
{
    return onnx_give(c, 0, onnx_add1(c, op, onnx_input(c, 0), NULL));
}

#define ACTIVATION(Name, op)                                                                                                   \
    bool onnx_read_##Name(onnx_call *c)                                                                                        \
    {                                                                                                                          \
        return activation_plain(c, op);                                                                                        \
    }
ACTIVATION(Sigmoid, "sigmoid")
ACTIVATION(Tanh, "tanh")
ACTIVATION(Softplus, "softplus")
ACTIVATION(Softsign, "softsign")
ACTIVATION(Mish, "mish")
ACTIVATION(HardSwish, "hard_silu")
#undef ACTIVATION

static int activation_scaled(onnx_call *c, int x, double factor)
{
    return factor == 1 ? x : onnx_add2(c, "multiply", x, onnx_scalar(c, x, factor), NULL);
}

static int activation_least(onnx_call *c, int x, double least) /* max(x, least) */
{
    return onnx_add2(c, "maximum", x, onnx_scalar(c, x, least), NULL);
}

static int activation_most(onnx_call *c, int x, double most) /* min(x, most) */
{
    return onnx_add2(c, "minimum", x, onnx_scalar(c, x, most), NULL);
}

static bool activation_is_float(const onnx_call *c, int node)
{
    return onnx_shape(c, node)->type == CCONV_FLOAT32;
}

bool onnx_read_Relu(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    return onnx_give(c, 0, activation_is_float(c, x) ? onnx_add1(c, "relu", x, NULL) : activation_least(c, x, 0));
}

bool onnx_read_LeakyRelu(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    const double alpha = (double)onnx_float(c, "alpha", 0.01f);
    if (alpha >= 0) return onnx_give(c, 0, onnx_add1(c, "leaky_relu", x, "alpha=%.9g", alpha));
    const int below = activation_scaled(c, activation_most(c, x, 0), alpha);
    return onnx_give(c, 0, onnx_add2(c, "add", onnx_add1(c, "relu", x, NULL), below, NULL));
}

bool onnx_read_PRelu(onnx_call *c)
{
    const int x = onnx_input(c, 0), rank = onnx_shape(c, x)->rank;
    int slope = onnx_input(c, 1);
    if (onnx_opset(c) < 7 && onnx_shape(c, slope)->rank == 1 && rank > 2) { /* once its axis was that of channels */
        int64_t dim[CCONV_MAX_RANK] = {onnx_shape(c, slope)->dim[0], 1, 1, 1, 1, 1, 1, 1};
        slope = onnx_reshape(c, slope, rank - 1, dim);
    }
    const int scaled = onnx_add2(c, "multiply", x, slope, NULL);
    if (!onnx_failed(c) && !cc_shape_equal(onnx_shape(c, x), onnx_shape(c, scaled)))
        return onnx_damaged(c, "expected a slope that broadcasts to the input");
    const int inputs[] = {onnx_add2(c, "less", x, onnx_scalar(c, x, 0), NULL), scaled, x};
    return onnx_give(c, 0, onnx_add(c, "where", 3, inputs, NULL));
}

/* alpha (e^(x / width) - 1) where x < 0, else x. */
static int activation_elu(onnx_call *c, int x, double alpha, double width)
{
    if (alpha >= 0 && width == 1) return onnx_add1(c, "elu", x, "alpha=%.9g", alpha);
    int below = activation_most(c, x, 0);
    if (width != 1) below = onnx_add2(c, "divide", below, onnx_scalar(c, x, width), NULL);
    below = activation_scaled(c, onnx_add1(c, "expm1", below, NULL), alpha);
    return onnx_add2(c, "add", onnx_add1(c, "relu", x, NULL), below, NULL);
}

bool onnx_read_Elu(onnx_call *c)
{
    return onnx_give(c, 0, activation_elu(c, onnx_input(c, 0), (double)onnx_float(c, "alpha", 1), 1));
}

bool onnx_read_Selu(onnx_call *c)
{
    const double alpha = (double)onnx_float(c, "alpha", 1.67326319217681884765625f);
    const double gamma = (double)onnx_float(c, "gamma", 1.05070102214813232421875f);
    return onnx_give(c, 0, activation_scaled(c, activation_elu(c, onnx_input(c, 0), alpha, 1), gamma));
}

bool onnx_read_Celu(onnx_call *c)
{
    const double alpha = (double)onnx_float(c, "alpha", 1);
    if (!(alpha > 0)) return onnx_refuse(c, "alpha %g (only one above 0 is supported)", alpha);
    return onnx_give(c, 0, activation_elu(c, onnx_input(c, 0), alpha, alpha));
}

bool onnx_read_HardSigmoid(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    const float alpha = onnx_float(c, "alpha", 0.2f), beta = onnx_float(c, "beta", 0.5f);
    if (fabsf(alpha - 1.0f / 6) <= FLT_EPSILON / 4 && beta == 0.5f) return activation_plain(c, "hard_sigmoid");
    const int line = onnx_add2(c, "add", activation_scaled(c, x, (double)alpha), onnx_scalar(c, x, (double)beta), NULL);
    return onnx_give(c, 0, onnx_add1(c, "clip", line, "minimum=0 maximum=1"));
}

bool onnx_read_Gelu(onnx_call *c)
{
    const char *approximate = onnx_string(c, "approximate", "none");
    if (onnx_failed(c)) return false;
    if (strcmp(approximate, "none") == 0) return activation_plain(c, "gelu");
    if (strcmp(approximate, "tanh") == 0) return activation_plain(c, "gelu_tanh");
    return onnx_damaged(c, "expected approximate none or tanh, received %s", approximate);
}

bool onnx_read_Swish(onnx_call *c)
{
    const double alpha = (double)onnx_float(c, "alpha", 1);
    if (alpha == 1) return activation_plain(c, "silu");
    const int x = onnx_input(c, 0), gate = onnx_add1(c, "sigmoid", activation_scaled(c, x, alpha), NULL);
    return onnx_give(c, 0, onnx_add2(c, "multiply", x, gate, NULL));
}

/* x where `condition` holds, else `otherwise`. */
static int activation_where(onnx_call *c, int condition, int x, int otherwise)
{
    const int inputs[] = {condition, x, otherwise};
    return onnx_add(c, "where", 3, inputs, NULL);
}

bool onnx_read_ThresholdedRelu(onnx_call *c)
{
    const int x = onnx_input(c, 0), threshold = onnx_scalar(c, x, (double)onnx_float(c, "alpha", 1));
    return onnx_give(c, 0, activation_where(c, onnx_add2(c, "greater", x, threshold, NULL), x, onnx_scalar(c, x, 0)));
}

bool onnx_read_Shrink(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    const double lambd = (double)onnx_float(c, "lambd", 0.5f), bias = (double)onnx_float(c, "bias", 0);
    if (onnx_failed(c)) return false;
    if (!activation_is_float(c, x)) return onnx_refuse(c, "an input of whole numbers");
    const int shift = onnx_scalar(c, x, bias);
    const int above = activation_where(c, onnx_add2(c, "greater", x, onnx_scalar(c, x, lambd), NULL),
                                       onnx_add2(c, "subtract", x, shift, NULL), onnx_scalar(c, x, 0));
    return onnx_give(c, 0,
                     activation_where(c, onnx_add2(c, "less", x, onnx_scalar(c, x, -lambd), NULL),
                                      onnx_add2(c, "add", x, shift, NULL), above));
}

/* A bound of Clip: an attribute before opset 11, then an input. */
typedef struct clip_bound {
    bool given, known; /* known: `value` is */
    double value;
    int node; /* of one that is an input */
} clip_bound;

static clip_bound activation_bound(onnx_call *c, int i, const char *name)
{
    clip_bound bound = {0};
    if (onnx_opset(c) < 11) {
        bound.given = bound.known = onnx_has_attribute(c, name);
        bound.value = (double)onnx_float(c, name, 0);
    } else if (onnx_has(c, i)) {
        bound.given = true;
        bound.node = onnx_input(c, i);
        const cc_shape *shape = onnx_shape(c, bound.node);
        if (!onnx_failed(c) && cc_shape_count(shape) != 1)
            onnx_damaged(c, "expected %s to be one number, received %lld", name, (long long)cc_shape_count(shape));
        float value = 0;
        int room = 1;
        if (shape->type == CCONV_FLOAT32 && onnx_known(c, i) && onnx_known_floats(c, i, &value, &room)) bound.known = true;
        bound.value = (double)value;
        bound.node = onnx_reshape(c, bound.node, 0, NULL);
    }
    return bound;
}

bool onnx_read_Clip(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    const clip_bound least = activation_bound(c, 1, "min"), most = activation_bound(c, 2, "max");
    if (onnx_failed(c)) return false;
    if (!least.given && !most.given) return onnx_give(c, 0, onnx_add1(c, "identity", x, NULL));
    if (least.known && most.known && least.value <= most.value)
        return onnx_give(c, 0, onnx_add1(c, "clip", x, "minimum=%.9g maximum=%.9g", least.value, most.value));
    if (least.known && least.value == 0 && !most.given) return onnx_give(c, 0, onnx_add1(c, "relu", x, NULL));
    int y = x; /* where min is above max, all is max */
    if (least.given) y = least.node ? onnx_add2(c, "maximum", y, least.node, NULL) : activation_least(c, y, least.value);
    if (most.given) y = most.node ? onnx_add2(c, "minimum", y, most.node, NULL) : activation_most(c, y, most.value);
    return onnx_give(c, 0, y);
}
