/* 2-D convolution over plain arrays: the geometry, and what an algorithm is. Three passes:
 *
 *     forward          y[n][oh][ow][oc] = act(b[oc] + sum over ty, tx, c of x[n][iy][ix][c] w[ty][tx][c][oc])
 *     input gradient   dx[n][h][w][c]
 *     weight gradient  dw[kh][kw][c / groups][oc]
 *
 * where iy = oy sh - pt + dh ty, ix = ox sw - pl + dw tx, and cells outside the image are 0. Output channel j of group g = j / (oc /
 * groups) sees the input channels of group g only. dy is the gradient before the activation: the caller has multiplied it by act'.
 *
 * An algorithm is a table of functions in a file of its own, named in CC_CONV_ALGORITHMS; conv_choose.c picks one for each pass. */
#ifndef CC_CONV_H
#define CC_CONV_H

#include "kernels/elementwise/activation.h"
#include "base/minmax.h"
#include "base/team.h"
#include "algos/window.h"

typedef struct cc_conv {
    int64_t n, c, oc, groups;
    cc_window window; /* h, w: sizes of image, output, kernel; strides, dilation, padding */
} cc_conv;

static inline int64_t cc_conv_taps(const cc_conv *conv)
{
    return conv->window.h.kernel * conv->window.w.kernel;
}

static inline int64_t cc_conv_pixels(const cc_conv *conv) /* of the output */
{
    return conv->n * conv->window.h.out * conv->window.w.out;
}

/* Multiplications and additions of one pass: the same for all three. */
static inline double cc_conv_work(const cc_conv *conv)
{
    return (double)cc_conv_pixels(conv) * (double)cc_conv_taps(conv) * (double)(conv->c / conv->groups) * (double)conv->oc;
}

typedef enum cc_conv_pass {
    CC_CONV_FORWARD,
    CC_CONV_INPUT_GRADIENT,
    CC_CONV_WEIGHT_GRADIENT,
    CC_CONV_PASSES
} cc_conv_pass;

/* What is done to the sums of the forward pass before they are stored. */
typedef struct cc_epilogue {
    const float *bias; /* [oc], or NULL */
    cc_activation act;
    float alpha;
    bool accumulate; /* the sums are added to what y holds (then bias, then act); only of algorithms that say they can */
} cc_epilogue;

/* Every function that takes a team is entered by all of its threads; the caller puts a barrier behind it. Results do not depend on
 * team->nth. packed() and scratch() do not grow when n shrinks: a plan makes room for its largest batch. */
typedef struct cc_conv_algorithm {
    const char *name; /* as in the attribute `algorithm` */

    /* Whether it computes this convolution. Looks at c, oc, groups, kernel, strides and dilation, at no size of an image. NULL: all. */
    bool (*supports)(const cc_conv *conv);

    /* An estimate of a pass's time, in multiply-adds of the gemm kernel at full speed. */
    double (*cost)(const cc_conv *conv, cc_conv_pass pass);

    /* Floats of the rearranged weights that forward and input_gradient read, and the function that writes them. NULL: they read w. */
    int64_t (*packed)(const cc_conv *conv, cc_conv_pass pass);
    void (*pack)(const cc_conv *conv, cc_conv_pass pass, float *packed, const float *w, const cc_team *team);

    bool accumulates; /* forward can do epilogue->accumulate */

    /* Whether a pass by at most nth threads over weights that are used once had better rearrange them bit by bit as it goes: `packed` is
     * NULL then, and w is read. NULL: no. */
    bool (*packs_on_the_fly)(const cc_conv *conv, cc_conv_pass pass, int nth);

    /* Floats of scratch of a pass run by at most nth threads. NULL: none. */
    int64_t (*scratch)(const cc_conv *conv, cc_conv_pass pass, int nth);

    void (*forward)(const cc_conv *conv, float *y, const float *x, const float *w, const float *packed,
                    const cc_epilogue *epilogue, float *scratch, const cc_team *team);
    void (*input_gradient)(const cc_conv *conv, float *dx, const float *dy, const float *w, const float *packed,
                           float *scratch, const cc_team *team);
    void (*weight_gradient)(const cc_conv *conv, float *dw, const float *x, const float *dy, float *scratch,
                            const cc_team *team);
} cc_conv_algorithm;

/*   direct     reads the image in place, through row pointers
 *   im2col     copies the patches of a block of pixels side by side first, then multiplies matrices
 *   depthwise  one input channel per group: loops over the channels
 *   grouped    several groups of several channels: a vector of channels covers as many as find room in it
 *   winograd   3x3 kernels of stride 1: transforms tiles of the image, which then need 2 to 4 times fewer multiplications
 *   rows       few channels, no dilation: the pixels under a row of the kernel are one run of numbers; see conv_rows.c */
#define CC_CONV_ALGORITHMS(X) X(direct) X(im2col) X(depthwise) X(grouped) X(winograd) X(rows)
#define CC_CONV_AUTO          "auto"
#define CC_CONV_CHOICES       "auto|direct|im2col|depthwise|grouped|winograd|rows" /* the same names, as the choices of an attribute */

#define CC_CONV_DECLARE(name) extern const cc_conv_algorithm cc_conv_##name;
CC_CONV_ALGORITHMS(CC_CONV_DECLARE)
#undef CC_CONV_DECLARE

/* Algorithm i, in that order; NULL past the last. */
const cc_conv_algorithm *cc_conv_algorithm_at(int i);

/* Whether algorithm i fits and may be chosen. */
bool cc_conv_may_choose(const cc_conv *conv, int i);

/* The number of the one with the least estimated cost for a pass. Depends on the sizes only. */
int cc_conv_choose(const cc_conv *conv, cc_conv_pass pass);

/* The number of the fastest one, measured now with nth threads, or remembered. once: a run uses the weights once. */
int cc_conv_measure(const cc_conv *conv, cc_conv_pass pass, bool once, int nth);

#endif
