"""From a model to symbolic tensors: its outputs, its losses and its metrics."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

from .. import tree
from ..data import Data, Slots, make_data, named
from ..program import computed
from ..scope import recording, tracing
from ..tensor import Tensor
from .targets import Targets


class Traced(NamedTuple):
    """A model, its losses and its metrics as symbolic tensors."""

    inputs: list[Tensor]
    predictions: list[Tensor]
    structure: Any  # how the model nests its outputs
    total: Tensor | None = None
    losses: list[Tensor] = []  # one for each output that has a loss
    metrics: list[list[Tensor]] = []  # what each metric adds up
    penalties: list[tuple[Any, list[Tensor]]] = []  # what layers gave to `add_loss`
    assigned: Sequence[Tensor] = ()  # what variables are set to

    @property
    def outputs(self) -> list[Tensor]:
        """What a run returns: the predictions, or the total loss, the losses, the metrics' numbers and penalties."""
        if self.total is None:
            return self.predictions
        penalties = [computed(x) for _, losses in self.penalties for x in losses]
        return [self.total, *self.losses, *(value for values in self.metrics for value in values), *penalties]


class Tracer:
    """Runs a model symbolically, for data of some shapes.

    Args:
        model: The model, which is not kept alive. Asked for: calls on symbolic tensors, its penalties, `_input_slots`,
            `_output_slots` and `_nest_inputs`.
        targets: What it was compiled for; `None` before `compile`.
    """

    def __init__(self, model: Any, targets: Targets | None) -> None:
        self._owner = weakref.ref(model)
        self._targets = targets

    @property
    def _model(self) -> Any:
        return self._owner()

    def trace(self, mode: str, data: Data) -> Traced:
        """The model in one mode: `"train"`, `"test"` or `"predict"`. Builds the layers that have not seen data yet."""
        with recording() as assigned:
            traced = self._trace(mode, data)
            return traced._replace(assigned=[value for _, value in assigned.values()])

    def _trace(self, mode: str, data: Data) -> Traced:
        slots = self._model._input_slots()
        names = slots.names if slots is not None else [f"x{i}" for i in range(len(data.x))]
        inputs = _symbols(data, names)
        y_pred = self._call(inputs, data.structure, training=mode == "train")
        predictions = tree.flatten(y_pred)
        if mode == "predict":
            return Traced(inputs, predictions, y_pred)
        targets = self._targets
        if targets.names is None:
            targets.bind(self.output_structure(y_pred))
        missing = [None] * len(predictions)
        y_true = [
            None if a is None else Tensor((None, *a.shape[1:]), name=f"y_{name}", dtype=dtype)
            for a, name, dtype in zip(data.y or missing, targets.names, data.y_dtypes or missing, strict=True)
        ]
        weights = [
            None if a is None else Tensor((None, *a.shape[1:]), name=f"weight_{name}")
            for a, name in zip(data.weights, targets.names, strict=True)
        ]
        penalties = [(part, part._traced_losses) for part in self._model._flatten_layers() if part._traced_losses]
        with tracing():
            result = targets.trace(y_true, predictions, weights, self._model.losses_for_tracing())
        inputs = [t for t in (*inputs, *y_true, *weights) if t is not None]
        return Traced(inputs, predictions, y_pred, *result, penalties)

    def trace_inputs(self, training: bool, signature: Any = None) -> Traced:
        """The model on inputs as it declares them, or as a signature does: objects with `shape`, `dtype` and `name`.

        Raises:
            ValueError: It does not know the shapes of its inputs, or the signature has not one for each.
        """
        known, slots = self._model.inputs, self._model._input_slots()
        specs = known if signature is None else tree.flatten(signature)
        if specs is None:
            raise ValueError(
                f"Model '{self._model.name}' has no graph yet: expected its inputs to be known (see `cconv.Input`)."
            )
        if known is not None and len(specs) != len(known):
            raise ValueError(
                f"Model '{self._model.name}' has {len(known)} inputs: expected a shape for each. "
                f"Received {len(specs)}: {signature!r}"
            )
        names = slots.names if slots is not None else [x.name or f"x{i}" for i, x in enumerate(specs)]
        dtypes = [x.dtype for x in known] if known is not None else [x.dtype or "float32" for x in specs]
        inputs = [Tensor(x.shape, name=n, dtype=d) for x, n, d in zip(specs, names, dtypes, strict=True)]
        numbers = iter(range(len(specs)))
        y_pred = self._call(
            inputs, None if known is not None else tree.map_structure(lambda _: next(numbers), signature), training
        )
        return Traced(inputs, tree.flatten(y_pred), y_pred)

    def learn_outputs(self, x: Any) -> None:
        """Traces the model once, to know what it returns: a class of its own says so only when it is called."""
        data = make_data(x, inputs=self._model._input_slots(), outputs=None)
        inputs = _symbols(data, [f"x{i}" for i in range(len(data.x))])
        y_pred = self._call(inputs, data.structure, training=False)
        self._targets.bind(self.output_structure(y_pred))

    def output_slots(self) -> Slots | None:
        """The outputs that labels are for, as far as they are known."""
        if self._targets is not None and self._targets.names is not None:
            return Slots(self._targets.names, None, structure=self._targets.structure)
        return self._model._output_slots()

    def output_names(self, count: int) -> list[str]:
        """The names of the outputs, of which there are `count`."""
        known = self._model._output_slots()
        if known is not None and len(known.names) == count:
            return list(known.names)
        return ["output"] if count == 1 else [f"output_{i + 1}" for i in range(count)]

    def output_structure(self, y_pred: Any) -> Any:
        """The names of the outputs, as they nest."""
        names, known = self.output_names(len(tree.flatten(y_pred))), self._model._output_slots()
        return named(y_pred, names) if known is None or known.names != tuple(names) else known.structure

    def _call(self, inputs: list[Tensor], structure: Any, training: bool) -> Any:
        if structure is not None:
            nested = tree.map_structure(lambda i: inputs[i], structure)
        else:
            nested = self._model._nest_inputs(inputs)
        with tracing():
            return self._model(nested, training=training)


def _symbols(data: Data, names: Sequence[str]) -> list[Tensor]:
    """An input for each array of `data.x`."""
    return [
        Tensor((None, *a.shape[1:]), name=name, dtype=dtype)
        for a, name, dtype in zip(data.x, names, data.x_dtypes, strict=True)
    ]
