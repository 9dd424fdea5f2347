"""Optimizers against the formulas in NumPy and float64: many steps, all settings, any number of threads."""

import math

import numpy as np
import pytest

import cconv
from cconv import _core
from cconv.optimizers import (
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Ftrl,
    Lamb,
    Lion,
    Nadam,
    RMSprop,
    ScheduleFreeAdamW,
    schedules,
)  # fmt: skip

SHAPES = [(5, 7), (7,), (3, 3, 2, 4), (1,), (0, 3), ()]
STEPS = 60


def start(shapes=SHAPES, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(np.float32) for shape in shapes]


def gradients(step, shapes=SHAPES):
    rng = np.random.default_rng(1000 + step)
    return [(rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 2)).astype(np.float32) for shape in shapes]


def train(optimizer, values, steps=STEPS, shapes=SHAPES):
    variables = [cconv.Variable(value) for value in values]
    for step in range(steps):
        optimizer.apply(gradients(step, shapes), variables)
    return variables


def clipped(grads, clipnorm=None, clipvalue=None, global_clipnorm=None):
    grads = [g.astype(np.float64) for g in grads]
    if clipvalue:
        return [np.clip(g, -clipvalue, clipvalue) for g in grads]
    if clipnorm:
        return [g * min(1, clipnorm / max(np.sqrt(np.sum(g * g)), 1e-300)) for g in grads]
    if global_clipnorm:
        norm = np.sqrt(sum(np.sum(g * g) for g in grads))
        return [g * min(1, global_clipnorm / norm) for g in grads]
    return grads


def sgd(w, g, state, t, lr=0.01, momentum=0.0, nesterov=False):
    if not momentum:
        return w - lr * g
    state["m"] = momentum * state.get("m", 0) - lr * g
    return w + (momentum * state["m"] - lr * g if nesterov else state["m"])


def rmsprop(w, g, state, t, lr=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    state["v"] = rho * state.get("v", 0) + (1 - rho) * g * g
    spread = state["v"]
    if centered:
        state["a"] = rho * state.get("a", 0) + (1 - rho) * g
        spread = spread - state["a"] ** 2
    step = lr * g / np.sqrt(spread + epsilon)
    if momentum:
        step = state["m"] = momentum * state.get("m", 0) + step
    return w - step


def adam(w, g, state, t, lr=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False):
    state["m"] = beta_1 * state.get("m", 0) + (1 - beta_1) * g
    state["v"] = v = beta_2 * state.get("v", 0) + (1 - beta_2) * g * g
    if amsgrad:
        v = state["h"] = np.maximum(state.get("h", 0), v)
    return w - lr * math.sqrt(1 - beta_2**t) / (1 - beta_1**t) * state["m"] / (np.sqrt(v) + epsilon)


def adamax(w, g, state, t, lr=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    state["m"] = beta_1 * state.get("m", 0) + (1 - beta_1) * g
    state["u"] = np.maximum(beta_2 * state.get("u", 0), abs(g))
    return w - lr / (1 - beta_1**t) * state["m"] / (state["u"] + epsilon)


def nadam(w, g, state, t, lr=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    mu = [beta_1 * (1 - 0.5 * 0.96**i) for i in range(1, t + 2)]
    state["m"] = beta_1 * state.get("m", 0) + (1 - beta_1) * g
    state["v"] = beta_2 * state.get("v", 0) + (1 - beta_2) * g * g
    m = mu[t] * state["m"] / (1 - np.prod(mu)) + (1 - mu[t - 1]) * g / (1 - np.prod(mu[:t]))
    return w - lr * m / (np.sqrt(state["v"] / (1 - beta_2**t)) + epsilon)


def adagrad(w, g, state, t, lr=0.001, initial_accumulator_value=0.1, epsilon=1e-7):
    state["s"] = state.get("s", initial_accumulator_value) + g * g
    return w - lr * g / np.sqrt(state["s"] + epsilon)


def adadelta(w, g, state, t, lr=0.001, rho=0.95, epsilon=1e-7):
    state["s"] = rho * state.get("s", 0) + (1 - rho) * g * g
    step = np.sqrt(state.get("d", 0) + epsilon) / np.sqrt(state["s"] + epsilon) * g
    state["d"] = rho * state.get("d", 0) + (1 - rho) * step**2
    return w - lr * step


def lion(w, g, state, t, lr=0.001, beta_1=0.9, beta_2=0.99):
    m = state.get("m", 0)
    state["m"] = beta_2 * m + (1 - beta_2) * g
    return w - lr * np.sign(beta_1 * m + (1 - beta_1) * g)


def ftrl(w, g, state, t, lr=0.001, **settings):
    power, initial, l1, l2, shrinkage, beta = {**FTRL, **settings}.values()
    before = state.get("s", initial)
    state["s"] = after = before + g * g
    sigma = (after**-power - before**-power) / lr
    state["z"] = z = state.get("z", 0) + g + 2 * shrinkage * w - sigma * w
    return (np.clip(z, -l1, l1) - z) / (after**-power / lr + 2 * (l2 + beta / (2 * lr)))


FTRL = {
    "learning_rate_power": -0.5, "initial_accumulator_value": 0.1, "l1_regularization_strength": 0.0,
    "l2_regularization_strength": 0.0, "l2_shrinkage_regularization_strength": 0.0, "beta": 0.0,
}  # fmt: skip


def lamb(w, g, state, t, lr=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    state["m"] = beta_1 * state.get("m", 0) + (1 - beta_1) * g
    state["v"] = beta_2 * state.get("v", 0) + (1 - beta_2) * g * g
    step = state["m"] / (1 - beta_1**t) / (np.sqrt(state["v"] / (1 - beta_2**t)) + epsilon)
    sizes = np.linalg.norm(np.ravel(w)), np.linalg.norm(np.ravel(step))
    return w - lr * step * (sizes[0] / sizes[1] if min(sizes) > 0 else 1)


def adafactor(
    w, g, state, t, lr=0.001, beta_2_decay=-0.8, epsilon_1=1e-30, epsilon_2=1e-3, clip_threshold=1.0, relative_step=True
):
    kept, squares = 1 - t**beta_2_decay, g * g + epsilon_1
    if not w.size:
        return w
    if w.ndim < 2:
        v = state["v"] = kept * state.get("v", 0) + (1 - kept) * squares
    else:
        r = state["r"] = kept * state.get("r", 0) + (1 - kept) * squares.mean(-1, keepdims=True)
        c = state["c"] = kept * state.get("c", 0) + (1 - kept) * squares.mean(-2, keepdims=True)
        v = r / r.mean(-2, keepdims=True) * c
    step = g / np.sqrt(v)
    size, length = (np.sqrt(np.mean(x * x)) for x in (w, step))
    rate = min(lr, 1 / math.sqrt(t)) if relative_step else lr
    return w - max(epsilon_2, size) * rate * step / max(1, length / clip_threshold)


def schedule_free_adamw(w, g, state, t, lr=0.0025, beta_2=0.999, epsilon=1e-8, warmup_steps=0):
    state["v"] = beta_2 * state.get("v", 0.0) + (1 - beta_2) * g * g
    rate = lr * min(1, t / warmup_steps) if warmup_steps else lr
    z = state.get("z", state["start"]) - rate * g / (np.sqrt(state["v"] / (1 - beta_2**t)) + epsilon)
    state["z"] = z
    return w + (z - w) / t


def reference(rule, values, settings, clip=None, weight_decay=0.0, lr=0.01, steps=STEPS):
    values = [v.astype(np.float64) for v in values]
    states = [{"start": value} for value in values]
    for step in range(steps):
        grads = clipped(gradients(step, [v.shape for v in values]), **(clip or {}))
        rate = lr(step) if callable(lr) else lr
        for i, g in enumerate(grads):
            w = values[i] - values[i] * weight_decay * rate
            values[i] = rule(w, g, states[i], step + 1, lr=rate, **settings)
    return values


RULES = {
    "sgd": (SGD, sgd, {}),
    "sgd momentum": (SGD, sgd, {"momentum": 0.9}),
    "sgd nesterov": (SGD, sgd, {"momentum": 0.9, "nesterov": True}),
    "rmsprop": (RMSprop, rmsprop, {}),
    "rmsprop momentum": (RMSprop, rmsprop, {"rho": 0.8, "momentum": 0.5}),
    "rmsprop centered": (RMSprop, rmsprop, {"centered": True, "epsilon": 1e-3}),
    "rmsprop all": (RMSprop, rmsprop, {"rho": 0.7, "momentum": 0.9, "epsilon": 1e-2, "centered": True}),
    "adam": (Adam, adam, {}),
    "adam settings": (Adam, adam, {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}),
    "adamax": (Adamax, adamax, {}),
    "adamax settings": (Adamax, adamax, {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-2}),
    "nadam": (Nadam, nadam, {}),
    "nadam settings": (Nadam, nadam, {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-2}),
    "adagrad": (Adagrad, adagrad, {}),
    "adagrad settings": (Adagrad, adagrad, {"initial_accumulator_value": 0.5, "epsilon": 1e-2}),
    "adadelta": (Adadelta, adadelta, {}),
    "adadelta settings": (Adadelta, adadelta, {"rho": 0.8, "epsilon": 1e-2}),
    "lion": (Lion, lion, {}),
    "lion settings": (Lion, lion, {"beta_1": 0.7, "beta_2": 0.8}),
    "ftrl": (Ftrl, ftrl, {}),
    "ftrl settings": (Ftrl, ftrl, dict(zip(FTRL, (-0.4, 0.2, 0.1, 0.2, 0.3, 0.5)))),
    "lamb": (Lamb, lamb, {}),
    "lamb settings": (Lamb, lamb, {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-2}),
    "adafactor": (Adafactor, adafactor, {}),
    "adafactor settings": (
        Adafactor,
        adafactor,
        {"beta_2_decay": -0.5, "epsilon_1": 1e-2, "epsilon_2": 0.5, "clip_threshold": 0.3, "relative_step": False},
    ),
    "schedule free": (ScheduleFreeAdamW, schedule_free_adamw, {}),
    "schedule free settings": (
        ScheduleFreeAdamW,
        schedule_free_adamw,
        {"beta_2": 0.9, "epsilon": 1e-2, "warmup_steps": 7},
    ),
    "adam amsgrad": (Adam, adam, {"amsgrad": True, "beta_2": 0.9}),
}
EVERY_RULE = pytest.mark.parametrize("name", RULES)


def check(variables, expected, tolerance=2e-5):
    for variable, values in zip(variables, expected):
        np.testing.assert_allclose(variable.numpy(), values, rtol=tolerance, atol=tolerance)


def test_every_rule_is_tested():
    assert {cls.rule for cls, *_ in RULES.values()} | {"muon"} == set(_core.optimizer_rules())  # test_muon.py


@EVERY_RULE
def test_formula(name):
    cls, rule, settings = RULES[name]
    values = start()
    check(train(cls(0.01, **settings), values), reference(rule, values, settings))


@EVERY_RULE
@pytest.mark.parametrize("clip", [{"clipvalue": 0.3}, {"clipnorm": 0.5}, {"global_clipnorm": 0.7}], ids=str)
def test_clipping(name, clip):
    cls, rule, settings = RULES[name]
    values = start()
    check(train(cls(0.01, **settings, **clip), values), reference(rule, values, settings, clip))


@EVERY_RULE
def test_weight_decay_comes_before_the_update(name):
    cls, rule, settings = RULES[name]
    values = start()
    optimizer = cls(0.01, weight_decay=0.5, **settings)
    check(train(optimizer, values), reference(rule, values, settings, weight_decay=0.5))


def test_adamw_is_adam_with_weight_decay():
    values = start()
    check(train(AdamW(0.01), values), reference(adam, values, {}, weight_decay=0.004))


def test_nothing_is_clipped_below_the_limit():
    values = start()
    plain = train(SGD(0.01), values, steps=3)
    for clip in ({"clipvalue": 1e6}, {"clipnorm": 1e6}, {"global_clipnorm": 1e6}, {"clipnorm": 0.0}, {"clipvalue": -1}):
        for a, b in zip(plain, train(SGD(0.01, **clip), values, steps=3)):
            assert np.array_equal(a.numpy(), b.numpy()), clip


@pytest.mark.parametrize("clip", [{"clipvalue": 1.0}, {"clipnorm": 1.0}, {"global_clipnorm": 1.0}], ids=str)
def test_a_gradient_that_is_not_a_number_is_not_hidden_by_clipping(clip):
    v = cconv.Variable([1.0, 2.0])
    SGD(0.1, **clip).apply([[np.nan, 1.0]], [v])
    assert np.isnan(v.numpy()[0])


def test_a_zero_gradient_survives_clipping():
    v = cconv.Variable([1.0, 2.0])
    for clip in ({"clipnorm": 1.0}, {"global_clipnorm": 1.0}):
        SGD(0.1, **clip).apply([[0.0, 0.0]], [v])
    assert v.numpy().tolist() == [1.0, 2.0]


def test_a_large_norm_does_not_overflow():
    v = cconv.Variable(np.zeros(4, np.float32))
    SGD(1.0, clipnorm=2.0).apply([np.full(4, 1e30)], [v])
    np.testing.assert_allclose(v.numpy(), -np.ones(4), rtol=1e-6)


def test_centered_rmsprop_with_constant_gradients_stays_finite():
    """The variance of large equal gradients is rounding error, of either sign."""
    v = cconv.Variable(np.zeros(8, np.float32))
    optimizer = RMSprop(1e-3, centered=True)
    for _ in range(200):
        optimizer.apply([np.linspace(1000, 2000, 8)], [v])
    assert np.all(np.isfinite(v.numpy()))


def step_in_a_plan(rule, settings, threads, shapes):
    """Some steps of a plan whose gradients are its inputs."""
    graph = _core.Graph()
    variables = []
    for value in start(shapes):
        variables.append(_core.Variable(value.shape))
        variables[-1].assign(value)
    inputs = [graph.input(shape) for shape in shapes]
    nodes = [graph.variable(v) for v in variables]
    root = 0
    for x, w in zip(inputs, nodes):
        total = graph.add("sum", [graph.add("multiply", [w, x])])
        root = graph.add("add", [root, total]) if root else total
    optimizer = _core.Optimizer(rule, settings)
    plan = _core.Plan(graph, [], root=root, wrt=nodes, optimizer=optimizer, threads=threads)
    for step in range(5):
        plan.run(gradients(step, shapes))
    return [np.array(v.array) for v in variables] + [
        np.array(slot.array) for v in variables for slot in optimizer.slots(v).values()
    ]


@EVERY_RULE
@pytest.mark.parametrize("clip", [{}, {"clipnorm": 0.5}, {"global_clipnorm": 0.5}, {"clipvalue": 0.5}], ids=str)
def test_the_same_bits_on_any_number_of_threads(name, clip):
    cls, _, settings = RULES[name]
    shapes = [(301, 113), (7,), (20011,), (3, 3)]  # more than one block of a norm; parts that end inside a variable
    settings = {**settings, **clip, "weight_decay": 0.1, "learning_rate": 0.01}
    single = step_in_a_plan(cls.rule, settings, 1, shapes)
    for threads in (2, 3):
        for a, b in zip(single, step_in_a_plan(cls.rule, settings, threads, shapes)):
            assert np.array_equal(a, b)


# ---- Learning rates --------------------------------------------------------------------------------------------------


def test_learning_rate_is_read_and_set():
    optimizer = SGD(0.5)
    assert float(optimizer.learning_rate) == 0.5 and optimizer.learning_rate.numpy() == np.float32(0.5)
    v = cconv.Variable([1.0])
    optimizer.learning_rate = 0.25
    optimizer.apply([[1.0]], [v])
    optimizer.learning_rate.assign(0.125)
    optimizer.apply([[1.0]], [v])
    assert v.numpy().tolist() == [0.625]


def test_schedule_is_asked_at_each_step():
    values = start()
    schedule = schedules.ExponentialDecay(0.05, decay_steps=7, decay_rate=0.5)
    optimizer = SGD(schedule, momentum=0.9)
    check(train(optimizer, values), reference(sgd, values, {"momentum": 0.9}, lr=lambda step: 0.05 * 0.5 ** (step / 7)))
    assert optimizer.iterations == STEPS
    assert float(optimizer.learning_rate) == pytest.approx(0.05 * 0.5 ** (STEPS / 7))
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        optimizer.learning_rate = 0.1


def test_function_as_learning_rate():
    rates = iter([1.0, 0.5, 0.25, 0.25])
    optimizer = SGD(lambda: next(rates))
    v = cconv.Variable([0.0])
    optimizer.apply([[1.0]], [v])
    optimizer.apply([[1.0]], [v])
    assert v.numpy().tolist() == [-0.75]


@pytest.mark.parametrize(
    "schedule, expected",
    [
        (schedules.ExponentialDecay(1.0, 10, 0.5, staircase=True), {0: 1, 9: 1, 10: 0.5, 25: 0.25}),
        (schedules.PiecewiseConstantDecay([3, 6], [1.0, 0.5, 0.1]), {0: 1, 3: 1, 4: 0.5, 6: 0.5, 7: 0.1}),
        (schedules.PolynomialDecay(1.0, 10, 0.2, power=2.0), {0: 1, 5: 0.4, 10: 0.2, 99: 0.2}),
        (schedules.PolynomialDecay(1.0, 10, 0.0, cycle=True), {0: 1, 10: 0, 15: 0.25, 20: 0}),
        (schedules.InverseTimeDecay(1.0, 10, 2.0, staircase=True), {0: 1, 9: 1, 10: 1 / 3, 20: 0.2}),
        (schedules.CosineDecay(1.0, 10, alpha=0.2), {0: 1, 5: 0.6, 10: 0.2, 30: 0.2}),
        (schedules.CosineDecay(0.1, 10, warmup_target=1.0, warmup_steps=9), {0: 0.1, 3: 0.4, 9: 1, 14: 0.5, 19: 0}),
        (schedules.CosineDecayRestarts(1.0, 4, t_mul=1.0, m_mul=0.5), {0: 1, 2: 0.5, 4: 0.5, 8: 0.25}),
        (schedules.CosineDecayRestarts(1.0, 4, alpha=0.5), {0: 1, 2: 0.75, 4: 1, 8: 0.75, 12: 1}),
    ],
    ids=lambda x: type(x).__name__ if not isinstance(x, dict) else "",
)
def test_schedules(schedule, expected):
    for step, rate in expected.items():
        assert schedule(step) == pytest.approx(rate, abs=1e-12), step
    again = schedules.deserialize(schedules.serialize(schedule))
    assert type(again) is type(schedule) and again.get_config() == schedule.get_config()
    assert all(again(step) == schedule(step) for step in range(30))


# ---- State -----------------------------------------------------------------------------------------------------------


@EVERY_RULE
def test_state_is_carried_over(name):
    """Half of the steps, the state into a new optimizer, the other half: as if in one go."""
    cls, _, settings = RULES[name]
    values = start()
    whole = train(cls(0.01, **settings), values, steps=10)
    first = cls(0.01, **settings)
    variables = train(first, values, steps=5)
    store = {}
    first.save_own_variables(store)
    second = cls(0.01, **settings)
    second.build(variables)
    second.load_own_variables(store)
    assert second.iterations == 5
    for step in range(5, 10):
        second.apply(gradients(step), variables)
    for a, b in zip(whole, variables):
        assert np.array_equal(a.numpy(), b.numpy())


def test_variables_in_keras_order():
    optimizer = Adam(amsgrad=True)
    optimizer.build([cconv.Variable([1.0], name="a"), cconv.Variable([[1.0]], name="b")])
    names = [v.name.rsplit("_", 1)[-1] if "hat" not in v.name else "hat" for v in optimizer.variables]
    assert names == ["iteration", "rate", "momentum", "velocity", "momentum", "velocity", "hat", "hat"]
    assert [v.shape for v in optimizer.variables][2:6] == [(1,), (1,), (1, 1), (1, 1)]


def test_set_weights_wants_the_right_shapes():
    optimizer = SGD(momentum=0.9)
    optimizer.build([cconv.Variable([1.0, 2.0])])
    with pytest.raises(ValueError, match="Expected 3 arrays"):
        optimizer.set_weights([1, 0.1])
    with pytest.raises(ValueError, match="shape"):
        optimizer.set_weights([1, 0.1, [1.0]])
    optimizer.set_weights([4, 0.25, [1.0, 2.0]])
    assert optimizer.iterations == 4 and float(optimizer.learning_rate) == 0.25


@pytest.mark.parametrize("cls", [SGD, RMSprop, Adam, AdamW])
def test_configuration_round_trip(cls):
    optimizer = cls(0.125, clipnorm=2.0, weight_decay=0.5)
    again = cconv.optimizers.deserialize(cconv.optimizers.serialize(optimizer))
    assert type(again) is cls and again.get_config() == optimizer.get_config()
    assert again.clipnorm == 2.0 and again.weight_decay == 0.5 and float(again.learning_rate) == 0.125


def test_configuration_with_a_schedule():
    optimizer = SGD(schedules.CosineDecay(0.1, 100))
    again = cconv.optimizers.deserialize(cconv.optimizers.serialize(optimizer))
    assert float(again.learning_rate) == 0.1 and isinstance(again._learning_rate, schedules.CosineDecay)


def test_names():
    assert isinstance(cconv.optimizers.get("sgd"), SGD) and isinstance(cconv.optimizers.get("RMSprop"), RMSprop)
    assert type(cconv.optimizers.get("adamw")) is AdamW and cconv.optimizers.get(None) is None
    optimizer = Adam()
    assert cconv.optimizers.get(optimizer) is optimizer
    with pytest.raises(ValueError, match="lossscaleoptimizer.*Keras has"):
        cconv.optimizers.get("lossscaleoptimizer")
    with pytest.raises(ValueError, match="42"):
        cconv.optimizers.get(42)


# ---- What is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cls, settings, message",
    [
        (SGD, {"learning_rate": -1}, "learning_rate.*at least 0.*received -1"),
        (SGD, {"learning_rate": math.nan}, "learning_rate=nan"),
        (SGD, {"learning_rate": math.inf}, "learning_rate.*inf"),
        (SGD, {"momentum": 1.5}, "momentum.*at most 1.*received 1.5"),
        (SGD, {"momentum": -0.1}, "momentum.*received -0.1"),
        (SGD, {"momentum": math.nan}, "momentum=nan"),
        (SGD, {"clipnorm": math.inf}, "clipnorm.*received inf"),
        (SGD, {"clipnorm": 1.0, "clipvalue": 1.0}, "at most one of clipnorm, clipvalue and global_clipnorm"),
        (SGD, {"weight_decay": math.nan}, "weight_decay=nan"),
        (SGD, {"use_ema": True, "ema_momentum": 1.5}, "ema_momentum.*range.*1.5"),
        (SGD, {"use_ema": True, "ema_overwrite_frequency": 0}, "ema_overwrite_frequency.*>= 1.*0"),
        (SGD, {"gradient_accumulation_steps": 1}, "gradient_accumulation_steps.*>= 2.*1"),
        (SGD, {"loss_scale_factor": math.inf}, "loss_scale_factor.*inf"),
        (Adagrad, {"initial_accumulator_value": -1.0}, "initial_accumulator_value.*at least 0"),
        (Ftrl, {"learning_rate_power": 0.5}, "learning_rate_power of at most 0.*0.5"),
        (Adafactor, {"clip_threshold": 0.0}, "clip_threshold above 0"),
        (RMSprop, {"rho": 2.0}, "rho.*at most 1.*received 2"),
        (RMSprop, {"epsilon": -1.0}, "epsilon.*at least 0.*received -1"),
        (Adam, {"beta_1": 1.0}, "beta_1.*below 1.*received 1"),
        (Adam, {"beta_2": 1.5}, "beta_2.*below 1.*received 1.5"),
        (Adam, {"epsilon": math.nan}, "epsilon=nan"),
        (AdamW, {"weight_decay": None}, "weight_decay=None"),
    ],
    ids=str,
)
def test_bad_settings(cls, settings, message):
    with pytest.raises(ValueError, match=message):
        cls(**settings)


def test_bad_settings_leave_the_old_ones():
    optimizer = SGD(0.5, momentum=0.5)
    for name, value in [
        ("learning_rate", -1.0),
        ("learning_rate", math.nan),
        ("momentum", 7.0),
        ("clipnorm", math.inf),
    ]:
        with pytest.raises(ValueError, match=name):
            setattr(optimizer, name, value)
    assert float(optimizer.learning_rate) == 0.5 and optimizer.momentum == 0.5 and optimizer.clipnorm is None
    with pytest.raises(TypeError, match="learning_rate"):
        SGD("fast")


def test_slots_cannot_come_and_go():
    optimizer = SGD(0.5)
    optimizer.apply([[1.0]], [cconv.Variable([1.0])])
    with pytest.raises(ValueError, match="momentum"):
        optimizer.momentum = 0.9
    assert optimizer.momentum == 0.0
    optimizer = SGD(0.5, momentum=0.5)
    optimizer.apply([[1.0]], [cconv.Variable([1.0])])
    optimizer.momentum = 0.9


def test_bad_gradients():
    optimizer, v = SGD(), cconv.Variable([1.0, 2.0])
    with pytest.raises(ValueError, match=r"shape \(2,\).*Received: shape \(3,\)"):
        optimizer.apply([[1.0, 2.0, 3.0]], [v])
    with pytest.raises(ValueError, match="already be built"):
        optimizer.apply([[1.0, 2.0]])
    with pytest.raises(ValueError, match="one gradient for each of 1"):
        optimizer.apply([], [v])
    with pytest.raises(ValueError, match="No gradients"):
        optimizer.apply([None], [v])
    with pytest.raises(ValueError, match="once"):
        optimizer.apply([[1.0, 2.0]] * 2, [v, v])
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([None, [1.0]], [v, cconv.Variable([1.0])])
    assert v.numpy().tolist() == [1.0, 2.0]


# ---- Averages, accumulation, the scale of the loss -------------------------------------------------------------------


def test_averages():
    values = start()
    optimizer = SGD(0.01, momentum=0.9, use_ema=True, ema_momentum=0.8)
    variables, averages = [cconv.Variable(value) for value in values], None
    for step in range(9):
        optimizer.apply(gradients(step), variables)
        now = [v.numpy().astype(np.float64) for v in variables]
        averages = now if averages is None else [0.8 * a + 0.2 * w for a, w in zip(averages, now)]
    check([v for v in optimizer.variables if v.name.endswith("average")], averages)
    optimizer.finalize_variable_values(variables)
    check(variables, averages)


def test_averages_take_the_place_of_weights():
    values = start()
    optimizer = SGD(0.01, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3)
    variables = train(optimizer, values, steps=3)
    w = [[v.astype(np.float64) for v in values]]
    for step in range(3):
        w.append([v - 0.01 * g for v, g in zip(w[-1], gradients(step))])
    check(variables, [0.25 * a + 0.25 * b + 0.5 * c for a, b, c in zip(*w[1:])])


@EVERY_RULE
def test_accumulation(name):
    """The mean of three gradients, once in three steps."""
    cls, rule, settings = RULES[name]
    values = start()
    optimizer = cls(0.01, gradient_accumulation_steps=3, global_clipnorm=0.5, weight_decay=0.1, **settings)
    variables = [cconv.Variable(value) for value in values]
    expected, states = [v.astype(np.float64) for v in values], [{"start": v} for v in values]
    for step in range(7):
        optimizer.apply(gradients(step), variables)
        if step % 3 == 2:
            sums = [sum(gs) / 3 for gs in zip(*(gradients(i) for i in range(step - 2, step + 1)))]
            for i, g in enumerate(clipped(sums, global_clipnorm=0.5)):
                expected[i] = rule(expected[i] * (1 - 0.001), g, states[i], step // 3 + 1, lr=0.01, **settings)
    check(variables, expected)
    assert optimizer.iterations == 2 and optimizer.variables[0].numpy() == 7


def test_accumulation_in_fit_is_a_larger_batch():
    x, y = np.random.default_rng(0).random((24, 5)), np.random.default_rng(1).random((24, 2))
    weights = []
    for batch, settings in ((12, {}), (4, {"gradient_accumulation_steps": 3}), (12, {"loss_scale_factor": 1024.0})):
        cconv.utils.set_random_seed(0)
        model = cconv.Sequential([cconv.Input((5,)), cconv.layers.Dense(4, "tanh"), cconv.layers.Dense(2)])
        model.compile(SGD(0.5, momentum=0.9, clipnorm=0.1, **settings), "mse")
        model.fit(x, y, batch, epochs=3, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    for other in weights[1:]:
        for a, b in zip(weights[0], other):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_accumulation_of_a_large_matrix_by_rows():
    """Where its gradient is never whole: the same numbers as from arrays."""
    x, y = np.random.default_rng(0).random((6, 2100), np.float32), np.ones((6, 2048), np.float32)
    model = cconv.Sequential([cconv.Input((2100,)), cconv.layers.Dense(2048, kernel_initializer="zeros")])
    settings = {"gradient_accumulation_steps": 2, "use_ema": True, "ema_momentum": 0.5, "momentum": 0.5}
    model.compile(SGD(0.5, **settings), "mse")
    model.fit(x, y, 2, epochs=1, shuffle=False, verbose=0)
    kernel, bias = cconv.Variable(np.zeros((2100, 2048))), cconv.Variable(np.zeros(2048))
    optimizer = SGD(0.5, **settings)
    for part in range(3):
        rows = x[2 * part : 2 * part + 2]
        error = (rows @ kernel.numpy() + bias.numpy() - 1) / 2048
        optimizer.apply([rows.T @ error, error.sum(0)], [kernel, bias])
    optimizer.finalize_variable_values([kernel, bias])
    np.testing.assert_allclose(model.get_weights()[0], kernel.numpy(), rtol=1e-4, atol=1e-7)


def test_swapping_averages():
    values = []

    class Look(cconv.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            values.append((logs["val_loss"], float(self.model.get_weights()[0][0, 0])))

    x, y = np.ones((4, 1)), np.zeros((4, 1))
    for swap_on_epoch in (False, True):
        model = cconv.Sequential([cconv.Input((1,)), cconv.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
        model.compile(SGD(0.25, use_ema=True, ema_momentum=0.5), "mse")
        swapping = [cconv.callbacks.SwapEMAWeights(swap_on_epoch), Look()]
        model.fit(x, y, 4, epochs=3, verbose=0, validation_data=(x, y), callbacks=swapping)
        assert model.get_weights()[0].item() == 0.25  # 1/2, then halfway to 1/4, then halfway to 1/8
        assert model.evaluate(x, y, verbose=0, callbacks=swapping[:1]) == 0.0625
    assert values == [
        (0.25, 0.5), (0.140625, 0.25), (0.0625, 0.125), (0.25, 0.5), (0.140625, 0.375), (0.0625, 0.25)
    ]  # fmt: skip


def test_swapping_needs_averages():
    model = cconv.Sequential([cconv.Input((1,)), cconv.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="use_ema=True"):
        model.fit(np.ones((4, 1)), np.ones(4), verbose=0, callbacks=[cconv.callbacks.SwapEMAWeights()])


# ---- Several optimizers in one plan ----------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 3])
def test_variables_delegated_to_another_optimizer(threads):
    shapes = [(301, 13), (7,), (5001,)]
    graph, variables = _core.Graph(), []
    for value in start(shapes):
        variables.append(_core.Variable(value.shape))
        variables[-1].assign(value)
    inputs, nodes = [graph.input(shape) for shape in shapes], [graph.variable(v) for v in variables]
    root = 0
    for x, w in zip(inputs, nodes):
        total = graph.add("sum", [graph.add("multiply", [w, x])])
        root = graph.add("add", [root, total]) if root else total
    sgd = _core.Optimizer("sgd", {"learning_rate": 0.1, "global_clipnorm": 0.5})
    lamb_too = _core.Optimizer("lamb", {"learning_rate": 0.01, "clipvalue": 0.1})
    sgd.delegate(variables[0], lamb_too)
    plan = _core.Plan(graph, [], root=root, wrt=nodes, optimizer=sgd, threads=threads)
    for step in range(5):
        plan.run(gradients(step, shapes))
    assert sgd.iterations == lamb_too.iterations == 5
    expected, state = [v.astype(np.float64) for v in start(shapes)], {}
    for step in range(5):
        grads = gradients(step, shapes)
        expected[0] = lamb(expected[0], clipped(grads[:1], clipvalue=0.1)[0], state, step + 1, lr=0.01)
        for i, g in enumerate(clipped(grads[1:], global_clipnorm=0.5), 1):
            expected[i] -= 0.1 * g
    for variable, values in zip(variables, expected):
        np.testing.assert_allclose(variable.array, values, rtol=2e-5, atol=2e-5)
    with pytest.raises(ValueError, match="another optimizer"):
        sgd.delegate(variables[0], sgd)


def test_schedule_free_settings_are_checked():
    for wrong in (0, 1, -0.5, 1.5):
        with pytest.raises(ValueError, match="`beta_1`: expected a number between 0 and 1"):
            ScheduleFreeAdamW(beta_1=wrong)
    for wrong in (-1, 1.5, True, None):
        with pytest.raises(ValueError, match="`warmup_steps`: expected an integer"):
            ScheduleFreeAdamW(warmup_steps=wrong)
    optimizer = ScheduleFreeAdamW(0.1, beta_1=0.7, warmup_steps=3)
    assert ScheduleFreeAdamW.from_config(optimizer.get_config()).get_config() == optimizer.get_config()
