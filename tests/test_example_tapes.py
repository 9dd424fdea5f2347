"""The examples with steps of their own run, a shortened one each, and write their pictures."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import cconv

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@pytest.mark.parametrize(("name", "size"), [("dcgan", 224), ("vae", 420)])
def test_pictures_are_made(name, size, tmp_path, monkeypatch, capsys):
    images = np.random.default_rng(0).integers(0, 256, (48, 28, 28)).astype(np.uint8)
    labels = np.zeros(48, np.uint8)
    monkeypatch.setattr(cconv.datasets.fashion_mnist, "load_data", lambda: ((images, labels), (images, labels)))
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path = tmp_path / "made" / "grid.pgm"
    assert module.main(["--epochs", "2", "--batch-size", "24", "--samples", "40", "--output", str(path)]) == 0
    header, *rest = path.read_bytes().split(b"\n", 1)
    assert header == f"P5 {size} {size} 255".encode() and len(rest[0]) == size * size
    assert np.frombuffer(rest[0], np.uint8).std() > 0.1
    assert "Epoch 2/2" in capsys.readouterr().out
