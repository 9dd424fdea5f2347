"""Small networks beside timm's and torchvision's: the same outputs and gradients from the same weights."""

import pytest

import cconv

from .networks import check_torch
from .onnx_zoo import torchvision

torchvision()  # which timm imports
timm = pytest.importorskip("timm")

SIZED = {"input_shape": (64, 64, 3), "classes": 7, "classifier_activation": None}


def of_timm(name, classes=7):
    return timm.create_model(name, num_classes=classes)


@pytest.mark.parametrize("size, gradients", [(0, True), (1, False)])
def test_efficientnet_lite(size, gradients):
    ours = getattr(cconv.applications, f"EfficientNetLite{size}")(**SIZED)
    check_torch(ours, of_timm(f"tf_efficientnet_lite{size}"), gradients, 1 / 255)
