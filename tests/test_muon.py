"""Muon against its formula in NumPy and float64: matrices, Adam's variables beside them, state, copies, threads."""

import pickle

import numpy as np
import pytest

import cconv
from cconv import _core, layers
from cconv.optimizers import Muon, schedules

SHAPES = [(5, 7), (9, 4), (40, 33), (1, 6), (7,), (3, 3, 2, 4), (), (0, 3)]


def values(seed):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(np.float32) for shape in SHAPES]


def orthogonal(x, steps, a=3.4445, b=-4.775, c=2.0315):
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (np.linalg.norm(x) + 1e-7)
    for _ in range(steps):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


def step(w, g, state, t, rate, *, is_matrix, momentum=0.95, ns_steps=5, nesterov=True, rms_rate=0.2, weight_decay=0.004,
         adam_weight_decay=0.004, adam_lr_ratio=1, muon_a=3.4445, muon_b=-4.775, muon_c=2.0315,
         adam_beta_1=0.9, adam_beta_2=0.999, epsilon=1e-7):  # fmt: skip
    decay = weight_decay if is_matrix else adam_weight_decay
    w = w - w * (decay or 0) * rate
    if not w.size:
        return w
    if is_matrix:
        state["m"] = momentum * state.get("m", 0.0) + g
        x = orthogonal(g + momentum * state["m"] if nesterov else state["m"], ns_steps, muon_a, muon_b, muon_c)
        return w - rate * (1 if rms_rate is None else rms_rate * np.sqrt(max(w.shape))) * x
    state["m"] = adam_beta_1 * state.get("m", 0.0) + (1 - adam_beta_1) * g
    state["v"] = adam_beta_2 * state.get("v", 0.0) + (1 - adam_beta_2) * g * g
    alpha = rate * adam_lr_ratio * np.sqrt(1 - adam_beta_2**t) / (1 - adam_beta_1**t)
    return w - alpha * state["m"] / (np.sqrt(state["v"]) + epsilon)


def expected(steps, rate, scale=lambda g: g, **settings):
    found, states = [v.astype(np.float64) for v in values(0)], [{} for _ in SHAPES]
    for t in range(1, steps + 1):
        for i, g in enumerate(values(t)):
            lr = rate(t - 1) if callable(rate) else rate
            is_matrix = len(SHAPES[i]) == 2
            found[i] = step(found[i], scale(g.astype(np.float64)), states[i], t, lr, is_matrix=is_matrix, **settings)
    return found


def train(optimizer, steps, variables=None, start=0):
    variables = [cconv.Variable(v) for v in values(0)] if variables is None else variables
    for t in range(start + 1, start + steps + 1):
        optimizer.apply(values(t), variables)
    return variables


def check(variables, arrays):
    for variable, array in zip(variables, arrays, strict=True):
        np.testing.assert_allclose(variable.numpy(), array, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize(
    "settings",
    [{}, {"nesterov": False, "momentum": 0.5}, {"rms_rate": None, "ns_steps": 2, "weight_decay": None},
     {"adam_lr_ratio": 0.5, "adam_weight_decay": 0.3, "adam_beta_1": 0.8, "adam_beta_2": 0.9, "epsilon": 1e-3},
     {"muon_a": 2.0, "muon_b": -1.5, "muon_c": 0.5, "adam_weight_decay": None}, {"ns_steps": 0}],
    ids=str,
)  # fmt: skip
def test_formula(settings):
    check(train(Muon(0.02, **settings), 6), expected(6, 0.02, **settings))


def test_schedules_clipping_and_the_scale_of_the_loss_hold_for_all_variables():
    decay = schedules.ExponentialDecay(0.05, 2, 0.5)
    check(train(Muon(decay, clipvalue=0.3), 5),
          expected(5, lambda t: float(decay(t)), scale=lambda g: np.clip(g, -0.3, 0.3)))  # fmt: skip
    optimizer = Muon(0.02, loss_scale_factor=4.0)
    optimizer.clipnorm = 0.5
    clip = lambda g: g / 4 * min(1, 0.5 / max(np.linalg.norm(g / 4), 1e-30))  # noqa: E731
    check(train(optimizer, 4), expected(4, 0.02, scale=clip))
    optimizer = Muon(0.02)
    variables = train(optimizer, 2)
    optimizer.learning_rate = 0.1
    train(optimizer, 2, variables, 2)
    check(variables, expected(4, lambda t: 0.02 if t < 2 else 0.1))


def test_averages_and_accumulation():
    optimizer = Muon(0.02, use_ema=True, ema_momentum=0.5, gradient_accumulation_steps=2)
    variables = train(optimizer, 4)
    kinds = ["average", "gradient_accumulator", "momentum", "velocity"]
    counts = [sum(v.name.endswith(f"_{kind}") for v in optimizer.variables) for kind in kinds]
    assert counts == [8, 8, 8, 3] and int(optimizer.iterations) == 2
    weights = [v.numpy() for v in variables]
    optimizer.finalize_variable_values(variables)
    assert all(abs(a - v.numpy()).max() > 1e-4 for a, v in zip(weights, variables, strict=True) if a.size)


def test_who_is_changed_as_by_adam():
    model = cconv.Sequential(
        [cconv.Input((4,), dtype="int32"), layers.Embedding(5, 3, name="embedding"), layers.Flatten(),
         layers.Dense(6, name="hidden"), layers.Dense(2, name="last")],
        name="m",
    )  # fmt: skip

    def slots(**settings):
        optimizer = Muon(**settings)
        optimizer.build(model.trainable_variables)
        return [v.path.split("/", 1)[1].split("_", 1)[1] for v in optimizer.variables[2:]]

    both = lambda *names: [f"{n}_{s}" for n in names for s in ("momentum", "velocity")]  # noqa: E731
    embedding, bias, last = "embedding_embeddings", "hidden_bias", ("last_kernel", "last_bias")
    assert slots(exclude_layers=["last"]) == [
        *both(embedding), "hidden_kernel_momentum", *both(bias), *both(*last)]  # fmt: skip
    assert slots(exclude_embeddings=False, exclude_layers=["hidden/k"]) == [
        f"{embedding}_momentum", *both("hidden_kernel", bias), "last_kernel_momentum", *both("last_bias")]  # fmt: skip


def network(optimizer):
    cconv.utils.set_random_seed(3)
    model = cconv.Sequential([cconv.Input((6, 6, 2)), layers.Conv2D(4, 3, activation="relu"), layers.Flatten(),
                              layers.Dense(16, activation="tanh"), layers.Dense(2, name="last")])  # fmt: skip
    model.compile(optimizer, "mse")
    return model


X = np.random.default_rng(0).normal(size=(8, 6, 6, 2)).astype(np.float32)
Y = np.random.default_rng(1).normal(size=(8, 2)).astype(np.float32)


def test_copies_and_files_train_on_in_the_same_way(tmp_path):
    model = network(Muon(0.02, exclude_layers=["last"], clipnorm=1.0))
    for _ in range(2):
        model.train_on_batch(X, Y)
    model.save(tmp_path / "model.keras")
    others = [cconv.models.load_model(tmp_path / "model.keras"), pickle.loads(pickle.dumps(model))]
    for _ in range(2):
        loss = model.train_on_batch(X, Y)
        assert [other.train_on_batch(X, Y) for other in others] == [loss, loss]
    for other in others:
        for a, b in zip(other.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_any_number_of_threads_gives_the_same_bits():
    before, results = _core.get_num_threads(), []
    try:
        for threads in (1, 3):
            _core.set_num_threads(threads)
            model = network(Muon(0.05))
            for _ in range(3):
                model.train_on_batch(X, Y)
            results.append(model.get_weights())
    finally:
        _core.set_num_threads(before)
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_settings_are_checked_and_come_back():
    for wrong, message in (
        ({"global_clipnorm": 1.0}, "global_clipnorm=None"), ({"adam_lr_ratio": 0}, "`adam_lr_ratio`"),
        ({"momentum": 1.0}, "momentum"), ({"ns_steps": -1}, "ns_steps"), ({"adam_beta_1": 2.0}, "beta_1"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            Muon(**wrong)
    optimizer = Muon(0.1, exclude_layers=["a"], adam_lr_ratio=0.5, rms_rate=None, ns_steps=3)
    with pytest.raises(ValueError, match="global_clipnorm=None"):
        optimizer.global_clipnorm = 1.0
    assert Muon.from_config(optimizer.get_config()).get_config() == optimizer.get_config()
