"""Values, dtypes and shapes of `cconv.ops` beside Keras': of arrays, and in a model; gradients beside PyTorch's."""

import numpy as np
import pytest

import cconv
from cconv import ops as ours
from cconv.program import Program
from cconv.scope import tracing
from cconv.tensor import Tensor
from cconv.tree import flatten, map_structure

from .ops_table import CALLS, ON_ARRAYS

keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")
theirs = keras.ops


def is_tensor(x):
    return isinstance(x, np.ndarray) and x.dtype in (np.float32, np.int32, bool)


def numpy_of(y):
    """Their results as arrays: a structure without the names of PyTorch's tuples."""
    if isinstance(y, (tuple, list)):
        return [numpy_of(part) for part in y]
    return keras.ops.convert_to_numpy(y)


def compare(mine, right):
    mine = [np.asarray(part) for part in flatten(mine)]
    right = flatten(numpy_of(right))
    assert len(mine) == len(right)
    for a, b in zip(mine, right, strict=True):
        wide = {np.dtype(np.int64): np.dtype(np.int32), np.dtype(np.float64): np.dtype(np.float32)}
        assert (a.shape, a.dtype) == (b.shape, wide.get(b.dtype, b.dtype))
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=2e-6)


def ids(value):
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize(("name", "args", "settings"), CALLS, ids=ids)
def test_of_arrays(name, args, settings):
    as_torch = map_structure(lambda x: torch.tensor(x) if is_tensor(x) else x, args)
    compare(getattr(ours, name)(*args, **settings), getattr(theirs, name)(*as_torch, **settings))


def symbolic(name, args, settings):
    """A program of one call whose tensors, but those that say where, are fed; and their arrays."""
    fed = []

    def node(x):
        if not is_tensor(x):
            return x
        fed.append((Tensor(x.shape, dtype=str(x.dtype)), x))
        return fed[-1][0]

    if name == "get_item":
        args = (node(args[0]), args[1])
    elif name == "slice_update":
        args = (node(args[0]), args[1], node(args[2]))
    else:
        args = map_structure(node, args)
    with tracing():
        return getattr(ours, name)(*args, **settings), fed


# Made of numbers, not of tensors.
OF_NUMBERS = {
    "array", "bartlett", "blackman", "geomspace", "hamming", "hanning", "kaiser", "linspace", "logspace", "tri",
}  # fmt: skip


def in_models(name, args, settings):
    bools = name == "get_item" and any(str(getattr(k, "dtype", "")) == "bool" for k in flatten([args[1]]))
    made_of_numbers = name in OF_NUMBERS and not is_tensor(args[0])
    return not (name in ON_ARRAYS or made_of_numbers or bools or settings.get("ord") in ("nuc", 2, -2))


IN_MODELS = [call for call in CALLS if in_models(*call)]


@pytest.mark.parametrize(("name", "args", "settings"), IN_MODELS, ids=ids)
def test_in_a_model(name, args, settings):
    y, fed = symbolic(name, args, settings)
    outputs = [x for x in flatten(y) if isinstance(x, Tensor)]
    found = Program(outputs, [x for x, _ in fed]).run([array for _, array in fed])
    expected = flatten(getattr(ours, name)(*args, **settings))
    assert len(found) == len(expected)
    for mine, node, right in zip(found, outputs, expected, strict=True):
        assert (node.shape, node.dtype) == (np.shape(right), str(np.asarray(right).dtype))
        np.testing.assert_allclose(mine, right, rtol=1e-6, atol=1e-6)


# Flat ones, and `vander`, whose gradient PyTorch does not compute.
FLAT = {
    "vander",
    "trunc",
    "floor_divide",
    "isin",
    "heaviside",
    "saturate_cast",
    "zeros_like",
    "ones_like",
    "full_like",
    "ldexp",
}
SLOPES = [
    (name, args, settings)
    for name, args, settings in IN_MODELS
    if name not in FLAT
    and name not in ("nanargmax", "nanargmin", "nancumprod", "nanprod", "nanmedian", "nanquantile", "nanpercentile")
    and all(x.dtype == np.float32 and np.isfinite(x).all() for x in flatten(args) if is_tensor(x))
    and not any(kind in str(settings) for kind in ("-inf", "'ord': 0"))
]


@pytest.mark.parametrize(("name", "args", "settings"), SLOPES, ids=ids)
def test_gradients(name, args, settings):
    y, fed = symbolic(name, args, settings)
    outputs = [x for x in flatten(y) if isinstance(x, Tensor)]
    if outputs[0].dtype != "float32":
        return
    leaves = []

    def leaf(x):
        if not is_tensor(x):
            return x
        leaves.append(torch.tensor(x, requires_grad=True))
        return leaves[-1]

    there = (leaf(args[0]), *args[1:]) if name == "get_item" else map_structure(leaf, args)
    right = flatten(list_of(getattr(theirs, name)(*there, **settings)))
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=x.shape).astype(np.float32) for x in outputs]
    sum((a * torch.tensor(w)).sum() for a, w in zip(right, weights, strict=True)).backward()
    with tracing():
        terms = [ours.reshape(x * w, (1, -1)) for x, w in zip(outputs, weights, strict=True)]
        root = ours.concatenate(terms, axis=1) if len(terms) > 1 else terms[0]
    program = Program([root], [x for x, _ in fed], root=root, wrt=[x for x, _ in fed])
    slopes = program.gradients([array for _, array in fed], np.ones(root.shape, np.float32))
    for mine, theirs_ in zip(slopes, leaves, strict=True):
        expected = np.zeros(mine.shape) if theirs_.grad is None else theirs_.grad.numpy()
        np.testing.assert_allclose(mine, expected, rtol=2e-4, atol=2e-5)


def list_of(y):
    return [list_of(part) for part in y] if isinstance(y, (tuple, list)) else y


@pytest.mark.parametrize("name", sorted(ON_ARRAYS))
def test_what_numpy_computes_is_no_part_of_a_model(name):
    x = cconv.Input((3, 3))
    pairs = {"fft", "fft2", "ifft2", "irfft", "istft"}
    args = [(x, x) if name in pairs else x]
    args += {"gcd": [x], "lcm": [x], "nextafter": [x], "correlate": [x], "solve": [x], "solve_triangular": [x],
             "lstsq": [x], "polar": [x], "stft": [2, 1, 2], "istft": [2, 1, 2]}.get(name, [])  # fmt: skip
    with pytest.raises(NotImplementedError, match=f"`{name}` computes at once, of arrays only"):
        getattr(ours, name)(*args)
