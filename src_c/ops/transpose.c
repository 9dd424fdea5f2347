/* transpose: x -> y, whose axis k is axis axes[k] of x. dx is dy with the axes put back. */
#include "ops/axes.h"
#include "ops/infer.h"
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

/* to, of the shape given, takes its axis k from axis order[k] of `from`. */
static void transpose_permute(float *to, const cc_shape *shape, const float *from, const int *order, const cc_team *team)
{
    int rank = 0;
    int64_t dim[CCONV_MAX_RANK], stride[CCONV_MAX_RANK], source[CCONV_MAX_RANK], index[CCONV_MAX_RANK] = {0}, step = 1;
    int place[CCONV_MAX_RANK]; /* the inverse of order */
    for (int k = 0; k < shape->rank; ++k) place[order[k]] = k;
    for (int k = shape->rank - 1; k >= 0; --k) {
        source[k] = step;
        step *= shape->dim[place[k]];
    }
    /* Neighbours on both sides become one axis. */
    for (int k = 0; k < shape->rank; ++k) {
        int64_t size = shape->dim[k], jump = source[order[k]];
        if (size == 1) continue;
        if (rank > 0 && stride[rank - 1] == jump * size) {
            dim[rank - 1] *= size;
            stride[rank - 1] = jump;
        } else {
            dim[rank] = size;
            stride[rank++] = jump;
        }
    }
    if (rank == 0) dim[0] = stride[0] = 1, rank = 1;

    cc_range mine = cc_slice(team, cc_shape_count(shape), 2048);
    if (mine.begin >= mine.end) return;
    int64_t rest = mine.begin, offset = 0;
    for (int k = rank - 1; k >= 0; --k) {
        index[k] = rest % dim[k];
        rest /= dim[k];
        offset += index[k] * stride[k];
    }
    const int last = rank - 1;
    for (int64_t i = mine.begin; i < mine.end;) {
        int64_t run = dim[last] - index[last], jump = stride[last];
        if (run > mine.end - i) run = mine.end - i;
        if (jump == 1)
            memcpy(to + i, from + offset, (size_t)run * sizeof *to);
        else
            for (int64_t j = 0; j < run; ++j) to[i + j] = from[offset + j * jump];
        i += run;
        offset -= index[last] * jump;
        index[last] = 0;
        for (int k = last - 1; k >= 0; --k) {
            offset += stride[k];
            if (++index[k] < dim[k]) break;
            offset -= dim[k] * stride[k];
            index[k] = 0;
        }
    }
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
