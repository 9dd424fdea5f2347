"""What tapes record, and how it is computed: as few programs as possible, found again by structure.

While a tape records, a function of `cconv.ops` appends an entry to the record of its thread instead of running; a call
of a layer or model appends one entry for all of its ops (a `Unit`, traced before). The numbers are computed together
when somebody asks for one, or when a variable is read or changes: the entries not computed yet become one program
(`recorded_programs.py`), whose outputs are the tensors that somebody still holds. Its key is the sequence of entries
(ops, attributes, shapes, and how many entries back each input stands), so that the next step finds it. Gradients are
entries, too (`recorded_gradients.py`).
"""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from . import _core
from .dtypes import of, of_array, wanted
from .graph import as_input_array, freeze
from .recorded_programs import Entry, Stage, Unit, draws
from .recorded_tensor import RecordedTensor
from .scope import change_tapes, current_record, has_open_tape, is_recording, live_records, set_record, untraced
from .seeds import next_seed
from .variable import Variable

_MOST_PENDING = 10_000  # entries; more are computed without being asked for
_shapes: dict[Hashable, tuple] = {}  # what ops return for inputs of such shapes


class Record:
    """What a thread has recorded since its outermost tape was entered.

    Attributes:
        entries: In the order in which they came.
        keys: What programs are keyed by, one for each entry.
        done: The entries before this one are computed.
        calls: The gradients asked for and not computed yet.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.keys: list[Hashable] = []
        self.done = 0
        self.calls: list[Any] = []
        self.frozen: dict[int, list[tuple[int, np.ndarray]]] = {}  # values of variables for the entries before a number
        self._seed: int | None = None
        self._given: dict[int, tuple[Any, int]] = {}  # entries of arrays and tensors that came from outside, by `id`
        self.customs: list[Any] = []  # calls of functions with a gradient of their own
        self._tapes: list[weakref.ref] = []  # those that may still be asked for gradients
        self._running = False
        self._error: BaseException | None = None

    # ---- recording

    def _append(self, entry: Entry, key: Hashable) -> int:
        if self._seed is None and draws((entry,)):
            self._seed = next_seed()  # now: the order of the code is that of the seeds
        self.entries.append(entry)
        self.keys.append(key)
        return len(self.entries) - 1

    def leaf(self, array: np.ndarray) -> int:
        """Enters numbers that nobody changes."""
        entry = Entry("leaf", None, (), array.shape, of_array(array.dtype))
        entry.array = array
        return self._append(entry, ("leaf", entry.shape, entry.dtype))

    def reference(self, x: Any) -> Any:
        """How an entry names something that it reads."""
        if x is None or isinstance(x, Variable):
            return x
        if isinstance(x, RecordedTensor):
            if x.record is self:
                if x.index < self.done and self.entries[x.index].array is None:
                    self.entries[x.index].array = x.array
                return x.index
            return self.given(x, x.array)
        known = self._given.get(id(x))
        if known is not None:
            return known[1]
        array = as_input_array(x)
        if isinstance(x, np.ndarray) and array.size and np.may_share_memory(array, x):
            array = array.copy()  # what is done to it later is not meant
        return self.leaf(array)

    def constant(self, x: Any) -> RecordedTensor:
        """A tensor with the numbers of an array."""
        index = self.reference(x)
        made = RecordedTensor(self.entries[index].shape, self.entries[index].dtype, self, index)
        made.set(self.entries[index].array)
        return made

    def given(self, x: Any, array: np.ndarray) -> int:
        """The entry of a tensor or an array that is the same one wherever it comes."""
        known = self._given.get(id(x))
        if known is None:
            known = self._given[id(x)] = (x, self.leaf(array))
        return known[1]

    def find(self, x: Any) -> int | None:
        """The entry of a tensor or an array, if there is one."""
        if isinstance(x, RecordedTensor) and x.record is self:
            return x.index
        known = self._given.get(id(x))
        return None if known is None else known[1]

    def op(self, op: str, inputs: Sequence[Any], attributes: dict[str, Any], name: str | None) -> RecordedTensor:
        """Records an op."""
        have = tuple([None if x is None else of(x) for x in inputs])
        types = wanted(op, have)
        refs = [self.reference(x) for x in inputs]
        for i, (given, to) in enumerate(zip(have, types, strict=True)):
            if given != to:
                refs[i] = self._op("cast", (refs[i],), ((inputs[i].shape if hasattr(inputs[i], "shape") else np.shape(
                    inputs[i])),), (given,), {"to": to}, name)  # fmt: skip
        shapes = tuple([None if x is None else tuple(x.shape) if hasattr(x, "shape") else np.shape(x) for x in inputs])
        index = self._op(op, tuple(refs), shapes, types, attributes, name)
        return self.tensor(index)

    def _op(self, op: str, refs: tuple, shapes: tuple, types: tuple, attributes: dict, name: str | None) -> int:
        frozen = freeze(attributes)
        known = (op, shapes, types, frozen)
        found = _shapes.get(known)
        if found is None:
            if len(_shapes) > 4096:
                _shapes.clear()
            found = _shapes[known] = _core.infer_value(op, shapes, types, attributes, name)
        entry = Entry("op", op, refs, *found)
        entry.attributes, entry.name = attributes, name
        return self._append(entry, (op, self._relative(refs), frozen))

    def unit(self, unit: Unit, inputs: Sequence[Any]) -> list[RecordedTensor]:
        """Records a call that was traced before."""
        refs = tuple([self.reference(x) for x in inputs])
        at = self._append(Entry("unit", unit, refs, None, None), (unit.serial, self._relative(refs)))
        return [self.part(Entry("part", i, (at,), t.shape, t.dtype)) for i, t in enumerate(unit.outputs)]

    def part(self, entry: Entry) -> RecordedTensor:
        """Enters one of several results of another entry."""
        return self.tensor(self._append(entry, (entry.kind, entry.what if entry.kind == "part" else entry.shape)))

    def tensor(self, index: int) -> RecordedTensor:
        """The tensor of an entry, for the user."""
        entry = self.entries[index]
        made = RecordedTensor(entry.shape, entry.dtype, self, index)
        entry.handle = weakref.ref(made)
        if index - self.done > _MOST_PENDING:
            self.settle()
        return made

    def _relative(self, refs: tuple) -> tuple:
        at = len(self.entries)
        return tuple([0 if r is None else -r.serial if isinstance(r, Variable) else at - r for r in refs])

    # ---- tapes

    def attach(self, tape: Any) -> None:
        """A tape records here, and may be asked for gradients."""
        self._tapes.append(weakref.ref(tape))

    def detach(self, tape: Any) -> None:
        """The tape is not asked again."""
        self._tapes = [r for r in self._tapes if r() is not None and r() is not tape]

    @property
    def is_live(self) -> bool:
        """Whether a tape may ask for gradients."""
        return any(r() is not None for r in self._tapes)

    def keep_values(self) -> None:
        """Variables are about to change: notes their values, if a tape may need them."""
        if not self._running:
            self._keep(self._values(len(self.entries)))

    def _values(self, n: int) -> dict[int, tuple[int, np.ndarray]]:
        """The values that the first n entries read from variables, as far as they must be kept."""
        found: dict[int, tuple[int, np.ndarray]] = {}
        if self.is_live:
            for variable in {id(v): v for v in self.read_variables(0, n)}.values():
                known = self.frozen.get(variable.serial)
                if not known or known[-1][0] < n:
                    found[variable.serial] = (n, np.array(variable.core.array))
        return found

    def _keep(self, values: dict[int, tuple[int, np.ndarray]]) -> None:
        for serial, known in values.items():
            self.frozen.setdefault(serial, []).append(known)

    def read_variables(self, lo: int, hi: int) -> Iterable[Variable]:
        """The variables that these entries read."""
        for entry in self.entries[lo:hi]:
            yield from (r for r in entry.refs if isinstance(r, Variable))
            if entry.kind == "unit":
                yield from entry.what.variables

    # ---- computing

    @property
    def seed(self) -> int:
        """What the random numbers of this record are made of."""
        return self._seed or 0

    def settle(self, fused: Any = None) -> None:
        """Computes whatever is not computed yet.

        Args:
            fused: The gradients' call whose program also makes the optimizer's step.

        Raises:
            RuntimeError: It failed before.
        """
        if self._error is not None:
            raise RuntimeError(f"This was not computed, since an error came before: {self._error}") from self._error
        if self._running or (self.done == len(self.entries) and not self.calls):
            return
        self._running = True
        try:
            with untraced():
                self._settle(fused)
        except BaseException as error:
            self._error, self.calls = error, []
            if current_record() is self:
                set_record(Record() if has_open_tape() else None)
            raise
        finally:
            self._running = False
        if not has_open_tape() and current_record() is self:
            set_record(None)

    def _settle(self, fused: Any) -> None:
        calls, self.calls = self.calls, []
        while self.done < len(self.entries) or calls:
            start, end = self.done, calls[0].cut if calls else len(self.entries)
            group = []
            reached = end
            while calls and calls[0].cut == reached:
                group.append(calls.pop(0))
                reached += group[-1].count
            joined = None
            if start == 0 and group:
                joined = fused if fused in group else group[-1]
            for call in group:
                if call is not joined:
                    call.run(self)
            stage = Stage(self, start, end)
            if joined is not None or stage.outputs or stage.has_effects:
                fuses = joined is not None and joined is fused
                before = self._values(end) if stage.has_effects or fuses else {}
                stage.run(joined, fuses)
                self._keep(before)
            self.done = reached

    def array_at(self, index: int) -> np.ndarray:
        """The numbers of an entry that is a leaf or was computed."""
        entry = self.entries[index]
        if entry.array is None:
            entry.array = entry.held().array
        return entry.array

    def frozen_at(self, index: int, variable: Variable) -> np.ndarray | None:
        """The value that a variable had for an entry, if it has changed since."""
        return next((array for until, array in self.frozen.get(variable.serial, ()) if index < until), None)

    def has_changed(self, variable: Variable, lo: int, hi: int) -> bool:
        """Whether a variable was changed behind entry `lo` and before entry `hi` by something that is no entry."""
        return any(lo < until <= hi for until, _ in self.frozen.get(variable.serial, ()))


def record_of(*inputs: Any) -> Record | None:
    """The record that an op on these is entered in; `None` where it runs at once."""
    record = current_record()
    if is_recording():
        return record
    if any(isinstance(x, RecordedTensor) for x in inputs):
        if record is None:
            set_record(record := Record())
        return record
    return None


def begin(tape: Any, again: Record | None = None) -> Record:
    """A tape begins to record in this thread, or goes on in a record."""
    record = current_record()
    if not is_recording() and (again is None or record is not again):
        if record is not None:
            record.settle()
        set_record(record := again or Record())
        records = live_records()
        records[:] = [r for r in records if r() is not None and r().is_live] + [weakref.ref(record)]
    record.attach(tape)
    change_tapes(1)
    return record


def end() -> None:
    """A tape records no longer."""
    change_tapes(-1)
