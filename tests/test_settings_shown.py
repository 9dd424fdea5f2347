"""Losses, metrics, optimizers and what they are made of tell their settings, and which arguments they have."""

import copy
import pickle

import pytest

import cconv
from cconv import constraints, initializers, losses, metrics, optimizers, regularizers
from cconv.optimizers import schedules

MODULES = (losses, metrics, optimizers, schedules, regularizers, constraints, initializers)
ARGUMENTS = {
    "LossFunctionWrapper": {"fn": losses.huber, "delta": 2.0},
    "MeanMetricWrapper": {"fn": losses.huber, "delta": 2.0},
    "ExponentialDecay": {"initial_learning_rate": 0.25, "decay_steps": 3, "decay_rate": 0.5},
    "InverseTimeDecay": {"initial_learning_rate": 0.25, "decay_steps": 3, "decay_rate": 0.5},
    "PolynomialDecay": {"initial_learning_rate": 0.25, "decay_steps": 3},
    "CosineDecay": {"initial_learning_rate": 0.25, "decay_steps": 3},
    "CosineDecayRestarts": {"initial_learning_rate": 0.25, "first_decay_steps": 3},
    "IoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "MeanIoU": {"num_classes": 3},
    "OneHotMeanIoU": {"num_classes": 3},
    "PrecisionAtRecall": {"recall": 0.25},
    "RecallAtPrecision": {"precision": 0.25},
    "SensitivityAtSpecificity": {"specificity": 0.25},
    "SpecificityAtSensitivity": {"sensitivity": 0.25},
    "OptimizerMap": {"default_optimizer": optimizers.SGD(0.25), "optimizer_map": {"head": optimizers.Adam(0.5)}},
    "MultiOptimizer": {"optimizer_map": optimizers.OptimizerMap(optimizers.SGD(0.25))},
    "PiecewiseConstantDecay": {"boundaries": [3], "values": [0.25, 0.5]},
}


def classes():
    found = {}
    for module in MODULES:
        for name in module.__all__:
            item = getattr(module, name)
            if isinstance(item, type) and name not in ("Optimizer",):
                found[item] = f"{module.__name__}.{item.__name__}"
    return sorted(found, key=found.get)


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_every_class_is_shown_by_its_settings(cls):
    given = ARGUMENTS.get(cls.__name__, {})
    item = cls(**given)
    text = repr(item)
    assert text.startswith(f"{cls.__name__}(") and text.endswith(")") and " at 0x" not in text
    for name, value in given.items():
        assert f"{name}={getattr(value, '__name__', value)}" in text
    for duplicate in (copy.copy(item), copy.deepcopy(item), pickle.loads(pickle.dumps(item))):
        assert repr(duplicate) == text


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_an_argument_that_a_class_does_not_have(cls):
    if cls in (losses.LossFunctionWrapper, metrics.MeanMetricWrapper):
        return  # they hand on what they are given
    with pytest.raises(TypeError, match=f"^{cls.__name__}: unexpected argument 'zzz'"):
        cls(**ARGUMENTS.get(cls.__name__, {}), zzz=1)


def test_classes_without_settings():
    for use in (lambda: constraints.NonNeg(3), lambda: initializers.Zeros(1), lambda: regularizers.Regularizer(0.1)):
        with pytest.raises(TypeError, match="has no settings"):
            use()


def test_what_is_shown():
    shown = {
        "Huber(delta=2.0, reduction='sum', name='huber_loss')": losses.Huber(2.0, reduction="sum"),
        "LossFunctionWrapper(fn=<lambda>, reduction='mean', name='<lambda>')": losses.LossFunctionWrapper(
            lambda y, p: 0, reduction="mean"
        ),
        "Precision(thresholds=[0.3], class_id=1, name='p')": metrics.Precision(0.3, class_id=1, name="p"),
        "MeanMetricWrapper(fn=huber, delta=2.0, name='huber')": metrics.MeanMetricWrapper(losses.huber, delta=2.0),
        "L1L2(l1=0.1, l2=0.2)": regularizers.L1L2(0.1, 0.2),
        "MaxNorm(max_value=3, axis=[0, 1])": constraints.MaxNorm(3, axis=[0, 1]),
        "NonNeg()": constraints.NonNeg(),
        "RandomNormal(mean=0.0, stddev=0.05)": initializers.RandomNormal(),
    }
    for text, item in shown.items():
        assert repr(item) == text
    optimizer = optimizers.SGD(0.1, momentum=0.9, weight_decay=0.1, name="sgd")
    optimizer.learning_rate = 0.5
    assert repr(optimizer) == "SGD(learning_rate=0.5, weight_decay=0.1, momentum=0.9, nesterov=False, name='sgd')"
    scheduled = optimizers.SGD(schedules.CosineDecay(0.25, 3))
    assert "learning_rate=CosineDecay(initial_learning_rate=0.25, decay_steps=3," in repr(scheduled)


def test_classes_of_the_users():
    class Cubic(losses.Loss):
        def __init__(self, factor=2.0, name="cubic"):
            super().__init__(name=name)
            self.factor = factor

        def call(self, y_true, y_pred):
            return self.factor * cconv.ops.mean(cconv.ops.abs(y_pred - y_true) ** 3, axis=-1)

    assert repr(Cubic()) == "Cubic(factor=2.0, name='cubic')"
    with pytest.raises(TypeError, match="Cubic: unexpected argument 'facter'. Did you mean 'factor'?"):
        Cubic(facter=1.0)


@pytest.mark.parametrize(
    ("make", "nearest"),
    [
        (lambda: optimizers.SGD(learningrate=0.1), "learning_rate"),
        (lambda: optimizers.Adam(beta1=0.9), "beta_1"),
        (lambda: losses.Huber(dleta=1.0), "delta"),
        (lambda: losses.BinaryCrossentropy(from_logit=True), "from_logits"),
        (lambda: metrics.Precision(treshold=0.5), "thresholds"),
        (lambda: schedules.ExponentialDecay(0.1, 10, 0.5, stair_case=True), "staircase"),
        (lambda: constraints.MaxNorm(maxvalue=3), "max_value"),
        (lambda: initializers.RandomNormal(stdev=1.0), "stddev"),
    ],
)
def test_a_misspelt_argument(make, nearest):
    with pytest.raises(TypeError, match=f"Did you mean '{nearest}'"):
        make()
