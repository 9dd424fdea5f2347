"""What the comparisons of layers with Keras share: one configuration in both, copied weights, three training steps."""

import inspect
import json

import keras
import numpy as np
import pytest

import cconv


def random(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def check_signature(name):
    """Names, order and defaults of the constructor's arguments and of those of `call`."""
    for method in ("__init__", "call"):
        ours = inspect.signature(getattr(getattr(cconv.layers, name), method)).parameters
        theirs = inspect.signature(getattr(getattr(keras.layers, name), method)).parameters
        for key, parameter in theirs.items():
            if parameter.kind is parameter.VAR_KEYWORD or key in (
                "lora_rank",
                "lora_alpha",
                "gptq_unpacked_column_size",
            ):
                continue
            assert key in ours, (name, method, key)
            assert repr(ours[key].default) == repr(parameter.default), (name, method, key)
        common = [k for k in ours if k in theirs]
        assert common == [k for k in theirs if k in ours], (name, method)


def check_layer_alike(name, arguments, shapes, data=None, steps=3, call=None, tolerance=1e-4):
    """A layer from Keras' configuration computes what Keras' does, and its weights are the same after training steps.

    Args:
        name: The class.
        arguments: Of the constructor.
        shapes: Of the inputs, without the batch.
        data: The inputs instead: a list of arrays.
        steps: How many training steps; 0 where there is nothing to train.
        call: `(layer, inputs) -> output`, if the layer is not called on its inputs (a list if several).
        tolerance: Relative, of outputs and weights.
    """
    check_signature(name)
    call = call or (lambda layer, inputs: layer(inputs[0] if len(inputs) == 1 else inputs))
    data = data or [random((3, *shape), i) for i, shape in enumerate(shapes)]
    theirs = getattr(keras.layers, name)(**arguments)
    expected = call(theirs, data)
    theirs.set_weights([random(w.shape, 10 + i) * 0.5 + 0.1 for i, w in enumerate(theirs.weights)])
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(theirs)))
    ours = cconv.saving.deserialize_object(config)
    call(ours, data)
    assert [w.path.split("/")[1:] for w in ours.weights] == [w.path.split("/")[1:] for w in theirs.weights]
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    assert [w.trainable for w in ours.weights] == [w.trainable for w in theirs.weights]
    ours.set_weights(theirs.get_weights())
    ours_config, theirs_config = ours.get_config(), theirs.get_config()
    assert set(ours_config) == set(theirs_config)
    for key in set(ours_config) - {"dtype"}:
        a, b = (json.loads(json.dumps(c[key])) for c in (ours_config, theirs_config))
        assert a == b or isinstance(a, dict), key
    again = type(ours).from_config(ours_config)
    assert again.get_config() == ours_config
    _check_outputs(call(ours, data), call(theirs, data), tolerance)
    back = keras.saving.deserialize_keras_object(json.loads(json.dumps(cconv.saving.serialize_object(ours))))
    call(back, data)
    back.set_weights(ours.get_weights())
    _check_outputs(call(ours, data), call(back, data), tolerance)
    if steps:
        trained = [_trained(library, layer, data, call, steps) for library, layer in ((cconv, ours), (keras, theirs))]
        np.testing.assert_allclose(trained[0], trained[1], rtol=tolerance, atol=1e-5)
        for w, a, b in zip(ours.weights, ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=1e-5, err_msg=w.path)
    return ours, theirs, expected


def _check_outputs(ours, theirs, tolerance):
    ours, theirs = cconv.tree.flatten(ours), keras.tree.flatten(theirs)
    assert len(ours) == len(theirs)
    for y, z in zip(ours, theirs, strict=True):
        z = keras.ops.convert_to_numpy(z)
        assert y.shape == z.shape and y.dtype == z.dtype, (y.shape, z.shape, y.dtype, z.dtype)
        np.testing.assert_allclose(y, z, rtol=tolerance, atol=1e-5)


def _trained(library, layer, data, call, steps):
    """The losses of a few steps of a model with the layer in the middle of trained ones."""
    inputs = [library.Input(x.shape[1:], dtype=str(x.dtype)) for x in data]
    floats = all(x.dtype == np.float32 for x in data)
    x = [library.layers.Dense(x.shape[-1], kernel_initializer="identity")(x) for x in inputs] if floats else inputs
    y = library.tree.flatten(call(layer, x))[0]
    size = int(np.prod(library.tree.flatten(call(layer, data))[0].shape[1:]))  # Keras does not tell every size
    y = library.layers.Dense(2, kernel_initializer=library.initializers.Constant(0.02))(
        library.layers.Reshape((size,))(y)
    )
    model = library.Model(inputs if len(inputs) > 1 else inputs[0], y)
    model.compile(library.optimizers.SGD(0.01), "mse")
    target = random((len(data[0]), 2), 99)
    return [float(model.train_on_batch(data if len(data) > 1 else data[0], target)) for _ in range(steps)]


def check_errors_alike(name, arguments, shapes):
    """Both refuse a configuration, or its first call, with the same class of error."""
    data = [random((3, *shape), i) for i, shape in enumerate(shapes)]
    raised = []
    for library in (keras, cconv):
        with pytest.raises(Exception) as error:
            getattr(library.layers, name)(**arguments)(data[0] if len(data) == 1 else data)
        raised.append(error.type)
    assert issubclass(raised[1], raised[0]), raised
