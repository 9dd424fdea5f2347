"""The steps of a model as methods, for classes that write their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..layers.stateless import stateless_loss
from ..tape import GradientTape
from ..training.arguments import check_compile


def _default(method: Callable) -> Callable:
    """Marks a method that does what the graph of `fit` does: where none is overridden, the graph runs instead."""
    method.is_default = True
    return method


class Steps:
    """What `fit`, `evaluate` and `predict` do with a batch. A model that overrides a method has it called with each
    batch; else a batch is one call into the core, and none of them is."""

    @_default
    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of training.

        Overridden, it is called by `fit` and `train_on_batch` with each batch, under a `cconv.GradientTape` of its own,
        and may do whatever it likes with the model, `self.optimizer` and others. Metrics among `self.metrics` are
        reset before each epoch.

        Args:
            data: `x`, `(x, y)` or `(x, y, sample_weight)`, nested as `fit` was given them, tensors for arrays; see
                `cconv.utils.unpack_x_y_sample_weight`.

        Returns:
            Dictionary of the logs: numbers by name. Those of an epoch's last batch are the epoch's.

        Example:

        >>> class Own(cconv.Model):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.dense = cconv.layers.Dense(1, kernel_initializer="zeros")
        ...
        ...     def call(self, x):
        ...         return self.dense(x)
        ...
        ...     def train_step(self, data):
        ...         x, y = data
        ...         with cconv.GradientTape() as tape:
        ...             loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        ...         gradients = tape.gradient(loss, self.trainable_variables)
        ...         self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        ...         return {"loss": loss}
        >>> model = Own()
        >>> model.compile("sgd", "mse")
        >>> model.fit(np.ones((4, 1)), np.ones((4, 1)), verbose=0).history
        {'loss': [1.0]}
        """
        return self._trainer.own.train_step(data, GradientTape())

    @_default
    def test_step(self, data: Any) -> dict[str, Any]:
        """One batch of an evaluation; overridden like `train_step`, without a tape.

        Args:
            data: As for `train_step`.

        Returns:
            Dictionary of the logs: numbers by name. Those of the last batch are the evaluation's.
        """
        return self._trainer.own.test_step(data)

    @_default
    def predict_step(self, data: Any) -> Any:
        """One batch of a prediction; overridden like `train_step`.

        Args:
            data: As for `train_step`.

        Returns:
            The outputs, one row for each sample, in any structure.
        """
        return self._trainer.own.predict_step(data)

    @_default
    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The loss of a batch: those of `compile`, weighted, and what the layers add. Overridden, it is called in every
        step of training and evaluation.

        Args:
            x: Inputs.
            y: Labels, nested as the outputs are.
            y_pred: What the model returned.
            sample_weight: One weight for each sample, or one array for each output.
            training: Whether this is a step of training.

        Returns:
            A tensor without axes.

        Raises:
            ValueError: There is no loss, or one does not fit its output.
        """
        return self._trainer.own.compute_loss(y, y_pred, sample_weight)

    @_default
    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Updates the metrics of `compile` with a batch. Overridden, it is called in every step of training and
        evaluation.

        Args:
            x: Inputs.
            y: Labels, nested as the outputs are.
            y_pred: What the model returned.
            sample_weight: One weight for each sample, or one array for each output.

        Returns:
            The values of all metrics by name: the logs of the step.
        """
        return self._trainer.own.compute_metrics(y, y_pred, sample_weight)

    def stateless_compute_loss(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tuple:
        """`compute_loss` with these values in the place of the variables', which the model keeps; see `stateless_call`.

        Args:
            trainable_variables: An array for each of `self.trainable_variables`.
            non_trainable_variables: An array for each of `self.non_trainable_variables`.
            metrics_variables: An array for each of `self.metrics_variables`.
            x: Inputs.
            y: Labels, nested as the outputs are.
            y_pred: What the model returned.
            sample_weight: One weight for each sample, or one array for each output.
            training: Whether this is a step of training.

        Returns:
            `(loss, (trainable_variables, non_trainable_variables, metrics_variables))`, where the second are the values
            after the call.

        Raises:
            ValueError: The arrays do not fit the variables, or there is no loss.
        """
        arguments = {"x": x, "y": y, "y_pred": y_pred, "sample_weight": sample_weight, "training": training}
        return stateless_loss(self, trainable_variables, non_trainable_variables, metrics_variables, arguments)

    # ---- how they are run

    @property
    def run_eagerly(self) -> bool:
        """Whether `fit` and its kin call the Python of every step, as `compile(run_eagerly=True)` asks. May be set."""
        return self._trainer.arguments.get("run_eagerly", False)

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self._change_argument("run_eagerly", bool(value))

    @property
    def jit_compile(self) -> bool:
        """The argument of `compile`, which makes no difference: a step is always run as a planned graph. May be set."""
        return self._trainer.arguments.get("jit_compile", False)

    @jit_compile.setter
    def jit_compile(self, value: str | bool | None) -> None:
        check_compile(self.steps_per_execution, value)
        self._change_argument("jit_compile", value is True)

    @property
    def steps_per_execution(self) -> int:
        """Batches of which callbacks hear as of one. May be set."""
        return self._trainer.steps_per_execution

    @steps_per_execution.setter
    def steps_per_execution(self, value: int) -> None:
        check_compile(value, None)
        self._trainer.steps_per_execution = value
        self._change_argument("steps_per_execution", value)

    def _change_argument(self, name: str, value: Any) -> None:
        """Changes what `compile` was given, and what files will say of it."""
        self._trainer.arguments = {**self._trainer.arguments, name: value}

    def make_train_function(self, force: bool = False) -> None:
        """Not supported.

        Raises:
            NotImplementedError: Always. A step is `train_step`, `test_step` or `predict_step`, or a planned graph.
        """
        raise NotImplementedError(_no_function(self, "train"))

    def make_test_function(self, force: bool = False) -> None:
        """Not supported; see `make_train_function`."""
        raise NotImplementedError(_no_function(self, "test"))

    def make_predict_function(self, force: bool = False) -> None:
        """Not supported; see `make_train_function`."""
        raise NotImplementedError(_no_function(self, "predict"))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for mode in ("train", "test", "predict"):
            if f"make_{mode}_function" in vars(cls):
                raise NotImplementedError(_no_function(cls, mode))


def _no_function(model: Any, mode: str) -> str:
    name = f"Class {model.__name__}" if isinstance(model, type) else f"Model '{model.name}'"
    return (
        f"{name}: there is no `make_{mode}_function`, since nothing is compiled ahead: a change of the model is seen "
        f"by the next step. Expected `{mode}_step` to be overridden where a step is to do something else, or "
        f"`{mode}_on_batch` to be called for one step."
    )
