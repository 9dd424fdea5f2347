"""Convolution layers of well-known networks. The tests run them on small images, the benchmarks at full size.

`LAYERS` is the table of those on images, `LAYERS_1D`, `LAYERS_3D` and `LAYERS_TRANSPOSED` are those of other ranks and
the transposed ones; `CASES` has each with all its channels, on an image cut to a few pixels, but not the largest of the
latter: they take a minute, and show nothing that those of half a million weights do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from cases import Case


@dataclass(frozen=True)
class Layer:
    """A convolution with bias, or the transpose of one.

    Args:
        name: network and place, unique.
        side: size of the image along each axis, or all of them in one number.
        c, k: channels in and out.
        kernel: size of the kernel along each axis, or all of them in one number.
        stride: of all axes.
        groups: channels fall into so many groups; `c` of them is depthwise.
        padding: half the kernel on every side, or nothing; of a transposed one what makes `side * stride` of `side`.
        dilation: of all axes.
        rank: axes of the image: 1, 2 or 3.
        transposed: `conv_transpose`.
    """

    name: str
    side: int | tuple[int, ...]
    c: int
    k: int
    kernel: int | tuple[int, ...] = 3
    stride: int = 1
    groups: int = 1
    padding: bool = True
    dilation: int = 1
    rank: int = 2
    transposed: bool = False

    @property
    def sides(self) -> tuple[int, ...]:
        return (self.side,) * self.rank if isinstance(self.side, int) else self.side

    @property
    def cells(self) -> tuple[int, ...]:
        return (self.kernel,) * self.rank if isinstance(self.kernel, int) else self.kernel

    @property
    def pad(self) -> tuple[int, ...]:
        """At either end of each axis."""
        if not self.padding:
            return (0,) * self.rank
        if self.transposed:
            return tuple((k - self.stride) // 2 for k in self.cells)
        return tuple(self.dilation * (k - 1) // 2 for k in self.cells)

    @property
    def out(self) -> tuple[int, ...]:
        """The sizes of the output's image."""
        if self.transposed:
            return tuple((s - 1) * self.stride - 2 * p + k for s, p, k in zip(self.sides, self.pad, self.cells))
        return tuple(
            (s + 2 * p - self.dilation * (k - 1) - 1) // self.stride + 1
            for s, p, k in zip(self.sides, self.pad, self.cells)
        )

    @property
    def image(self) -> tuple[int, ...]:
        """The shape of one image."""
        return (*self.sides, self.c)

    @property
    def weights(self) -> tuple[int, ...]:
        if self.transposed:
            return (*self.cells, self.k, self.c)
        return (*self.cells, self.c // self.groups, self.k)

    @property
    def op(self) -> str:
        return "conv_transpose" if self.transposed else "conv"

    @property
    def attributes(self) -> dict[str, object]:
        pads = (*self.pad, *self.pad)
        attributes = {"strides": self.stride, "padding": "explicit", "pads": pads, "groups": self.groups}
        return attributes | ({"dilation": self.dilation} if self.dilation > 1 else {})

    @property
    def kind(self) -> str:
        """What the layer asks of the kernels: "3x3" (stride 1, at least 32 channels), "depthwise", "other", "1-d",
        "3-d" or "transposed"."""
        if self.transposed:
            return "transposed"
        if self.rank != 2:
            return f"{self.rank}-d"
        if self.groups == self.c > 1:
            return "depthwise"
        dense = self.cells == (3, 3) and self.stride == self.groups == 1 and min(self.c, self.k) >= 32
        return "3x3" if dense else "other"

    def flops(self, batch: int) -> int:
        """Of the forward pass; a multiplication and an addition count as two."""
        pixels = math.prod(self.sides if self.transposed else self.out)
        return 2 * batch * pixels * math.prod(self.weights)


LAYERS = (
    Layer("lenet_c1_5x5", 28, 1, 6, kernel=5),
    Layer("lenet_c3_5x5", 14, 6, 16, kernel=5, padding=False),
    Layer("mnist_c1_3x3", 28, 1, 32, padding=False),
    Layer("mnist_c2_3x3", 13, 32, 64, padding=False),
    Layer("vgg_224_3_64", 224, 3, 64),
    Layer("vgg_112_128", 112, 128, 128),
    Layer("vgg_56_256", 56, 256, 256),
    Layer("vgg_28_512", 28, 512, 512),
    Layer("vgg_14_512", 14, 512, 512),
    Layer("resnet_stem_7x7_s2", 224, 3, 64, kernel=7, stride=2),
    Layer("resnet_56_64", 56, 64, 64),
    Layer("resnet_28_128", 28, 128, 128),
    Layer("resnet_14_256", 14, 256, 256),
    Layer("resnet_7_512", 7, 512, 512),
    Layer("resnet_s2_56_64_128", 56, 64, 128, stride=2),
    Layer("resnet_s2_14_256_512", 14, 256, 512, stride=2),
    Layer("resnet_1x1_56_64_256", 56, 64, 256, kernel=1),
    Layer("resnet_1x1_28_512_128", 28, 512, 128, kernel=1),
    Layer("resnet_1x1_14_1024_256", 14, 1024, 256, kernel=1),
    Layer("resnet_1x1_7_512_2048", 7, 512, 2048, kernel=1),
    Layer("resnet_1x1_s2_56_256_512", 56, 256, 512, kernel=1, stride=2),
    Layer("inception_5x5_28_32_96", 28, 32, 96, kernel=5),
    Layer("inception_1x7_17_192", 17, 192, 192, kernel=(1, 7)),
    Layer("inception_7x1_17_192", 17, 192, 192, kernel=(7, 1)),
    Layer("mobilenet_1x1_56_24_144", 56, 24, 144, kernel=1),
    Layer("mobilenet_1x1_14_384_64", 14, 384, 64, kernel=1),
    Layer("depthwise_112_32", 112, 32, 32, groups=32),
    Layer("depthwise_s2_112_96", 112, 96, 96, stride=2, groups=96),
    Layer("depthwise_14_512", 14, 512, 512, groups=512),
    Layer("depthwise_s2_14_576", 14, 576, 576, stride=2, groups=576),
    Layer("depthwise_5x5_28_120", 28, 120, 120, kernel=5, groups=120),
    Layer("resnext_56_128_g32", 56, 128, 128, groups=32),
    Layer("resnext_28_256_g32", 28, 256, 256, groups=32),
    Layer("resnext_14_512_g32", 14, 512, 512, groups=32),
    Layer("resnext_s2_28_512_g32", 28, 512, 512, stride=2, groups=32),
)


LAYERS_1D = (
    Layer("m5_c1_80_s4", 8000, 1, 128, kernel=80, stride=4, rank=1),
    Layer("m5_c2_500_128", 500, 128, 128, rank=1),
    Layer("m5_c4_125_256", 125, 256, 512, rank=1),
    Layer("wav2vec_1600_512_s2", 1600, 512, 512, stride=2, rank=1, padding=False),
    Layer("tcn_1000_64_d8", 1000, 64, 64, dilation=8, rank=1),
    Layer("tasnet_1x1_1600_128_512", 1600, 128, 512, kernel=1, rank=1),
    Layer("tasnet_depthwise_1600_512", 1600, 512, 512, groups=512, rank=1),
    Layer("textcnn_5_60_300_100", 60, 300, 100, kernel=5, rank=1, padding=False),
    Layer("ecg_16_1000_64_128_s2", 1000, 64, 128, kernel=16, stride=2, rank=1),
    Layer("unet1d_9_512_32_64", 512, 32, 64, kernel=9, rank=1),
)

LAYERS_3D = (
    Layer("c3d_c1_16_112_3", (16, 112, 112), 3, 64, rank=3),
    Layer("c3d_c2_16_56_64", (16, 56, 56), 64, 128, rank=3),
    Layer("c3d_c3_8_28_128", (8, 28, 28), 128, 256, rank=3),
    Layer("c3d_c4_4_14_256", (4, 14, 14), 256, 512, rank=3),
    Layer("i3d_stem_7_s2", (16, 112, 112), 3, 64, kernel=7, stride=2, rank=3),
    Layer("i3d_1x1_8_28_192_64", (8, 28, 28), 192, 64, kernel=1, rank=3),
    Layer("r2plus1d_1x3x3_8_56_64", (8, 56, 56), 64, 144, kernel=(1, 3, 3), rank=3),
    Layer("r2plus1d_3x1x1_8_56_144", (8, 56, 56), 144, 64, kernel=(3, 1, 1), rank=3),
    Layer("unet3d_32_32_64", 32, 32, 64, rank=3),
    Layer("resnet3d_s2_8_28_128_256", (8, 28, 28), 128, 256, stride=2, rank=3),
)

LAYERS_TRANSPOSED = (
    Layer("unet_up_28_1024_512", 28, 1024, 512, kernel=2, stride=2, transposed=True),
    Layer("unet_up_56_512_256", 56, 512, 256, kernel=2, stride=2, transposed=True),
    Layer("unet_up_112_128_64", 112, 128, 64, kernel=2, stride=2, transposed=True),
    Layer("dcgan_4_1024_512", 4, 1024, 512, kernel=4, stride=2, transposed=True),
    Layer("dcgan_8_512_256", 8, 512, 256, kernel=4, stride=2, transposed=True),
    Layer("dcgan_16_256_128", 16, 256, 128, kernel=4, stride=2, transposed=True),
    Layer("dcgan_32_128_3", 32, 128, 3, kernel=4, stride=2, transposed=True),
    Layer("fcn_x2_14_21", 14, 21, 21, kernel=4, stride=2, transposed=True),
    Layer("fcn_x8_28_21", 28, 21, 21, kernel=16, stride=8, transposed=True),
    Layer("decoder_3x3_28_128_64", 28, 128, 64, transposed=True),
)


def small(layer: Layer) -> Case:
    """The layer on an image of a few pixels: odd, and at least two outputs each way."""
    side = min(*layer.sides, max(layer.cells) + 2 + 2 * layer.stride) | 1
    inputs = [(1, *(side,) * layer.rank, layer.c), layer.weights, (layer.k,)]
    # perhaps, by Winograd's algorithm
    transformed = layer.cells[-2:] in ((3, 3), (5, 5)) and layer.stride == layer.groups == 1
    tolerance = 32 if transformed else 1  # sums of thousands of terms, in another order for another batch
    return Case(layer.name, inputs, layer.attributes, exact=not transformed, tolerance=tolerance, min_nonzero=0.2)


def light(layers: tuple[Layer, ...]) -> list[Case]:
    return [small(layer) for layer in layers if math.prod(layer.weights) <= 1 << 19]


CASES = {
    "conv": [small(layer) for layer in LAYERS] + light(LAYERS_1D + LAYERS_3D),
    "conv_transpose": light(LAYERS_TRANSPOSED),
}
