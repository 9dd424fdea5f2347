/* Rules that take out what does nothing, or what can be done once for all runs:
 *
 *     identity(x), and dropout or stop_gradient where they are no more than that -> x
 *     batch_norm(conv(x, w, b)) -> conv(x, w s, (b - mean) s + beta)          without gradients; also dense. The new weights
 *                                    are nodes that depend on variables only: plans compute them when one of those has changed.
 *                                    s = gamma / sqrt(variance + epsilon) */
#include "graph/rewrite/rules.h"
#include "ops/batch_norm.h"
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
    const int to_weights = layer->op->weights, to_bias = layer->op->bias;
    if (layer->op != &cc_op_conv && layer->op != &cc_op_dense) return 0; /* whose weights have the channel last */
    if (layer->n_inputs > to_bias + 1 || !cc_has_activation(layer, "linear")) return 0;
    int inputs[] = {layer->inputs[0], 0, 0};
    const int w = layer->inputs[to_weights], b = layer->n_inputs > to_bias ? layer->inputs[to_bias] : 0;
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

cc_rewrite_rule *const cc_fold_rules[] = {fold_nothing, fold_batch_norm, NULL};
