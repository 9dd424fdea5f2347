/* What all update rules share: their list, settings, and the slots of each variable. What a step does is in step.c, the
 * arithmetic of a rule in the file named after it. */
#include "optim/optimizer.h"
#include "base/alloc.h"
#include "base/map.h"
#include "base/status.h"
#include "base/writer.h"
#include <math.h>
#include <string.h>

static const cc_rule *const rules[] = {
#define CC_RULE(name) &cc_rule_##name,
#include "optim/optim.def"
#undef CC_RULE
};
enum { RULES = sizeof rules / sizeof *rules };

/* ---- Settings ----------------------------------------------------------------------------------------------------- */

/* Of every rule, behind its learning rate. */
static const cc_attr common_attributes[] = {
    {"weight_decay", CC_FLOAT, offsetof(cc_optim_common, weight_decay), "-1", NULL,
     "part of the weights, times the learning rate, that a step takes off them first; 0 or below: off"},
    {"clipnorm", CC_FLOAT, offsetof(cc_optim_common, clipnorm), "-1", NULL,
     "largest norm of a variable's gradient, which is scaled down to it; 0 or below: off"},
    {"clipvalue", CC_FLOAT, offsetof(cc_optim_common, clipvalue), "-1", NULL,
     "largest magnitude of a gradient's element; 0 or below: off"},
    {"global_clipnorm", CC_FLOAT, offsetof(cc_optim_common, global_clipnorm), "-1", NULL,
     "largest norm of all gradients together, which are scaled down to it; 0 or below: off"},
    {"loss_scale_factor", CC_FLOAT, offsetof(cc_optim_common, loss_scale_factor), "-1", NULL,
     "what the loss was multiplied by, and the gradients are divided by; 0 or below: off"},
    {"ema_momentum", CC_FLOAT, offsetof(cc_optim_common, ema_momentum), "-1", NULL,
     "part of the running average of the weights that a step keeps; below 0: no average"},
    {"ema_overwrite_frequency", CC_INT, offsetof(cc_optim_common, ema_overwrite_frequency), "0", NULL,
     "after every so many steps the average takes the place of the weights; 0: never"},
    {"gradient_accumulation_steps", CC_INT, offsetof(cc_optim_common, gradient_accumulation_steps), "1", NULL,
     "one change of the weights for so many steps, by the mean of their gradients"},
};
enum { COMMON = sizeof common_attributes / sizeof *common_attributes, MOST_OWN = 16 };

typedef struct settings_table {
    cc_attr rows[MOST_OWN + COMMON];
} settings_table;

/* All attributes of a rule: the learning rate, what every rule has, its own. */
static settings_table table_of(const cc_rule *rule)
{
    settings_table table = {.rows[0] = rule->attributes[0]};
    memcpy(table.rows + 1, common_attributes, sizeof common_attributes);
    for (int i = 1; i < MOST_OWN - 1 && rule->attributes[i].name; ++i) table.rows[COMMON + i] = rule->attributes[i];
    return table;
}

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
    if (!isfinite(common->loss_scale_factor))
        return cc_fail(CCONV_INVALID, "expected a finite loss_scale_factor, received %g", (double)common->loss_scale_factor);
    if (!(common->ema_momentum <= 1))
        return cc_fail(CCONV_INVALID, "expected ema_momentum of at most 1, received %g", (double)common->ema_momentum);
    if (common->ema_overwrite_frequency < 0 || common->gradient_accumulation_steps < 1)
        return cc_fail(
            CCONV_INVALID,
            "expected ema_overwrite_frequency of at least 0 and gradient_accumulation_steps of at least 1, received %d "
            "and %d",
            common->ema_overwrite_frequency, common->gradient_accumulation_steps);
    return CCONV_OK;
}

/* Reads and checks settings into `out`, which with `keep` holds those that stay. */
static cconv_status read_settings(const cc_rule *rule, const char *text, void *out, int keep)
{
    const settings_table table = table_of(rule);
    cconv_status status = cc_attributes_read(table.rows, text, out, keep);
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
    if (!rule) return CCONV_INVALID;
    const settings_table table = table_of(rule);
    return cc_attributes_describe(table.rows, i, attribute);
}

/* The rule's slots, then those of all rules: their names, how many, and where in their list. */
static int slot_names(const cc_rule *rule, const void *attributes, const char *names[CC_MAX_SLOTS], int *average,
                      int *accumulator)
{
    const cc_optim_common *common = attributes;
    int n = rule->slots(attributes, names);
    *average = *accumulator = -1;
    if (common->ema_momentum >= 0) names[ *average = n++] = "average";
    if (common->gradient_accumulation_steps > 1) names[ *accumulator = n++] = "gradient_accumulator";
    for (int s = n; s < CC_MAX_SLOTS; ++s) names[s] = NULL;
    return n;
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
    optimizer->n_slots =
        slot_names(rule, optimizer->attributes, optimizer->names, &optimizer->average, &optimizer->accumulator);
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
    cc_free(optimizer->members);
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
    int average = -1, accumulator = -1;
    int n_slots = status == CCONV_OK ? slot_names(rule, copy, names, &average, &accumulator) : 0;
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
        optimizer->average = average;
        optimizer->accumulator = accumulator;
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

/* Whether slot s is the rule's own. */
static bool is_own(const cconv_optimizer *optimizer, int s)
{
    return s != optimizer->average && s != optimizer->accumulator;
}

cc_shape cc_optimizer_slot_shape(const cconv_optimizer *optimizer, int s, const cc_shape *variable)
{
    cc_shape shape = *variable;
    if (is_own(optimizer, s) && optimizer->rule->slot_shape)
        shape.rank = optimizer->rule->slot_shape(s, variable->rank, variable->dim, shape.dim);
    return shape;
}

static cconv_variable *new_slot(const cconv_optimizer *optimizer, int s, cconv_variable *variable)
{
    const cc_rule *rule = optimizer->rule;
    const bool own = is_own(optimizer, s);
    const cc_shape shape = cc_optimizer_slot_shape(optimizer, s, &variable->shape);
    cconv_variable *made = cc_variable_of(&shape);
    float *values = made ? cconv_variable_data(made) : NULL;
    const bool copied = s == optimizer->average || (own && s == rule->copied - 1);
    if (made && copied) memcpy(values, cconv_variable_data(variable), made->count * sizeof *values);
    if (made && own && rule->initial) {
        const float initial = rule->initial(optimizer->attributes, s);
        for (size_t i = 0; i < made->count; ++i) values[i] = initial;
    }
    return made;
}

/* An entry for a variable that has none: all of its slots exist, or none of it. NULL without memory. */
static cc_optimizer_entry *new_entry(cconv_optimizer *optimizer, cconv_variable *variable, int n_slots)
{
    if (optimizer->n_entries == optimizer->capacity) {
        int capacity = optimizer->capacity ? 2 * optimizer->capacity : 16;
        cc_optimizer_entry *larger = cc_alloc((size_t)capacity * sizeof *larger);
        if (!larger) return NULL;
        if (optimizer->n_entries) memcpy(larger, optimizer->entries, (size_t)optimizer->n_entries * sizeof *larger);
        cc_free(optimizer->entries);
        optimizer->entries = larger;
        optimizer->capacity = capacity;
    }
    cc_optimizer_entry made = {0};
    for (int s = 0; s < n_slots; ++s) {
        made.slots[s] = new_slot(optimizer, s, variable);
        if (made.slots[s]) continue;
        while (s--) cconv_variable_free(made.slots[s]);
        return NULL;
    }
    if (!cc_map_put(&optimizer->numbers, variable, optimizer->n_entries + 1)) {
        for (int s = 0; s < n_slots; ++s) cconv_variable_free(made.slots[s]);
        return NULL;
    }
    made.variable = cconv_variable_retain(variable);
    optimizer->entries[optimizer->n_entries] = made;
    return &optimizer->entries[optimizer->n_entries++];
}

static cc_optimizer_entry *find_entry(cconv_optimizer *optimizer, cconv_variable *variable)
{
    const int number = cc_map_find(&optimizer->numbers, variable);
    return number ? &optimizer->entries[number - 1] : new_entry(optimizer, variable, optimizer->n_slots);
}

cconv_optimizer *cc_optimizer_of(cconv_optimizer *optimizer, const cconv_variable *variable, bool *known)
{
    int number = cc_map_find(&optimizer->numbers, variable);
    if (number && optimizer->entries[number - 1].delegate) {
        optimizer = optimizer->entries[number - 1].delegate;
        number = cc_map_find(&optimizer->numbers, variable);
    }
    *known = number > 0;
    return optimizer;
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
    cc_optimizer_entry *found = find_entry(optimizer, variable);
    return found ? found->slots[i] : NULL;
}

cconv_status cconv_optimizer_exclude_from_weight_decay(cconv_optimizer *optimizer, cconv_variable *variable)
{
    if (!optimizer || !variable)
        return cc_fail(CCONV_INVALID, "expected an optimizer and a variable to exclude from its weight decay, received NULL");
    cc_optimizer_entry *found = find_entry(optimizer, variable);
    if (!found) return CCONV_NO_MEMORY;
    found->undecayed = true;
    return CCONV_OK;
}

cconv_status cconv_optimizer_delegate(cconv_optimizer *optimizer, cconv_variable *variable, cconv_optimizer *to)
{
    if (!optimizer || !variable || !to || optimizer == to)
        return cc_fail(CCONV_INVALID, "expected an optimizer, a variable and another optimizer to delegate it to");
    if (to->n_members) return cc_fail(CCONV_INVALID, "expected an optimizer that delegates nothing itself");
    int known = 0;
    while (known < optimizer->n_members && optimizer->members[known] != to) ++known;
    if (known == optimizer->n_members) {
        cconv_optimizer **members = cc_alloc((size_t)(known + 1) * sizeof *members);
        if (!members) return CCONV_NO_MEMORY;
        if (known) memcpy(members, optimizer->members, (size_t)known * sizeof *members);
        members[known] = to;
        cc_free(optimizer->members);
        optimizer->members = members;
        ++optimizer->n_members;
    }
    const int number = cc_map_find(&optimizer->numbers, variable);
    cc_optimizer_entry *found = number ? &optimizer->entries[number - 1] : new_entry(optimizer, variable, 0);
    if (!found) return CCONV_NO_MEMORY;
    found->delegate = to;
    return CCONV_OK;
}

cconv_status cc_optimizer_bind(cconv_optimizer *optimizer, cc_update *updates, int n)
{
    for (int u = 0; u < n; ++u) {
        cc_optimizer_entry *found = find_entry(optimizer, updates[u].variable);
        if (!found) return CCONV_NO_MEMORY;
        updates[u].optimizer = optimizer;
        if (found->delegate) {
            CC_TRY(cc_optimizer_bind(found->delegate, updates + u, 1));
            continue;
        }
        updates[u].undecayed = found->undecayed;
        memcpy(updates[u].slots, found->slots, sizeof found->slots);
    }
    return CCONV_OK;
}
