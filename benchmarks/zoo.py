"""More of the field's networks, each described once, for all engines: a `Net` is a list of layers with their shapes.

`zoo_keras` makes of it a model of Keras or cconv, `zoo_torch` a module of PyTorch. Strides pad evenly on all sides, as
in PyTorch; there is no dropout, so that losses can be compared; what only has features (backbones, encoders) gets an
average over the image and a dense layer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

EPSILON = 1e-3  # of all batch normalizations


@dataclass(frozen=True)
class Node:
    """A layer: what it does, its name, the places of its inputs in the list, the shape (height, width, channels; or
    units) of its output, and settings."""

    op: str
    name: str
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    settings: dict[str, object] = field(default_factory=dict)


class Net:
    """A network in the making. Methods take and return places in `nodes`; the last one gives the logits."""

    def __init__(self, side: int, channels: int) -> None:
        self.nodes = [Node("input", "images", (), (side, side, channels))]

    def add(self, op: str, inputs: tuple[int, ...], shape: tuple[int, ...], **settings: object) -> int:
        self.nodes.append(Node(op, f"{op}_{len(self.nodes)}", inputs, shape, settings))
        return len(self.nodes) - 1

    def shape(self, x: int) -> tuple[int, ...]:
        return self.nodes[x].shape

    def channels(self, x: int) -> int:
        return self.shape(x)[-1]

    def _window(self, x: int, size: int, stride: int, pad: int) -> tuple[int, int]:
        height, width, _ = self.shape(x)
        return (height + 2 * pad - size) // stride + 1, (width + 2 * pad - size) // stride + 1

    def conv(
        self, x: int, filters: int, size: int = 1, stride: int = 1, act: str = "", *, groups: int = 1,
        norm: bool = True, pad: int | None = None, bias: bool | None = None,
    ) -> int:  # fmt: skip
        """A convolution, normalization if wanted (else it has a bias), function; by default pads by half its size."""
        pad = size // 2 if pad is None else pad
        settings = {
            "size": size,
            "stride": stride,
            "pad": pad,
            "groups": groups,
            "bias": not norm if bias is None else bias,
        }
        y = self.add("conv", (x,), (*self._window(x, size, stride, pad), filters), **settings)
        return self._finished(y, norm, act)

    def depthwise(self, x: int, size: int = 3, stride: int = 1, act: str = "", norm: bool = True) -> int:
        shape = (*self._window(x, size, stride, size // 2), self.channels(x))
        y = self.add("depthwise", (x,), shape, size=size, stride=stride, pad=size // 2, bias=False)
        return self._finished(y, norm, act)

    def _finished(self, x: int, norm: bool, act: str) -> int:
        x = self.norm(x) if norm else x
        return self.act(x, act) if act else x

    def norm(self, x: int) -> int:
        return self.add("norm", (x,), self.shape(x))

    def act(self, x: int, function: str) -> int:
        """Of relu, relu6, leaky_relu (0.1), tanh, silu, hard_silu, sigmoid, hard_sigmoid."""
        return self.add("act", (x,), self.shape(x), function=function)

    def pool(self, x: int, kind: str = "max", size: int = 2, stride: int = 2, pad: int = 0) -> int:
        """Of kind "max" or "average"; pads by zeros, so "max" follows a function that has no negative values."""
        shape = (*self._window(x, size, stride, pad), self.channels(x))
        return self.add("pool", (x,), shape, kind=kind, size=size, stride=stride, pad=pad)

    def pool_same(self, x: int, size: int, stride: int) -> int:
        """The largest of windows, as many as strides fit in; what lies outside does not count."""
        height, width, channels = self.shape(x)
        shape = (-(-height // stride), -(-width // stride), channels)
        return self.add("pool_same", (x,), shape, size=size, stride=stride)

    def together(self, op: str, *inputs: int) -> int:
        """Of add, multiply (by a number a channel, the second), concat."""
        shape = self.shape(inputs[0])
        if op == "concat":
            shape = (*shape[:2], sum(self.channels(x) for x in inputs))
        return self.add(op, inputs, shape)

    def shuffle(self, x: int, groups: int) -> int:
        """Channels of the groups in turn."""
        return self.add("shuffle", (x,), self.shape(x), groups=groups)

    def mean(self, x: int, keep: bool = False) -> int:
        """Over the image."""
        return self.add("mean", (x,), (1, 1, self.channels(x)) if keep else (self.channels(x),), keep=keep)

    def dense(self, x: int, units: int, act: str = "") -> int:
        """Of an image, its pixels in a row."""
        if len(self.shape(x)) == 3:
            height, width, channels = self.shape(x)
            x = self.add("flatten", (x,), (height * width * channels,))
        return self._finished(self.add("dense", (x,), (units,)), False, act)

    def gate(self, x: int, squeezed: int, act: str, gate: str) -> int:
        """Squeeze and excitation: each channel times what two 1x1 convolutions make of the means."""
        y = self.conv(self.mean(x, keep=True), squeezed, act=act, norm=False)
        return self.together("multiply", x, self.conv(y, self.channels(x), act=gate, norm=False))


def rounded(channels: float) -> int:
    """To eights, at least nine tenths."""
    whole = max(8, int(channels + 4) // 8 * 8)
    return whole + 8 if whole < 0.9 * channels else whole


def lenet(net: Net) -> None:
    x = net.pool(net.conv(0, 6, 5, act="tanh", norm=False, pad=0), "average")
    x = net.pool(net.conv(x, 16, 5, act="tanh", norm=False, pad=0), "average")
    net.dense(net.dense(net.dense(x, 120, "tanh"), 84, "tanh"), 10)


def mlp(net: Net) -> None:
    net.dense(net.dense(net.dense(0, 512, "relu"), 512, "relu"), 10)


def squeezenet(net: Net) -> None:
    """SqueezeNet 1.1."""
    x = net.conv(0, 64, 3, 2, "relu", norm=False, pad=0)
    for squeezed, filters in ((16, 64), (32, 128), (48, 192), (64, 256)):
        x = net.pool(x, size=3) if squeezed < 64 else x
        for _ in range(2):
            x = net.conv(x, squeezed, act="relu", norm=False)
            parts = (net.conv(x, filters, size, act="relu", norm=False) for size in (1, 3))
            x = net.together("concat", *parts)
    net.mean(net.conv(x, 1000, act="relu", norm=False))


def inverted(
    net: Net, x: int, wide: int, k: int, size: int, stride: int, act: str, squeezed: int, gate: tuple[str, str]
) -> int:
    """An inverted residual block: wider, depthwise, gate, narrower."""
    y = net.conv(x, wide, act=act) if wide != net.channels(x) else x
    y = net.depthwise(y, size, stride, act)
    if squeezed:
        y = net.gate(y, squeezed, *gate)
    y = net.conv(y, k)
    return net.together("add", x, y) if stride == 1 and k == net.channels(x) else y


def mobilenet_v3(net: Net) -> None:
    """MobileNetV3-Large."""
    x = net.conv(0, 16, 3, 2, "hard_silu")
    table = (
        (3, 16, 16, 0, "relu", 1), (3, 64, 24, 0, "relu", 2), (3, 72, 24, 0, "relu", 1), (5, 72, 40, 1, "relu", 2),
        (5, 120, 40, 1, "relu", 1), (5, 120, 40, 1, "relu", 1), (3, 240, 80, 0, "hard_silu", 2),
        (3, 200, 80, 0, "hard_silu", 1), (3, 184, 80, 0, "hard_silu", 1), (3, 184, 80, 0, "hard_silu", 1),
        (3, 480, 112, 1, "hard_silu", 1), (3, 672, 112, 1, "hard_silu", 1), (5, 672, 160, 1, "hard_silu", 2),
        (5, 960, 160, 1, "hard_silu", 1), (5, 960, 160, 1, "hard_silu", 1),
    )  # fmt: skip
    for size, wide, k, gated, act, stride in table:
        x = inverted(net, x, wide, k, size, stride, act, gated * rounded(wide / 4), ("relu", "hard_sigmoid"))
    x = net.mean(net.conv(x, 960, act="hard_silu"))
    net.dense(net.dense(x, 1280, "hard_silu"), 1000)


def efficientnet_b0(net: Net) -> None:
    x = net.conv(0, 32, 3, 2, "silu")
    table = (
        (1, 3, 16, 1, 1), (6, 3, 24, 2, 2), (6, 5, 40, 2, 2), (6, 3, 80, 3, 2), (6, 5, 112, 3, 1), (6, 5, 192, 4, 2),
        (6, 3, 320, 1, 1),
    )  # fmt: skip
    for factor, size, k, count, stride in table:
        for i in range(count):
            c = net.channels(x)
            x = inverted(net, x, factor * c, k, size, 1 if i else stride, "silu", c // 4, ("silu", "sigmoid"))
    net.dense(net.mean(net.conv(x, 1280, act="silu")), 1000)


def densenet121(net: Net) -> None:
    def pre(x: int, filters: int, size: int) -> int:
        return net.conv(net.act(net.norm(x), "relu"), filters, size, norm=False, bias=False)

    x = net.pool(net.conv(0, 64, 7, 2, "relu"), size=3, pad=1)
    for stage, count in enumerate((6, 12, 24, 16)):
        if stage:
            x = net.pool(pre(x, net.channels(x) // 2, 1), "average")
        for _ in range(count):
            x = net.together("concat", x, pre(pre(x, 128, 1), 32, 3))
    net.dense(net.mean(net.act(net.norm(x), "relu")), 1000)


def googlenet(net: Net) -> None:
    """Without local response normalization and auxiliary outputs."""

    def conv(x: int, filters: int, size: int = 1, stride: int = 1) -> int:
        return net.conv(x, filters, size, stride, "relu", norm=False)

    x = net.pool(conv(0, 64, 7, 2), size=3, pad=1)
    x = net.pool(conv(conv(x, 64), 192, 3), size=3, pad=1)
    table = (
        (64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64), (), (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64), (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128), (), (256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128),
    )  # fmt: skip
    for row in table:
        if not row:
            x = net.pool(x, size=3, pad=1)
            continue
        one, reduce3, three, reduce5, five, pooled = row
        parts = (conv(x, one), conv(conv(x, reduce3), three, 3), conv(conv(x, reduce5), five, 5))
        x = net.together("concat", *parts, conv(net.pool(x, size=3, stride=1, pad=1), pooled))
    net.dense(net.mean(x), 1000)


def shufflenet(net: Net) -> None:
    """ShuffleNet (the first), three groups."""
    x = net.pool(net.conv(0, 24, 3, 2, "relu"), size=3, pad=1)
    for k, count in ((240, 4), (480, 8), (960, 4)):
        for i in range(count):
            c, stride = net.channels(x), 1 if i else 2
            y = net.conv(x, k // 4, act="relu", groups=1 if c == 24 else 3)
            y = net.depthwise(net.shuffle(y, 3) if c > 24 else y, 3, stride)
            if i:
                y = net.together("add", x, net.conv(y, k, groups=3))
            else:
                y = net.together("concat", net.pool(x, "average", 3, pad=1), net.conv(y, k - c, groups=3))
            x = net.act(y, "relu")
    net.dense(net.mean(x), 1000)


def alexnet(net: Net) -> None:
    """One tower, without local response normalization."""
    x = net.pool(net.conv(0, 64, 11, 4, "relu", norm=False, pad=2), size=3)
    x = net.pool(net.conv(x, 192, 5, act="relu", norm=False), size=3)
    for filters in (384, 256, 256):
        x = net.conv(x, filters, 3, act="relu", norm=False)
    x = net.dense(net.pool(x, size=3), 4096, "relu")
    net.dense(net.dense(x, 4096, "relu"), 1000)


def yolov3_tiny(net: Net) -> None:
    """The backbone."""
    x = 0
    for filters in (16, 32, 64, 128, 256, 512):
        x = net.conv(x, filters, 3, act="leaky_relu")
        x = net.pool(x) if filters < 512 else net.pool_same(x, 2, 1)
    net.dense(net.mean(net.conv(x, 1024, 3, act="leaky_relu")), 80)


def unet_encoder(net: Net) -> None:
    x = 0
    for filters in (64, 128, 256, 512, 1024):
        x = net.pool(x) if x else x
        for _ in range(2):
            x = net.conv(x, filters, 3, act="relu", norm=False)
    net.dense(net.mean(x), 10)


def residual(net: Net, width: int, groups: int, gated: bool) -> None:
    """Of bottlenecks, two in each of four stages."""
    x = net.pool(net.conv(0, 64, 7, 2, "relu"), size=3, pad=1)
    for stage in range(4):
        k = 256 << stage
        for i in range(2):
            stride = 2 if stage and not i else 1
            y = net.conv(net.conv(x, width << stage, act="relu"), width << stage, 3, stride, "relu", groups=groups)
            y = net.conv(y, k)
            y = net.gate(y, k // 16, "relu", "sigmoid") if gated else y
            x = net.act(net.together("add", x if i else net.conv(x, k, stride=stride), y), "relu")
    net.dense(net.mean(x), 1000)


def se_resnet26(net: Net) -> None:
    residual(net, 64, 1, gated=True)


def resnext26(net: Net) -> None:
    """32 groups of 4 channels."""
    residual(net, 128, 32, gated=False)


def xception(net: Net) -> None:
    def separable(x: int, filters: int, before: bool = True) -> int:
        return net.conv(net.depthwise(net.act(x, "relu") if before else x, norm=False), filters)

    x = net.conv(net.conv(0, 32, 3, 2, "relu", pad=0), 64, 3, act="relu", pad=0)
    for filters in (128, 256, 728):
        y = separable(separable(x, filters, before=filters > 128), filters)
        x = net.together("add", net.pool_same(y, 3, 2), net.conv(x, filters, stride=2))
    for _ in range(8):
        y = x
        for _ in range(3):
            y = separable(y, 728)
        x = net.together("add", x, y)
    y = net.pool_same(separable(separable(x, 728), 1024), 3, 2)
    x = net.together("add", y, net.conv(x, 1024, stride=2))
    x = net.act(separable(separable(x, 1536, before=False), 2048), "relu")
    net.dense(net.mean(x), 1000)


BUILDERS: dict[str, Callable[[Net], None]] = {
    builder.__name__: builder
    for builder in (
        lenet, mlp, squeezenet, mobilenet_v3, efficientnet_b0, densenet121, googlenet, shufflenet, alexnet, yolov3_tiny,
        unet_encoder, se_resnet26, resnext26, xception,
    )
}  # fmt: skip


def described(name: str, side: int, channels: int) -> Net:
    """The network of this name for such images."""
    net = Net(side, channels)
    BUILDERS[name](net)
    return net
