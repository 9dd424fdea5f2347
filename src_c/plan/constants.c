/* What depends on variables only: folded weights (a batch normalization's scale in a convolution's kernel) and packed ones.
 * Both are results of constant steps, which a run leaves out while the variables are what they were.
 *
 * A variable's version grows with every change. The version of a constant step is the sum of the versions of what it reads,
 * and that of the value it computes: sums of numbers that only grow differ as soon as one of them has grown. Versions are read
 * before the run and raised when a change is complete: what was derived while another thread wrote is derived once more.
 *
 * What is large is shared by all plans that derive the same of the same variables (derived.h). It is known by a text, of what is
 * computed by which ops down to the variables; its version is that of what wrote it last. */
#include "plan/plan.h"
#include <string.h>

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

/* ---- What plans share --------------------------------------------------------------------------------------------- */

enum { SHARED_BYTES = 64 << 10, KEY = 2048 }; /* the least that is shared, the longest text */

/* How node i's value is computed. The text may grow beyond its place, which ends it: a value may be read many times over. */
static void constants_put_value(const cconv_plan *plan, int i, cc_writer *w)
{
    const cc_node *node = cc_graph_node(plan->graph, i);
    if (w->length >= w->size) return;
    if (node->kind == CC_CONSTANT && cc_shape_bytes(&node->shape) <= 16) { /* each graph has its own */
        char text[CC_SHAPE_TEXT];
        cc_put(w, "%s", cc_shape_text(&node->shape, text));
        const unsigned char *bytes = (const unsigned char *)node->variable->data;
        for (size_t k = 0; k < cc_shape_bytes(&node->shape); ++k) cc_put(w, " %d", bytes[k]);
        return;
    }
    if (node->kind != CC_COMPUTED) {
        cc_put(w, "%p", (void *)node->variable);
        return;
    }
    cc_put(w, "%s%d%d[", node->op->name, plan->training, plan->unchecked);
    cc_attributes_write(node->op->attributes, node->attributes, w);
    cc_put(w, "]");
    for (int k = 0; k < node->n_inputs; ++k) {
        cc_put(w, k ? ", " : "(");
        if (node->inputs[k]) constants_put_value(plan, node->inputs[k], w);
    }
    cc_put(w, ")");
}

/* The place of a step's result, NULL if it is the plan's own. */
static cconv_status constants_share(const cconv_plan *plan, const cc_step *step, uint64_t bytes, cc_derived **derived)
{
    const cc_node *node = cc_graph_node(plan->graph, step->node);
    char key[KEY];
    cc_writer w = cc_writer_in(key, sizeof key);
    if (bytes < SHARED_BYTES || bytes > PTRDIFF_MAX) return CCONV_OK;
    if (step->kind == CC_PACK) {
        cc_put(&w, "%s ", node->op->name);
        if (node->op->packing) node->op->packing(&plan->values[step->node].call, &w);
        cc_put(&w, ": ");
    }
    constants_put_value(plan, step->kind == CC_PACK ? node->inputs[node->op->weights] : step->node, &w);
    if (w.length >= w.size) return CCONV_OK;
    *derived = cc_derived_get(key, (size_t)bytes);
    return *derived ? CCONV_OK : CCONV_NO_MEMORY;
}

static bool constants_uses(const cconv_plan *plan, const cc_derived *derived)
{
    for (int i = 1; i <= plan->graph->count; ++i)
        if (plan->values[i].derived == derived || plan->values[i].packed == derived) return true;
    return false;
}

cconv_status cc_plan_derive(cconv_plan *plan)
{
    for (int t = 0; t < plan->n_steps; ++t) {
        const cc_step *step = &plan->steps[t];
        cc_value *value = &plan->values[step->node];
        if (!step->constant || (step->kind == CC_FORWARD && !value->lasting)) continue;
        cc_derived *derived = NULL;
        CC_TRY(constants_share(plan, step, step->kind == CC_PACK ? value->need.packed : value->bytes, &derived));
        if (derived && !constants_uses(plan, derived)) plan->derived_bytes += derived->bytes;
        if (step->kind == CC_PACK)
            value->packed = derived;
        else
            value->derived = derived;
    }
    return cc_derived_place();
}

void cc_plan_derive_no_more(cconv_plan *plan)
{
    for (int i = 1; plan->values && i <= plan->graph->count; ++i) {
        cc_derived_release(plan->values[i].derived);
        cc_derived_release(plan->values[i].packed);
    }
}

/* ---- What a run must do ------------------------------------------------------------------------------------------- */

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
        cc_derived *derived = cc_plan_derived(plan, step);
        if (derived)
            step->due = cc_derived_version(derived) < version;
        else if (step->kind == CC_FORWARD && !plan->values[step->node].lasting)
            step->due = false; /* unless somebody reads it */
        else
            step->due = step->version == 0 || step->version != version;
        step->version = version;
        if (step->kind == CC_FORWARD) plan->values[step->node].version = version, plan->values[step->node].reread = false;
    }
    /* A value that only constant steps read has lost its bytes since the last run: who reads it needs it computed. */
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

void cc_plan_forget(cconv_plan *plan, int first)
{
    for (int t = first; t < plan->n_steps; ++t) plan->steps[t].version = 0;
}
