"""Layers and models beside Keras: the same configuration and weights give the same numbers, both ways."""

import inspect
import json

import keras
import numpy as np
import pytest

import cconv

IMAGE = (7, 6, 4)
VECTOR = (5,)
SEQUENCE = (9, 4)
VOLUME = (5, 4, 6, 3)

# class name, arguments, shapes of the inputs without the batch
CASES = [
    ("Dense", {"units": 3, "activation": "relu"}, [VECTOR]),
    ("Dense", {"units": 3, "activation": "softmax", "use_bias": False}, [(2, 5)]),
    ("Conv2D", {"filters": 6, "kernel_size": 3}, [IMAGE]),
    ("Conv2D", {"filters": 6, "kernel_size": (2, 3), "strides": (2, 1), "padding": "same"}, [IMAGE]),
    ("Conv2D", {"filters": 6, "kernel_size": 2, "strides": 2, "padding": "same", "activation": "elu"}, [IMAGE]),
    ("Conv2D", {"filters": 6, "kernel_size": 3, "dilation_rate": 2, "padding": "same"}, [IMAGE]),
    ("Conv2D", {"filters": 6, "kernel_size": 3, "groups": 2, "activation": "sigmoid"}, [IMAGE]),
    ("Conv2D", {"filters": 3, "kernel_size": 3, "data_format": "channels_first"}, [(4, 7, 6)]),
    ("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2, "padding": "same"}, [IMAGE]),
    ("SeparableConv2D", {"filters": 5, "kernel_size": 3, "depth_multiplier": 2, "activation": "tanh"}, [IMAGE]),
    ("Conv1D", {"filters": 6, "kernel_size": 3}, [SEQUENCE]),
    ("Conv1D", {"filters": 6, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, [SEQUENCE]),
    ("Conv1D", {"filters": 6, "kernel_size": 4, "padding": "causal", "strides": 2, "groups": 2}, [SEQUENCE]),
    ("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal", "data_format": "channels_first"}, [(4, 9)]),
    ("Conv1D", {"filters": 6, "kernel_size": 2, "strides": 2, "padding": "same", "activation": "tanh"}, [SEQUENCE]),
    ("Conv3D", {"filters": 6, "kernel_size": 3}, [VOLUME]),
    ("Conv3D", {"filters": 4, "kernel_size": (2, 3, 1), "strides": (1, 2, 1), "padding": "same"}, [VOLUME]),
    ("Conv3D", {"filters": 6, "kernel_size": 2, "groups": 3, "use_bias": False, "activation": "relu"}, [VOLUME]),
    ("Conv3D", {"filters": 6, "kernel_size": 2, "dilation_rate": 2, "data_format": "channels_first"}, [(3, 5, 4, 6)]),
    ("Conv1DTranspose", {"filters": 6, "kernel_size": 3, "strides": 2}, [SEQUENCE]),
    ("Conv1DTranspose", {"filters": 6, "kernel_size": 2, "strides": 3, "padding": "same"}, [SEQUENCE]),
    ("Conv2DTranspose", {"filters": 6, "kernel_size": 3}, [IMAGE]),
    ("Conv2DTranspose", {"filters": 6, "kernel_size": 3, "strides": 2, "padding": "same"}, [IMAGE]),
    (
        "Conv2DTranspose",
        {"filters": 6, "kernel_size": 4, "strides": 2, "padding": "same", "activation": "relu"},
        [IMAGE],
    ),
    (
        "Conv2DTranspose",
        {"filters": 6, "kernel_size": 5, "strides": 2, "output_padding": 1, "padding": "same"},
        [IMAGE],
    ),
    ("Conv2DTranspose", {"filters": 6, "kernel_size": (3, 2), "strides": (3, 2), "output_padding": (2, 0)}, [IMAGE]),
    ("Conv2DTranspose", {"filters": 6, "kernel_size": 3, "dilation_rate": 2, "padding": "same"}, [IMAGE]),
    ("Conv2DTranspose", {"filters": 5, "kernel_size": 3, "strides": 2, "data_format": "channels_first"}, [(4, 7, 6)]),
    ("Conv3DTranspose", {"filters": 6, "kernel_size": 2, "strides": 2}, [VOLUME]),
    ("Conv3DTranspose", {"filters": 2, "kernel_size": 3, "strides": (1, 2, 1), "padding": "same"}, [VOLUME]),
    ("DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2, "padding": "same"}, [SEQUENCE]),
    ("DepthwiseConv1D", {"kernel_size": 2, "strides": 2, "activation": "relu"}, [SEQUENCE]),
    ("SeparableConv1D", {"filters": 5, "kernel_size": 3, "strides": 2, "padding": "same"}, [SEQUENCE]),
    ("SeparableConv1D", {"filters": 5, "kernel_size": 3, "data_format": "channels_first"}, [(4, 9)]),
    ("MaxPooling1D", {}, [SEQUENCE]),
    ("MaxPooling1D", {"pool_size": 3, "strides": 1, "padding": "same", "data_format": "channels_first"}, [SEQUENCE]),
    ("MaxPooling3D", {}, [VOLUME]),
    ("MaxPooling3D", {"pool_size": (3, 2, 3), "strides": 2, "padding": "same"}, [VOLUME]),
    ("AveragePooling1D", {"pool_size": 3, "strides": 2}, [SEQUENCE]),
    ("AveragePooling3D", {"pool_size": (1, 2, 3), "data_format": "channels_first"}, [VOLUME]),
    ("GlobalAveragePooling1D", {}, [SEQUENCE]),
    ("GlobalMaxPooling1D", {"keepdims": True}, [SEQUENCE]),
    ("GlobalAveragePooling3D", {"data_format": "channels_first", "keepdims": True}, [VOLUME]),
    ("GlobalMaxPooling3D", {}, [VOLUME]),
    ("MaxPooling2D", {}, [IMAGE]),
    ("MaxPooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}, [IMAGE]),
    ("AveragePooling2D", {"pool_size": (2, 3), "strides": 1}, [IMAGE]),
    ("GlobalAveragePooling2D", {}, [IMAGE]),
    ("GlobalMaxPooling2D", {"keepdims": True}, [IMAGE]),
    ("BatchNormalization", {}, [IMAGE]),
    ("BatchNormalization", {"axis": 1, "epsilon": 0.1, "scale": False}, [IMAGE]),
    ("Dropout", {"rate": 0.5}, [VECTOR]),
    ("Dropout", {"rate": 0.5, "noise_shape": (None, 1), "seed": 3}, [VECTOR]),
    ("SpatialDropout1D", {"rate": 0.5}, [SEQUENCE]),
    ("SpatialDropout2D", {"rate": 0.5, "data_format": "channels_first", "seed": 3}, [IMAGE]),
    ("SpatialDropout3D", {"rate": 0.5}, [VOLUME]),
    ("AlphaDropout", {"rate": 0.5}, [VECTOR]),
    ("GaussianDropout", {"rate": 0.5}, [VECTOR]),
    ("GaussianNoise", {"stddev": 0.5}, [VECTOR]),
    ("ActivityRegularization", {"l1": 0.5}, [VECTOR]),
    ("Masking", {"mask_value": 0.5}, [SEQUENCE]),
    ("RepeatVector", {"n": 3}, [VECTOR]),
    ("AdaptiveAveragePooling1D", {"output_size": 4}, [SEQUENCE]),
    ("AdaptiveAveragePooling2D", {"output_size": (3, 4)}, [IMAGE]),
    ("AdaptiveAveragePooling3D", {"output_size": 2, "data_format": "channels_first"}, [VOLUME]),
    ("AdaptiveMaxPooling1D", {"output_size": 4, "data_format": "channels_first"}, [SEQUENCE]),
    ("AdaptiveMaxPooling2D", {"output_size": (3, 8)}, [IMAGE]),
    ("AdaptiveMaxPooling3D", {"output_size": (2, 3, 1)}, [VOLUME]),
    ("Flatten", {}, [IMAGE]),
    ("Flatten", {"data_format": "channels_first"}, [IMAGE]),
    ("Reshape", {"target_shape": (6, -1)}, [IMAGE]),
    ("Permute", {"dims": (3, 1, 2)}, [IMAGE]),
    ("ZeroPadding1D", {"padding": (2, 1)}, [SEQUENCE]),
    ("ZeroPadding1D", {"padding": 2, "data_format": "channels_first"}, [SEQUENCE]),
    ("ZeroPadding3D", {"padding": ((1, 0), (0, 2), (3, 1))}, [VOLUME]),
    ("Cropping1D", {"cropping": (2, 1)}, [SEQUENCE]),
    ("Cropping2D", {"cropping": ((1, 2), (0, 3))}, [IMAGE]),
    ("Cropping2D", {"cropping": 1, "data_format": "channels_first"}, [IMAGE]),
    ("Cropping3D", {"cropping": ((0, 1), (1, 0), (2, 0))}, [VOLUME]),
    ("ZeroPadding2D", {"padding": ((1, 2), (0, 3))}, [IMAGE]),
    ("ZeroPadding2D", {"padding": 2, "data_format": "channels_first"}, [IMAGE]),
    ("Add", {}, [VECTOR, VECTOR, VECTOR]),
    ("Subtract", {}, [VECTOR, VECTOR]),
    ("Multiply", {}, [IMAGE, (1, 1, 4)]),
    ("Average", {}, [VECTOR, VECTOR]),
    ("Maximum", {}, [VECTOR, VECTOR]),
    ("Minimum", {}, [VECTOR, VECTOR]),
    ("Add", {}, [IMAGE, (6, 4)]),
    ("Concatenate", {"axis": 1}, [(2, 3), (4, 3)]),
    ("Activation", {"activation": "softplus"}, [VECTOR]),
    ("Activation", {"activation": "leaky_relu"}, [VECTOR]),
    ("Activation", {"activation": "selu"}, [VECTOR]),
    ("Activation", {"activation": "silu"}, [VECTOR]),
    ("Activation", {"activation": "hard_sigmoid"}, [VECTOR]),
    ("Activation", {"activation": "softsign"}, [VECTOR]),
    ("Activation", {"activation": "log_softmax"}, [VECTOR]),
    ("Activation", {"activation": "exponential"}, [VECTOR]),
    ("Activation", {"activation": "relu6"}, [VECTOR]),
    ("ReLU", {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}, [VECTOR]),
    ("LeakyReLU", {}, [VECTOR]),
    ("PReLU", {"shared_axes": [1, 2], "alpha_initializer": "ones"}, [IMAGE]),
    ("ELU", {"alpha": 0.5}, [VECTOR]),
    ("Softmax", {"axis": 1}, [(3, 4)]),
    ("Rescaling", {"scale": 2.0, "offset": -1.0}, [IMAGE]),
    ("Identity", {}, [VECTOR]),
]


def random(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def set_random_weights(layer):
    layer.set_weights([np.abs(random(w.shape, i)) + 0.1 for i, w in enumerate(layer.weights)])


@pytest.mark.parametrize(("name", "arguments", "shapes"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_a_layer_computes_what_keras_computes(name, arguments, shapes):
    theirs = getattr(keras.layers, name)(**arguments)
    data = [random((3, *shape), i) for i, shape in enumerate(shapes)]
    inputs = data[0] if len(data) == 1 else data
    theirs(inputs)
    set_random_weights(theirs)
    # from Keras' own configuration, as it stands in a file
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(theirs)))
    ours = cconv.saving.deserialize_object(config)
    ours(inputs)
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    assert [w.trainable for w in ours.weights] == [w.trainable for w in theirs.weights]
    ours.set_weights(theirs.get_weights())
    y, expected = ours(inputs), keras.ops.convert_to_numpy(theirs(inputs))
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    # and Keras reads ours
    back = keras.saving.deserialize_keras_object(json.loads(json.dumps(cconv.saving.serialize_object(ours))))
    back(inputs)
    back.set_weights(ours.get_weights())
    np.testing.assert_allclose(keras.ops.convert_to_numpy(back(inputs)), expected, rtol=1e-6, atol=1e-6)


def test_batch_normalization_moves_its_averages_as_keras_does():
    x = random((32, 4)) * 3 + 1
    theirs, ours = keras.layers.BatchNormalization(momentum=0.7), cconv.layers.BatchNormalization(momentum=0.7)
    for _ in range(3):
        expected = keras.ops.convert_to_numpy(theirs(x, training=True))
        np.testing.assert_allclose(ours(x, training=True), expected, rtol=1e-3, atol=1e-4)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def branched(library):
    layers = library.layers
    a, b = library.Input((8, 8, 1), name="a"), library.Input((4,), name="b")
    x = layers.Conv2D(4, 3, activation="relu")(a)
    shared = layers.Conv2D(4, 3, padding="same")
    x = shared(shared(x))
    left = layers.Flatten()(layers.MaxPooling2D()(x))
    right = layers.GlobalAveragePooling2D()(layers.BatchNormalization()(x))
    inner = library.Sequential([library.Input((4,)), layers.Dense(5, activation="tanh"), layers.Dense(3)])
    joined = layers.Concatenate()([left, right, inner(b)])
    hidden = layers.Dropout(0.5)(layers.Dense(6, activation="relu", kernel_regularizer="l2")(joined))
    hidden = hidden * 2.0 + 1.0
    first = layers.Dense(3, activation="softmax", name="first")(hidden)
    second = layers.Dense(1, name="second")(hidden[:, 1:4])
    return library.Model([a, b], [first, second])


def stack(library):
    layers = library.layers
    return library.Sequential(
        [library.Input((8, 8, 1)), layers.Conv2D(4, 3, activation="relu"), layers.Flatten(), layers.Dense(3)]
    )


def pretty(text):
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


@pytest.mark.parametrize("make", [branched, stack])
def test_a_model_is_keras_model(make, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    keras.utils.clear_session()
    cconv.naming.reset_names()
    theirs, ours = make(keras), make(cconv)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    texts = [[], []]
    theirs.summary(print_fn=lambda text, **_: texts[0].append(text))
    ours.summary(print_fn=texts[1].append)
    assert pretty(texts[1][0]) == pretty("\n".join(texts[0]))


@pytest.mark.parametrize("make", [branched, stack])
def test_configurations_of_models_go_both_ways(make):
    theirs = make(keras)
    set_random_weights(theirs)
    data = [random((5, *x.shape[1:]), i) for i, x in enumerate(theirs.inputs)]
    inputs = data if len(data) > 1 else data[0]
    expected = [keras.ops.convert_to_numpy(y) for y in keras.tree.flatten(theirs(inputs))]
    ours = cconv.saving.deserialize_object(json.loads(theirs.to_json()))
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    ours.set_weights(theirs.get_weights())
    for y, z in zip(cconv.tree.flatten(ours(inputs)), expected, strict=True):
        np.testing.assert_allclose(y, z, rtol=1e-4, atol=1e-5)
    back = keras.models.model_from_json(ours.to_json())
    back.set_weights(ours.get_weights())
    for y, z in zip(keras.tree.flatten(back(inputs)), expected, strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(y), z, rtol=1e-5, atol=1e-6)


def test_operations_between_layers_are_read_by_keras():
    ops = cconv.ops
    x = cconv.Input((4, 6))
    y = ops.sum(ops.square(x) / 2 - 1, axis=1, keepdims=True)
    y = ops.reshape(ops.concatenate([y, x], axis=1), (-1, 30))
    y = ops.maximum(ops.softmax(y), ops.sigmoid(y)) + ops.mean(y, axis=-1, keepdims=True)
    y = ops.expand_dims(ops.transpose(y, (0, 1)), 1)[..., 2:-3]
    y = ops.clip(ops.squeeze(y, 1) * np.float32(3), -1.0, 1.0) ** 2
    y = ops.where(y > 0.5, ops.exp(-y), ops.tanh(ops.abs(y)))
    y = ops.leaky_relu(ops.log(y + 1) - 0.2, 0.3)
    model = cconv.Model(x, y)
    data = random((3, 4, 6))
    theirs = keras.models.model_from_json(model.to_json())
    np.testing.assert_allclose(model(data), keras.ops.convert_to_numpy(theirs(data)), rtol=1e-4, atol=1e-5)


def defaults(cls):
    return {
        name: p.default
        for name, p in inspect.signature(cls.__init__).parameters.items()
        if p.kind is not inspect.Parameter.VAR_KEYWORD and name != "self"
    }


@pytest.mark.parametrize("name", sorted({case[0] for case in CASES} | {"InputLayer"}))
def test_arguments_have_keras_names_order_and_defaults(name):
    ours, theirs = defaults(getattr(cconv.layers, name)), defaults(getattr(keras.layers, name))
    theirs = {k: v for k, v in theirs.items() if k != "args"}
    common = [k for k in ours if k in theirs]
    assert common == [k for k in theirs if k in ours], "order"
    for key in common:
        if theirs[key] is inspect.Parameter.empty:
            continue  # a default more
        assert repr(ours[key]) == repr(theirs[key]), key
    # low-rank adaptation belongs to large models
    assert set(theirs) <= set(ours) | {"kwargs", "name", "lora_rank", "lora_alpha"}, set(theirs) - set(ours)
