"""decode_predictions: the names of ImageNet's classes, from a file at hand or fetched once."""

import json

import numpy as np
import pytest

from cconv import applications
from cconv.applications import imagenet_utils
from cconv.applications.imagenet_utils import decode_predictions

INDEX = {str(i): [f"n{i:08}", f"class_{i}"] for i in range(1000)}


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A class index in the user's folder."""
    (tmp_path / "labels").mkdir()
    path = tmp_path / "labels" / "imagenet_class_index.json"
    path.write_text(json.dumps(INDEX))
    monkeypatch.setenv("CCONV_DATASETS", str(tmp_path))
    return path


def test_the_likeliest_come_first(index):
    values = np.zeros((2, 1000), np.float32)
    values[0, [3, 7, 999]] = 0.2, 0.5, 0.3
    values[1, 4] = 1
    found = decode_predictions(values, top=3)
    assert found[0] == [
        ("n00000007", "class_7", np.float32(0.5)),
        ("n00000999", "class_999", np.float32(0.3)),
        ("n00000003", "class_3", np.float32(0.2)),
    ]
    assert found[1][0] == ("n00000004", "class_4", 1.0)
    assert [len(row) for row in decode_predictions(values)] == [5, 5]


@pytest.mark.parametrize(
    "values, top, message",
    [
        (np.zeros(1000), 5, r"`preds` of shape \(batch, 1000\). Received: shape=\(1000,\)"),
        (np.zeros((1, 999)), 5, "shape=.1, 999."),
        (np.zeros((1, 1000)), 0, "`top` to be from 1 to 1000. Received: top=0"),
    ],
)
def test_what_cannot_be_decoded(values, top, message):
    with pytest.raises(ValueError, match=message):
        decode_predictions(values, top)


@pytest.mark.parametrize("text", ["{}", "[1, 2]", "no json", json.dumps({**INDEX, "5": "goldfish"})])
def test_a_file_of_something_else(index, text):
    index.write_text(text)
    imagenet_utils._class_names.cache_clear()
    with pytest.raises(ValueError, match="is no class index of ImageNet"):
        decode_predictions(np.zeros((1, 1000)))


def test_it_is_fetched_once_with_its_digest(tmp_path, monkeypatch):
    monkeypatch.delenv("CCONV_DATASETS", raising=False)
    path = tmp_path / "index.json"
    path.write_text(json.dumps(INDEX))
    asked = []

    def get_file(*arguments, **settings):
        asked.append((*arguments, settings))
        return str(path)

    monkeypatch.setattr(imagenet_utils, "get_file", get_file)
    assert decode_predictions(np.eye(1, 1000), top=1) == [[("n00000000", "class_0", 1.0)]]
    name, address, settings = asked[0]
    assert name == "imagenet_class_index.json" and address.endswith(f"data/{name}")
    assert settings == {"cache_subdir": "models", "file_hash": "c2c37ea517e94d9795004a39431a14cb"}


def test_without_a_network_it_says_what_to_do(tmp_path, monkeypatch):
    def get_file(*arguments, **settings):
        raise OSError("Could not download it: no network.")

    monkeypatch.setattr(imagenet_utils, "get_file", get_file)
    monkeypatch.delenv("CCONV_DATASETS", raising=False)
    with pytest.raises(OSError, match="put the file imagenet_class_index.json, as Keras has it, into <folder>/labels"):
        decode_predictions(np.zeros((1, 1000)))
    monkeypatch.setenv("CCONV_DATASETS", str(tmp_path))
    with pytest.raises(OSError, match="no network.*into '.*labels'"):
        decode_predictions(np.zeros((1, 1000)))


OF_IMAGENET = [name for name in applications.__all__ if name.islower() and name not in ("resnet_cifar", "unet")]


@pytest.mark.parametrize("name", OF_IMAGENET)
def test_every_network_offers_it(name):
    module = getattr(applications, name)
    assert module.decode_predictions is decode_predictions and "decode_predictions" in module.__all__
