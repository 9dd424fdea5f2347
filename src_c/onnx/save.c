/* cconv_save_onnx: a graph becomes an ONNX model. Each node that the outputs need is written by the writer of its op; names are
 * given last, then all is encoded at once, so that a file is either complete or not there. See write.h. */
#include "base/alloc.h"
#include "onnx/saver.h"
#include <stdio.h>
#include <string.h>

/* A message of protocol buffers has at most so many bytes. */
#define SAVE_MOST_BYTES 2147483647u

/* ---- What is written ---------------------------------------------------------------------------------------------- */

static void mark_needed(saver *s)
{
    const cconv_graph *graph = s->graph;
    for (int i = 0; i < graph->n_outputs; ++i) s->needed[graph->outputs[i].node] = true;
    for (int i = graph->count; i >= 1; --i) {
        const cc_node *node = cc_graph_node(graph, i);
        for (int k = 0; s->needed[i] && k < node->n_inputs; ++k) s->needed[node->inputs[k]] = true;
        if (s->needed[i] && node->kind == CC_COMPUTED && node->op == &cc_op_grid_sample && node->shape.rank == 5) s->opset = 20;
    }
}

/* Whether a computed value's first size is the batch: sample i of it comes of sample i of the inputs. Dropout does nothing. */
static bool is_batched(saver *s, const cc_node *node)
{
    cc_shape *xs = cc_alloc((uint64_t)node->n_inputs * sizeof *xs);
    bool any = false, all = true; /* inputs of that kind are, and whatever else has an open first size is not there */
    if (!xs) {
        s->status = CCONV_NO_MEMORY;
        return false;
    }
    for (int k = 0; k < node->n_inputs; ++k) {
        const int x = node->inputs[k];
        xs[k] = x ? cc_graph_node(s->graph, x)->shape : (cc_shape){.rank = -1};
        any = any || (x && s->batched[x]);
        all = all && (!x || cc_is_batched(&xs[k]) == s->batched[x]);
    }
    const cc_call call = {
        .op = node->op, .attributes = node->attributes, .n_inputs = node->n_inputs, .xs = xs, .ys = node->shape};
    const bool apart = node->op == &cc_op_dropout || cc_op_per_sample(&call);
    cc_free(xs);
    return any && all && apart;
}

static void mark_batched(saver *s)
{
    for (int i = 1; i <= s->graph->count && s->status == CCONV_OK; ++i) {
        const cc_node *node = cc_graph_node(s->graph, i);
        if (node->kind == CC_INPUT) s->batched[i] = cc_is_batched(&node->shape);
        if (node->kind == CC_COMPUTED && s->needed[i]) s->batched[i] = is_batched(s, node);
    }
}

static bool is_images(const save_order *o)
{
    const save_order images = save_images(o->rank);
    return o->rank >= 3 && o->rank <= 5 && save_orders_equal(o, &images);
}

static void write_input(saver *s, int number)
{
    const cc_node *node = cc_graph_node(s->graph, number);
    const save_order *wish = &s->wishes[number], same = save_same_order(node->shape.rank);
    const int value = save_new_value(s);
    if (!value) return;
    save_value_of(s, value)->fixed = true;
    save_add_form(s, number, !s->channels_last && is_images(wish) ? wish : &same, value);
}

static void write_node(saver *s, int number)
{
    const cc_node *node = cc_graph_node(s->graph, number);
    save_call c = {.s = s, .node = node, .number = number, .held = save_same_order(node->shape.rank)};
    s->owner = number;
    if (node->kind == CC_INPUT && s->needed[number]) write_input(s, number);
    if (node->kind != CC_COMPUTED || !s->needed[number] || save_initializer_of(s, number)) return;
    const save_row *row = save_row_of(node->op);
    c.onnx = row ? row->onnx : "";
    int value = row && row->write ? row->write(&c) : save_refuse(&c, "%s", row ? row->onnx : "ONNX has no such operator");
    if (!value) value = save_number(&c, 0); /* it was refused: the other nodes are looked at all the same */
    save_add_form(s, number, &c.held, value);
}

static void write_outputs(saver *s)
{
    const cconv_graph *graph = s->graph;
    save_call c = {.s = s};
    for (int i = 0; i < graph->n_outputs; ++i) {
        const int node = graph->outputs[i].node;
        const save_held_value *form = save_first_form(s, node);
        save_output output = {graph->outputs[i].name, node, 0, save_same_order(cc_graph_node(graph, node)->shape.rank), false};
        if (form && !s->channels_last && is_images(&form->order)) output.order = form->order;
        output.batched = s->batched[node];
        s->owner = node;
        output.value = save_node_form(&c, node, &output.order);
        if (s->status == CCONV_OK && save_value_of(s, output.value)->fixed)
            output.value = save_add1(&c, "Identity", output.value);
        save_output *kept = save_grow(s, &s->outputs, 1, sizeof *kept);
        if (!kept) return;
        *kept = output;
        save_value_of(s, output.value)->fixed = true; /* has its name */
    }
}

static cconv_status write_all(saver *s)
{
    mark_needed(s);
    mark_batched(s);
    save_find_wishes(s);
    for (int i = 1; i <= s->graph->count; ++i) write_node(s, i);
    if (s->status == CCONV_OK && s->refused.n)
        return cc_fail(CCONV_UNSUPPORTED, "cannot be written as ONNX: %.*s", (int)(s->refused.n < 4000 ? s->refused.n : 4000),
                       (const char *)s->refused.items);
    write_outputs(s);
    return s->status == CCONV_OK ? save_name_all(s) : s->status;
}

/* ---- The saver ---------------------------------------------------------------------------------------------------- */

static void free_all(saver *s)
{
    save_value *values = s->values.items;
    save_node *nodes = s->nodes.items;
    for (size_t i = 0; i < s->values.n; ++i) cc_free(values[i].name);
    for (size_t i = 0; i < s->nodes.n; ++i) cc_free(nodes[i].name);
    save_array *arrays[] = {&s->values, &s->nodes, &s->inputs,  &s->encoded, &s->tensors,
                            &s->data,   &s->forms, &s->outputs, &s->refused};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; ++i) cc_free(arrays[i]->items);
    cc_free(s->first_form);
    cc_free(s->last_form);
    cc_free(s->wishes);
    cc_free(s->needed);
    cc_free(s->batched);
}

static cconv_status prepare(saver *s, const cconv_graph *graph, const cconv_onnx_save_options *options, uint64_t *length)
{
    if (!graph) return cc_fail(CCONV_INVALID, "save: expected a graph, received NULL");
    if (graph->status != CCONV_OK) return cc_fail(graph->status, "%s", graph->error);
    if (!graph->n_outputs)
        return cc_fail(CCONV_INVALID, "save: expected a graph with outputs, received one that names none "
                                      "(cconv_graph_output)");
    const size_t nodes = (size_t)graph->count + 1;
    s->graph = graph;
    s->opset = 18;
    s->channels_last = options && options->channels_last;
    s->first_form = cc_alloc_zero(nodes * sizeof *s->first_form);
    s->last_form = cc_alloc_zero(nodes * sizeof *s->last_form);
    s->wishes = cc_alloc_zero(nodes * sizeof *s->wishes);
    s->needed = cc_alloc_zero(nodes * sizeof *s->needed);
    s->batched = cc_alloc_zero(nodes * sizeof *s->batched);
    if (!s->first_form || !s->last_form || !s->wishes || !s->needed || !s->batched) return CCONV_NO_MEMORY;
    CC_TRY(write_all(s));
    wire_output counted = {0};
    save_write_model(&counted, s);
    *length = counted.length;
    if (counted.length > SAVE_MOST_BYTES)
        return cc_fail(CCONV_UNSUPPORTED, "save: the model has %llu bytes, and an ONNX file at most %u",
                       (unsigned long long)counted.length, SAVE_MOST_BYTES);
    return CCONV_OK;
}

cconv_status cconv_save_onnx(const cconv_graph *graph, const char *path, const cconv_onnx_save_options *options)
{
    saver s = {0};
    uint64_t length;
    if (!path) return cc_fail(CCONV_INVALID, "save: expected a path, received NULL");
    cconv_status status = prepare(&s, graph, options, &length);
    if (status == CCONV_OK) status = wire_replace_file(path, save_write_model, &s);
    free_all(&s);
    return status;
}

cconv_status cconv_save_onnx_memory(const cconv_graph *graph, const cconv_onnx_save_options *options, void **bytes,
                                    size_t *size)
{
    saver s = {0};
    uint64_t length = 0;
    if (!bytes || !size) return cc_fail(CCONV_INVALID, "save: expected places for the bytes and their number, received NULL");
    *bytes = NULL;
    *size = 0;
    cconv_status status = prepare(&s, graph, options, &length);
    wire_output out = {.memory = status == CCONV_OK ? cc_alloc(length) : NULL};
    if (status == CCONV_OK && !out.memory) status = CCONV_NO_MEMORY;
    if (status == CCONV_OK) {
        save_write_model(&out, &s);
        *bytes = out.memory;
        *size = (size_t)length;
    }
    free_all(&s);
    return status;
}

void cconv_onnx_free(void *bytes)
{
    cc_free(bytes);
}
