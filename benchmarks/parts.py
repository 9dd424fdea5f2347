"""What networks consist of besides convolutions and dense layers: the table of what is timed beside PyTorch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Part:
    """A layer, under the name it has in `cconv.layers`.

    Args:
        name: unique, begins with the network or the use it is known from.
        layer: the class.
        shape: of one sample, channels last.
        settings: of the class.
        weights: the shapes of its weights, in its order.
        family: what it is counted with in the summary.
        image: PyTorch has the channels of its input first.
        numbers: the input is whole numbers below this; 0: it is not.
    """

    name: str
    layer: str
    shape: tuple[int, ...]
    settings: dict[str, object] = field(default_factory=dict)
    weights: tuple[tuple[int, ...], ...] = ()
    family: str = "norm"
    image: bool = False
    numbers: int = 0

    @property
    def attends(self) -> bool:
        return self.layer == "MultiHeadAttention"

    @property
    def compared(self) -> list[int]:
        """The weights whose gradients engines must agree on: that of the key's bias, which shifts all scores of a query
        alike, is 0, and rounding alone."""
        return [i for i in range(len(self.weights)) if not (self.attends and i == 3)]

    def flops(self, batch: int) -> int:
        """Of the products in the forward pass, a multiplication and an addition counting as two; else 0."""
        if not self.attends:
            return 0
        steps, width = self.shape
        projections = sum(math.prod(shape) for shape in self.weights if len(shape) == 3)
        return 2 * batch * (steps * projections + 2 * steps * steps * width)


def attention(name: str, steps: int, width: int, heads: int) -> Part:
    """Of a sequence to itself."""
    each = width // heads
    inner = ((width, heads, each), (heads, each))
    settings = {"num_heads": heads, "key_dim": each}
    weights = (*inner, *inner, *inner, (heads, each, width), (width,))
    return Part(name, "MultiHeadAttention", (steps, width), settings, weights, "attention")


def norm(name: str, layer: str, shape: tuple[int, ...], **settings: object) -> Part:
    """Over the last axis, or groups of it."""
    weights = ((shape[-1],),) if layer == "RMSNormalization" else ((shape[-1],),) * 2
    return Part(name, layer, shape, {"epsilon": 1e-5, **settings}, weights, image=layer == "GroupNormalization")


def image(name: str, layer: str, shape: tuple[int, ...], family: str, **settings: object) -> Part:
    return Part(name, layer, shape, settings, (), family, image=True)


PARTS = (
    attention("vit_tiny_attention", 197, 192, 3),
    attention("text_attention", 64, 256, 8),
    norm("vit_tiny_layer_norm", "LayerNormalization", (197, 192)),
    norm("text_layer_norm", "LayerNormalization", (64, 256)),
    norm("convnext_layer_norm", "LayerNormalization", (28, 28, 192)),
    norm("unet_group_norm", "GroupNormalization", (32, 32, 128), groups=32),
    norm("resnet_group_norm", "GroupNormalization", (56, 56, 64), groups=32),
    norm("text_rms_norm", "RMSNormalization", (64, 256)),
    image("deeplab_bilinear_up", "UpSampling2D", (32, 32, 64), "resize", size=2, interpolation="bilinear"),
    image("unet_nearest_up", "UpSampling2D", (32, 32, 64), "resize", size=2),
    image("psp_bilinear", "Resizing", (24, 24, 64), "resize", height=60, width=60),
    image("photo_bilinear", "Resizing", (256, 256, 3), "resize", height=160, width=160),
    Part(
        "text_embedding", "Embedding", (64,), {"input_dim": 10_000, "output_dim": 256}, ((10_000, 256),), "embedding",
        numbers=10_000,
    ),
    image("c3d_max_pool", "MaxPooling3D", (8, 28, 28, 32), "3-d pool", pool_size=2),
    image("i3d_average_pool", "AveragePooling3D", (8, 28, 28, 32), "3-d pool", pool_size=2),
    Part("vit_tiny_gelu", "Activation", (197, 768), {"activation": "gelu"}, (), "function"),
    Part("vit_tiny_softmax", "Softmax", (3, 197, 197), {}, (), "function"),
)  # fmt: skip
