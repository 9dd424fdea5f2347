/* Sizes that a file leaves open. A model is read with every size known, which makes reading simple: shapes are numbers, and what is
 * computed of them is, too. With open sizes it is read twice, with other numbers in their places, and the two graphs are laid over
 * each other. What is the same in both does not depend on an open size. What differs must be something that an op can follow by
 * itself: a size of an input, a place in the shape of a reshape that is what is left or what the input has somewhere, an axis that
 * broadcasting leaves as it is or repeats as often as an input of the graph is long, a slice up to the end. */
#include "base/alloc.h"
#include "onnx/reading.h"
#include "ops/axes.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 2048, MOST_NUMBERS = 2 * CCONV_MAX_RANK };

typedef struct pair { /* a node in both graphs, and what it becomes */
    const cconv_graph *a, *b;
    cconv_graph *to;
    int *numbers; /* of nodes of `to`, for those of a and b */
    int number;
    int like; /* an input of the graphs whose sizes the attributes ask for; 0: none */
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

/* The shape of a reshape: 0 stands for the size that the input has at this place, one -1 for what is left. Where more than one is
 * open otherwise, -2 - j stands for the size of axis j of the input; these come in the order of its axes. */
static bool join_reshape(const pair *p, const numbers *a, const numbers *b, numbers *to)
{
    const cc_shape *xa = input_shape(p->a, p->number), *xb = input_shape(p->b, p->number);
    int left = 0, open = 0, next = 0;
    for (int k = 0; k < a->n; ++k) {
        const bool here = k < xa->rank && xa->dim[k] == a->v[k] && xb->dim[k] == b->v[k];
        left += a->v[k] == -1;
        open += a->v[k] == -1 || (a->v[k] != b->v[k] && !here);
    }
    for (int k = 0; k < a->n; ++k) {
        int j = next;
        to->v[k] = a->v[k];
        if (a->v[k] == b->v[k]) continue;
        if (k < xa->rank && xa->dim[k] == a->v[k] && xb->dim[k] == b->v[k])
            j = k;
        else if (open == 1)
            j = xa->rank;
        while (j < xa->rank && (xa->dim[j] != a->v[k] || xb->dim[j] != b->v[k])) ++j;
        if (j < xa->rank && j >= next) {
            to->v[k] = j == k ? 0 : -2 - j;
            next = j + 1;
        } else if (left++ == 0)
            to->v[k] = -1;
        else
            return false;
    }
    return true;
}

/* The only axis of the graphs' inputs that has these two sizes, of input *like where that is given: as -2 - axis. 0: there is none,
 * or several. */
static int find_axis(const pair *p, int64_t of_a, int64_t of_b, int *like)
{
    int found = 0, at = 0, n = 0;
    for (int i = 1; i <= p->a->count; ++i) { /* inputs come first */
        const cc_node *a = cc_graph_node(p->a, i), *b = cc_graph_node(p->b, i);
        if (a->kind != CC_INPUT || b->kind != CC_INPUT) break;
        if (a->shape.rank != b->shape.rank) continue;
        for (int k = 0; k < a->shape.rank; ++k) {
            if (a->shape.dim[k] != of_a || b->shape.dim[k] != of_b) continue;
            found = -2 - k;
            at = i;
            ++n;
        }
    }
    if (n != 1 || (*like && *like != at)) return 0;
    *like = at;
    return found;
}

/* A place of broadcast_to, by the last axes: -1 stands for the size that the input has there, -2 - j for axis j of an input of the
 * graph, where the value is repeated. */
static bool join_broadcast(pair *p, const numbers *a, const numbers *b, numbers *to)
{
    const cc_shape *xa = input_shape(p->a, p->number), *xb = input_shape(p->b, p->number);
    for (int k = 0; k < a->n; ++k) {
        const int axis = k - a->n + xa->rank;
        to->v[k] = a->v[k];
        if (a->v[k] == b->v[k]) continue;
        if (axis >= 0 && xa->dim[axis] == a->v[k] && xb->dim[axis] == b->v[k])
            to->v[k] = -1;
        else if ((to->v[k] = find_axis(p, a->v[k], b->v[k], &p->like)) == 0)
            return false;
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
static bool join_attribute(pair *p, const char *a, size_t length_a, const char *b, size_t length_b, cc_writer *w)
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
    p->like = 0;
    while (*from_a && *from_b) {
        const size_t end_a = strcspn(from_a, " "), end_b = strcspn(from_b, " ");
        if (!join_attribute(p, from_a, end_a, from_b, end_b, &w)) return false;
        from_a += end_a + strspn(from_a + end_a, " ");
        from_b += end_b + strspn(from_b + end_b, " ");
    }
    return (!*from_a && !*from_b && w.length < TEXT) || differs(p, "attributes");
}

/* ---- Graphs -------------------------------------------------------------------------------------------------------------- */

/* Whether all elements along axes (bits) of a value are those that stand at 0 there. */
static bool repeats(const cc_node *node, unsigned axes)
{
    const cc_shape *shape = &node->shape;
    const float *data = node->variable->data; /* four bytes each, whatever they are */
    const int64_t count = cc_shape_count(shape);
    int64_t stride[CCONV_MAX_RANK], step = 1;
    for (int k = shape->rank - 1; k >= 0; --k) {
        stride[k] = step;
        step *= shape->dim[k];
    }
    for (int64_t i = 0; i < count; ++i) {
        int64_t first = i;
        for (int k = 0; k < shape->rank; ++k)
            if (axes >> k & 1u) first -= i / stride[k] % shape->dim[k] * stride[k];
        if (memcmp(data + i, data + first, sizeof *data) != 0) return false;
    }
    return true;
}

/* The elements of a constant at 0 along axes that have size 1 in `shape`. NULL without memory. */
static float *take_first(const cc_node *node, const cc_shape *shape)
{
    const int64_t count = cc_shape_count(shape);
    float *data = cc_alloc((uint64_t)count * sizeof *data);
    for (int64_t i = 0; data && i < count; ++i) {
        int64_t from = 0, rest = i, stride = 1;
        for (int k = shape->rank - 1; k >= 0; --k) {
            from += rest % shape->dim[k] * stride;
            rest /= shape->dim[k];
            stride *= node->shape.dim[k];
        }
        memcpy(data + i, node->variable->data + from, sizeof *data);
    }
    return data;
}

/* A constant of what is the same in both at 0 along axes that have size 1 in `shape`. 0: they differ, or there is no memory. */
static int join_first(const pair *p, const cc_shape *shape)
{
    const cc_node *a = cc_graph_node(p->a, p->number), *b = cc_graph_node(p->b, p->number);
    const int64_t count = cc_shape_count(shape);
    float *of_a = take_first(a, shape), *of_b = take_first(b, shape);
    int node = 0;
    if (of_a && of_b && memcmp(of_a, of_b, (size_t)count * sizeof *of_a) != 0)
        differs(p, "values");
    else if (of_a && of_b) {
        uint8_t *bools = (uint8_t *)of_a; /* of the same memory, from its front */
        for (int64_t i = 0; shape->type == CCONV_BOOL && i < count; ++i) bools[i] = of_b[i] != 0;
        node = cconv_graph_constant(p->to, a->name, shape->type, shape->rank, shape->dim, of_a);
    }
    cc_free(of_a);
    cc_free(of_b);
    return node;
}

/* A constant that is the same in both, or that repeats along open axes what is the same in both. 0: a failure. */
static int join_constant(pair *p)
{
    const cc_node *a = cc_graph_node(p->a, p->number), *b = cc_graph_node(p->b, p->number);
    const bool same_type = a->shape.type == b->shape.type;
    if (same_type && cc_shape_equal(&a->shape, &b->shape) &&
        memcmp(a->variable->data, b->variable->data, cc_shape_bytes(&a->shape)) == 0)
        return cc_graph_copy(p->to, a, a->name);
    cc_shape once = a->shape;
    int64_t sizes[CCONV_MAX_RANK];
    unsigned open = 0;
    bool fits = same_type;
    p->like = 0;
    for (int k = 0; fits && k < a->shape.rank; ++k) {
        sizes[k] = -1;
        if (a->shape.dim[k] == b->shape.dim[k]) continue;
        sizes[k] = find_axis(p, a->shape.dim[k], b->shape.dim[k], &p->like);
        fits = sizes[k] != 0;
        open |= 1u << k;
        once.dim[k] = 1;
    }
    if (!fits || !open || !repeats(a, open) || !repeats(b, open)) return differs(p, "values");
    const int inputs[2] = {join_first(p, &once), p->numbers[p->like]};
    char text[256];
    onnx_list_text(text, "shape", once.rank, sizes);
    return inputs[0] ? cconv_graph_add(p->to, "broadcast_to", a->name, 2, inputs, text) : 0;
}

static int join_computed(pair *p)
{
    const cc_node *a = cc_graph_node(p->a, p->number);
    if (!join_attributes(p)) return 0;
    int *inputs = cc_alloc(((uint64_t)a->n_inputs + 1) * sizeof *inputs);
    if (!inputs) return 0;
    for (int k = 0; k < a->n_inputs; ++k) inputs[k] = a->inputs[k] ? p->numbers[a->inputs[k]] : 0;
    inputs[a->n_inputs] = p->numbers[p->like];
    const int node = cconv_graph_add(p->to, a->op->name, a->name, a->n_inputs + (p->like ? 1 : 0), inputs, p->attributes);
    cc_free(inputs);
    return node;
}

/* Adds what the two nodes are in common. Returns the node; 0: there is nothing. */
static int join_node(pair *p)
{
    const cc_node *a = cc_graph_node(p->a, p->number), *b = cc_graph_node(p->b, p->number);
    if (a->kind != b->kind || a->op != b->op || a->n_inputs != b->n_inputs || a->shape.rank != b->shape.rank ||
        (a->n_inputs && memcmp(a->inputs, b->inputs, (size_t)a->n_inputs * sizeof *a->inputs) != 0))
        return differs(p, "place in the graph");
    switch (a->kind) {
    case CC_INPUT: {
        int64_t dim[CCONV_MAX_RANK];
        for (int k = 0; k < a->shape.rank; ++k) dim[k] = a->shape.dim[k] == b->shape.dim[k] ? a->shape.dim[k] : CC_UNKNOWN;
        return cconv_graph_input(p->to, a->name, a->shape.type, a->shape.rank, dim);
    }
    case CC_VARIABLE: return a->variable == b->variable ? cc_graph_copy(p->to, a, a->name) : differs(p, "variable");
    case CC_CONSTANT: return join_constant(p);
    default: return join_computed(p);
    }
}

/* Whether the node's shape is open just where the two differ: else it follows an open size in another way than they do. */
static bool follows(const pair *p)
{
    const cc_shape *a = &cc_graph_node(p->a, p->number)->shape, *b = &cc_graph_node(p->b, p->number)->shape;
    const cc_shape *joined = &cc_graph_node(p->to, p->numbers[p->number])->shape;
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

cconv_graph *onnx_join_open(const cconv_graph *a, const cconv_graph *b, int *joined)
{
    pair p = {.a = a, .b = b, .numbers = joined};
    if (a->count != b->count) {
        cc_fail(CCONV_UNSUPPORTED, "what the model computes depends on sizes that the file leaves open: give the sizes of the "
                                   "inputs when loading");
        return NULL;
    }
    bool *wanted = cc_alloc_zero((uint64_t)a->count + 1);
    p.to = wanted ? cconv_graph_new() : NULL;
    if (wanted) mark_wanted(a, b, wanted);
    memset(joined, 0, ((size_t)a->count + 1) * sizeof *joined);
    for (p.number = 1; p.to && p.number <= a->count; ++p.number) {
        if (!wanted[p.number]) continue;
        joined[p.number] = join_node(&p);
        if (joined[p.number] && (follows(&p) || differs(&p, "shape"))) continue;
        cconv_graph_free(p.to);
        p.to = NULL;
    }
    cc_free(wanted);
    return p.to;
}
