/* The contract of an update rule: elementwise, over ranges of a variable, or of a whole variable at a time. optimizer.c and
 * step.c do the rest (slots, accumulation, clipping, weight decay, averages, threads). A new rule is one file with its table, and
 * one line in optim.def. */
#ifndef CC_OPTIM_H
#define CC_OPTIM_H

#include "base/attributes.h"
#include "base/team.h"
#include "base/shape.h"

#define CC_MAX_SLOTS        5 /* of a rule three at most: the average and the accumulator of gradients come behind them */
#define CC_MAX_COEFFICIENTS 12

/* Attributes every rule has, first in its struct. Except for the learning rate, a value of zero or below means "off", and at most
 * one of the three ways to clip is on. A rule's table begins with its learning rate; the others stand in optimizer.c, once. */
typedef struct cc_optim_common {
    float learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, loss_scale_factor, ema_momentum;
    int ema_overwrite_frequency, gradient_accumulation_steps;
} cc_optim_common;

#define CC_OPTIM_RATE(rate)                                                                                                    \
    {                                                                                                                          \
        "learning_rate", CC_FLOAT, offsetof(cc_optim_common, learning_rate), rate, NULL, "size of a step"                      \
    }

typedef struct cc_whole { /* one variable, for a rule that must see all of it at once */
    int rank;
    int64_t dim[CCONV_MAX_RANK], count;
    float *w, *const *slots, *scratch;
    const float *g; /* to be seen through cc_optim_clipped */
    float scale, limit;
} cc_whole;

typedef struct cc_rule {
    const char *name;
    const cc_attr *attributes; /* CC_OPTIM_RATE, its own, {0} */
    size_t attributes_size;
    cconv_status (*check)(const void *attributes);                         /* ranges of the settings */
    int (*slots)(const void *attributes, const char *names[CC_MAX_SLOTS]); /* how many, and what they are called */
    /* Once per step: everything that does not depend on the element. iteration is 1 at the first step. */
    void (*prepare)(const void *attributes, int64_t iteration, float coefficients[CC_MAX_COEFFICIENTS]);
    /* w[i], slots[s][i] for i in 0 .. n-1 from g[i] * scale, clipped to +-limit (limit may be infinite). */
    void (*update)(const float coefficients[CC_MAX_COEFFICIENTS], float *w, const float *g, float *const *slots, float scale,
                   float limit, int64_t n);
    /* In place of update: a whole variable, by one thread. */
    void (*whole)(const float coefficients[CC_MAX_COEFFICIENTS], const cc_whole *variable);
    /* NULL unless said otherwise: floats of scratch that whole wants; what a slot is filled with (NULL: 0); a slot's shape (NULL:
     * the variable's), of which the rank is returned. */
    int64_t (*scratch)(int rank, const int64_t *dim);
    float (*initial)(const void *attributes, int slot);
    int (*slot_shape)(int slot, int rank, const int64_t *dim, int64_t *slot_dim);
    int copied; /* the slot, from 1, that begins as the variable is; 0: none */
} cc_rule;

#define CC_RULE(name) extern const cc_rule cc_rule_##name;
#include "optim/optim.def"
#undef CC_RULE

/* For the rules' check: fails unless low <= value <= high (value < high where `below`), and value is finite. */
cconv_status cc_optim_check(const char *setting, float value, float low, float high, bool below);

/* The decimal number somebody wrote who got this float, if it had at most seven places. 1 - 0.999 differs from 1 - 0.999f by
 * 13 parts in a million, and decay rates near 1 are used in just that way. */
double cc_optim_decimal(float value);

/* A gradient element as the rule sees it. The comparisons let a NaN through. */
static inline float cc_optim_clipped(float g, float scale, float limit)
{
    float scaled = g * scale;
    float above = scaled < -limit ? -limit : scaled;
    return above > limit ? limit : above;
}

/* ---- What the planner calls ---- */

typedef struct cc_update { /* one variable of one plan: filled at plan time */
    cconv_variable *variable;
    const float *gradient;
    int64_t count;
    cconv_variable *slots[CC_MAX_SLOTS]; /* NULL: it has no such slot */
    bool undecayed;                      /* weight_decay does not concern it */
    const cconv_optimizer *optimizer;    /* the one asked, or another to which it has delegated the variable */
} cc_update;

/* What of the gradients a step must see before it may change anything. */
typedef enum cc_clipping {
    CC_CLIPS_NONE, /* an element: it does not clip by norm */
    CC_CLIPS_EACH, /* a variable's gradient: clipnorm */
    CC_CLIPS_ALL   /* all of them: global_clipnorm */
} cc_clipping;
cc_clipping cc_optimizer_clipping(const cconv_optimizer *optimizer);

/* Creates the slots of each update's variable and fills update->slots. */
cconv_status cc_optimizer_bind(cconv_optimizer *optimizer, cc_update *updates, int n);
/* Bytes of scratch that one step over these updates wants. */
size_t cc_optimizer_scratch(const cconv_optimizer *optimizer, const cc_update *updates, int n);
/* One step for these updates, entered by every thread of the team. The caller barriers afterwards, and when the updates of all
 * variables are made calls cc_optimizer_advance once. */
void cc_optimizer_step(const cconv_optimizer *optimizer, const cc_update *updates, int n, void *scratch, const cc_team *team);
/* The same for elements first .. first+count-1 of one variable, given only their gradient, by one thread; without clipping by
 * norm. */
void cc_optimizer_apply(const cconv_optimizer *optimizer, const cc_update *update, const float *gradient, int64_t first,
                        int64_t count);
/* The step is over: what it changed gets a new version. After every thread has written. */
void cc_optimizer_advance(cconv_optimizer *optimizer, const cc_update *updates, int n);

#endif
