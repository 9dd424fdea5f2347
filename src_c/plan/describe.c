/* A plan as a table for people, with the times of its steps where runs were timed. */
#include "base/alloc.h"
#include "base/writer.h"
#include "plan/plan.h"
#include <stdio.h>
#include <string.h>

cconv_status cconv_plan_profile(cconv_plan *plan, int on)
{
    if (!plan) return cc_fail(CCONV_INVALID, "profile: expected a plan, received NULL");
    cc_free(plan->times);
    plan->times = on ? cc_alloc_zero((size_t)(plan->n_steps + 2 + 2 * (plan->graph->count + 1)) * sizeof *plan->times) : NULL;
    plan->timed_runs = 0;
    return on && !plan->times ? CCONV_NO_MEMORY : CCONV_OK;
}

enum {
    FORWARD = 1 << CC_PACK | 1 << CC_FORWARD | 1 << CC_UPDATE,
    BACKWARD = 1 << CC_RECOMPUTE | 1 << CC_BACKWARD | 1 << CC_ACCUMULATE
};

/* Milliseconds of one run in steps of some kinds (a bit each). */
static double time_of(const cconv_plan *plan, unsigned kinds)
{
    double sum = 0;
    for (int t = 0; plan->timed_runs && t < plan->n_steps; ++t)
        if (kinds >> plan->steps[t].kind & 1u) sum += plan->times[t];
    return plan->timed_runs ? 1e3 * sum / (double)plan->timed_runs : 0;
}

/* The same for each node, forward and backward: [2 node] and [2 node + 1], behind the times of the steps. NULL: none were timed. */
static const double *times_of_nodes(const cconv_plan *plan)
{
    double *sums = plan->timed_runs ? plan->times + plan->n_steps + 2 : NULL;
    for (int i = 0; sums && i < 2 * (plan->graph->count + 1); ++i) sums[i] = 0;
    for (int t = 0; sums && t < plan->n_steps; ++t)
        for (int k = 0; k < 2; ++k)
            if ((k ? BACKWARD : FORWARD) >> plan->steps[t].kind & 1)
                sums[2 * plan->steps[t].node + k] += 1e3 * plan->times[t] / (double)plan->timed_runs;
    return sums;
}

static uint64_t describe_bytes_of(const cc_value *value, int threads)
{
    const cc_need *need = &value->need;
    uint64_t scratch = need->forward_scratch > need->backward_scratch ? need->forward_scratch : need->backward_scratch;
    const uint64_t own = value->block_bytes ? value->block_bytes * (uint64_t)threads : value->whole ? 0 : value->bytes;
    return own + need->saved + need->packed + scratch;
}

static bool is_shown(const cconv_plan *plan, int i)
{
    const cc_value *value = &plan->values[i];
    return cc_graph_node(plan->graph, i)->kind == CC_COMPUTED && (value->forward || value->requires_gradient) &&
           !value->constant;
}

/* The columns; names come last, for those of fused ops are long. A time below 0 leaves its column empty. */
static void put_line(cc_writer *w, const cconv_plan *plan, int width, const char *op, const char *output, const char *algorithm,
                     const char *bytes, double forward, double backward, const char *name)
{
    cc_put(w, "%-*s %-20s %-14s %11s", width, op, output, algorithm, bytes);
    for (int k = 0; plan->timed_runs && k < 2; ++k) {
        const double time = k ? backward : forward;
        if (time < 0)
            cc_put(w, " %11s", "");
        else
            cc_put(w, " %11.3f", time);
    }
    cc_put(w, *name ? "  %s\n" : "\n", name);
}

size_t cconv_plan_describe(const cconv_plan *plan, char *text, size_t size)
{
    cc_writer w = cc_writer_in(text, size);
    if (!plan) {
        cc_fail(CCONV_INVALID, "describe: expected a plan, received NULL");
        return 0;
    }
    int constant = 0, joined = 0, parts = 0, width = (int)strlen("(outputs copied)");
    const double runs = (double)plan->timed_runs, *times = times_of_nodes(plan);
    for (int i = 1; i <= plan->graph->count; ++i) {
        if (plan->values[i].constant && plan->values[i].forward) ++constant;
        if (!is_shown(plan, i)) continue;
        const int length = (int)strlen(cc_graph_node(plan->graph, i)->op->name);
        if (length > width) width = length;
    }
    cc_put(&w, "%-*s %-20s %-14s %11s", width, "op", "output", "algorithm", "bytes");
    if (plan->timed_runs) cc_put(&w, " %11s %11s", "forward ms", "backward ms");
    cc_put(&w, "  name\n");
    for (int i = 1; i <= plan->graph->count; ++i) {
        if (!is_shown(plan, i)) continue;
        const cc_node *node = cc_graph_node(plan->graph, i);
        const cc_value *value = &plan->values[i];
        char shape[CC_SHAPE_TEXT], bytes[24], op[80];
        joined += value->joined;
        parts += value->whole != 0;
        snprintf(op, sizeof op, "%s%s", value->joined ? "+ " : value->whole ? "> " : "", node->op->name);
        snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)describe_bytes_of(value, plan->threads));
        put_line(&w, plan, width, op, cc_shape_text(&value->shape, shape), value->need.algorithm, bytes,
                 value->joined ? -1
                 : times       ? times[2 * i]
                               : 0,
                 times && value->requires_gradient ? times[2 * i + 1] : -1, node->name);
    }
    if (plan->timed_runs) {
        const double forward = time_of(plan, FORWARD), backward = time_of(plan, BACKWARD);
        const double gather = 1e3 * plan->times[plan->n_steps] / runs, outputs = 1e3 * plan->times[plan->n_steps + 1] / runs;
        const double seed = time_of(plan, 1u << CC_SEED), optimizer = time_of(plan, 1u << CC_OPTIMIZE);
        if (gather > 0) put_line(&w, plan, width, "(batch gathered)", "", "", "", gather, -1, "");
        if (outputs > 0) put_line(&w, plan, width, "(outputs copied)", "", "", "", outputs, -1, "");
        if (optimizer > 0) put_line(&w, plan, width, "(optimizer)", "", "", "", -1, optimizer, "");
        put_line(&w, plan, width, "sum", "", "", "", forward, backward, "");
        cc_put(&w, "%.3f ms a run, %lld runs\n", gather + forward + seed + backward + optimizer + outputs,
               (long long)plan->timed_runs);
    }
    if (joined) cc_put(&w, "(+: by blocks of rows, together with the line above, where the time of both stands)\n");
    if (parts) cc_put(&w, "(>: written where the value lies that it is joined to)\n");
    if (constant) cc_put(&w, "(%d nodes that depend on variables only: computed when those have changed)\n", constant);
    cc_put(&w, "batch %lld, %d threads, %zu bytes", (long long)plan->max_batch, plan->threads, cconv_plan_bytes(plan));
    if (plan->derived_bytes) cc_put(&w, ", of them %zu shared by all plans of these weights", plan->derived_bytes);
    cc_put(&w, "\n");
    return w.length;
}
