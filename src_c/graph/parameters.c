/* The variables of a graph, by number and by name. */
#include "graph/graph.h"
#include <string.h>

/* Whether an op changes this variable by itself: a moving average, what assign sets. */
static bool is_updated(const cconv_graph *graph, const cconv_variable *variable)
{
    for (int i = 1; i <= graph->count; ++i) {
        const cc_node *node = cc_graph_node(graph, i);
        if (node->kind != CC_COMPUTED || !node->op->updates) continue;
        for (int k = 0; k < node->n_inputs; ++k)
            if (node->inputs[k] && cc_reads(node->op->updates, k) &&
                cc_graph_node(graph, node->inputs[k])->variable == variable)
                return true;
    }
    return false;
}

static bool is_first(const cconv_graph *graph, int node)
{
    for (int i = 1; i < node; ++i)
        if (cc_graph_node(graph, i)->variable == cc_graph_node(graph, node)->variable) return false;
    return true;
}

int cconv_graph_parameters(const cconv_graph *graph, int trainable, int *nodes, int size)
{
    int found = 0;
    if (!graph) {
        cc_fail(CCONV_INVALID, "parameters: expected a graph, received NULL");
        return 0;
    }
    for (int i = 1; i <= graph->count; ++i) {
        const cc_node *node = cc_graph_node(graph, i);
        if (node->kind != CC_VARIABLE || !is_first(graph, i) || (trainable && is_updated(graph, node->variable))) continue;
        if (nodes && found < size) nodes[found] = i;
        ++found;
    }
    return found;
}

cconv_variable *cconv_graph_parameter(const cconv_graph *graph, const char *name)
{
    if (!graph || !name) {
        cc_fail(CCONV_INVALID, "parameter: expected a graph and a name, received NULL");
        return NULL;
    }
    bool another = false; /* a node that is no variable has the name */
    for (int i = graph->count; i >= 1; --i) {
        const cc_node *node = cc_graph_node(graph, i);
        if (strcmp(node->name, name) != 0) continue;
        if (node->kind == CC_VARIABLE) return node->variable;
        another = true;
    }
    cc_fail(CCONV_INVALID,
            another ? "expected the name of a variable, received '%s', which is another node's"
                    : "the graph has no variable '%s'",
            name);
    return NULL;
}
