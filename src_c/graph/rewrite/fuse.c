/* Rules that let one op do in its pass over the data what another would do in a pass of its own:
 *
 *     conv(pad(x))                         -> conv(x, pads), beside its own; avg_pool too, max_pool where x has no negative values
 *     max_pool(conv(x, activation=relu))   -> max_pool(conv(x), activation=relu)
 *                                             with gradients; also relu6. The maximum is the same; the slope is taken where there
 *                                             are fewer values, and the convolution's need not be kept. (Where they differ in
 *                                             which of equal cells is the first, the slope is 0.)
 *     relu(concatenate(conv(x), y))        -> concatenate(conv(x, activation=relu), y)
 *                                             without gradients; parts that have no negative values stay as they are
 *     add(batch_norm(x), r)                -> batch_norm(x, residual r)
 *     add(conv(x), r)                      -> conv(x, residual r)                       without gradients
 *     reshape(transpose(reshape(x)))       -> channel_shuffle(x)                        where that is what they do
 *     cross_entropy(y, softmax(x))         -> cross_entropy(y, x, from_logits); binary_crossentropy and sigmoid too. Exact where a
 *                                             probability is 0 or 1 to the last digit. Others who read the probabilities still do
 *     relu(op(x))                          -> op(x, activation=relu)                    for every op and activation that fit; with
 *                                             gradients not those that would have the op keep what is before them, too
 *     x sigmoid(x)                         -> silu(x), and hard_silu; into the op that makes x, if that fits
 *     x (1 + erf(x / sqrt(2))) / 2         -> gelu(x), likewise, in whatever order it is multiplied */
#include "graph/rewrite/rules.h"
#include "algos/window.h"
#include "ops/axes.h"
#include "ops/batch_norm.h"
#include "ops/clip.h"
#include "ops/conv.h"
#include "ops/infer.h"
#include "ops/loss.h"
#include "ops/pad.h"
#include "ops/pool.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Padding ------------------------------------------------------------------------------------------------------ */

/* Of a new node; through `few` ops that make no negative values of others. */
static bool never_negative(const cc_rewriting *r, int number, int few)
{
    const cc_node *node = cc_new_node(r, number);
    if (cc_node_is(node, &cc_op_relu) || cc_has_activation(node, "relu") || cc_has_activation(node, "relu6")) return true;
    const bool keeps =
        cc_node_is(node, &cc_op_max_pool) || cc_node_is(node, &cc_op_avg_pool) || cc_node_is(node, &cc_op_concatenate);
    for (int k = 0; keeps && few > 0 && k < node->n_inputs; ++k)
        if (!never_negative(r, node->inputs[k], few - 1)) return false;
    return keeps && few > 0;
}

/* Whether padded zeros cannot be the maximum of a window of the pooling node i, whose input is padded(x). */
static bool zeros_do_not_win(const cc_rewriting *r, int i, int x)
{
    const int padded = cc_rewrite_resolve(r, cc_old_node(r, i)->inputs[0]);
    const int before = cc_rewrite_resolve(r, cc_old_node(r, padded)->inputs[0]);
    return never_negative(r, x, 0) && !r->kept[before];
}

/* Whether every window of the pooling node i has a cell of x, whose shape is given. */
static bool windows_reach(const cc_rewriting *r, int i, const cc_shape *shape, const cc_list *pads)
{
    const cc_pool_attributes *pool = cc_old_node(r, i)->attributes;
    const int axes = pads->n / 2;
    if (pool->ceil_mode) return false;
    for (int k = 0; k < axes; ++k) {
        const int64_t size = cc_each(&pool->pool_size, k);
        if (shape->dim[1 + k] == 0 || pads->v[k] >= size || pads->v[axes + k] >= size) return false;
    }
    return true;
}

/* The pads of the image's axes, if zeros stand around these and nowhere else. */
static bool pads_of_image(const cc_node *node, cc_list *pads)
{
    const cc_pad_attributes *pad = node->attributes;
    const int rank = node->shape.rank, axes = rank - 2; /* neither the batch nor the channels */
    const int64_t *v = pad->pads.v;
    if (pad->mode != CC_PAD_CONSTANT || pad->value != 0 || v[0] || v[rank - 1] || v[rank] || v[2 * rank - 1]) return false;
    *pads = (cc_list){.n = 2 * axes};
    for (int k = 0; k < axes; ++k) {
        pads->v[k] = v[1 + k];
        pads->v[axes + k] = v[rank + 1 + k];
    }
    return true;
}

/* Adds to the pads those that the convolution or pooling has itself. A pooling may have none, since its own are no cells. */
static bool adds_own_pads(const cc_node *node, bool conv, cc_list *pads)
{
    const cc_conv_attributes *by_conv = node->attributes;
    const cc_pool_attributes *by_pool = node->attributes;
    const int padding = conv ? by_conv->padding : by_pool->padding;
    const cc_list *own = conv ? &by_conv->pads : &by_pool->pads;
    if (padding == CC_PAD_VALID) return true;
    if (padding == CC_PAD_SAME) return false;
    for (int k = 0; k < own->n; ++k) {
        if ((!conv && own->v[k]) || pads->v[k] > CC_WINDOW_MAX - own->v[k]) return false;
        pads->v[k] += own->v[k];
    }
    return true;
}

/* Padded zeros count for nothing in a sum, and as cells in a mean; in a maximum they count for nothing beside values that are not
 * negative. (Where such a value is 0, like a pad, no gradient goes past the relu that made it.) */
static int fuse_padding(cc_rewriting *r, int i)
{
    const cc_node *node = cc_old_node(r, i);
    const bool max = cc_node_is(node, &cc_op_max_pool), pool = max || cc_node_is(node, &cc_op_avg_pool),
               conv = cc_node_is(node, &cc_op_conv);
    const int number = pool || conv ? cc_rewrite_absorbable(r, i, 0) : 0;
    cc_list pads;
    if (!number || !cc_node_is(cc_new_node(r, number), &cc_op_pad) || !pads_of_image(cc_new_node(r, number), &pads)) return 0;
    if (!adds_own_pads(node, conv, &pads)) return 0;
    int inputs[4] = {cc_new_node(r, number)->inputs[0]};
    if (pool && !windows_reach(r, i, &cc_new_node(r, inputs[0])->shape, &pads)) return 0;
    if (max && !zeros_do_not_win(r, i, inputs[0])) return 0;
    for (int k = 1; k < node->n_inputs; ++k) inputs[k] = cc_new_input(r, i, k);
    cc_node joined = *node;
    char name[200];
    snprintf(name, sizeof name, "%s+%s", cc_new_node(r, number)->name, node->name);
    joined.inputs = inputs;
    const int made = cc_graph_copy(r->to, &joined, name);
    if (!made) return 0;
    if (conv) {
        cc_conv_attributes *to = cc_new_attributes(r, made);
        to->padding = CC_PAD_EXPLICIT;
        to->pads = pads;
    } else {
        cc_pool_attributes *to = cc_new_attributes(r, made);
        to->padding = CC_PAD_EXPLICIT;
        to->pads = pads;
        to->count_include_pad = !max;
    }
    return made;
}

/* ---- Activations -------------------------------------------------------------------------------------------------- */

static int fuse_behind_maximum(cc_rewriting *r, int i)
{
    const cc_node *node = cc_old_node(r, i);
    const int number = r->options->root && cc_node_is(node, &cc_op_max_pool) ? cc_rewrite_absorbable(r, i, 0) : 0;
    if (!number || !cc_node_is(cc_new_node(r, number), &cc_op_conv) || !cc_has_activation(node, "linear")) return 0;
    const bool relu = cc_has_activation(cc_new_node(r, number), "relu");
    if (!relu && !cc_has_activation(cc_new_node(r, number), "relu6")) return 0;
    const cc_node conv = *cc_new_node(r, number);
    const int x = cc_graph_copy(r->to, &conv, conv.name), made = x ? cc_rewrite_copy(r, i, &x) : 0;
    if (!made) return 0;
    *cc_activation_of(cc_new_node(r, x), NULL) = cc_activation_choice(cc_new_node(r, x), "linear");
    *cc_activation_of(cc_new_node(r, made), NULL) = cc_activation_choice(node, relu ? "relu" : "relu6");
    return made;
}

/* What relu makes of the parts of a concatenation each part's op makes itself, unless it makes no negative values. */
static int fuse_before_parts(cc_rewriting *r, int i)
{
    enum { PARTS = 64, FEW = 4 };
    const int number = cc_node_is(cc_old_node(r, i), &cc_op_relu) && !r->options->root ? cc_rewrite_absorbable(r, i, 0) : 0;
    if (!number || !cc_node_is(cc_new_node(r, number), &cc_op_concatenate)) return 0;
    const int together = cc_rewrite_resolve(r, cc_old_node(r, i)->inputs[0]), n = cc_new_node(r, number)->n_inputs;
    int parts[PARTS], made[PARTS];
    for (int k = 0; k < n; ++k) {
        if (n > PARTS) return 0;
        parts[k] = cc_rewrite_absorbable(r, together, k);
        const bool fits = parts[k] && cc_has_activation(cc_new_node(r, parts[k]), "linear") &&
                          cc_activation_choice(cc_new_node(r, parts[k]), "relu") > 0;
        made[k] = fits ? 0 : cc_new_node(r, number)->inputs[k];
        if (!fits && !never_negative(r, made[k], FEW)) return 0;
    }
    for (int k = 0; k < n; ++k) {
        if (made[k]) continue;
        const cc_node part = *cc_new_node(r, parts[k]);
        made[k] = cc_rewrite_join(r, parts[k], i, part.n_inputs, part.inputs);
        if (!made[k]) return 0;
        *cc_activation_of(cc_new_node(r, made[k]), NULL) = cc_activation_choice(cc_new_node(r, made[k]), "relu");
    }
    return cc_rewrite_join(r, number, i, n, made);
}

/* The number of the activation that node i is among the choices of another node; -1: it is none, or none of those. */
static int activation_choice(const cc_node *node, const cc_node *by)
{
    if (node->n_inputs != 1 || !(node->op->flags & CC_ELEMENTWISE)) return -1;
    if (node->op != &cc_op_clip) return cc_activation_choice(by, node->op->name);
    const cc_clip_attributes *clip = node->attributes;
    return clip->minimum == 0 && clip->maximum == 6 ? cc_activation_choice(by, "relu6") : -1;
}

/* Where a node keeps alpha, the parameter of its activation; NULL: it has none. */
static float *alpha_of(const cc_node *node)
{
    for (const cc_attr *a = node->op->attributes; a && a->name; ++a)
        if (a->type == CC_FLOAT && strcmp(a->name, "alpha") == 0)
            return (float *)(void *)((char *)node->attributes + a->offset);
    return NULL;
}

/* The op of new node `number`, which the old node i reads, with an activation among its choices. */
static int join_activation(cc_rewriting *r, int number, int i, int choice, const float *alpha)
{
    const cc_node *by = cc_new_node(r, number);
    if (choice <= 0 || (r->options->root && !cc_act_told_from_y((cc_activation)choice))) return 0;
    const int made = cc_rewrite_join(r, number, i, by->n_inputs, by->inputs);
    if (!made) return 0;
    *cc_activation_of(cc_new_node(r, made), NULL) = choice;
    float *to = alpha_of(cc_new_node(r, made));
    if (alpha && to) *to = *alpha;
    return made;
}

static int fuse_activation(cc_rewriting *r, int i)
{
    const cc_node *node = cc_old_node(r, i);
    if (node->n_inputs != 1 || !(node->op->flags & CC_ELEMENTWISE)) return 0;
    const int number = cc_rewrite_absorbable(r, i, 0);
    if (!number || !cc_has_activation(cc_new_node(r, number), "linear")) return 0;
    return join_activation(r, number, i, activation_choice(node, cc_new_node(r, number)), alpha_of(node));
}

/* The old node i, a product of the old node x and a gate that is made of it, as an activation of x. */
static int join_gate(cc_rewriting *r, int i, int x, const char *activation)
{
    --r->readers[x]; /* the gate */
    const int number = cc_rewrite_absorbable_node(r, x);
    const bool fits = number && cc_has_activation(cc_new_node(r, number), "linear");
    const int made = fits ? join_activation(r, number, i, cc_activation_choice(cc_new_node(r, number), activation), NULL) : 0;
    return made ? made : cconv_graph_add(r->to, activation, cc_old_node(r, i)->name, 1, (int[]){r->numbers[x]}, NULL);
}

static int fuse_gate(cc_rewriting *r, int i)
{
    static const cc_op *const gates[][2] = {{&cc_op_sigmoid, &cc_op_silu}, {&cc_op_hard_sigmoid, &cc_op_hard_silu}};
    const cc_node *node = cc_old_node(r, i);
    if (!cc_node_is(node, &cc_op_multiply)) return 0;
    for (int turn = 0; turn < 4; ++turn) {
        const cc_op *const *gate = gates[turn / 2];
        const int g = cc_rewrite_resolve(r, node->inputs[turn % 2]), x = cc_rewrite_resolve(r, node->inputs[1 - turn % 2]);
        if (!cc_node_is(cc_old_node(r, g), gate[0]) || r->kept[g] || r->readers[g] != 1 ||
            cc_rewrite_resolve(r, cc_old_node(r, g)->inputs[0]) != x)
            continue;
        return join_gate(r, i, x, gate[1]->name);
    }
    return 0;
}

/* The value of a scalar among the old nodes. */
static bool is_scalar(const cc_rewriting *r, int x, double value)
{
    const cc_node *node = cc_old_node(r, x);
    return node->kind == CC_CONSTANT && node->shape.type == CCONV_FLOAT32 && cc_shape_count(&node->shape) == 1 &&
           fabs((double)node->variable->data[0] - value) <= 1e-6 * value;
}

/* Whether the old node x is an op of this kind that only one other reads. */
static bool is_inner(const cc_rewriting *r, int x, const cc_op *op)
{
    return cc_node_is(cc_old_node(r, x), op) && !r->kept[x] && r->readers[x] == 1;
}

/* The input of the old node i that stands beside a scalar of this value; 0: there is none. */
static int beside_scalar(const cc_rewriting *r, int i, double value)
{
    const int a = cc_rewrite_resolve(r, cc_old_node(r, i)->inputs[0]), b = cc_rewrite_resolve(r, cc_old_node(r, i)->inputs[1]);
    return is_scalar(r, b, value) ? a : is_scalar(r, a, value) ? b : 0;
}

/* x, if the old node `sum` is 1 + erf(x / sqrt(2)); 0: it is not. */
static int gelu_gated(const cc_rewriting *r, int sum)
{
    const double root = 1.4142135623730951;
    const int error = is_inner(r, sum, &cc_op_add) ? beside_scalar(r, sum, 1) : 0;
    if (!error || !is_inner(r, error, &cc_op_erf)) return 0;
    const int scaled = cc_rewrite_resolve(r, cc_old_node(r, error)->inputs[0]);
    if (is_inner(r, scaled, &cc_op_multiply)) return beside_scalar(r, scaled, 1 / root);
    if (!is_inner(r, scaled, &cc_op_divide)) return 0;
    const int *inputs = cc_old_node(r, scaled)->inputs;
    return is_scalar(r, cc_rewrite_resolve(r, inputs[1]), root) ? cc_rewrite_resolve(r, inputs[0]) : 0;
}

/* The factors of the old node i, through one product among them; 0: there are not three. */
static int three_factors(const cc_rewriting *r, int i, int factors[3])
{
    for (int turn = 0; turn < 2; ++turn) {
        const int *outer = cc_old_node(r, i)->inputs, inner = cc_rewrite_resolve(r, outer[turn]);
        if (!is_inner(r, inner, &cc_op_multiply)) continue;
        factors[0] = cc_rewrite_resolve(r, outer[1 - turn]);
        for (int k = 0; k < 2; ++k) factors[1 + k] = cc_rewrite_resolve(r, cc_old_node(r, inner)->inputs[k]);
        return 3;
    }
    return 0;
}

static int fuse_gelu(cc_rewriting *r, int i)
{
    int factors[3];
    if (!cc_node_is(cc_old_node(r, i), &cc_op_multiply) || !three_factors(r, i, factors)) return 0;
    for (int gate = 0; gate < 3; ++gate) {
        const int x = gelu_gated(r, factors[gate]), a = factors[(gate + 1) % 3], b = factors[(gate + 2) % 3];
        const bool fits = x && ((a == x && is_scalar(r, b, 0.5)) || (b == x && is_scalar(r, a, 0.5)));
        if (fits && cc_shape_equal(&cc_old_node(r, x)->shape, &cc_old_node(r, i)->shape))
            return join_gate(r, i, x, cc_op_gelu.name);
    }
    return 0;
}

/* ---- Sums --------------------------------------------------------------------------------------------------------- */

/* Whether a node has room for a residual: batch normalization over the last axis, or, without gradients, a convolution. */
static bool takes_residual(const cc_rewriting *r, const cc_node *node)
{
    const cc_op *op = node->op;
    if (!op->residual || node->n_inputs > op->residual || !cc_has_activation(node, "linear")) return false;
    if (op != &cc_op_batch_norm) return !r->options->root;
    const int64_t axis = ((const cc_batch_norm_attributes *)node->attributes)->axis;
    return axis == -1 || axis == node->shape.rank - 1;
}

static int fuse_residual(cc_rewriting *r, int i)
{
    const cc_node *node = cc_old_node(r, i);
    if (!cc_node_is(node, &cc_op_add)) return 0;
    if (!cc_shape_equal(&cc_old_node(r, node->inputs[0])->shape, &cc_old_node(r, node->inputs[1])->shape)) return 0;
    const int later = node->inputs[1] > node->inputs[0] ? 1 : 0; /* of two that fit: the other one is there earlier */
    for (int turn = 0; turn < 2; ++turn) {
        const int k = turn ? 1 - later : later, number = cc_rewrite_absorbable(r, i, k);
        if (!number || !takes_residual(r, cc_new_node(r, number))) continue;
        const cc_node *to = cc_new_node(r, number);
        int inputs[CC_NORM_RESIDUAL + 1] = {0}; /* the most that any has */
        memcpy(inputs, to->inputs, (size_t)to->n_inputs * sizeof *inputs);
        inputs[to->op->residual] = cc_new_input(r, i, 1 - k);
        return cc_rewrite_join(r, number, i, to->op->residual + 1, inputs);
    }
    return 0;
}

/* ---- Shuffles ----------------------------------------------------------------------------------------------------- */

/* reshape(transpose(reshape(x))) in whose middle the channels are (groups, c / groups), which change places. */
static int fuse_shuffle(cc_rewriting *r, int i)
{
    const cc_node *node = cc_old_node(r, i);
    const int turned = cc_node_is(node, &cc_op_reshape) ? cc_rewrite_absorbable(r, i, 0) : 0;
    if (!turned || !cc_node_is(cc_new_node(r, turned), &cc_op_transpose)) return 0;
    const int apart = cc_rewrite_absorbable(r, cc_rewrite_resolve(r, node->inputs[0]), 0);
    if (!apart || !cc_node_is(cc_new_node(r, apart), &cc_op_reshape)) return 0;
    const int x = cc_new_node(r, apart)->inputs[0];
    const cc_shape *xs = &cc_new_node(r, x)->shape, *middle = &cc_new_node(r, apart)->shape;
    const cc_list *axes = &((const cc_transpose_attributes *)cc_new_node(r, turned)->attributes)->axes;
    if (!cc_shape_equal(xs, &node->shape) || xs->rank < 2 || middle->rank != xs->rank + 1) return 0;
    for (int k = 1; k < middle->rank; ++k)
        if (middle->dim[k] <= 0 || (k < xs->rank - 1 && middle->dim[k] != xs->dim[k])) return 0;
    if (middle->dim[xs->rank - 1] * middle->dim[xs->rank] != xs->dim[xs->rank - 1]) return 0;
    for (int k = 0; k < middle->rank; ++k) {
        const int swapped = k < xs->rank - 1 ? k : 2 * xs->rank - 1 - k; /* the last two change places */
        if (cc_axis_of(axes->v[k], middle->rank) != swapped) return 0;
    }
    char groups[32];
    snprintf(groups, sizeof groups, "groups=%lld", (long long)middle->dim[xs->rank - 1]);
    return cconv_graph_add(r->to, cc_op_channel_shuffle.name, node->name, 1, &x, groups);
}

/* ---- Losses of probabilities -------------------------------------------------------------------------------------- */

/* The new node that holds what the old node p is made of by `activation`, which for softmax sums over `axis` of p; 0 if it is
 * not. A few ops that move elements may stand between: they are made anew behind the logits. */
static int logits_of(cc_rewriting *r, int p, const cc_op *activation, int axis, int few)
{
    const cc_node *node = cc_old_node(r, p);
    if (node->kind != CC_COMPUTED || node->n_inputs != 1 || r->wrt[p] || p == r->options->root) return 0;
    if (node->op == activation) {
        const bool by_axis = activation == &cc_op_softmax;
        const int64_t over = by_axis ? ((const cc_axis_attributes *)node->attributes)->axis : 0;
        return !by_axis || (over < 0 ? over + node->shape.rank : over) == axis ? cc_new_input(r, p, 0) : 0;
    }
    if (node->op == &cc_op_transpose) {
        const int64_t from = ((const cc_transpose_attributes *)node->attributes)->axes.v[axis];
        axis = (int)(from < 0 ? from + node->shape.rank : from);
    } else if (node->op != &cc_op_identity) {
        const bool moves = (node->op->flags & CC_VIEW) && node->op->backward && node->op != &cc_op_cast;
        if (!moves || activation == &cc_op_softmax) return 0;
    }
    const int x = few ? logits_of(r, node->inputs[0], activation, axis, few - 1) : 0;
    return x ? cc_rewrite_copy(r, p, &x) : 0;
}

static int fuse_logits(cc_rewriting *r, int i)
{
    const cc_node *node = cc_old_node(r, i);
    const bool binary = cc_node_is(node, &cc_op_binary_crossentropy), full = cc_node_is(node, &cc_op_categorical_crossentropy);
    if (!binary && !full && !cc_node_is(node, &cc_op_sparse_categorical_crossentropy)) return 0;
    const cc_crossentropy_attributes *loss = node->attributes;
    if (loss->from_logits) return 0;
    const int p = node->inputs[1], rank = cc_old_node(r, p)->shape.rank;
    const int axis = full && loss->axis >= 0 ? (int)loss->axis : full ? (int)loss->axis + rank : rank - 1;
    const int x = logits_of(r, p, binary ? &cc_op_sigmoid : &cc_op_softmax, axis, 8);
    const int inputs[] = {cc_new_input(r, i, 0), x}, made = x ? cc_rewrite_copy(r, i, inputs) : 0;
    if (made) ((cc_crossentropy_attributes *)cc_new_attributes(r, made))->from_logits = 1;
    return made;
}

cc_rewrite_rule *const cc_fuse_rules[] = {fuse_padding,    fuse_behind_maximum, fuse_residual, fuse_shuffle, fuse_logits,
                                          fuse_activation, fuse_before_parts,   fuse_gate,     fuse_gelu,    NULL};
