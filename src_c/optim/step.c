/* One step of an optimizer: accumulation of gradients, clipping, weight decay, the rule, running averages, and the division among
 * threads.
 *
 * A step sees all variables as one long row of elements and gives each thread an equal part of it, so that one large dense
 * kernel beside many small biases keeps every thread busy; a rule of whole variables gives each to one thread. Norms are summed in
 * blocks that depend on the sizes of the variables alone, in double, and the blocks' sums are added in order: results are the same
 * for any number of threads.
 *
 * Where gradients are accumulated, each step adds its own to the accumulators; the last one of several makes them the mean, and
 * goes on with them in the gradients' place. */
#include "optim/optimizer.h"
#include <math.h>
#include <string.h>

#define NORM_BLOCK   16384 /* elements summed together; part of the result's definition, see above */
#define UPDATE_BLOCK 4096  /* elements decayed and then updated while they are in the first cache */
#define UPDATE_GRAIN 2048

static const cc_optim_common *common_of(const cconv_optimizer *optimizer)
{
    return optimizer->attributes;
}

/* Changes of the weights before this step. */
static int64_t changes_made(const cconv_optimizer *optimizer)
{
    return optimizer->iterations / common_of(optimizer)->gradient_accumulation_steps;
}

/* Whether this step changes the weights; else it accumulates only. */
static bool changes_weights(const cconv_optimizer *optimizer)
{
    return (optimizer->iterations + 1) % common_of(optimizer)->gradient_accumulation_steps == 0;
}

static float *slot_of(const cc_update *update, int slot)
{
    return slot < 0 ? NULL : cconv_variable_data(update->slots[slot]);
}

/* The elements of a variable that this optimizer changes: all, or none. */
static int64_t own_count(const cconv_optimizer *optimizer, const cc_update *update)
{
    return update->optimizer == optimizer ? update->count : 0;
}

static float unscaled(const cconv_optimizer *optimizer)
{
    const float factor = common_of(optimizer)->loss_scale_factor;
    return factor > 0 ? 1.0f / factor : 1.0f;
}

/* ---- Scratch ------------------------------------------------------------------------------------------------------ */

static int64_t norm_blocks(int64_t count)
{
    return (count + NORM_BLOCK - 1) / NORM_BLOCK;
}

static int64_t whole_floats(const cc_update *update)
{
    const cc_rule *rule = update->optimizer->rule;
    int64_t dim[CCONV_MAX_RANK];
    if (!rule->scratch) return 0;
    const int rank = cconv_variable_shape(update->variable, dim);
    return rule->scratch(rank, dim);
}

static int64_t all_blocks(const cc_update *updates, int n)
{
    int64_t blocks = 0;
    for (int u = 0; u < n; ++u) blocks += norm_blocks(updates[u].count);
    return blocks;
}

/* The sum of squares of every block of every variable (double), then the factor of every variable (float), then what rules of whole
 * variables want. Wanted whatever the settings are, because clipping may be turned on after the plan was made. */
size_t cc_optimizer_scratch(const cconv_optimizer *optimizer, const cc_update *updates, int n)
{
    (void)optimizer;
    int64_t floats = n;
    for (int u = 0; u < n; ++u) floats += whole_floats(&updates[u]);
    return (size_t)all_blocks(updates, n) * sizeof(double) + (size_t)floats * sizeof(float);
}

/* ---- Clipping ----------------------------------------------------------------------------------------------------- */

/* What a gradient of this norm is multiplied by so that its norm is at most `limit`. A norm that is not a number, or not
 * finite, must not be hidden: it makes the factor NaN, or 0, which makes infinite elements NaN. */
static float clip_factor(double norm, float limit)
{
    return norm <= (double)limit ? 1.0f : (float)((double)limit / norm);
}

/* Writes scales[u], the factor that undoes `scale` and clips the gradient of update u by its own or by the common norm. Ends with a
 * barrier. */
static void clip_by_norm(const cconv_optimizer *optimizer, const cc_update *updates, int n, double *squares, float *scales,
                         float scale, const cc_team *team)
{
    const cc_optim_common *common = common_of(optimizer);
    int64_t blocks = 0;
    for (int u = 0; u < n; ++u) blocks += norm_blocks(own_count(optimizer, &updates[u]));
    cc_range mine = cc_slice(team, blocks, 1);
    int64_t first = 0; /* number of update u's first block */
    for (int u = 0; u < n; ++u) {
        int64_t count = own_count(optimizer, &updates[u]), end = first + norm_blocks(count);
        const float *accumulated = slot_of(&updates[u], count ? optimizer->accumulator : -1);
        const float *gradient = accumulated ? accumulated : updates[u].gradient;
        for (int64_t b = mine.begin > first ? mine.begin : first; b < mine.end && b < end; ++b) {
            const float *g = gradient + (b - first) * NORM_BLOCK;
            int64_t left = count - (b - first) * NORM_BLOCK, length = left < NORM_BLOCK ? left : NORM_BLOCK;
            double sum[8] = {0}; /* eight chains, so that the additions overlap */
            int64_t i = 0;
            for (; i + 8 <= length; i += 8)
                for (int j = 0; j < 8; ++j) sum[j] += (double)g[i + j] * (double)g[i + j];
            for (; i < length; ++i) sum[0] += (double)g[i] * (double)g[i];
            squares[b] = ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
        }
        first = end;
    }
    cc_barrier_wait(team);
    if (team->ith == 0) {
        double all = 0;
        const double *square = squares;
        for (int u = 0; u < n; ++u) {
            double sum = 0;
            for (int64_t b = norm_blocks(own_count(optimizer, &updates[u])); b > 0; --b) sum += *square++;
            all += sum;
            scales[u] = scale * clip_factor(sqrt(sum) * (double)scale, common->clipnorm);
        }
        if (common->global_clipnorm > 0) {
            double norm = sqrt(all) * (double)scale;
            float factor = isfinite(norm) ? clip_factor(norm, common->global_clipnorm) : NAN;
            for (int u = 0; u < n; ++u) scales[u] = scale * factor;
        }
    }
    cc_barrier_wait(team);
}

cc_clipping cc_optimizer_clipping(const cconv_optimizer *optimizer)
{
    const cc_optim_common *common = optimizer->attributes;
    cc_clipping most = common->global_clipnorm > 0                              ? CC_CLIPS_ALL
                       : common->clipnorm > 0 || optimizer->rule->whole != NULL ? CC_CLIPS_EACH
                                                                                : CC_CLIPS_NONE;
    for (int i = 0; i < optimizer->n_members; ++i) {
        const cc_clipping other = cc_optimizer_clipping(optimizer->members[i]);
        if (other > most) most = other;
    }
    return most;
}

/* ---- The parts of a step ------------------------------------------------------------------------------------------ */

/* Elements begin .. end-1 of one variable; gradient[0] is element begin's. */
static void accumulate(const cconv_optimizer *optimizer, const cc_update *update, const float *gradient, int64_t begin,
                       int64_t end)
{
    float *sum = slot_of(update, optimizer->accumulator) + begin;
    const float scale = unscaled(optimizer), steps = (float)common_of(optimizer)->gradient_accumulation_steps;
    if (changes_weights(optimizer))
        for (int64_t i = 0; i < end - begin; ++i) sum[i] = (gradient[i] * scale + sum[i]) / steps;
    else
        for (int64_t i = 0; i < end - begin; ++i) sum[i] += gradient[i] * scale;
}

static void decay(const cconv_optimizer *optimizer, const cc_update *update, float *w, int64_t n)
{
    const cc_optim_common *common = common_of(optimizer);
    if (common->weight_decay > 0 && !update->undecayed)
        for (int64_t j = 0; j < n; ++j) w[j] -= w[j] * common->weight_decay * common->learning_rate;
}

/* The running average of the weights, whose first value they are, and, where it is due, the other way round. */
static void keep_average(const cconv_optimizer *optimizer, const cc_update *update, int64_t begin, int64_t end)
{
    if (optimizer->average < 0) return;
    const cc_optim_common *common = common_of(optimizer);
    float *average = slot_of(update, optimizer->average), *w = cconv_variable_data(update->variable);
    const float kept = changes_made(optimizer) ? common->ema_momentum : 0.0f, rest = 1.0f - kept;
    const int every = common->ema_overwrite_frequency;
    for (int64_t i = begin; i < end; ++i) average[i] = kept * average[i] + rest * w[i];
    if (every && (changes_made(optimizer) + 1) % every == 0)
        memcpy(w + begin, average + begin, (size_t)(end - begin) * sizeof *w);
}

/* Elements begin .. end-1 of one variable; gradient[0] is element begin's. */
static void apply(const cconv_optimizer *optimizer, const float *coefficients, const cc_update *update, const float *gradient,
                  int64_t begin, int64_t end, float scale)
{
    const cc_optim_common *common = common_of(optimizer);
    const float limit = common->clipvalue > 0 ? common->clipvalue : INFINITY;
    float *data = cconv_variable_data(update->variable), *accumulated = slot_of(update, optimizer->accumulator);
    for (int64_t i = begin; i < end; i += UPDATE_BLOCK, gradient += UPDATE_BLOCK) {
        int64_t length = end - i < UPDATE_BLOCK ? end - i : UPDATE_BLOCK;
        float *w = data + i, *slots[CC_MAX_SLOTS];
        for (int s = 0; s < CC_MAX_SLOTS; ++s) slots[s] = update->slots[s] ? cconv_variable_data(update->slots[s]) + i : NULL;
        decay(optimizer, update, w, length);
        optimizer->rule->update(coefficients, w, accumulated ? accumulated + i : gradient, slots, scale, limit, length);
        if (accumulated) memset(accumulated + i, 0, (size_t)length * sizeof *accumulated);
    }
}

static void apply_whole(const cconv_optimizer *optimizer, const float *coefficients, const cc_update *update, float scale,
                        float *scratch)
{
    const cc_optim_common *common = common_of(optimizer);
    float *accumulated = slot_of(update, optimizer->accumulator), *slots[CC_MAX_SLOTS];
    for (int s = 0; s < CC_MAX_SLOTS; ++s) slots[s] = update->slots[s] ? cconv_variable_data(update->slots[s]) : NULL;
    cc_whole whole = {.count = update->count,
                      .w = cconv_variable_data(update->variable),
                      .slots = slots,
                      .scratch = scratch,
                      .g = accumulated ? accumulated : update->gradient,
                      .scale = scale,
                      .limit = common->clipvalue > 0 ? common->clipvalue : INFINITY};
    whole.rank = cconv_variable_shape(update->variable, whole.dim);
    decay(optimizer, update, whole.w, whole.count);
    optimizer->rule->whole(coefficients, &whole);
    if (accumulated) memset(accumulated, 0, (size_t)update->count * sizeof *accumulated);
}

void cc_optimizer_apply(const cconv_optimizer *optimizer, const cc_update *update, const float *gradient, int64_t first,
                        int64_t count)
{
    float coefficients[CC_MAX_COEFFICIENTS];
    optimizer = update->optimizer;
    if (optimizer->accumulator >= 0) accumulate(optimizer, update, gradient, first, first + count);
    if (changes_weights(optimizer)) {
        optimizer->rule->prepare(optimizer->attributes, changes_made(optimizer) + 1, coefficients);
        apply(optimizer, coefficients, update, gradient, first, first + count,
              optimizer->accumulator >= 0 ? 1.0f : unscaled(optimizer));
    }
    keep_average(optimizer, update, first, first + count);
}

/* ---- A step ------------------------------------------------------------------------------------------------------- */

typedef enum step_part { ACCUMULATE, CHANGE, AVERAGE } step_part;

/* This thread's part of what is done element by element. */
static void step_elements(const cconv_optimizer *optimizer, step_part part, const float *coefficients, const cc_update *updates,
                          int n, const float *scales, float scale, const cc_team *team)
{
    int64_t total = 0;
    for (int u = 0; u < n; ++u) total += own_count(optimizer, &updates[u]);
    cc_range mine = cc_slice(team, total, UPDATE_GRAIN);
    int64_t first = 0; /* position of update u's first element in the row of all */
    for (int u = 0; u < n; ++u) {
        const int64_t count = own_count(optimizer, &updates[u]);
        int64_t begin = mine.begin > first ? mine.begin - first : 0;
        int64_t end = mine.end - first < count ? mine.end - first : count;
        first += count;
        if (begin >= end) continue;
        const float *gradient = updates[u].gradient + begin;
        if (part == ACCUMULATE) accumulate(optimizer, &updates[u], gradient, begin, end);
        if (part == CHANGE) apply(optimizer, coefficients, &updates[u], gradient, begin, end, scales ? scales[u] : scale);
        if (part != ACCUMULATE) keep_average(optimizer, &updates[u], begin, end);
    }
}

/* Each variable by one thread: that which has the middle of it in the row of all. */
static void step_wholes(const cconv_optimizer *optimizer, const float *coefficients, const cc_update *updates, int n,
                        const float *scales, float scale, float *scratch, const cc_team *team)
{
    int64_t total = 0;
    for (int u = 0; u < n; ++u) total += own_count(optimizer, &updates[u]);
    cc_range mine = cc_slice(team, total, 1);
    int64_t first = 0;
    for (int u = 0; u < n; ++u) {
        const int64_t count = own_count(optimizer, &updates[u]), middle = first + count / 2;
        if (count && middle >= mine.begin && middle < mine.end) {
            apply_whole(optimizer, coefficients, &updates[u], scales ? scales[u] : scale, scratch);
            keep_average(optimizer, &updates[u], 0, count);
        }
        scratch += whole_floats(&updates[u]);
        first += count;
    }
}

/* Of the variables that this optimizer itself changes. */
static void step_own(const cconv_optimizer *optimizer, const cc_update *updates, int n, void *scratch, const cc_team *team)
{
    const cc_optim_common *common = common_of(optimizer);
    float coefficients[CC_MAX_COEFFICIENTS], *scales = NULL, *after = (float *)((double *)scratch + all_blocks(updates, n));
    float scale = unscaled(optimizer);
    optimizer->rule->prepare(optimizer->attributes, changes_made(optimizer) + 1, coefficients);
    if (optimizer->accumulator >= 0) {
        step_elements(optimizer, ACCUMULATE, coefficients, updates, n, NULL, scale, team);
        scale = 1.0f;
        cc_barrier_wait(team);
    }
    if (!changes_weights(optimizer)) {
        step_elements(optimizer, AVERAGE, coefficients, updates, n, NULL, scale, team);
        return;
    }
    if (common->clipnorm > 0 || common->global_clipnorm > 0) {
        scales = after;
        clip_by_norm(optimizer, updates, n, scratch, scales, scale, team);
    }
    if (optimizer->rule->whole)
        step_wholes(optimizer, coefficients, updates, n, scales, scale, after + n, team);
    else
        step_elements(optimizer, CHANGE, coefficients, updates, n, scales, scale, team);
}

void cc_optimizer_step(const cconv_optimizer *optimizer, const cc_update *updates, int n, void *scratch, const cc_team *team)
{
    step_own(optimizer, updates, n, scratch, team);
    for (int i = 0; i < optimizer->n_members; ++i) {
        cc_barrier_wait(team); /* scratch is free again */
        step_own(optimizer->members[i], updates, n, scratch, team);
    }
}

void cc_optimizer_advance(cconv_optimizer *optimizer, const cc_update *updates, int n)
{
    ++optimizer->iterations;
    for (int i = 0; i < optimizer->n_members; ++i) ++optimizer->members[i]->iterations;
    for (int u = 0; u < n; ++u) {
        cconv_variable_touch(updates[u].variable);
        for (int s = 0; s < CC_MAX_SLOTS; ++s) cconv_variable_touch(updates[u].slots[s]);
    }
}
