"""GradientTape: which gradients there are and what they are, what is planned, and what variables do meanwhile."""

import gc
import itertools
import pickle
import weakref

import numpy as np
import pytest

import cconv
from cconv import layers, ops, program
from cconv.recorded_tensor import RecordedTensor

X = np.random.default_rng(0).standard_normal((6, 5)).astype(np.float32)
LABELS = np.array([0, 2, 1, 0, 1, 2])


@pytest.fixture
def plans(monkeypatch):
    """The programs made so far, as a list."""
    made = []
    init = program.Program.__init__

    def counted(self, *args, **kwargs):
        made.append(self)
        init(self, *args, **kwargs)

    monkeypatch.setattr(program.Program, "__init__", counted)
    return made


def net(seed=1, drop=0.0, **options):
    cconv.utils.set_random_seed(seed)
    return cconv.Sequential(
        [
            cconv.Input((5,)),
            layers.Dense(8, activation="tanh"),
            layers.BatchNormalization(),
            layers.Dropout(drop, **options),
            layers.Dense(3),
        ]
    )


def loss_of(model, x=X, training=True):
    loss = cconv.losses.SparseCategoricalCrossentropy(from_logits=True)
    return loss(LABELS, model(x, training=training))


def step(model, optimizer, **options):
    with cconv.GradientTape(**options) as tape:
        loss = loss_of(model)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


# ---- what gradients are


def test_gradients_of_variables_and_arrays():
    w, x = cconv.Variable([[2.0, -1.0]]), np.array([[3.0, 4.0]], np.float32)
    with cconv.GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(ops.square(w * x))
    dw, dx = tape.gradient(y, [w, x])
    assert np.array_equal(dw, 2 * w.numpy() * x**2) and np.array_equal(dx, 2 * w.numpy() ** 2 * x)
    assert float(y) == 52.0 and isinstance(dw, RecordedTensor) and dw.shape == (1, 2)


def test_nests_of_sources_come_back_as_they_were():
    a, b = cconv.Variable(2.0), cconv.Variable(3.0)
    with cconv.GradientTape(persistent=True) as tape:
        y = a * b
    found = tape.gradient(y, {"x": a, "rest": [b, (a,)]})
    assert float(found["x"]) == 3.0 and float(found["rest"][0]) == 2.0 and float(found["rest"][1][0]) == 3.0
    assert isinstance(found["rest"][1], tuple)


def test_targets_are_added_and_weighted():
    v = cconv.Variable([1.0, 2.0])
    with cconv.GradientTape(persistent=True) as tape:
        y, z = v * v, ops.sum(3 * v)
    assert tape.gradient(y, v).tolist() == [2.0, 4.0]
    assert tape.gradient([y, z], v).tolist() == [5.0, 7.0]
    assert tape.gradient(y, v, output_gradients=np.array([1.0, 10.0])).tolist() == [2.0, 40.0]
    weights = {"a": np.array([1.0, 0.0]), "b": 2.0}
    assert tape.gradient({"a": y, "b": z}, v, output_gradients=weights).tolist() == [8.0, 6.0]
    with pytest.raises(ValueError, match="shape of the target"):
        tape.gradient(y, v, output_gradients=np.ones(3))
    with pytest.raises(ValueError, match="one for each target"):
        tape.gradient([y, z], v, output_gradients=[None])


def test_gradients_of_values_in_between():
    v = cconv.Variable([1.0, 2.0])
    with cconv.GradientTape(persistent=True) as tape:
        inner = ops.exp(v)
        y = ops.sum(inner * inner)
    assert np.allclose(tape.gradient(y, inner), 2 * np.exp([1.0, 2.0]))
    found = tape.gradient(y, [v, inner])
    assert np.allclose(found[0], 2 * np.exp([2.0, 4.0])) and np.allclose(found[1], 2 * np.exp([1.0, 2.0]))
    assert tape.gradient(inner, inner).tolist() == [1.0, 1.0]


def test_unconnected_sources():
    v, other = cconv.Variable([1.0, 2.0]), cconv.Variable([5.0])
    with cconv.GradientTape(persistent=True) as tape:
        y = ops.sum(v) * ops.cast(ops.argmax(v), "float32")
        whole = ops.cast(other > 1.0, "float32")
    assert tape.gradient(y, [v, other])[1] is None
    assert tape.gradient(whole, other) is None
    zeros = tape.gradient(y, [v, other], unconnected_gradients="zero")
    assert zeros[1].tolist() == [0.0] and zeros[0].tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="'none' or 'zero'"):
        tape.gradient(y, v, unconnected_gradients="nothing")


def test_what_is_watched():
    v, frozen, x = cconv.Variable(2.0), cconv.Variable(3.0, trainable=False), np.array(4.0, np.float32)
    with cconv.GradientTape(persistent=True) as tape:
        y = v * frozen * x
    assert [g is None for g in tape.gradient(y, [v, frozen, x])] == [False, True, True]
    assert tape.watched_variables() == (v,) or tape.watched_variables()[0] is v
    with cconv.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch([frozen, x])
        y = v * frozen * ops.multiply(x, 1.0)
    assert [None if g is None else float(g) for g in tape.gradient(y, [v, frozen, x])] == [None, 8.0, 6.0]
    assert len(tape.watched_variables()) == 1 and tape.watched_variables()[0] is frozen
    with pytest.raises(RuntimeError, match="inside of the tape"):
        cconv.GradientTape().watch(x)
    with pytest.raises(ValueError, match="Expected an array"), tape:
        tape.watch("x")


def test_stop_recording_stop_gradient_and_reset():
    v = cconv.Variable(3.0)
    with cconv.GradientTape() as tape:
        y = v * v
        with tape.stop_recording():
            factor = y * 2.0
        y = y * factor + ops.stop_gradient(v) * v
    assert float(tape.gradient(y, v)) == 6 * 18 + 3
    with cconv.GradientTape() as tape:
        y = v * v
        tape.reset()
        y = y + 2 * v
    assert float(tape.gradient(y, v)) == 2.0
    with pytest.raises(ValueError, match="not recording"), tape.stop_recording():
        pass


def test_tapes_side_by_side_and_within_each_other():
    v, w = cconv.Variable(3.0), cconv.Variable(2.0)
    with cconv.GradientTape() as first, cconv.GradientTape() as second:
        y, z = v * w, v * v
    assert float(first.gradient(y, v)) == 2.0 and float(second.gradient(z, v)) == 6.0
    with cconv.GradientTape() as outer:
        h = v * v
        with cconv.GradientTape() as inner:
            y = h * w
        gradient = inner.gradient(y, [w, v])
        total = y + ops.stop_gradient(gradient[0])
    assert float(gradient[0]) == 9.0 and gradient[1] is None
    assert float(outer.gradient(total, v)) == 12.0


def test_what_tapes_refuse():
    v = cconv.Variable(3.0)
    with cconv.GradientTape() as tape:
        y = v * v
        with pytest.raises(ValueError, match="still recording"), tape:
            pass
    tape.gradient(y, v)
    with pytest.raises(RuntimeError, match="one set of gradients"):
        tape.gradient(y, v)
    with pytest.raises(RuntimeError, match="recorded nothing"):
        cconv.GradientTape().gradient(y, v)
    with cconv.GradientTape() as outer:
        with cconv.GradientTape() as inner:
            y = v * v * v
        slope = inner.gradient(y, v)
        z = slope * 2.0
    with pytest.raises(NotImplementedError, match="Gradients of gradients"):
        outer.gradient(z, v)
    with cconv.GradientTape() as tape:
        y = v * v
    with pytest.raises(TypeError, match="not within a graph"):
        tape.gradient(y, cconv.Input((2,)))


def test_a_tape_goes_on_when_it_is_entered_again():
    v = cconv.Variable(3.0)
    tape = cconv.GradientTape(persistent=True)
    with tape:
        y = v * v
    float(y)
    with tape:
        z = y * v
    assert float(tape.gradient(z, v)) == 27.0


def test_integers_and_arrays_used_twice():
    x = np.arange(3)
    v = cconv.Variable([1.0, 2.0, 3.0])
    with cconv.GradientTape() as tape:
        rows = ops.convert_to_tensor(x)
        y = ops.sum(v * rows * x)
        x[0] = 7  # what was recorded is what was there
    assert tape.gradient(y, v).tolist() == [0.0, 1.0, 4.0]


OPS = {
    "sort": lambda x: ops.sort(x),
    "argsort": lambda x: ops.argsort(x),
    "median": lambda x: ops.median(x),
    "cumsum": lambda x: ops.cumsum(x, axis=1),
    "where": lambda x: ops.where(x > 0, x, -x),
    "tile": lambda x: ops.tile(x, (1, 2)),
    "split": lambda x: ops.split(x, 2, axis=1)[1],
    "stack": lambda x: ops.stack([x, x * 2]),
    "std": lambda x: ops.std(x, axis=0),
    "full_like": lambda x: ops.full_like(x, 3.0),
    "top_k": lambda x: ops.top_k(x, 2)[0],
    "one_hot": lambda x: ops.one_hot(ops.argmax(x, axis=-1), 4),
    "rows": lambda x: x[ops.argmax(x, axis=0)],
    "masked": lambda x: x[x > 0],
    "cond": lambda x: ops.cond(ops.sum(x) > 0, lambda: x, lambda: 2 * x),
    "while": lambda x: ops.while_loop(lambda y: ops.max(y) < 9, lambda y: (y * 2,), (x,))[0],
    "slice_update": lambda x: ops.slice_update(x, [0, 0], x[1:2, 1:2]),
    "pad": lambda x: ops.pad(x, 1),
    "flip": lambda x: ops.flip(x, axis=0),
    "numpy": lambda x: np.linalg.norm(x),
}


@pytest.mark.parametrize("name", OPS)
def test_ops_take_recorded_tensors(name):
    x = np.random.default_rng(2).standard_normal((3, 4)).astype(np.float32)
    expected = OPS[name](x)
    with cconv.GradientTape() as tape:
        v = cconv.Variable(x)
        found = OPS[name](v * 1.0)
        total = ops.sum(found)
    assert np.allclose(found, expected, rtol=1e-5) and np.shape(found) == np.shape(expected)
    if name in (
        "cumsum",
        "where",
        "tile",
        "split",
        "stack",
        "std",
        "rows",
        "cond",
        "while",
        "slice_update",
        "pad",
        "flip",
    ):
        assert tape.gradient(total, v).shape == (3, 4)


# ---- tensors with numbers


def test_recorded_tensors_are_numbers_to_everybody():
    v = cconv.Variable([[1.0, 2.0], [3.0, 4.0]])
    with cconv.GradientTape():
        y = v * 2
        total = ops.sum(y)
        assert total > 19 and bool(total == 20) and int(total) == 20 and f"{total:.1f}" == "20.0"
        assert [row.tolist() for row in y] == [[2.0, 4.0], [6.0, 8.0]] and len(y) == 2
    assert np.sqrt(np.asarray(y)).shape == (2, 2) and np.mean(y) == 5.0
    assert (np.ones((2, 2)) + y).tolist() == (y + 1).tolist() and isinstance(y + 1, RecordedTensor)
    assert total.item() == 20.0 and total.numpy().dtype == np.float32 and y[0, 1].numpy() == 4.0
    assert y.ndim == 2 and y.size == 4 and "20.0" in repr(total)
    assert pickle.loads(pickle.dumps(y)).tolist() == y.tolist()
    with pytest.raises(TypeError, match="len"):
        len(total)
    assert cconv.ops.is_tensor(y) and not isinstance(ops.add(1.0, 2.0), RecordedTensor)


def test_an_error_within_does_not_come_again_elsewhere():
    v = cconv.Variable(np.ones((2, 3)))
    with cconv.GradientTape():
        loss = ops.sum(cconv.losses.sparse_categorical_crossentropy(ops.cast(ops.sum(v, -1), "int32") + 7, v))
    with pytest.raises(ValueError, match="class"):
        float(loss)
    with pytest.raises(RuntimeError, match="an error came before"):
        float(loss)
    with cconv.GradientTape() as tape:
        y = ops.sum(v * v)
    assert tape.gradient(y, v).shape == (2, 3)


# ---- training


def test_steps_are_those_of_fit_bit_for_bit(plans):
    compiled, own = net(), net()
    optimizer = cconv.optimizers.Adam(0.01)
    compiled.compile(cconv.optimizers.Adam(0.01), cconv.losses.SparseCategoricalCrossentropy(from_logits=True))
    for i in range(4):
        expected = compiled.train_on_batch(X, LABELS)
        assert float(step(own, optimizer)) == expected
        if i == 0:
            made = len(plans)
    assert len(plans) == made
    assert all(np.array_equal(a, b) for a, b in zip(compiled.get_weights(), own.get_weights(), strict=True))
    assert int(optimizer.iterations) == 4


def test_a_step_is_one_plan_and_the_second_step_makes_none(plans):
    model, optimizer = net(drop=0.3), cconv.optimizers.SGD(0.1)
    step(model, optimizer)
    assert len(plans) == 1
    for _ in range(3):
        step(model, optimizer)
    assert len(plans) == 1
    model.layers[0].activation = cconv.activations.relu  # a change is seen
    step(model, optimizer)
    assert len(plans) == 2
    model.layers[0].trainable = False
    step(model, optimizer)
    model.layers[0].trainable = True
    step(model, optimizer)
    assert len(plans) == 3


LOSSES = {
    name: cls
    for name, cls in sorted(vars(cconv.losses).items())
    if isinstance(cls, type) and issubclass(cls, cconv.losses.LossFunctionWrapper) and name != "LossFunctionWrapper"
}


@pytest.mark.parametrize("reduction", ["mean_with_sample_weight", "sum_over_batch_size", None])
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_one_entry_and_computes_what_its_ops_compute(name, reduction):
    loss = LOSSES[name](reduction=reduction)
    numbers = name.startswith(("Sparse", "Circle", "CategoricalGeneralized"))
    y = LABELS if numbers else np.eye(3, dtype=np.float32)[LABELS]
    for weights in None, np.linspace(0.5, 1.0, 6, dtype=np.float32):
        found = []
        for call in loss, lambda *given: cconv.losses.Loss.__call__(loss, *given):
            variable = cconv.Variable(np.abs(X[:, :3]) / 3)
            for _ in range(2):
                with cconv.GradientTape() as tape:
                    value = call(y, variable * 1.0, weights)
                    kinds = [entry.kind for entry in tape._record.entries].count("op")
                gradient = tape.gradient(value, variable)
            found.append((kinds, value.numpy(), gradient.numpy()))
        assert found[0][0] == 1 < found[1][0]
        assert all(np.array_equal(a, b) for a, b in zip(*(numbers[1:] for numbers in found), strict=True))
        assert np.allclose(found[0][1], loss(y, np.abs(X[:, :3]) / 3, weights))


def test_a_loss_in_a_tape_is_what_it_is_set_to_at_the_time(plans):
    y, p = np.float32([[1.0], [0.0]]), np.float32([[0.25], [2.0]])

    def value(loss, *weights):
        with cconv.GradientTape():
            return loss(y.tolist(), p, *weights).tolist()

    loss = cconv.losses.Huber(delta=1.0)
    before = value(loss)
    made = len(plans)
    assert value(loss) == value(cconv.losses.Huber(delta=1.0)) == before and len(plans) == made
    loss.settings["delta"] = 0.5
    assert value(loss) == value(cconv.losses.Huber(delta=0.5)) != before
    loss.reduction = "sum"
    assert value(loss) == 2 * value(cconv.losses.Huber(delta=0.5))
    loss = cconv.losses.Poisson()
    before = value(loss)
    cconv.config.set_epsilon(0.5)
    try:
        assert value(loss) != before
    finally:
        cconv.config.set_epsilon(1e-7)
    assert value(loss) == before

    chosen = cconv.losses.SparseCategoricalCrossentropy()
    for _ in range(2):
        with cconv.GradientTape(), pytest.raises(ValueError, match="from 0 to 1"):
            chosen([1, 2], ops.convert_to_tensor(np.float32([[0.5, 0.5], [0.5, 0.5]])))

    def own(y_true, y_pred):  # may look at numbers
        return ops.square(y_pred - y_true) * float(ops.max(y_pred))

    assert value(cconv.losses.LossFunctionWrapper(own)) == float(np.mean((p - y) ** 2 * 2))


def test_a_loss_in_a_tape_heeds_the_mask_of_predictions():
    x = np.float32([[[1.0], [0.0], [2.0]]])
    masking, dense = layers.Masking(), layers.Dense(1, kernel_initializer="ones")
    for loss in cconv.losses.MeanSquaredError(), cconv.losses.MeanAbsoluteError(reduction="sum"):
        with cconv.GradientTape():
            value = loss(np.zeros((1, 3, 1), np.float32), dense(masking(x)))
        assert float(value) == (2.5 if loss.reduction != "sum" else 3.0)


def test_gradients_looked_at_before_they_are_applied():
    looked, unseen = net(), net()
    for model in (looked, unseen):
        optimizer = cconv.optimizers.SGD(0.1)
        for _ in range(2):
            with cconv.GradientTape() as tape:
                loss = loss_of(model)
            gradients = tape.gradient(loss, model.trainable_variables)
            if model is looked:
                assert all(np.isfinite(g.numpy()).all() for g in gradients)
            optimizer.apply(gradients, model.trainable_variables)
    assert all(np.allclose(a, b, atol=1e-7) for a, b in zip(looked.get_weights(), unseen.get_weights(), strict=True))


def test_gradients_are_there_after_they_were_applied():
    v, optimizer = cconv.Variable([1.0, 2.0]), cconv.optimizers.SGD(1.0)
    kept = []
    for _ in range(3):
        with cconv.GradientTape() as tape:
            y = ops.sum(v * v)
        gradient = tape.gradient(y, v)
        optimizer.apply_gradients([(gradient, v)])
        kept.append(gradient)
    assert [g.tolist() for g in kept] == [[2.0, 4.0], [-2.0, -4.0], [2.0, 4.0]]


def test_gradients_changed_on_their_way(plans):
    v, optimizer = cconv.Variable([3.0, 4.0]), cconv.optimizers.SGD(1.0)
    made = []
    for _ in range(2):
        with cconv.GradientTape() as tape:
            y = ops.sum(v * v) * 0.5
        gradient = tape.gradient(y, v)
        gradient = gradient / ops.sqrt(ops.sum(gradient * gradient))
        optimizer.apply_gradients([(gradient, v)])
        made.append(len(plans))
    assert np.allclose(v.numpy(), [1.8, 2.4], atol=1e-6) and made[0] == made[1]


def test_numbers_that_change_make_no_plans(plans):
    v, made = cconv.Variable([1.0, 2.0]), []
    for i in range(4):
        with cconv.GradientTape() as tape:
            y = ops.sum(v * (0.5 + i))
        assert tape.gradient(y, v).tolist() == [0.5 + i] * 2
        made.append(len(plans))
    assert made[0] == made[-1]


def test_dropout_draws_anew_in_each_step_and_alike_for_all_gradients():
    model = cconv.Sequential([cconv.Input((50,)), layers.Dropout(0.5), layers.Dropout(0.2)])
    ones = np.ones((1, 50), np.float32)
    seen = []
    for _ in range(3):
        with cconv.GradientTape(persistent=True) as tape:
            tape.watch(ones)
            y = model(ones, training=True)
            total = ops.sum(y)
            float(total)
            again = model(ones, training=True)
            both = total + ops.sum(again)
        for target, value in ((total, y.numpy()), (both, y.numpy() + again.numpy())):
            assert np.array_equal(tape.gradient(target, ones), value)
        assert not np.array_equal(y.numpy(), again.numpy())
        seen.append(y.numpy())
    assert not np.array_equal(seen[0], seen[1]) and not np.array_equal(seen[1], seen[2])


def test_what_is_drawn_within_a_tape():
    v = cconv.Variable(np.ones(40, np.float32))
    with cconv.GradientTape() as tape:
        noise = cconv.random.normal((40,), seed=3)
        y = ops.dropout(v, 0.5, seed=4) * noise
    assert np.array_equal(noise, cconv.random.normal((40,), seed=3))
    mask = ops.dropout(np.ones(40, np.float32), 0.5, seed=4)
    assert set(np.unique(mask)) == {0.0, 2.0} and np.array_equal(y, mask * noise.numpy())
    assert np.array_equal(tape.gradient(y, v), mask * noise.numpy())
    generator = cconv.random.SeedGenerator(1)
    with cconv.GradientTape():
        a, b = (cconv.random.uniform((3,), seed=generator) for _ in range(2))
    again = cconv.random.SeedGenerator(1)
    assert np.array_equal(a, cconv.random.uniform((3,), seed=again)) and not np.array_equal(a, b)


def test_moving_averages_change_once_for_each_call():
    one, other = net(), net()
    with cconv.GradientTape(persistent=True) as tape:
        loss, second = loss_of(one), loss_of(one, 2 * X)
    for target in (loss, second, [loss, second]):
        tape.gradient(target, one.trainable_variables)[0].numpy()
    other(X, training=True)
    other(2 * X, training=True)
    for a, b in zip(one.non_trainable_variables, other.non_trainable_variables, strict=True):
        assert np.array_equal(a.numpy(), b.numpy()) and not np.array_equal(a.numpy(), np.round(a.numpy()))
    with cconv.GradientTape():
        one(X, training=True)  # nobody holds what it returns
    other(X, training=True)
    assert np.array_equal(one.non_trainable_variables[0].numpy(), other.non_trainable_variables[0].numpy())


def test_assignments_in_calls_keep_their_order():
    class Counting(layers.Layer):
        def __init__(self):
            super().__init__()
            self.count = self.add_weight(initializer="zeros", trainable=False)

        def call(self, x):
            self.count.assign_add(1.0)
            return x * self.count

    layer, x = Counting(), np.ones(2, np.float32)
    with cconv.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = layer(x) + 10 * layer(x)
        z = y * layer.count
    assert y.tolist() == [21.0, 21.0] and float(layer.count) == 2.0 and z.tolist() == [42.0, 42.0]
    assert tape.gradient(z, x).tolist() == [42.0, 42.0] and float(layer.count) == 2.0


def test_calls_and_python_assign_one_variable_in_the_order_of_the_code():
    class Counting(layers.Layer):
        def __init__(self):
            super().__init__()
            self.count = self.add_weight(initializer="zeros")

        def call(self, x):
            before = x * self.count
            self.count.assign_add(1.0)
            return before + 10.0 * x * self.count

    layer, x = Counting(), np.float32([3.0])
    for order in itertools.product(("call", "set", "read", "look"), repeat=4):
        layer.count.assign(2.0)
        value, by_x, by_count = 2.0, 0.0, 0.0
        with cconv.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = ops.sum(x) * 0.0
            for i, what in enumerate(order):
                if what == "call":
                    y = y + layer(x)
                    by_x, by_count, value = by_x + value + 10 * (value + 1), by_count + 11 * x[0], value + 1
                elif what == "set":
                    value = 100.0 + i
                    layer.count.assign(value)
                elif what == "read":
                    y = y + x * layer.count * 100.0
                    by_x, by_count = by_x + 100 * value, by_count + 100 * x[0]
                elif what == "look":
                    assert float(y[0] if y.shape else y) == by_x * x[0]
        found = tape.gradient(y, [x, layer.count], unconnected_gradients="zero")
        assert [float(np.sum(g)) for g in found] == [by_x, by_count], order
        assert [float(np.sum(y)), float(layer.count)] == [by_x * x[0], value], order


ONE = np.ones((1, 1), np.float32)


def test_gradients_after_variables_have_changed():
    v, w, optimizer = cconv.Variable(2.0), cconv.Variable(3.0), cconv.optimizers.SGD(1.0)
    with cconv.GradientTape(persistent=True) as tape:
        y, z = v * v, v * w
    optimizer.apply_gradients([(tape.gradient(y, v), v)])
    w.assign(100.0)
    assert float(v) == -2.0
    assert [float(g) for g in tape.gradient(z, [v, w])] == [3.0, 2.0]


def test_gradients_of_what_was_computed_before_and_after_variables_changed():
    v, optimizer = cconv.Variable(2.0), cconv.optimizers.SGD(0.25)
    dense = layers.Dense(1, use_bias=False, kernel_initializer="ones")
    for _ in range(2):  # the second time with plans that are there
        v.assign(2.0)
        with cconv.GradientTape(persistent=True) as tape:
            before = v * v
            optimizer.apply_gradients([(tape.gradient(before, v), v)])
            between = v * v * v
            v.assign(3.0)
            total = before + between + 10.0 * v
        found = [float(tape.gradient(y, v)) for y in (before, between, total)]
        assert found == [4.0, 3.0, 17.0]

        dense(ONE)
        dense.kernel.assign([[1.0]])
        with cconv.GradientTape() as tape:
            y = dense(ONE)
            dense.kernel.assign([[3.0]])
            loss = ops.sum(ops.square(y) + ops.square(dense(ONE)))
        assert float(loss) == 10.0 and tape.gradient(loss, dense.kernel).tolist() == [[8.0]]


def test_two_networks_in_turns_share_nothing_but_what_they_should():
    generator, critic = net(1), net(2)
    g_before, c_before = generator.get_weights(), critic.get_weights()
    optimizers = cconv.optimizers.SGD(0.1), cconv.optimizers.SGD(0.1)
    head = cconv.Sequential([cconv.Input((3,)), layers.Dense(5)])
    with cconv.GradientTape() as g_tape, cconv.GradientTape() as c_tape:
        made = head(generator(X, training=True), training=True)
        fake, real = critic(made, training=True), critic(X, training=True)
        g_loss, c_loss = ops.mean(fake), ops.mean(real) - ops.mean(fake)
    g = g_tape.gradient(g_loss, generator.trainable_variables)
    c = c_tape.gradient(c_loss, critic.trainable_variables)
    optimizers[0].apply_gradients(zip(g, generator.trainable_variables, strict=True))
    optimizers[1].apply_gradients(zip(c, critic.trainable_variables, strict=True))
    for model, before, gradients in ((generator, g_before, g), (critic, c_before, c)):
        was = iter(w for w, v in zip(before, model.weights, strict=True) if v.trainable)
        for v, gradient in zip(model.trainable_variables, gradients, strict=True):
            assert np.allclose(v.numpy(), next(was) - 0.1 * gradient.numpy(), atol=1e-6)


def test_losses_of_layers_are_part_of_a_tape():
    class Penalty(layers.Layer):
        def call(self, x):
            self.add_loss(0.1 * ops.sum(ops.square(x)))
            return x

    dense = layers.Dense(2, kernel_regularizer=cconv.regularizers.L2(0.5), use_bias=False)
    model = cconv.Sequential([cconv.Input((5,)), dense, Penalty()])
    for _ in range(2):
        with cconv.GradientTape() as tape:
            y = model(X, training=True)
            loss = sum(model.losses)
        gradient = tape.gradient(loss, dense.kernel)
        expected = 0.2 * X.T @ (X @ dense.kernel.numpy()) + dense.kernel.numpy()
        assert np.allclose(gradient, expected, atol=1e-4) and y.shape == (6, 2) and len(model.losses) == 2


def test_losses_added_by_a_step_and_values_of_variables():
    layer, v = layers.Dense(2), cconv.Variable([1.0, 2.0])
    with cconv.GradientTape() as tape:
        layer(X)
        layer.add_loss(ops.sum(v.value * v))
        loss = sum(layer.losses)
    assert tape.gradient(loss, v).tolist() == [2.0, 4.0]
    layer(X)
    assert layer.losses == []


def test_no_tape_within_calls():
    class Inner(layers.Layer):
        def call(self, x):
            with cconv.GradientTape():
                return x * 2

    with pytest.raises(NotImplementedError, match="`call` of a layer"):
        Inner()(X)


def test_results_do_not_depend_on_threads():
    found = []
    before = cconv.get_num_threads()
    try:
        for threads in (1, 2, 3):
            cconv.set_num_threads(threads)
            model, optimizer = net(drop=0.4, seed=5), cconv.optimizers.Adam(0.1)
            losses = [float(step(model, optimizer)) for _ in range(3)]
            found.append((losses, model.get_weights()))
    finally:
        cconv.set_num_threads(before)
    for losses, weights in found[1:]:
        assert losses == found[0][0]
        assert all(np.array_equal(a, b) for a, b in zip(weights, found[0][1], strict=True))


def test_nothing_is_left_behind():
    gc.disable()
    try:
        model, optimizer = net(), cconv.optimizers.SGD(0.1)
        losses = [step(model, optimizer)]
        with cconv.GradientTape() as tape:
            y = ops.sum(model(X))
        np.asarray(tape.gradient(y, model.trainable_variables[0]))
        gone = [weakref.ref(model), *(weakref.ref(v) for v in model.variables)]
        assert losses[0].record is None
        del model, optimizer, tape, y
        assert all(reference() is None for reference in gone)
    finally:
        gc.enable()


# ---- gradients of one's own


def test_custom_gradients():
    @cconv.custom_gradient
    def clipped(x):
        return ops.exp(x), lambda dy: dy * 10.0

    @cconv.custom_gradient
    def two(a, b):
        return (a + b, a * b), lambda d, e: [d, 2 * e]

    v, w = cconv.Variable([1.0, 2.0]), cconv.Variable([3.0, 4.0])
    with cconv.GradientTape(persistent=True) as tape:
        y = ops.sum(3.0 * clipped(v * 2.0) + v)
        total, product = two(clipped(v), w)
        z = ops.sum(total * 5.0 + product * 7.0)
    assert tape.gradient(y, v).tolist() == [61.0, 61.0]
    assert np.allclose(z.numpy(), sum(5 * (np.exp([1, 2]) + [3, 4]) + 7 * np.exp([1, 2]) * [3, 4]))
    assert [g.tolist() for g in tape.gradient(z, [v, w])] == [[50.0, 50.0], [14.0, 14.0]]
    assert np.allclose(clipped(np.zeros(2, np.float32)), 1.0)
    with pytest.raises(NotImplementedError, match="custom_gradient.*clipped"):
        clipped(cconv.Input((2,)))


# ---- what people do with it


def test_class_activation_and_integrated_gradients():
    cconv.utils.set_random_seed(3)
    inputs = cconv.Input((6, 6, 1))
    maps = layers.Conv2D(4, 3, activation="relu")(inputs)
    scores = layers.Dense(3)(layers.GlobalAveragePooling2D()(maps))
    model = cconv.Model(inputs, [maps, scores])
    x = np.random.default_rng(1).random((1, 6, 6, 1)).astype(np.float32)
    with cconv.GradientTape() as tape:
        features, predicted = model(x)
        chosen = predicted[:, 1]
    gradient = tape.gradient(chosen, features)
    kernel = model.layers[-1].kernel.numpy()
    assert np.allclose(gradient, np.broadcast_to(kernel[:, 1] / 16, (1, 4, 4, 4)), atol=1e-6)
    cam = ops.relu(ops.sum(features * ops.mean(gradient, axis=(1, 2), keepdims=True), axis=-1))
    assert cam.shape == (1, 4, 4)
    steps = [np.float32(a) * x for a in np.linspace(0.01, 1, 40)]
    path = np.concatenate(steps)
    with cconv.GradientTape() as tape:
        tape.watch(path)
        top = model(path)[1][:, 1]
    attribution = x * np.mean(tape.gradient(top, path).numpy(), axis=0)
    assert np.isclose(attribution.sum(), chosen.item() - float(model(0 * x)[1][0, 1]), rtol=0.05)


def test_pixels_are_optimized_in_few_plans(plans):
    model = net()
    image = cconv.ops.convert_to_tensor(X[:1])
    values, made = [], []
    for _ in range(5):
        with cconv.GradientTape() as tape:
            tape.watch(image)
            value = ops.mean(ops.square(model(image)))
        gradient = tape.gradient(value, image)
        gradient = gradient / ops.maximum(ops.sqrt(ops.sum(gradient * gradient)), 1e-6)
        image = image + 0.1 * gradient
        values.append(value)
        made.append(len(plans))
    assert made[2] == made[-1] and np.all(np.diff([float(v) for v in values]) > 0)
    image = cconv.Variable(X[:1])
    optimizer = cconv.optimizers.SGD(1.0)
    for _ in range(3):
        with cconv.GradientTape() as tape:
            value = -ops.mean(ops.square(model(image)))
        optimizer.apply_gradients([(tape.gradient(value, image), image)])
    assert float(value) < -float(values[0])


def test_arguments_that_are_equal_and_of_other_types_are_told_apart():
    class Kind(layers.Layer):
        def call(self, x, mode=None):
            return x + (2.0 if isinstance(mode, bool) else 1.0 if isinstance(mode, int) else 0.0)

    layer = Kind()
    with cconv.GradientTape():
        found = [float(layer(np.zeros(1, np.float32), mode=mode)[0]) for mode in (1, True, 1.0)]
    assert found == [1.0, 2.0, 0.0]
