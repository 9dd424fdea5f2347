"""Random numbers in models and out of them, and the layers that draw them."""

import numpy as np
import pytest

import cconv
from cconv import layers, ops, random

ONES = np.ones((40, 6, 5, 8), np.float32)


class Sampling(layers.Layer):
    """The reparametrization of a variational autoencoder."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = random.SeedGenerator(1337)

    def call(self, inputs):
        mean, log_variance = inputs
        batch, size = ops.shape(mean)
        return mean + ops.exp(0.5 * log_variance) * random.normal((batch, size), seed=self.seed_generator)


def sampling_model():
    x = cconv.Input((4,))
    dense = [layers.Dense(3, kernel_initializer="ones")(x) for _ in range(2)]
    return cconv.Model(x, Sampling()(dense))


def test_a_model_draws_anew_in_every_run_and_again_after_the_same_seed():
    model, x = sampling_model(), np.full((70, 4), 0.1, np.float32)
    cconv.utils.set_random_seed(1)
    first = [model.predict(x, batch_size=32, verbose=0) for _ in range(2)]
    assert not np.any(first[0] == first[1]) and len(np.unique(first[0])) > 200, "batches draw the same numbers"
    cconv.utils.set_random_seed(1)
    assert np.array_equal(model.predict(x, batch_size=32, verbose=0), first[0])
    assert not np.any(model(x) == model(x))


@pytest.mark.usefixtures("three_threads")
def test_training_through_numbers_is_the_same_on_any_number_of_threads():
    results = []
    for threads in (1, 3):
        cconv.set_num_threads(threads)
        cconv.utils.set_random_seed(3)
        model = sampling_model()
        model.compile("sgd", "mse")
        history = model.fit(np.ones((20, 4)), np.zeros((20, 3)), epochs=2, batch_size=8, verbose=0)
        results.append([history.history["loss"], *model.get_weights()])
    cconv.set_num_threads(0)
    for a, b in zip(*results, strict=True):
        assert np.array_equal(a, b)
    assert results[0][0][0] != results[0][0][1]


def test_evaluation_draws_for_each_batch():
    seen = []

    class Noise(layers.Layer):
        def call(self, x):
            return x + random.uniform(ops.shape(x))

    model = cconv.Sequential([cconv.Input((1,)), Noise()])
    model.compile(loss=lambda t, y: ops.mean(y))
    callback = cconv.callbacks.LambdaCallback(on_test_batch_end=lambda batch, logs: seen.append(logs["loss"]))
    model.evaluate(np.zeros((3, 1)), np.zeros((3, 1)), batch_size=1, verbose=0, callbacks=[callback])
    means = np.array(seen) * [1, 2, 3]
    assert len(set(np.round(np.diff(means, prepend=0), 5))) == 3


def test_an_integer_seed_is_the_same_numbers_everywhere():
    class Fixed(layers.Layer):
        def call(self, x):
            return x + random.normal(ops.shape(x), seed=7)

    expected = random.normal((5, 3), seed=7)
    model = cconv.Sequential([cconv.Input((3,)), Fixed()])
    for _ in range(2):
        assert np.array_equal(model.predict(np.zeros((5, 3)), verbose=0), expected)
    assert not np.array_equal(random.normal((5, 3), seed=8), expected)


def test_the_numbers_have_the_distribution():
    n = 200_000
    for y, mean, deviation in (
        (random.normal((n,), 2, 3, seed=1), 2, 3),
        (random.uniform((n,), -1, 3, seed=1), 1, 4 / 12**0.5),
        (random.truncated_normal((n,), 1, 2, seed=1), 1, 2 * 0.87963),
        (random.randint((n,), -3, 8, seed=1), 2, (120 / 12) ** 0.5),
        (random.gamma((n,), 2.0, seed=1), 2, 2**0.5),
        (random.beta((n,), 2.0, 2.0, seed=1), 0.5, 0.05**0.5),
        (random.binomial((n,), 10, 0.3, seed=1), 3, 2.1**0.5),
    ):
        assert abs(y.mean() - mean) < 5 * deviation / n**0.5 and abs(y.std() / deviation - 1) < 0.01
    assert np.abs(random.truncated_normal((n,), seed=2)).max() <= 2
    assert set(random.randint((n,), 2, 5, seed=3).tolist()) == {2, 3, 4}
    y = random.uniform((n,), 1, 1 + 2**-22, seed=1)
    assert y.min() == 1 and y.max() < 1 + 2**-22
    assert random.randint((3,), 0, 2**40, dtype="int64").dtype == np.int64
    classes = random.categorical(np.log([[0.1, 0.2, 0.7]]), n, seed=4)
    np.testing.assert_allclose(np.bincount(classes[0]) / n, [0.1, 0.2, 0.7], atol=0.005)


def test_a_generator_is_a_stream():
    a, b = random.SeedGenerator(5), random.SeedGenerator(5)
    first, second = random.uniform((4,), seed=a), random.uniform((4,), seed=a)
    assert not np.any(first == second)
    assert np.array_equal(random.uniform((4,), seed=b), first) and np.array_equal(random.uniform((4,), seed=b), second)
    assert random.SeedGenerator(2, name="g").name == "g"


def test_two_draws_of_one_generator_in_a_model_differ():
    class Two(layers.Layer):
        def __init__(self):
            super().__init__()
            self.stream = random.SeedGenerator(1)

        def call(self, x):
            return random.normal(ops.shape(x), seed=self.stream) - random.normal(ops.shape(x), seed=self.stream)

    assert np.all(Two()(np.zeros((4, 5))) != 0)


def test_shuffle_categorical_and_sizes_of_images_in_models():
    class Mixed(layers.Layer):
        def call(self, x):
            noise = random.uniform(ops.shape(x), 1, 2)  # height and width unknown, too
            return random.shuffle(x) * noise

    model = cconv.Sequential([cconv.Input((None, None, 2)), Mixed()])
    x = np.arange(1, 9, dtype=np.float32).reshape(8, 1, 1, 1) * np.ones((8, 3, 2, 2), np.float32) * 10
    y = model.predict(x, verbose=0)
    rows = y.reshape(8, -1) // 10
    assert y.shape == x.shape and not np.array_equal(np.round(y[:, 0, 0, 0]), x[:, 0, 0, 0])
    assert np.all(rows.max(1) <= 2 * rows.min(1) + 1)

    class Class(layers.Layer):
        def call(self, logits):
            return random.categorical(logits, 5)

    assert Class()(np.log([[1.0, 1e-30], [1e-30, 1.0]])).tolist() == [[0] * 5, [1] * 5]


def test_what_cannot_be_drawn_is_said():
    class Bad(layers.Layer):
        def __init__(self, draw):
            super().__init__()
            self.draw = draw

        def call(self, x):
            return self.draw(x)

    cases = [
        (lambda x: random.normal((None, None, 3)), ValueError, "along the same axes"),
        (lambda x: random.gamma((3,), 1.0), NotImplementedError, "draws arrays"),
        (lambda x: random.randint((3,), 0, 2**30), ValueError, "2..24"),
        (lambda x: random.dropout(x, 0.5, noise_shape=(None, 7)), ValueError, "noise_shape"),
    ]
    for draw, error, words in cases:
        with pytest.raises(error, match=words):
            Bad(draw)(cconv.Input((4,)))
    for draw, words in [
        (lambda: random.normal((None, 2)), "call"),
        (lambda: random.normal(3), "shape"),
        (lambda: random.normal((3,), seed=1.5), "seed"),
        (lambda: random.uniform((3,), dtype="float64"), "float32"),
        (lambda: random.randint((3,), 5, 5), "minval < maxval"),
        (lambda: random.dropout([1.0], 1.5), "rate"),
        (lambda: random.categorical([1.0], 2), "logits"),
    ]:
        with pytest.raises(ValueError, match=words):
            draw()


def test_dropping_whole_axes():
    y = layers.Dropout(0.5, noise_shape=(None, 1, 1, None))(ONES, training=True)
    assert set(np.unique(y)) == {0, 2} and np.all(y == y[:, :1, :1, :])
    first = layers.SpatialDropout2D(0.25, data_format="channels_first", seed=3)
    y = first(ONES, training=True)
    assert np.all(y == y[:, :, :1, :1]) and abs((y != 0).mean() - 0.75) < 0.15
    assert np.array_equal(first(ONES), ONES)
    y = layers.SpatialDropout1D(0.5)(ONES[:, 0], training=True)
    assert np.all(y == y[:, :1]) and not np.all(y == y[:1])
    y = layers.SpatialDropout3D(0.5)(np.ones((9, 2, 3, 4, 5)), training=True)
    assert np.all(y == y[:, :1, :1, :1])
    spoiled = np.full((4, 50), np.nan)
    assert np.any(layers.Dropout(0.5, noise_shape=(1, None))(spoiled, training=True) == 0), "what is dropped is 0"


def test_noise_has_the_moments_and_no_effect_outside_of_training():
    x = np.random.default_rng(0).normal(size=(200, 500)).astype(np.float32)
    for layer, mean, deviation in (
        (layers.GaussianNoise(0.5), x.mean(), (x.var() + 0.25) ** 0.5),
        (layers.GaussianDropout(0.2), x.mean(), (x.var() * 1.25) ** 0.5),
        (layers.AlphaDropout(0.3), 0, 1),
    ):
        assert np.array_equal(layer(x), x)
        y = layer(x, training=True)
        assert abs(y.mean() - mean) < 0.02 and abs(y.std() / deviation - 1) < 0.02
        assert not np.array_equal(layer(x, training=True), y)


def test_gradients_pass_through_what_was_drawn():
    for layer in (layers.GaussianDropout(0.4, seed=1), layers.SpatialDropout1D(0.4, seed=1), layers.AlphaDropout(0.4)):
        model = cconv.Sequential([cconv.Input((3, 4)), layers.Conv1D(4, 1), layer, layers.Flatten(), layers.Dense(1)])
        model.compile("sgd", "mse")
        before = model.get_weights()
        model.fit(np.ones((8, 3, 4)), np.ones((8, 1)), epochs=2, verbose=0)
        assert not np.allclose(before[0], model.get_weights()[0])


def test_old_seeds_of_configurations():
    assert layers.Dropout.from_config(layers.Dropout(0.1, seed=3).get_config()).seed == 3
    with pytest.raises(ValueError, match="seed"):
        layers.GaussianNoise(0.1, seed="x")


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dropout(1.0),
        layers.Dropout(1, noise_shape=(None, 1, 2), seed=3),
        layers.SpatialDropout1D(1.0),
    ],
)
def test_a_rate_of_one_drops_everything(layer):
    x = np.ones((2, 3, 2), np.float32)
    assert layer(x, training=True).tolist() == np.zeros((2, 3, 2)).tolist() and layer(x).tolist() == x.tolist()
    assert layer.from_config(layer.get_config()).rate == 1
    model = cconv.Sequential([cconv.Input((3, 2)), layers.Dense(2, kernel_initializer="ones"), layer])
    model.compile(cconv.optimizers.SGD(1.0), "mse")
    assert model.train_on_batch(x, x) == 1.0 and model.layers[0].kernel.numpy().tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert random.dropout(x, 1.0, seed=1).tolist() == random.dropout(x, 1.0).tolist() == (0 * x).tolist()
