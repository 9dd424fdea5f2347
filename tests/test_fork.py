"""Processes and threads beside training: forked children compute, and several threads may use one model."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import cconv
from cconv import layers

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 10, 10, 2)).astype(np.float32)
Y = RANDOM.integers(0, 3, 40)


def make():
    cconv.utils.set_random_seed(3)
    model = cconv.Sequential(
        [
            cconv.Input((10, 10, 2)),
            layers.Conv2D(6, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def in_child(function, seconds=30):
    """Runs a function in a forked child and returns the bytes it returns; fails if the child hangs or dies."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(read)
            signal.alarm(seconds)
            with os.fdopen(write, "wb") as file:
                file.write(function())
            code = 0
        finally:
            os._exit(code)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        data = file.read()
    _, status = os.waitpid(pid, 0)
    assert status == 0, f"the child ended with status {status} (a hang ends with {signal.SIGALRM})"
    return data


def bits(arrays):
    return b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_forked_child_predicts_and_trains_as_its_parent(threads):
    before = cconv.get_num_threads()
    cconv.set_num_threads(threads)
    try:
        model = make()
        model.fit(X, Y, epochs=1, verbose=0)

        def work():
            prediction = model.predict(X, verbose=0)
            cconv.utils.set_random_seed(9)
            model.fit(X, Y, epochs=2, verbose=0)
            return bits([prediction, *model.get_weights()])

        child = in_child(work)
        again = in_child(lambda: in_child(lambda: model.predict(X, verbose=0).tobytes()))
        assert child == work()
        assert again == child[: len(again)]
    finally:
        cconv.set_num_threads(before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_runs_on_one_thread():
    model = make()
    model.fit(X, Y, verbose=0)
    assert in_child(lambda: str(cconv.get_num_threads()).encode()) == b"1"


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_pool_of_forked_workers():
    model = make()
    model.fit(X, Y, verbose=0)
    expected = model.predict(X, verbose=0)
    global _shared
    _shared = model
    with multiprocessing.get_context("fork").Pool(2) as pool:
        results = pool.map_async(_predict, [0, 10, 20, 30]).get(timeout=60)
    np.testing.assert_array_equal(np.concatenate(results), expected)


_shared = None


def _predict(start):
    return _shared.predict(X[start : start + 10], verbose=0)


def test_threads_predict_with_one_model():
    model = make()
    expected = model.predict(X, verbose=0)

    def predict(size):
        return model.predict(X, batch_size=size, verbose=0)

    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(predict, [40, 7, 16, 40, 1, 16, 40, 8] * 4):
            np.testing.assert_array_equal(result, expected)


def test_threads_train_models_of_their_own():
    def train(_):
        model = make_without_seed()
        model.set_weights(start)
        model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
        return model.get_weights()

    def make_without_seed():
        model = cconv.Sequential([cconv.Input((10, 10, 2)), layers.Conv2D(6, 3), layers.Flatten(), layers.Dense(3)])
        model.compile("sgd", cconv.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model

    start = make_without_seed().get_weights()
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(train, range(4)))
    for result in results[1:]:
        for ours, first in zip(result, results[0]):
            np.testing.assert_array_equal(ours, first)


def test_training_in_a_thread_that_is_not_the_main_one():
    model, errors = make(), []

    def train():
        try:
            model.fit(X, Y, verbose=0)
        except BaseException as error:  # noqa: B036 (whatever it is, the test must see it)
            errors.append(error)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join(30)
    assert not thread.is_alive() and not errors and model.optimizer.iterations == 2


FIRST_IN_THE_CHILD = """
import os
pid = os.fork()
if pid == 0:
    import cconv
    print(cconv.get_num_threads(), flush=True)
    os._exit(0)
os.waitpid(pid, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_that_loads_cconv_with_its_runtime_has_all_threads():
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(cconv.__file__)), "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-c", FIRST_IN_THE_CHILD]
    assert subprocess.run(command, env=environment, capture_output=True, text=True).stdout == "2\n"
