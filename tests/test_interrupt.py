"""Ctrl-C during fit: it ends within a second, the weights are those of the last finished step, and fit works again."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import cconv
from cconv import layers

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")


def make():
    cconv.utils.set_random_seed(4)
    model = cconv.Sequential(
        [
            cconv.Input((12, 12, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(cconv.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(64, 12, 12, 1)).astype(np.float32)
Y = RANDOM.integers(0, 3, 64)


class StopAfter(cconv.callbacks.Callback):
    """Stops after a number of steps in all."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = self.model.optimizer.iterations >= self.steps


class AlarmAfter(cconv.callbacks.Callback):
    """Sets the alarm at the end of a step."""

    def __init__(self, steps, delay):
        super().__init__()
        self.steps, self.delay = steps, delay

    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations == self.steps:
            signal.setitimer(signal.ITIMER_REAL, self.delay)


def interrupted_fit(delay, steps=0, epochs=100_000):
    """A model whose fit was interrupted `delay` seconds after so many steps, and how long it took to stop."""
    model = make()
    sent = []

    def handler(number, frame):
        sent.append(time.perf_counter())
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            if not steps:
                signal.setitimer(signal.ITIMER_REAL, delay)
            callbacks = [AlarmAfter(steps, delay)] if steps else []
            model.fit(X, Y, batch_size=16, epochs=epochs, verbose=0, callbacks=callbacks)
        stopped = time.perf_counter()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return model, stopped - sent[0]


def uninterrupted(steps):
    """The weights and the optimizer's state of the same training, stopped after so many steps."""
    model = make()
    if steps:
        model.fit(X, Y, batch_size=16, epochs=100_000, verbose=0, callbacks=[StopAfter(steps)])
    assert model.optimizer.iterations == steps
    return model


@pytest.mark.slow
def test_fifty_interrupts_at_random_moments():
    # Half of them at any moment from the start on, half after given steps: on a busy machine a fit may not have
    # begun in 50 ms.
    moments = [(delay, 0) for delay in np.random.default_rng(1).uniform(0.0005, 0.05, size=25)]
    moments += [(delay, i + 1) for i, delay in enumerate(np.random.default_rng(2).uniform(0.00001, 0.001, size=25))]
    finished = []
    for delay, after in moments:
        model, latency = interrupted_fit(delay, after)
        assert latency < 1
        steps = int(model.optimizer.iterations)
        finished.append(steps)
        expected = uninterrupted(steps)
        for variable, reference in zip(model.variables, expected.variables):
            np.testing.assert_array_equal(
                variable.numpy(), reference.numpy(), err_msg=f"{variable.path}, {steps} steps"
            )
        if steps:
            for variable, reference in zip(model.optimizer.variables, expected.optimizer.variables):
                np.testing.assert_array_equal(variable.numpy(), reference.numpy(), err_msg=variable.path)
        # Usable after: the next fit trains on, and gives what it would have given anyway.
        model.fit(X, Y, batch_size=16, verbose=0)
        assert model.optimizer.iterations == steps + 4
        assert np.isfinite(model.evaluate(X, Y, verbose=0)).all()
    assert len(set(finished)) > 10, "the interrupts did not come at different moments"


def test_one_long_step_is_interrupted_within_a_second():
    model = cconv.Sequential([cconv.Input((128, 128, 32)), layers.Conv2D(64, 9), layers.GlobalAveragePooling2D()])
    model.compile("sgd", "mse")
    x, y = np.ones((64, 128, 128, 32), np.float32), np.zeros((64, 64), np.float32)
    model._trainer.step("train", model._trainer.feeder.data(x, y), 64)
    before = model.get_weights()
    sent = []

    def handler(number, frame):
        sent.append(time.perf_counter())
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            model.fit(x, y, batch_size=64, verbose=0, epochs=50)
        latency = time.perf_counter() - sent[0]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert latency < 1
    if model.optimizer.iterations == 0:
        for old, new in zip(before, model.get_weights()):
            np.testing.assert_array_equal(old, new)


def test_a_handler_of_the_users_own_runs_during_fit_and_fit_goes_on():
    model = make()
    calls = []
    previous = signal.signal(signal.SIGALRM, lambda number, frame: calls.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
        history = model.fit(X, Y, batch_size=16, epochs=20, verbose=0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert calls and len(history.history["loss"]) == 20 and model.optimizer.iterations == 80


def test_other_threads_run_while_a_model_trains():
    model = make()
    count, done = [0], threading.Event()

    def work():
        while not done.is_set():
            count[0] += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        model.fit(X, Y, batch_size=16, epochs=5, verbose=0)
    finally:
        done.set()
        thread.join()
    assert count[0] > 0


PROGRAM = """
import signal, numpy as np, cconv
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job inherits that it is ignored
x = np.zeros((64, 4), np.float32)
model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2)])
model.compile("sgd", "mse")
print("ready", flush=True)
try:
    model.fit(x, np.zeros((64, 2)), epochs=10**9, verbose=0)
except KeyboardInterrupt:
    model.fit(x, np.zeros((64, 2)), verbose=0)
    print("stopped", flush=True)
"""


def test_ctrl_c_in_a_program_of_its_own():
    root = os.path.dirname(os.path.dirname(os.path.abspath(cconv.__file__)))
    environment = {**os.environ, "PYTHONPATH": root}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        try:
            out, _ = process.communicate(timeout=120)
        finally:
            process.kill()
    assert out == "stopped\n" and process.returncode == 0


class Interrupts:
    """Once dropped, presses Ctrl-C where Python cannot raise."""

    def __del__(self):
        signal.raise_signal(signal.SIGINT)


class DropsAfter(cconv.callbacks.Callback):
    """Drops an `Interrupts` in a hook."""

    def __init__(self, hook):
        super().__init__()
        self.told = None
        setattr(self, hook, self.drop)

    def drop(self, at, logs=None):
        if at == 1 and self.told is None:
            self.told = False
            Interrupts()

    def on_exception(self, exception):
        self.told = isinstance(exception, KeyboardInterrupt)


@pytest.mark.parametrize("hook", ["on_train_batch_begin", "on_train_batch_end", "on_epoch_end"])
@pytest.mark.parametrize("own_step", [False, True])
def test_an_interrupt_that_python_could_not_raise_is_raised_at_the_next_batch(hook, own_step):
    model, drops, hook_before = make(), DropsAfter(hook), sys.unraisablehook
    model.run_eagerly = own_step
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=16, epochs=5, verbose=0, callbacks=[drops])
    assert drops.told
    assert model.optimizer.iterations == {"on_train_batch_begin": 2, "on_train_batch_end": 2, "on_epoch_end": 8}[hook]
    assert sys.unraisablehook is hook_before
    model.fit(X, Y, verbose=0)


def test_an_interrupt_that_python_could_not_raise_in_the_last_batch_is_raised_at_the_end():
    model = make()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=32, verbose=0, callbacks=[DropsAfter("on_train_batch_end")])
    assert model.optimizer.iterations == 2


def test_other_exceptions_that_python_cannot_raise_are_left_to_it():
    class Fails:
        def __del__(self):
            raise ValueError("lost")

    class Drops(cconv.callbacks.Callback):
        def on_train_begin(self, logs=None):
            Fails()

    heard = []
    hook_before, sys.unraisablehook = sys.unraisablehook, lambda unraisable: heard.append(unraisable.exc_type)
    try:
        make().fit(X, Y, verbose=0, callbacks=[Drops()])
    finally:
        sys.unraisablehook = hook_before
    assert heard == [ValueError]
