"""Gradients of what was recorded: which there are, and the programs that compute them.

One `GradientTape.gradient` is one `GradientCall`. Where everything before it is computed in the same program, so are
its gradients, and where they are handed to an optimizer before anybody looks at them, that program makes its step as
well: one call into the core, as in `fit`. Otherwise a program repeats what was recorded, with the same random numbers
and without changing variables, and goes on backward.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from . import _core
from .graph import in_order
from .program import ProgramCache, computed
from .recorded_programs import Builder, Entry, RecordedProgram, arrays_of, programs, read_later
from .recorded_tensor import RecordedTensor
from .recording import Record
from .tensor import Tensor
from .variable import Variable

_FLOWS = frozenset(name for name, op in _core.ops().items() if op.differentiable)
_reached: dict[Hashable, list[bool]] = {}  # which sources gradients reach, for equal records


class GradientCall:
    """The gradients of some tensors by others.

    Args:
        record: Where all of them stand.
        recorded: The parts of the record that count, as pairs of the first entry and the one behind the last.
        targets: The entries of the tensors.
        weights: For each, the entry that its gradient begins with; `None`: ones.
        sources: Entries or variables, each once.

    Attributes:
        cut: The entries before this one are differentiated.
        wrt: The sources that the targets depend on.
        count: How many these are.
        cache: Where the programs that also make an optimizer's step are kept.
    """

    def __init__(
        self,
        record: Record,
        recorded: Sequence[tuple[int, int]],
        targets: Sequence[int],
        weights: Sequence[int | None],
        sources: Sequence[int | Variable],
    ) -> None:
        self.cut = len(record.entries)
        self._targets, self._weights = tuple(targets), tuple(weights)
        self._parts = () if any(a == 0 and b >= self.cut for a, b in recorded) else tuple(recorded)
        self.wrt: list[int | Variable] = list(sources)
        key = (tuple(record.keys[: self.cut]), self.key(record))
        found = _reached.get(key)
        if found is None:
            if len(_reached) > 256:
                _reached.clear()
            found = _reached[key] = self._reach(record)
        self.is_reached = found
        self.wrt = [source for source, reached in zip(sources, found, strict=True) if reached]
        self.count = len(self.wrt)
        self.first = self.cut
        self.cache: ProgramCache | None = None
        self._optimizer: Any = None
        self._clipping = 0

    def enter(self, record: Record) -> list[RecordedTensor]:
        """Enters the gradients in the record: they are computed with it."""
        if not self.count:
            return []
        record.calls.append(self)
        made = []
        for source in self.wrt:
            shape = source.shape if isinstance(source, Variable) else record.entries[source].shape
            made.append(record.part(Entry("gradient", self, (), shape, "float32")))
        return made

    def stops(self, i: int) -> bool:
        """Whether no gradient flows through entry i, since the tape did not record it."""
        return bool(self._parts) and not any(a <= i < b for a, b in self._parts)

    def key(self, record: Record) -> Hashable:
        """What calls that compute the same share, in records that are equal."""
        wrt = tuple([-s.serial if isinstance(s, Variable) else s for s in self.wrt])
        return (self._targets, self._weights, wrt, self._parts)

    def fused_key(self) -> Hashable:
        """What of the optimizer's step its program is for."""
        return (self._clipping,)

    # ---- which gradients there are

    def _reach(self, record: Record) -> list[bool]:
        """For each source whether a target depends on it, by ops that gradients flow through.

        Raises:
            NotImplementedError: It does so by way of other gradients.
        """
        bits = {(-s.serial if isinstance(s, Variable) else s): 1 << k for k, s in enumerate(self.wrt)}
        flows, second = [0] * self.cut, [0] * self.cut

        def of(masks: list[int], i: int, ref: Any) -> int:
            if isinstance(ref, Variable):
                return bits.get(-ref.serial, 0) if masks is flows else 0
            return 0 if ref is None else masks[ref]

        for i, entry in enumerate(record.entries[: self.cut]):
            for masks in (flows, second):
                mask = 0
                if entry.kind == "op" and entry.what in _FLOWS and entry.dtype == "float32":
                    for ref in entry.refs:
                        mask |= of(masks, i, ref)
                elif entry.kind == "part":
                    unit = record.entries[entry.refs[0]]
                    parts = {id(t): bits.get(entry.refs[0] + 1 + k, 0) for k, t in enumerate(unit.what.outputs)}
                    own = parts if masks is flows else {}
                    mask = _through(unit.what, entry.what, lambda r, m=masks, i=i: of(m, i, r), unit.refs, own)
                masks[i] = 0 if self.stops(i) else mask
            if entry.kind == "gradient":
                call = entry.what
                refs = [*call._targets, *call.wrt]
                second[i] = 0
                for ref in refs:
                    second[i] |= of(flows, i, ref) | of(second, i, ref)
            flows[i] |= bits.get(i, 0) if entry.dtype == "float32" else 0
        reached = again = 0
        for target in self._targets:
            reached, again = reached | flows[target], again | second[target]
        if again:
            raise NotImplementedError(
                "Gradients of gradients are not supported: a target was computed from what `GradientTape.gradient` "
                "returned, which itself depends on the sources. Wrap it in `cconv.ops.stop_gradient` to take it as "
                "given."
            )
        return [bool(reached >> k & 1) for k in range(len(self.wrt))]

    # ---- programs

    def options(self, built: Builder, fused: bool) -> dict[str, Any]:
        """What a program needs to compute the gradients, besides its outputs."""
        tensors = built.tensors
        total = None
        for target, weight in zip(self._targets, self._weights, strict=True):
            y = tensors[target]
            if weight is not None:
                held = tensors[weight]
                y = Tensor(y.shape, "multiply", (y, Tensor(held.shape, "stop_gradient", (held,))))
            if len(self._targets) > 1 and y.shape:
                y = Tensor((), "sum", (y,))
            total = y if total is None else Tensor((), "add", (total, y))
        root = computed(total)
        wrt = [built.values_of(s) if isinstance(s, Variable) else [tensors[s]] for s in self.wrt]
        if any(len(values) > 1 for values in wrt):
            needed = {id(tensor) for tensor in in_order([root], [])}
            wrt = [[x for x in values if id(x) in needed] or values[:1] for values in wrt]
        options: dict[str, Any] = {"root": root, "sources_of_gradients": wrt, "fused": fused}
        return {**options, "optimizer": self._optimizer} if fused else options

    def run(self, record: Record) -> None:
        """Computes the gradients by a program of their own, which changes no variable."""
        key = ("repeated", tuple(record.keys[: self.cut]), self.key(record), _core.get_num_threads(),
               tuple((serial, tuple(n for n, _ in known)) for serial, known in record.frozen.items()))  # fmt: skip

        def make() -> RecordedProgram:
            built = Builder(record, 0, self.cut, self.stops)
            return RecordedProgram(built, [], no_update=True, **self.options(built, False))

        program = programs.get(key, make)
        arrays = arrays_of(record, 0, program.sources)
        self.take(record, program.compute(arrays, seed=record.seed if program.training else 0)[1])

    def take(self, record: Record, gradients: Sequence[Callable]) -> None:
        """Hands the gradients to the tensors that stand for them."""
        later = read_later(record, self.first + self.count)
        for i, fetch in enumerate(gradients):
            if self.first + i in later:
                record.entries[self.first + i].array = fetch()
            tensor = record.entries[self.first + i].held()
            if tensor is not None:
                fetch.holder = weakref.ref(tensor)
                tensor.set(fetch)


def _through(unit: Any, part: int, mask_of: Callable, refs: tuple, own: dict[int, int]) -> int:
    """The mask of an output of a unit, from those of what the unit reads, and of its outputs themselves."""
    masks = {id(symbol): mask_of(ref) for symbol, ref in zip(unit.symbols, refs, strict=True)}
    for t in unit.order:
        if t.op == "variable":
            masks[id(t)] = mask_of(t.value)
        elif id(t) not in masks:
            mask = 0
            if t.op in _FLOWS and t.dtype == "float32":
                for x in t.inputs:
                    mask |= 0 if x is None else masks[id(x)]
            masks[id(t)] = mask | own.get(id(t), 0)
    return masks[id(unit.outputs[part])]


def is_within_reach(gradients: Sequence[Any], variables: Sequence[Any]) -> bool:
    """Whether these are gradients that nobody has looked at yet, and that the run which computes them can use."""
    return _call_of(gradients, variables) is not None


def step_within(gradients: Sequence[RecordedTensor], optimizer: Any) -> None:
    """Computes gradients and makes the optimizer's step in the same run.

    Args:
        gradients: Those of `is_within_reach`.
        optimizer: The optimizer, which has the variables and the learning rate of this step.
    """
    record = gradients[0].record
    call = record.entries[gradients[0].index].what
    call.cache, call._optimizer, call._clipping = optimizer._programs, optimizer.core, optimizer.clipping
    record.settle(call)


def _call_of(gradients: Sequence[Any], variables: Sequence[Any]) -> GradientCall | None:
    """The call that these are the gradients of, all of them, by these variables, if it comes last in its record."""
    first = gradients[0] if gradients else None
    if not isinstance(first, RecordedTensor) or first.is_known or first.record is None:
        return None
    record = first.record
    call = record.entries[first.index].what
    if not isinstance(call, GradientCall) or call.count != len(gradients) or record.done or not record.calls:
        return None
    if record.calls[0].cut + sum(c.count for c in record.calls) != len(record.entries) or call not in record.calls:
        return None
    places = set()
    for g, v in zip(gradients, variables, strict=True):
        if not isinstance(g, RecordedTensor) or g.is_known or g.record is not record:
            return None
        place = g.index - call.first
        if not 0 <= place < call.count or call.wrt[place] is not v or v.serial in record.frozen:
            return None
        places.add(place)
    return call if len(places) == call.count else None
