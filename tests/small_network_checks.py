"""What holds for every network of `applications`, in a small form of it: training, files, layouts."""

import numpy as np

import cconv


def images(count, *sizes):
    return np.random.default_rng(0).random((count, *sizes), dtype=np.float32)


def check_training_lowers_the_loss(build, rate=1e-4):
    """`build(**settings)` makes the network, without dropout; one step on four images that are seen again."""
    cconv.utils.set_random_seed(0)
    model = build(classes=2)
    model.compile(cconv.optimizers.SGD(rate), "sparse_categorical_crossentropy")
    x, y = images(4, *model.input_shape[1:]), np.array([0, 1, 0, 1])
    before = [w.numpy() for w in model.trainable_weights]
    first, second = (float(model.train_on_batch(x, y)) for _ in range(2))
    assert second < first
    moved = [not np.array_equal(a, b.numpy()) for a, b in zip(before, model.trainable_weights, strict=True)]
    assert sum(moved) > 0.9 * len(moved)


def check_files_hold_it(build, folder):
    """Weights, and the whole model, come back from files; a file of other shapes is refused."""
    one = build()
    x = images(2, *one.input_shape[1:])
    y = one.predict(x, verbose=0)
    one.save_weights(folder / "net.weights.h5")
    two = build(weights=folder / "net.weights.h5")
    np.testing.assert_array_equal(y, two.predict(x, verbose=0))
    one.save(folder / "net.keras")
    three = cconv.saving.load_model(folder / "net.keras")
    assert [layer.name for layer in one.layers] == [layer.name for layer in three.layers]
    np.testing.assert_array_equal(y, three.predict(x, verbose=0))


def check_channels_first(build, rows, columns):
    """`build(input_shape=...)` computes the same where channels come first."""
    same = build(input_shape=(rows, columns, 3))
    cconv.config.set_image_data_format("channels_first")
    try:
        model = build(input_shape=(3, rows, columns))
    finally:
        cconv.config.set_image_data_format("channels_last")
    assert [w.shape for w in model.weights] == [w.shape for w in same.weights]
    same.set_weights(model.get_weights())
    x = images(2, rows, columns, 3)
    y = model.predict(x.transpose(0, 3, 1, 2), verbose=0)
    want = same.predict(x, verbose=0)
    if want.ndim == 4:
        want = want.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(y, want, rtol=0, atol=1e-5 * np.abs(want).max())
