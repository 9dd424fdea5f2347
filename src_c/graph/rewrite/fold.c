/* Rules that take out what does nothing, or what can be done once for all runs:
 *
 *     identity(x), and dropout or stop_gradient where they are no more than that -> x
 *     batch_norm(conv(x, w, b)) -> conv(x, w s, (b - mean) s + beta)          without gradients; also dense. The new weights
 *                                    are nodes that depend on variables only: plans compute them when one of those has changed.
 *                                    s = gamma / sqrt(variance + epsilon)
 *     multiply(conv(x, w, b), s)   -> conv(x, w s, b s)                         the same, of one number s or one for each channel
 *     add(conv(x, w, b), c)        -> conv(x, w, b + c)                         the same; with gradients, too, if there is no b */
#include "graph/rewrite/rules.h"
#include "ops/batch_norm.h"
#include <inttypes.h>
#include <stdio.h>

static int fold_nothing(cc_rewriting *r, int i)
{
    const cc_node *node = cc_old_node(r, i);
    const bool same = cc_node_is(node, &cc_op_identity) || (cc_node_is(node, &cc_op_dropout) && !r->options->training) ||
                      (cc_node_is(node, &cc_op_stop_gradient) && !r->options->root);
    if (!same || r->kept[i]) return 0;
    const int x = cc_rewrite_resolve(r, node->inputs[0]);
    r->stands_for[i] = x;
    r->readers[x] += r->readers[i] - 1;
    return r->numbers[x];
}

static int add(cc_rewriting *r, const cc_op *op, const char *name, int a, int b)
{
    return cconv_graph_add(r->to, op->name, name, b ? 2 : 1, (int[]){a, b}, NULL);
}

/* Whether a new node is a layer whose weights have the output channel last, and a bias can be added: nothing follows the sums. */
static bool is_linear_layer(const cc_node *node)
{
    return (node->op == &cc_op_conv || node->op == &cc_op_dense) && node->n_inputs <= node->op->bias + 1 &&
           cc_has_activation(node, "linear");
}

static int bias_of(const cc_node *layer)
{
    return layer->n_inputs > layer->op->bias ? layer->inputs[layer->op->bias] : 0;
}

/* With s = gamma / sqrt(variance + epsilon), per output channel:
 *     gamma ((conv(x, w) + b) - mean) / sqrt(variance + epsilon) + beta = conv(x, w s) + (beta - (mean - b) s) */
static int fold_batch_norm(cc_rewriting *r, int i)
{
    const cc_node *node = cc_old_node(r, i);
    if (r->options->root || !cc_node_is(node, &cc_op_batch_norm) || node->n_inputs > CC_NORM_RESIDUAL) return 0;
    const cc_batch_norm_attributes *norm = node->attributes;
    if ((norm->axis != -1 && norm->axis != node->shape.rank - 1) || (norm->training && r->options->training)) return 0;
    if (!cc_has_activation(node, "linear")) return 0;
    const int number = cc_rewrite_absorbable(r, i, CC_NORM_X);
    if (!number) return 0;
    const cc_node *layer = cc_new_node(r, number);
    if (!is_linear_layer(layer)) return 0;
    const int to_weights = layer->op->weights, to_bias = layer->op->bias;
    int inputs[] = {layer->inputs[0], 0, 0};
    const int w = layer->inputs[to_weights], b = bias_of(layer);
    const int gamma = cc_new_input(r, i, CC_NORM_GAMMA), beta = cc_new_input(r, i, CC_NORM_BETA);
    const int mean = cc_new_input(r, i, CC_NORM_MEAN), variance = cc_new_input(r, i, CC_NORM_VARIANCE);
    for (int k = CC_NORM_GAMMA; k <= CC_NORM_VARIANCE; ++k)
        if (node->inputs[k] && !cc_new_node(r, cc_new_input(r, i, k))->fixed) return 0;
    if (!cc_new_node(r, w)->fixed || (b && !cc_new_node(r, b)->fixed)) return 0;

    char name[200];
    snprintf(name, sizeof name, "%s/folded", layer->name);
    const int small = cconv_graph_constant(r->to, name, CCONV_FLOAT32, 0, NULL, &norm->epsilon);
    const int deviation = add(r, &cc_op_sqrt, name, add(r, &cc_op_add, name, variance, small), 0);
    const int scale = gamma ? add(r, &cc_op_divide, name, gamma, deviation) : add(r, &cc_op_reciprocal, name, deviation, 0);
    inputs[to_weights] = add(r, &cc_op_multiply, name, w, scale);
    const int middle = add(r, &cc_op_multiply, name, b ? add(r, &cc_op_subtract, name, mean, b) : mean, scale);
    inputs[to_bias] = beta ? add(r, &cc_op_subtract, name, beta, middle) : add(r, &cc_op_negative, name, middle, 0);
    return r->to->status == CCONV_OK ? cc_rewrite_join(r, number, i, 3, inputs) : 0;
}

/* The layer among the inputs of the old node i in whose output the other one, *other, is a number for each channel, or, if `one`
 * will do, for all. 0: none. */
static int layer_beside_channels(const cc_rewriting *r, int i, bool one, int *other)
{
    for (int k = 0; k < 2; ++k) {
        const int number = cc_rewrite_absorbable(r, i, k);
        *other = cc_new_input(r, i, 1 - k);
        const cc_shape *shape = &cc_new_node(r, *other)->shape;
        if (!number || !cc_new_node(r, *other)->fixed || !is_linear_layer(cc_new_node(r, number))) continue;
        const cc_shape *ys = &cc_new_node(r, number)->shape;
        if (shape->rank > ys->rank || shape->type != CCONV_FLOAT32) continue;
        if (one && cc_shape_product(shape, 0, shape->rank) == 1) return number;
        if (shape->rank > 0 && shape->dim[shape->rank - 1] == ys->dim[ys->rank - 1] &&
            cc_shape_product(shape, 0, shape->rank - 1) == 1)
            return number;
    }
    return 0;
}

/* A node of the numbers for the channels that has no other axis. */
static int channels_only(cc_rewriting *r, int number)
{
    const cc_node *node = cc_new_node(r, number);
    char shape[40];
    if (node->shape.rank <= 1) return number;
    snprintf(shape, sizeof shape, "shape=%" PRId64, node->shape.dim[node->shape.rank - 1]);
    return cconv_graph_add(r->to, "reshape", node->name, 1, &number, shape);
}

static int fold_scale(cc_rewriting *r, int i)
{
    int other;
    if (r->options->root || !cc_node_is(cc_old_node(r, i), &cc_op_multiply)) return 0;
    const int number = layer_beside_channels(r, i, true, &other);
    if (!number) return 0;
    const cc_node *layer = cc_new_node(r, number);
    const int to_weights = layer->op->weights, to_bias = layer->op->bias, w = layer->inputs[to_weights], b = bias_of(layer);
    int inputs[] = {layer->inputs[0], 0, 0};
    if (!cc_new_node(r, w)->fixed || (b && !cc_new_node(r, b)->fixed)) return 0;
    char name[200];
    snprintf(name, sizeof name, "%s/folded", layer->name);
    const int scale = channels_only(r, other);
    inputs[to_weights] = add(r, &cc_op_multiply, name, w, scale);
    if (b) inputs[to_bias] = add(r, &cc_op_multiply, name, b, scale);
    return r->to->status == CCONV_OK ? cc_rewrite_join(r, number, i, b ? 3 : 2, inputs) : 0;
}

static int fold_shift(cc_rewriting *r, int i)
{
    int other;
    const int number = cc_node_is(cc_old_node(r, i), &cc_op_add) ? layer_beside_channels(r, i, false, &other) : 0;
    if (!number) return 0;
    const cc_node *layer = cc_new_node(r, number);
    const int to_bias = layer->op->bias, b = bias_of(layer);
    int inputs[] = {layer->inputs[0], 0, 0};
    inputs[layer->op->weights] = layer->inputs[layer->op->weights];
    if (b ? r->options->root || !cc_new_node(r, b)->fixed : r->options->root && cc_new_node(r, other)->shape.rank > 1) return 0;
    char name[200];
    snprintf(name, sizeof name, "%s/folded", layer->name);
    const int shift = channels_only(r, other);
    inputs[to_bias] = b ? add(r, &cc_op_add, name, b, shift) : shift;
    return r->to->status == CCONV_OK ? cc_rewrite_join(r, number, i, 3, inputs) : 0;
}

cc_rewrite_rule *const cc_fold_rules[] = {fold_nothing, fold_batch_norm, fold_scale, fold_shift, NULL};
