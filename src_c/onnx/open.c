/* Sizes that a file leaves open. A model is read with every size known, which makes reading simple: shapes are numbers, and what is
 * computed of them is, too. With open sizes it is read twice, with other numbers in their places, and the two graphs are laid over
 * each other. What is the same in both does not depend on an open size. What differs must be something that an op can follow by
 * itself: a size of an input, a place in the shape of a reshape that is what is left or what the input has there, an axis that
 * broadcasting leaves as it is, a slice up to the end. */
#include "base/alloc.h"
#include "onnx/reading.h"
#include "ops/axes.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 2048, MOST_NUMBERS = 2 * CCONV_MAX_RANK };

typedef struct pair { /* a node in both graphs, and what it becomes */
    const cconv_graph *a, *b;
    int number;
    char attributes[TEXT];
} pair;

static bool differs(const pair *p, const char *what)
{
    const cc_node *node = cc_graph_node(p->a, p->number);
    cc_fail(CCONV_UNSUPPORTED,
            "node '%s' (%s) depends on a size that the file leaves open, by its %s: give the sizes of the inputs when loading",
            node->name, node->op ? node->op->name : "a constant", what);
    return false;
}

/* ---- Attributes ---------------------------------------------------------------------------------------------------------- */

typedef struct numbers {
    int n;
    long long v[MOST_NUMBERS];
} numbers;

static bool read_numbers(const char *text, size_t length, numbers *list)
{
    list->n = 0;
    for (const char *end = text + length; text < end;) {
        char *next;
        if (list->n == MOST_NUMBERS) return false;
        list->v[list->n++] = strtoll(text, &next, 10);
        if (next == text || (next < end && *next != ',')) return false;
        text = next + 1;
    }
    return true;
}

static const cc_shape *input_shape(const cconv_graph *graph, int number)
{
    return &cc_graph_node(graph, cc_graph_node(graph, number)->inputs[0])->shape;
}

/* The shape of a reshape: 0 stands for the size that the input has at this place, one -1 for what is left. */
static bool join_reshape(const pair *p, const numbers *a, const numbers *b, numbers *to)
{
    const cc_shape *xa = input_shape(p->a, p->number), *xb = input_shape(p->b, p->number);
    int left = 0;
    for (int k = 0; k < a->n; ++k) left += a->v[k] == -1;
    for (int k = 0; k < a->n; ++k) {
        to->v[k] = a->v[k];
        if (a->v[k] == b->v[k]) continue;
        if (k < xa->rank && xa->dim[k] == a->v[k] && xb->dim[k] == b->v[k])
            to->v[k] = 0;
        else if (left++ == 0)
            to->v[k] = -1;
        else
            return false;
    }
    return true;
}

/* A place of broadcast_to, by the last axes: -1 stands for the size that the input has there. */
static bool join_broadcast(const pair *p, const numbers *a, const numbers *b, numbers *to)
{
    const cc_shape *xa = input_shape(p->a, p->number), *xb = input_shape(p->b, p->number);
    for (int k = 0; k < a->n; ++k) {
        const int axis = k - a->n + xa->rank;
        to->v[k] = a->v[k];
        if (a->v[k] == b->v[k]) continue;
        if (axis < 0 || xa->dim[axis] != a->v[k] || xb->dim[axis] != b->v[k]) return false;
        to->v[k] = -1;
    }
    return true;
}

/* A size of a slice that ends as far from the end in both: -1 - k reaches to k before it. */
static bool join_slice(const pair *p, const numbers *a, const numbers *b, numbers *to)
{
    const cc_shape *xa = input_shape(p->a, p->number), *xb = input_shape(p->b, p->number);
    const cc_slice_attributes *of_a = cc_graph_node(p->a, p->number)->attributes;
    const cc_slice_attributes *of_b = cc_graph_node(p->b, p->number)->attributes;
    for (int k = 0; k < a->n; ++k) {
        to->v[k] = a->v[k];
        if (a->v[k] == b->v[k]) continue;
        const int64_t begin_a = of_a->begin.v[k], begin_b = of_b->begin.v[k];
        if (begin_a != begin_b || begin_a < 0 || a->v[k] < 0 || b->v[k] < 0) return false;
        const int64_t left = xa->dim[k] - begin_a - a->v[k];
        if (xb->dim[k] - begin_b - b->v[k] != left) return false;
        to->v[k] = -1 - left;
    }
    return true;
}

/* One "name=value" of both graphs. */
static bool join_attribute(const pair *p, const char *a, size_t length_a, const char *b, size_t length_b, cc_writer *w)
{
    numbers from_a, from_b, to;
    const cc_op *op = cc_graph_node(p->a, p->number)->op;
    const char *value = memchr(a, '=', length_a);
    const size_t name = value ? (size_t)(value - a) + 1 : 0;
    char text[64];
    if (length_a == length_b && memcmp(a, b, length_a) == 0) {
        cc_put(w, "%.*s ", (int)length_a, a);
        return true;
    }
    snprintf(text, sizeof text, "attribute %.*s", (int)(name ? name - 1 : 0), a);
    if (!name || length_b < name || memcmp(a, b, name) != 0 || !read_numbers(a + name, length_a - name, &from_a) ||
        !read_numbers(b + name, length_b - name, &from_b) || from_a.n != from_b.n)
        return differs(p, text);
    const bool joined = strcmp(op->name, "reshape") == 0        ? join_reshape(p, &from_a, &from_b, &to)
                        : strcmp(op->name, "broadcast_to") == 0 ? join_broadcast(p, &from_a, &from_b, &to)
                        : strcmp(op->name, "slice") == 0 && strncmp(a, "size=", name) == 0
                            ? join_slice(p, &from_a, &from_b, &to)
                            : false;
    if (!joined) return differs(p, text);
    cc_put(w, "%.*s", (int)name, a);
    for (int k = 0; k < from_a.n; ++k) cc_put(w, k ? ",%lld" : "%lld", to.v[k]);
    cc_put(w, " ");
    return true;
}

static bool join_attributes(pair *p)
{
    char a[TEXT], b[TEXT];
    const size_t length_a = cconv_graph_attributes(p->a, p->number, a, sizeof a);
    const size_t length_b = cconv_graph_attributes(p->b, p->number, b, sizeof b);
    cc_writer w = cc_writer_in(p->attributes, TEXT);
    if (length_a >= TEXT || length_b >= TEXT) return differs(p, "attributes");
    const char *from_a = a, *from_b = b;
    while (*from_a && *from_b) {
        const size_t end_a = strcspn(from_a, " "), end_b = strcspn(from_b, " ");
        if (!join_attribute(p, from_a, end_a, from_b, end_b, &w)) return false;
        from_a += end_a + strspn(from_a + end_a, " ");
        from_b += end_b + strspn(from_b + end_b, " ");
    }
    return (!*from_a && !*from_b && w.length < TEXT) || differs(p, "attributes");
}

/* ---- Graphs -------------------------------------------------------------------------------------------------------------- */

static bool same_constant(const cc_node *a, const cc_node *b)
{
    return cc_shape_equal(&a->shape, &b->shape) && a->shape.type == b->shape.type &&
           memcmp(a->variable->data, b->variable->data, cc_shape_bytes(&a->shape)) == 0;
}

/* Adds what the two nodes are in common; false: there is nothing. */
static bool join_node(pair *p, cconv_graph *to)
{
    const cc_node *a = cc_graph_node(p->a, p->number), *b = cc_graph_node(p->b, p->number);
    if (a->kind != b->kind || a->op != b->op || a->n_inputs != b->n_inputs || a->shape.rank != b->shape.rank ||
        (a->n_inputs && memcmp(a->inputs, b->inputs, (size_t)a->n_inputs * sizeof *a->inputs) != 0))
        return differs(p, "place in the graph");
    switch (a->kind) {
    case CC_INPUT: {
        int64_t dim[CCONV_MAX_RANK];
        for (int k = 0; k < a->shape.rank; ++k) dim[k] = a->shape.dim[k] == b->shape.dim[k] ? a->shape.dim[k] : CC_UNKNOWN;
        return cconv_graph_input(to, a->name, a->shape.type, a->shape.rank, dim) != 0;
    }
    case CC_VARIABLE:
        if (a->variable != b->variable) return differs(p, "variable");
        return cc_graph_copy(to, a, a->name) != 0;
    case CC_CONSTANT: return same_constant(a, b) ? cc_graph_copy(to, a, a->name) != 0 : differs(p, "values");
    default:
        if (!join_attributes(p)) return false;
        return cconv_graph_add(to, a->op->name, a->name, a->n_inputs, a->inputs, p->attributes) != 0;
    }
}

/* Whether the node's shape is open just where the two differ: else it follows an open size in another way than they do. */
static bool follows(const pair *p, const cconv_graph *to)
{
    const cc_shape *a = &cc_graph_node(p->a, p->number)->shape, *b = &cc_graph_node(p->b, p->number)->shape;
    const cc_shape *joined = &cc_graph_node(to, p->number)->shape;
    for (int k = 0; k < a->rank; ++k)
        if (joined->dim[k] != CC_UNKNOWN && (joined->dim[k] != a->dim[k] || joined->dim[k] != b->dim[k])) return false;
    return joined->rank == a->rank;
}

/* Marks what the outputs of either graph need. */
static void mark_wanted(const cconv_graph *a, const cconv_graph *b, bool *wanted)
{
    for (int i = 0; i < a->n_outputs; ++i) wanted[a->outputs[i].node] = true;
    for (int i = 0; i < b->n_outputs; ++i) wanted[b->outputs[i].node] = true;
    for (int i = a->count; i >= 1; --i)
        for (int k = 0; wanted[i] && k < cc_graph_node(a, i)->n_inputs; ++k) {
            wanted[cc_graph_node(a, i)->inputs[k]] = true;
            if (k < cc_graph_node(b, i)->n_inputs) wanted[cc_graph_node(b, i)->inputs[k]] = true;
        }
    for (int i = 1; i <= a->count; ++i) wanted[i] |= cc_graph_node(a, i)->kind == CC_INPUT;
}

/* Something in the place of a node that nobody reads, so that the others keep their numbers. */
static bool keep_place(const pair *p, cconv_graph *to)
{
    return cconv_graph_constant(to, cc_graph_node(p->a, p->number)->name, CCONV_FLOAT32, 0, NULL, &(float){0}) != 0;
}

cconv_graph *onnx_join_open(const cconv_graph *a, const cconv_graph *b)
{
    pair p = {.a = a, .b = b};
    if (a->count != b->count) {
        cc_fail(CCONV_UNSUPPORTED, "what the model computes depends on sizes that the file leaves open: give the sizes of the "
                                   "inputs when loading");
        return NULL;
    }
    bool *wanted = cc_alloc_zero((uint64_t)a->count + 1);
    cconv_graph *to = wanted ? cconv_graph_new() : NULL;
    if (wanted) mark_wanted(a, b, wanted);
    for (p.number = 1; to && p.number <= a->count; ++p.number) {
        if (!wanted[p.number] ? keep_place(&p, to) : join_node(&p, to) && (follows(&p, to) || differs(&p, "shape"))) continue;
        cconv_graph_free(to);
        to = NULL;
        break;
    }
    cc_free(wanted);
    return to;
}
