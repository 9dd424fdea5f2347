/* Transposes are moved outward, and cancel where they meet.
 *
 * A transpose is not made where it stands. Its value is remembered as the node before it and an order of axes, which readers
 * carry on:
 *
 *     transpose(transpose(x, p), q)        -> transpose(x, p q), nothing at all if p q changes nothing
 *     op(transpose(x, p), transpose(y, p)) -> transpose(op(x, y), p)       elementwise; a lower rank gets axes of size 1
 *     op(transpose(x, p), axis)            -> transpose(op(x, axis p), p)  softmax, batch_norm, concatenate, slice, pad, reductions
 *
 * It is made where an op reads x that minds the order of its axes, and where the caller sees the value. Where only axes of
 * size 1 change places, a reshape does, which costs nothing. So a network of layers that compute channels last between two
 * transposes each keeps the first and, at most, the last. The result is taken only if fewer transposes are left than before. */
#include "graph/rewrite/rules.h"
#include "base/alloc.h"
#include "ops/axes.h"
#include "ops/batch_norm.h"
#include "ops/infer.h"
#include "ops/pad.h"
#include <stdio.h>
#include <string.h>

typedef struct order { /* value = transpose(stored, axis): its axis k is axis[k] of what is stored */
    int rank;
    int axis[CCONV_MAX_RANK];
} order;

typedef struct layout {
    const cconv_graph *from;
    cconv_graph *to;
    const cc_rewrite_options *options;
    int *stored;              /* the node of `to` that stands for each node of `from`, */
    order *orders;            /* in this order of axes */
    bool *leads;              /* it is carried on to a transpose */
    int *first, *last, *next; /* the transposes and reshapes of each node of `to`: first[x], next[first[x]] ... last[x] */
    int chained;              /* nodes of `to` that stand in these */
} layout;

enum { FREE = 0, ONE = 1, IMPOSSIBLE = 1000 }; /* costs, in transposes */

/* ---- Orders ------------------------------------------------------------------------------------------------------- */

static order identity_order(int rank)
{
    order o = {.rank = rank};
    for (int k = 0; k < rank; ++k) o.axis[k] = k;
    return o;
}

static bool is_identity(const order *o)
{
    for (int k = 0; k < o->rank; ++k)
        if (o->axis[k] != k) return false;
    return true;
}

static bool same_order(const order *a, const order *b)
{
    return a->rank == b->rank && memcmp(a->axis, b->axis, (size_t)a->rank * sizeof *a->axis) == 0;
}

/* transpose(transpose(x, first), then) */
static order compose(const order *first, const order *then)
{
    order o = {.rank = then->rank};
    for (int k = 0; k < o.rank; ++k) o.axis[k] = first->axis[then->axis[k]];
    return o;
}

static order inverse(const order *o)
{
    order back = {.rank = o->rank};
    for (int k = 0; k < o->rank; ++k) back.axis[o->axis[k]] = k;
    return back;
}

static order order_of(const cc_node *transpose)
{
    const cc_list *axes = &((const cc_transpose_attributes *)transpose->attributes)->axes;
    order o = {.rank = axes->n};
    for (int k = 0; k < axes->n; ++k) o.axis[k] = cc_axis_of(axes->v[k], axes->n);
    return o;
}

static cc_shape transposed_shape(const cc_shape *shape, const order *o)
{
    cc_shape moved = {.rank = o->rank, .type = shape->type};
    for (int k = 0; k < o->rank; ++k) moved.dim[k] = shape->dim[o->axis[k]];
    return moved;
}

/* ---- Nodes in another order --------------------------------------------------------------------------------------- */

/* A list of whole numbers as an attribute's text: "axes=0,3,1,2". */
static void list_attribute(const char *name, int n, const int64_t *values, char text[256])
{
    int used = snprintf(text, 256, "%s=", name);
    for (int i = 0; i < n && used < 256; ++i)
        used += snprintf(text + used, (size_t)(256 - used), i ? ",%lld" : "%lld", (long long)values[i]);
}

static int add_node(layout *l, const cc_op *op, int x, const char *attributes)
{
    return cconv_graph_add(l->to, op->name, cc_graph_node(l->to, x)->name, 1, &x, attributes);
}

static void chain_new_nodes(layout *l)
{
    while (l->chained < l->to->count) {
        const int i = ++l->chained;
        const cc_node *node = cc_graph_node(l->to, i);
        if (!cc_node_is(node, &cc_op_transpose) && !cc_node_is(node, &cc_op_reshape)) continue;
        const int x = node->inputs[0];
        *(l->first[x] ? &l->next[l->last[x]] : &l->first[x]) = i;
        l->last[x] = i;
    }
}

/* A node of `to` that is already this op of x with this shape, in this order if it is a transpose; or 0. */
static int find_node(layout *l, const cc_op *op, int x, const cc_shape *shape, const order *o)
{
    chain_new_nodes(l);
    for (int i = l->first[x]; i; i = l->next[i]) {
        const cc_node *node = cc_graph_node(l->to, i);
        if (!cc_node_is(node, op) || !cc_shape_equal(&node->shape, shape)) continue;
        const order found = op == &cc_op_transpose ? order_of(node) : *o;
        if (same_order(&found, o)) return i;
    }
    return 0;
}

/* The attribute with which a reshape gives x this shape, in text; false if it cannot be told, since more than one size is
 * unknown. Axis k is axis o->axis[k] of x; NULL: of x with axes of size 1 in front. */
static bool reshape_text(const cc_shape *shape, const order *o, char text[256])
{
    cc_shape to = *shape;
    int rest = 0;
    for (int k = 0; k < shape->rank; ++k) {
        if (shape->dim[k] == 0) return false;
        if (shape->dim[k] > 0) continue;
        if (o && o->axis[k] == k)
            to.dim[k] = 0; /* copied */
        else if (++rest > 1)
            return false;
    }
    list_attribute("shape", to.rank, to.dim, text);
    return true;
}

/* Whether only axes of size 1 change places. */
static bool moves_nothing(const cc_shape *shape, const order *o)
{
    int last = -1;
    for (int k = 0; k < o->rank; ++k) {
        if (shape->dim[o->axis[k]] == 1) continue;
        if (o->axis[k] < last) return false;
        last = o->axis[k];
    }
    return true;
}

/* transpose(x, o), where x is a node of `to`: x itself, a node that there is, or a new one. 0 on failure. *cost (which may be
 * NULL) gets what a new one costs; then none is made. */
static int arranged(layout *l, int x, const order *o, bool fixed, int *cost)
{
    if (cost) *cost = FREE;
    if (is_identity(o)) return x;
    char text[256];
    const cc_shape *shape = &cc_graph_node(l->to, x)->shape;
    const cc_shape moved = transposed_shape(shape, o);
    const bool view = moves_nothing(shape, o) && reshape_text(&moved, o, text);
    const cc_op *op = view ? &cc_op_reshape : &cc_op_transpose;
    const int found = find_node(l, op, x, &moved, o);
    if (found) return found;
    if (cost) {
        *cost = view || fixed ? FREE : ONE;
        return 0;
    }
    if (!view) {
        int64_t axes[CCONV_MAX_RANK];
        for (int k = 0; k < o->rank; ++k) axes[k] = o->axis[k];
        list_attribute("axes", o->rank, axes, text);
    }
    return add_node(l, op, x, text);
}

/* The node of `to` that holds the old node i as it was. */
static int as_it_was(layout *l, int i, int *cost)
{
    if (!i) return 0;
    return arranged(l, l->stored[i], &l->orders[i], cc_graph_node(l->from, i)->fixed, cost);
}

/* The old node i, an operand of an op whose result has o's rank, as it must be stored so that transpose(stored, o) is what the
 * op wants. */
static int brought(layout *l, int i, const order *o, int *cost)
{
    const cc_shape *shape = &cc_graph_node(l->from, i)->shape;
    const bool fixed = cc_graph_node(l->from, i)->fixed;
    const order back = inverse(o);
    if (shape->rank == o->rank) {
        const order whole = compose(&l->orders[i], &back);
        return arranged(l, l->stored[i], &whole, fixed, cost);
    }
    if (cost) *cost = FREE;
    if (shape->rank == 0) return as_it_was(l, i, cost);
    cc_shape wide = {.rank = o->rank, .type = shape->type};
    char text[256];
    for (int k = 0, ahead = o->rank - shape->rank; k < o->rank; ++k) wide.dim[k] = k < ahead ? 1 : shape->dim[k - ahead];
    const bool possible = is_identity(&l->orders[i]) && reshape_text(&wide, NULL, text);
    if (cost) {
        *cost = !possible ? IMPOSSIBLE : moves_nothing(&wide, &back) || fixed ? FREE : ONE;
        return 0;
    }
    const order same = identity_order(o->rank);
    int x = find_node(l, &cc_op_reshape, l->stored[i], &wide, &same);
    if (!x) x = add_node(l, &cc_op_reshape, l->stored[i], text);
    return x ? arranged(l, x, &back, fixed, NULL) : 0;
}

/* ---- Ops that carry an order on ----------------------------------------------------------------------------------- */

static bool is_reduction(const cc_op *op)
{
    return op == &cc_op_sum || op == &cc_op_mean || op == &cc_op_max || op == &cc_op_min || op == &cc_op_prod;
}

static bool has_axis(const cc_op *op)
{
    return op == &cc_op_softmax || op == &cc_op_log_softmax || op == &cc_op_concatenate;
}

static bool carries(const cc_node *node)
{
    const cc_op *op = node->op;
    if (node->kind != CC_COMPUTED) return false;
    return (op->flags & CC_ELEMENTWISE) || has_axis(op) || is_reduction(op) || op == &cc_op_argmax || op == &cc_op_argmin ||
           op == &cc_op_slice || op == &cc_op_pad || op == &cc_op_batch_norm;
}

/* Whether input k of an op that carries orders has the axes of its output (before any are dropped). */
static bool is_carried(const cc_node *node, int k)
{
    if (!node->inputs[k]) return false;
    return k == 0 || (node->op->flags & CC_ELEMENTWISE) || node->op == &cc_op_concatenate || k == node->op->residual;
}

/* What is left of an order when axes (bits, of the value) are dropped. */
static order without(const order *o, unsigned dropped)
{
    order left = {.rank = 0};
    for (int k = 0; k < o->rank; ++k) {
        if (dropped >> k & 1u) continue;
        int at = 0;
        for (int j = 0; j < o->rank; ++j) at += !(dropped >> j & 1u) && o->axis[j] < o->axis[k];
        left.axis[left.rank++] = at;
    }
    return left;
}

static int64_t moved_axis(int64_t axis, const order *o)
{
    return o->axis[cc_axis_of(axis, o->rank)];
}

/* Renumbers the axes in an op's attributes for inputs in order o, and returns the order of its output. */
static order carry(const cc_op *op, void *attributes, const order *o)
{
    if (has_axis(op)) {
        cc_axis_attributes *a = attributes;
        a->axis = moved_axis(a->axis, o);
    } else if (op == &cc_op_batch_norm) {
        cc_batch_norm_attributes *a = attributes;
        a->axis = moved_axis(a->axis, o);
    } else if (op == &cc_op_argmax || op == &cc_op_argmin) {
        cc_argmax_attributes *a = attributes;
        const unsigned dropped = a->keepdims ? 0 : 1u << cc_axis_of(a->axis, o->rank);
        a->axis = moved_axis(a->axis, o);
        return without(o, dropped);
    } else if (is_reduction(op)) {
        cc_reduction_attributes *a = attributes;
        const unsigned dropped = a->keepdims ? 0 : cc_axes_of(&a->axes, o->rank);
        for (int i = 0; i < a->axes.n; ++i) a->axes.v[i] = moved_axis(a->axes.v[i], o);
        return without(o, dropped);
    } else if (op == &cc_op_pad) {
        cc_pad_attributes *a = attributes;
        const cc_list given = a->pads;
        for (int k = 0; k < o->rank; ++k) {
            a->pads.v[o->axis[k]] = given.v[k];
            a->pads.v[o->rank + o->axis[k]] = given.v[o->rank + k];
        }
    } else if (op == &cc_op_slice) {
        cc_slice_attributes *a = attributes;
        const cc_slice_attributes given = *a;
        for (int k = 0; k < o->rank; ++k) {
            a->begin.v[o->axis[k]] = given.begin.v[k];
            a->size.v[o->axis[k]] = given.size.v[k];
        }
    }
    return *o;
}

/* ---- One node ----------------------------------------------------------------------------------------------------- */

/* What it costs to bring the inputs of old node i into an order. */
static int cost_of(layout *l, const cc_node *node, const order *o)
{
    int sum = 0;
    for (int k = 0; k < node->n_inputs; ++k) {
        int cost = FREE;
        if (is_carried(node, k)) brought(l, node->inputs[k], o, &cost);
        sum += cost;
    }
    return sum;
}

static bool is_pending(const layout *l, int i)
{
    return i && !is_identity(&l->orders[i]);
}

static bool is_among(const order *orders, int n, const order *o)
{
    for (int i = 0; i < n; ++i)
        if (same_order(&orders[i], o)) return true;
    return false;
}

/* The order in which node i had best be computed: as it was, or that of an input (of the first few that differ). */
static order best_order(layout *l, int i)
{
    const cc_node *node = cc_graph_node(l->from, i);
    const int rank = node->op->flags & CC_ELEMENTWISE ? node->shape.rank : cc_graph_node(l->from, node->inputs[0])->shape.rank;
    enum { FEW = 8 };
    order best = identity_order(rank), tried[FEW];
    int n_tried = 0, least = cost_of(l, node, &best);
    for (int k = 0; k < node->n_inputs; ++k) {
        if (!is_carried(node, k) || !is_pending(l, node->inputs[k]) || l->orders[node->inputs[k]].rank != rank) continue;
        if (n_tried == FEW || is_among(tried, n_tried, &l->orders[node->inputs[k]])) continue;
        tried[n_tried++] = l->orders[node->inputs[k]];
        const int cost = cost_of(l, node, &l->orders[node->inputs[k]]);
        if (cost < least || (cost == least && is_identity(&best) && l->leads[i])) {
            best = l->orders[node->inputs[k]];
            least = cost;
        }
    }
    return best;
}

/* A copy of node i for inputs in an order; its number or 0. */
static int place_carried(layout *l, int i, const order *o, int *inputs)
{
    const cc_node *node = cc_graph_node(l->from, i);
    cc_node copy = *node;
    for (int k = 0; k < node->n_inputs; ++k) {
        const int x = node->inputs[k];
        inputs[k] = is_carried(node, k) ? brought(l, x, o, NULL) : as_it_was(l, x, NULL);
    }
    copy.inputs = inputs;
    const int made = l->to->status == CCONV_OK ? cc_graph_copy(l->to, &copy, node->name) : 0;
    if (!made) return 0;
    cc_node *to = &l->to->nodes[made - 1];
    l->orders[i] = carry(node->op, to->attributes, o);
    const order back = inverse(&l->orders[i]);
    to->shape = transposed_shape(&node->shape, &back);
    return made;
}

static int place_computed(layout *l, int i)
{
    const cc_node *node = cc_graph_node(l->from, i);
    l->orders[i] = identity_order(node->shape.rank);
    if (node->op == &cc_op_transpose && !node->fixed) {
        const order o = order_of(node);
        l->orders[i] = compose(&l->orders[node->inputs[0]], &o);
        return l->stored[node->inputs[0]];
    }
    int *inputs = cc_alloc((size_t)node->n_inputs * sizeof *inputs), made = 0;
    if (!inputs) return 0;
    const order o = carries(node) ? best_order(l, i) : identity_order(0);
    if (!is_identity(&o)) {
        made = place_carried(l, i, &o, inputs);
    } else {
        cc_node copy = *node;
        for (int k = 0; k < node->n_inputs; ++k) inputs[k] = as_it_was(l, node->inputs[k], NULL);
        copy.inputs = inputs;
        made = l->to->status == CCONV_OK ? cc_graph_copy(l->to, &copy, node->name) : 0;
    }
    cc_free(inputs);
    return made;
}

/* ---- The whole graph ---------------------------------------------------------------------------------------------- */

static void mark_from_the_end(layout *l)
{
    for (int i = l->from->count; i >= 1; --i) {
        const cc_node *node = cc_graph_node(l->from, i);
        if (!cc_node_is(node, &cc_op_transpose) && !(l->leads[i] && carries(node))) continue;
        for (int k = 0; k < node->n_inputs; ++k) l->leads[node->inputs[k]] = true;
    }
}

static cconv_status place_all(layout *l, int *numbers)
{
    mark_from_the_end(l);
    for (int i = 1; i <= l->from->count; ++i) {
        const cc_node *node = cc_graph_node(l->from, i);
        l->orders[i] = identity_order(node->shape.rank);
        l->stored[i] = node->kind == CC_COMPUTED ? place_computed(l, i) : cc_graph_copy(l->to, node, node->name);
        if (l->to->status != CCONV_OK || !l->stored[i]) return CCONV_NO_MEMORY;
    }
    numbers[0] = 0;
    for (int i = 1; i <= l->from->count; ++i) numbers[i] = l->stored[i]; /* of those nobody asks for, whatever their order */
    for (int k = -1; k < l->options->n_outputs; ++k) {
        const int i = k < 0 ? l->options->root : l->options->outputs[k];
        if (i) numbers[i] = as_it_was(l, i, NULL);
    }
    return l->to->status == CCONV_OK ? CCONV_OK : CCONV_NO_MEMORY;
}

/* How many transposes of what is not fixed the caller's nodes need; -1 without memory. numbers[i] is node i of the options;
 * NULL: itself. */
static int count_transposes(const cconv_graph *graph, const cc_rewrite_options *options, const int *numbers)
{
    bool *marks = cc_alloc_zero(2 * ((size_t)graph->count + 1)), *wanted = marks, *varies = marks + graph->count + 1;
    int count = 0;
    if (!marks) return -1;
    for (int i = 0; i < options->n_outputs; ++i) wanted[numbers ? numbers[options->outputs[i]] : options->outputs[i]] = true;
    wanted[numbers ? numbers[options->root] : options->root] = true;
    for (int i = graph->count; i >= 1; --i) {
        const cc_node *node = cc_graph_node(graph, i);
        for (int k = 0; wanted[i] && k < node->n_inputs; ++k) wanted[node->inputs[k]] = true;
    }
    for (int i = 1; i <= graph->count; ++i) {
        const cc_node *node = cc_graph_node(graph, i);
        varies[i] = node->kind == CC_INPUT;
        for (int k = 0; k < node->n_inputs; ++k) varies[i] = varies[i] || (node->inputs[k] && varies[node->inputs[k]]);
        count += wanted[i] && varies[i] && cc_node_is(node, &cc_op_transpose);
    }
    cc_free(marks);
    return count;
}

cconv_graph *cc_graph_move_transposes(const cconv_graph *graph, const cc_rewrite_options *options, int *numbers,
                                      cconv_status *status)
{
    *status = CCONV_OK;
    for (int i = 0; i < options->n_wrt;
         ++i) /* whoever reads such a value adds to its gradient: its readers must stay its own */
        if (cc_graph_node(graph, options->wrt[i])->kind == CC_COMPUTED) return NULL;
    const int before = count_transposes(graph, options, NULL);
    if (before < 0) *status = CCONV_NO_MEMORY;
    if (before <= 0) return NULL;
    const size_t nodes = (size_t)graph->count + 1;
    size_t most = nodes + 2 * ((size_t)options->n_outputs + 1); /* nodes there may be: two more for each input or output */
    for (int i = 1; i <= graph->count; ++i) most += 2 * (size_t)cc_graph_node(graph, i)->n_inputs;
    layout l = {.from = graph, .options = options, .to = cconv_graph_new()};
    l.stored = cc_alloc_zero(nodes * sizeof *l.stored);
    l.orders = cc_alloc_zero(nodes * sizeof *l.orders);
    l.leads = cc_alloc_zero(nodes * sizeof *l.leads);
    l.first = cc_alloc_zero(3 * most * sizeof *l.first);
    l.last = l.first ? l.first + most : NULL;
    l.next = l.first ? l.last + most : NULL;
    *status = l.to && l.stored && l.orders && l.leads && l.first ? place_all(&l, numbers) : CCONV_NO_MEMORY;
    const int after = *status == CCONV_OK ? count_transposes(l.to, options, numbers) : -1;
    if (after < 0) *status = CCONV_NO_MEMORY;
    if (after < 0 || after >= before) {
        cconv_graph_free(l.to);
        l.to = NULL;
    }
    cc_free(l.stored);
    cc_free(l.orders);
    cc_free(l.leads);
    cc_free(l.first);
    return l.to;
}
