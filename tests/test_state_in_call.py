"""Variables that a layer's `call` assigns are part of the step: in training, tests, predictions and calls on arrays."""

import signal
import threading

import numpy as np
import pytest

import cconv
from cconv import layers, ops

X = np.arange(12, dtype=np.float32).reshape(6, 2)
Y = np.zeros((6, 2), np.float32)


class Counting(layers.Layer):
    def __init__(self):
        super().__init__()
        self.count = self.add_weight(initializer="zeros", trainable=False, name="count")

    def call(self, x):
        self.count.assign_add(1.0)
        return x


def model_of(*more, compiled=True):
    model = cconv.Sequential([cconv.Input((2,)), *more, layers.Dense(2)])
    if compiled:
        model.compile("sgd", "mse")
    return model


def test_six_steps_are_six():
    layer = Counting()
    model = model_of(layer)
    model.fit(X, Y, batch_size=2, epochs=2, verbose=0)
    assert float(layer.count) == 6


def test_every_way_of_running_counts():
    layer = Counting()
    model = model_of(layer)
    expected = 0
    for run, times in (
        (lambda: model.train_on_batch(X, Y), 1),
        (lambda: model.test_on_batch(X, Y), 1),
        (lambda: model.predict_on_batch(X), 1),
        (lambda: model.predict_on_batch(X), 1),
        (lambda: model(X), 1),
        (lambda: layer(X), 1),
        (lambda: model.predict(X, batch_size=2, verbose=0), 3),
        (lambda: model.predict(X, batch_size=4, verbose=0), 2),
        (lambda: model.evaluate(X, Y, batch_size=1, verbose=0), 6),
        (lambda: model.fit(X, Y, batch_size=3, epochs=2, validation_data=(X, Y), verbose=0), 8),
    ):
        for _ in range(2):
            run()
            expected += times
            assert float(layer.count) == expected


def test_shapes_alone_change_nothing():
    layer = Counting()
    model_of(layer).summary(print_fn=lambda text: None)
    layer.compute_output_shape((None, 2))
    layer(cconv.Input((2,)))
    model_of(layer).describe_graph()
    assert float(layer.count) == 0


class Remembering(layers.Layer):
    """x less a moving average of it, which is renewed first."""

    def build(self, shape):
        self.mean = self.add_weight(shape=(shape[-1],), initializer="ones", trainable=False)
        self.before = self.add_weight(shape=(shape[-1],), initializer="zeros", trainable=False)

    def call(self, x, training=None):
        if training:
            self.before.assign(self.mean)
            self.mean.assign(0.5 * self.mean + 0.5 * ops.mean(x, axis=0))
        return x - self.mean


def test_what_is_read_later_is_the_new_value():
    layer, mean = Remembering(), np.ones(2)
    for x in (X, X[1:4], X * 2):
        before, mean = mean, 0.5 * mean + 0.5 * x.mean(0)
        np.testing.assert_allclose(layer(x, training=True), x - mean, rtol=1e-6)
        np.testing.assert_allclose(layer.mean.numpy(), mean, rtol=1e-6)
        np.testing.assert_allclose(layer.before.numpy(), before, rtol=1e-6)
        np.testing.assert_allclose(layer(x), x - mean, rtol=1e-6)
    model = model_of(layer)
    assert model.count_params() == 4 + 6
    model.train_on_batch(X, Y)
    np.testing.assert_allclose(layer.mean.numpy(), 0.5 * mean + 0.5 * X.mean(0), rtol=1e-6)


class Several(layers.Layer):
    def __init__(self):
        super().__init__()
        self.a = self.add_weight(shape=(2,), initializer="ones", trainable=False)
        self.b = self.add_weight(shape=(2,), initializer="zeros", trainable=False)
        self.whole = self.add_weight(initializer="zeros", trainable=False)

    def call(self, x):
        self.a.assign_sub([1.0, 2.0])
        self.a.assign(self.a * 2)
        self.b.assign(self.a + self.b)
        self.a.assign_add(self.b)
        self.whole.assign(ops.sum(ops.cast(x > 3, "int32")))
        return x + self.a


def test_assignments_follow_one_another():
    layer, a, b = Several(), np.ones(2), np.zeros(2)
    for _ in range(3):
        a = (a - [1, 2]) * 2
        b = a + b
        a = a + b
        np.testing.assert_array_equal(layer(X), X + a.astype(np.float32))
        np.testing.assert_array_equal(layer.a.numpy(), a)
        np.testing.assert_array_equal(layer.b.numpy(), b)
        assert float(layer.whole) == (X > 3).sum()


class Swapping(layers.Layer):
    def __init__(self):
        super().__init__()
        self.a = self.add_weight(shape=(2,), initializer="ones", trainable=False)
        self.b = self.add_weight(shape=(2,), initializer="zeros", trainable=False)

    def call(self, x):
        a, b = ops.stop_gradient(self.a), ops.stop_gradient(self.b)
        self.a.assign(b)
        self.b.assign(a)
        return x + a


def test_values_read_before_are_those_before():
    layer = Swapping()
    for i in range(4):
        assert layer(X)[0, 0] == X[0, 0] + (i + 1) % 2
        assert layer.a.numpy()[0] == i % 2 and layer.b.numpy()[0] == (i + 1) % 2


def test_no_gradient_flows_through_an_assignment():
    class Scaled(layers.Layer):
        def build(self, shape):
            self.kernel = self.add_weight(shape=(), initializer="ones")
            self.last = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x):
            self.last.assign(self.kernel * 3)
            return x * self.kernel + self.last

    layer = Scaled()
    model = cconv.Sequential([cconv.Input((1,)), layer])
    model.compile(cconv.optimizers.SGD(0.125), "mse")
    model.train_on_batch(np.ones((1, 1)), np.full((1, 1), 3.0))
    assert float(layer.kernel) == 1 - 0.125 * 2 * 1  # d (k + 3 - 3)^2 / dk = 2, of the first k only
    assert float(layer.last) == 3


def test_other_outputs_stay_what_they_are():
    layer = Counting()
    plain, counting = model_of(compiled=False), model_of(layer, compiled=False)
    counting.set_weights([np.zeros(()), *plain.get_weights()])
    np.testing.assert_array_equal(plain.predict(X, verbose=0), counting.predict(X, verbose=0))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_large_states_on_any_number_of_threads(threads):
    class Bank(layers.Layer):
        def __init__(self):
            super().__init__()
            self.bank = self.add_weight(shape=(100_000, 4), initializer="zeros", trainable=False)

        def call(self, x):
            self.bank.assign(0.5 * self.bank + ops.sum(x))
            return x + ops.sum(self.bank) * 1e-6

    before = cconv.config.num_threads() if hasattr(cconv.config, "num_threads") else None
    cconv._core.set_num_threads(threads)
    try:
        layer = Bank()
        values = [layer(X) for _ in range(3)]
    finally:
        cconv._core.set_num_threads(before or 0)
    assert (layer.bank.numpy() == X.sum() * 1.75).all()
    np.testing.assert_allclose(values[2], X + 0.4 * X.sum() * 1.75, rtol=1e-5)


def test_losses_and_regularizers_may_assign():
    seen = cconv.Variable(0.0, trainable=False)

    class Noting(cconv.losses.Loss):
        def call(self, y_true, y_pred):
            seen.assign_add(1.0)
            return ops.mean(ops.square(y_pred - y_true), axis=-1)

    model = model_of(compiled=False)
    model.compile("sgd", Noting())
    for _ in range(3):
        model.train_on_batch(X, Y)
    assert float(seen) == 3


def test_built_in_a_trace_is_at_once():
    class Inner(layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(shape[-1],), initializer="zeros", trainable=False)
            self.w.assign(np.full(shape[-1], 2.0))
            self.w.assign(self.w * 2 + 1)
            self.w.assign_add(float(self.w.numpy()[0]))

        def call(self, x):
            return x * self.w

    class Outer(cconv.Model):
        def __init__(self):
            super().__init__()
            self.inner = Inner()

        def call(self, x):
            return self.inner(x)

    model = Outer()
    for _ in range(2):
        np.testing.assert_array_equal(model.predict(X, verbose=0), X * 10)


def test_interrupted_steps_leave_the_state_alone():
    layer = Counting()
    model = cconv.Sequential(
        [cconv.Input((96, 96, 8)), layer, *(layers.Conv2D(48, 5, padding="same") for _ in range(6))]
    )
    x = np.ones((24, 96, 96, 8), np.float32)
    model.predict_on_batch(x[:1])
    assert float(layer.count) == 1
    timer = threading.Timer(0.3, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        timer.start()
        for _ in range(1000):
            before = float(layer.count)
            model.predict_on_batch(x)
            assert float(layer.count) == before + 1
    timer.join()
    assert float(layer.count) in (before, before + 1)
    before = float(layer.count)
    model.predict_on_batch(x)
    assert float(layer.count) == before + 1


def wrong(call, **weight):
    class Wrong(layers.Layer):
        def __init__(self):
            super().__init__()
            self.w = self.add_weight(**{"shape": (2,), "initializer": "ones", "trainable": False, **weight})

    Wrong.call = call
    return Wrong()


def test_what_cannot_be_is_refused():
    def assign_batch(self, x):
        self.w.assign(x)
        return x

    def assign_half(self, x):
        self.w.assign([1.0])
        return x

    for call in (assign_batch, assign_half):
        with pytest.raises(ValueError, match=r"weight|variable.*\(2,\)"):
            wrong(call)(X)

    def to_python(self, x):
        return x * float(self.w.numpy()[0])

    def decide(self, x):
        return x if self.w[0] > 0 else -x

    with pytest.raises(RuntimeError, match="not known while a call is traced"):
        wrong(to_python)(X)
    with pytest.raises(TypeError, match="no value yet"):
        wrong(decide)(X)

    layer = wrong(lambda self, x: x * self.w)
    with pytest.raises(TypeError, match="in the `call` of a layer only"):
        layer.w.assign(cconv.Input(batch_shape=(2,)))


def test_values_are_read_by_value_too():
    def call(self, x):
        self.w.assign_add(self.w)
        return x * self.w.value

    layer = wrong(call)
    assert layer(X)[0, 1] == 2 and layer(X)[0, 1] == 4
    layer.w.assign([1.0, 5.0])
    assert layer(X)[0, 1] == 10


def test_what_is_assigned_can_be_trained_in_the_same_step():
    """The optimizer changes the assigned value, by the gradients of what was read before and after."""

    def call(self, x):
        first = x * self.w
        self.w.assign(self.w * 0.5)
        return first + x * self.w * 3.0

    layer = wrong(call, trainable=True)
    model = cconv.Sequential([cconv.Input((2,)), layer])
    model.compile(cconv.optimizers.SGD(0.25), "mse")
    x, y = np.array([[1.0, -2.0], [0.5, 3.0]], np.float32), np.array([[1.0, 0.0], [2.0, -1.0]], np.float32)
    w = np.ones(2)
    for _ in range(3):
        error = 2 * (x * w + x * (w * 0.5) * 3 - y) / y.size
        expected_loss = np.mean((x * w + x * (w * 0.5) * 3 - y) ** 2)
        w = w * 0.5 - 0.25 * (error * x * 4).sum(axis=0)  # nothing flows through the assignment: 1 + 3, not 1 + 1.5
        assert model.train_on_batch(x, y) == pytest.approx(expected_loss, rel=1e-5)
        np.testing.assert_allclose(layer.w.numpy(), w, rtol=1e-5)
    layer.w.trainable = False
    model.train_on_batch(x, y)
    np.testing.assert_allclose(layer.w.numpy(), w * 0.5, rtol=1e-5)
