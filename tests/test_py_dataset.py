"""Batches of a `PyDataset` made by threads and processes: order, errors, hooks, ends; and a word where data is slow."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import cconv

CAN_FORK = "fork" in multiprocessing.get_all_start_methods()
WORKERS = [
    {},
    {"workers": 0},
    {"workers": 3},
    {"workers": 3, "max_queue_size": 1},
    pytest.param({"workers": 2, "use_multiprocessing": True}, marks=pytest.mark.skipif(not CAN_FORK, reason="no fork")),
    pytest.param({"use_multiprocessing": True}, marks=pytest.mark.skipif(not CAN_FORK, reason="no fork")),
]


class Numbered(cconv.utils.PyDataset):
    """Batch i holds its number, how many epochs have ended, and the process that made it."""

    def __init__(self, size=9, fail=None, **kwargs):
        super().__init__(**kwargs)
        self.size, self.fail, self.epoch, self.calls = size, fail, 0, []

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        if index == self.fail:
            raise ZeroDivisionError("nothing goes into nought")
        time.sleep(0.003 * ((7 * index) % 3))
        x = np.full((2, 2), index, np.float32)
        x[:, 1] = 100 * self.epoch
        return x, np.full((2, 1), os.getpid() % 1000)

    def on_epoch_begin(self):
        self.calls.append("begin")

    def on_epoch_end(self):
        self.calls.append("end")
        self.epoch += 1


class Seen(cconv.layers.Layer):
    """Hands its input on, so that `predict` returns what the data set gave."""

    def call(self, x):
        return x + 0.0


def seen():
    return cconv.Sequential([cconv.Input((2,)), Seen()])


def linear():
    cconv.utils.set_random_seed(1)
    model = cconv.Sequential([cconv.Input((2,)), cconv.layers.Dense(1)])
    model.compile(cconv.optimizers.SGD(1e-5), "mse")
    return model


@pytest.mark.parametrize("options", WORKERS)
def test_batches_come_in_order(options):
    data = Numbered(**options)
    assert list(seen().predict(data, verbose=0)[::2, 0]) == list(range(9))
    pids = {float(y[0, 0]) for _, y in cconv.utils.py_dataset.batches_of(data, range(9))}
    assert (pids == {os.getpid() % 1000}) is not data.use_multiprocessing


@pytest.mark.parametrize("options", WORKERS)
def test_training_is_the_same_with_any_workers_and_hooks_are_called(options):
    class Same(Numbered):
        def __getitem__(self, index):
            return super().__getitem__(index)[0], np.full((2, 1), self.epoch, np.float32)

    results = []
    for kwargs in ({}, options):
        data = Same(**kwargs)
        model = linear()
        history = model.fit(data, epochs=3, verbose=0).history["loss"]  # shuffled
        results.append((history, [w.tolist() for w in model.get_weights()]))
        assert data.calls == ["begin", "end"] * 3
    assert results[0] == results[1]


@pytest.mark.parametrize("options", WORKERS)
def test_errors_come_out(options):
    data = Numbered(fail=4, **options)
    words = r"Numbered\[4\]: nothing goes" if data.workers > 1 or data.use_multiprocessing else "nothing goes"
    with pytest.raises(ZeroDivisionError, match=words):
        linear().fit(data, verbose=0, shuffle=False)
    assert linear().fit(Numbered(**options), verbose=0).history["loss"]


@pytest.mark.parametrize("options", WORKERS)
def test_a_data_set_without_end(options):
    class Endless(Numbered):
        @property
        def num_batches(self):
            return None

    model = linear()
    assert len(model.fit(Endless(**options), steps_per_epoch=3, epochs=2, verbose=0).history["loss"]) == 2


def test_threads_work_at_the_same_time_and_end():
    both = threading.Barrier(2, timeout=60)

    class Meeting(Numbered):
        def __getitem__(self, index):
            both.wait()
            return super().__getitem__(index)

    linear().fit(Meeting(4, workers=2), verbose=0)
    end = time.monotonic() + 60
    while any(t.name == "cconv.data" for t in threading.enumerate()) and time.monotonic() < end:
        time.sleep(0.01)
    assert not any(t.name == "cconv.data" for t in threading.enumerate())


@pytest.mark.skipif(not CAN_FORK, reason="no fork")
def test_a_killed_process_is_an_error_and_not_a_wait():
    class Deadly(Numbered):
        def __getitem__(self, index):
            if index == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().__getitem__(index)

    with pytest.raises(RuntimeError, match="worker process of Deadly ended"):
        linear().fit(Deadly(workers=2, use_multiprocessing=True), verbose=0)


PROGRAM = """
    import multiprocessing, signal, sys, time
    import numpy as np
    import cconv

    class Data(cconv.utils.PyDataset):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            time.sleep({pause})
            x = cconv.ops.relu(np.full((2, 2), index, "float32"))  # the core works in a worker, too
            return x, x[:, :1]

    if __name__ == "__main__":
        multiprocessing.set_start_method("{method}")
        model = cconv.Sequential([cconv.Input((2,)), cconv.layers.Dense(1)])
        model.compile("sgd", "mse")
        x = np.zeros((4, 2), "float32")
        model.fit(x, x[:, :1], verbose=0)  # threads of the core are there
        print("ready", flush=True)
        try:
            model.fit(Data(workers=2, use_multiprocessing=True), epochs={epochs}, verbose=0)
        except KeyboardInterrupt:
            print("interrupted")
        print("done")
"""


def run(tmp_path, method, pause):
    (tmp_path / "program.py").write_text(
        textwrap.dedent(PROGRAM.format(method=method, pause=pause, epochs=2 if method == "fork" else 1))
    )
    path = os.pathsep.join([os.path.dirname(os.path.dirname(cconv.__file__)), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_program_ends(tmp_path, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method}")
    process = run(tmp_path, method, 0)
    assert process.communicate(timeout=120)[0].split() == ["ready", "done"]
    assert process.returncode == 0


@pytest.mark.skipif(not CAN_FORK, reason="no fork")
def test_ctrl_c_ends_a_program(tmp_path):
    process = run(tmp_path, "fork", 0.4)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers hear it as well
    assert process.communicate(timeout=300)[0].split() == ["interrupted", "done"]


@pytest.mark.parametrize("options", [{"workers": -1}, {"workers": 2.5}, {"max_queue_size": 0}])
def test_counts_are_checked(options):
    with pytest.raises(ValueError, match="PyDataset: expected `"):
        Numbered(**options)


# ---- a word where data is slow


class Slow(Numbered):
    def __getitem__(self, index):
        time.sleep(0.05)
        return super().__getitem__(index)


@pytest.mark.parametrize("size, verbose, said", [(9, 1, True), (9, 2, True), (9, 0, False), (2, 1, False)])
def test_the_display_says_when_data_is_the_bottleneck(capsys, monkeypatch, size, verbose, said):
    monkeypatch.setattr("cconv.callbacks.progbar_logger._WORTH_A_WORD", 0.2)
    model = linear()
    model.fit(Numbered(1), verbose=0)  # planned now: an epoch of nothing but waiting follows
    model.fit(Slow(size), epochs=1, verbose=verbose)
    out = capsys.readouterr().out
    assert ("Data was the bottleneck: training waited for it" in out) is said
    x = np.zeros((8, 2), np.float32)
    linear().fit(x, x[:, :1], epochs=2, verbose=1)
    assert "bottleneck" not in capsys.readouterr().out
