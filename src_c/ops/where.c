/* where: condition, a, b -> y of the shape they broadcast to; y = a where the condition holds, else b.
 * da = dy where it was chosen, else 0, summed over the repetitions of a; db likewise. */
#include "algos/broadcast.h"
#include "algos/reduce.h"
#include "ops/op.h"

static cconv_status where_infer(const cc_call *call, cc_shape *ys)
{
    char text[3][CC_SHAPE_TEXT];
    if (!cc_broadcast_shape(&call->xs[0], &call->xs[1], ys) || !cc_broadcast_shape(ys, &call->xs[2], ys))
        return cc_op_fail(
            call, CCONV_INVALID, "expected shapes whose sizes, counted from the last, are equal or 1, received %s, %s and %s",
            cc_shape_text(&call->xs[0], text[0]), cc_shape_text(&call->xs[1], text[1]), cc_shape_text(&call->xs[2], text[2]));
    return CCONV_OK;
}

static void where_need(const cc_call *call, int nth, cc_need *need)
{
    (void)nth;
    for (int i = 1; i < 3; ++i) {
        if (!call->needs_gradient[i]) continue;
        cc_reduction reduction;
        cc_reduction_init(&reduction, &call->ys, cc_broadcast_repeated(&call->xs[i], &call->ys));
        size_t bytes = cc_reduction_scratch(&reduction);
        if (need->backward_scratch < bytes) need->backward_scratch = bytes;
    }
}

static void where_forward(const cc_call *call, const cc_team *team)
{
    cc_broadcast shape;
    cc_broadcast_init(&shape, &call->ys, 3, call->xs);
    int64_t step[3];
    for (int i = 0; i < 3; ++i) step[i] = cc_broadcast_moves(&shape, i);
    cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 2048);
    for (cc_walk walk = cc_walk_begin(&shape, mine); walk.run > 0; cc_walk_next(&walk)) {
        const float *condition = call->x[0] + walk.offset[0], *a = call->x[1] + walk.offset[1],
                    *b = call->x[2] + walk.offset[2];
        float *y = call->y + walk.position;
        for (int64_t i = 0; i < walk.run; ++i) y[i] = condition[i * step[0]] != 0 ? a[i * step[1]] : b[i * step[2]];
    }
}

typedef struct gradient {
    const cc_call *call;
    cc_broadcast shape; /* of the condition */
    bool chosen;        /* what the condition is where dy belongs to this operand */
} gradient;

static void where_fill(const gradient *of, cc_range range, float *out)
{
    int64_t step = cc_broadcast_moves(&of->shape, 0);
    for (cc_walk walk = cc_walk_begin(&of->shape, range); walk.run > 0; cc_walk_next(&walk)) {
        const float *condition = of->call->x[0] + walk.offset[0], *dy = of->call->dy + walk.position;
        float *to = out + (walk.position - range.begin);
        for (int64_t i = 0; i < walk.run; ++i) to[i] = (condition[i * step] != 0) == of->chosen ? dy[i] : 0;
    }
}

static const float *where_terms(const void *context, int64_t begin, int64_t n, float *buffer)
{
    where_fill(context, (cc_range){begin, begin + n}, buffer);
    return buffer;
}

static void where_backward(const cc_call *call, const cc_team *team)
{
    for (int i = 1; i < 3; ++i) {
        float *dx = call->dx[i];
        if (!dx) continue;
        gradient of = {.call = call, .chosen = i == 1};
        cc_broadcast_init(&of.shape, &call->ys, 1, call->xs);
        unsigned axes = cc_broadcast_repeated(&call->xs[i], &call->ys);
        if (axes) {
            cc_reduction reduction;
            cc_reduction_init(&reduction, &call->ys, axes);
            cc_reduce(&reduction, CC_FOLD_SUM, where_terms, &of, 1, dx, NULL, call->scratch, team);
            cc_barrier_wait(team); /* the scratch is used again */
        } else {
            cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 2048);
            where_fill(&of, mine, dx + mine.begin);
        }
    }
}

const cc_op cc_op_where = {.name = "where",
                           .inputs = "condition a b",
                           .meaning = "condition: which of the two; a: taken where it holds; b: taken elsewhere; all broadcast",
                           .types = "b t t -> t",
                           .flags = CC_INPLACE | CC_ELEMENTWISE,
                           .reads = CC_READS_X(0),
                           .infer = where_infer,
                           .need = where_need,
                           .forward = where_forward,
                           .backward = where_backward};
