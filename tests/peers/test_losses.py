"""Losses beside Keras: values, reductions, weights and configurations; gradients beside PyTorch's."""

import keras
import numpy as np
import pytest
import torch

import cconv
from cconv import _core
from cconv.graph import build_graph
from cconv.tensor import Tensor

RNG = np.random.default_rng(5)
N, C = 7, 4
NORMAL, OTHER = (RNG.standard_normal((N, C)).astype(np.float32) for _ in range(2))
POSITIVE = RNG.uniform(0.2, 2, (N, C)).astype(np.float32)
UNIT = RNG.uniform(0.05, 0.95, (N, C)).astype(np.float32)
EDGE = RNG.choice(np.float32([0, 1, 0.5, 1e-8]), (N, C))
BINARY = RNG.integers(0, 2, (N, C)).astype(np.float32)
LABELS = RNG.integers(0, C, N).astype(np.float32)
ONE_HOT = np.eye(C, dtype=np.float32)[LABELS.astype(int)]
WEIGHTS = RNG.uniform(0, 2, N).astype(np.float32)

CASES = [
    ("MeanSquaredError", {}, NORMAL, OTHER),
    ("MeanAbsoluteError", {}, NORMAL, OTHER),
    ("MeanAbsolutePercentageError", {}, NORMAL, OTHER),
    ("MeanSquaredLogarithmicError", {}, NORMAL, OTHER),
    ("CosineSimilarity", {}, NORMAL, OTHER),
    ("CosineSimilarity", {"axis": 0}, NORMAL, OTHER),
    ("Huber", {}, NORMAL, OTHER),
    ("Huber", {"delta": 0.3}, NORMAL, OTHER),
    ("LogCosh", {}, NORMAL, OTHER),
    ("Hinge", {}, BINARY, NORMAL),
    ("Hinge", {}, 2 * BINARY - 1, NORMAL),
    ("SquaredHinge", {}, BINARY, NORMAL),
    ("CategoricalHinge", {}, ONE_HOT, NORMAL),
    ("KLDivergence", {}, UNIT, POSITIVE),
    ("KLDivergence", {}, ONE_HOT, UNIT),
    ("Poisson", {}, POSITIVE, UNIT),
    ("BinaryCrossentropy", {}, BINARY, UNIT),
    ("BinaryCrossentropy", {}, BINARY, EDGE),
    ("BinaryCrossentropy", {"from_logits": True}, BINARY, NORMAL * 10),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, BINARY, UNIT),
    ("BinaryCrossentropy", {"axis": 0}, BINARY, UNIT),
    ("BinaryFocalCrossentropy", {}, BINARY, UNIT),
    ("BinaryFocalCrossentropy", {"from_logits": True, "apply_class_balancing": True, "gamma": 1.5}, BINARY, NORMAL),
    ("CategoricalCrossentropy", {}, ONE_HOT, UNIT),
    ("CategoricalCrossentropy", {}, ONE_HOT, POSITIVE),
    ("CategoricalCrossentropy", {"from_logits": True}, ONE_HOT, NORMAL * 10),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, ONE_HOT, NORMAL),
    ("CategoricalCrossentropy", {"axis": 0}, BINARY, UNIT),
    ("CategoricalFocalCrossentropy", {}, ONE_HOT, UNIT),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "alpha": 0.5}, ONE_HOT, NORMAL),
    ("SparseCategoricalCrossentropy", {}, LABELS, UNIT),
    ("SparseCategoricalCrossentropy", {}, LABELS[:, None], UNIT),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS, NORMAL * 10),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, LABELS, UNIT),
    ("Dice", {}, BINARY, UNIT),
    ("Dice", {"axis": 1}, BINARY, UNIT),
    ("Tversky", {"alpha": 0.3, "beta": 0.6}, BINARY, UNIT),
]


def cases(chosen):
    names = [f"{i} {name}" for i, (name, *_) in enumerate(chosen)]
    return pytest.mark.parametrize("name, settings, t, p", chosen, ids=names)


EVERY_CASE = cases(CASES)


def numpy(x):
    return keras.ops.convert_to_numpy(x)


@EVERY_CASE
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", None])
def test_value(name, settings, t, p, reduction):
    theirs = getattr(keras.losses, name)(**settings, reduction=reduction)(t, p)
    ours = getattr(cconv.losses, name)(**settings, reduction=reduction)(t, p)
    np.testing.assert_allclose(ours, numpy(theirs), rtol=2e-5, atol=2e-6)


@cases([case for case in CASES if case[0] not in ("Dice", "Tversky") and case[1].get("axis") != 0])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight", "none"])
def test_weighted(name, settings, t, p, reduction):
    """Where a loss has a number for each sample."""
    theirs = getattr(keras.losses, name)(**settings, reduction=reduction)(t, p, sample_weight=WEIGHTS)
    ours = getattr(cconv.losses, name)(**settings, reduction=reduction)(t, p, sample_weight=WEIGHTS)
    np.testing.assert_allclose(ours, numpy(theirs), rtol=2e-5, atol=2e-6)


@cases([case for case in CASES if case[3] is not EDGE])
def test_gradient(name, settings, t, p):
    """PyTorch differentiates Keras' formula. Where a clipped probability leaves its range there is no one slope."""
    x = torch.tensor(p, requires_grad=True)
    getattr(keras.losses, name)(**settings)(torch.tensor(t), x).backward()
    inputs = [Tensor(t.shape), Tensor(p.shape)]
    output = getattr(cconv.losses, name)(**settings)(*inputs)
    graph, ids = build_graph([output], inputs)
    plan = _core.Plan(graph, [], root=ids[id(output)], wrt=[ids[id(inputs[1])]])
    plan.run([t, p])
    np.testing.assert_allclose(plan.gradient(ids[id(inputs[1])]), x.grad.numpy(), rtol=1e-4, atol=2e-6)


@EVERY_CASE
def test_configuration(name, settings, t, p):
    """Each side reads what the other writes."""
    theirs = keras.losses.serialize(getattr(keras.losses, name)(**settings))
    ours = cconv.losses.serialize(getattr(cconv.losses, name)(**settings))
    # Keras forgets these: a loss with delta=0.3 is loaded with 1.0
    forgotten = {key: ours["config"].pop(key) for key in set(ours["config"]) - set(theirs["config"])}
    assert ours == theirs
    assert cconv.losses.deserialize(theirs).get_config().items() >= theirs["config"].items()
    assert keras.losses.deserialize(ours).get_config() == ours["config"]
    assert set(forgotten) == {"Huber": {"delta"}, "CosineSimilarity": {"axis"}}.get(name, set())


@pytest.mark.parametrize("name", ["mse", "MAE", "mape", "msle", "bce", "KLD", "hinge", "huber", "log_cosh", "poisson"])
def test_names(name):
    t, p = (BINARY, UNIT) if name in ("bce", "hinge") else (POSITIVE, UNIT)
    np.testing.assert_allclose(cconv.losses.get(name)(t, p), numpy(keras.losses.get(name)(t, p)), rtol=2e-5)


def test_regularizers_and_constraints():
    for name, settings in (("L1", {"l1": 0.1}), ("L2", {"l2": 0.2}), ("L1L2", {"l1": 0.1, "l2": 0.3})):
        theirs, ours = getattr(keras.regularizers, name)(**settings), getattr(cconv.regularizers, name)(**settings)
        np.testing.assert_allclose(ours(NORMAL), numpy(theirs(torch.tensor(NORMAL))), rtol=1e-5)
        ours, theirs = cconv.regularizers.serialize(ours), keras.regularizers.serialize(theirs)
        assert ours.pop("config") == pytest.approx(theirs.pop("config"))  # Keras rounds one of them to float32
        assert ours == theirs
    for name, settings in (
        ("MaxNorm", {"max_value": 1.0, "axis": 0}),
        ("NonNeg", {}),
        ("UnitNorm", {"axis": 1}),
        ("MinMaxNorm", {"min_value": 0.5, "max_value": 1.5, "rate": 0.5, "axis": 0}),
    ):
        theirs, ours = getattr(keras.constraints, name)(**settings), getattr(cconv.constraints, name)(**settings)
        np.testing.assert_allclose(ours(NORMAL), numpy(theirs(torch.tensor(NORMAL))), rtol=1e-5, atol=1e-6)
        assert cconv.constraints.serialize(ours) == keras.constraints.serialize(theirs)
