"""A training that was killed goes on from its backup and ends as it would have ended, bit for bit."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import cconv
from cconv.callbacks import BackupAndRestore, Callback, EarlyStopping, LearningRateScheduler, ReduceLROnPlateau
from cconv.saving.backup import read_backup, write_backup

X = np.random.default_rng(0).random((50, 6), np.float32)
Y = np.random.default_rng(1).integers(0, 3, 50)


class Interrupt(Callback):
    """Raises before a batch of the training, counted from 1."""

    def __init__(self, batch):
        super().__init__()
        self.left = batch

    def on_train_batch_begin(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise InterruptedError


class Batches(cconv.utils.PyDataset):
    read = 0

    def __len__(self):
        return 5

    def __getitem__(self, i):
        Batches.read += 1
        return X[i * 10 : i * 10 + 10], Y[i * 10 : i * 10 + 10]


def generator():
    while True:
        rows = np.random.choice(50, 10)
        yield X[rows] + np.random.normal(size=(10, 6)), Y[rows]


class Again:
    """Batches in another random order in each pass."""

    def __iter__(self):
        for i in np.random.permutation(5):
            yield X[i * 10 : i * 10 + 10], Y[i * 10 : i * 10 + 10]


DATA = {
    "arrays": {"x": X, "y": Y, "batch_size": 8},
    "in order": {"x": X, "y": Y, "batch_size": 8, "shuffle": False},
    "whole batches": {"x": X, "y": Y, "batch_size": 8, "shuffle": "batch"},
    "steps": {"x": X, "y": Y, "batch_size": 8, "steps_per_epoch": 5},
    "data set": {"x": Batches},
    "generator": {"x": generator, "steps_per_epoch": 5},
    "iterable": {"x": Again},
    "iterable by steps": {"x": Again, "steps_per_epoch": 4},
}


def fit(data, *callbacks, optimizer="adam"):
    cconv.utils.set_random_seed(3)
    layers = [cconv.layers.Dense(8, "relu"), cconv.layers.BatchNormalization(), cconv.layers.Dropout(0.3)]
    model = cconv.Sequential([cconv.layers.Input((6,)), *layers, cconv.layers.Dense(3, "softmax")])
    metrics = ["accuracy", cconv.metrics.SparseCategoricalCrossentropy()]
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=metrics)
    data = {name: value() if callable(value) else value for name, value in DATA[data].items()}
    others = [LearningRateScheduler(lambda epoch, rate: rate * 0.97), EarlyStopping("loss", patience=3)]
    others.append(ReduceLROnPlateau("val_loss", 0.5, patience=2, min_delta=10.0))
    history = model.fit(**data, epochs=4, verbose=0, callbacks=[*callbacks, *others], validation_data=(X[:9], Y[:9]))
    return model, history


def state(model, history):
    """All weights, the optimizer's state, the logs of the last epoch, and what random numbers come next."""
    arrays = [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]
    last = {name: values[-1] for name, values in history.history.items()}
    return [a.tobytes() for a in arrays], last, np.random.random(), cconv.random.SeedGenerator().next()


@pytest.mark.filterwarnings("ignore:The data ran out")
@pytest.mark.parametrize("data", DATA)
def test_goes_on_as_it_would_have(data, tmp_path):
    expected = state(*fit(data))
    for save_freq, batch in (("epoch", 8), (2, 4), (5, 6), (1, 10)) if data == "arrays" else ((2, 8),):
        with pytest.raises(InterruptedError):
            fit(data, BackupAndRestore(tmp_path / "b", save_freq), Interrupt(batch))
        assert (tmp_path / "b" / "latest.npz").exists()
        assert state(*fit(data, BackupAndRestore(tmp_path / "b", save_freq))) == expected
        assert not (tmp_path / "b").exists()


def test_survives_being_killed(tmp_path):
    program = textwrap.dedent(
        """
        import os, signal, sys
        import test_backup_and_restore as t
        class Kill(t.Callback):
            left = 8
            def on_train_batch_begin(self, batch, logs=None):
                self.left -= 1
                if self.left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        t.fit("arrays", t.BackupAndRestore(sys.argv[1], 3), Kill())
        """
    )
    folder = str(tmp_path / "backup")
    paths = [os.path.dirname(__file__), os.path.dirname(os.path.dirname(cconv.__file__))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    run = subprocess.run([sys.executable, "-c", program, folder], env=environment, capture_output=True)
    assert run.returncode == -signal.SIGKILL, run.stderr
    model, history = fit("arrays", BackupAndRestore(folder, 3))
    assert len(history.epoch) == 4  # killed in the second epoch, backed up in the first
    assert state(model, history) == state(*fit("arrays"))


def test_does_not_read_batches_of_a_data_set_again(tmp_path):
    with pytest.raises(InterruptedError):
        fit("data set", BackupAndRestore(tmp_path, 1), Interrupt(9))  # eight steps done
    Batches.read = 0
    fit("data set", BackupAndRestore(tmp_path, 1))
    assert Batches.read == 1 + 12  # one to learn the shapes, then the twelve that were left


def test_an_ended_training_does_not_begin_again(tmp_path):
    keeping = BackupAndRestore(tmp_path, delete_checkpoint=False)
    expected, _ = fit("arrays", keeping)
    model, history = fit("arrays", BackupAndRestore(tmp_path, delete_checkpoint=False))
    assert history.epoch == []
    for a, b in zip(expected.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_goes_on_from_the_backup_before_the_last_one(tmp_path):
    expected = state(*fit("arrays"))
    backup = BackupAndRestore(tmp_path, 2, double_checkpoint=True)
    with pytest.raises(InterruptedError):
        fit("arrays", backup, Interrupt(12))
    whole = (tmp_path / "latest.npz").read_bytes()
    (tmp_path / "latest.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.warns(UserWarning, match="before the last one"):
        assert state(*fit("arrays", backup)) == expected


def test_refuses_what_is_damaged(tmp_path):
    (tmp_path / "latest.npz").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(ValueError, match="cannot go on from its backup.*damaged.*Delete it"):
        fit("arrays", BackupAndRestore(tmp_path))


def test_refuses_the_backup_of_another_training(tmp_path):
    with pytest.raises(InterruptedError):
        fit("arrays", BackupAndRestore(tmp_path, 1), Interrupt(3))
    with pytest.raises(ValueError, match="another training"):
        fit("arrays", BackupAndRestore(tmp_path, 1), optimizer="sgd")


def test_refuses_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="backup_dir"):
        BackupAndRestore("")
    for freq in (0, "batch", 1.5):
        with pytest.raises((ValueError, TypeError), match="save_freq"):
            BackupAndRestore(tmp_path, save_freq=freq)


def test_leaves_other_files_alone(tmp_path):
    (tmp_path / "mine").write_text("kept")
    fit("arrays", BackupAndRestore(tmp_path))
    assert os.listdir(tmp_path) == ["mine"]


def test_a_backup_holds_what_it_was_given(tmp_path):
    given = {
        "a": [1, 2.5, None, True, "é"],
        "b": {"c": np.arange(6).reshape(2, 3)},
        "big": 2**100,
        "f": np.float32(1.5),
    }
    write_backup(tmp_path / "x.npz", given)
    found = read_backup(tmp_path / "x.npz")
    np.testing.assert_array_equal(found["b"].pop("c"), given["b"].pop("c"))
    assert found == {**given, "f": 1.5}
    np.savez(tmp_path / "y.npz", state=np.array([object()], object))
    with pytest.raises(ValueError, match="damaged, or no backup"):
        read_backup(tmp_path / "y.npz")  # nothing is unpickled
