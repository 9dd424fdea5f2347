"""From a model and its data to steps, and the steps made so far."""

from __future__ import annotations

import weakref
from collections.abc import Hashable
from threading import get_ident
from typing import Any

import numpy as np

from .. import _core
from ..changes import FLAGS, Watch
from ..data import ArrayFeed, Data, Feed
from ..dtypes import gathers, of_array
from ..graph import build_graph, in_order
from ..layers.tracked import Tracked
from ..program import ProgramCache, clock
from ..scope import building
from ..variable import Variable
from .micro_batches import micro_batch_size
from .step import Step, mark_of
from .targets import Targets
from .tracer import Traced, Tracer


def rounded(n: int) -> int:
    """The next power of two: batches of any size then share few plans."""
    return 1 << (n - 1).bit_length()


class Planner:
    """Makes the steps of a model, and keeps them: one for each mode, set of shapes, largest batch, set of what trains.

    A step is used again while nothing has changed that it was made from: the layers and what their code reads, losses,
    metrics (`changes.py`). After a change the model is traced again, and a new step is made if it computes something
    else. What a trace itself changes counts for the steps of other traces.

    Args:
        model: The model, which is not kept alive; asked for its variables and its `inputs`.
        tracer: Its tracer.
        targets: What it was compiled for; `None` before `compile`.
    """

    def __init__(self, model: Any, tracer: Tracer, targets: Targets | None) -> None:
        self._owner = weakref.ref(model)
        self._tracer = tracer
        self._targets = targets
        self.programs = ProgramCache(8)
        self._state: object = object()  # another one after each change
        self._traced: object = None  # the state that the trace under way began with, and has changed to
        self._tracing: int | None = None  # the thread of that trace
        self._watches = (Watch(), Watch())  # of what predictions depend on, and what training and tests do besides
        self._variables: list[Any] = []  # whatever has a flag that says whether it is trained
        self._flags: int | None = None  # the number of the flags' present setting, of those there were
        self._settings: dict[tuple, int] = {}
        self._dtypes: tuple[str, ...] | None = None  # of the model's inputs, if it has some of its own

    @property
    def _model(self) -> Any:
        return self._owner()

    def forget(self, name: str) -> None:
        """An attribute was set of something that plans were made from."""
        if name in FLAGS:
            self._flags = None
            return
        before, self._state = self._state, object()
        if self._tracing == get_ident() and self._traced is before:
            self._traced = self._state

    def step(self, mode: str, data: Data, max_batch: int, optimizer: Any = None) -> Step:
        """The step for this mode and these shapes; made if there is none yet. To train takes an optimizer."""
        step = self._known(mode, data.key, max_batch, optimizer)
        if step is None:
            with building:
                step = self._known(mode, data.key, max_batch, optimizer)  # another thread may have been faster
                if step is None:
                    step = self._renew(mode, data, max_batch, optimizer)
        step.used = next(clock)
        return step

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
        dtypes = self._dtypes or (of_array(x.dtype),)
        return self._known("predict", ((x.shape[1:],), (), (None,), dtypes, ()), rounded(len(x)))

    def refuse_within(self, method: str) -> None:
        """Refuses to begin something while a step of the model runs in this very thread.

        Raises:
            RuntimeError: It does: this is a signal handler, or code that a step calls.
        """
        if self._tracing == get_ident() or self.programs.is_running_here():
            raise RuntimeError(
                f"`{method}()` of model '{self._model.name}' was called while this thread is in the middle of a step "
                "of the same model, by a signal handler or by what the step itself calls: expected a call between "
                "steps, such as from a callback. Let the handler set a flag, and a callback act on it."
            )

    def describe(self, profile: bool | None) -> str:
        """The tables of all steps, each below its mode; `profile` as for `Program.describe`."""
        return "\n".join(f"{key[1]}\n{step.describe(profile)}" for key, step in self.programs.items())

    def describe_graph(self, training: bool) -> str:
        """The table of what the model computes; it must know its inputs."""
        return self.graph(training).describe()

    def graph(self, training: bool, signature: Any = None) -> _core.Graph:
        """The graph of what the model computes, its outputs named; see `Tracer.trace_inputs`."""
        traced = self._tracer.trace_inputs(training, signature)
        graph, ids = build_graph(traced.predictions, traced.inputs)
        names = self._tracer.output_names(len(traced.predictions))
        for name, tensor in zip(names, traced.predictions, strict=True):
            graph.output(name, ids[id(tensor)])
        return graph

    def _key(self, mode: str, shapes: Hashable, max_batch: int, optimizer: Any) -> Hashable:
        flags = self._flags
        if flags is None:
            model, known = self._model, self._variables
            setting = tuple([x._trainable if isinstance(x, Tracked) else x.trainable for x in (model, *known)])
            flags = self._flags = self._settings.setdefault(setting, len(self._settings))
        trained = None if mode != "train" else (optimizer, optimizer.clipping, optimizer.loss_scale_factor)
        return (flags, mode, shapes, max_batch, _core.get_num_threads(), trained)

    def _known(self, mode: str, shapes: Hashable, max_batch: int, optimizer: Any = None) -> Step | None:
        """The step that was made before, if it still is what the model says."""
        step = self.programs.find(self._key(mode, shapes, max_batch, optimizer))
        if step is None or step.state is not self._state or not self._watches[0].holds():
            return None
        return step if mode == "predict" or self._watches[1].holds() else None

    def _renew(self, mode: str, data: Data, max_batch: int, optimizer: Any) -> Step:
        """Traces the model, and makes a step if none of those there are computes the same."""
        if self._tracing is not None:
            self.refuse_within(mode)
        self._model._tell_changes(self)
        if not all(watch.holds() for watch in self._watches):
            self._state = object()
        self._tracing, self._traced = get_ident(), self._state
        try:
            traced = self._tracer.trace(mode, data)
            if not all(watch.holds() for watch in self._watches):
                self.forget("")
            self._look()
            state = self._traced
        finally:
            self._tracing = self._traced = None
        key = self._key(mode, data.key, max_batch, optimizer)
        step = self.programs.find(key)
        if step is not None and step.mark == mark_of(traced):
            step.describe_as(traced)
            step.state = state
            return step
        if any(step.state is not self._state for other, step in self.programs.items() if other[1:] == key[1:]):
            del step
            self.programs.drop(lambda step: step.state is not self._state)  # they are of what the model was before
        step = self._make(mode, traced, max_batch, optimizer)
        step.state = state
        self.programs.put(key, step)
        return step

    def _look(self) -> None:
        """Notes what there is to see, and has itself told of the rest."""
        model = self._model
        parts = [] if self._targets is None else self._targets.parts
        watch = Watch([model], self, model)
        self._variables = [x for x in watch.observed if isinstance(x, (Tracked, Variable)) and x is not model]
        self._watches = (watch, Watch(parts, self, model))
        for watch in self._watches:
            watch.observed.clear()
        self._flags = None
        self._dtypes = None if model.inputs is None else tuple([t.dtype for t in model.inputs])

    def _make(self, mode: str, traced: Traced, max_batch: int, optimizer: Any) -> Step:
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
        return Step(traced, trained, optimizer.scale_loss(traced.total), max_batch=max_batch, optimizer=optimizer.core)

    def _make_prediction(self, traced: Traced, max_batch: int) -> Step:
        names = self._tracer.output_names(len(traced.predictions))
        for name, tensor in zip(names, traced.predictions, strict=True):
            if not tensor.shape or tensor.shape[0] is not None:
                raise ValueError(
                    f"Output '{name}': expected a shape with a batch of any size first. Received: {tensor.shape}; "
                    "a model of a fixed batch is called, `model(x)`"
                )
        step = Step(traced, max_batch=max_batch)
        size = micro_batch_size(step)
        return step if size == max_batch else Step(traced, max_batch=size)
