/* What depends on variables only: folded weights (a batch normalization's scale in a convolution's kernel) and packed ones.
 * Both are results of constant steps, which a run leaves out while the variables are what they were.
 *
 * A variable's version grows with every change. The version of a constant step is the sum of the versions of what it reads,
 * and that of the value it computes: sums of numbers that only grow differ as soon as one of them has grown. Versions are read
 * before the run and raised when a change is complete: what was derived while another thread wrote is derived once more. */
#include "plan/plan.h"

/* Whether what a node computes is the same in every run until a variable changes. */
static bool is_constant(const cconv_plan *plan, int i)
{
    const cc_node *node = cc_graph_node(plan->graph, i);
    const cc_value *value = &plan->values[i];
    if (node->kind != CC_COMPUTED || !value->forward || value->requires_gradient || (node->op->flags & CC_RANDOM) ||
        node->op->update)
        return false;
    for (int k = 0; k < node->n_inputs; ++k) {
        const int x = node->inputs[k];
        if (x && !cc_graph_node(plan->graph, x)->variable && !plan->values[x].constant) return false;
    }
    return true;
}

void cc_plan_constants(cconv_plan *plan)
{
    for (int i = 1; i <= plan->graph->count; ++i) plan->values[i].constant = is_constant(plan, i);
}

bool cc_plan_packs_once(const cconv_plan *plan, int i)
{
    const cc_node *node = cc_graph_node(plan->graph, i);
    const int w = node->inputs[node->op->weights];
    if (!cc_graph_node(plan->graph, w)->variable) return plan->values[w].constant;
    return !plan->values[w].requires_gradient || !plan->values[w].wrt;
}

static uint64_t version_of(const cconv_plan *plan, int i)
{
    cconv_variable *variable = cc_graph_node(plan->graph, i)->variable;
    return variable ? cc_variable_version(variable) : plan->values[i].version;
}

/* Whether a step reads its node's input k. */
static bool constant_reads(const cc_node *node, const cc_step *step, int k)
{
    return node->inputs[k] && (step->kind != CC_PACK || k == node->op->weights);
}

void cc_plan_due(cconv_plan *plan)
{
    for (int t = 0; t < plan->n_steps; ++t) {
        cc_step *step = &plan->steps[t];
        if (!step->constant) continue;
        const cc_node *node = cc_graph_node(plan->graph, step->node);
        uint64_t version = 0;
        for (int k = 0; k < node->n_inputs; ++k)
            if (constant_reads(node, step, k)) version += version_of(plan, node->inputs[k]);
        step->due = step->version == 0 || step->version != version;
        step->version = version;
        if (step->kind == CC_FORWARD) plan->values[step->node].version = version, plan->values[step->node].reread = false;
    }
    /* A value that only constant steps read has lost its bytes since: who reads it needs it computed. */
    for (int t = plan->n_steps - 1; t >= 0; --t) {
        cc_step *step = &plan->steps[t];
        if (!step->constant) continue;
        const cc_node *node = cc_graph_node(plan->graph, step->node);
        if (step->kind == CC_FORWARD && plan->values[step->node].reread) step->due = true;
        for (int k = 0; step->due && k < node->n_inputs; ++k)
            if (constant_reads(node, step, k) && !plan->values[node->inputs[k]].lasting)
                plan->values[node->inputs[k]].reread = true;
    }
}

void cc_plan_forget(cconv_plan *plan)
{
    for (int t = 0; t < plan->n_steps; ++t) plan->steps[t].version = 0;
}
