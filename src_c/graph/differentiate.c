/* Where in a graph gradients flow: through float32 values only. Reverse-mode differentiation itself is the ops' backward functions,
 * called by the plan in reverse order of the nodes (Baydin et al., "Automatic differentiation in machine learning: a survey",
 * section 3.2). */
#include "graph/graph.h"
#include <string.h>

void cc_requires_gradient(const cconv_graph *graph, int root, int n_wrt, const int *wrt, bool *requires_gradient, bool *reached)
{
    memset(requires_gradient, 0, ((size_t)graph->count + 1) * sizeof *requires_gradient);
    if (!root) return;

    /* Upwards: which values depend on a node of wrt? Marked in requires_gradient. */
    for (int i = 0; i < n_wrt; ++i) requires_gradient[wrt[i]] = wrt[i] <= root;
    for (int i = 1; i <= root; ++i) {
        const cc_node *node = cc_graph_node(graph, i);
        if (node->kind != CC_COMPUTED || !node->op->backward || node->shape.type != CCONV_FLOAT32) continue;
        for (int k = 0; k < node->n_inputs; ++k)
            if (node->inputs[k] && requires_gradient[node->inputs[k]]) requires_gradient[i] = true;
    }

    /* Downwards: of those, keep what the root depends on. When node i is looked at, all its consumers are decided; it stays if one
     * of them stays. */
    memset(reached, 0, ((size_t)graph->count + 1) * sizeof *reached);
    reached[root] = true;
    for (int i = root; i >= 1; --i) {
        const cc_node *node = cc_graph_node(graph, i);
        requires_gradient[i] = requires_gradient[i] && reached[i];
        if (!requires_gradient[i] || node->kind != CC_COMPUTED || !node->op->backward) continue;
        for (int k = 0; k < node->n_inputs; ++k) reached[node->inputs[k]] = true;
    }
}
