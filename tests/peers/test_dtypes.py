"""The dtypes of what `cconv.ops` return, beside Keras' for the same inputs: at once, and in a model."""

import numpy as np
import pytest

import cconv
from cconv import ops as ours

keras = pytest.importorskip("keras")
theirs = keras.ops

FLOATS = np.array([1.5, 2.0, 3.0], "float32")
WHOLE = np.array([1, 2, 3], "int32")
BOOLS = np.array([True, False, True])
UNARY = [
    "negative", "absolute", "sqrt", "square", "exp", "log", "log1p", "expm1", "sin", "cos", "sinh", "cosh", "tanh",
    "arctan", "floor", "ceil", "round", "sign", "reciprocal", "sum", "mean", "max", "min", "prod", "var", "std",
    "logsumexp", "argmax", "argmin", "logical_not", "relu", "relu6", "leaky_relu", "elu", "selu", "sigmoid", "silu",
    "softplus", "softsign", "softmax", "log_softmax", "stop_gradient", "transpose", "rsqrt", "hard_sigmoid",
    "expand_dims", "reshape", "clip", "one_hot", "stack", "concatenate", "squeeze", "broadcast_to", "moveaxis",
    "get_item", "cast", "where_number", "add_int", "add_float", "multiply_int", "multiply_float", "power_int",
    "divide_int", "maximum_float", "zeros", "arange", "convert",
]  # fmt: skip
BINARY = [
    "add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "equal", "not_equal", "greater",
    "greater_equal", "less", "less_equal", "logical_and", "logical_or", "matmul", "concatenate2", "stack2", "where",
]  # fmt: skip
# Keras hands these to PyTorch, which has no such function of these types.
UNDEFINED = {
    *((name, "bool") for name in ("negative", "round", "relu", "relu6", "softsign")),
    *(
        (name, dtype)
        for name in ("leaky_relu", "elu", "selu", "silu", "softplus", "softmax", "log_softmax", "hard_sigmoid")
        for dtype in ("int32", "bool")
    ),
    ("subtract", "bool", "bool"),
    ("power", "bool", "bool"),
}
SPECIAL = {
    "expand_dims": lambda ops, x: ops.expand_dims(x, 0),
    "reshape": lambda ops, x: ops.reshape(x, (3, 1)),
    "clip": lambda ops, x: ops.clip(x, 0, 2),
    "one_hot": lambda ops, x: ops.one_hot(x[1:], 4),
    "stack": lambda ops, x: ops.stack([x, x]),
    "concatenate": lambda ops, x: ops.concatenate([x, x]),
    "squeeze": lambda ops, x: ops.squeeze(ops.expand_dims(x, 0)),
    "broadcast_to": lambda ops, x: ops.broadcast_to(x, (2, 3)),
    "moveaxis": lambda ops, x: ops.moveaxis(x, 0, -1),
    "get_item": lambda ops, x: ops.get_item(x, slice(1, None)) if hasattr(ops, "get_item") else x[1:],
    "cast": lambda ops, x: ops.cast(x, "int32"),
    "where_number": lambda ops, x: ops.where(ops.equal(x, x), x, 0),
    "add_int": lambda ops, x: ops.add(x, 1),
    "add_float": lambda ops, x: ops.add(0.5, x),
    "multiply_int": lambda ops, x: ops.multiply(x, 3),
    "multiply_float": lambda ops, x: ops.multiply(x, 0.5),
    "power_int": lambda ops, x: ops.power(x, 2),
    "divide_int": lambda ops, x: ops.divide(x, 2),
    "maximum_float": lambda ops, x: ops.maximum(x, 0.5),
    "zeros": lambda ops, x: ops.zeros((2,)),
    "arange": lambda ops, x: ops.arange(3),
    "convert": lambda ops, x: ops.convert_to_tensor([1, 2]),
    "concatenate2": lambda ops, x, y: ops.concatenate([x, y]),
    "stack2": lambda ops, x, y: ops.stack([x, y]),
    "where": lambda ops, x, y: ops.where(ops.equal(x, x), x, y),
}


def call(ops, name, *arrays):
    return SPECIAL[name](ops, *arrays) if name in SPECIAL else getattr(ops, name)(*arrays)


def dtype_of(x):
    return keras.backend.standardize_dtype(x.dtype)


KINDS = (FLOATS, WHOLE, BOOLS)
CALLS = [(name, x) for name in UNARY for x in ((FLOATS,), (WHOLE,), (BOOLS,))]
CALLS += [(name, (x, y)) for name in BINARY for x in KINDS for y in KINDS]
CALLS = [(name, arrays) for name, arrays in CALLS if (name, *(str(x.dtype) for x in arrays)) not in UNDEFINED]


@pytest.mark.parametrize(
    "name, arrays", [pytest.param(n, a, id=f"{n} {' '.join(str(x.dtype) for x in a)}") for n, a in CALLS]
)
def test_dtypes_are_those_of_keras(name, arrays):
    expected = dtype_of(call(theirs, name, *[theirs.convert_to_tensor(x) for x in arrays]))
    assert str(call(ours, name, *arrays).dtype) == expected
    inputs = [cconv.Input(batch_shape=x.shape, dtype=str(x.dtype)) for x in arrays]
    y = call(ours, name, *inputs)
    assert str(y.dtype) == expected
