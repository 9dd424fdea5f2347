"""The types of what layers compute."""

from __future__ import annotations

from ..dtype_policies import DTypePolicy


class Typed:
    """What a layer says of its types: all follow from the one policy there is."""

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The types of the layer's computation and variables: those of float32."""
        return DTypePolicy()

    @property
    def compute_dtype(self) -> str:
        """The type that the layer computes in."""
        return self.dtype_policy.compute_dtype

    @property
    def input_dtype(self) -> str:
        """The type that floating-point inputs become."""
        return self.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The type of the layer's variables."""
        return self.dtype_policy.variable_dtype
