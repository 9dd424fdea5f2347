/* The window of a convolution or pooling of ONNX: its attributes kernel_shape, strides, dilations, pads and auto_pad, as this
 * library writes them. */
#ifndef CC_READ_WINDOW_H
#define CC_READ_WINDOW_H

#include "onnx/reader.h"

enum { ONNX_WINDOW_AXES = 3, ONNX_WINDOW_TEXT = 384 };

typedef struct onnx_window {
    int axes; /* of the image, without batch and channels */
    int64_t in[ONNX_WINDOW_AXES], kernel[ONNX_WINDOW_AXES], strides[ONNX_WINDOW_AXES], dilations[ONNX_WINDOW_AXES];
    int64_t pads[2 * ONNX_WINDOW_AXES]; /* before each axis, then behind each: those of auto_pad, too */
    int64_t out[ONNX_WINDOW_AXES];
    bool same_upper, same_lower; /* auto_pad */
    bool ceil_mode;
} onnx_window;

/* Of the image x, (n, c, ...). kernel: its sizes, told by weights; NULL: by kernel_shape alone. */
bool onnx_window_read(onnx_call *c, int x, const int64_t *kernel, onnx_window *w);

/* A list attribute with a value for each axis, or all `otherwise`. False: it has another number of values. */
bool onnx_window_list(onnx_call *c, const char *name, int n, int64_t otherwise, int64_t *values);

/* "strides=1,1 padding=explicit pads=0,0,0,0" of an op; returns text. Pads of auto_pad are written as `same` where they can be, so
 * that images of other sizes get theirs. */
const char *onnx_window_text(const onnx_window *w, char text[ONNX_WINDOW_TEXT]);

static inline int64_t onnx_window_reach(const onnx_window *w, int i)
{
    return w->dilations[i] * (w->kernel[i] - 1) + 1;
}

#endif
