"""Inception networks that Keras lacks beside those of torchvision, timm, facenet-pytorch and pytorchcv."""

from __future__ import annotations

import importlib

import pytest

import cconv

from .networks import check_torch, flattened
from .onnx_zoo import torchvision

torch = pytest.importorskip("torch", reason="needs torch")
nn = torch.nn


def googlenet(classes, auxiliary):
    models = torchvision().models
    return models.GoogLeNet(num_classes=classes, aux_logits=auxiliary, init_weights=False)


def googlenet_of_the_paper(classes, auxiliary):
    """torchvision's, put back to what the paper says: no batch normalization, 5x5, response normalization."""
    torchvision()
    module = importlib.import_module("torchvision.models.googlenet")

    class Convolution(nn.Module):
        def __init__(self, before, after, **settings):
            super().__init__()
            self.conv = nn.Conv2d(before, after, **settings)

        def forward(self, x):
            return torch.relu(self.conv(x))

    class Block(module.Inception):
        def __init__(self, *sizes, conv_block=None):
            super().__init__(*sizes, conv_block=Convolution)
            self.branch3[1] = Convolution(sizes[4], sizes[5], kernel_size=5, padding=2)

    class Head(module.InceptionAux):
        def __init__(self, before, classes, conv_block=None, dropout=0.7):
            super().__init__(before, classes, conv_block=Convolution, dropout=dropout)

        def forward(self, x):
            x = self.conv(nn.functional.avg_pool2d(x, 5, 3))
            return self.fc2(torch.relu(self.fc1(torch.flatten(x, 1))))

    net = module.GoogLeNet(classes, auxiliary, init_weights=False, blocks=[Convolution, Block, Head])
    response = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)
    net.maxpool1 = nn.Sequential(net.maxpool1, response)
    net.maxpool2 = nn.Sequential(response, net.maxpool2)
    net.maxpool4 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
    return net


def inception_v4(classes):
    torchvision()
    return pytest.importorskip("timm.models.inception_v4", reason="needs timm").InceptionV4(num_classes=classes)


def inception_resnet_v1(classes=None):
    torchvision()
    package = pytest.importorskip("facenet_pytorch", reason="needs facenet-pytorch")
    return package.InceptionResnetV1(classify=classes is not None, num_classes=classes)


def bn_inception(classes):
    torchvision()
    package = pytest.importorskip("pytorchcv.models.bninception", reason="needs pytorchcv")
    net = package.bninception(num_classes=classes)
    net.features.final_pool = nn.AdaptiveAvgPool2d(1)  # for images of other sizes than 224x224, too
    return net


LOGITS = {"classifier_activation": None, "classes": 5}
VARIANTS = {
    "v1 paper": ("InceptionV1", {"input_shape": (79, 96, 3)}, lambda: googlenet_of_the_paper(5, False)),
    "v1 paper, heads": (
        "InceptionV1",
        {"input_shape": (224, 224, 3), "auxiliary": True},
        lambda: googlenet_of_the_paper(5, True),
    ),
    "v1 batch_norm": ("InceptionV1", {"input_shape": (65, 78, 3), "form": "batch_norm"}, lambda: googlenet(5, False)),
    "v1 batch_norm, heads": (
        "InceptionV1",
        {"input_shape": (66, 97, 3), "form": "batch_norm", "auxiliary": True},
        lambda: googlenet(5, True),
    ),
    "v2": ("InceptionV2", {"input_shape": (96, 96, 3)}, lambda: bn_inception(5)),
    "v4": ("InceptionV4", {"input_shape": (75, 85, 3)}, lambda: inception_v4(5)),
    "resnet_v1": (
        "InceptionResNetV1",
        {"input_shape": (96, 107, 3), "embedding": 512},
        lambda: inception_resnet_v1(5),
    ),
    "resnet_v1, embedding": (
        "InceptionResNetV1",
        {"input_shape": (80, 75, 3), "embedding": 512, "include_top": False},
        inception_resnet_v1,
    ),
}
SLOW = ("v1 paper, heads", "v4", "resnet_v1")


def recorded(monkeypatch, name, settings):
    """The network, and its layers with weights in the order they were made in, which is PyTorch's order of running."""
    made = []
    begin = cconv.layers.Layer.__init__

    def noting(layer, *args, **kwargs):
        made.append(layer)
        begin(layer, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(cconv.layers.Layer, "__init__", noting)
        ours = getattr(cconv.applications, name)(**LOGITS, **settings)
    return ours, [layer for layer in made if layer.weights and isinstance(layer, KINDS)]


# of images without a value at the corner of a ReLU, see `check_torch`
SEEDS = {"v4": 3, "resnet_v1": 10, "resnet_v1, embedding": 2}
KINDS = (cconv.layers.Conv2D, cconv.layers.Dense, cconv.layers.BatchNormalization)


class WithHeads(nn.Module):
    """GoogLeNet in inference, but with its heads: the outputs in our order, features flattened in ours."""

    def __init__(self, net):
        super().__init__()
        self.net = net
        flattened(net, "aux1.fc1", (128, 4, 4))
        flattened(net, "aux2.fc1", (128, 4, 4))

    def forward(self, x):
        self.net.training = True  # of itself alone: its layers stay as they are for inference
        y, second, first = self.net(x)
        return [y, first, second]


@pytest.mark.parametrize("variant", [pytest.param(v, marks=pytest.mark.slow) if v in SLOW else v for v in VARIANTS])
def test_same_outputs_and_gradients(variant, monkeypatch):
    name, settings, build = VARIANTS[variant]
    ours, layers = recorded(monkeypatch, name, settings)
    net = build()
    assert sum(w.numpy().size for w in ours.trainable_weights) == sum(p.numel() for p in net.parameters())
    theirs = WithHeads(net) if settings.get("auxiliary") else net
    check_torch(ours, theirs, True, 1 / 16, layers=layers, seed=SEEDS.get(variant, 1))
