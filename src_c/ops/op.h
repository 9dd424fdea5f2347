/* The op contract: one const table of functions per op, one file per op, one line in ops.def.
 *
 *   infer     checks attributes and input shapes, gives the output's shape. The only place that knows the op's shape rule.
 *             Sizes may be CC_UNKNOWN there; it fails on what can be known to be wrong, and passes the unknown on.
 *   need      says how many bytes of each kind of memory the op wants, and what its backward pass reads.
 *   pack      writes `packed`, the weights rearranged for forward, where need() asked for it. A step of its own: the plan
 *             leaves it out while the weights are what they were.
 *   packing   writes whatever pack depends on besides the weights' shape and numbers: plans share what is packed alike. NULL:
 *             nothing.
 *   forward   computes y from x.
 *   backward  computes every dx[i] that is not NULL from dy (and what need() said it reads). NULL: no gradient passes.
 *   recompute computes y anew from `saved` and the inputs in need.recompute, bit for bit, between forward and backward: then y
 *             need not be kept for the backward passes that read it. For ops that cost little more than reading y. Usually NULL.
 *   forward_rows  computes some rows of one sample's y, the same bits as forward, from the rows of x[0] that rows_read names, by
 *             one thread and without scratch, where need.row_work is not 0 (plan/row_blocks.c). Usually NULL.
 *   refuse    fails with a sentence about an element that forward has reported to call->fault: the run ends there, before it has
 *             changed anything. NULL: there is nothing that forward cannot compute with.
 *   update    changes variables among the inputs after the backward pass (moving averages); reads those and `saved` only.
 *             Called in training, also when nothing is differentiated, if all inputs in `updates` are variables: what a caller
 *             feeds is never written. Usually NULL.
 *
 * pack, forward, backward, recompute and update are entered by every thread of the team; a barrier follows each. They write
 * each element of their result exactly once (backward writes dx, it never adds: the planner adds when a value has several
 * readers). They never read a destination, allocate, print or fail. Their results do not depend on team->nth.
 * Every size is known and every count is at least 0 there; with a size of 0 there is nothing to do. */
#ifndef CC_OP_H
#define CC_OP_H

#include "base/attributes.h"
#include "base/status.h"
#include "base/writer.h"
#include "base/team.h"
#include "base/shape.h"
#include <stdbool.h>

typedef struct cc_op cc_op;

/* Takes a gradient that is never whole: elements first .. first+count-1, in any order, each once, from any thread. */
typedef struct cc_sink {
    void (*take)(const struct cc_sink *sink, const float *gradient, int64_t first, int64_t count);
} cc_sink;

/* Where the forward passes of a run report what they cannot compute with. */
typedef struct cc_fault {
    _Atomic int64_t element; /* the first that was reported; CC_NO_FAULT: none was */
} cc_fault;
#define CC_NO_FAULT INT64_MAX

/* What an op is asked to do: made once by the planner, shapes renewed when the batch changes. */
typedef struct cc_call {
    const cc_op *op;
    const char *name;       /* the node's name, for errors */
    int draw;               /* its number among the graph's random ops, from 1 */
    const void *attributes; /* the op's attribute struct */

    int n_inputs;       /* as declared; an absent optional one has xs[i].rank -1 and x[i] NULL */
    const cc_shape *xs; /* shapes of the inputs */
    cc_shape ys;        /* shape of the output */

    bool training, tune;        /* plan options */
    bool unchecked;             /* plan option no_nonfinite_check */
    bool differentiate;         /* backward will be called: keep what it needs in `saved` */
    bool own_dy;                /* nobody reads dy but this op's backward, which may write over it */
    int choice;                 /* need.choice */
    const bool *needs_gradient; /* needs_gradient[i]: dx[i] will be asked for */

    const float **x; /* inputs; those of type int32 are read by cc_ints */
    float *y;        /* output (int32: cc_ints_out). May be x[0] itself if the op says CC_INPLACE */
    int64_t pitch;   /* need.pitched: elements of y from one row of its last axis to the next; 0: as many as that axis has */
    const float *dy; /* gradient of the output (backward) */
    float **dx;      /* gradients of the inputs (backward); NULL entries are not wanted */
    /* not NULL (CC_BY_ROWS): the gradient of the weights goes here, their dx is NULL. What is taken may change them */
    const cc_sink *sink;

    void *saved;   /* need.saved bytes: written by forward, read by backward */
    void *scratch; /* need.forward_scratch or need.backward_scratch bytes, contents undefined at entry */
    void *packed;  /* need.packed bytes, written by pack and read by forward */

    uint64_t seed, step; /* of this run */
    cc_fault *fault;     /* written by cc_report */
} cc_call;

/* Says that forward cannot compute with an element of an input (any number that `refuse` understands); y may be left as it is.
 * Of several the lowest is kept, whichever threads report them. */
static inline void cc_report(const cc_call *call, int64_t element)
{
    int64_t lowest = atomic_load_explicit(&call->fault->element, memory_order_relaxed);
    while (element < lowest && !atomic_compare_exchange_weak(&call->fault->element, &lowest, element)) continue;
}

/* Rows row .. row+rows-1 (indices on axis 1) of one sample of a value. */
typedef struct cc_row_block {
    int64_t sample, row, rows;
} cc_row_block;

typedef struct cc_need {
    uint64_t saved, forward_scratch, backward_scratch, packed; /* bytes, aligned to 64 by the planner; 0 by default */
    uint64_t reads;       /* what backward reads: CC_READS_X(i), CC_READS_Y. Starts as the op's own `reads` */
    uint64_t recompute;   /* what the op's `recompute` reads, as CC_READS_X(i); 0: it cannot do this call */
    bool rereads_weights; /* with `packed`: forward reads the weights themselves, too */
    bool pitched;         /* forward can write y as the part of a wider value, see pitch */
    /* The inputs are parts of y's last axis, one after the other; forward leaves alone what lies in its place already. */
    bool parts;
    int inplace;     /* k: y may be x[k - 1], which no other input may share; starts as 1 with CC_INPLACE, else 0: no input */
    int choice;      /* what need() decided, such as an algorithm's number; it comes back as call->choice */
    double row_work; /* multiply-adds of a row of y; 0: forward_rows cannot do this call */
    char algorithm[40]; /* its name for plan descriptions; empty: there is only one */
} cc_need;

#define CC_READS_X(i)  ((uint64_t)1 << (i)) /* input i, i < 62 */
#define CC_READS_ALL_X (((uint64_t)1 << 62) - 1)
#define CC_READS_Y     ((uint64_t)1 << 63)

/* Whether a set of inputs holds input k. Those from 61 on share a bit. */
static inline bool cc_reads(uint64_t set, int k)
{
    return (set & CC_READS_X(k < 61 ? k : 61)) != 0;
}

enum {
    CC_INPLACE = 1,          /* y may be x[0]: same element count, each element read before it is written, by the same thread */
    CC_INPLACE_BACKWARD = 2, /* dx[0] may be dy, likewise, and is written when no other dx needs dy any more */
    CC_RANDOM = 4,           /* y depends on the run's seed and step */
    /* backward can hand on the gradient of the weights a few rows at a time, when nothing reads them any more */
    CC_BY_ROWS = 16,
    CC_VIEW = 8,        /* y is x[0] and dx[0] is dy: where they share memory there is nothing to do */
    CC_ELEMENTWISE = 32 /* an element of y depends on those of the inputs at its index only, which broadcast by NumPy's
                                rule, and not on where that index lies */
};

struct cc_op {
    const char *name;          /* also the tag in C, Python, tests and docs */
    const char *inputs;        /* "x w b?": a name each; ? may be absent; a last "x*" is one or more */
    const char *types;         /* of the elements of inputs and output, as cconv_op_types says; NULL: "f -> f" */
    const char *meaning;       /* of the inputs, for who adds the node; NULL: their names tell */
    const cc_attr *attributes; /* ends with {0}; NULL: none */
    size_t attributes_size;
    int flags;
    uint64_t reads;
    uint64_t updates; /* the inputs that update writes, as CC_READS_X(i) */
    /* Numbers of the inputs that x is multiplied with, that is added to each channel of the output, and that is added before the
     * activation; 0: there is none. pack and CC_BY_ROWS are about the weights. The activations that it can compute are the choices
     * of its attribute `activation`. */
    int weights, bias, residual;
    /* Whether sample i of y (index i on axis 0) depends on sample i of the batched inputs only; see cc_op_per_sample. NULL: never,
     * unless elementwise. */
    bool (*per_sample)(const cc_call *call);
    /* uses op, name, attributes, n_inputs, xs only; ys->type need not be set */
    cconv_status (*infer)(const cc_call *call, cc_shape *ys);
    void (*need)(const cc_call *call, int nth, cc_need *need); /* may be NULL. Pointers in call are not set yet */
    void (*pack)(const cc_call *call, const cc_team *team);    /* NULL: need.packed stays 0 */
    void (*packing)(const cc_call *call, cc_writer *w);
    void (*forward)(const cc_call *call, const cc_team *team);
    void (*backward)(const cc_call *call, const cc_team *team);
    void (*recompute)(const cc_call *call, const cc_team *team);
    /* y and x begin at the first row of the blocks. rows_read: at least one row, and no more for fewer rows of y. */
    void (*forward_rows)(const cc_call *call, const cc_row_block *block, float *y, const float *x);
    cc_row_block (*rows_read)(const cc_call *call, const cc_row_block *block);
    void (*update)(const cc_call *call, const cc_team *team);
    cconv_status (*refuse)(const cc_call *call, int64_t element);
    int refused; /* the input whose elements forward reports */
};

/* Fails with the node in front: "conv1 (conv): expected ..., received ...". */
cconv_status cc_op_fail(const cc_call *call, cconv_status status, const char *format, ...) CC_PRINTF(3, 4);

/* Checks the types of the inputs, infers the shape of the output, and gives it its type. Every infer is called through this. */
cconv_status cc_op_infer(const cc_call *call, cc_shape *ys);

/* The elements of an int32 input or output. */
static inline const int32_t *cc_ints(const float *x)
{
    return (const int32_t *)(const void *)x;
}

static inline int32_t *cc_ints_out(float *y)
{
    return (int32_t *)(void *)y;
}

/* Fails unless input i has this rank: "expected x of rank 4 (n, h, w, c), received shape (None, 10)". letters may be NULL. */
cconv_status cc_op_check_rank(const cc_call *call, int i, int rank, const char *letters);

/* Whether an optional input was given. */
static inline bool cc_has_input(const cc_call *call, int k)
{
    return call->n_inputs > k && call->xs[k].rank >= 0;
}

/* Two sizes agree if they are equal or one is unknown. */
static inline bool cc_agree(int64_t a, int64_t b)
{
    return a == b || a < 0 || b < 0;
}

/* Each op: one is told from another by where its record lies, never by its name. */
#define CC_OP(name) extern const cc_op cc_op_##name;
#include "ops/ops.def"
#undef CC_OP

/* The op of that name, or NULL; all ops in the order of ops.def. */
const cc_op *cc_op_find(const char *name);
const cc_op *cc_op_at(int i);

/* An input fed a batch at a time, or a value computed from one: its first size is unknown in a graph. */
static inline bool cc_is_batched(const cc_shape *shape)
{
    return shape->rank > 0 && shape->dim[0] == CC_UNKNOWN;
}

/* Whether a call of a graph works on each sample by itself. Uses what infer uses, and ys. */
bool cc_op_per_sample(const cc_call *call);

/* The rule of ops of which only x (and the residual) may be batched: each sample of it gives one of y. */
bool cc_per_sample_x(const cc_call *call);

/* Fills a call's n_inputs check: the number of inputs fits op->inputs and required ones are present. */
cconv_status cc_op_check_inputs(const cc_call *call);

#endif
