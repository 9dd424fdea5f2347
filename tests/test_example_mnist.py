"""The MNIST example, shortened: it runs as a program, learns, and saves a model that loads."""

import os
import re
import subprocess
import sys

import pytest

import cconv

EXAMPLE = os.path.join(os.path.dirname(__file__), "..", "examples", "mnist_convnet.py")


def test_mnist_example_learns_and_saves(tmp_path):
    folder = os.environ.get("CCONV_DATASETS")
    if not folder or not os.path.isdir(os.path.join(folder, "mnist")):
        pytest.skip("needs the MNIST files: CCONV_DATASETS names no folder with mnist/")
    path = tmp_path / "output" / "model.keras"
    run = subprocess.run(
        [sys.executable, EXAMPLE, "--epochs", "1", "--samples", "2000", "--batch-size", "32", "--output", str(path)],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(cconv.__file__))},
        text=True,
    )
    assert "2000 training images" in run.stdout
    assert "Total params: 34,826" in run.stdout
    assert "the loaded model predicts the same" in run.stdout
    accuracy = float(re.search(r"test accuracy ([\d.]+) %", run.stdout).group(1))
    assert accuracy > 75  # a network that does not learn gets 10 %
    assert cconv.models.load_model(path).count_params() == 34826
