/* Writers of poolings and of resize. See write.h. */
#include "onnx/write.h"

typedef struct pooling { /* the windows along the axes of the image */
    int axes;
    int64_t size[CC_WINDOW_AXES], strides[CC_WINDOW_AXES], pads[2 * CC_WINDOW_AXES];
    int64_t beyond[CC_WINDOW_AXES]; /* cells by which the last window ends behind the padding, in ceil mode */
    bool known;                     /* the pads are; else they are as ONNX computes them */
    bool ceil_mode;                 /* ONNX has to find the last window, since the size of the image is not known */
} pooling;

static pooling pooling_of(save_call *c)
{
    static const cc_list ones = {.n = 1, .v = {1}};
    const cc_list *size = save_list(c, "pool_size"), *strides = save_list(c, "strides");
    const cc_padding padding = (cc_padding)save_int(c, "padding");
    const bool ceil_mode = save_int(c, "ceil_mode") != 0;
    pooling p = {.axes = save_shape(c, 0)->rank - 2, .known = true};
    int64_t image[CC_WINDOW_AXES];
    cc_window window;
    if (!strides->n) strides = size;
    for (int i = 0; i < p.axes; ++i) {
        p.size[i] = cc_each(size, i);
        p.strides[i] = cc_each(strides, i);
        image[i] = save_shape(c, 0)->dim[1 + i];
        if (image[i] > 0) continue;
        image[i] = INT32_MAX / 4;
        p.ceil_mode = ceil_mode;
        if (padding == CC_PAD_SAME && p.strides[i] != 1) p.known = false;
    }
    if (cc_window_set(&window, p.axes, image, p.size, strides, &ones, padding, save_list(c, "pads"), ceil_mode) != CCONV_OK) {
        save_refuse(c, "%s", cconv_last_error());
        return p;
    }
    for (int i = 0; i < p.axes; ++i) {
        const cc_axis *axis = cc_window_axis(&window, p.axes, i);
        p.pads[i] = axis->before;
        p.pads[p.axes + i] = axis->after;
        if (!ceil_mode || p.ceil_mode) continue;
        /* What the windows reach of the padding, and beyond it: no more, or there would be one more. */
        int64_t reached = (axis->out - 1) * axis->stride + axis->kernel - axis->in - axis->before;
        if (reached < 0) reached = 0;
        p.pads[p.axes + i] = reached < axis->after ? reached : axis->after;
        p.beyond[i] = reached - p.pads[p.axes + i];
    }
    return p;
}

static void set_windows(save_call *c, const pooling *p)
{
    int64_t pads[2 * CC_WINDOW_AXES];
    for (int i = 0; i < p->axes; ++i) {
        pads[i] = p->pads[i];
        pads[p->axes + i] = p->pads[p->axes + i] + p->beyond[i];
    }
    save_set_ints(c, "kernel_shape", p->axes, p->size);
    save_set_ints(c, "strides", p->axes, p->strides);
    if (p->known)
        save_set_ints(c, "pads", 2 * p->axes, pads);
    else
        save_set_text(c, "auto_pad", "SAME_UPPER");
    if (p->ceil_mode) save_set_int(c, "ceil_mode", 1);
}

static int images(save_call *c)
{
    c->held = save_images(save_shape(c, 0)->rank);
    return save_form(c, 0, &c->held);
}

/* x with the padding as zeros around it, which are cells like others then; also those beyond it, if wanted. */
static int padded(save_call *c, int x, pooling *p, bool beyond)
{
    int64_t pads[2 * CCONV_MAX_RANK] = {0};
    const int rank = p->axes + 2;
    for (int i = 0; i < p->axes; ++i) {
        pads[2 + i] = p->pads[i];
        pads[rank + 2 + i] = p->pads[p->axes + i] + (beyond ? p->beyond[i] : 0);
        p->pads[i] = p->pads[p->axes + i] = 0;
        if (beyond) p->beyond[i] = 0;
    }
    return save_padded(c, x, rank, pads, 0);
}

int save_pool(save_call *c)
{
    pooling p = pooling_of(c);
    bool counts = save_has_attribute(c, "count_include_pad") && save_int(c, "count_include_pad"), beyond = false;
    int x = images(c);
    for (int i = 0; i < p.axes; ++i) beyond = beyond || p.beyond[i];
    if (counts && beyond) { /* cells of the padding count, those beyond it do not */
        x = padded(c, x, &p, false);
        counts = false;
    }
    const int y = save_add1(c, c->onnx, x);
    set_windows(c, &p);
    if (counts) save_set_int(c, "count_include_pad", 1);
    return save_has_attribute(c, "activation") ? save_activated(c, y, (int)save_int(c, "activation"), 0) : y;
}

/* The mean of all cells of the window, times their number. */
int save_sum_pool(save_call *c)
{
    pooling p = pooling_of(c);
    double cells = 1;
    if (!p.known || p.ceil_mode) return save_refuse(c, "the sizes of the image are not known, which its padding depends on");
    int x = images(c);
    for (int i = 0; i < p.axes; ++i) cells *= (double)p.size[i];
    const bool squares = c->node->op == &cc_op_l2_pool;
    if (squares) x = save_add2(c, "Mul", x, x);
    const int mean = save_add1(c, "AveragePool", padded(c, x, &p, true));
    set_windows(c, &p);
    const int sum = save_add2(c, "Mul", mean, save_number(c, cells));
    return squares ? save_add1(c, "Sqrt", sum) : sum;
}

int save_global_pool(save_call *c)
{
    const int y = save_add1(c, c->onnx, images(c));
    if (save_int(c, "keepdims")) return y;
    c->held = save_same_order(2);
    const int flat = save_add1(c, "Flatten", y);
    save_set_int(c, "axis", 1);
    return flat;
}

int save_adaptive_pool(save_call *c)
{
    const cc_shape *shape = save_shape(c, 0);
    const cc_list *size = save_list(c, "size");
    const bool mean = c->node->op == &cc_op_adaptive_avg_pool;
    const int axes = shape->rank - 2;
    int64_t cells[CC_WINDOW_AXES];
    bool global = true;
    for (int i = 0; i < axes; ++i) global = global && cc_each(size, i) == 1;
    if (global) return save_add1(c, mean ? "GlobalAveragePool" : "GlobalMaxPool", images(c));
    for (int i = 0; i < axes; ++i) {
        const int64_t in = shape->dim[1 + i], out = cc_each(size, i);
        if (in < 0) return save_refuse(c, "the sizes of the image are not known, which its windows depend on");
        if (!out || in % out)
            return save_refuse(c, "%lld cells do not divide into %lld windows of one size, and ONNX has no others",
                               (long long)in, (long long)out);
        cells[i] = in / out;
    }
    const int y = save_add1(c, mean ? "AveragePool" : "MaxPool", images(c));
    save_set_ints(c, "kernel_shape", axes, cells);
    save_set_ints(c, "strides", axes, cells);
    return y;
}

/* ---- resize ------------------------------------------------------------------------------------------------------- */

enum { NEAREST, BILINEAR, BICUBIC };

/* Whole factors, or those of the attribute, are told as such, others by the sizes they lead to. */
static bool resize_by_scale(save_call *c, int axes, float *scale)
{
    const cc_shape *from = save_shape(c, 0), *to = &c->node->shape;
    const cc_floats *given = save_floats(c, "scale");
    for (int i = 0; i < axes; ++i) {
        const int64_t in = from->dim[1 + i], out = to->dim[1 + i];
        if (given->n) {
            scale[i] = given->v[given->n == 1 ? 0 : i];
        } else {
            if (in <= 0 || out < 0 || out % in) return false;
            scale[i] = (float)(out / in);
        }
    }
    return true;
}

/* All sizes of the output; batch and channels are those of x. */
static int resize_sizes(save_call *c, int x, int axes, bool as_image)
{
    const cc_list *size = save_list(c, "size");
    const cc_shape *from = save_shape(c, 0);
    int64_t sizes[2 + CC_WINDOW_AXES] = {from->dim[0], from->dim[from->rank - 1]};
    int n = 2;
    if (as_image) sizes[n++] = 1;
    for (int i = 0; i < axes; ++i) sizes[n++] = cc_each(size, i);
    if (sizes[0] >= 0 && sizes[1] >= 0) return save_ints(c, n, sizes);
    const int first = save_add1(c, "Shape", x);
    save_set_int(c, "end", 2);
    const int all = save_add2(c, "Concat", first, save_ints(c, n - 2, sizes + 2));
    save_set_int(c, "axis", 0);
    return all;
}

static void resize_settings(save_call *c, int way)
{
    static const char *const modes[] = {"nearest", "linear", "cubic"};
    save_set_text(c, "mode", modes[way]);
    save_set_text(c, "coordinate_transformation_mode", "half_pixel");
    if (way == NEAREST) save_set_text(c, "nearest_mode", "round_prefer_ceil");
    if (way == BICUBIC) save_set_float(c, "cubic_coeff_a", -0.5f);
    const bool antialias = way != NEAREST && save_int(c, "antialias");
    if (antialias) save_set_int(c, "antialias", 1);
    if (antialias || way == BICUBIC) save_set_int(c, "exclude_outside", 1); /* the mean is over cells of the image */
}

int save_resize(save_call *c)
{
    const int axes = save_shape(c, 0)->rank - 2, way = (int)save_int(c, "interpolation");
    const cc_floats *translation = save_floats(c, "translation");
    float scale[CC_WINDOW_AXES] = {0};
    if (way > BICUBIC) return save_refuse(c, "ONNX has no Lanczos interpolation");
    for (int i = 0; i < translation->n; ++i)
        if (translation->v[i] != 0) return save_refuse(c, "ONNX's Resize does not move an image");
    if (save_floats(c, "scale")->n && save_list(c, "size")->n)
        return save_refuse(c, "ONNX's Resize takes the scale or the size, not both");
    int x = images(c), inputs[4] = {0};
    /* ONNX Runtime interpolates by cubic functions along two axes only: a sequence is an image of one row. */
    const int64_t row = 2;
    const bool as_image = way == BICUBIC && axes == 1;
    if (as_image) x = save_add2(c, "Unsqueeze", x, save_ints(c, 1, &row));
    inputs[0] = x;
    if (resize_by_scale(c, axes, scale)) {
        if (as_image) scale[1] = scale[0];
        if (as_image) scale[0] = 1;
        inputs[2] = save_scales(c, axes + as_image, scale);
    } else {
        inputs[3] = resize_sizes(c, x, axes, as_image);
    }
    const int resized = save_add(c, "Resize", 4, inputs);
    resize_settings(c, way);
    return as_image ? save_add2(c, "Squeeze", resized, save_ints(c, 1, &row)) : resized;
}
