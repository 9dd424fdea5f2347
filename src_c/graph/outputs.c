/* Names in a graph: its outputs, and the nodes themselves. */
#include "base/alloc.h"
#include "graph/graph.h"
#include <string.h>

cconv_status cconv_graph_output(cconv_graph *graph, const char *name, int node)
{
    if (!cc_graph_has(graph, node)) return CCONV_INVALID;
    if (!name) name = cc_graph_node(graph, node)->name;
    for (int i = 0; i < graph->n_outputs; ++i)
        if (strcmp(graph->outputs[i].name, name) == 0)
            return cc_fail(CCONV_INVALID, "output '%s': the graph has an output of this name", name);
    const size_t n = (size_t)graph->n_outputs, length = strlen(name) + 1;
    cc_named_output *outputs = cc_alloc((n + 1) * sizeof *outputs);
    char *copy = cc_alloc(length);
    if (!outputs || !copy) {
        cc_free(outputs);
        cc_free(copy);
        return CCONV_NO_MEMORY;
    }
    memcpy(copy, name, length);
    if (n) memcpy(outputs, graph->outputs, n * sizeof *outputs);
    outputs[n] = (cc_named_output){copy, node};
    cc_free(graph->outputs);
    graph->outputs = outputs;
    ++graph->n_outputs;
    return CCONV_OK;
}

int cconv_graph_output_count(const cconv_graph *graph)
{
    if (!graph) cc_fail(CCONV_INVALID, "expected a graph, received NULL");
    return graph ? graph->n_outputs : 0;
}

static const cc_named_output *find_output(const cconv_graph *graph, int i)
{
    if (graph && i >= 0 && i < graph->n_outputs) return &graph->outputs[i];
    if (!graph)
        cc_fail(CCONV_INVALID, "expected a graph, received NULL");
    else
        cc_fail(CCONV_INVALID, "expected an output of 0 to %d, received %d", graph->n_outputs - 1, i);
    return NULL;
}

int cconv_graph_output_node(const cconv_graph *graph, int i)
{
    const cc_named_output *output = find_output(graph, i);
    return output ? output->node : 0;
}

const char *cconv_graph_output_name(const cconv_graph *graph, int i)
{
    const cc_named_output *output = find_output(graph, i);
    return output ? output->name : NULL;
}

int cconv_graph_find(const cconv_graph *graph, const char *name)
{
    if (!graph || !name) {
        cc_fail(CCONV_INVALID, "find: expected a graph and a name, received NULL");
        return 0;
    }
    for (int i = graph->count; i >= 1; --i)
        if (strcmp(cc_graph_node(graph, i)->name, name) == 0) return i;
    cc_fail(CCONV_INVALID, "the graph has no node '%s'", name);
    return 0;
}
