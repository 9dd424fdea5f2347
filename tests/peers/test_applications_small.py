"""Small networks beside timm's, torchvision's and pytorchcv's: the same outputs and gradients from the same weights."""

import pytest
import torch

import cconv

from .networks import check_torch
from .onnx_zoo import torchvision

MODELS = torchvision().models
timm = pytest.importorskip("timm")

SIZED = {"input_shape": (64, 64, 3), "classes": 7, "classifier_activation": None}


def of_timm(name, classes=7):
    return timm.create_model(name, num_classes=classes)


LARGER = [pytest.param(size, False, marks=pytest.mark.slow) for size in (2, 3, 4)]


@pytest.mark.parametrize("size, gradients", [(0, True), (1, False), *LARGER])
def test_efficientnet_lite(size, gradients):
    ours = getattr(cconv.applications, f"EfficientNetLite{size}")(**SIZED)
    check_torch(ours, of_timm(f"tf_efficientnet_lite{size}"), gradients, 1 / 255, seed=4)


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


@pytest.mark.parametrize("groups", [1, 2, 3, 4, 8])
def test_shufflenet(groups):
    package = pytest.importorskip("pytorchcv.models.shufflenet", reason="needs pytorchcv")
    theirs = package.get_shufflenet(groups, 1.0, num_classes=7)
    for module in theirs.modules():
        if (
            isinstance(module, package.ShuffleUnit) and module.downsample
        ):  # puts the means of the input behind, not first
            module.register_forward_hook(lambda unit, given, made: made.roll(given[0].shape[1], 1))
    theirs.features.final_pool = torch.nn.AdaptiveAvgPool2d(1)
    theirs.output = torch.nn.Linear(theirs.output.in_features, 7, bias=False)
    check_torch(cconv.applications.ShuffleNet(groups=groups, **SIZED), theirs, groups in (3, 8), 1 / 255, seed=2)
