/* Writers of convolutions, dense layers and matrix products. See write.h. */
#include "onnx/write.h"

/* The name of the operator whose padding ONNX computes itself, as this library's same does. */
static void set_same(save_call *c)
{
    save_set_text(c, "auto_pad", "SAME_UPPER");
}

static void set_each(save_call *c, const char *name, const cc_list *list, int axes)
{
    int64_t values[CC_WINDOW_AXES];
    for (int i = 0; i < axes; ++i) values[i] = cc_each(list, i);
    save_set_ints(c, name, axes, values);
}

/* (kh, kw, c, oc), and of a transposed one (kh, kw, oc, c): the last two axes come first, the last one before the other. */
static save_order kernel_order(int rank)
{
    save_order o = {.rank = rank, .axis = {rank - 1, rank - 2}};
    for (int k = 2; k < rank; ++k) o.axis[k] = k - 2;
    return o;
}

/* What both have in common: the residual and the activation. */
static int conv_end(save_call *c, int y)
{
    if (save_has(c, 3)) y = save_add2(c, "Add", y, save_form(c, 3, &c->held));
    return save_activated(c, y, (int)save_int(c, "activation"), save_float(c, "alpha"));
}

/* The pads of a convolution; false where they depend on sizes that are not known, or it cannot be written. */
static bool conv_pads(save_call *c, int axes, int64_t *pads)
{
    const cc_list *strides = save_list(c, "strides");
    const int padding = (int)save_int(c, "padding");
    int64_t image[CC_WINDOW_AXES] = {CC_UNKNOWN, CC_UNKNOWN, CC_UNKNOWN}; /* other paddings do not ask for it */
    cc_window window;
    for (int i = 0; padding == CC_PAD_SAME && i < axes; ++i) {
        image[i] = save_shape(c, 0)->dim[1 + i];
        if (image[i] > 0) continue;
        if (cc_each(strides, i) != 1) return false;
        image[i] = INT32_MAX / 4; /* windows that move by one cell need as much for any image */
    }
    if (cc_window_set(&window, axes, image, save_shape(c, 1)->dim, strides, save_list(c, "dilation"), (cc_padding)padding,
                      save_list(c, "pads"), false) != CCONV_OK) {
        save_refuse(c, "%s", cconv_last_error());
        return false;
    }
    for (int i = 0; i < axes; ++i) {
        pads[i] = cc_window_axis(&window, axes, i)->before;
        pads[axes + i] = cc_window_axis(&window, axes, i)->after;
    }
    return true;
}

static bool kernel_is_known(save_call *c)
{
    if (cc_shape_known(save_shape(c, 1))) return true;
    save_refuse(c, "the sizes of the kernel are not known");
    return false;
}

int save_conv(save_call *c)
{
    const int rank = save_shape(c, 0)->rank, axes = rank - 2;
    const save_order order = kernel_order(rank);
    int64_t pads[2 * CC_WINDOW_AXES];
    if (!kernel_is_known(c)) return 0;
    const bool known = conv_pads(c, axes, pads);
    c->held = save_images(rank);
    const int x = save_form(c, 0, &c->held), w = save_form(c, 1, &order), b = save_input(c, 2);
    const int y = save_add3(c, "Conv", x, w, b);
    save_set_ints(c, "kernel_shape", axes, save_shape(c, 1)->dim);
    set_each(c, "strides", save_list(c, "strides"), axes);
    set_each(c, "dilations", save_list(c, "dilation"), axes);
    save_set_int(c, "group", save_int(c, "groups"));
    if (known)
        save_set_ints(c, "pads", 2 * axes, pads);
    else
        set_same(c);
    return conv_end(c, y);
}

/* Runtimes take an output_padding less than the stride. More cells are those of an image with zeros at its end, the last ones cut
 * off. */
static int conv_reach_out(save_call *c, int x, int axes, const cc_list *strides, int64_t *pads, int64_t *extra)
{
    int64_t zeros[2 * CCONV_MAX_RANK] = {0};
    bool any = false;
    for (int i = 0; i < axes; ++i) {
        const int64_t stride = cc_each(strides, i);
        if (extra[i] < stride) continue;
        const int64_t cells = (extra[i] + stride - 1) / stride;
        zeros[axes + 4 + i] = cells;
        pads[axes + i] = cells * stride - extra[i];
        extra[i] = 0;
        any = true;
    }
    return any ? save_add2(c, "Pad", x, save_ints(c, 2 * (axes + 2), zeros)) : x;
}

int save_conv_transpose(save_call *c)
{
    const int rank = save_shape(c, 0)->rank, axes = rank - 2;
    const save_order order = kernel_order(rank);
    const cc_list *strides = save_list(c, "strides");
    int64_t pads[2 * CC_WINDOW_AXES], extra[CC_WINDOW_AXES];
    const int64_t unknown[CC_WINDOW_AXES] = {CC_UNKNOWN, CC_UNKNOWN, CC_UNKNOWN};
    cc_window window; /* the sizes of its padding do not depend on the image's */
    if (!kernel_is_known(c)) return 0;
    for (int i = 0; i < axes; ++i)
        if (save_shape(c, 0)->dim[1 + i] == 0) return save_refuse(c, "ONNX makes cells of an image that has none");
    if (cc_window_set_transposed(&window, axes, unknown, save_shape(c, 1)->dim, strides, save_list(c, "dilation"),
                                 (cc_padding)save_int(c, "padding"), save_list(c, "pads"),
                                 save_list(c, "output_padding")) != CCONV_OK)
        return save_refuse(c, "%s", cconv_last_error());
    for (int i = 0; i < axes; ++i) {
        const cc_axis *axis = cc_window_axis(&window, axes, i);
        pads[i] = axis->before;
        pads[axes + i] = axis->after > 0 ? axis->after : 0;
        extra[i] = axis->after < 0 ? -axis->after : 0;
    }
    c->held = save_images(rank);
    const int x = conv_reach_out(c, save_form(c, 0, &c->held), axes, strides, pads, extra);
    const int w = save_form(c, 1, &order), b = save_input(c, 2), y = save_add3(c, "ConvTranspose", x, w, b);
    save_set_ints(c, "kernel_shape", axes, save_shape(c, 1)->dim);
    set_each(c, "strides", strides, axes);
    set_each(c, "dilations", save_list(c, "dilation"), axes);
    save_set_int(c, "group", save_int(c, "groups"));
    save_set_ints(c, "pads", 2 * axes, pads);
    save_set_ints(c, "output_padding", axes, extra);
    return conv_end(c, y);
}

int save_dense(save_call *c)
{
    const int x = save_input(c, 0), w = save_input(c, 1), b = save_input(c, 2);
    int y;
    if (save_shape(c, 0)->rank == 2) {
        y = save_add3(c, "Gemm", x, w, b);
    } else {
        y = save_add2(c, "MatMul", x, w);
        if (b) y = save_add2(c, "Add", y, b);
    }
    return save_activated(c, y, (int)save_int(c, "activation"), save_float(c, "alpha"));
}

/* Input k with its last two axes exchanged, if it is to be. */
static int matmul_input(save_call *c, int k, const char *exchanged)
{
    const int rank = save_shape(c, k)->rank;
    save_order o = save_same_order(rank);
    if (rank > 1 && save_int(c, exchanged)) {
        o.axis[rank - 1] = rank - 2;
        o.axis[rank - 2] = rank - 1;
    }
    return save_form(c, k, &o);
}

int save_matmul(save_call *c)
{
    const int a = matmul_input(c, 0, "transpose_a"), b = matmul_input(c, 1, "transpose_b");
    if (save_shape(c, 1)->rank > 1 || save_shape(c, 0)->rank < 2 || !save_int(c, "transpose_a"))
        return save_add2(c, "MatMul", a, b);
    const int64_t last = -1; /* a column: ONNX Runtime 1.31 computes a turned matrix by a vector wrongly */
    const int column = save_add2(c, "MatMul", a, save_add2(c, "Unsqueeze", b, save_ints(c, 1, &last)));
    return save_add2(c, "Squeeze", column, save_ints(c, 1, &last));
}
