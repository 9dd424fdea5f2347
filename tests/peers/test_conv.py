"""Convolutions, dense, matmul, attention beside PyTorch, which shares no code with the reference: all gradients."""

import numpy as np
import pytest
import torch
from cases import Case, all_cases
from keras.src.backend.common.backend_utils import compute_conv_transpose_output_shape
from reference.conv import each, same_padding

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
    "hard_sigmoid": lambda z, alpha: torch.nn.functional.hardsigmoid(z),
    "gelu": lambda z, alpha: torch.nn.functional.gelu(z),
    "gelu_tanh": lambda z, alpha: torch.nn.functional.gelu(z, approximate="tanh"),
    "silu": lambda z, alpha: torch.nn.functional.silu(z),
    "mish": lambda z, alpha: torch.nn.functional.mish(z),
    "hard_silu": lambda z, alpha: torch.nn.functional.hardswish(z),
    "binary_step": lambda z, alpha: (z >= 0).to(z) + 0 * z,
}


FORWARD = (torch.nn.functional.conv1d, torch.nn.functional.conv2d, torch.nn.functional.conv3d)
TRANSPOSED = (
    torch.nn.functional.conv_transpose1d,
    torch.nn.functional.conv_transpose2d,
    torch.nn.functional.conv_transpose3d,
)


def torch_conv(
    x, w, b=None, r=None, *, strides=1, padding="valid", pads=(), dilation=1, groups=1,
    activation="linear", alpha=0.0, algorithm="auto",
):  # fmt: skip
    """Channels go first and back: PyTorch counts (n, c, h, w) and (oc, c, kh, kw)."""
    axes = x.ndim - 2
    stride, spread = each(strides, axes), each(dilation, axes)
    sides = list(zip(pads[:axes], pads[axes:], strict=True)) or [(0, 0)] * axes
    if padding == "same":
        sides = [same_padding(*row) for row in zip(x.shape[1:-1], w.shape, stride, spread, strict=False)]
    padded = torch.nn.functional.pad(x.movedim(-1, 1), [cells for side in reversed(sides) for cells in side])
    z = FORWARD[axes - 1](padded, w.movedim((-1, -2), (0, 1)).contiguous(), b, stride, 0, spread, groups)
    z = z.movedim(1, -1)
    return ACTIVATIONS[activation](z if r is None else z + r, alpha)


def torch_conv_transpose(
    x, w, b=None, r=None, *, strides=1, padding="valid", pads=(), dilation=1, groups=1, output_padding=(),
    activation="linear", alpha=0.0, algorithm="auto",
):  # fmt: skip
    """PyTorch lays whole kernels; what it has not got is that the two ends are cropped, or added to, apart."""
    axes = x.ndim - 2
    stride, spread = each(strides, axes), each(dilation, axes)
    extras = (None,) * axes if output_padding == () else each(output_padding, axes)
    reach = [(k - 1) * d + 1 for k, d in zip(w.shape, spread, strict=False)]
    whole = [(n - 1) * s + k for n, s, k in zip(x.shape[1:-1], stride, reach, strict=True)]
    sides = []  # to add before and after the whole, along each axis
    for i in range(axes):
        if padding == "explicit":
            before, size = pads[i], whole[i] - pads[i] - pads[axes + i] + (extras[i] or 0)
        else:
            size = compute_conv_transpose_output_shape(
                (1, x.shape[1 + i], 1), (w.shape[i],), 1, (stride[i],), padding,
                None if extras[i] is None else (extras[i],), dilation_rate=(spread[i],),
            )[1]  # fmt: skip
            before = max(whole[i] - size, 0) // 2 if padding == "same" else 0
        sides.append((-before, size + before - whole[i]))
    z = TRANSPOSED[axes - 1](
        x.movedim(-1, 1), w.movedim((-1, -2), (0, 1)).contiguous(), None, stride, 0, 0, groups, spread
    )
    z = torch.nn.functional.pad(z, [cells for side in reversed(sides) for cells in side]).movedim(1, -1)
    z = z if b is None else z + b
    return ACTIVATIONS[activation](z if r is None else z + r, alpha)


def torch_dense(x, w, b=None, *, activation="linear", alpha=0.0):
    z = x @ w
    return ACTIVATIONS[activation](z if b is None else z + b, alpha)


def torch_matmul(a, b, *, transpose_a=False, transpose_b=False):
    a = a.mT if transpose_a and a.ndim > 1 else a
    b = b.mT if transpose_b and b.ndim > 1 else b
    return a @ b


def torch_attention(query, key, value, *, scale=1.0, activation="softmax"):
    if activation == "softmax":
        return torch.nn.functional.scaled_dot_product_attention(query, key, value, scale=scale)
    s = scale * query @ key.mT / key.shape[-2]
    return (s.relu() if activation == "relu" else s) @ value


PEERS = {
    "conv": torch_conv,
    "conv_transpose": torch_conv_transpose,
    "dense": torch_dense,
    "matmul": torch_matmul,
    "attention": torch_attention,
}
# PyTorch 2.13 gives a convolution over no input channels an output without channels, whatever the number of filters,
# and takes no image without pixels.
REFUSED = [("conv", "no channels"), ("conv_transpose", "no channels"), ("conv_transpose", "no pixels")]
CHOSEN = [(op, case) for op, cases in all_cases().items() if op in PEERS for case in cases]


@pytest.mark.parametrize(
    "op, case", [pytest.param(op, c, id=f"{op}: {c.id}") for op, c in CHOSEN if (op, c.id) not in REFUSED]
)
def test_convolutions_products_and_attention_equal_pytorch(op: str, case: Case):
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
