"""From what `fit` and its kin are given to batches that fit the model."""

from __future__ import annotations

import weakref
from typing import Any

from ..data import ArrayFeed, BatchFeed, Data, is_batches, make_data, refuse
from ..random import next_seed
from .targets import Targets
from .tracer import Tracer


class Feeder:
    """Checks and orders data for one model.

    Args:
        model: The model, which is not kept alive; asked for `_input_slots`.
        tracer: Its tracer, which knows the outputs.
        targets: What it was compiled for; `None` before `compile`.
    """

    def __init__(self, model: Any, tracer: Tracer, targets: Targets | None) -> None:
        self._owner = weakref.ref(model)
        self._tracer = tracer
        self._targets = targets

    @property
    def _model(self) -> Any:
        return self._owner()

    def inputs(self, x: Any) -> Data:
        """Data without labels, for predictions."""
        return make_data(x, inputs=self._model._input_slots(), outputs=None)

    def data(self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None) -> Data:
        """Data with labels, in the order of the model's outputs."""
        outputs = self._tracer.output_slots()
        if outputs is None and (isinstance(y, dict) or (isinstance(y, (list, tuple)) and len(y) > 1)):
            self._tracer.learn_outputs(x)
            outputs = self._tracer.output_slots()
        bound = self._targets is not None and self._targets.names is not None
        return make_data(
            x,
            y,
            sample_weight,
            inputs=self._model._input_slots(),
            outputs=outputs,
            class_weight=class_weight,
            with_loss=self._targets.with_loss if bound else None,
        )

    def feed(
        self,
        method: str,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = None,
        steps: int | None = None,
        class_weight: Any = None,
        shuffle: Any = False,
    ) -> ArrayFeed | BatchFeed:
        """The batches of an epoch. `method` is what errors call it; `"predict"` needs no labels."""
        refuse(x, method)
        seed = next_seed() if shuffle else 0
        if not is_batches(x):
            data = self.inputs(x) if method == "predict" else self.data(x, y, sample_weight, class_weight)
            return ArrayFeed(data, batch_size, steps, shuffle, seed)
        for name, value in (("y", y), ("sample_weight", sample_weight), ("batch_size", batch_size)):
            if value is not None:
                raise ValueError(
                    f"{method}: `{name}` cannot be given where x hands out whole batches ({type(x).__name__})."
                )
        if method == "predict":
            return BatchFeed(x, lambda bx, by=None, bw=None: self.inputs(bx), steps)
        return BatchFeed(x, lambda bx, by, bw: self.data(bx, by, bw, class_weight), steps, bool(shuffle), seed)
