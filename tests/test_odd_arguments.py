"""Arguments that are seldom meant: errors of four kinds that say what was expected, never a crash or nonsense taken."""

import importlib

import numpy as np
import pytest
from robustness import fuzz_arguments

import cconv
from cconv import layers, losses, metrics, ops
from cconv.optimizers import schedules

BIG = 2**32
ALLOWED = fuzz_arguments.ALLOWED
X = np.ones((2, 3), np.float32)
T = cconv.Input((4,))


# ---- sizes whose product cannot be counted


@pytest.mark.parametrize(
    "use",
    [
        lambda: layers.Flatten()(cconv.Input((BIG, BIG))),
        lambda: layers.Flatten()(cconv.Input((BIG, BIG, BIG))),
        lambda: layers.Reshape((-1,))(cconv.Input((BIG, BIG))),
        lambda: layers.Reshape((BIG, -1))(cconv.Input((BIG, BIG))),
        lambda: layers.Flatten().compute_output_shape((2, BIG, BIG)),
        lambda: layers.Flatten().compute_output_shape((2, 2**70)),
        lambda: ops.reshape(cconv.Input((BIG, BIG)), (-1,)),
        lambda: layers.GlobalAveragePooling2D()(cconv.Input((BIG, BIG, 2))),
        lambda: layers.Dense(2).compute_output_shape((BIG, BIG, BIG, 4)),
        lambda: layers.Dense(BIG)(cconv.Input((BIG,))),
        lambda: layers.Dense(10**30)(cconv.Input((4,))),
        lambda: layers.Conv2D(BIG, 3)(cconv.Input((8, 8, BIG))),
        lambda: layers.BatchNormalization()(cconv.Input((2**62,))),
        lambda: layers.Concatenate()([cconv.Input((2**60,)), cconv.Input((2**60,))]),
        lambda: cconv.Input((2**63,)),
        lambda: cconv.Input((10**30,)),
        lambda: cconv.Input(batch_shape=(BIG, BIG)),
        lambda: cconv.Variable("zeros", shape=(BIG, BIG)),
        lambda: cconv.ops.one_hot(T, 2**62),
        lambda: cconv.ops.one_hot(T, 2**63),
    ],
)
def test_sizes_that_cannot_be_counted(use):
    with pytest.raises(ValueError, match="too large|whole number|fit in memory"):
        use()


def test_sizes_that_only_memory_limits():
    x = cconv.Input((2**20, 2**20))
    assert layers.Flatten()(x).shape == (None, 2**40)
    assert layers.Reshape((2**10, -1))(x).shape == (None, 2**10, 2**30)
    with pytest.raises(MemoryError, match="dense"):
        layers.Dense(2**40, name="dense")(cconv.Input((2**20,)))


# ---- settings that mean nothing are refused where they are given

ODD = [-1, 0, 1.5, float("nan"), float("inf"), 10**30, "x", None, (), {}, object(), [1, "x"], np.zeros(0), T]


def refused(make, *values):
    for value in values:
        with pytest.raises(ALLOWED):
            make(value)


COUNTS = {
    "units": layers.Dense,
    "filters": lambda n: layers.Conv2D(n, 3),
    "kernel_size": lambda n: layers.Conv2D(2, n),
    "strides": lambda n: layers.Conv2D(2, 3, strides=n),
    "dilation_rate": lambda n: layers.Conv2D(2, 3, dilation_rate=n),
    "groups": lambda n: layers.Conv2D(2, 3, groups=n),
    "pool_size": layers.MaxPooling2D,
    "depth_multiplier": lambda n: layers.DepthwiseConv2D(3, depth_multiplier=n),
    "k": lambda n: metrics.TopKCategoricalAccuracy(k=n),
    "sparse k": lambda n: metrics.SparseTopKCategoricalAccuracy(k=n),
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_positive_integers(name):
    refused(COUNTS[name], *(x for x in ODD if not (isinstance(x, int) and x > 0)))


NUMBERS = {
    "Huber.delta": lambda x: losses.Huber(delta=x),
    "label_smoothing": lambda x: losses.BinaryCrossentropy(label_smoothing=x),
    "metric's label_smoothing": lambda x: metrics.CategoricalCrossentropy(label_smoothing=x),
    "gamma": lambda x: losses.BinaryFocalCrossentropy(gamma=x),
    "Tversky.alpha": lambda x: losses.Tversky(alpha=x),
    "BinaryAccuracy.threshold": lambda x: metrics.BinaryAccuracy(threshold=x),
    "initial_learning_rate": lambda x: schedules.ExponentialDecay(x, 10, 0.5),
    "decay_rate": lambda x: schedules.InverseTimeDecay(0.1, 10, x),
    "decay_steps": lambda x: schedules.CosineDecay(0.1, x),
    "power": lambda x: schedules.PolynomialDecay(0.1, 10, power=x),
    "max_value": cconv.constraints.MaxNorm,
    "rate": lambda x: cconv.constraints.MinMaxNorm(rate=x),
    "min_delta": lambda x: cconv.callbacks.EarlyStopping(min_delta=x),
    "min_lr": lambda x: cconv.callbacks.ReduceLROnPlateau(min_lr=x),
    "patience": lambda x: cconv.callbacks.EarlyStopping(patience=x),
    "cooldown": lambda x: cconv.callbacks.ReduceLROnPlateau(cooldown=x),
    "start_from_epoch": lambda x: cconv.callbacks.EarlyStopping(start_from_epoch=x),
    "class_id": lambda x: metrics.Precision(class_id="x" if x is None else x),
    "top_k": lambda x: metrics.Recall(top_k="x" if x is None else x),
    "ndim": lambda x: layers.InputSpec(ndim="x" if x is None else x),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_numbers(name):
    refused(NUMBERS[name], float("nan"), float("inf"), "x", None, (), {}, object(), T)


AXES = {
    "losses": lambda x: losses.CategoricalCrossentropy(axis=x),
    "constraints": lambda x: cconv.constraints.UnitNorm(axis=x),
    "Softmax": lambda x: layers.Softmax(axis=x),
    "BatchNormalization": lambda x: layers.BatchNormalization(axis=x),
    "Concatenate": lambda x: layers.Concatenate(axis=x),
}


@pytest.mark.parametrize("name", AXES)
def test_axes_are_integers(name):
    refused(AXES[name], 1.5, float("nan"), "x", {}, object(), T)


# ---- what the fuzzer found


@pytest.mark.parametrize(
    "use",
    [
        lambda: cconv.optimizers.deserialize(0.5),
        lambda: cconv.optimizers.deserialize([[], []]),
        lambda: cconv.initializers.deserialize(None),
        lambda: layers.InputSpec(axes=3),
        lambda: layers.Input(tensor=-1),
        lambda: layers.InputSpec(max_ndim=Ellipsis),
        lambda: metrics.top_k_categorical_accuracy(X, -0.5),
        lambda: metrics.sparse_top_k_categorical_accuracy(False, {}, from_sorted_ids=True),
        lambda: metrics.sparse_top_k_categorical_accuracy([1], 2.0),
        lambda: metrics.TrueNegatives()(X[0], X[0], sample_weight=X),
        lambda: metrics.Precision(class_id=7)(X, X),
        lambda: ops.sparse_categorical_crossentropy([1.0], 3.0),
        lambda: losses.LossFunctionWrapper(3),
        lambda: metrics.MeanMetricWrapper("x"),
        lambda: schedules.PolynomialDecay(2.0, 2)(float("inf")),
        lambda: schedules.PiecewiseConstantDecay([1], ["x", "y"]),
        lambda: layers.Dense(2, dtype={"config": 3}),
        lambda: losses.categorical_focal_crossentropy(1.0, 0.5, label_smoothing=0.1),
        lambda: losses.categorical_generalized_cross_entropy(1, 0.5, q=0.5),
        lambda: losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]], axis=5),
        lambda: ops.batch_normalization(X, 1.0, 1.0, axis=-float("inf")),
        lambda: cconv.initializers.RandomNormal()(np.ones((2, 3))),
        lambda: layers.AveragePooling1D(np.broadcast_to(np.float32(1), (2**20, 2))),
    ],
)
def test_found_by_the_fuzzer(use):
    with pytest.raises(ALLOWED):
        use()


def test_schedules_end():
    assert schedules.ExponentialDecay(1.0, 1, 2.0)(10**6) == float("inf")
    assert schedules.CosineDecayRestarts(1.0, 1, t_mul=1.0)(10**15) == 1.0
    again = layers.InputSpec.from_config(layers.InputSpec(ndim=2, axes={-1: 3}).get_config())
    assert again.ndim == 2 and again.axes == {-1: 3}


def test_fuzzing_reaches_everything():
    for module in fuzz_arguments.MODULES:
        there = importlib.import_module(f"cconv.{module}")
        assert any(name.startswith(f"cconv.{module}.") for name in fuzz_arguments.TARGETS), there


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_fuzz(first, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    found = [fuzz_arguments.run(number) for number in range(first, first + 100)]
    assert [x for x in found if x] == []
