/* Forward steps by blocks of rows. A step writes its whole result before the next one reads it, and the result of a large image
 * leaves the caches in between. So steps that follow each other, each of which reads the one before, are done together, some rows
 * of an image at a time (Alwani, Chen, Ferdman, Milder: Fused-layer CNN accelerators, MICRO 2016): what lies between them is a
 * block, which stays in a cache of the thread that makes it, and no barrier stands there either. A task is a block of the last
 * step's value, and all that it is made of.
 *
 * A block under a window of several rows is higher than the block above it, so neighbours have rows in common, which are computed
 * twice if they are not of a whole value. Therefore a chain has at most one such window behind its first step. Rows are the same
 * bits however they are divided: the division may depend on the batch and the number of threads. */
#include "plan/plan.h"
#include "base/alloc.h"
#include "base/minmax.h"
#include "base/shares.h"
#include <string.h>

enum {
    MEMBERS = 8,              /* of a chain, at most */
    BLOCK_BYTES = 512 << 10,  /* of all blocks of one thread, about: of a second-level cache */
    WORTH_BYTES = 256 << 10,  /* a thread's part of a value between the steps, from which on it leaves that cache */
    WEIGHT_BYTES = 512 << 10, /* of a chain: each thread reads all of them for each block */
    PIXELS = 48,              /* of a block: with fewer, weights are read too often for what is computed with them */
    TWICE_PERCENT = 15,       /* of the multiplications may be done twice */
};

/* Steps that may be done together, from the first to the last. */
typedef struct chain {
    int steps[MEMBERS], n;
    bool windowed; /* a window of several rows stands behind the first step */
} chain;

static cc_value *value_of(const cconv_plan *plan, const chain *c, int k)
{
    return &plan->values[plan->steps[c->steps[k]].node];
}

static bool may_join(const cconv_plan *plan, int t)
{
    const cc_step *step = &plan->steps[t];
    const cc_value *value = &plan->values[step->node];
    return step->kind == CC_FORWARD && !step->constant && value->need.row_work > 0 && !value->need.forward_scratch &&
           !value->need.saved;
}

/* Whether a value need never be whole: its only reader is x of the step behind it. */
static bool is_between(const cconv_plan *plan, int node, int reader)
{
    const cc_value *value = &plan->values[node];
    return cc_graph_node(plan->graph, reader)->inputs[0] == node && value->readers == 1 && !value->output && !value->wrt &&
           !value->requires_gradient && !value->read_backward;
}

/* The rows of x under any `rows` of y: the most. */
static int64_t rows_under(const cc_value *value, int64_t rows)
{
    int64_t most = 0;
    for (int64_t row = 0; row + rows <= value->shape.dim[1]; ++row) {
        const cc_row_block block = {.row = row, .rows = rows};
        most = cc_max(most, value->call.op->rows_read(&value->call, &block).rows);
    }
    return most;
}

/* The longest chain that begins with step t, of steps between which only constant ones stand. */
static chain chain_from(const cconv_plan *plan, int t)
{
    chain c = {.steps = {t}, .n = may_join(plan, t)};
    for (int next = t + 1; c.n > 0 && c.n < MEMBERS && next < plan->n_steps; ++next) {
        const cc_step *step = &plan->steps[next];
        if (step->constant) continue;
        if (!may_join(plan, next) || !is_between(plan, plan->steps[c.steps[c.n - 1]].node, step->node)) break;
        const bool windowed = rows_under(&plan->values[step->node], 1) > 1;
        if (windowed && c.windowed) break;
        c.windowed = c.windowed || windowed;
        c.steps[c.n++] = next;
    }
    return c;
}

/* Leaves out what stands behind the smallest value, since the last one is written as a whole: of those behind the first step. */
static void end_at_smallest(const cconv_plan *plan, chain *c)
{
    int last = 1;
    for (int k = 2; k < c->n; ++k)
        if (value_of(plan, c, k)->bytes <= value_of(plan, c, last)->bytes) last = k;
    c->n = last + 1;
}

/* Blocks of each image: as few as may be of `rows` rows at most, but so many that the threads have equal numbers of them, unless
 * there are many anyway. */
static int64_t parts_of(int64_t n, int64_t h, int64_t rows, int nth)
{
    int64_t parts = (h + rows - 1) / rows;
    while (parts < h && n * parts % nth && n * parts < 8 * nth) ++parts;
    return parts;
}

/* Rows of each step's block where the last one's has so many. */
static void heights(const cconv_plan *plan, const chain *c, int64_t rows, int64_t height[MEMBERS])
{
    height[c->n - 1] = rows;
    for (int k = c->n - 1; k > 0; --k) height[k - 1] = rows_under(value_of(plan, c, k), height[k]);
}

static size_t block_bytes(const cc_value *value, int64_t rows)
{
    const cc_shape *shape = &value->shape;
    return CC_ALIGN_UP((size_t)(rows * shape->dim[2] * shape->dim[3]) * sizeof(float));
}

static size_t blocks_bytes(const cconv_plan *plan, const chain *c, const int64_t height[MEMBERS])
{
    size_t bytes = 0;
    for (int k = 0; k < c->n - 1; ++k) bytes += block_bytes(value_of(plan, c, k), height[k]);
    return bytes;
}

/* The rows of a block of the last step's value, or 0 if the steps had better be done one after the other. */
static int64_t block_rows(const cconv_plan *plan, const chain *c, int64_t height[MEMBERS])
{
    const cc_shape *last = &value_of(plan, c, c->n - 1)->shape;
    const int64_t h = last->dim[1];
    int64_t parts = parts_of(plan->max_batch, h, h, plan->threads), rows = (h + parts - 1) / parts;
    heights(plan, c, rows, height);
    while (rows > 1 && blocks_bytes(plan, c, height) > BLOCK_BYTES) {
        parts = parts_of(plan->max_batch, h, (rows + 1) / 2, plan->threads), rows = (h + parts - 1) / parts;
        heights(plan, c, rows, height);
    }
    double once = 0, twice = 0;
    size_t largest = 0, weights = 0;
    for (int k = 0; k < c->n; ++k) {
        const cc_value *value = value_of(plan, c, k);
        once += value->need.row_work * (double)value->shape.dim[1];
        twice += value->need.row_work * (double)(cc_min(height[k], value->shape.dim[1]) * parts);
        if (k < c->n - 1 && largest < value->bytes) largest = value->bytes;
        const cc_node *node = cc_graph_node(plan->graph, plan->steps[c->steps[k]].node);
        if (node->op->weights) weights += plan->values[node->inputs[node->op->weights]].bytes;
    }
    const bool pays = largest / (size_t)plan->threads > WORTH_BYTES && weights <= WEIGHT_BYTES &&
                      rows * last->dim[2] >= PIXELS && twice * 100 <= once * (100 + TWICE_PERCENT);
    return pays ? rows : 0;
}

/* Puts what stands between the steps before them: constant steps, which read nothing of theirs. */
static cconv_status put_together(cconv_plan *plan, chain *c)
{
    const int first = c->steps[0], count = c->steps[c->n - 1] + 1 - first;
    cc_step *steps = cc_alloc((size_t)count * sizeof *steps);
    if (!steps) return CCONV_NO_MEMORY;
    memcpy(steps, plan->steps + first, (size_t)count * sizeof *steps);
    int to = first;
    for (int i = 0; i < count; ++i)
        if (steps[i].constant) plan->steps[to++] = steps[i];
    for (int k = 0; k < c->n; ++k, ++to) {
        plan->steps[to] = steps[c->steps[k] - first];
        c->steps[k] = to;
    }
    cc_free(steps);
    return CCONV_OK;
}

static void join(cconv_plan *plan, const chain *c, int64_t rows, const int64_t height[MEMBERS])
{
    const int begin = c->steps[0], end = c->steps[c->n - 1];
    for (int k = 0; k < c->n; ++k) {
        cc_step *step = &plan->steps[c->steps[k]];
        step->begin = begin, step->end = end, step->rows = rows;
        value_of(plan, c, k)->joined = k > 0;
        if (k < c->n - 1) value_of(plan, c, k)->block_bytes = block_bytes(value_of(plan, c, k), height[k]);
    }
    /* What the chain begins with is read until its end, and may not be written over before; what lies between its steps is no
     * whole value. */
    const cc_node *first = cc_graph_node(plan->graph, plan->steps[begin].node),
                  *last = cc_graph_node(plan->graph, plan->steps[end].node);
    cc_need *need = &value_of(plan, c, c->n - 1)->need;
    if (need->inplace == 1) need->inplace = 0;
    for (int k = 0; need->inplace && k < first->n_inputs; ++k)
        if (first->inputs[k] == last->inputs[need->inplace - 1]) need->inplace = 0;
}

cconv_status cc_plan_row_blocks(cconv_plan *plan)
{
    for (int i = 1; i <= plan->graph->count; ++i) {
        const cc_node *node = cc_graph_node(plan->graph, i);
        if (!plan->values[i].forward || node->kind != CC_COMPUTED) continue;
        for (int k = 0; k < node->n_inputs; ++k) ++plan->values[node->inputs[k]].readers;
    }
    for (int t = 0; t < plan->n_steps; ++t) {
        int64_t height[MEMBERS], rows = 0;
        chain c = chain_from(plan, t);
        while (c.n > 1 && !rows) {
            end_at_smallest(plan, &c);
            rows = block_rows(plan, &c, height);
            c.n -= !rows;
        }
        if (!rows) continue;
        CC_TRY(put_together(plan, &c));
        join(plan, &c, rows, height);
        t = c.steps[c.n - 1];
    }
    for (int t = 0; t < plan->n_steps; ++t)
        if (!plan->steps[t].rows) plan->steps[t].begin = plan->steps[t].end = t;
    return CCONV_OK;
}

/* ---- The run ------------------------------------------------------------------------------------------------------ */

/* One block of the last step's value. */
static void run_block(const cconv_plan *plan, int begin, int end, cc_row_block block, int ith)
{
    cc_row_block blocks[MEMBERS];
    for (int t = end; t >= begin; --t) {
        const cc_call *call = &plan->values[plan->steps[t].node].call;
        blocks[t - begin] = block;
        block = call->op->rows_read(call, &block);
    }
    const cc_call *first = &plan->values[plan->steps[begin].node].call;
    const cc_shape *xs = &first->xs[0];
    const float *x = first->x[0] + (block.sample * xs->dim[1] + block.row) * xs->dim[2] * xs->dim[3];
    for (int t = begin; t <= end; ++t) {
        const cc_value *value = &plan->values[plan->steps[t].node];
        const cc_row_block *here = &blocks[t - begin];
        const int64_t *dim = value->shape.dim;
        float *y = value->block_bytes ? (float *)(void *)((char *)value->data + (size_t)ith * value->block_bytes)
                                      : value->call.y + (here->sample * dim[1] + here->row) * dim[2] * dim[3];
        value->call.op->forward_rows(&value->call, here, y, x);
        x = y;
    }
}

void cc_plan_run_row_blocks(const cconv_plan *plan, int t, const cc_team *team)
{
    const int end = plan->steps[t].end;
    const cc_shape *last = &plan->values[plan->steps[end].node].shape;
    const int64_t n = last->dim[0], h = last->dim[1], parts = parts_of(n, h, plan->steps[t].rows, team->nth);
    double work = 0;
    for (int k = t; k <= end; ++k) {
        const cc_value *value = &plan->values[plan->steps[k].node];
        work += value->need.row_work * (double)(n * value->shape.dim[1]);
    }
    cc_range mine;
    for (cc_shares shares = cc_shares_of(team, n * parts, 1, work); cc_shares_take(&shares, &mine);)
        for (int64_t i = mine.begin; i < mine.end; ++i) {
            const int64_t row = h * (i % parts) / parts;
            run_block(plan, t, end, (cc_row_block){i / parts, row, h * (i % parts + 1) / parts - row}, team->ith);
        }
}
