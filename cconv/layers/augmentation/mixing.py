"""Pairs of samples made into one."""

from __future__ import annotations

from typing import Any

from ...ops._apply import apply, shape_of
from ...ops.arguments import number
from ...ops.image.batch import sides_of
from ...ops.random import draw
from ...ops.shapes import concatenate
from ...ops.tensors import cast
from .base import Augmentation, factors, per_pixel
from .random_erasing import rectangle
from .shares import drawn_shares

__all__ = ["CutMix", "MixUp"]


class _Mixing(Augmentation):
    """What both have in common: a partner for each sample, and the share of the sample itself, `(n, 1)`."""

    def _partners(self, images: Any) -> Any:
        """The number of a sample for each, every one once."""
        order = draw("uniform", (None,), self._generator, like=images)
        return apply("argsort", [order], {"axis": 0})

    def _shares(self, images: Any, alpha: Any) -> Any:
        """`(n, 1)` numbers of the distribution Beta(alpha, alpha)."""
        return drawn_shares(self, images, alpha, 2)[:, :1]

    def transform_labels(self, labels, transformation):
        partners, share = transformation[:2]
        labels = cast(labels, "float32")
        share = apply("reshape", [share], {"shape": [-1, *[1] * (len(shape_of(labels)) - 1)]})
        return labels * share + apply("take", [labels, partners], {"axis": 0}) * (1.0 - share)


class MixUp(_Mixing):
    """In training, mixes each sample with another of the batch: images and labels, in the same shares.

    Zhang et al., "mixup: Beyond empirical risk minimization", ICLR 2018. Labels must be vectors, such as one-hot ones.
    Boxes of both samples are kept.

    Args:
        alpha: Shares are drawn of the distribution Beta(alpha, alpha); above 0 up to 1.
        data_format: `"channels_last"` or `"channels_first"`.
        seed: Integer or `None`.
        bounding_box_format: That of boxes in the data, see `cconv.utils.bounding_boxes`.

    Input shape:
        `(n, h, w, c)`, or with channels first; or a dictionary with such `"images"` and, usually, `"labels"`.

    Output shape:
        The same, as float32; of boxes and their labels twice as many.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> batch = {"images": np.zeros((2, 4, 4, 3)), "labels": np.eye(2)}
    >>> cconv.layers.MixUp(0.2)(batch)["labels"].sum(axis=1).tolist()
    [1.0, 1.0]
    """

    def __init__(
        self, alpha: float = 0.2, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.alpha = number(alpha, "alpha", 0, 1)
        if alpha == 0:
            raise ValueError("`alpha` must be above 0. Received: alpha=0")

    def get_random_transformation(self, images):
        return self._partners(images), self._shares(images, float(self.alpha))

    def transform_images(self, images, transformation):
        partners, share = transformation
        share = per_pixel(share)
        return images * share + apply("take", [images, partners], {"axis": 0}) * (1.0 - share)

    def transform_segmentation_masks(self, masks, transformation):
        return self.transform_images(masks, transformation)

    def _boxes(self, boxes, drawn, size, shape):
        both = [[boxes[key], apply("take", [boxes[key], drawn[0]], {"axis": 0})] for key in ("boxes", "labels")]
        joined = {key: concatenate(pair, axis=1) for key, pair in zip(("boxes", "labels"), both, strict=True)}
        return super()._boxes({**boxes, **joined}, drawn, size, shape)

    _told = ("alpha", "seed")


class CutMix(_Mixing):
    """In training, puts a rectangle of another sample of the batch in each; labels are mixed by its size.

    Yun et al., "CutMix: Regularization strategy to train strong classifiers with localizable features", ICCV 2019.
    Labels must be vectors, such as one-hot ones. Boxes are refused.

    Args:
        factor: Range of alpha, two numbers `(lower, upper)` or the upper one, 0 to 1: the share of the sample itself is
            drawn of the distribution Beta(alpha, alpha).
        seed: Integer or `None`.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(n, h, w, c)`, or with channels first; or a dictionary with such `"images"` and, usually, `"labels"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.
        NotImplementedError: The data has boxes.

    Example:

    >>> batch = {"images": np.zeros((2, 4, 4, 3)), "labels": np.eye(2)}
    >>> cconv.layers.CutMix()(batch)["labels"].sum(axis=1).tolist()
    [1.0, 1.0]
    """

    def __init__(
        self, factor: Any = 1.0, seed: int | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factors(factor, "factor", 0, 1)

    def get_random_transformation(self, images):
        h, w = sides_of(images, f"Layer '{self.name}'")
        alpha = self.uniform(images, *self.factor)
        share = self._shares(images, apply("maximum", [alpha, 1e-3]))
        side = apply("sqrt", [apply("maximum", [1.0 - share, 0.0])])
        inside = rectangle(h, w, side, side, self.uniform(images), self.uniform(images))
        return self._partners(images), share, inside

    def transform_images(self, images, transformation):
        partners, _, inside = transformation
        return apply("where", [inside, apply("take", [images, partners], {"axis": 0}), images])

    def transform_segmentation_masks(self, masks, transformation):
        return self.transform_images(masks, transformation)

    def _boxes(self, boxes, drawn, size, shape):
        raise NotImplementedError(f"Layer '{self.name}': CutMix does not move bounding boxes.")

    _told = ("factor", "seed")
