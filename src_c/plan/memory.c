/* The plan's memory: one block for every value, gradient, saved area and scratch, each with the first and last step that uses
 * it, laid out in one arena. Where an op may write over its input, the two share a block. */
#include "base/alloc.h"
#include "base/type.h"
#include "plan/arena.h"
#include "plan/plan.h"
#include <string.h>

enum { VALUE, RECOMPUTED, GRADIENT, SAVED, FORWARD_SCRATCH, BACKWARD_SCRATCH, PACKED, KINDS };
#define NONE (-1)

typedef struct layout {
    cconv_plan *plan;
    cc_arena_block *blocks;
    int n_blocks;
    int (*block)[KINDS]; /* block[node][kind] */
    int *share;          /* of each CC_ACCUMULATE step: the block of the share to be added; of CC_OPTIMIZE: of the scratch */
    int *forward_step, *backward_step, *update_step; /* of each node, or NONE */
    int *last_read;                                  /* of each node's value */
    int *last_recomputed;                            /* of its value computed anew */
} layout;

/* What fits no memory takes all there can be: it is refused where memory is asked for. */
static int add_block(layout *l, uint64_t wanted, int first, int last)
{
    const size_t most = PTRDIFF_MAX / CC_ALIGN * CC_ALIGN, bytes = wanted < most ? (size_t)wanted : most;
    l->blocks[l->n_blocks] = (cc_arena_block){.bytes = CC_ALIGN_UP(bytes), .first = first, .last = last};
    return l->n_blocks++;
}

static void extend(cc_arena_block *block, int last)
{
    if (block->last < last) block->last = last;
}

static size_t value_bytes(const cc_value *value)
{
    return value->bytes;
}

/* A constant that a step of every run reads. */
static void last(cconv_plan *plan, int x)
{
    if (plan->values[x].constant) plan->values[x].lasting = true;
}

static void find_steps(layout *l)
{
    cconv_plan *plan = l->plan;
    for (int i = 0; i <= plan->graph->count; ++i)
        l->forward_step[i] = l->backward_step[i] = l->update_step[i] = l->last_read[i] = NONE;
    for (int i = 0; i <= plan->graph->count; ++i) l->last_recomputed[i] = NONE;
    for (int t = 0; t < plan->n_steps; ++t) {
        const cc_step *step = &plan->steps[t];
        const cc_node *node = cc_graph_node(plan->graph, step->node);
        if (step->kind == CC_PACK) {
            const int w = node->inputs[node->op->weights];
            l->last_read[w] = t;
            if (!step->constant) last(plan, w);
            continue;
        }
        if (step->kind != CC_FORWARD && step->kind != CC_RECOMPUTE && step->kind != CC_BACKWARD && step->kind != CC_UPDATE)
            continue;
        const cc_need *need = &plan->values[step->node].need;
        uint64_t reads = step->kind == CC_FORWARD     ? CC_READS_ALL_X
                         : step->kind == CC_RECOMPUTE ? need->recompute
                         : step->kind == CC_BACKWARD  ? need->reads
                                                      : 0;
        int *own = step->kind == CC_FORWARD ? l->forward_step : step->kind == CC_BACKWARD ? l->backward_step : l->update_step;
        if (step->kind != CC_RECOMPUTE) own[step->node] = t;
        if (step->kind == CC_FORWARD) l->last_read[step->node] = t;
        if (reads & CC_READS_Y) (plan->values[step->node].recompute ? l->last_recomputed : l->last_read)[step->node] = t;
        for (int k = 0; k < node->n_inputs; ++k) {
            const int x = node->inputs[k];
            if (!x || !cc_reads(reads, k)) continue;
            if (step->kind == CC_BACKWARD && plan->values[x].recompute) {
                l->last_recomputed[x] = t;
                continue;
            }
            l->last_read[x] = step->end;
            const bool packed = step->kind == CC_FORWARD && k == node->op->weights && need->packed;
            if (!step->constant && (!packed || need->rereads_weights)) last(plan, x);
        }
    }
    for (int i = 0; i < plan->n_outputs; ++i) {
        l->last_read[plan->outputs[i]] = plan->n_steps;
        last(plan, plan->outputs[i]);
    }
    for (int i = 1; i <= plan->graph->count; ++i)
        if (plan->values[i].lasting) l->last_read[i] = plan->n_steps;
}

/* Whether one block can hold either: as many elements, stored alike. */
static bool alike(const cc_value *a, const cc_value *b)
{
    return a->capacity == b->capacity && cc_type_of(a->shape.type)->stored == cc_type_of(b->shape.type)->stored;
}

/* The input that node i may write its value over, or 0: one that is read for the last time by this very step. (The first one
 * may be read twice by the same op, which goes element by element.) */
static int overwritten(const layout *l, int i, int t)
{
    const cconv_plan *plan = l->plan;
    const cc_node *node = cc_graph_node(plan->graph, i);
    const int k = plan->values[i].need.inplace - 1, x = k >= 0 && k < node->n_inputs ? node->inputs[k] : 0;
    if (!x || l->last_read[x] != t || !alike(&plan->values[x], &plan->values[i])) return 0;
    for (int j = 0; k > 0 && j < node->n_inputs; ++j)
        if (j != k && node->inputs[j] == x) return 0;
    return cc_graph_node(plan->graph, x)->kind == CC_COMPUTED ? x : 0;
}

/* The block of a forward value: that of an input it may be written over, or of the value that it is a part of, else its own. */
static void place_value(layout *l, int i, int t)
{
    const int x = overwritten(l, i, t), first = l->plan->steps[t].begin;
    const int whole = l->plan->values[i].whole;
    if (whole || l->block[i][VALUE] != NONE) { /* the first part makes the block of all */
        if (whole && l->block[whole][VALUE] == NONE)
            l->block[whole][VALUE] = add_block(l, value_bytes(&l->plan->values[whole]), first, l->last_read[whole]);
        if (whole) l->block[i][VALUE] = l->block[whole][VALUE];
    } else if (l->plan->values[i].derived) {
        l->block[i][VALUE] = NONE;
    } else if (l->plan->values[i].block_bytes) {
        l->block[i][VALUE] = add_block(l, l->plan->values[i].block_bytes * (uint64_t)l->plan->threads, first, l->last_read[i]);
    } else if (l->plan->values[i].lasting) {
        l->block[i][VALUE] = add_block(l, value_bytes(&l->plan->values[i]), 0, l->plan->n_steps);
    } else if (x) {
        l->block[i][VALUE] = l->block[x][VALUE];
        extend(&l->blocks[l->block[i][VALUE]], l->last_read[i]);
    } else {
        l->block[i][VALUE] = add_block(l, value_bytes(&l->plan->values[i]), first, l->last_read[i]);
    }
}

/* The last step that reads the gradient of node x. */
static int gradient_end(const layout *l, int x)
{
    const cconv_plan *plan = l->plan;
    if (plan->values[x].applied) return plan->values[x].applied;
    return plan->values[x].wrt || l->backward_step[x] == NONE ? plan->n_steps : l->backward_step[x];
}

/* The gradient blocks of what node i's backward step t writes. A first share goes straight to its place, the others to a block
 * that lives until the next CC_ACCUMULATE step has added it. */
static void place_gradients(layout *l, int i, int t)
{
    const cconv_plan *plan = l->plan;
    const cc_node *node = cc_graph_node(plan->graph, i);
    const cc_value *value = &plan->values[i];
    int accumulate = t + 1;
    for (int k = 0; k < node->n_inputs; ++k) {
        int x = node->inputs[k];
        if (!value->needs_gradient[k] || (k == node->op->weights && value->call.sink)) continue;
        if (l->block[x][GRADIENT] != NONE) {
            l->share[accumulate] = add_block(l, value_bytes(&plan->values[x]), t, accumulate);
            ++accumulate;
            continue;
        }
        const int last = gradient_end(l, x);
        if ((node->op->flags & CC_INPLACE_BACKWARD) && k == 0 && plan->values[x].capacity == value->capacity &&
            i != plan->root && !value->wrt) {
            l->block[x][GRADIENT] = l->block[i][GRADIENT];
            extend(&l->blocks[l->block[x][GRADIENT]], last);
        } else {
            l->block[x][GRADIENT] = add_block(l, value_bytes(&plan->values[x]), t, last);
        }
    }
}

static void memory_place(layout *l)
{
    cconv_plan *plan = l->plan;
    int end = plan->n_steps;
    for (int i = 0; i <= plan->graph->count; ++i)
        for (int kind = 0; kind < KINDS; ++kind) l->block[i][kind] = NONE;
    for (int t = 0; t < end; ++t) l->share[t] = NONE;
    for (int k = 0; k < plan->graph->n_inputs; ++k) {
        int i = plan->inputs[k];
        if (plan->values[i].forward && l->last_read[i] != NONE)
            l->block[i][VALUE] = add_block(l, value_bytes(&plan->values[i]), 0, l->last_read[i]);
    }
    for (int t = 0; t < end; ++t) {
        int i = plan->steps[t].node;
        if (plan->steps[t].kind == CC_PACK) {
            const bool once = plan->steps[t].constant;
            if (plan->values[i].packed) continue;
            l->block[i][PACKED] =
                add_block(l, plan->values[i].need.packed, once ? 0 : t, once ? end : t + 1); /* forward is next */
        } else if (plan->steps[t].kind == CC_FORWARD) {
            const cc_need *need = &plan->values[i].need;
            place_value(l, i, t);
            int kept = l->update_step[i] > l->backward_step[i] ? l->update_step[i] : l->backward_step[i];
            if (need->saved) l->block[i][SAVED] = add_block(l, need->saved, t, kept > t ? kept : t);
            if (need->forward_scratch) l->block[i][FORWARD_SCRATCH] = add_block(l, need->forward_scratch, t, t);
        } else if (plan->steps[t].kind == CC_SEED) {
            l->block[i][GRADIENT] = add_block(l, value_bytes(&plan->values[i]), t, gradient_end(l, i));
        } else if (plan->steps[t].kind == CC_RECOMPUTE) {
            l->block[i][RECOMPUTED] = add_block(l, value_bytes(&plan->values[i]), t, l->last_recomputed[i]);
        } else if (plan->steps[t].kind == CC_BACKWARD) {
            const cc_need *need = &plan->values[i].need;
            if (need->backward_scratch) l->block[i][BACKWARD_SCRATCH] = add_block(l, need->backward_scratch, t, t);
            place_gradients(l, i, t);
        } else if (plan->steps[t].kind == CC_OPTIMIZE) {
            const size_t bytes =
                cc_optimizer_scratch(plan->optimizer, plan->updates + plan->steps[t].first, plan->steps[t].count);
            if (bytes) l->share[t] = add_block(l, bytes, t, t);
        }
    }
    /* What the root does not depend on has a gradient of zero: written once, here, so nothing else may use the bytes. */
    for (int k = 0; plan->keeps_gradients && k < plan->n_wrt; ++k)
        if (l->block[plan->wrt[k]][GRADIENT] == NONE)
            l->block[plan->wrt[k]][GRADIENT] = add_block(l, value_bytes(&plan->values[plan->wrt[k]]), 0, end);
}

static void *at(const layout *l, int block)
{
    return block == NONE ? NULL : l->plan->arena + l->blocks[block].offset;
}

/* Whether node i's value may lie in the caller's memory: it comes from there, or is computed anew by every run to be handed
 * over. */
static bool may_be_callers(const layout *l, int i)
{
    const cc_kind kind = cc_graph_node(l->plan->graph, i)->kind;
    return kind == CC_INPUT || (kind == CC_COMPUTED && !l->plan->values[i].constant && l->plan->values[i].output);
}

static void add_slot(cconv_plan *plan, const float **x, int node)
{
    plan->slots[plan->n_slots++] = (cc_slot){x, node};
}

/* Writes the addresses into the calls. */
static void set_pointers(const layout *l)
{
    cconv_plan *plan = l->plan;
    for (int i = 1; i <= plan->graph->count; ++i) {
        const cc_node *node = cc_graph_node(plan->graph, i);
        cc_value *value = &plan->values[i];
        value->gradient = at(l, l->block[i][GRADIENT]);
        value->data = node->variable ? node->variable->data : value->derived ? value->derived->data : at(l, l->block[i][VALUE]);
        if (node->kind != CC_COMPUTED || !value->needed) continue;
        cc_call *call = &value->call;
        if (value->whole) {
            const cc_shape *whole = &plan->values[value->whole].shape;
            call->pitch = whole->dim[whole->rank - 1];
            value->data += value->part;
        }
        call->y = value->data;
        call->saved = at(l, l->block[i][SAVED]);
        call->packed = value->packed ? (void *)value->packed->data : at(l, l->block[i][PACKED]);
        call->scratch = at(l, l->block[i][FORWARD_SCRATCH]);
        for (int k = 0; k < node->n_inputs; ++k) {
            int x = node->inputs[k];
            if (!x) continue;
            const float **backward = call->x + 2 * node->n_inputs + k;
            call->x[k] = plan->values[x].data;
            *backward = plan->values[x].recompute ? at(l, l->block[x][RECOMPUTED]) : call->x[k];
            if (!may_be_callers(l, x)) continue;
            add_slot(plan, &call->x[k], x);
            add_slot(plan, backward, x);
        }
        if (!may_be_callers(l, i)) continue;
        add_slot(plan, (const float **)&call->y, i);
        add_slot(plan, (const float **)&value->backward.y, i);
    }
    for (int t = 0; t < plan->n_steps; ++t) {
        if (plan->steps[t].kind != CC_BACKWARD) continue;
        cc_value *value = &plan->values[plan->steps[t].node];
        const cc_node *node = cc_graph_node(plan->graph, plan->steps[t].node);
        for (int k = 0; k < node->n_inputs; ++k)
            if (value->needs_gradient[k]) value->call.dx[k] = plan->values[node->inputs[k]].gradient;
        for (int next = t + 1; next < plan->n_steps && plan->steps[next].kind == CC_ACCUMULATE; ++next)
            value->call.dx[plan->steps[next].input] = at(l, l->share[next]);
        value->backward = value->call;
        value->backward.x = value->call.x + 2 * node->n_inputs;
        if (value->recompute) value->backward.y = at(l, l->block[plan->steps[t].node][RECOMPUTED]);
        value->backward.dy = value->gradient;
        value->backward.scratch = at(l, l->block[plan->steps[t].node][BACKWARD_SCRATCH]);
    }
    for (int k = 0; k < plan->graph->n_inputs; ++k) plan->input_memory[k] = plan->values[plan->inputs[k]].data;
    for (int k = 0; k < plan->n_outputs; ++k)
        if (cc_graph_node(plan->graph, plan->outputs[k])->kind != CC_INPUT && may_be_callers(l, plan->outputs[k]))
            plan->output_memory[k] = plan->values[plan->outputs[k]].data;
    for (int u = 0; u < plan->n_updates; ++u) plan->updates[u].gradient = plan->values[plan->update_nodes[u]].gradient;
    for (int t = 0; t < plan->n_steps; ++t)
        if (plan->steps[t].kind == CC_OPTIMIZE) plan->steps[t].scratch = at(l, l->share[t]);
}

static cconv_status lay_out(layout *l)
{
    cconv_plan *plan = l->plan;
    find_steps(l);
    CC_TRY(cc_plan_derive(plan));
    memory_place(l);
    CC_TRY(cc_arena_place(l->blocks, l->n_blocks, &plan->arena_bytes));
    plan->arena = cc_alloc(plan->arena_bytes);
    if (!plan->arena) return CCONV_NO_MEMORY;
    set_pointers(l);
    for (int k = 0; k < plan->n_wrt; ++k)
        if (plan->keeps_gradients && !plan->values[plan->wrt[k]].requires_gradient)
            memset(plan->values[plan->wrt[k]].gradient, 0, value_bytes(&plan->values[plan->wrt[k]]));
    return CCONV_OK;
}

cconv_status cc_plan_memory(cconv_plan *plan)
{
    size_t nodes = (size_t)plan->graph->count + 1, most = (size_t)KINDS * nodes + (size_t)plan->n_steps + 1;
    layout l = {.plan = plan};
    l.blocks = cc_alloc(most * sizeof *l.blocks);
    l.block = cc_alloc(nodes * sizeof *l.block);
    int *numbers = cc_alloc(((size_t)plan->n_steps + 5 * nodes) * sizeof *numbers);
    cconv_status status = CCONV_NO_MEMORY;
    if (l.blocks && l.block && numbers) {
        l.share = numbers;
        l.forward_step = l.share + plan->n_steps;
        l.backward_step = l.forward_step + nodes;
        l.update_step = l.backward_step + nodes;
        l.last_read = l.update_step + nodes;
        l.last_recomputed = l.last_read + nodes;
        status = lay_out(&l);
    }
    cc_free(l.blocks);
    cc_free(l.block);
    cc_free(numbers);
    return status;
}
