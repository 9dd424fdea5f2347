"""What layers hold among their attributes besides weights and layers."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar, runtime_checkable

from .. import tree

Kind = TypeVar("Kind")


def held(model: Any, kind: type[Kind]) -> list[Kind]:
    """The objects of a kind among the attributes of a model and its layers, also in lists, tuples and dictionaries."""
    found: list[Kind] = []
    for layer in model._flatten_layers():
        for name, value in vars(layer).items():
            if isinstance(value, kind):
                found.append(value)
            elif tree.is_nested(value) and name not in layer._unobserved:
                found += [leaf for leaf in tree.flatten(value) if isinstance(leaf, kind)]
    return list({id(item): item for item in found}.values())


@runtime_checkable
class _Metric(Protocol):
    """A metric, of which layers know no more."""

    def update_state(self, *args: Any, **kwargs: Any) -> Any: ...
    def reset_state(self) -> Any: ...
    def result(self) -> Any: ...


class Holding:
    """What a layer says of the metrics that it holds."""

    @property
    def metrics(self) -> list[Any]:
        """The metrics among the attributes of this layer and of those below it."""
        return held(self, _Metric)

    @property
    def metrics_variables(self) -> list[Any]:
        """The variables of `metrics`: what they have added up."""
        return [variable for metric in self.metrics for variable in metric.variables]
