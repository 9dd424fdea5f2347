/* Whether a graph with open sizes is the model for other sizes than those that it was made of (see open.c). Those halve five times,
 * as models of images like them: what a model does to others, such as padding them, is not in it. So the model is read once more,
 * with sizes that halve never. Where it cannot be, or the graph with open sizes refuses these, a run would refuse them, too. Where
 * both take them, they have to be the same. */
#include "onnx/reading.h"
#include <string.h>

enum { TEXT = 2048 };

/* The graph with the sizes that the inputs of `like` have; each node has its number. NULL: they do not go. */
static cconv_graph *closed(const cconv_graph *open, const cconv_graph *like)
{
    cconv_graph *to = cconv_graph_new();
    int input = 0;
    bool fine = to != NULL;
    for (int i = 1; fine && i <= open->count; ++i) {
        const cc_node *node = cc_graph_node(open, i);
        char text[TEXT];
        int made = 0;
        if (node->kind == CC_INPUT) {
            while (++input <= like->count && cc_graph_node(like, input)->kind != CC_INPUT) continue;
            if (input <= like->count) {
                const cc_shape *shape = &cc_graph_node(like, input)->shape;
                made = cconv_graph_input(to, node->name, shape->type, shape->rank, shape->dim);
            }
        } else if (node->kind != CC_COMPUTED)
            made = cc_graph_copy(to, node, node->name);
        else if (cconv_graph_attributes(open, i, text, TEXT) < TEXT)
            made = cconv_graph_add(to, node->op->name, node->name, node->n_inputs, node->inputs, text);
        fine = made == i;
    }
    if (fine) return to;
    cconv_graph_free(to);
    return NULL;
}

static bool same_values(const cc_node *a, const cc_node *b)
{
    return a->shape.type == b->shape.type && cc_shape_equal(&a->shape, &b->shape) &&
           memcmp(a->variable->data, b->variable->data, cc_shape_bytes(&a->shape)) == 0;
}

static bool same_attributes(const cconv_graph *a, const cconv_graph *b, int number)
{
    char of_a[TEXT], of_b[TEXT];
    const size_t length = cconv_graph_attributes(a, number, of_a, TEXT);
    return length == cconv_graph_attributes(b, number, of_b, TEXT) && length < TEXT && strcmp(of_a, of_b) == 0;
}

/* Whether what does not depend on the sizes of a and b does not depend on those of c either. */
static bool same_node(const cconv_graph *a, const cconv_graph *b, const cconv_graph *c, int number)
{
    const cc_node *x = cc_graph_node(a, number), *y = cc_graph_node(b, number), *z = cc_graph_node(c, number);
    if (z->kind != x->kind || z->op != x->op || z->n_inputs != x->n_inputs ||
        (x->n_inputs && memcmp(x->inputs, z->inputs, (size_t)x->n_inputs * sizeof *x->inputs) != 0))
        return false;
    if (x->kind == CC_CONSTANT) return !same_values(x, y) || same_values(x, z);
    return x->kind != CC_COMPUTED || !same_attributes(a, b, number) || same_attributes(a, c, number);
}

bool onnx_open_fits(const cconv_graph *a, const cconv_graph *b, const cconv_graph *c, const cconv_graph *joined,
                    const int *numbers)
{
    cconv_graph *here = closed(joined, c);
    if (!here) return true;
    int number = c->count == a->count ? 1 : 0;
    for (; number && number <= a->count; ++number) {
        if (!numbers[number]) continue;
        const cc_shape *shape = &cc_graph_node(here, numbers[number])->shape;
        if (!same_node(a, b, c, number) || !cc_shape_equal(shape, &cc_graph_node(c, number)->shape)) break;
    }
    cconv_graph_free(here);
    if (number > a->count) return true;
    cc_fail(CCONV_UNSUPPORTED,
            "what the model does to images depends on sizes that the file leaves open%s%s%s: give the sizes of the inputs when "
            "loading",
            number ? ", at node '" : "", number ? cc_graph_node(a, number)->name : "", number ? "'" : "");
    return false;
}
