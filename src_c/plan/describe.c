/* A plan as a table for people. */
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

size_t cconv_plan_describe(const cconv_plan *plan, char *text, size_t size)
{
    writer w = {text, size, 0};
    if (size && text) text[0] = 0;
    if (!plan) return 0;
    put(&w, "%-24s %-32s %-24s %-10s %12s\n", "op", "name", "output", "algorithm", "saved bytes");
    for (int i = 1; i <= plan->graph->count; ++i) {
        const cc_node *node = cc_graph_node(plan->graph, i);
        const cc_value *value = &plan->values[i];
        if (node->kind != CC_COMPUTED || !(value->forward || value->flows)) continue;
        char shape[CC_SHAPE_TEXT];
        put(&w, "%-24s %-32s %-24s %-10s %12zu\n", node->op->name, node->name, cc_shape_text(&value->shape, shape),
            value->need.algorithm, value->need.saved);
    }
    put(&w, "batch %lld, %d threads, %zu bytes\n", (long long)plan->max_batch, plan->threads, plan->arena_bytes);
    return w.length;
}
