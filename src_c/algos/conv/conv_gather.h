/* A convolution as a product of matrices whose rows are read from an image by pointer: what direct and im2col share.
 *
 * Forward, output pixel (oy, ox) reads x at oy sh - pt + dh ty. The input gradient is the transposed relation: pixel iy of dx
 * receives from every oy with oy sh - pt + dh ty = iy. Of the sh possible values of (iy + pt) mod sh each is served by its own
 * taps: those with dh ty = iy + pt (mod sh). Within such a *phase*, stepping iy by sh steps oy by 1, and going to the phase's
 * next tap moves oy back by a constant: a dense convolution with stride 1. So along an axis both directions read
 *
 *     source(i, t) = i step + offset + t tap_step       for the destination cell first + i every
 *
 * with step = stride, every = 1 forward, and step = 1, every = stride backward. A phase is one of each axis. */
#ifndef CC_CONV_GATHER_H
#define CC_CONV_GATHER_H

#include "algos/conv/conv.h"
#include "algos/gemm.h"

typedef struct cc_gather_axis {
    int64_t count, first, every;           /* destination cells: first + i every, i < count */
    int64_t step, offset, tap_step, limit; /* source cell i step + offset + t tap_step, in the padding unless in 0 .. limit-1 */
    int64_t taps, kernel_first, kernel_every; /* tap t of the phase is kernel cell kernel_first + t kernel_every */
} cc_gather_axis;

typedef struct cc_gather {
    int64_t n;
    cc_gather_axis d, h, w;
    const float *source; /* [n][d.limit][h.limit][w.limit][source_channels], at the group's first channel */
    int64_t source_channels;
    float *target; /* [n][target_d][target_h][target_w][target_channels], at the group's first channel */
    int64_t target_d, target_h, target_w, target_channels;
} cc_gather;

/* Row i is the i-th destination pixel (images outermost); taps count along w first, d last. */
static inline int64_t cc_gather_rows(const cc_gather *g)
{
    return g->n * g->d.count * g->h.count * g->w.count;
}

static inline int64_t cc_gather_taps(const cc_gather *g)
{
    return g->d.taps * g->h.taps * g->w.taps;
}

/* For cc_product. */
cc_rows cc_rows_of_gather;

/* The axis for the forward pass, and for one phase of the input gradient: 0 .. cc_gather_phases-1, for those beyond have no
 * cells. */
static inline int64_t cc_gather_phases(const cc_axis *axis)
{
    return axis->stride < axis->in ? axis->stride : axis->in;
}
cc_gather_axis cc_gather_forward(const cc_axis *axis);
cc_gather_axis cc_gather_backward(const cc_axis *axis, int64_t phase);

/* The whole of a pass from one image to the other: y from x, or a phase of dx from dy (cc_conv_phases of them, along w first). */
static inline int64_t cc_conv_phases(const cc_conv *conv)
{
    const cc_window *window = &conv->window;
    return cc_gather_phases(&window->d) * cc_gather_phases(&window->h) * cc_gather_phases(&window->w);
}
cc_gather cc_gather_of_forward(const cc_conv *conv, float *y, const float *x);
cc_gather cc_gather_of_phase(const cc_conv *conv, int64_t phase, float *dx, const float *dy);

/* cc_conv_algorithm.packed and .pack of both. Forward: [groups][panels of oc / groups][taps][c / groups][nr]. Input gradient:
 * [phases][groups][panels of c / groups][taps of the phase][oc / groups][nr]. */
int64_t cc_gather_packed(const cc_conv *conv, cc_conv_pass pass);
void cc_gather_pack(const cc_conv *conv, cc_conv_pass pass, float *packed, const float *w, const cc_team *team);

/* Multiply-adds of the gemm kernel at full speed in a cycle, about: the unit in which estimates count other work. */
static inline double cc_gather_cycle(void)
{
    return cc_kernels_get()->gemm.nr >= 16 ? 16 : 4;
}

/* By how much a product of n columns misses full speed: with one vector of them every multiply-add needs a load of its own. */
static inline double cc_gather_factor(int64_t n)
{
    return n <= cc_kernels_get()->gemm.nr / 2 ? 1.3 : 1.02;
}

/* An estimate of forward and input gradient, see cc_conv_algorithm.cost: a product of whole vectors, and for each pixel and tap
 * what a pointer costs, and `extra`. */
double cc_gather_cost(const cc_conv *conv, cc_conv_pass pass, double extra);

/* Forward and input gradient as products over a gather, one per group (and phase). patches: NULL to read in place, else
 * CC_PATCH_FLOATS floats of this thread. */
void cc_gather_forward_product(const cc_conv *conv, float *y, const float *x, const float *packed, const cc_epilogue *epilogue,
                               float *patches, const cc_team *team);
void cc_gather_input_gradient_product(const cc_conv *conv, float *dx, const float *dy, const float *packed,
                                      const cc_epilogue *epilogue, float *patches, const cc_team *team);

#endif
