/* Running a plan: one parallel region, in which every thread gathers its part of the batch and walks the steps; a barrier
 * follows each step that does anything. Nothing is allocated, and whatever could be known earlier was checked earlier. */
#include "plan/plan.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/type.h"
#include "kernels/kernels.h"
#include <string.h>

/* ---- Checks before the run ---------------------------------------------------------------------------------------- */

static bool batched(const cconv_plan *plan, int input)
{
    const cc_shape *shape = &cc_graph_node(plan->graph, plan->inputs[input])->shape;
    return shape->rank > 0 && shape->dim[0] < 0;
}

static cconv_status check_reads(const char *name, cconv_dtype value, cconv_dtype from)
{
    if (cc_type_reads(value, from)) return CCONV_OK;
    return cc_fail(CCONV_INVALID, "input '%s': expected %s for a value of %s, received %s", name,
                   value == CCONV_BOOL ? "bool" : "integers or bool", cc_type_of(value)->name, cc_type_of(from)->name);
}

/* Elements of a row of an input, or of all of it if it is not batched. */
static int64_t row_count(const cconv_plan *plan, int input)
{
    const cc_shape *shape = &plan->input_shapes[input];
    return cc_shape_product(shape, batched(plan, input) ? 1 : 0, shape->rank);
}

/* Whether the integers of an input fit, in the rows of this batch. */
static cconv_status check_numbers(const cconv_plan *plan, const cconv_batch *batch, int input)
{
    const cconv_array *array = &batch->inputs[input];
    const bool rows = batched(plan, input);
    const int64_t width = row_count(plan, input);
    if (plan->values[plan->inputs[input]].shape.type != CCONV_INT32) return CCONV_OK;
    for (int64_t i = 0; i < (rows ? batch->n : 1); ++i) {
        const int64_t row = rows && batch->rows ? batch->rows[i] : i;
        int64_t number = 0;
        if (cc_type_misfit(array->dtype, array->data, row * width, width, &number))
            return cc_fail(CCONV_INVALID, "input '%s': expected integers that fit int32, received %lld in row %lld",
                           cc_graph_node(plan->graph, plan->inputs[input])->name, (long long)number, (long long)row);
    }
    return CCONV_OK;
}

static cconv_status check_output(const cconv_plan *plan, const cconv_batch *batch, int k)
{
    const cconv_output *output = &batch->outputs[k];
    const cc_node *node = cc_graph_node(plan->graph, plan->outputs[k]);
    if (!output->data) return CCONV_OK;
    if (!cc_type_of(output->dtype))
        return cc_fail(CCONV_INVALID, "run: output %d has an unknown dtype %d", k, (int)output->dtype);
    if (cc_type_writes(node->shape.type, output->dtype)) return CCONV_OK;
    return cc_fail(CCONV_INVALID, "run: output %d (%s) of %s cannot be written as %s", k, node->name,
                   cc_type_of(node->shape.type)->name, cc_type_of(output->dtype)->name);
}

static cconv_status check_batch(const cconv_plan *plan, const cconv_batch *batch)
{
    if (!batch) return cc_fail(CCONV_INVALID, "run: expected a batch, received NULL");
    if (batch->n < 1 || batch->n > plan->max_batch)
        return cc_fail(CCONV_INVALID, "run: expected 1 to %lld samples, received %lld", (long long)plan->max_batch,
                       (long long)batch->n);
    if (plan->graph->n_inputs && !batch->inputs)
        return cc_fail(CCONV_INVALID, "run: expected %d inputs, received NULL", plan->graph->n_inputs);
    for (int k = 0; k < plan->graph->n_inputs; ++k) {
        const cconv_array *array = &batch->inputs[k];
        const char *name = cc_graph_node(plan->graph, plan->inputs[k])->name;
        if (!plan->values[plan->inputs[k]].forward) continue;
        if (!array->data) return cc_fail(CCONV_INVALID, "run: input '%s' has no data", name);
        if (!cc_type_of(array->dtype))
            return cc_fail(CCONV_INVALID, "run: input '%s' has an unknown dtype %d", name, (int)array->dtype);
        CC_TRY(check_reads(name, plan->values[plan->inputs[k]].shape.type, array->dtype));
        if (!batched(plan, k)) {
            CC_TRY(check_numbers(plan, batch, k));
            continue;
        }
        if (!batch->rows && array->count < batch->n)
            return cc_fail(CCONV_INVALID, "run: input '%s': expected at least %lld rows, received %lld", name,
                           (long long)batch->n, (long long)array->count);
        for (int64_t i = 0; batch->rows && i < batch->n; ++i)
            if (batch->rows[i] < 0 || batch->rows[i] >= array->count)
                return cc_fail(CCONV_INVALID, "run: input '%s': expected rows of 0 to %lld, received %lld", name,
                               (long long)array->count - 1, (long long)batch->rows[i]);
        CC_TRY(check_numbers(plan, batch, k));
    }
    for (int k = 0; batch->outputs && k < plan->n_outputs; ++k) CC_TRY(check_output(plan, batch, k));
    return CCONV_OK;
}

/* ---- Gathering ---------------------------------------------------------------------------------------------------- */

static bool is_gathered(const cconv_plan *plan, int input)
{
    return plan->input_memory[input] && plan->values[plan->inputs[input]].data == plan->input_memory[input];
}

static void gather(const cconv_plan *plan, const cconv_batch *batch, const cc_team *team)
{
    bool any = false;
    for (int k = 0; k < plan->graph->n_inputs; ++k) {
        const cc_value *value = &plan->values[plan->inputs[k]];
        if (!is_gathered(plan, k)) continue;
        any = true;
        const cconv_array *array = &batch->inputs[k];
        bool rows = batched(plan, k);
        const int64_t width = row_count(plan, k);
        cc_range range = cc_slice(team, rows ? batch->n : 1, 1 + 4096 / (width + 1));
        for (int64_t i = range.begin; i < range.end; ++i)
            cc_type_read(value->shape.type, value->data + i * width, array->dtype, array->data,
                         (rows && batch->rows ? batch->rows[i] : i) * width, width);
    }
    if (any) cc_barrier_wait(team);
}

/* Whether the given gradient of the root serves as it stands: nobody but the root's backward step reads it. */
static bool seed_in_place(const cconv_plan *plan, const cconv_batch *batch)
{
    const cc_value *root = &plan->values[plan->root];
    return batch->root_gradient && (uintptr_t)batch->root_gradient % sizeof(float) == 0 && root->call.differentiate &&
           !root->wrt;
}

/* The type that the elements of a node's value are stored in. */
static cconv_dtype stored(const cconv_plan *plan, int node)
{
    return cc_type_of(plan->values[node].shape.type)->stored;
}

/* An array that has the stored type already and is used as it stands is read in place, without a copy. */
static void bind_inputs(cconv_plan *plan, const cconv_batch *batch)
{
    for (int k = 0; k < plan->graph->n_inputs; ++k) {
        const cconv_array *array = &batch->inputs[k];
        bool in_place = array->dtype == stored(plan, plan->inputs[k]) && (!batch->rows || !batched(plan, k));
        plan->values[plan->inputs[k]].data = in_place ? (float *)array->data : plan->input_memory[k];
    }
}

static bool overlap(const void *a, size_t a_bytes, const void *b, size_t b_bytes)
{
    return a && b && (uintptr_t)a < (uintptr_t)b + b_bytes && (uintptr_t)b < (uintptr_t)a + a_bytes;
}

static size_t output_bytes(const cconv_plan *plan, const cconv_batch *batch, int k)
{
    return (size_t)cc_shape_count(&plan->values[plan->outputs[k]].shape) * cc_type_of(batch->outputs[k].dtype)->bytes;
}

enum { FEW_OUTPUTS = 64 }; /* so many are compared with each other; more are copied, which takes less */

/* Whether output k can be computed where the caller wants it: in the type in which it is stored, and nothing that this run reads or
 * writes besides lies there. */
static bool in_callers_memory(const cconv_plan *plan, const cconv_batch *batch, int k)
{
    const void *to = batch->outputs ? batch->outputs[k].data : NULL;
    const cc_value *root = &plan->values[plan->root];
    if (!to || plan->n_outputs > FEW_OUTPUTS || !plan->output_memory[k] ||
        batch->outputs[k].dtype != stored(plan, plan->outputs[k]) || (uintptr_t)to % sizeof(float))
        return false;
    const size_t bytes = output_bytes(plan, batch, k);
    if (overlap(to, bytes, batch->root_gradient, plan->root ? cc_shape_bytes(&root->shape) : 0)) return false;
    for (int i = 1; i <= plan->graph->count; ++i)
        if (cc_graph_node(plan->graph, i)->kind != CC_COMPUTED &&
            overlap(to, bytes, plan->values[i].data, cc_shape_bytes(&plan->values[i].shape)))
            return false;
    for (int i = 0; i < plan->n_outputs; ++i)
        if (i != k && batch->outputs[i].data && overlap(to, bytes, batch->outputs[i].data, output_bytes(plan, batch, i)))
            return false;
    return true;
}

/* After bind_inputs. The root's gradient is read where the caller has it, too. */
static void bind_outputs(cconv_plan *plan, const cconv_batch *batch)
{
    for (int k = 0; k < plan->n_outputs; ++k)
        if (plan->output_memory[k]) plan->values[plan->outputs[k]].data = plan->output_memory[k];
    for (int k = 0; k < plan->n_outputs; ++k)
        if (in_callers_memory(plan, batch, k)) plan->values[plan->outputs[k]].data = batch->outputs[k].data;
    for (int i = 0; i < plan->n_slots; ++i) *plan->slots[i].x = plan->values[plan->slots[i].node].data;
    if (plan->root)
        plan->values[plan->root].backward.dy =
            seed_in_place(plan, batch) ? batch->root_gradient : plan->values[plan->root].gradient;
}

/* ---- One run ------------------------------------------------------------------------------------------------------ */

static void add_share(float *gradient, const float *share, int64_t count, const cc_team *team)
{
    cc_range range = cc_slice(team, count, 4096);
    const int64_t n = range.end - range.begin;
    if (n > 0) cc_kernels_get()->elementwise.add(gradient + range.begin, share + range.begin, n);
}

static void seed_root(float *gradient, const float *given, int64_t count, const cc_team *team)
{
    cc_range range = cc_slice(team, count, 4096);
    for (int64_t i = range.begin; i < range.end; ++i) gradient[i] = given ? given[i] : 1.0f;
}

/* A view that lies where its input does: no thread need wait for another. */
static bool is_done(const cconv_plan *plan, const cc_step *step)
{
    const cc_call *call = &plan->values[step->node].call, *backward = &plan->values[step->node].backward;
    if ((step->kind != CC_FORWARD && step->kind != CC_BACKWARD) || !(call->op->flags & CC_VIEW)) return false;
    return step->kind == CC_FORWARD ? call->y == call->x[0] : !backward->dx[0] || backward->dx[0] == backward->dy;
}

static void do_step(const cconv_plan *plan, int t, const cconv_batch *batch, const cc_team *team)
{
    const cc_step *step = &plan->steps[t];
    const cc_value *value = &plan->values[step->node];
    switch (step->kind) {
    case CC_PACK: value->call.op->pack(&value->call, team); break;
    case CC_FORWARD:
        if (step->end > t)
            cc_plan_run_row_blocks(plan, t, team);
        else
            value->call.op->forward(&value->call, team);
        break;
    case CC_SEED:
        if (value->backward.dy == value->gradient)
            seed_root(value->gradient, batch->root_gradient, cc_shape_count(&value->shape), team);
        break;
    case CC_RECOMPUTE: value->call.op->recompute(&value->backward, team); break;
    case CC_BACKWARD: value->call.op->backward(&value->backward, team); break;
    case CC_ACCUMULATE: {
        const cc_value *sum = &plan->values[cc_graph_node(plan->graph, step->node)->inputs[step->input]];
        add_share(sum->gradient, value->call.dx[step->input], cc_shape_count(&sum->shape), team);
        break;
    }
    case CC_UPDATE: value->call.op->update(&value->call, team); break;
    case CC_OPTIMIZE: cc_optimizer_step(plan->optimizer, plan->updates + step->first, step->count, step->scratch, team); break;
    }
}

/* Every thread has written: what was derived from the variables that changed is out of date. */
static void touch_updated(cconv_plan *plan)
{
    for (int t = plan->first_update; t < plan->n_steps; ++t) {
        if (plan->steps[t].kind != CC_UPDATE) continue;
        const cc_node *node = cc_graph_node(plan->graph, plan->steps[t].node);
        for (int k = 0; k < node->n_inputs; ++k)
            if (node->inputs[k] && cc_reads(node->op->updates, k))
                cconv_variable_touch(cc_graph_node(plan->graph, node->inputs[k])->variable);
    }
    if (plan->n_updates) cc_optimizer_advance(plan->optimizer, plan->updates, plan->n_updates);
}

/* Renews what differs from run to run in the calls. */
static void run_prepare_calls(cconv_plan *plan, const cconv_batch *batch)
{
    for (int t = 0; t < plan->n_steps; ++t) {
        cc_value *value = &plan->values[plan->steps[t].node];
        cc_call *call = plan->steps[t].kind == CC_BACKWARD ? &value->backward : &value->call;
        call->seed = batch->seed;
        call->step = batch->step;
    }
}

static void copy_outputs(const cconv_plan *plan, const cconv_batch *batch, const cc_team *team)
{
    for (int k = 0; batch->outputs && k < plan->n_outputs; ++k) {
        const cc_value *value = &plan->values[plan->outputs[k]];
        const cconv_output *output = &batch->outputs[k];
        if (!output->data || output->data == value->data) continue;
        cc_range range = cc_slice(team, cc_shape_count(&value->shape), 4096);
        if (range.begin < range.end)
            cc_type_write(value->shape.type, value->data, output->dtype, output->data, range.begin, range.end - range.begin);
    }
}

static bool copies_outputs(const cconv_plan *plan, const cconv_batch *batch)
{
    for (int k = 0; batch->outputs && k < plan->n_outputs; ++k)
        if (batch->outputs[k].data && batch->outputs[k].data != plan->values[plan->outputs[k]].data) return true;
    return false;
}

/* Adds to *time what has gone by since *since, which becomes now. */
static void add_time(double *time, double *since)
{
    double now = cc_seconds();
    *time += now - *since;
    *since = now;
}

static bool has_fault(const cconv_plan *plan)
{
    return atomic_load_explicit(&plan->fault.element, memory_order_relaxed) != CC_NO_FAULT;
}

static bool is_cancelled(const cconv_plan *plan)
{
    return atomic_load_explicit(&plan->state, memory_order_relaxed) == CC_PLAN_CANCELLED;
}

/* Fails with what the op of a step says about what it reported, and in which sample that is. */
static cconv_status refuse(const cconv_plan *plan, const cconv_batch *batch, const cc_step *step)
{
    const cc_call *call = &plan->values[step->node].call;
    const cc_shape *xs = &call->xs[call->op->refused];
    const int64_t element = atomic_load(&plan->fault.element);
    const cconv_status status = call->op->refuse(call, element);
    if (xs->rank == 0) return status;
    const int64_t n = xs->dim[0], sample = element / (cc_shape_count(xs) / n);
    if (!batch->rows || n != batch->n) return cc_fail(status, "%s in sample %lld", cconv_last_error(), (long long)sample);
    return cc_fail(status, "%s in sample %lld of the batch, row %lld of the data", cconv_last_error(), (long long)sample,
                   (long long)batch->rows[sample]);
}

/* Does a step whose result plans share; false if another run has done it. Nobody is asked whether to go on before it is over: who
 * is asked may run other plans. */
static bool derive(cconv_plan *plan, int t, const cconv_batch *batch, const cc_team *team)
{
    cc_step *step = &plan->steps[t];
    cc_derived *derived = cc_plan_derived(plan, step);
    if (team->ith == 0) step->mine = cc_derived_begin(derived, step->version);
    cc_barrier_wait(team);
    if (!step->mine) return false;
    do_step(plan, t, batch, team);
    cc_barrier_wait(team);
    if (team->ith == 0) cc_derived_end(derived, has_fault(plan) ? 0 : step->version);
    return true;
}

/* What every thread of the team does. *stop is -1, or the step after which all of them leave: a number, so that a thread that
 * comes late from one barrier does not take the next step's decision for this one's. */
static void walk(cconv_plan *plan, const cconv_batch *batch, const cc_team *team, atomic_int *stop)
{
    double asked = team->ith == 0 && batch->interrupted ? cc_seconds() : 0;
    double *times = team->ith == 0 ? plan->times : NULL, since = times ? cc_seconds() : 0;
    gather(plan, batch, team);
    if (times) add_time(&times[plan->n_steps], &since);
    for (int t = 0; t < plan->n_steps; ++t) {
        cc_step *step = &plan->steps[t];
        if ((step->constant && !step->due) || step->begin < t || is_done(plan, step)) continue;
        if (cc_plan_derived(plan, step)) {
            if (!derive(plan, t, batch, team)) continue;
        } else {
            do_step(plan, t, batch, team);
        }
        if (team->ith == 0 && batch->interrupted && t < plan->first_update && cc_seconds() - asked > 0.05) {
            if (batch->interrupted(batch->context)) atomic_store(stop, t);
            asked = cc_seconds();
        }
        if (team->ith == 0 && t < plan->first_update && is_cancelled(plan)) atomic_store(stop, t);
        if (has_fault(plan)) atomic_store(stop, t);
        if (t + 1 < plan->n_steps || copies_outputs(plan, batch)) cc_barrier_wait(team); /* else the end of the region is one */
        if (times) add_time(&times[t], &since);
        if (atomic_load_explicit(stop, memory_order_relaxed) == t) return;
    }
    copy_outputs(plan, batch, team);
    if (times) {
        add_time(&times[plan->n_steps + 1], &since);
        ++plan->timed_runs;
    }
}

typedef struct task {
    cconv_plan *plan;
    const cconv_batch *batch;
    atomic_int stop;
} task;

static void run(const cc_team *team, void *context)
{
    task *job = context;
    unsigned mode = cc_subnormals_flush();
    walk(job->plan, job->batch, team, &job->stop);
    cc_subnormals_restore(mode);
}

static cconv_status run_batch(cconv_plan *plan, const cconv_batch *batch)
{
    CC_TRY(check_batch(plan, batch));
    if (plan->n_updates && cc_optimizer_clipping(plan->optimizer) > plan->clipping)
        return cc_fail(CCONV_INVALID,
                       "run: %s was turned on after the plan was made, which keeps no whole gradients; make a new plan",
                       plan->clipping == CC_CLIPS_NONE ? "clipping by norm" : "global_clipnorm");
    if (plan->n != batch->n) {
        CC_TRY(cc_plan_shapes(plan, batch->n));
        plan->pace.least = 0; /* was another work's */
    }
    bind_inputs(plan, batch);
    bind_outputs(plan, batch);
    cc_plan_due(plan);
    run_prepare_calls(plan, batch);
    const int threads = cc_team_size() < plan->threads ? cc_team_size() : plan->threads;
    const bool crowd = threads > 1 && cc_barrier_is_crowded();
    atomic_store(&plan->fault.element, CC_NO_FAULT);
    if (crowd && plan->pace.alone)
        CC_LOG_ONCE(CCONV_LOG_WARNING, "other processes keep threads waiting: short runs use one where that is sooner");
    task job = {plan, batch, -1};
    const double began = cc_seconds();
    cc_team_run(crowd && plan->pace.alone ? 1 : threads, run, &job);
    if (crowd) cc_pace_add(&plan->pace, cc_seconds() - began);
    if (atomic_load(&job.stop) >= 0) {
        cc_plan_forget(plan, has_fault(plan) ? 0 : atomic_load(&job.stop) + 1);
        if (has_fault(plan)) return refuse(plan, batch, &plan->steps[atomic_load(&job.stop)]);
        return cc_fail(CCONV_INTERRUPTED, is_cancelled(plan) ? "run: cancelled" : "run: interrupted");
    }
    touch_updated(plan);
    return CCONV_OK;
}

/* ---- Whose the plan is -------------------------------------------------------------------------------------------- */

cconv_status cc_plan_take(cconv_plan *plan)
{
    int idle = CC_PLAN_IDLE;
    if (atomic_compare_exchange_strong(&plan->state, &idle, CC_PLAN_BUSY)) return CCONV_OK;
    return cc_fail(CCONV_BUSY, "plan: it is being run by another thread");
}

void cc_plan_give_back(cconv_plan *plan)
{
    atomic_store(&plan->state, CC_PLAN_IDLE);
}

cconv_status cconv_plan_run(cconv_plan *plan, const cconv_batch *batch)
{
    if (!plan) return cc_fail(CCONV_INVALID, "run: expected a plan, received NULL");
    CC_TRY(cc_plan_take(plan));
    cconv_status status = run_batch(plan, batch);
    cc_plan_give_back(plan);
    return status;
}

/* One step: a run that ends meanwhile leaves nothing for the next one. */
cconv_status cconv_plan_cancel(cconv_plan *plan)
{
    if (!plan) return cc_fail(CCONV_INVALID, "cancel: expected a plan, received NULL");
    int busy = CC_PLAN_BUSY;
    atomic_compare_exchange_strong(&plan->state, &busy, CC_PLAN_CANCELLED);
    return CCONV_OK;
}
