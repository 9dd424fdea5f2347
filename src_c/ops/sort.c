/* Orders along an axis, as positions: argsort, of all elements from the smallest on, x -> y of the same shape; top_k_indices, of
 * the k largest along the last axis, from the largest on, x[...][n] -> y[...][k]. Equal elements keep their order; a NaN is the
 * largest. No gradient passes: it flows through take_along_axis with these positions. */
#include "ops/infer.h"
#include "ops/meanings.h"

typedef struct argsort {
    int64_t axis;
} argsort;

typedef struct top_k_indices {
    int64_t k;
} top_k_indices;

static const cc_attr argsort_attributes[] = {{"axis", CC_INT, offsetof(argsort, axis), "-1", NULL, CC_AXIS_MEANING}, {0}};
static const cc_attr top_k_indices_attributes[] = {
    {"k", CC_INT, offsetof(top_k_indices, k), NULL, NULL, "how many of the largest"}, {0}};

static cconv_status sort_check_length(const cc_call *call, int axis)
{
    char text[CC_SHAPE_TEXT];
    if (call->xs[0].dim[axis] <= INT32_MAX) return CCONV_OK;
    return cc_op_fail(call, CCONV_INVALID, "expected at most %d elements along axis %d, received shape %s", INT32_MAX, axis,
                      cc_shape_text(&call->xs[0], text));
}

static cconv_status argsort_infer(const cc_call *call, cc_shape *ys)
{
    int axis;
    CC_TRY(cc_infer_axis(call, ((const argsort *)call->attributes)->axis, call->xs[0].rank, &axis));
    CC_TRY(sort_check_length(call, axis));
    return cc_infer_same(call, ys);
}

static cconv_status top_k_indices_infer(const cc_call *call, cc_shape *ys)
{
    const int64_t k = ((const top_k_indices *)call->attributes)->k;
    const cc_shape *xs = &call->xs[0];
    char text[CC_SHAPE_TEXT];
    int axis;
    CC_TRY(cc_infer_axis(call, -1, xs->rank, &axis));
    CC_TRY(sort_check_length(call, axis));
    if (k < 1 || (xs->dim[axis] >= 0 && k > xs->dim[axis]))
        return cc_op_fail(call, CCONV_INVALID,
                          "expected k from 1 to the size of the last axis, received %lld for x of shape %s", (long long)k,
                          cc_shape_text(xs, text));
    *ys = *xs;
    ys->dim[axis] = k;
    return CCONV_OK;
}

/* Elements `inner` apart. */
typedef struct line {
    const float *x;
    int64_t inner;
    bool whole, down;
} line;

/* Whether element b belongs before a, which stands before it. */
static inline bool sort_swaps(const line *l, int32_t a, int32_t b)
{
    if (l->down) {
        const int32_t other = a;
        a = b;
        b = other;
    }
    if (l->whole) return cc_ints(l->x)[b * l->inner] < cc_ints(l->x)[a * l->inner];
    const float u = l->x[a * l->inner], v = l->x[b * l->inner];
    return v < u || (u != u && v == v);
}

/* Merge sort: runs of 1, 2, 4 ... positions are merged from one half of `room` into the other. Returns the sorted half. */
static const int32_t *sort_line(const line *l, int64_t n, int32_t *room)
{
    int32_t *from = room, *to = room + n;
    for (int64_t i = 0; i < n; ++i) from[i] = (int32_t)i;
    for (int64_t run = 1; run < n; run *= 2) {
        for (int64_t begin = 0; begin < n; begin += 2 * run) {
            const int64_t middle = begin + run < n ? begin + run : n, end = begin + 2 * run < n ? begin + 2 * run : n;
            for (int64_t i = begin, a = begin, b = middle; i < end; ++i)
                to[i] = b == end || (a < middle && !sort_swaps(l, from[a], from[b])) ? from[a++] : from[b++];
        }
        int32_t *other = from;
        from = to;
        to = other;
    }
    return from;
}

static int sort_axis(const cc_call *call, bool down)
{
    return down ? call->xs[0].rank - 1 : cc_axis_of(((const argsort *)call->attributes)->axis, call->xs[0].rank);
}

static void sort_forward(const cc_call *call, const cc_team *team, bool down)
{
    const cc_shape *xs = &call->xs[0];
    const int axis = sort_axis(call, down);
    const int64_t n = xs->dim[axis], kept = call->ys.dim[axis], inner = cc_shape_product(xs, axis + 1, xs->rank);
    int32_t *room = (int32_t *)call->scratch + team->ith * 2 * n, *y = cc_ints_out(call->y);
    const cc_range mine = cc_slice(team, cc_shape_product(xs, 0, axis) * inner, 512 / (n + 1) + 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        const line l = {call->x[0] + i / inner * n * inner + i % inner, inner, xs->type == CCONV_INT32, down};
        const int32_t *sorted = sort_line(&l, n, room);
        for (int64_t k = 0; k < kept; ++k) y[i / inner * kept * inner + k * inner + i % inner] = sorted[k];
    }
}

static void argsort_forward(const cc_call *call, const cc_team *team)
{
    sort_forward(call, team, false);
}

static void top_k_indices_forward(const cc_call *call, const cc_team *team)
{
    sort_forward(call, team, true);
}

static void argsort_need(const cc_call *call, int nth, cc_need *need)
{
    need->forward_scratch = (uint64_t)nth * 2 * (uint64_t)call->xs[0].dim[sort_axis(call, false)] * sizeof(int32_t);
}

static void top_k_indices_need(const cc_call *call, int nth, cc_need *need)
{
    need->forward_scratch = (uint64_t)nth * 2 * (uint64_t)call->xs[0].dim[sort_axis(call, true)] * sizeof(int32_t);
}

static bool argsort_per_sample(const cc_call *call)
{
    return sort_axis(call, false) != 0;
}

static bool top_k_indices_per_sample(const cc_call *call)
{
    return sort_axis(call, true) != 0;
}

const cc_op cc_op_argsort = {.name = "argsort",
                             .inputs = "x",
                             .types = "n -> i",
                             .attributes = argsort_attributes,
                             .attributes_size = sizeof(argsort),
                             .per_sample = argsort_per_sample,
                             .infer = argsort_infer,
                             .need = argsort_need,
                             .forward = argsort_forward};

const cc_op cc_op_top_k_indices = {.name = "top_k_indices",
                                   .inputs = "x",
                                   .types = "n -> i",
                                   .attributes = top_k_indices_attributes,
                                   .attributes_size = sizeof(top_k_indices),
                                   .per_sample = top_k_indices_per_sample,
                                   .infer = top_k_indices_infer,
                                   .need = top_k_indices_need,
                                   .forward = top_k_indices_forward};
