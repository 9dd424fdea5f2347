"""The examples that compare, segment, imitate and transfer, shortened: they run, learn, and leave what they say."""

import importlib.util
import os
import re
from pathlib import Path

import numpy as np
import pytest

import cconv
from cconv import layers

pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
DATASETS = os.environ.get("CCONV_DATASETS")


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name, output, *arguments):
    """Calls the `main` of an example, and returns its module and the names of what it wrote."""
    module = load(name)
    assert module.main([*map(str, arguments), "--output", str(output)]) == 0
    for picture in output.glob("*.png"):
        assert np.asarray(Image.open(picture).convert("L")).std() > 5, f"{picture.name} is empty"
    return module, {path.name for path in output.iterdir()}


@pytest.fixture(scope="module")
def few():
    """What `load_data` of a data set returns, cut short: 3,000 training images, 500 of the test."""

    def loaded(name):
        if not DATASETS or not (Path(DATASETS) / name).is_dir():
            pytest.skip(f"needs images: CCONV_DATASETS names no folder with {name}/")
        if name not in kept:
            train, test = getattr(cconv.datasets, name).load_data()
            kept[name] = tuple(x[:3000].copy() for x in train), tuple(x[:500].copy() for x in test)
        return lambda: kept[name]

    kept = {}
    return loaded


def numbers(text, pattern):
    return [float(found) for found in re.search(pattern, text).groups()]


def test_siamese_tells_pairs_apart(tmp_path, capsys, few, monkeypatch):
    monkeypatch.setattr(cconv.datasets.mnist, "load_data", few("mnist"))
    module, written = run("siamese", tmp_path, "--epochs", 1, "--samples", 3000)
    assert numbers(capsys.readouterr().out, r"([\d.]+) % of 10,000 pairs")[0] > 75
    assert written == {"distances.png", "neighbours.png"}
    labels = np.array([0, 1, 1, 2, 0, 2])
    left, right, same = module.pairs(labels, 60, np.random.default_rng(0))
    np.testing.assert_array_equal(labels[left] == labels[right], same == 1)
    assert same.sum() == 30


def test_a_student_is_taught(tmp_path, capsys, few, monkeypatch):
    monkeypatch.setattr(cconv.datasets.fashion_mnist, "load_data", few("fashion_mnist"))
    _, written = run("distillation", tmp_path, "--epochs", 1, "--samples", 1200)
    scores = numbers(capsys.readouterr().out, r"teacher ([\d.]+) %, student alone ([\d.]+) %, taught ([\d.]+) %")
    assert min(scores) > 25 and written == {"soft_targets.png", "student.keras"}


def test_distillation_leaves_the_teacher_and_moves_the_student_to_it():
    module = load("distillation")
    cconv.utils.set_random_seed(0)
    teacher, student = module.network(4, "teacher"), module.network(2, "student")
    before = [w.copy() for w in teacher.get_weights()]
    images = np.random.default_rng(0).integers(0, 256, (32, 28, 28, 1)).astype(np.float32)
    model = module.Distiller(student, teacher, share=1.0)
    model.compile(cconv.optimizers.Adam(1e-2))
    labels = np.zeros(32, np.int32)
    losses = model.fit(images, labels, epochs=6, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    for old, new in zip(before, teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_vision_transformer_learns_and_is_saved(tmp_path, capsys, few, monkeypatch):
    monkeypatch.setattr(cconv.datasets.fashion_mnist, "load_data", few("fashion_mnist"))
    module, written = run("vision_transformer", tmp_path, "--epochs", 1, "--samples", 1200)
    assert numbers(capsys.readouterr().out, r"test images: ([\d.]+) %")[0] > 20
    assert written == {"attention.png", "positions.png", "model.keras"}
    model = cconv.models.load_model(tmp_path / "model.keras")
    assert type(model.get_layer("patches")).__name__ == module.PatchEncoder.__name__
    assert model.predict(np.zeros((2, 28, 28, 1), np.float32), verbose=0).shape == (2, 10)


def blood(folder, names, random):
    """Pictures with a red and a violet cell each, and the boxes about them."""
    for part in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    y, x = np.mgrid[:48, :64]
    for name in names:
        pixels, text = np.full((48, 64, 3), 230, np.uint8), ""
        for kind, radius, middle, color in (("RBC", 8, 16, (200, 90, 80)), ("WBC", 11, 44, (90, 60, 160))):
            row, column = random.integers(14, 34), middle + random.integers(-3, 4)
            pixels[(y - row) ** 2 + (x - column) ** 2 <= radius**2] = color
            sides = zip(
                ("xmin", "ymin", "xmax", "ymax"), (column - radius, row - radius, column + radius, row + radius)
            )
            box = "".join(f"<{side}>{at}</{side}>" for side, at in sides)
            text += f"<object><name>{kind}</name><bndbox>{box}</bndbox></object>"
        Image.fromarray(pixels).save(folder / "JPEGImages" / f"{name}.jpg")
        size = "<size><width>64</width><height>48</height></size>"
        (folder / "Annotations" / f"{name}.xml").write_text(f"<annotation>{size}{text}</annotation>")


def test_unet_finds_cells(tmp_path, capsys):
    parts = {"trainval": [f"a{i}" for i in range(16)], "test": [f"b{i}" for i in range(4)]}
    for part, names in parts.items():
        blood(tmp_path / "data", names, np.random.default_rng(len(names)))
        (tmp_path / "data/ImageSets/Main" / f"{part}.txt").write_text("\n".join(names))
    module = load("unet_segmentation")
    images, masks = module.read(tmp_path / "data", "test", None)
    assert images.shape == (4, 96, 128, 3) and masks.shape == (4, 96, 128, 1)
    shares = [np.mean(masks == kind) for kind in range(4)]
    np.testing.assert_allclose(shares[1:3], [np.pi * r**2 / (48 * 64) for r in (8, 11)], rtol=0.05)
    assert shares[3] == 0 and images[masks[..., 0] == 2].mean(0) == pytest.approx([90, 60, 160], abs=25)

    module.HEIGHT, module.WIDTH = 48, 64
    module.build = lambda build=module.build: build(filters=6, stages=2)
    assert module.main([str(tmp_path / "data"), "--epochs", "20", "--output", str(tmp_path / "out")]) == 0
    red, white = numbers(capsys.readouterr().out, r"red cells: ([\d.]+)\n.*white cells: ([\d.]+)")
    assert red > 0.3 and white > 0.3
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"cells.png", "curves.png", "model.keras"}


def test_transfer_learning_compares(tmp_path, capsys):
    random = np.random.default_rng(0)
    for name, channel in (("blue", 2), ("green", 1), ("red", 0)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(20):
            image = random.integers(0, 90, (16, 16, 3))
            image[..., channel] += 120
            Image.fromarray(image.astype(np.uint8)).save(tmp_path / "data" / name / f"{i}.png")
    base = cconv.Sequential(
        [
            cconv.Input((16, 16, 3)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(5),
        ]
    )
    base.save(tmp_path / "base.keras")
    arguments = (tmp_path / "data", tmp_path / "base.keras", "--scale", 1 / 255, "--samples", 36, "--epochs", 30)
    _, written = run("transfer_learning", tmp_path / "out", *arguments)
    out = capsys.readouterr().out
    assert "36 photographs of 16x16 pixels to train on, 24 held out" in out
    assert numbers(out, r"more layers ([\d.]+) %")[0] > 60
    assert written == {"comparison.png", "confusion.png", "predictions.png", "model.keras"}
    model = cconv.models.load_model(tmp_path / "out" / "model.keras")
    found = model.get_layer("base").get_weights()[2:]
    for old, new in zip(base.layers[1].get_weights()[2:], found[2:], strict=True):
        np.testing.assert_array_equal(old, new)  # the averages of normalization stay in fine-tuning
