"""What tapes record, and how it is computed: as few programs as possible, found again by structure.

While a tape records, a function of `cconv.ops` appends an entry to the record of its thread instead of running; a call
of a layer or model appends one entry for all of its ops (a `Unit`, traced before). The numbers are computed together
when somebody asks for one, or when a variable is read or changes: the entries not computed yet become one program, whose
outputs are the tensors that somebody still holds. Its key is the sequence of entries (ops, attributes, shapes, and how
many entries back each input stands), so that the next step finds it. Gradients are entries, too (`gradients.py`).
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from . import _core
from .dtypes import of, of_array, wanted
from .graph import as_input_array, freeze, in_order, is_random
from .program import Program, ProgramCache
from .random import next_seed
from .recorded_tensor import RecordedTensor
from .scope import change_tapes, current_record, is_recording, live_records, set_record, untraced
from .tensor import Tensor
from .variable import Variable

_MOST_PENDING = 10_000  # entries; more are computed without being asked for
_serials = itertools.count(1)
_shapes: dict[Hashable, tuple] = {}  # what ops return for inputs of such shapes


class Unit:
    """A call that was traced once: many ops that are recorded as one entry.

    Args:
        outputs: The traced tensors that are wanted.
        symbols: The inputs.
        assigned: The tensors of assignments to variables.

    Attributes:
        serial: A number of its own, the key of its entries.
        order: All its tensors, each behind those it reads.
        variables: Those that it reads.
        randoms: How many of its ops draw random numbers.
        has_effects: Whether a run of it changes variables.
    """

    def __init__(self, outputs: Sequence[Tensor], symbols: Sequence[Tensor], assigned: Sequence[Tensor]) -> None:
        self.serial = next(_serials)
        self.outputs, self.symbols, self.assigned = list(outputs), list(symbols), list(assigned)
        self.order = in_order([*outputs, *assigned], symbols)
        self.variables = [t.value for t in self.order if t.op == "variable"]
        self.randoms = sum(is_random(t.op) for t in self.order)
        self.has_effects = bool(assigned) or any(t.attributes.get("training") for t in self.order)

    def instantiate(self, inputs: Sequence[Tensor], read: Callable, current: dict[int, Tensor]) -> list[Tensor]:
        """Its tensors, in their order, for other inputs. `read` gives the tensor of a variable; `current` is told of
        what is assigned."""
        made = {id(symbol): x for symbol, x in zip(self.symbols, inputs, strict=True)}
        for t in self.order:
            if id(t) in made:
                continue
            if t.op == "variable":
                made[id(t)] = read(t.value)
            elif t.op == "constant":
                made[id(t)] = t
            else:
                reads = tuple([None if x is None else made[id(x)] for x in t.inputs])
                if t.op == "assign":
                    reads = (t.inputs[0], *reads[1:])
                made[id(t)] = Tensor(t.shape, t.op, reads, t.attributes, t.name, dtype=t.dtype)
        for t in self.assigned:
            current[id(t.inputs[0].value)] = made[id(t)]
        return [made[id(t)] for t in self.order]

    def where(self, tensor: Tensor) -> int:
        """The place of a tensor in `order`."""
        return next(i for i, t in enumerate(self.order) if t is tensor)


class Entry:
    """Something recorded.

    Attributes:
        kind: `"leaf"` (numbers given), `"op"`, `"unit"`, `"part"` (an output of a unit), `"gradient"`.
        what: The op, the unit, the number of the output, the gradients' call.
        refs: What it reads: numbers of entries, variables, `None`.
        array: The numbers, where they are given or were needed again.
        handle: Weakly, the tensor that the user holds.
    """

    __slots__ = ("kind", "what", "refs", "attributes", "name", "shape", "dtype", "array", "handle")

    def __init__(self, kind: str, what: Any, refs: tuple, shape: Any, dtype: Any) -> None:
        self.kind, self.what, self.refs, self.shape, self.dtype = kind, what, refs, shape, dtype
        self.attributes: dict[str, Any] = {}
        self.name = self.array = self.handle = None

    def held(self) -> RecordedTensor | None:
        """The user's tensor, if there still is one."""
        return None if self.handle is None else self.handle()


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
        if self._seed is None:
            self._seed = next_seed()
        return self._seed

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
                set_record(Record() if is_recording() else None)
            raise
        finally:
            self._running = False
        if not is_recording() and current_record() is self:
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


class Builder:
    """Symbolic tensors for the entries `lo` to `hi` of a record.

    Args:
        stops: Whether an entry's value is taken without its gradient.

    Attributes:
        tensors: One for each entry (`None` for units), by number.
        inputs: The inputs, and where each one's numbers are: the entry's number from `lo`, or that with a variable.
        assigned: What variables are set to.
        randoms: The ops that draw random numbers, in order.
    """

    def __init__(self, record: Record, lo: int, hi: int, stops: Callable[[int], bool] | None = None) -> None:
        self.record, self.lo = record, lo
        self.tensors: dict[int, Tensor | None] = {}
        self.inputs: list[Tensor] = []
        self.sources: list[Any] = []
        self._current: dict[int, Tensor] = {}
        self._frozen: dict[tuple, Tensor] = {}
        self.nodes: dict[int, Tensor] = {}  # of variables; held, since variables do not
        self.effects: list[Tensor] = []
        self._units: dict[int, list[Tensor]] = {}
        self.randoms = [_draw() for _ in range(draws(record.entries[:lo]))] if draws(record.entries[lo:hi]) else []
        for i in range(lo, hi):
            tensor = self._make(i, record.entries[i])
            if stops is not None and tensor is not None and tensor.op != "input" and stops(i):
                tensor = Tensor(tensor.shape, "stop_gradient", (tensor,), name=tensor.name, dtype=tensor.dtype)
            self.tensors[i] = tensor
        self.assigned = [t for t in self._current.values()]

    def _make(self, i: int, entry: Entry) -> Tensor | None:
        if entry.kind in ("leaf", "gradient"):
            return self._input(entry, i - self.lo)
        if entry.kind == "part":
            unit = self.record.entries[entry.refs[0]].what
            return self._units[entry.refs[0]][unit.where(unit.outputs[entry.what])]
        reads = tuple([self._read(i, r) for r in entry.refs])
        if entry.kind == "unit":
            made = self._units[i] = entry.what.instantiate(reads, lambda v: self.variable(v, i), self._current)
            self.randoms += [t for t in made if is_random(t.op)]
            if entry.what.has_effects:
                self.effects += [made[entry.what.where(t)] for t in entry.what.outputs]
            return None
        made = Tensor(entry.shape, entry.what, reads, entry.attributes, entry.name, dtype=entry.dtype)
        if is_random(entry.what):
            self.randoms.append(made)
        return made

    def _input(self, entry: Entry, source: Any) -> Tensor:
        made = Tensor(entry.shape, dtype=entry.dtype)
        self.inputs.append(made)
        self.sources.append(source)
        return made

    def _read(self, i: int, ref: Any) -> Tensor | None:
        if ref is None:
            return None
        if isinstance(ref, Variable):
            return self.variable(ref, i)
        if ref not in self.tensors:  # computed before
            self.tensors[ref] = self._input(self.record.entries[ref], ref - self.lo)
        return self.tensors[ref]

    def variable(self, variable: Variable, i: int) -> Tensor:
        """The tensor of the value that a variable has for entry i."""
        assigned = self._current.get(id(variable))
        if assigned is not None:
            return assigned
        return self.source(variable, i)

    def source(self, variable: Variable, i: int = 0) -> Tensor:
        """The tensor of the value that a variable had before any assignment."""
        frozen = self.record.frozen_at(i, variable)
        if frozen is None:
            return self.nodes.setdefault(id(variable), variable.node())
        key = (id(variable), id(frozen))
        if key not in self._frozen:
            self._frozen[key] = made = Tensor(variable.shape)
            self.inputs.append(made)
            self.sources.append((i - self.lo, weakref.ref(variable)))
        return self._frozen[key]


def arrays_of(record: Record, lo: int, sources: Iterable[Any]) -> list[np.ndarray]:
    """The numbers of a builder's inputs."""
    return [
        record.frozen_at(lo + s[0], s[1]()) if isinstance(s, tuple) else record.array_at(lo + s) for s in sources
    ]


def draws(entries: Iterable[Entry]) -> int:
    """How many of the ops recorded draw random numbers."""
    return sum(
        entry.what.randoms if entry.kind == "unit" else entry.kind == "op" and is_random(entry.what)
        for entry in entries
    )


def _draw() -> Tensor:
    """An op that draws, and that nobody reads: what is behind it draws other numbers."""
    one = Tensor((1,), "constant", value=np.ones(1, np.float32))
    return Tensor((1,), "dropout", (one,), {"rate": 0.5})


class Stage:
    """The entries of a record that are computed together: those from `lo` to `hi`.

    Attributes:
        outputs: The entries among them whose tensors somebody holds.
        has_effects: Whether computing them changes variables.
    """

    def __init__(self, record: Record, lo: int, hi: int) -> None:
        self._record, self._lo, self._hi = record, lo, hi
        entries = record.entries[lo:hi]
        self.outputs = [lo + i for i, e in enumerate(entries) if e.kind in ("op", "part") and e.held() is not None]
        self.has_effects = any(e.kind == "unit" and e.what.has_effects for e in entries)
        outside = {r for e in entries for r in e.refs if isinstance(r, int) and r < lo}
        self._outside = tuple((lo - r, record.entries[r].shape, record.entries[r].dtype) for r in sorted(outside))

    def key(self) -> Hashable:
        """What programs of equal stages share."""
        record, lo, hi = self._record, self._lo, self._hi
        frozen = tuple((serial, tuple(n for n, _ in known)) for serial, known in record.frozen.items())
        skipped = draws(record.entries[:lo]) if lo else 0
        return (tuple(record.keys[lo:hi]), tuple([i - lo for i in self.outputs]), self._outside, frozen, skipped,
                _core.get_num_threads())  # fmt: skip

    def run(self, call: Any, fused: bool) -> None:
        """Computes the outputs, and the gradients of a call."""
        record, lo = self._record, self._lo
        key, cache = (self.key(), None if call is None else call.key(record)), programs
        if fused:
            key, cache = (*key, *call.fused_key()), call.cache
        # what the tensors held are is part of the key
        program = cache.get(key, lambda: self._make(call, fused))
        batch = {} if call is None else call.batch(record)
        values, gradients = program.compute(arrays_of(record, lo, program.sources) + batch.pop("arrays", []),
                                            seed=record.seed if program.training else 0, **batch)  # fmt: skip
        for i, value in zip(self.outputs, values, strict=True):
            tensor = record.entries[i].held()
            if tensor is not None:
                tensor.set(value)
        if call is not None:
            call.take(record, gradients)

    def _make(self, call: Any, fused: bool) -> Program:
        stops = None if call is None else call.stops
        built = Builder(self._record, self._lo, self._hi, stops)
        outputs = [built.tensors[i] for i in self.outputs]
        options = {} if call is None else call.options(built, fused)
        return RecordedProgram(built, outputs, hidden=[*built.effects, *built.assigned], **options)


class RecordedProgram(Program):
    """A program of recorded entries. It goes with the first of its variables that goes.

    Attributes:
        sources: Where the numbers of its inputs are; see `Builder`.
    """

    def __init__(self, built: Builder, outputs: Sequence[Tensor], *, extra: Sequence[Tensor] = (),
                 hidden: Sequence[Tensor] = (), fused: bool = False, **options: Any) -> None:  # fmt: skip
        super().__init__(outputs, [*built.inputs, *extra], assigned=hidden, first=built.randoms,
                         keep_gradients=fused, **options)  # fmt: skip
        self.sources = built.sources
        self._kept: list[Any] = []
        if not fused:
            cache, me = programs, weakref.ref(self)
            gone = lambda _: cache.drop(lambda program: program is me())  # noqa: E731
            self.variables = [weakref.ref(variable, gone) for variable in self.variables]

    def compute(self, arrays: Sequence[np.ndarray], **batch: Any) -> tuple[list[np.ndarray], list[Callable]]:
        """One run: the outputs, and for each gradient a function that fetches it, until the next run."""
        with self._lock:
            for fetch in self._kept:
                fetch.keep()
            values = self.run(arrays, **batch)
            self._kept = [_Kept(self, node) for node in self._wrt]
            return values, list(self._kept)


class _Kept:
    """A gradient that still lies in its plan, or was copied from there."""

    def __init__(self, program: RecordedProgram, node: int) -> None:
        self._program, self._node, self._array, self.holder = program, node, None, None

    def keep(self) -> None:
        """The plan is about to run again: copies the numbers, if somebody holds the tensor."""
        if self._array is None and self.holder is not None and self.holder() is not None:
            self()
        self._program = None

    def __call__(self) -> np.ndarray:
        if self._array is None:
            with self._program._lock:
                self._array = self._program._plan.gradient(self._node)
        return self._array


programs = ProgramCache(64)


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
