/* Reading a graph: its nodes one by one, and as text. */
#include "base/writer.h"
#include "graph/graph.h"
#include <stdio.h>
#include <string.h>

bool cc_graph_has(const cconv_graph *graph, int node)
{
    if (graph && node >= 1 && node <= graph->count) return true;
    if (!graph)
        cc_fail(CCONV_INVALID, "expected a graph, received NULL");
    else
        cc_fail(CCONV_INVALID, "expected a node of 1 to %d, received %d", graph->count, node);
    return false;
}

cconv_status cconv_graph_node(const cconv_graph *graph, int node, cconv_node *out)
{
    if (!cc_graph_has(graph, node)) return CCONV_INVALID;
    if (!out) return cc_fail(CCONV_INVALID, "node %d: expected a place for what is read, received NULL", node);
    const cc_node *found = cc_graph_node(graph, node);
    *out = (cconv_node){.kind = (cconv_kind)found->kind,
                        .name = found->name,
                        .op = found->op ? found->op->name : NULL,
                        .n_inputs = found->n_inputs,
                        .inputs = found->inputs,
                        .dtype = found->shape.type,
                        .rank = found->shape.rank,
                        .shape = found->shape.dim,
                        .variable = found->kind == CC_VARIABLE ? found->variable : NULL,
                        .values = found->kind == CC_CONSTANT ? found->variable->data : NULL};
    return CCONV_OK;
}

size_t cconv_graph_attributes(const cconv_graph *graph, int node, char *text, size_t size)
{
    cc_writer w = cc_writer_in(text, size);
    if (!cc_graph_has(graph, node)) return 0;
    const cc_node *found = cc_graph_node(graph, node);
    if (found->kind == CC_COMPUTED) cc_attributes_write(found->op->attributes, found->attributes, &w);
    return w.length;
}

/* ---- As text ------------------------------------------------------------------------------------------------------ */

static const char *kind_of(const cc_node *node)
{
    static const char *const kinds[] = {"(input)", "(variable)", "(constant)"};
    return node->kind == CC_COMPUTED ? node->op->name : kinds[node->kind];
}

/* "3, 4, -": the absent one is a dash. */
static void put_inputs(const cc_node *node, cc_writer *w)
{
    for (int k = 0; k < node->n_inputs; ++k) {
        cc_put(w, k ? ", " : "");
        if (node->inputs[k])
            cc_put(w, "%d", node->inputs[k]);
        else
            cc_put(w, "-");
    }
}

/* The attributes, or of a constant the first few values. */
static void put_settings(const cc_node *node, cc_writer *w)
{
    enum { SHOWN = 8 };
    if (node->kind == CC_COMPUTED) cc_attributes_write(node->op->attributes, node->attributes, w);
    if (node->kind != CC_CONSTANT) return;
    const size_t count = node->variable->count;
    for (size_t i = 0; i < count && i < SHOWN; ++i) {
        cc_put(w, i ? "," : "values=");
        if (node->shape.type == CCONV_INT32)
            cc_put(w, "%ld", (long)((const int32_t *)(const void *)node->variable->data)[i]);
        else
            cc_put_float(w, node->variable->data[i]);
    }
    if (count > SHOWN) cc_put(w, ",...");
}

static void put_column(cc_writer *w, const char *text, size_t width)
{
    cc_put(w, "%-*s  ", (int)width, text);
}

/* A node's columns after its number, as text. */
enum { OP, OUTPUT, INPUTS, NAME, COLUMNS, COLUMN_TEXT = 256 };

static void fill_columns(const cc_node *node, char text[COLUMNS][COLUMN_TEXT])
{
    char shape[CC_SHAPE_TEXT];
    cc_writer inputs = {text[INPUTS], COLUMN_TEXT, 0};
    text[INPUTS][0] = 0;
    put_inputs(node, &inputs);
    snprintf(text[OP], COLUMN_TEXT, "%s", kind_of(node));
    snprintf(text[OUTPUT], COLUMN_TEXT, "%s%s%s", cc_shape_text(&node->shape, shape),
             node->shape.type == CCONV_FLOAT32 ? "" : " ",
             node->shape.type == CCONV_FLOAT32 ? "" : cconv_dtype_name(node->shape.type));
    snprintf(text[NAME], COLUMN_TEXT, "%s", node->name);
}

size_t cconv_graph_describe(const cconv_graph *graph, char *text, size_t size)
{
    static const char *const titles[COLUMNS] = {"op", "output", "inputs", "name"};
    enum { WIDEST = 48 };
    cc_writer w = cc_writer_in(text, size);
    size_t width[COLUMNS];
    char column[COLUMNS][COLUMN_TEXT];
    if (!graph) {
        cc_fail(CCONV_INVALID, "describe: expected a graph, received NULL");
        return 0;
    }
    for (int c = 0; c < COLUMNS; ++c) width[c] = strlen(titles[c]);
    for (int i = 1; i <= graph->count; ++i) {
        fill_columns(cc_graph_node(graph, i), column);
        for (int c = 0; c < COLUMNS; ++c) {
            const size_t length = strlen(column[c]);
            if (length > width[c]) width[c] = length < WIDEST ? length : WIDEST;
        }
    }
    cc_put(&w, "node  ");
    for (int c = 0; c < COLUMNS; ++c) put_column(&w, titles[c], width[c]);
    cc_put(&w, "attributes\n");
    for (int i = 1; i <= graph->count; ++i) {
        fill_columns(cc_graph_node(graph, i), column);
        cc_put(&w, "%4d  ", i);
        cc_writer settings = {0}; /* counts */
        put_settings(cc_graph_node(graph, i), &settings);
        for (int c = 0; c < COLUMNS; ++c)
            if (c < NAME || settings.length)
                put_column(&w, column[c], width[c]);
            else
                cc_put(&w, "%s", column[c]);
        put_settings(cc_graph_node(graph, i), &w);
        cc_put(&w, "\n");
    }
    if (graph->status != CCONV_OK) cc_put(&w, "failed: %s\n", graph->error);
    return w.length;
}
