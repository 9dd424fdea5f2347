/* A plan as a table for people, with the times of its steps where runs were timed. */
#include "alloc.h"
#include "plan.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct writer {
    char *text;
    size_t size, length;
} writer;

static void put(writer *w, const char *format, ...) CC_PRINTF(2, 3);

static void put(writer *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = w->length < w->size ? w->size - w->length : 0;
    int wrote = vsnprintf(room ? w->text + w->length : NULL, room, format, arguments);
    va_end(arguments);
    if (wrote > 0) w->length += (size_t)wrote;
}

cconv_status cconv_plan_profile(cconv_plan *plan, int on)
{
    if (!plan) return cc_fail(CCONV_INVALID, "profile: expected a plan, received NULL");
    cc_free(plan->times);
    plan->times = on ? cc_alloc_zero(((size_t)plan->n_steps + 2) * sizeof *plan->times) : NULL;
    plan->timed_runs = 0;
    return on && !plan->times ? CCONV_NO_MEMORY : CCONV_OK;
}

enum { FORWARD = 1 << CC_FORWARD | 1 << CC_UPDATE, BACKWARD = 1 << CC_AGAIN | 1 << CC_BACKWARD | 1 << CC_ACCUMULATE };

/* Milliseconds of one run in steps of some kinds (a bit each) that belong to a node; a node of -1: to any. */
static double time_of(const cconv_plan *plan, int node, unsigned kinds)
{
    double sum = 0;
    for (int t = 0; plan->timed_runs && t < plan->n_steps; ++t)
        if ((node < 0 || plan->steps[t].node == node) && (kinds >> plan->steps[t].kind & 1u)) sum += plan->times[t];
    return plan->timed_runs ? 1e3 * sum / (double)plan->timed_runs : 0;
}

static size_t bytes_of(const cc_value *value)
{
    const cc_need *need = &value->need;
    size_t scratch = need->forward_scratch > need->backward_scratch ? need->forward_scratch : need->backward_scratch;
    return (size_t)value->capacity * sizeof(float) + need->saved + need->packed + scratch;
}

/* A line of something that is no node. */
static void put_other(writer *w, const char *what, double time)
{
    if (time > 0) put(w, "%-24s %-32s %-24s %-16s %12s %10.3f\n", what, "", "", "", "", time);
}

size_t cconv_plan_describe(const cconv_plan *plan, char *text, size_t size)
{
    writer w = {text, size, 0};
    if (size && text) text[0] = 0;
    if (!plan) return 0;
    int fixed = 0;
    const double runs = (double)plan->timed_runs;
    put(&w, "%-24s %-32s %-24s %-16s %12s", "op", "name", "output", "algorithm", "bytes");
    put(&w, plan->timed_runs ? " %10s %11s\n" : "\n", "forward ms", "backward ms");
    for (int i = 1; i <= plan->graph->count; ++i) {
        const cc_node *node = cc_graph_node(plan->graph, i);
        const cc_value *value = &plan->values[i];
        if (node->kind != CC_COMPUTED || !(value->forward || value->flows)) continue;
        if (value->fixed && ++fixed) continue;
        char shape[CC_SHAPE_TEXT];
        put(&w, "%-24s %-32s %-24s %-16s %12zu", node->op->name, node->name, cc_shape_text(&value->shape, shape),
            value->need.algorithm, bytes_of(value));
        if (plan->timed_runs) put(&w, " %10.3f", time_of(plan, i, FORWARD));
        if (plan->timed_runs && value->flows) put(&w, " %11.3f", time_of(plan, i, BACKWARD));
        put(&w, "\n");
    }
    if (plan->timed_runs) {
        double forward = time_of(plan, -1, FORWARD), backward = time_of(plan, -1, BACKWARD);
        double gather = 1e3 * plan->times[plan->n_steps] / runs, outputs = 1e3 * plan->times[plan->n_steps + 1] / runs;
        double seed = time_of(plan, -1, 1u << CC_SEED), optimizer = time_of(plan, -1, 1u << CC_OPTIMIZE);
        put_other(&w, "(batch gathered)", gather);
        put_other(&w, "(outputs copied)", outputs);
        put_other(&w, "(optimizer)", optimizer);
        put(&w, "%-24s %-32s %-24s %-16s %12s %10.3f %11.3f\n", "sum", "", "", "", "", forward, backward);
        put(&w, "%.3f ms a run, %lld runs\n", gather + forward + seed + backward + optimizer + outputs,
            (long long)plan->timed_runs);
    }
    if (fixed) put(&w, "(%d nodes that depend on variables only: computed when those have changed)\n", fixed);
    put(&w, "batch %lld, %d threads, %zu bytes\n", (long long)plan->max_batch, plan->threads, plan->arena_bytes);
    return w.length;
}
