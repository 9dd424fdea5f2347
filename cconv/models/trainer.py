"""Training, evaluation and prediction: what `compile` keeps, and how `fit` turns it into runs of plans.

A step is one call into the core. Before the first one, the model, its losses and its metrics are traced into one graph,
and the graph becomes a plan: for one mode, one set of shapes and one largest batch (`planner.py`). Plans are kept and
used again. During an epoch only row numbers go in, and a few numbers (the loss, what the metrics add up) come out.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import numpy as np

from .. import tree
from ..callbacks import CallbackList, History
from ..random import next_seed
from . import targets
from .data import Data, make_data, split
from .feed import ArrayFeed, BatchFeed, is_batches, refuse
from .planner import Planner, rounded
from .step import Step


class Trainer(Planner):
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
        self.loss = None
        self._compile_arguments: dict[str, Any] | None = None
        self._reset_plans()
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
        with callbacks:
            callbacks.on_train_begin()
            for epoch in range(initial_epoch, epochs):
                self.reset_metrics()
                callbacks.on_epoch_begin(epoch)
                self._train_epoch(feed, callbacks)
                logs = self._totals.logs()
                if validation is not None and _is_due(epoch + 1, validation_freq):
                    tested = self._test_epoch(validation, callbacks)
                    logs.update({f"val_{name}": value for name, value in tested.items()})
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

    def _run_train_step(self, step: Step, data: Data, rows: np.ndarray | None, n: int) -> None:
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
        with callbacks:
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
            An array with one row per sample; for several outputs in the structure the model returns them in.

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
        with callbacks:
            callbacks.on_predict_begin()
            for batch, (data, rows, n) in enumerate(feed.epoch()):
                if data is not current:
                    current, step = data, self._step("predict", data, max(n, feed.batch_size))
                    if total is not None:
                        outputs = step.empty(total)
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
        step = self._known_prediction(x) if type(x) is np.ndarray else None
        if step is not None:
            return tree.pack(step.structure, step.predict([x], len(x), None, None))
        refuse(x, "predict_on_batch")
        data = make_data(x, inputs=self._input_slots(), outputs=None)
        step = self._step("predict", data, rounded(data.size))
        return tree.pack(step.structure, step.predict(data.arrays, data.size, None, None))

    def _single(self, mode: str, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> tuple[Data, Step]:
        refuse(x, f"{mode}_on_batch")
        data = self._make_data(x, y, sample_weight, class_weight)
        step = self._step(mode, data, rounded(data.size))
        self._targets.check_labels(data, step.shapes, "y")
        return data, step

    def _assert_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(
                f"You must call `compile()` before calling `{method}()`: the model has no loss and no optimizer."
            )

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
