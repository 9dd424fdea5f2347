"""Images mixed with versions of themselves."""

from __future__ import annotations

from typing import Any

from ...ops.arguments import number, whole
from .base import Augmentation, factors, per_pixel, value_range_of
from .chosen_change import ChosenChange, changes
from .shares import drawn_shares

__all__ = ["AugMix"]


class AugMix(Augmentation):
    """In training, mixes each image with several changed versions of it: AugMix.

    A version is the image changed by a chain of layers, each drawn of those of `RandAugment` and of none. Versions are
    mixed in shares of the distribution Dirichlet(alpha, .., alpha), and their mixture with the image in one of
    Beta(alpha, alpha). Each sample has layers and shares of its own (in Keras a batch has the same); where they are
    computed is told at `RandAugment`: an input pipeline is much the cheaper place. Masks and boxes stay as they are:
    they belong to the image that is in the mixture (Keras 3.15 mixes the numbers of masks, too). Hendrycks et al.,
    "AugMix: A simple data processing method to improve robustness and uncertainty", ICLR 2020.

    Args:
        value_range: Lowest and highest number that pixels have.
        num_chains: How many versions are mixed.
        chain_depth: How many layers change a version, at most.
        factor: Range of the layers' strength, two numbers `(lower, upper)` or the upper one; 0 to 1.
        alpha: Of the distributions of shares, above 0.
        all_ops: Whether brightness, colour, contrast and sharpness are among the changes.
        interpolation: `"nearest"` or `"bilinear"`, where images are moved.
        seed: Integer or `None`.
        data_format: `"channels_last"` or `"channels_first"`.

    Input shape:
        `(n, h, w, c)` or `(h, w, c)` of one or three channels, or with channels first, `h` and `w` known; or a
        dictionary with such `"images"`.

    Output shape:
        The same, as float32.

    Raises:
        ValueError: An argument is out of its range.
        NotImplementedError: `interpolation` is unknown.

    Example:

    >>> cconv.layers.AugMix(num_chains=2)(np.zeros((2, 8, 6, 3))).shape
    (2, 8, 6, 3)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = value_range_of(value_range)
        self.num_chains = whole(num_chains, "num_chains", 1)
        self.chain_depth = whole(chain_depth, "chain_depth", 0)
        self.factor = factors(factor, "factor", 0, 1)
        self.alpha = number(alpha, "alpha", 0)
        if alpha == 0:
            raise ValueError("`alpha` must be above 0. Received: alpha=0")
        self.all_ops = all_ops
        self.interpolation = interpolation
        self._changes = tuple(changes(self.factor, self.value_range, interpolation, seed, bool(all_ops)))

    def get_random_transformation(self, images):
        alpha = float(self.alpha)
        chains = [
            [ChosenChange(self, self._changes, images, none=True) for _ in range(self.chain_depth)]
            for _ in range(self.num_chains)
        ]
        return chains, drawn_shares(self, images, alpha, self.num_chains), drawn_shares(self, images, alpha, 2)

    def transform_images(self, images, transformation):
        chains, shares, own = transformation
        mixed = 0.0
        for k, chain in enumerate(chains):
            version = images
            for change in chain:
                version = change.images(version)
            mixed = version * per_pixel(shares[:, k : k + 1]) + mixed
        return images * per_pixel(own[:, :1]) + mixed * per_pixel(own[:, 1:])

    _told = (
        "value_range", "num_chains", "chain_depth", "factor", "alpha", "all_ops", "interpolation", "seed",
    )  # fmt: skip
