"""The progress line of fit, evaluate and predict: in terminals of any width, notebooks, files and pipes."""

import io
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import cconv

TOP = Path(cconv.__file__).resolve().parent.parent
CODE = textwrap.dedent(
    """
    import numpy as np, cconv
    percentage = cconv.metrics.MeanAbsolutePercentageError(name="percentage_of_the_absolute_error")
    x = np.ones((40, 2), np.float32)
    model = cconv.Sequential([cconv.Input((2,)), cconv.layers.Dense(1, name="layer")])
    model.compile("sgd", "mse", metrics=["mae", percentage, "cosine_similarity"])
    model.fit(x, x[:, :1], 4, 2, validation_data=(x, x[:, :1]))
    model.fit((x[:4], x[:4, :1]) for _ in range(3))
    model.evaluate(x, x[:, :1])
    model.predict(x)
    """
)
NAMES = ["loss", "mae", "percentage_of_the_absolute_error", "cosine_similarity"]
NAMES += [f"val_{name}" for name in NAMES]
CODES = re.compile("\x1b\\[[0-9;]*m")


def on_a_terminal(columns):
    """What the program writes to a terminal of so many columns."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")} | {"TERM": "xterm"}
    with subprocess.Popen([sys.executable, "-c", CODE], cwd=TOP, stdout=theirs, env=environment) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                read = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not read:
                break
            written += read
    os.close(ours)
    assert process.returncode == 0
    return CODES.sub("", written.decode()).replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [12, 30, 60, 100, 400])
def test_it_fits_a_terminal_of_any_width(columns):
    text = on_a_terminal(columns)
    for line in text.split("\n"):
        for drawn in line.split("\r"):
            assert len(drawn) < columns, drawn
    # What is drawn last is whole: lines below hold what the terminal was too narrow for.
    joined = text.replace("\n", "")
    for name in NAMES:
        assert f"- {name}: " in joined
    bars = [line for line in text.split("\n") if "━" in line]
    assert bool(bars) == (columns >= 30)
    if columns == 400:
        assert text.count("\n") == len(["Epoch 1/2", "bar", "Epoch 2/2", "bar", "generator", "evaluate", "predict"])


class Stream(io.TextIOWrapper):
    """Standard output in memory."""

    def __init__(self, terminal=False):
        super().__init__(io.BytesIO(), encoding="utf-8")
        self.terminal = terminal

    def isatty(self):
        return self.terminal

    def text(self):
        self.flush()
        return self.buffer.getvalue().decode()


class Cell(Stream):
    """The output of a cell of a notebook."""

    def _is_master_process(self):
        return True


def everything(monkeypatch, stream):
    monkeypatch.setattr(sys, "stdout", stream)
    exec(CODE, {})
    return stream.text()


def test_a_pipe_gets_one_line_for_each_epoch(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    text = everything(monkeypatch, Stream())
    assert "\r" not in text and "\x1b" not in text
    lines = text.splitlines()
    heads = [line.split(" - ")[0] for line in lines]
    assert heads == ["Epoch 1/2", "10/10", "Epoch 2/2", "10/10", "3/3", "2/2", "2/2"]
    assert all(f" - {name}: " in lines[1] and f" - {name}: " in lines[3] for name in NAMES)
    assert lines[-1].count(":") == 0  # predictions have no metrics


def test_a_notebook_redraws_its_line_whole(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    lines = CODES.sub("", everything(monkeypatch, Cell())).split("\n")
    final = [line.split("\r")[-1] for line in lines if "\r" in line]
    assert len(final) == 5 and all("━" * 20 in line for line in final)
    assert all(f" - {name}: " in line for name in NAMES for line in final[:2])


def test_a_terminal_that_became_narrower(monkeypatch):
    terminal = Stream(terminal=True)
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("NO_COLOR", "1")
    bar = cconv.utils.Progbar(10, interval=0, stateless_metrics=())
    for step, columns in enumerate([80, 50, 20, 10, 5, 1, 5, 80], 1):
        monkeypatch.setenv("COLUMNS", str(columns))
        before = len(terminal.text())
        bar.update(step, [("loss", 0.5), ("accuracy", np.pi)])
        drawn = terminal.text()[before:]
        assert drawn.startswith("\r") and len(drawn) - 1 <= max(1, columns - 1)
    assert "loss: 0.5000 - accuracy: 3.1416" in drawn
