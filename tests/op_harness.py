"""Holds one op of the C core against its float64 reference, on one case: `check(op, case)`.

A graph of that op alone is planned and run; what each step asks is said at the step. Nothing here knows any op.
"""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import reference
from cases import Case, fill
from reference import Run

from cconv import _core

EPS = 2.0**-23
SEED, STEP = 1234, 5  # of every run: ops that draw random numbers are told them, and so are their references
Arrays = Sequence[np.ndarray | None]


@dataclass
class Result:
    y: np.ndarray
    gradients: dict[int, np.ndarray]  # input number -> gradient

    def equals(self, other: Result) -> bool:
        """Whether both are the same bit for bit (any NaN equals any NaN)."""
        return np.array_equal(self.y, other.y, equal_nan=True) and all(
            np.array_equal(self.gradients[i], other.gradients[i], equal_nan=True) for i in self.gradients
        )


@contextmanager
def threads_allowed(threads: int) -> Iterator[None]:
    """Plans take no more threads than this machine has unless told so: inside, they may take `threads`."""
    _core.set_num_threads(threads)
    try:
        yield
    finally:
        _core.set_num_threads(0)


class OneOp:
    """A graph with one op, planned.

    Args:
        op: its name.
        arrays: one for each input, `None` for an absent one; the shapes count.
        attributes: of the op.
        wrt: numbers of the inputs whose gradients are wanted.
        batched: numbers of the inputs whose first size is the batch.
        max_batch: rows the plan can take, with `batched`.
        variables: numbers of the inputs that are variables instead of graph inputs.
        whole: inputs of an op that takes several types are int32 instead of float32.
    """

    def __init__(
        self,
        op: str,
        arrays: Arrays,
        attributes: Mapping[str, Any],
        *,
        wrt: Sequence[int] = (),
        training: bool = False,
        threads: int = 1,
        batched: Sequence[int] = (),
        max_batch: int = 1,
        variables: Sequence[int] = (),
        whole: bool = False,
    ) -> None:
        graph = _core.Graph()
        self.dtypes = input_dtypes(op, len(arrays), whole)
        self.variables: dict[int, _core.Variable] = {}
        self.fed: list[int] = []
        self.wrt = tuple(wrt)
        self.nodes: list[int] = []
        for i, array in enumerate(arrays):
            if array is None:
                self.nodes.append(0)
            elif i in variables:
                self.variables[i] = _core.Variable(array.shape)
                self.nodes.append(graph.variable(self.variables[i], name=f"input{i}"))
            else:
                shape = (None, *array.shape[1:]) if i in batched else array.shape
                self.nodes.append(graph.input(shape, name=f"input{i}", dtype=self.dtypes[i]))
                self.fed.append(i)
        self.node = graph.add(op, self.nodes, attributes, name=f"{op}_under_test")
        self.dtype = graph.dtype(self.node)
        self.plan = _core.Plan(
            graph,
            [self.node],
            max_batch=max_batch,
            training=training,
            root=self.node if wrt else 0,
            wrt=[self.nodes[i] for i in wrt],
            threads=threads,
        )

    def run(self, arrays: Arrays, dy: np.ndarray | None = None, n: int | None = None) -> Result:
        for i, variable in self.variables.items():
            variable.assign(arrays[i])
        y = self.plan.run(
            [of_type(arrays[i], self.dtypes[i]) for i in self.fed],
            n=n,
            root_gradient=dy if self.wrt else None,
            seed=SEED,
            step=STEP,
        )[0]
        assert y.dtype == self.dtype
        y = y if y.dtype == np.float32 else y.astype(np.float64)
        return Result(y, {i: self.plan.gradient(self.nodes[i]) for i in self.wrt})


def input_dtypes(op: str, count: int, whole: bool = False) -> list[str]:
    """The type of each input, by the op's table; of those that may have several, float32 or int32."""
    letters = _core.ops()[op].types.split(" -> ")[0].split()
    known = {"i": "int32", "b": "bool", "f": "float32"}
    return [known.get(letters[min(i, len(letters) - 1)], "int32" if whole else "float32") for i in range(count)]


def of_type(array: np.ndarray, dtype: str) -> np.ndarray:
    """The array as the type; where it holds NaN, the lowest integer."""
    if dtype == "int32":
        array = np.nan_to_num(array, nan=-(2.0**31))
    return np.asarray(array, dtype, order="C")


def infer(
    op: str, shapes: Sequence[Any], attributes: Mapping[str, Any] = {}, name: str | None = None
) -> tuple[int | None, ...]:
    """The output's shape for inputs of the types that the op takes."""
    return _core.infer_value(op, shapes, input_dtypes(op, len(shapes)), attributes, name)[0]


class Reference:
    """The float64 functions of an op on a case's inputs."""

    def __init__(self, op: str, case: Case) -> None:
        forward, backward = reference.find(op), reference.find(op + "_backward")
        if forward is None:
            raise AssertionError(f"{op} has no reference: tests/reference/<family>.py must have a function {op}()")
        self.case = case
        self.attributes = dict(case.attributes)
        if "run" in inspect.signature(forward).parameters:
            self.attributes["run"] = Run(SEED, STEP, 1, case.training)
        self._forward, self._backward = forward, backward

    def forward(self, arrays: Arrays) -> np.ndarray:
        return np.asarray(self._forward(*double(arrays), **self.attributes), np.float64)

    def backward(self, dy: np.ndarray, arrays: Arrays) -> dict[int, np.ndarray]:
        """The gradients of the inputs the case asks for."""
        if self._backward is None:
            return {}
        gradients = self._backward(dy.astype(np.float64), *double(arrays), **self.attributes)
        if len(gradients) != len(arrays):
            raise AssertionError(f"the reference backward gives {len(gradients)} gradients for {len(arrays)} inputs")
        wanted = range(len(arrays)) if self.case.grad is None else self.case.grad
        return {i: np.asarray(gradients[i], np.float64) for i in wanted if gradients[i] is not None}


def double(arrays: Arrays) -> list[np.ndarray | None]:
    return [None if array is None else np.asarray(array, np.float64) for array in arrays]


def rms(array: np.ndarray) -> float:
    """The root mean square of the finite numbers."""
    finite = array[np.isfinite(array)]
    return float(np.sqrt(np.mean(np.square(finite)))) if finite.size else 0.0


def compare(what: str, actual: np.ndarray, expected: np.ndarray, bound: np.ndarray | float) -> None:
    """Fails, naming the worst element, unless |actual - expected| <= bound everywhere. Infinities must agree."""
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, expected {expected.shape}"
    if actual.size == 0:
        return
    # Beyond float32 the right answer is an infinity.
    with np.errstate(invalid="ignore"):
        expected = np.where(np.abs(expected) > np.finfo(np.float32).max, np.sign(expected) * np.inf, expected)
        same = (actual == expected) | (np.isnan(actual) & np.isnan(expected))
        excess = np.where(same, 0.0, np.abs(actual.astype(np.float64) - expected) - bound)
    excess = np.where(np.isnan(excess), np.inf, excess)
    if excess.max() > 0:
        worst = np.unravel_index(np.argmax(excess), excess.shape)
        place = tuple(int(i) for i in worst)
        limit = np.broadcast_to(bound, actual.shape)[worst]
        raise AssertionError(
            f"{what}: {np.count_nonzero(excess > 0)} of {actual.size} numbers are off; "
            f"worst at {place}: {actual[worst]!r}, expected {expected[worst]!r}, bound {limit:.3g}"
        )


def rounding_bound(
    case: Case, expected: np.ndarray, on_ones: np.ndarray | None, on_absolutes: np.ndarray | None
) -> Any:
    """What rounding may do to `expected`; see Case.tolerance."""
    bound = 8 * (np.abs(expected) + rms(expected))
    if on_ones is not None and on_absolutes is not None:
        terms = np.maximum(np.abs(on_ones), 1)
        bound = np.maximum(bound, 4 * np.sqrt(terms) * np.abs(on_absolutes))
    return case.tolerance * EPS * bound


def check(op: str, case: Case) -> None:
    """Every check below, on one case."""
    with threads_allowed(3):
        check_all(op, case)


def check_all(op: str, case: Case) -> None:
    differentiable = _core.ops()[op].differentiable
    ref = Reference(op, case)
    if differentiable and ref._backward is None:
        raise AssertionError(f"gradients flow through {op}, but the reference has no function {op}_backward()")
    if not differentiable and ref._backward is not None:
        raise AssertionError(f"no gradient flows through {op}, but the reference has a function {op}_backward()")

    arrays = case.arrays()
    rng = np.random.default_rng(zlib.crc32(f"{op} {case.id}".encode()))
    expected = ref.forward(arrays)
    dy = rng.standard_normal(expected.shape).astype(np.float32)
    gradients = ref.backward(dy, arrays)

    check_meaning(case, expected, gradients)
    if case.numeric:
        check_reference(rng, ref, arrays, dy, expected, gradients)
    check_shapes(op, case, expected.shape)
    first = check_values(op, case, ref, arrays, dy, expected, gradients)
    check_repeatable(op, case, arrays, dy, first)
    check_batches(op, case, rng, arrays, dy, expected, first)
    if case.exact:
        check_integers(op, case, ref, rng)


def check_whole(op: str, cases: Sequence[Case]) -> None:
    """An op that takes int32 values gives the reference's numbers exactly, as int32 where the table says so."""
    takes, gives = _core.ops()[op].types.split(" -> ")
    checked = 0
    for case in cases:
        dtypes = input_dtypes(op, len(case.inputs), whole=True)
        arrays = [None if array is None else of_type(np.rint(array), "float32") for array in case.arrays(integers=True)]
        with np.errstate(all="ignore"):
            expected = Reference(op, case).forward(arrays)
        if not np.array_equal(expected, np.rint(expected)) or (expected.size and np.abs(expected).max() >= 2**31):
            continue  # an int32 cannot hold that
        for threads in (1, 3):
            with threads_allowed(3):
                one = OneOp(op, arrays, case.attributes, threads=threads, whole=True)
                assert one.dtypes == dtypes and (gives in "b*f" or one.dtype == "int32")
                compare(f"whole numbers, case {case.id!r}", one.run(arrays).y, expected, 0.0)
        checked += 1
    assert checked, f"not a test: no case of {op} ({takes}) has results that an int32 holds"


def check_meaning(case: Case, expected: np.ndarray, gradients: Mapping[int, np.ndarray]) -> None:
    """A comparison of zeros with zeros shows nothing."""
    if expected.size:
        share = np.count_nonzero(expected) / expected.size
        assert share >= case.min_nonzero, f"not a test: only {share:.0%} of the reference output is not zero"
    for i, gradient in gradients.items():
        if gradient.size and case.numeric and case.min_nonzero > 0:
            assert np.any(gradient), f"not a test: the reference gradient of input {i} is zero everywhere"


def check_reference(
    rng: np.random.Generator,
    ref: Reference,
    arrays: Arrays,
    dy: np.ndarray,
    expected: np.ndarray,
    gradients: Mapping[int, np.ndarray],
) -> None:
    """The reference's backward pass against its forward pass: the slope of sum(dy * y) along random directions."""
    dy = dy.astype(np.float64)
    step = 1e-5
    for i, gradient in gradients.items():
        assert gradient.shape == arrays[i].shape, f"reference gradient of input {i} has shape {gradient.shape}"
        for _ in range(2):
            direction = rng.standard_normal(gradient.shape)
            ends = []
            for sign in (1, -1):
                moved = double(arrays)
                moved[i] = moved[i] + sign * step * direction
                ends.append(ref.forward(moved))
            slope = float(np.sum(dy * (ends[0] - ends[1]))) / (2 * step)
            told = float(np.sum(gradient * direction))
            scale = float(np.sum(np.abs(gradient * direction)))
            noise = 1e-6 * scale + 1e-9 * float(np.sum(np.abs(dy * expected)))
            assert abs(slope - told) <= noise, (
                f"the reference's gradient of input {i} is not the slope of the reference: {told}, measured {slope}"
            )


def check_shapes(op: str, case: Case, expected: tuple[int, ...]) -> None:
    """The shape rule agrees with the reference, and passes on what is not known about the first input."""
    shapes = [None if shape is None else tuple(shape) for shape in case.inputs]
    assert infer(op, shapes, case.attributes) == expected
    if shapes[0] is None:
        return
    for hidden in [{axis} for axis in range(len(shapes[0]))] + [set(range(len(shapes[0])))]:
        partly = tuple(None if axis in hidden else size for axis, size in enumerate(shapes[0]))
        told = infer(op, [partly, *shapes[1:]], case.attributes)
        assert len(told) == len(expected), f"{partly} gives {told}, expected rank {len(expected)}"
        for size, right in zip(told, expected, strict=True):
            assert size is None or size == right, f"{partly} gives {told}, which cannot become {expected}"


def check_values(
    op: str,
    case: Case,
    ref: Reference,
    arrays: Arrays,
    dy: np.ndarray,
    expected: np.ndarray,
    gradients: Mapping[int, np.ndarray],
) -> Result:
    """Forward and backward on one thread against the reference."""
    result = OneOp(op, arrays, case.attributes, wrt=tuple(gradients), training=case.training).run(arrays, dy)
    on_ones = on_absolutes = None
    ones_back: Mapping[int, np.ndarray] = {}
    absolutes_back: Mapping[int, np.ndarray] = {}
    if case.exact:
        ones = [None if array is None else np.ones_like(array) for array in arrays]
        absolutes = [None if array is None else np.abs(array) for array in arrays]
        on_ones, on_absolutes = ref.forward(ones), ref.forward(absolutes)
        ones_back, absolutes_back = ref.backward(np.ones_like(dy), ones), ref.backward(np.abs(dy), absolutes)
    compare("output", result.y, expected, rounding_bound(case, expected, on_ones, on_absolutes))
    for i, gradient in gradients.items():
        bound = rounding_bound(case, gradient, ones_back.get(i), absolutes_back.get(i))
        compare(f"gradient of input {i}", result.gradients[i], gradient, bound)
    return result


def check_repeatable(op: str, case: Case, arrays: Arrays, dy: np.ndarray, first: Result) -> None:
    """The same bits for any number of threads, whatever the memory held before, and whatever else is asked for."""
    wrt = tuple(first.gradients)
    poison = poisoned(case, arrays)
    for threads in (1, 2, 3):
        one = OneOp(op, arrays, case.attributes, wrt=wrt, training=case.training, threads=threads)
        one.run(poison, np.full_like(dy, np.nan))
        assert one.run(arrays, dy).equals(first), f"{threads} threads after a run on NaNs give other bits"
    forward_only = OneOp(op, arrays, case.attributes, training=case.training, threads=2).run(arrays)
    assert np.array_equal(forward_only.y, first.y, equal_nan=True), "without a backward pass the output has other bits"
    if len(wrt) > 1:
        for i in wrt:
            alone = OneOp(op, arrays, case.attributes, wrt=(i,), training=case.training, threads=2).run(arrays, dy)
            assert np.array_equal(alone.gradients[i], first.gradients[i], equal_nan=True), (
                f"the gradient of input {i} asked for alone has other bits"
            )
    floats = [dtype == "float32" for dtype in input_dtypes(op, len(arrays))]
    later = [i for i, array in enumerate(arrays) if i > 0 and array is not None and floats[i]]
    if later:
        one = OneOp(op, arrays, case.attributes, wrt=wrt, training=case.training, threads=2, variables=later)
        one.run(poison, dy)
        assert one.run(arrays, dy).equals(first), "with variables for all inputs but the first there are other bits"


def poisoned(case: Case, arrays: Arrays) -> list[np.ndarray | None]:
    """NaN everywhere but in class numbers, which must be numbers."""
    one_for_all = isinstance(case.values, str) or callable(case.values)
    kinds = [case.values] * len(arrays) if one_for_all else case.values
    return [
        array if array is None or str(kind).startswith("labels") else np.full_like(array, np.nan)
        for kind, array in zip(kinds, arrays, strict=True)
    ]


def batched_inputs(op: str, case: Case) -> tuple[int, ...]:
    """Numbers of the inputs that can be fed in batches: the first, or all that have its first size; () if none can."""
    shapes = [None if shape is None else tuple(shape) for shape in case.inputs]
    if not shapes[0]:
        return ()
    alike = tuple(i for i, shape in enumerate(shapes) if shape and shape[0] == shapes[0][0])
    for chosen in ((0,), alike):
        unknown = [(None, *shape[1:]) if i in chosen else shape for i, shape in enumerate(shapes)]
        told = infer(op, unknown, case.attributes)
        if told and told[0] is None and None not in told[1:]:
            return chosen
    return ()


def check_batches(
    op: str,
    case: Case,
    rng: np.random.Generator,
    arrays: Arrays,
    dy: np.ndarray,
    expected: np.ndarray,
    first: Result,
) -> None:
    """A plan for larger batches does the same with a smaller one. Bits may differ: blocks depend on the plan."""
    chosen = batched_inputs(op, case)
    if not chosen or expected.shape[0] != case.inputs[0][0] or dy.size == 0:
        return
    n = expected.shape[0]
    larger = [
        np.concatenate([array, np.repeat(array[:1], 2, axis=0)]) if i in chosen else array
        for i, array in enumerate(arrays)
    ]
    one = OneOp(
        op,
        arrays,
        case.attributes,
        wrt=tuple(first.gradients),
        training=case.training,
        threads=2,
        batched=chosen,
        max_batch=n + 2,
    )
    one.run(larger, rng.standard_normal((n + 2, *dy.shape[1:])).astype(np.float32), n=n + 2)
    smaller = one.run(arrays, dy, n=n)
    bound = 2 * case.tolerance * EPS
    compare("output of a smaller batch", smaller.y, first.y, bound * 16 * (np.abs(first.y) + rms(first.y)))
    for i, gradient in first.gradients.items():
        limit = bound * 64 * (np.abs(gradient) + rms(gradient))
        compare(f"gradient of input {i} of a smaller batch", smaller.gradients[i], gradient, limit)


def check_integers(op: str, case: Case, ref: Reference, rng: np.random.Generator) -> None:
    """With integers every sum is exact: the same numbers in any order, and adjoint identities without error."""
    arrays = case.arrays(integers=True)
    expected = ref.forward(arrays)
    dy = fill("integers", rng, expected.shape).astype(np.float32)
    gradients = ref.backward(dy, arrays)
    for what, array in [("output", expected), *((f"gradient of input {i}", g) for i, g in gradients.items())]:
        assert array.size == 0 or np.abs(array).max() < 2**24, f"not a test: the {what} is too large to be exact"
        assert np.array_equal(array, np.rint(array * 4096) / 4096), f"not a test: the {what} is not exact"
    result = OneOp(op, arrays, case.attributes, wrt=tuple(gradients), training=case.training, threads=2).run(arrays, dy)
    compare("output for integers", result.y, expected, 0.0)
    for i, gradient in gradients.items():
        compare(f"gradient of input {i} for integers", result.gradients[i], gradient, 0.0)
        if case.adjoint:
            without = [np.zeros_like(array) if j == i else array for j, array in enumerate(arrays)]
            left = float(np.sum(dy.astype(np.float64) * (result.y - ref.forward(without))))
            right = float(np.sum(result.gradients[i].astype(np.float64) * arrays[i]))
            assert left == right, f"sum(dy * y) is {left}, but sum(dx * x) of input {i} is {right}"
