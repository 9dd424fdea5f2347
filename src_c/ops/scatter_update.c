/* scatter_update: x[n][...], indices[m...], updates[m...][...] -> y, x with rows combined with updates: y[indices[j]] is replaced by
 * updates[j] (the last of several), or becomes the sum, product, largest or smallest of itself and all its updates, in their order.
 * A position below 0 counts from the end; updates outside have no effect. With r a row's element and u_j its updates:
 *
 *     none       dr = dy where there is no u, else 0;  du = dy for the last, else 0
 *     add        dr = du_j = dy
 *     mul        dr = dy times the product of the u_j, du_j = dy times r and the other u
 *     max, min   dy to the largest or smallest, shared by equal ones */
#include "ops/infer.h"
#include <string.h>

enum { UPDATE_NONE, UPDATE_ADD, UPDATE_MUL, UPDATE_MAX, UPDATE_MIN };

typedef struct scatter_update {
    int reduction;
} scatter_update;

static const cc_attr scatter_update_attributes[] = {
    {"reduction", CC_ENUM, offsetof(scatter_update, reduction), "none", "none|add|mul|max|min",
     "what an update does to its row: none: takes its place; add, mul, max, min: is combined with it"},
    {0}};

static cconv_status scatter_update_infer(const cc_call *call, cc_shape *ys)
{
    const cc_shape *xs = &call->xs[0], *is = &call->xs[1], *us = &call->xs[2];
    char text[3][CC_SHAPE_TEXT];
    bool fits = xs->rank >= 1 && us->rank == is->rank + xs->rank - 1;
    for (int k = 0; fits && k < us->rank; ++k)
        fits = cc_agree(us->dim[k], k < is->rank ? is->dim[k] : xs->dim[k - is->rank + 1]);
    if (!fits)
        return cc_op_fail(call, CCONV_INVALID,
                          "expected updates of the shape of the indices followed by that of x without its first axis, received "
                          "x of shape %s, indices %s, updates %s",
                          cc_shape_text(xs, text[0]), cc_shape_text(is, text[1]), cc_shape_text(us, text[2]));
    return cc_infer_same(call, ys);
}

/* x[n][inner], indices[m]. */
typedef struct scattering {
    int64_t n, m, inner;
    int reduction;
    const int32_t *positions;
} scattering;

static scattering scatter_update_of(const cc_call *call)
{
    const cc_shape *xs = &call->xs[0];
    return (scattering){xs->dim[0], cc_shape_count(&call->xs[1]), cc_shape_product(xs, 1, xs->rank),
                        ((const scatter_update *)call->attributes)->reduction, cc_ints(call->x[1])};
}

/* The row that update j goes to, or -1. */
static inline int64_t scatter_update_row(const scattering *s, int64_t j)
{
    const int64_t row = s->positions[j] < 0 ? s->positions[j] + s->n : s->positions[j];
    return row < s->n ? row : -1;
}

static inline float scatter_update_float(int reduction, float r, float u)
{
    switch (reduction) {
    case UPDATE_ADD: return r + u;
    case UPDATE_MUL: return r * u;
    case UPDATE_MAX: return r > u || r != r ? r : u;
    case UPDATE_MIN: return r < u || r != r ? r : u;
    default: return u;
    }
}

static inline int32_t scatter_update_int(int reduction, int32_t r, int32_t u)
{
    switch (reduction) {
    case UPDATE_ADD: return (int32_t)((uint32_t)r + (uint32_t)u);
    case UPDATE_MUL: return (int32_t)((uint32_t)r * (uint32_t)u);
    case UPDATE_MAX: return r > u ? r : u;
    case UPDATE_MIN: return r < u ? r : u;
    default: return u;
    }
}

/* Each thread owns some rows, and looks for them in all positions. */
static void scatter_update_forward(const cc_call *call, const cc_team *team)
{
    const scattering s = scatter_update_of(call);
    const cc_range mine = cc_slice(team, s.n, 2048 / (s.inner + 1) + 1);
    if (mine.begin >= mine.end) return;
    if (call->y != call->x[0])
        memcpy(call->y + mine.begin * s.inner, call->x[0] + mine.begin * s.inner,
               (size_t)((mine.end - mine.begin) * s.inner) * sizeof(float));
    for (int64_t j = 0; j < s.m; ++j) {
        const int64_t row = scatter_update_row(&s, j);
        if (row < mine.begin || row >= mine.end) continue;
        const float *u = call->x[2] + j * s.inner;
        float *y = call->y + row * s.inner;
        if (s.reduction == UPDATE_NONE)
            memcpy(y, u, (size_t)s.inner * sizeof *y);
        else if (call->xs[0].type == CCONV_INT32)
            for (int64_t i = 0; i < s.inner; ++i)
                cc_ints_out(y)[i] = scatter_update_int(s.reduction, cc_ints(y)[i], cc_ints(u)[i]);
        else
            for (int64_t i = 0; i < s.inner; ++i) y[i] = scatter_update_float(s.reduction, y[i], u[i]);
    }
}

/* Scratch: of none the last update of each row; of mul the product of what is not zero, and the number of zeros; of max and min
 * how many are the largest or smallest. */
static void scatter_update_need(const cc_call *call, int nth, cc_need *need)
{
    (void)nth;
    const scattering s = {.reduction = ((const scatter_update *)call->attributes)->reduction};
    const uint64_t elements = (uint64_t)cc_shape_count(&call->xs[0]), rows = (uint64_t)call->xs[0].dim[0];
    if (s.reduction == UPDATE_NONE) need->backward_scratch = rows * sizeof(int64_t);
    if (s.reduction == UPDATE_MUL) need->backward_scratch = elements * 2 * sizeof(double);
    if (s.reduction == UPDATE_MAX || s.reduction == UPDATE_MIN) need->backward_scratch = elements * sizeof(double);
    need->reads = CC_READS_X(1);
    if (s.reduction > UPDATE_ADD) need->reads |= CC_READS_X(0) | CC_READS_X(2);
    if (s.reduction > UPDATE_MUL) need->reads |= CC_READS_Y;
}

/* Counts one element, of x or of an update, for the element of y that it is combined to. */
static inline void scatter_update_count(const cc_call *call, int reduction, int64_t to, float value)
{
    double *first = call->scratch, *zeros = first + cc_shape_count(&call->xs[0]);
    if (reduction != UPDATE_MUL)
        first[to] += value == call->y[to];
    else if (value == 0)
        zeros[to] += 1;
    else
        first[to] *= value;
}

/* What dy of an element is multiplied with for one of those that it was combined of. */
static inline double scatter_update_share(const cc_call *call, int reduction, int64_t at, float value)
{
    const double *first = call->scratch, *zeros = first + cc_shape_count(&call->xs[0]);
    if (reduction == UPDATE_ADD) return 1;
    if (reduction != UPDATE_MUL) return value == call->y[at] ? 1 / first[at] : 0;
    return value == 0 ? (zeros[at] == 1 ? first[at] : 0) : zeros[at] == 0 ? first[at] / value : 0;
}

/* Fills the scratch for this thread's rows. */
static void scatter_update_prepare(const cc_call *call, const scattering *s, cc_range mine)
{
    int64_t *last = call->scratch;
    double *first = call->scratch, *zeros = first + s->n * s->inner;
    for (int64_t row = mine.begin; row < mine.end; ++row) {
        if (s->reduction == UPDATE_NONE) last[row] = -1;
        for (int64_t i = row * s->inner; s->reduction > UPDATE_ADD && i < (row + 1) * s->inner; ++i) {
            first[i] = s->reduction == UPDATE_MUL;
            if (s->reduction == UPDATE_MUL) zeros[i] = 0;
            scatter_update_count(call, s->reduction, i, call->x[0][i]);
        }
    }
    for (int64_t j = 0; j < s->m; ++j) {
        const int64_t row = scatter_update_row(s, j);
        if (row < mine.begin || row >= mine.end) continue;
        if (s->reduction == UPDATE_NONE) last[row] = j;
        for (int64_t i = 0; s->reduction > UPDATE_ADD && i < s->inner; ++i)
            scatter_update_count(call, s->reduction, row * s->inner + i, call->x[2][j * s->inner + i]);
    }
}

static void scatter_update_backward(const cc_call *call, const cc_team *team)
{
    const scattering s = scatter_update_of(call);
    const cc_range rows = cc_slice(team, s.n, 2048 / (s.inner + 1) + 1),
                   updates = cc_slice(team, s.m, 2048 / (s.inner + 1) + 1);
    const int64_t *last = call->scratch;
    if (s.reduction != UPDATE_ADD) {
        scatter_update_prepare(call, &s, rows);
        cc_barrier_wait(team);
    }
    for (int64_t j = updates.begin; call->dx[2] && j < updates.end; ++j) {
        const int64_t row = scatter_update_row(&s, j);
        const bool counts = row >= 0 && (s.reduction != UPDATE_NONE || last[row] == j);
        for (int64_t i = 0; i < s.inner; ++i) {
            const int64_t at = row * s.inner + i, from = j * s.inner + i;
            const double share =
                !counts ? 0
                : s.reduction == UPDATE_NONE
                    ? 1
                    : scatter_update_share(call, s.reduction, at, s.reduction > UPDATE_ADD ? call->x[2][from] : 0);
            call->dx[2][from] = counts ? (float)(call->dy[at] * share) : 0;
        }
    }
    for (int64_t row = rows.begin; call->dx[0] && row < rows.end; ++row)
        for (int64_t i = row * s.inner; i < (row + 1) * s.inner; ++i) {
            const double share = s.reduction == UPDATE_NONE
                                     ? last[row] < 0
                                     : scatter_update_share(call, s.reduction, i, s.reduction > UPDATE_ADD ? call->x[0][i] : 0);
            call->dx[0][i] = (float)(call->dy[i] * share);
        }
}

const cc_op cc_op_scatter_update = {
    .name = "scatter_update",
    .inputs = "x indices updates",
    .meaning = "x: what is updated; indices: rows of x, by their positions along its first axis, below 0 counted from the end; "
               "updates: a row for each index",
    .types = "n i n -> n",
    .attributes = scatter_update_attributes,
    .attributes_size = sizeof(scatter_update),
    .flags = CC_INPLACE,
    .infer = scatter_update_infer,
    .need = scatter_update_need,
    .forward = scatter_update_forward,
    .backward = scatter_update_backward};
