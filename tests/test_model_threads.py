"""Models in several threads, and in signal handlers: what is promised in docs/design.md, D22."""

import signal
import threading
from functools import partial

import numpy as np
import pytest

import cconv
from cconv import layers, ops

X = np.random.default_rng(0).random((8, 12, 12, 3), np.float32)


def at_once(*functions):
    """Runs functions in a thread each, all released together; returns what they return, or raises what they raise."""
    start, results = threading.Barrier(len(functions)), [None] * len(functions)

    def run(i, function):
        start.wait()
        try:
            results[i] = function()
        except BaseException as error:
            results[i] = error

    threads = [threading.Thread(target=run, args=item) for item in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


class Own(cconv.Model):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.dense = layers.Conv2D(3, 3), layers.Dense(4), layers.Dense(2)

    def call(self, x):
        return self.dense(self.second(layers.Flatten()(self.first(x))))


class Nest(layers.Layer):
    """Builds its parts in `build`, slowly."""

    def build(self, shape):
        self.parts = []
        for _ in range(3):
            threading.Event().wait(0.002)
            self.parts.append(self.add_weight(shape=(shape[-1],), initializer="ones"))

    def call(self, x):
        for part in self.parts:
            x = x * part
        return x


def sequential():
    return cconv.Sequential([layers.Conv2D(4, 3), Nest(), layers.Flatten(), layers.Dense(2)])


@pytest.mark.parametrize("make, count", [(sequential, 7), (Own, 6)])
@pytest.mark.parametrize("call", ["predict", "predict_on_batch", "__call__"])
def test_the_first_call_from_six_threads_builds_once(make, count, call):
    for _ in range(10):
        model = make()
        kwargs = {"verbose": 0} if call == "predict" else {}
        results = at_once(*[partial(getattr(model, call), X, **kwargs)] * 6)
        assert len(model.weights) == count
        for result in results:
            np.testing.assert_array_equal(result, results[0])
        if call != "__call__":
            assert len(model._trainer.planner.programs) == 1


def test_a_layer_shared_by_models_in_several_threads():
    for _ in range(10):
        layer = Nest()
        models = [cconv.Sequential([layer, layers.Flatten(), layers.Dense(1)]) for _ in range(6)]
        at_once(*[lambda model=model: model.predict(X, verbose=0) for model in models])
        assert len(layer.weights) == 3


def test_penalties_of_threads_stay_apart():
    class Penalized(layers.Layer):
        def call(self, x):
            self.add_loss(ops.mean(x))
            return x

    for _ in range(10):
        layer = Penalized()
        models = [cconv.Sequential([cconv.Input((4,)), layer]) for _ in range(4)]
        for model in models:
            model.compile("sgd", "mse")
        x = np.ones((2, 4), np.float32)
        assert at_once(*[lambda model=model, x=x: model.test_on_batch(x, x) for model in models]) == [1.0] * 4


def test_predictions_while_weights_are_assigned_and_saved(tmp_path):
    model = cconv.Sequential([cconv.Input((4,)), layers.Dense(2, use_bias=False)])
    x, stop = np.ones((2, 4), np.float32), threading.Event()

    def ask():
        while not stop.is_set():
            model.predict_on_batch(x)

    def change():
        try:
            for i in range(12):
                model.set_weights([np.full((4, 2), float(i))])
                assert model.predict_on_batch(x)[0, 0] == 4 * i
                model.save_weights(tmp_path / "some.weights.h5")
        finally:
            stop.set()

    at_once(ask, ask, change)
    assert model.predict_on_batch(x)[0, 0] == 4 * 11


def network():
    model = cconv.Sequential([cconv.Input((64, 64, 8)), *(layers.Conv2D(32, 5, padding="same") for _ in range(4))])
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(2))
    model.compile("sgd", "mse")
    return model


IMAGES, LABELS = np.ones((8, 64, 64, 8), np.float32), np.zeros((8, 2), np.float32)
CALLS = {
    "fit": lambda model: model.fit(IMAGES, LABELS, batch_size=8, verbose=0),
    "evaluate": lambda model: model.evaluate(IMAGES, LABELS, batch_size=8, verbose=0),
    "predict": lambda model: model.predict(IMAGES, batch_size=8, verbose=0),
    "train_on_batch": lambda model: model.train_on_batch(IMAGES, LABELS),
    "test_on_batch": lambda model: model.test_on_batch(IMAGES, LABELS),
}


@pytest.fixture
def alarm():
    before = []

    def install(handler):
        before.append(signal.signal(signal.SIGALRM, handler))
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)

    yield install
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before[0])


@pytest.mark.parametrize(
    "outer, inner", [*(("evaluate", inner) for inner in CALLS), ("fit", "fit"), ("predict", "fit")]
)
def test_a_handler_within_a_step_of_the_same_model(outer, inner, alarm):
    model = network()
    expected = CALLS["evaluate"](model)
    model.optimizer.learning_rate = 0.0
    CALLS[outer](model)
    refused = []

    def handler(number, frame):
        if not model._trainer.planner.programs.is_running_here():
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        try:
            CALLS[inner](model)
        except RuntimeError as error:
            refused.append(str(error))

    alarm(handler)
    for _ in range(200):
        result = CALLS[outer](model)
        if outer == "evaluate":
            assert result == expected
        if refused:
            break
    assert f"`{inner}()` of model '{model.name}'" in refused[0]


def test_a_handler_may_use_other_models(alarm):
    model, other, seen = network(), cconv.Sequential([cconv.Input((4,)), layers.Dense(2)]), []
    expected = CALLS["predict"](model)
    x = np.ones((2, 4), np.float32)
    right = other.predict(x, verbose=0)

    def handler(number, frame):
        signal.setitimer(signal.ITIMER_REAL, 0)  # a slow handler would be called within its own prediction
        seen.append(other.predict(x, verbose=0))
        signal.setitimer(signal.ITIMER_REAL, 0.02)

    alarm(handler)
    for _ in range(200):
        np.testing.assert_array_equal(CALLS["predict"](model), expected)
        if len(seen) > 3:
            break
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert seen
    for result in seen:
        np.testing.assert_array_equal(result, right)


@pytest.mark.slow
def test_a_handler_that_calls_what_is_running(alarm):
    model, refused = network(), []
    model(IMAGES)
    programs = model._array_calls._programs
    assert len(programs) == 1

    def handler(number, frame):
        if programs.is_running_here() and not refused:
            try:
                model(IMAGES)  # on its way into the run, or out of it, a call is none within the run
            except RuntimeError as error:
                refused.append(str(error))

    alarm(handler)
    for _ in range(200):
        result = model(IMAGES)
        if refused:
            break
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert "is running" in refused[0]
    np.testing.assert_array_equal(model(IMAGES), result)


def test_callbacks_may_evaluate_and_predict():
    model = cconv.Sequential([cconv.Input((4,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    x, y, found = np.ones((8, 4)), np.zeros((8, 2)), []

    class Asking(cconv.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            found.append(self.model.predict(x, verbose=0))

        def on_epoch_end(self, epoch, logs=None):
            found.append(self.model.evaluate(x, y, verbose=0))

        def on_test_batch_end(self, batch, logs=None):
            found.append(self.model.predict_on_batch(x))

    model.fit(x, y, batch_size=4, epochs=2, callbacks=[Asking()], verbose=0)
    model.evaluate(x, y, callbacks=[Asking()], verbose=0)
    assert len(found) == 2 * (2 + 1) + 1


def test_a_model_that_asks_itself_while_it_is_traced():
    class Asking(cconv.Model):
        def call(self, x):
            return x * float(self.asked().predict(np.ones((1, 4)), verbose=0)[0, 0])

    x = np.ones((1, 4), np.float32)
    other = cconv.Sequential([cconv.Input((4,)), layers.Dense(1, kernel_initializer="ones")])
    model = Asking()
    model.asked = lambda: other
    assert model.predict(x, verbose=0)[0, 0] == 4
    model.asked = lambda: model
    with pytest.raises(RuntimeError, match="in the middle of a step"):
        model.predict(x, verbose=0)
