/* concatenate: inputs alike but for one axis -> y, one after another along it. Each dx is its part of dy. Along the last axis
 * inputs may have been written there in the first place (plan/parts.c). */
#include "ops/axes.h"
#include "ops/infer.h"
#include <string.h>

static const cc_attr concatenate_attributes[] = {{"axis", CC_INT, offsetof(cc_axis_attributes, axis), "-1", NULL,
                                                  "along which they stand one after another; below 0 counted from the last"},
                                                 {0}};

static cconv_status concatenate_infer(const cc_call *call, cc_shape *ys)
{
    char text[2][CC_SHAPE_TEXT];
    int axis;
    CC_TRY(cc_infer_axis(call, ((const cc_axis_attributes *)call->attributes)->axis, call->xs[0].rank, &axis));
    *ys = call->xs[0];
    for (int i = 1; i < call->n_inputs; ++i) {
        const cc_shape *xs = &call->xs[i];
        bool fits = xs->rank == ys->rank;
        for (int k = 0; fits && k < ys->rank; ++k) {
            if (k == axis) {
                ys->dim[k] = ys->dim[k] < 0 || xs->dim[k] < 0 ? CC_UNKNOWN : ys->dim[k] + xs->dim[k];
            } else {
                fits = cc_agree(ys->dim[k], xs->dim[k]);
                if (ys->dim[k] < 0) ys->dim[k] = xs->dim[k];
            }
        }
        if (!fits)
            return cc_op_fail(call, CCONV_INVALID, "expected shapes equal but for axis %d, received %s and %s (input %d)", axis,
                              cc_shape_text(&call->xs[0], text[0]), cc_shape_text(xs, text[1]), i);
        if (!cc_shape_check(ys)) return cc_op_fail(call, CCONV_INVALID, "the output is too large to address");
    }
    return CCONV_OK;
}

/* Copies this thread's share of input i to its part of y, or, if `back`, that part of dy to dx[i]. `before` is how far along a row
 * of y it begins, a row being everything from the axis on. */
static void concatenate_copy_part(const cc_call *call, const cc_team *team, int i, int64_t row, int64_t before, bool back)
{
    const cc_shape *xs = &call->xs[i];
    int axis = cc_axis_of(((const cc_axis_attributes *)call->attributes)->axis, xs->rank);
    int64_t part = cc_shape_product(xs, axis, xs->rank);
    cc_range mine = cc_slice(team, cc_shape_count(xs), 2048);
    for (int64_t at = mine.begin; at < mine.end;) {
        int64_t place = at % part, run = part - place < mine.end - at ? part - place : mine.end - at;
        int64_t other = at / part * row + before + place;
        if (back)
            memcpy(call->dx[i] + at, call->dy + other, (size_t)run * sizeof(float));
        else
            memcpy(call->y + other, call->x[i] + at, (size_t)run * sizeof(float));
        at += run;
    }
}

static void concatenate_copy_parts(const cc_call *call, const cc_team *team, bool back)
{
    int axis = cc_axis_of(((const cc_axis_attributes *)call->attributes)->axis, call->ys.rank);
    int64_t row = cc_shape_product(&call->ys, axis, call->ys.rank), before = 0;
    for (int i = 0; i < call->n_inputs; ++i) {
        if (back ? call->dx[i] != NULL : call->x[i] != call->y + before)
            concatenate_copy_part(call, team, i, row, before, back);
        before += cc_shape_product(&call->xs[i], axis, call->ys.rank);
    }
}

static void concatenate_need(const cc_call *call, int nth, cc_need *need)
{
    (void)nth;
    need->parts = cc_axis_of(((const cc_axis_attributes *)call->attributes)->axis, call->ys.rank) == call->ys.rank - 1;
}

static void concatenate_forward(const cc_call *call, const cc_team *team)
{
    concatenate_copy_parts(call, team, false);
}

static void concatenate_backward(const cc_call *call, const cc_team *team)
{
    concatenate_copy_parts(call, team, true);
}

static bool concatenate_per_sample(const cc_call *call)
{
    return cc_axis_of(((const cc_axis_attributes *)call->attributes)->axis, call->ys.rank) != 0;
}

const cc_op cc_op_concatenate = {.name = "concatenate",
                                 .inputs = "x*",
                                 .meaning = "x: one or more, which differ in size along the axis only",
                                 .types = "t -> t",
                                 .attributes = concatenate_attributes,
                                 .attributes_size = sizeof(cc_axis_attributes),
                                 .per_sample = concatenate_per_sample,
                                 .infer = concatenate_infer,
                                 .need = concatenate_need,
                                 .forward = concatenate_forward,
                                 .backward = concatenate_backward};
