"""Optimizers beside Keras and PyTorch, over many steps: weights, state, configurations, learning rates."""

import keras
import numpy as np
import pytest
import torch

import cconv

SHAPES = [(5, 7), (7,), (3, 3, 2, 4)]
STEPS = 40


def start():
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(np.float32) for shape in SHAPES]


def gradients(step):
    rng = np.random.default_rng(1000 + step)
    return [(rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 2)).astype(np.float32) for shape in SHAPES]


CASES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("RMSprop", {}),
    ("RMSprop", {"rho": 0.8, "momentum": 0.5, "centered": True, "epsilon": 1e-2}),
    ("Adam", {}),
    ("Adam", {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3, "amsgrad": True}),
    ("AdamW", {}),
    ("Adam", {"weight_decay": 0.1}),
    ("Adam", {"clipnorm": 0.5}),
    ("Adam", {"clipvalue": 0.1}),
    ("Adam", {"global_clipnorm": 0.5}),
    ("SGD", {"global_clipnorm": 0.5, "momentum": 0.5, "weight_decay": 0.01}),
]
CASES += [(name, {}) for name in ("Adadelta", "Adafactor", "Adagrad", "Adamax", "Ftrl", "Lamb", "Lion", "Nadam")]
CASES += [
    ("Adafactor", {"relative_step": False, "clip_threshold": 0.5, "beta_2_decay": -0.6, "weight_decay": 0.1}),
    ("Adagrad", {"initial_accumulator_value": 0.5, "clipnorm": 0.5}),
    ("Ftrl", {"beta": 0.1, "l1_regularization_strength": 0.01, "l2_regularization_strength": 0.02}),
    ("Ftrl", {"l2_shrinkage_regularization_strength": 0.03, "learning_rate_power": -0.4}),
    ("Lamb", {"loss_scale_factor": 8.0, "gradient_accumulation_steps": 2, "clipvalue": 0.1}),
    ("Lion", {"weight_decay": 0.1, "beta_1": 0.5, "beta_2": 0.9}),
    ("Nadam", {"gradient_accumulation_steps": 3, "clipnorm": 0.3}),
    ("ScheduleFreeAdamW", {}),
    ("ScheduleFreeAdamW", {"warmup_steps": 5, "beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-3, "weight_decay": 0.1}),
    ("ScheduleFreeAdamW", {"gradient_accumulation_steps": 2, "clipnorm": 0.5, "use_ema": True}),
    ("SGD", {"use_ema": True, "momentum": 0.9}),
    ("Adam", {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3}),
    ("Adam", {"gradient_accumulation_steps": 3, "use_ema": True, "ema_overwrite_frequency": 2, "clipvalue": 0.1}),
    ("RMSprop", {"loss_scale_factor": 8.0, "clipnorm": 0.1}),
]
EVERY_CASE = pytest.mark.parametrize("name, settings", CASES, ids=[f"{name} {settings}" for name, settings in CASES])


def both(name, settings, rate=0.01):
    """The same steps by Keras and by us: (optimizer, variables) of each."""
    theirs = getattr(keras.optimizers, name)(rate(keras) if callable(rate) else rate, **settings)
    ours = getattr(cconv.optimizers, name)(rate(cconv) if callable(rate) else rate, **settings)
    their_variables = [keras.Variable(value) for value in start()]
    our_variables = [cconv.Variable(value) for value in start()]
    for step in range(STEPS):
        grads = gradients(step)
        theirs.apply([torch.tensor(g) for g in grads], their_variables)
        ours.apply(grads, our_variables)
    return (theirs, their_variables), (ours, our_variables)


@EVERY_CASE
def test_weights_and_state_beside_keras(name, settings):
    (theirs, their_variables), (ours, our_variables) = both(name, settings)
    for a, b in zip(our_variables, their_variables):
        np.testing.assert_allclose(a.numpy(), keras.ops.convert_to_numpy(b), rtol=2e-4, atol=2e-5)
    assert [v.shape for v in ours.variables] == [tuple(v.shape) for v in theirs.variables]
    for a, b in zip(ours.variables, theirs.variables):
        np.testing.assert_allclose(a.numpy(), keras.ops.convert_to_numpy(b), rtol=2e-4, atol=2e-5, err_msg=b.path)


@EVERY_CASE
def test_configuration(name, settings):
    theirs = getattr(keras.optimizers, name)(0.125, **settings)
    ours = getattr(cconv.optimizers, name)(0.125, **settings)
    config = theirs.get_config()
    assert {**ours.get_config(), "name": ""} == {**config, "name": ""}
    assert type(cconv.optimizers.deserialize(keras.optimizers.serialize(theirs))) is type(ours)
    if name == "Lamb":  # which Keras' own list of optimizers does not have
        again = keras.optimizers.Lamb.from_config(ours.get_config())
    else:
        again = keras.optimizers.deserialize(cconv.optimizers.serialize(ours))
    assert isinstance(again, getattr(keras.optimizers, name)) and again.get_config() == ours.get_config()


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
def test_defaults(name):
    ours, theirs = getattr(cconv.optimizers, name)().get_config(), getattr(keras.optimizers, name)().get_config()
    assert ours.pop("name").split("_")[0] == theirs.pop("name").split("_")[0]
    assert float(np.float32(ours.pop("learning_rate"))) == theirs.pop("learning_rate")
    assert ours == theirs


SCHEDULES = [
    ("ExponentialDecay", (0.1, 7, 0.5), {}),
    ("ExponentialDecay", (0.1, 7, 0.5), {"staircase": True}),
    ("PiecewiseConstantDecay", ([10, 20], [0.1, 0.05, 0.01]), {}),
    ("PolynomialDecay", (0.1, 20), {"end_learning_rate": 0.01, "power": 2.0}),
    ("PolynomialDecay", (0.1, 20), {"cycle": True}),
    ("InverseTimeDecay", (0.1, 5, 0.5), {}),
    ("InverseTimeDecay", (0.1, 5, 0.5), {"staircase": True}),
    ("CosineDecay", (0.1, 30), {"alpha": 0.1}),
    ("CosineDecay", (0.01, 30), {"warmup_target": 0.1, "warmup_steps": 10}),
    ("CosineDecayRestarts", (0.1, 10), {"alpha": 0.1, "m_mul": 0.8}),
    ("CosineDecayRestarts", (0.1, 10), {"t_mul": 1.0}),
]


@pytest.mark.parametrize("name, arguments, settings", SCHEDULES)
def test_schedules(name, arguments, settings):
    theirs = getattr(keras.optimizers.schedules, name)(*arguments, **settings)
    ours = getattr(cconv.optimizers.schedules, name)(*arguments, **settings)
    for step in range(69):
        # where a decay starts anew, their float32 may come down on the other side
        assert ours(step) == pytest.approx(float(theirs(step)), rel=1e-4, abs=1e-7), step
    assert cconv.optimizers.schedules.serialize(ours) == keras.optimizers.schedules.serialize(theirs)


def test_a_schedule_in_use():
    (_, their_variables), (ours, our_variables) = both(
        "SGD", {"momentum": 0.9}, lambda library: library.optimizers.schedules.ExponentialDecay(0.05, 20, 0.5)
    )
    for a, b in zip(our_variables, their_variables):
        np.testing.assert_allclose(a.numpy(), keras.ops.convert_to_numpy(b), rtol=2e-4, atol=2e-5)
    assert ours.iterations == STEPS


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (lambda: cconv.optimizers.SGD(0.01), lambda w: torch.optim.SGD(w, 0.01)),
        (lambda: cconv.optimizers.SGD(0.01, momentum=0.9), lambda w: torch.optim.SGD(w, 0.01, momentum=0.9)),
        (
            lambda: cconv.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
            lambda w: torch.optim.SGD(w, 0.01, momentum=0.9, nesterov=True),
        ),
        # PyTorch adds epsilon after correcting the bias, Keras before: the same where epsilon does not matter
        (lambda: cconv.optimizers.Adam(0.01, epsilon=1e-12), lambda w: torch.optim.Adam(w, 0.01, eps=1e-12)),
        (
            lambda: cconv.optimizers.AdamW(0.01, epsilon=1e-12, weight_decay=0.1),
            lambda w: torch.optim.AdamW(w, 0.01, eps=1e-12, weight_decay=0.1),
        ),
    ],
    ids=["sgd", "momentum", "nesterov", "adam", "adamw"],
)
def test_weights_beside_pytorch(ours, theirs):
    weights = [torch.nn.Parameter(torch.tensor(value)) for value in start()]
    variables = [cconv.Variable(value) for value in start()]
    optimizer, other = ours(), theirs(weights)
    for step in range(STEPS):
        for weight, g in zip(weights, gradients(step)):
            weight.grad = torch.tensor(g)
        other.step()
        optimizer.apply(gradients(step), variables)
    for a, b in zip(variables, weights):
        np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=2e-4, atol=2e-5)


def test_clipping_beside_pytorch():
    """By value exactly; by the norm of all up to PyTorch's 1e-6 in the divisor."""
    for settings, clip in (
        ({"clipvalue": 0.2}, lambda w: torch.nn.utils.clip_grad_value_(w, 0.2)),
        ({"global_clipnorm": 0.5}, lambda w: torch.nn.utils.clip_grad_norm_(w, 0.5)),
    ):
        weights = [torch.nn.Parameter(torch.tensor(value)) for value in start()]
        variables = [cconv.Variable(value) for value in start()]
        optimizer, other = cconv.optimizers.SGD(0.1, **settings), torch.optim.SGD(weights, 0.1)
        for step in range(20):
            for weight, g in zip(weights, gradients(step)):
                weight.grad = torch.tensor(g)
            clip(weights)
            other.step()
            optimizer.apply(gradients(step), variables)
        for a, b in zip(variables, weights):
            np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=1e-5, atol=1e-6)
