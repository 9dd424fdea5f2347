/* Building a graph: every node is checked when it is added, and its shape is known from then on. */
#include "graph/graph.h"
#include "base/alloc.h"
#include "base/type.h"
#include <stdio.h>
#include <string.h>

cconv_graph *cconv_graph_new(void)
{
    return cc_alloc_zero(sizeof(cconv_graph));
}

static void free_node(cc_node *node)
{
    cc_free(node->name);
    cc_free(node->attributes);
    cc_free(node->inputs);
    cconv_variable_free(node->variable);
}

void cconv_graph_free(cconv_graph *graph)
{
    if (!graph) return;
    for (int i = 0; i < graph->count; ++i) free_node(&graph->nodes[i]);
    for (int i = 0; i < graph->n_outputs; ++i) cc_free(graph->outputs[i].name);
    cc_free(graph->outputs);
    cc_free(graph->nodes);
    cc_free(graph);
}

/* Remembers the first failure: later calls return it, whatever they are asked. */
static int fail(cconv_graph *graph, cconv_status status)
{
    graph->status = status;
    snprintf(graph->error, sizeof graph->error, "%s", cconv_last_error());
    return 0;
}

/* True if the graph can take nodes; else the first failure is this thread's last error again. */
static bool ready(cconv_graph *graph)
{
    if (!graph) {
        cc_fail(CCONV_INVALID, "expected a graph, received NULL");
        return false;
    }
    if (graph->status != CCONV_OK) cc_fail(graph->status, "%s", graph->error);
    return graph->status == CCONV_OK;
}

/* Moves a filled node into the graph, which owns its memory from then on, also when this fails. Returns its number or 0. */
static int append(cconv_graph *graph, cc_node *node, const char *name, const char *default_name)
{
    char made[64];
    if (!name) {
        snprintf(made, sizeof made, "%s_%d", default_name, graph->count + 1);
        name = made;
    }
    size_t length = strlen(name) + 1;
    node->name = cc_alloc(length);
    if (node->name) memcpy(node->name, name, length);
    if (node->name && graph->count == graph->capacity) {
        int capacity = graph->capacity ? 2 * graph->capacity : 16;
        cc_node *nodes = cc_alloc((size_t)capacity * sizeof *nodes);
        if (nodes) {
            if (graph->count) memcpy(nodes, graph->nodes, (size_t)graph->count * sizeof *nodes);
            cc_free(graph->nodes);
            graph->nodes = nodes;
            graph->capacity = capacity;
        }
    }
    if (!node->name || graph->count == graph->capacity) {
        free_node(node);
        return fail(graph, CCONV_NO_MEMORY);
    }
    node->fixed = node->kind != CC_INPUT;
    for (int k = 0; k < node->n_inputs; ++k)
        if (node->inputs[k] && !cc_graph_node(graph, node->inputs[k])->fixed) node->fixed = false;
    graph->nodes[graph->count] = *node;
    graph->n_draws += node->draw > 0;
    ++graph->count;
    return graph->count;
}

int cc_graph_copy(cconv_graph *graph, const cc_node *node, const char *name)
{
    if (!ready(graph)) return 0;
    cc_node copy = *node;
    copy.name = NULL;
    copy.variable = cconv_variable_retain(node->variable);
    copy.attributes = node->kind == CC_COMPUTED ? cc_alloc(node->op->attributes_size) : NULL;
    copy.inputs = node->kind == CC_COMPUTED ? cc_alloc((size_t)node->n_inputs * sizeof *node->inputs) : NULL;
    if (node->kind == CC_COMPUTED && (!copy.attributes || !copy.inputs)) {
        free_node(&copy);
        return fail(graph, CCONV_NO_MEMORY);
    }
    if (copy.attributes && node->op->attributes_size) memcpy(copy.attributes, node->attributes, node->op->attributes_size);
    if (copy.inputs && node->n_inputs) memcpy(copy.inputs, node->inputs, (size_t)node->n_inputs * sizeof *node->inputs);
    int number = append(graph, &copy, name, "copy");
    if (number && node->kind == CC_INPUT) ++graph->n_inputs;
    return number;
}

static bool read_shape(int rank, const int64_t *sizes, bool unknown_allowed, cc_shape *shape)
{
    shape->rank = rank;
    if (rank < 0 || rank > CCONV_MAX_RANK || (rank > 0 && !sizes)) return false;
    for (int i = 0; i < rank; ++i) {
        shape->dim[i] = sizes[i];
        if (sizes[i] < (unknown_allowed ? CC_UNKNOWN : 0)) return false;
    }
    return cc_shape_check(shape);
}

int cconv_graph_input(cconv_graph *graph, const char *name, cconv_dtype dtype, int rank, const int64_t *shape)
{
    if (!ready(graph)) return 0;
    cc_node node = {.kind = CC_INPUT, .shape = {.type = dtype}};
    if (!cc_type_is_computed(dtype))
        return fail(graph, cc_fail(CCONV_INVALID, "input '%s': expected a dtype of float32, int32 or bool, received %s",
                                   name ? name : "", cc_type_of(dtype) ? cc_type_of(dtype)->name : "no dtype"));
    if (!read_shape(rank, shape, true, &node.shape))
        return fail(graph,
                    cc_fail(CCONV_INVALID, "input '%s': expected a rank of 0 to %d and sizes of at least 0 (or -1: unknown)",
                            name ? name : "", CCONV_MAX_RANK));
    int number = append(graph, &node, name, "input");
    if (number) ++graph->n_inputs;
    return number;
}

int cconv_graph_variable(cconv_graph *graph, const char *name, cconv_variable *variable)
{
    if (!ready(graph)) return 0;
    if (!variable) return fail(graph, cc_fail(CCONV_INVALID, "expected a variable, received NULL"));
    cc_node node = {.kind = CC_VARIABLE, .variable = cconv_variable_retain(variable), .shape = variable->shape};
    return append(graph, &node, name, "variable");
}

int cconv_graph_constant(cconv_graph *graph, const char *name, cconv_dtype dtype, int rank, const int64_t *shape,
                         const void *values)
{
    if (!ready(graph)) return 0;
    const cc_type *type = cc_type_of(dtype);
    cc_node node = {.kind = CC_CONSTANT};
    int64_t number, count;
    if (!type) return fail(graph, cc_fail(CCONV_INVALID, "constant '%s': there is no dtype %d", name ? name : "", (int)dtype));
    if (!values || !read_shape(rank, shape, false, &node.shape))
        return fail(graph, cc_fail(CCONV_INVALID, "expected a constant's values and sizes of at least 0, received %s",
                                   values ? "an invalid shape" : "NULL"));
    node.shape.type = type->value;
    count = cc_shape_count(&node.shape);
    if (cc_type_misfit(dtype, values, 0, count, &number))
        return fail(graph, cc_fail(CCONV_INVALID, "constant '%s': expected integers that fit int32, received %lld",
                                   name ? name : "", (long long)number));
    node.variable = cc_variable_of(&node.shape);
    if (!node.variable) return fail(graph, CCONV_NO_MEMORY);
    cc_type_read(type->value, node.variable->data, dtype, values, 0, count);
    return append(graph, &node, name, "constant");
}

/* Reads and checks what an op node is made of, and infers its shape. On failure the caller frees the node. */
static cconv_status make_computed(const cconv_graph *graph, cc_node *node, const char *name, const int *inputs,
                                  const char *attributes)
{
    const cc_op *op = node->op;
    node->inputs = cc_alloc((size_t)node->n_inputs * sizeof *inputs);
    node->attributes = cc_alloc_zero(op->attributes_size);
    cc_shape *xs = cc_alloc_zero((size_t)node->n_inputs * sizeof *xs);
    cconv_status status = node->inputs && node->attributes && xs ? CCONV_OK : CCONV_NO_MEMORY;
    cc_call call = {.op = op, .name = name, .attributes = node->attributes, .n_inputs = node->n_inputs, .xs = xs};
    for (int i = 0; status == CCONV_OK && i < node->n_inputs; ++i) {
        node->inputs[i] = inputs[i];
        if (inputs[i] < 0 || inputs[i] > graph->count)
            status = cc_op_fail(&call, CCONV_INVALID, "expected input %d to be a node of 1 to %d (0: absent), received %d",
                                i + 1, graph->count, inputs[i]);
        else if (inputs[i] == 0)
            xs[i].rank = -1;
        else
            xs[i] = cc_graph_node(graph, inputs[i])->shape;
    }
    if (status == CCONV_OK && (status = cc_attributes_read(op->attributes, attributes, node->attributes, 0)) != CCONV_OK)
        cc_fail_prefix("%s%s%s%s", name ? name : "", name ? " (" : "", op->name, name ? ")" : "");
    if (status == CCONV_OK) status = cc_op_check_inputs(&call);
    if (status == CCONV_OK) status = cc_op_infer(&call, &node->shape);
    if (status == CCONV_OK && !cc_shape_check(&node->shape))
        status = cc_op_fail(&call, CCONV_INVALID, "the output is too large to address");
    cc_free(xs);
    return status;
}

int cconv_graph_add(cconv_graph *graph, const char *op, const char *name, int n_inputs, const int *inputs,
                    const char *attributes)
{
    if (!ready(graph)) return 0;
    cc_node node = {.kind = CC_COMPUTED, .op = cc_op_find(op), .n_inputs = n_inputs};
    if (!node.op) return fail(graph, CCONV_INVALID);
    if (n_inputs < 0 || (n_inputs > 0 && !inputs))
        return fail(graph, cc_fail(CCONV_INVALID, "%s: expected an array of inputs, received NULL or a negative count", op));
    cconv_status status = make_computed(graph, &node, name, inputs, attributes);
    if (status != CCONV_OK) {
        free_node(&node);
        return fail(graph, status);
    }
    if (node.op->flags & CC_RANDOM) node.draw = graph->n_draws + 1;
    return append(graph, &node, name, op);
}

int cconv_graph_count(const cconv_graph *graph)
{
    if (!graph) cc_fail(CCONV_INVALID, "expected a graph, received NULL");
    return graph ? graph->count : 0;
}

cconv_dtype cconv_graph_dtype(const cconv_graph *graph, int node)
{
    return cc_graph_has(graph, node) ? cc_graph_node(graph, node)->shape.type : (cconv_dtype)-1;
}

cconv_status cconv_graph_shape(const cconv_graph *graph, int node, int *rank, int64_t *shape)
{
    if (!cc_graph_has(graph, node)) return CCONV_INVALID;
    const cc_shape *found = &cc_graph_node(graph, node)->shape;
    if (rank) *rank = found->rank;
    if (shape) memcpy(shape, found->dim, (size_t)found->rank * sizeof *shape);
    return CCONV_OK;
}

/* Marks what the outputs need, in marks of count + 1 entries. */
static void mark_wanted(const cconv_graph *graph, int n_outputs, const int *outputs, bool *wanted)
{
    for (int i = 0; i < n_outputs; ++i) wanted[outputs[i]] = true;
    for (int i = graph->count; i >= 1; --i) {
        const cc_node *node = cc_graph_node(graph, i);
        for (int k = 0; wanted[i] && k < node->n_inputs; ++k) wanted[node->inputs[k]] = true;
    }
}

/* Node i computes each sample by itself, if those before it do; xs has room for the shapes of its inputs. batched[k] is node
 * k's answer to whether it comes from a batched input. */
static bool samples_apart(const cconv_graph *graph, int i, bool *batched, cc_shape *xs)
{
    const cc_node *node = cc_graph_node(graph, i);
    if (node->kind == CC_INPUT) batched[i] = cc_is_batched(&node->shape);
    if (node->kind != CC_COMPUTED) return true;
    for (int k = 0; k < node->n_inputs; ++k) {
        const int x = node->inputs[k];
        xs[k] = x ? cc_graph_node(graph, x)->shape : (cc_shape){.rank = -1};
        if (x && cc_is_batched(&xs[k]) != batched[x]) return false; /* another size that is not known */
        if (x && batched[x]) batched[i] = true;
    }
    const cc_call call = {
        .op = node->op, .attributes = node->attributes, .n_inputs = node->n_inputs, .xs = xs, .ys = node->shape};
    return !batched[i] || cc_op_per_sample(&call);
}

int cconv_graph_per_sample(const cconv_graph *graph, int n_outputs, const int *outputs)
{
    int widest = 0;
    bool apart = graph && n_outputs >= 0 && (n_outputs == 0 || outputs);
    for (int i = 0; apart && i < n_outputs; ++i) apart = outputs[i] >= 1 && outputs[i] <= graph->count;
    if (!apart) {
        cc_fail(CCONV_INVALID, "per_sample: expected a graph and nodes of 1 to %d", graph ? graph->count : 0);
        return 0;
    }
    for (int i = 1; i <= graph->count; ++i)
        if (cc_graph_node(graph, i)->n_inputs > widest) widest = cc_graph_node(graph, i)->n_inputs;
    const size_t marks = CC_ALIGN_UP(2 * ((size_t)graph->count + 1) * sizeof(bool));
    char *memory = cc_alloc_zero(marks + (size_t)widest * sizeof(cc_shape));
    if (!memory) return 0;
    bool *wanted = (bool *)memory, *batched = wanted + graph->count + 1;
    mark_wanted(graph, n_outputs, outputs, wanted);
    for (int i = 1; apart && i <= graph->count; ++i)
        if (wanted[i]) apart = samples_apart(graph, i, batched, (cc_shape *)(memory + marks));
    for (int i = 0; apart && i < n_outputs; ++i) apart = batched[outputs[i]];
    cc_free(memory);
    return apart;
}
