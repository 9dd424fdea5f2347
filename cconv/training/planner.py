"""From a model and its data to steps, and the steps made so far."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from .. import _core
from ..data import ArrayFeed, Data, Feed
from ..dtypes import gathers, of_array
from ..graph import build_graph, in_order
from ..program import ProgramCache
from .micro_batches import micro_batch_size
from .step import Step
from .targets import Targets
from .tracer import Traced, Tracer


def rounded(n: int) -> int:
    """The next power of two: batches of any size then share few plans."""
    return 1 << (n - 1).bit_length()


class Planner:
    """Makes the steps of a model, and keeps them: one for each mode, set of shapes and largest batch.

    Args:
        model: The model; asked for its variables, its `inputs` and `_structure_key`.
        tracer: Its tracer.
        targets: What it was compiled for; `None` before `compile`.
    """

    def __init__(self, model: Any, tracer: Tracer, targets: Targets | None) -> None:
        self._model = model
        self._tracer = tracer
        self._targets = targets
        self._flags = TrainableFlags(model)
        self.programs = ProgramCache(8)

    def step(self, mode: str, data: Data, max_batch: int, optimizer: Any = None) -> Step:
        """The step for this mode and these shapes; made if there is none yet. To train takes an optimizer."""
        key = self._key(mode, data.key, max_batch, optimizer)
        return self.programs.get(key, lambda: self._make(mode, data, max_batch, optimizer))

    def prepare(self, mode: str, feed: Feed, label: str, optimizer: Any = None) -> None:
        """Traces and plans for a feed, and checks its labels as far as they are known."""
        data = feed.example()
        most = max(feed.batch_size, 1) if isinstance(feed, ArrayFeed) else data.size
        step = self.step(mode, data, most, optimizer)
        self._targets.check_labels(data, step.shapes, label if isinstance(feed, ArrayFeed) else f"{label} of batch 0")

    def next_step(self, mode: str, feed: Feed, data: Data, n: int, number: int, label: str, optimizer: Any) -> Step:
        """The step for a batch of a feed. Labels that were not known to `prepare` are checked now, before it runs."""
        step = self.step(mode, data, max(n, feed.batch_size), optimizer)
        if not feed.checked:
            self._targets.check_labels(data, step.shapes, f"{label} of batch {number}")
        return step

    def known_prediction(self, x: np.ndarray) -> Step | None:
        """The step for a batch that fits as it is, if it was made before: then there is nothing to check."""
        flags = x.flags
        usable = flags.carray or (flags.c_contiguous and flags.aligned)
        if x.size == 0 or x.ndim == 0 or not usable or not gathers(x.dtype):
            return None
        inputs = self._model.inputs
        dtypes = tuple([t.dtype for t in inputs]) if inputs else (of_array(x.dtype),)
        shapes = ((x.shape[1:],), (), (None,), dtypes, ())
        return self.programs.find(self._key("predict", shapes, rounded(len(x))))

    def describe(self, profile: bool | None) -> str:
        """The tables of all steps, each below its mode; `profile` as for `Program.describe`."""
        return "\n".join(f"{key[0]}\n{step.describe(profile)}" for key, step in self.programs.items())

    def describe_graph(self, training: bool) -> str:
        """The table of what the model computes; it must know its inputs."""
        traced = self._tracer.trace_inputs(training)
        return build_graph(traced.predictions, traced.inputs)[0].describe()

    def _key(self, mode: str, shapes: Hashable, max_batch: int, optimizer: Any = None) -> Hashable:
        flags: tuple = ()
        if mode == "train":
            flags = (optimizer, optimizer.clipping, *self._flags.read())
        return (mode, shapes, max_batch, flags, _core.get_num_threads(), self._model._structure_key())

    def _make(self, mode: str, data: Data, max_batch: int, optimizer: Any) -> Step:
        traced = self._tracer.trace(mode, data)
        if mode == "predict":
            return self._make_prediction(traced, max_batch)
        if mode == "test":
            return Step(traced, max_batch=max_batch)
        needed = {id(tensor) for tensor in in_order([traced.total], traced.inputs)}
        variables = self._model.trainable_variables
        trained = [v.node() for v in variables if id(v.node()) in needed]
        if not trained:
            return Step(traced, max_batch=max_batch)
        optimizer.build(variables)
        return Step(traced, trained, max_batch=max_batch, optimizer=optimizer.core)

    def _make_prediction(self, traced: Traced, max_batch: int) -> Step:
        names = self._tracer.output_names(len(traced.predictions))
        for name, tensor in zip(names, traced.predictions, strict=True):
            if not tensor.shape or tensor.shape[0] is not None:
                raise ValueError(f"Output '{name}': expected a shape with the batch first. Received: {tensor.shape}")
        step = Step(traced, max_batch=max_batch)
        size = micro_batch_size(step)
        return step if size == max_batch else Step(traced, max_batch=size)


class TrainableFlags:
    """Which of a model's variables are trained; they are looked for again only where there may be others."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._known: list[list[Any]] = []

    def forget(self) -> None:
        self._known = []

    def __getstate__(self) -> dict[str, Any]:
        return {"_model": self._model, "_known": []}  # nobody tells a copy of changes yet

    def read(self) -> tuple[bool, ...]:
        """Whether each is trained."""
        known = self._known
        if known:
            variables = known[0]
        else:
            settled = self._model._is_settled()
            if settled:
                self._model._tell_changes(self)
                known = self._known
            variables = self._model.variables
            if settled:
                known.append(variables)
        return tuple([v.trainable for v in variables])
