"""Files of weights that Keras, PyTorch, torchvision and safetensors have written: the same outputs here."""

import json
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest
import torch

import cconv
from cconv import layers
from cconv.applications import published
from cconv.applications.vgg import vgg
from cconv.saving.tensor_files import open_tensors

# torchvision's compiled operations are for another PyTorch on some machines; networks need none of them
_LIBRARY = torch.library.Library("torchvision", "FRAGMENT")


@pytest.fixture(scope="module")
def torchvision():
    real = torch.library.register_fake

    def register_fake(op, *args, **kwargs):
        if isinstance(op, str) and op.startswith("torchvision::"):
            return lambda function: function
        return real(op, *args, **kwargs)

    torch.library.register_fake = register_fake
    try:
        return pytest.importorskip("torchvision")
    finally:
        torch.library.register_fake = real


def randomized(network):
    """Weights and statistics that keep the outputs of a deep network apart."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.8, 1.4)
            torch.nn.init.normal_(module.bias, 0, 0.1)
        elif isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            torch.nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                torch.nn.init.normal_(module.bias, 0, 0.1)
    return network.eval()


def save(state, path, form):
    if form == "safetensors":
        pytest.importorskip("safetensors.torch").save_file(state, path)
    elif form == "checkpoint":
        torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}}, path)
    else:
        torch.save(state, path)


def difference(ours, theirs, shape):
    """The largest difference of outputs, by their largest value."""
    x = np.random.default_rng(0).standard_normal((2, *shape), dtype=np.float32)
    with torch.no_grad():
        want = theirs(torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))).numpy()
    assert np.std(want, axis=0).max() > 1e-3 * np.abs(want).max()  # the output depends on the image
    return np.abs(ours.predict(x, verbose=0) - want).max() / np.abs(want).max()


LIKE = {"like": "torchvision"}
NETWORKS = {
    "resnet50": ("ResNet50", LIKE, "checkpoint", (64, 47, 3)),
    "mobilenet_v2": ("MobileNetV2", LIKE, "safetensors", (64, 47, 3)),
    "densenet121": ("DenseNet121", {}, "state_dict", (64, 48, 3)),
    "resnet101": ("ResNet101", LIKE, "state_dict", (32, 32, 3)),
    "densenet169": ("DenseNet169", {}, "safetensors", (32, 32, 3)),
    "densenet201": ("DenseNet201", {}, "safetensors", (32, 32, 3)),
    "resnet152": ("ResNet152", LIKE, "state_dict", (32, 32, 3)),
    "resnet18": ("ResNet18", {}, "state_dict", (64, 47, 3)),
    "squeezenet1_0": ("SqueezeNet", {"version": "1.0"}, "state_dict", (64, 64, 3)),
    "squeezenet1_1": ("SqueezeNet", {"version": "1.1"}, "safetensors", (64, 64, 3)),
    "shufflenet_v2_x0_5": ("ShuffleNetV2", {"alpha": 0.5}, "state_dict", (64, 64, 3)),
    "alexnet": ("AlexNet", {"form": "one_tower"}, "state_dict", (224, 224, 3)),
    "vgg16": ("VGG16", {}, "state_dict", (224, 224, 3)),
    "vgg16_bn": ("VGG16", {}, "state_dict", (224, 224, 3)),
    "vgg19": ("VGG19", {}, "safetensors", (224, 224, 3)),
    "vgg19_bn": ("VGG19", {}, "state_dict", (224, 224, 3)),
}
QUICK = ("resnet50", "mobilenet_v2", "densenet121", "resnet18", "squeezenet1_0", "squeezenet1_1", "shufflenet_v2_x0_5")
MARKED = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS]


@pytest.mark.parametrize("name", MARKED)
def test_networks_of_torchvision_give_its_outputs(name, torchvision, tmp_path):
    ours, settings, form, shape = NETWORKS[name]
    theirs = randomized(getattr(torchvision.models, name)())
    path = tmp_path / f"net.{'safetensors' if form == 'safetensors' else 'pth'}"
    save(theirs.state_dict(), path, form)
    network = getattr(cconv.applications, ours)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = network(input_shape=shape, weights=path, classifier_activation=None, **settings)
    found = difference(model, theirs, shape)
    assert found < 1e-4
    base = network(include_top=False, input_shape=(64, 64, 3), weights=path, **settings)  # the classifier is left out
    for a, b in zip(base.get_weights(), model.get_weights(), strict=False):
        np.testing.assert_array_equal(a, b)
    path.unlink()  # up to half a gigabyte


@pytest.mark.parametrize("normalized", [False, True])
def test_a_small_network_like_vgg(normalized, torchvision, tmp_path):
    """What is particular in VGG: numbered modules, a flattened image, batch normalization that becomes a part."""
    blocks = ((4, 1), (6, 1), (8, 2))
    channels = [entry for width, count in blocks for entry in [*[width] * count, "M"]]
    theirs = torchvision.models.VGG(torchvision.models.vgg.make_layers(channels, normalized), num_classes=7)
    theirs.classifier[0] = torch.nn.Linear(8 * 49, 4096)
    torch.save(randomized(theirs).state_dict(), tmp_path / "net.pth")
    ours = vgg(blocks, True, str(tmp_path / "net.pth"), None, (56, 56, 3), None, 7, None, "small")
    assert difference(ours, theirs, (56, 56, 3)) < 1e-5


@pytest.mark.parametrize("name, ours", [("mobilenetv2_100", "MobileNetV2"), ("resnet50", "ResNet50")])
def test_networks_of_timm_give_its_outputs(name, ours, torchvision, tmp_path):
    theirs = randomized(pytest.importorskip("timm").create_model(name))
    save(theirs.state_dict(), tmp_path / "net.pth", "state_dict")
    settings = {"input_shape": (64, 47, 3), "classifier_activation": None, "like": "torchvision"}
    model = getattr(cconv.applications, ours)(weights=tmp_path / "net.pth", **settings)
    assert difference(model, theirs, (64, 47, 3)) < 1e-4


@pytest.mark.parametrize("normalized", [False, True])
def test_a_small_network_like_vgg_of_timm(normalized, torchvision, tmp_path):
    pytest.importorskip("timm")
    from timm.models.vgg import VGG

    blocks = ((4, 1), (6, 1), (8, 2))
    norm = torch.nn.BatchNorm2d if normalized else None
    theirs = randomized(VGG([4, "M", 6, "M", 8, 8, "M"], num_classes=7, norm_layer=norm))
    torch.save(theirs.state_dict(), tmp_path / "net.pth")
    ours = vgg(blocks, True, str(tmp_path / "net.pth"), None, (56, 56, 3), None, 7, None, "small")
    assert difference(ours, theirs, (56, 56, 3)) < 1e-5


def test_a_state_dict_of_a_resnet_like_keras_is_loaded_with_a_word(torchvision, tmp_path):
    torch.save(torchvision.models.resnet50(num_classes=5).state_dict(), tmp_path / "net.pth")
    with pytest.warns(UserWarning, match="strides in the convolutions of 3x3.*like='torchvision'"):
        model = cconv.applications.ResNet50(input_shape=(32, 32, 3), classes=5, weights=tmp_path / "net.pth")
    assert not model.get_layer("conv1_conv").bias.numpy().any()
    with pytest.raises(ValueError, match=r"of another shape: 'fc.weight': expected \(1000, 2048\), found \(5, 2048\)"):
        cconv.applications.ResNet50(input_shape=(32, 32, 3), weights=tmp_path / "net.pth")
    with pytest.raises(ValueError, match="missing: .*left over: 'conv1.weight'"):
        cconv.applications.MobileNetV2(input_shape=(32, 32, 3), weights=tmp_path / "net.pth")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_tensors_of_every_type_and_order(protocol, tmp_path):
    x = torch.randn(4, 6)
    state = {
        "turned": x.T,
        "part": x[1:, 2:],
        "half": x.half(),
        "bfloat16": x.bfloat16(),
        "double": x.double(),
        "parameter": torch.nn.Parameter(x),
        "empty": torch.zeros(0, 3),
        "number": torch.tensor(3),
        "channels_last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "bool": x > 0,
    }
    extra = {"args": {"lr": 0.1, "steps": [1, 2], "best": None, "done": True}, "model": state}
    torch.save(extra, tmp_path / "a.pt", pickle_protocol=protocol)
    with open_tensors(tmp_path / "a.pt") as tensors:
        assert tensors.keys() == state.keys()
        for name, value in state.items():
            value = value.detach()
            want = value.float().numpy() if value.dtype == torch.bfloat16 else value.numpy()
            np.testing.assert_array_equal(tensors[name].read(), want)
            assert tensors[name].shape == want.shape


def test_safetensors_of_its_package(tmp_path):
    save_file = pytest.importorskip("safetensors.torch").save_file
    x = torch.randn(4, 6)
    state = {"a": x, "b": x.half(), "c": x.bfloat16(), "d": torch.arange(3), "e": torch.zeros(0, 2), "f": x > 0}
    save_file(state, tmp_path / "a.safetensors", metadata={"format": "pt"})
    with open_tensors(tmp_path / "a.safetensors") as tensors:
        for name, value in state.items():
            want = value.float().numpy() if value.dtype == torch.bfloat16 else value.numpy()
            np.testing.assert_array_equal(tensors[name].read(), want)


def test_what_pytorch_writes_and_is_refused(tmp_path):
    path = tmp_path / "a.pth"
    for value, message in (
        (torch.nn.Linear(2, 2), "torch.nn.modules.linear.Linear"),
        ({"w": torch.zeros(2), "path": tmp_path}, "pathlib"),
        ({"w": torch.zeros(2).to_sparse()}, "torch.serialization._get_layout"),
    ):
        torch.save(value, path)
        with pytest.raises(ValueError, match=f"refused: it asks for .*{message}.*state_dict"), open_tensors(path):
            pass
    torch.jit.script(torch.nn.Linear(2, 2)).save(path)
    with pytest.raises(ValueError, match="TorchScript"), open_tensors(path):
        pass


def test_a_network_of_ones_own(tmp_path):
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, stride=2, padding=1),
        torch.nn.BatchNorm2d(8),
        torch.nn.PReLU(8),
        torch.nn.Conv2d(8, 16, 3, groups=8),
        torch.nn.ConvTranspose2d(16, 4, 2, stride=2),
        torch.nn.Flatten(2),
        torch.nn.LayerNorm(12 * 14),
    )
    theirs = randomized(theirs)
    torch.nn.init.uniform_(theirs[2].weight, 0.1, 0.9)
    torch.save(theirs.state_dict(), tmp_path / "net.pt")
    ours = cconv.Sequential(
        [
            cconv.Input((15, 17, 3)),
            layers.ZeroPadding2D(1),
            layers.Conv2D(8, 3, strides=2, name="layer0"),
            layers.BatchNormalization(epsilon=1e-5, name="layer1"),
            layers.PReLU(shared_axes=[1, 2], name="layer2"),
            layers.DepthwiseConv2D(3, depth_multiplier=2, name="layer3"),
            layers.Conv2DTranspose(4, 2, strides=2, name="layer4"),
            layers.Permute((3, 1, 2)),
            layers.Reshape((4, 12 * 14)),
            layers.LayerNormalization(epsilon=1e-5, name="layer6"),
        ]
    )
    ours.load_weights(tmp_path / "net.pt", names={"layer{i}": "{i}"})
    assert difference(ours, theirs, (15, 17, 3)) < 1e-5


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ".keras", ".hdf5"])
def test_files_of_keras(suffix, tmp_path):
    settings = {"weights": None, "input_shape": (32, 32, 3), "alpha": 0.35, "classes": 5}
    theirs = keras.applications.MobileNetV2(**settings)
    rng = np.random.default_rng(0)
    theirs.set_weights([rng.uniform(0.5, 1.5, w.shape) / max(w.size, 1) ** 0.3 for w in theirs.get_weights()])
    path = tmp_path / f"net{suffix}"
    (theirs.save_weights if suffix == ".weights.h5" else theirs.save)(path)
    ours = cconv.applications.MobileNetV2(**{**settings, "weights": path})
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    x = rng.standard_normal((2, 32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-3, atol=1e-6)


def test_weights_alone_in_the_older_form_of_keras(tmp_path):
    """What Keras' published files are: `save_weights_to_hdf5_group` and no configuration."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    theirs = keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=(32, 32, 3), alpha=0.35)
    path = tmp_path / "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, theirs)
    ours = cconv.applications.MobileNetV2(weights=path, include_top=False, input_shape=(32, 32, 3), alpha=0.35)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


PROGRAM = """
import json, sys, keras
from keras.src.utils import file_utils
asked = []
def get_file(fname, origin, cache_subdir=None, file_hash=None, **settings):
    asked.append((origin, file_hash))
    raise InterruptedError
file_utils.get_file = get_file
for name, settings in json.loads(sys.argv[1]):
    if "input_shape" in settings:
        settings["input_shape"] = tuple(settings["input_shape"])
    try:
        getattr(keras.applications, name)(weights="imagenet", **settings)
    except InterruptedError:
        pass
print(json.dumps(asked))
"""
SMALL = [
    ("mobilenet_0.25_128", "MobileNet", {"alpha": 0.25, "input_shape": [128, 128, 3]}),
    ("mobilenet_0.50_224", "MobileNet", {"alpha": 0.5, "input_shape": [224, 224, 3]}),
    ("mobilenetv2_0.35_96", "MobileNetV2", {"alpha": 0.35, "input_shape": [96, 96, 3]}),
    ("mobilenetv2_1.40_224", "MobileNetV2", {"alpha": 1.4, "input_shape": [224, 224, 3]}),
    ("MobileNetV3Small", "MobileNetV3Small", {}),
    ("MobileNetV3Small_0.75", "MobileNetV3Small", {"alpha": 0.75}),
    ("MobileNetV3Large_minimalistic", "MobileNetV3Large", {"minimalistic": True}),
    ("efficientnetb0", "EfficientNetB0", {}),
    ("efficientnetv2-b0", "EfficientNetV2B0", {}),
    ("densenet121", "DenseNet121", {}),
    ("resnet50", "ResNet50", {}),
    ("resnet50v2", "ResNet50V2", {}),
    ("inception_v3", "InceptionV3", {}),
    ("xception", "Xception", {}),
]


@pytest.mark.slow
def test_published_files_are_those_that_keras_asks_for():
    calls, want = [], []
    for name, network, settings in SMALL:
        found = published.published(name)
        for top in (True, False):
            calls.append((network, {**settings, "include_top": top}))
            want.append(list(found[:2] if top else found[2:]))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, json.dumps(calls)], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == want


def test_digests_are_those_that_keras_lists():
    from keras.src.applications import convnext, efficientnet, efficientnet_v2, mobilenet_v3, resnet

    def ours(name):
        return published.published(name)[1::2]

    for name, digests in resnet.WEIGHTS_HASHES.items():
        if "next" not in name:
            assert ours(name) == digests
    for name, digests in convnext.WEIGHTS_HASHES.items():
        assert ours(name) == digests
    for name, digests in efficientnet.WEIGHTS_HASHES.items():
        assert ours(f"efficientnet{name}") == digests
    for name, digests in efficientnet_v2.WEIGHTS_HASHES.items():
        assert ours(f"efficientnetv2-{name.removeprefix('-')}") == digests
    for name, digests in mobilenet_v3.WEIGHTS_HASHES.items():
        kind = "".join(f"_{word}" for word in ("minimalistic", "0.75") if word in name)
        assert ours(f"MobileNetV3{name.split('_')[0].title()}{kind}") == digests
