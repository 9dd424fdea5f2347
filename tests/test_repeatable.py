"""One seed, one result: trained weights are equal bit for bit, whatever the number of threads."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

import cconv
from cconv import layers


def train(seed=5):
    """Trains a network with everything random in it; returns a hash of all weights and of the losses."""
    cconv.utils.set_random_seed(seed)
    random = np.random.default_rng(0)
    x = random.normal(size=(90, 14, 14, 3)).astype(np.float32)
    y = random.integers(0, 4, 90)
    model = cconv.Sequential(
        [
            cconv.Input((14, 14, 3)),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Conv2D(12, 3, strides=2, kernel_regularizer="l2"),
            layers.Flatten(),
            layers.Dense(20, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, batch_size=16, epochs=3, validation_split=0.2, verbose=0).history
    bits = hashlib.sha256()
    for weight in model.get_weights():
        bits.update(weight.tobytes())
    bits.update(repr(history).encode())
    return bits.hexdigest()


@pytest.fixture
def restore_threads():
    before = cconv.get_num_threads()
    yield
    cconv.set_num_threads(before)


def test_same_seed_same_weights(restore_threads):
    assert train() == train()
    assert train() != train(seed=6)


def test_threads_do_not_matter_in_one_process(restore_threads):
    hashes = []
    for threads in (1, 2, 3):
        cconv.set_num_threads(threads)
        hashes.append(train())
    assert len(set(hashes)) == 1


def test_threads_and_processes_do_not_matter():
    root = os.path.dirname(os.path.dirname(os.path.abspath(cconv.__file__)))
    program = "import sys; sys.path.insert(0, sys.argv[1]); import test_repeatable; print(test_repeatable.train())"
    hashes = {train()}
    for threads in ("1", "2"):
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "PYTHONPATH": root, "PYTHONHASHSEED": threads}
        command = [sys.executable, "-c", program, os.path.dirname(os.path.abspath(__file__))]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, result.stderr
        hashes.add(result.stdout.strip())
    assert len(hashes) == 1


def test_looking_does_not_change_the_result():
    """Callbacks, display and evaluation draw no random numbers of the training."""

    def fit(**arguments):
        cconv.utils.set_random_seed(1)
        x = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
        y = np.arange(40) % 3
        model = cconv.Sequential([cconv.Input((6,)), layers.Dropout(0.5), layers.Dense(3, activation="softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(x, y, epochs=3, **arguments)
        return model.get_weights()

    watch = cconv.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)
    plain = fit(verbose=0)
    for other in (fit(verbose=2), fit(verbose=0, callbacks=[watch])):
        for ours, theirs in zip(plain, other):
            np.testing.assert_array_equal(ours, theirs)


def test_dropout_drops_anew_in_every_step():
    cconv.utils.set_random_seed(2)
    model = cconv.Sequential([cconv.Input((200,)), layers.Dropout(0.5)])
    losses = []
    model.compile(cconv.optimizers.SGD(0.0), "mse")
    watch = cconv.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: losses.append(logs["loss"]))
    model.fit(np.ones((4, 200)), np.zeros((4, 200)), batch_size=4, epochs=5, verbose=0, callbacks=[watch])
    assert len(set(losses)) > 1


def test_dropout_called_in_training_mode_drops_in_predict_too():
    inputs = cconv.Input((200,))
    model = cconv.Model(inputs, layers.Dropout(0.5)(inputs, training=True))
    x = np.ones((4, 200), np.float32)
    cconv.utils.set_random_seed(2)
    first, second = model.predict(x, verbose=0), model.predict(x, verbose=0)
    assert (first == 0).any() and not np.array_equal(first, second)
    cconv.utils.set_random_seed(2)
    np.testing.assert_array_equal(model.predict(x, verbose=0), first)
