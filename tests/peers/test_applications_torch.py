"""ResNets, VGG with batch normalization, AlexNet and U-Net beside torchvision's, or PyTorch modules written here."""

import re

import numpy as np
import pytest
import torch
from torch import nn

import cconv
from cconv.applications import VGG11, VGG13, AlexNet, ResNet18, ResNet20, ResNet34, ResNet50, UNet

from .onnx_zoo import torchvision

KINDS = {
    "kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
    "moving_variance": "running_var",
}  # fmt: skip


class Network(nn.Module):
    """A network whose modules are called as our layers are."""

    def __init__(self, modules, forward):
        super().__init__()
        self.parts = nn.ModuleDict(modules)
        self.compute = forward

    def forward(self, x):
        return self.compute(self.parts, x)


def two_towers():
    sizes = {1: (3, 96, 11, 4, 0, 1), 2: (96, 256, 5, 1, 2, 2), 3: (256, 384, 3, 1, 1, 1), 4: (384, 384, 3, 1, 1, 2),
             5: (384, 256, 3, 1, 1, 2)}  # fmt: skip
    parts = {f"conv{i}": nn.Conv2d(*s[:5], groups=s[5]) for i, s in sizes.items()}

    def forward(parts, x):
        norm, pool = nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0), nn.MaxPool2d(3, 2)
        for i in (1, 2):
            x = pool(norm(torch.relu(parts[f"conv{i}"](x))))
        for i in (3, 4, 5):
            x = torch.relu(parts[f"conv{i}"](x))
        return pool(x)

    return Network(parts, forward)


def unet(depth, width, up, normalization):
    parts = {}

    def block(name, inputs, channels):
        for i, c in ((1, inputs), (2, channels)):
            parts[f"{name}_conv{i}"] = nn.Conv2d(c, channels, 3, padding=1, bias=normalization is None)
            if normalization == "batch":
                parts[f"{name}_norm{i}"] = nn.BatchNorm2d(channels)
            elif normalization == "instance":
                parts[f"{name}_norm{i}"] = nn.InstanceNorm2d(channels, affine=True)

    widths = [width << i for i in range(depth + 1)]
    for i in range(depth):
        block(f"down{i + 1}", widths[i - 1] if i else 3, widths[i])
    block("bottom", widths[-2], widths[-1])
    for i in reversed(range(depth)):
        if up == "transposed":
            parts[f"up{i + 1}_up"] = nn.ConvTranspose2d(widths[i + 1], widths[i], 2, 2)
        else:
            parts[f"up{i + 1}_narrow"] = nn.Conv2d(widths[i + 1], widths[i], 3, padding=1)
        block(f"up{i + 1}", 2 * widths[i], widths[i])
    parts["logits"] = nn.Conv2d(width, 2, 1)

    def forward(parts, x):
        def run(name, x):
            for i in (1, 2):
                x = parts[f"{name}_conv{i}"](x)
                x = torch.relu(parts[f"{name}_norm{i}"](x) if normalization else x)
            return x

        beside = []
        for i in range(depth):
            beside.append(run(f"down{i + 1}", x))
            x = nn.functional.max_pool2d(beside[-1], 2)
        x = run("bottom", x)
        for i in reversed(range(depth)):
            if up == "transposed":
                x = parts[f"up{i + 1}_up"](x)
            else:
                x = parts[f"up{i + 1}_narrow"](nn.functional.interpolate(x, scale_factor=2))
            x = run(f"up{i + 1}", torch.cat([beside[i], x], 1))
        return parts["logits"](x)

    return Network(parts, forward)


def basic_blocks_for_small_images():
    """ResNet-20 with identity shortcuts."""
    parts = {"conv1_conv": nn.Conv2d(3, 16, 3, padding=1, bias=False), "conv1_bn": nn.BatchNorm2d(16)}
    steps = [(i, j, 16 << i, 2 if i and j == 1 else 1) for i in range(3) for j in (1, 2, 3)]
    for i, j, c, strides in steps:
        for k, inputs, s in ((1, c // strides, strides), (2, c, 1)):
            parts[f"conv{i + 2}_block{j}_{k}_conv"] = nn.Conv2d(inputs, c, 3, s, padding=1, bias=False)
            parts[f"conv{i + 2}_block{j}_{k}_bn"] = nn.BatchNorm2d(c)
    parts["predictions"] = nn.Linear(64, 10)

    def forward(parts, x):
        def step(name, x):
            return parts[f"{name}_bn"](parts[f"{name}_conv"](x))

        x = torch.relu(step("conv1", x))
        for i, j, c, strides in steps:
            beside = x if strides == 1 else nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, c // 4, c // 4))
            y = step(f"conv{i + 2}_block{j}_2", torch.relu(step(f"conv{i + 2}_block{j}_1", x)))
            x = torch.relu(beside + y)
        return parts["predictions"](x.mean((2, 3)))

    return Network(parts, forward)


def same_names(model, net):
    return {layer.name: f"parts.{layer.name}" for layer in model.layers}


def in_order(model, net):
    """Layers and modules that have weights, one after the other."""
    layers = [layer.name for layer in model.layers if layer.weights]
    modules = [name for name, module in net.named_modules() if list(module.parameters(recurse=False))]
    return dict(zip(layers, modules, strict=True))


def torchvision_resnet(model, net):
    names = {"conv1_conv": "conv1", "conv1_bn": "bn1", "predictions": "fc"}
    for layer in model.layers:
        found = re.match(r"conv(\d)_block(\d+)_(\d)_(conv|bn)$", layer.name)
        if found:
            stage, block, number = (int(g) for g in found.groups()[:3])
            inner = f"{found[4]}{number}" if number else f"downsample.{int(found[4] == 'bn')}"
            names[layer.name] = f"layer{stage - 1}.{block - 1}.{inner}"
    return names


def value(weight, rng):
    """Random numbers for a weight, such that what a deep network computes neither dies nor explodes."""
    kind, shape = weight.path.split("/")[-1], weight.shape
    if kind in ("gamma", "moving_variance"):
        return rng.uniform(0.7, 1.4, shape)
    if kind in ("beta", "bias", "moving_mean"):
        return 0.1 * rng.standard_normal(shape)
    return (2 / np.prod(shape[:-1])) ** 0.5 * rng.standard_normal(shape)


def as_torch(values):
    """A kernel as PyTorch has it. The rows of one behind features of 6x6 are in another order."""
    if values.ndim == 2:
        if values.shape[0] == 6 * 6 * 256:
            values = values.reshape(6, 6, 256, -1).transpose(2, 0, 1, 3).reshape(values.shape)
        values = values.T
    return np.ascontiguousarray(values.transpose(3, 2, 0, 1) if values.ndim == 4 else values)


def their_key(weight, names):
    layer, kind = weight.path.split("/")[-2:]
    return f"{names[layer]}.{KINDS[kind]}"


def check_alike(model, net, names, shape, record, gradients):
    """Random weights and statistics: outputs within 1e-4 of the largest, slopes of all weights within 1e-3."""
    names, rng, state = names(model, net), np.random.default_rng(0), net.eval().state_dict()
    for weight in model.weights:
        key = their_key(weight, names)
        if key not in state:  # biases of Keras in front of batch normalization
            assert key.endswith("bias")
            weight.assign(np.zeros(weight.shape))
            continue
        numbers = value(weight, rng).astype(np.float32)
        weight.assign(numbers)
        state.pop(key).copy_(torch.from_numpy(as_torch(numbers)))
    assert all("num_batches" in key for key in state)
    x = rng.standard_normal((2, *shape)).astype(np.float32)
    out = net(torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))))
    want = out.detach().numpy()
    want = want.transpose(0, 2, 3, 1) if want.ndim == 4 else want
    y = model.predict(x, verbose=0)
    worst = np.abs(y - want).max() / np.abs(want).max()
    record("difference", f"{worst:.1e}")
    assert y.shape == want.shape and worst <= 1e-4
    assert np.std(want, axis=0).max() > 1e-3 * np.abs(want).max()
    if not gradients:
        return
    factors = rng.standard_normal(y.shape).astype(np.float32)
    with cconv.GradientTape() as tape:
        loss = cconv.ops.sum(model(x, training=False) * factors)
    slopes = tape.gradient(loss, model.trainable_weights)
    turned = factors.transpose(0, 3, 1, 2) if factors.ndim == 4 else factors
    (out * torch.from_numpy(np.ascontiguousarray(turned))).sum().backward()
    worst = 0.0
    for weight, slope in zip(model.trainable_weights, slopes, strict=True):
        key = their_key(weight, names)
        if key in dict(net.named_parameters()):
            right = net.get_parameter(key).grad.numpy()
            worst = max(worst, np.abs(as_torch(np.asarray(slope)) - right).max() / np.abs(right).max())
    record("gradients", f"{worst:.1e}")
    assert worst <= 1e-3


LOGITS = {"classes": 10, "classifier_activation": None}


@pytest.mark.parametrize("name, side", [("resnet18", 64), ("resnet18", 75), ("resnet34", 64), ("resnet50", 64)])
def test_resnet_is_torchvision(name, side, record_property):
    network, more = {
        "resnet18": (ResNet18, {}),
        "resnet34": (ResNet34, {}),
        "resnet50": (ResNet50, {"like": "torchvision"}),
    }[name]
    model = network(input_shape=(side, 64, 3), **LOGITS, **more)
    net = getattr(torchvision().models, name)(num_classes=10)
    check_alike(model, net, torchvision_resnet, (side, 64, 3), record_property, (name, side) == ("resnet18", 64))


def test_resnet20(record_property):
    model = ResNet20(classifier_activation=None)
    check_alike(model, basic_blocks_for_small_images(), same_names, (32, 32, 3), record_property, True)


@pytest.mark.parametrize("name", ["vgg11_bn", "vgg13", "vgg13_bn"])
def test_vgg_is_torchvision(name, record_property):
    network = VGG11 if name.startswith("vgg11") else VGG13
    model = network(include_top=False, batch_norm=name.endswith("bn"))
    net = getattr(torchvision().models, name)(num_classes=1).features
    check_alike(model, net, in_order, (64, 70, 3), record_property, name == "vgg11_bn")


def test_alexnet_of_one_tower_is_torchvision(record_property):
    model = AlexNet(include_top=False, form="one_tower")
    check_alike(
        model, torchvision().models.alexnet(num_classes=1).features, in_order, (90, 79, 3), record_property, True
    )


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(224, 224, 3), (80, 100, 3)])
def test_alexnet_with_its_dense_layers_is_torchvision(shape, record_property):
    model = AlexNet(form="one_tower", input_shape=shape, **LOGITS)
    check_alike(model, torchvision().models.alexnet(num_classes=10), in_order, shape, record_property, False)


def test_alexnet_of_two_towers(record_property):
    model = AlexNet(include_top=False)
    check_alike(model, two_towers(), same_names, (99, 83, 3), record_property, True)


@pytest.mark.parametrize(
    "up, normalization", [("transposed", "batch"), ("resize", "batch"), ("resize", "instance"), ("transposed", None)]
)
def test_unet(up, normalization, record_property):
    model = UNet(depth=3, width=8, classifier_activation=None, up=up, normalization=normalization)
    check_alike(model, unet(3, 8, up, normalization), same_names, (48, 32, 3), record_property, up == "transposed")
