"""Convolution and dense beside PyTorch, which shares no code with the reference: every case, forward and gradients."""

import numpy as np
import pytest
import torch
from cases import Case
from cases.conv import CASES
from reference.conv import pair, same_padding

from cconv import _core

ACTIVATIONS = {
    "linear": lambda z, alpha: z,
    "relu": lambda z, alpha: torch.relu(z),
    "leaky_relu": torch.nn.functional.leaky_relu,
    "elu": torch.nn.functional.elu,
    "sigmoid": lambda z, alpha: torch.sigmoid(z),
    "tanh": lambda z, alpha: torch.tanh(z),
    "softplus": lambda z, alpha: torch.nn.functional.softplus(z),
    "softsign": lambda z, alpha: torch.nn.functional.softsign(z),
    "arctan": lambda z, alpha: torch.atan(z),
    "relu6": lambda z, alpha: torch.nn.functional.relu6(z),
    "binary_step": lambda z, alpha: (z >= 0).to(z) + 0 * z,
}


def torch_conv2d(
    x, w, b=None, r=None, *, strides=(1, 1), padding="valid", pads=(), dilation=(1, 1), groups=1,
    activation="linear", alpha=0.0, algorithm="auto",
):  # fmt: skip
    """Channels go first and back: PyTorch counts (n, c, h, w) and (oc, c, kh, kw)."""
    stride, spread = pair(strides), pair(dilation)
    top = left = bottom = right = 0
    if padding == "explicit":
        top, left, bottom, right = pads
    elif padding == "same":
        top, bottom = same_padding(x.shape[1], w.shape[0], stride[0], spread[0])
        left, right = same_padding(x.shape[2], w.shape[1], stride[1], spread[1])
    padded = torch.nn.functional.pad(x.permute(0, 3, 1, 2), (left, right, top, bottom))
    z = torch.nn.functional.conv2d(padded, w.permute(3, 2, 0, 1).contiguous(), b, stride, 0, spread, groups)
    z = z.permute(0, 2, 3, 1)
    return ACTIVATIONS[activation](z if r is None else z + r, alpha)


def torch_dense(x, w, b=None, *, activation="linear", alpha=0.0):
    z = x @ w
    return ACTIVATIONS[activation](z if b is None else z + b, alpha)


def torch_matmul(a, b, *, transpose_a=False, transpose_b=False):
    a = a.mT if transpose_a and a.ndim > 1 else a
    b = b.mT if transpose_b and b.ndim > 1 else b
    return a @ b


PEERS = {"conv": torch_conv2d, "dense": torch_dense, "matmul": torch_matmul}
# PyTorch 2.13 gives a convolution over no input channels an output without channels, whatever the number of filters.
CHOSEN = [(op, case) for op in PEERS for case in CASES[op] if (op, case.id) != ("conv", "no channels")]


@pytest.mark.parametrize("op, case", [pytest.param(op, case, id=f"{op}: {case.id}") for op, case in CHOSEN])
def test_conv2d_dense_and_matmul_equal_pytorch(op: str, case: Case):
    arrays = case.arrays()
    tensors = [None if a is None else torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in arrays]
    y = PEERS[op](*tensors, **case.attributes)
    dy = np.random.default_rng(0).standard_normal(tuple(y.shape)).astype(np.float32)
    y.backward(torch.tensor(dy, dtype=torch.float64))

    graph = _core.Graph()
    nodes = [0 if a is None else graph.input(a.shape) for a in arrays]
    node = graph.add(op, nodes, case.attributes)
    present = [i for i, a in enumerate(arrays) if a is not None]
    plan = _core.Plan(graph, [node], root=node, wrt=[nodes[i] for i in present], threads=2)
    result = plan.run([arrays[i] for i in present], root_gradient=dy)[0]

    close("y", result, y.detach().numpy())
    for i in present:
        close(f"gradient of input {i}", plan.gradient(nodes[i]), tensors[i].grad.numpy())


def close(what: str, actual: np.ndarray, expected: np.ndarray) -> None:
    """Within 2e-5 of the array's typical size: sums of up to some thousand rounded products."""
    assert actual.shape == expected.shape
    if actual.size:
        scale = np.sqrt(np.mean(np.square(expected))) + 1e-30
        np.testing.assert_allclose(actual / scale, expected / scale, rtol=2e-5, atol=2e-5, err_msg=what)
