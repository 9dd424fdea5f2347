"""Activations, elementwise math, reductions and shape ops beside PyTorch: forward and backward on every case."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from cases import all_cases
from op_harness import OneOp, compare, rms


def axes_of(x, axes):
    return tuple(axes) or tuple(range(x.ndim))


def prod(x, axes=(), keepdims=False):
    for axis in sorted((a % x.ndim for a in axes_of(x, axes)), reverse=True):
        x = x.prod(axis, keepdim=keepdims)
    return x


def part(x, begin, size):
    for axis, (first, count) in enumerate(zip(begin, size, strict=True)):
        first = first % x.shape[axis] if first < 0 else first
        x = x.narrow(axis, first, x.shape[axis] - first + 1 + count if count < 0 else count)
    return x


def over(function):
    return lambda x, axes=(), keepdims=False: (
        function(x, axes_of(x, axes), keepdims) if x.ndim else function(x, (), False)
    )


def padded(x, pads, mode="constant", value=0.0):
    """PyTorch mirrors the last axes of images only, and never the last element: other axes by an index."""
    if mode == "constant" or not x.numel():
        return F.pad(x, [n for axis in reversed(range(x.ndim)) for n in (pads[axis], pads[x.ndim + axis])], value=value)
    for axis in range(x.ndim):
        before, after = pads[axis], pads[x.ndim + axis]
        if mode == "symmetric":  # what is left out of both ends comes back by reflection
            ends = x.narrow(axis, 0, before).flip(axis), x.narrow(axis, x.shape[axis] - after, after).flip(axis)
            x = torch.cat([ends[0], x, ends[1]], axis)
        elif before or after:
            row = x.movedim(axis, -1)
            row = F.pad(row.reshape(1, -1, row.shape[-1]), (before, after), {"edge": "replicate"}.get(mode, mode))
            shape = [n for k, n in enumerate(x.shape) if k != axis]
            x = row.reshape(*shape, row.shape[-1]).movedim(-1, axis)
    return x


def copied(x, size, k):
    """What an entry of a shape says: the size of axis k, or of axis -2 - size, or itself."""
    return x.shape[k] if size == 0 else x.shape[-2 - size] if size < -1 else size


TORCH = {
    "relu": torch.relu,
    "leaky_relu": lambda x, alpha=0.2: F.leaky_relu(x, alpha),
    "elu": lambda x, alpha=1.0: F.elu(x, alpha),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "arctan": torch.arctan,
    "softplus": lambda x: F.softplus(x, threshold=100),
    "softsign": F.softsign,
    "softmax": lambda x, axis=-1: torch.softmax(x, axis),
    "log_softmax": lambda x, axis=-1: torch.log_softmax(x, axis),
    "clip": lambda x, minimum, maximum: torch.clamp(x, minimum, maximum),
    "where": lambda condition, a, b: torch.where(condition != 0, a, b),
    "sum": over(lambda x, axes, keepdims: x.sum(axes, keepdim=keepdims)),
    "mean": over(lambda x, axes, keepdims: x.mean(axes, keepdim=keepdims)),
    "max": over(lambda x, axes, keepdims: x.amax(axes, keepdim=keepdims)),
    "min": over(lambda x, axes, keepdims: x.amin(axes, keepdim=keepdims)),
    "prod": prod,
    "flatten": lambda x: x.reshape(x.shape[0], int(np.prod(x.shape[1:]))),
    "reshape": lambda x, shape: x.reshape([copied(x, size, k) for k, size in enumerate(shape)]),
    "transpose": lambda x, axes: x.permute(axes),
    "expand_dims": lambda x, axis: x.unsqueeze(axis),
    "squeeze": lambda x, axes: x.squeeze(axes),
    "pad": padded,
    "slice": part,
    "broadcast_to": lambda x, like=None, shape=(): x.expand([n if n >= -1 else like.shape[-2 - n] for n in shape]),
    "concatenate": lambda *x, axis=-1: torch.cat(x, axis),
} | {
    op: getattr(torch, op)
    for op in [
        *("negative", "abs", "sqrt", "square", "exp", "log", "sin", "cos", "reciprocal"),
        *("add", "subtract", "multiply", "divide", "maximum", "minimum"),
    ]
}
TORCH["power"] = torch.pow
STEPS = {
    "floor": torch.floor,
    "round": torch.round,
    "sign": torch.sign,
    "equal": torch.eq,
    "not_equal": torch.ne,
    "greater": torch.gt,
    "greater_equal": torch.ge,
    "less": torch.lt,
    "less_equal": torch.le,
    "argmax": lambda x, axis=-1, keepdims=False: x.argmax(axis, keepdim=keepdims),
}
CASES = all_cases()


def parameters(ops):
    return [pytest.param(op, case, id=f"{op}: {case.id}") for op in ops for case in CASES[op]]


@pytest.mark.parametrize("op, case", parameters(TORCH))
def test_value_and_gradients_are_those_of_torch(op, case):
    arrays = case.arrays()
    wrt = [i for i in range(len(arrays)) if op != "where" or i > 0]
    if case.grad is not None:
        wrt = list(case.grad)
    leaves = [torch.tensor(a, dtype=torch.float64, requires_grad=i in wrt) for i, a in enumerate(arrays)]
    y = TORCH[op](*leaves, **case.attributes)
    dy = np.random.default_rng(7).standard_normal(tuple(y.shape)).astype(np.float32)
    y.backward(torch.tensor(dy, dtype=torch.float64))
    result = OneOp(op, arrays, case.attributes, wrt=wrt).run(arrays, dy)
    for what, actual, expected in [
        ("output", result.y, y.detach().numpy()),
        *((f"gradient of input {i}", result.gradients[i], leaves[i].grad.numpy()) for i in wrt),
    ]:
        # Sums of many terms of both signs are small beside what was added up: 1e-4 of the typical size is allowed.
        compare(what, actual, expected, 2e-5 * np.abs(expected) + 1e-4 * rms(expected) + 1e-6)


@pytest.mark.parametrize("op, case", parameters(STEPS))
def test_steps_are_those_of_torch(op, case):
    arrays = case.arrays()
    expected = STEPS[op](*map(torch.tensor, arrays), **case.attributes).numpy()
    np.testing.assert_array_equal(OneOp(op, arrays, case.attributes).run(arrays).y, expected)
