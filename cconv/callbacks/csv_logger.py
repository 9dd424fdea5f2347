"""Writes the metrics of every epoch to a table."""

import csv
import os

from .callback import Callback, Logs


class CSVLogger(Callback):
    """Writes one line per epoch to a CSV file: the epoch's number and every value of the logs.

    Args:
        filename: Path of the file.
        separator: What stands between two fields.
        append: Whether to continue an existing file.

    Example:

    >>> callback = cconv.callbacks.CSVLogger("training.csv")
    """

    def __init__(self, filename: str | os.PathLike, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = append
        self.keys: list[str] | None = None
        self._file = None
        self._writer = None
        self._write_header = True

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._close()
        self.keys = None
        self._write_header = not (self.append and os.path.exists(self.filename) and os.path.getsize(self.filename))
        mode = "a" if self.append else "w"
        self._file = open(self.filename, mode, newline="", encoding="utf-8")  # noqa: SIM115 (closed at the end)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        if self._writer is None:
            self.keys = sorted(logs)
            if not any(key.startswith("val_") for key in self.keys):
                # Validation may begin in a later epoch, and a table cannot gain columns.
                self.keys += [f"val_{key}" for key in self.keys]
            columns = ["epoch", *self.keys]
            self._writer = csv.DictWriter(self._file, columns, delimiter=self.separator, lineterminator="\n")
            if self._write_header:
                self._writer.writeheader()
        self._writer.writerow({"epoch": epoch, **{key: logs.get(key, "NA") for key in self.keys}})
        self._file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._close()

    def on_exception(self, exception: BaseException) -> None:
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._writer = None
