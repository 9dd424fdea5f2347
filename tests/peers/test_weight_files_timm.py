"""Files of weights of timm's networks, and of torchvision's that come from there: the same outputs here."""

import functools
import warnings

import numpy as np
import pytest
import torch

import cconv

from .onnx_zoo import torchvision

MODELS = torchvision().models
timm = pytest.importorskip("timm")

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
SMALL = (75, 96, 3)
PLAIN = {"include_preprocessing": False}
NETWORKS = {
    "tf_efficientnet_b0": ("EfficientNetB0", {}),
    "tf_efficientnet_b1": ("EfficientNetB1", {}),
    "tf_efficientnetv2_b0": ("EfficientNetV2B0", {}),
    "tf_efficientnetv2_b2": ("EfficientNetV2B2", PLAIN),
    "tf_efficientnetv2_s": ("EfficientNetV2S", PLAIN),
    "convnext_tiny": ("ConvNeXtTiny", {}),
    "convnext_small": ("ConvNeXtSmall", PLAIN),
    "ghostnet_100": ("GhostNet", {}),
    "ghostnet_130": ("GhostNet", {"alpha": 1.3}),
    "mixnet_s": ("MixNetS", {}),
    "mixnet_m": ("MixNetM", {}),
    "mixnet_l": ("MixNetL", {}),
    "inception_v4": ("InceptionV4", {}),
    "inception_resnet_v2": ("InceptionResNetV2", {}),
    "tf_mobilenetv3_small_100": ("MobileNetV3Small", PLAIN),
    "tf_mobilenetv3_small_075": ("MobileNetV3Small", {"alpha": 0.75, **PLAIN}),
    "tf_mobilenetv3_small_minimal_100": ("MobileNetV3Small", {"minimalistic": True, **PLAIN}),
    "tf_mobilenetv3_large_100": ("MobileNetV3Large", PLAIN),
    "tf_mobilenetv3_large_075": ("MobileNetV3Large", {"alpha": 0.75, **PLAIN}),
    "tf_mobilenetv3_large_minimal_100": ("MobileNetV3Large", {"minimalistic": True, **PLAIN}),
    "tf_efficientnet_lite2": ("EfficientNetLite2", {}),
    **{f"tf_efficientnet_b{i}": (f"EfficientNetB{i}", {}) for i in range(2, 8)},
    **{f"tf_efficientnetv2_{i}": (f"EfficientNetV2{i.upper()}", PLAIN) for i in ("b1", "b3", "m", "l")},
    **{f"convnext_{i}": (f"ConvNeXt{i.capitalize()}", {}) for i in ("base", "large")},
}
QUICK = ("tf_efficientnet_b0", "tf_efficientnetv2_b0", "convnext_tiny", "ghostnet_100", "mixnet_s",
         "tf_mobilenetv3_small_100", "tf_mobilenetv3_large_minimal_100")  # fmt: skip
MARKED = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS]


def randomized(network, pixels):
    """Random weights, and statistics near those that the images give: others let deep networks explode."""
    torch.manual_seed(0)
    for module in network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            with torch.no_grad():
                if parameter.ndim > 1 and "scale" not in name:
                    torch.nn.init.kaiming_normal_(parameter)
                elif name == "bias":
                    parameter.normal_(0, 0.1)
                else:
                    parameter.uniform_(0.7, 1.3)
    normalizations = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for module in normalizations:
        module.momentum = 1.0
    with torch.no_grad():
        network.train()(pixels)
    for module in normalizations:
        mean, variance = module.running_mean, module.running_var
        mean += 0.1 * variance.sqrt() * torch.randn(mean.shape)
        variance *= torch.empty(mean.shape).uniform_(0.7, 1.3)
        variance += 0.15 * variance.mean()
    return network.eval()


def check(theirs, ours, settings, path):
    """What is loaded from their file computes what they do, of images that are normalized within or outside."""
    x = np.random.default_rng(0).uniform(0, 255, (2, *SMALL)).astype(np.float32)
    normalized = ((x / 255 - MEAN) / DEVIATION).astype(np.float32)
    pixels = torch.from_numpy(np.ascontiguousarray(normalized.transpose(0, 3, 1, 2)))
    torch.save(randomized(theirs, pixels).state_dict(), path)
    network = functools.partial(getattr(cconv.applications, ours), input_shape=SMALL, weights=path, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = network(classifier_activation=None)
    with torch.no_grad():
        want = theirs(pixels).numpy()
    within = any(isinstance(layer, (cconv.layers.Normalization, cconv.layers.Rescaling)) for layer in model.layers)
    found = model.predict(x if within else normalized, verbose=0)
    assert np.std(want, axis=0).max() > 1e-3 * np.abs(want).max()  # the output depends on the image
    assert np.abs(found - want).max() <= 1e-4 * np.abs(want).max()
    base = network(include_top=False)  # the classifier is left out
    for a, b in zip(base.weights, model.weights, strict=False):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    path.unlink()  # up to half a gigabyte


@pytest.mark.parametrize("name", MARKED)
def test_networks_of_timm_give_its_outputs(name, tmp_path):
    check(timm.create_model(name), *NETWORKS[name], tmp_path / "net.pth")


def test_convnext_of_torchvision(tmp_path):
    check(MODELS.convnext_tiny(), "ConvNeXtTiny", {}, tmp_path / "net.pth")


@pytest.mark.parametrize("size", ["small", "large"])
def test_mobilenet_v3_of_torchvision(size, tmp_path):
    theirs = getattr(MODELS, f"mobilenet_v3_{size}")()
    check(theirs, f"MobileNetV3{size.capitalize()}", {"like": "torchvision"}, tmp_path / "net.pth")


def test_mobilenet_v3_of_the_other_kind_is_refused(tmp_path):
    network = functools.partial(cconv.applications.MobileNetV3Small, weights=tmp_path / "net.pth")
    torch.save(MODELS.mobilenet_v3_small().state_dict(), tmp_path / "net.pth")
    with pytest.raises(ValueError, match="MobileNetV3 of torchvision has zeros at all edges .*torchvision'.* Nothing"):
        network()
    torch.save(timm.create_model("tf_mobilenetv3_small_100").state_dict(), tmp_path / "net.pth")
    with pytest.raises(ValueError, match="MobileNetV3 of timm has other zeros .*`like='keras'`. Nothing is loaded"):
        network(like="torchvision")
    torch.save(MODELS.resnet18().state_dict(), tmp_path / "net.pth")
    with pytest.raises(ValueError, match="does not fit the model .* by the names of timm: missing: 'conv_stem.weight'"):
        network()


def test_googlenet_of_torchvision(tmp_path):
    theirs, form = MODELS.GoogLeNet(num_classes=7, init_weights=False), {"form": "batch_norm", "classes": 7}
    check(theirs, "InceptionV1", form, tmp_path / "net.pth")
    torch.save(theirs.state_dict(), tmp_path / "net.pth")
    settings = {"input_shape": SMALL, "classifier_activation": None, "auxiliary": True, **form}
    model = cconv.applications.InceptionV1(weights=tmp_path / "net.pth", **settings)
    x = np.random.default_rng(1).standard_normal((2, *SMALL)).astype(np.float32)
    theirs.training = True  # it alone: then the heads are computed, by layers for inference
    with torch.no_grad():
        last, second, first = theirs(torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))))
    for found, want in zip(model.predict(x, verbose=0), (last, first, second), strict=True):
        assert np.abs(found - want.numpy()).max() <= 1e-4 * np.abs(want.numpy()).max()


OTHERS = {
    "InceptionV3": (lambda: MODELS.inception_v3(init_weights=False), "Inception-v3 of torchvision and timm counts"),
    "Xception": (lambda: timm.create_model("legacy_xception"), "Xception of timm .* has other windows"),
    "NASNetLarge": (lambda: timm.create_model("nasnetalarge"), "NASNet of timm takes the largest values"),
}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n == "NASNetLarge" else n for n in OTHERS])
def test_some_networks_of_others_compute_something_else(name, tmp_path):
    theirs, told = OTHERS[name]
    torch.save(theirs().state_dict(), tmp_path / "net.pth")
    with pytest.raises(ValueError, match=f"{told} .* Nothing is loaded"):
        getattr(cconv.applications, name)(weights=tmp_path / "net.pth")
    (tmp_path / "net.pth").unlink()


def test_normalization_is_known_for_colors_alone(tmp_path):
    torch.save(timm.create_model("tf_efficientnet_b0", in_chans=1).state_dict(), tmp_path / "net.pth")
    with pytest.raises(ValueError, match="'normalization.*/mean' is known for 3 channels, the model has 1. Nothing"):
        cconv.applications.EfficientNetB0(input_shape=(32, 32, 1), weights=tmp_path / "net.pth")
