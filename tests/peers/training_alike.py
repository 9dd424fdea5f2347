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


# In Keras' configurations only: what has nothing to say where it is absent.
UNSAID = {"activity_regularizer", "quantization_config", "renorm", "renorm_clipping", "renorm_momentum"}


def check_layer_alike(name, arguments, shapes, data=None, steps=3, call=None, tolerance=1e-4, signatures=True):
    """A layer from Keras' configuration computes what Keras' does, and its weights are the same after training steps.

    Args:
        name: The class.
        arguments: Of the constructor.
        shapes: Of the inputs, without the batch.
        data: The inputs instead: a list of arrays.
        steps: How many training steps; 0 where there is nothing to train.
        call: `(layer, inputs) -> output`, if the layer is not called on its inputs (a list if several).
        tolerance: Relative, of outputs and weights.
        signatures: Whether to compare those, too.
    """
    if signatures:
        check_signature(name)
    call = call or (lambda layer, inputs: layer(inputs[0] if len(inputs) == 1 else inputs))
    data = data or [random((3, *shape), i) for i, shape in enumerate(shapes)]
    theirs = getattr(keras.layers, name)(**arguments)
    expected = call(theirs, data)
    theirs.set_weights([_weight(tuple(w.shape), 10 + i) for i, w in enumerate(theirs.weights)])
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(theirs)))
    ours = cconv.saving.deserialize_object(config)
    call(ours, data)
    assert [_place(w) for w in ours.weights] == [_place(w) for w in theirs.weights]
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    assert [_place(w) for w in ours.trainable_weights] == [_place(w) for w in theirs.trainable_weights]
    ours.set_weights(theirs.get_weights())
    ours_config, theirs_config = ours.get_config(), theirs.get_config()
    assert set(ours_config) <= set(theirs_config)
    assert not {key for key in set(theirs_config) - set(ours_config) if theirs_config[key]} - UNSAID
    for key in set(ours_config) - {"dtype"}:
        a, b = (json.loads(json.dumps(c[key])) for c in (ours_config, theirs_config))
        assert a == b or isinstance(a, dict), key
    again = type(ours).from_config(ours_config)
    assert again.get_config() == ours_config
    found, right = call(ours, data), call(theirs, data)
    _check_outputs(found, right, tolerance)
    back = keras.saving.deserialize_keras_object(json.loads(json.dumps(cconv.saving.serialize_object(ours))))
    call(back, data)
    back.set_weights(ours.get_weights())
    _check_outputs(call(ours, data), call(back, data), tolerance)
    if steps:
        pair = ((cconv, ours), (keras, theirs))
        (losses, model), (expected_losses, expected_model) = (_trained(*p, data, call, steps) for p in pair)
        np.testing.assert_allclose(losses, expected_losses, rtol=tolerance, atol=1e-5)
        for w, a, b in zip(model.weights, model.get_weights(), expected_model.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=1e-5, err_msg=w.path)
    return ours, theirs, expected


def _place(weight):
    """Its path in the layer."""
    return weight.path.split("/")[1:]


def _weight(shape, seed):
    """Neither growing through the layer nor all around zero, so that three steps stay comparable."""
    inputs = max(int(np.prod(shape[:-1])), 1)
    return random(shape, seed) * min(0.5, inputs**-0.5) + 0.1 * (len(shape) < 2)


def _check_outputs(ours, theirs, tolerance):
    ours, theirs = cconv.tree.flatten(ours), keras.tree.flatten(theirs)
    assert len(ours) == len(theirs)
    for y, z in zip(ours, theirs, strict=True):
        z = keras.ops.convert_to_numpy(z)
        assert y.shape == z.shape and y.dtype == z.dtype, (y.shape, z.shape, y.dtype, z.dtype)
        np.testing.assert_allclose(y, z, rtol=tolerance, atol=1e-5)


def _trained(library, layer, data, call, steps):
    """The losses of a few steps of a model with the layer in the middle of trained ones, and the model."""
    inputs = [library.Input(x.shape[1:], dtype=str(x.dtype)) for x in data]
    floats = all(x.dtype == np.float32 for x in data)
    first = [
        library.layers.Dense(x.shape[-1], kernel_initializer="identity", name=f"first_{i}") for i, x in enumerate(data)
    ]
    x = [dense(x) for dense, x in zip(first, inputs, strict=True)] if floats else inputs
    y = library.tree.flatten(call(layer, x))[0]
    size = int(np.prod(library.tree.flatten(call(layer, data))[0].shape[1:]))  # Keras does not tell every size
    y = library.layers.Reshape((size,), name="flat")(y)
    y = library.layers.Dense(2, kernel_initializer=library.initializers.Constant(0.02), name="last")(y)
    model = library.Model(inputs if len(inputs) > 1 else inputs[0], y)
    model.compile(library.optimizers.SGD(0.01), "mse")
    target = random((len(data[0]), 2), 99)
    losses = [float(model.train_on_batch(data if len(data) > 1 else data[0], target)) for _ in range(steps)]
    return losses, model


def check_errors_alike(name, arguments, shapes):
    """Both refuse a configuration, or its first call, with the same class of error."""
    data = [random((3, *shape), i) for i, shape in enumerate(shapes)]
    raised = []
    for library in (keras, cconv):
        with pytest.raises(Exception) as error:
            getattr(library.layers, name)(**arguments)(data[0] if len(data) == 1 else data)
        raised.append(error.type)
    assert issubclass(raised[1], raised[0]), raised
