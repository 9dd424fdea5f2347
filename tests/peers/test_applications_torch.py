"""ResNets, VGG with batch normalization, AlexNet and U-Net beside torchvision's, or PyTorch modules written here."""

import pytest
import torch
from torch import nn

from cconv.applications import VGG11, VGG13, AlexNet, ResNet18, ResNet20, ResNet34, ResNet50, UNet

from .networks import check_torch, flattened
from .onnx_zoo import torchvision


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


LOGITS = {"classes": 10, "classifier_activation": None}


@pytest.mark.parametrize("name, side", [("resnet18", 64), ("resnet18", 75), ("resnet34", 64), ("resnet50", 64)])
def test_resnet_is_torchvision(name, side):
    network, more = {
        "resnet18": (ResNet18, {}),
        "resnet34": (ResNet34, {}),
        "resnet50": (ResNet50, {"like": "torchvision"}),
    }[name]
    model = network(input_shape=(side, 64, 3), **LOGITS, **more)
    net = getattr(torchvision().models, name)(num_classes=10)
    check_torch(model, net, (name, side) == ("resnet18", 64), branches=("", "_0_"), seed=2)


def test_resnet20():
    check_torch(ResNet20(classifier_activation=None), basic_blocks_for_small_images(), True, seed=2)


@pytest.mark.parametrize("name", ["vgg11_bn", "vgg13", "vgg13_bn"])
def test_vgg_is_torchvision(name):
    network = VGG11 if name.startswith("vgg11") else VGG13
    model = network(include_top=False, batch_norm=name.endswith("bn"))
    net = getattr(torchvision().models, name)(num_classes=1).features
    check_torch(model, net, name == "vgg11_bn", side=(64, 70))


def test_alexnet_of_one_tower_is_torchvision():
    model = AlexNet(include_top=False, form="one_tower")
    check_torch(model, torchvision().models.alexnet(num_classes=1).features, True, side=(90, 79))


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(224, 224, 3), (80, 100, 3)])
def test_alexnet_with_its_dense_layers_is_torchvision(shape):
    model = AlexNet(form="one_tower", input_shape=shape, **LOGITS)
    net = torchvision().models.alexnet(num_classes=10)
    check_torch(model, flattened(net, "classifier.1", (256, 6, 6)))


def test_alexnet_of_two_towers():
    check_torch(AlexNet(include_top=False), two_towers(), True, 1 / 16, side=(99, 83))


@pytest.mark.parametrize(
    "up, normalization", [("transposed", "batch"), ("resize", "batch"), ("resize", "instance"), ("transposed", None)]
)
def test_unet(up, normalization):
    model = UNet(depth=3, width=8, classifier_activation=None, up=up, normalization=normalization)
    check_torch(model, unet(3, 8, up, normalization), up == "transposed", side=(48, 32))
