/* Sums and products of all elements so far along an axis: cumsum, cumprod, x -> y of the same shape. They are added and multiplied
 * in float64 and rounded once; those of int32 wrap around.
 *
 *     cumsum    dx[i] = sum of dy[k], k >= i
 *     cumprod   dx[i] = y[i-1] g[i], where g[i] = dy[i] + x[i+1] g[i+1]: no division, so zeros are like other numbers */
#include "ops/axes.h"
#include "ops/infer.h"
#include "ops/meanings.h"

static const cc_attr cumulate_attributes[] = {{"axis", CC_INT, offsetof(cc_axis_attributes, axis), "-1", NULL, CC_AXIS_MEANING},
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

#define CUMULATE_FORWARD(tag, first, operator)                                                                                 \
    static void tag##_forward(const cc_call *call, const cc_team *team)                                                        \
    {                                                                                                                          \
        const lines l = cumulate_lines(call, team);                                                                            \
        const bool whole = call->xs[0].type == CCONV_INT32;                                                                    \
        for (int64_t line = l.mine.begin; line < l.mine.end; ++line) {                                                         \
            double so_far = first;                                                                                             \
            uint32_t whole_so_far = first;                                                                                     \
            const int64_t start = cumulate_start(&l, line);                                                                    \
            for (int64_t k = 0, i = start; k < l.n; ++k, i += l.inner) {                                                       \
                if (whole)                                                                                                     \
                    cc_ints_out(call->y)[i] = (int32_t)(whole_so_far operator(uint32_t) cc_ints(call->x[0])[i]);               \
                else                                                                                                           \
                    call->y[i] = (float)(so_far operator call->x[0][i]);                                                       \
            }                                                                                                                  \
        }                                                                                                                      \
    }

CUMULATE_FORWARD(cumsum, 0, +=)
CUMULATE_FORWARD(cumprod, 1, *=)

static void cumsum_backward(const cc_call *call, const cc_team *team)
{
    const lines l = cumulate_lines(call, team);
    if (!call->dx[0]) return;
    for (int64_t line = l.mine.begin; line < l.mine.end; ++line) {
        double rest = 0;
        const int64_t start = cumulate_start(&l, line);
        for (int64_t k = l.n - 1; k >= 0; --k) {
            const int64_t i = start + k * l.inner;
            call->dx[0][i] = (float)(rest += call->dy[i]);
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

#define CUMULATION(tag, what_backward_reads)                                                                                   \
    const cc_op cc_op_##tag = {.name = #tag,                                                                                   \
                               .inputs = "x",                                                                                  \
                               .types = "n -> n",                                                                              \
                               .attributes = cumulate_attributes,                                                              \
                               .attributes_size = sizeof(cc_axis_attributes),                                                  \
                               .flags = CC_INPLACE | CC_INPLACE_BACKWARD,                                                      \
                               .reads = what_backward_reads,                                                                   \
                               .per_sample = cumulate_per_sample,                                                              \
                               .infer = cumulate_infer,                                                                        \
                               .forward = tag##_forward,                                                                       \
                               .backward = tag##_backward}

CUMULATION(cumsum, 0);
CUMULATION(cumprod, CC_READS_X(0) | CC_READS_Y);
