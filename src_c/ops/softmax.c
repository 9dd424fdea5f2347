/* softmax and log_softmax along one axis: x -> y of the same shape. With m the largest x, so that no exponential overflows:
 *
 *     softmax       y = e^(x - m) / s,      s = sum of e^(x - m)        dx = y (dy - sum of dy y)
 *     log_softmax   y = x - m - log s                                   dx = dy - e^y (sum of dy)
 *
 * since dy_i/dx_j of softmax is y_i ([i = j] - y_j), and of log_softmax [i = j] - e^(y_j). */
#include "ops/axes.h"
#include "ops/exp_row.h"
#include "ops/infer.h"

enum { COLUMNS = 64 }; /* rows of values along the axis that are worked on side by side when they are not contiguous */

static const cc_attr softmax_attributes[] = {
    {"axis", CC_INT, offsetof(cc_axis_attributes, axis), "-1", NULL,
     "along which the values add up to 1 (their exponentials, for log_softmax); below 0 counted from the last"},
    {0}};

static cconv_status softmax_infer(const cc_call *call, cc_shape *ys)
{
    const cc_axis_attributes *a = call->attributes;
    int axis;
    CC_TRY(cc_infer_axis(call, a->axis, call->xs[0].rank, &axis));
    return cc_infer_same(call, ys);
}

/* The tensor as [outer][length][inner], the axis in the middle. A task is `width` neighbours of one outer. */
typedef struct softmax_tasks {
    int64_t length, inner, per_outer;
    cc_range mine;
} softmax_tasks;

static softmax_tasks softmax_share(const cc_call *call, const cc_team *team)
{
    const cc_axis_attributes *a = call->attributes;
    const cc_shape *s = &call->ys;
    int axis = cc_axis_of(a->axis, s->rank);
    softmax_tasks p = {.length = s->dim[axis], .inner = cc_shape_product(s, axis + 1, s->rank)};
    p.per_outer = (p.inner + COLUMNS - 1) / COLUMNS;
    int64_t each = p.length * (p.inner < COLUMNS ? p.inner : COLUMNS);
    p.mine = cc_slice(team, cc_shape_product(s, 0, axis) * p.per_outer, 1024 / (each + 1) + 1);
    return p;
}

/* Where task i begins, and how many neighbours it has. */
static inline int64_t softmax_place(const softmax_tasks *p, int64_t i, int64_t *width)
{
    int64_t column = i % p->per_outer * COLUMNS;
    *width = p->inner - column < COLUMNS ? p->inner - column : COLUMNS;
    return i / p->per_outer * p->length * p->inner + column;
}

/* A contiguous row. */
static inline void softmax_row_forward(float *y, const float *x, int64_t n, bool logarithm)
{
    if (!logarithm) {
        cc_kernels_get()->elementwise.softmax_forward(y, x, n);
        return;
    }
    const float most = cc_row_max(x, n), last = (float)log(cc_row_exp_sum(x, most, n));
    for (int64_t i = 0; i < n; ++i) y[i] = x[i] - most - last;
}

/* y may be x: each x is read for the last time before the y at its place is written. */
static inline void softmax_axis_forward(const cc_call *call, const cc_team *team, bool logarithm)
{
    softmax_tasks p = softmax_share(call, team);
    if (p.length == 0) return;
    for (int64_t i = p.mine.begin; i < p.mine.end; ++i) {
        int64_t width, base = softmax_place(&p, i, &width);
        const float *x = call->x[0] + base;
        float *y = call->y + base, most[COLUMNS], last[COLUMNS];
        double sum[COLUMNS];
        if (p.inner == 1) {
            softmax_row_forward(y, x, p.length, logarithm);
            continue;
        }
        for (int64_t j = 0; j < width; ++j) {
            most[j] = x[j];
            sum[j] = 0;
        }
        for (int64_t k = 1; k < p.length; ++k)
            for (int64_t j = 0; j < width; ++j) {
                float v = x[k * p.inner + j];
                most[j] = v > most[j] ? v : most[j];
            }
        for (int64_t k = 0; k < p.length; ++k)
            for (int64_t j = 0; j < width; ++j) {
                int64_t at = k * p.inner + j;
                float d = x[at] - most[j], e = expf(d);
                sum[j] += e;
                y[at] = logarithm ? d : e;
            }
        for (int64_t j = 0; j < width; ++j) last[j] = (float)(logarithm ? log(sum[j]) : 1 / sum[j]);
        for (int64_t k = 0; k < p.length; ++k)
            for (int64_t j = 0; j < width; ++j) {
                if (logarithm)
                    y[k * p.inner + j] -= last[j];
                else
                    y[k * p.inner + j] *= last[j];
            }
    }
}

/* dx may be dy: the sums are complete before the first dx of their row is written. */
static inline void softmax_axis_backward(const cc_call *call, const cc_team *team, bool logarithm)
{
    if (!call->dx[0]) return;
    softmax_tasks p = softmax_share(call, team);
    for (int64_t i = p.mine.begin; i < p.mine.end; ++i) {
        int64_t width, base = softmax_place(&p, i, &width);
        const float *y = call->y + base, *dy = call->dy + base;
        float *dx = call->dx[0] + base;
        if (p.inner == 1 && !logarithm) {
            cc_kernels_get()->elementwise.softmax_backward(dx, dy, y, p.length);
            continue;
        }
        double sum[COLUMNS] = {0};
        for (int64_t k = 0; k < p.length; ++k)
            for (int64_t j = 0; j < width; ++j) {
                int64_t at = k * p.inner + j;
                sum[j] += logarithm ? (double)dy[at] : (double)dy[at] * y[at];
            }
        for (int64_t k = 0; k < p.length; ++k)
            for (int64_t j = 0; j < width; ++j) {
                int64_t at = k * p.inner + j;
                dx[at] = (float)(logarithm ? dy[at] - (double)expf(y[at]) * sum[j] : y[at] * (dy[at] - sum[j]));
            }
    }
}

static bool softmax_per_sample(const cc_call *call)
{
    return cc_axis_of(((const cc_axis_attributes *)call->attributes)->axis, call->ys.rank) != 0;
}

#define SOFTMAX(tag, logarithm)                                                                                                \
    static void tag##_forward(const cc_call *call, const cc_team *team)                                                        \
    {                                                                                                                          \
        softmax_axis_forward(call, team, logarithm);                                                                           \
    }                                                                                                                          \
    static void tag##_backward(const cc_call *call, const cc_team *team)                                                       \
    {                                                                                                                          \
        softmax_axis_backward(call, team, logarithm);                                                                          \
    }                                                                                                                          \
    const cc_op cc_op_##tag = {.name = #tag,                                                                                   \
                               .inputs = "x",                                                                                  \
                               .attributes = softmax_attributes,                                                               \
                               .attributes_size = sizeof(cc_axis_attributes),                                                  \
                               .flags = CC_INPLACE | CC_INPLACE_BACKWARD,                                                      \
                               .reads = CC_READS_Y,                                                                            \
                               .per_sample = softmax_per_sample,                                                               \
                               .infer = softmax_infer,                                                                         \
                               .forward = tag##_forward,                                                                       \
                               .backward = tag##_backward}

SOFTMAX(softmax, false);
SOFTMAX(log_softmax, true);
