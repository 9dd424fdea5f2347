"""Images and what belongs to them: labels, boxes and masks in one dictionary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..config import standardize_data_format
from ..ops._apply import apply, name_scope, shape_of
from ..ops.bounding_boxes import FORMATS, clip_to_image_size, convert_format
from ..scope import is_tracing
from ..tensor import Tensor
from ..tree import flatten
from .layer import Layer


class ImageDataLayer(Layer):
    """A layer of images, which may come in a dictionary with what belongs to them.

    The dictionary has `"images"` and, as there are, `"labels"`, `"bounding_boxes"`
    (`{"boxes": (n, m, 4), "labels": (n, m)}`) and `"segmentation_masks"`. Other keys pass as they are.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.
        bounding_box_format: That of boxes: see `cconv.utils.bounding_boxes`.
    """

    def __init__(self, data_format: str | None = None, bounding_box_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if bounding_box_format is not None and bounding_box_format not in FORMATS:
            raise ValueError(
                f"`bounding_box_format` must be one of {FORMATS}. Received: bounding_box_format={bounding_box_format!r}"
            )
        self.data_format = standardize_data_format(data_format)
        self.bounding_box_format = bounding_box_format

    def __call__(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        """Changes arrays at once, and becomes part of a model on tensors."""
        if is_tracing() or any(isinstance(x, Tensor) for x in flatten(data)):
            return super().__call__(data, *args, **kwargs)
        with name_scope(self.name):
            return self.call(data, *args, **{k: v for k, v in kwargs.items() if k != "training" or v is not None})

    def given(self, data: Any) -> dict[str, Any]:
        """The dictionary that data is, or that it would be of images alone.

        Raises:
            ValueError: It has no images, or boxes of which the layer does not know the format.
        """
        found = data if isinstance(data, dict) else {"images": data}
        if "images" not in found:
            raise ValueError(f"Layer '{self.name}': expected a dictionary with 'images'. Received: {sorted(found)}")
        if "bounding_boxes" in found and self.bounding_box_format is None:
            raise ValueError(
                "You passed an input with a 'bounding_boxes' key, but you didn't specify a bounding box format. Pass "
                f"a `bounding_box_format` argument to your {type(self).__name__} layer, e.g. "
                "`bounding_box_format='xyxy'`."
            )
        return found

    def sides_of_images(self, shape: tuple[Any, ...]) -> tuple[Any, Any]:
        """Height and width in the shape of images."""
        height, width = shape[-2:] if self.data_format == "channels_first" else shape[-3:-1]
        return height, width

    def moved_boxes(self, boxes: dict[str, Any], before: Any, after: Any, move: Callable[[Any], Any]) -> dict[str, Any]:
        """Boxes that went through `move`, clipped to the image; the labels of those that left it become -1.

        Args:
            boxes: Dictionary with `"boxes"` and, usually, `"labels"`.
            before: Height and width of the image that they belong to.
            after: Height and width of the image that they will belong to.
            move: Function of boxes `(n, m, 4)`, xyxy.
        """
        single = len(shape_of(boxes["boxes"])) == 2
        xyxy = convert_format(boxes["boxes"], self.bounding_box_format, "xyxy", *before)
        if single:
            xyxy = apply("expand_dims", [xyxy], {"axis": 0})
        xyxy = move(xyxy)
        if single:
            xyxy = apply("squeeze", [xyxy], {"axes": [0]})
        found = clip_to_image_size({**boxes, "boxes": xyxy}, *after)
        return {**found, "boxes": convert_format(found["boxes"], "xyxy", self.bounding_box_format, *after)}

    def get_config(self):
        config = {**super().get_config(), "data_format": self.data_format}
        if self.bounding_box_format is not None:
            config["bounding_box_format"] = self.bounding_box_format
        return config
