/* The order of work: forward, backward, and where among it variables change.
 *
 * With gradients of EARLY_BYTES in all, the optimizer does not wait for the last of them. A variable is updated as soon as its
 * gradient is complete and nothing reads the variable any more, and the gradient's memory is free for others; small variables
 * wait until there are GROUP_BYTES of them, for each step costs a barrier. The gradient of a large matrix that one op reads is
 * never whole: the op hands on a few rows at a time (CC_BY_ROWS). The price: from the first update on a run can no longer be
 * interrupted. Results are the same bit for bit. */
#include "base/alloc.h"
#include "plan/plan.h"
#include <limits.h>
#include <string.h>

enum { EARLY_BYTES = 16 << 20, GROUP_BYTES = 1 << 20 };

/* ---- What the optimizer changes ----------------------------------------------------------------------------------- */

static int64_t steps_bytes_of(const cc_update *update)
{
    return update->count * (int64_t)sizeof(float);
}

/* Whether a node is what an update changes: the variable, or one of the optimizer's own. */
static bool changes(const cc_update *update, const cc_node *node)
{
    if (!node->variable || node->variable == update->variable) return node->variable != NULL;
    for (int s = 0; s < CC_MAX_SLOTS; ++s)
        if (update->slots[s] == node->variable) return true;
    return false;
}

static void take(const cc_sink *sink, const float *gradient, int64_t first, int64_t count)
{
    const cc_applied *applied = (const cc_applied *)sink; /* its first member */
    cc_optimizer_apply(applied->optimizer, &applied->update, gradient, first, count);
}

/* The node whose backward step alone reads the variable of an update, as a matrix whose gradient it can give by rows; or 0. */
static int by_rows(const cconv_plan *plan, int u)
{
    int reader = 0, readers = 0;
    if (steps_bytes_of(&plan->updates[u]) < GROUP_BYTES || plan->update_nodes[u] == plan->root) return 0;
    for (int i = 1; i <= plan->graph->count; ++i) {
        const cc_node *node = cc_graph_node(plan->graph, i);
        for (int k = 0; k < node->n_inputs; ++k) {
            if (!node->inputs[k] || !changes(&plan->updates[u], cc_graph_node(plan->graph, node->inputs[k]))) continue;
            ++readers;
            if (k == node->op->weights && node->inputs[k] == plan->update_nodes[u] && (node->op->flags & CC_BY_ROWS) &&
                plan->values[i].requires_gradient)
                reader = i;
        }
    }
    return readers == 1 ? reader : 0;
}

/* The variables are those of wrt that the root depends on, each once. */
cconv_status cc_plan_updates(cconv_plan *plan)
{
    if (!plan->optimizer) return CCONV_OK;
    int64_t bytes = 0;
    plan->updates = cc_plan_table(plan, (size_t)plan->n_wrt, sizeof *plan->updates);
    plan->update_nodes = cc_plan_table(plan, (size_t)plan->n_wrt, sizeof *plan->update_nodes);
    plan->applied = cc_plan_table(plan, (size_t)plan->n_wrt, sizeof *plan->applied);
    if (!plan->updates || !plan->update_nodes || !plan->applied) return CCONV_NO_MEMORY;
    for (int i = 0; i < plan->n_wrt; ++i) {
        cconv_variable *variable = cc_graph_node(plan->graph, plan->wrt[i])->variable;
        if (!plan->values[plan->wrt[i]].requires_gradient || cc_plan_contains(plan->wrt, i, plan->wrt[i])) continue;
        for (int k = 0; k < plan->n_updates; ++k)
            if (plan->updates[k].variable == variable)
                return cc_fail(CCONV_INVALID,
                               "plan: variable '%s' stands in the graph as two nodes; the optimizer needs it as one",
                               cc_graph_node(plan->graph, plan->wrt[i])->name);
        plan->update_nodes[plan->n_updates] = plan->wrt[i];
        plan->updates[plan->n_updates] = (cc_update){.variable = variable, .count = (int64_t)variable->count};
        bytes += steps_bytes_of(&plan->updates[plan->n_updates++]);
    }
    CC_TRY(cc_optimizer_bind(plan->optimizer, plan->updates, plan->n_updates));

    const cc_clipping clipping = cc_optimizer_clipping(plan->optimizer);
    plan->early = !plan->keeps_gradients && bytes >= EARLY_BYTES && clipping < CC_CLIPS_ALL;
    plan->clipping = plan->early ? CC_CLIPS_EACH : CC_CLIPS_ALL;
    for (int u = 0; plan->early && clipping == CC_CLIPS_NONE && u < plan->n_updates; ++u) {
        const int node = by_rows(plan, u);
        if (!node) continue;
        plan->applied[u] = (cc_applied){{take}, plan->optimizer, plan->updates[u]};
        plan->values[node].call.sink = &plan->applied[u].sink;
        plan->clipping = CC_CLIPS_NONE;
    }
    return CCONV_OK;
}

/* Whether node i has moving averages to renew, and all of them are variables. */
static bool updates_variables(const cconv_plan *plan, int i)
{
    const cc_node *node = cc_graph_node(plan->graph, i);
    if (!plan->training || !plan->values[i].forward || node->kind != CC_COMPUTED || !node->op->update) return false;
    for (int k = 0; k < node->n_inputs; ++k)
        if (node->inputs[k] && cc_reads(node->op->updates, k) &&
            cc_graph_node(plan->graph, node->inputs[k])->kind != CC_VARIABLE)
            return false;
    return true;
}

/* ---- When it does ------------------------------------------------------------------------------------------------- */

/* Whether a step reads what an update changes, or has a part in its gradient. */
static bool concerns(const cconv_plan *plan, const cc_step *step, int u)
{
    if (step->kind == CC_SEED) return step->node == plan->update_nodes[u];
    const cc_node *node = cc_graph_node(plan->graph, step->node);
    for (int k = 0; k < node->n_inputs; ++k)
        if (node->inputs[k] && changes(&plan->updates[u], cc_graph_node(plan->graph, node->inputs[k])) &&
            (step->kind != CC_UPDATE || cc_reads(node->op->updates, k)))
            return true;
    return false;
}

static void insert_step(cconv_plan *plan, int at, cc_step step)
{
    memmove(plan->steps + at + 1, plan->steps + at, (size_t)(plan->n_steps++ - at) * sizeof *plan->steps);
    plan->steps[at] = step;
}

static void swap_updates(cconv_plan *plan, int *last, int u, int v)
{
    const cc_update update = plan->updates[u];
    const int node = plan->update_nodes[u], step = last[u];
    plan->updates[u] = plan->updates[v], plan->update_nodes[u] = plan->update_nodes[v], last[u] = last[v];
    plan->updates[v] = update, plan->update_nodes[v] = node, last[v] = step;
}

/* Puts the updates in the order of the last steps that concern them, those by rows at the end, and behind those steps the
 * optimizer's. */
static cconv_status place_updates(cconv_plan *plan)
{
    int *last = cc_alloc((size_t)plan->n_updates * sizeof *last), whole = 0, inserted = 0;
    if (!last) return CCONV_NO_MEMORY;
    for (int u = 0; u < plan->n_updates; ++u) {
        last[u] = plan->applied[u].optimizer ? INT_MAX : 0;
        if (!last[u]) ++whole;
        for (int t = 0; last[u] < INT_MAX && t < plan->n_steps; ++t)
            if (concerns(plan, &plan->steps[t], u)) last[u] = t;
    }
    for (int u = 1; u < plan->n_updates; ++u)
        for (int v = u; v > 0 && last[v - 1] > last[v]; --v) swap_updates(plan, last, v - 1, v);
    int64_t bytes = 0;
    for (int u = 0, first = 0; u < whole; ++u) {
        bytes += steps_bytes_of(&plan->updates[u]);
        if (bytes < GROUP_BYTES && u < whole - 1) continue;
        int at = last[u] + inserted++ + 1;
        while (at < plan->n_steps && plan->steps[at].kind == CC_ACCUMULATE) ++at; /* these stay with their backward step */
        insert_step(plan, at, (cc_step){.kind = CC_OPTIMIZE, .first = first, .count = u + 1 - first});
        first = u + 1;
        bytes = 0;
    }
    cc_free(last);
    for (int t = 0; t < plan->n_steps; ++t)
        for (int i = 0; i < plan->steps[t].count; ++i) plan->values[plan->update_nodes[plan->steps[t].first + i]].applied = t;
    return CCONV_OK;
}

/* From where on the run changes variables. */
static void find_first_update(cconv_plan *plan)
{
    for (int t = 0; t < plan->n_steps; ++t) {
        const cc_step *step = &plan->steps[t];
        if (step->kind == CC_UPDATE || step->kind == CC_OPTIMIZE) break;
        if (step->kind == CC_BACKWARD && plan->values[step->node].call.sink) break;
        plan->first_update = t + 1;
    }
}

cconv_status cc_plan_steps(cconv_plan *plan)
{
    const cconv_graph *graph = plan->graph;
    size_t most = 2 + (size_t)plan->n_updates;
    for (int i = 1; i <= graph->count; ++i) most += 5 + (size_t)cc_graph_node(graph, i)->n_inputs;
    cc_step *step = plan->steps = cc_plan_table(plan, most, sizeof *step);
    bool *started = cc_alloc_zero(2 * ((size_t)graph->count + 1)); /* the gradient has got its first share */
    bool *renewed = started + graph->count + 1;                    /* the value has been computed anew */
    if (!step || !started) {
        cc_free(started);
        return CCONV_NO_MEMORY;
    }
    for (int i = 1; i <= graph->count; ++i) {
        if (!plan->values[i].forward || cc_graph_node(graph, i)->kind != CC_COMPUTED) continue;
        if (plan->values[i].need.packed)
            *step++ = (cc_step){.kind = CC_PACK, .node = i, .constant = cc_plan_packs_once(plan, i)};
        *step++ = (cc_step){.kind = CC_FORWARD, .node = i, .constant = plan->values[i].constant};
    }
    if (plan->root && plan->values[plan->root].requires_gradient) {
        *step++ = (cc_step){.kind = CC_SEED, .node = plan->root};
        started[plan->root] = true;
    }
    for (int i = plan->root; i >= 1; --i) {
        const cc_node *node = cc_graph_node(graph, i);
        if (!plan->values[i].requires_gradient || node->kind != CC_COMPUTED || !node->op->backward) continue;
        for (int k = -1; k < node->n_inputs; ++k) {
            const int x = k < 0 ? i : node->inputs[k];
            const bool reads = k < 0 ? plan->values[i].need.reads & CC_READS_Y : cc_plan_backward_reads(plan, i, k);
            if (!x || !plan->values[x].recompute || renewed[x] || !reads) continue;
            *step++ = (cc_step){.kind = CC_RECOMPUTE, .node = x};
            renewed[x] = true;
        }
        *step++ = (cc_step){.kind = CC_BACKWARD, .node = i};
        for (int k = 0; k < node->n_inputs; ++k) {
            if (!plan->values[i].needs_gradient[k]) continue;
            if (started[node->inputs[k]]) *step++ = (cc_step){.kind = CC_ACCUMULATE, .node = i, .input = k};
            started[node->inputs[k]] = true;
        }
    }
    for (int i = 1; i <= graph->count; ++i)
        if (updates_variables(plan, i)) *step++ = (cc_step){.kind = CC_UPDATE, .node = i};
    plan->n_steps = (int)(step - plan->steps);
    cc_free(started);
    if (plan->early) {
        CC_TRY(place_updates(plan));
    } else if (plan->n_updates) {
        plan->steps[plan->n_steps++] = (cc_step){.kind = CC_OPTIMIZE, .count = plan->n_updates};
    }
    find_first_update(plan);
    return CCONV_OK;
}
