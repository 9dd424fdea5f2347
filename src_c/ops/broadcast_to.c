/* broadcast_to: x -> y of the given shape, x repeated by NumPy's rule; a size of -1 stays as x has it, one of -2 - k is that of
 * axis k of `like`, of which nothing else is asked. dx is the sum of dy over the repetitions; to `like` no gradient passes. */
#include "algos/broadcast.h"
#include "algos/reduce.h"
#include "ops/infer.h"
#include <string.h>

typedef struct broadcast_to {
    cc_list shape;
} broadcast_to;

static const cc_attr broadcast_to_attributes[] = {
    {"shape", CC_LIST, offsetof(broadcast_to, shape), NULL, NULL,
     "sizes of the output; -1: the size that x has there, -2 - k: the size of axis k of like"},
    {0}};

/* The size that entry k says, of x or of `like`; below CC_UNKNOWN: there is none. */
static int64_t broadcast_to_size(const cc_call *call, const cc_list *to, int k)
{
    const cc_shape *xs = &call->xs[0];
    const int64_t own = k - (to->n - xs->rank), of_like = -2 - to->v[k];
    if (to->v[k] >= 0) return to->v[k];
    if (to->v[k] == -1) return own >= 0 ? xs->dim[own] : CC_UNKNOWN - 1;
    return cc_has_input(call, 1) && of_like < call->xs[1].rank ? call->xs[1].dim[of_like] : CC_UNKNOWN - 1;
}

static cconv_status broadcast_to_infer(const cc_call *call, cc_shape *ys)
{
    const cc_list *to = &((const broadcast_to *)call->attributes)->shape;
    const cc_shape *xs = &call->xs[0];
    char text[3][CC_SHAPE_TEXT];
    if (to->n > CCONV_MAX_RANK)
        return cc_op_fail(call, CCONV_INVALID, "expected a shape of rank %d or less, received rank %d", CCONV_MAX_RANK, to->n);
    *ys = (cc_shape){.rank = to->n};
    bool fits = to->n >= xs->rank;
    for (int k = 0; k < to->n; ++k) {
        int own = k - (to->n - xs->rank);
        int64_t from = own < 0 ? 1 : xs->dim[own];
        ys->dim[k] = broadcast_to_size(call, to, k);
        if (ys->dim[k] < CC_UNKNOWN) fits = false;
        if (from != 1 && !cc_agree(from, ys->dim[k])) fits = false;
    }
    if (fits && cc_shape_known(ys) && !cc_shape_check(ys)) fits = false;
    if (!fits) {
        cc_shape given = {.rank = to->n};
        for (int k = 0; k < to->n; ++k) given.dim[k] = to->v[k];
        const bool like = cc_has_input(call, 1);
        return cc_op_fail(call, CCONV_INVALID, "expected a shape that x can be repeated to, received %s for x of shape %s%s%s",
                          cc_shape_text(&given, text[0]), cc_shape_text(xs, text[1]), like ? ", like one of shape " : "",
                          like ? cc_shape_text(&call->xs[1], text[2]) : "");
    }
    return CCONV_OK;
}

static void broadcast_to_need(const cc_call *call, int nth, cc_need *need)
{
    (void)nth;
    cc_reduction reduction;
    cc_reduction_init(&reduction, &call->ys, cc_broadcast_repeated(&call->xs[0], &call->ys));
    need->backward_scratch = cc_reduction_scratch(&reduction);
}

static void broadcast_to_forward(const cc_call *call, const cc_team *team)
{
    cc_broadcast shape;
    cc_broadcast_init(&shape, &call->ys, 1, call->xs);
    bool moves = cc_broadcast_moves(&shape, 0);
    cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 2048);
    for (cc_walk walk = cc_walk_begin(&shape, mine); walk.run > 0; cc_walk_next(&walk)) {
        const float *x = call->x[0] + walk.offset[0];
        float *y = call->y + walk.position;
        if (moves)
            memcpy(y, x, (size_t)walk.run * sizeof *y);
        else
            for (int64_t i = 0; i < walk.run; ++i) y[i] = *x;
    }
}

static void broadcast_to_backward(const cc_call *call, const cc_team *team)
{
    cc_no_gradient(call, 1, team);
    if (!call->dx[0]) return;
    cc_reduction reduction;
    cc_reduction_init(&reduction, &call->ys, cc_broadcast_repeated(&call->xs[0], &call->ys));
    cc_reduce(&reduction, CC_FOLD_SUM, cc_terms_stored, call->dy, 1, call->dx[0], NULL, call->scratch, team);
}

/* The first size is the batch's: of x, or of `like` where each sample gets the same. */
static bool broadcast_to_per_sample(const cc_call *call)
{
    const cc_list *to = &((const broadcast_to *)call->attributes)->shape;
    const cc_shape *xs = &call->xs[0];
    if (to->n && to->v[0] == -2 && cc_is_batched(&call->xs[1]))
        return !cc_is_batched(xs) && (to->n > xs->rank || xs->dim[0] == 1);
    return to->n == xs->rank && to->v[0] == -1;
}

const cc_op cc_op_broadcast_to = {.name = "broadcast_to",
                                  .inputs = "x like?",
                                  .types = "t a -> t",
                                  .meaning = "x: what is repeated; like: asked for its sizes only",
                                  .attributes = broadcast_to_attributes,
                                  .attributes_size = sizeof(broadcast_to),
                                  .per_sample = broadcast_to_per_sample,
                                  .infer = broadcast_to_infer,
                                  .need = broadcast_to_need,
                                  .forward = broadcast_to_forward,
                                  .backward = broadcast_to_backward};
