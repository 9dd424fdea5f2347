/* What readers of operators ask and say: see reader.h. */
#include "onnx/reader.h"
#include "base/alloc.h"
#include "onnx/reading.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- Failure ------------------------------------------------------------------------------------------------------------- */

bool onnx_failed(const onnx_call *c)
{
    return c->failed || c->r->status != CCONV_OK;
}

bool onnx_refuse(onnx_call *c, const char *format, ...)
{
    char why[160], text[256];
    va_list arguments;
    if (onnx_failed(c)) return false;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    snprintf(text, sizeof text, "%s with %s", c->node->op, why);
    onnx_note_refusal(c->r, c->node, text);
    c->failed = true;
    return false;
}

bool onnx_damaged(onnx_call *c, const char *format, ...)
{
    char why[256];
    va_list arguments;
    if (onnx_failed(c)) return false;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    c->failed = true;
    return onnx_stop(c->r, cc_fail(CCONV_INVALID, "%s (node '%s'): %s", c->node->op, c->node->name, why));
}

int onnx_stop_here(onnx_call *c)
{
    if (onnx_failed(c)) return 0;
    c->failed = true;
    const cconv_status status = cconv_last_status();
    cc_fail_prefix("%s (node '%s')", c->node->op, c->node->name);
    onnx_stop(c->r, status);
    return 0;
}

/* ---- The node ------------------------------------------------------------------------------------------------------------ */

int64_t onnx_opset(const onnx_call *c)
{
    return c->r->model.opset;
}

bool onnx_frozen(const onnx_call *c)
{
    return c->r->frozen;
}

int64_t onnx_opened_batch(const onnx_call *c)
{
    return c->r->opened_batch;
}

int onnx_inputs(const onnx_call *c)
{
    return c->node->n_inputs;
}

int onnx_outputs(const onnx_call *c)
{
    return c->node->n_outputs;
}

bool onnx_wants(const onnx_call *c, int k)
{
    return k < c->node->n_outputs && c->node->outputs[k][0];
}

/* ---- Inputs -------------------------------------------------------------------------------------------------------------- */

bool onnx_has(const onnx_call *c, int i)
{
    return i < c->node->n_inputs && c->node->inputs[i][0];
}

static onnx_named *input_of(const onnx_call *c, int i)
{
    return onnx_has(c, i) ? onnx_find(c->r, c->node->inputs[i]) : NULL; /* it is there: nodes.c has looked */
}

int onnx_input(onnx_call *c, int i)
{
    onnx_named *value = onnx_failed(c) ? NULL : input_of(c, i);
    return value ? onnx_node_of(c->r, c->graph, value) : 0;
}

int onnx_input_ordered(onnx_call *c, int i, const int *axes)
{
    onnx_named *value = onnx_failed(c) ? NULL : input_of(c, i);
    if (!value) return 0;
    const int ordered = c->folding ? 0 : onnx_node_ordered(c->r, value, axes);
    if (ordered || c->r->status != CCONV_OK) return ordered;
    const int node = onnx_input(c, i);
    return node ? onnx_transpose(c, node, onnx_shape(c, node)->rank, axes) : 0;
}

onnx_type onnx_input_type(const onnx_call *c, int i)
{
    const onnx_named *value = input_of(c, i);
    return value ? value->type : ONNX_UNDEFINED;
}

bool onnx_known(onnx_call *c, int i)
{
    onnx_named *value = input_of(c, i);
    return value && (onnx_resolve(c->r, value)->known || onnx_resolve(c->r, value)->tensor);
}

/* The elements of an input that must be known. */
static const onnx_array *known_elements(onnx_call *c, int i)
{
    onnx_named *value = onnx_failed(c) ? NULL : input_of(c, i);
    const onnx_array *array = value ? onnx_elements_of(c->r, value) : NULL;
    if (!array && !onnx_failed(c)) onnx_refuse(c, "an input number %d that is not known when the model is read", i);
    return array;
}

bool onnx_known_ints(onnx_call *c, int i, onnx_list *list)
{
    const onnx_array *array = known_elements(c, i);
    list->n = 0;
    if (!array) return false;
    if (!array->ints) return onnx_damaged(c, "expected whole numbers as input number %d", i);
    const int64_t count = cc_shape_count(&array->shape);
    if (count > ONNX_MAX_LIST) return onnx_refuse(c, "a list of more than %d numbers (input number %d)", ONNX_MAX_LIST, i);
    list->n = (int)count;
    for (int k = 0; k < list->n; ++k) list->v[k] = array->ints[k];
    return true;
}

bool onnx_known_floats(onnx_call *c, int i, float *values, int *n)
{
    const int room = *n;
    const onnx_array *array = known_elements(c, i);
    *n = 0;
    if (!array) return false;
    const int64_t count = cc_shape_count(&array->shape);
    if (count > room) return onnx_refuse(c, "a list of more than %d numbers (input number %d)", room, i);
    *n = (int)count;
    for (int k = 0; k < *n; ++k) values[k] = array->floats ? array->floats[k] : (float)array->ints[k];
    return true;
}

/* ---- The graph ----------------------------------------------------------------------------------------------------------- */

const cc_shape *onnx_shape(const onnx_call *c, int node)
{
    static const cc_shape none = {0};
    return node ? &cc_graph_node(c->graph, node)->shape : &none;
}

static int add(onnx_call *c, const char *op, int n_inputs, const int *inputs, const char *format, va_list arguments)
{
    char text[1024];
    if (onnx_failed(c)) return 0;
    cc_writer w = cc_writer_in(text, sizeof text);
    if (format) onnx_put_attributes(&w, format, arguments);
    if (w.length >= sizeof text) {
        onnx_refuse(c, "attributes of more than 1000 letters");
        return 0;
    }
    const int node = cconv_graph_add(c->graph, op, c->node->name, n_inputs, inputs, format ? text : NULL);
    return node ? node : onnx_stop_here(c);
}

int onnx_add(onnx_call *c, const char *op, int n_inputs, const int *inputs, const char *attributes, ...)
{
    va_list arguments;
    va_start(arguments, attributes);
    const int node = add(c, op, n_inputs, inputs, attributes, arguments);
    va_end(arguments);
    return node;
}

int onnx_add1(onnx_call *c, const char *op, int x, const char *attributes, ...)
{
    va_list arguments;
    va_start(arguments, attributes);
    const int node = add(c, op, 1, &x, attributes, arguments);
    va_end(arguments);
    return node;
}

int onnx_add2(onnx_call *c, const char *op, int a, int b, const char *attributes, ...)
{
    va_list arguments;
    va_start(arguments, attributes);
    const int node = add(c, op, 2, (int[]){a, b}, attributes, arguments);
    va_end(arguments);
    return node;
}

const char *onnx_list_text(char text[256], const char *name, int n, const int64_t *values)
{
    cc_writer w = cc_writer_in(text, 256);
    cc_put(&w, "%s=", name);
    for (int i = 0; i < n; ++i) cc_put(&w, i ? ",%lld" : "%lld", (long long)values[i]);
    return text;
}

int onnx_constant(onnx_call *c, cconv_dtype dtype, int rank, const int64_t *dim, const void *values)
{
    if (onnx_failed(c)) return 0;
    const int node = cconv_graph_constant(c->graph, c->node->name, dtype, rank, dim, values);
    return node ? node : onnx_stop_here(c);
}

int onnx_scalar(onnx_call *c, int like, double value)
{
    const float number = (float)value;
    const int32_t whole = fabs(value) < 0x1p31 ? (int32_t)value : INT32_MIN;
    const uint8_t truth = value != 0;
    switch (onnx_shape(c, like)->type) {
    case CCONV_INT32:
        if (value != whole) return onnx_refuse(c, "a number beyond int32");
        return onnx_constant(c, CCONV_INT32, 0, NULL, &whole);
    case CCONV_BOOL: return onnx_constant(c, CCONV_BOOL, 0, NULL, &truth);
    default: return onnx_constant(c, CCONV_FLOAT32, 0, NULL, &number);
    }
}

int onnx_tensor_constant(onnx_call *c, const onnx_tensor *tensor)
{
    onnx_named value = {.name = c->node->name, .tensor = tensor};
    const onnx_array *array = onnx_failed(c) ? NULL : onnx_elements_of(c->r, &value);
    const int node = array ? onnx_array_node(c->r, c->graph, c->node->name, array) : 0;
    return node ? node : onnx_stop_here(c);
}

int onnx_transpose(onnx_call *c, int node, int n, const int *axes)
{
    char text[256];
    int64_t list[CCONV_MAX_RANK];
    bool moved = false;
    if (onnx_failed(c)) return 0;
    for (int k = 0; k < n; ++k) {
        list[k] = axes[k];
        moved |= axes[k] != k;
    }
    return moved ? onnx_add1(c, "transpose", node, "%s", onnx_list_text(text, "axes", n, list)) : node;
}

int onnx_reshape(onnx_call *c, int node, int rank, const int64_t *dim)
{
    char text[256];
    if (onnx_failed(c)) return 0;
    const cc_shape *shape = onnx_shape(c, node);
    if (rank == shape->rank && (!rank || memcmp(shape->dim, dim, (size_t)rank * sizeof *dim) == 0)) return node;
    bool zero = false;
    for (int k = 0; k < rank; ++k) zero |= dim[k] == 0;
    if (zero) /* which a reshape would take for the size of its input; there is nothing to be moved */
        return onnx_add1(c, "broadcast_to", onnx_scalar(c, node, 0), "%s", onnx_list_text(text, "shape", rank, dim));
    return onnx_add1(c, "reshape", node, "%s", onnx_list_text(text, "shape", rank, dim));
}

int onnx_cast(onnx_call *c, int node, cconv_dtype dtype)
{
    if (onnx_failed(c) || onnx_shape(c, node)->type == dtype) return node;
    return onnx_add1(c, "cast", node, "to=%s", cconv_dtype_name(dtype));
}

/* Axis 1 to the end, or the last one to place 1. */
static int move_channels(onnx_call *c, int node, bool to_end)
{
    int axes[CCONV_MAX_RANK];
    const int rank = onnx_shape(c, node)->rank;
    for (int k = 0; k < rank; ++k) axes[k] = k;
    if (rank > 2)
        for (int k = 1; k < rank; ++k) axes[k] = to_end ? (k + 1 < rank ? k + 1 : 1) : (k > 1 ? k - 1 : rank - 1);
    return onnx_transpose(c, node, rank, axes);
}

int onnx_channels_last(onnx_call *c, int node)
{
    return move_channels(c, node, true);
}

int onnx_channels_first(onnx_call *c, int node)
{
    return move_channels(c, node, false);
}

int onnx_axis(onnx_call *c, int64_t axis, int rank)
{
    if (axis >= -rank && axis < rank) return (int)(axis < 0 ? axis + rank : axis);
    onnx_damaged(c, "expected an axis of %d to %d, received %lld", -rank, rank - 1, (long long)axis);
    return 0;
}

/* ---- Outputs ------------------------------------------------------------------------------------------------------------- */

/* The type in the file of the first input that is inside what the output is. */
static onnx_type type_like_inputs(onnx_call *c, cconv_dtype dtype)
{
    cconv_dtype inside;
    for (int i = 0; i < c->node->n_inputs; ++i)
        if (onnx_type_inside(onnx_input_type(c, i), &inside) && inside == dtype) return onnx_input_type(c, i);
    return dtype == CCONV_FLOAT32 ? ONNX_FLOAT : dtype == CCONV_BOOL ? ONNX_BOOL : ONNX_INT64;
}

bool onnx_give_as(onnx_call *c, int k, int node, onnx_type type)
{
    if (onnx_failed(c) || !node) return false;
    if (!onnx_wants(c, k)) return true;
    if (c->folding) {
        c->given[k] = node;
        c->types[k] = type;
        return true;
    }
    onnx_named *value = onnx_name(c->r, c->node->outputs[k]);
    if (!value) return false;
    value->node = node;
    value->type = type;
    return true;
}

bool onnx_give(onnx_call *c, int k, int node)
{
    if (onnx_failed(c) || !node) return false;
    return onnx_give_as(c, k, node, type_like_inputs(c, onnx_shape(c, node)->type));
}

bool onnx_give_input(onnx_call *c, int k, int i, onnx_type type)
{
    onnx_named *from = onnx_failed(c) ? NULL : input_of(c, i);
    if (!from) return false;
    if (!onnx_wants(c, k)) return true;
    const int number = (int)(onnx_resolve(c->r, from) - c->r->values) + 1;
    if (type == ONNX_UNDEFINED) type = from->type;
    onnx_named *value = onnx_name(c->r, c->node->outputs[k]);
    if (!value) return false;
    value->same_as = number;
    value->type = type;
    return true;
}

/* Output k is an array of these numbers, floats or int64. */
static bool give_known(onnx_call *c, int k, cconv_dtype type, int rank, const int64_t *dim, const void *values)
{
    cc_shape shape = {.rank = rank, .type = type};
    for (int i = 0; i < rank; ++i) shape.dim[i] = dim[i];
    onnx_array *array = onnx_new_array(c->r, &shape);
    onnx_named *value = array ? onnx_name(c->r, c->node->outputs[k]) : NULL;
    if (!value) return false;
    const size_t count = (size_t)cc_shape_count(&shape);
    if (count && array->floats) memcpy(array->floats, values, count * sizeof *array->floats);
    if (count && array->ints) memcpy(array->ints, values, count * sizeof *array->ints);
    value->known = array;
    value->type = array->floats ? ONNX_FLOAT : ONNX_INT64;
    return true;
}

bool onnx_give_ints(onnx_call *c, int k, int rank, const int64_t *dim, const int64_t *values)
{
    if (onnx_failed(c)) return false;
    return !onnx_wants(c, k) || give_known(c, k, CCONV_INT32, rank, dim, values);
}

bool onnx_give_floats(onnx_call *c, int k, int rank, const int64_t *dim, const float *values)
{
    if (onnx_failed(c)) return false;
    return !onnx_wants(c, k) || give_known(c, k, CCONV_FLOAT32, rank, dim, values);
}

bool onnx_give_tensor(onnx_call *c, int k, const onnx_tensor *tensor)
{
    cconv_dtype inside;
    if (onnx_failed(c)) return false;
    if (!onnx_wants(c, k)) return true;
    if (!onnx_type_inside(tensor->type, &inside)) return onnx_refuse(c, "elements that are %s", onnx_type_name(tensor->type));
    onnx_tensor *kept = onnx_keep(&c->r->model, sizeof *kept);
    onnx_named *value = kept ? onnx_name(c->r, c->node->outputs[k]) : NULL;
    if (!value) return onnx_stop(c->r, CCONV_NO_MEMORY);
    *kept = *tensor;
    kept->name = c->node->outputs[k];
    value->tensor = kept;
    value->type = tensor->type;
    return true;
}
