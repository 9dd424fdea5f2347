"""A layer that learns: the methods of models that have to do with training, which a trainer carries out."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from ..callbacks import History
from ..data import Slots
from ..layers.layer import Layer
from ..naming import explain_arguments
from ..training import Trainer
from .functional import Structure
from .steps import Steps
from .training_state import TrainingState


@explain_arguments
class TrainedLayer(Steps, TrainingState, Layer):
    """A layer with a trainer, and what the trainer wants to know of it; the base of `Model`."""

    _structure: Structure | None = None  # of those made of symbolic tensors, and of stacks once they are built

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._trainer = Trainer(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if self._trainer.model is not self:  # a shallow copy
            self._trainer = self._trainer.moved_to(self)

    def _between_steps(self, method: str) -> Trainer:
        """The trainer, if this thread is not in the middle of a step of the model."""
        self._trainer.planner.refuse_within(method)
        return self._trainer

    # ---- for the trainer

    def _input_slots(self) -> Slots | None:
        """The inputs that data must fit, if they are known before there is data."""
        return None if self._structure is None else self._structure.input_slots()

    def _output_slots(self) -> Slots | None:
        """The outputs that labels are for, if they are known."""
        return None if self._structure is None else self._structure.output_slots()

    def _nest_inputs(self, inputs: list[Any]) -> Any:
        """Inputs as `call` takes them."""
        return inputs[0] if self._structure is None else self._structure.nest_inputs(inputs)

    # ---- compile

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
            optimizer: Name or instance of an optimizer; `None` for a model that is only evaluated.
            loss: Name, instance or function `(y_true, y_pred)` written with `cconv.ops`; for several outputs also lists
                and dictionaries of them, nested as the outputs are. `None` for an output that is not trained.
            loss_weights: A number for each loss, nested likewise; `None` for 1.
            metrics: List of names, instances or functions; for several outputs a list of lists or nested likewise.
            weighted_metrics: The same, for metrics that take `sample_weight` and `class_weight` into account.
            run_eagerly: Whether `train_step` and its kin run as Python in every step, as they do where the model
                overrides one of them, rather than as one graph. Layers are traced all the same.
            steps_per_execution: Batches of which callbacks hear as of one. Each is a step of its own all the same.
            jit_compile: `"auto"`, `True` or `False`, which are the same here: a step is always run as a planned graph.
            auto_scale_loss: Without effect: everything is computed in float32.

        Raises:
            ValueError: If a name is unknown or an argument is not supported.

        Example:

        >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(3, activation="softmax")])
        >>> model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        """
        self._trainer.compile(
            optimizer,
            loss,
            loss_weights,
            metrics,
            weighted_metrics,
            run_eagerly,
            steps_per_execution,
            jit_compile,
        )

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of `compile` in a form that can be saved; `None` before `compile`.

        Example:

        >>> model = cconv.Sequential([cconv.layers.Dense(1)])
        >>> model.compile("sgd", "mse", metrics=["mae"])
        >>> model.get_compile_config()["metrics"]
        ['mae']
        """
        return self._trainer.get_compile_config()

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles with what `get_compile_config` returned.

        Args:
            config: The dictionary.

        Example:

        >>> model, other = (cconv.Sequential([cconv.layers.Dense(1)]) for _ in range(2))
        >>> model.compile("sgd", "mse")
        >>> other.compile_from_config(model.get_compile_config())
        >>> other.optimizer.name
        'sgd'
        """
        self._trainer.compile_from_config(config)

    # ---- fit, evaluate, predict

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
            x: Array with one row per sample; a list or dictionary of arrays for several inputs; a `PyDataset`,
                generator or other iterable of batches `(x, y)` or `(x, y, sample_weight)`. An array may be another
                library's, a table, a list; data sets of HDF5 files and memory maps are read a batch at a time.
            y: Labels, like `x`.
            batch_size: Samples per step, 32 by default. Not where `x` hands out batches.
            epochs: Number of the last epoch.
            verbose: `"auto"` or 1 (a progress bar), 2 (a line per epoch), 0 (silent).
            callbacks: List of `cconv.callbacks.Callback`.
            validation_split: Fraction of the data, taken from its end, that is set aside for validation.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or batches; wins over `validation_split`. Each validation
                begins with the first batch; only a generator goes on where it is.
            shuffle: Whether to draw a new order of the samples for every epoch; `"batch"`: of the batches.
            class_weight: Dictionary from class number to a weight of its samples, in training; 1 for others.
            sample_weight: One weight per sample, or one array for each output.
            initial_epoch: Epoch to begin with.
            steps_per_epoch: Batches that make an epoch, which goes on where the last one ended; by default all.
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
        return self._between_steps("fit").fit(
            x,
            y,
            batch_size,
            epochs,
            verbose,
            callbacks,
            validation_split,
            validation_data,
            shuffle,
            class_weight,
            sample_weight,
            initial_epoch,
            steps_per_epoch,
            validation_steps,
            validation_batch_size,
            validation_freq,
        )

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

        Raises:
            ValueError: If the model is not compiled, or the data does not fit the model or its loss.

        Example:

        >>> model = cconv.Sequential([cconv.layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(loss="mse")
        >>> model.evaluate(np.ones((4, 2)), np.full(4, 2.0), verbose=0)
        4.0
        """
        return self._between_steps("evaluate").evaluate(
            x, y, batch_size, verbose, sample_weight, steps, callbacks, return_dict
        )

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

        Raises:
            ValueError: If the data does not fit the model.
            RuntimeError: If it is called within a step of the model, by a signal handler.

        Example:

        >>> model = cconv.Sequential([cconv.Input((2,)), cconv.layers.Dense(1, kernel_initializer="ones")])
        >>> model.predict(np.ones((3, 2)), verbose=0)
        array([[2.],
               [2.],
               [2.]], dtype=float32)
        """
        return self._between_steps("predict").predict(x, batch_size, verbose, steps, callbacks)

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
        return self._between_steps("train_on_batch").train_on_batch(x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> float | list[float] | dict[str, float]:
        """Computes the loss and the metrics of these samples.

        Args:
            x: Array, or list or dictionary of arrays.
            y: Labels.
            sample_weight: One weight per sample, or one array for each output.
            return_dict: Whether to return a dictionary by name.

        Returns:
            See `evaluate`.

        Example:

        >>> model = cconv.Sequential([cconv.layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(loss="mse")
        >>> model.test_on_batch(np.ones((4, 2)), np.full(4, 2.0), return_dict=True)
        {'loss': 4.0}
        """
        return self._between_steps("test_on_batch").test_on_batch(x, y, sample_weight, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Computes the outputs for these samples, in one run.

        Args:
            x: Array, or list or dictionary of arrays.

        Returns:
            See `predict`.

        Example:

        >>> model = cconv.Sequential([cconv.layers.Dense(1, kernel_initializer="ones")])
        >>> model.predict_on_batch(np.ones((2, 3))).tolist()
        [[3.0], [3.0]]
        """
        return self._trainer.predict_on_batch(x)

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
        return self._trainer.planner.describe(profile)
