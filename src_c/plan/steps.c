/* The order of work: forward, backward, and where among it variables change.
 *
 * With gradients of EARLY_BYTES in all, the optimizer does not wait for the last of them. A variable is updated as soon as its
 * gradient is complete and nothing reads the variable any more, and the gradient's memory is free for others; small variables
 * wait until there are GROUP_BYTES of them, for each step costs a barrier. The gradient of a large matrix that one op reads is
 * never whole: the op hands on a few rows at a time (CC_BY_ROWS). The price: from the first update on a run can no longer be
 * interrupted. Results are the same bit for bit. */
#include "base/alloc.h"
#include "base/map.h"
#include "plan/plan.h"
#include <limits.h>
#include <string.h>

enum { EARLY_BYTES = 16 << 20, GROUP_BYTES = 1 << 20 };

/* ---- What the optimizer changes ----------------------------------------------------------------------------------- */

static int64_t steps_bytes_of(const cc_update *update)
{
    return update->count * (int64_t)sizeof(float);
}

/* Which update changes a node: as its variable, or as one of the optimizer's own. */
typedef struct changing {
    cc_map variables, slots; /* update + 1 */
} changing;

static cconv_status find_changes(const cconv_plan *plan, changing *c)
{
    for (int u = 0; u < plan->n_updates; ++u) {
        const cc_update *update = &plan->updates[u];
        bool good = cc_map_put(&c->variables, update->variable, u + 1);
        for (int s = 0; good && s < CC_MAX_SLOTS; ++s)
            good = !update->slots[s] || cc_map_put(&c->slots, update->slots[s], u + 1);
        if (!good) return CCONV_NO_MEMORY;
    }
    return CCONV_OK;
}

static void free_changes(changing *c)
{
    cc_map_free(&c->variables);
    cc_map_free(&c->slots);
}

/* The updates, at most two, that change a node; -1: none. */
static void changes_of(const changing *c, const cc_node *node, int updates[2])
{
    updates[0] = node->variable ? cc_map_find(&c->variables, node->variable) - 1 : -1;
    updates[1] = node->variable ? cc_map_find(&c->slots, node->variable) - 1 : -1;
}

static void take(const cc_sink *sink, const float *gradient, int64_t first, int64_t count)
{
    const cc_applied *applied = (const cc_applied *)sink; /* its first member */
    cc_optimizer_apply(applied->optimizer, &applied->update, gradient, first, count);
}

/* Which updates take their gradients by rows: those of a large variable that one node's backward step alone reads, as a matrix
 * whose gradient it can give by rows. Writes readers[u], the node, or 0. */
static void find_rows(const cconv_plan *plan, const changing *c, int *readers)
{
    enum { SEVERAL = -1 };
    memset(readers, 0, (size_t)plan->n_updates * sizeof *readers);
    for (int i = 1; i <= plan->graph->count; ++i) {
        const cc_node *node = cc_graph_node(plan->graph, i);
        for (int k = 0; k < node->n_inputs; ++k) {
            int updates[2] = {-1, -1};
            if (node->inputs[k]) changes_of(c, cc_graph_node(plan->graph, node->inputs[k]), updates);
            for (int j = 0; j < 2; ++j) {
                const int u = updates[j];
                if (u < 0) continue;
                const bool fits = k == node->op->weights && node->inputs[k] == plan->update_nodes[u] &&
                                  (node->op->flags & CC_BY_ROWS) && plan->values[i].requires_gradient;
                readers[u] = readers[u] || !fits ? SEVERAL : i;
            }
        }
    }
    for (int u = 0; u < plan->n_updates; ++u)
        if (readers[u] < 0 || steps_bytes_of(&plan->updates[u]) < GROUP_BYTES || plan->update_nodes[u] == plan->root)
            readers[u] = 0;
}

static cconv_status update_by_rows(cconv_plan *plan)
{
    changing c = {0};
    int *readers = cc_alloc((size_t)plan->n_updates * sizeof *readers);
    const cconv_status status = readers ? find_changes(plan, &c) : CCONV_NO_MEMORY;
    if (status == CCONV_OK) find_rows(plan, &c, readers);
    for (int u = 0; status == CCONV_OK && u < plan->n_updates; ++u) {
        if (!readers[u]) continue;
        plan->applied[u] = (cc_applied){{take}, plan->optimizer, plan->updates[u]};
        plan->values[readers[u]].call.sink = &plan->applied[u].sink;
        plan->clipping = CC_CLIPS_NONE;
    }
    free_changes(&c);
    cc_free(readers);
    return status;
}

/* The variables are those of wrt that the root depends on, each once. */
static cconv_status list_updates(cconv_plan *plan, cc_map *nodes)
{
    for (int i = 0; i < plan->n_wrt; ++i) {
        cconv_variable *variable = cc_graph_node(plan->graph, plan->wrt[i])->variable;
        const int node = cc_map_find(nodes, variable);
        if (!plan->values[plan->wrt[i]].requires_gradient || node == plan->wrt[i]) continue;
        if (node)
            return cc_fail(CCONV_INVALID, "plan: variable '%s' stands in the graph as two nodes; the optimizer needs it as one",
                           cc_graph_node(plan->graph, plan->wrt[i])->name);
        if (!cc_map_put(nodes, variable, plan->wrt[i])) return CCONV_NO_MEMORY;
        plan->update_nodes[plan->n_updates] = plan->wrt[i];
        plan->updates[plan->n_updates++] = (cc_update){.variable = variable, .count = (int64_t)variable->count};
    }
    return CCONV_OK;
}

cconv_status cc_plan_updates(cconv_plan *plan)
{
    if (!plan->optimizer) return CCONV_OK;
    cc_map nodes = {0};
    plan->updates = cc_plan_table(plan, (size_t)plan->n_wrt, sizeof *plan->updates);
    plan->update_nodes = cc_plan_table(plan, (size_t)plan->n_wrt, sizeof *plan->update_nodes);
    plan->applied = cc_plan_table(plan, (size_t)plan->n_wrt, sizeof *plan->applied);
    if (!plan->updates || !plan->update_nodes || !plan->applied) return CCONV_NO_MEMORY;
    const cconv_status status = list_updates(plan, &nodes);
    cc_map_free(&nodes);
    CC_TRY(status);
    CC_TRY(cc_optimizer_bind(plan->optimizer, plan->updates, plan->n_updates));

    int64_t bytes = 0;
    for (int u = 0; u < plan->n_updates && bytes < EARLY_BYTES; ++u) bytes += steps_bytes_of(&plan->updates[u]);
    const cc_clipping clipping = cc_optimizer_clipping(plan->optimizer);
    plan->early = !plan->keeps_gradients && bytes >= EARLY_BYTES && clipping < CC_CLIPS_ALL;
    plan->clipping = plan->early ? CC_CLIPS_EACH : CC_CLIPS_ALL;
    return plan->early && clipping == CC_CLIPS_NONE ? update_by_rows(plan) : CCONV_OK;
}

/* Whether node i has moving averages to renew, and all of them are variables. */
static bool updates_variables(const cconv_plan *plan, int i)
{
    const cc_node *node = cc_graph_node(plan->graph, i);
    if (!plan->training || plan->no_update || !plan->values[i].forward || node->kind != CC_COMPUTED || !node->op->update)
        return false;
    for (int k = 0; k < node->n_inputs; ++k)
        if (node->inputs[k] && cc_reads(node->op->updates, k) &&
            cc_graph_node(plan->graph, node->inputs[k])->kind != CC_VARIABLE)
            return false;
    return true;
}

/* ---- When it does ------------------------------------------------------------------------------------------------- */

/* The last step that reads what each update changes, or has a part in its gradient; INT_MAX of those by rows. */
static void find_last(const cconv_plan *plan, const changing *c, int *last)
{
    for (int u = 0; u < plan->n_updates; ++u) last[u] = plan->applied[u].optimizer ? INT_MAX : 0;
    for (int t = 0; t < plan->n_steps; ++t) {
        const cc_step *step = &plan->steps[t];
        const cc_node *node = cc_graph_node(plan->graph, step->node);
        const bool seed = step->kind == CC_SEED;
        for (int k = 0; k < (seed ? 1 : node->n_inputs); ++k) {
            const int x = seed ? step->node : node->inputs[k];
            int updates[2] = {-1, -1};
            if (x && (step->kind != CC_UPDATE || cc_reads(node->op->updates, k)))
                changes_of(c, cc_graph_node(plan->graph, x), updates);
            for (int j = 0; j < 2; ++j)
                if (updates[j] >= 0 && last[updates[j]] < INT_MAX) last[updates[j]] = t;
        }
    }
}

/* Puts the updates in the order of their last steps, of which there are n_steps; those by rows, whose number is returned, at the
 * end. */
static cconv_status sort_updates(cconv_plan *plan, int *last, int *by_rows)
{
    const int n = plan->n_updates, none = plan->n_steps;
    int *begins = cc_alloc_zero(((size_t)none + 2) * sizeof *begins), *sorted = cc_alloc((size_t)n * sizeof *sorted);
    int *nodes = cc_alloc((size_t)n * sizeof *nodes);
    cc_update *updates = cc_alloc((size_t)n * sizeof *updates);
    const bool good = begins && sorted && nodes && updates;
    for (int u = 0; good && u < n; ++u) ++begins[(last[u] < none ? last[u] : none) + 1];
    for (int t = 0; good && t < none; ++t) begins[t + 1] += begins[t];
    *by_rows = good ? n - begins[none] : 0;
    for (int u = 0; good && u < n; ++u) {
        const int to = begins[last[u] < none ? last[u] : none]++;
        sorted[to] = last[u], nodes[to] = plan->update_nodes[u], updates[to] = plan->updates[u];
    }
    if (good && n) {
        memcpy(last, sorted, (size_t)n * sizeof *last);
        memcpy(plan->update_nodes, nodes, (size_t)n * sizeof *nodes);
        memcpy(plan->updates, updates, (size_t)n * sizeof *updates);
    }
    cc_free(begins);
    cc_free(sorted);
    cc_free(nodes);
    cc_free(updates);
    return good ? CCONV_OK : CCONV_NO_MEMORY;
}

/* Puts the optimizer's steps behind the last ones that concern their updates: in groups, each behind the last step of its last
 * one. From the end, so that each step moves once. */
static void insert_updates(cconv_plan *plan, const int *last, int *ends, int groups)
{
    int from = plan->n_steps - 1, to = plan->n_steps + groups - 1;
    plan->n_steps += groups;
    for (int g = groups - 1; g >= 0; --g) {
        const int first = g ? ends[g - 1] : 0;
        while (from > last[ends[g] - 1]) plan->steps[to--] = plan->steps[from--];
        for (int u = first; u < ends[g]; ++u) plan->values[plan->update_nodes[u]].applied = to;
        plan->steps[to--] = (cc_step){.kind = CC_OPTIMIZE, .first = first, .count = ends[g] - first};
    }
}

static cconv_status place_updates(cconv_plan *plan)
{
    changing c = {0};
    int by_rows = 0, groups = 0;
    int *last = cc_alloc((size_t)plan->n_updates * sizeof *last), *ends = cc_alloc((size_t)plan->n_updates * sizeof *ends);
    cconv_status status = last && ends ? find_changes(plan, &c) : CCONV_NO_MEMORY;
    if (status == CCONV_OK) {
        find_last(plan, &c, last);
        status = sort_updates(plan, last, &by_rows);
    }
    if (status == CCONV_OK) {
        int64_t bytes = 0;
        for (int u = 0; u < plan->n_updates - by_rows; ++u) {
            bytes += steps_bytes_of(&plan->updates[u]);
            if (bytes < GROUP_BYTES && u < plan->n_updates - by_rows - 1) continue;
            ends[groups++] = u + 1;
            bytes = 0;
        }
        insert_updates(plan, last, ends, groups);
    }
    free_changes(&c);
    cc_free(last);
    cc_free(ends);
    return status;
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
