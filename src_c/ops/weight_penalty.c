/* The penalty that keeps weights small: y = l1 sum |w| + l2 sum w^2, a scalar, over w of any shape.
 *
 *     dw = dy (l1 sign(w) + 2 l2 w)           sign(0) = 0
 *
 * Summed in blocks of a fixed size, in double, and the blocks in order: the same for any number of threads. */
#include "ops/op.h"
#include <math.h>

#define BLOCK 4096

typedef struct settings {
    float l1, l2;
} settings;

static int64_t weight_penalty_blocks_of(int64_t count)
{
    return (count + BLOCK - 1) / BLOCK;
}

static cconv_status weight_penalty_infer(const cc_call *call, cc_shape *ys)
{
    const settings *a = call->attributes;
    if (!(a->l1 >= 0 && isfinite(a->l1) && a->l2 >= 0 && isfinite(a->l2)))
        return cc_op_fail(call, CCONV_INVALID, "expected finite l1 and l2 of at least 0, received l1=%g, l2=%g", (double)a->l1,
                          (double)a->l2);
    ys->rank = 0;
    return CCONV_OK;
}

static void weight_penalty_need(const cc_call *call, int nth, cc_need *out)
{
    (void)nth;
    out->forward_scratch = (uint64_t)weight_penalty_blocks_of(cc_shape_count(&call->xs[0])) * sizeof(double);
}

static void weight_penalty_forward(const cc_call *call, const cc_team *team)
{
    const settings *a = call->attributes;
    const int64_t count = cc_shape_count(&call->xs[0]), blocks = weight_penalty_blocks_of(count);
    double *sums = call->scratch;
    cc_range mine = cc_slice(team, blocks, 1);
    for (int64_t b = mine.begin; b < mine.end; ++b) {
        int64_t end = (b + 1) * BLOCK < count ? (b + 1) * BLOCK : count;
        double magnitudes = 0, squares = 0;
        for (int64_t i = b * BLOCK; i < end; ++i) {
            double w = (double)call->x[0][i];
            magnitudes += fabs(w);
            squares += w * w;
        }
        sums[b] = (double)a->l1 * magnitudes + (double)a->l2 * squares;
    }
    cc_barrier_wait(team);
    if (team->ith != 0) return;
    double total = 0;
    for (int64_t b = 0; b < blocks; ++b) total += sums[b];
    call->y[0] = (float)total;
}

static void weight_penalty_backward(const cc_call *call, const cc_team *team)
{
    const settings *a = call->attributes;
    if (!call->dx[0]) return;
    const float l1 = call->dy[0] * a->l1, l2 = call->dy[0] * 2 * a->l2;
    cc_range mine = cc_slice(team, cc_shape_count(&call->xs[0]), 2048);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        float w = call->x[0][i];
        call->dx[0][i] = l1 * (float)((w > 0) - (w < 0)) + l2 * w;
    }
}

static const cc_attr table[] = {{"l1", CC_FLOAT, offsetof(settings, l1), "0", NULL, "factor of the sum of |w|, at least 0"},
                                {"l2", CC_FLOAT, offsetof(settings, l2), "0", NULL, "factor of the sum of w * w, at least 0"},
                                {0}};

const cc_op cc_op_weight_penalty = {.name = "weight_penalty",
                                    .inputs = "w",
                                    .attributes = table,
                                    .attributes_size = sizeof(settings),
                                    .reads = CC_READS_X(0),
                                    .infer = weight_penalty_infer,
                                    .need = weight_penalty_need,
                                    .forward = weight_penalty_forward,
                                    .backward = weight_penalty_backward};
