/* Making a plan: which nodes run, in what order, and with what. Everything that can be decided before the data come is decided
 * here. */
#include "plan/plan.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/type.h"
#include <string.h>

void *cc_plan_table(cconv_plan *plan, size_t count, size_t size)
{
    void *table = cc_alloc_zero((uint64_t)count * size);
    if (table) plan->tables[plan->n_tables++] = table;
    return table;
}

void cconv_plan_free(cconv_plan *plan)
{
    if (!plan) return;
    cc_plan_derive_no_more(plan);
    for (int i = 0; i < plan->n_tables; ++i) cc_free(plan->tables[i]);
    cc_free(plan->arena);
    cc_free(plan->times);
    cconv_graph_free(plan->own_graph);
    cc_free(plan);
}

/* ---- Options ------------------------------------------------------------------------------------------------------ */

static cconv_status check_nodes(const cconv_graph *graph, const char *what, int n, const int *nodes)
{
    if (n < 0 || (n > 0 && !nodes))
        return cc_fail(CCONV_INVALID, "plan: expected an array of %s, received NULL or a count of %d", what, n);
    for (int i = 0; i < n; ++i)
        if (nodes[i] < 1 || nodes[i] > graph->count)
            return cc_fail(CCONV_INVALID, "plan: expected %s of 1 to %d, received %d", what, graph->count, nodes[i]);
    return CCONV_OK;
}

static cconv_status check_precision(cconv_dtype precision)
{
    if (precision == CCONV_FLOAT32) return CCONV_OK;
    const cc_type *type = cc_type_of(precision);
    return cc_fail(CCONV_UNSUPPORTED, "plan: expected a precision of float32, received %s", type ? type->name : "no dtype");
}

/* Gradients flow through float32 values only. */
static cconv_status check_differentiable(const cconv_graph *graph, const char *what, int n, const int *nodes)
{
    for (int i = 0; i < n; ++i) {
        const cc_node *node = cc_graph_node(graph, nodes[i]);
        if (node->shape.type != CCONV_FLOAT32)
            return cc_fail(CCONV_INVALID, "plan: expected %s of float32, received node %d (%s) of %s", what, nodes[i],
                           node->name, cc_type_of(node->shape.type)->name);
    }
    return CCONV_OK;
}

static cconv_status check_options(const cconv_graph *graph, const cconv_plan_options *options)
{
    if (!graph || !options) return cc_fail(CCONV_INVALID, "plan: expected a graph and options, received NULL");
    if (graph->status != CCONV_OK) return cc_fail(graph->status, "%s", graph->error);
    CC_TRY(check_nodes(graph, "outputs", options->n_outputs, options->outputs));
    CC_TRY(check_nodes(graph, "wrt", options->n_wrt, options->wrt));
    if (options->root) CC_TRY(check_nodes(graph, "root", 1, &options->root));
    CC_TRY(check_precision(options->precision));
    CC_TRY(check_differentiable(graph, "wrt", options->n_wrt, options->wrt));
    CC_TRY(check_differentiable(graph, "a root", options->root != 0, &options->root));
    if (options->max_batch < 0)
        return cc_fail(CCONV_INVALID, "plan: expected max_batch >= 0, received %lld", (long long)options->max_batch);
    if (options->threads < 0 || options->threads > CC_MAX_THREADS)
        return cc_fail(CCONV_INVALID, "plan: expected threads of 0 (cconv_num_threads) to %d, received %d", CC_MAX_THREADS,
                       options->threads);
    if (options->n_wrt > 0 && !options->root)
        return cc_fail(CCONV_INVALID, "plan: gradients are wanted (wrt) but there is no root to differentiate");
    if (options->optimizer && options->n_wrt == 0)
        return cc_fail(CCONV_INVALID, "plan: an optimizer was given but no variables (wrt) for it to update");
    for (int i = 0; options->optimizer && i < options->n_wrt; ++i)
        if (cc_graph_node(graph, options->wrt[i])->kind != CC_VARIABLE)
            return cc_fail(CCONV_INVALID, "plan: an optimizer updates variables only, node %d (%s) is none", options->wrt[i],
                           cc_graph_node(graph, options->wrt[i])->name);
    return CCONV_OK;
}

static cconv_status read_input_shapes(cconv_plan *plan, const cconv_plan_options *options)
{
    int k = 0;
    char text[CC_SHAPE_TEXT];
    for (int i = 1; i <= plan->graph->count; ++i) {
        const cc_node *node = cc_graph_node(plan->graph, i);
        if (node->kind != CC_INPUT) continue;
        cc_shape *shape = &plan->input_shapes[k];
        *shape = node->shape;
        const int64_t *given = options->input_shapes ? options->input_shapes[k] : NULL;
        for (int d = 0; d < shape->rank; ++d) {
            if (d == 0 && node->shape.dim[0] < 0) {
                shape->dim[0] = plan->max_batch;
            } else if (given) {
                if (!cc_agree(given[d], shape->dim[d]))
                    return cc_fail(CCONV_INVALID, "input '%s': expected shape %s, received %lld at axis %d", node->name,
                                   cc_shape_text(&node->shape, text), (long long)given[d], d);
                if (shape->dim[d] < 0) shape->dim[d] = given[d];
            }
        }
        if (cc_shape_known(shape) && !cc_shape_check(shape))
            return cc_fail(CCONV_NO_MEMORY, "input '%s': shape %s takes more memory than there can be", node->name,
                           cc_shape_text(shape, text));
        if (!cc_shape_known(shape))
            return cc_fail(CCONV_INVALID, "input '%s': every size must be known to make a plan, received %s", node->name,
                           cc_shape_text(shape, text));
        plan->inputs[k++] = i;
    }
    return CCONV_OK;
}

/* ---- Shapes ------------------------------------------------------------------------------------------------------- */

cconv_status cc_plan_shapes(cconv_plan *plan, int64_t n)
{
    int input = 0;
    plan->n = 0; /* shapes are in between until all are renewed */
    for (int i = 1; i <= plan->graph->count; ++i) {
        const cc_node *node = cc_graph_node(plan->graph, i);
        cc_value *value = &plan->values[i];
        if (node->kind == CC_INPUT) {
            value->shape = plan->input_shapes[input++];
            if (node->shape.rank > 0 && node->shape.dim[0] < 0) value->shape.dim[0] = n;
        } else if (node->kind != CC_COMPUTED) {
            value->shape = node->shape;
        } else if (value->needed) {
            cc_call *call = &value->call;
            cc_shape *xs = (cc_shape *)call->xs;
            for (int k = 0; k < node->n_inputs; ++k)
                if (node->inputs[k]) xs[k] = plan->values[node->inputs[k]].shape;
            CC_TRY(cc_op_infer(call, &value->shape));
            call->ys = value->backward.ys = value->shape;
            char text[CC_SHAPE_TEXT];
            if (!cc_shape_known(&value->shape) || !cc_shape_check(&value->shape))
                return cc_op_fail(call, CCONV_INVALID, "the output's shape %s cannot be planned",
                                  cc_shape_text(&value->shape, text));
        }
        if (n == plan->max_batch) {
            const bool there = value->needed || node->kind != CC_COMPUTED;
            value->capacity = there ? cc_shape_count(&value->shape) : 0;
            value->bytes = there ? cc_shape_bytes(&value->shape) : 0;
        } else if (value->needed && cc_shape_count(&value->shape) > value->capacity)
            return cc_fail(CCONV_INVALID, "%s: wants more memory for a batch of %lld than for the planned %lld", node->name,
                           (long long)n, (long long)plan->max_batch);
    }
    plan->n = n;
    return CCONV_OK;
}

/* ---- Which nodes run ---------------------------------------------------------------------------------------------- */

static void mark_needed(cconv_plan *plan)
{
    for (int i = 0; i < plan->n_outputs; ++i) plan->values[plan->outputs[i]].output = true;
    for (int i = 0; i < plan->n_wrt; ++i) plan->values[plan->wrt[i]].wrt = true;
    for (int i = 1; i <= plan->graph->count; ++i) plan->values[i].needed = plan->values[i].output || plan->values[i].wrt;
    if (plan->root) plan->values[plan->root].needed = true;
    for (int i = plan->graph->count; i >= 1; --i) {
        const cc_node *node = cc_graph_node(plan->graph, i);
        if (!plan->values[i].needed || node->kind != CC_COMPUTED) continue;
        for (int k = 0; k < node->n_inputs; ++k)
            if (node->inputs[k]) plan->values[node->inputs[k]].needed = true;
    }
}

/* Gives every needed op its call and asks what it needs. A value is computed if an output, a backward pass or a computed node
 * reads it. */
static cconv_status plan_prepare_calls(cconv_plan *plan)
{
    const cconv_graph *graph = plan->graph;
    size_t inputs = 0;
    for (int i = 1; i <= graph->count; ++i) inputs += (size_t)cc_graph_node(graph, i)->n_inputs;
    cc_shape *xs = cc_plan_table(plan, inputs, sizeof *xs);
    const float **x = cc_plan_table(plan, 3 * inputs, sizeof *x); /* for each node x, dx, and x of its backward pass */
    bool *needs_gradient = cc_plan_table(plan, inputs, sizeof *needs_gradient);
    plan->slots = cc_plan_table(plan, 2 * (inputs + (size_t)graph->count), sizeof *plan->slots);
    if (!xs || !x || !needs_gradient || !plan->slots) return CCONV_NO_MEMORY;
    for (int i = 1; i <= graph->count; ++i) {
        const cc_node *node = cc_graph_node(graph, i);
        cc_value *value = &plan->values[i];
        if (node->kind != CC_COMPUTED) continue;
        value->call = (cc_call){.op = node->op,
                                .name = node->name,
                                .draw = node->draw,
                                .attributes = node->attributes,
                                .n_inputs = node->n_inputs,
                                .xs = xs,
                                .training = plan->training,
                                .fault = &plan->fault,
                                .needs_gradient = needs_gradient,
                                .x = x,
                                .dx = (float **)(x + node->n_inputs)};
        value->needs_gradient = needs_gradient;
        for (int k = 0; k < node->n_inputs; ++k)
            if (!node->inputs[k]) xs[k].rank = -1;
        xs += node->n_inputs;
        needs_gradient += node->n_inputs;
        x += 3 * node->n_inputs;
    }
    return CCONV_OK;
}

static void mark_forward(cconv_plan *plan)
{
    const cconv_graph *graph = plan->graph;
    for (int i = 0; i < plan->n_outputs; ++i) plan->values[plan->outputs[i]].forward = true;
    for (int i = 1; i <= graph->count; ++i) {
        const cc_node *node = cc_graph_node(graph, i);
        cc_value *value = &plan->values[i];
        if (!value->needed || node->kind != CC_COMPUTED) continue;
        cc_call *call = &value->call;
        call->differentiate = value->requires_gradient && node->op->backward;
        call->tune = plan->tune;
        call->unchecked = plan->unchecked;
        call->own_dy = i != plan->root && !value->wrt; /* the root's may be the caller's */
        for (int k = 0; k < node->n_inputs; ++k)
            value->needs_gradient[k] =
                call->differentiate && node->inputs[k] && plan->values[node->inputs[k]].requires_gradient;
        value->need = (cc_need){.reads = node->op->reads, .inplace = node->op->flags & CC_INPLACE ? 1 : 0};
        if (node->op->need) node->op->need(call, plan->threads, &value->need);
        call->choice = value->need.choice;
        if (!call->differentiate) continue;
        if (value->need.saved || (value->need.reads & CC_READS_Y)) value->forward = true;
        for (int k = 0; k < node->n_inputs; ++k)
            if (node->inputs[k] && cc_reads(value->need.reads, k)) plan->values[node->inputs[k]].forward = true;
    }
    for (int i = graph->count; i >= 1; --i) {
        const cc_node *node = cc_graph_node(graph, i);
        if (!plan->values[i].forward || node->kind != CC_COMPUTED) continue;
        for (int k = 0; k < node->n_inputs; ++k)
            if (node->inputs[k]) plan->values[node->inputs[k]].forward = true;
    }
}

/* Which values are not kept for the backward pass but computed anew: those whose sources are kept anyway. */
static void mark_recomputed(cconv_plan *plan)
{
    for (int i = 1; i <= plan->graph->count; ++i) {
        const cc_node *node = cc_graph_node(plan->graph, i);
        if (plan->values[i].call.differentiate && (plan->values[i].need.reads & CC_READS_Y))
            plan->values[i].read_backward = true;
        for (int k = 0; k < node->n_inputs; ++k)
            if (cc_plan_backward_reads(plan, i, k)) plan->values[node->inputs[k]].read_backward = true;
    }
    for (int i = 1; i <= plan->graph->count; ++i) {
        const cc_node *node = cc_graph_node(plan->graph, i);
        cc_value *value = &plan->values[i];
        if (node->kind != CC_COMPUTED || !value->forward || !value->call.differentiate || !node->op->recompute ||
            !value->need.recompute)
            continue;
        bool recompute = !value->output && value->read_backward;
        for (int k = 0; recompute && k < node->n_inputs; ++k)
            if (node->inputs[k] && cc_reads(value->need.recompute, k))
                recompute = !plan->values[node->inputs[k]].recompute && plan->values[node->inputs[k]].read_backward;
        value->recompute = recompute;
    }
}

static cconv_status plan_rewrite(cconv_plan *plan, cconv_graph *graph, const cconv_plan_options *options)
{
    plan->nodes = graph->count;
    plan->graph = graph;
    if (options->no_rewrite) return CCONV_OK;
    plan->numbers = cc_plan_table(plan, (size_t)graph->count + 1, sizeof *plan->numbers);
    if (!plan->numbers) return CCONV_NO_MEMORY;
    const cc_rewrite_options wanted = {.training = plan->training,
                                       .root = options->root,
                                       .n_outputs = options->n_outputs,
                                       .n_wrt = options->n_wrt,
                                       .outputs = options->outputs,
                                       .wrt = options->wrt};
    plan->graph = plan->own_graph = cc_graph_rewrite(graph, &wanted, plan->numbers);
    return plan->graph ? CCONV_OK : CCONV_NO_MEMORY;
}

static cconv_status make(cconv_plan *plan, const cconv_plan_options *options)
{
    const cconv_graph *graph = plan->graph;
    plan->values = cc_plan_table(plan, (size_t)graph->count + 1, sizeof *plan->values);
    plan->input_shapes = cc_plan_table(plan, (size_t)graph->n_inputs, sizeof *plan->input_shapes);
    plan->input_memory = cc_plan_table(plan, (size_t)graph->n_inputs, sizeof *plan->input_memory);
    plan->inputs = cc_plan_table(plan, (size_t)(graph->n_inputs + options->n_outputs + options->n_wrt), sizeof *plan->inputs);
    plan->output_memory = cc_plan_table(plan, (size_t)options->n_outputs, sizeof *plan->output_memory);
    if (!plan->values || !plan->input_shapes || !plan->input_memory || !plan->inputs || !plan->output_memory)
        return CCONV_NO_MEMORY;
    plan->outputs = plan->inputs + graph->n_inputs;
    plan->wrt = plan->outputs + options->n_outputs;
    for (int i = 0; i < plan->n_outputs; ++i) plan->outputs[i] = cc_plan_number(plan, options->outputs[i]);
    for (int i = 0; i < plan->n_wrt; ++i) plan->wrt[i] = cc_plan_number(plan, options->wrt[i]);
    plan->root = cc_plan_number(plan, options->root);

    CC_TRY(read_input_shapes(plan, options));
    mark_needed(plan);
    CC_TRY(plan_prepare_calls(plan));
    CC_TRY(cc_plan_shapes(plan, plan->max_batch));
    bool *requires_gradient = cc_alloc(2 * ((size_t)graph->count + 1));
    if (!requires_gradient) return CCONV_NO_MEMORY;
    cc_requires_gradient(graph, plan->root, plan->n_wrt, plan->wrt, requires_gradient, requires_gradient + graph->count + 1);
    for (int i = 1; i <= graph->count; ++i) plan->values[i].requires_gradient = requires_gradient[i];
    cc_free(requires_gradient);
    CC_TRY(cc_plan_updates(plan));
    mark_forward(plan);
    mark_recomputed(plan);
    cc_plan_constants(plan);
    CC_TRY(cc_plan_steps(plan));
    CC_TRY(cc_plan_row_blocks(plan));
    cc_plan_parts(plan);
    return cc_plan_memory(plan);
}

static cconv_plan *plan_of(cconv_graph *graph, const cconv_plan_options *options)
{
    cconv_plan *plan = cc_alloc_zero(sizeof *plan);
    if (!plan) return NULL;
    plan->optimizer = options->optimizer;
    plan->threads = options->threads ? options->threads : cc_team_size();
    plan->training = options->training != 0;
    plan->tune = options->tune != 0;
    plan->unchecked = options->no_nonfinite_check != 0;
    plan->no_update = options->no_update != 0;
    plan->keeps_gradients = !options->optimizer || options->keep_gradients;
    plan->max_batch = options->max_batch ? options->max_batch : 1;
    plan->n_outputs = options->n_outputs;
    plan->n_wrt = options->n_wrt;
    atomic_init(&plan->state, CC_PLAN_IDLE);
    if (plan_rewrite(plan, graph, options) != CCONV_OK || make(plan, options) != CCONV_OK) {
        cconv_plan_free(plan);
        return NULL;
    }
    return plan;
}

/* What somebody who listens should know of this process, before the first plan runs. */
static void tell(void)
{
    if (cconv_isa_error()) CC_LOG_ONCE(CCONV_LOG_WARNING, "%s; %s is used", cconv_isa_error(), cconv_isa());
    cc_tell_threads();
    CC_LOG_ONCE(CCONV_LOG_INFO, "cconv %s: %s, %d threads (%s)", cconv_version(), cconv_isa(), cconv_num_threads(),
                cconv_num_threads_reason());
}

cconv_plan *cconv_plan_new(cconv_graph *graph, const cconv_plan_options *options)
{
    if (check_options(graph, options) != CCONV_OK) return NULL;
    tell();
    if (options->n_outputs || options->root || !graph->n_outputs) return plan_of(graph, options);
    int *outputs = cc_alloc((size_t)graph->n_outputs * sizeof *outputs);
    if (!outputs) return NULL;
    for (int i = 0; i < graph->n_outputs; ++i) outputs[i] = graph->outputs[i].node;
    cconv_plan_options wanted = *options;
    wanted.n_outputs = graph->n_outputs;
    wanted.outputs = outputs;
    cconv_plan *plan = plan_of(graph, &wanted);
    cc_free(outputs);
    return plan;
}

/* ---- What a plan tells -------------------------------------------------------------------------------------------- */

const float *cconv_plan_gradient(const cconv_plan *plan, int node)
{
    const int number = plan && plan->keeps_gradients ? cc_plan_number(plan, node) : 0;
    if (number && plan->values[number].wrt) return plan->values[number].gradient;
    if (!plan)
        cc_fail(CCONV_INVALID, "gradient: expected a plan, received NULL");
    else
        cc_fail(CCONV_INVALID, "gradient: expected a node of wrt%s, received %d",
                plan->keeps_gradients ? "" : " of a plan that keeps gradients (keep_gradients)", node);
    return NULL;
}

cconv_status cconv_plan_shape(cconv_plan *plan, int node, int64_t n, int *rank, int64_t *shape)
{
    const int asked = node;
    node = plan ? cc_plan_number(plan, node) : 0;
    if (!plan) return cc_fail(CCONV_INVALID, "plan: expected a plan, received NULL");
    if (!node || !plan->values[node].needed)
        return cc_fail(CCONV_INVALID, "plan: expected a node that the plan computes, received %d", asked);
    if (n < 1 || n > plan->max_batch)
        return cc_fail(CCONV_INVALID, "plan: expected a batch of 1 to %lld, received %lld", (long long)plan->max_batch,
                       (long long)n);
    CC_TRY(cc_plan_take(plan));
    cconv_status status = plan->n == n ? CCONV_OK : cc_plan_shapes(plan, n);
    cc_plan_give_back(plan);
    CC_TRY(status);
    const cc_shape *found = &plan->values[node].shape;
    if (rank) *rank = found->rank;
    if (shape) memcpy(shape, found->dim, (size_t)found->rank * sizeof *shape);
    return CCONV_OK;
}

size_t cconv_plan_bytes(const cconv_plan *plan)
{
    if (!plan) cc_fail(CCONV_INVALID, "plan: expected a plan, received NULL");
    return plan ? plan->arena_bytes + plan->derived_bytes : 0;
}
