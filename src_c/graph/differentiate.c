/* Where in a graph gradients flow. Reverse-mode differentiation itself is the ops' backward functions, called by the plan in reverse
 * order of the nodes (Baydin et al., "Automatic differentiation in machine learning: a survey", section 3.2). */
#include "graph.h"
#include <string.h>

void cc_gradient_flow(const cconv_graph *graph, int root, int n_wrt, const int *wrt, bool *flows)
{
    memset(flows, 0, ((size_t)graph->count + 1) * sizeof *flows);
    if (!root) return;

    /* Upwards: which values depend on a node of wrt? Marked in flows. */
    for (int i = 0; i < n_wrt; ++i) flows[wrt[i]] = wrt[i] <= root;
    for (int i = 1; i <= root; ++i) {
        const cc_node *node = cc_graph_node(graph, i);
        if (node->kind != CC_COMPUTED || !node->op->backward) continue;
        for (int k = 0; k < node->n_inputs; ++k)
            if (node->inputs[k] && flows[node->inputs[k]]) flows[i] = true;
    }

    /* Downwards: of those, keep what the root depends on. When node i is looked at, all its consumers are decided; it stays if one
     * of them stays. */
    for (int i = root - 1; i >= 1; --i) {
        bool reached = false;
        for (int consumer = i + 1; flows[i] && !reached && consumer <= root; ++consumer) {
            const cc_node *node = cc_graph_node(graph, consumer);
            if (!flows[consumer] || node->kind != CC_COMPUTED || !node->op->backward) continue;
            for (int k = 0; k < node->n_inputs; ++k) reached = reached || node->inputs[k] == i;
        }
        flows[i] = flows[i] && reached;
    }
}
