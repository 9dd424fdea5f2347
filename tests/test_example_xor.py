"""The XOR example learns XOR, and its formulas give the weights that cconv computes."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

PATH = Path(__file__).resolve().parent.parent / "examples" / "xor_backprop.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("xor_backprop", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_learns_xor_with_its_defaults(example, tmp_path, capsys):
    from PIL import Image

    learned, difference = example.main(["--output", str(tmp_path / "pictures" / "loss.png")])
    assert learned and difference < 1e-6
    text = capsys.readouterr().out
    assert "XOR was learned." in text and "dL/dW2 = h' d2" in text
    picture = np.asarray(Image.open(tmp_path / "pictures" / "loss.png").convert("L"))
    assert picture.std() > 5, "the picture is empty"


def test_it_says_when_it_did_not_learn(example, tmp_path, capsys):
    learned, _ = example.main(["--epochs", "1", "--output", str(tmp_path / "loss.png")])
    assert not learned
    assert "XOR was NOT learned" in capsys.readouterr().out
