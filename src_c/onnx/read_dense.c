/* Products of matrices. Those with one matrix on the right, as a layer has, become `dense`. */
#include "onnx/reader.h"
#include <math.h>

static bool dense_is_float(const onnx_call *c, int node)
{
    return onnx_shape(c, node)->type == CCONV_FLOAT32;
}

static int dense_scaled(onnx_call *c, int x, float factor)
{
    if (factor == 1 || onnx_failed(c)) return x;
    if (!dense_is_float(c, x) && factor != truncf(factor))
        return onnx_refuse(c, "integers and alpha or beta %g", (double)factor);
    return onnx_add2(c, "multiply", x, onnx_scalar(c, x, (double)factor), NULL);
}

bool onnx_read_Gemm(onnx_call *c)
{
    const float alpha = onnx_float(c, "alpha", 1), beta = onnx_float(c, "beta", 1);
    const bool transpose_a = onnx_int(c, "transA", 0) != 0, transpose_b = onnx_int(c, "transB", 0) != 0;
    const int exchanged[CCONV_MAX_RANK] = {1, 0}, as_it_is[CCONV_MAX_RANK] = {0, 1};
    int a = onnx_input(c, 0);
    if (onnx_opset(c) < 7) onnx_ignore(c, "broadcast"); /* without it other shapes than equal ones are damage */
    if (onnx_failed(c)) return false;
    if (onnx_shape(c, a)->rank != 2) return onnx_damaged(c, "expected an A of rank 2, received %d", onnx_shape(c, a)->rank);
    if (transpose_a) a = onnx_input_ordered(c, 0, exchanged);
    const int b = onnx_input_ordered(c, 1, transpose_b ? exchanged : as_it_is);
    if (onnx_failed(c)) return false;
    if (onnx_shape(c, b)->rank != 2) return onnx_damaged(c, "expected a B of rank 2, received %d", onnx_shape(c, b)->rank);
    const int64_t columns = onnx_shape(c, b)->dim[1];
    int bias = onnx_has(c, 2) && beta != 0 ? dense_scaled(c, onnx_input(c, 2), beta) : 0;
    const bool vector = bias && cc_shape_count(onnx_shape(c, bias)) == columns && onnx_shape(c, bias)->rank >= 1 &&
                        onnx_shape(c, bias)->dim[onnx_shape(c, bias)->rank - 1] == columns;
    const bool joined = vector && alpha == 1 && dense_is_float(c, a);
    int y;
    if (dense_is_float(c, a)) {
        const int inputs[] = {a, b, joined ? onnx_reshape(c, bias, 1, &columns) : 0};
        y = onnx_add(c, "dense", 3, inputs, NULL);
    } else {
        y = onnx_add2(c, "matmul", a, b, NULL);
    }
    y = dense_scaled(c, y, alpha);
    return onnx_give(c, 0, bias && !joined ? onnx_add2(c, "add", y, bias, NULL) : y);
}

bool onnx_read_MatMul(onnx_call *c)
{
    const int a = onnx_input(c, 0), b = onnx_input(c, 1);
    if (onnx_failed(c)) return false;
    const bool layer = dense_is_float(c, a) && onnx_shape(c, a)->rank >= 2 && onnx_shape(c, b)->rank == 2;
    return onnx_give(c, 0, onnx_add2(c, layer ? "dense" : "matmul", a, b, NULL));
}
