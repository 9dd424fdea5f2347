/* What values are: tensors of the file, elements that are known, nodes of the graph. */
#include "base/alloc.h"
#include "base/minmax.h"
#include "onnx/reading.h"
#include <stdlib.h>
#include <string.h>

/* Floats of a tensor that are computed with while reading; more are parameters, which stay what can be trained. */
enum { FEW_FLOATS = 16, MANY_INTS = 1 << 20 };

static cc_shape shape_of(const onnx_tensor *tensor)
{
    cc_shape shape = {.rank = tensor->rank};
    memcpy(shape.dim, tensor->dim, sizeof shape.dim);
    onnx_type_inside(tensor->type, &shape.type); /* checked with the count */
    return shape;
}

/* ---- Known elements ------------------------------------------------------------------------------------------------------ */

onnx_array *onnx_new_array(onnx_reading *r, const cc_shape *shape)
{
    const uint64_t count = (uint64_t)cc_shape_count(shape);
    const bool floats = shape->type == CCONV_FLOAT32;
    onnx_array *array = onnx_keep(&r->model, sizeof *array);
    void *elements = array ? onnx_keep(&r->model, count * (floats ? sizeof(float) : sizeof(int64_t))) : NULL;
    if (!elements) {
        onnx_stop(r, CCONV_NO_MEMORY);
        return NULL;
    }
    *array = (onnx_array){.shape = *shape, .floats = floats ? elements : NULL, .ints = floats ? NULL : elements};
    return array;
}

/* The elements of a tensor, kept. */
static const onnx_array *read_tensor(onnx_reading *r, const onnx_tensor *tensor)
{
    cconv_status status = onnx_check_count(r->folder, tensor);
    const cc_shape shape = shape_of(tensor);
    onnx_array *array = status == CCONV_OK ? onnx_new_array(r, &shape) : NULL;
    if (!array) {
        if (status != CCONV_OK) onnx_stop(r, status);
        return NULL;
    }
    status =
        array->floats ? onnx_read_floats(r->folder, tensor, array->floats) : onnx_read_ints(r->folder, tensor, array->ints);
    if (status == CCONV_OK) return array;
    onnx_stop(r, status);
    return NULL;
}

const onnx_array *onnx_elements_of(onnx_reading *r, onnx_named *value)
{
    value = onnx_resolve(r, value);
    if (!value->known && value->tensor) value->known = read_tensor(r, value->tensor);
    return value->known;
}

bool onnx_is_foldable(onnx_reading *r, onnx_named *value)
{
    value = onnx_resolve(r, value);
    cconv_dtype inside;
    if (!value->tensor) return value->known != NULL;
    if (!onnx_type_inside(value->tensor->type, &inside)) return false;
    const cc_shape shape = shape_of(value->tensor);
    return cc_shape_count(&shape) <= (inside == CCONV_FLOAT32 ? FEW_FLOATS : MANY_INTS);
}

/* ---- Nodes --------------------------------------------------------------------------------------------------------------- */

/* Whole numbers as int32. Those that stand for "to the end", such as the largest of int64, become the largest of int32. */
static int int_constant(onnx_reading *r, cconv_graph *graph, const char *name, const onnx_array *array)
{
    const int64_t count = cc_shape_count(&array->shape);
    int32_t *values = cc_alloc((uint64_t)count * sizeof *values);
    if (!values) {
        onnx_stop(r, CCONV_NO_MEMORY);
        return 0;
    }
    bool fits = true;
    for (int64_t i = 0; i < count; ++i) {
        const int64_t v = array->ints[i], far = INT64_C(1) << 62;
        fits &= (v >= INT32_MIN && v <= INT32_MAX) || v >= far || v <= -far;
        values[i] = v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : (int32_t)v;
    }
    int node = 0;
    if (!fits)
        onnx_stop(r, cc_fail(CCONV_UNSUPPORTED, "'%s' holds whole numbers beyond int32, which are not supported", name));
    else if (array->shape.type == CCONV_INT32)
        node = cconv_graph_constant(graph, name, CCONV_INT32, array->shape.rank, array->shape.dim, values);
    else {
        uint8_t *bools = (uint8_t *)values; /* of the same memory, from its front */
        for (int64_t i = 0; i < count; ++i) bools[i] = values[i] != 0;
        node = cconv_graph_constant(graph, name, CCONV_BOOL, array->shape.rank, array->shape.dim, bools);
    }
    cc_free(values);
    return node;
}

int onnx_array_node(onnx_reading *r, cconv_graph *graph, const char *name, const onnx_array *array)
{
    if (graph != r->graph && !onnx_may_compute(r, (uint64_t)cc_shape_count(&array->shape))) return 0;
    if (!array->floats) return int_constant(r, graph, name, array);
    return cconv_graph_constant(graph, name, CCONV_FLOAT32, array->shape.rank, array->shape.dim, array->floats);
}

static bool is_parameter(const onnx_tensor *tensor)
{
    cconv_dtype inside;
    const cc_shape shape = shape_of(tensor);
    return onnx_type_inside(tensor->type, &inside) && inside == CCONV_FLOAT32 && shape.rank > 0 && cc_shape_count(&shape) > 1;
}

static int by_name(const void *a, const void *b)
{
    const onnx_shared *x = a, *y = b;
    const int names = strcmp(x->name, y->name);
    return names ? names : (x->node > y->node) - (x->node < y->node);
}

/* Sorts the variables of the graph that parameters are shared with, once. */
static bool sort_shared(onnx_reading *r)
{
    const cconv_graph *graph = r->parameters_of;
    if (!graph || r->shared) return true;
    r->shared = cc_alloc((uint64_t)graph->count * sizeof *r->shared + 1);
    if (!r->shared) return onnx_stop(r, CCONV_NO_MEMORY);
    for (int i = 1; i <= graph->count; ++i)
        if (cc_graph_node(graph, i)->kind == CC_VARIABLE)
            r->shared[r->n_shared++] = (onnx_shared){cc_graph_node(graph, i)->name, i};
    qsort(r->shared, (size_t)r->n_shared, sizeof *r->shared, by_name);
    return true;
}

/* The variable of this name and shape in the graph that parameters are shared with, or NULL. */
static cconv_variable *shared_variable(const onnx_reading *r, const char *name, const cc_shape *shape)
{
    int low = 0, high = r->n_shared;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (strcmp(r->shared[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < r->n_shared && strcmp(r->shared[low].name, name) == 0; ++low) {
        const cc_node *node = cc_graph_node(r->parameters_of, r->shared[low].node);
        if (cc_shape_equal(&node->shape, shape)) return cconv_variable_retain(node->variable);
    }
    return NULL;
}

/* The numbers of a tensor that stand in the file, some at a time: what has been read of the largest needs no memory any more. */
static void move_floats(const onnx_reading *r, const cc_shape *from, onnx_bytes plain, const int *order, float *to)
{
    enum { SOME = 8 << 20 };
    const int64_t rows = from->dim[0], row = rows ? (int64_t)plain.size / rows : 1;
    for (int64_t i = 0, next; i < rows; i = next) {
        next = cc_min(rows, i + cc_max(1, SOME / cc_max(row, 1)));
        onnx_order_some_floats(from, plain.data, order, i, next, to);
        onnx_file_forget(r->file, (onnx_bytes){plain.data + i * row, (size_t)((next - i) * row)});
    }
}

/* A new variable with the tensor's numbers, its axes in this order. */
static cconv_variable *read_variable(onnx_reading *r, const onnx_tensor *tensor, const int *order)
{
    const cc_shape from = shape_of(tensor);
    cc_shape to = from;
    bool moved = false;
    for (int k = 0; k < to.rank; ++k) {
        to.dim[k] = from.dim[order[k]];
        moved |= order[k] != k;
    }
    if (!sort_shared(r)) return NULL;
    cconv_variable *variable = shared_variable(r, tensor->name, &to);
    if (variable) return variable;
    cconv_status status = onnx_check_count(r->folder, tensor);
    if (status == CCONV_OK && !(variable = cconv_variable_new(to.rank, to.dim))) status = CCONV_NO_MEMORY;
    onnx_bytes plain;
    if (status == CCONV_OK && onnx_plain_floats(tensor, &plain)) {
        move_floats(r, &from, plain, order, variable->data);
        return variable;
    }
    float *direct = status == CCONV_OK && moved ? cc_alloc((uint64_t)variable->count * sizeof *direct) : NULL;
    if (status == CCONV_OK && moved && !direct) status = CCONV_NO_MEMORY;
    if (status == CCONV_OK) status = onnx_read_floats(r->folder, tensor, moved ? direct : variable->data);
    if (status == CCONV_OK && moved) onnx_order_floats(&from, direct, order, variable->data);
    cc_free(direct);
    if (status == CCONV_OK) return variable;
    cconv_variable_free(variable);
    onnx_stop(r, status);
    return NULL;
}

/* The variable of a tensor in this order: the same one in every graph that is built. */
static cconv_variable *variable_of(onnx_reading *r, const onnx_tensor *tensor, const int *order)
{
    const int first = cc_map_find(&r->tensors, tensor->message.data);
    for (int i = first; i; i = r->parameters[i - 1].next)
        if (memcmp(r->parameters[i - 1].order, order, (size_t)tensor->rank * sizeof *order) == 0)
            return r->parameters[i - 1].variable;
    if (r->n_parameters == r->parameters_capacity) {
        const int capacity = r->parameters_capacity ? 2 * r->parameters_capacity : 64;
        onnx_parameter *parameters = cc_alloc((uint64_t)capacity * sizeof *parameters);
        if (!parameters) {
            onnx_stop(r, CCONV_NO_MEMORY);
            return NULL;
        }
        if (r->n_parameters) memcpy(parameters, r->parameters, (size_t)r->n_parameters * sizeof *parameters);
        cc_free(r->parameters);
        r->parameters = parameters;
        r->parameters_capacity = capacity;
    }
    cconv_variable *variable = read_variable(r, tensor, order);
    if (!variable) return NULL;
    onnx_parameter *parameter = &r->parameters[r->n_parameters++];
    *parameter = (onnx_parameter){.variable = variable, .next = first};
    memcpy(parameter->order, order, (size_t)tensor->rank * sizeof *order);
    if (cc_map_put(&r->tensors, tensor->message.data, r->n_parameters)) return variable;
    onnx_stop(r, CCONV_NO_MEMORY);
    return NULL;
}

void onnx_forget_parameters(onnx_reading *r)
{
    for (int i = 0; i < r->n_parameters; ++i) cconv_variable_free(r->parameters[i].variable);
    cc_free(r->parameters);
    cc_free(r->shared);
    cc_map_free(&r->tensors);
}

/* A transpose from one order of axes to another: axis k of both is axis from[k] and to[k] of the tensor. */
static int between_orders(cconv_graph *graph, const char *name, int node, int rank, const int *from, const int *to)
{
    char text[256];
    int64_t axes[CCONV_MAX_RANK];
    for (int k = 0; k < rank; ++k)
        for (int j = 0; j < rank; ++j)
            if (from[j] == to[k]) axes[k] = j;
    return cconv_graph_add(graph, "transpose", name, 1, &node, onnx_list_text(text, "axes", rank, axes));
}

/* A constant of an array, its axes in this order. */
static int ordered_constant(onnx_reading *r, const char *name, const onnx_array *array, const int *order)
{
    onnx_array moved = {.shape = array->shape};
    for (int k = 0; k < moved.shape.rank; ++k) moved.shape.dim[k] = array->shape.dim[order[k]];
    moved.floats = cc_alloc((uint64_t)cc_shape_count(&array->shape) * sizeof(float));
    if (!moved.floats) {
        onnx_stop(r, CCONV_NO_MEMORY);
        return 0;
    }
    onnx_order_floats(&array->shape, array->floats, order, moved.floats);
    const int node = onnx_array_node(r, r->graph, name, &moved);
    cc_free(moved.floats);
    return node;
}

/* Whether each of the axes stands there once: a damaged file may have a tensor of another rank than its reader expects. */
static bool is_order(int rank, const int *order)
{
    unsigned seen = 0;
    for (int k = 0; k < rank; ++k)
        if (order[k] >= 0 && order[k] < rank) seen |= 1u << order[k];
    return seen == (1u << rank) - 1;
}

int onnx_node_ordered(onnx_reading *r, onnx_named *value, const int *order)
{
    value = onnx_resolve(r, value);
    const bool parameter = value->tensor && is_parameter(value->tensor);
    if (!parameter && !(value->known && value->known->floats && !value->node)) return 0;
    const int rank = parameter ? value->tensor->rank : value->known->shape.rank;
    if (!is_order(rank, order)) return 0;
    if (value->stored) {
        if (memcmp(value->order, order, (size_t)rank * sizeof *order) == 0) return value->stored;
        return between_orders(r->graph, value->name, value->stored, rank, value->order, order);
    }
    if (parameter) {
        cconv_variable *variable = variable_of(r, value->tensor, order);
        value->stored = variable ? cconv_graph_variable(r->graph, value->name, variable) : 0;
    } else
        value->stored = ordered_constant(r, value->name, value->known, order);
    memcpy(value->order, order, (size_t)rank * sizeof *order);
    return value->stored;
}

int onnx_node_of(onnx_reading *r, cconv_graph *graph, onnx_named *value)
{
    static const int as_in_file[CCONV_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
    value = onnx_resolve(r, value);
    const bool here = graph == r->graph;
    if (here && value->node) return value->node;
    int node = 0;
    if (here && value->tensor && is_parameter(value->tensor))
        node = onnx_node_ordered(r, value, as_in_file);
    else {
        const onnx_array *array = onnx_elements_of(r, value);
        if (array) node = onnx_array_node(r, graph, value->name, array);
    }
    if (!node && r->status == CCONV_OK) onnx_stop(r, cconv_last_status());
    if (here) value->node = node;
    return node;
}
