"""Programs that are kept for later runs: what they hold has one limit, whoever owns them, and results do not notice."""

import gc
import threading

import numpy as np
import pytest

import cconv
from cconv import _core, layers, ops, program
from cconv.ops import _apply
from cconv.program import Program, ProgramCache
from cconv.tensor import Tensor

MB = 1 << 20


@pytest.fixture
def limit():
    yield cconv.config.set_program_memory
    cconv.config.set_program_memory(None)


def kept():
    return [p for cache in program._caches for p in cache._programs.values()]


def convnet():
    model = cconv.Sequential(
        [
            cconv.Input((None, None, 3)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2),
        ]
    )
    model.compile("sgd", "mse")
    return model


def images(size, n=8):
    return np.random.default_rng(size).random((n, size, size, 3), np.float32)


class Work:
    """Calls of every owner of programs, with sizes that differ from turn to turn."""

    def __init__(self):
        self.models = [convnet(), convnet()]
        self.layer = layers.Conv2D(8, 3)
        self.optimizer = cconv.optimizers.SGD(0.1)
        self.variables = [cconv.Variable(np.ones(100_000 + i)) for i in range(3)]

    def turn(self, i):
        size = 32 + 4 * i
        x, y = images(size), np.zeros((8, 2), np.float32)
        for model in self.models:
            yield model.train_on_batch(x, y)
            yield model.test_on_batch(x, y)
            yield model.predict_on_batch(x)
            yield model.predict(x, batch_size=4, verbose=0)
            yield model(x)
        yield self.layer(x)
        yield ops.relu(np.ones(300_000 + i, np.float32))
        yield _apply.gradient("square", [np.ones(200_000 + i, np.float32)], {}, np.ones(200_000 + i), 0)
        yield self.optimizer.apply([np.ones(100_000 + i)], [self.variables[i]])


def test_one_limit_for_steps_predictions_layers_and_functions(limit):
    gc.collect()
    work = Work()
    before = program.kept_bytes()
    for i in range(3):
        for _ in work.turn(i):
            pass
    assert program.kept_bytes() - before > 40 * MB, "not a test: too little is kept to pass the limit"
    limit(16 * MB)
    full = 0
    for i in range(3):
        for _ in work.turn(i):
            assert program.kept_bytes() <= 16 * MB or len(kept()) == 1
            full = max(full, program.kept_bytes())
    assert full > 8 * MB, "far more is dropped than must be"


def test_every_kind_of_program_counts():
    """What one turn adds: none of the owners keeps anything that is not in the sum."""
    gc.collect()
    cconv.utils.clear_session()
    work = Work()
    for _ in work.turn(0):
        pass
    owners = [m._trainer.planner.programs for m in work.models]
    owners += [m._array_calls._programs for m in work.models]
    owners += [work.layer._array_calls._programs, _apply._programs, work.optimizer._programs]
    for cache in owners:
        assert cache in program._caches
        assert len(cache) and all(p.bytes > 0 for _, p in cache.items())
    assert {key[1] for key, _ in owners[0].items()} == {"train", "test", "predict"}


def test_results_do_not_depend_on_the_limit(limit):
    results = []
    for bytes_ in (None, 0):
        limit(bytes_)
        cconv.utils.set_random_seed(3)
        cconv.utils.clear_session()
        model = convnet()
        history = model.fit(images(16, 40), np.ones((40, 2)), batch_size=16, epochs=3, validation_split=0.25, verbose=0)
        results.append((history.history, model.get_weights(), model.predict(images(20), verbose=0), model(images(20))))
    assert results[0][0] == results[1][0]
    for one, other in zip(results[0][1:], results[1][1:], strict=True):
        np.testing.assert_array_equal(
            np.concatenate([np.ravel(a) for a in one]), np.concatenate(list(map(np.ravel, other)))
        )


def test_epochs_with_validation_are_planned_once():
    counts = []
    watch = cconv.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: counts.append(_core.allocations()))
    convnet().fit(
        images(16, 40), np.ones((40, 2)), batch_size=16, epochs=4, validation_split=0.25, verbose=0, callbacks=[watch]
    )
    assert counts[0] == counts[-1]


def filled(size, key, cache):
    x = Tensor((size,))
    return cache.get(key, lambda: Program([Tensor((size,), op="exp", inputs=(x,))], [x]))


def test_those_unused_for_longest_go_first_whoever_owns_them(limit):
    one, other = ProgramCache(8), ProgramCache(8)
    first = filled(100_000, "a", one)
    limit(3 * first.bytes + first.bytes // 2)
    second = filled(100_000, "b", other)
    filled(100_000, "c", one)
    first.run([np.zeros(100_000, np.float32)])
    filled(100_000, "d", other)  # a run counts as a use, so that it is b that goes
    assert one.find("a") is first and one.find("c") and other.find("d")
    assert other.find("b") is None
    assert second.run([np.zeros(100_000, np.float32)])[0][0] == 1, "who holds a program may still run it"
    assert filled(100_000, "b", other) is not second
    assert one.find("c") is None


def test_the_newest_stays_however_large_it_is(limit):
    limit(0)
    cache = ProgramCache(8)
    for i in range(3):
        made = filled(50_000 + i, i, cache)
        assert [p for _, p in cache.items()] == [made] == kept()


def test_a_cache_has_a_number_of_programs_too():
    cache = ProgramCache(2)
    for i in range(4):
        filled(10 + i, i, cache)
        if i == 2:
            cache.get(1, None)
    assert [key for key, _ in cache.items()] == [1, 3]


def test_owners_that_are_gone_leave_nothing():
    cconv.utils.clear_session()
    gc.collect()
    before = program.kept_bytes(), len(kept())
    work = Work()
    for _ in work.turn(0):
        pass
    assert program.kept_bytes() > before[0]
    cconv.utils.clear_session()
    del work
    gc.collect()
    assert (program.kept_bytes(), len(kept())) == before


def test_calls_whose_program_was_dropped_plan_again(limit):
    layer = layers.Dense(3, kernel_initializer="ones")
    x = np.ones((2, 4), np.float32)
    for _ in range(3):
        layer(x)
    limit(0)
    ops.relu(np.ones(5))
    assert len(kept()) == 1
    np.testing.assert_array_equal(layer(x), np.full((2, 3), 4))


def test_several_threads_at_the_limit(limit):
    limit(0)
    model, wrong = convnet(), []
    expected = {size: model.predict_on_batch(images(size)) for size in (10, 12, 14)}

    def work(seed):
        for size in np.random.default_rng(seed).choice([10, 12, 14], 40):
            if not np.array_equal(model.predict_on_batch(images(size)), expected[size]):
                wrong.append(size)
            if ops.add(np.full(size, 2.0), seed)[0] != 2 + seed:
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_limit_is_a_number_of_bytes(limit):
    default = cconv.config.program_memory()
    assert default > 256 * MB
    limit(np.int64(5))
    assert cconv.config.program_memory() == 5
    for wrong, error in ((-1, ValueError), (1.5, TypeError), ("1 GB", TypeError)):
        with pytest.raises(error, match="limit"):
            limit(wrong)
    limit(None)
    assert cconv.config.program_memory() == default


def test_outputs_that_no_op_computes():
    x, w = Tensor((2,)), cconv.Variable([3.0, 4.0])
    y = Program([x, w.node()], [x]).run([np.array([1.0, 2.0])])
    np.testing.assert_array_equal(y, [[1, 2], [3, 4]])
