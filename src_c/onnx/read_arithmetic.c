/* Arithmetic, functions of one element, and bits.
 *
 * Integers are int32 here. Those of 8 and 16 bits wrap as in the file; those of 32 and 64 bits are numbers that fit int32, results
 * too: what is not (the complement of an unsigned one) is refused. */
#include "onnx/build.h"
#include <math.h>

static bool arithmetic_is_int(onnx_call *c, int node)
{
    return onnx_shape(c, node)->type == CCONV_INT32;
}

static bool arithmetic_is_unsigned(onnx_type type)
{
    return type == ONNX_UINT8 || type == ONNX_UINT16 || type == ONNX_UINT32 || type == ONNX_UINT64;
}

static bool arithmetic_give(onnx_call *c, int node)
{
    const onnx_type type = onnx_input_type(c, 0);
    return onnx_give_as(c, 0, onnx_wrap(c, node, type), type);
}

/* ---- Two operands --------------------------------------------------------------------------------------------------- */

static bool arithmetic_two(onnx_call *c, const char *op)
{
    return arithmetic_give(c, onnx_add2(c, op, onnx_input(c, 0), onnx_second(c), NULL));
}

bool onnx_read_Add(onnx_call *c)
{
    return arithmetic_two(c, "add");
}

bool onnx_read_Sub(onnx_call *c)
{
    return arithmetic_two(c, "subtract");
}

bool onnx_read_Mul(onnx_call *c)
{
    return arithmetic_two(c, "multiply");
}

/* Quotients of integers are cut off towards 0: a less its remainder, which has its sign, divides without one. */
static int arithmetic_quotient(onnx_call *c, int a, int b, bool below_zero)
{
    if (!arithmetic_is_int(c, a)) return onnx_add2(c, "divide", a, b, NULL);
    const int whole = below_zero ? onnx_add2(c, "subtract", a, onnx_add2(c, "fmod", a, b, NULL), NULL) : a;
    return onnx_add2(c, "floor_divide", whole, b, NULL);
}

bool onnx_read_Div(onnx_call *c)
{
    const int a = onnx_input(c, 0), b = onnx_second(c);
    return arithmetic_give(c, arithmetic_quotient(c, a, b, !arithmetic_is_unsigned(onnx_input_type(c, 0))));
}

/* The power has the type of its base; with one operand of floating point it is computed so. */
bool onnx_read_Pow(onnx_call *c)
{
    const int a = onnx_input(c, 0), b = onnx_second(c);
    if (onnx_failed(c)) return false;
    const cconv_dtype type = onnx_shape(c, a)->type;
    if (type == onnx_shape(c, b)->type) return arithmetic_two(c, "power");
    const int x = onnx_cast(c, a, CCONV_FLOAT32), y = onnx_cast(c, b, CCONV_FLOAT32);
    return arithmetic_give(c, onnx_cast(c, onnx_add2(c, "power", x, y, NULL), type));
}

bool onnx_read_Mod(onnx_call *c)
{
    const int64_t fmod_ = onnx_int(c, "fmod", 0);
    if (!fmod_ && onnx_opset(c) < 28 && !arithmetic_is_int(c, onnx_input(c, 0)))
        return onnx_damaged(c, "expected fmod 1 for floating point, received 0");
    return arithmetic_two(c, fmod_ ? "fmod" : "mod");
}

bool onnx_read_BitwiseAnd(onnx_call *c)
{
    return arithmetic_two(c, "bitwise_and");
}

bool onnx_read_BitwiseOr(onnx_call *c)
{
    return arithmetic_two(c, "bitwise_or");
}

bool onnx_read_BitwiseXor(onnx_call *c)
{
    return arithmetic_two(c, "bitwise_xor");
}

bool onnx_read_BitwiseNot(onnx_call *c)
{
    const onnx_type type = onnx_input_type(c, 0);
    if (type == ONNX_UINT32 || type == ONNX_UINT64)
        return onnx_refuse(c, "the complement of %s, which does not fit int32", onnx_type_name(type));
    return arithmetic_give(c, onnx_add1(c, "bitwise_not", onnx_input(c, 0), NULL));
}

bool onnx_read_BitShift(onnx_call *c)
{
    const char *direction = onnx_string(c, "direction", "");
    if (direction[0] != 'L' && direction[0] != 'R')
        return onnx_damaged(c, "expected direction LEFT or RIGHT, received '%s'", direction);
    return arithmetic_two(c, direction[0] == 'L' ? "left_shift" : "right_shift");
}

/* ---- Any number of operands ----------------------------------------------------------------------------------------- */

static int arithmetic_all(onnx_call *c, const char *op)
{
    int node = onnx_input(c, 0);
    for (int i = 1; i < onnx_inputs(c); ++i) node = onnx_add2(c, op, node, onnx_input(c, i), NULL);
    return node;
}

bool onnx_read_Max(onnx_call *c)
{
    return arithmetic_give(c, arithmetic_all(c, "maximum"));
}

bool onnx_read_Min(onnx_call *c)
{
    return arithmetic_give(c, arithmetic_all(c, "minimum"));
}

bool onnx_read_Sum(onnx_call *c)
{
    return arithmetic_give(c, arithmetic_all(c, "add"));
}

bool onnx_read_Mean(onnx_call *c)
{
    const int sum = arithmetic_all(c, "add");
    return arithmetic_give(c, onnx_add2(c, "divide", sum, onnx_scalar(c, sum, onnx_inputs(c)), NULL));
}

/* ---- One operand ---------------------------------------------------------------------------------------------------- */

#define ARITHMETIC_ONE(name, op)                                                                                               \
    bool onnx_read_##name(onnx_call *c)                                                                                        \
    {                                                                                                                          \
        return arithmetic_give(c, onnx_add1(c, op, onnx_input(c, 0), NULL));                                                   \
    }
ARITHMETIC_ONE(Neg, "negative")
ARITHMETIC_ONE(Abs, "abs")
ARITHMETIC_ONE(Sqrt, "sqrt")
ARITHMETIC_ONE(Reciprocal, "reciprocal")
ARITHMETIC_ONE(Exp, "exp")
ARITHMETIC_ONE(Log, "log")
ARITHMETIC_ONE(Sin, "sin")
ARITHMETIC_ONE(Cos, "cos")
ARITHMETIC_ONE(Tan, "tan")
ARITHMETIC_ONE(Asin, "arcsin")
ARITHMETIC_ONE(Acos, "arccos")
ARITHMETIC_ONE(Atan, "arctan")
ARITHMETIC_ONE(Sinh, "sinh")
ARITHMETIC_ONE(Cosh, "cosh")
ARITHMETIC_ONE(Asinh, "arcsinh")
ARITHMETIC_ONE(Acosh, "arccosh")
ARITHMETIC_ONE(Atanh, "arctanh")
ARITHMETIC_ONE(Erf, "erf")
ARITHMETIC_ONE(Floor, "floor")
ARITHMETIC_ONE(Ceil, "ceil")
ARITHMETIC_ONE(Round, "round")
ARITHMETIC_ONE(Sign, "sign")

bool onnx_read_IsNaN(onnx_call *c)
{
    return onnx_give_as(c, 0, onnx_add1(c, "isnan", onnx_input(c, 0), NULL), ONNX_BOOL);
}

bool onnx_read_IsInf(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    const bool negative = onnx_int(c, "detect_negative", 1) != 0, positive = onnx_int(c, "detect_positive", 1) != 0;
    if (!negative && !positive) return onnx_give_as(c, 0, onnx_add2(c, "less", x, x, NULL), ONNX_BOOL); /* nowhere */
    if (negative && positive) return onnx_give_as(c, 0, onnx_add1(c, "isinf", x, NULL), ONNX_BOOL);
    const int infinite = onnx_scalar(c, x, positive ? INFINITY : -INFINITY);
    return onnx_give_as(c, 0, onnx_add2(c, "equal", x, infinite, NULL), ONNX_BOOL);
}
