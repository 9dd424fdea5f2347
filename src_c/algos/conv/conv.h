/* Convolution of images of one to three axes over plain arrays: the geometry, and what an algorithm is. Three passes:
 *
 *     forward          y[n][od][oh][ow][oc] = act(b[oc] + sum over tz, ty, tx, c of x[n][iz][iy][ix][c] w[tz][ty][tx][c][oc])
 *     input gradient   dx[n][d][h][w][c]
 *     weight gradient  dw[kd][kh][kw][c / groups][oc]
 *
 * where along each axis i = o s - p + d t, and cells outside the image are 0. Output channel j of group g = j / (oc / groups)
 * sees the input channels of group g only. dy is the gradient before the activation: the caller has multiplied it by act'.
 *
 * A transposed convolution is the same passes in other places: its output is the input gradient, whose sums may therefore have
 * a bias and an activation, too; its input gradient is the forward pass, and in the weight gradient x and dy stand for each
 * other.
 *
 * An algorithm is a table of functions in a file of its own, named in CC_CONV_ALGORITHMS; conv_choose.c picks one for each
 * pass. */
#ifndef CC_CONV_H
#define CC_CONV_H

#include "kernels/elementwise/activation.h"
#include "base/minmax.h"
#include "base/team.h"
#include "algos/window.h"

typedef struct cc_conv {
    int64_t n, c, oc, groups;
    cc_window window; /* sizes of image, output, kernel; strides, dilation, padding */
    bool unchecked;   /* NaNs, infinities and numbers near the largest may spread to their neighbours */
} cc_conv;

static inline int64_t cc_conv_taps(const cc_conv *conv)
{
    return cc_window_cells(&conv->window);
}

static inline int64_t cc_conv_pixels(const cc_conv *conv) /* of the output */
{
    return conv->n * cc_window_outputs(&conv->window);
}

/* Whether the planes of an image have nothing to do with each other: then they are images, n counts them, and the first axis is
 * of one cell. What an algorithm of two axes can do by itself; others do volumes by it, see conv_volume.h. */
static inline bool cc_conv_is_flat(const cc_conv *conv)
{
    return cc_axis_is_pointwise(&conv->window.d);
}

/* Blocks into which the `columns` of a row are divided where rows are what threads share: a signal has one row for each image. */
static inline int64_t cc_conv_row_blocks(int64_t images, int64_t rows, int64_t columns)
{
    enum { TASKS = 64, COLUMNS = 32 }; /* enough for many threads, and for a block to be worth its while */
    if (rows != 1 || images >= TASKS) return 1;
    return cc_max(1, cc_min(TASKS / cc_max(images, 1), columns / COLUMNS));
}

/* Multiplications and additions of one pass: the same for all three. */
static inline double cc_conv_work(const cc_conv *conv)
{
    return (double)cc_conv_pixels(conv) * (double)cc_conv_taps(conv) * (double)(conv->c / conv->groups) * (double)conv->oc;
}

typedef enum cc_conv_pass { CC_CONV_FORWARD, CC_CONV_INPUT_GRADIENT, CC_CONV_WEIGHT_GRADIENT, CC_CONV_PASSES } cc_conv_pass;

/* What is done to the sums of a pass that makes an image before they are stored. */
typedef struct cc_epilogue {
    const float *bias; /* one number for each channel of that image, or NULL */
    cc_activation act;
    float alpha;
    bool accumulate; /* the sums are added to what it holds (then bias, then act); only of algorithms that say they can */
    int64_t pitch; /* floats from a pixel of y to the next; 0: as many as channels; only of forward passes that say they can */
} cc_epilogue;

/* Makes an image from an image: y from x, or dx from dy. */
typedef void cc_conv_images(const cc_conv *conv, float *to, const float *from, const float *w, const float *packed,
                            const cc_epilogue *epilogue, float *scratch, const cc_team *team);

/* Every function that takes a team is entered by all of its threads; the caller puts a barrier behind it. Results do not depend
 * on team->nth. packed() and scratch() do not grow when n shrinks: a plan makes room for its largest batch. */
typedef struct cc_conv_algorithm {
    const char *name; /* as in the attribute `algorithm` */

    /* Whether it computes this convolution. Looks at c, oc, groups, kernel, strides, dilation and padding, at no size of an
     * image. NULL: all. */
    bool (*supports)(const cc_conv *conv);

    /* An estimate of a pass's time, in multiply-adds of the gemm kernel at full speed. */
    double (*cost)(const cc_conv *conv, cc_conv_pass pass);

    /* Floats of the rearranged weights that forward and input_gradient read, and the function that writes them. NULL: they read
     * w. Where the same weights are packed into as many floats, for a pass and a window of the same kernel, stride, dilation and
     * (for the input gradient) padding, they are packed alike: image sizes change nothing else. */
    int64_t (*packed)(const cc_conv *conv, cc_conv_pass pass);
    void (*pack)(const cc_conv *conv, cc_conv_pass pass, float *packed, const float *w, const cc_team *team);

    bool by_rows; /* forward wants no scratch, and makes of some rows of an image the same rows of y, bit for bit, as of all */
    bool accumulates; /* both passes can do epilogue->accumulate */
    bool pitched;     /* forward can do epilogue->pitch where planes are images (cc_conv_is_flat) */
    /* Unless unchecked, they may read w beside `packed`. Others read one of the two. */
    bool rereads_weights;

    /* Whether a pass by at most nth threads over weights that are used once had better rearrange them bit by bit as it goes:
     * `packed` is NULL then, and w is read. NULL: no. */
    bool (*packs_on_the_fly)(const cc_conv *conv, cc_conv_pass pass, int nth);

    /* Floats of scratch of a pass run by at most nth threads. NULL: none. */
    int64_t (*scratch)(const cc_conv *conv, cc_conv_pass pass, int nth);

    cc_conv_images *forward, *input_gradient;
    void (*weight_gradient)(const cc_conv *conv, float *dw, const float *x, const float *dy, float *scratch,
                            const cc_team *team);
} cc_conv_algorithm;

/*   direct     reads the image in place, through row pointers
 *   im2col     copies the patches of a block of pixels side by side first, then multiplies matrices
 *   depthwise  one input channel per group: loops over the channels; no volumes
 *   grouped    several groups of several channels: a vector of channels holds as many as find room in it
 *   winograd   3x3 and 5x5 kernels of stride 1: transforms tiles of the image, which then need 2 to 4 times fewer multiplications
 *   rows       few channels, no dilation: the pixels under a row of the kernel lie side by side; see conv_rows.c
 *   planar     few channels, also in groups, no dilation: pixels in the lanes of vectors; forward, its gradients are direct's */
#define CC_CONV_ALGORITHMS(X) X(direct) X(im2col) X(depthwise) X(grouped) X(winograd) X(rows) X(planar)
#define CC_CONV_AUTO          "auto"
#define CC_CONV_CHOICES                                                                                                        \
    "auto|direct|im2col|depthwise|grouped|winograd|rows|planar" /* the same names, as the choices of an attribute */

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
