/* What all update rules share: settings, the slots of each variable, clipping, weight decay, and the division among threads.
 * The arithmetic of a rule is in the file named after it.
 *
 * A step sees all variables as one long row of elements and gives each thread an equal part of it, so that one large dense
 * kernel beside many small biases keeps every thread busy. Norms are summed in blocks that depend on the sizes of the variables
 * alone, in double, and the blocks' sums are added in order: results are the same for any number of threads. */
#include "optim/optim.h"
#include "base/alloc.h"
#include "base/map.h"
#include "base/status.h"
#include "base/writer.h"
#include <math.h>
#include <string.h>

#define NORM_BLOCK   16384 /* elements summed together; part of the result's definition, see above */
#define UPDATE_BLOCK 4096  /* elements decayed and then updated while they are in the first cache */
#define UPDATE_GRAIN 2048

static const cc_rule *const rules[] = {
#define CC_RULE(name) &cc_rule_##name,
#include "optim/optim.def"
#undef CC_RULE
};
enum { RULES = sizeof rules / sizeof *rules };

typedef struct entry { /* the slots of one variable */
    cconv_variable *variable;
    cconv_variable *slots[CC_MAX_SLOTS];
    bool undecayed;
} entry;

struct cconv_optimizer {
    const cc_rule *rule;
    void *attributes; /* rule->attributes_size bytes, starting with a cc_optim_common */
    int n_slots;
    const char *names[CC_MAX_SLOTS];
    int64_t iterations; /* steps made */
    entry *entries;
    int n_entries, capacity;
    cc_map numbers; /* of each variable's entry, from 1 */
};

/* ---- Settings ----------------------------------------------------------------------------------------------------- */

cconv_status cc_optim_check(const char *setting, float value, float low, float high, bool below)
{
    if (isfinite(value) && value >= low && (below ? value < high : value <= high)) return CCONV_OK;
    if (isinf(high))
        return cc_fail(CCONV_INVALID, "expected a finite %s of at least %g, received %g", setting, (double)low, (double)value);
    return cc_fail(CCONV_INVALID, "expected %s of at least %g and %s %g, received %g", setting, (double)low,
                   below ? "below" : "at most", (double)high, (double)value);
}

double cc_optim_decimal(float value)
{
    double decimal = round((double)value * 1e7) / 1e7;
    return (float)decimal == value ? decimal : (double)value;
}

static cconv_status check_common(const cc_optim_common *common)
{
    CC_TRY(cc_optim_check("learning_rate", common->learning_rate, 0, INFINITY, true));
    const char *names[4] = {"weight_decay", "clipnorm", "clipvalue", "global_clipnorm"};
    float values[4] = {common->weight_decay, common->clipnorm, common->clipvalue, common->global_clipnorm};
    for (int i = 0; i < 4; ++i)
        if (!isfinite(values[i]))
            return cc_fail(CCONV_INVALID, "expected a finite %s, received %g", names[i], (double)values[i]);
    if ((common->clipnorm > 0) + (common->clipvalue > 0) + (common->global_clipnorm > 0) > 1)
        return cc_fail(CCONV_INVALID,
                       "expected at most one of clipnorm, clipvalue and global_clipnorm, received clipnorm=%g, clipvalue=%g, "
                       "global_clipnorm=%g",
                       (double)common->clipnorm, (double)common->clipvalue, (double)common->global_clipnorm);
    return CCONV_OK;
}

/* Reads and checks settings into `out`, which with `keep` holds those that stay. */
static cconv_status read_settings(const cc_rule *rule, const char *text, void *out, int keep)
{
    cconv_status status = cc_attributes_read(rule->attributes, text, out, keep);
    if (status == CCONV_OK) status = check_common(out);
    if (status == CCONV_OK) status = rule->check(out);
    if (status != CCONV_OK) cc_fail_prefix("optimizer %s", rule->name);
    return status;
}

static const cc_rule *find_rule(const char *kind)
{
    for (int i = 0; kind && i < RULES; ++i)
        if (!strcmp(rules[i]->name, kind)) return rules[i];
    char names[256] = "";
    cc_writer w = {names, sizeof names, 0};
    for (int i = 0; i < RULES; ++i) cc_put(&w, "%s%s", i == 0 ? "" : i < RULES - 1 ? ", " : " or ", rules[i]->name);
    cc_fail(CCONV_INVALID, "expected an optimizer of kind %s, received \"%s\"", names, kind ? kind : "");
    return NULL;
}

int cconv_optimizer_count(void)
{
    return RULES;
}

const char *cconv_optimizer_name(int i)
{
    return i >= 0 && i < RULES ? rules[i]->name : NULL;
}

cconv_status cconv_optimizer_attribute(const char *kind, int i, cconv_attribute *attribute)
{
    const cc_rule *rule = find_rule(kind);
    return rule ? cc_attributes_describe(rule->attributes, i, attribute) : CCONV_INVALID;
}

/* ---- Life --------------------------------------------------------------------------------------------------------- */

cconv_optimizer *cconv_optimizer_new(const char *kind, const char *attributes)
{
    const cc_rule *rule = find_rule(kind);
    if (!rule) return NULL;
    cconv_optimizer *optimizer = cc_alloc_zero(sizeof *optimizer);
    if (!optimizer) return NULL;
    optimizer->rule = rule;
    optimizer->attributes = cc_alloc_zero(rule->attributes_size);
    if (!optimizer->attributes || read_settings(rule, attributes, optimizer->attributes, 0) != CCONV_OK) {
        cconv_optimizer_free(optimizer);
        return NULL;
    }
    optimizer->n_slots = rule->slots(optimizer->attributes, optimizer->names);
    return optimizer;
}

void cconv_optimizer_free(cconv_optimizer *optimizer)
{
    if (!optimizer) return;
    for (int i = 0; i < optimizer->n_entries; ++i) {
        for (int s = 0; s < CC_MAX_SLOTS; ++s) cconv_variable_free(optimizer->entries[i].slots[s]);
        cconv_variable_free(optimizer->entries[i].variable);
    }
    cc_free(optimizer->entries);
    cc_map_free(&optimizer->numbers);
    cc_free(optimizer->attributes);
    cc_free(optimizer);
}

static cconv_status optimizer_missing(void)
{
    return cc_fail(CCONV_INVALID, "expected an optimizer, received NULL");
}

/* The new settings are read into a copy: after a failure the old ones are all still there. */
cconv_status cconv_optimizer_set(cconv_optimizer *optimizer, const char *attributes)
{
    if (!optimizer) return optimizer_missing();
    const cc_rule *rule = optimizer->rule;
    void *copy = cc_alloc(rule->attributes_size);
    if (!copy) return CCONV_NO_MEMORY;
    memcpy(copy, optimizer->attributes, rule->attributes_size);
    cconv_status status = read_settings(rule, attributes, copy, 1);
    const char *names[CC_MAX_SLOTS] = {0};
    int n_slots = status == CCONV_OK ? rule->slots(copy, names) : 0;
    if (status == CCONV_OK && optimizer->n_entries) {
        bool same = n_slots == optimizer->n_slots;
        for (int s = 0; same && s < n_slots; ++s) same = !strcmp(names[s], optimizer->names[s]);
        if (!same)
            status = cc_fail(CCONV_INVALID,
                             "optimizer %s: expected settings that keep the %d slots of its %d variables, received \"%s\"; "
                             "make a new optimizer to turn momentum, centered or amsgrad on or off",
                             rule->name, optimizer->n_slots, optimizer->n_entries, attributes ? attributes : "");
    }
    if (status == CCONV_OK) {
        memcpy(optimizer->attributes, copy, rule->attributes_size);
        memcpy(optimizer->names, names, sizeof names);
        optimizer->n_slots = n_slots;
    }
    cc_free(copy);
    return status;
}

int64_t cconv_optimizer_iterations(const cconv_optimizer *optimizer)
{
    if (!optimizer) optimizer_missing();
    return optimizer ? optimizer->iterations : 0;
}

void cconv_optimizer_set_iterations(cconv_optimizer *optimizer, int64_t iterations)
{
    if (optimizer) optimizer->iterations = iterations > 0 ? iterations : 0;
}

/* ---- Slots -------------------------------------------------------------------------------------------------------- */

const char *cconv_optimizer_slot_name(const cconv_optimizer *optimizer, int i)
{
    if (!optimizer) optimizer_missing();
    return optimizer && i >= 0 && i < optimizer->n_slots ? optimizer->names[i] : NULL;
}

/* The variable's entry, made if there is none: all of its slots exist, or none of it. NULL without memory. */
static entry *find_entry(cconv_optimizer *optimizer, cconv_variable *variable)
{
    const int number = cc_map_find(&optimizer->numbers, variable);
    if (number) return &optimizer->entries[number - 1];
    if (optimizer->n_entries == optimizer->capacity) {
        int capacity = optimizer->capacity ? 2 * optimizer->capacity : 16;
        entry *larger = cc_alloc((size_t)capacity * sizeof *larger);
        if (!larger) return NULL;
        if (optimizer->n_entries) memcpy(larger, optimizer->entries, (size_t)optimizer->n_entries * sizeof *larger);
        cc_free(optimizer->entries);
        optimizer->entries = larger;
        optimizer->capacity = capacity;
    }
    int64_t shape[CCONV_MAX_RANK];
    int rank = cconv_variable_shape(variable, shape);
    entry made = {0};
    for (int s = 0; s < optimizer->n_slots; ++s) {
        made.slots[s] = cconv_variable_new(rank, shape);
        if (made.slots[s]) continue;
        while (s--) cconv_variable_free(made.slots[s]);
        return NULL;
    }
    if (!cc_map_put(&optimizer->numbers, variable, optimizer->n_entries + 1)) {
        for (int s = 0; s < optimizer->n_slots; ++s) cconv_variable_free(made.slots[s]);
        return NULL;
    }
    made.variable = cconv_variable_retain(variable);
    optimizer->entries[optimizer->n_entries] = made;
    return &optimizer->entries[optimizer->n_entries++];
}

cconv_variable *cconv_optimizer_slot(cconv_optimizer *optimizer, cconv_variable *variable, int i)
{
    if (!optimizer || !variable) {
        cc_fail(CCONV_INVALID, "expected an optimizer and a variable, received NULL");
        return NULL;
    }
    if (i < 0 || i >= optimizer->n_slots) {
        cc_fail(CCONV_INVALID, "optimizer %s: expected a slot from 0 to %d, received %d", optimizer->rule->name,
                optimizer->n_slots - 1, i);
        return NULL;
    }
    entry *found = find_entry(optimizer, variable);
    return found ? found->slots[i] : NULL;
}

cconv_status cconv_optimizer_exclude_from_weight_decay(cconv_optimizer *optimizer, cconv_variable *variable)
{
    if (!optimizer || !variable)
        return cc_fail(CCONV_INVALID, "expected an optimizer and a variable to exclude from its weight decay, received NULL");
    entry *found = find_entry(optimizer, variable);
    if (!found) return CCONV_NO_MEMORY;
    found->undecayed = true;
    return CCONV_OK;
}

cconv_status cc_optimizer_bind(cconv_optimizer *optimizer, cc_update *updates, int n)
{
    for (int u = 0; u < n; ++u) {
        entry *found = find_entry(optimizer, updates[u].variable);
        if (!found) return CCONV_NO_MEMORY;
        updates[u].undecayed = found->undecayed;
        memcpy(updates[u].slots, found->slots, sizeof found->slots);
    }
    return CCONV_OK;
}

/* ---- One step ----------------------------------------------------------------------------------------------------- */

static int64_t norm_blocks(int64_t count)
{
    return (count + NORM_BLOCK - 1) / NORM_BLOCK;
}

/* Scratch: the sum of squares of every block of every variable (double), then the factor of every variable (float). Wanted
 * whatever the settings are, because clipping may be turned on after the plan was made. */
size_t cc_optimizer_scratch(const cconv_optimizer *optimizer, const cc_update *updates, int n)
{
    (void)optimizer;
    int64_t blocks = 0;
    for (int u = 0; u < n; ++u) blocks += norm_blocks(updates[u].count);
    return (size_t)blocks * sizeof(double) + (size_t)n * sizeof(float);
}

/* What a gradient of this norm is multiplied by so that its norm is at most `limit`. A norm that is not a number, or not
 * finite, must not be hidden: it makes the factor NaN, or 0, which makes infinite elements NaN. */
static float clip_factor(double norm, float limit)
{
    return norm <= (double)limit ? 1.0f : (float)((double)limit / norm);
}

/* Writes scales[u], the factor that clips update u's gradient by its own or by the common norm. Ends with a barrier. */
static void clip_by_norm(const cc_optim_common *common, const cc_update *updates, int n, double *squares, float *scales,
                         const cc_team *team)
{
    int64_t blocks = 0;
    for (int u = 0; u < n; ++u) blocks += norm_blocks(updates[u].count);
    cc_range mine = cc_slice(team, blocks, 1);
    int64_t first = 0; /* number of update u's first block */
    for (int u = 0; u < n; ++u) {
        int64_t count = updates[u].count, end = first + norm_blocks(count);
        for (int64_t b = mine.begin > first ? mine.begin : first; b < mine.end && b < end; ++b) {
            const float *g = updates[u].gradient + (b - first) * NORM_BLOCK;
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
            for (int64_t b = norm_blocks(updates[u].count); b > 0; --b) sum += *square++;
            all += sum;
            scales[u] = clip_factor(sqrt(sum), common->clipnorm);
        }
        if (common->global_clipnorm > 0) {
            double norm = sqrt(all);
            float scale = isfinite(norm) ? clip_factor(norm, common->global_clipnorm) : NAN;
            for (int u = 0; u < n; ++u) scales[u] = scale;
        }
    }
    cc_barrier_wait(team);
}

/* Elements begin .. end-1 of one variable; gradient[0] is element begin's. */
static void apply(const cconv_optimizer *optimizer, const float *coefficients, const cc_update *update, const float *gradient,
                  int64_t begin, int64_t end, float scale)
{
    const cc_optim_common *common = optimizer->attributes;
    const float limit = common->clipvalue > 0 ? common->clipvalue : INFINITY;
    float *data = cconv_variable_data(update->variable);
    for (int64_t i = begin; i < end; i += UPDATE_BLOCK, gradient += UPDATE_BLOCK) {
        int64_t length = end - i < UPDATE_BLOCK ? end - i : UPDATE_BLOCK;
        float *w = data + i, *slots[CC_MAX_SLOTS];
        for (int s = 0; s < CC_MAX_SLOTS; ++s) slots[s] = update->slots[s] ? cconv_variable_data(update->slots[s]) + i : NULL;
        if (common->weight_decay > 0 && !update->undecayed)
            for (int64_t j = 0; j < length; ++j) w[j] -= w[j] * common->weight_decay * common->learning_rate;
        optimizer->rule->update(coefficients, w, gradient, slots, scale, limit, length);
    }
}

void cc_optimizer_apply(const cconv_optimizer *optimizer, const cc_update *update, const float *gradient, int64_t first,
                        int64_t count)
{
    float coefficients[CC_MAX_COEFFICIENTS];
    optimizer->rule->prepare(optimizer->attributes, optimizer->iterations + 1, coefficients);
    apply(optimizer, coefficients, update, gradient, first, first + count, 1.0f);
}

cc_clipping cc_optimizer_clipping(const cconv_optimizer *optimizer)
{
    const cc_optim_common *common = optimizer->attributes;
    return common->global_clipnorm > 0 ? CC_CLIPS_ALL : common->clipnorm > 0 ? CC_CLIPS_EACH : CC_CLIPS_NONE;
}

void cc_optimizer_step(const cconv_optimizer *optimizer, const cc_update *updates, int n, void *scratch, const cc_team *team)
{
    const cc_optim_common *common = optimizer->attributes;
    float coefficients[CC_MAX_COEFFICIENTS];
    optimizer->rule->prepare(optimizer->attributes, optimizer->iterations + 1, coefficients);

    float *scales = NULL;
    if (common->clipnorm > 0 || common->global_clipnorm > 0) {
        int64_t blocks = 0;
        for (int u = 0; u < n; ++u) blocks += norm_blocks(updates[u].count);
        scales = (float *)((double *)scratch + blocks);
        clip_by_norm(common, updates, n, scratch, scales, team);
    }
    int64_t total = 0;
    for (int u = 0; u < n; ++u) total += updates[u].count;
    cc_range mine = cc_slice(team, total, UPDATE_GRAIN);
    int64_t first = 0; /* position of update u's first element in the row of all */
    for (int u = 0; u < n; ++u) {
        int64_t begin = mine.begin > first ? mine.begin - first : 0;
        int64_t end = mine.end - first < updates[u].count ? mine.end - first : updates[u].count;
        if (begin < end)
            apply(optimizer, coefficients, &updates[u], updates[u].gradient + begin, begin, end, scales ? scales[u] : 1.0f);
        first += updates[u].count;
    }
}

void cc_optimizer_advance(cconv_optimizer *optimizer, const cc_update *updates, int n)
{
    ++optimizer->iterations;
    for (int u = 0; u < n; ++u) {
        cconv_variable_touch(updates[u].variable);
        for (int s = 0; s < CC_MAX_SLOTS; ++s) cconv_variable_touch(updates[u].slots[s]);
    }
}
