"""A network of layers that take channels first runs as one with channels last does, with the same numbers."""

import numpy as np
import pytest

import cconv
from cconv import layers


def resnet(data_format, depth=3):
    """ResNet-20 (He et al. 2015, section 4.2) for images of 16 x 16."""
    first = data_format == "channels_first"
    inputs = cconv.Input((3, 16, 16) if first else (16, 16, 3))

    def unit(x, filters, strides=1, kernel=3, relu=True):
        x = layers.Conv2D(filters, kernel, strides=strides, padding="same", use_bias=False, data_format=data_format)(x)
        x = layers.BatchNormalization(axis=1 if first else -1)(x)
        return layers.ReLU()(x) if relu else x

    x = unit(inputs, 16)
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(depth):
            strides = 2 if stage and not block else 1
            y = unit(unit(x, filters, strides), filters, relu=False)
            x = unit(x, filters, strides, 1, relu=False) if strides == 2 else x
            x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling2D(data_format=data_format)(x)
    return cconv.Model(inputs, layers.Dense(10, activation="softmax")(x))


def convnet(data_format):
    """Every other layer that knows a data format, and `Flatten`, which must see the channels last."""
    first = data_format == "channels_first"
    given = {"data_format": data_format}
    return cconv.Sequential(
        [
            cconv.Input((3, 16, 16) if first else (16, 16, 3)),
            layers.ZeroPadding2D(1, **given),
            layers.Conv2D(8, 3, activation="relu", **given),
            layers.MaxPooling2D(2, **given),
            layers.SeparableConv2D(12, 3, activation="elu", **given),
            layers.DepthwiseConv2D(3, padding="same", activation="leaky_relu", **given),
            layers.BatchNormalization(axis=1 if first else -1),
            layers.Softmax(axis=1 if first else -1),
            layers.AveragePooling2D(2, padding="same", **given),
            layers.Flatten(**given),
            layers.Dense(10, activation="softmax"),
        ]
    )


def trained(make, data_format):
    cconv.utils.set_random_seed(1)
    model = make(data_format)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(0)
    x, y = rng.random((24, 16, 16, 3)).astype(np.float32), rng.integers(0, 10, 24)
    if data_format == "channels_first":
        x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    model.fit(x, y, batch_size=8, epochs=1, shuffle=False, verbose=0)
    return model, x, model.predict(x, verbose=0)


def transposes(model):
    """How many each plan has, by mode."""
    tables = model.describe_plans().split("op  ")[1:]
    return [sum(line.startswith("transpose") for line in table.splitlines()) for table in tables]


@pytest.mark.parametrize("make", [resnet, convnet])
def test_channels_first_is_channels_last_after_one_transpose(make):
    last, _, expected = trained(make, "channels_last")
    model, x, y = trained(make, "channels_first")
    assert transposes(last) == [0, 0]
    assert transposes(model) == [1, 1]
    for a, b in zip(last.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(model(x), expected)
