"""The examples run as their users run them; long ones shortened."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_convolution_basics(capsys):
    assert load("convolution_basics").main([]) < 1e-2
    text = capsys.readouterr().out
    assert "[[19. 25.]\n [37. 43.]]" in text


def test_paper_cnn(capsys):
    difference, loss = load("paper_cnn").main([])
    assert difference < 1e-6
    assert loss < 0.05
    assert "kernel gradient" in capsys.readouterr().out


def test_digits_demo(tmp_path, capsys):
    from PIL import Image

    accuracy = load("digits_demo").main(["--epochs", "6", "--output", str(tmp_path)])
    assert accuracy > 0.93
    for name in ("curves.png", "mistakes.png"):
        picture = np.asarray(Image.open(tmp_path / name).convert("L"))
        assert picture.std() > 5, f"{name} is empty"
    text = capsys.readouterr().out
    assert "bit for bit" in text and "precision" in text


def test_digits_demo_refuses_a_negative_number_of_epochs(tmp_path):
    with pytest.raises(ValueError, match="epochs"):
        load("digits_demo").main(["--epochs", "-1", "--output", str(tmp_path)])
