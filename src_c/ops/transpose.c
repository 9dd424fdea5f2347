/* transpose: x -> y, whose axis k is axis axes[k] of x. dx is dy with the axes put back. */
#include "ops/axes.h"
#include "ops/infer.h"
#include "base/minmax.h"
#include "kernels/kernels.h"
#include <string.h>

static const cc_attr transpose_attributes[] = {
    {"axes", CC_LIST, offsetof(cc_transpose_attributes, axes), NULL, NULL, "axis k of the output is axis axes[k] of x"}, {0}};

static cconv_status transpose_infer(const cc_call *call, cc_shape *ys)
{
    const cc_list *axes = &((const cc_transpose_attributes *)call->attributes)->axes;
    const cc_shape *xs = &call->xs[0];
    char text[CC_SHAPE_TEXT];
    unsigned bits;
    if (axes->n != xs->rank)
        return cc_op_fail(call, CCONV_INVALID, "expected %d axes, one for each of x, received %d for x of shape %s", xs->rank,
                          axes->n, cc_shape_text(xs, text));
    CC_TRY(cc_infer_axes(call, axes, &bits));
    *ys = (cc_shape){.rank = xs->rank};
    for (int k = 0; k < xs->rank; ++k) ys->dim[k] = xs->dim[cc_axis_of(axes->v[k], xs->rank)];
    return CCONV_OK;
}

/* Axes of what is written, with neighbours on both sides made one: sizes, and floats from one to the next in what is read. */
typedef struct transpose_axes {
    int rank; /* at least 1 */
    int64_t dim[CCONV_MAX_RANK], stride[CCONV_MAX_RANK];
} transpose_axes;

static transpose_axes transpose_merge(const cc_shape *shape, const int *order)
{
    transpose_axes a = {0};
    int64_t source[CCONV_MAX_RANK], step = 1;
    int place[CCONV_MAX_RANK]; /* the inverse of order */
    for (int k = 0; k < shape->rank; ++k) place[order[k]] = k;
    for (int k = shape->rank - 1; k >= 0; --k) {
        source[k] = step;
        step *= shape->dim[place[k]];
    }
    for (int k = 0; k < shape->rank; ++k) {
        const int64_t size = shape->dim[k], jump = source[order[k]];
        if (size == 1) continue;
        if (a.rank > 0 && a.stride[a.rank - 1] == jump * size) {
            a.dim[a.rank - 1] *= size;
            a.stride[a.rank - 1] = jump;
        } else {
            a.dim[a.rank] = size;
            a.stride[a.rank++] = jump;
        }
    }
    if (a.rank == 0) a.dim[0] = a.stride[0] = 1, a.rank = 1;
    return a;
}

/* Where the last axis is the last of both: whole runs of it. */
static void transpose_runs(float *to, const transpose_axes *a, const float *from, int64_t count, const cc_team *team)
{
    const cc_range mine = cc_slice(team, count, 2048);
    const int last = a->rank - 1;
    int64_t index[CCONV_MAX_RANK], rest = mine.begin, offset = 0;
    for (int k = last; k >= 0; --k) {
        index[k] = rest % a->dim[k];
        rest /= a->dim[k];
        offset += index[k] * a->stride[k];
    }
    for (int64_t i = mine.begin, run; i < mine.end; i += run) {
        run = cc_min(a->dim[last] - index[last], mine.end - i);
        memcpy(to + i, from + offset, (size_t)run * sizeof *to);
        offset -= index[last];
        index[last] = 0;
        for (int k = last - 1; k >= 0; --k) {
            offset += a->stride[k];
            if (++index[k] < a->dim[k]) break;
            offset -= a->dim[k] * a->stride[k];
            index[k] = 0;
        }
    }
}

/* Where what lies side by side in `from` is axis `side`, and in `to` the last one: tiles of both, so that each line of memory that
 * is fetched is used as a whole while it is near. */
static void transpose_tiles(float *to, const transpose_axes *a, const float *from, int side, const cc_team *team)
{
    enum { TILE = 4096, WIDE = 256 }; /* floats of a tile, 16 KB, and of a row of it, long enough to be fetched ahead */
    const int last = a->rank - 1;
    const int64_t wide = cc_min(WIDE, a->dim[last]), high = cc_min(TILE / wide, a->dim[side]), jump = a->stride[last];
    const int64_t down = (a->dim[side] + high - 1) / high, across = (a->dim[last] + wide - 1) / wide;
    int64_t pitch[CCONV_MAX_RANK], tasks = down * across;
    pitch[last] = 1;
    for (int k = last - 1; k >= 0; --k) pitch[k] = pitch[k + 1] * a->dim[k + 1];
    for (int k = 0; k < last; ++k) tasks *= k == side ? 1 : a->dim[k];
    const cc_range mine = cc_slice(team, tasks, (TILE + high * wide - 1) / (high * wide));
    for (int64_t task = mine.begin; task < mine.end; ++task) {
        const int64_t row = task / across % down * high, column = task % across * wide;
        const int64_t rows = cc_min(high, a->dim[side] - row), columns = cc_min(wide, a->dim[last] - column);
        float *y = to + row * pitch[side] + column;
        const float *x = from + row + column * jump;
        int64_t rest = task / (across * down);
        for (int k = last - 1; k >= 0; --k) {
            if (k == side) continue;
            y += rest % a->dim[k] * pitch[k];
            x += rest % a->dim[k] * a->stride[k];
            rest /= a->dim[k];
        }
        cc_kernels_get()->transpose.matrix(y, pitch[side], x, jump, rows, columns);
    }
}

/* to, of the shape given, takes its axis k from axis order[k] of `from`. */
static void transpose_permute(float *to, const cc_shape *shape, const float *from, const int *order, const cc_team *team)
{
    const transpose_axes a = transpose_merge(shape, order);
    const int64_t count = cc_shape_count(shape);
    int side = 0;
    if (count == 0) return;
    while (a.stride[side] != 1) ++side;
    if (side == a.rank - 1)
        transpose_runs(to, &a, from, count, team);
    else
        transpose_tiles(to, &a, from, side, team);
}

static void transpose_forward(const cc_call *call, const cc_team *team)
{
    const cc_list *axes = &((const cc_transpose_attributes *)call->attributes)->axes;
    int order[CCONV_MAX_RANK];
    for (int k = 0; k < axes->n; ++k) order[k] = cc_axis_of(axes->v[k], axes->n);
    transpose_permute(call->y, &call->ys, call->x[0], order, team);
}

static void transpose_backward(const cc_call *call, const cc_team *team)
{
    const cc_list *axes = &((const cc_transpose_attributes *)call->attributes)->axes;
    int order[CCONV_MAX_RANK];
    for (int k = 0; k < axes->n; ++k) order[cc_axis_of(axes->v[k], axes->n)] = k;
    if (call->dx[0]) transpose_permute(call->dx[0], &call->xs[0], call->dy, order, team);
}

static bool transpose_per_sample(const cc_call *call)
{
    return cc_axis_of(((const cc_transpose_attributes *)call->attributes)->axes.v[0], call->ys.rank) == 0;
}

const cc_op cc_op_transpose = {.name = "transpose",
                               .inputs = "x",
                               .types = "t -> t",
                               .attributes = transpose_attributes,
                               .attributes_size = sizeof(cc_transpose_attributes),
                               .per_sample = transpose_per_sample,
                               .infer = transpose_infer,
                               .forward = transpose_forward,
                               .backward = transpose_backward};
