/* 2-D convolution over plain arrays, three functions per algorithm:
 *
 *     forward          y[n][oh][ow][oc] = act(b[oc] + sum over ty, tx, c of x[n][iy][ix][c] w[ty][tx][c][oc])
 *     input gradient   dx[n][h][w][c]
 *     weight gradient  dw[kh][kw][c / groups][oc]
 *
 * where iy = oy sh - pt + dh ty, ix = ox sw - pl + dw tx, and cells outside the image are 0. Output channel j of group g = j / (oc /
 * groups) sees the input channels of group g only. dy is the gradient before the activation: the caller has multiplied it by act'.
 *
 *   direct     reads the image in place, through row pointers; depthwise shapes (one input channel per group) take loops over channels
 *   im2col     copies the patches of a block of pixels side by side first, then multiplies matrices
 *
 * Every function is entered by all threads of a team. */
#ifndef CC_CONV2D_H
#define CC_CONV2D_H

#include "activation.h"
#include "gemm.h"
#include "team.h"
#include "window.h"

typedef struct cc_conv2d {
    int64_t n, c, oc, groups;
    cc_window window; /* h, w: sizes of image, output, kernel; strides, dilation, padding */
} cc_conv2d;

static inline int64_t cc_conv2d_taps(const cc_conv2d *conv)
{
    return conv->window.h.kernel * conv->window.w.kernel;
}

static inline int64_t cc_conv2d_pixels(const cc_conv2d *conv) /* of the output */
{
    return conv->n * conv->window.h.out * conv->window.w.out;
}

/* One input channel per group. */
static inline bool cc_conv2d_is_depthwise(const cc_conv2d *conv)
{
    return conv->c == conv->groups && conv->groups > 1;
}

/* ---- conv2d_gather.c: images as rows of a product ----
 *
 * Forward, output pixel (oy, ox) reads x at oy sh - pt + dh ty. The input gradient is the transposed relation: pixel iy of dx
 * receives from every oy with oy sh - pt + dh ty = iy. Of the sh possible values of (iy + pt) mod sh each is served by its own taps:
 * those with dh ty = iy + pt (mod sh). Within such a *phase*, stepping iy by sh steps oy by 1, and going to the phase's
 * next tap moves oy back by a constant: a dense convolution with stride 1. So along an axis both directions read
 *
 *     source(i, t) = i step + offset + t tap_step       for the destination cell first + i every
 *
 * with step = stride, every = 1 forward, and step = 1, every = stride backward. */
typedef struct cc_gather_axis {
    int64_t count, first, every;           /* destination cells: first + i every, i < count */
    int64_t step, offset, tap_step, limit; /* source cell i step + offset + t tap_step, in the padding unless in 0 .. limit-1 */
    int64_t taps, kernel_first, kernel_every; /* tap t of the phase is kernel cell kernel_first + t kernel_every */
} cc_gather_axis;

typedef struct cc_gather {
    int64_t n;
    cc_gather_axis h, w;
    const float *source; /* [n][h.limit][w.limit][source_channels], at the group's first channel */
    int64_t source_channels;
    float *target; /* [n][target_h][target_w][target_channels], at the group's first channel */
    int64_t target_h, target_w, target_channels;
} cc_gather;

/* For cc_product: row i is the i-th destination pixel (images outermost), tap t is (t / w.taps, t % w.taps). */
cc_rows cc_rows_of_gather;

/* The axis for the forward pass, and for one phase of the input gradient: 0 .. cc_gather_phases-1, for those beyond have no cells. */
static inline int64_t cc_gather_phases(const cc_axis *axis)
{
    return axis->stride < axis->in ? axis->stride : axis->in;
}
cc_gather_axis cc_gather_forward(const cc_axis *axis);
cc_gather_axis cc_gather_backward(const cc_axis *axis, int64_t phase);

/* ---- Packed weights ---- */

/* Floats of the weights packed for the forward pass, for the input gradient; 0 if the algorithm does not pack. */
int64_t cc_conv2d_packed(const cc_conv2d *conv, bool im2col);
int64_t cc_conv2d_packed_transposed(const cc_conv2d *conv, bool im2col);
/* Packs w, split over the team; the caller puts a barrier behind it. */
void cc_conv2d_pack(const cc_conv2d *conv, float *packed, const float *w, const cc_team *team);
void cc_conv2d_pack_transposed(const cc_conv2d *conv, float *packed, const float *w, const cc_team *team);

/* Forward and input gradient as products over a gather, one per group (and phase): both algorithms. patches: NULL to read in
 * place, else CC_PATCH_FLOATS floats of this thread. */
void cc_conv2d_forward_product(const cc_conv2d *conv, float *y, const float *x, const float *packed, const float *bias,
                               cc_activation act, float alpha, float *patches, const cc_team *team);
void cc_conv2d_input_gradient_product(const cc_conv2d *conv, float *dx, const float *dy, const float *packed, float *patches,
                                      const cc_team *team);

/* ---- conv2d_direct.c ---- w: the weights, read by depthwise shapes; packed: read by the others */
void cc_conv2d_direct_forward(const cc_conv2d *conv, float *y, const float *x, const float *w, const float *packed,
                              const float *bias, cc_activation act, float alpha, const cc_team *team);
void cc_conv2d_direct_input_gradient(const cc_conv2d *conv, float *dx, const float *dy, const float *w, const float *packed,
                                     const cc_team *team);
/* partial: cc_conv2d_direct_partial floats. A barrier inside. */
void cc_conv2d_direct_weight_gradient(const cc_conv2d *conv, float *dw, const float *x, const float *dy, float *partial,
                                      const cc_team *team);
int64_t cc_conv2d_direct_partial(const cc_conv2d *conv);

/* ---- conv2d_im2col.c ---- patches: CC_PATCH_FLOATS floats per thread of the team */
void cc_conv2d_im2col_forward(const cc_conv2d *conv, float *y, const float *x, const float *packed, const float *bias,
                              cc_activation act, float alpha, float *patches, const cc_team *team);
void cc_conv2d_im2col_input_gradient(const cc_conv2d *conv, float *dx, const float *dy, const float *packed, float *patches,
                                     const cc_team *team);
/* partial: cc_conv2d_im2col_partial floats. A barrier inside. */
void cc_conv2d_im2col_weight_gradient(const cc_conv2d *conv, float *dw, const float *x, const float *dy, float *patches,
                                      float *partial, const cc_team *team);
int64_t cc_conv2d_im2col_partial(const cc_conv2d *conv);

#endif
