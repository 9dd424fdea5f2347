"""A network of cconv beside the same one of Keras: equal layers and weights, equal outputs and gradients."""

from __future__ import annotations

import keras
import numpy as np

import cconv


def pair(name, settings):
    """The network of cconv and of Keras, with layers numbered from the beginning."""
    made = []
    for k in (cconv, keras):
        k.utils.clear_session()
        made.append(getattr(k.applications, name)(**{"weights": None, **settings}))
    return made


def value(kind, shape, rng):
    """Random numbers for a weight of this name, such that what a deep network computes neither dies nor explodes."""
    n = shape[-1]
    if kind in ("gamma", "moving_variance"):
        return rng.uniform(0.7, 1.4, shape)
    if kind in ("beta", "bias", "moving_mean"):
        return 0.1 * rng.standard_normal(shape)
    fan_in = np.prod(shape[:2]) if len(shape) == 4 and n <= 2 < shape[2] else np.prod(shape[:-1])  # depthwise or not
    return (2 / fan_in) ** 0.5 * rng.standard_normal(shape)


def randomize(model):
    """Gives all weights random values, statistics too, by their names and in their order."""
    rng = np.random.default_rng(0)
    model.set_weights([value(w.path.split("/")[-1], tuple(w.shape), rng) for w in model.weights])


def images(model, count=2, scale=1.0, side=96, seed=1):
    sizes = [side if size is None else size for size in model.input_shape[1:]]
    return (scale * np.random.default_rng(seed).standard_normal((count, *sizes))).astype(np.float32)


def listed(model):
    return [(w.path.split("/")[-2:], tuple(w.shape), w.trainable) for w in model.weights]


def assert_same_layers(ours, theirs):
    assert ours.name == theirs.name
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert [type(layer).__name__ for layer in ours.layers] == [type(layer).__name__ for layer in theirs.layers]
    assert listed(ours) == listed(theirs)
    assert [x.output.shape for x in ours.layers[1:]] == [tuple(x.output.shape) for x in theirs.layers[1:]]
    assert ours.count_params() == theirs.count_params()


def assert_close(got, want, share, record=None, what="difference"):
    """Equal within a share of the largest number, which is not the same for every image."""
    got, want = np.asarray(got), np.asarray(want)
    largest = np.abs(want).max()
    difference = np.abs(got - want).max() / largest
    if record is not None:
        record(what, f"{difference:.1e}")
    assert np.std(want, axis=0).max() > 1e-3 * largest
    assert difference <= share


def assert_same_outputs(ours, theirs, record=None, scale=1.0):
    x = images(ours, scale=scale)
    assert_close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), 1e-4, record)


def assert_same_gradients(ours, theirs, record=None):
    """Of all weights, of a weighted sum of the outputs, in the mode of predictions.

    Where a number before a ReLU is 0 but for rounding, or two in a window of a pooling are equal, gradients go one way
    or the other: then other images must show that they agree.
    """
    for seed in (2, 3, 4):
        worst = max(_differences(ours, theirs, seed))
        if worst[0] <= 1e-3:
            break
    if record is not None:
        record("gradients", f"{worst[0]:.1e}")
    assert worst[0] <= 1e-3, worst


def _differences(ours, theirs, seed):
    """(share of the largest number of a gradient, path) for every weight."""
    x = images(ours, seed=seed)
    factors = np.random.default_rng(2).standard_normal((len(x), *ours.output_shape[1:])).astype(np.float32)
    with cconv.GradientTape() as tape:
        loss = cconv.ops.sum(ours(x, training=False) * factors)
    gradients = tape.gradient(loss, ours.trainable_weights)
    theirs.zero_grad()
    keras.ops.sum(theirs(x, training=False) * keras.ops.convert_to_tensor(factors)).backward()
    expected = [w.value.grad.cpu().numpy() for w in theirs.trainable_weights]
    for w, g, e in zip(ours.trainable_weights, gradients, expected, strict=True):
        yield float(np.abs(np.asarray(g) - e).max() / np.abs(e).max()), w.path
