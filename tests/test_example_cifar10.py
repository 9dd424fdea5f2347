"""`examples/cifar10.py`: its batches are moved and mirrored pictures, its networks are built, and it trains."""

import csv
import importlib.util
from pathlib import Path

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image")
EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "cifar10.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("cifar10_example", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Dark and light pictures: 130 to train on (a batch, and two left over), 20 for the test."""
    top, rng = tmp_path_factory.mktemp("cifar10"), np.random.default_rng(0)
    for name, n in (("train", 65), ("test", 10)):
        for label, (low, high) in enumerate(((0, 100), (150, 256))):
            place = top / name / f"class{label}"
            place.mkdir(parents=True)
            for i in range(n):
                Image.fromarray(rng.integers(low, high, (32, 32, 3), dtype=np.uint8)).save(place / f"{i:03}.png")
    return top


def test_pictures_are_normalized(example, folder, capsys):
    images, labels = example.read(folder / "test")
    stored = np.asarray(Image.open(folder / "test" / "class1" / "003.png")).astype("float64")
    expected = (stored - np.array(example.MEAN)) / np.array(example.DEVIATION)
    assert images.shape == (20, 32, 32, 3) and images.dtype == np.float32
    assert labels.tolist() == [0] * 10 + [1] * 10
    np.testing.assert_allclose(images[13], expected, rtol=1e-5, atol=1e-6)


def test_a_batch_is_of_moved_and_mirrored_pictures(example):
    images = np.random.default_rng(1).normal(size=(300, 32, 32, 3)).astype("float32")
    data = example.Augmented(images, np.arange(300), batch_size=128, seed=3)
    assert len(data) == 2
    seen = set()
    for _ in range(2):
        for index in range(2):
            x, labels = data[index]
            for i, label in enumerate(labels):
                padded = data.images[label]
                assert np.array_equal(padded[4:36, 4:36], images[label])
                top, left = data.top[label, 0, 0], data.left[label, 0, 0]
                part = padded[top : top + 32, left : left + 32]
                assert np.array_equal(x[i], part[:, ::-1] if data.mirrored[label] else part)
                seen.add((int(top), int(left), bool(data.mirrored[label])))
        order = data.order
        data.on_epoch_end()
        assert not np.array_equal(order, data.order)
    assert {place[0] for place in seen} == {place[1] for place in seen} == set(range(9))
    assert {place[2] for place in seen} == {False, True}


def test_edges_of_moved_pictures_are_their_own_pixels_mirrored(example):
    pictures = np.random.default_rng(0).random((130, 32, 32, 3), np.float32)
    around, n = example.Augmented(pictures, np.zeros(130), batch_size=128, seed=0).images, example.PADDING
    assert around.shape == (130, 32 + 2 * n, 32 + 2 * n, 3)
    for k in range(1, n + 1):
        np.testing.assert_array_equal(around[:, n - k, n:-n], pictures[:, k])
        np.testing.assert_array_equal(around[:, n + 31 + k, n:-n], pictures[:, 31 - k])
        np.testing.assert_array_equal(around[:, n:-n, n - k], pictures[:, :, k])
        np.testing.assert_array_equal(around[:, n:-n, n + 31 + k], pictures[:, :, 31 - k])


@pytest.mark.parametrize("network", ["ResNet20", "SE-ResNet20", "MobileNetV2", "ShuffleNetV2", "GhostNet"])
def test_networks_have_ten_logits(example, network):
    model = example.build(network)
    scores = model.predict(np.zeros((1, 32, 32, 3), "float32"), verbose=0)
    assert scores.shape == (1, 10) and abs(scores.sum() - 1) > 1e-3


def test_it_trains_and_writes_what_it_says(example, folder, tmp_path, capsys):
    assert example.main([str(folder), "--epochs", "3", "--output", str(tmp_path)]) == 0
    with (tmp_path / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    seconds = [float(row["seconds"]) for row in rows]
    assert 0 < seconds[0] < seconds[1] < seconds[2]
    assert f"ResNet20: {100 * float(rows[-1]['val_accuracy']):.2f} % of 20 test images right" in capsys.readouterr().out
    example.build("ResNet20").load_weights(tmp_path / "model.weights.h5")


def test_one_epoch_of_one_batch(example, folder, tmp_path, capsys):
    assert example.main([str(folder), "--epochs", "1", "--output", str(tmp_path)]) == 0
    assert "ResNet20: " in capsys.readouterr().out
