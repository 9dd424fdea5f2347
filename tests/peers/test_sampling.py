"""Images seen at places, and parts of images, beside PyTorch's functions."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from op_harness import OneOp


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize(
    "way, shape, size",
    [
        ("nearest", (2, 6, 7, 3), (5, 4)),
        ("bilinear", (2, 6, 7, 3), (5, 4)),
        ("bilinear", (3, 1, 5, 2), (3, 7)),
        ("bicubic", (2, 6, 7, 3), (5, 4)),
        ("bicubic", (2, 3, 2, 1), (9, 8)),
        ("nearest", (2, 3, 4, 5, 2), (3, 2, 6)),
        ("bilinear", (2, 3, 4, 5, 2), (3, 2, 6)),
    ],
)
def test_grid_sample(way, shape, size, padding, aligned):
    x, grid = random(*shape), random(shape[0], *size, len(size), seed=1) * np.float32(1.2)
    leaves = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (x, grid)]
    y = F.grid_sample(leaves[0].movedim(-1, 1), leaves[1], mode=way, padding_mode=padding, align_corners=aligned)
    dy = random(shape[0], *size, shape[-1], seed=2)
    y.backward(torch.tensor(dy, dtype=torch.float64).movedim(-1, 1))
    settings = {"interpolation": way, "padding_mode": padding, "align_corners": aligned}
    found = OneOp("grid_sample", [x, grid], settings, wrt=(0, 1)).run([x, grid], dy)
    np.testing.assert_allclose(found.y, y.movedim(1, -1).detach().numpy(), rtol=1e-5, atol=1e-5)
    for i, leaf in enumerate(leaves):
        expected = leaf.grad.numpy()
        np.testing.assert_allclose(found.gradients[i], expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max(initial=1))


def test_places_at_cells_and_ends():
    """Numbers that hit centres, edges and middles between cells exactly."""
    x = random(1, 4, 8, 2)
    line = np.arange(-12, 13, dtype=np.float32) / 8
    grid = np.stack(np.meshgrid(line, line), axis=-1)[None]
    for way in ("nearest", "bilinear", "bicubic"):
        for padding in ("zeros", "border", "reflection"):
            y = F.grid_sample(torch.tensor(x).movedim(-1, 1), torch.tensor(grid), way, padding, False)
            settings = {"interpolation": way, "padding_mode": padding}
            found = OneOp("grid_sample", [x, grid], settings).run([x, grid])
            np.testing.assert_allclose(found.y, y.movedim(1, -1).numpy(), rtol=1e-5, atol=1e-5)
