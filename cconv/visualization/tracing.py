"""Layers looked into: what they give, and the gradient of a score by it or by the image."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..layers.layer import Layer
from ..program import Program
from ..scope import building, recording
from ..tensor import Tensor


class Traced(NamedTuple):
    """A call of a model on images.

    Attributes:
        layer: The layer that was looked into; `None` where the image was.
        values: What it gave `(n, h, w, c)`, or the images.
        scores: What the model returned `(n, classes)`.
        gradients: Of the score of the class asked for, by the values.
        classes: The class of each image.
    """

    layer: Layer | None
    values: np.ndarray
    scores: np.ndarray
    gradients: np.ndarray
    classes: np.ndarray


def layer_of(model: Any, layer: Any) -> Layer:
    """A layer of a model, also of one inside it, by itself or by its name.

    Raises:
        ValueError: There is none.
    """
    found = model._flatten_layers(include_self=False)
    for part in found:
        if part is layer or part.name == layer:
            return part
    names = [part.name for part in found]
    raise ValueError(f"Model '{model.name}' has no layer {layer!r}. Its layers: {names}")


def _called(model: Any, images: np.ndarray, layer: Layer | None) -> tuple[Tensor, Any, list]:
    """Traces the model: input, output, and of each call of `layer` (or of any) what it gave and what is added to it."""
    x = Tensor(images.shape, name="images")
    parts = [layer] if layer is not None else [part for part in model._flatten_layers(False) if not part._layers]
    seen: list[tuple[Layer, Tensor, Tensor]] = []

    def watched(part: Layer) -> Any:
        own = part.call

        def call(*args: Any, **kwargs: Any) -> Any:
            y = own(*args, **kwargs)
            if not isinstance(y, Tensor) or len(y.shape) != 4:
                return y
            probe = Tensor(y.shape, name="probe")
            seen.append((part, y, probe))
            return y + probe if layer is not None else y

        return call

    with building, recording():
        for part in parts:
            object.__setattr__(part, "call", watched(part))
        try:
            y = model(x, training=False)
        finally:
            for part in parts:
                object.__delattr__(part, "call")
    return x, y, seen


def _find(model: Any, images: np.ndarray, layer: Any) -> Layer:
    """The layer asked for, or the last that gives maps of more than one pixel."""
    if layer is not None:
        return layer_of(model, layer)
    _, _, seen = _called(model, images, None)
    wide = [part for part, y, _ in seen if y.shape[1] > 1 and y.shape[2] > 1]
    if not wide:
        raise ValueError(f"Model '{model.name}' has no layer that gives maps (n, h, w, c) of more than one pixel.")
    return wide[-1]


def activations(model: Any, images: np.ndarray, layer: Any) -> tuple[Layer, np.ndarray]:
    """The layer, and what it gives for these images in its last call."""
    images = np.ascontiguousarray(images, np.float32)
    found = _find(model, images, layer)
    x, _, seen = _called(model, images, found)
    if not seen:
        raise ValueError(f"Layer '{found.name}' of model '{model.name}' gives no maps of shape (n, h, w, c).")
    _, y, probe = seen[-1]
    others = [other for _, _, other in seen]
    program = Program([y + probe], [x, *others])
    zeros = [np.zeros(other.shape, np.float32) for other in others]
    return found, program.run([images, *zeros])[0]


def traced(model: Any, images: np.ndarray, classes: Any, layer: Any = None, inside: bool = True) -> Traced:
    """Calls a classifier and takes the gradient of a class' score by a layer's output, or by the images.

    The score is what stands before a last softmax or sigmoid: behind them a sure decision has hardly any gradient.
    """
    images = np.ascontiguousarray(images, np.float32)
    found = _find(model, images, layer) if inside else None
    x, y, seen = _called(model, images, found) if inside else (*_called(model, images, None)[:2], [])
    if not isinstance(y, Tensor) or len(y.shape) != 2:
        shape = getattr(y, "shape", type(y).__name__)
        raise ValueError(f"Expected a classifier, which returns (n, classes). Model '{model.name}' returns: {shape}")
    if inside and not seen:
        raise ValueError(f"Layer '{found.name}' of model '{model.name}' gives no maps of shape (n, h, w, c).")
    root = y
    while root.op == "identity":
        root = root.inputs[0]
    root = root.inputs[0] if root.op in ("softmax", "sigmoid") else y
    probes = [probe for _, _, probe in seen]
    value = seen[-1][1] if inside else None
    inner = [] if value is None else [value + probes[-1]]
    program = Program([y, *inner], [x, *probes], root=root, wrt=[probes[-1] if inside else x])
    arrays = [images, *(np.zeros(probe.shape, np.float32) for probe in probes)]
    results = program.run(arrays, root_gradient=np.zeros(root.shape, np.float32))
    scores = results[0]
    chosen = _classes(classes, scores)
    seed = np.zeros(root.shape, np.float32)
    seed[np.arange(len(chosen)), chosen] = 1
    if scores.shape[1] == 1:  # one score for two classes: that against the first is its negative
        seed[:, 0] = 1
    gradient = program.gradients(arrays, seed)[0]
    return Traced(found, results[1] if inside else images, scores, gradient, chosen)


def _classes(classes: Any, scores: np.ndarray) -> np.ndarray:
    """The class of each image: what was asked for, or that with the highest score."""
    if classes is None:
        return scores.argmax(1)
    chosen = np.broadcast_to(np.asarray(classes), (len(scores),))
    if chosen.dtype.kind not in "iu" or chosen.min() < 0 or chosen.max() >= scores.shape[1]:
        raise ValueError(
            f"Expected class numbers from 0 to {scores.shape[1] - 1}, one for all or for each of {len(scores)} images. "
            f"Received: {classes!r}"
        )
    return chosen
