/* Comparisons and logic. */
#include "onnx/build.h"

static bool comparison_two(onnx_call *c, const char *op)
{
    return onnx_give_as(c, 0, onnx_add2(c, op, onnx_input(c, 0), onnx_second(c), NULL), ONNX_BOOL);
}

#define COMPARISON_TWO(name, op)                                                                                               \
    bool onnx_read_##name(onnx_call *c)                                                                                        \
    {                                                                                                                          \
        return comparison_two(c, op);                                                                                          \
    }
COMPARISON_TWO(Equal, "equal")
COMPARISON_TWO(Greater, "greater")
COMPARISON_TWO(GreaterOrEqual, "greater_equal")
COMPARISON_TWO(Less, "less")
COMPARISON_TWO(LessOrEqual, "less_equal")
COMPARISON_TWO(And, "minimum") /* of 0 and 1 */
COMPARISON_TWO(Or, "maximum")
COMPARISON_TWO(Xor, "not_equal")

bool onnx_read_Not(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    return onnx_give_as(c, 0, onnx_add2(c, "equal", x, onnx_scalar(c, x, 0), NULL), ONNX_BOOL);
}

bool onnx_read_Where(onnx_call *c)
{
    const int inputs[3] = {onnx_input(c, 0), onnx_input(c, 1), onnx_input(c, 2)};
    return onnx_give_as(c, 0, onnx_add(c, "where", 3, inputs, NULL), onnx_input_type(c, 1));
}
