"""Layers with windows beside Keras in many configurations: output, dtype, all weights after three training steps."""

import itertools

import keras
import numpy as np
import pytest

import cconv

SIZES = {1: (11,), 2: (7, 5), 3: (4, 5, 3)}
FORMATS = ("channels_last", "channels_first")


def conv_cases():
    windows = [
        {"kernel_size": 3},
        {"kernel_size": 2, "strides": 2, "padding": "same"},
        {"kernel_size": 3, "padding": "same", "activation": "gelu"},
        {"kernel_size": 2, "dilation_rate": 2, "use_bias": False},
        {"kernel_size": 1, "groups": 2, "activation": "mish"},
        {"kernel_size": 2, "strides": 1, "groups": 4, "padding": "same"},
    ]
    for i, (rank, window) in enumerate(itertools.product((1, 2, 3), windows)):  # the formats by turns
        yield f"Conv{rank}D", {"filters": 4, "data_format": FORMATS[(i + rank) % 2], **window}, rank
    for form, strides in itertools.product(FORMATS, (1, 3)):
        window = {"kernel_size": 3, "strides": strides, "padding": "causal"}
        yield "Conv1D", {"filters": 4, "data_format": form, **window}, 1
    transposed = [
        {"kernel_size": 3},
        {"kernel_size": 3, "strides": 2, "padding": "same"},
        {"kernel_size": 2, "strides": 2, "activation": "silu"},
    ]
    for i, (rank, window) in enumerate(itertools.product((1, 2, 3), transposed)):
        yield f"Conv{rank}DTranspose", {"filters": 3, "data_format": FORMATS[i % 2], **window}, rank
    for rank, form in itertools.product((1, 2), FORMATS):
        padding = "valid" if form == FORMATS[rank % 2] else "same"
        window = {"kernel_size": 3, "padding": padding, "data_format": form, "depth_multiplier": 2}
        yield f"DepthwiseConv{rank}D", {**window, "strides": 2}, rank
        yield f"SeparableConv{rank}D", {**window, "filters": 3, "activation": "hard_swish"}, rank


def other_cases():
    for rank in (1, 2, 3):
        for i, name in enumerate(("Max", "Average")):
            one, other = FORMATS[i], FORMATS[1 - i]
            yield f"{name}Pooling{rank}D", {"pool_size": 2, "data_format": one}, rank
            yield f"{name}Pooling{rank}D", {"pool_size": 3, "strides": 2, "data_format": other}, rank
            yield f"Global{name}Pooling{rank}D", {"keepdims": True, "data_format": one}, rank
            yield f"Adaptive{name}Pooling{rank}D", {"output_size": 2, "data_format": other}, rank
        yield f"ZeroPadding{rank}D", {"padding": 2, "data_format": FORMATS[rank % 2]}, rank
        yield f"Cropping{rank}D", {"cropping": 1} | ({"data_format": FORMATS[rank % 2]} if rank > 1 else {}), rank
    for axis in (-1, 1, 2):
        yield "BatchNormalization", {"axis": axis, "momentum": 0.7}, 2
    yield "PReLU", {"shared_axes": [1, 2]}, 2
    yield "MaxPooling2D", {"pool_size": (2, 3), "strides": (1, 2), "padding": "same"}, 2


CASES = [*conv_cases(), *other_cases()]


def model_of(package, name, arguments, shape):
    layers = package.layers
    parts = [getattr(layers, name)(**arguments), layers.Flatten(), layers.Dense(2)]
    # a convolution before it, through which the layer's own gradient must pass
    window = {"data_format": arguments.get("data_format", "channels_last")}
    first = getattr(layers, f"Conv{len(shape) - 1}D")(4, 1, **window)
    return package.Sequential([package.Input(shape), first, *parts])


@pytest.mark.parametrize(("name", "arguments", "rank"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_weights_after_three_steps(name, arguments, rank):
    size = SIZES[rank]
    shape = (3, *size) if arguments.get("data_format") == "channels_first" else (*size, 3)
    rng = np.random.default_rng(len(name))
    x, y = rng.normal(size=(4, *shape)).astype(np.float32), rng.normal(size=(4, 2)).astype(np.float32)
    theirs, ours = (model_of(package, name, arguments, shape) for package in (keras, cconv))
    assert [tuple(w.shape) for w in theirs.weights] == [w.shape for w in ours.weights]
    ours.set_weights([np.array(w) for w in theirs.get_weights()])
    expected = keras.ops.convert_to_numpy(theirs(x))
    found = ours(x)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    for model, package in ((theirs, keras), (ours, cconv)):
        model.compile(optimizer=package.optimizers.SGD(0.02), loss="mse")
        for _ in range(3):
            model.train_on_batch(x, y)
    for a, b, weight in zip(ours.get_weights(), theirs.get_weights(), ours.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-5, err_msg=weight.path)
