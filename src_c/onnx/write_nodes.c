/* What writers of ops call: the node's attributes, ONNX nodes with theirs, and initializers. See write.h. */
#include "base/alloc.h"
#include "base/writer.h"
#include "onnx/saver.h"
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- Memory ------------------------------------------------------------------------------------------------------- */

void *save_grow(saver *s, save_array *array, size_t n, size_t bytes)
{
    if (s->status != CCONV_OK) return NULL;
    if (array->n + n > array->room) {
        size_t room = array->room ? 2 * array->room : 64;
        while (room < array->n + n) room *= 2;
        void *items = cc_alloc((uint64_t)room * bytes);
        if (!items) {
            s->status = CCONV_NO_MEMORY;
            return NULL;
        }
        if (array->n) memcpy(items, array->items, array->n * bytes);
        cc_free(array->items);
        array->items = items;
        array->room = room;
    }
    void *first = (char *)array->items + array->n * bytes;
    array->n += n;
    return first;
}

save_value *save_value_of(saver *s, int value)
{
    return (save_value *)s->values.items + (value - 1);
}

int save_new_value(saver *s)
{
    save_value *value = save_grow(s, &s->values, 1, sizeof *value);
    if (!value) return 0;
    *value = (save_value){.owner = s->owner};
    return (int)s->values.n;
}

int save_new_tensor(saver *s, const save_tensor *tensor)
{
    const int value = save_new_value(s);
    save_tensor *kept = save_grow(s, &s->tensors, 1, sizeof *kept);
    if (!kept) return 0;
    *kept = *tensor;
    kept->value = value;
    save_value_of(s, value)->fixed = true;
    return value;
}

/* ---- The node ----------------------------------------------------------------------------------------------------- */

int save_refuse(save_call *c, const char *format, ...)
{
    enum { TEXT = 240 };
    char text[TEXT];
    saver *s = c->s;
    va_list arguments;
    va_start(arguments, format);
    const int used = snprintf(text, TEXT / 2, "%s (%s: ", c->node->name, c->node->op->name);
    const size_t at = used < 0 ? 0 : used < TEXT / 2 ? (size_t)used : TEXT / 2 - 1;
    vsnprintf(text + at, TEXT - 1 - at, format, arguments);
    va_end(arguments);
    strcat(text, ")");
    const size_t length = strlen(text), comma = s->refused.n ? 2 : 0;
    char *to = save_grow(s, &s->refused, comma + length, 1);
    if (!to) return 0;
    memcpy(to, ", ", comma);
    memcpy(to + comma, text, length);
    return 0;
}

int save_without_memory(save_call *c)
{
    if (c->s->status == CCONV_OK) c->s->status = CCONV_NO_MEMORY;
    return 0;
}

int save_opset(const save_call *c)
{
    return c->s->opset;
}

bool save_has(const save_call *c, int k)
{
    return k < c->node->n_inputs && c->node->inputs[k];
}

const cc_node *save_source(const save_call *c, int k)
{
    return cc_graph_node(c->s->graph, c->node->inputs[k]);
}

const cc_shape *save_shape(const save_call *c, int k)
{
    return &save_source(c, k)->shape;
}

bool save_read_only_by(const save_call *c, const cc_op *op)
{
    bool found = false;
    for (int i = c->number + 1; i <= c->s->graph->count; ++i) {
        const cc_node *node = cc_graph_node(c->s->graph, i);
        for (int k = 0; k < node->n_inputs; ++k) {
            if (node->inputs[k] != c->number) continue;
            if (node->op != op) return false;
            found = true;
        }
    }
    return found;
}

static const void *attribute(const save_call *c, const char *name, const cc_attr **found)
{
    for (const cc_attr *a = c->node->op->attributes; a && a->name; ++a) {
        if (strcmp(a->name, name) != 0) continue;
        if (found) *found = a;
        return (const char *)c->node->attributes + a->offset;
    }
    return NULL;
}

bool save_has_attribute(const save_call *c, const char *name)
{
    return attribute(c, name, NULL) != NULL;
}

int64_t save_int(const save_call *c, const char *name)
{
    const cc_attr *a = NULL;
    const void *at = attribute(c, name, &a);
    return a->type == CC_INT ? *(const int64_t *)at : *(const int *)at;
}

float save_float(const save_call *c, const char *name)
{
    return *(const float *)attribute(c, name, NULL);
}

const cc_list *save_list(const save_call *c, const char *name)
{
    return attribute(c, name, NULL);
}

const cc_floats *save_floats(const save_call *c, const char *name)
{
    return attribute(c, name, NULL);
}

/* ---- ONNX nodes --------------------------------------------------------------------------------------------------- */

int save_add(save_call *c, const char *onnx, int n, const int *inputs)
{
    saver *s = c->s;
    while (n && !inputs[n - 1]) --n;
    const size_t first = s->inputs.n;
    int *kept = save_grow(s, &s->inputs, (size_t)n, sizeof *kept);
    const int value = save_new_value(s);
    save_node *node = save_grow(s, &s->nodes, 1, sizeof *node);
    if (!node) return 0;
    if (n) memcpy(kept, inputs, (size_t)n * sizeof *kept);
    *node = (save_node){.onnx = onnx,
                        .owner = s->owner,
                        .first_input = first,
                        .n_inputs = (size_t)n,
                        .first_output = value,
                        .n_outputs = 1,
                        .attributes = s->encoded.n};
    return value;
}

int save_add1(save_call *c, const char *onnx, int x)
{
    return save_add(c, onnx, 1, &x);
}

int save_add2(save_call *c, const char *onnx, int a, int b)
{
    return save_add(c, onnx, 2, (int[]){a, b});
}

int save_add3(save_call *c, const char *onnx, int x, int a, int b)
{
    return save_add(c, onnx, 3, (int[]){x, a, b});
}

static save_node *last_node(saver *s)
{
    return s->status == CCONV_OK && s->nodes.n ? (save_node *)s->nodes.items + (s->nodes.n - 1) : NULL;
}

int save_more_outputs(save_call *c, int i)
{
    int value = 0;
    for (save_node *node = last_node(c->s); node && node->n_outputs <= i; ++node->n_outputs) value = save_new_value(c->s);
    return value;
}

/* AttributeProto */
typedef struct attribute_text {
    const char *name;
    int type;
    int64_t integer;
    float number;
    const char *text;
    int n;
    const int64_t *integers;
} attribute_text;

enum { FLOAT = 1, INT = 2, STRING = 3, INTS = 7 };

static void attribute_body(wire_output *out, const void *argument)
{
    const attribute_text *a = argument;
    wire_text(out, 1, a->name);
    if (a->type == FLOAT) wire_float(out, 2, a->number);
    if (a->type == INT) wire_int(out, 3, a->integer);
    if (a->type == STRING) wire_text(out, 4, a->text);
    for (int i = 0; i < a->n; ++i) wire_int(out, 8, a->integers[i]);
    wire_int(out, 20, a->type);
}

static void set(save_call *c, const attribute_text *a)
{
    enum { OF_NODE = 5 };
    saver *s = c->s;
    wire_output counted = {0};
    wire_message(&counted, OF_NODE, attribute_body, a);
    wire_output out = {.memory = save_grow(s, &s->encoded, (size_t)counted.length, 1)};
    if (!out.memory) return;
    wire_message(&out, OF_NODE, attribute_body, a);
    last_node(s)->bytes += (size_t)counted.length;
}

void save_set_int(save_call *c, const char *name, int64_t value)
{
    set(c, &(attribute_text){.name = name, .type = INT, .integer = value});
}

void save_set_float(save_call *c, const char *name, float value)
{
    set(c, &(attribute_text){.name = name, .type = FLOAT, .number = value});
}

void save_set_text(save_call *c, const char *name, const char *text)
{
    set(c, &(attribute_text){.name = name, .type = STRING, .text = text});
}

void save_set_ints(save_call *c, const char *name, int n, const int64_t *values)
{
    set(c, &(attribute_text){.name = name, .type = INTS, .n = n, .integers = values});
}

/* ---- Initializers ------------------------------------------------------------------------------------------------- */

/* Appends the lowest bytes of a number, lowest first. */
static void put_number(saver *s, uint64_t bits, int bytes)
{
    uint8_t *to = save_grow(s, &s->data, (size_t)bytes, 1);
    for (int i = 0; to && i < bytes; ++i) to[i] = (uint8_t)(bits >> 8 * i);
}

static int number(save_call *c, int type, int rank, const int64_t *dim, double value)
{
    saver *s = c->s;
    save_tensor tensor = {.type = type, .rank = rank, .data = s->data.n, .repeated = true};
    const float as_float = (float)value;
    uint32_t bits;
    memcpy(&bits, &as_float, sizeof bits);
    if (rank) memcpy(tensor.dim, dim, (size_t)rank * sizeof *dim);
    tensor.bytes = type == SAVE_BOOL ? 1 : type == SAVE_INT64 ? 8 : 4;
    put_number(s, type == SAVE_FLOAT ? bits : (uint64_t)(int64_t)value, (int)tensor.bytes);
    return save_new_tensor(s, &tensor);
}

int save_number(save_call *c, double value)
{
    return number(c, SAVE_FLOAT, 0, NULL, value);
}

int save_like(save_call *c, int k, double value)
{
    return number(c, save_dtype(save_shape(c, k)->type), 0, NULL, value);
}

int save_index(save_call *c, int64_t value)
{
    return number(c, SAVE_INT64, 0, NULL, (double)value);
}

int save_repeated(save_call *c, int rank, const int64_t *dim, float value)
{
    return number(c, SAVE_FLOAT, rank, dim, (double)value);
}

int save_ints(save_call *c, int n, const int64_t *values)
{
    save_tensor tensor = {.type = SAVE_INT64, .rank = 1, .dim = {n}, .data = c->s->data.n, .bytes = 8 * (size_t)n};
    for (int i = 0; i < n; ++i) put_number(c->s, (uint64_t)values[i], 8);
    return save_new_tensor(c->s, &tensor);
}

int save_counted(save_call *c, int32_t n)
{
    save_tensor tensor = {.type = SAVE_INT32, .rank = 1, .dim = {n}, .data = c->s->data.n, .bytes = 4 * (size_t)n};
    for (int32_t i = 0; i < n && c->s->status == CCONV_OK; ++i) put_number(c->s, (uint64_t)i, 4);
    return save_new_tensor(c->s, &tensor);
}

int save_scales(save_call *c, int axes, const float *scale)
{
    save_tensor tensor = {
        .type = SAVE_FLOAT, .rank = 1, .dim = {axes + 2}, .data = c->s->data.n, .bytes = 4 * ((size_t)axes + 2)};
    for (int k = 0; k < axes + 2; ++k) {
        const float value = k < 2 ? 1 : scale[k - 2];
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        put_number(c->s, bits, 4);
    }
    return save_new_tensor(c->s, &tensor);
}

/* ---- A few nodes that many writers need --------------------------------------------------------------------------- */

int save_dtype(cconv_dtype dtype)
{
    return dtype == CCONV_INT32 ? SAVE_INT32 : dtype == CCONV_BOOL ? SAVE_BOOL : SAVE_FLOAT;
}

int save_cast(save_call *c, int x, int type)
{
    const int y = save_add1(c, "Cast", x);
    save_set_int(c, "to", type);
    return y;
}

int save_transpose(save_call *c, int x, int n, const int64_t *axes)
{
    const int y = save_add1(c, "Transpose", x);
    save_set_ints(c, "perm", n, axes);
    return y;
}

int save_reshape(save_call *c, int x, int n, const int64_t *sizes)
{
    return save_add2(c, "Reshape", x, save_ints(c, n, sizes));
}

int save_reshape_like(save_call *c, int x, const cc_shape *shape, int like)
{
    int64_t sizes[CCONV_MAX_RANK];
    int open = 0;
    for (int k = 0; k < shape->rank; ++k) {
        sizes[k] = shape->dim[k] < 0 ? -1 : shape->dim[k];
        open += shape->dim[k] < 0;
    }
    bool empty = false;
    for (int k = 0; k < shape->rank; ++k) empty = empty || shape->dim[k] == 0;
    if (open > 1 || empty) return save_add2(c, "Reshape", x, save_add1(c, "Shape", like));
    return save_reshape(c, x, shape->rank, sizes);
}
