"""The record of a training run that `fit` returns."""

from ..utils.html import curve, table
from .callback import Callback, Logs

_TRAINING, _VALIDATION = "#2f6fab", "#dd8033"


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

    def _repr_html_(self) -> str:
        if not self.history:
            return "<p>History: no epoch is finished yet.</p>"
        names = [name for name in self.history if not name.startswith("val_") or name[4:] not in self.history]
        drawings = []
        for name in names:
            series = [(_TRAINING, self.history[name]), (_VALIDATION, self.history.get(f"val_{name}", []))]
            drawings.append(curve(series, name))
        epochs = [f"{epoch + 1}" for epoch in self.epoch]
        shown = range(max(0, len(epochs) - 10), len(epochs))  # the last ones
        columns = [column for column in self.history.items() if len(column[1]) == len(epochs)]
        rows = [[epochs[i], *(f"{values[i]:.4g}" for _, values in columns)] for i in shown]
        header = ["epoch", *(name for name, _ in columns)]
        key = f'<span style="color:{_TRAINING}">training</span>'
        if any(name.startswith("val_") for name in self.history):
            key += f', <span style="color:{_VALIDATION}">validation</span>'
        return f"<div>{''.join(drawings)}<div>{key}</div>{table(header, rows, range(len(header)))}</div>"

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self
