"""The record of a training run that `fit` returns."""

from .callback import Callback, Logs


class History(Callback):
    """Records the metrics of every epoch. `fit` adds one by itself and returns it.

    Attributes:
        history: For each metric the list of its values, one per epoch.
        epoch: The numbers of the epochs recorded.

    Example:

    >>> model = cconv.Sequential([cconv.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> history = model.fit(np.ones((4, 2)), np.ones(4), epochs=2, verbose=0)
    >>> len(history.history["loss"])
    2
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def __repr__(self) -> str:
        last = "".join(f", {name}={values[-1]:.4g}" for name, values in self.history.items() if values)
        return f"<History epochs={len(self.epoch)}{last}>"

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self
