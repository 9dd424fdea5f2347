"""Training, evaluation and prediction of a model: what `compile` keeps, and how `fit` turns it into runs of programs.

A step is one call into the core. Before the first one, the model, its losses and its metrics are traced into one graph,
and the graph becomes a program: for one mode, one set of shapes and one largest batch (`planner.py`). Programs are kept
and used again. During an epoch only row numbers go in, and a few numbers (the loss, what the metrics add up) come out.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Container
from typing import Any

import numpy as np

from .. import constraints, optimizers, tree
from ..callbacks import CallbackList, History
from ..data import ArrayFeed, Data, Feed, refuse
from ..layers.held import held
from ..metrics import Metric
from ..seeds import next_seed
from ..serialization import deserialize_object, serialize_object
from .arguments import SAVED_ARGUMENTS, check_compile, check_compiled, check_verbose, count, is_due, is_due_again
from .feeder import Feeder
from .own_steps import OwnSteps, as_arrays, in_order
from .planner import Planner, rounded
from .step import Step
from .targets import Targets
from .totals import Totals
from .tracer import Tracer


class Trainer:
    """What a model has to do with learning. The arguments of its methods are those of the model's of the same name.

    Args:
        model: The model, which is not kept alive; also asked for what `Tracer`, `Feeder` and `Planner` want to know.

    Attributes:
        model: The model.
        optimizer: The optimizer; `None` before `compile`.
        loss: The argument of `compile`.
        arguments: Those of `compile`; copies of the model share them.
        targets: Losses and metrics; `None` before `compile`.
        seed: What the random numbers of training are made of, with the number of the step.
        history: Of the last `fit`.
        steps_per_execution: Batches of which callbacks hear as of one.
        reached: What a file that is being written is kept for, by the name of the monitored value.
        feed, callbacks, first_epoch: Of the `fit` under way: weak references, and where callbacks let it begin.
        stop_training, stop_evaluating, stop_predicting: Set by callbacks, to end after the current batch.
    """

    def __init__(self, model: Any) -> None:
        self._owner = weakref.ref(model)
        self.optimizer = self.loss = None
        self.seed, self.steps_per_execution = 0, 1
        self.history: History | None = None
        self.reached: dict[str, float] = {}
        self.feed = self.callbacks = None
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self.arguments: dict[str, Any] = {}
        self._aim(None)

    def moved_to(self, model: Any) -> Trainer:
        """The same for a copy of the model."""
        made = copy.copy(self)
        made._owner = weakref.ref(model)
        made._aim(self.targets)
        return made

    @property
    def model(self) -> Any:
        return None if self._owner is None else self._owner()

    def __getstate__(self) -> dict[str, Any]:  # the copy is `moved_to` the model's, and makes the rest anew
        names = ("_owner", "feeder", "planner", "own", "feed", "callbacks", "output_structure")
        return vars(self) | dict.fromkeys(names)

    def _aim(self, targets: Targets | None) -> None:
        """New targets. What was planned for the old ones is forgotten."""
        self.targets, tracer = targets, Tracer(self.model, targets)
        self.feeder, self.planner = Feeder(self.model, tracer, targets), Planner(self.model, tracer, targets)
        self.own, self.output_structure = OwnSteps(self.model, self), tracer.output_structure

    # ---- compile -----------------------------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any,
        loss: Any,
        loss_weights: Any,
        metrics: Any,
        weighted_metrics: Any,
        run_eagerly: bool,
        steps_per_execution: int,
        jit_compile: str | bool | None,
    ) -> None:
        check_compile(steps_per_execution, jit_compile)
        optimizer = optimizers.get(optimizer)
        targets = Targets(loss, loss_weights, metrics, weighted_metrics)
        outputs = self.model._output_slots()
        if outputs is not None:
            targets.bind(outputs.structure)
        self.optimizer, self.loss, self.steps_per_execution = optimizer, loss, steps_per_execution
        self.arguments = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": bool(run_eagerly),
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile is True,
        }
        self._aim(targets)
        self.seed = next_seed()
        self.stop_training = False

    @property
    def compiled(self) -> bool:
        return self.targets is not None

    def get_compile_config(self) -> dict[str, Any] | None:
        return serialize_object(dict(self.arguments)) if self.compiled else None

    def compile_from_config(self, config: dict[str, Any]) -> None:
        arguments = deserialize_object(config)
        self.model.compile(**{name: arguments[name] for name in SAVED_ARGUMENTS if name in arguments})
        if self.model.built and self.optimizer is not None:
            self.optimizer.build(self.model.trainable_variables)

    # ---- metrics -----------------------------------------------------------------------------------------------------

    @property
    def totals(self) -> Totals | None:
        """What an epoch adds up; `None` before the outputs are known."""
        return None if self.targets is None else self.targets.totals

    @property
    def metrics(self) -> list[Any]:
        """The mean of the loss, those of `compile`, then those that the model and its layers hold."""
        found = [] if self.targets is None else [self.targets.tracker, *self.targets.metrics]
        return list({id(metric): metric for metric in [*found, *held(self.model, Metric)]}.values())

    @property
    def metrics_names(self) -> list[str]:
        if self.totals is None:
            return ["loss"] if self.compiled else []
        return self.totals.result_order(["loss", *self.totals.loss_names, *self.totals.names])

    def reset_metrics(self) -> None:
        if self.totals is not None:
            self.totals.reset()
        for metric in self.model.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, float]:
        if self.own.are_used("train") or self.own.are_used("test"):
            return self.own.results()
        return {} if self.totals is None else self.totals.logs()

    # ---- fit ---------------------------------------------------------------------------------------------------------

    def fit(
        self,
        x: Any,
        y: Any,
        batch_size: int | None,
        epochs: int,
        verbose: str | int,
        callbacks: Any,
        validation_split: float,
        validation_data: Any,
        shuffle: bool | str,
        class_weight: dict[int, float] | None,
        sample_weight: Any,
        initial_epoch: int,
        steps_per_epoch: int | None,
        validation_steps: int | None,
        validation_batch_size: int | None,
        validation_freq: int | Container[int],
    ) -> History:
        check_compiled("fit", self.targets, self.optimizer, trains=True)
        batch_size = count("batch_size", batch_size, optional=True)
        epochs = count("epochs", epochs, least=0)
        initial_epoch = count("initial_epoch", initial_epoch, least=0)
        steps_per_epoch = count("steps_per_epoch", steps_per_epoch, optional=True)
        validation_steps = count("validation_steps", validation_steps, optional=True)
        validation_batch_size = count("validation_batch_size", validation_batch_size, optional=True)
        check_verbose(verbose)
        if not isinstance(shuffle, (bool, np.bool_)) and shuffle not in (0, 1, "batch"):
            raise ValueError(f"`shuffle`: expected True, False or 'batch'. Received: {shuffle!r}")
        if not isinstance(validation_freq, (list, tuple, set, frozenset, range)):
            validation_freq = count("validation_freq", validation_freq)

        feeder, tester = self.own.feeder("train"), self.own.feeder("test")
        feed = feeder.feed("fit", x, y, sample_weight, batch_size, steps_per_epoch, class_weight, shuffle)
        if validation_data is None and validation_split:
            split = (validation_split, batch_size, steps_per_epoch, shuffle, class_weight)
            feed, held_out = feeder.split(feed, *split)
            validation_data = tester.held_out(held_out)
        validation = None
        if validation_data is not None:
            validation = tester.validation(validation_data, validation_batch_size, batch_size, validation_steps)
        # Both are traced and checked now, so that what does not fit the validation is not found out after an epoch.
        feed.check_passes(epochs - initial_epoch > 1, "steps_per_epoch")
        if validation is not None:
            validation.check_passes(is_due_again(initial_epoch, epochs, validation_freq), "validation_steps")
        if not self.own.are_used("train"):
            self.planner.prepare("train", feed, "y", self.optimizer)
        if validation is not None and not self.own.are_used("test"):
            self.planner.prepare("test", validation, "validation labels")
        callbacks = self._callback_list(callbacks, verbose, feed, epochs, add_history=True)
        self.stop_training, logs = False, {}
        self.feed, self.callbacks, self.first_epoch = weakref.ref(feed), weakref.ref(callbacks), initial_epoch
        with callbacks:
            callbacks.on_train_begin()
            for epoch in range(self.first_epoch, epochs):
                self.model.reset_metrics()
                callbacks.on_epoch_begin(epoch)
                logs = self._train_epoch(feed, callbacks)
                if validation is not None and is_due(epoch + 1, validation_freq):
                    validation.rewind()
                    tested = self._test_epoch(validation, callbacks, "validation labels")
                    logs.update({f"val_{name}": value for name, value in tested.items()})
                    logs = {name: logs[name] for name in sorted(logs)}
                callbacks.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
            self.optimizer.finalize_variable_values(self.model.trainable_variables)
            callbacks.on_train_end(logs)
        return self.history

    def _train_epoch(self, feed: Feed, callbacks: CallbackList) -> dict[str, float]:
        if self.own.are_used("train"):
            return self.own.train_epoch(feed, callbacks)
        groups = callbacks.in_groups(self.steps_per_execution)
        totals, current, step = self.totals, None, None
        for batch, (data, rows, n) in enumerate(feed.epoch(), feed.done):
            if data is not current:
                current, step = data, self.planner.next_step("train", feed, data, n, batch, "y", self.optimizer)
            groups.on_train_batch_begin(batch)
            self._train(step, data, rows, n)
            groups.on_train_batch_end(batch, totals.logs)
            if self.stop_training:
                break
        groups.end_group()
        return totals.logs()

    def _train(self, step: Step, data: Data, rows: np.ndarray | None, n: int) -> None:
        optimizer = self.optimizer
        optimizer.before_step()
        core, done = optimizer.core, optimizer.core.iterations
        step.accumulate(self.totals, data.arrays, n, rows, self.seed, done)
        if core.iterations == done:
            # a model without weights to train: its steps count all the same, so that each drops anew
            core.iterations = done + 1
        constraints.hold(step.constrained)

    def _test_epoch(self, feed: Feed, callbacks: CallbackList, label: str) -> dict[str, float]:
        if self.own.are_used("test"):
            return self.own.test_epoch(feed, callbacks)
        self.model.reset_metrics()
        self.stop_evaluating = False
        callbacks.on_test_begin()
        groups = callbacks.in_groups(self.steps_per_execution)
        totals, current, step = self.totals, None, None
        for batch, (data, rows, n) in enumerate(feed.epoch()):
            if data is not current:
                current, step = data, self.planner.next_step("test", feed, data, n, batch, label, None)
            groups.on_test_batch_begin(batch)
            step.accumulate(totals, data.arrays, n, rows, self.seed, batch)
            groups.on_test_batch_end(batch, totals.logs)
            if self.stop_evaluating:
                break
        groups.end_group()
        logs = totals.logs()
        callbacks.on_test_end(logs)
        return logs

    # ---- evaluate and predict ----------------------------------------------------------------------------------------

    def evaluate(
        self,
        x: Any,
        y: Any,
        batch_size: int | None,
        verbose: str | int,
        sample_weight: Any,
        steps: int | None,
        callbacks: Any,
        return_dict: bool,
    ) -> float | list[float] | dict[str, float]:
        check_compiled("evaluate", self.targets)
        batch_size = count("batch_size", batch_size, optional=True)
        steps = count("steps", steps, optional=True)
        check_verbose(verbose)
        feed = self.own.feeder("test").feed("evaluate", x, y, sample_weight, batch_size, steps)
        if not self.own.are_used("test"):
            self.planner.prepare("test", feed, "y")
        callbacks = self._callback_list(callbacks, verbose, feed)
        with callbacks:
            logs = self._test_epoch(feed, callbacks, "y")
        order = in_order if self.own.are_used("test") else self.totals.in_result_order
        return logs if return_dict else order(logs)

    def predict(self, x: Any, batch_size: int | None, verbose: str | int, steps: int | None, callbacks: Any) -> Any:
        batch_size = count("batch_size", batch_size, optional=True)
        steps = count("steps", steps, optional=True)
        check_verbose(verbose)
        feed = self.own.feeder("predict").feed("predict", x, batch_size=batch_size, steps=steps)
        callbacks = self._callback_list(callbacks, verbose, feed)
        if self.own.are_used("predict"):
            return self.own.predict(feed, callbacks)
        self.stop_predicting = False
        outputs: list[np.ndarray] | None = None
        pieces: list[list[np.ndarray]] = []
        done, current, step = 0, None, None
        # The number of samples is known for arrays only; their outputs get their place at once.
        total = min(feed.data.size, feed.batch_size * feed.num_batches) if isinstance(feed, ArrayFeed) else None
        with callbacks:
            callbacks.on_predict_begin()
            groups = callbacks.in_groups(self.steps_per_execution)
            for batch, (data, rows, n) in enumerate(feed.epoch()):
                if data is not current:
                    current, step = data, self.step("predict", data, max(n, feed.batch_size))
                    if outputs is None and total is not None:
                        outputs = step.empty(total)
                groups.on_predict_batch_begin(batch)
                place = None if outputs is None else [array[done : done + n] for array in outputs]
                results = step.predict(data.arrays, n, rows, place)
                if outputs is None:
                    pieces.append(results)
                done += n
                groups.on_predict_batch_end(batch, {"outputs": tree.pack(step.structure, results)})
                if self.stop_predicting:
                    break
            groups.end_group()
            callbacks.on_predict_end()
        if outputs is None:
            outputs = [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
        elif done < total:
            outputs = [array[:done] for array in outputs]
        return tree.pack(step.structure, outputs)

    def _callback_list(
        self, callbacks: Any, verbose: str | int, feed: Feed, epochs: int = 1, add_history: bool = False
    ) -> CallbackList:
        if isinstance(callbacks, CallbackList):
            return callbacks
        settings = {"add_history": add_history, "add_progbar": bool(verbose), "verbose": verbose}
        return CallbackList(callbacks, **settings, epochs=epochs, steps=feed.num_batches, model=self.model)

    # ---- single batches ----------------------------------------------------------------------------------------------

    def train_on_batch(
        self, x: Any, y: Any, sample_weight: Any, class_weight: dict[int, float] | None, return_dict: bool
    ) -> float | list[float] | dict[str, float]:
        check_compiled("train_on_batch", self.targets, self.optimizer, trains=True)
        if self.own.are_used("train"):
            return self.own.on_batch("train", x, y, sample_weight, class_weight, return_dict)
        (data, step), totals = self._single("train", x, y, sample_weight, class_weight), self.totals
        totals.reset()
        self._train(step, data, None, data.size)
        logs = totals.logs()
        return logs if return_dict else totals.in_result_order(logs)

    def test_on_batch(
        self, x: Any, y: Any, sample_weight: Any, return_dict: bool
    ) -> float | list[float] | dict[str, float]:
        check_compiled("test_on_batch", self.targets)
        if self.own.are_used("test"):
            return self.own.on_batch("test", x, y, sample_weight, None, return_dict)
        (data, step), totals = self._single("test", x, y, sample_weight, None), self.totals
        totals.reset()
        step.accumulate(totals, data.arrays, data.size, None, self.seed)
        logs = totals.logs()
        return logs if return_dict else totals.in_result_order(logs)

    def predict_on_batch(self, x: Any) -> Any:
        step = self.planner.known_prediction(x) if type(x) is np.ndarray else None
        if step is not None:
            return tree.pack(step.structure, step.predict([x], len(x)))
        if self.own.are_used("predict"):
            return as_arrays(self.own.step("predict", self.own.feeder("predict").inputs(x), None))
        refuse(x, "predict_on_batch")
        data = self.feeder.inputs(x).in_memory()
        step = self.step("predict", data, rounded(data.size))
        return tree.pack(step.structure, step.predict(data.arrays, data.size))

    def _single(self, mode: str, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> tuple[Data, Step]:
        refuse(x, f"{mode}_on_batch")
        data = self.feeder.data(x, y, sample_weight, class_weight).in_memory()
        step = self.step(mode, data, rounded(data.size))
        self.targets.check_labels(data, step.shapes, "y")
        return data, step

    def step(self, mode: str, data: Data, max_batch: int) -> Step:
        return self.planner.step(mode, data, max_batch, self.optimizer if mode == "train" else None)
