"""`GradientTape`: gradients of what Python code computes, for training steps of one's own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import ops
from .dtypes import of
from .recorded_gradients import GradientCall
from .recorded_tensor import RecordedTensor
from .recording import Record, begin, end
from .scope import is_tracing
from .tensor import Tensor
from .tree import flatten, pack
from .variable import Variable
from .warning import warn

__all__ = ["GradientTape"]


class GradientTape:
    """Records what is computed inside of it, and gives gradients: TensorFlow's `tf.GradientTape`.

    Inside, functions of `cconv.ops`, layers, models and losses return tensors with numbers (`numpy()`, `float()`,
    `print`), which are computed when somebody looks at them or a variable changes: all that was recorded becomes one
    plan of the core, which the next step of the same structure finds again. `optimizer.apply_gradients` on gradients
    that nobody has looked at runs forward, backward and the update in one call.

    Trainable variables are watched as soon as they are used. Arrays and other tensors are watched with `watch`; what is
    done to an array in place afterwards is not seen. Operators between arrays are NumPy's, of which a tape knows
    nothing: use functions of `cconv.ops`, or make a tensor of the array inside (`cconv.ops.convert_to_tensor`).

    Args:
        persistent: Whether `gradient` may be called several times.
        watch_accessed_variables: Whether trainable variables are watched without being told.

    Example:

    >>> w = cconv.Variable([2.0, 3.0])
    >>> with cconv.GradientTape() as tape:
    ...     loss = cconv.ops.sum(w * w)
    >>> tape.gradient(loss, w).tolist()
    [4.0, 6.0]

    A step of training:

    >>> model = cconv.Sequential([cconv.layers.Dense(1, kernel_initializer="zeros")])
    >>> optimizer = cconv.optimizers.SGD(learning_rate=0.5)
    >>> x, y = np.ones((4, 1), "float32"), np.full((4, 1), 2.0, "float32")
    >>> with cconv.GradientTape() as tape:
    ...     loss = cconv.losses.mean_squared_error(y, model(x, training=True))
    ...     loss = cconv.ops.mean(loss)
    >>> gradients = tape.gradient(loss, model.trainable_variables)
    >>> optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    >>> float(loss), model.get_weights()[0].tolist()
    (4.0, [[2.0]])
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent, self._auto = bool(persistent), bool(watch_accessed_variables)
        self._record: Record | None = None
        self._recording = False
        self._used = False
        self._forget()

    def _forget(self) -> None:
        self._parts: list[list[int | None]] = []  # of the record
        self._entries: set[int] = set()  # those watched
        self._variables: dict[int, Variable] = {}  # likewise

    # ---- recording

    def __enter__(self) -> GradientTape:
        if self._recording:
            raise ValueError("Tape is still recording, this can happen if you try to re-enter an already-active tape.")
        if is_tracing():
            raise NotImplementedError(
                "A GradientTape records what is computed with numbers. It cannot be used in the `call` of a layer, nor "
                "in what a graph is made of: that is traced once, without numbers."
            )
        record = begin(self, self._record)
        if self._record is not None and record is not self._record:
            end()
            raise RuntimeError("A tape cannot go on recording inside of a tape that was entered after it.")
        self._record, self._recording = record, True
        self._parts.append([len(record.entries), None])
        return self

    def __exit__(self, *error: Any) -> None:
        if self._recording:
            self._stop()

    def _stop(self) -> None:
        self._recording = False
        self._parts[-1][1] = len(self._record.entries)
        end()

    def reset(self) -> None:
        """Forgets what was recorded and watched, and begins anew.

        Example:

        >>> v = cconv.Variable(3.0)
        >>> with cconv.GradientTape() as tape:
        ...     loss = v * v
        ...     tape.reset()
        ...     loss = loss + v
        >>> float(tape.gradient(loss, v))
        1.0
        """
        self._used = False
        if self._record is None:
            return
        self._forget()
        self._parts.append([len(self._record.entries), None if self._recording else len(self._record.entries)])

    @contextlib.contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Inside, nothing is recorded: no gradient flows through what is computed there.

        Raises:
            ValueError: The tape does not record.

        Example:

        >>> v = cconv.Variable(3.0)
        >>> with cconv.GradientTape() as tape:
        ...     loss = v * v
        ...     with tape.stop_recording():
        ...         factor = v * 2
        ...     loss = loss * factor
        >>> float(tape.gradient(loss, v))
        36.0
        """
        if not self._recording:
            raise ValueError("Tape is not recording.")
        self._parts[-1][1] = len(self._record.entries)
        end()
        try:
            yield
        finally:
            begin(self, self._record)
            self._parts.append([len(self._record.entries), None])

    # ---- watching

    def watch(self, tensor: Any) -> None:
        """From now on gradients by this tensor, array or variable, or by each of several, are to be had.

        Args:
            tensor: Of floating point.

        Raises:
            RuntimeError: The tape does not record.
            ValueError: It is none of these.

        Example:

        >>> x = np.array([1.0, 2.0], "float32")
        >>> with cconv.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = cconv.ops.sum(cconv.ops.square(x))
        >>> tape.gradient(y, x).tolist()
        [2.0, 4.0]
        """
        if self._record is None:
            raise RuntimeError("`watch` is called inside of the tape: `with cconv.GradientTape() as tape:`.")
        for x in flatten(tensor):
            if isinstance(x, Variable):
                self._variables[id(x)] = x
                continue
            if not isinstance(x, (RecordedTensor, np.ndarray)):
                raise ValueError(f"Expected an array, a tensor or a variable to watch. Received: {x!r}")
            if of(x) != "float32":
                warn(f"The dtype of the watched tensor must be floating (e.g. float32), got {x.dtype}")
            index = self._record.find(x)
            if index is None:
                index = self._record.given(x, x.array if isinstance(x, RecordedTensor) else np.array(x, np.float32))
            self._entries.add(index)

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables watched so far, in the order in which they were first used."""
        found = {id(v): v for v in self._variables.values()}
        for first, last in self._parts if self._auto else ():
            last = len(self._record.entries) if last is None else last
            found.update((id(v), v) for v in self._record.read_variables(first, last) if v.trainable)
        return tuple(found.values())

    # ---- gradients

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: Any = "none"
    ) -> Any:
        """The gradient of the sum of all elements of `target` by each of `sources`.

        Args:
            target: A tensor that the tape recorded, or a nest of them, whose gradients are added.
            sources: Variables, watched arrays and tensors, or tensors computed in between: one, or a nest of them.
            output_gradients: What each target's elements count, in its shape; by default 1.
            unconnected_gradients: What there is for a source that the target does not depend on: `"none"` (`None`) or
                `"zero"`.

        Returns:
            Tensors of the sources' shapes, nested as these are.

        Raises:
            RuntimeError: The tape is not persistent, and was asked before.
            NotImplementedError: The target depends on gradients that depend on the sources.

        Example:

        >>> with cconv.GradientTape(persistent=True) as tape:
        ...     x = cconv.ops.convert_to_tensor([3.0])
        ...     tape.watch(x)
        ...     y = x * x
        ...     z = y * y
        >>> tape.gradient(z, [x, y])[1].tolist(), tape.gradient(y, {"x": x})["x"].tolist()
        ([18.0], [6.0])
        """
        if self._used:
            raise RuntimeError("A non-persistent GradientTape can only be used to compute one set of gradients.")
        zero = str(getattr(unconnected_gradients, "value", unconnected_gradients))
        if zero not in ("none", "zero"):
            raise ValueError(f"Expected unconnected_gradients as 'none' or 'zero'. Received: {unconnected_gradients!r}")
        if self._record is None:
            raise RuntimeError("The tape has recorded nothing: expected `with cconv.GradientTape() as tape:` before.")
        if self._recording and not self._persistent:
            self._stop()
        targets, wanted = flatten(target), flatten(sources)
        for x in [*targets, *wanted]:
            if isinstance(x, Tensor):
                raise TypeError(f"A tape gives gradients of numbers, not within a graph. Received: {x!r}")
        weights = [None] * len(targets) if output_gradients is None else flatten(output_gradients)
        if len(weights) != len(targets):
            raise ValueError(f"Expected {len(targets)} output_gradients, one for each target. Received {len(weights)}.")
        found = self._gradients(targets, weights, wanted)
        if not self._persistent:
            self._used = True
            self._record.detach(self)
        if zero == "zero":
            found = [RecordedTensor.of(np.zeros(np.shape(x), np.float32)) if g is None else g
                     for g, x in zip(found, wanted, strict=True)]  # fmt: skip
        return pack(sources, found)

    def _gradients(self, targets: Sequence[Any], weights: Sequence[Any], sources: Sequence[Any]) -> list[Any]:
        """A gradient or `None` for each source, also through functions with gradients of their own."""
        customs = [c for c in self._record.customs if self._has_recorded(c.first)]
        ends = [y for custom in customs for y in custom.outputs]
        found = self._direct(targets, weights, [*sources, *ends])
        found, back = found[: len(sources)], dict(zip(map(id, ends), found[len(sources) :], strict=True))
        for k in range(len(customs) - 1, -1, -1):
            custom = customs[k]
            upstream = [back[id(y)] for y in custom.outputs]
            if all(g is None for g in upstream):
                continue
            given = custom.backward(upstream)
            earlier = [y for other in customs[:k] for y in other.outputs]
            for x, g in zip(custom.inputs, given, strict=True):
                if g is None:
                    continue
                more = self._direct([x], [g], [*sources, *earlier])
                found = [_sum(a, b) for a, b in zip(found, more, strict=False)]
                for y, b in zip(earlier, more[len(sources) :], strict=True):
                    back[id(y)] = _sum(back[id(y)], b)
        return found

    def _direct(self, targets: Sequence[Any], weights: Sequence[Any], sources: Sequence[Any]) -> list[Any]:
        record = self._record
        ends: list[int] = []
        counts: list[int | None] = []
        for target, weight in zip(targets, weights, strict=True):
            index = None if isinstance(target, Variable) else record.find(target)
            if index is None or record.entries[index].dtype != "float32":
                continue
            ends.append(index)
            if weight is not None and tuple(np.shape(weight)) != tuple(target.shape):
                raise ValueError(
                    f"Expected output_gradients in the shape of the target, {tuple(target.shape)}. "
                    f"Received: shape {tuple(np.shape(weight))}"
                )
            counts.append(None if weight is None else record.reference(ops.cast(weight, "float32")))
        places = [self._place(x) for x in sources]
        known: dict[int, Any] = {(p if isinstance(p, int) else id(p)): p for p in places if p is not None}
        if not ends or not known:
            return [None] * len(sources)
        parts = [(a, len(record.entries) if b is None else b) for a, b in self._parts]
        call = GradientCall(record, parts, ends, counts, list(known.values()))
        reached = [key for key, is_reached in zip(known, call.is_reached, strict=True) if is_reached]
        made = dict(zip(reached, call.enter(record), strict=True))
        return [None if p is None else made.get(p if isinstance(p, int) else id(p)) for p in places]

    def _place(self, source: Any) -> Any:
        """The variable or the entry of a source, if it is watched."""
        if isinstance(source, Variable):
            return source if id(source) in self._variables or (self._auto and source.trainable) else None
        index = self._record.find(source)
        if index is None or self._record.entries[index].dtype != "float32":
            return None
        return index if self._record.entries[index].kind != "leaf" or index in self._entries else None

    def _has_recorded(self, index: int) -> bool:
        return any(a <= index and (b is None or index < b) for a, b in self._parts)


def _sum(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else ops.add(a, b)
