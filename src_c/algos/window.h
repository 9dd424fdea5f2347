/* The geometry of a window that slides over an image of one to three axes: sizes and padding of convolutions and poolings. The
 * only place that knows these rules. Along one axis, with `reach` = dilation (kernel - 1) + 1 cells covered by one window:
 *
 *     valid      no padding                               out = floor((in - reach) / stride) + 1
 *     explicit   `before` and `after` cells as given      out = floor((in + before + after - reach) / stride) + 1
 *     same       out = ceil(in / stride)                  total = max((out - 1) stride + reach - in, 0), before = floor(total / 2),
 *                                                         after = total - before: an odd cell goes to the end (Keras' rule)
 *
 * In ceil mode (that of ONNX and PyTorch) a last window that ends behind the padding counts, too, if it begins before the end
 * of the image:
 *
 *     valid, explicit                                     out = ceil((in + before + after - reach) / stride) + 1, or one fewer if
 *                                                         the last of them would begin at in + before or behind
 *     same                                                as above: there only windows that begin behind the image end behind it
 *
 * Output o covers the input cells o stride - before + dilation t, t in 0 .. kernel-1; those outside 0 .. in-1 are padding.
 *
 * A transposed convolution makes the image that such a window would slide over: `out` is given, `in` asked for. Several sizes
 * have the same number of windows; `extra` cells at the end (Keras' output_padding) choose among them:
 *
 *     valid      in = (out - 1) stride + reach + extra                    extra = max(stride - reach, 0) unless given
 *     explicit   in = (out - 1) stride + reach - before - after + extra   extra = 0 unless given
 *     same       in = (out - 1) stride + reach mod 2 + extra              in = out stride unless given; before is half of what the
 *                                                                         windows reach beyond that, rounded down */
#ifndef CC_WINDOW_H
#define CC_WINDOW_H

#include "base/attributes.h"
#include "base/status.h"
#include "base/shape.h"

typedef enum cc_padding { CC_PAD_VALID = 0, CC_PAD_SAME, CC_PAD_EXPLICIT } cc_padding;

/* The same order, as the choices of an attribute. */
#define CC_PADDING_CHOICES "valid|same|explicit"

#define CC_WINDOW_MAX 2147483647 /* of strides, dilations, kernels and pads: products of two fit in 64 bits */

typedef struct cc_axis {
    int64_t in, out; /* CC_UNKNOWN if not known */
    int64_t kernel, stride, dilation;
    int64_t before, after; /* padding; 0 while `in` is unknown and padding is same */
} cc_axis;

/* The axes of an image, outermost first. One with fewer than three has none of the first ones: those are of one cell that the
 * window covers (cc_axis_is_single), so that a loop over all three serves every rank. */
typedef struct cc_window {
    cc_axis d, h, w;
} cc_window;

#define CC_WINDOW_AXES 3

/* Axis i of an image of `rank` axes, 1 to CC_WINDOW_AXES. */
static inline cc_axis *cc_window_axis(cc_window *window, int rank, int i)
{
    cc_axis *axes[CC_WINDOW_AXES] = {&window->d, &window->h, &window->w};
    return axes[CC_WINDOW_AXES - rank + i];
}

static inline const char *cc_window_axis_name(int rank, int i)
{
    static const char *const names[CC_WINDOW_AXES] = {"depth", "height", "width"};
    return names[CC_WINDOW_AXES - rank + i];
}

static inline int64_t cc_window_cells(const cc_window *window) /* of the kernel */
{
    return window->d.kernel * window->h.kernel * window->w.kernel;
}

static inline int64_t cc_window_outputs(const cc_window *window) /* of one image */
{
    return window->d.out * window->h.out * window->w.out;
}

static inline int64_t cc_window_inputs(const cc_window *window) /* cells of one image */
{
    return window->d.in * window->h.in * window->w.in;
}

/* Whether there is nothing to loop over: one cell, under a window of one. */
static inline int64_t cc_axis_reach(const cc_axis *axis)
{
    return axis->dilation * (axis->kernel - 1) + 1;
}

static inline bool cc_axis_is_single(const cc_axis *axis)
{
    return axis->in == 1 && axis->out == 1 && axis->kernel == 1 && axis->before == 0;
}

/* Whether the window is a cell of its own at every output: the axis is then one more of a batch. Looks at no size of an image. */
static inline bool cc_axis_is_pointwise(const cc_axis *axis)
{
    return axis->kernel == 1 && axis->stride == 1 && axis->before == 0 && axis->after == 0;
}

/* The outputs o in begin .. end-1 whose cell t lies inside the image: 0 <= o stride - before + dilation t < in. */
static inline void cc_axis_inside(const cc_axis *axis, int64_t t, int64_t *begin, int64_t *end)
{
    int64_t shift = axis->before - axis->dilation * t, last = axis->in - 1 + shift; /* shift <= o stride <= last */
    *begin = shift > 0 ? (shift + axis->stride - 1) / axis->stride : 0;
    *end = last < 0 ? 0 : last / axis->stride + 1;
    if (*end > axis->out) *end = axis->out;
    if (*begin > *end) *begin = *end;
}

/* The cells t in begin .. end-1 of the window at output o that lie inside the image. */
static inline void cc_axis_taps(const cc_axis *axis, int64_t o, int64_t *begin, int64_t *end)
{
    int64_t first = o * axis->stride - axis->before, last = axis->in - 1 - first; /* 0 <= first + dilation t <= in - 1 */
    *begin = first < 0 ? (-first + axis->dilation - 1) / axis->dilation : 0;
    *end = last < 0 ? 0 : last / axis->dilation + 1;
    if (*end > axis->kernel) *end = axis->kernel;
    if (*begin > *end) *begin = *end;
}

/* How many cells of the window at output o (without dilation) lie in the padded image: all, unless ceil mode lets it end
 * behind. */
static inline int64_t cc_axis_padded_taps(const cc_axis *axis, int64_t o)
{
    int64_t left = axis->in + axis->before + axis->after - o * axis->stride;
    return left < axis->kernel ? left : axis->kernel;
}

/* Fills the axis called `name` ("height"). in and kernel may be CC_UNKNOWN. before and after are read if padding is explicit. */
static inline cconv_status cc_axis_set(cc_axis *axis, const char *name, int64_t in, int64_t kernel, int64_t stride,
                                       int64_t dilation, cc_padding padding, int64_t before, int64_t after, bool ceil_mode)
{
    if (padding != CC_PAD_EXPLICIT) before = after = 0;
    if (stride < 1 || stride > CC_WINDOW_MAX)
        return cc_fail(CCONV_INVALID, "expected strides of at least 1, received %lld along the %s", (long long)stride, name);
    if (dilation < 1 || dilation > CC_WINDOW_MAX)
        return cc_fail(CCONV_INVALID, "expected a dilation of at least 1, received %lld along the %s", (long long)dilation,
                       name);
    if (before < 0 || before > CC_WINDOW_MAX || after < 0 || after > CC_WINDOW_MAX)
        return cc_fail(CCONV_INVALID, "expected pads of at least 0, received %lld and %lld along the %s", (long long)before,
                       (long long)after, name);
    if (kernel != CC_UNKNOWN && (kernel < 1 || kernel > CC_WINDOW_MAX))
        return cc_fail(CCONV_INVALID, "expected a window of at least 1 cell, received %lld along the %s", (long long)kernel,
                       name);
    *axis = (cc_axis){.in = in,
                      .out = CC_UNKNOWN,
                      .kernel = kernel,
                      .stride = stride,
                      .dilation = dilation,
                      .before = before,
                      .after = after};
    if (in < 0) return CCONV_OK;
    if (padding == CC_PAD_SAME) axis->out = in / stride + (in % stride != 0);
    if (kernel < 0) return CCONV_OK;

    int64_t reach = dilation * (kernel - 1) + 1;
    if (padding == CC_PAD_SAME) {
        int64_t total = (axis->out - 1) * stride + reach - in;
        if (total < 0 || in == 0) total = 0;
        axis->before = total / 2;
        axis->after = total - axis->before;
    } else {
        int64_t room = in + before + after - reach + (ceil_mode ? stride - 1 : 0);
        if (room < 0)
            return cc_fail(
                CCONV_INVALID,
                "expected a window no larger than the padded input, received one that covers %lld cells along the %s, "
                "where the input has %lld and the padding %lld",
                (long long)reach, name, (long long)in, (long long)(before + after));
        axis->out = room / stride + 1;
        if (ceil_mode && (axis->out - 1) * stride >= in + before) --axis->out;
    }
    return CCONV_OK;
}

/* Entry i of a setting with one value for all axes or one for each. */
static inline int64_t cc_each(const cc_list *list, int i)
{
    return list->v[list->n == 1 ? 0 : i];
}

/* Fails unless a setting has one value for all axes or one for each. */
static inline cconv_status cc_each_check(const cc_list *list, const char *name, int rank)
{
    if (list->n == 1 || list->n == rank) return CCONV_OK;
    return cc_fail(CCONV_INVALID,
                   rank == 1 ? "expected %s as %d value, received %d" : "expected %s as 1 or %d values, received %d", name,
                   rank, list->n);
}

/* Fills the axes of an image of `rank` axes. in and kernel: one size for each. strides and dilation: see cc_each. pads is all
 * `before`, then all `after` ((top, left, bottom, right)), and must be empty unless padding is explicit. The caller puts the
 * node's name in front of the error. */
static inline cconv_status cc_window_set(cc_window *window, int rank, const int64_t *in, const int64_t *kernel,
                                         const cc_list *strides, const cc_list *dilation, cc_padding padding,
                                         const cc_list *pads, bool ceil_mode)
{
    static const cc_axis single = {1, 1, 1, 1, 1, 0, 0};
    *window = (cc_window){single, single, single};
    CC_TRY(cc_each_check(strides, "strides", rank));
    CC_TRY(cc_each_check(dilation, "dilation", rank));
    if (padding == CC_PAD_EXPLICIT && pads->n != 2 * rank)
        return cc_fail(CCONV_INVALID, "padding \"explicit\" expects %d pads (%s), received %d", 2 * rank,
                       rank == 2 ? "top, left, bottom, right" : "before each axis, then after each", pads->n);
    if (padding != CC_PAD_EXPLICIT && pads->n != 0)
        return cc_fail(CCONV_INVALID, "pads are only for padding \"explicit\"; received %d with padding \"%s\"", pads->n,
                       padding == CC_PAD_SAME ? "same" : "valid");
    for (int i = 0; i < rank; ++i)
        CC_TRY(cc_axis_set(cc_window_axis(window, rank, i), cc_window_axis_name(rank, i), in[i], kernel[i], cc_each(strides, i),
                           cc_each(dilation, i), padding, padding == CC_PAD_EXPLICIT ? pads->v[i] : 0,
                           padding == CC_PAD_EXPLICIT ? pads->v[rank + i] : 0, ceil_mode));
    return CCONV_OK;
}

/* Gives an axis that cc_axis_set has filled but for its sizes those of a transposed convolution of `out` cells, which may be
 * CC_UNKNOWN. extra: -1 if not given. `after` makes the sizes agree: less than 0 where the last cells lie beyond every window. */
static inline cconv_status cc_axis_transpose(cc_axis *axis, const char *name, int64_t out, cc_padding padding, int64_t extra)
{
    const int64_t stride = axis->stride, most = stride > axis->dilation ? stride : axis->dilation;
    if (extra >= most)
        return cc_fail(
            CCONV_INVALID,
            "expected output_padding from 0 to %lld, less than the stride or the dilation, received %lld along the %s",
            (long long)most - 1, (long long)extra, name);
    axis->out = out;
    if (axis->kernel < 0) return CCONV_OK;

    const int64_t reach = axis->dilation * (axis->kernel - 1) + 1;
    if (padding == CC_PAD_SAME) {
        const int64_t total = extra < 0 ? reach - stride : reach - reach % 2 - extra;
        axis->before = total > 0 ? total / 2 : 0;
        axis->after = total - axis->before;
    } else if (extra >= 0) {
        axis->after -= extra;
    } else if (padding == CC_PAD_VALID && stride > reach) {
        axis->after = reach - stride;
    }
    if (out < 0) return CCONV_OK;
    if (out > INT64_MAX / 4 / stride)
        return cc_fail(
            CCONV_INVALID,
            "expected an input whose size by the stride is a number, received %lld cells and stride %lld along the %s",
            (long long)out, (long long)stride, name);
    axis->in = out == 0 ? 0 : (out - 1) * stride + reach - axis->before - axis->after;
    if (axis->in < (out > 0))
        return cc_fail(CCONV_INVALID,
                       "expected pads that leave some output, received %lld along the %s, where the windows cover %lld cells",
                       (long long)(axis->before + axis->after), name, (long long)((out - 1) * stride + reach));
    return CCONV_OK;
}

/* Fills the axes for a transposed convolution of an image whose sizes are `out`. output_padding: empty, or see cc_each. */
static inline cconv_status cc_window_set_transposed(cc_window *window, int rank, const int64_t *out, const int64_t *kernel,
                                                    const cc_list *strides, const cc_list *dilation, cc_padding padding,
                                                    const cc_list *pads, const cc_list *output_padding)
{
    static const int64_t unknown[CC_WINDOW_AXES] = {CC_UNKNOWN, CC_UNKNOWN, CC_UNKNOWN};
    CC_TRY(cc_window_set(window, rank, unknown, kernel, strides, dilation, padding, pads, false));
    if (output_padding->n > 0) CC_TRY(cc_each_check(output_padding, "output_padding", rank));
    for (int i = 0; i < rank; ++i) {
        const int64_t extra = output_padding->n > 0 ? cc_each(output_padding, i) : -1;
        if (output_padding->n > 0 && extra < 0)
            return cc_fail(CCONV_INVALID, "expected output_padding of at least 0, received %lld along the %s", (long long)extra,
                           cc_window_axis_name(rank, i));
        CC_TRY(cc_axis_transpose(cc_window_axis(window, rank, i), cc_window_axis_name(rank, i), out[i], padding, extra));
    }
    return CCONV_OK;
}

#endif
