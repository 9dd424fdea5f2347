/* Shape rules that several ops share: see infer.h. */
#include "ops/infer.h"
#include <string.h>

cconv_status cc_infer_same(const cc_call *call, cc_shape *ys)
{
    *ys = call->xs[0];
    return CCONV_OK;
}

cconv_status cc_infer_axis(const cc_call *call, int64_t axis, int rank, int *index)
{
    char text[CC_SHAPE_TEXT];
    if (rank == 0)
        return cc_op_fail(call, CCONV_INVALID, "expected an input with at least one axis, received a scalar and axis %lld",
                          (long long)axis);
    if (axis < -rank || axis >= rank)
        return cc_op_fail(call, CCONV_INVALID, "expected an axis from %d to %d, received %lld for an input of shape %s", -rank,
                          rank - 1, (long long)axis, cc_shape_text(&call->xs[0], text));
    *index = cc_axis_of(axis, rank);
    return CCONV_OK;
}

cconv_status cc_infer_image(const cc_call *call, int i, int *rank)
{
    char text[CC_SHAPE_TEXT];
    *rank = call->xs[i].rank - 2;
    if (*rank >= 1 && *rank <= 3) return CCONV_OK;
    return cc_op_fail(call, CCONV_INVALID,
                      "expected images of shape (n, w, c), (n, h, w, c) or (n, d, h, w, c), received shape %s",
                      cc_shape_text(&call->xs[i], text));
}

cconv_status cc_infer_axes(const cc_call *call, const cc_list *axes, unsigned *bits)
{
    *bits = 0;
    for (int i = 0; i < axes->n; ++i) {
        int index;
        CC_TRY(cc_infer_axis(call, axes->v[i], call->xs[0].rank, &index));
        if (*bits >> index & 1u)
            return cc_op_fail(call, CCONV_INVALID, "expected each axis once, received axis %d twice", index);
        *bits |= 1u << index;
    }
    return CCONV_OK;
}

void cc_copy(float *to, const float *from, int64_t n, const cc_team *team)
{
    cc_range mine = cc_slice(team, n, 4096);
    if (to != from && mine.begin < mine.end)
        memcpy(to + mine.begin, from + mine.begin, (size_t)(mine.end - mine.begin) * sizeof *to);
}

void cc_no_gradient(const cc_call *call, int k, const cc_team *team)
{
    if (k >= call->n_inputs || !call->dx[k]) return;
    const cc_range mine = cc_slice(team, cc_shape_count(&call->xs[k]), 4096);
    if (mine.begin < mine.end) memset(call->dx[k] + mine.begin, 0, (size_t)(mine.end - mine.begin) * sizeof(float));
}
