"""`cconv.data.Dataset`: its elements, their order on any number of threads, errors, and threads that end."""

import gc
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import cconv
from cconv.data import AUTOTUNE, INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Dataset


def ints(data):
    return [int(x) for x in data]


def numbers(n=7):
    return Dataset.range(n)


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        gc.collect()
        time.sleep(0.005)
    return condition()


def working():
    return sum(thread.name == "cconv.data" for thread in threading.enumerate())


# ---- elements


def test_slices_keep_their_structure():
    x, y = np.arange(6).reshape(3, 2), [1.0, 2.0, 3.0]
    for (a, b), c, d in zip(Dataset.from_tensor_slices((x, y)), x, y, strict=True):
        np.testing.assert_array_equal(a, c)
        assert b == d
    nested = list(Dataset.from_tensor_slices({"in": (x, x + 1), "w": np.array(y)}))
    assert list(nested[1]) == ["in", "w"]
    np.testing.assert_array_equal(nested[1]["in"][1], x[1] + 1)
    assert len(Dataset.from_tensor_slices((x, y))) == 3


@pytest.mark.parametrize("bad", [(), 3.0, (np.zeros(3), np.zeros(4)), {"a": np.zeros(2), "b": 1}])
def test_slices_need_rows_of_one_length(bad):
    with pytest.raises(ValueError, match="all of one length. Received shapes"):
        Dataset.from_tensor_slices(bad)


def test_rows_of_an_hdf5_file(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        stored = file.create_dataset("x", data=np.arange(6.0).reshape(3, 2), chunks=(1, 2))
        data = Dataset.from_tensor_slices((stored, [0, 1, 2])).batch(2)
        np.testing.assert_array_equal(next(iter(data))[0], [[0, 1], [2, 3]])


def test_a_generator_begins_anew_in_each_pass():
    data = Dataset.from_generator(lambda n: (i * i for i in range(n)), args=(4,))
    assert list(data) == list(data) == [0, 1, 4, 9]
    assert data.cardinality() == UNKNOWN_CARDINALITY
    with pytest.raises(TypeError, match="function that returns a generator"):
        Dataset.from_generator(i for i in range(3))


def test_files(tmp_path):
    for name in ("b.txt", "a.txt", "c.bin"):
        (tmp_path / name).write_text(name)
    data = Dataset.list_files(str(tmp_path / "*.txt"), shuffle=False)
    assert [Path(name).read_text() for name in data] == ["a.txt", "b.txt"]
    assert sorted(Dataset.list_files([str(tmp_path / "*.txt"), str(tmp_path / "c*")], seed=3))[2].endswith("c.bin")
    with pytest.raises(ValueError, match="expected a pattern that files match"):
        Dataset.list_files(str(tmp_path / "*.png"))


def test_which_elements():
    assert ints(numbers().take(3)) == [0, 1, 2]
    assert ints(numbers().skip(5)) == [5, 6]
    assert ints(numbers().take(-1)) == list(range(7))
    assert ints(numbers().skip(-1)) == []
    assert ints(numbers(2).repeat(3)) == [0, 1] * 3
    assert ints(numbers(2).repeat().take(5)) == [0, 1, 0, 1, 0]
    assert ints(numbers().filter(lambda x: x % 3 == 0)) == [0, 3, 6]
    assert ints(numbers(2).concatenate(numbers(3))) == [0, 1, 0, 1, 2]
    assert [(i, int(x)) for i, x in numbers(2).map(lambda x: x + 5).enumerate(3)] == [(3, 5), (4, 6)]
    assert ints(numbers(0).repeat()) == []
    zipped = Dataset.zip(numbers(2), {"a": numbers(9)})
    assert [(int(x), int(d["a"])) for x, d in zipped] == [(0, 0), (1, 1)]


def test_how_many_elements_there_are_is_known_without_a_pass():
    unknown = numbers().filter(bool)
    endless = numbers().repeat()
    known = [
        (numbers().batch(2), 4),
        (numbers().batch(2, drop_remainder=True), 3),
        (numbers().take(3).repeat(2), 6),
        (numbers().skip(9), 0),
        (endless, INFINITE_CARDINALITY),
        (endless.batch(3).map(lambda x: x), INFINITE_CARDINALITY),
        (endless.take(4), 4),
        (endless.filter(bool), INFINITE_CARDINALITY),
        (unknown, UNKNOWN_CARDINALITY),
        (unknown.batch(2).shuffle(2), UNKNOWN_CARDINALITY),
        (unknown.repeat(), INFINITE_CARDINALITY),
        (unknown.concatenate(endless), INFINITE_CARDINALITY),
        (Dataset.zip(numbers(3), endless), 3),
        (Dataset.zip(endless, endless), INFINITE_CARDINALITY),
        (numbers().batch(2).unbatch(), UNKNOWN_CARDINALITY),
        (numbers(0).repeat(), 0),
    ]
    for data, size in known:
        assert data.cardinality() == size
        assert bool(data)
        if size >= 0:
            assert len(data) == len(list(data)) == size
        else:
            with pytest.raises(TypeError, match="length of this data set is"):
                len(data)


def test_batches_are_stacked_and_taken_apart():
    x, y = np.arange(10.0).reshape(5, 2), np.arange(5)
    batches = list(Dataset.from_tensor_slices((x, {"y": y})).batch(2))
    assert [b.shape for b, _ in batches] == [(2, 2), (2, 2), (1, 2)]
    np.testing.assert_array_equal(batches[1][1]["y"], [2, 3])
    again = list(Dataset.from_tensor_slices((x, y)).batch(3).unbatch().batch(5))
    np.testing.assert_array_equal(again[0][0], x)
    ragged = Dataset.from_generator(lambda: iter([np.zeros(2), np.zeros(2), np.zeros(2), np.zeros(3)])).batch(2)
    with pytest.raises(ValueError, match="elements of batch 1 do not fit each other.*same shape"):
        list(ragged)


@pytest.mark.parametrize(
    "use",
    [
        lambda d: d.batch(0),
        lambda d: d.batch(2.0),
        lambda d: d.shuffle(0),
        lambda d: d.take(-2),
        lambda d: d.repeat("3"),
        lambda d: d.map(bool, num_parallel_calls=0),
        lambda d: d.prefetch(0),
    ],
)
def test_counts_are_checked(use):
    with pytest.raises(ValueError, match="to be a whole number from"):
        use(numbers())


# ---- order


def test_shuffle_is_another_order_in_each_pass_and_the_same_for_a_seed():
    a, b = numbers(50).shuffle(50, seed=3), numbers(50).shuffle(50, seed=3)
    first, second = ints(a), ints(a)
    assert first == ints(b)
    assert second == ints(b) != first
    assert sorted(first) == sorted(second) == list(range(50))
    fixed = numbers(50).shuffle(50, seed=3, reshuffle_each_iteration=False)
    assert ints(fixed) == ints(fixed) == first
    near = ints(numbers(50).shuffle(5, seed=1))
    assert sorted(near) == list(range(50))
    assert all(place >= number - 4 for place, number in enumerate(near))  # none comes before it could be in the buffer
    assert ints(numbers(50).shuffle(50)) != ints(numbers(50).shuffle(50))


def test_the_global_seed_repeats_it():
    runs = []
    for _ in range(2):
        cconv.utils.set_random_seed(5)
        data = numbers(20).shuffle(20).map(lambda x: (x, cconv.random.SeedGenerator().next()), num_parallel_calls=3)
        runs.append([list(data), list(data)])
    assert runs[0] == runs[1]
    assert runs[0][0] != runs[0][1]


@pytest.mark.parametrize("threads", [1, 2, 5, AUTOTUNE])
def test_threads_change_nothing(threads):
    generator = cconv.random.SeedGenerator(4)

    def draw(x):
        time.sleep(0.001 * ((7 * int(x)) % 3))
        return int(x), generator.next()

    def passes(n):
        cconv.utils.set_random_seed(8)
        data = numbers(24).map(draw, num_parallel_calls=n)
        return [list(data), list(data)]

    assert passes(threads) == passes(None)


def test_equal_shares_of_a_shuffle_are_equally_likely():
    firsts = np.bincount([ints(numbers(4).shuffle(4, seed=i))[0] for i in range(400)], minlength=4)
    assert firsts.min() > 65


# ---- ahead


def test_cache_keeps_a_whole_pass():
    calls = []
    data = numbers(4).map(lambda x: calls.append(x) or x).cache()
    list(data.take(2))
    assert len(calls) == 2
    assert ints(data) == ints(data) == [0, 1, 2, 3]
    assert len(calls) == 6


def test_prefetch_is_ahead_by_so_many():
    made = []
    iterator = iter(numbers(50).map(lambda x: made.append(x) or x).prefetch(3))
    assert next(iterator) == 0
    assert until(lambda: len(made) == 5)  # one is out, three wait, one has no place yet
    time.sleep(0.02)
    assert len(made) == 5
    assert ints(iterator) == list(range(1, 50))
    assert ints(numbers(5).prefetch(AUTOTUNE)) == list(range(5))


def test_threads_work_at_the_same_time():
    both = threading.Barrier(2, timeout=60)
    assert ints(numbers(4).map(lambda x: both.wait() * 0 + x, num_parallel_calls=2)) == [0, 1, 2, 3]


@pytest.mark.parametrize("leave", ["dropped", "closed", "ended", "error"])
def test_threads_end_with_the_iterator(leave):
    def slow(x):
        if leave == "error" and x == 3:
            raise ValueError("no")
        return x

    assert until(lambda: not working())
    data = numbers(100).map(slow, 3).batch(2).prefetch(2).map(lambda x: x, 2)
    iterator = iter(data)
    next(iterator)
    assert working() or leave == "error"
    if leave == "closed":
        iterator.close()
    elif leave == "ended":
        list(iterator)
    elif leave == "error":
        with pytest.raises(ValueError, match="map: element 3: no"):
            list(iterator)
    del iterator
    assert until(lambda: not working())


class OwnError(Exception):
    pass


@pytest.mark.parametrize("threads", [None, 3])
def test_errors_say_which_element(threads):
    def of(error):
        def fail(x):
            if x == 4:
                raise error
            return x

        return numbers().map(fail, threads).prefetch(2)

    seen = []
    with pytest.raises(FileNotFoundError, match="map: element 4: gone") as caught:
        for x in of(FileNotFoundError("gone")):
            seen.append(int(x))
    assert seen == [0, 1, 2, 3]
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    with pytest.raises(RuntimeError, match="map: element 4: OwnError: mine"):
        list(of(OwnError("mine")))
    with pytest.raises(RuntimeError, match="element 4: StopIteration"):
        list(of(StopIteration()))
    with pytest.raises(UnboundLocalError, match="filter: element 0: x"):
        list(numbers().filter(lambda x: (_ for _ in ()).throw(UnboundLocalError("x"))))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")
@pytest.mark.parametrize("step", ["map", "prefetch"])
def test_ctrl_c_while_waiting(step):
    stop = threading.Event()
    data = numbers().map(lambda x: stop.wait(30), 2 if step == "map" else None)
    iterator = iter(data if step == "map" else data.prefetch(1))
    old = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            next(iterator)
        assert time.monotonic() - start < 20  # not the 30 s that the element takes
    finally:
        signal.signal(signal.SIGALRM, old)
        stop.set()


# ---- models


def test_a_model_learns_from_it_what_it_learns_from_arrays():
    x = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int32)

    def fitted(*args, **kwargs):
        cconv.utils.set_random_seed(1)
        model = cconv.Sequential([cconv.Input((6,)), cconv.layers.Dense(2, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(*args, epochs=3, verbose=0, shuffle=False, **kwargs)
        return model, history.history

    data = Dataset.from_tensor_slices((x, y)).map(lambda a, b: (a, b), 3).batch(8).prefetch(2)
    one, history = fitted(data, validation_data=data.take(3))
    two, expected = fitted(x, y, batch_size=8, validation_data=(x[:24], y[:24]))
    assert history == expected
    np.testing.assert_array_equal(one.predict(data, verbose=0), two.predict(x, batch_size=8, verbose=0))
    np.testing.assert_allclose(one.evaluate(data, verbose=0), two.evaluate(x, y, batch_size=8, verbose=0))


def test_a_data_set_without_end_needs_steps():
    x = np.zeros((4, 2), np.float32)
    data = Dataset.from_tensor_slices((x, x)).batch(2).repeat()
    model = cconv.Sequential([cconv.Input((2,)), cconv.layers.Dense(2)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="number of steps for a data set without end"):
        model.fit(data, verbose=0)
    assert len(model.fit(data, steps_per_epoch=3, epochs=2, verbose=0).history["loss"]) == 2
