"""The boundary to the C core: one class per C object, errors as exceptions. Nothing here computes."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

Shape = tuple[int | None, ...]

# Status -> exception: INVALID ValueError, NO_MEMORY MemoryError, UNSUPPORTED NotImplementedError, BUSY RuntimeError,
# INTERRUPTED KeyboardInterrupt.

class Variable:
    """A float32 array owned by the C core, 64-byte aligned, filled with zeros. Supports the buffer protocol."""

    def __init__(self, shape: Sequence[int]) -> None: ...
    shape: tuple[int, ...]
    @property
    def array(self) -> np.ndarray: ...  # read-only live view (no copy)
    def assign(self, values: np.ndarray) -> None: ...  # same shape; converts to float32; plans notice
    def fill(self, pieces: Iterable[np.ndarray]) -> None: ...  # parts of the values, in order

class Node:
    kind: str  # "input", "variable", "constant" or "op"
    name: str
    op: str | None
    inputs: tuple[int, ...]  # 0: absent
    attributes: dict[str, str]  # those that are not as by default, in the words of `Graph.add`
    dtype: str
    shape: Shape
    value: Variable | np.ndarray | None  # of a variable; a copy of a constant's

class Graph:
    """Nodes are numbered from 1. Attributes may be str, int, float, bool, or a sequence of int."""

    def __init__(self) -> None: ...
    # dtype: float32, int32 or bool
    def input(self, shape: Shape, name: str | None = None, dtype: str = "float32") -> int: ...
    def variable(self, variable: Variable, name: str | None = None) -> int: ...
    # integers become int32, floating point float32
    def constant(self, values: np.ndarray, name: str | None = None) -> int: ...
    # input 0: absent
    def add(
        self, op: str, inputs: Sequence[int], attributes: Mapping[str, Any] = {}, name: str | None = None
    ) -> int: ...
    def output(self, name: str | None, node: int) -> None: ...  # names a value as an output
    def outputs(self) -> list[tuple[str, int]]: ...  # name and node of each
    # the outputs as an ONNX model; images (n, c, h, w) unless channels_last
    def save_onnx(self, path: str | os.PathLike[str], channels_last: bool = False) -> None: ...
    def shape(self, node: int) -> Shape: ...
    def nodes(self) -> list[Node]: ...  # node 1 first
    def describe(self) -> str: ...  # a table of the nodes
    # sample i of each output depends on sample i of the batched inputs only: a batch may be computed in parts
    def per_sample(self, outputs: Sequence[int]) -> bool: ...
    def dtype(self, node: int) -> str | None: ...  # None: no such node
    def __len__(self) -> int: ...

# a path, or the bytes of a model; shapes by the inputs' names, None: open
def load_onnx(
    source: str | os.PathLike[str] | bytes,
    shapes: Mapping[str, Shape] = {},
    parameters_of: Graph | None = None,
    frozen: bool = False,
) -> Graph: ...

class Optimizer:
    """kind: "sgd", "rmsprop", "adam"; settings as in the rule's attribute table."""

    def __init__(self, kind: str, settings: Mapping[str, Any] = {}) -> None: ...
    def set(self, **settings: Any) -> None: ...
    iterations: int  # readable and writable
    def slots(self, variable: Variable) -> dict[str, Variable]: ...  # created (zeros) when first asked for
    def exclude_from_weight_decay(self, variable: Variable) -> None: ...  # in plans that are made later
    def delegate(self, variable: Variable, to: Optimizer) -> None: ...

class Plan:
    def __init__(
        self,
        graph: Graph,
        outputs: Sequence[int],
        *,
        max_batch: int = 1,
        input_shapes: Sequence[Sequence[int]] | None = None,  # whole shapes; first size of a batched input is ignored
        training: bool = False,
        root: int = 0,
        wrt: Sequence[int] = (),
        optimizer: Optimizer | None = None,
        threads: int = 0,
        rewrite: bool = True,  # False: node by node as the graph says
        tune: bool | None = None,  # each convolution's algorithms are timed and the fastest kept; None: see set_tuning
        nonfinite_check: bool | None = None,  # a NaN stays where it belongs; None: see set_nonfinite_check
        keep_gradients: bool = False,  # with an optimizer: `gradient` gives those of wrt
        no_update: bool = False,  # ops change no variable
        precision: str = "float32",  # of products and activations
    ) -> None: ...
    def run(
        self,
        # C-contiguous, of one of dtypes(); converted while gathered
        inputs: Sequence[np.ndarray],
        *,
        n: int | None = None,  # samples; default: len(rows), else the first size of the batched inputs
        rows: np.ndarray | None = None,  # int64: row numbers into every batched input
        # C-contiguous arrays to fill; None: fresh ones of the values' dtypes
        outputs: Sequence[np.ndarray | None] | None = None,
        root_gradient: np.ndarray | None = None,
        seed: int = 0,
        step: int = 0,
    ) -> list[np.ndarray]: ...  # GIL released; Ctrl-C raises KeyboardInterrupt, variables as before the call
    def gradient(self, node: int) -> np.ndarray: ...  # a copy
    def shape(self, node: int, n: int) -> tuple[int, ...]: ...
    @property
    def bytes(self) -> int: ...
    def profile(self, on: bool = True) -> None: ...  # time the steps of the runs that follow
    def describe(self) -> str: ...  # a table of the nodes, with times if runs were timed

class Attribute:
    name: str
    type: str  # "int" "float" "bool" "enum" "list" "floats"
    default: str | None  # as text; None: must be given
    choices: tuple[str, ...]
    meaning: str

class Op:
    name: str
    inputs: tuple[str, ...]  # "x", "w", "b?" ; "x*"
    meaning: str  # of the inputs; "": their names tell
    types: str  # of the elements, as cconv_op_types says: "n n -> n"
    attributes: tuple[Attribute, ...]
    differentiable: bool
    random: bool  # values depend on the run's seed and step
    elementwise: bool  # an element of the output depends on those of the inputs at its index only
    per_sample: bool  # samples stay apart, if attributes and shapes allow: see Graph.per_sample
    weights: int  # numbers of the inputs that x is multiplied with, that is added to each channel,
    bias: int  # and that is added before the activation; 0: there is none
    residual: int

def dtypes() -> tuple[str, ...]: ...  # what arrays may hold
def ops() -> dict[str, Op]: ...
def optimizer_rules() -> dict[str, tuple[Attribute, ...]]: ...
def infer(
    op: str, shapes: Sequence[Shape | None], attributes: Mapping[str, Any] = {}, name: str | None = None
) -> Shape: ...  # for float32 inputs
def infer_value(
    op: str,
    shapes: Sequence[Shape | None],
    dtypes: Sequence[str | None],
    attributes: Mapping[str, Any] = {},
    name: str | None = None,
) -> tuple[Shape, str]: ...
def version() -> str: ...
def isa() -> str: ...
def isas() -> tuple[str, ...]: ...
def openmp() -> int: ...
def compiler() -> str: ...
def get_num_threads() -> int: ...
def set_num_threads(threads: int) -> None: ...
def num_threads_reason() -> str: ...
def winograd() -> bool: ...
def set_winograd(allowed: bool) -> None: ...
def tunes() -> bool: ...
def set_tuning(on: bool) -> None: ...
def checks_nonfinite() -> bool: ...
def set_nonfinite_check(on: bool) -> None: ...
def empty_aligned(shape: tuple[int, ...], dtype: np.dtype = ...) -> np.ndarray: ...
def allocations() -> int: ...
def shared_bytes() -> int: ...  # of packed and folded weights, of all plans
