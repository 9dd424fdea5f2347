/* The rules of rewriting. The new graph is made node by node in the order of the old one; a node that ends a pattern stands for
 * all of it, so numbers keep their order and what was joined stays behind as a node that nobody reads, which plans leave out.
 *
 *     relu(op(x))                          -> op(x, activation=relu)                    for every op and activation that fit
 *     add(batch_norm(x), r)                -> batch_norm(x, residual r)
 *     add(conv2d(x), r)                    -> conv2d(x, residual r)                     without gradients
 *     batch_norm(conv2d(x, w, b))          -> conv2d(x, w s, (b - mean) s + beta)       without gradients; also dense. The new
 *                                             weights are nodes that depend on variables only: plans compute them when one of
 *                                             those has changed. s = gamma / sqrt(variance + epsilon)
 *     conv2d(pad(x))                       -> conv2d(x, pads), for zeros around the image; max_pool too where x has no
 *                                             negative values
 *     max_pool(conv2d(x, activation=relu)) -> max_pool(conv2d(x), activation=relu)  with gradients; also relu6. The maximum is the
 *                                             same; the slope is taken where there are fewer values, and the convolution's need
 *                                             not be kept. (Where they differ in which of equal cells is the first, the slope is 0.)
 *     identity(x), and dropout or stop_gradient where they are no more than that -> x */
#include "graph/rewrite.h"
#include "algos/window.h"
#include "base/alloc.h"
#include "ops/pad.h"
#include "ops/pool.h"
#include <stdio.h>
#include <string.h>

typedef struct rewriting {
    const cconv_graph *from;
    cconv_graph *to;
    const cc_rewrite_options *options;
    int *numbers;    /* of the nodes in `to` */
    int *stands_for; /* stands_for[i]: i is left out, and this node of `from` is read instead; 0: not left out */
    int *readers;    /* how many inputs lead to each node of `from` */
    bool *kept;      /* the caller sees it */
} rewriting;

static bool is_op(const cc_node *node, const char *op)
{
    return node->kind == CC_COMPUTED && strcmp(node->op->name, op) == 0;
}

/* The attribute of that name of a node, or NULL; *choices is set if it is not NULL. */
static void *attribute_of(const cc_node *node, const char *name, const char **choices)
{
    for (const cc_attr *a = node->op->attributes; a && a->name; ++a) {
        if (strcmp(a->name, name)) continue;
        if (choices) *choices = a->choices;
        return (char *)node->attributes + a->offset;
    }
    return NULL;
}

static bool has_enum(const cc_node *node, const char *name, const char *value)
{
    const char *choices = NULL;
    const int *at = attribute_of(node, name, &choices);
    char text[32];
    if (!at || !choices) return false;
    cc_choice_name(choices, *at, text);
    return strcmp(text, value) == 0;
}

/* The number of a choice of an enum attribute; -1 if the node has no attribute of that name or not this choice. */
static int choice_of(const cc_node *node, const char *name, const char *value)
{
    const char *choices = NULL;
    char text[32];
    if (!attribute_of(node, name, &choices) || !choices) return -1;
    for (int i = 0;; ++i) {
        cc_choice_name(choices, i, text);
        if (!text[0]) return -1;
        if (strcmp(text, value) == 0) return i;
    }
}

static const cc_node *old_node(const rewriting *r, int i)
{
    return cc_graph_node(r->from, i);
}

static const cc_node *new_node(const rewriting *r, int number)
{
    return cc_graph_node(r->to, number);
}

/* Past nodes that were left out. */
static int resolve(const rewriting *r, int i)
{
    while (r->stands_for[i]) i = r->stands_for[i];
    return i;
}

/* The node of `to` that computes input k of the old node i, if i may take it in: nobody else reads it or sees it. Else 0. */
static int absorbable(const rewriting *r, int i, int k)
{
    const int x = resolve(r, old_node(r, i)->inputs[k]);
    if (!x || r->kept[x] || r->readers[x] != 1) return 0;
    return new_node(r, r->numbers[x])->kind == CC_COMPUTED ? r->numbers[x] : 0;
}

static int new_input(const rewriting *r, int i, int k)
{
    return r->numbers[old_node(r, i)->inputs[k]];
}

/* A copy of a node of `to` with other inputs, named after both it and the old node i that it takes in. 0 without memory. */
static int rewrite_join(rewriting *r, int number, int i, int n_inputs, const int *inputs)
{
    char name[200];
    cc_node node = *new_node(r, number);
    snprintf(name, sizeof name, "%s+%s", node.name, old_node(r, i)->name);
    node.n_inputs = n_inputs;
    node.inputs = (int *)(uintptr_t)inputs;
    return cc_graph_copy(r->to, &node, name);
}

/* ---- The rules: each returns the node of `to` that stands for the old node i, or 0 where it does not apply ---- */

static int leave_out(rewriting *r, int i)
{
    const cc_node *node = old_node(r, i);
    const bool same = is_op(node, "identity") || (is_op(node, "dropout") && !r->options->training) ||
                      (is_op(node, "stop_gradient") && !r->options->root);
    if (!same || r->kept[i]) return 0;
    const int x = resolve(r, node->inputs[0]);
    r->stands_for[i] = x;
    r->readers[x] += r->readers[i] - 1;
    return r->numbers[x];
}

/* The name of the activation that node i is, as an attribute's choice; NULL: it is none. */
static const char *activation_of(const cc_node *node)
{
    if (!is_op(node, "clip")) return node->n_inputs == 1 ? node->op->name : NULL;
    const float *minimum = attribute_of(node, "minimum", NULL), *maximum = attribute_of(node, "maximum", NULL);
    return *minimum == 0 && *maximum == 6 ? "relu6" : NULL;
}

static int fuse_activation(rewriting *r, int i)
{
    const cc_node *node = old_node(r, i);
    const char *activation = activation_of(node);
    const int number = activation && node->inputs[0] ? absorbable(r, i, 0) : 0;
    if (!number || !has_enum(new_node(r, number), "activation", "linear")) return 0;
    const int choice = choice_of(new_node(r, number), "activation", activation);
    const int made = choice > 0 ? rewrite_join(r, number, i, new_node(r, number)->n_inputs, new_node(r, number)->inputs) : 0;
    if (!made) return 0;
    *(int *)attribute_of(new_node(r, made), "activation", NULL) = choice;
    const float *alpha = attribute_of(node, "alpha", NULL);
    float *to = attribute_of(new_node(r, made), "alpha", NULL);
    if (alpha && to) *to = *alpha;
    return made;
}

static bool same_shape(const cc_shape *a, const cc_shape *b)
{
    return a->rank == b->rank && memcmp(a->dim, b->dim, (size_t)a->rank * sizeof *a->dim) == 0;
}

static bool channels_last(const cc_node *norm)
{
    const int64_t *axis = attribute_of(norm, "axis", NULL);
    return *axis == -1 || *axis == norm->shape.rank - 1;
}

static int fuse_residual(rewriting *r, int i)
{
    const cc_node *node = old_node(r, i);
    if (!is_op(node, "add") || !same_shape(&old_node(r, node->inputs[0])->shape, &old_node(r, node->inputs[1])->shape))
        return 0;
    const int later = node->inputs[1] > node->inputs[0] ? 1 : 0; /* of two that fit: the other one is there earlier */
    for (int turn = 0; turn < 2; ++turn) {
        const int k = turn ? 1 - later : later, number = absorbable(r, i, k);
        if (!number) continue;
        const cc_node *to = new_node(r, number);
        const bool norm = is_op(to, "batch_norm") && channels_last(to), conv = is_op(to, "conv2d") && !r->options->root;
        const int at = norm ? 5 : 3; /* the residual's place among the inputs */
        if (!(norm || conv) || to->n_inputs > at || !has_enum(to, "activation", "linear")) continue;
        int inputs[6] = {0};
        memcpy(inputs, to->inputs, (size_t)to->n_inputs * sizeof *inputs);
        inputs[at] = new_input(r, i, 1 - k);
        return rewrite_join(r, number, i, at + 1, inputs);
    }
    return 0;
}

/* Whether a value depends on variables and constants only. */
static bool is_static(const rewriting *r, int number)
{
    const cc_node *node = new_node(r, number);
    if (node->kind == CC_VARIABLE || node->kind == CC_CONSTANT) return true;
    if (node->kind == CC_INPUT) return false;
    for (int k = 0; k < node->n_inputs; ++k)
        if (node->inputs[k] && !is_static(r, node->inputs[k])) return false;
    return true;
}

static int add(rewriting *r, const char *op, const char *name, int a, int b)
{
    return cconv_graph_add(r->to, op, name, b ? 2 : 1, (int[]){a, b}, NULL);
}

/* With s = gamma / sqrt(variance + epsilon), per output channel:
 *     gamma ((conv(x, w) + b) - mean) / sqrt(variance + epsilon) + beta = conv(x, w s) + (beta - (mean - b) s) */
static int fold_batch_norm(rewriting *r, int i)
{
    const cc_node *node = old_node(r, i);
    if (r->options->root || !is_op(node, "batch_norm") || !channels_last(node) || node->n_inputs > 5) return 0;
    const int *of_batch = attribute_of(node, "training", NULL);
    if ((*of_batch && r->options->training) || !has_enum(node, "activation", "linear")) return 0;
    const int number = absorbable(r, i, 0);
    if (!number) return 0;
    const cc_node *layer = new_node(r, number);
    if (!(is_op(layer, "conv2d") || is_op(layer, "dense")) || layer->n_inputs > 3 || !has_enum(layer, "activation", "linear"))
        return 0;
    const int x = layer->inputs[0], w = layer->inputs[1], b = layer->n_inputs > 2 ? layer->inputs[2] : 0;
    const int gamma = new_input(r, i, 1), beta = new_input(r, i, 2), mean = new_input(r, i, 3), variance = new_input(r, i, 4);
    for (int k = 1; k < 5; ++k)
        if (node->inputs[k] && !is_static(r, new_input(r, i, k))) return 0;
    if (!is_static(r, w) || (b && !is_static(r, b))) return 0;

    char name[200];
    snprintf(name, sizeof name, "%s/folded", layer->name);
    const float *epsilon = attribute_of(node, "epsilon", NULL);
    const int small = cconv_graph_constant(r->to, name, CCONV_FLOAT32, 0, NULL, epsilon);
    const int deviation = add(r, "sqrt", name, add(r, "add", name, variance, small), 0);
    const int scale = gamma ? add(r, "divide", name, gamma, deviation) : add(r, "reciprocal", name, deviation, 0);
    const int weights = add(r, "multiply", name, w, scale);
    const int middle = add(r, "multiply", name, b ? add(r, "subtract", name, mean, b) : mean, scale);
    const int bias = beta ? add(r, "subtract", name, beta, middle) : add(r, "negative", name, middle, 0);
    return r->to->status == CCONV_OK ? rewrite_join(r, number, i, 3, (int[]){x, weights, bias}) : 0;
}

static bool never_negative(const cc_node *node)
{
    return is_op(node, "relu") || has_enum(node, "activation", "relu") || has_enum(node, "activation", "relu6");
}

/* Padded zeros count for nothing in a sum; in a maximum they count for nothing beside values that are not negative. (Where such
 * a value is 0, like a pad, no gradient goes past the relu that made it.) In ceil mode a pooling may have a window of pads only. */
static int fuse_padding(rewriting *r, int i)
{
    const cc_node *node = old_node(r, i);
    const bool pool = is_op(node, "max_pool");
    if ((!pool && !is_op(node, "conv2d")) || !has_enum(node, "padding", "valid")) return 0;
    const int number = absorbable(r, i, 0);
    if (!number || !is_op(new_node(r, number), "pad")) return 0;
    const cc_pad_attributes *pad = new_node(r, number)->attributes;
    const int x = new_node(r, number)->inputs[0], before = resolve(r, old_node(r, resolve(r, node->inputs[0]))->inputs[0]);
    const cc_node *padded = new_node(r, x);
    const int rank = padded->shape.rank, axes = rank - 2; /* of the image: neither the batch nor the channels */
    const int64_t *pads = pad->pads.v;
    if (pad->mode != CC_PAD_CONSTANT || pad->value != 0 || pads[0] || pads[rank - 1] || pads[rank] || pads[2 * rank - 1]) return 0;
    cc_list of_window = {.n = 2 * axes};
    for (int k = 0; k < axes; ++k) {
        of_window.v[k] = pads[1 + k];
        of_window.v[axes + k] = pads[rank + 1 + k];
    }
    if (pool) {
        const cc_pool_attributes *a = node->attributes;
        if (a->ceil_mode || padded->kind != CC_COMPUTED || !never_negative(padded) || r->kept[before]) return 0;
        for (int k = 0; k < axes; ++k) {
            const int64_t size = cc_each(&a->pool_size, k);
            if (padded->shape.dim[1 + k] == 0 || of_window.v[k] >= size || of_window.v[axes + k] >= size) return 0;
        }
    }
    int inputs[4] = {x};
    for (int k = 1; k < node->n_inputs; ++k) inputs[k] = new_input(r, i, k);
    cc_node joined = *node;
    char name[200];
    snprintf(name, sizeof name, "%s+%s", new_node(r, number)->name, node->name);
    joined.inputs = inputs;
    const int made = cc_graph_copy(r->to, &joined, name);
    if (!made) return 0;
    *(int *)attribute_of(new_node(r, made), "padding", NULL) = choice_of(node, "padding", "explicit");
    *(cc_list *)attribute_of(new_node(r, made), "pads", NULL) = of_window;
    return made;
}

static int activate_later(rewriting *r, int i)
{
    const cc_node *node = old_node(r, i);
    const int number = r->options->root && is_op(node, "max_pool") ? absorbable(r, i, 0) : 0;
    if (!number || !is_op(new_node(r, number), "conv2d") || !has_enum(node, "activation", "linear")) return 0;
    const bool relu = has_enum(new_node(r, number), "activation", "relu");
    if (!relu && !has_enum(new_node(r, number), "activation", "relu6")) return 0;
    cc_node conv = *new_node(r, number), pool = *node;
    int x = cc_graph_copy(r->to, &conv, conv.name);
    pool.inputs = &x;
    const int made = x ? cc_graph_copy(r->to, &pool, pool.name) : 0;
    if (!made) return 0;
    *(int *)attribute_of(new_node(r, x), "activation", NULL) = 0;
    *(int *)attribute_of(new_node(r, made), "activation", NULL) = choice_of(node, "activation", relu ? "relu" : "relu6");
    return made;
}

typedef int rule(rewriting *r, int i);
static rule *const rules[] = {leave_out, fuse_padding, activate_later, fold_batch_norm, fuse_residual, fuse_activation};

/* ---- The whole graph ---- */

static int copy_unchanged(rewriting *r, int i)
{
    cc_node node = *old_node(r, i);
    if (node.kind != CC_COMPUTED) return cc_graph_copy(r->to, &node, node.name);
    int *inputs = cc_alloc((size_t)node.n_inputs * sizeof *inputs);
    if (!inputs) return 0;
    for (int k = 0; k < node.n_inputs; ++k) inputs[k] = node.inputs[k] ? new_input(r, i, k) : 0;
    node.inputs = inputs;
    const int made = cc_graph_copy(r->to, &node, node.name);
    cc_free(inputs);
    return made;
}

static cconv_status rewrite(rewriting *r)
{
    const cc_rewrite_options *options = r->options;
    for (int i = 0; i < options->n_outputs; ++i) r->kept[options->outputs[i]] = true;
    for (int i = 0; i < options->n_wrt; ++i) r->kept[options->wrt[i]] = true;
    r->kept[options->root] = true;
    for (int i = 1; i <= r->from->count; ++i)
        for (int k = 0; k < old_node(r, i)->n_inputs; ++k) ++r->readers[old_node(r, i)->inputs[k]];
    r->numbers[0] = 0;
    for (int i = 1; i <= r->from->count; ++i) {
        int number = 0;
        for (size_t k = 0; number == 0 && old_node(r, i)->kind == CC_COMPUTED && k < sizeof rules / sizeof *rules; ++k) {
            number = rules[k](r, i);
            if (r->to->status != CCONV_OK) return r->to->status;
        }
        if (!number) number = copy_unchanged(r, i);
        if (!number) return CCONV_NO_MEMORY;
        r->numbers[i] = number;
    }
    return CCONV_OK;
}

cconv_graph *cc_graph_rewrite(const cconv_graph *graph, const cc_rewrite_options *options, int *numbers)
{
    const size_t nodes = (size_t)graph->count + 1;
    rewriting r = {.from = graph, .options = options, .numbers = numbers, .to = cconv_graph_new()};
    r.stands_for = cc_alloc_zero(2 * nodes * sizeof *r.stands_for);
    r.readers = r.stands_for ? r.stands_for + nodes : NULL;
    r.kept = cc_alloc_zero(nodes * sizeof *r.kept);
    if (!r.to || !r.stands_for || !r.kept || rewrite(&r) != CCONV_OK) {
        cconv_graph_free(r.to);
        r.to = NULL;
    }
    cc_free(r.stands_for);
    cc_free(r.kept);
    return r.to;
}
