"""Seeds, labels, the progress bar and PyDataset."""

import io
import random
import sys

import numpy as np
import pytest

import cconv
from cconv.utils import Progbar, PyDataset, normalize, pack_x_y_sample_weight, to_categorical, unpack_x_y_sample_weight


def test_to_categorical():
    np.testing.assert_array_equal(to_categorical([2, 0, 1]), np.eye(3)[[2, 0, 1]])
    np.testing.assert_array_equal(to_categorical([[1], [0]], 2), [[0, 1], [1, 0]])
    assert to_categorical(np.zeros((2, 3)), num_classes=4).shape == (2, 3, 4)
    assert to_categorical([1.0, 0.0], 3).shape == (2, 3)


@pytest.mark.parametrize(
    "x, classes, words",
    [
        ([0, 3], 3, ["0 to 2", "0 to 3"]),
        ([-1, 0], 3, ["0 to 2", "-1 to 0"]),
        ([0.5], None, ["integers", "float64"]),
        (["a"], None, ["integers"]),
        ([], None, ["num_classes"]),
    ],
)
def test_to_categorical_refuses(x, classes, words):
    with pytest.raises(ValueError) as caught:
        to_categorical(x, classes)
    for word in words:
        assert word in str(caught.value)


def test_normalize():
    np.testing.assert_allclose(normalize([[3.0, 4.0], [0.0, 0.0]]), [[0.6, 0.8], [0, 0]])
    np.testing.assert_allclose(normalize(np.array([[1.0, 3.0]]), order=1), [[0.25, 0.75]])
    np.testing.assert_allclose(normalize(np.array([[3.0], [4.0]]), axis=0), [[0.6], [0.8]])


def test_set_random_seed_repeats_everything():
    def draw():
        cconv.utils.set_random_seed(11)
        layer = cconv.layers.Dense(3)
        layer.build((None, 4))
        return random.random(), np.random.rand(), layer.get_weights()[0].tolist(), cconv.random.next_seed()

    assert draw() == draw()
    assert cconv.utils.get_random_seed() == 11


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "1", True, None])
def test_set_random_seed_refuses(seed):
    with pytest.raises(ValueError, match="seed"):
        cconv.utils.set_random_seed(seed)


def test_pack_and_unpack():
    assert unpack_x_y_sample_weight("x") == ("x", None, None)
    assert unpack_x_y_sample_weight(("x", "y", "w")) == ("x", "y", "w")
    assert unpack_x_y_sample_weight(pack_x_y_sample_weight("x", "y")) == ("x", "y", None)
    with pytest.raises(ValueError, match="4 elements"):
        unpack_x_y_sample_weight((1, 2, 3, 4))


def test_pydataset():
    class Three(PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return index, index

    assert list(Three()) == [(0, 0), (1, 1), (2, 2)]
    with pytest.raises(ValueError, match="workers"):
        Three(workers=-1)
    with pytest.raises(TypeError, match="__len__"):
        len(PyDataset())


def test_progbar_averages_and_shows_as_is(capsys):
    bar = Progbar(3, verbose=2, stateful_metrics=["lr"])
    for step, (loss, rate) in enumerate([(1.0, 0.1), (2.0, 0.01), (6.0, 1e-5)], 1):
        bar.update(step, [("loss", loss), ("lr", rate)])
    line = capsys.readouterr().out
    assert line.startswith("3/3 - 0s -") and line.endswith(" - loss: 3.0000 - lr: 1.0000e-05\n")


def test_progbar_refuses_two_kinds_of_names():
    with pytest.raises(ValueError, match="Only one"):
        Progbar(3, stateful_metrics=["a"], stateless_metrics=["b"])


def test_progbar_of_unknown_length(capsys):
    bar = Progbar(None, verbose=1)
    bar.update(1, [("loss", 1.0)])
    bar.update(2, [("loss", 3.0)], finalize=True)
    assert capsys.readouterr().out.startswith("2/Unknown - ")


def test_progbar_gives_way_on_a_narrow_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    bar = Progbar(10, interval=0)
    for step in range(1, 11):
        bar.update(step, [("loss", 0.5)])
    lines = terminal.getvalue().split("\r")
    assert len(lines) == 11 and all(len(line.rstrip()) < 40 for line in lines)
    assert "━" in lines[-1]
