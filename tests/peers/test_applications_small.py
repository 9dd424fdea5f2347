"""Small networks beside timm's and torchvision's: the same outputs and gradients from the same weights."""

import pytest

import cconv

from .networks import check_torch
from .onnx_zoo import torchvision

MODELS = torchvision().models
timm = pytest.importorskip("timm")

SIZED = {"input_shape": (64, 64, 3), "classes": 7, "classifier_activation": None}


def of_timm(name, classes=7):
    return timm.create_model(name, num_classes=classes)


@pytest.mark.parametrize("size, gradients", [(0, True), (1, False)])
def test_efficientnet_lite(size, gradients):
    ours = getattr(cconv.applications, f"EfficientNetLite{size}")(**SIZED)
    check_torch(ours, of_timm(f"tf_efficientnet_lite{size}"), gradients, 1 / 255, seed=2)


@pytest.mark.parametrize("size, gradients", [("S", True), ("M", False), ("L", False)])
def test_mixnet(size, gradients):
    ours = getattr(cconv.applications, f"MixNet{size}")(**SIZED)
    check_torch(ours, of_timm(f"mixnet_{size.lower()}"), gradients, 1 / 255)


@pytest.mark.parametrize("alpha, gradients", [(0.5, True), (1.0, False), (1.3, False)])
def test_ghostnet(alpha, gradients):
    ours = cconv.applications.GhostNet(alpha=alpha, **SIZED)
    check_torch(ours, of_timm(f"ghostnet_{round(100 * alpha):03}"), gradients, 1 / 255, ("", "shortcut"))


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("side", [64, 75, 80, 90])
def test_squeezenet(version, side):
    ours = cconv.applications.SqueezeNet(version=version, **{**SIZED, "input_shape": (side, side + 3, 3)})
    theirs = getattr(MODELS, f"squeezenet{version.replace('.', '_')}")(num_classes=7)
    check_torch(ours, theirs, side == 64, 1 / 255, seed=3)


@pytest.mark.parametrize("alpha, gradients", [(0.5, True), (1.0, False), (1.5, False), (2.0, False)])
def test_shufflenet_v2(alpha, gradients):
    ours = cconv.applications.ShuffleNetV2(alpha=alpha, **SIZED)
    theirs = getattr(MODELS, f"shufflenet_v2_x{str(alpha).replace('.', '_')}")(num_classes=7)
    check_torch(ours, theirs, gradients, 1 / 255, ("left", ""), seed=11)
