"""Initializers: their distributions, seeds, names and configurations."""

import numpy as np
import pytest

import cconv
from cconv import initializers

SHAPE = (5, 5, 40, 60)
FAN_IN, FAN_OUT = 25 * 40, 25 * 60


@pytest.mark.parametrize(
    ("initializer", "variance", "bound"),
    [
        (initializers.GlorotUniform(1), 2 / (FAN_IN + FAN_OUT), (6 / (FAN_IN + FAN_OUT)) ** 0.5),
        (initializers.HeUniform(1), 2 / FAN_IN, (6 / FAN_IN) ** 0.5),
        (initializers.LecunUniform(1), 1 / FAN_IN, (3 / FAN_IN) ** 0.5),
        (initializers.GlorotNormal(1), 2 / (FAN_IN + FAN_OUT), 2 * (2 / (FAN_IN + FAN_OUT)) ** 0.5 / 0.8796),
        (initializers.HeNormal(1), 2 / FAN_IN, 2 * (2 / FAN_IN) ** 0.5 / 0.8796),
        (initializers.LecunNormal(1), 1 / FAN_IN, 2 * (1 / FAN_IN) ** 0.5 / 0.8796),
        (initializers.VarianceScaling(3.0, "fan_out", "untruncated_normal", seed=1), 3 / FAN_OUT, None),
        (initializers.RandomNormal(stddev=0.5, seed=1), 0.25, None),
        (initializers.RandomUniform(-1, 1, seed=1), 1 / 3, 1),
        (initializers.TruncatedNormal(stddev=1.0, seed=1), 0.8796**2, 2),
    ],
    ids=lambda x: type(x).__name__ if isinstance(x, initializers.Initializer) else "",
)
def test_distributions(initializer, variance, bound):
    values = initializer(SHAPE)
    assert values.dtype == np.float32 and values.shape == SHAPE
    assert abs(values.mean()) < 4 * (variance / values.size) ** 0.5
    assert values.var() == pytest.approx(variance, rel=0.02)
    if bound is not None:
        assert 0.98 * bound < np.abs(values).max() <= bound * 1.0001


def test_constants():
    assert np.array_equal(initializers.Zeros()((2, 3)), np.zeros((2, 3)))
    assert np.array_equal(initializers.Ones()((2,)), np.ones(2))
    assert np.array_equal(initializers.Constant(0.5)((2,)), [0.5, 0.5])
    assert np.array_equal(initializers.Identity(2.0)((2, 3)), 2 * np.eye(2, 3))
    with pytest.raises(ValueError, match=r"2D matrices.*\(2, 3, 4\)"):
        initializers.Identity()((2, 3, 4))


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 3, 2, 5)])
def test_orthogonal(shape):
    q = initializers.Orthogonal(gain=2.0, seed=1)(shape).reshape(-1, shape[-1]).astype(float)
    gram = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-5)
    with pytest.raises(ValueError, match="two-dimensional"):
        initializers.Orthogonal()((3,))


def test_fans():
    assert initializers.compute_fans(()) == (1, 1)
    assert initializers.compute_fans((7,)) == (7, 7)
    assert initializers.compute_fans((3, 4)) == (3, 4)
    assert initializers.compute_fans((3, 3, 4, 5)) == (36, 45)


def test_seeds():
    fixed = initializers.GlorotUniform(seed=7)
    assert np.array_equal(fixed((3, 4)), fixed((3, 4)))
    assert not np.array_equal(initializers.GlorotUniform(seed=8)((3, 4)), fixed((3, 4)))
    free = initializers.GlorotUniform()
    assert not np.array_equal(free((3, 4)), free((3, 4)))
    stream = initializers.RandomNormal(seed=cconv.random.SeedGenerator(1))
    first = stream((3,))
    assert not np.array_equal(first, stream((3,)))
    assert np.array_equal(first, initializers.RandomNormal(seed=cconv.random.SeedGenerator(1))((3,)))


def test_the_global_seed_repeats_a_model():
    def weights():
        cconv.utils.set_random_seed(5)
        model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(3), cconv.layers.Dense(3)])
        return model.get_weights()

    a, b = weights(), weights()
    assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    assert not np.array_equal(a[0][:3], a[2])


@pytest.mark.parametrize(
    "name", ["zeros", "ones", "glorot_uniform", "GlorotNormal", "he_normal", "orthogonal", "lecun_uniform"]
)
def test_names(name):
    assert initializers.get(name)((4, 4)).shape == (4, 4)


def test_what_get_takes():
    assert initializers.get(None) is None
    assert isinstance(initializers.get(initializers.HeNormal), initializers.HeNormal)
    assert initializers.get({"class_name": "Constant", "config": {"value": 2.0}})((1,)).tolist() == [2]
    assert initializers.get(np.arange(3))((3,)).tolist() == [0, 1, 2]
    custom = initializers.get(lambda shape, dtype=None: np.full(shape, 9.0))
    assert cconv.layers.Dense(1, kernel_initializer=custom)(np.ones((1, 1))).tolist() == [[9]]
    with pytest.raises(ValueError, match="identifier: nonsense"):
        initializers.get("nonsense")


@pytest.mark.parametrize("cls", initializers._CLASSES)
def test_configurations(cls):
    initializer = cls()
    saved = cconv.saving.serialize_object(initializer)
    assert saved["module"] == "keras.initializers" and saved["class_name"] == cls.__name__
    loaded = cconv.saving.deserialize_object(saved)
    assert type(loaded) is cls and loaded.get_config() == initializer.get_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.VarianceScaling(0), "scale=0"),
        (lambda: initializers.VarianceScaling(mode="fan"), "fan_avg"),
        (lambda: initializers.VarianceScaling(distribution="cauchy"), "cauchy"),
        (lambda: initializers.RandomNormal(stddev=-1), "stddev=-1"),
        (lambda: initializers.RandomNormal(float("nan")), "mean=nan"),
        (lambda: initializers.RandomNormal(seed="x"), "seed='x'"),
        (lambda: cconv.random.set_global_seed(-1), "seed=-1"),
        (lambda: cconv.random.SeedGenerator(0.5), "seed=0.5"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_initializer_of_another_shape_is_refused():
    layer = cconv.layers.Dense(2, kernel_initializer=lambda shape, dtype=None: np.zeros((1, 1)), name="d")
    with pytest.raises(ValueError, match=r"d/kernel.*asked for shape \(3, 2\) and gave \(1, 1\)"):
        layer.build((None, 3))


def test_variables_take_numbers_by_pieces(monkeypatch):
    """The same numbers as a call gives, pieces of any size; and a class with a call of its own is called."""
    expected = initializers.HeNormal(seed=3)((5, 7))
    for size in (1, 4, 35, 100):
        monkeypatch.setattr("cconv.initializers.random._PIECE", size)
        variable = cconv.Variable(initializers.HeNormal(seed=3), shape=(5, 7))
        if size == 35:
            np.testing.assert_array_equal(variable.numpy(), expected)
        assert variable.numpy().std() > 0.1

    class Sevens(initializers.GlorotUniform):
        def __call__(self, shape, dtype=None):
            return np.full(shape, 7)

    assert cconv.Variable(Sevens(), shape=(2,)).numpy().tolist() == [7, 7]


@pytest.mark.parametrize("sizes, received", [((3,), "fewer"), ((5,), "more"), ((2, 3), "more"), ((), "fewer")])
def test_pieces_of_another_number_are_refused(sizes, received):
    with pytest.raises(ValueError, match=rf"as many values as \(2, 2\) has, received {received}"):
        cconv.Variable("zeros", shape=(2, 2)).core.fill(np.ones(size) for size in sizes)
