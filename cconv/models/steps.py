"""The steps of a model as methods, for classes that write their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..tape import GradientTape


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
        """One batch of an evaluation; overridden like `train_step`."""
        return self._trainer.own.test_step(data)

    @_default
    def predict_step(self, data: Any) -> Any:
        """One batch of a prediction; overridden like `train_step`, it returns the outputs."""
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
