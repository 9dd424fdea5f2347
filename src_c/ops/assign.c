/* assign: variable, x of its shape -> y = x; and at the end of the run, variable = x.
 *
 * Where the first input is no variable, or the plan does not train, y is all there is. What reads y reads the variable, so
 * that y's gradient is the variable's: an optimizer that trains it changes the value assigned. None flows to x, which the variable
 * only remembers. */
#include "ops/infer.h"
#include "ops/op.h"
#include <string.h>

enum { ASSIGN_VARIABLE, ASSIGN_X };

static cconv_status assign_infer(const cc_call *call, cc_shape *ys)
{
    const cc_shape *to = &call->xs[ASSIGN_VARIABLE], *x = &call->xs[ASSIGN_X];
    char text[2][CC_SHAPE_TEXT];
    bool same = to->rank == x->rank;
    *ys = *to;
    for (int k = 0; same && k < x->rank; ++k) {
        same = to->dim[k] == x->dim[k] || to->dim[k] == CC_UNKNOWN || x->dim[k] == CC_UNKNOWN; /* the plan will tell */
        if (to->dim[k] == CC_UNKNOWN) ys->dim[k] = x->dim[k];
    }
    if (!same)
        return cc_op_fail(call, CCONV_INVALID, "expected x of the variable's shape %s, received shape %s",
                          cc_shape_text(to, text[0]), cc_shape_text(x, text[1]));
    return CCONV_OK;
}

static void assign_need(const cc_call *call, int nth, cc_need *need)
{
    (void)nth;
    if (call->training) need->saved = cc_shape_bytes(&call->ys); /* update may not read x, which may be gone by then */
}

static void assign_forward(const cc_call *call, const cc_team *team)
{
    const int64_t count = cc_shape_count(&call->ys);
    cc_copy(call->y, call->x[ASSIGN_X], count, team);
    if (call->training) cc_copy(call->saved, call->x[ASSIGN_X], count, team);
}

static void assign_update(const cc_call *call, const cc_team *team)
{
    cc_copy((float *)(uintptr_t)call->x[ASSIGN_VARIABLE], call->saved, cc_shape_count(&call->ys), team);
}

static void assign_backward(const cc_call *call, const cc_team *team)
{
    const int64_t count = cc_shape_count(&call->ys);
    const cc_range range = cc_slice(team, count, 4096);
    float *dvariable = call->dx[ASSIGN_VARIABLE], *dx = call->dx[ASSIGN_X];
    if (dvariable) cc_copy(dvariable, call->dy, count, team);
    if (dx) memset(dx + range.begin, 0, (size_t)(range.end - range.begin) * sizeof *dx);
}

/* Not where the first input is a variable, whose shape is known: a batch in parts would assign it several times. */
static bool assign_per_sample(const cc_call *call)
{
    return cc_is_batched(&call->xs[ASSIGN_VARIABLE]);
}

const cc_op cc_op_assign = {.name = "assign",
                            .inputs = "variable x",
                            .meaning = "variable: what is assigned, after the run; x: its new value, of the same shape",
                            .updates = CC_READS_X(ASSIGN_VARIABLE),
                            .per_sample = assign_per_sample,
                            .infer = assign_infer,
                            .need = assign_need,
                            .forward = assign_forward,
                            .backward = assign_backward,
                            .update = assign_update};
