/* What a graph is made of. Nodes stand in the order they were added, so every node comes after its inputs. */
#ifndef CC_GRAPH_H
#define CC_GRAPH_H

#include "ops/op.h"
#include "base/variable.h"

typedef enum cc_kind { CC_INPUT, CC_VARIABLE, CC_CONSTANT, CC_COMPUTED } cc_kind;

typedef struct cc_node {
    cc_kind kind;
    int draw; /* of a random op: its number, from 1, among those of the graph it was first added to. Random
                                 numbers depend on it, so that they do not change with what else a graph holds; else 0 */
    char *name;
    bool fixed;               /* it depends on variables and constants only */
    cc_shape shape;           /* with CC_UNKNOWN sizes */
    cconv_variable *variable; /* of CC_VARIABLE and CC_CONSTANT */
    const cc_op *op;          /* of CC_COMPUTED, as all that follows */
    void *attributes;
    int n_inputs;
    int *inputs; /* node numbers; 0: absent */
} cc_node;

typedef struct cc_named_output {
    char *name;
    int node;
} cc_named_output;

struct cconv_graph {
    cc_node *nodes; /* nodes[i - 1] is node i */
    cc_named_output *outputs;
    int n_outputs;
    int count, capacity;
    int n_inputs;        /* CC_INPUT nodes */
    int n_draws;         /* random ops */
    cconv_status status; /* of the first call that failed, and its text */
    char error[640];
};

static inline const cc_node *cc_graph_node(const cconv_graph *graph, int node)
{
    return &graph->nodes[node - 1];
}

/* Whether there is such a node; else the sentence says so. */
bool cc_graph_has(const cconv_graph *graph, int node);

/* Appends a copy of a node (of this graph or another), with inputs that are numbers in this graph. Returns its number or 0. */
int cc_graph_copy(cconv_graph *graph, const cc_node *node, const char *name);

/* Finds the values on a differentiable path from a node of wrt to the root: those whose gradients the backward pass computes.
 * requires_gradient has count + 1 entries, indexed by node number, and so has `reached`, which is scratch. */
void cc_requires_gradient(const cconv_graph *graph, int root, int n_wrt, const int *wrt, bool *requires_gradient,
                          bool *reached);

#endif
