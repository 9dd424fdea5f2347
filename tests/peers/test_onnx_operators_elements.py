"""Operators of ONNX that compute with elements or make tensors, in forms that the conformance cases do not have."""

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import TensorProto, numpy_helper  # noqa: E402

from .onnx_nodes import array, case, check, count, floats, named, whole  # noqa: E402

signed = [-7, -6, -1, 0, 1, 6, 7, 100]
divisors = [2, -4, 3, 5, -1, -4, 2, -7]


@named(
    [
        case("Add", array([200, 255, 3], "uint8"), array([100, 1, 4], "uint8"), opset=14),
        case("Sub", array([3, 0], "uint8"), array([5, 0], "uint8"), opset=14),
        case("Sub", array([3, 60000], "uint16"), array([5, 0], "uint16"), opset=14),
        case("Mul", array([100, -100, 5], "int8"), array([3, 2, 5], "int8"), opset=14),
        case("Mul", array([30000, -30000], "int16"), array([3, 2], "int16"), opset=14),
        case("Add", floats(2, 1, 3), floats(4, 1), opset=7),
        case("Div", array(signed, "int32"), array(divisors, "int32")),
        case("Div", array(signed, "int64"), array(divisors, "int64")),
        case("Div", array([255, 7], "uint8"), array([2, 3], "uint8"), opset=14),
        case("Div", array([-128, -7], "int8"), array([3, 2], "int8"), opset=14),
        case("Div", floats(5), floats(5)),
        case("Pow", array([2, 3, 5], "int32"), array([3, 5, 2], "float32")),
        case("Pow", floats(4), array([2, 3, 0, 1], "int64")),
        case("Pow", array([2, -3, 5], "int64"), array([3, 5, 0], "int64")),
        case("Pow", array([2, 3, 0.5]), array([0.5, -2, 3])),
        case("Mod", array(signed, "int32"), array(divisors, "int32")),
        case("Mod", array(signed, "int64"), array(divisors, "int64"), fmod=1),
        case("Mod", array([-4.3, 7.2, 5.0]), array([2.1, -3.4, 8.0]), fmod=1),
        case("Mod", array([200, 7], "uint8"), array([6, 9], "uint8")),
        case("Max", floats(2, 3), floats(3), floats(2, 1)),
        case("Min", array([1, 5, -3], "int64"), array([2], "int64"), opset=12),
        case("Max", floats(3)),
        case("Sum", floats(2, 3), floats(3), floats(1)),
        case("Mean", floats(2, 3), floats(3), floats(2, 1)),
        case("Neg", array([5, -127, -128], "int8")),
        case("Abs", array([5, -127], "int8")),
        case("Abs", array([5, -9], "int64")),
        case("Sign", array([5, 0, -9], "int64")),
        case("Floor", array([-1.5, -0.5, 0.5, 2.0])),
        case("Ceil", array([-1.5, -0.5, 0.5, 2.0])),
        case("Round", array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49, 2.51])),
        case("Reciprocal", array([2.0, -0.5])),
        case("Acosh", array([1.0, 2.5])),
        case("Atanh", array([-0.5, 0.3])),
        case("Erf", floats(9)),
        case("IsNaN", array([1, np.nan, np.inf])),
        *(
            case("IsInf", array([1, np.inf, -np.inf, np.nan]), opset=10, detect_negative=n, detect_positive=p)
            for n in (0, 1)
            for p in (0, 1)
        ),
        case("BitShift", array([200, 3, 1], "uint8"), array([1, 2, 7], "uint8"), direction="LEFT"),
        case("BitShift", array([60000, 3], "uint16"), array([3, 1], "uint16"), direction="LEFT"),
        case("BitShift", array([200, 3, 1000], "uint32"), array([1, 2, 3], "uint32"), direction="RIGHT"),
        case("BitwiseNot", array([0, 200], "uint8"), opset=18),
        case("BitwiseNot", array([0, 200, -7], "int16"), opset=18),
        case("BitwiseXor", array([5, 200], "uint8"), array([12], "uint8"), opset=18),
        case("BitwiseAnd", array([5, -200], "int32"), array([12, 255], "int32"), opset=18),
        case("BitwiseOr", array([5, 200], "int64"), array([12, 255], "int64"), opset=18),
    ]
)
def test_arithmetic(one):
    check(*one)


yes, no = [True, False, True, False], [True, True, False, False]


@named(
    [
        case("Equal", array(yes, "bool"), array(no, "bool"), opset=13),
        case("Equal", array([1, 2, 3], "int64"), array([[1], [3]], "int64")),
        case("Equal", array([1, np.nan]), array([1, np.nan])),
        case("Greater", array([1, 2, 3], "int32"), array([2], "int32")),
        case("GreaterOrEqual", array([1, 2, 3, np.nan]), array([2])),
        case("Less", array([1, 2, 3], "int64"), array([2], "int64")),
        case("LessOrEqual", array([1, 2, 3]), array([2])),
        *(case(op, array(yes, "bool"), array(no, "bool")[:, None]) for op in ("And", "Or", "Xor")),
        case("Not", array(yes, "bool")),
        case("Where", array(yes, "bool"), floats(3, 1), floats(4)),
        case("Where", array(yes, "bool"), array([[1], [2]], "int64"), array([3], "int64")),
        case("Where", array(yes, "bool"), array([1, 2, 3, 4], "uint8"), array([9], "uint8")),
    ]
)
def test_comparisons(one):
    check(*one)


def value(*values, dtype):
    return numpy_helper.from_array(np.array(values, dtype))


@named(
    [
        case("Shape", floats(2, 3, 4), opset=15, start=-2, end=9),
        case("Size", floats(2, 3, 4)),
        case("ConstantOfShape", whole(2, 3), known=[0]),
        case("ConstantOfShape", whole(2, 3), known=[0], value=value(7, dtype="int64")),
        case("ConstantOfShape", whole(2), known=[0], value=value(True, dtype="bool")),
        case("ConstantOfShape", whole(0, 2), known=[0], value=value(1.5, dtype="float32")),
        case("ConstantOfShape", np.zeros(0, np.int64), known=[0], value=value(1.5, dtype="float32")),
        case("Constant", value_ints=[1, 2, 3]),
        case("Constant", value_floats=[1, 2.5, 3]),
        case("Constant", value_float=2.5),
        case("Constant", value=value(3, 4, dtype="uint8")),
        case("Range", array(1), array(9.5), array(2), known=[0, 1, 2]),
        case("Range", array(9, "int64"), array(-4, "int64"), array(-3, "int64"), known=[0, 1, 2]),
        case("Range", array(3, "int32"), array(1, "int32"), array(1, "int32"), known=[0, 1, 2]),
        case("EyeLike", floats(3, 5), k=-1),
        case("EyeLike", array([[1, 2], [3, 4], [5, 6]], "int32"), k=1, dtype=TensorProto.FLOAT),
        case("EyeLike", floats(2, 3), dtype=TensorProto.INT64),
        case("Trilu", floats(2, 3, 4), whole(-1).reshape(()), known=[1]),
        case("Trilu", count(3, 4, dtype="int64"), whole(1).reshape(()), known=[1], upper=0),
        case("Trilu", floats(3, 2)),
        case("NonZero", array([[1, 0, 2], [0, 0, 3]]), known=[0]),
        case("OneHot", array([0, -1, 2, 5], "int64"), whole(3), array([-1, 4]), known=[1, 2]),
        case("OneHot", array([[0, -1], [2, 5]], "int64"), whole(3), array([0, 4], "int64"), known=[1], axis=1),
        case("OneHot", array([0, 2]), array([3.0]), array([0.5, 4]), known=[1], axis=0),
        case("Cast", array([300.7, -1.5, 3.9]), to=TensorProto.INT32),
        case("Cast", array([255.7, 0.5, 3.9]), to=TensorProto.UINT8),
        case("Cast", array([300, -1, 128], "int32"), to=TensorProto.UINT8),
        case("Cast", array([300, -1, 128], "int64"), to=TensorProto.INT8),
        case("Cast", array([70000, -1], "int32"), to=TensorProto.UINT16),
        case("Cast", array([0.0, -0.5, 2]), to=TensorProto.BOOL),
        case("Cast", array([True, False]), to=TensorProto.FLOAT),
        case("Cast", array([3, -2], "int64"), to=TensorProto.FLOAT),
        case("CastLike", array([3.5, -2]), array([3], "int8"), opset=15),
        case("Reshape", floats(2, 3, 4), whole(0, -1), known=[1]),
        case("Reshape", floats(2, 3, 4), whole(4, 0, -1, 1), known=[1]),
        case("Reshape", floats(0, 3), whole(3, 0), known=[1], allowzero=1),
        case("Reshape", floats(0, 3, 4), whole(3, 4, 0), known=[1], allowzero=1),
        case("Reshape", floats(1, 1), np.zeros(0, np.int64), known=[1]),
        case("Flatten", floats(2, 3, 4), axis=-1),
        case("Flatten", floats(2, 3, 4), axis=0),
        case("Squeeze", floats(1, 3, 1), opset=11, axes=[0]),
        case("Squeeze", floats(1, 3, 1)),
        case("Squeeze", floats(1, 3, 1), whole(-1), known=[1]),
        case("Unsqueeze", floats(2, 3), opset=11, axes=[0, 3]),
        case("Unsqueeze", floats(2, 3), whole(-1, 1), known=[1]),
        case("Expand", floats(3, 1), whole(2, 1, 4), known=[1]),
        case("Expand", floats(2, 3), whole(1), known=[1]),
        case("Expand", array([True, False]), whole(3, 2), known=[1]),
        case("Tile", floats(2, 1, 3), whole(2, 3, 2), known=[1]),
        case("Tile", array([[1, 2]], "int64"), whole(1, 3), known=[1]),
        case("Tile", floats(2, 3), whole(0, 2), known=[1]),
        case("Identity", array([1, 2], "uint8")),
    ]
)
def test_shapes(one):
    check(*one)
