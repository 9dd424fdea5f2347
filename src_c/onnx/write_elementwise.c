/* Writers of functions of one, two and three elements. Where ONNX has no operator of that name, a formula of a few stands for it,
 * chosen so that no digits are lost where the function keeps them. See write.h. */
#include "onnx/write.h"
#include "ops/clip.h"

/* Operand k in the order that all are computed in. */
static int operand(save_call *c, int k)
{
    return save_brought(c, k, &c->held);
}

static bool is_whole(save_call *c, int k)
{
    return save_shape(c, k)->type == CCONV_INT32;
}

static bool is_bool(save_call *c, int k)
{
    return save_shape(c, k)->type == CCONV_BOOL;
}

/* f(x), f(a, b) or f(x, a, b) by the operator of the row. */
int save_one_operator(save_call *c)
{
    int inputs[3];
    c->held = save_common_order(c);
    for (int k = 0; k < c->node->n_inputs; ++k) inputs[k] = operand(c, k);
    return save_add(c, c->onnx, c->node->n_inputs, inputs);
}

int save_where(save_call *c)
{
    c->held = save_common_order(c);
    int a = operand(c, 1), b = operand(c, 2);
    const int condition = operand(c, 0);
    if (!is_bool(c, 1)) return save_add3(c, "Where", condition, a, b);
    a = save_cast(c, a, SAVE_INT32); /* bools are not chosen from everywhere */
    b = save_cast(c, b, SAVE_INT32);
    return save_cast(c, save_add3(c, "Where", condition, a, b), SAVE_BOOL);
}

int save_clip(save_call *c)
{
    const cc_clip_attributes *a = c->node->attributes;
    c->held = save_common_order(c);
    const int low = save_number(c, (double)a->minimum), high = save_number(c, (double)a->maximum);
    return save_add3(c, "Clip", operand(c, 0), low, high);
}

int save_cast_op(save_call *c)
{
    c->held = save_common_order(c);
    return save_cast(c, operand(c, 0), save_dtype(c->node->shape.type));
}

/* ---- Of one element ----------------------------------------------------------------------------------------------- */

static int times(save_call *c, int x, double factor)
{
    return save_add2(c, "Mul", x, save_number(c, factor));
}

/* log(1 + x), near 0 as 2 artanh(x / (2 + x)). */
int save_log1p(save_call *c, int x)
{
    const int small = save_add2(c, "Less", save_add1(c, "Abs", x), save_number(c, 0.5));
    const int ratio = save_add2(c, "Div", x, save_add2(c, "Add", x, save_number(c, 2)));
    const int near = times(c, save_add1(c, "Atanh", ratio), 2);
    const int far = save_add1(c, "Log", save_add2(c, "Add", x, save_number(c, 1)));
    return save_add3(c, "Where", small, near, far);
}

/* e^x - 1 = 2 e^(x / 2) sinh(x / 2), far below 0 it is -1. */
static int exp_less_1(save_call *c, int x)
{
    const int half = times(c, save_add2(c, "Max", x, save_number(c, -100)), 0.5);
    return times(c, save_add2(c, "Mul", save_add1(c, "Exp", half), save_add1(c, "Sinh", half)), 2);
}

int save_unary(save_call *c)
{
    const cc_op *op = c->node->op;
    c->held = save_common_order(c);
    const int x = operand(c, 0);
    if (op == &cc_op_square) return save_add2(c, "Mul", x, x);
    if (op == &cc_op_log1p) return save_log1p(c, x);
    if (op == &cc_op_expm1) return exp_less_1(c, x);
    if (op == &cc_op_exp2) return save_add2(c, "Pow", save_number(c, 2), x);
    if (op == &cc_op_log2) return times(c, save_add1(c, "Log", x), 1.4426950408889634);
    if (op == &cc_op_log10) return times(c, save_add1(c, "Log", x), 0.4342944819032518);
    if (op == &cc_op_erfc) return save_add2(c, "Sub", save_number(c, 1), save_add1(c, "Erf", x));
    /* cbrt and trunc: of the magnitude, with the sign */
    const int magnitude = save_add1(c, "Abs", x);
    const int y =
        op == &cc_op_cbrt ? save_add2(c, "Pow", magnitude, save_number(c, 1.0 / 3)) : save_add1(c, "Floor", magnitude);
    return save_add2(c, "Mul", save_add1(c, "Sign", x), y);
}

/* ---- Of two elements ---------------------------------------------------------------------------------------------- */

/* maximum and minimum, of bools too: any and all. */
int save_extreme(save_call *c)
{
    c->held = save_common_order(c);
    const bool largest = c->node->op == &cc_op_maximum;
    return save_add2(c, !is_bool(c, 0) ? c->onnx : largest ? "Or" : "And", operand(c, 0), operand(c, 1));
}

int save_comparison(save_call *c)
{
    const cc_op *op = c->node->op;
    c->held = save_common_order(c);
    int a = operand(c, 0), b = operand(c, 1);
    if (is_bool(c, 0) && op != &cc_op_equal && op != &cc_op_not_equal) {
        a = save_cast(c, a, SAVE_INT32);
        b = save_cast(c, b, SAVE_INT32);
    }
    const int y = save_add2(c, c->onnx, a, b);
    return op == &cc_op_not_equal ? save_add1(c, "Not", y) : y;
}

/* The remainder with the sign of a, or of b. Divisors of 0 are put aside, where whole numbers cannot be divided by them. */
static int remainder_of(save_call *c, int a, int b, bool sign_of_a)
{
    if (is_whole(c, 0)) {
        const int y = save_add2(c, "Mod", a, b);
        if (sign_of_a) save_set_int(c, "fmod", 1);
        return y;
    }
    const int zero = save_number(c, 0), y = save_add2(c, "Mod", a, b);
    save_set_int(c, "fmod", 1);
    if (sign_of_a) return y;
    const int other = save_add2(c, "Xor", save_add2(c, "Less", y, zero), save_add2(c, "Less", b, zero));
    const int some = save_add1(c, "Not", save_add2(c, "Equal", y, zero));
    return save_add3(c, "Where", save_add2(c, "And", some, other), save_add2(c, "Add", y, b), y);
}

/* mod, fmod and floor_divide; by 0 whole numbers give 0. */
int save_remainder(save_call *c)
{
    const cc_op *op = c->node->op;
    c->held = save_common_order(c);
    const int a = operand(c, 0), b = operand(c, 1), zero = save_like(c, 1, 0), none = save_add2(c, "Equal", b, zero);
    const int divisor = is_whole(c, 0) ? save_add3(c, "Where", none, save_like(c, 1, 1), b) : b;
    int y = remainder_of(c, a, divisor, op == &cc_op_fmod);
    if (op == &cc_op_floor_divide) {
        y = save_add2(c, "Div", save_add2(c, "Sub", a, y), divisor);
        if (!is_whole(c, 0)) return save_add3(c, "Where", none, save_add2(c, "Div", a, b), save_add1(c, "Round", y));
    }
    return is_whole(c, 0) ? save_add3(c, "Where", none, zero, y) : y;
}

int save_binary(save_call *c)
{
    c->held = save_common_order(c);
    const int a = operand(c, 0), b = operand(c, 1);
    if (c->node->op == &cc_op_hypot) { /* squares of what is divided by the larger one do not overflow */
        const int first = save_add1(c, "Abs", a), second = save_add1(c, "Abs", b), larger = save_add2(c, "Max", first, second);
        const int smaller = save_add2(c, "Min", first, second), same = save_add2(c, "Equal", smaller, larger);
        const int quotient = save_add2(c, "Div", smaller, save_add2(c, "Max", larger, save_number(c, 1e-37)));
        const int ratio = save_add3(c, "Where", same, save_number(c, 1), quotient); /* of two infinities, too */
        const int sum = save_add2(c, "Add", save_add2(c, "Mul", ratio, ratio), save_number(c, 1));
        return save_add2(c, "Mul", larger, save_add1(c, "Sqrt", sum));
    }
    /* logaddexp; two infinities are not apart */
    const int same = save_add2(c, "Equal", a, b), apart_or_nan = save_add1(c, "Abs", save_add2(c, "Sub", a, b));
    const int apart = save_add3(c, "Where", same, save_number(c, 0), apart_or_nan);
    return save_add2(c, "Add", save_add2(c, "Max", a, b), save_log1p(c, save_add1(c, "Exp", save_add1(c, "Neg", apart))));
}

/* Bits move in unsigned numbers only. Of a right shift the bits of a number below 0 are turned over before and after, so that its
 * sign moves in. */
int save_shift(save_call *c)
{
    const bool left = c->node->op == &cc_op_left_shift;
    c->held = save_common_order(c);
    int a = operand(c, 0);
    const int b = operand(c, 1), zero = save_like(c, 0, 0), most = save_like(c, 0, 31);
    const int outside = save_add2(c, "Or", save_add2(c, "Less", b, zero), save_add2(c, "Greater", b, most));
    const int places = save_cast(c, save_add3(c, "Where", outside, most, b), SAVE_UINT32);
    const int sign = left ? 0 : save_add3(c, "Where", save_add2(c, "Less", a, zero), save_like(c, 0, -1), zero);
    if (!left) a = save_add2(c, "BitwiseXor", a, sign);
    const int moved = save_add2(c, "BitShift", save_cast(c, a, SAVE_UINT32), places);
    save_set_text(c, "direction", left ? "LEFT" : "RIGHT");
    const int y = save_cast(c, moved, SAVE_INT32);
    return left ? save_add3(c, "Where", outside, zero, y) : save_add2(c, "BitwiseXor", y, sign);
}
