"""Trained models of others, read from their files: what ONNX Runtime gives, and what the photographs show."""

from __future__ import annotations

import numpy as np
import pytest

import cconv

from .onnx_zoo import DATA, check, difference, needs_data, predict, run

Image = pytest.importorskip("PIL.Image", reason="needs Pillow")
pytest.importorskip("onnxruntime", reason="needs onnxruntime")
pytestmark = needs_data

TOP = DATA.parent.parent


def photo(name, size=None):
    """A photograph (h, w, 3) from 0 to 255."""
    image = Image.open(TOP / "photos" / name).convert("RGB")
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR) if size else image, np.float32)


def middle(name):
    """The middle of a photograph whose shorter side is made 256 pixels long."""
    image = Image.open(TOP / "photos" / name).convert("RGB")
    scale = 256 / min(image.size)
    image = image.resize([round(side * scale) for side in image.size], Image.Resampling.BILINEAR)
    left, top = ((side - 224) // 2 for side in image.size)
    return np.asarray(image.crop((left, top, left + 224, top + 224)), np.float32)


def planes(image):
    return np.ascontiguousarray(image.transpose(2, 0, 1)[None])


def bgr(image):
    return planes(image[..., ::-1])


@pytest.fixture(scope="module")
def classes():
    return (TOP / "labels" / "imagenet_classes.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    "name, label, probability", [("fish.png", "tench", 0.738502), ("kitten_224.png", "tabby", 0.931461)]
)
def test_squeezenet(name, label, probability, classes, record_property):
    x = bgr(photo(name, (224, 224)))
    model = check(DATA / "squeezenet1.1_fp32_from_fp16.onnx", [x], record_property)
    [scores] = predict(model, [x])
    assert classes[int(scores.argmax())].startswith(label)
    assert scores.max() == pytest.approx(probability, abs=1e-3)
    # a file of halves is computed in float32, and closer to the wider one than ONNX Runtime computes it
    halves = cconv.onnx.load(DATA / "squeezenet1.1_fp16.onnx")
    found = difference(predict(halves, [x]), [scores])
    record_property("halves", f"{found:.1e}")
    assert found <= 1e-5
    [theirs] = run(DATA / "squeezenet1.1_fp16.onnx", [x.astype(np.float16)])
    record_property("halves in ONNX Runtime", f"{difference([theirs], [scores]):.1e}")


# Their float32 model has weights that were not rounded to halves.
@pytest.mark.parametrize("of, tolerance", [("fp16_", 2e-4), ("", 1e-3)])
def test_squeezenet_gives_what_is_published(of, tolerance, record_property):
    [scores] = predict(cconv.onnx.load(DATA / "squeezenet1.1_fp16.onnx"), [bgr(photo("fish.png"))])
    rows = np.loadtxt(DATA / "reference" / f"Squeezenet_{of}fish_input_CPU.csv", delimiter=",", skiprows=1)
    found = float(np.abs(scores.ravel() - rows[:, 1]).max())
    record_property("difference", f"{found:.1e}")
    assert found <= tolerance


@pytest.mark.parametrize(
    "name, label",
    [
        ("cat", "tabby"),
        ("samoyed", "Samoyed"),
        ("chicken", "cock"),
        ("car", "racer"),
        ("elephants", "Indian elephant"),
        ("coral/hot_dog", "hotdog"),
        ("coral/cat_720p", "Egyptian cat"),
    ],
)
def test_squeezenet_on_photographs(name, label, classes, record_property):
    x = bgr(middle(f"{name}.jpg"))
    model = check(DATA / "squeezenet1.1_fp32_from_fp16.onnx", [x], record_property)
    assert classes[int(predict(model, [x])[0].argmax())] == label


def test_squeezenet_of_decoded_weights(classes, record_property):
    mean = np.array([104, 117, 123], np.float32)
    names = ("fish.png", "kitten_224.png", "chicken.jpg")
    x = np.concatenate([planes(photo(name, (227, 227))[..., ::-1] - mean) for name in names])
    model = check(DATA / "squeezenet1.0_from_deep_compression.onnx", [x], record_property)
    assert model.count_params() == 1_248_424
    best = predict(model, [x])[0].reshape(3, -1).argsort(1)[:, ::-1]
    assert "tench" in [classes[i] for i in best[0, :2]]
    assert [classes[i] for i in best[1:, 0]] == ["tabby", "cock"]


@pytest.mark.parametrize("name", ["mnist_winml", "mnist_ort"])
def test_mnist(name, record_property):
    _, (images, labels) = cconv.datasets.mnist.load_data()
    x = images[:, None].astype(np.float32)
    model = cconv.onnx.load(DATA / f"{name}.onnx")
    assert model.input_shape == (None, 1, 28, 28)
    [scores] = predict(model, [x])
    theirs = np.concatenate([run(DATA / f"{name}.onnx", [x[i : i + 1]])[0] for i in range(100)])
    found = difference([scores[:100]], [theirs])
    record_property("difference", f"{found:.1e}")
    assert found <= 1e-4
    assert np.mean(scores.argmax(1) == labels) == pytest.approx(0.9891, abs=1e-9)


def test_cifar10(record_property):
    x = planes(photo("cat.jpg", (32, 32)) / 127.5 - 1)
    check(DATA / "cifar10_winml_tutorial.onnx", [np.concatenate([x, x[..., ::-1]])], record_property)


def best_classes(output):
    """FastestDet's classes that are the best of their place and of those around it: names of COCO."""
    names = (TOP / "labels" / "coco.names").read_text(encoding="utf-8").splitlines()
    objects, scores = output[0, 0], output[0, 5:]
    sure = objects**0.6 * scores.max(0) ** 0.4
    return {names[scores[:, i, j].argmax()] for i, j in np.argwhere(sure > 0.65)}


@pytest.mark.parametrize(
    "name, expected",
    [("dog.jpg", {"car", "dog", "bicycle"}), ("bus.jpg", {"bus", "person"}), ("horses.jpg", {"horse"})],
)
def test_fastestdet(name, expected, record_property):
    x = bgr(photo(name, (352, 352)) / 255)
    model = check(DATA / "fastestdet.onnx", [x], record_property)
    assert expected <= best_classes(predict(model, [x])[0])


@pytest.mark.parametrize("version", ["RFB", "slim"])
@pytest.mark.parametrize("name, faces", [("grace_hopper.jpg", 1), ("zidane.jpg", 2)])
def test_ultraface(version, name, faces, record_property):
    x = planes((photo(name, (320, 240)) - 127) / 128)
    model = check(DATA / f"ultraface_version-{version}-320.onnx", [x], record_property)
    scores, boxes = predict(model, [x])
    sure = np.flatnonzero(scores[0, :, 1] > 0.7)
    assert len(sure) >= faces
    centers = (boxes[0, sure, :2] + boxes[0, sure, 2:]) / 2
    apart = [i for i in range(len(sure)) if np.abs(centers[:i] - centers[i]).sum(-1).min(initial=1) > 0.1]
    assert len(apart) == faces or (version, name) == ("slim", "zidane.jpg")  # it sees a third


def test_other_names_of_sizes():
    """Any batch of a file of one photograph, channels last where wanted, other sizes where the network allows them."""
    path = DATA / "squeezenet1.1_fp32_from_fp16.onnx"
    x = np.stack([photo("fish.png", (224, 224)), photo("kitten_224.png", (224, 224))])[..., ::-1]
    model = cconv.onnx.load(path, data_format="channels_last")
    assert model.input_shape == (None, 224, 224, 3)
    both = model.predict(x, verbose=0)
    assert both.reshape(2, -1).argmax(1).tolist() == [0, 281]
    first = cconv.onnx.load(path).predict(np.concatenate([planes(a) for a in x]), verbose=0)
    np.testing.assert_allclose(both, first, rtol=1e-4, atol=1e-7)
