"""Convolution layers of well-known networks. The tests run them on small images, the benchmarks at full size.

`LAYERS` is the table; `CASES` has each of them with all its channels, on an image cut to a few pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

from cases import Case


@dataclass(frozen=True)
class Layer:
    """A convolution with bias on square images.

    Args:
        name: network and place, unique.
        side: height and width of the image.
        c, k: channels in and out.
        kernel: height and width of the kernel, or both in one number.
        stride: of both directions.
        groups: channels fall into so many groups; `c` of them is depthwise.
        padding: half the kernel on every side, or nothing.
    """

    name: str
    side: int
    c: int
    k: int
    kernel: int | tuple[int, int] = 3
    stride: int = 1
    groups: int = 1
    padding: bool = True

    @property
    def cells(self) -> tuple[int, int]:
        return (self.kernel, self.kernel) if isinstance(self.kernel, int) else self.kernel

    @property
    def pad(self) -> tuple[int, int]:
        return (self.cells[0] // 2, self.cells[1] // 2) if self.padding else (0, 0)

    @property
    def out(self) -> tuple[int, int]:
        """Height and width of the output."""
        height, width = ((self.side + 2 * p - k) // self.stride + 1 for p, k in zip(self.pad, self.cells))
        return height, width

    @property
    def weights(self) -> tuple[int, int, int, int]:
        return (*self.cells, self.c // self.groups, self.k)

    @property
    def attributes(self) -> dict[str, object]:
        """Of the op conv2d."""
        pads = (*self.pad, *self.pad)
        return {"strides": self.stride, "padding": "explicit", "pads": pads, "groups": self.groups}

    @property
    def kind(self) -> str:
        """What the layer asks of the kernels: "3x3" (stride 1, at least 32 channels), "depthwise" or "other"."""
        if self.groups == self.c > 1:
            return "depthwise"
        dense = self.cells == (3, 3) and self.stride == self.groups == 1 and min(self.c, self.k) >= 32
        return "3x3" if dense else "other"

    def flops(self, batch: int) -> int:
        """Of the forward pass; a multiplication and an addition count as two."""
        height, width, depth, k = self.weights
        return 2 * batch * self.out[0] * self.out[1] * height * width * depth * k


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


def small(layer: Layer) -> Case:
    """The layer on an image of a few pixels: odd, and at least two outputs each way."""
    side = min(layer.side, max(layer.cells) + 2 + 2 * layer.stride) | 1
    inputs = [(1, side, side, layer.c), layer.weights, (layer.k,)]
    transformed = layer.cells == (3, 3) and layer.stride == 1 and layer.groups == 1  # perhaps, by Winograd's algorithm
    tolerance = 32 if transformed else 1  # sums of up to 4,608 terms, in another order for another batch
    return Case(layer.name, inputs, layer.attributes, exact=not transformed, tolerance=tolerance, min_nonzero=0.2)


CASES = {"conv": [small(layer) for layer in LAYERS]}
