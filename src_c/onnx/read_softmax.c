/* Softmax, LogSoftmax and Hardmax: along one axis, and before opset 13 over all axes from one on. */
#include "onnx/reader.h"

static int softmax_add(onnx_call *c, const char *op, int x, int axis)
{
    if (op) return onnx_add1(c, op, x, "axis=%d", axis);
    const int rank = onnx_shape(c, x)->rank; /* Hardmax: 1 at the first of the largest */
    if (onnx_failed(c)) return 0;
    const int y = onnx_add1(c, "one_hot", onnx_add1(c, "argmax", x, "axis=%d", axis), "depth=%lld",
                            (long long)onnx_shape(c, x)->dim[axis]);
    int axes[CCONV_MAX_RANK];
    for (int i = 0; i < rank; ++i) axes[i] = i < axis ? i : i == axis ? rank - 1 : i - 1;
    return onnx_transpose(c, y, rank, axes);
}

static bool softmax_read(onnx_call *c, const char *op)
{
    const bool flat = onnx_opset(c) < 13;
    const int x = onnx_input(c, 0), rank = onnx_shape(c, x)->rank;
    if (onnx_failed(c)) return false;
    if (rank == 0) return onnx_refuse(c, "an input of rank 0");
    const int64_t given = onnx_int(c, "axis", flat ? 1 : -1);
    const int axis = flat && given == rank ? rank : onnx_axis(c, given, rank);
    if (onnx_failed(c)) return false;
    const cc_shape shape = *onnx_shape(c, x);
    if (axis < rank && (!flat || cc_shape_product(&shape, axis + 1, rank) == 1))
        return onnx_give(c, 0, softmax_add(c, op, x, axis));
    const int64_t rows[] = {cc_shape_product(&shape, 0, axis), cc_shape_product(&shape, axis, rank)};
    const int y = softmax_add(c, op, onnx_reshape(c, x, 2, rows), 1);
    return onnx_give(c, 0, onnx_reshape(c, y, rank, shape.dim));
}

bool onnx_read_Softmax(onnx_call *c)
{
    return softmax_read(c, "softmax");
}

bool onnx_read_LogSoftmax(onnx_call *c)
{
    return softmax_read(c, "log_softmax");
}

bool onnx_read_Hardmax(onnx_call *c)
{
    return softmax_read(c, NULL);
}
