/* Elements chosen by position along an axis: take, x[a][n][b] and indices[i] -> y[a][i][b], the same ones everywhere;
 * take_along_axis, x[a][n][b] and indices[a][i][b] -> y[a][i][b], others in each line. (a, i, b stand for any axes.) A position
 * below 0 counts from the end; one outside gives 0, and no gradient. With `checked` either makes the run fail. dx gets each dy
 * where it was taken from, summed in the order of the positions. */
#include "ops/infer.h"
#include "ops/meanings.h"
#include <string.h>

typedef struct take {
    int64_t axis;
    int checked; /* of take */
} take;

static const cc_attr take_attributes[] = {{"axis", CC_INT, offsetof(take, axis), "-1", NULL, CC_AXIS_MEANING},
                                          {"checked", CC_BOOL, offsetof(take, checked), "0", NULL,
                                           "1: a run in which a position is not from 0 to the size less 1 fails"},
                                          {0}};
static const cc_attr take_along_axis_attributes[] = {{"axis", CC_INT, offsetof(take, axis), "-1", NULL, CC_AXIS_MEANING}, {0}};

/* x[outer][n][inner], y[outer][m][inner]; the positions are [m], or [outer][m][inner]. */
typedef struct taking {
    int64_t outer, n, m, inner;
} taking;

static int take_axis(const cc_call *call)
{
    return cc_axis_of(((const take *)call->attributes)->axis, call->xs[0].rank);
}

static cconv_status take_infer(const cc_call *call, cc_shape *ys)
{
    const cc_shape *xs = &call->xs[0], *is = &call->xs[1];
    char text[CC_SHAPE_TEXT];
    int axis;
    CC_TRY(cc_infer_axis(call, ((const take *)call->attributes)->axis, xs->rank, &axis));
    if (xs->rank - 1 + is->rank > CCONV_MAX_RANK)
        return cc_op_fail(call, CCONV_INVALID,
                          "expected a result of rank %d or less, received indices of shape %s for x of rank %d", CCONV_MAX_RANK,
                          cc_shape_text(is, text), xs->rank);
    *ys = (cc_shape){.rank = xs->rank - 1 + is->rank};
    for (int k = 0; k < axis; ++k) ys->dim[k] = xs->dim[k];
    for (int k = 0; k < is->rank; ++k) ys->dim[axis + k] = is->dim[k];
    for (int k = axis + 1; k < xs->rank; ++k) ys->dim[is->rank - 1 + k] = xs->dim[k];
    return CCONV_OK;
}

static cconv_status take_along_axis_infer(const cc_call *call, cc_shape *ys)
{
    const cc_shape *xs = &call->xs[0], *is = &call->xs[1];
    char text[2][CC_SHAPE_TEXT];
    int axis;
    CC_TRY(cc_infer_axis(call, ((const take *)call->attributes)->axis, xs->rank, &axis));
    bool fits = is->rank == xs->rank;
    *ys = *xs;
    for (int k = 0; fits && k < xs->rank; ++k) {
        if (k == axis || ys->dim[k] < 0)
            ys->dim[k] = is->dim[k];
        else
            fits = cc_agree(xs->dim[k], is->dim[k]);
    }
    if (!fits)
        return cc_op_fail(call, CCONV_INVALID, "expected indices of x's shape but for axis %d, received %s for x of shape %s",
                          axis, cc_shape_text(is, text[1]), cc_shape_text(xs, text[0]));
    return CCONV_OK;
}

static taking take_taking_of(const cc_call *call, bool along)
{
    const cc_shape *xs = &call->xs[0], *is = &call->xs[1];
    const int axis = take_axis(call);
    return (taking){cc_shape_product(xs, 0, axis), xs->dim[axis], along ? is->dim[axis] : cc_shape_count(is),
                    cc_shape_product(xs, axis + 1, xs->rank)};
}

/* The place along the axis that a position means, or -1. */
static inline int64_t take_place(int64_t position, int64_t n)
{
    if (position < 0) position += n;
    return position >= 0 && position < n ? position : -1;
}

/* All stored types have four bytes, and 0 is 0 in each. */
static void take_forward(const cc_call *call, const cc_team *team)
{
    const taking t = take_taking_of(call, false);
    const int32_t *positions = cc_ints(call->x[1]);
    const bool checked = ((const take *)call->attributes)->checked;
    const cc_range mine = cc_slice(team, t.outer * t.m, 2048 / (t.inner + 1) + 1);
    for (int64_t row = mine.begin; row < mine.end; ++row) {
        if (checked && (positions[row % t.m] < 0 || positions[row % t.m] >= t.n)) cc_report(call, row % t.m);
        const int64_t place = take_place(positions[row % t.m], t.n);
        float *y = call->y + row * t.inner;
        if (place < 0)
            memset(y, 0, (size_t)t.inner * sizeof *y);
        else
            memcpy(y, call->x[0] + (row / t.m * t.n + place) * t.inner, (size_t)t.inner * sizeof *y);
    }
}

static cconv_status take_refuse(const cc_call *call, int64_t element)
{
    const int64_t n = call->xs[0].dim[take_axis(call)];
    return cc_op_fail(call, CCONV_INVALID, "expected positions from 0 to %lld, received %d", (long long)n - 1,
                      cc_ints(call->x[1])[element]);
}

/* Each thread owns some rows of dx, and looks for them in all positions. */
static void take_backward(const cc_call *call, const cc_team *team)
{
    const taking t = take_taking_of(call, false);
    const int32_t *positions = cc_ints(call->x[1]);
    float *dx = call->dx[0];
    if (!dx) return;
    const cc_range mine = cc_slice(team, t.outer * t.n, 2048 / (t.inner + 1) + 1);
    if (mine.begin >= mine.end) return;
    memset(dx + mine.begin * t.inner, 0, (size_t)((mine.end - mine.begin) * t.inner) * sizeof *dx);
    for (int64_t o = mine.begin / t.n; o <= (mine.end - 1) / t.n; ++o)
        for (int64_t m = 0; m < t.m; ++m) {
            const int64_t place = take_place(positions[m], t.n), row = o * t.n + place;
            if (place < 0 || row < mine.begin || row >= mine.end) continue;
            const float *dy = call->dy + (o * t.m + m) * t.inner;
            for (int64_t i = 0; i < t.inner; ++i) dx[row * t.inner + i] += dy[i];
        }
}

static void take_along_axis_forward(const cc_call *call, const cc_team *team)
{
    const taking t = take_taking_of(call, true);
    const int32_t *positions = cc_ints(call->x[1]);
    const cc_range mine = cc_slice(team, t.outer * t.m * t.inner, 2048);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        const int64_t place = take_place(positions[i], t.n);
        if (place < 0)
            memset(call->y + i, 0, sizeof *call->y);
        else
            call->y[i] = call->x[0][(i / (t.m * t.inner) * t.n + place) * t.inner + i % t.inner];
    }
}

/* Each thread owns whole lines. */
static void take_along_axis_backward(const cc_call *call, const cc_team *team)
{
    const taking t = take_taking_of(call, true);
    const int32_t *positions = cc_ints(call->x[1]);
    float *dx = call->dx[0];
    if (!dx) return;
    const cc_range mine = cc_slice(team, t.outer * t.inner, 2048 / (t.n + t.m + 1) + 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        const int64_t to = i / t.inner * t.n * t.inner + i % t.inner, from = i / t.inner * t.m * t.inner + i % t.inner;
        for (int64_t k = 0; k < t.n; ++k) dx[to + k * t.inner] = 0;
        for (int64_t m = 0; m < t.m; ++m) {
            const int64_t place = take_place(positions[from + m * t.inner], t.n);
            if (place >= 0) dx[to + place * t.inner] += call->dy[from + m * t.inner];
        }
    }
}

/* What is taken for one sample comes from that sample, or, by its positions, from what all share. */
static bool take_per_sample(const cc_call *call)
{
    return !cc_is_batched(&call->xs[take_axis(call) == 0 ? 0 : 1]);
}

static bool take_along_axis_per_sample(const cc_call *call)
{
    const bool x = cc_is_batched(&call->xs[0]);
    return take_axis(call) == 0 ? !x : x && cc_is_batched(&call->xs[1]);
}

#define TAKE(tag, refuses)                                                                                                     \
    const cc_op cc_op_##tag = {                                                                                                \
        .name = #tag,                                                                                                          \
        .inputs = "x indices",                                                                                                 \
        .meaning = "x: where elements are taken from; indices: their positions along the axis, below 0 counted from the end",  \
        .types = "t i -> t",                                                                                                   \
        .attributes = tag##_attributes,                                                                                        \
        .attributes_size = sizeof(take),                                                                                       \
        .reads = CC_READS_X(1),                                                                                                \
        .per_sample = tag##_per_sample,                                                                                        \
        .infer = tag##_infer,                                                                                                  \
        .forward = tag##_forward,                                                                                              \
        .backward = tag##_backward,                                                                                            \
        .refuse = refuses,                                                                                                     \
        .refused = 1}

TAKE(take, take_refuse);
TAKE(take_along_axis, NULL);
