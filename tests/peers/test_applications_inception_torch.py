"""Inception networks that Keras lacks beside those of torchvision, timm, facenet-pytorch and pytorchcv."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import cconv

from .networks_alike import assert_close, value
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


KINDS = (cconv.layers.Conv2D, cconv.layers.Dense, cconv.layers.BatchNormalization)


def run(net, x):
    """Outputs of a network for inference, heads included; and its layers with weights in the order they ran in."""
    ran, hooks = [], []
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear, nn.BatchNorm1d, nn.BatchNorm2d)):
            hooks.append(module.register_forward_hook(lambda module, *_: ran.append(module)))
    net.eval()
    net.training = True  # of GoogLeNet alone: its layers stay as they are for inference
    y = net(torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))))
    for hook in hooks:
        hook.remove()
    return ([y[0], y[2], y[1]] if isinstance(y, tuple) else [y]), ran


def randomized(net):
    rng = np.random.default_rng(0)
    for module in net.modules():
        for name, kind in (("running_mean", "moving_mean"), ("running_var", "moving_variance")):
            if getattr(module, name, None) is not None:
                getattr(module, name).copy_(torch.from_numpy(value(kind, getattr(module, name).shape, rng)))
    for name, weight in net.named_parameters():
        kind = "bias" if name.endswith("bias") else "kernel" if weight.ndim > 1 else "gamma"
        shape = tuple(reversed(weight.shape)) if kind == "kernel" else tuple(weight.shape)
        drawn = value(kind, shape, rng)
        weight.data.copy_(torch.from_numpy(drawn.T if kind == "kernel" else drawn))
    return net


def ours_of(module, of=lambda weight: weight):
    """Weights of a layer of PyTorch in our layout; or its gradients."""
    weights = [of(module.weight)] + ([] if module.bias is None else [of(module.bias)])
    arrays = [w.detach().numpy() for w in weights]
    if arrays[0].ndim == 4:
        arrays[0] = arrays[0].transpose(2, 3, 1, 0)
    elif arrays[0].shape[-1:] == (2048,):  # behind a flattened 4x4 image of 128 channels
        arrays[0] = arrays[0].reshape(-1, 128, 4, 4).transpose(2, 3, 1, 0).reshape(2048, -1)
    elif arrays[0].ndim == 2:
        arrays[0] = arrays[0].T
    return arrays


def statistics(module):
    return [module.running_mean.numpy(), module.running_var.numpy()] if hasattr(module, "running_mean") else []


@pytest.mark.parametrize("variant", [pytest.param(v, marks=pytest.mark.slow) if v in SLOW else v for v in VARIANTS])
def test_same_outputs_and_gradients(variant, monkeypatch, record_property):
    name, settings, build = VARIANTS[variant]
    ours, made = recorded(monkeypatch, name, settings)
    net = randomized(build())
    x = np.random.default_rng(1).standard_normal((2, *settings["input_shape"])).astype(np.float32)
    want, ran = run(net, x)
    assert len(made) == len(ran)
    for layer, module in zip(made, ran, strict=True):
        layer.set_weights([*ours_of(module), *statistics(module)])
    assert sum(w.numpy().size for w in ours.trainable_weights) == sum(p.numel() for p in net.parameters())
    got = ours.predict(x, verbose=0)
    for a, b in zip(got if isinstance(got, list) else [got], want, strict=True):
        assert_close(a, b.detach().numpy(), 1e-4, record_property)

    for seed in range(1, 6):  # see `assert_same_gradients`: a ReLU at 0, a pooling of equal values
        x = np.random.default_rng(seed).standard_normal(x.shape).astype(np.float32)
        worst = max(gradients(ours, made, net, x))
        if worst[0] <= 1e-3:
            break
    record_property("gradients", f"{worst[0]:.1e}")
    assert worst[0] <= 1e-3, worst


def gradients(ours, made, net, x):
    """(share of the largest, name of the layer) for the gradient of each weight, of a weighted sum of the outputs."""
    factors = np.random.default_rng(2).standard_normal((2, 1024)).astype(np.float32)

    with cconv.GradientTape() as tape:
        y = ours(x, training=False)
        outputs = y if isinstance(y, (list, tuple)) else [y]
        loss = sum(cconv.ops.sum(y * factors[:, : y.shape[-1]]) for y in outputs)
    own = dict(zip(map(id, ours.trainable_weights), tape.gradient(loss, ours.trainable_weights), strict=True))
    net.zero_grad()
    outputs, ran = run(net, x)
    sum((y * torch.from_numpy(factors[:, : y.shape[-1]].copy())).sum() for y in outputs).backward()
    for layer, module in zip(made, ran, strict=True):
        for weight, expected in zip(layer.trainable_weights, ours_of(module, lambda w: w.grad), strict=True):
            got = np.asarray(own[id(weight)])
            yield float(np.abs(got - expected).max() / max(np.abs(expected).max(), 1e-6)), layer.name
