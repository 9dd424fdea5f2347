"""Sizes that a file leaves open: what follows them, and what is asked for instead of being computed wrongly."""

import numpy as np
import pytest
import small_onnx
from small_onnx import node, value

import cconv


def constant(name, *numbers):
    return node("Constant", [], name, value_ints=list(numbers))


def model(nodes, output="y"):
    """Of images whose sizes are all open."""
    sizes = [constant("two", 2), constant("four", 4), node("Shape", ["x"], "shape")]
    sizes += [node("Slice", ["shape", "two", "four"], "sides")]
    return small_onnx.model(
        [*sizes, *nodes], [value("x", ("n", 2, "h", "w"))], [value(output, ("n", 2, "height", "width"))]
    )


def padded():
    """To multiples of four, as sizes that halve need it: the sizes that stand for open ones are some already."""
    nodes = [
        node("Mod", ["sides", "four"], "beyond"),
        node("Sub", ["four", "beyond"], "missing"),
        node("Mod", ["missing", "four"], "behind"),
        constant("none", 0, 0, 0, 0, 0, 0),
        node("Concat", ["none", "behind"], "pads", axis=0),
        node("Pad", ["x", "pads"], "y"),
    ]
    return model(nodes)


def cut():
    """To even numbers of rows and columns."""
    nodes = [
        node("Div", ["sides", "two"], "half"),
        node("Mul", ["half", "two"], "even"),
        constant("begin", 0, 0),
        constant("axes", 2, 3),
        node("Slice", ["x", "begin", "even", "axes"], "y"),
    ]
    return model(nodes)


@pytest.mark.parametrize("made, shape", [(padded, (1, 2, 8, 8)), (cut, (1, 2, 4, 6))])
def test_what_is_done_to_odd_sizes_is_not_forgotten(made, shape):
    x = np.ones((1, 2, 5, 7), np.float32)
    with pytest.raises(NotImplementedError, match="give the sizes of the inputs when loading"):
        cconv.onnx.load(made())
    loaded = cconv.onnx.load(made(), shapes={"x": (None, 2, 5, 7)})
    assert loaded.predict(x, verbose=0).shape == shape


def test_sizes_that_must_halve():
    """Others are an error in the file's own operators, and so they are here: it is read with open sizes."""
    nodes = [
        node("MaxPool", ["x"], "small", kernel_shape=[2, 2], strides=[2, 2]),
        node("Constant", [], "scales", value_floats=[1.0, 1.0, 2.0, 2.0]),
        node("Resize", ["small", "", "scales"], "large", mode="nearest"),
        node("Add", ["x", "large"], "y"),
    ]
    loaded = cconv.onnx.load(model(nodes))
    assert loaded.output_shape == (None, 2, None, None)
    for side in (4, 10):
        x = np.random.default_rng(side).random((1, 2, side, side), np.float32)
        blocks = x.reshape(1, 2, side // 2, 2, side // 2, 2).max((3, 5), keepdims=True)
        wide = np.broadcast_to(blocks, (1, 2, side // 2, 2, side // 2, 2)).reshape(x.shape)
        np.testing.assert_allclose(loaded.predict(x, verbose=0), x + wide, rtol=1e-6)


def test_what_repeats_for_each_sample_and_each_row():
    """A constant of zeros as large as the input, and one that is repeated along an open axis."""
    nodes = [
        node("ConstantOfShape", ["shape"], "zeros"),
        constant("one", 1),
        constant("first", 0),
        constant("columns", 3),
        node("Gather", ["shape", "first"], "samples"),
        node("Gather", ["shape", "two"], "rows"),
        node("Concat", ["samples", "two", "rows", "one"], "as_columns", axis=0),
        node("Constant", [], "pair", value_floats=[3.0, 5.0]),
        constant("upright", 1, 2, 1, 1),
        node("Reshape", ["pair", "upright"], "token"),
        node("Expand", ["token", "as_columns"], "column"),
        node("Add", ["x", "zeros"], "z"),
        node("Concat", ["z", "column"], "y", axis=3),
    ]
    loaded = cconv.onnx.load(model(nodes))
    assert loaded.input_shape == (None, 2, None, None)
    x = np.random.default_rng(0).random((3, 2, 5, 7), np.float32)
    y = loaded.predict(x, verbose=0)
    np.testing.assert_array_equal(y[..., :7], x)
    np.testing.assert_array_equal(y[..., 7], np.broadcast_to(np.float32([[[3], [5]]]), (3, 2, 5)))


def test_axes_that_come_and_go_beside_open_ones():
    nodes = [
        constant("front", 1),
        node("Unsqueeze", ["x", "front"], "a"),
        node("Transpose", ["a"], "b", perm=[1, 2, 0, 3, 4]),
        constant("gone", 0),
        node("Squeeze", ["b", "gone"], "c"),
        node("Transpose", ["c"], "y", perm=[1, 0, 2, 3]),
    ]
    loaded = cconv.onnx.load(model(nodes))
    x = np.random.default_rng(0).random((3, 2, 5, 7), np.float32)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), x)
