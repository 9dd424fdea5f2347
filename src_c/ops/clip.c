/* clip: x -> y of the same shape, y = min(max(x, minimum), maximum). dx = dy where minimum <= x <= maximum, else 0. */
#include "ops/clip.h"
#include "ops/infer.h"

static const cc_attr clip_attributes[] = {
    {"minimum", CC_FLOAT, offsetof(cc_clip_attributes, minimum), NULL, NULL, "smallest value that is let through"},
    {"maximum", CC_FLOAT, offsetof(cc_clip_attributes, maximum), NULL, NULL, "largest value that is let through"},
    {0}};

static cconv_status clip_infer(const cc_call *call, cc_shape *ys)
{
    const cc_clip_attributes *a = call->attributes;
    if (a->minimum > a->maximum)
        return cc_op_fail(call, CCONV_INVALID, "expected minimum <= maximum, received %g and %g", (double)a->minimum,
                          (double)a->maximum);
    return cc_infer_same(call, ys);
}

static void clip_forward(const cc_call *call, const cc_team *team)
{
    const cc_clip_attributes *a = call->attributes;
    const float *x = call->x[0], low = a->minimum, high = a->maximum;
    float *y = call->y;
    cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 2048);
    for (int64_t i = mine.begin; i < mine.end; ++i) y[i] = x[i] < low ? low : x[i] > high ? high : x[i];
}

static void clip_backward(const cc_call *call, const cc_team *team)
{
    const cc_clip_attributes *a = call->attributes;
    const float *x = call->x[0], *dy = call->dy, low = a->minimum, high = a->maximum;
    float *dx = call->dx[0];
    if (!dx) return;
    cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 2048);
    for (int64_t i = mine.begin; i < mine.end; ++i) dx[i] = x[i] >= low && x[i] <= high ? dy[i] : 0;
}

const cc_op cc_op_clip = {.name = "clip",
                          .inputs = "x",
                          .attributes = clip_attributes,
                          .attributes_size = sizeof(cc_clip_attributes),
                          .flags = CC_INPLACE | CC_INPLACE_BACKWARD | CC_ELEMENTWISE,
                          .reads = CC_READS_X(0),
                          .infer = clip_infer,
                          .forward = clip_forward,
                          .backward = clip_backward};
