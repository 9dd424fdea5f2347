/* zero_pad2d: x[n][h][w][c] -> y[n][pt + h + pb][pl + w + pr][c], zeros around x. dx is the inside of dy. */
#include "algos/box.h"
#include "ops/op.h"

typedef struct zero_pad2d {
    cc_list pads; /* top, left, bottom, right */
} zero_pad2d;

static const cc_attr zero_pad2d_attributes[] = {{"pads", CC_LIST, offsetof(zero_pad2d, pads), NULL, NULL}, {0}};

static cconv_status zero_pad2d_infer(const cc_call *call, cc_shape *ys)
{
    const cc_list *pads = &((const zero_pad2d *)call->attributes)->pads;
    const cc_shape *xs = &call->xs[0];
    char text[CC_SHAPE_TEXT];
    CC_TRY(cc_op_check_rank(call, 0, 4, "n, h, w, c"));
    if (pads->n != 4)
        return cc_op_fail(call, CCONV_INVALID, "expected 4 pads (top, left, bottom, right), received %d", pads->n);
    *ys = *xs;
    for (int i = 0; i < 4; ++i) {
        int64_t pad = pads->v[i], *size = &ys->dim[1 + i % 2];
        if (pad < 0 || pad > INT32_MAX)
            return cc_op_fail(call, CCONV_INVALID, "expected pads from 0 to %d, received %lld", INT32_MAX, (long long)pad);
        if (*size >= 0) *size += pad;
    }
    if (cc_shape_known(ys) && !cc_shape_check(ys))
        return cc_op_fail(call, CCONV_INVALID, "expected a padded image that fits in memory, received shape %s",
                          cc_shape_text(ys, text));
    return CCONV_OK;
}

static void zero_pad2d_forward(const cc_call *call, const cc_team *team)
{
    const cc_list *pads = &((const zero_pad2d *)call->attributes)->pads;
    cc_box_put(call->y, &call->ys, call->x[0], &call->xs[0], (int64_t[]){0, pads->v[0], pads->v[1], 0}, team);
}

static void zero_pad2d_backward(const cc_call *call, const cc_team *team)
{
    const cc_list *pads = &((const zero_pad2d *)call->attributes)->pads;
    if (!call->dx[0]) return;
    cc_box_take(call->dx[0], &call->xs[0], call->dy, &call->ys, (int64_t[]){0, pads->v[0], pads->v[1], 0}, team);
}

const cc_op cc_op_zero_pad2d = {.name = "zero_pad2d",
                                .inputs = "x", .types = "t -> t",
                                .attributes = zero_pad2d_attributes,
                                .attributes_size = sizeof(zero_pad2d),
                                .infer = zero_pad2d_infer,
                                .forward = zero_pad2d_forward,
                                .backward = zero_pad2d_backward};
