/* dropout: x -> y of the same shape. In a plan for training each element is 0 with probability `rate`, else x / (1 - rate), so
 * that its expectation stays x; in other plans y = x.
 *
 *     y = x m,   dx = dy m    with m = 0 or 1 / (1 - rate)
 *
 * Whether an element is kept is a function of (seed, step, draw, element): the backward pass draws the mask anew instead of
 * reading it, and no thread's share matters. `seed` 0 leaves the choice to the run's seed; another one is mixed into it. */
#include "base/random.h"
#include "kernels/kernels.h"
#include "ops/op.h"
#include <math.h>
#include <string.h>

typedef struct dropout {
    float rate;
    int64_t seed;
} dropout;

static const cc_attr dropout_attributes[] = {
    {"rate", CC_FLOAT, offsetof(dropout, rate), NULL, NULL,
     "probability that an element becomes 0; the others are divided by 1 - rate"},
    {"seed", CC_INT, offsetof(dropout, seed), "0", NULL, "told apart by it, ops of one graph draw other numbers"},
    {0}};

static cconv_status dropout_infer(const cc_call *call, cc_shape *ys)
{
    const dropout *a = call->attributes;
    if (!(a->rate >= 0 && a->rate < 1))
        return cc_op_fail(call, CCONV_INVALID, "expected a rate in [0, 1), received %g", (double)a->rate);
    *ys = call->xs[0];
    return CCONV_OK;
}

/* out = in m, element by element; out may be in. */
static void dropout_apply_mask(const cc_call *call, const cc_team *team, const float *in, float *out)
{
    const dropout *a = call->attributes;
    const cc_range mine = cc_slice(team, cc_shape_count(&call->xs[0]), 512); /* a multiple of 4: whole blocks of numbers */
    if (!call->training || a->rate == 0) {
        if (in != out && mine.begin < mine.end)
            memcpy(out + mine.begin, in + mine.begin, (size_t)(mine.end - mine.begin) * sizeof *out);
        return;
    }
    /* The odd factor (2^64 over the golden ratio) keeps small attribute seeds away from small run seeds. */
    const uint64_t seed = call->seed ^ (uint64_t)a->seed * UINT64_C(0x9E3779B97F4A7C15);
    const float scale = 1 / (1 - a->rate);
    /* A number's upper 24 bits, taken as a fraction, are compared with the rate: exactly, since a float has 24 bits, too. */
    const uint32_t least = (uint32_t)ceil((double)a->rate * 16777216);
    const cc_random random = {.seed = seed, .step = call->step, .draw = (uint32_t)call->draw};
    if (mine.begin < mine.end)
        cc_kernels_get()->random.dropout(out + mine.begin, in + mine.begin, mine.end - mine.begin, &random,
                                         (uint32_t)(mine.begin / 4), least, scale);
}

static void dropout_forward(const cc_call *call, const cc_team *team)
{
    dropout_apply_mask(call, team, call->x[0], call->y);
}

static void dropout_backward(const cc_call *call, const cc_team *team)
{
    if (call->dx[0]) dropout_apply_mask(call, team, call->dy, call->dx[0]);
}

const cc_op cc_op_dropout = {.name = "dropout",
                             .inputs = "x",
                             .attributes = dropout_attributes,
                             .attributes_size = sizeof(dropout),
                             .flags = CC_INPLACE | CC_INPLACE_BACKWARD | CC_RANDOM,
                             .infer = dropout_infer,
                             .forward = dropout_forward,
                             .backward = dropout_backward};
