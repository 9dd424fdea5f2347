"""Masks: bools that say which steps of a tensor count, handed on from layer to layer beside the tensors.

A mask enters where a layer or model is called with `mask=`. Layers whose `call` takes `mask` (or `name_mask`, where it
takes several tensors) are given that of their input, and layers with `supports_masking` hand one on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..tensor import Tensor
from ..tree import flatten, map_structure
from .arguments import signature


def is_mask(name: str) -> bool:
    """Whether an argument of a call is a mask, by its name."""
    return name == "mask" or name.endswith("_mask")


def mask_of(value: Any) -> Any:
    """The masks of a structure of tensors; `None` if none of them has one."""
    if not any(isinstance(x, Tensor) and x.mask is not None for x in flatten(value)):
        return None
    return map_structure(lambda x: getattr(x, "mask", None), value)


def mask_arguments(layer: Any, tensors: Mapping[str, Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The masks that a call takes and was not given, from its tensors."""
    parameters, found = signature(type(layer).call).parameters, {}
    for name, value in tensors.items():
        argument = "mask" if len(tensors) == 1 else f"{name}_mask"
        if argument in parameters and kwargs.get(argument) is None:
            mask = mask_of(value)
            if mask is not None:
                found[argument] = mask
    return found


def with_masks(tensors: list[Any], masks: Any) -> list[Any]:
    """The tensors again, each with its mask; `None` for one without."""
    masks = flatten(masks)
    if len(masks) != len(tensors):
        raise ValueError(f"Expected a mask (or None) for each of {len(tensors)} inputs. Received {len(masks)}: {masks}")
    return [x if mask is None else _with_mask(x, mask) for x, mask in zip(tensors, masks, strict=True)]


def hand_on(layer: Any, inputs: Any, outputs: Any) -> Any:
    """The outputs of a layer with the masks that follow from its inputs and theirs.

    A layer that neither takes nor hands on masks ends that of its input, as in Keras.
    """
    if mask_of(outputs) is not None or not isinstance(outputs, (Tensor, list, tuple, dict)):
        return outputs
    masks = mask_of(inputs)
    if masks is None and not getattr(layer, "makes_mask", False):
        return outputs
    masks = layer.compute_mask(inputs, masks) if layer.supports_masking else None
    if masks is None:
        return outputs
    values = iter(with_masks(flatten(outputs), masks))
    return map_structure(lambda _: next(values), outputs)


def _with_mask(x: Any, mask: Any) -> Tensor:
    y = Tensor(x.shape, op="identity", inputs=(x,), name=x.name, dtype=x.dtype)
    y.mask = mask
    return y
