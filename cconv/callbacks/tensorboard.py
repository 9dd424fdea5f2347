"""Writes what TensorBoard shows."""

import os
import time
from typing import Any

import numpy as np

from ..ops.arguments import positive_integer, whole
from .callback import Callback, Logs
from .event_file import EventFile


class TensorBoard(Callback):
    """Writes the logs of a training for TensorBoard, the graph too, and if asked histograms and images of weights.

    `tensorboard --logdir logs` shows them; nothing but NumPy is needed to write them. The runs are `train` and
    `validation`; the tags are Keras': `epoch_loss`, `batch_loss`, `epoch_learning_rate`,
    `evaluation_loss_vs_iterations`, `<weight>/histogram`, `<weight>/image`.

    Args:
        log_dir: The folder; each training should have one of its own.
        histogram_freq: Every how many epochs to write a histogram of each weight; 0: never.
        write_graph: Whether to write the graph of what the model computes, if it knows its inputs.
        write_images: Whether to write the weights as grey images, too, as often as the histograms: the smallest number
            black, the largest white, a convolution's kernel as tiles, a row for each input channel.
        write_steps_per_second: Whether to write the steps per second, of epochs and (as `update_freq` says) of batches.
        update_freq: `"batch"`, `"epoch"`, or every how many batches to write the logs within an epoch.
        profile_batch, embeddings_freq, embeddings_metadata: Not supported.

    Raises:
        ValueError: If a frequency is none.
        NotImplementedError: If a profile or embeddings are asked for.

    Example:

    >>> callback = cconv.callbacks.TensorBoard("logs/first", histogram_freq=1, update_freq=100)
    """

    def __init__(
        self,
        log_dir: str | os.PathLike = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        if profile_batch:
            raise NotImplementedError(f"`profile_batch` is not supported: expected 0. Received: {profile_batch!r}")
        if embeddings_freq or embeddings_metadata:
            raise NotImplementedError(
                "Embeddings are not supported: expected embeddings_freq=0 and no embeddings_metadata. Received: "
                f"embeddings_freq={embeddings_freq!r}, embeddings_metadata={embeddings_metadata!r}"
            )
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = whole(histogram_freq, "histogram_freq", 0)
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        if update_freq != "epoch":
            self.update_freq = positive_integer(self.update_freq, "update_freq")
        self._files: dict[str, EventFile] = {}
        self._step = 0  # batches of this training
        self._epoch_began = (0, 0.0)  # step and time
        self._batch_began = 0.0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._close()
        self._step = 0
        if self.write_graph and self.model.inputs is not None:
            self._file("train").graph(_named_nodes(self.model._trainer.planner.graph(False).nodes()))

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch_began = (self._step, time.perf_counter())

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        if self.write_steps_per_second:
            self._batch_began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._step += 1
        if self.update_freq == "epoch" or self._step % self.update_freq:
            return
        if self.write_steps_per_second:
            rate = 1 / max(time.perf_counter() - self._batch_began, 1e-9)
            self._file("train").scalar("batch_steps_per_second", rate, self._step)
        self._write("train", logs, "batch_", "", self._step)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = dict(logs or {})
        values = {name: value for name, value in logs.items() if not name.startswith("val_")}
        rate = getattr(self.model.optimizer, "learning_rate", None)  # several optimizers have one each
        values.update({} if rate is None else {"learning_rate": float(rate)})
        if self.write_steps_per_second:
            step, began = self._epoch_began
            values["steps_per_second"] = (self._step - step) / max(time.perf_counter() - began, 1e-9)
        self._write("train", values, "epoch_", "", epoch)
        tested = {name.removeprefix("val_"): value for name, value in logs.items() if name.startswith("val_")}
        if tested:
            self._write("validation", tested, "epoch_", "", epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)

    def on_test_end(self, logs: Logs | None = None) -> None:
        optimizer = self.model.optimizer
        if optimizer is not None:
            self._write("validation", logs, "evaluation_", "_vs_iterations", int(optimizer.iterations))

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._close()

    def on_exception(self, exception: BaseException) -> None:
        self._close()

    def _file(self, run: str) -> EventFile:
        if run not in self._files:
            self._files[run] = EventFile(os.path.join(self.log_dir, run))
        return self._files[run]

    def _write(self, run: str, values: Logs | None, prefix: str, suffix: str, step: int) -> None:
        file = self._file(run)
        for name, value in (values or {}).items():
            if np.ndim(value) == 0:
                file.scalar(f"{prefix}{name}{suffix}", value, step)
        file.flush()

    def _write_weights(self, epoch: int) -> None:
        file = self._file("train")
        for variable in self.model.weights:
            values = variable.numpy()
            file.histogram(f"{variable.path}/histogram", values, epoch)
            if self.write_images and values.size:
                file.image(f"{variable.path}/image", _picture(values), epoch)
        file.flush()

    def _close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files = {}

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_files": {}}


def _picture(values: np.ndarray) -> np.ndarray:
    """Weights as grey levels: a matrix as it is, a kernel (kh, kw, ic, oc) as ic rows of oc tiles a pixel apart."""
    finite = np.where(np.isfinite(values), values, 0)
    low, high = float(finite.min()), float(finite.max())
    grey = np.round((finite - low) / ((high - low) or 1) * 255).astype(np.uint8)
    if grey.ndim < 3:
        return np.atleast_2d(grey)
    kw, ic, oc = grey.shape[-3:]
    tiles = np.pad(grey.reshape(-1, kw, ic, oc), ((0, 1), (0, 1), (0, 0), (0, 0)))
    kh, kw = tiles.shape[:2]
    return tiles.transpose(2, 0, 3, 1).reshape(ic * kh, oc * kw)[:-1, :-1]


def _named_nodes(nodes: list[Any]) -> list[tuple[str, str, list[str], Any]]:
    """The nodes of a graph of the core, each with a name of its own: that of its layer, then what it does."""
    names: list[str] = []
    used: set[str] = set()
    for node in nodes:
        name = full = (f"{node.name}/{node.op}" if node.kind == "op" else node.name or node.kind).replace(" ", "_")
        count = 0
        while full in used:
            count += 1
            full = f"{name}_{count}"
        used.add(full)
        names.append(full)
    return [
        (name, node.op or node.kind, [names[x - 1] for x in node.inputs if x], node.shape)
        for name, node in zip(names, nodes)
    ]
