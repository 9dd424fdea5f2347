"""What is asked of every network of `applications`, in a small form of it: sizes, training, files, layouts.

`network(**settings)` makes it. Images go from 0 to 1, or to `brightest` where the network scales them itself.
"""

import contextlib

import numpy as np

import cconv


def images(count, *sizes, brightest=1.0):
    return brightest * np.random.default_rng(0).random((count, *sizes), dtype=np.float32)


def images_for(model, count=2, side=32, brightest=1.0):
    """Some images for a model, of this side where it takes any."""
    sizes = [side if size is None else size for size in model.input_shape[1:]]
    return images(count, *sizes, brightest=brightest)


@contextlib.contextmanager
def channels_first():
    cconv.config.set_image_data_format("channels_first")
    try:
        yield
    finally:
        cconv.config.set_image_data_format("channels_last")


def check_training(network, optimizer=None, steps=12, brightest=1.0, **settings):
    """A few steps on four images, dark and bright ones, lower the loss, and move nearly all weights.

    The first third of the steps is compared with the last; with dropout more than two are needed for that.
    """
    cconv.utils.set_random_seed(0)
    model = network(classes=2, **settings)
    model.compile(optimizer or cconv.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    x, y = images_for(model, 4, brightest=brightest), np.array([0, 1, 0, 1])
    x[1::2] *= 0.3
    groups = [model.weights, model.trainable_weights]
    before = [[w.numpy() for w in weights] for weights in groups]
    losses = [float(model.train_on_batch(x, y)) for _ in range(steps)]
    third = max(steps // 3, 1)
    assert np.isfinite(losses).all() and np.mean(losses[-third:]) < np.mean(losses[:third])
    for weights, values in zip(groups, before, strict=True):
        moved = [not np.array_equal(a, w.numpy()) for a, w in zip(values, weights, strict=True)]
        assert sum(moved) > 0.9 * len(moved)


def check_files(network, folder, brightest=1.0, **settings):
    """Weights from a file, and a whole model from one, give the same outputs."""
    one = network(**settings)
    one.save_weights(folder / "net.weights.h5")
    one.save(folder / "net.keras")
    x = images_for(one, brightest=brightest)
    want = one.predict(x, verbose=0)
    two = network(weights=folder / "net.weights.h5", **settings)
    three = cconv.saving.load_model(folder / "net.keras")
    assert [layer.name for layer in one.layers] == [layer.name for layer in three.layers]
    for other in (two, three):
        assert [type(layer) for layer in one.layers] == [type(layer) for layer in other.layers]
        np.testing.assert_array_equal(other.predict(x, verbose=0), want)


def check_channels_first(network, input_shape, brightest=1.0, **settings):
    """Both layouts of images give the same, with the same weights."""
    last = network(input_shape=input_shape, **settings)
    with channels_first():
        first = network(input_shape=(input_shape[2], *input_shape[:2]), **settings)
    assert [w.shape for w in first.weights] == [w.shape for w in last.weights]
    first.set_weights(last.get_weights())
    x = images_for(last, brightest=brightest)
    y = first.predict(np.ascontiguousarray(np.moveaxis(x, -1, 1)), verbose=0)
    want = last.predict(x, verbose=0)
    y = np.moveaxis(y, 1, -1) if y.ndim == 4 else y
    np.testing.assert_allclose(y, want, rtol=0, atol=1e-5 * np.abs(want).max())


def check_sizes(network, sides, channels, brightest=1.0, **settings):
    """Without its top, a network takes images of any size; `sides`: what it makes of them, by their side."""
    model = network(include_top=False, **settings)
    assert model.input_shape == (None, None, None, 3) and model.output_shape == (None, None, None, channels)
    for side, out in sides.items():
        y = model.predict(images_for(model, 1, side, brightest), verbose=0)
        assert y.shape == (1, out, out, channels) and np.isfinite(y).all()
    for pooling in ("avg", "max"):
        assert network(include_top=False, pooling=pooling, **settings).output_shape == (None, channels)


def check_transparent(module):
    """Images go into the network as they are."""
    x = np.random.default_rng(0).integers(0, 256, (2, 3, 3, 3), np.uint8)
    assert module.preprocess_input(x) is x
