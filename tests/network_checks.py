"""What is asked of every network of `applications`, beside its own figures."""

import contextlib

import numpy as np

import cconv


def images(model, n=2, side=32):
    """Some images for a model, of this side where it takes any."""
    sizes = [side if size is None else size for size in model.input_shape[1:]]
    return np.random.default_rng(0).uniform(0, 255, (n, *sizes)).astype(np.float32)


@contextlib.contextmanager
def channels_first():
    cconv.config.set_image_data_format("channels_first")
    try:
        yield
    finally:
        cconv.config.set_image_data_format("channels_last")


def check_training(network, scale=1.0, **settings):
    """A few steps on four images lower the loss, and move nearly all weights."""
    cconv.utils.set_random_seed(0)
    model = network(classes=2, **settings)
    model.compile(cconv.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    x, y = images(model, 4) * scale, np.array([0, 1, 0, 1])
    x[1::2] *= 0.3  # the dark and the bright
    before = model.get_weights()
    losses = [float(model.train_on_batch(x, y)) for _ in range(12)]
    assert np.isfinite(losses).all() and np.mean(losses[-4:]) < np.mean(losses[:4])
    moved = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert sum(moved) > 0.9 * len(moved)


def check_files(network, folder, **settings):
    """Weights from a file, and a whole model from one, give the same outputs."""
    one = network(**settings)
    one.save_weights(folder / "net.weights.h5")
    one.save(folder / "net.keras")
    x = images(one)
    want = one.predict(x, verbose=0)
    for two in (network(weights=folder / "net.weights.h5", **settings), cconv.saving.load_model(folder / "net.keras")):
        assert [type(layer) for layer in one.layers] == [type(layer) for layer in two.layers]
        np.testing.assert_array_equal(two.predict(x, verbose=0), want)


def check_channels_first(network, input_shape, **settings):
    """Both layouts of images give the same, with the same weights."""
    last = network(input_shape=input_shape, **settings)
    with channels_first():
        first = network(input_shape=(input_shape[2], *input_shape[:2]), **settings)
        assert [w.shape for w in first.weights] == [w.shape for w in last.weights]
        first.set_weights(last.get_weights())
        x = images(last)
        y = first.predict(np.ascontiguousarray(np.moveaxis(x, -1, 1)), verbose=0)
    want = last.predict(x, verbose=0)
    y = np.moveaxis(y, 1, -1) if y.ndim == 4 else y
    np.testing.assert_allclose(y, want, rtol=0, atol=1e-5 * np.abs(want).max())


def check_sizes(network, sides, channels, **settings):
    """Without its top, a network takes images of any size; `sides`: what it makes of them, by their side."""
    model = network(include_top=False, **settings)
    assert model.input_shape == (None, None, None, 3) and model.output_shape == (None, None, None, channels)
    for side, out in sides.items():
        y = model.predict(images(model, 1, side), verbose=0)
        assert y.shape == (1, out, out, channels) and np.isfinite(y).all()
    for pooling in ("avg", "max"):
        assert network(include_top=False, pooling=pooling, **settings).output_shape == (None, channels)


def check_transparent(module):
    """Images go into the network as they are."""
    x = np.random.default_rng(0).integers(0, 256, (2, 3, 3, 3), np.uint8)
    assert module.preprocess_input(x) is x
