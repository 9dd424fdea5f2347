"""From what `fit` and its kin are given to batches that fit the model."""

from __future__ import annotations

import weakref
from typing import Any

from ..data import ArrayFeed, BatchFeed, Data, Feed, by_output, is_batches, make_data, refuse, split
from ..seeds import next_seed
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
        with_loss = self._targets.with_loss if bound else None
        if outputs is not None:
            y = by_output(y, outputs.structure, with_loss)
            sample_weight = by_output(sample_weight, outputs.structure, None)
        return make_data(
            x,
            y,
            sample_weight,
            inputs=self._model._input_slots(),
            outputs=outputs,
            class_weight=class_weight,
            with_loss=with_loss,
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
    ) -> Feed:
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

    def split(
        self, feed: Feed, fraction: float, batch_size: int | None, steps: int | None, shuffle: Any, class_weight: Any
    ) -> tuple[ArrayFeed, Data]:
        """The same feed without the last `fraction` of its samples, and these. Classes weigh in training only."""
        if not isinstance(feed, ArrayFeed):
            raise ValueError("`validation_split` needs arrays. Give `validation_data` with a PyDataset or a generator.")
        train, held_out = split(feed.data, fraction)
        if class_weight is not None:
            held_out = held_out.unweighted()
        return ArrayFeed(train, batch_size, steps, shuffle, next_seed()), held_out

    def held_out(self, data: Any) -> Any:
        """What `split` has set aside, for `validation`: as it is, or as it was given to `fit`."""
        return data if isinstance(data, Data) else data.given()

    def validation(self, given: Any, batch_size: int | None, training_size: int | None, steps: int | None) -> Feed:
        """The batches of each validation.

        Args:
            given: `fit`'s `validation_data`, or what was split off.
            batch_size: Samples per batch; by default `training_size`, unless whole batches are given.
            training_size: Samples per batch of the training.
            steps: Batches per validation; by default all.
        """
        if isinstance(given, Data):
            return ArrayFeed(given, batch_size or training_size, steps)
        if not is_batches(given) and not isinstance(given, (tuple, list)):
            raise ValueError(
                "`validation_data`: expected (x, y) or (x, y, sample_weight), a PyDataset or an iterable of batches. "
                f"Received: {type(given).__name__}"
            )
        parts = (given,) if is_batches(given) else tuple(given)
        if not 1 <= len(parts) <= 3:
            raise ValueError(
                f"`validation_data`: expected (x, y) or (x, y, sample_weight). Received {len(parts)} elements."
            )
        if not is_batches(parts[0]):
            batch_size = batch_size or training_size
        return self.feed("validation_data", *(*parts, None, None)[:3], batch_size, steps)
