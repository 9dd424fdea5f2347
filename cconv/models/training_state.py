"""What a model remembers of its training, and what callbacks set."""

from __future__ import annotations

from typing import Any

from ..callbacks import History
from ..training import Trainer


class TrainingState:
    """Attributes of models that their trainer keeps."""

    _trainer: Trainer

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._trainer.compiled

    @property
    def optimizer(self) -> Any:
        """The optimizer; `None` before `compile`."""
        return self._trainer.optimizer

    @optimizer.setter
    def optimizer(self, optimizer: Any) -> None:
        self._trainer.optimizer = optimizer

    @property
    def loss(self) -> Any:
        """The loss that `compile` was given."""
        return self._trainer.loss

    @loss.setter
    def loss(self, loss: Any) -> None:
        self._trainer.loss = loss

    @property
    def history(self) -> History | None:
        """The `History` of the last `fit`."""
        return self._trainer.history

    @history.setter
    def history(self, history: History | None) -> None:
        self._trainer.history = history

    @property
    def stop_training(self) -> bool:
        """Set by callbacks: `fit` ends after the batch or epoch that is under way."""
        return self._trainer.stop_training

    @stop_training.setter
    def stop_training(self, stop: bool) -> None:
        self._trainer.stop_training = stop

    @property
    def stop_evaluating(self) -> bool:
        """Set by callbacks: `evaluate` ends after the batch that is under way."""
        return self._trainer.stop_evaluating

    @stop_evaluating.setter
    def stop_evaluating(self, stop: bool) -> None:
        self._trainer.stop_evaluating = stop

    @property
    def stop_predicting(self) -> bool:
        """Set by callbacks: `predict` ends after the batch that is under way."""
        return self._trainer.stop_predicting

    @stop_predicting.setter
    def stop_predicting(self, stop: bool) -> None:
        self._trainer.stop_predicting = stop

    @property
    def metrics(self) -> list[Any]:
        """The mean of the loss, named `"loss"`, the metrics of `compile`, those that the model and its layers hold."""
        return self._trainer.metrics

    @property
    def metrics_names(self) -> list[str]:
        """The names of the numbers that `evaluate` returns, in its order."""
        return self._trainer.metrics_names

    def reset_metrics(self) -> None:
        """Forgets what the metrics, and the mean of the loss, have added up; `fit` does so before each epoch."""
        self._trainer.reset_metrics()

    def get_metrics_result(self) -> dict[str, float]:
        """The values of the loss and the metrics so far, by name.

        Example:

        >>> model = cconv.Sequential([cconv.layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(loss="mse", metrics=["mae"])
        >>> _ = model.test_on_batch(np.ones((4, 2)), np.full(4, 2.0))
        >>> model.get_metrics_result()
        {'loss': 4.0, 'mae': 2.0}
        """
        return self._trainer.get_metrics_result()
