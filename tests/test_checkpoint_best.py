"""ModelCheckpoint(save_best_only=True) on files that exist already."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import cconv
from cconv.callbacks import ModelCheckpoint

TOP = Path(cconv.__file__).resolve().parent.parent
BOTH = pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])


def model(weight):
    made = cconv.Sequential([cconv.Input((1,)), cconv.layers.Dense(1, use_bias=False)])
    made.compile(cconv.optimizers.SGD(0.0), "mse", metrics=["mae"])
    made.set_weights([np.array([[weight]], np.float32)])
    return made


def trained(path, weight, epochs=1, **arguments):
    """Trains a model whose val_loss is weight squared, and returns the weight that the file holds."""
    callback = ModelCheckpoint(path, save_best_only=True, save_weights_only=path.endswith(".h5"), **arguments)
    x = np.ones((4, 1), np.float32)
    model(weight).fit(x, x * 0, epochs=epochs, validation_data=(x, x * 0), callbacks=[callback], verbose=0)
    return stored(path)


def stored(path):
    if not Path(path).exists():
        return None
    made = model(0.0)
    made.load_weights(path)
    return float(made.get_weights()[0][0, 0])


@BOTH
def test_a_worse_model_does_not_replace_the_file_of_an_earlier_training(suffix, tmp_path):
    path = str(tmp_path / f"best{suffix}")
    assert trained(path, 2.0) == 2.0
    assert trained(path, 3.0) == 2.0
    assert trained(path, 2.0) == 2.0
    assert trained(path, 1.0) == 1.0
    assert trained(path, 1.5) == 1.0


@pytest.mark.slow
@BOTH
def test_a_new_process_knows_what_the_file_was_kept_for(suffix, tmp_path):
    path = str(tmp_path / f"best{suffix}")
    assert trained(path, 2.0) == 2.0
    code = f"import sys; sys.path.insert(0, {str(TOP / 'tests')!r}); from test_checkpoint_best import trained; "
    for weight, expected in ((3.0, 2.0), (1.0, 1.0), (2.0, 1.0)):
        program = code + f"assert trained({path!r}, {weight}) == {expected}"
        subprocess.run([sys.executable, "-c", program], cwd=TOP, check=True)


def test_of_a_value_that_is_better_when_high(tmp_path):
    path = str(tmp_path / "best.keras")
    arguments = {"monitor": "val_mae", "mode": "max"}
    assert trained(path, 2.0, **arguments) == 2.0
    assert trained(path, 1.0, **arguments) == 2.0
    assert trained(path, 3.0, **arguments) == 3.0


def test_another_value_is_no_reason_to_keep_a_file(tmp_path):
    path = str(tmp_path / "best.keras")
    assert trained(path, 1.0, monitor="val_mae", mode="max") == 1.0
    assert trained(path, 2.0) == 2.0


@BOTH
def test_files_that_tell_of_no_value_are_replaced(suffix, tmp_path):
    path = tmp_path / f"best{suffix}"
    save = "save" if suffix == ".keras" else "save_weights"
    getattr(model(1.0), save)(path)
    assert trained(str(path), 2.0) == 2.0
    path.write_bytes(path.read_bytes()[:-10])
    assert trained(str(path), 3.0) == 3.0


def test_only_checkpoints_tell_of_a_value(tmp_path):
    path = str(tmp_path / "best.weights.h5")
    trained(path, 2.0)
    with h5py.File(path) as file:
        assert file.attrs["cconv_reached_val_loss"] == 4.0
    made = model(0.0)
    made.load_weights(path)
    made.save_weights(path)
    with h5py.File(path) as file:
        assert list(file.attrs) == ["cconv_training_seed"]


def test_the_threshold_and_the_file_must_both_be_beaten(tmp_path):
    path = str(tmp_path / "best.keras")
    assert trained(path, 2.0, initial_value_threshold=3.9) is None
    assert trained(path, 2.0, initial_value_threshold=4.1) == 2.0
    assert trained(path, 1.9, initial_value_threshold=3.0) == 2.0
    assert trained(path, 2.1, initial_value_threshold=9.0) == 2.0
    assert trained(path, 1.5, initial_value_threshold=3.0) == 1.5


def test_files_named_by_epoch_are_replaced_by_better_ones_only(tmp_path):
    path = str(tmp_path / "{epoch}.keras")
    trained(path, 2.0)
    trained(path, 3.0, epochs=2)
    assert stored(str(tmp_path / "1.keras")) == 2.0 and stored(str(tmp_path / "2.keras")) is None
    trained(path, 1.0)
    assert stored(str(tmp_path / "1.keras")) == 1.0
