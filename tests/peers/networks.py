"""Networks beside their peers: random values in all weights and statistics, the same outputs and gradients."""

import re

import keras
import numpy as np
import torch

import cconv


def build(k, name, **settings):
    """The network of Keras or cconv, whichever `k` is."""
    k.utils.clear_session()  # layers without a name of their own are numbered from the beginning
    return getattr(k.applications, name)(**{"weights": None, **settings})


def randomize(model, x, calm=None):
    """Random weights, and statistics near those that the images give, so that the outputs depend on the images.

    `calm`: the end of the names of the normalizations that end the blocks of a network of very many. Their gammas are
    small, as in such networks once they are trained: else roundings grow from block to block, beyond 1e-4 of the
    largest value in each engine (ResNet152: 1.3e-4 in Keras, 1.6e-4 here, beside float64).
    """
    rng = np.random.default_rng(0)
    for variable in model.weights:
        kind, shape = variable.path.split("/")[-1], tuple(variable.shape)
        if "kernel" in kind:
            inputs = np.prod(shape[:2] if len(shape) == 4 and shape[3] == 1 else shape[:-1])
            value = (2 / inputs) ** 0.5 * rng.standard_normal(shape, np.float32)
        elif kind in ("moving_variance", "variance") or shape == ():
            value = rng.uniform(0.5, 1.5, shape)
        elif kind in ("beta", "bias", "moving_mean", "mean"):
            value = 0.1 * rng.standard_normal(shape)
        else:  # gamma, under whatever name
            value = rng.uniform(0.6, 1.2, shape)
            if calm and variable.path.split("/")[-2].endswith(calm):
                value *= 0.3
        variable.assign(value)
    normalizations = [layer for layer in model.layers if isinstance(layer, cconv.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in normalizations]
    for layer in normalizations:
        layer.momentum = 0.0
    cconv.utils.set_random_seed(0)  # of what dropout leaves out
    model(x, training=True)  # the statistics are those of the batch
    for layer, momentum in zip(normalizations, momenta, strict=True):
        layer.momentum = momentum
        mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
        layer.moving_mean.assign(mean + 0.1 * np.sqrt(variance) * rng.standard_normal(mean.shape))
        layer.moving_variance.assign(variance * rng.uniform(0.7, 1.3, mean.shape) + 0.15 * variance.mean())


def images(model, side=64, scale=1.0, seed=1):
    sizes = [side if size is None else size for size in model.input_shape[1:]]
    return scale * np.random.default_rng(seed).uniform(0, 255, (2, *sizes)).astype(np.float32)


def listed(model):
    """Names, shapes and kinds of the weights; those that Keras numbers, without the number."""
    names = [re.sub(r"(variable)_\d+$", r"\1", v.path).split("/")[-2:] for v in model.weights]
    return [(name, tuple(v.shape), v.trainable) for name, v in zip(names, model.weights, strict=True)]


def assert_same_layers(ours, theirs):
    assert ours.name == theirs.name
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert [type(layer).__name__ for layer in ours.layers] == [type(layer).__name__ for layer in theirs.layers]
    assert listed(ours) == listed(theirs)
    assert [x.output.shape for x in ours.layers[1:]] == [tuple(x.output.shape) for x in theirs.layers[1:]]


def assert_same(y, want, tolerance=1e-4):
    """Equal but for a share of the greatest value; what is compared depends on the image."""
    y, want = np.asarray(y), np.asarray(want)
    assert np.std(want, axis=0).max() > 1e-3 * np.abs(want).max()
    np.testing.assert_allclose(y, want, rtol=0, atol=tolerance * np.abs(want).max())


def check_keras(name, folder, gradients=False, calm=None, **settings):
    """Keras' weights, by way of a file, give its outputs (and gradients); without a folder, by way of the memory."""
    ours, theirs = build(cconv, name, **settings), build(keras, name, **settings)
    x = images(ours)
    randomize(ours, x, calm)
    for variable, given in zip(theirs.weights, ours.weights, strict=True):
        variable.assign(given.numpy())
    if folder is not None:
        theirs.save_weights(folder / "keras.weights.h5")
        ours = build(cconv, name, **{**settings, "weights": folder / "keras.weights.h5"})
    assert_same_layers(ours, theirs)
    for a, b in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.value.detach().numpy())
    assert_same(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))
    if gradients:
        variables = [v.value for v in theirs.trainable_weights]
        compare_gradients(ours, x, theirs(torch.tensor(x), training=False), variables, lambda g, w: g)
    return ours, theirs


def compare_gradients(ours, x, y, variables, turned):
    """Gradients of all weights, of a sum of the outputs with random factors; those of PyTorch are `turned` to ours."""
    factors = np.random.default_rng(2).standard_normal(tuple(y.shape)).astype(np.float32)
    wanted = torch.autograd.grad((y * torch.tensor(factors)).sum(), variables)
    with cconv.GradientTape() as tape:
        loss = cconv.ops.sum(ours(x, training=False) * factors)
    found = tape.gradient(loss, ours.trainable_weights)
    for variable, g, want in zip(ours.trainable_weights, found, wanted, strict=True):
        want = turned(want.numpy(), variable)
        np.testing.assert_allclose(g, want, rtol=0, atol=1e-3 * np.abs(want).max() + 1e-9, err_msg=variable.path)


def check_torch(ours, theirs, gradients=False, scale=1.0, branches=("",), seed=1):
    """Our random weights in a network of PyTorch, layer by layer as they are executed, give the same outputs.

    `branches`: parts of the names of layers in the branches of a block, in PyTorch's order. `seed`: of the images; with
    some a value is so near to 0 before a ReLU that rounding decides about its gradient.
    """
    x = images(ours, scale=scale, seed=seed)
    randomize(ours, x)
    theirs.eval()
    order, hooks = [], []
    for module in theirs.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.BatchNorm2d, torch.nn.Linear)):
            hooks.append(module.register_forward_hook(lambda module, given, made: order.append(module)))
    pixels = torch.tensor(np.ascontiguousarray(np.moveaxis(x, -1, 1)))
    with torch.no_grad():
        theirs(pixels)
    for hook in hooks:
        hook.remove()
    pairs = {}
    layers = in_order([layer for layer in ours.layers if layer.weights], branches)
    assert len(layers) == len(order)
    for layer, module in zip(layers, order, strict=True):
        targets = [module.weight, module.bias]
        if isinstance(module, torch.nn.BatchNorm2d):
            assert isinstance(layer, cconv.layers.BatchNormalization) and layer.epsilon == module.eps, layer.name
            targets += [module.running_mean, module.running_var]
        for variable, target in zip(layer.weights, [t for t in targets if t is not None], strict=True):
            with torch.no_grad():
                target.copy_(torch.tensor(as_torch(variable.numpy(), layer, target.ndim)))
            pairs[id(variable)] = (layer, target)
    y = theirs(pixels)
    y = y.permute(0, 2, 3, 1) if y.ndim == 4 else y
    assert_same(ours.predict(x, verbose=0), y.detach().numpy())
    if gradients:
        parameters = [pairs[id(v)][1] for v in ours.trainable_weights]
        layer_of = {v.path: pairs[id(v)][0] for v in ours.trainable_weights}
        compare_gradients(ours, x, y, parameters, lambda g, v: from_torch(g, layer_of[v.path], len(v.shape)))


def in_order(layers, branches):
    """Block by block, and in each branch by branch."""
    blocks = [re.match(r"(stage\d_unit\d|[^_]*)", layer.name)[0] for layer in layers]
    longest = sorted(range(len(branches)), key=lambda i: -len(branches[i]))
    ranks = [next(i for i in longest if branches[i] in layer.name) for layer in layers]
    keys = [(blocks.index(block), rank, i) for i, (block, rank) in enumerate(zip(blocks, ranks, strict=True))]
    return [layer for _, layer in sorted(zip(keys, layers, strict=True), key=lambda pair: pair[0])]


def as_torch(value, layer, rank):
    if value.ndim == 4:
        turned = (2, 3, 0, 1) if isinstance(layer, cconv.layers.DepthwiseConv2D) else (3, 2, 0, 1)
        return np.ascontiguousarray(value.transpose(turned))
    if value.ndim == 2:
        return np.ascontiguousarray(value.T).reshape(*value.shape[::-1], *[1] * (rank - 2))
    return value


def from_torch(value, layer, rank):
    if rank == 4:
        return value.transpose((2, 3, 0, 1) if isinstance(layer, cconv.layers.DepthwiseConv2D) else (2, 3, 1, 0))
    return value.reshape(value.shape[:2]).T if rank == 2 else value
