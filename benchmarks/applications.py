"""The networks of `cconv.applications`: which there are, their models here, and the files that other engines read.

    python applications.py PICKLED_WORK

writes them: the model as JSON in Keras' form, its weights, and an ONNX file. Weights are drawn such that outputs depend
on the images: convolutions keep the size of what they read, and the averages of batch normalization are those of two
images. Rates of dropout are zero in all engines, so that losses can be compared.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import conversion
import numpy as np
from work import Network, Work

LARGE = 10e9  # multiply-adds for an image; a training step then has one
HEAVY = 4e9  # PyTorch's training then is in channels_last alone
WITHIN = ("EfficientNet", "MobileNetV3", "ConvNeXt")  # they bring images of 0 to 255 to their own range
WITHOUT = "EfficientNetLite"  # but these


class Application(Network):
    """A function of `cconv.applications` with its defaults, or with those of `OTHERWISE`."""

    @property
    def brightest(self) -> float:
        """The largest value of an image."""
        return 255.0 if self.name.startswith(WITHIN) and not self.name.startswith(WITHOUT) else 1.0

    @property
    def is_heavy(self) -> bool:
        """Whether it takes long, so that less of it is measured."""
        return GIGA[self.name] * 1e9 > HEAVY


# billions of multiply-adds by side and name: what decides how many images a training step has, before a model is there
SIDES = {
    32: {"ResNet20": 0.04},
    224: {
        "ConvNeXtTiny": 4.5, "ConvNeXtSmall": 8.7, "ConvNeXtBase": 15, "ConvNeXtLarge": 34, "ConvNeXtXLarge": 61,
        "DenseNet121": 2.8, "DenseNet169": 3.4, "DenseNet201": 4.3, "EfficientNetB0": 0.4, "EfficientNetLite0": 0.4,
        "EfficientNetV2B0": 0.7, "GhostNet": 0.1, "InceptionV1": 1.6, "InceptionV2": 2.0, "MixNetS": 0.2,
        "MixNetM": 0.3, "MixNetL": 0.6, "MobileNet": 0.6, "MobileNetV2": 0.3, "MobileNetV3Large": 0.2,
        "MobileNetV3Small": 0.1, "NASNetMobile": 0.6, "ResNet18": 1.8, "ResNet34": 3.7, "ResNet50": 3.9,
        "ResNet101": 7.6, "ResNet152": 11.3, "ResNet50V2": 3.5, "ResNet101V2": 7.2, "ResNet152V2": 10.9,
        "ShuffleNet": 0.1, "ShuffleNetV2": 0.1, "SqueezeNet": 0.8, "VGG11": 7.6, "VGG13": 11.3, "VGG16": 15.5,
        "VGG19": 19.6,
    },
    227: {"AlexNet": 0.7},
    240: {"EfficientNetB1": 0.7, "EfficientNetLite1": 0.6, "EfficientNetV2B1": 1.2},
    256: {"UNet": 48},
    260: {"EfficientNetB2": 1.0, "EfficientNetLite2": 0.9, "EfficientNetV2B2": 1.7},
    280: {"EfficientNetLite3": 1.4},
    299: {
        "InceptionResNetV1": 6.3, "InceptionResNetV2": 13.2, "InceptionV3": 5.7, "InceptionV4": 12.3, "Xception": 8.4,
    },
    300: {"EfficientNetB3": 1.9, "EfficientNetLite4": 2.6, "EfficientNetV2B3": 3.0},
    331: {"NASNetLarge": 24},
    380: {"EfficientNetB4": 4.5},
    384: {"EfficientNetV2S": 8.4},
    456: {"EfficientNetB5": 10.3},
    480: {"EfficientNetV2M": 25, "EfficientNetV2L": 56},
    528: {"EfficientNetB6": 19},
    600: {"EfficientNetB7": 38},
}  # fmt: skip
CLASSES = {"ResNet20": 10, "UNet": 2}  # else 1000
PIXELWISE = ("UNet",)  # a class for every pixel
OPEN = ("MobileNetV3Large", "MobileNetV3Small", "UNet")  # the side is to be given


def _made(name: str, side: int, giga: float) -> Application:
    batch = 1 if giga * 1e9 > LARGE else 8
    return Application(name, side, 3, CLASSES.get(name, 1000), batch, pixelwise=name in PIXELWISE)


APPLICATIONS = {
    name: _made(name, side, giga) for side, networks in SIDES.items() for name, giga in networks.items()
}  # fmt: skip
GIGA = {name: giga for networks in SIDES.values() for name, giga in networks.items()}


@contextlib.contextmanager
def without_drawing() -> Iterator[None]:
    """Random initializers give zeros: the values come from elsewhere, and drawing them takes most of the building."""
    from cconv.initializers import random

    kinds = [kind for kind in vars(random).values() if isinstance(kind, type) and "__call__" in vars(kind)]
    kept = {kind: kind.__call__ for kind in kinds if issubclass(kind, random.RandomInitializer)}
    for kind in kept:
        kind.__call__ = lambda self, shape, dtype=None: np.zeros(shape, np.float32)
    try:
        yield
    finally:
        for kind, call in kept.items():
            kind.__call__ = call


def model_of(name: str) -> Any:
    """The model, whose weights are to be set."""
    import cconv

    side = {"input_shape": APPLICATIONS[name].image} if name in OPEN else {}
    with without_drawing():
        model = getattr(cconv.applications, name)(**side)
    for layer in leaves(model):
        if isinstance(layer, cconv.layers.Dropout):
            layer.rate = 0.0
    return model


def leaves(model: Any) -> list[Any]:
    """The layers, in the place of a model within the model its own."""
    return [leaf for layer in model.layers for leaf in (leaves(layer) if hasattr(layer, "layers") else [layer])]


def built(work: Work) -> Any:
    """The model with the weights of the work's file, which is written if there is none."""
    path = conversion.converted(work, ".npz", "applications.py")
    model = model_of(work.name)
    with np.load(path) as file:
        values = (file[name] for name in file.files)  # some names are made up anew in every process
        for layer in leaves(model):
            if count := len(layer.weights):
                layer.set_weights(list(itertools.islice(values, count)))
    return model


def lively(layer: Any, rng: np.random.Generator) -> list[np.ndarray] | None:
    """Weights of a layer: kernels that keep sizes where half of what comes is zero, and biases that are not zero."""
    kind, shapes = type(layer).__name__, [tuple(w.shape) for w in layer.weights]
    if not shapes or kind == "Normalization":
        return None

    def normal(shape: tuple[int, ...], scale: float = 0.1, mean: float = 0.0) -> np.ndarray:
        values = rng.standard_normal(shape, np.float32)
        return np.float32(scale) * values + np.float32(mean)

    if kind == "LayerScale":
        return [normal(shapes[0], 0.1, 0.5)]
    if kind in ("BatchNormalization", "LayerNormalization"):
        values = [normal(shape) for shape in shapes]
        if layer.scale:
            values[0] = normal(shapes[0], 0.1, 1.0)
        if kind == "BatchNormalization":
            # most of what a ReLU gets is positive: else roundings grow from layer to layer, to a thousand times
            values[1 if layer.scale else 0] += np.float32(1)
            values[-1] = np.ones(shapes[-1], np.float32)
        return values
    values = []
    for shape in shapes:
        if len(shape) == 1:
            values.append(normal(shape))
            continue
        channels = shape[-1] if kind == "Conv2DTranspose" else shape[-2]
        reads = int(np.prod(shape[:-2])) * (1 if _is_depthwise(layer, shape) else channels)
        values.append(normal(shape, (2 / reads) ** 0.5))
    return values


def _is_depthwise(layer: Any, shape: tuple[int, ...]) -> bool:
    kind = type(layer).__name__
    return kind == "DepthwiseConv2D" or (kind == "SeparableConv2D" and shape[0] * shape[1] > 1)


def multiply_adds(model: Any) -> int:
    """For one image, in convolutions and dense layers."""
    total = 0
    for layer in leaves(model):
        kernels = [tuple(w.shape) for w in layer.weights if len(w.shape) > 1]
        image = (
            layer.input.shape if type(layer).__name__ == "Conv2DTranspose" else layer.output.shape if kernels else ()
        )
        pixels = int(np.prod(image[1:-1]))
        total += sum(pixels * int(np.prod(kernel)) for kernel in kernels)
    return total


def calibrate(model: Any, images: np.ndarray, labels: np.ndarray) -> None:
    """The averages of batch normalization become those of these images."""
    import cconv

    norms = [layer for layer in leaves(model) if isinstance(layer, cconv.layers.BatchNormalization)]
    if not norms:
        return
    kept = [norm.momentum for norm in norms]
    weights = model.get_weights()
    for norm in norms:
        norm.momentum = 0.0
    model.compile(loss="sparse_categorical_crossentropy", optimizer=cconv.optimizers.SGD(0.0))
    model.train_on_batch(images, labels)
    averages = {id(v) for norm in norms for v in norm.non_trainable_weights}
    for variable, before in zip(model.weights, weights, strict=True):
        if id(variable) not in averages:
            variable.assign(before)
    for norm, momentum in zip(norms, kept, strict=True):
        norm.momentum = momentum


def write(work: Work) -> None:
    """The files of a network."""
    model, rng = model_of(work.name), np.random.default_rng(0)
    for layer in leaves(model):
        if (values := lively(layer, rng)) is not None:
            layer.set_weights(values)
    calibrate(model, *dataclasses.replace(work, batch=2, mode="train").images())
    work.file(".json").write_text(model.to_json(), encoding="utf-8")
    model.export(work.file(".part.onnx"), format="onnx", verbose=False)
    work.file(".part.onnx").replace(work.file(".onnx"))
    weights = {f"{layer.name}/{i}": w for layer in leaves(model) for i, w in enumerate(layer.get_weights())}
    part = work.file(".part.npz")
    np.savez(part, **weights)
    part.replace(work.file(".npz"))


def forget(work: Work) -> None:
    """Removes the files of a network."""
    for suffix in (".npz", ".json", ".onnx"):
        work.file(suffix).unlink(missing_ok=True)


if __name__ == "__main__":
    conversion.main(write)
