/* Quantized numbers. Integers are int32 in the graph; products of them are computed by the ops of float32, whose sums are exact as
 * long as no sum of magnitudes exceeds 2^24. Where that may happen the left factor is cut into parts of fewer bits, x = x0 + 2^b x1
 * + ..., each of which stays below it; the products of the parts are added up in int32. */
#include "onnx/read_window.h"
#include "base/alloc.h"
#include <stdio.h>

/* The integers of a type, from `least` to `most`. False: it is none that can be quantized to. */
static bool quantize_range(onnx_call *c, onnx_type type, double *least, double *most)
{
    switch (type) {
    case ONNX_UINT8: *least = 0, *most = 255; return true;
    case ONNX_INT8: *least = -128, *most = 127; return true;
    case ONNX_UINT16: *least = 0, *most = 65535; return true;
    case ONNX_INT16: *least = -32768, *most = 32767; return true;
    default: return onnx_refuse(c, "the quantized type %s", onnx_type_name(type));
    }
}

/* Scale or zero point of input i, ready to be combined with a node of shape x: one number, one for each index of `axis`, or one for
 * each block of `block` along it. 0: left out, or a failure. */
static int quantize_parameter(onnx_call *c, int i, const cc_shape *x, int axis, int64_t block)
{
    if (!onnx_has(c, i)) return 0;
    const int node = onnx_input(c, i);
    const cc_shape own = *onnx_shape(c, node);
    if (onnx_failed(c)) return 0;
    if (cc_shape_count(&own) == 1 && own.rank <= 1) return onnx_reshape(c, node, 0, NULL);
    if (own.rank == 1 && block == 0) {
        int64_t dim[CCONV_MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};
        if (axis >= x->rank || x->dim[axis] != own.dim[0])
            return onnx_damaged(c, "expected a scale for each index of axis %d, received %lld", axis, (long long)own.dim[0]);
        dim[axis] = own.dim[0];
        return onnx_reshape(c, node, x->rank, dim);
    }
    if (own.rank != x->rank || block < 1 || axis >= x->rank ||
        own.dim[axis] != x->dim[axis] / block + (x->dim[axis] % block != 0))
        return onnx_damaged(c, "expected a scale for all, for each index of axis %d or for each block of it", axis);
    int32_t *numbers = onnx_work(c, x->dim[axis], sizeof *numbers);
    if (!numbers) return 0;
    for (int64_t k = 0; k < x->dim[axis]; ++k) numbers[k] = (int32_t)(k / block);
    const int taken = onnx_add2(c, "take", node, onnx_constant(c, CCONV_INT32, 1, &x->dim[axis], numbers), "axis=%d", axis);
    cc_free(numbers);
    return taken;
}

/* The axis of scales; where there is but one number for all, it is not looked at. */
static int quantize_axis(onnx_call *c, const cc_shape *x, int scale)
{
    const int64_t axis = onnx_int(c, "axis", 1);
    if (!onnx_has(c, scale) || x->rank == 0) return 0;
    const cc_shape *own = onnx_shape(c, onnx_input(c, scale));
    return own->rank <= 1 && cc_shape_count(own) == 1 ? 0 : onnx_axis(c, axis, x->rank);
}

/* saturate(round(x) + zero), of a float x, as int32. */
static int quantize_saturate(onnx_call *c, int x, int zero, onnx_type type)
{
    double least = 0, most = 0;
    if (onnx_failed(c) || !quantize_range(c, type, &least, &most)) return 0;
    int y = onnx_add1(c, "round", x, NULL);
    if (zero) y = onnx_add2(c, "add", y, onnx_cast(c, zero, CCONV_FLOAT32), NULL);
    return onnx_cast(c, onnx_add1(c, "clip", y, "minimum=%.9g maximum=%.9g", least, most), CCONV_INT32);
}

/* Attributes that name a type of floating point to compute in: all of those are float32 inside. */
static bool quantize_precision(onnx_call *c, const char *name)
{
    const onnx_type type = (onnx_type)onnx_int(c, name, ONNX_UNDEFINED);
    cconv_dtype inside;
    if (type == ONNX_UNDEFINED || (onnx_type_inside(type, &inside) && inside == CCONV_FLOAT32)) return !onnx_failed(c);
    return onnx_refuse(c, "%s %s", name, onnx_type_name(type));
}

bool onnx_read_QuantizeLinear(onnx_call *c)
{
    const int given = onnx_input(c, 0), x = onnx_cast(c, given, CCONV_FLOAT32);
    const cc_shape shape = *onnx_shape(c, x);
    const int axis = quantize_axis(c, &shape, 1);
    const int64_t block = onnx_int(c, "block_size", 0);
    const int scale = quantize_parameter(c, 1, &shape, axis, block), zero = quantize_parameter(c, 2, &shape, axis, block);
    onnx_ignore(c, "saturate"); /* of types of 8 bits that are refused */
    if (onnx_failed(c) || !quantize_precision(c, "precision")) return false;
    const onnx_type named = (onnx_type)onnx_int(c, "output_dtype", ONNX_UNDEFINED);
    const onnx_type type = onnx_has(c, 2) ? onnx_input_type(c, 2) : named != ONNX_UNDEFINED ? named : ONNX_UINT8;
    const int ratio = onnx_add2(c, "divide", x, onnx_cast(c, scale, CCONV_FLOAT32), NULL);
    return onnx_give_as(c, 0, quantize_saturate(c, ratio, zero, type), type);
}

bool onnx_read_DequantizeLinear(onnx_call *c)
{
    int x = onnx_input(c, 0);
    const cc_shape shape = *onnx_shape(c, x);
    const int axis = quantize_axis(c, &shape, 1);
    const int64_t block = onnx_int(c, "block_size", 0);
    const int scale = quantize_parameter(c, 1, &shape, axis, block), zero = quantize_parameter(c, 2, &shape, axis, block);
    if (onnx_failed(c) || !quantize_precision(c, "output_dtype")) return false;
    if (shape.type != CCONV_INT32) return onnx_refuse(c, "the quantized type %s", onnx_type_name(onnx_input_type(c, 0)));
    if (zero) x = onnx_add2(c, "subtract", x, zero, NULL);
    const int64_t named = onnx_int(c, "output_dtype", ONNX_UNDEFINED);
    return onnx_give_as(c, 0, onnx_add2(c, "multiply", onnx_cast(c, x, CCONV_FLOAT32), scale, NULL),
                        named != ONNX_UNDEFINED ? (onnx_type)named : onnx_input_type(c, 1));
}

bool onnx_read_DynamicQuantizeLinear(onnx_call *c)
{
    const int x = onnx_input(c, 0), nought = onnx_scalar(c, x, 0);
    const int most = onnx_add2(c, "maximum", onnx_add1(c, "max", x, NULL), nought, NULL);
    const int least = onnx_add2(c, "minimum", onnx_add1(c, "min", x, NULL), nought, NULL);
    const int range = onnx_add2(c, "subtract", most, least, NULL);
    const int width = onnx_add2(c, "divide", range, onnx_scalar(c, x, 255), NULL);
    const int inputs[] = {onnx_add2(c, "equal", width, nought, NULL), onnx_scalar(c, x, 1), width}; /* all are 0: by 1 */
    const int scale = onnx_add(c, "where", 3, inputs, NULL);
    const int start = onnx_add2(c, "divide", onnx_add2(c, "subtract", nought, least, NULL), scale, NULL);
    const int zero = quantize_saturate(c, start, 0, ONNX_UINT8);
    onnx_give(c, 1, scale);
    onnx_give_as(c, 2, zero, ONNX_UINT8);
    return onnx_give_as(c, 0, quantize_saturate(c, onnx_add2(c, "divide", x, scale, NULL), zero, ONNX_UINT8), ONNX_UINT8);
}

/* ---- Products ------------------------------------------------------------------------------------------------------- */

/* A product of x with what else `context` names, x in float32; 0: a failure. */
typedef int quantize_product(onnx_call *c, int x, const void *context);

/* The product in int32. x: whole numbers of -255 .. 255, as are those of the other factor; `terms`: how many products a sum has. */
static int quantize_exact(onnx_call *c, int x, int64_t terms, quantize_product *product, const void *context)
{
    int bits = 8; /* of a part; 2^bits - 1 is its largest */
    if (terms > (INT64_C(1) << 24) / 255) return onnx_refuse(c, "sums of %lld products", (long long)terms);
    while (bits > 1 && terms * ((1 << bits) - 1) > (INT64_C(1) << 24) / 255) --bits;
    if (bits == 8) return onnx_cast(c, product(c, onnx_cast(c, x, CCONV_FLOAT32), context), CCONV_INT32);
    int sum = 0;
    for (int low = 0; low < 9; low += bits) { /* the last part has the sign, and reaches from -2^bits to 2^bits - 1 at most */
        int part = low ? onnx_add2(c, "right_shift", x, onnx_scalar(c, x, low), NULL) : x;
        if (low + bits < 9) part = onnx_add2(c, "bitwise_and", part, onnx_scalar(c, x, (1 << bits) - 1), NULL);
        int y = onnx_cast(c, product(c, onnx_cast(c, part, CCONV_FLOAT32), context), CCONV_INT32);
        if (low) y = onnx_add2(c, "left_shift", y, onnx_scalar(c, y, low), NULL);
        sum = sum ? onnx_add2(c, "add", sum, y, NULL) : y;
    }
    return sum;
}

/* A matrix product: `right` in float32. */
static int quantize_matmul(onnx_call *c, int x, const void *context)
{
    const int right = *(const int *)context;
    const bool layer = onnx_shape(c, x)->rank >= 2 && onnx_shape(c, right)->rank == 2;
    return onnx_add2(c, layer ? "dense" : "matmul", x, right, NULL);
}

/* Scale or zero point of a factor or the result of a matrix product: one number, one for each row (or column), or as many axes as
 * the matrices have. 0: left out. */
static int quantize_of_matrix(onnx_call *c, int i, bool rows)
{
    const int node = onnx_input(c, i);
    if (!node || onnx_failed(c)) return 0;
    const cc_shape *shape = onnx_shape(c, node);
    if (shape->rank > 1) return node;
    if (cc_shape_count(shape) == 1) return onnx_reshape(c, node, 0, NULL);
    const int64_t column[] = {cc_shape_count(shape), 1};
    return rows ? onnx_reshape(c, node, 2, column) : node;
}

static int quantize_centered(onnx_call *c, int x, int zero)
{
    return zero ? onnx_add2(c, "subtract", x, zero, NULL) : x;
}

/* The int32 product of the matrices of inputs a and b, their zero points taken off. */
static int quantize_matrices(onnx_call *c, int a, int a_zero, int b, int b_zero)
{
    const int left = quantize_centered(c, onnx_input(c, a), quantize_of_matrix(c, a_zero, true));
    const int right = onnx_cast(c, quantize_centered(c, onnx_input(c, b), quantize_of_matrix(c, b_zero, false)), CCONV_FLOAT32);
    if (onnx_failed(c)) return 0;
    const cc_shape *shape = onnx_shape(c, left);
    if (shape->rank == 0) return onnx_damaged(c, "expected matrices, received a number");
    return quantize_exact(c, left, shape->dim[shape->rank - 1], quantize_matmul, &right);
}

bool onnx_read_MatMulInteger(onnx_call *c)
{
    return onnx_give_as(c, 0, quantize_matrices(c, 0, 2, 1, 3), ONNX_INT32);
}

/* saturate(round(sum left right / result) + zero): what sums of quantized products are as quantized numbers. */
static int quantize_again(onnx_call *c, int sum, int left, int right, int result, int zero, onnx_type type)
{
    const int scale = onnx_add2(c, "divide", onnx_add2(c, "multiply", left, right, NULL), result, NULL);
    return quantize_saturate(c, onnx_add2(c, "multiply", onnx_cast(c, sum, CCONV_FLOAT32), scale, NULL), zero, type);
}

bool onnx_read_QLinearMatMul(onnx_call *c)
{
    const int sum = quantize_matrices(c, 0, 2, 3, 5), left = quantize_of_matrix(c, 1, true);
    const int right = quantize_of_matrix(c, 4, false), result = quantize_of_matrix(c, 6, true),
              zero = quantize_of_matrix(c, 7, true);
    const onnx_type type = onnx_input_type(c, 7);
    return onnx_give_as(c, 0, quantize_again(c, sum, left, right, result, zero, type), type);
}

/* A convolution: weights in float32, attributes. Winograd's algorithm has fractions, another one is named. */
typedef struct quantize_conv {
    int w;
    char attributes[1024];
} quantize_conv;

static int quantize_convolve(onnx_call *c, int x, const void *context)
{
    const quantize_conv *conv = context;
    return onnx_add2(c, "conv", x, conv->w, "%s", conv->attributes);
}

/* The int32 convolution of inputs x and w, their zero points taken off, channels last. */
static int quantize_images(onnx_call *c, int x_input, int x_zero, int w_input, int w_zero)
{
    const int given = onnx_input(c, x_input), rank = onnx_shape(c, given)->rank;
    if (onnx_failed(c)) return 0;
    if (rank < 3 || rank > 2 + ONNX_WINDOW_AXES)
        return onnx_refuse(c, "an input of rank %d (images of 1 to 3 axes are supported)", rank);
    const int x = quantize_centered(c, onnx_channels_last(c, given), quantize_of_matrix(c, x_zero, false));
    int axes[CCONV_MAX_RANK] = {0};
    for (int i = 0; i < rank - 2; ++i) axes[i] = 2 + i;
    axes[rank - 2] = 1; /* axes[rank - 1] is 0: output channels come last, and so do their zero points */
    const int w = quantize_centered(c, onnx_input_ordered(c, w_input, axes), quantize_of_matrix(c, w_zero, false));
    if (onnx_failed(c)) return 0;
    const cc_shape kernel = *onnx_shape(c, w);
    if (kernel.rank != rank) return onnx_damaged(c, "expected weights of rank %d, received rank %d", rank, kernel.rank);
    onnx_window window;
    if (!onnx_window_read(c, given, kernel.dim, &window)) return 0;
    quantize_conv conv = {.w = onnx_cast(c, w, CCONV_FLOAT32)};
    char text[ONNX_WINDOW_TEXT], dilation[256];
    snprintf(conv.attributes, sizeof conv.attributes, "%s %s groups=%lld algorithm=direct", onnx_window_text(&window, text),
             onnx_list_text(dilation, "dilation", window.axes, window.dilations), (long long)onnx_int(c, "group", 1));
    return quantize_exact(c, x, cc_shape_product(&kernel, 0, rank - 1), quantize_convolve, &conv);
}

bool onnx_read_ConvInteger(onnx_call *c)
{
    return onnx_give_as(c, 0, onnx_channels_first(c, quantize_images(c, 0, 2, 1, 3)), ONNX_INT32);
}

bool onnx_read_QLinearConv(onnx_call *c)
{
    int sum = quantize_images(c, 0, 2, 3, 5);
    if (onnx_has(c, 8)) sum = onnx_add2(c, "add", sum, onnx_input(c, 8), NULL);
    const int left = quantize_of_matrix(c, 1, false), right = quantize_of_matrix(c, 4, false),
              result = quantize_of_matrix(c, 6, false);
    const int zero = quantize_of_matrix(c, 7, false);
    const onnx_type type = onnx_input_type(c, 7);
    return onnx_give_as(c, 0, onnx_channels_first(c, quantize_again(c, sum, left, right, result, zero, type)), type);
}
