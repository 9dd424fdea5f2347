/* Convolutions. Weights (oc, c / groups, ...) become (..., c / groups, oc); those of transposed ones, (c, oc / groups, ...), become
 * (..., oc / groups, c). */
#include "onnx/read_window.h"
#include <stdio.h>

static bool conv_axes(onnx_call *c, int x, int axes[CCONV_MAX_RANK])
{
    const int rank = onnx_shape(c, x)->rank;
    if (onnx_failed(c)) return false;
    if (rank < 3 || rank > 2 + ONNX_WINDOW_AXES)
        return onnx_refuse(c, "an input of rank %d (images of 1 to 3 axes are supported)", rank);
    for (int i = 0; i < rank - 2; ++i) axes[i] = 2 + i;
    axes[rank - 2] = 1;
    axes[rank - 1] = 0;
    return true;
}

/* Weights in this library's order. 0: a failure. */
static int conv_weights(onnx_call *c, int x)
{
    int axes[CCONV_MAX_RANK] = {0};
    if (!conv_axes(c, x, axes)) return 0;
    const int w = onnx_input_ordered(c, 1, axes);
    if (onnx_failed(c)) return 0;
    if (onnx_shape(c, w)->rank != onnx_shape(c, x)->rank)
        return onnx_damaged(c, "expected weights of rank %d, as the input has, received rank %d", onnx_shape(c, x)->rank,
                            onnx_shape(c, w)->rank);
    return w;
}

static int conv_add(onnx_call *c, const char *op, int x, int w, const char *attributes)
{
    const int inputs[] = {onnx_channels_last(c, x), w, onnx_input(c, 2)};
    return onnx_channels_first(c, onnx_add(c, op, 3, inputs, "%s", attributes));
}

bool onnx_read_Conv(onnx_call *c)
{
    const int x = onnx_input(c, 0), w = conv_weights(c, x);
    onnx_window window;
    if (!w || !onnx_window_read(c, x, onnx_shape(c, w)->dim, &window)) return false;
    char text[ONNX_WINDOW_TEXT], dilation[256], all[1024];
    snprintf(all, sizeof all, "%s %s groups=%lld", onnx_window_text(&window, text),
             onnx_list_text(dilation, "dilation", window.axes, window.dilations), (long long)onnx_int(c, "group", 1));
    return onnx_give(c, 0, conv_add(c, "conv", x, w, all));
}

/* Pads that leave `wanted` cells along axis i of a transposed convolution, and the cells at its end beyond those of all windows. */
static bool conv_transpose_axis(onnx_call *c, onnx_window *w, int i, int64_t wanted, int64_t *extra)
{
    const int64_t full = (w->in[i] - 1) * w->strides[i] + onnx_window_reach(w, i), total = full + *extra - wanted;
    const int64_t most = w->strides[i] > w->dilations[i] ? w->strides[i] : w->dilations[i];
    const int64_t before = total <= 0 ? 0 : w->same_upper ? total / 2 : total - total / 2;
    w->pads[i] = before;
    w->pads[w->axes + i] = full - before > wanted ? full - before - wanted : 0;
    *extra = wanted - (full - before - w->pads[w->axes + i]);
    return *extra < most || onnx_refuse(c, "output_shape %lld along axis %d, where the windows cover %lld cells",
                                        (long long)wanted, i, (long long)full);
}

bool onnx_read_ConvTranspose(onnx_call *c)
{
    const int x = onnx_input(c, 0), w = conv_weights(c, x);
    onnx_window window;
    if (!w || !onnx_window_read(c, x, onnx_shape(c, w)->dim, &window)) return false;
    const int axes = window.axes;
    int64_t extra[ONNX_WINDOW_AXES];
    onnx_list shape;
    if (!onnx_window_list(c, "output_padding", axes, 0, extra)) return false;
    onnx_ints(c, "output_shape", &shape);
    if (shape.n != 0 && shape.n != axes && shape.n != axes + 2)
        return onnx_damaged(c, "expected an output_shape of %d sizes, received %d", axes, shape.n);
    const bool same = window.same_upper || window.same_lower;
    for (int i = 0; i < axes; ++i) {
        const int64_t wanted = shape.n ? shape.v[shape.n - axes + i] : same ? window.in[i] * window.strides[i] : -1;
        if (wanted >= 0 && !conv_transpose_axis(c, &window, i, wanted, &extra[i])) return false;
    }
    char strides[256], pads[256], dilation[256], padding[256], all[1152];
    snprintf(all, sizeof all, "%s padding=explicit %s %s groups=%lld %s",
             onnx_list_text(strides, "strides", axes, window.strides), onnx_list_text(pads, "pads", 2 * axes, window.pads),
             onnx_list_text(dilation, "dilation", axes, window.dilations), (long long)onnx_int(c, "group", 1),
             onnx_list_text(padding, "output_padding", axes, extra));
    return onnx_give(c, 0, conv_add(c, "conv_transpose", x, w, all));
}
