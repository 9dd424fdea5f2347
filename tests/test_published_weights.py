"""`weights="imagenet"`: fetched once, checked, and what to do where that cannot be; `like=`."""

import functools
import http.server
import threading

import h5py
import numpy as np
import pytest

from cconv.applications import VGG16, MobileNetV2, ResNet50, published
from cconv.saving import legacy_file

TINY = {"input_shape": (32, 32, 3), "alpha": 0.35}


def test_networks_say_what_they_are_like():
    with pytest.raises(ValueError, match="like='timm'"):
        MobileNetV2(**TINY, like="timm")
    with pytest.raises(ValueError, match="like='keras'"):
        ResNet50(weights="imagenet", like="torchvision")
    model = MobileNetV2(**TINY, like="torchvision")
    assert model.get_layer("Conv1_pad").padding == ((1, 1), (1, 1))
    assert model.get_layer("bn_Conv1").epsilon == 1e-5
    assert model.output_shape == MobileNetV2(**TINY).output_shape
    resnet = ResNet50(include_top=False, input_shape=(33, 40, 3), like="torchvision")
    assert resnet.get_layer("conv3_block1_1_conv").strides == (1, 1)
    assert resnet.get_layer("conv3_block1_2_conv").strides == (2, 2)
    assert resnet.output_shape == (None, 2, 2, 2048)


def assert_equal(one, two):
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A server in the place of Keras', and an empty cache."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    monkeypatch.setattr(published, "_FOLDER", f"http://127.0.0.1:{httpd.server_address[1]}/")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    yield folder
    httpd.shutdown()
    httpd.server_close()
    thread.join()


FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"


def test_published_weights_are_fetched_once(site, tmp_path, capsys):
    one = MobileNetV2(**TINY, include_top=False)
    (site / "mobilenet_v2").mkdir()
    with h5py.File(site / "mobilenet_v2" / FILE, "w") as file:
        legacy_file.write_weights(file, one)
    two = MobileNetV2(**TINY, include_top=False, weights="imagenet", name="mine")
    assert_equal(one, two)
    assert FILE in capsys.readouterr().err  # the progress bar
    cached = tmp_path / "home" / ".cconv" / "models" / FILE
    assert cached.exists()
    (site / "mobilenet_v2" / FILE).unlink()
    assert_equal(one, MobileNetV2(**TINY, include_top=False, weights="imagenet"))
    with pytest.raises(
        OSError, match=r"404.*put the file .*_0\.35_224\.h5 of that address into .*models.*save_weights"
    ):
        MobileNetV2(**TINY, weights="imagenet")


def test_what_is_published_has_the_digest(site, monkeypatch):
    files = published.Published(f"{published._FOLDER}a.h5", "0" * 32, f"{published._FOLDER}a.h5", "0" * 32)
    monkeypatch.setattr(published, "published", lambda name: files)
    (site / "a.h5").write_bytes(b"something else")
    with pytest.raises(ValueError, match="not the expected file: expected md5 000"):
        MobileNetV2(**TINY, weights="imagenet")


def test_without_a_network_it_is_told_what_to_do(site, monkeypatch):
    monkeypatch.setattr(published, "_FOLDER", "http://127.0.0.1:9/")
    with pytest.raises(OSError, match=r"Could not download http://127.0.0.1:9/.*Without a network, put the file"):
        MobileNetV2(**TINY, weights="imagenet")


def test_what_is_not_published(site):
    with pytest.raises(ValueError, match="no weights for 'vgg16_bn'"):
        VGG16(include_top=False, input_shape=(32, 32, 3), batch_norm=True, weights="imagenet")
    with pytest.raises(ValueError, match="classes=1000. Received: classes=7"):
        MobileNetV2(**TINY, classes=7, weights="imagenet")
    with pytest.raises(ValueError, match="no weights for 'mobilenetv2_0.40_32'.*network.pth"):
        MobileNetV2(input_shape=(32, 32, 3), alpha=0.4, weights="imagenet")


@pytest.mark.parametrize("key", published._DIGESTS)
def test_addresses_are_well_formed(key):
    found = published.published(key)
    for address in (found.address, found.address_without_top):
        assert address.startswith("https://storage.googleapis.com/") and address.endswith(".h5")
        assert "//" not in address.removeprefix("https://")
    assert found.address != found.address_without_top
    assert {len(found.digest), len(found.digest_without_top)} <= {32, 64}
