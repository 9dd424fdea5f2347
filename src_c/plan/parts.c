/* Values that lie in others. What a node joins along the last axis of its value (cc_need.parts) is written there by the ops that
 * compute it, where they can (cc_need.pitched), instead of being copied there: no gradient is asked for, nobody else reads the
 * part, and neither it nor the whole lies in the caller's memory or outlives the run. */
#include "plan/plan.h"

static bool parts_fit(const cconv_plan *plan, int i)
{
    const cc_value *value = &plan->values[i];
    return cc_graph_node(plan->graph, i)->kind == CC_COMPUTED && value->forward && !value->constant && !value->output &&
           !value->requires_gradient && i != plan->root;
}

/* Marks node x as a part of node i. */
static void parts_mark(cconv_plan *plan, int i, int x, int64_t before)
{
    cc_value *value = &plan->values[x];
    if (!parts_fit(plan, x) || !value->need.pitched || value->readers != 1) return;
    value->whole = i;
    value->part = before;
}

void cc_plan_parts(cconv_plan *plan)
{
    for (int t = 0; t < plan->n_steps; ++t) /* who computes a value by blocks of rows writes it side by side */
        if (plan->steps[t].kind == CC_FORWARD && plan->steps[t].rows) plan->values[plan->steps[t].node].need.pitched = false;
    for (int i = 1; i <= plan->graph->count; ++i) {
        const cc_node *node = cc_graph_node(plan->graph, i);
        if (!plan->values[i].need.parts || !parts_fit(plan, i)) continue;
        int64_t before = 0;
        for (int k = 0; k < node->n_inputs; ++k) {
            const cc_shape *xs = &plan->values[node->inputs[k]].shape;
            parts_mark(plan, i, node->inputs[k], before);
            before += xs->dim[xs->rank - 1];
        }
    }
}
