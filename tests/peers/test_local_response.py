"""Local response normalization beside PyTorch's, forward and backward."""

import numpy as np
import pytest
import torch.nn.functional as F
from op_harness import OneOp

from .test_pooling import from_torch


@pytest.mark.parametrize("size", [1, 2, 4, 5, 9])
@pytest.mark.parametrize("shape", [(2, 5, 7), (2, 3, 4, 6), (1, 2, 3, 4, 8)])
@pytest.mark.parametrize("alpha, beta, bias", [(0.5, 0.75, 1.0), (2.0, 0.5, 0.25), (1e-4, 1.25, 2.0)])
def test_the_same_as_pytorch(size, shape, alpha, beta, bias):
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    settings = {"alpha": alpha, "beta": beta}

    def normalized(channels_second):  # of an even window PyTorch has the one more before, ONNX behind
        turned = channels_second.flip(1)
        return F.local_response_norm(turned, size, k=bias, **settings).flip(1)

    y, dy, dx = from_torch(normalized, x)
    found = OneOp("lrn", [x], {"size": size, "bias": bias, **settings}, wrt=(0,)).run([x], dy)
    np.testing.assert_allclose(found.y, y, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.gradients[0], dx, rtol=1e-5, atol=1e-6)
