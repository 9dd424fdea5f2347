/* broadcast_to: x -> y of the given shape, x repeated by NumPy's rule; a size of -1 stays as x has it. dx is the sum of dy over the
 * repetitions. */
#include "algos/broadcast.h"
#include "algos/reduce.h"
#include "ops/op.h"
#include <string.h>

typedef struct broadcast_to {
    cc_list shape;
} broadcast_to;

static const cc_attr broadcast_to_attributes[] = {
    {"shape", CC_LIST, offsetof(broadcast_to, shape), NULL, NULL, "sizes of the output; -1: the size that x has there"}, {0}};

static cconv_status broadcast_to_infer(const cc_call *call, cc_shape *ys)
{
    const cc_list *to = &((const broadcast_to *)call->attributes)->shape;
    const cc_shape *xs = &call->xs[0];
    char text[2][CC_SHAPE_TEXT];
    if (to->n > CCONV_MAX_RANK)
        return cc_op_fail(call, CCONV_INVALID, "expected a shape of rank %d or less, received rank %d", CCONV_MAX_RANK, to->n);
    *ys = (cc_shape){.rank = to->n};
    bool fits = to->n >= xs->rank;
    for (int k = 0; k < to->n; ++k) {
        int own = k - (to->n - xs->rank);
        int64_t from = own < 0 ? 1 : xs->dim[own], size = to->v[k];
        if (size < -1 || (size == -1 && own < 0)) fits = false;
        ys->dim[k] = size < 0 ? from : size;
        if (from != 1 && !cc_agree(from, ys->dim[k])) fits = false;
    }
    if (fits && cc_shape_known(ys) && !cc_shape_check(ys)) fits = false;
    if (!fits) {
        cc_shape given = {.rank = to->n};
        for (int k = 0; k < to->n; ++k) given.dim[k] = to->v[k];
        return cc_op_fail(call, CCONV_INVALID, "expected a shape that x can be repeated to, received %s for x of shape %s",
                          cc_shape_text(&given, text[0]), cc_shape_text(xs, text[1]));
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
    if (!call->dx[0]) return;
    cc_reduction reduction;
    cc_reduction_init(&reduction, &call->ys, cc_broadcast_repeated(&call->xs[0], &call->ys));
    cc_reduce(&reduction, CC_FOLD_SUM, cc_terms_stored, call->dy, 1, call->dx[0], NULL, call->scratch, team);
}

static bool broadcast_to_per_sample(const cc_call *call)
{
    const cc_list *to = &((const broadcast_to *)call->attributes)->shape;
    return to->n == call->xs[0].rank && to->v[0] == -1;
}

const cc_op cc_op_broadcast_to = {.name = "broadcast_to",
                                  .inputs = "x",
                                  .types = "t -> t",
                                  .attributes = broadcast_to_attributes,
                                  .attributes_size = sizeof(broadcast_to),
                                  .per_sample = broadcast_to_per_sample,
                                  .infer = broadcast_to_infer,
                                  .need = broadcast_to_need,
                                  .forward = broadcast_to_forward,
                                  .backward = broadcast_to_backward};
