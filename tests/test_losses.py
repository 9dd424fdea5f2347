"""Losses as users meet them: values against float64, gradients in a graph, reductions, weights, names, errors."""

import numpy as np
import pytest
import reference.loss as formulas

import cconv
from cconv import _core, losses
from cconv.graph import build_graph
from cconv.losses.loss import reduce_weighted_values
from cconv.scope import tracing
from cconv.tensor import Tensor

RNG = np.random.default_rng(7)
N, C = 6, 5
NORMAL = RNG.standard_normal((N, C))
OTHER = RNG.standard_normal((N, C))
POSITIVE = RNG.uniform(0.2, 2, (N, C))
UNIT = RNG.uniform(0.05, 0.95, (N, C))
BINARY = RNG.integers(0, 2, (N, C)).astype(float)
SIGNS = 2 * BINARY - 1
LABELS = RNG.integers(0, C, N)
ONE_HOT = np.eye(C)[LABELS]
PROBABILITIES = UNIT / UNIT.sum(-1, keepdims=True)


def bce(t, p):
    return -t * np.log(p) - (1 - t) * np.log(1 - p)


def cosine(t, p):
    return -np.sum(t * p, -1) / np.linalg.norm(t, axis=-1) / np.linalg.norm(p, axis=-1)


def overlap(t, p, missed=0.5, false=0.5):
    both = np.sum(t * p)
    return 1 - both / (both + missed * np.sum(t * (1 - p)) + false * np.sum(p * (1 - t)) + 1e-7)


# class, arguments, targets, predictions, the numbers of the samples in float64
LOSSES = {
    "MeanSquaredError": ({}, NORMAL, OTHER, formulas.mean_squared_error),
    "MeanAbsoluteError": ({}, NORMAL, OTHER, formulas.mean_absolute_error),
    "L1Loss": ({}, NORMAL, OTHER, formulas.l1_loss),
    "L2Loss": ({}, NORMAL, OTHER, formulas.l2_loss),
    "MeanAbsolutePercentageError": ({}, POSITIVE, OTHER, formulas.mean_absolute_percentage_error),
    "MeanSquaredLogarithmicError": ({}, POSITIVE, UNIT, formulas.mean_squared_logarithmic_error),
    "CosineSimilarity": ({}, NORMAL, OTHER, cosine),
    "Huber": (
        {"delta": 0.7},
        NORMAL,
        OTHER,
        lambda t, p: np.mean(np.where(abs(t - p) < 0.7, (t - p) ** 2 / 2, 0.7 * abs(t - p) - 0.245), -1),
    ),
    "LogCosh": ({}, NORMAL, OTHER, lambda t, p: np.mean(np.log(np.cosh(p - t)), -1)),
    "Hinge": ({}, BINARY, NORMAL, formulas.hinge),
    "SquaredHinge": ({}, SIGNS, OTHER, lambda t, p: np.mean(np.maximum(1 - t * p, 0) ** 2, -1)),
    "CategoricalHinge": (
        {},
        ONE_HOT,
        OTHER,
        lambda t, p: np.maximum(np.max((1 - t) * p, -1) - np.sum(t * p, -1) + 1, 0),
    ),
    "KLDivergence": ({}, UNIT, PROBABILITIES, formulas.kl_divergence),
    "Poisson": ({}, POSITIVE, UNIT, lambda t, p: np.mean(p - t * np.log(p + 1e-7), -1)),
    "BinaryCrossentropy": ({"label_smoothing": 0.1}, BINARY, UNIT, lambda t, p: np.mean(bce(t * 0.9 + 0.05, p), -1)),
    "BinaryFocalCrossentropy": (
        {"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5, "label_smoothing": 0.1},
        BINARY,
        UNIT,
        lambda t, p: focal(t * 0.9 + 0.05, p),
    ),
    "CategoricalCrossentropy": (
        {"from_logits": True, "label_smoothing": 0.1},
        ONE_HOT,
        NORMAL,
        lambda t, p: formulas.categorical_crossentropy(t, p, from_logits=True, label_smoothing=0.1),
    ),
    "CategoricalFocalCrossentropy": (
        {"alpha": 0.3, "gamma": 1.5},
        ONE_HOT,
        PROBABILITIES,
        lambda t, p: categorical_focal(t, p / p.sum(-1, keepdims=True)),
    ),
    "SparseCategoricalCrossentropy": (
        {},
        LABELS,
        UNIT,
        lambda t, p: -np.log(p[np.arange(N), t.astype(int)] / p.sum(-1)),
    ),
    "Dice": ({}, BINARY, UNIT, lambda t, p: 1 - 2 * np.sum(t * p) / (np.sum(t) + np.sum(p) + 1e-7)),
    "Tversky": ({"alpha": 0.3, "beta": 0.6}, BINARY, UNIT, lambda t, p: overlap(t, p, 0.3, 0.6)),
}
EVERY_LOSS = pytest.mark.parametrize("name", LOSSES)


def focal(t, p, alpha=0.3, gamma=1.5):
    hit = t * p + (1 - t) * (1 - p)
    return np.mean((t * alpha + (1 - t) * (1 - alpha)) * (1 - hit) ** gamma * bce(t, p), -1)


def categorical_focal(t, p, alpha=0.3, gamma=1.5):
    return np.sum(-alpha * (1 - p) ** gamma * t * np.log(p), -1)


def test_every_class_is_tested():
    classes = {name for name in losses.__all__ if isinstance(getattr(losses, name), type)}
    elsewhere = {"Circle", "CategoricalGeneralizedCrossEntropy"}  # test_newer_losses.py
    assert classes - elsewhere - {"Loss", "LossFunctionWrapper"} == set(LOSSES)


def make(name, /, **more):
    return getattr(losses, name)(**LOSSES[name][0], **more)


def run(function, arrays, wrt=None, max_batch=None):
    """`function` of symbolic inputs, computed by a plan. With `wrt` also the gradient of input number `wrt`."""
    inputs = [Tensor((None, *array.shape[1:])) for array in arrays]
    output = function(*inputs)
    graph, ids = build_graph([output], inputs)
    node = ids[id(output)]
    n = len(arrays[0])
    differentiate = {} if wrt is None else {"root": node, "wrt": [ids[id(inputs[wrt])]]}
    plan = _core.Plan(graph, [node], max_batch=max_batch or n, **differentiate)
    value = plan.run([np.ascontiguousarray(array) for array in arrays], n=n)[0]
    return value if wrt is None else (value, plan.gradient(ids[id(inputs[wrt])])[:n])


@EVERY_LOSS
def test_value(name):
    _, t, p, formula = LOSSES[name]
    expected = formula(t.astype(np.float64), p)
    np.testing.assert_allclose(make(name, reduction="none")(t, p), expected, rtol=3e-5, atol=1e-6)
    np.testing.assert_allclose(make(name)(t, p), np.mean(expected), rtol=3e-5, atol=1e-6)
    np.testing.assert_allclose(make(name, reduction="sum")(t, p), np.sum(expected), rtol=3e-5, atol=1e-6)


@EVERY_LOSS
def test_in_a_graph(name):
    """Traced: the value, and the gradient against differences in float64. A batch smaller than the plan's."""
    _, t, p, formula = LOSSES[name]
    t64, p32 = t.astype(np.float64), p.astype(np.float32)
    value, gradient = run(make(name), [t.astype(np.float32), p32], wrt=1, max_batch=N + 3)
    np.testing.assert_allclose(value, np.mean(formula(t64, p)), rtol=3e-5, atol=1e-6)
    direction = np.random.default_rng(3).standard_normal(p.shape)
    ends = [np.mean(formula(t64, p32 + sign * 1e-6 * direction)) for sign in (1.0, -1.0)]
    slope = (ends[0] - ends[1]) / 2e-6
    assert np.sum(gradient * direction) == pytest.approx(slope, rel=2e-4, abs=2e-5)


@EVERY_LOSS
def test_configuration_round_trip(name):
    loss = make(name, reduction="sum", name="mine")
    again = losses.deserialize(losses.serialize(loss))
    assert type(again) is type(loss) and again.get_config() == loss.get_config()
    assert again.name == "mine" and again.reduction == "sum"
    for key, value in LOSSES[name][0].items():
        assert getattr(again, key) == value
    assert losses.serialize(loss)["module"] == "keras.losses"


# ---- Reductions and weights ------------------------------------------------------------------------------------------


def test_sample_weights():
    t, p, w = NORMAL, OTHER, RNG.uniform(0, 2, N)
    each = formulas.mean_squared_error(t, p)
    expected = {
        "none": each * w,
        "sum": np.sum(each * w),
        "mean": np.mean(each * w),
        "sum_over_batch_size": np.mean(each * w),
        "mean_with_sample_weight": np.sum(each * w) / np.sum(w),
    }
    for reduction, value in expected.items():
        loss = losses.MeanSquaredError(reduction=reduction)
        np.testing.assert_allclose(loss(t, p, w), value, rtol=1e-5)
        np.testing.assert_allclose(loss(t, p, w[:, None]).ravel(), np.ravel(value), rtol=1e-5)
        traced = run(loss, [x.astype(np.float32) for x in (t, p, w)])
        np.testing.assert_allclose(traced, value, rtol=1e-5)


def test_a_weight_per_sample_counts_for_all_its_pixels():
    t, p, w = RNG.random((3, 3, 3, 2)), RNG.random((3, 3, 3, 2)), np.array([0.0, 1.0, 5.0])
    expected = np.mean(np.mean((t - p) ** 2, -1) * w[:, None, None])
    np.testing.assert_allclose(losses.MeanSquaredError()(t, p, w), expected, rtol=1e-5)
    pixels = RNG.random((3, 3, 3))
    expected = np.mean(np.mean((t - p) ** 2, -1) * pixels)
    np.testing.assert_allclose(losses.MeanSquaredError()(t, p, pixels), expected, rtol=1e-5)


def test_weights_that_are_all_zero():
    loss = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    assert loss(NORMAL, OTHER, np.zeros(N)) == 0
    assert losses.MeanSquaredError()(NORMAL, OTHER, np.zeros(N)) == 0


def test_weights_of_another_length():
    with pytest.raises(ValueError, match=r"\(6,\).*\(4,\)"):
        losses.MeanSquaredError()(NORMAL, OTHER, np.ones(4))


def test_unknown_reduction():
    with pytest.raises(ValueError, match="Expected one of.*average"):
        losses.MeanSquaredError(reduction="average")
    with pytest.raises(ValueError, match="Expected one of"):
        reduce_weighted_values(NORMAL, None, "average")


def test_a_last_axis_of_size_1_is_added_or_removed():
    t, p = NORMAL[:, 0], OTHER[:, :1]
    expected = np.mean((t - p[:, 0]) ** 2)
    for targets, predictions in ((t, p), (t[:, None], p), (t[:, None], p[:, 0]), (t, p[:, 0])):
        np.testing.assert_allclose(losses.MeanSquaredError()(targets, predictions), expected, rtol=1e-5)


# ---- Cross-entropy ---------------------------------------------------------------------------------------------------


def ops_that_run(loss, inputs):
    graph, ids = build_graph([loss], inputs)
    table = _core.Plan(graph, [ids[id(loss)]]).describe()
    return {line.split()[0] for line in table.splitlines()[1:]}


@pytest.mark.parametrize("axis", [-1, 1])
def test_softmax_is_followed_back_to_its_logits(axis):
    x, t = Tensor((None, 4, 3)), Tensor((None, 4, 3))
    loss = losses.CategoricalCrossentropy(axis=axis, reduction=None)(t, cconv.ops.softmax(x, axis=axis))
    assert "softmax" not in ops_that_run(loss, [t, x])
    other = losses.CategoricalCrossentropy(axis=axis, reduction=None)(
        t, cconv.ops.softmax(x, axis=2 if axis == 1 else 1)
    )
    assert "softmax" in ops_that_run(other, [t, x])


@pytest.mark.parametrize("axis", [-1, 1])
def test_sparse_softmax_is_followed_back_to_its_logits(axis):
    t, x = Tensor((None, 3)), Tensor((None, 3, 3))
    loss = losses.sparse_categorical_crossentropy(t, cconv.ops.softmax(x, axis=axis), axis=axis)
    assert "softmax" not in ops_that_run(loss, [t, x])


@pytest.mark.parametrize("axis", [-1, 1])
def test_sigmoid_of_a_layer_is_followed_back_to_its_logits(axis):
    layer = cconv.layers.Dense(2, activation="sigmoid")
    x, t = Tensor((None, 3, 3)), Tensor((None, 3, 2))
    with tracing():
        y = layer(x)
    loss = losses.BinaryCrossentropy(reduction=None, axis=axis)(t, y)
    assert "sigmoid" not in ops_that_run(loss, [t, x])
    activations = [n for n in y.inputs if n is not None and n.op == "dense"]
    assert activations[0].attributes.get("activation") is None


def test_saturated_probabilities_keep_a_gradient():
    """Where softmax gives exactly 0 to the true class, a loss of its output is flat; one of its input is not."""
    logits, labels = np.array([[0, 200.0], [200.0, 0]], np.float32), np.array([0.0, 0.0], np.float32)
    loss = losses.SparseCategoricalCrossentropy(reduction="none")
    value, gradient = run(lambda t, x: loss(t, cconv.ops.softmax(x)), [labels, logits], wrt=1)
    np.testing.assert_allclose(value, [200, 0], atol=1e-6)
    np.testing.assert_allclose(gradient, [[-1, 1], [0, 0]], atol=1e-6)


@pytest.mark.parametrize("label", [-1, 4, 2**31 - 1, -(2**31)])
def test_a_label_that_is_no_class_is_an_error(label):
    labels = np.array([0, 3, label, 1, -7], np.int32)
    with pytest.raises(ValueError, match=rf"labels of 0 to 3.*received {label} in sample 2"):
        cconv.ops.sparse_categorical_crossentropy(labels, np.full((5, 4), 0.25, np.float32))


@pytest.mark.parametrize("label", [np.nan, np.inf, -np.inf, 1e30])
def test_a_float_label_that_is_no_number_is_an_error(label):
    labels = np.array([0, 3, label, -0.0], np.float32)
    with pytest.raises(ValueError, match="labels of 0 to 3.*sample 2"):
        cconv.ops.sparse_categorical_crossentropy(labels, np.full((4, 4), 0.25, np.float32))


def test_ignored_class():
    labels, p = np.array([0, 255, 2, 255]), UNIT[:4]
    loss = losses.SparseCategoricalCrossentropy(ignore_class=255)
    each = -np.log(p[[0, 2], [0, 2]] / p[[0, 2]].sum(-1))
    np.testing.assert_allclose(loss(labels, p), np.mean(each), rtol=1e-5)
    np.testing.assert_allclose(loss(labels[:, None], p), np.mean(each), rtol=1e-5)
    np.testing.assert_allclose(
        losses.sparse_categorical_crossentropy(labels, p, ignore_class=255), [each[0], 0, each[1], 0], rtol=1e-5
    )
    value, gradient = run(loss, [labels.astype(np.float32), p.astype(np.float32)], wrt=1)
    assert value == pytest.approx(np.mean(each), rel=1e-5) and not gradient[[1, 3]].any() and gradient[[0, 2]].all()
    assert losses.SparseCategoricalCrossentropy(ignore_class=255, reduction="sum")(labels, p) == pytest.approx(
        np.sum(each), rel=1e-5
    )


def test_other_axes():
    logits = RNG.standard_normal((2, 3, 4))
    labels = RNG.integers(0, 3, (2, 4))
    moved = np.moveaxis(logits, 1, -1)
    expected = formulas.sparse_categorical_crossentropy(labels.astype(float), moved, from_logits=True)
    for t in (labels, labels[:, None, :]):
        value = losses.sparse_categorical_crossentropy(t, logits, from_logits=True, axis=1)
        np.testing.assert_allclose(value, expected, rtol=1e-5)
    p, t = UNIT.reshape(2, 3, 5), BINARY.reshape(2, 3, 5)
    np.testing.assert_allclose(losses.binary_crossentropy(t, p, axis=1), np.mean(bce(t, p), 1), rtol=1e-5)


def test_hinge_converts_labels_of_the_whole_batch_or_not_at_all():
    p = np.array([[0.5], [0.5]])
    np.testing.assert_allclose(losses.hinge([[0.0], [1.0]], p), [1.5, 0.5])
    np.testing.assert_allclose(losses.hinge([[0.0], [-1.0]], p), [1.0, 1.5])
    np.testing.assert_allclose(losses.squared_hinge([[0.0], [1.0]], p), [2.25, 0.25])
    np.testing.assert_allclose(losses.squared_hinge([[0.0], [-1.0]], p), [1.0, 2.25])


@EVERY_LOSS
def test_nan_in_nan_out(name):
    _, t, p, _ = LOSSES[name]
    p = np.array(p)
    p[2, 1] = np.nan
    assert np.isnan(make(name)(t, p)), "a NaN must be visible in the loss"


# ---- Own losses, names, errors ---------------------------------------------------------------------------------------


def test_own_loss_class_and_function():
    class Cubic(losses.Loss):
        def call(self, y_true, y_pred):
            return cconv.ops.mean(cconv.ops.abs(y_pred - y_true) ** 3, axis=-1)

    def cubic(y_true, y_pred):
        return cconv.ops.mean(cconv.ops.abs(y_pred - y_true) ** 3, axis=-1)

    expected = np.mean(np.abs(OTHER - NORMAL) ** 3)
    for loss in (Cubic(), losses.LossFunctionWrapper(cubic)):
        value, gradient = run(loss, [NORMAL.astype(np.float32), OTHER.astype(np.float32)], wrt=1)
        np.testing.assert_allclose(value, expected, rtol=1e-5)
        d = OTHER - NORMAL
        np.testing.assert_allclose(gradient, 3 * d * np.abs(d) / d.size, rtol=1e-4, atol=1e-6)
    assert Cubic().name == "cubic" or Cubic().name.startswith("cubic_")


@pytest.mark.parametrize(
    "name, function",
    [("mse", "mean_squared_error"), ("MAE", "mean_absolute_error"), ("mape", "mean_absolute_percentage_error"),
     ("msle", "mean_squared_logarithmic_error"), ("bce", "binary_crossentropy"), ("kld", "kl_divergence"),
     ("sparse_categorical_crossentropy", "sparse_categorical_crossentropy")],
)  # fmt: skip
def test_names(name, function):
    assert losses.get(name) is getattr(losses, function)


def test_get():
    assert isinstance(losses.get("Huber"), losses.Huber) and isinstance(losses.get(losses.Huber), losses.Huber)
    assert losses.get(None) is None
    with pytest.raises(ValueError, match="mean_cube.*Expected one of"):
        losses.get("mean_cube")
    with pytest.raises(ValueError, match="3"):
        losses.get(3)


@pytest.mark.parametrize(
    "function, t, p, message",
    [
        (losses.mean_squared_error, (4, 3), (4, 2), r"y_pred's shape \(4, 2\), received \(4, 3\)"),
        (losses.mean_squared_error, (4,), (4, 2), r"\(4, 2\), received \(4,?\)"),
        (losses.categorical_crossentropy, (4,), (4, 3), "sparse_categorical_crossentropy"),
        (losses.sparse_categorical_crossentropy, (4, 3), (4, 3), "categorical_crossentropy"),
        (losses.sparse_categorical_crossentropy, (5,), (4, 3), r"\(4, 3\).*\(5,?\)"),
        (losses.binary_crossentropy, (4, 2), (4, 1), r"\(4, 1\), received \(4, 2\)"),
    ],
)
def test_shapes_that_do_not_fit(function, t, p, message):
    with pytest.raises(ValueError, match=message):
        function(np.zeros(t), np.full(p, 0.5))
    with pytest.raises(ValueError, match=message.replace("4,", "(4|None),").replace("5,", "(5|None),")):
        function(Tensor(t), Tensor(p))


def test_bad_arguments():
    with pytest.raises(ValueError, match="label_smoothing=1.5"):
        losses.BinaryCrossentropy(label_smoothing=1.5)(BINARY, UNIT)
    with pytest.raises(ValueError, match="label_smoothing=nan"):
        losses.CategoricalCrossentropy(label_smoothing=float("nan"))(ONE_HOT, UNIT)
    with pytest.raises(ValueError, match="axis=7"):
        losses.CategoricalCrossentropy(axis=7)(ONE_HOT, UNIT)
    with pytest.raises(ValueError, match="axis=True"):
        losses.CategoricalCrossentropy(axis=True)(ONE_HOT, UNIT)


# ---- Penalties -------------------------------------------------------------------------------------------------------


def test_regularizers():
    w = RNG.standard_normal((3, 4)).astype(np.float32)
    w64 = w.astype(np.float64)
    cases = {
        cconv.regularizers.L1(0.1): 0.1 * np.abs(w64).sum(),
        cconv.regularizers.L2(0.2): 0.2 * (w64**2).sum(),
        cconv.regularizers.L1L2(0.1, 0.2): 0.1 * np.abs(w64).sum() + 0.2 * (w64**2).sum(),
    }
    for regularizer, expected in cases.items():
        np.testing.assert_allclose(regularizer(w), expected, rtol=1e-6)
        again = cconv.regularizers.deserialize(cconv.regularizers.serialize(regularizer))
        assert type(again) is type(regularizer) and again.get_config() == regularizer.get_config()
    assert cconv.regularizers.get("l1_l2").get_config() == {"l1": 0.0, "l2": 0.0}
    for bad in (-1, float("nan"), float("inf"), "a lot"):
        with pytest.raises(ValueError, match="l2"):
            cconv.regularizers.L2(bad)
    with pytest.raises(ValueError, match="l3"):
        cconv.regularizers.get("l3")


def test_constraints():
    w = RNG.standard_normal((4, 3)) * 3
    norms = np.linalg.norm(w, axis=0)
    np.testing.assert_allclose(cconv.constraints.MaxNorm(2.0)(w), w * np.minimum(norms, 2) / norms, rtol=1e-5)
    np.testing.assert_allclose(cconv.constraints.UnitNorm()(w), w / norms, rtol=1e-5)
    np.testing.assert_allclose(cconv.constraints.NonNeg()(w), np.maximum(w, 0), rtol=1e-6)
    wanted = 0.5 * np.clip(norms, 1, 3) + 0.5 * norms
    np.testing.assert_allclose(cconv.constraints.MinMaxNorm(1.0, 3.0, 0.5)(w), w * wanted / norms, rtol=1e-5)
    again = cconv.constraints.deserialize(cconv.constraints.serialize(cconv.constraints.MaxNorm(3.0, axis=[0, 1])))
    assert again.get_config() == {"max_value": 3.0, "axis": [0, 1]}
