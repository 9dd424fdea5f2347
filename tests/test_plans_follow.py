"""A plan that was made before is used again only while it is what the model says: every change below it is seen."""

import copy
import threading
from types import SimpleNamespace

import numpy as np
import pytest

import cconv
from cconv import layers, ops

X = np.ones((1, 4), np.float32)


def dense(value, units=2, **kwargs):
    return layers.Dense(units, kernel_initializer=cconv.initializers.Constant(value), **kwargs)


class Holding(layers.Layer):
    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def call(self, x):
        return self.inner(x)


class Headed(cconv.Model):
    def __init__(self, head):
        super().__init__()
        self.head = head

    def call(self, x):
        return self.head(x)


def functional(layer):
    x = cconv.Input((4,))
    return cconv.Model(x, layer(x))


def stack(layer):
    return cconv.Sequential([cconv.Input((4,)), layer])


def unbuilt(layer):
    return cconv.Sequential([layer])


def nested(layer):
    return stack(functional(layer))


KINDS = [functional, stack, unbuilt, nested, Headed]


def answers(model):
    """What every way of asking says, which must be one number."""
    found = {float(model.predict(X, verbose=0)[0, 0]), float(model.predict_on_batch(X)[0, 0])}
    found |= {float(model(X)[0, 0]), float(model.predict_on_batch(X)[0, 0])}
    assert len(found) == 1, found
    return found.pop()


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_inside_a_layer_is_set_anew(kind):
    layer = Holding(dense(1))
    model = kind(layer)
    assert answers(model) == 4
    layer.inner = dense(5)
    assert answers(model) == 20
    layer.inner = kind(dense(2))
    assert answers(model) == 8
    layer.inner = dense(2)
    assert answers(model) == 8
    layer.inner.kernel = cconv.Variable(np.full((4, 2), 3.0))
    assert answers(model) == 12


@pytest.mark.parametrize("kind", KINDS)
def test_an_activation_is_set_anew(kind):
    layer = dense(-1.0)
    model = kind(layer)
    assert answers(model) == -4
    layer.activation = cconv.activations.relu
    assert answers(model) == 0
    layer.activation = lambda x: x * 3
    assert answers(model) == -12


def test_layers_that_come_and_go():
    """The next object often lies where the last one lay: nothing may be found by its address."""
    model = stack(dense(1))
    for i in range(300):
        model.pop()
        model.add(dense(i))
        assert model.predict(X, verbose=0)[0, 0] == 4 * i
    model = Headed(dense(1))
    for i in range(400):
        model.head = dense(i)
        assert model.predict_on_batch(X)[0, 0] == 4 * i


def test_new_heads_are_trained():
    model = Headed(dense(1))
    model.compile("sgd", "mse")
    for i in range(100):
        model.head = dense(i % 7 + 1)
        model.train_on_batch(X, np.zeros((1, 2)))
        assert model.head.kernel.numpy()[0, 0] != i % 7 + 1


class Listing(cconv.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [dense(1, 4)]
        self.by_name = {"factor": 1.0, "more": {"shift": [0.0]}}
        self.settings = SimpleNamespace(scale=1.0)
        self.table = np.ones(4, np.float32)

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return (x * self.by_name["factor"] + self.by_name["more"]["shift"][0]) * self.settings.scale * self.table


@pytest.mark.parametrize("around", [lambda model: model, stack, Headed])
def test_what_changes_without_being_set(around):
    inner = Listing()
    model = around(inner)
    assert answers(model) == 4
    inner.blocks.append(dense(1, 4))
    assert answers(model) == 16
    inner.blocks[1] = dense(0.5, 4)
    assert answers(model) == 8
    inner.blocks.pop()
    assert answers(model) == 4
    inner.by_name["factor"] = 2.0
    assert answers(model) == 8
    inner.by_name["more"]["shift"][0] = 1.0
    assert answers(model) == 9
    inner.settings.scale = 10.0
    assert answers(model) == 90
    inner.table[0] = 2.0
    assert answers(model) == 180
    inner.blocks[0].kernel = cconv.Variable(np.zeros((4, 4)))
    assert answers(model) == 20


def test_more_than_can_be_watched_is_traced_each_time():
    model = Listing()
    model.table = np.ones((100_000, 1), np.float32)
    model.table = model.table[:, 0]
    model.numbers = list(range(20_000))

    class Large(cconv.Model):
        def __init__(self):
            super().__init__()
            self.table = np.ones((200_000,), np.float32)
            self.factors = [1.0] * 20_000

        def call(self, x):
            return x * self.table[0] * self.factors[-1]

    model = Large()
    assert answers(model) == 1
    model.table[0] = 3.0
    assert answers(model) == 3
    model.factors[-1] = 2.0
    assert answers(model) == 6


FACTOR = 2.0


def scaled(x):
    return x * FACTOR


def test_functions_and_the_names_they_use():
    global FACTOR
    held = [3.0]
    for layer, set_value in (
        (layers.Lambda(lambda x: x * held[0]), lambda value: held.__setitem__(0, value)),
        (layers.Lambda(scaled), lambda value: globals().update(FACTOR=value)),
        (layers.Activation(lambda x: scaled(x)), lambda value: globals().update(FACTOR=value)),
    ):
        model = stack(layer)
        for value in (2.0, 7.0, 5.0):
            set_value(value)
            assert answers(model) == value


def test_attributes_of_classes():
    class Times(layers.Layer):
        factors = [2.0]
        shift = 0.0

        def call(self, x):
            return x * self.factors[0] + self.shift

    model = stack(Times())
    assert answers(model) == 2
    Times.factors[0] = 5.0
    assert answers(model) == 5
    Times.shift = 1.0
    assert answers(model) == 6
    Times.call = lambda self, x: x
    assert answers(model) == 1


def losses_of(model):
    y = np.zeros((1, 2))
    return round(float(model.test_on_batch(X, y)), 4), round(float(model.evaluate(X, y, verbose=0)), 4)


def test_losses_regularizers_and_metrics():
    regularizer = cconv.regularizers.L2(0.5)
    layer = dense(1, kernel_regularizer=regularizer)
    loss = cconv.losses.Huber(delta=1.0, reduction="sum")
    model = stack(layer)
    model.compile("sgd", loss)
    assert losses_of(model) == (7.5, 7.5)
    regularizer.l2 = 1.0
    assert losses_of(model) == (11.5, 11.5)
    layer.kernel.regularizer = None
    assert losses_of(model) == (3.5, 3.5)
    layer.kernel.regularizer = cconv.regularizers.L2(0.25)
    assert losses_of(model) == (5.5, 5.5)

    class Weighted(cconv.losses.Loss):
        factor = 1.0

        def call(self, y_true, y_pred):
            return ops.mean(y_pred - y_true, axis=-1) * self.factor

    loss = Weighted()
    model = stack(dense(1))
    model.compile("sgd", loss)
    assert losses_of(model) == (4, 4)
    loss.factor = 3.0
    assert losses_of(model) == (12, 12)
    metric = cconv.metrics.MeanMetricWrapper(lambda y_true, y_pred, factor: ops.mean(y_pred) * factor, factor=1.0)
    model.compile("sgd", "mse", metrics=[metric])
    assert model.test_on_batch(X, np.zeros((1, 2)))[1] == 4
    metric._fn_kwargs["factor"] = 2.0
    assert model.test_on_batch(X, np.zeros((1, 2)))[1] == 8


def test_a_normalization_without_weights_is_frozen():
    layer = layers.BatchNormalization(center=False, scale=False, momentum=0.0)
    model = cconv.Sequential([cconv.Input((4,)), layer, layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    model.train_on_batch(x, np.zeros((2, 1)))
    moved = layer.moving_mean.numpy()
    layer.trainable = False
    model.train_on_batch(x + 100, np.zeros((2, 1)))
    np.testing.assert_array_equal(layer.moving_mean.numpy(), moved)
    layer.trainable = True
    model.train_on_batch(x + 100, np.zeros((2, 1)))
    assert (layer.moving_mean.numpy() != moved).all()


def traces(model):
    """How often the model has been traced, as its layers' calls count."""
    return sum(layer.traces for layer in model._flatten_layers() if isinstance(layer, Counted))


class Counted(layers.Layer):
    def __init__(self):
        super().__init__()
        object.__setattr__(self, "traces", 0)

    def call(self, x):
        object.__setattr__(self, "traces", self.traces + 1)
        self.last = x  # attributes that a call sets are no reason to trace it again
        self.mode = "a"
        return x * 1.0


def test_nothing_is_traced_without_a_change():
    model = stack(Counted())
    model.add(dense(1))
    model.compile("sgd", "mse")
    x, y = np.ones((8, 4)), np.zeros((8, 2))
    model.fit(x, y, batch_size=4, epochs=2, validation_data=(x, y), verbose=0)
    model.predict(x, verbose=0)
    before = traces(model)
    for _ in range(3):
        model.fit(x, y, batch_size=4, epochs=2, validation_data=(x, y), verbose=0)
        model.predict(x, verbose=0)
        model.predict_on_batch(x)
        model.train_on_batch(x[:4], y[:4])
    assert traces(model) - before <= 1  # predict_on_batch has a step of its own
    before = traces(model)
    stack(Counted()).predict(x, verbose=0)
    model.stop_training = True
    model.layers[0].mode = "a"
    for trainable in (False, True, False, True):
        model.layers[1].trainable = trainable
        model.train_on_batch(x[:4], y[:4])
    assert traces(model) - before <= 1  # once for each set of what is trained


def test_a_change_without_effect_keeps_the_plan():
    layer = dense(1)
    model = stack(layer)
    model.predict(X, verbose=0)
    programs = model._trainer.planner.programs
    (key, step), *_ = programs.items()
    layer.note = "anything"
    model.predict(X, verbose=0)
    assert programs.find(key) is step
    layer.inner = dense(3)
    layer.activation = cconv.activations.relu
    model.predict(X, verbose=0)
    assert len(programs) == 1 and programs.items()[0][1] is not step, "the old plan is gone"


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copies_are_told_for_themselves(duplicate):
    model = Listing()
    assert answers(model) == 4
    other = duplicate(model)
    assert answers(other) == 4
    other.blocks = [dense(2, 4)]
    assert answers(other) == 8 and answers(model) == 4


def test_changes_in_another_thread():
    model, stop, wrong = Headed(dense(1)), threading.Event(), []

    def ask():
        while not stop.is_set():
            if model.predict_on_batch(X)[0, 0] % 4:
                wrong.append(1)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for i in range(100):
            model.head = dense(i)
            assert model.predict_on_batch(X)[0, 0] == 4 * i
    finally:
        stop.set()
        thread.join()
    assert not wrong


def test_optimizers_hold_what_they_find_programs_by():
    optimizer = cconv.optimizers.SGD(1.0)
    for i in range(100):
        v = cconv.Variable(np.full(3, float(i)))
        optimizer.apply([np.ones(3)], [v])
        assert v.numpy()[0] == i - 1
