"""Types that layers compute with and store: float32, so that there is one policy.

The format of products and stored activations is no matter of layers here but of the plan that runs them.
"""

from __future__ import annotations

from typing import Any

from .keras_names import getattr_of


class DTypePolicy:
    """The type of a layer's computation and of its variables.

    Args:
        name: `"float32"`; `None` is the same.

    Raises:
        ValueError: Another name: `"mixed_float16"` and the like are not supported.

    Example:

    >>> cconv.dtype_policies.DTypePolicy("float32").compute_dtype
    'float32'
    """

    quantization_mode = None

    def __init__(self, name: str | None = None) -> None:
        if name not in (None, "float32"):
            mixed = isinstance(name, str) and name.startswith("mixed_")
            why = " A mixed precision would be an option of the plan, not of a layer." if mixed else ""
            raise ValueError(f"cconv computes in float32 only: expected the policy 'float32'.{why} Received: {name!r}")
        self._name = "float32"

    @property
    def name(self) -> str:
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The type that the layer computes in."""
        return self._name

    @property
    def variable_dtype(self) -> str:
        """The type of its variables."""
        return self._name

    def get_config(self) -> dict[str, Any]:
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._name}">'


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """The JSON form of a policy.

    Example:

    >>> config = cconv.dtype_policies.serialize(cconv.dtype_policies.get("float32"))
    >>> cconv.dtype_policies.deserialize(config)
    <DTypePolicy "float32">
    """
    config = dtype_policy.get_config()
    return {"module": "keras", "class_name": "DTypePolicy", "config": config, "registered_name": None}


def deserialize(config: dict[str, Any], custom_objects: dict | None = None) -> DTypePolicy:
    """The policy of a JSON form.

    Raises:
        ValueError: It is another policy than `DTypePolicy`.

    Example:

    >>> cconv.dtype_policies.deserialize({"class_name": "DTypePolicy", "config": {"name": "float32"}})
    <DTypePolicy "float32">
    """
    if not isinstance(config, dict) or config.get("class_name") not in ("DTypePolicy", "FloatDTypePolicy"):
        raise ValueError(f"Expected the configuration of a DTypePolicy. Received: {config!r}")
    return DTypePolicy.from_config(config.get("config", {}))


def get(identifier: Any) -> DTypePolicy:
    """The policy meant by a name, a JSON form, a policy or `None`.

    Example:

    >>> cconv.dtype_policies.get("float32")
    <DTypePolicy "float32">
    """
    if identifier is None:
        return DTypePolicy()
    if isinstance(identifier, dict):
        return deserialize(identifier)
    return DTypePolicy(getattr(identifier, "name", identifier))


__all__ = ["DTypePolicy", "deserialize", "get", "serialize"]
__getattr__ = getattr_of(globals())
