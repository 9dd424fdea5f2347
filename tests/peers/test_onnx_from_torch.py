"""PyTorch -> ONNX -> cconv: networks of torchvision and others, exported in both ways, compute the same here."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from .onnx_zoo import check, difference, exported, predict, torch_outputs, torchvision, unlike_new

torch = pytest.importorskip("torch", reason="needs torch")
nn = torch.nn

pytestmark = pytest.mark.filterwarnings("ignore")

# A side of the image; 64 where it is not said. The older exporter averages adaptively only where sizes are multiples.
SIZES = {"alexnet": 223, "vgg11_bn": 224, "squeezenet1_0": 96, "squeezenet1_1": 96, "inception_v3": 128}
CLASSIFIERS = ["alexnet", "vgg11_bn", "resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2", "squeezenet1_0", "squeezenet1_1", "densenet121", "googlenet", "inception_v3", "shufflenet_v2_x1_0", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "mnasnet1_0", "efficientnet_b0", "efficientnet_v2_s", "regnet_x_400mf", "regnet_y_400mf", "convnext_tiny"]
SEGMENTERS = ["deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large", "fcn_resnet50"]


class Out(nn.Module):
    """The map of classes alone, of a network that returns a dictionary."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)["out"]


def network(name):
    models = torchvision().models
    torch.manual_seed(0)
    if name in SEGMENTERS:
        return unlike_new(Out(getattr(models.segmentation, name)(weights=None, weights_backbone=None)))
    options = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    if name == "r3d_18":
        return unlike_new(models.video.r3d_18(weights=None))
    return unlike_new(getattr(models, name)(weights=None, **options))


def round_trip(net, arrays, record, opset=17, dynamo=False):
    """Exported for other images than those that are compared; compared with ONNX Runtime and with PyTorch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = exported(net, [np.concatenate([a, a[:1]]) for a in arrays], opset, dynamo)
    loaded = check(model, arrays, record)
    assert difference(predict(loaded, arrays), torch_outputs(net, arrays)) <= 1e-4
    assert loaded.input_shape[0] is None
    return loaded


def images(name, n=2):
    size = SIZES.get(name, 64)
    return [np.random.default_rng(1).standard_normal((n, 3, size, size)).astype(np.float32)]


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CLASSIFIERS, *SEGMENTERS])
def test_torchvision(name, record_property):
    round_trip(network(name), images(name), record_property)
