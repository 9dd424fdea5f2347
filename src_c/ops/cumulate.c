/* Sums and products of all elements so far along an axis: cumsum, cumprod, x -> y of the same shape. They are added and multiplied
 * in float64 and rounded once; those of int32 wrap around.
 *
 *     cumsum    dx[i] = sum of dy[k], k >= i: a sum from the other end; without i itself if exclusive
 *     cumprod   dx[i] = y[i-1] g[i], where g[i] = dy[i] + x[i+1] g[i+1]: no division, so zeros are like other numbers */
#include "ops/axes.h"
#include "ops/infer.h"
#include "ops/meanings.h"

typedef struct cumsum {
    cc_axis_attributes along; /* first: of both ops */
    int exclusive, reverse;
} cumsum;

static const cc_attr cumsum_attributes[] = {
    {"axis", CC_INT, offsetof(cumsum, along.axis), "-1", NULL, CC_AXIS_MEANING},
    {"exclusive", CC_BOOL, offsetof(cumsum, exclusive), "0", NULL, "1: without the element itself: the first sum is 0"},
    {"reverse", CC_BOOL, offsetof(cumsum, reverse), "0", NULL, "1: from the last element on"},
    {0}};
static const cc_attr cumprod_attributes[] = {{"axis", CC_INT, offsetof(cc_axis_attributes, axis), "-1", NULL, CC_AXIS_MEANING},
                                             {0}};

static int cumulate_axis(const cc_call *call)
{
    return cc_axis_of(((const cc_axis_attributes *)call->attributes)->axis, call->xs[0].rank);
}

static cconv_status cumulate_infer(const cc_call *call, cc_shape *ys)
{
    int axis;
    CC_TRY(cc_infer_axis(call, ((const cc_axis_attributes *)call->attributes)->axis, call->xs[0].rank, &axis));
    return cc_infer_same(call, ys);
}

/* Lines of n elements, `inner` apart; each thread owns whole lines. */
typedef struct lines {
    int64_t n, inner;
    cc_range mine;
} lines;

static lines cumulate_lines(const cc_call *call, const cc_team *team)
{
    const cc_shape *xs = &call->xs[0];
    const int axis = cumulate_axis(call);
    const int64_t n = xs->dim[axis], inner = cc_shape_product(xs, axis + 1, xs->rank);
    return (lines){n, inner, cc_slice(team, cc_shape_product(xs, 0, axis) * inner, 2048 / (n + 1) + 1)};
}

static inline int64_t cumulate_start(const lines *l, int64_t line)
{
    return line / l->inner * l->n * l->inner + line % l->inner;
}

/* y may be x. */
static void cumsum_of(const cc_call *call, const cc_team *team, float *y, const float *x, bool reverse, bool whole)
{
    const lines l = cumulate_lines(call, team);
    const bool exclusive = ((const cumsum *)call->attributes)->exclusive;
    const int64_t first = reverse ? (l.n - 1) * l.inner : 0, step = reverse ? -l.inner : l.inner;
    for (int64_t line = l.mine.begin; line < l.mine.end; ++line) {
        double before = 0;
        uint32_t whole_before = 0;
        for (int64_t k = 0, i = cumulate_start(&l, line) + first; k < l.n; ++k, i += step) {
            if (whole) {
                const uint32_t so_far = whole_before + (uint32_t)cc_ints(x)[i];
                cc_ints_out(y)[i] = (int32_t)(exclusive ? whole_before : so_far);
                whole_before = so_far;
            } else {
                const double so_far = before + (double)x[i];
                y[i] = (float)(exclusive ? before : so_far);
                before = so_far;
            }
        }
    }
}

static void cumsum_forward(const cc_call *call, const cc_team *team)
{
    cumsum_of(call, team, call->y, call->x[0], ((const cumsum *)call->attributes)->reverse, call->xs[0].type == CCONV_INT32);
}

static void cumsum_backward(const cc_call *call, const cc_team *team)
{
    if (call->dx[0]) cumsum_of(call, team, call->dx[0], call->dy, !((const cumsum *)call->attributes)->reverse, false);
}

static void cumprod_forward(const cc_call *call, const cc_team *team)
{
    const lines l = cumulate_lines(call, team);
    const bool whole = call->xs[0].type == CCONV_INT32;
    for (int64_t line = l.mine.begin; line < l.mine.end; ++line) {
        double so_far = 1;
        uint32_t whole_so_far = 1;
        for (int64_t k = 0, i = cumulate_start(&l, line); k < l.n; ++k, i += l.inner) {
            if (whole)
                cc_ints_out(call->y)[i] = (int32_t)(whole_so_far *= (uint32_t)cc_ints(call->x[0])[i]);
            else
                call->y[i] = (float)(so_far *= (double)call->x[0][i]);
        }
    }
}

static void cumprod_backward(const cc_call *call, const cc_team *team)
{
    const lines l = cumulate_lines(call, team);
    if (!call->dx[0]) return;
    for (int64_t line = l.mine.begin; line < l.mine.end; ++line) {
        double rest = 0; /* x[i + 1] g[i + 1] */
        const int64_t start = cumulate_start(&l, line);
        for (int64_t k = l.n - 1; k >= 0; --k) {
            const int64_t i = start + k * l.inner;
            const double g = call->dy[i] + rest;
            rest = call->x[0][i] * g;
            call->dx[0][i] = (float)(k ? call->y[i - l.inner] * g : g);
        }
    }
}

static bool cumulate_per_sample(const cc_call *call)
{
    return cumulate_axis(call) != 0;
}

#define CUMULATION(tag, attributes_type, what_backward_reads)                                                                  \
    const cc_op cc_op_##tag = {.name = #tag,                                                                                   \
                               .inputs = "x",                                                                                  \
                               .types = "n -> n",                                                                              \
                               .attributes = tag##_attributes,                                                                 \
                               .attributes_size = sizeof(attributes_type),                                                     \
                               .flags = CC_INPLACE | CC_INPLACE_BACKWARD,                                                      \
                               .reads = what_backward_reads,                                                                   \
                               .per_sample = cumulate_per_sample,                                                              \
                               .infer = cumulate_infer,                                                                        \
                               .forward = tag##_forward,                                                                       \
                               .backward = tag##_backward}

CUMULATION(cumsum, cumsum, 0);
CUMULATION(cumprod, cc_axis_attributes, CC_READS_X(0) | CC_READS_Y);
