/* The contract of an update rule: elementwise, over ranges of a variable. optimizer.c does the rest (slots, clipping, threads). */
#ifndef CC_OPTIM_H
#define CC_OPTIM_H

#include "attributes.h"
#include "team.h"
#include "tensor.h"

#define CC_MAX_SLOTS 3
#define CC_MAX_COEFFICIENTS 12

/* Attributes every rule has, first in its struct and in its table (CC_OPTIM_COMMON). Values below zero mean "off". */
typedef struct cc_optim_common {
    float learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm;
} cc_optim_common;

typedef struct cc_rule {
    const char *name;
    const cc_attr *attributes; /* ends with {0} */
    size_t attributes_size;
    cconv_status (*check)(const void *attributes);                         /* ranges of the settings */
    int (*slots)(const void *attributes, const char *names[CC_MAX_SLOTS]); /* how many, and what they are called */
    /* Once per step: everything that does not depend on the element. iteration is 1 at the first step. */
    void (*prepare)(const void *attributes, int64_t iteration, float coefficients[CC_MAX_COEFFICIENTS]);
    /* w[i], slots[s][i] for i in 0 .. n-1 from g[i] * scale, clipped to +-limit (limit may be infinite). */
    void (*update)(const float coefficients[CC_MAX_COEFFICIENTS], float *w, const float *g, float *const *slots, float scale,
                   float limit, int64_t n);
} cc_rule;

/* ---- What the planner calls ---- */

typedef struct cc_update { /* one variable of one plan: filled at plan time */
    cconv_variable *variable;
    const float *gradient;
    int64_t count;
    float *slots[CC_MAX_SLOTS];
} cc_update;

/* Creates the slots of each update's variable and fills update->slots. */
cconv_status cc_optimizer_bind(cconv_optimizer *optimizer, cc_update *updates, int n);
/* Bytes of scratch that one step over these updates wants. */
size_t cc_optimizer_scratch(const cconv_optimizer *optimizer, const cc_update *updates, int n);
/* One step, entered by every thread of the team. The caller barriers afterwards, then calls cc_optimizer_advance once. */
void cc_optimizer_step(const cconv_optimizer *optimizer, const cc_update *updates, int n, void *scratch, const cc_team *team);
void cc_optimizer_advance(cconv_optimizer *optimizer);

#endif
