"""Programs: traced outputs made into something that runs, and how many of them are kept.

Everything that is computed goes this way: symbolic tensors, a graph of the C core, a plan for it, runs of the plan.
What owns programs (the functions of `cconv.ops`, a layer, a model, an optimizer) keeps them in a `ProgramCache`; the
memory of all that are kept has one limit, `cconv.config.program_memory()`.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from . import _core, config
from .graph import acts_as_in_training, build_graph, in_order
from .scope import changing, settle
from .tensor import Tensor

clock = itertools.count()  # tells which program ran last
_lock = threading.RLock()  # of all caches; re-entrant, since what is dropped may run finalizers
_caches: weakref.WeakSet[ProgramCache] = weakref.WeakSet()  # those that keep something


class Program:
    """A plan with its lock: it serves one thread at a time.

    Args:
        outputs: The tensors a run returns.
        inputs: Symbolic inputs, in the order in which a run is given their arrays.
        max_batch: The largest number of samples of a run.
        root: The scalar (or the tensor whose gradient a run is given) that gradients are taken of.
        wrt: Inputs or variables' nodes whose gradients are wanted.
        optimizer: The core's optimizer that updates `wrt`.
        assigned: Tensors of assignments to variables, which every run carries out.
        first: Tensors that are numbered before all others: what ops draw at random depends on their order.
        keep_gradients: Whether the gradients stay to be looked at where an optimizer uses them.
        no_update: Whether ops change no variable: a run that repeats another one for its gradients.

    Attributes:
        training: Whether an op acts as in training, as its attributes say; a run then takes a seed.
        per_sample: Whether sample i of the outputs depends on sample i of the inputs only.
        max_batch: The largest number of samples of a run.
        bytes: Memory it holds, without the variables.
        variables: The variables it reads, which it keeps alive.
        used: When it ran last, on a clock that all programs share.

    Raises:
        ValueError: An output needs an input that is not among `inputs`.
        MemoryError: There is not enough memory.
    """

    def __init__(
        self,
        outputs: Sequence[Tensor],
        inputs: Sequence[Tensor],
        *,
        max_batch: int = 1,
        root: Tensor | None = None,
        wrt: Sequence[Tensor] = (),
        optimizer: _core.Optimizer | None = None,
        assigned: Sequence[Tensor] = (),
        first: Sequence[Tensor] = (),
        keep_gradients: bool = False,
        no_update: bool = False,
    ) -> None:
        outputs = [*(computed(tensor) for tensor in outputs), *assigned]
        wanted = [*first, *outputs] if root is None else [*first, *outputs, root]
        graph, ids = build_graph(wanted, inputs)
        tensors = in_order(wanted, inputs)
        nodes = [ids[id(tensor)] for tensor in outputs]
        self.training = acts_as_in_training(tensors)
        self.per_sample = graph.per_sample(nodes)
        self.variables = [tensor.value for tensor in tensors if tensor.op == "variable"]
        self.max_batch = max_batch
        self._wrt = [ids[id(tensor)] for tensor in wrt]
        self._plan = _core.Plan(
            graph,
            nodes,
            max_batch=max_batch,
            training=self.training or bool(assigned),  # else a run changes no variable
            root=0 if root is None else ids[id(root)],
            wrt=self._wrt,
            optimizer=optimizer,
            hidden=len(assigned),
            keep_gradients=keep_gradients,
            no_update=no_update,
        )
        self._changes = (self.training and not no_update) or bool(assigned) or optimizer is not None
        self.bytes: int = self._plan.bytes
        self.used = next(clock)
        self._lock = threading.RLock()

    def run(self, arrays: Sequence[np.ndarray], **batch: Any) -> list[np.ndarray]:
        """One run.

        Args:
            arrays: One for each input.
            **batch: `n` samples or `rows` of the arrays, `outputs` to write to, `root_gradient`, `seed`, `step`.

        Returns:
            One array for each output.
        """
        self.used = next(clock)
        changing() if self._changes else settle()
        with self._lock:
            return self._plan.run(arrays, **batch)

    def gradients(self, arrays: Sequence[np.ndarray], root_gradient: np.ndarray) -> list[np.ndarray]:
        """One run forward and backward: the gradients of `sum(root_gradient * root)` by each of `wrt`."""
        with self._lock:
            self.run(arrays, root_gradient=root_gradient)
            return [self._plan.gradient(node) for node in self._wrt]

    def describe(self, profile: bool | None = None) -> str:
        """A table of what runs. `profile`: whether runs are timed from now on; `None` changes nothing."""
        with self._lock:
            text = self._plan.describe()
            if profile is not None:
                self._plan.profile(profile)
            return text


def computed(tensor: Tensor) -> Tensor:
    """A tensor that a plan can return, which returns the values of ops only: `tensor`, or an op that repeats it."""
    if tensor.op not in ("input", "variable", "constant"):
        return tensor
    return Tensor(tensor.shape, op="identity", inputs=(tensor,), name=tensor.name, dtype=tensor.dtype)


class ProgramCache:
    """The programs of one owner, those used last: at most `size`, and with those of all others within the limit.

    Where the limit of the process is passed, the programs that have not run for longest go first, whoever owns them;
    the newest stays anyway. An owner that is gone takes its programs along.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._programs: dict[Hashable, Program] = {}

    def find(self, key: Hashable) -> Program | None:
        """The program of `key`, or `None`."""
        return self._programs.get(key)

    def get(self, key: Hashable, make: Callable[[], Program]) -> Program:
        """The program of `key`; `make()` makes it if it is not there."""
        found = self._programs.get(key)
        if found is None:
            found = self._keep(key, make())
        found.used = next(clock)
        return found

    def _keep(self, key: Hashable, made: Program) -> Program:
        with _lock:
            found = self._programs.setdefault(key, made)  # another thread may have been faster
            found.used = next(clock)
            _caches.add(self)
            dropped = self._shrink(found)
        del dropped  # not before the lock is free
        return found

    def _shrink(self, newest: Program) -> list[Program]:
        """Takes out what is too much for this owner, then what is too much for the process."""
        dropped = []
        while len(self._programs) > self.size:
            oldest = min(self._programs, key=lambda key: self._programs[key].used)
            dropped.append(self._programs.pop(oldest))
        excess = kept_bytes() - config.program_memory()
        if excess > 0:
            kept = [(cache, key, program) for cache in _caches for key, program in cache._programs.items()]
            for cache, key, program in sorted(kept, key=lambda item: item[2].used):
                if excess > 0 and program is not newest:
                    dropped.append(cache._programs.pop(key))
                    excess -= program.bytes
        return dropped

    def items(self) -> list[tuple[Hashable, Program]]:
        """The keys and programs, those used longest ago first."""
        with _lock:
            return sorted(self._programs.items(), key=lambda item: item[1].used)

    def is_running_here(self) -> bool:
        """Whether this very thread is running one of them: it is in a signal handler, or in code that the run calls."""
        return True in [program._lock._is_owned() for program in list(self._programs.values())]

    def put(self, key: Hashable, made: Program) -> None:
        """Keeps a program, in the place of the one of that key."""
        with _lock:
            before = self._programs.pop(key, None)
        self._keep(key, made)
        del before

    def drop(self, is_stale: Callable[[Program], bool]) -> None:
        """Drops some programs of this owner."""
        with _lock:
            stale = [key for key, program in self._programs.items() if is_stale(program)]
            dropped = [self._programs.pop(key) for key in stale]
        del dropped

    def clear(self) -> None:
        """Drops all programs of this owner."""
        with _lock:
            dropped, self._programs = self._programs, {}
        del dropped

    def __len__(self) -> int:
        return len(self._programs)

    def __deepcopy__(self, memo: dict[int, Any]) -> ProgramCache:
        return ProgramCache(self.size)

    def __reduce__(self) -> tuple:
        return ProgramCache, (self.size,)


def kept_bytes() -> int:
    """Memory of all programs that are kept, in bytes."""
    with _lock:
        return sum(program.bytes for cache in _caches for program in cache._programs.values())
