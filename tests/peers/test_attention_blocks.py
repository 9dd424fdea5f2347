"""Attention blocks of images beside small PyTorch modules written from the papers: outputs, gradients, statistics."""

import numpy as np
import pytest
import torch
from torch import nn

from cconv import GradientTape, Variable, layers, ops

CHANNELS = 16
CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
BATCH_NORM = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
MAX_POOL = {1: nn.functional.max_pool1d, 2: nn.functional.max_pool2d, 3: nn.functional.max_pool3d}
SIZES = {1: (10,), 2: (6, 8), 3: (2, 6, 4)}


def over_places(x):
    return tuple(range(2, x.ndim))


class SE(nn.Module):
    def __init__(self, c, axes, ratio=4, hard=False):
        super().__init__()
        self.down, self.up = CONV[axes](c, c // ratio, 1), CONV[axes](c // ratio, c, 1)
        self.gate = nn.Hardsigmoid() if hard else nn.Sigmoid()

    def forward(self, x):
        return x * self.gate(self.up(torch.relu(self.down(x.mean(over_places(x), keepdim=True)))))


class SCSE(nn.Module):
    def __init__(self, c, axes, combination):
        super().__init__()
        self.channels, self.place = SE(c, axes, 2), CONV[axes](c, 1, 1)
        self.combination = combination

    def forward(self, x):
        a, b = self.channels(x), x * torch.sigmoid(self.place(x))
        if self.combination == "concat":
            return torch.cat([a, b], 1)
        return {"add": torch.add, "max": torch.maximum, "multiply": torch.mul}[self.combination](a, b)


class NL(nn.Module):
    def __init__(self, c, axes, mode="embedded_gaussian", pool=None, scale=False, batch_norm=True):
        super().__init__()
        half = c // 2
        self.mode, self.pool, self.scale = mode, pool, scale
        if mode != "gaussian":
            self.theta, self.phi = CONV[axes](c, half, 1), CONV[axes](c, half, 1)
        if mode == "concatenation":
            self.w_theta, self.w_phi = nn.Linear(half, 1, bias=False), nn.Linear(half, 1, bias=False)
        self.g, self.z = CONV[axes](c, half, 1), CONV[axes](half, c, 1)
        self.norm = BATCH_NORM[axes](c, momentum=0.1) if batch_norm else None

    def pooled(self, x):
        return x if self.pool is None else MAX_POOL[x.ndim - 2](x, self.pool)

    def forward(self, x):
        theta, phi = (x, x) if self.mode == "gaussian" else (self.theta(x), self.phi(x))
        theta, phi, g = (t.flatten(2).transpose(1, 2) for t in (theta, self.pooled(phi), self.pooled(self.g(x))))
        if self.mode == "concatenation":
            pairs = [t.unsqueeze(d).expand(-1, theta.shape[1], phi.shape[1], -1) for t, d in ((theta, 2), (phi, 1))]
            f = torch.relu(self.w_theta(pairs[0]) + self.w_phi(pairs[1]))[..., 0]
        else:
            f = theta @ phi.transpose(1, 2)
        if self.mode in ("gaussian", "embedded_gaussian"):
            f = torch.softmax(f * theta.shape[-1] ** -0.5 if self.scale else f, -1)
        else:
            f = f / phi.shape[1]
        y = self.z((f @ g).transpose(1, 2).reshape(len(x), -1, *x.shape[2:]))
        return x + (y if self.norm is None else self.norm(y))


class GC(nn.Module):
    def __init__(self, c, axes, attention=True, ways=("add",)):
        super().__init__()
        self.mask = CONV[axes](c, 1, 1) if attention else None
        shape, conv = (c // 4, *(1,) * axes), CONV[axes]

        def bottleneck():
            return nn.Sequential(conv(c, c // 4, 1), nn.LayerNorm(shape), nn.ReLU(), conv(c // 4, c, 1))

        self.mul = bottleneck() if "multiply" in ways else None
        self.add = bottleneck() if "add" in ways else None

    def forward(self, x):
        if self.mask is None:
            context = x.mean(over_places(x), keepdim=True)
        else:
            weights = torch.softmax(self.mask(x).flatten(2), -1)
            context = (x.flatten(2) @ weights.transpose(1, 2)).reshape(*x.shape[:2], *(1,) * (x.ndim - 2))
        y = x if self.mul is None else x * torch.sigmoid(self.mul(context))
        return y if self.add is None else y + self.add(context)


class CBAM(nn.Module):
    def __init__(self, c, axes, kernel=7):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(c, c // 4), nn.ReLU(), nn.Linear(c // 4, c))
        self.conv = CONV[axes](2, 1, kernel, padding=kernel // 2, bias=False)
        self.norm = BATCH_NORM[axes](1, momentum=0.1)

    def forward(self, x):
        flat = x.flatten(2)
        gate = torch.sigmoid(self.mlp(flat.mean(2)) + self.mlp(flat.amax(2)))
        x = x * gate.reshape(*gate.shape, *(1,) * (x.ndim - 2))
        maps = torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)
        return x * torch.sigmoid(self.norm(self.conv(maps)))


CASES = {
    "se": (lambda c, n: SE(c, n), lambda: layers.SqueezeExcitation(4)),
    "se hard": (lambda c, n: SE(c, n, hard=True), lambda: layers.SqueezeExcitation(4, gate_activation="hard_sigmoid")),
    **{
        f"scse {way}": (lambda c, n, w=way: SCSE(c, n, w), lambda w=way: layers.ConcurrentSCSE(combination=w))
        for way in ("add", "max", "multiply", "concat")
    },
    "non-local": (lambda c, n: NL(c, n), lambda: layers.NonLocal(momentum=0.9)),
    "non-local scaled": (
        lambda c, n: NL(c, n, pool=(1, 2, 2)[3 - n :], scale=True),
        lambda: layers.NonLocal(sub_sample=True, use_scale=True, momentum=0.9),
    ),
    "non-local gaussian": (lambda c, n: NL(c, n, "gaussian"), lambda: layers.NonLocal("gaussian", momentum=0.9)),
    "non-local dot product": (lambda c, n: NL(c, n, "dot_product", pool=(2,) * n), None),
    "non-local concatenation": (
        lambda c, n: NL(c, n, "concatenation", batch_norm=False),
        lambda: layers.NonLocal("concatenation", batch_norm=False),
    ),
    "gc": (lambda c, n: GC(c, n), lambda: layers.GlobalContext(4)),
    "gc average": (
        lambda c, n: GC(c, n, False, ("multiply",)),
        lambda: layers.GlobalContext(4, pooling="average", fusion="multiply"),
    ),
    "gc both": (
        lambda c, n: GC(c, n, True, ("multiply", "add")),
        lambda: layers.GlobalContext(4, fusion=["multiply", "add"]),
    ),
    "cbam": (lambda c, n: CBAM(c, n), lambda: layers.CBAM(4, momentum=0.9)),
    "cbam of 3": (lambda c, n: CBAM(c, n, 3), lambda: layers.CBAM(4, 3, momentum=0.9)),
}


def made(name, axes):
    """The module and the layer with the same random weights and statistics."""
    theirs, ours = CASES[name]
    module = theirs(CHANNELS, axes)
    layer = layers.NonLocal("dot_product", sub_sample=(2,) * axes, momentum=0.9) if "dot" in name else ours()
    layer.build((None, *SIZES[axes], CHANNELS))
    rng = np.random.default_rng(1)
    given = [t for key, t in module.state_dict().items() if "num_batches" not in key]
    values = []
    for tensor, weight in zip(given, layer.weights, strict=True):
        value = (
            rng.uniform(0.5, 1.5, weight.shape) if "variance" in weight.name else 0.4 * rng.normal(size=weight.shape)
        )
        values.append(value.astype(np.float32))
        turned = values[-1] if value.ndim < 2 else np.moveaxis(values[-1], (-1, -2), (0, 1))
        tensor.copy_(torch.from_numpy(np.ascontiguousarray(turned.reshape(tensor.shape))))
    layer.set_weights(values)
    return module, layer


def as_ours(tensor, shape):
    value = tensor.detach().numpy()
    return np.moveaxis(value, (0, 1), (-1, -2)).reshape(shape) if value.ndim > 1 else value.reshape(shape)


@pytest.mark.parametrize("axes", SIZES)
@pytest.mark.parametrize("name", CASES)
def test_outputs_gradients_and_statistics(name, axes):
    with torch.no_grad():
        module, layer = made(name, axes)
    x = np.random.default_rng(2).standard_normal((3, *SIZES[axes], CHANNELS)).astype(np.float32)
    image = torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, 1)))
    want = np.moveaxis(module.eval()(image).detach().numpy(), 1, -1)
    np.testing.assert_allclose(layer(x), want, rtol=0, atol=1e-5 * np.abs(want).max())
    # training: what it gives, the slopes, the statistics it moves
    image.requires_grad_(True)
    out = module.train()(image)
    variable = Variable(x)
    with GradientTape() as tape:
        y = layer(variable, training=True)
        dy = np.random.default_rng(3).standard_normal(y.shape).astype(np.float32)
        loss = ops.sum(y * dy)
    (out * torch.from_numpy(np.ascontiguousarray(np.moveaxis(dy, -1, 1)))).sum().backward()
    want = np.moveaxis(out.detach().numpy(), 1, -1)
    np.testing.assert_allclose(np.asarray(y), want, rtol=0, atol=2e-5 * np.abs(want).max())
    slopes = [np.asarray(s) for s in tape.gradient(loss, [variable, *layer.trainable_weights])]
    wanted = [np.moveaxis(image.grad.numpy(), 1, -1)]
    wanted += [as_ours(p.grad, w.shape) for p, w in zip(module.parameters(), layer.trainable_weights, strict=True)]
    largest = max(np.abs(w).max() for w in wanted)
    for slope, right in zip(slopes, wanted, strict=True):
        np.testing.assert_allclose(slope, right, rtol=0, atol=1e-4 * np.abs(right).max() + 1e-6 * largest)
    if getattr(layer, "norm", None) is not None:
        np.testing.assert_allclose(layer.norm.moving_mean.numpy(), module.norm.running_mean.numpy(), atol=1e-5)
