"""Training, evaluation and prediction: what `compile` keeps, and how `fit` turns it into runs of plans.

A step is one call into the core. Before the first one, the model, its losses and its metrics are traced into one graph,
and the graph becomes a plan: for one mode, one set of shapes and one largest batch. Plans are kept and used again.
During an epoch only row numbers go in, and a few numbers (the loss, what the metrics add up) come out.
"""

from __future__ import annotations

import threading
from collections.abc import Container, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import _core, tree
from ..callbacks import CallbackList, History
from ..graph import PlanCache, build_graph, in_order
from ..layers.layer import apply_identity
from ..random import next_seed
from ..scope import tracing
from ..tensor import Tensor
from . import targets
from .data import ArrayFeed, BatchFeed, Data, Slots, is_batches, make_data, refuse, split

_CACHED_PLANS = 8


class _Traced(NamedTuple):
    """A model, its losses and its metrics as symbolic tensors."""

    inputs: list[Tensor]
    predictions: list[Tensor]
    structure: Any  # how the model nests its outputs
    total: Tensor | None
    losses: list[Tensor]  # one for each output that has a loss
    metrics: list[list[Tensor]]  # what each metric adds up


class _Step:
    """A plan, and what its outputs mean.

    Attributes:
        shapes: The shape of each prediction, batch first.
        structure: How the model nests its outputs.
        drops: Whether something is dropped at random: in training, and where a layer was called with `training=True`.
        constrained: The variables trained that must be brought back into a range after each step.
    """

    def __init__(
        self,
        plan: _core.Plan,
        traced: _Traced,
        outputs: Sequence[Tensor],
        nodes: Sequence[int],
        variables: Sequence[Tensor],
        drops: bool,
    ) -> None:
        self.plan = plan
        self.shapes = [tensor.shape for tensor in traced.predictions]
        self.structure = traced.structure
        self.constrained = [t.value for t in variables if t.value.constraint is not None]
        self.drops = drops
        self._lock = threading.Lock()
        self._loss_count = len(traced.losses)
        self._metric_counts = [len(values) for values in traced.metrics]
        # What does not grow with the batch gets its place once.
        self._results = [
            None if None in tensor.shape else np.empty(plan.shape(node, 1), np.float32)
            for tensor, node in zip(outputs, nodes, strict=True)
        ]

    def run(
        self, arrays: list[np.ndarray], n: int, rows: np.ndarray | None, seed: int, step: int, totals: _Totals
    ) -> None:
        """One training or test step; adds its numbers to `totals`."""
        with self._lock:
            results = self.plan.run(arrays, n=n, rows=rows, outputs=self._results, seed=seed, step=step)
            totals.add(results, n, self._loss_count, self._metric_counts)

    def predict(
        self, arrays: list[np.ndarray], n: int, rows: np.ndarray | None, outputs: list[np.ndarray] | None
    ) -> list:
        """One batch of predictions, into `outputs` if given."""
        with self._lock:
            return self.plan.run(arrays, n=n, rows=rows, outputs=outputs, seed=next_seed() if self.drops else 0)

    def describe(self, profile: bool | None) -> str:
        """The plan's table, and from then on timed runs or not."""
        with self._lock:
            text = self.plan.describe()
            if profile is not None:
                self.plan.profile(profile)
            return text


class _Totals:
    """What an epoch adds up: the loss, the losses of the outputs, the metrics."""

    def __init__(self, names: list[str], loss_names: list[str], metrics: list[Any]) -> None:
        self.names = names  # of the metrics, as in the logs
        self.loss_names = loss_names
        self.metrics = metrics
        self.reset()

    def reset(self) -> None:
        self._samples = 0
        self._sums = [0.0] * (1 + len(self.loss_names))
        for metric in self.metrics:
            metric.reset_state()

    def add(self, results: list[np.ndarray], n: int, n_losses: int, metric_counts: list[int]) -> None:
        """Adds a step's outputs: the total loss, the losses of the outputs, then the numbers of each metric."""
        self._samples += n
        self._sums[0] += float(results[0]) * n
        at = 1
        if self.loss_names:
            for i in range(n_losses):
                self._sums[1 + i] += float(results[at + i]) * n
        at += n_losses
        for metric, count in zip(self.metrics, metric_counts, strict=True):
            metric.accumulate(tuple(results[at : at + count]))
            at += count

    def logs(self) -> dict[str, float]:
        """The averages so far, by name in alphabetical order."""
        values = {"loss": self._average(0)}
        values.update({name: self._average(1 + i) for i, name in enumerate(self.loss_names)})
        values.update({name: _number(metric.result()) for name, metric in zip(self.names, self.metrics, strict=True)})
        return {name: values[name] for name in sorted(values)}

    def _average(self, i: int) -> float:
        return self._sums[i] / self._samples if self._samples else 0.0


class Trainer:
    """The methods of a model that have to do with learning: `compile`, `fit`, `evaluate`, `predict` and their kin.

    `Model` inherits from it. It relies on: calling the model on symbolic tensors, its variables and penalties, and the
    names and shapes of its inputs and outputs.
    """

    def __init__(self) -> None:
        self._reset_training_state()

    def _reset_training_state(self) -> None:
        self.compiled = False
        self.stop_training = False
        self.stop_evaluating = False
        self.stop_predicting = False
        self.history: History | None = None
        self.optimizer = None
        self.loss = None
        self._compile_arguments: dict[str, Any] | None = None
        self._targets: targets.Targets | None = None
        self._totals: _Totals | None = None
        self._step_plans = PlanCache(_CACHED_PLANS)
        self._generation = 0
        self._seed = 0

    # ---- compile -----------------------------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: str | bool = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Configures the model for training.

        Args:
            optimizer: Name or instance of an optimizer.
            loss: Name, instance or function `(y_true, y_pred)` written with `cconv.ops`; for several outputs also a
                list or dictionary of them. `None` for an output that is not trained.
            loss_weights: A number for each loss, as a list or dictionary.
            metrics: List of names, instances or functions; for several outputs a list of lists or a dictionary.
            weighted_metrics: The same, for metrics that take `sample_weight` and `class_weight` into account.
            run_eagerly: Only `False`: there is no other way to run than the graph.
            steps_per_execution: Only 1.
            jit_compile: Only `"auto"`, `False` or `None`.
            auto_scale_loss: Without effect: everything is computed in float32.

        Raises:
            ValueError: If a name is unknown or an argument is not supported.

        Example:

        >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(3, activation="softmax")])
        >>> model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        """
        from .. import optimizers

        if run_eagerly:
            raise ValueError("`run_eagerly=True` is not supported: models always run as a graph.")
        if isinstance(steps_per_execution, bool) or steps_per_execution != 1:
            raise ValueError(f"`steps_per_execution`: expected 1. Received: {steps_per_execution!r}")
        if jit_compile not in ("auto", False, None):
            raise ValueError(
                f"`jit_compile`: expected 'auto' or False, there is nothing to compile. Received: {jit_compile!r}"
            )
        for method in ("train_step", "test_step", "predict_step", "compute_loss"):
            if hasattr(type(self), method):
                raise ValueError(
                    f"{type(self).__name__} defines `{method}`, which is not supported: a step is one call into the "
                    "core. Write a custom loss, metric or layer instead."
                )
        new_optimizer = optimizers.get(optimizer)
        if new_optimizer is None:
            raise ValueError("`optimizer`: expected a name or an instance. Received: None")
        new_targets = targets.Targets(loss, loss_weights, metrics, weighted_metrics)
        names = self._output_slots()
        if names is not None:
            new_targets.bind(names.names)
        self._targets = new_targets
        self.optimizer = new_optimizer
        self.loss = loss
        self._compile_arguments = {
            "optimizer": new_optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": False,
            "steps_per_execution": 1,
            "jit_compile": False,
        }
        self._totals = None
        self._generation += 1
        self._step_plans.clear()
        self._seed = next_seed()
        self.stop_training = False
        self.compiled = True

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of `compile` in a form that can be saved; `None` before `compile`."""
        if not self.compiled:
            return None
        from ..saving import serialize_object

        return serialize_object(dict(self._compile_arguments))

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles with what `get_compile_config` returned."""
        from ..saving import deserialize_object

        arguments = deserialize_object(config)
        names = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics")
        self.compile(**{name: arguments[name] for name in names if name in arguments})
        if self.built:
            self.optimizer.build(self.trainable_variables)

    @property
    def metrics(self) -> list[Any]:
        """The metrics given to `compile`, once they are known."""
        return [] if self._totals is None else list(self._totals.metrics)

    @property
    def metrics_names(self) -> list[str]:
        """The names of the numbers that `evaluate` returns, in its order."""
        if self._totals is None:
            return ["loss"] if self.compiled else []
        return self._result_order(["loss", *self._totals.loss_names, *self._totals.names])

    def reset_metrics(self) -> None:
        """Forgets what the metrics have added up."""
        if self._totals is not None:
            self._totals.reset()

    def get_metrics_result(self) -> dict[str, float]:
        """The metrics' values, by name."""
        return {} if self._totals is None else self._totals.logs()

    # ---- fit ---------------------------------------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Container[int] = 1,
    ) -> History:
        """Trains the model for a number of epochs.

        Ctrl-C ends training within a moment: the weights are those of the last finished step, and `fit` may be called
        again.

        Args:
            x: Array with one row per sample; a list or dictionary of arrays for several inputs; a `PyDataset` or a
                generator of batches `(x, y)` or `(x, y, sample_weight)`.
            y: Labels, like `x`.
            batch_size: Samples per step, 32 by default. Not with a `PyDataset` or generator.
            epochs: Number of the last epoch.
            verbose: `"auto"` or 1 (a progress bar), 2 (a line per epoch), 0 (silent).
            callbacks: List of `cconv.callbacks.Callback`.
            validation_split: Fraction of the data, taken from its end, that is set aside for validation.
            validation_data: `(x, y)` or `(x, y, sample_weight)`; wins over `validation_split`.
            shuffle: Whether to draw a new order of the samples for every epoch; `"batch"`: of the batches.
            class_weight: Dictionary from class number to a weight of its samples.
            sample_weight: One weight per sample, or one array for each output.
            initial_epoch: Epoch to begin with.
            steps_per_epoch: Batches that make an epoch; by default all.
            validation_steps: Batches of a validation; by default all.
            validation_batch_size: Samples per validation batch; by default `batch_size`.
            validation_freq: Validate every so many epochs, or at the epochs (from 1) it contains.

        Returns:
            A `History`, whose `history` holds the values of every epoch.

        Raises:
            ValueError: If the model is not compiled, or the data does not fit the model or its loss.
            TypeError: If the data is of no accepted kind.
            MemoryError: If the memory for a step cannot be had.

        Example:

        >>> model = cconv.Sequential([cconv.layers.Dense(1)])
        >>> model.compile(optimizer="sgd", loss="mse")
        >>> history = model.fit(np.ones((8, 3)), np.zeros(8), epochs=2, verbose=0)
        >>> len(history.history["loss"])
        2
        """
        self._assert_compiled("fit")
        batch_size = _count("batch_size", batch_size, optional=True)
        epochs = _count("epochs", epochs, least=0)
        initial_epoch = _count("initial_epoch", initial_epoch, least=0)
        steps_per_epoch = _count("steps_per_epoch", steps_per_epoch, optional=True)
        validation_steps = _count("validation_steps", validation_steps, optional=True)
        validation_batch_size = _count("validation_batch_size", validation_batch_size, optional=True)
        _check_verbose(verbose)
        if not isinstance(shuffle, (bool, np.bool_)) and shuffle not in (0, 1, "batch"):
            raise ValueError(f"`shuffle`: expected True, False or 'batch'. Received: {shuffle!r}")
        if not isinstance(validation_freq, (list, tuple, set, frozenset, range)):
            validation_freq = _count("validation_freq", validation_freq)

        feed = self._feed(
            "fit", x, y, sample_weight, batch_size, steps_per_epoch, class_weight=class_weight, shuffle=shuffle
        )
        validation = None
        if validation_data is not None:
            if not is_batches(validation_data) and not isinstance(validation_data, (tuple, list)):
                raise ValueError(
                    "`validation_data`: expected (x, y) or (x, y, sample_weight), a PyDataset or a generator. "
                    f"Received: {type(validation_data).__name__}"
                )
            parts = (validation_data,) if is_batches(validation_data) else tuple(validation_data)
            if not 1 <= len(parts) <= 3:
                raise ValueError(
                    f"`validation_data`: expected (x, y) or (x, y, sample_weight). Received {len(parts)} elements."
                )
            vx, vy, vw = (*parts, None, None)[:3]
            validation = self._feed(
                "validation_data", vx, vy, vw, validation_batch_size or batch_size, validation_steps
            )
        elif validation_split:
            if not isinstance(feed, ArrayFeed):
                raise ValueError(
                    "`validation_split` needs arrays. Give `validation_data` with a PyDataset or a generator."
                )
            train, held_out = split(feed.data, validation_split)
            feed = ArrayFeed(train, batch_size, steps_per_epoch, shuffle, next_seed())
            validation = ArrayFeed(held_out, validation_batch_size or batch_size, validation_steps)
        # Both are traced and checked now, so that what does not fit the validation is not found out after an epoch.
        self._prepare("train", feed, "y")
        if validation is not None:
            self._prepare("test", validation, "validation labels")

        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(
                callbacks,
                add_history=True,
                add_progbar=bool(verbose),
                verbose=verbose,
                epochs=epochs,
                steps=feed.num_batches,
                model=self,
            )
        self.stop_training = False
        logs: dict[str, float] = {}
        callbacks.on_train_begin()
        for epoch in range(initial_epoch, epochs):
            self.reset_metrics()
            callbacks.on_epoch_begin(epoch)
            self._train_epoch(feed, callbacks)
            logs = self._totals.logs()
            if validation is not None and _is_due(epoch + 1, validation_freq):
                logs.update({f"val_{name}": value for name, value in self._test_epoch(validation, callbacks).items()})
                logs = {name: logs[name] for name in sorted(logs)}
            callbacks.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        callbacks.on_train_end(logs)
        return self.history

    def _train_epoch(self, feed: ArrayFeed | BatchFeed, callbacks: CallbackList) -> None:
        totals, current, step = self._totals, None, None
        for batch, (data, rows, n) in enumerate(feed.epoch()):
            if data is not current:
                current, step = data, self._step("train", data, max(n, feed.batch_size))
            callbacks.on_train_batch_begin(batch)
            self._run_train_step(step, data, rows, n)
            callbacks.on_train_batch_end(batch, totals.logs)
            if self.stop_training:
                break

    def _run_train_step(self, step: _Step, data: Data, rows: np.ndarray | None, n: int) -> None:
        optimizer = self.optimizer
        optimizer.before_step()
        count = int(optimizer.iterations)
        step.run(data.arrays, n, rows, self._seed, count, self._totals)
        if optimizer.iterations == count:
            # a model without weights to train: its steps count all the same, so that each drops anew
            optimizer.iterations = count + 1
        for variable in step.constrained:
            variable.assign(variable.constraint(variable.value))

    def _test_epoch(self, feed: ArrayFeed | BatchFeed, callbacks: CallbackList) -> dict[str, float]:
        self.reset_metrics()
        self.stop_evaluating = False
        callbacks.on_test_begin()
        totals, current, step = self._totals, None, None
        for batch, (data, rows, n) in enumerate(feed.epoch()):
            if data is not current:
                current, step = data, self._step("test", data, max(n, feed.batch_size))
            callbacks.on_test_batch_begin(batch)
            step.run(data.arrays, n, rows, self._seed, 0, totals)
            callbacks.on_test_batch_end(batch, totals.logs)
            if self.stop_evaluating:
                break
        logs = totals.logs()
        callbacks.on_test_end(logs)
        return logs

    # ---- evaluate and predict ----------------------------------------------------------------------------------------

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> float | list[float] | dict[str, float]:
        """Computes the loss and the metrics.

        Args:
            x: Data, as for `fit`.
            y: Labels.
            batch_size: Samples per batch, 32 by default.
            verbose: `"auto"` or 1 (a progress bar), 2 (one line), 0 (silent).
            sample_weight: One weight per sample, or one array for each output.
            steps: Number of batches; by default all.
            callbacks: List of `cconv.callbacks.Callback`.
            return_dict: Whether to return a dictionary by name.

        Returns:
            The loss; or a list that begins with it if there is more to tell (see `metrics_names`); or a dictionary.

        Example:

        >>> model = cconv.Sequential([cconv.layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(loss="mse")
        >>> model.evaluate(np.ones((4, 2)), np.full(4, 2.0), verbose=0)
        4.0
        """
        self._assert_compiled("evaluate")
        batch_size = _count("batch_size", batch_size, optional=True)
        steps = _count("steps", steps, optional=True)
        _check_verbose(verbose)
        feed = self._feed("evaluate", x, y, sample_weight, batch_size, steps)
        self._prepare("test", feed, "y")
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(
                callbacks, add_progbar=bool(verbose), verbose=verbose, epochs=1, steps=feed.num_batches, model=self
            )
        logs = self._test_epoch(feed, callbacks)
        return logs if return_dict else self._in_result_order(logs)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Computes the model's outputs, batch by batch.

        Dropout drops nothing, and batch normalization uses its moving averages. Several threads may call it on one
        model.

        Args:
            x: Data, as for `fit`.
            batch_size: Samples per batch, 32 by default. The results do not depend on it.
            verbose: `"auto"` or 1 (a progress bar), 2 (one line), 0 (silent).
            steps: Number of batches; by default all.
            callbacks: List of `cconv.callbacks.Callback`.

        Returns:
            A float32 array with one row per sample; for several outputs in the structure the model returns them in.

        Example:

        >>> model = cconv.Sequential([cconv.Input((2,)), cconv.layers.Dense(1, kernel_initializer="ones")])
        >>> model.predict(np.ones((3, 2)), verbose=0)
        array([[2.],
               [2.],
               [2.]], dtype=float32)
        """
        batch_size = _count("batch_size", batch_size, optional=True)
        steps = _count("steps", steps, optional=True)
        _check_verbose(verbose)
        feed = self._feed("predict", x, None, None, batch_size, steps)
        callbacks = CallbackList(
            callbacks, add_progbar=bool(verbose), verbose=verbose, epochs=1, steps=feed.num_batches, model=self
        )
        self.stop_predicting = False
        outputs: list[np.ndarray] | None = None
        pieces: list[list[np.ndarray]] = []
        done, current, step = 0, None, None
        # The number of samples is known for arrays only; their outputs get their place at once.
        total = min(feed.data.size, feed.batch_size * feed.num_batches) if isinstance(feed, ArrayFeed) else None
        callbacks.on_predict_begin()
        for batch, (data, rows, n) in enumerate(feed.epoch()):
            if data is not current:
                current, step = data, self._step("predict", data, max(n, feed.batch_size))
                if total is not None:
                    outputs = [np.empty((total, *shape[1:]), np.float32) for shape in step.shapes]
            callbacks.on_predict_batch_begin(batch)
            place = None if outputs is None else [array[done : done + n] for array in outputs]
            results = step.predict(data.arrays, n, rows, place)
            if outputs is None:
                pieces.append(results)
            done += n
            callbacks.on_predict_batch_end(batch, {"outputs": tree.pack(step.structure, results)})
            if self.stop_predicting:
                break
        callbacks.on_predict_end()
        if outputs is None:
            outputs = [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
        elif done < total:
            outputs = [array[:done] for array in outputs]
        return tree.pack(step.structure, outputs)

    # ---- single batches ----------------------------------------------------------------------------------------------

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> float | list[float] | dict[str, float]:
        """Makes one training step with these samples.

        Args:
            x: Array, or list or dictionary of arrays.
            y: Labels.
            sample_weight: One weight per sample, or one array for each output.
            class_weight: Dictionary from class number to a weight of its samples.
            return_dict: Whether to return a dictionary by name.

        Returns:
            The loss of these samples before the step, and the metrics; see `evaluate`.

        Example:

        >>> model = cconv.Sequential([cconv.layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(loss="mse")
        >>> model.train_on_batch(np.ones((4, 2)), np.full(4, 2.0))
        4.0
        """
        self._assert_compiled("train_on_batch")
        data, step = self._single("train", x, y, sample_weight, class_weight)
        self.reset_metrics()
        self._run_train_step(step, data, None, data.size)
        logs = self._totals.logs()
        return logs if return_dict else self._in_result_order(logs)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> float | list[float] | dict[str, float]:
        """Computes the loss and the metrics of these samples; see `evaluate`."""
        self._assert_compiled("test_on_batch")
        data, step = self._single("test", x, y, sample_weight, None)
        self.reset_metrics()
        step.run(data.arrays, data.size, None, self._seed, 0, self._totals)
        logs = self._totals.logs()
        return logs if return_dict else self._in_result_order(logs)

    def predict_on_batch(self, x: Any) -> Any:
        """Computes the outputs for these samples, in one run."""
        refuse(x, "predict_on_batch")
        data = make_data(x, inputs=self._input_slots(), outputs=None)
        step = self._step("predict", data, _rounded(data.size))
        return tree.pack(step.structure, step.predict(data.arrays, data.size, None, None))

    def _single(self, mode: str, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> tuple[Data, _Step]:
        refuse(x, f"{mode}_on_batch")
        data = self._make_data(x, y, sample_weight, class_weight)
        step = self._step(mode, data, _rounded(data.size))
        self._targets.check_labels(data, step.shapes, "y")
        return data, step

    # ---- data --------------------------------------------------------------------------------------------------------

    def _assert_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(
                f"You must call `compile()` before calling `{method}()`: the model has no loss and no optimizer."
            )

    def _input_slots(self) -> Slots | None:
        """The inputs that data must fit, if the model knows them before it sees data."""
        inputs = getattr(self, "inputs", None)
        if not inputs:
            return None
        tensors = tree.flatten(inputs)
        return Slots(tuple(self._input_names()), tuple(tuple(t.shape) for t in tensors))

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

    def _step(self, mode: str, data: Data, max_batch: int) -> _Step:
        """The plan for this mode and these shapes; made if there is none yet."""
        if mode == "train":
            flags = tuple(v.trainable for v in self.variables)
        else:
            flags = ()
        key = (mode, data.key, max_batch, self._generation, flags, _core.get_num_threads(), self._structure_key())
        _, step = self._step_plans.get(key, lambda: self._make_step(mode, data, max_batch))
        return step

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
        >>> print(model.describe_plans().splitlines()[1].split()[-4:])
        ['forward', 'ms', 'backward', 'ms']
        """
        parts = []
        for key, step in self._step_plans.items():
            parts.append(f"{key[0]}\n{step.describe(profile)}")
        return "\n".join(parts)

    def _structure_key(self) -> Any:
        """Changes when layers are added or removed."""
        return tuple(id(layer) for layer in getattr(self, "layers", ()))

    def _make_step(self, mode: str, data: Data, max_batch: int) -> _Step:
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
        return _Step(plan, traced, outputs, nodes, trained, drops)

    def _trace(self, mode: str, data: Data) -> _Traced:
        slots = self._input_slots()
        names = slots.names if slots is not None else [f"x{i}" for i in range(len(data.x))]
        inputs = [Tensor((None, *a.shape[1:]), name=name) for a, name in zip(data.x, names, strict=True)]
        y_pred = self._call_traced(inputs, data.structure, training=mode == "train")
        predictions = tree.flatten(y_pred)
        with tracing():
            if mode == "predict":
                return _Traced(inputs, predictions, y_pred, None, [], [])
            if self._targets.names is None:
                self._targets.bind(self._names_of_count(len(predictions)))
            y_true = [
                None if a is None else Tensor((None, *a.shape[1:]), name=f"y_{name}")
                for a, name in zip(data.y or [None] * len(predictions), self._targets.names, strict=True)
            ]
            weights = [
                None if a is None else Tensor((None, *a.shape[1:]), name=f"weight_{name}")
                for a, name in zip(data.weights, self._targets.names, strict=True)
            ]
            result = self._targets.trace(y_true, predictions, weights, self.losses_for_tracing())
        if self._totals is None:
            self._totals = _Totals(*self._targets.names_and_metrics())
        inputs = [t for t in (*inputs, *y_true, *weights) if t is not None]
        return _Traced(inputs, predictions, y_pred, *result)

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
        inputs = [Tensor((None, *a.shape[1:]), name=f"x{i}") for i, a in enumerate(data.x)]
        y_pred = self._call_traced(inputs, data.structure, training=False)
        names = list(y_pred) if isinstance(y_pred, dict) else None
        self._targets.bind(names or self._names_of_count(len(tree.flatten(y_pred))))

    def _names_of(self, traced: _Traced) -> Sequence[str]:
        return self._names_of_count(len(traced.predictions))

    def _names_of_count(self, count: int) -> list[str]:
        known = self._output_slots()
        if known is not None and len(known.names) == count:
            return list(known.names)
        return ["output"] if count == 1 else [f"output_{i + 1}" for i in range(count)]

    # ---- results -----------------------------------------------------------------------------------------------------

    def _result_order(self, names: Sequence[str]) -> list[str]:
        """The order of `evaluate`'s list: the loss, then the metrics of a single output; with several outputs their
        losses in the order of the outputs, then the rest by name."""
        if self._totals.loss_names:
            first = ["loss", *self._totals.loss_names]
            return first + sorted(name for name in names if name not in first)
        return ["loss", *self._totals.names]

    def _in_result_order(self, logs: dict[str, float]) -> float | list[float]:
        values = [logs[name] for name in self._result_order(list(logs))]
        return values[0] if len(values) == 1 else values


def _count(name: str, value: Any, least: int = 1, optional: bool = False) -> int | None:
    if value is None and optional:
        return None
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"`{name}`: expected an integer of at least {least}. Received: {value!r}")
    return int(value)


def _check_verbose(verbose: Any) -> None:
    if not (verbose == "auto" or (isinstance(verbose, (bool, int, np.integer)) and 0 <= verbose <= 2)):
        raise ValueError(f"`verbose`: expected 'auto', 0, 1 or 2. Received: {verbose!r}")


def _is_due(epoch: int, frequency: int | Container[int]) -> bool:
    return epoch % frequency == 0 if isinstance(frequency, int) else epoch in frequency


def _rounded(n: int) -> int:
    """The next power of two: batches of any size then share few plans."""
    return 1 << (n - 1).bit_length()


def _number(value: Any) -> Any:
    array = np.asarray(value)
    return float(array) if array.ndim == 0 else array
