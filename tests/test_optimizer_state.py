"""What optimizers hold: their steps, learning rate, what decays, constraints of variables; and copies of it all."""

import copy
import pickle

import numpy as np
import pytest

import cconv
from cconv import constraints, optimizers

X = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
Y = X[:, :2] * 2


def dense_model(optimizer, **arguments):
    model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2, **arguments)])
    model.compile(optimizer, "mse")
    return model


# ---- Constraints


CONSTRAINTS = {
    "non-negative": (constraints.NonNeg(), lambda w: np.maximum(w, 0)),
    "largest norm": (constraints.MaxNorm(1.0), lambda w: w * np.minimum(np.linalg.norm(w, axis=0), 1) / norm(w)),
    "unit norm": (constraints.UnitNorm(), lambda w: w / norm(w)),
    "a function": (lambda w: cconv.ops.clip(w, -0.5, 0.5), lambda w: np.clip(w, -0.5, 0.5)),
}


def norm(w):
    return np.linalg.norm(w, axis=0) + 1e-7


@pytest.mark.parametrize("name", CONSTRAINTS)
@pytest.mark.parametrize("method", ["apply_gradients", "apply", "apply to what it was built for"])
def test_constraints_hold_after_a_step_from_given_gradients(name, method):
    constraint, expected = CONSTRAINTS[name]
    start, gradient = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[2.0, 0.0], [0.0, 9.0]])
    bound, free = cconv.Variable(start, constraint=constraint), cconv.Variable(start)
    optimizer = optimizers.SGD(1.0)
    if method == "apply_gradients":
        optimizer.apply_gradients(zip([gradient, gradient], [bound, free], strict=True))
    elif method == "apply":
        optimizer.apply([gradient, gradient], [bound, free])
    else:
        optimizer.build([bound, free])
        optimizer.apply([gradient, gradient])
    np.testing.assert_allclose(bound.value, expected(start - gradient), rtol=1e-5)
    np.testing.assert_array_equal(free.value, start - gradient)


def test_a_variable_without_a_gradient_is_left_alone():
    bound, other = cconv.Variable([-1.0], constraint=constraints.NonNeg()), cconv.Variable([1.0])
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizers.SGD(1.0).apply([None, [1.0]], [bound, other])
    assert bound.numpy().tolist() == [-1.0]


@pytest.mark.parametrize("step", ["fit", "train_on_batch"])
def test_constraints_hold_in_training(step):
    model = dense_model(optimizers.SGD(0.5), kernel_constraint="non_neg", bias_constraint=constraints.UnitNorm())
    frozen = cconv.layers.Dense(4, kernel_constraint="non_neg", trainable=False)
    model = cconv.Sequential([cconv.Input((4,)), frozen, model.layers[0]])
    before = frozen.get_weights()[0]
    model.compile(optimizers.SGD(0.5), "mse")
    getattr(model, step)(X, Y)
    kernel, bias = model.layers[1].get_weights()
    assert kernel.min() >= 0 and np.linalg.norm(bias) == pytest.approx(1, rel=1e-5)
    np.testing.assert_array_equal(frozen.get_weights()[0], before)


# ---- The count of steps, and the learning rate


def test_the_count_of_steps_is_a_variable():
    optimizer = optimizers.Adam(name="adam")
    iterations = optimizer.iterations
    model = dense_model(optimizer)
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0)
    assert iterations is optimizer.iterations is optimizer.variables[0]
    assert int(iterations) == iterations.numpy() == iterations.value == iterations == 6
    assert iterations.name == "iteration" and iterations.path == "adam/iteration" and iterations.shape == ()
    assert iterations + 1 == 7 and 2 * iterations == 12 and iterations >= 6 and not iterations < 6
    assert iterations / 4 == 1.5 and iterations % 4 == 2 and [0] * 5 + [1, 2] and list(range(9))[iterations] == 6
    assert f"{iterations}" == str(iterations) == "6" and f"{iterations:03d}" == "006"
    assert "value=6" in repr(iterations)
    iterations.assign(10)
    iterations.assign_add(3)
    iterations.assign_sub(1)
    assert optimizer.iterations == 12 and float(np.sqrt(optimizer.iterations + 4)) == 4.0
    optimizer.iterations = optimizers.SGD().iterations
    assert iterations == 0


def test_the_learning_rate_has_a_value():
    optimizer = optimizers.SGD(0.25)
    assert optimizer.learning_rate.value == optimizer.learning_rate.numpy() == np.float32(0.25)
    optimizer.learning_rate.assign(0.5)
    assert float(optimizer.learning_rate.value) == 0.5
    schedule = optimizers.SGD(optimizers.schedules.ExponentialDecay(1.0, 1, 0.5))
    schedule.iterations = 2
    assert schedule.learning_rate.value == 0.25


# ---- Weight decay


def decayed(**excluded):
    model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(3), cconv.layers.Dense(2)])
    optimizer = optimizers.SGD(0.5, weight_decay=0.5)
    lists = {"var_list": [model.layers[0].kernel]} if "var_list" in excluded else {}
    optimizer.exclude_from_weight_decay(**{**excluded, **lists})
    for v in model.variables:
        v.assign(np.ones(v.shape))
    optimizer.apply([np.zeros(v.shape) for v in model.variables], model.variables)
    return [float(v.value.ravel()[0]) for v in model.variables]


def test_what_does_not_decay():
    assert decayed() == [0.75, 0.75, 0.75, 0.75]
    assert decayed(var_names=["bias"]) == [0.75, 1.0, 0.75, 1.0]
    assert decayed(var_names=["bi.s", "kern"]) == [1.0, 1.0, 1.0, 1.0]
    assert decayed(var_list=True) == [1.0, 0.75, 0.75, 0.75]
    assert decayed(var_list=True, var_names=["bias"]) == [1.0, 1.0, 0.75, 1.0]


@pytest.mark.parametrize("optimizer", [optimizers.SGD, optimizers.RMSprop, optimizers.Adam, optimizers.AdamW])
def test_exclusion_in_training(optimizer):
    """The bias without decay moves as one of a model that decays nothing; in the first step the kernels differ."""
    results = []
    for decay in (0.0, 0.5):
        cconv.utils.set_random_seed(0)
        made = optimizer(0.1, weight_decay=decay)
        made.exclude_from_weight_decay(var_names=["bias"])
        model = dense_model(made, bias_initializer="ones")
        model.train_on_batch(X, Y)
        results.append(model.get_weights())
    np.testing.assert_array_equal(results[0][1], results[1][1])
    assert np.abs(results[0][0] - results[1][0]).max() > 1e-3


def test_exclusion_comes_before_the_variables():
    optimizer = optimizers.SGD(weight_decay=0.1)
    optimizer.build([cconv.Variable([1.0])])
    with pytest.raises(ValueError, match="before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["bias"])


# ---- Copies


OPTIMIZERS = {
    "SGD": lambda: optimizers.SGD(0.1),
    "momentum": lambda: optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 2, 0.5), momentum=0.9, clipnorm=1.0),
    "RMSprop": lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "Adam": lambda: optimizers.Adam(0.01, amsgrad=True),
    "AdamW": lambda: optimizers.AdamW(0.01, global_clipnorm=1.0),
}


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_copy_goes_on_as_the_original(name, duplicate):
    random = np.random.default_rng(0)
    gradients = random.normal(size=(6, 3)).astype(np.float32)
    optimizer, variable = OPTIMIZERS[name](), cconv.Variable(random.normal(size=3), name="bias")
    optimizer.exclude_from_weight_decay([variable])
    for gradient in gradients[:3]:
        optimizer.apply([gradient], [variable])
    other, its = duplicate((optimizer, variable))
    assert other.get_config() == optimizer.get_config() and other.iterations == 3
    for gradient in gradients[3:]:
        optimizer.apply([gradient], [variable])
        assert other.iterations == optimizer.iterations - 1
        other.apply([gradient], [its])
    np.testing.assert_array_equal(its.value, variable.value)
    for a, b in zip(optimizer.variables, other.variables, strict=True):
        np.testing.assert_array_equal(a.value, b.value)
    assert its.value is not variable.value


def test_a_new_optimizer_can_be_pickled():
    other = pickle.loads(pickle.dumps(optimizers.SGD(0.1, momentum=0.5)))
    assert other.momentum == 0.5 and not other.built
    dense_model(other).fit(X, Y, verbose=0)


def test_a_setting_changed_later_is_copied():
    optimizer = optimizers.SGD(0.1)
    optimizer.learning_rate = 0.5
    optimizer.weight_decay = 0.25
    other = pickle.loads(pickle.dumps(optimizer))
    v, w = cconv.Variable([1.0]), cconv.Variable([1.0])
    optimizer.apply([[1.0]], [v])
    other.apply([[1.0]], [w])
    assert v.numpy().tolist() == w.numpy().tolist() == [1.0 - 0.125 - 0.5]
