"""`python -m cconv train` where images do not fit in memory, and with augmentation."""

import zlib

import numpy as np
import pytest

import cconv
from cconv.commands import image_files, main

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two classes that colours tell apart, and one file that is no image."""
    folder = tmp_path_factory.mktemp("data") / "colours"
    for name, channel in (("blue", 2), ("red", 0)):
        (folder / name).mkdir(parents=True)
        for i in range(10):
            pixels = np.random.default_rng(zlib.crc32(f"{name}{i}".encode())).integers(0, 60, (20, 24, 3))
            pixels[..., channel] += 150
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{i}.png")
    (folder / "red" / "broken.png").write_bytes(b"no image")
    return folder


def train(folder, output, capsys, *more):
    arguments = ["train", folder, "--output", output, "--image-size", "16", "--batch-size", "4", "--epochs", "3", *more]
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return captured.out


def column(output, name):
    header, *rows = [line.split(",") for line in (output / "history.csv").read_text().splitlines()]
    return [row[header.index(name)] for row in rows]


def test_files_are_read_in_each_epoch_with_the_same_result(folder, tmp_path, capsys, monkeypatch):
    in_memory = train(folder, tmp_path / "memory", capsys)
    read = []
    monkeypatch.setattr(image_files, "program_memory", lambda: 20 * 16 * 16 * 3)  # 21 files
    once = image_files.read_image
    monkeypatch.setattr(image_files, "read_image", lambda path, *rest: read.append(path) or once(path, *rest))
    from_files = train(folder, tmp_path / "files", capsys)
    assert "do not fit in memory" in from_files and "do not fit" not in in_memory
    assert len(read) > 21 + 3 * 20 and sum(path.name == "broken.png" for path in read) == 1
    assert column(tmp_path / "files", "loss") == column(tmp_path / "memory", "loss")
    assert "left out" in from_files and "broken.png" in (tmp_path / "files" / "report.html").read_text()


def test_a_file_that_vanishes_in_training_is_named(folder):
    with pytest.raises(OSError, match="gone.png"):
        image_files.read_batch([folder / "red" / "1.png", folder / "gone.png"], (16, 16))


def test_augmentation_is_part_of_training_only(folder, tmp_path, capsys):
    train(folder, tmp_path, capsys, "--augment")
    model = cconv.models.load_model(tmp_path / "model.keras")
    names = [type(layer).__name__ for layer in model.layers[:4]]
    assert names == ["RandomFlip", "RandomTranslation", "RandomRotation", "RandomZoom"]
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3)).astype(np.float32)
    inside = cconv.Sequential(model.layers[:4])
    np.testing.assert_array_equal(inside.predict(images, verbose=0), images)
    assert np.abs(np.asarray(inside(images, training=True)) - images).max() > 1
    assert "mirrored" in (tmp_path / "report.html").read_text()
