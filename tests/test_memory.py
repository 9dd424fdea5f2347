"""Memory: steps allocate nothing in the core, and nothing piles up over many calls."""

import gc
import os

import numpy as np
import pytest

import cconv
from cconv import _core, layers


def make():
    model = cconv.Sequential(
        [
            cconv.Input((None, None, 1)),
            layers.Conv2D(8, 3, activation="relu", padding="same"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Dropout(0.3),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def images(n=50, size=12):
    random = np.random.default_rng(n * size)
    return random.normal(size=(n, size, size, 1)).astype(np.float32), random.integers(0, 3, n)


def test_the_second_and_later_steps_allocate_nothing():
    counts = []
    watch = cconv.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: counts.append(_core.allocations()))
    x, y = images(50)
    make().fit(x, y, batch_size=16, epochs=3, verbose=0, callbacks=[watch])
    assert len(counts) == 12
    # The smaller last batch of an epoch is among them.
    assert counts[-1] == counts[0], f"allocations after each step: {counts}"


def test_evaluate_and_predict_allocate_nothing_the_second_time():
    x, y = images(50)
    model = make()
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    before = _core.allocations()
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    model.predict(x[:33], batch_size=32, verbose=0)
    assert _core.allocations() == before


def test_a_second_fit_uses_the_plans_of_the_first():
    x, y = images(50)
    model = make()
    model.fit(x, y, batch_size=16, validation_split=0.2, verbose=0)
    before = _core.allocations()
    model.fit(x, y, batch_size=16, validation_split=0.2, epochs=2, verbose=0)
    assert _core.allocations() == before


def test_batches_of_all_sizes_share_few_plans():
    x, y = images(64)
    model = make()
    for n in range(33, 65):
        model.train_on_batch(x[:n], y[:n])
    before = _core.allocations()
    for n in range(33, 65):
        model.train_on_batch(x[:n], y[:n])
        model.test_on_batch(x[:n], y[:n]) if n == 33 else None
    model.test_on_batch(x, y)
    assert _core.allocations() - before < 200
    assert len(model._trainer.planner.programs) == 2


def test_the_number_of_plans_is_bounded():
    model = make()
    for size in range(6, 30):
        model.predict_on_batch(np.zeros((1, size, size, 1), np.float32))
    assert len(model._trainer.planner.programs) <= 8


def resident():
    """Bytes of this process in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc")


@pytest.mark.slow
@needs_proc
def test_random_shapes_do_not_pile_up():
    model = make()
    random = np.random.default_rng(0)

    def calls(count):
        for _ in range(count):
            n, h, w = random.integers(1, 9), random.integers(4, 33), random.integers(4, 33)
            x = np.zeros((n, h, w, 1), np.float32)
            model.predict_on_batch(x)
            model.train_on_batch(x, np.zeros(n, np.int64))

    calls(60)
    gc.collect()
    before = resident()
    calls(200)
    gc.collect()
    assert resident() - before < 8 * 2**20


@pytest.mark.slow
@needs_proc
def test_models_that_are_gone_leave_nothing():
    x, y = images(8)

    def live(count):
        for _ in range(count):
            make().fit(x, y, verbose=0)
        gc.collect()

    live(30)
    before = resident()
    live(150)
    assert resident() - before < 6 * 2**20


def test_data_is_not_copied_when_it_is_in_order():
    x, y = images(40)
    model = make()
    data = model._trainer.feeder.data(x, y)
    assert data.arrays[0] is x and data.arrays[1] is y
    assert data.part(10, 5).arrays[0] is x


def test_results_outlive_their_model():
    x, _ = images(4)
    prediction = make().predict(x, verbose=0)
    copy = prediction.copy()
    gc.collect()
    np.testing.assert_array_equal(prediction, copy)
