/* What an optimizer is made of, for those who step and who save it. */
#ifndef CC_OPTIMIZER_H
#define CC_OPTIMIZER_H

#include "optim/optim.h"
#include "base/map.h"
#include "base/variable.h"

typedef struct cc_optimizer_entry { /* the slots of one variable */
    cconv_variable *variable;
    cconv_variable *slots[CC_MAX_SLOTS];
    bool undecayed;
    cconv_optimizer *delegate; /* who changes it instead; then there are no slots here */
} cc_optimizer_entry;

struct cconv_optimizer {
    const cc_rule *rule;
    void *attributes; /* rule->attributes_size bytes, starting with a cc_optim_common */
    int n_slots;
    const char *names[CC_MAX_SLOTS];
    int average, accumulator; /* which slots they are; -1: none */
    int64_t iterations;       /* steps made */
    cc_optimizer_entry *entries;
    int n_entries, capacity;
    cc_map numbers;            /* of each variable's entry, from 1 */
    cconv_optimizer **members; /* all to whom variables are delegated */
    int n_members;
};

/* Who changes a variable: the optimizer itself, or the one that it has delegated it to. *known: it has slots for it. */
cconv_optimizer *cc_optimizer_of(cconv_optimizer *optimizer, const cconv_variable *variable, bool *known);

/* The shape that slot s of a variable has, or would have. */
cc_shape cc_optimizer_slot_shape(const cconv_optimizer *optimizer, int s, const cc_shape *variable);

#endif
