"""Programs of what was recorded: entries, the symbolic tensors made of them, and their runs."""

from __future__ import annotations

import functools
import itertools
import weakref
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from . import _core
from .graph import in_order, is_random
from .program import Program, ProgramCache
from .recorded_tensor import RecordedTensor
from .tensor import Tensor
from .variable import Variable

_serials = itertools.count(1)


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

    def instantiate(self, inputs: Sequence[Tensor], read: Callable, before: Callable, assign: Callable) -> list[Tensor]:
        """Its tensors, in their order, for other inputs. `read` gives the tensor of a variable, `before` the one from
        before any assignment; `assign` is told of the variables that are assigned, with the tensors."""
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
                    reads = (before(t.inputs[0].value), *reads[1:])
                made[id(t)] = Tensor(t.shape, t.op, reads, t.attributes, t.name, dtype=t.dtype)
        for t in self.assigned:
            assign(t.inputs[0].value, made[id(t)])
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

    def __init__(self, record: Any, lo: int, hi: int, stops: Callable[[int], bool] | None = None) -> None:
        self.record, self.lo = record, lo
        self.tensors: dict[int, Tensor | None] = {}
        self.inputs: list[Tensor] = []
        self.sources: list[Any] = []
        self._current: dict[int, tuple[int, Tensor]] = {}  # what variables were assigned in calls, and by which entry
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
        self.assigned = [tensor for _, tensor in self._current.values()]

    def _make(self, i: int, entry: Entry) -> Tensor | None:
        if entry.kind == "gradient":  # computed before; an input if somebody reads it
            return None
        if entry.kind == "leaf":
            return self._input(entry, i - self.lo)
        if entry.kind == "part":
            unit = self.record.entries[entry.refs[0]].what
            return self._units[entry.refs[0]][unit.where(unit.outputs[entry.what])]
        reads = tuple([self._read(i, r) for r in entry.refs])
        if entry.kind == "unit":
            by_entry = [functools.partial(method, i=i) for method in (self.variable, self.source, self._assign)]
            made = self._units[i] = entry.what.instantiate(reads, *by_entry)
            self.randoms += [t for t in made if is_random(t.op)]
            if entry.what.has_effects:
                self.effects += [made[entry.what.where(t)] for t in entry.what.outputs]
            return None
        return Tensor(entry.shape, entry.what, reads, entry.attributes, entry.name, dtype=entry.dtype)

    def _input(self, entry: Entry, source: Any) -> Tensor:
        made = Tensor(entry.shape, dtype=entry.dtype)
        self.inputs.append(made)
        self.sources.append(source)
        return made

    def _read(self, i: int, ref: Any) -> Tensor | None:
        if ref is None:
            return None
        if isinstance(ref, Variable):
            return ref.typed(self.variable(ref, i))
        if self.tensors.get(ref) is None:  # computed before
            self.tensors[ref] = self._input(self.record.entries[ref], ref - self.lo)
        return self.tensors[ref]

    def variable(self, variable: Variable, i: int) -> Tensor:
        """The tensor of the value that a variable has for entry i."""
        at, assigned = self._current.get(id(variable), (0, None))
        if assigned is None or self.record.has_changed(variable, at, i):
            return self.source(variable, i)
        return assigned

    def _assign(self, variable: Variable, value: Tensor, i: int) -> None:
        self._current[id(variable)] = (i, value)

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

    def values_of(self, variable: Variable) -> list[Tensor]:
        """The tensors of all values that a variable had before any assignment in a call: more than one if it has
        changed meanwhile."""
        found = [tensor for (owner, _), tensor in self._frozen.items() if owner == id(variable)]
        node = self.nodes.get(id(variable))
        return [*found, *([] if node is None else [node])] or [self.source(variable)]


def arrays_of(record: Any, lo: int, sources: Iterable[Any]) -> list[np.ndarray]:
    """The numbers of a builder's inputs."""
    return [record.frozen_at(lo + s[0], s[1]()) if isinstance(s, tuple) else record.array_at(lo + s) for s in sources]


def read_later(record: Any, hi: int) -> set[int]:
    """The entries before `hi` that others behind it read."""
    return {r for e in record.entries[hi:] for r in e.refs if isinstance(r, int) and r < hi}


def draws(entries: Iterable[Entry]) -> int:
    """How many of the ops recorded draw random numbers: within units, others have drawn theirs."""
    return sum(entry.what.randoms for entry in entries if entry.kind == "unit")


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

    def __init__(self, record: Any, lo: int, hi: int) -> None:
        self._record, self._lo, self._hi = record, lo, hi
        entries = record.entries[lo:hi]
        self._later = read_later(record, hi)
        self.outputs = [
            lo + i
            for i, e in enumerate(entries)
            if e.kind in ("op", "part") and (e.held() is not None or lo + i in self._later)
        ]
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
        program = cache.get(key, lambda: self._make(call, fused))
        seed = record.seed if program.training else 0
        values, gradients = program.compute(arrays_of(record, lo, program.sources), seed=seed)
        for i, value in zip(self.outputs, values, strict=True):
            tensor = record.entries[i].held()
            if tensor is not None:
                tensor.set(value)
            if i in self._later:
                record.entries[i].array = value
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

    Args:
        sources_of_gradients: For each gradient the tensors whose gradients it is the sum of.

    Attributes:
        sources: Where the numbers of its inputs are; see `Builder`.
    """

    def __init__(self, built: Builder, outputs: Sequence[Tensor], *,
                 hidden: Sequence[Tensor] = (), sources_of_gradients: Sequence[list[Tensor]] = (),
                 fused: bool = False, **options: Any) -> None:  # fmt: skip
        wrt = [tensor for tensors in sources_of_gradients for tensor in tensors]
        super().__init__(outputs, built.inputs, assigned=hidden, first=built.randoms,
                         keep_gradients=fused, wrt=wrt, **options)  # fmt: skip
        self.sources = built.sources
        nodes = iter(self._wrt)
        self._gradients = [[next(nodes) for _ in tensors] for tensors in sources_of_gradients]
        self._kept: list[Any] = []
        if not fused:
            cache, me = programs, weakref.ref(self)
            gone = lambda _: cache.drop(lambda program: program is me())  # noqa: E731
            self.variables = [weakref.ref(variable, gone) for variable in self.variables]

    def compute(self, arrays: Sequence[np.ndarray], **batch: Any) -> tuple[list[np.ndarray], list[Callable]]:
        """One run: the outputs, and for each gradient a function that fetches it, until the next run."""
        with self._lock:
            for reference in self._kept:
                fetch = reference()
                if fetch is not None:
                    fetch.keep()
            values = self.run(arrays, **batch)
            gradients = [_Kept(self, nodes) for nodes in self._gradients]
            self._kept = [weakref.ref(fetch) for fetch in gradients]  # whoever wants one holds it
            return values, gradients


class _Kept:
    """A gradient that still lies in its plan, or was copied from there."""

    def __init__(self, program: RecordedProgram, nodes: Sequence[int]) -> None:
        self._program, self._nodes, self._array, self.holder = program, nodes, None, None

    def keep(self) -> None:
        """The plan is about to run again: copies the numbers, if somebody holds the tensor."""
        if self._array is None and self.holder is not None and self.holder() is not None:
            self()
        self._program = None

    def __call__(self) -> np.ndarray:
        if self._array is None:
            with self._program._lock:
                self._array, *others = [self._program._plan.gradient(node) for node in self._nodes]
            for other in others:
                self._array = self._array + other
        return self._array


programs = ProgramCache(64)
