"""A described network (`zoo.Net`) as a module of PyTorch that gives the logits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.nn import functional
from zoo import EPSILON, Net, Node

Function = Callable[..., torch.Tensor]
FUNCTIONS: dict[str, Function] = {
    "relu": functional.relu,
    "relu6": functional.relu6,
    "leaky_relu": partial(functional.leaky_relu, negative_slope=0.1),
    "silu": functional.silu,
    "hard_silu": functional.hardswish,
    "hard_sigmoid": functional.hardsigmoid,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}
WITHOUT_INPLACE = ("sigmoid", "tanh")


class ZooNet(nn.Module):
    """Layers have the names of the description. What nothing reads any more is given back at once."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        last = {i: at for at, node in enumerate(net.nodes) for i in node.inputs}
        readers = [sum(i in node.inputs for node in net.nodes) for i in range(len(net.nodes))]
        self.steps: list[tuple[Function, tuple[int, ...], list[int]]] = []
        for at, node in enumerate(net.nodes[1:], 1):
            function = self._function(net, node, alone=readers[node.inputs[0]] == 1 and node.inputs[0] > 0)
            self.steps.append((function, node.inputs, [i for i in node.inputs if last[i] == at]))

    def _function(self, net: Net, node: Node, alone: bool) -> Function:
        """What a node does; a layer with weights is kept under its name. `alone`: no other reads its input."""
        settings, out = node.settings, node.shape[-1]
        if node.op == "act":
            function = FUNCTIONS[settings["function"]]
            in_place = alone and settings["function"] not in WITHOUT_INPLACE
            return partial(function, inplace=True) if in_place else function
        if node.op in ("add", "multiply"):
            return torch.add if node.op == "add" else torch.mul
        if node.op == "concat":
            return lambda *inputs: torch.cat(inputs, 1)
        if node.op == "shuffle":
            return partial(shuffled, groups=settings["groups"])
        if node.op == "mean":
            return lambda x: x.mean((2, 3), keepdim=settings["keep"])
        if node.op == "flatten":
            return lambda x: torch.flatten(x, 1)
        if node.op == "pool_same":
            return pool_same(net.shape(node.inputs[0]), settings["size"], settings["stride"])
        if node.op == "pool":
            pool = functional.max_pool2d if settings["kind"] == "max" else functional.avg_pool2d
            return partial(pool, kernel_size=settings["size"], stride=settings["stride"], padding=settings["pad"])
        setattr(self, node.name, made(net, node, net.channels(node.inputs[0]), out))
        return getattr(self, node.name)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values: list[torch.Tensor | None] = [x]
        del x
        for function, inputs, done in self.steps:
            values.append(function(*(values[i] for i in inputs)))
            for i in done:
                values[i] = None
        return values[-1]


def made(net: Net, node: Node, channels: int, out: int) -> nn.Module:
    """A layer with weights."""
    settings = node.settings
    if node.op == "norm":
        return nn.BatchNorm2d(out, eps=EPSILON, momentum=0.01)
    if node.op == "dense":
        layer = nn.Linear(channels, out)
        before = net.nodes[node.inputs[0]]
        if before.op == "flatten":
            height, width, channels = net.shape(before.inputs[0])
            layer.image = (channels, height, width)  # Keras flattens channels last
        return layer
    groups = channels if node.op == "depthwise" else settings["groups"]
    window = {"stride": settings["stride"], "padding": settings["pad"]}
    return nn.Conv2d(channels, out, settings["size"], groups=groups, bias=settings["bias"], **window)


def pool_same(shape: tuple[int, ...], size: int, stride: int) -> Function:
    """The largest of windows, padded as evenly as may be, one more below and right."""
    total = [max(0, (-(-side // stride) - 1) * stride + size - side) for side in shape[:2]]
    pads = [(both // 2, both - both // 2) for both in total]
    if pads[0][0] == pads[0][1] == pads[1][0] == pads[1][1]:
        return partial(functional.max_pool2d, kernel_size=size, stride=stride, padding=pads[0][0])
    outside = (*pads[1], *pads[0])
    return lambda x: functional.max_pool2d(functional.pad(x, outside, value=float("-inf")), size, stride)


def shuffled(x: torch.Tensor, groups: int) -> torch.Tensor:
    """PyTorch's channel shuffle, which its writer of ONNX files does not know."""
    if not torch.onnx.is_in_onnx_export():
        return functional.channel_shuffle(x, groups)
    n, c, h, w = x.shape
    return x.reshape(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)
