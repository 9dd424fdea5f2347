/* What conv and dense share about the activation fused into them. y = act(z): the backward pass starts from
 *
 *     dz = dy act'(z), and act' is told from y, or from z where y does not say it (activation.h): then z is kept in `saved`. */
#ifndef CC_FUSED_H
#define CC_FUSED_H

#include "base/alloc.h"
#include "kernels/kernels.h"
#include "ops/op.h"

static inline cconv_status cc_fused_check(const cc_call *call, int act, float alpha)
{
    if ((act == CC_ACT_LEAKY_RELU || act == CC_ACT_ELU) && !(alpha >= 0 && isfinite(alpha)))
        return cc_op_fail(call, CCONV_INVALID, "expected a finite alpha of at least 0, received %g", (double)alpha);
    return CCONV_OK;
}

/* Whether z is kept in `saved`, and y made of it in a pass of its own. */
static inline bool cc_fused_keeps_z(const cc_call *call, int act)
{
    return call->differentiate && !cc_act_told_from_y((cc_activation)act);
}

/* Bytes of `saved`. */
static inline uint64_t cc_fused_saved(const cc_call *call, int act)
{
    return cc_fused_keeps_z(call, act) ? (uint64_t)cc_shape_count(&call->ys) * sizeof(float) : 0;
}

/* What backward reads: x for dw, w for dx, y for act'. */
static inline uint64_t cc_fused_reads(const cc_call *call, int act)
{
    uint64_t reads = 0;
    if (call->needs_gradient[1]) reads |= CC_READS_X(0);
    if (call->needs_gradient[0]) reads |= CC_READS_X(1);
    if (act != CC_ACT_LINEAR && act != CC_ACT_BINARY_STEP && !cc_fused_keeps_z(call, act)) reads |= CC_READS_Y;
    return reads;
}

/* Floats of scratch for dz: none where it is dy, or may be written over it. */
static inline int64_t cc_fused_gradient_floats(const cc_call *call, int act)
{
    return act == CC_ACT_LINEAR || call->own_dy ? 0 : cc_shape_count(&call->ys);
}

/* Writes dz, split over the team, a barrier behind it; `to` is that scratch. With no activation dz is dy itself. */
static inline const float *cc_fused_gradient(const cc_call *call, int act, float alpha, float *to, const cc_team *team)
{
    if (act == CC_ACT_LINEAR) return call->dy;
    if (call->own_dy) to = (float *)(uintptr_t)call->dy;
    const cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 2048);
    if (act == CC_ACT_BINARY_STEP) {
        for (int64_t i = mine.begin; i < mine.end; ++i) to[i] = 0;
    } else {
        const float *told_from = cc_fused_keeps_z(call, act) ? call->saved : call->y;
        cc_act_backward((cc_activation)act, alpha, to + mine.begin, call->dy + mine.begin, told_from + mine.begin,
                        mine.end - mine.begin);
    }
    cc_barrier_wait(team);
    return to;
}

/* Hands out consecutive aligned areas of scratch, and the bytes one of them takes. */
static inline float *cc_scratch_take(char **at, int64_t floats)
{
    float *area = (float *)(void *)*at;
    *at += CC_ALIGN_UP((size_t)floats * sizeof(float));
    return area;
}

static inline uint64_t cc_scratch_bytes(int64_t floats)
{
    return CC_ALIGN_UP((uint64_t)floats * sizeof(float));
}

#endif
