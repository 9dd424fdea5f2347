"""From a model and its data to plans: what a step is traced from, and the steps made so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _core, tree
from ..dtypes import gathers, of_array
from ..graph import PlanCache, build_graph, in_order
from ..layers.layer import Layer, apply_identity
from ..random import next_seed
from ..scope import tracing
from ..tensor import Tensor
from . import targets
from .chunks import chunk_size
from .data import Data, Slots, make_data
from .feed import ArrayFeed, BatchFeed, is_batches, refuse
from .step import Step, Totals, Traced

_CACHED_PLANS = 8


def rounded(n: int) -> int:
    """The next power of two: batches of any size then share few plans."""
    return 1 << (n - 1).bit_length()


class KnownVariables:
    """A model's variables, looked for again only when some layer has got or lost parts since."""

    def __init__(self) -> None:
        self._at: Any = None
        self._variables: list[Any] = []

    def flags(self, model: Any, structure: Any) -> tuple[bool, ...]:
        """Whether each is trained."""
        at = (Layer._changes, structure)
        if at != self._at:
            self._variables = model.variables
            self._at = at
        return tuple([v.trainable for v in self._variables])


class Planner:
    """Makes the steps of a model, and keeps them: a plan for each mode, set of shapes and largest batch.

    `Trainer` inherits from it. It relies on: calling the model on symbolic tensors, its variables and penalties, and
    the names and shapes of its inputs and outputs.
    """

    def _reset_plans(self) -> None:
        self.optimizer = None
        self._targets: targets.Targets | None = None
        self._totals: Totals | None = None
        self._step_plans = PlanCache(_CACHED_PLANS)
        self._known_variables = KnownVariables()
        self._generation = 0  # raised by `compile`: steps of an earlier one are not used again

    # ---- data --------------------------------------------------------------------------------------------------------

    def _input_slots(self) -> Slots | None:
        """The inputs that data must fit, if the model knows them before it sees data."""
        inputs = getattr(self, "inputs", None)
        if not inputs:
            return None
        tensors = tree.flatten(inputs)
        return Slots(
            tuple(self._input_names()), tuple(tuple(t.shape) for t in tensors), tuple(t.dtype for t in tensors)
        )

    def _output_slots(self) -> Slots | None:
        outputs = getattr(self, "outputs", None)
        if not outputs:
            return None
        return Slots(tuple(self._output_names()), None)

    def _input_names(self) -> list[str]:
        given = getattr(self, "_inputs_struct", None)
        return sorted(given) if isinstance(given, dict) else list(self.input_names)

    def _output_names(self) -> list[str]:
        given = getattr(self, "_outputs_struct", None)
        return sorted(given) if isinstance(given, dict) else list(self.output_names)

    def _make_data(self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None) -> Data:
        bound = self._targets is not None and self._targets.names is not None
        outputs = Slots(self._targets.names, None) if bound else self._output_slots()
        if outputs is None and (isinstance(y, dict) or (isinstance(y, (list, tuple)) and len(y) > 1)):
            # A model that is a class of its own says what it returns only once it has been called.
            self._learn_outputs(x)
            outputs = Slots(self._targets.names, None)
        return make_data(
            x,
            y,
            sample_weight,
            inputs=self._input_slots(),
            outputs=outputs,
            class_weight=class_weight,
            with_loss=self._targets.with_loss if bound else None,
        )

    def _feed(
        self,
        method: str,
        x: Any,
        y: Any,
        sample_weight: Any,
        batch_size: int | None,
        steps: int | None,
        class_weight: Any = None,
        shuffle: Any = False,
    ) -> ArrayFeed | BatchFeed:
        refuse(x, method)
        seed = next_seed() if shuffle else 0
        if not is_batches(x):
            if method == "predict":
                data = make_data(x, inputs=self._input_slots(), outputs=None)
            else:
                data = self._make_data(x, y, sample_weight, class_weight)
            return ArrayFeed(data, batch_size, steps, shuffle, seed)
        for name, value in (("y", y), ("sample_weight", sample_weight), ("batch_size", batch_size)):
            if value is not None:
                raise ValueError(
                    f"{method}: `{name}` cannot be given where x hands out whole batches ({type(x).__name__})."
                )
        if method == "predict":
            return BatchFeed(
                x, lambda bx, by=None, bw=None: make_data(bx, inputs=self._input_slots(), outputs=None), steps
            )
        return BatchFeed(x, lambda bx, by, bw: self._make_data(bx, by, bw, class_weight), steps, bool(shuffle), seed)

    def _prepare(self, mode: str, feed: ArrayFeed | BatchFeed, label: str) -> None:
        """Traces and plans for a feed, and checks its labels as far as they are known."""
        data = feed.example()
        step = self._step(mode, data, max(feed.batch_size, 1) if isinstance(feed, ArrayFeed) else data.size)
        self._targets.check_labels(data, step.shapes, label)

    # ---- plans -------------------------------------------------------------------------------------------------------

    def _step(self, mode: str, data: Data, max_batch: int) -> Step:
        """The plan for this mode and these shapes; made if there is none yet."""
        key = self._step_key(mode, data.key, max_batch)
        _, step = self._step_plans.get(key, lambda: self._make_step(mode, data, max_batch))
        return step

    def _step_key(self, mode: str, data_key: Any, max_batch: int) -> Any:
        structure = self._structure_key()
        flags: tuple = ()
        if mode == "train":
            flags = (self.optimizer.clipping, *self._known_variables.flags(self, structure))
        return (mode, data_key, max_batch, self._generation, flags, _core.get_num_threads(), structure)

    def _known_prediction(self, x: np.ndarray) -> Step | None:
        """The step for a batch that fits as it is, if it was made before: then there is nothing to check."""
        if x.size == 0 or x.ndim == 0 or not x.flags.c_contiguous or not gathers(x.dtype):
            return None
        inputs = getattr(self, "inputs", None)
        dtypes = tuple([t.dtype for t in tree.flatten(inputs)]) if inputs else (of_array(x.dtype),)
        key = ((x.shape[1:],), (), (None,), dtypes, ())
        return self._step_plans.find(self._step_key("predict", key, rounded(len(x))))

    def describe_plans(self, profile: bool | None = None) -> str:
        """What runs when this model trains, evaluates or predicts: a table for each plan made so far.

        Each line is an op as it is run, with its output, its algorithm and its bytes; after timed runs with the
        milliseconds of one run, forward and backward.

        Args:
            profile: `True`: the runs that follow are timed, step by step; `False`: no longer. `None` changes nothing.

        Returns:
            The tables, each below its mode; what was timed before a change of `profile` is not forgotten in them.

        Example:

        >>> model = cconv.Sequential([cconv.Input((8, 8, 1)), cconv.layers.Conv2D(4, 3, activation="relu")])
        >>> images = np.zeros((2, 8, 8, 1), "float32")
        >>> _ = model.predict(images, verbose=0)  # makes the plan
        >>> _ = model.describe_plans(profile=True)
        >>> _ = model.predict(images, verbose=0)
        >>> print(model.describe_plans().splitlines()[1].split()[-5:])
        ['forward', 'ms', 'backward', 'ms', 'name']
        """
        parts = []
        for key, step in self._step_plans.items():
            parts.append(f"{key[0]}\n{step.describe(profile)}")
        return "\n".join(parts)

    def _structure_key(self) -> Any:
        """Changes when layers are added or removed."""
        return tuple(id(layer) for layer in getattr(self, "layers", ()))

    def _make_step(self, mode: str, data: Data, max_batch: int) -> Step:
        traced = self._trace(mode, data)
        if mode == "predict":
            # Plans return the values of ops only.
            with tracing():
                outputs = [
                    apply_identity(t) if t.op in ("input", "variable", "constant") else t for t in traced.predictions
                ]
            for name, tensor in zip(self._names_of(traced), outputs, strict=True):
                if not tensor.shape or tensor.shape[0] is not None:
                    raise ValueError(
                        f"Output '{name}': expected a shape with the batch first. Received: {tensor.shape}"
                    )
        else:
            outputs = [traced.total, *traced.losses, *(value for values in traced.metrics for value in values)]
        graph, ids = build_graph(outputs, traced.inputs)
        options: dict[str, Any] = {}
        trained: list[Tensor] = []
        if mode == "train":
            needed = {id(tensor) for tensor in in_order([traced.total], traced.inputs)}
            trained = [v.node() for v in self.trainable_variables if id(v.node()) in needed]
            if trained:
                self.optimizer.build(self.trainable_variables)
                wrt = [ids[id(node)] for node in trained]
                options = {"root": ids[id(traced.total)], "wrt": wrt, "optimizer": self.optimizer.core}
        nodes = [ids[id(tensor)] for tensor in outputs]
        drops = any(t.op == "dropout" for t in in_order(outputs, traced.inputs))
        plan = _core.Plan(graph, nodes, max_batch=max_batch, training=mode == "train" or drops, **options)
        if mode == "predict" and not drops:
            chunk = chunk_size(in_order(outputs, traced.inputs), plan.bytes, max_batch)
            if chunk < max_batch:
                plan = _core.Plan(graph, nodes, max_batch=chunk)
        return Step(plan, traced, outputs, nodes, trained, drops)

    def _trace(self, mode: str, data: Data) -> Traced:
        slots = self._input_slots()
        names = slots.names if slots is not None else [f"x{i}" for i in range(len(data.x))]
        inputs = [
            Tensor((None, *a.shape[1:]), name=name, dtype=dtype)
            for a, name, dtype in zip(data.x, names, data.x_dtypes, strict=True)
        ]
        y_pred = self._call_traced(inputs, data.structure, training=mode == "train")
        predictions = tree.flatten(y_pred)
        with tracing():
            if mode == "predict":
                return Traced(inputs, predictions, y_pred, None, [], [])
            if self._targets.names is None:
                self._targets.bind(self._names_of_count(len(predictions)))
            y_true = [
                None if a is None else Tensor((None, *a.shape[1:]), name=f"y_{name}", dtype=dtype)
                for a, name, dtype in zip(
                    data.y or [None] * len(predictions),
                    self._targets.names,
                    data.y_dtypes or [None] * len(predictions),
                    strict=True,
                )
            ]
            weights = [
                None if a is None else Tensor((None, *a.shape[1:]), name=f"weight_{name}")
                for a, name in zip(data.weights, self._targets.names, strict=True)
            ]
            result = self._targets.trace(y_true, predictions, weights, self.losses_for_tracing())
        if self._totals is None:
            self._totals = Totals(*self._targets.names_and_metrics())
        inputs = [t for t in (*inputs, *y_true, *weights) if t is not None]
        return Traced(inputs, predictions, y_pred, *result)

    def _call_traced(self, inputs: list[Tensor], structure: Any, training: bool) -> Any:
        """The model's outputs for these symbolic inputs; builds the layers that have not seen data yet."""
        if structure is not None:
            nested = tree.map_structure(lambda i: inputs[i], structure)
        elif getattr(self, "inputs", None):
            nested = self._nest_inputs(inputs)
        else:
            nested = inputs[0]
        with tracing():
            return self(nested, training=training)

    def _nest_inputs(self, inputs: list[Tensor]) -> Any:
        """Inputs as the model's `call` wants them: as it was given them when it was made."""
        given = getattr(self, "_inputs_struct", None)
        if given is not None:
            return tree.pack(given, inputs)
        return inputs[0] if len(inputs) == 1 else inputs

    def _learn_outputs(self, x: Any) -> None:
        data = make_data(x, inputs=self._input_slots(), outputs=None)
        inputs = [
            Tensor((None, *a.shape[1:]), name=f"x{i}", dtype=dtype)
            for i, (a, dtype) in enumerate(zip(data.x, data.x_dtypes, strict=True))
        ]
        y_pred = self._call_traced(inputs, data.structure, training=False)
        names = list(y_pred) if isinstance(y_pred, dict) else None
        self._targets.bind(names or self._names_of_count(len(tree.flatten(y_pred))))

    def _names_of(self, traced: Traced) -> Sequence[str]:
        return self._names_of_count(len(traced.predictions))

    def _names_of_count(self, count: int) -> list[str]:
        known = self._output_slots()
        if known is not None and len(known.names) == count:
            return list(known.names)
        return ["output"] if count == 1 else [f"output_{i + 1}" for i in range(count)]
