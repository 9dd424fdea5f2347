"""The benchmark's networks as one writes them in PyTorch, without the softmax at the end.

Modules carry the names that the layers have in Keras, with dots for underscores; so weights find their place. What
PyTorch does otherwise stays PyTorch's way, as long as it is the same work: a stride of 2 pads one pixel on every side,
where Keras pads right and below only. `PaddedConv` can do either, so that outputs can be compared before times are.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional


class PaddedConv(nn.Conv2d):
    """A convolution with stride 2 that pads like Keras, until `as_in_pytorch` is called."""

    like_keras = True

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.like_keras:
            return super().forward(functional.pad(x, (0, 1, 0, 1)))
        return super().forward(x)


def as_in_pytorch(net: nn.Module) -> None:
    """Pads the way convolutions of PyTorch do it without a copy. Outputs change, work does not."""
    for module in net.modules():
        if isinstance(module, PaddedConv):
            module.like_keras, module.padding = False, (1, 1)


def add_unit(module: nn.Module, name: str, conv: nn.Conv2d, eps: float = 1.001e-5) -> None:
    """A convolution and its normalization."""
    setattr(module, f"{name}_conv", conv)
    setattr(module, f"{name}_bn", nn.BatchNorm2d(conv.out_channels, eps=eps, momentum=0.01))


def unit(module: nn.Module, name: str, x: torch.Tensor) -> torch.Tensor:
    """What `add_unit` has added, applied."""
    return getattr(module, f"{name}_bn")(getattr(module, f"{name}_conv")(x))


class MNISTConvnet(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10),
        )  # fmt: skip
        self[-1].image = (64, 5, 5)


class ResidualBlock(nn.Module):
    """A block of ResNet-20."""

    def __init__(self, c: int, k: int) -> None:
        super().__init__()
        self.grows = c != k
        conv = PaddedConv(c, k, 3, 2, bias=False) if self.grows else nn.Conv2d(c, k, 3, padding=1, bias=False)
        add_unit(self, "1", conv, eps=1e-3)
        add_unit(self, "2", nn.Conv2d(k, k, 3, padding=1, bias=False), eps=1e-3)
        if self.grows:
            add_unit(self, "0", nn.Conv2d(c, k, 1, 2, bias=False), eps=1e-3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = unit(self, "2", functional.relu(unit(self, "1", x), inplace=True))
        y += unit(self, "0", x) if self.grows else x
        return functional.relu(y, inplace=True)


class ResNet20(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        add_unit(self, "stem", nn.Conv2d(3, 16, 3, padding=1, bias=False), eps=1e-3)
        self.blocks, c = [], 16
        for stack, k in enumerate((16, 32, 64)):
            for i in range(3):
                self.blocks.append(f"stack{stack}_block{i}")
                setattr(self, self.blocks[-1], ResidualBlock(c, k))
                c = k
        self.predictions = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(unit(self, "stem", x), inplace=True)
        for name in self.blocks:
            x = getattr(self, name)(x)
        return self.predictions(x.mean((2, 3)))


class VGG16(nn.Sequential):
    def __init__(self) -> None:
        super().__init__()
        c = 3
        for block, (k, count) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), 1):
            for i in range(1, count + 1):
                self.add_module(f"block{block}_conv{i}", nn.Conv2d(c, k, 3, padding=1))
                self.add_module(f"block{block}_relu{i}", nn.ReLU(inplace=True))
                c = k
            self.add_module(f"block{block}_pool", nn.MaxPool2d(2))
        self.flatten = nn.Flatten()
        self.fc1, self.relu1 = nn.Linear(512 * 7 * 7, 4096), nn.ReLU(inplace=True)
        self.fc1.image = (512, 7, 7)
        self.fc2, self.relu2 = nn.Linear(4096, 4096), nn.ReLU(inplace=True)
        self.predictions = nn.Linear(4096, 1000)


class Bottleneck(nn.Module):
    """A block of ResNet-50."""

    def __init__(self, c: int, k: int, stride: int, shortcut: bool) -> None:
        super().__init__()
        if shortcut:
            add_unit(self, "0", nn.Conv2d(c, 4 * k, 1, stride))
        add_unit(self, "1", nn.Conv2d(c, k, 1, stride))
        add_unit(self, "2", nn.Conv2d(k, k, 3, padding=1))
        add_unit(self, "3", nn.Conv2d(k, 4 * k, 1))
        self.shortcut = shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu(unit(self, "1", x), inplace=True)
        y = functional.relu(unit(self, "2", y), inplace=True)
        y = unit(self, "3", y)
        y += unit(self, "0", x) if self.shortcut else x
        return functional.relu(y, inplace=True)


class ResNet50(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        add_unit(self, "conv1", nn.Conv2d(3, 64, 7, 2, padding=3))
        self.pool = nn.MaxPool2d(3, 2, 1)
        blocks, c = [], 64
        for stack, (k, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), 2):
            for i in range(1, count + 1):
                name = f"conv{stack}_block{i}"
                setattr(self, name, Bottleneck(c, k, 2 if i == 1 and stack > 2 else 1, i == 1))
                blocks.append(name)
                c = 4 * k
        self.blocks = blocks
        self.predictions = nn.Linear(2048, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(functional.relu(unit(self, "conv1", x), inplace=True))
        for name in self.blocks:
            x = getattr(self, name)(x)
        return self.predictions(x.mean((2, 3)))


class InvertedResidual(nn.Module):
    """A block of MobileNetV2."""

    def __init__(self, c: int, k: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = expansion * c
        if expansion > 1:
            self.expand, self.expand_BN = nn.Conv2d(c, wide, 1, bias=False), norm(wide)
        if stride == 2:
            self.depthwise = PaddedConv(wide, wide, 3, 2, groups=wide, bias=False)
        else:
            self.depthwise = nn.Conv2d(wide, wide, 3, padding=1, groups=wide, bias=False)
        self.depthwise_BN = norm(wide)
        self.project, self.project_BN = nn.Conv2d(wide, k, 1, bias=False), norm(k)
        self.expands, self.adds = expansion > 1, stride == 1 and c == k

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu6(self.expand_BN(self.expand(x)), inplace=True) if self.expands else x
        y = functional.relu6(self.depthwise_BN(self.depthwise(y)), inplace=True)
        y = self.project_BN(self.project(y))
        return x + y if self.adds else y


def norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.001)


class MobileNetV2(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.Conv1, self.bn_Conv1 = PaddedConv(3, 32, 3, 2, bias=False), norm(32)
        table = (
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        )
        c, self.blocks = 32, []
        for expansion, k, count, stride in table:
            for i in range(count):
                name = f"block_{len(self.blocks)}" if self.blocks else "expanded_conv"
                setattr(self, name, InvertedResidual(c, k, 1 if i else stride, expansion))
                self.blocks.append(name)
                c = k
        self.Conv_1, self.Conv_1_bn = nn.Conv2d(320, 1280, 1, bias=False), norm(1280)
        self.predictions = nn.Linear(1280, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu6(self.bn_Conv1(self.Conv1(x)), inplace=True)
        for name in self.blocks:
            x = getattr(self, name)(x)
        x = functional.relu6(self.Conv_1_bn(self.Conv_1(x)), inplace=True)
        return self.predictions(x.mean((2, 3)))


NETWORKS = {
    "mnist_convnet": MNISTConvnet,
    "resnet20": ResNet20,
    "vgg16": VGG16,
    "resnet50": ResNet50,
    "mobilenet_v2": MobileNetV2,
}


def load(net: nn.Module, weights: dict[str, np.ndarray]) -> None:
    """Copies weights in Keras' order, named "layer/0", "layer/1": by the layers' names, or in order if they differ.

    Raises:
        ValueError: If something is left over.
    """
    layers: dict[str, list[np.ndarray]] = {}
    for key, value in weights.items():
        layers.setdefault(key.rpartition("/")[0], []).append(value)
    modules = {
        name.replace(".", "_"): module
        for name, module in net.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm2d)
    }
    if len(layers) != len(modules):
        raise ValueError(f"{len(layers)} layers have weights, {len(modules)} modules take some")
    names = modules if set(modules) == set(layers) else layers
    for (name, module), other in zip(modules.items(), names):
        fill(module, layers[other], name)


def fill(module: nn.Module, values: list[np.ndarray], name: str) -> None:
    """One module's parameters from one layer's arrays."""
    targets: list[torch.Tensor] = [module.weight] + ([] if module.bias is None else [module.bias])
    if isinstance(module, nn.BatchNorm2d):
        targets += [module.running_mean, module.running_var]
    kernel = values[0]
    if isinstance(module, nn.Conv2d):
        depthwise = module.groups == module.in_channels > 1
        kernel = kernel.transpose(2, 3, 0, 1) if depthwise else kernel.transpose(3, 2, 0, 1)
    elif isinstance(module, nn.Linear):
        if image := getattr(module, "image", None):  # Keras flattens height, width, channels
            c, height, width = image
            kernel = kernel.reshape(height, width, c, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
        kernel = kernel.T
    values = [kernel, *values[1:]]
    if [tuple(target.shape) for target in targets] != [value.shape for value in values]:
        raise ValueError(f"{name}: {[value.shape for value in values]} do not fit into {module}")
    with torch.no_grad():
        for target, value in zip(targets, values):
            target.copy_(torch.from_numpy(np.ascontiguousarray(value)))
