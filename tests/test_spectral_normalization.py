"""SpectralNormalization: the power iteration, what it assigns, what the optimizer makes of it."""

import numpy as np
import pytest

import cconv
from cconv import layers


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def reference(kernel, u, iterations):
    """The vector and the divided weights after so many power iterations, in float64."""
    w, u = kernel.astype(float).reshape(-1, kernel.shape[-1]), u.astype(float)
    for _ in range(iterations):
        v = u @ w.T
        v /= np.linalg.norm(v)
        u = v @ w
        u /= np.linalg.norm(u)
    return u, (w / (v @ w @ u.T)).reshape(kernel.shape)


@pytest.mark.parametrize("iterations", [1, 4])
@pytest.mark.parametrize(
    "inner, shape",
    [(lambda: layers.Dense(3), (2, 5)), (lambda: layers.Conv2D(4, (2, 3)), (2, 5, 6, 3)),
     (lambda: layers.Conv2DTranspose(2, 3), (1, 4, 4, 3))],
)  # fmt: skip
def test_weights_are_divided_in_training_only(inner, shape, iterations):
    layer, x = layers.SpectralNormalization(inner(), iterations), random(*shape)
    y = layer(x)
    kernel, u = layer.kernel.numpy(), layer.vector_u.numpy()
    np.testing.assert_array_equal(y, layer.layer(x))
    for _ in range(2):
        y = layer(x, training=True)
        u, kernel = reference(kernel, u, iterations)
        np.testing.assert_allclose(layer.vector_u.numpy(), u, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(layer.layer.kernel.numpy(), kernel, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(y, layer.layer(x))
    np.testing.assert_array_equal(layer(x), y)


def test_many_steps_find_the_spectral_norm():
    layer = layers.SpectralNormalization(layers.Dense(6), power_iterations=3)
    for _ in range(30):
        layer(random(1, 8), training=True)
    assert np.linalg.svd(layer.kernel.numpy())[1].max() == pytest.approx(1, rel=1e-4)


def test_weights_of_zeros_stay():
    layer = layers.SpectralNormalization(layers.Dense(2, kernel_initializer="zeros"))
    layer(random(2, 3))
    u = layer.vector_u.numpy()
    assert (layer(random(2, 3), training=True) == 0).all() and (layer.kernel.numpy() == 0).all()
    np.testing.assert_array_equal(layer.vector_u.numpy(), u)


def by_hand(model, x, y, rate):
    """One step of gradient descent of `SpectralNormalization(Embedding)`, `GlobalAveragePooling1D`, in float64."""
    layer = model.layers[0]
    u, kernel = reference(layer.kernel.numpy(), layer.vector_u.numpy(), 1)
    error = kernel[x].mean(axis=1) - y
    gradient = np.zeros_like(kernel)
    for row, e in zip(x, error, strict=True):
        for i in row:
            gradient[i] += 2 * e / y.size / x.shape[1]
    return kernel - rate * gradient, u


def test_the_optimizer_changes_the_divided_weights():
    model = cconv.Sequential(
        [cconv.Input((4,), dtype="int32"), layers.SpectralNormalization(layers.Embedding(5, 3)),
         layers.GlobalAveragePooling1D()]
    )  # fmt: skip
    model.compile(cconv.optimizers.SGD(0.5), "mse")
    x, y = np.array([[0, 1, 2, 2], [4, 0, 1, 1]]), random(2, 3)
    for _ in range(3):
        kernel, u = by_hand(model, x, y, 0.5)
        model.train_on_batch(x, y)
        np.testing.assert_allclose(model.layers[0].kernel.numpy(), kernel, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(model.layers[0].vector_u.numpy(), u, rtol=1e-4, atol=1e-6)


def network(units=4):
    cconv.utils.set_random_seed(1)
    model = cconv.Sequential(
        [cconv.Input((6, 5, 3)), layers.SpectralNormalization(layers.Conv2D(4, 3)), layers.ReLU(), layers.Flatten(),
         layers.SpectralNormalization(layers.Dense(units)), layers.Dense(2)]
    )  # fmt: skip
    model.compile(cconv.optimizers.Adam(0.02), "mse")
    return model


def test_a_tape_gives_the_same_step():
    x, y = random(4, 6, 5, 3), random(4, 2)
    ours, taped = network(), network()
    loss_of = cconv.losses.MeanSquaredError()
    for _ in range(3):
        expected = ours.train_on_batch(x, y)
        with cconv.GradientTape() as tape:
            loss = loss_of(y, taped(x, training=True))
        gradients = tape.gradient(loss, taped.trainable_variables)
        taped.optimizer.apply_gradients(zip(gradients, taped.trainable_variables, strict=True))
        assert float(loss) == expected
    for a, b in zip(ours.get_weights(), taped.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_gradients_looked_at_before_they_are_applied_are_the_same():
    """The record is repeated for them, from the values that the variables had."""
    x, y = random(4, 6, 5, 3), random(4, 2)
    ours, taped = network(), network()
    loss_of = cconv.losses.MeanSquaredError()
    for _ in range(2):
        ours.train_on_batch(x, y)
        with cconv.GradientTape(persistent=True) as tape:
            loss = loss_of(y, taped(x, training=True))
        float(loss)
        gradients = [np.asarray(g) for g in tape.gradient(loss, taped.trainable_variables)]
        taped.optimizer.apply_gradients(zip(gradients, taped.trainable_variables, strict=True))
    for a, b in zip(ours.get_weights(), taped.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_large_weights_which_are_updated_within_the_backward_pass():
    """Gradients of more than 16 MB: the optimizer's steps stand among the backward ones, behind the assignment."""
    model = cconv.Sequential(
        [cconv.Input((1100,)), layers.SpectralNormalization(layers.Dense(4000, use_bias=False)), layers.Dense(1)]
    )
    model.compile(cconv.optimizers.SGD(0.1), "mse")
    x, y = random(2, 1100), random(2, 1)
    layer, last = model.layers
    u, kernel = reference(layer.kernel.numpy(), layer.vector_u.numpy(), 1)
    w, b = last.kernel.numpy().astype(float), last.bias.numpy()
    error = (x @ kernel @ w + b - y) * 2 / y.size
    model.train_on_batch(x, y)
    expected = kernel - 0.1 * x.T.astype(float) @ (error @ w.T)
    np.testing.assert_allclose(layer.kernel.numpy(), expected, rtol=1e-3, atol=1e-6)


def test_saved_and_loaded_it_trains_on(tmp_path):
    x, y = random(4, 6, 5, 3), random(4, 2)
    model = network()
    model.train_on_batch(x, y)
    model.save(tmp_path / "model.keras")
    again = cconv.models.load_model(tmp_path / "model.keras")
    assert again.layers[0].kernel is again.layers[0].layer.kernel
    for _ in range(2):
        assert again.train_on_batch(x, y) == model.train_on_batch(x, y)
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_is_refused():
    for layer in (layers.ReLU(), layers.SeparableConv2D(2, 3), layers.BatchNormalization()):
        with pytest.raises(ValueError, match="has no attribute 'kernel' nor 'embeddings'"):
            layers.SpectralNormalization(layer)(random(1, 5, 5, 2))
    for wrong in (0, -1, 1.5, "2", None):
        with pytest.raises(ValueError, match="`power_iterations` should be greater than zero"):
            layers.SpectralNormalization(layers.Dense(2), power_iterations=wrong)
