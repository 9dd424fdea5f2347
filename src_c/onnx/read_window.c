/* Reads strides, dilations, pads and auto_pad of windows, and says them as the ops here do: see read_window.h. */
#include "onnx/read_window.h"
#include <stdio.h>
#include <string.h>

enum { LARGEST = 1 << 30 }; /* of a size or pad: sums and products of two fit in 64 bits */

bool onnx_window_list(onnx_call *c, const char *name, int n, int64_t otherwise, int64_t *values)
{
    onnx_list list;
    if (onnx_ints(c, name, &list) && list.n != n) return onnx_damaged(c, "expected %d %s, received %d", n, name, list.n);
    for (int i = 0; i < n; ++i) {
        values[i] = list.n ? list.v[i] : otherwise;
        if (values[i] < 0 || values[i] > LARGEST)
            return onnx_damaged(c, "expected %s from 0 to %d, received %lld", name, LARGEST, (long long)values[i]);
    }
    return !onnx_failed(c);
}

/* The pads that make the output as long as the input divided by the stride, rounded up. */
static void window_pad_same(onnx_window *w, int i)
{
    w->out[i] = w->in[i] / w->strides[i] + (w->in[i] % w->strides[i] != 0);
    int64_t total = (w->out[i] - 1) * w->strides[i] + onnx_window_reach(w, i) - w->in[i];
    if (total < 0) total = 0;
    w->pads[i] = w->same_upper ? total / 2 : total - total / 2;
    w->pads[w->axes + i] = total - w->pads[i];
}

static void window_set_out(onnx_window *w, int i)
{
    const int64_t room = w->in[i] + w->pads[i] + w->pads[w->axes + i] - onnx_window_reach(w, i);
    w->out[i] = room < 0 ? 0 : (room + (w->ceil_mode ? w->strides[i] - 1 : 0)) / w->strides[i] + 1;
    if (w->ceil_mode && w->out[i] > 0 && (w->out[i] - 1) * w->strides[i] >= w->in[i] + w->pads[i]) --w->out[i];
}

bool onnx_window_read(onnx_call *c, int x, const int64_t *kernel, onnx_window *w)
{
    *w = (onnx_window){.axes = onnx_shape(c, x)->rank - 2};
    if (onnx_failed(c)) return false;
    if (w->axes < 1 || w->axes > ONNX_WINDOW_AXES)
        return onnx_refuse(c, "an input of rank %d (windows along 1 to 3 axes are supported)", w->axes + 2);
    if (!kernel && !onnx_has_attribute(c, "kernel_shape")) return onnx_damaged(c, "expected a kernel_shape, received none");
    if (!onnx_window_list(c, "kernel_shape", w->axes, 1, w->kernel) ||
        !onnx_window_list(c, "strides", w->axes, 1, w->strides) ||
        !onnx_window_list(c, "dilations", w->axes, 1, w->dilations) || !onnx_window_list(c, "pads", 2 * w->axes, 0, w->pads))
        return false;
    const bool told = onnx_has_attribute(c, "kernel_shape");
    for (int i = 0; i < w->axes; ++i) {
        w->in[i] = onnx_shape(c, x)->dim[2 + i];
        if (kernel && told && kernel[i] != w->kernel[i])
            return onnx_damaged(c, "expected the kernel_shape of the weights, %lld along axis %d, received %lld",
                                (long long)kernel[i], i, (long long)w->kernel[i]);
        if (w->in[i] > LARGEST) return onnx_refuse(c, "an image of %lld cells along axis %d", (long long)w->in[i], i);
        if (kernel) w->kernel[i] = kernel[i];
        if (w->kernel[i] < 1 || w->kernel[i] > LARGEST || w->strides[i] < 1 || w->dilations[i] < 1)
            return onnx_damaged(c, "expected kernel_shape, strides and dilations of at least 1, received 0");
    }
    const char *automatic = onnx_string(c, "auto_pad", "NOTSET");
    w->ceil_mode = onnx_int(c, "ceil_mode", 0) != 0;
    if (onnx_failed(c)) return false;
    w->same_upper = strcmp(automatic, "SAME_UPPER") == 0;
    w->same_lower = strcmp(automatic, "SAME_LOWER") == 0;
    const bool valid = strcmp(automatic, "VALID") == 0;
    if (!w->same_upper && !w->same_lower && !valid && strcmp(automatic, "NOTSET") != 0 && *automatic)
        return onnx_damaged(c, "expected an auto_pad of NOTSET, SAME_UPPER, SAME_LOWER or VALID, received %s", automatic);
    if (w->same_upper || w->same_lower || valid) w->ceil_mode = false;
    for (int i = 0; i < w->axes; ++i) {
        if (valid) w->pads[i] = w->pads[w->axes + i] = 0;
        if (w->same_upper || w->same_lower)
            window_pad_same(w, i);
        else
            window_set_out(w, i);
    }
    return true;
}

const char *onnx_window_text(const onnx_window *w, char text[ONNX_WINDOW_TEXT])
{
    char strides[256], pads[256];
    onnx_list_text(strides, "strides", w->axes, w->strides);
    if (w->same_upper)
        snprintf(text, ONNX_WINDOW_TEXT, "%s padding=same", strides);
    else
        snprintf(text, ONNX_WINDOW_TEXT, "%s padding=explicit %s", strides, onnx_list_text(pads, "pads", 2 * w->axes, w->pads));
    return text;
}
