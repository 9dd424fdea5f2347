/* What a plan is made of. plan.c makes it, constants.c finds what need not be done in every run, steps.c puts its work in
 * order, row_blocks.c joins some of it, parts.c finds values that are parts of others, memory.c lays out its arena, run.c walks
 * its steps, pace.c chooses one thread or a team. */
#ifndef CC_PLAN_H
#define CC_PLAN_H

#include "graph/graph.h"
#include "optim/optim.h"
#include "plan/pace.h"
#include "graph/rewrite/rewrite.h"
#include "plan/derived.h"
#include <stdatomic.h>

typedef enum cc_step_kind {
    CC_PACK,       /* the weights of a node, rearranged for its forward step, which follows */
    CC_FORWARD,    /* y of a node */
    CC_SEED,       /* the root's own gradient */
    CC_RECOMPUTE,  /* y of a node once more, just before the first backward step that reads it: it was not kept */
    CC_BACKWARD,   /* dx of a node */
    CC_ACCUMULATE, /* a value read by several nodes: adds one more reader's share to its gradient */
    CC_UPDATE,     /* a node's update hook */
    CC_OPTIMIZE    /* the optimizer's step for some variables */
} cc_step_kind;

typedef struct cc_step {
    cc_step_kind kind;
    int node;
    int input;        /* CC_ACCUMULATE: the share is dx[input] of node */
    bool constant;    /* its result changes with variables only: left out of a run while they are what they were */
    bool due;         /* this run does a constant step all the same, */
    bool mine;        /* if no other run has done so meanwhile: of what plans share */
    uint64_t version; /* of what it read when it was last done, see constants.c; 0: not yet */
    int first, count; /* CC_OPTIMIZE: updates first .. first+count-1 */
    void *scratch;    /* CC_OPTIMIZE: the optimizer's */
    int begin, end;   /* steps that are done together by blocks of rows, of which it is one (row_blocks.c); else itself */
    int64_t rows;     /* of a block of the last one's value, at most */
} cc_step;

typedef struct cc_value {   /* one for each node of the graph */
    cc_shape shape;         /* for the current batch */
    int64_t capacity;       /* elements for the largest batch */
    size_t bytes;           /* of these */
    size_t block_bytes;     /* of a block; 0: the value is there as a whole */
    int readers;            /* inputs of computed nodes that are this value */
    bool joined;            /* it is made by blocks of rows together with the one before */
    int whole;              /* the node of whose value it is a part, */
    int64_t part;           /* so many elements behind its first; 0: it has bytes of its own */
    bool output, wrt;       /* it is among the plan's */
    bool needed;            /* the plan computes it or differentiates through it */
    bool forward;           /* its value is computed (or, of an input, read) */
    bool requires_gradient; /* its gradient is computed */
    bool read_backward;     /* a backward pass reads its value */
    bool recompute;         /* its value is not kept for backward passes, but computed anew */
    bool constant;          /* its value depends on variables and constants only, and no gradient is wanted */
    bool lasting;           /* constant, and read by steps that are not: no other value may ever use its bytes */
    cc_derived *derived;    /* where a lasting value is if plans share it; else NULL */
    cc_derived *packed;     /* the same of the node's packed weights */
    bool reread;            /* a constant step of this run reads it */
    uint64_t version;       /* of a constant: that of the step which computed it */
    float *data;
    float *gradient; /* NULL: none */
    int applied;     /* the CC_OPTIMIZE step behind which nothing reads its gradient; 0: it is kept, or no variable's */
    cc_need need;
    cc_call call;         /* of CC_COMPUTED nodes: for forward and update */
    cc_call backward;     /* the same with the scratch of backward, and values that were computed anew; also for recompute */
    bool *needs_gradient; /* call.needs_gradient, writable */
} cc_value;

typedef struct cc_slot { /* an op's pointer to a value that may lie in the caller's memory, set anew by every run */
    const float **x;
    int node;
} cc_slot;

typedef struct cc_applied { /* takes a variable's gradient by rows */
    cc_sink sink;
    const cconv_optimizer *optimizer;
    cc_update update;
} cc_applied;

/* Only who finds a plan idle may use it; only while it is used can it be cancelled. */
typedef enum cc_plan_state { CC_PLAN_IDLE, CC_PLAN_BUSY, CC_PLAN_CANCELLED } cc_plan_state;

struct cconv_plan {
    cconv_graph *graph;     /* what is computed: the caller's graph, rewritten */
    cconv_graph *own_graph; /* the same if the plan must free it */
    int *numbers;           /* numbers[i]: the node here of the caller's node i; NULL: the same */
    int nodes;              /* of the caller's graph */
    cconv_optimizer *optimizer;
    int threads;
    bool training, tune, unchecked, no_update;
    bool keeps_gradients; /* those of wrt are there after a run */
    int64_t max_batch, n;
    int root;
    cc_value *values;       /* values[i] is node i's; values[0] is unused */
    int *inputs;            /* the graph's input nodes */
    cc_shape *input_shapes; /* their sizes for the largest batch */
    float **input_memory;   /* where each is gathered to; NULL: nothing reads it */
    int n_outputs, *outputs, n_wrt, *wrt;
    float *
        *output_memory; /* where each lies if it is not computed in the caller's memory; NULL: it never is, only copied there */
    cc_step *steps;
    int n_steps, first_update; /* from first_update on the run changes variables, and can no longer be interrupted */
    cc_slot *slots;
    int n_slots;
    cc_update *updates;
    int *update_nodes; /* the variable's node of each */
    int n_updates;
    bool early;           /* they are made within the backward pass, and the memory of their gradients used again */
    cc_clipping clipping; /* the most that the optimizer may do in this plan */
    cc_applied *applied;  /* applied[u]: used if the gradient of update u goes to the optimizer by rows */
    char *arena;
    size_t arena_bytes, derived_bytes; /* of its own, and of what plans share */
    /* seconds of all timed runs: of each step, [n_steps]: gathering, [n_steps + 1]: outputs, behind them describe.c's sums; NULL:
     * not timed */
    double *times;
    int64_t timed_runs;
    cc_pace pace;     /* of runs in a crowd */
    void *tables[20]; /* memory of the arrays above and of the calls' own */
    int n_tables;
    atomic_int state; /* a cc_plan_state */
    cc_fault fault;   /* of the run */
};

/* Takes the plan for the thread that calls, or fails with CCONV_BUSY; and gives it back. */
cconv_status cc_plan_take(cconv_plan *plan);
void cc_plan_give_back(cconv_plan *plan);

/* Renews every shape for a batch of n. Fails if a shape breaks a rule, or (n below max_batch) needs more memory than was
 * planned. */
cconv_status cc_plan_shapes(cconv_plan *plan, int64_t n);

/* Lists the variables that the optimizer changes, and decides when it does. After cc_requires_gradient. */
cconv_status cc_plan_updates(cconv_plan *plan);

/* Marks the values that depend on variables only. */
void cc_plan_constants(cconv_plan *plan);

/* Whether node i's weights, rearranged, are right as long as their variables are: no run of this plan changes them. */
bool cc_plan_packs_once(const cconv_plan *plan, int i);

/* Finds, or makes, the places of what plans share: large values that last, and packed weights. Before they are laid out. */
cconv_status cc_plan_derive(cconv_plan *plan);
void cc_plan_derive_no_more(cconv_plan *plan);

/* Where the result of a step lies if plans share it, else NULL. */
static inline cc_derived *cc_plan_derived(const cconv_plan *plan, const cc_step *step)
{
    if (!step->constant) return NULL;
    return step->kind == CC_PACK ? plan->values[step->node].packed : plan->values[step->node].derived;
}

/* Decides which constant steps this run must do; or, after a run that was broken off, that the next one does those from `first`
 * on. What was done before is right: runs that are cancelled again and again still come to an end of it. */
void cc_plan_due(cconv_plan *plan);
void cc_plan_forget(cconv_plan *plan, int first);

/* Puts the work in order. */
cconv_status cc_plan_steps(cconv_plan *plan);

/* Decides which steps are done together by blocks of rows, and puts them side by side. */
cconv_status cc_plan_row_blocks(cconv_plan *plan);

/* Does them: steps t .. plan->steps[t].end. */
void cc_plan_run_row_blocks(const cconv_plan *plan, int t, const cc_team *team);

/* Decides which values are written where the value that they are joined to lies. */
void cc_plan_parts(cconv_plan *plan);

/* Gives every value, gradient, saved and scratch area its place, from the steps. */
cconv_status cc_plan_memory(cconv_plan *plan);

/* Zeroed memory that lives as long as the plan, NULL if there is none. */
void *cc_plan_table(cconv_plan *plan, size_t count, size_t size);

/* The node here of the caller's node, 0 for none. */
static inline int cc_plan_number(const cconv_plan *plan, int node)
{
    if (node < 1 || node > plan->nodes) return 0;
    return plan->numbers ? plan->numbers[node] : node;
}

/* Whether node i's backward step reads its input k. */
static inline bool cc_plan_backward_reads(const cconv_plan *plan, int i, int k)
{
    return plan->values[i].call.differentiate && cc_reads(plan->values[i].need.reads, k);
}

#endif
