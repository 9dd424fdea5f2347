/* The model as it stands in its file: names of values and nodes, and the messages of protocol buffers. See saver.h. */
#include "base/alloc.h"
#include "onnx/saver.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- Names -------------------------------------------------------------------------------------------------------- */

typedef struct name_set { /* open addressing: a name lies where its letters say, or in the next free place */
    const char **names;
    size_t n, capacity; /* a power of two, more than n */
} name_set;

static const char **place_of(const name_set *set, const char *name)
{
    uint64_t mixed = 14695981039346656037u; /* FNV-1a */
    for (const char *at = name; *at; ++at) mixed = (mixed ^ (uint8_t)*at) * 1099511628211u;
    for (size_t i = (size_t)(mixed ^ mixed >> 32);; ++i) {
        const char **place = &set->names[i & (set->capacity - 1)];
        if (!*place || strcmp(*place, name) == 0) return place;
    }
}

static bool new_set(name_set *set, size_t names)
{
    set->capacity = 64;
    while (set->capacity < 2 * names) set->capacity *= 2;
    set->names = cc_alloc_zero(set->capacity * sizeof *set->names);
    return set->names != NULL;
}

/* "base/suffix", or with a number behind it if there is one of that name; kept by the caller. NULL without memory. */
static char *unique(name_set *set, const char *base, const char *suffix)
{
    const size_t room = strlen(base) + strlen(suffix) + 16;
    char *name = cc_alloc(room);
    if (!name) return NULL;
    for (int i = 0;; ++i) {
        const int used = snprintf(name, room, "%s%s%s", base, *suffix ? "/" : "", suffix);
        if (i) snprintf(name + used, room - (size_t)used, "_%d", i);
        const char **place = place_of(set, name);
        if (*place) continue;
        *place = name;
        ++set->n;
        return name;
    }
}

static const char *name_of(const saver *s, int node)
{
    const char *name = node ? cc_graph_node(s->graph, node)->name : "";
    return *name ? name : "value";
}

static bool name_value(saver *s, name_set *set, int value, const char *base, const char *suffix)
{
    save_value *v = save_value_of(s, value);
    if (!v->name) v->name = unique(set, base, suffix);
    return v->name != NULL;
}

/* Outputs have their own names, then inputs, variables and the results of nodes; what stands between them comes last. */
static bool name_values(saver *s, name_set *set)
{
    const save_output *outputs = s->outputs.items;
    const save_tensor *tensors = s->tensors.items;
    const save_node *nodes = s->nodes.items;
    bool named = true;
    for (int i = 1; i <= s->graph->count; ++i)
        if (cc_graph_node(s->graph, i)->kind == CC_INPUT && s->needed[i])
            named = named && name_value(s, set, save_first_form(s, i)->value, name_of(s, i), "");
    for (size_t i = 0; i < s->outputs.n; ++i) named = named && name_value(s, set, outputs[i].value, outputs[i].name, "");
    for (size_t i = 0; i < s->tensors.n; ++i)
        if (tensors[i].variable)
            named = named && name_value(s, set, tensors[i].value, name_of(s, save_value_of(s, tensors[i].value)->owner), "");
    for (int i = 1; i <= s->graph->count; ++i) {
        const save_held_value *form = save_first_form(s, i);
        if (form) named = named && name_value(s, set, form->value, name_of(s, save_value_of(s, form->value)->owner), "");
    }
    for (size_t i = 0; i < s->nodes.n; ++i)
        for (int k = 0; k < nodes[i].n_outputs; ++k)
            named = named && name_value(s, set, nodes[i].first_output + k, name_of(s, nodes[i].owner), nodes[i].onnx);
    for (size_t i = 0; i < s->tensors.n; ++i)
        named =
            named && name_value(s, set, tensors[i].value, name_of(s, save_value_of(s, tensors[i].value)->owner), "constant");
    return named;
}

static bool name_nodes(saver *s, name_set *set)
{
    save_node *nodes = s->nodes.items;
    bool named = true;
    for (int results = 1; results >= 0; --results) /* those that give a node's result have its name */
        for (size_t i = 0; i < s->nodes.n; ++i) {
            const save_held_value *form = nodes[i].owner ? save_first_form(s, nodes[i].owner) : NULL;
            const bool result = form && form->value == nodes[i].first_output;
            if (result != results) continue;
            nodes[i].name = unique(set, name_of(s, nodes[i].owner), result ? "" : nodes[i].onnx);
            named = named && nodes[i].name;
        }
    return named;
}

cconv_status save_name_all(saver *s)
{
    name_set values = {0}, nodes = {0};
    const bool named = new_set(&values, s->values.n + 1) && new_set(&nodes, s->nodes.n + 1) && name_values(s, &values) &&
                       name_nodes(s, &nodes);
    cc_free(values.names);
    cc_free(nodes.names);
    return named ? CCONV_OK : CCONV_NO_MEMORY;
}

/* ---- Tensors ------------------------------------------------------------------------------------------------------ */

typedef struct part { /* of the model: the saver, and what is written of it */
    const saver *s;
    const void *item;
} part;

static const char *text_of(const saver *s, int value)
{
    return value ? ((const save_value *)s->values.items)[value - 1].name : "";
}

static uint64_t elements(const save_tensor *t)
{
    uint64_t n = 1;
    for (int k = 0; k < t->rank; ++k) n *= (uint64_t)t->dim[k];
    return n;
}

/* The elements of a variable or constant, lowest bytes first, in the order of the tensor. */
static void put_elements(wire_output *out, const save_tensor *t)
{
    enum { AT_ONCE = 1024 };
    const int ahead = t->rank - t->shape->rank, bytes = t->type == SAVE_BOOL ? 1 : 4;
    const float *from = t->variable->data;
    int64_t step[CCONV_MAX_RANK] = {0}, at[CCONV_MAX_RANK] = {0}, place = 0;
    uint8_t some[4 * AT_ONCE];
    size_t waiting = 0;
    for (int k = 0; k < t->rank; ++k)
        if (t->order.axis[k] >= ahead) step[k] = cc_shape_product(t->shape, t->order.axis[k] - ahead + 1, t->shape->rank);
    for (uint64_t i = elements(t); i > 0; --i) {
        uint32_t bits;
        memcpy(&bits, from + place, sizeof bits);
        if (t->type == SAVE_BOOL) bits = from[place] != 0;
        for (int b = 0; b < bytes; ++b) some[waiting++] = (uint8_t)(bits >> 8 * b);
        if (waiting == sizeof some || i == 1) {
            wire_bytes(out, some, waiting);
            waiting = 0;
        }
        for (int k = t->rank - 1; k >= 0; --k) {
            place += step[k];
            if (++at[k] < t->dim[k]) break;
            place -= step[k] * t->dim[k];
            at[k] = 0;
        }
    }
}

static void tensor_body(wire_output *out, const void *argument)
{
    enum { DIMS = 1, DATA_TYPE = 2, NAME = 8, RAW_DATA = 9 };
    const part *p = argument;
    const save_tensor *t = p->item;
    for (int k = 0; k < t->rank; ++k) wire_int(out, DIMS, t->dim[k]);
    wire_int(out, DATA_TYPE, t->type);
    wire_text(out, NAME, text_of(p->s, t->value));
    const uint64_t n = elements(t), bytes = t->type == SAVE_BOOL ? 1 : t->type == SAVE_INT64 ? 8 : 4;
    wire_message_of(out, RAW_DATA, n * bytes);
    const uint8_t *data = (const uint8_t *)p->s->data.items + t->data;
    if (!out->file && !out->memory)
        out->length += n * bytes;
    else if (t->variable)
        put_elements(out, t);
    else if (!t->repeated)
        wire_bytes(out, data, t->bytes);
    else
        for (uint64_t i = 0; i < n; ++i) wire_bytes(out, data, t->bytes);
}

/* ---- Inputs and outputs ------------------------------------------------------------------------------------------- */

typedef struct description { /* of an input or output */
    const char *name;
    cc_shape shape; /* as it is held */
    int batch;      /* the axis of the batch; -1: none */
    bool named;     /* other open sizes have names */
    int axis;       /* of them, the one that is written */
} description;

static void dim_body(wire_output *out, const void *argument)
{
    enum { DIM_VALUE = 1, DIM_PARAM = 2 };
    const description *d = argument;
    char text[256];
    if (d->shape.dim[d->axis] >= 0) {
        wire_int(out, DIM_VALUE, d->shape.dim[d->axis]);
    } else if (d->axis == d->batch) {
        wire_text(out, DIM_PARAM, "batch");
    } else if (d->named) {
        snprintf(text, sizeof text, "%.200s_%d", d->name, d->axis);
        wire_text(out, DIM_PARAM, text);
    }
}

static void shape_body(wire_output *out, const void *argument)
{
    description d = *(const description *)argument;
    for (d.axis = 0; d.axis < d.shape.rank; ++d.axis) wire_message(out, 1, dim_body, &d);
}

static void tensor_type_body(wire_output *out, const void *argument)
{
    const description *d = argument;
    wire_int(out, 1, save_dtype(d->shape.type));
    wire_message(out, 2, shape_body, d);
}

static void type_body(wire_output *out, const void *argument)
{
    wire_message(out, 1, tensor_type_body, argument);
}

static void value_info_body(wire_output *out, const void *argument)
{
    const description *d = argument;
    wire_text(out, 1, d->name);
    wire_message(out, 2, type_body, d);
}

/* ---- The model ---------------------------------------------------------------------------------------------------- */

static void node_body(wire_output *out, const void *argument)
{
    enum { INPUT = 1, OUTPUT = 2, NAME = 3, OP_TYPE = 4 };
    const part *p = argument;
    const save_node *node = p->item;
    const int *inputs = (const int *)p->s->inputs.items + node->first_input;
    for (size_t i = 0; i < node->n_inputs; ++i) wire_text(out, INPUT, text_of(p->s, inputs[i]));
    for (int i = 0; i < node->n_outputs; ++i) wire_text(out, OUTPUT, text_of(p->s, node->first_output + i));
    wire_text(out, NAME, node->name);
    wire_text(out, OP_TYPE, node->onnx);
    if (node->bytes) wire_bytes(out, (const uint8_t *)p->s->encoded.items + node->attributes, node->bytes);
}

static void graph_body(wire_output *out, const void *argument)
{
    enum { NODE = 1, NAME = 2, INITIALIZER = 5, INPUT = 11, OUTPUT = 12 };
    const saver *s = argument;
    const save_node *nodes = s->nodes.items;
    const save_tensor *tensors = s->tensors.items;
    const save_output *outputs = s->outputs.items;
    for (size_t i = 0; i < s->nodes.n; ++i) wire_message(out, NODE, node_body, &(part){s, &nodes[i]});
    wire_text(out, NAME, "cconv");
    for (size_t i = 0; i < s->tensors.n; ++i) wire_message(out, INITIALIZER, tensor_body, &(part){s, &tensors[i]});
    for (int i = 1; i <= s->graph->count; ++i) {
        const cc_node *node = cc_graph_node(s->graph, i);
        if (node->kind != CC_INPUT || !s->needed[i]) continue;
        const save_held_value *form = save_first_form(s, i);
        const description d = {.name = text_of(s, form->value),
                               .shape = save_held_shape(&node->shape, &form->order),
                               .batch = save_position(&form->order, 0),
                               .named = true};
        wire_message(out, INPUT, value_info_body, &d);
    }
    for (size_t i = 0; i < s->outputs.n; ++i) {
        const description d = {.name = text_of(s, outputs[i].value),
                               .shape = save_held_shape(&cc_graph_node(s->graph, outputs[i].node)->shape, &outputs[i].order),
                               .batch = outputs[i].batched ? save_position(&outputs[i].order, 0) : -1};
        wire_message(out, OUTPUT, value_info_body, &d);
    }
}

static void opset_body(wire_output *out, const void *argument)
{
    const saver *s = argument;
    wire_text(out, 1, "");
    wire_int(out, 2, s->opset);
}

void save_write_model(wire_output *out, const void *argument)
{
    enum { IR = 1, PRODUCER = 2, PRODUCER_VERSION = 3, GRAPH = 7, OPSET_IMPORT = 8 };
    const saver *s = argument;
    wire_int(out, IR, s->opset < 19 ? 8 : 9);
    wire_text(out, PRODUCER, "cconv");
    wire_text(out, PRODUCER_VERSION, cconv_version());
    wire_message(out, GRAPH, graph_body, argument);
    wire_message(out, OPSET_IMPORT, opset_body, argument);
}
