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

    `calm`: the end of the names of the last normalizations of the blocks of a network of very many. Their gammas are
    small, as in such networks once they are trained: else roundings grow from block to block, beyond 1e-4 of the
    largest value in each engine (ResNet152: 1.3e-4 in Keras, 1.6e-4 here, beside float64).
    """
    rng = np.random.default_rng(0)
    for variable in model.weights:
        kind, shape = variable.path.split("/")[-1], tuple(variable.shape)
        if "kernel" in kind:
            inputs = np.prod(shape[:2] if len(shape) == 4 and shape[3] == 1 else shape[:-1])
            value = (2 / inputs) ** 0.5 * rng.standard_normal(shape, np.float32)
        elif variable.dtype == "int32":
            value = rng.integers(1, 9, shape)
        elif kind in ("moving_variance", "variance"):
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
    """Two. `side`: of both sides or of each, where the network leaves them open."""
    open_sizes = (*np.broadcast_to(side, 2), 3)
    sizes = [given if size is None else size for given, size in zip(open_sizes, model.input_shape[1:], strict=True)]
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
    assert ours.count_params() == theirs.count_params()


def assert_same(y, want, tolerance=1e-4):
    """Equal but for a share of the greatest value; what is compared depends on the image."""
    y, want = np.asarray(y), np.asarray(want)
    assert np.std(want, axis=0).max() > 1e-3 * np.abs(want).max()
    np.testing.assert_allclose(y, want, rtol=0, atol=tolerance * np.abs(want).max())


def assert_same_results(ours, theirs, x):
    """The same weights and outputs."""
    for a, b in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.value.detach().numpy())
    assert_same(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))


def check_keras(name, folder, gradients=False, calm=None, side=64, seed=1, **settings):
    """Keras' weights, by way of a file, give its outputs (and gradients); without a folder, by way of the memory.

    `side`: of the images where the network leaves it open. `seed`: of the images, see `check_torch`.
    """
    ours, theirs = build(cconv, name, **settings), build(keras, name, **settings)
    x = images(ours, side, seed=seed)
    randomize(ours, x, calm)
    for variable, given in zip(theirs.weights, ours.weights, strict=True):
        variable.assign(given.numpy())
    if folder is not None:
        theirs.save_weights(folder / "keras.weights.h5")
        ours = build(cconv, name, **{**settings, "weights": folder / "keras.weights.h5"})
    assert_same_layers(ours, theirs)
    assert_same_results(ours, theirs, x)
    if gradients:
        variables = [v.value for v in theirs.trainable_weights]
        compare_gradients(ours, x, theirs(torch.tensor(x), training=False), variables, lambda g, w: g)


def check_model_file(name, writer, folder, **settings):
    """The other one of Keras and cconv opens the file of a whole model: the same layers, weights and outputs."""
    ours, theirs = build(cconv, name, **settings), build(keras, name, **settings)
    x = images(ours)
    randomize(ours, x)
    path = folder / "model.keras"
    if writer is cconv:
        ours.save(path)
        theirs = keras.saving.load_model(path)
    else:
        theirs.set_weights(ours.get_weights())
        theirs.save(path)
        ours = cconv.saving.load_model(path)
    assert_same_layers(ours, theirs)
    assert_same_results(ours, theirs, x)


def compare_gradients(ours, x, outputs, variables, turned):
    """Gradients of all weights, of a sum of the outputs with random factors; those of PyTorch are `turned` to ours."""
    rng = np.random.default_rng(2)
    outputs = as_list(outputs)
    factors = [rng.standard_normal(tuple(y.shape)).astype(np.float32) for y in outputs]
    total = sum((y * torch.tensor(f)).sum() for y, f in zip(outputs, factors, strict=True))
    wanted = torch.autograd.grad(total, variables)
    with cconv.GradientTape() as tape:
        found = as_list(ours(x, training=False))
        loss = sum(cconv.ops.sum(y * f) for y, f in zip(found, factors, strict=True))
    found = tape.gradient(loss, ours.trainable_weights)
    for variable, g, want in zip(ours.trainable_weights, found, wanted, strict=True):
        want = turned(want.numpy(), variable)
        np.testing.assert_allclose(g, want, rtol=0, atol=1e-3 * np.abs(want).max() + 1e-9, err_msg=variable.path)


def as_list(outputs):
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def check_torch(ours, theirs, gradients=False, scale=1.0, branches=("",), seed=1, side=64, layers=None):
    """Our random weights in a network of PyTorch, layer by layer as they are executed, give the same outputs.

    `branches`: parts of the names of layers in the branches of a block, in PyTorch's order. `layers`: ours in that
    order, where names do not tell it. `seed`: of the images; with some a value is so near to 0 before a ReLU, or two in
    a window of a pooling to each other, that rounding decides about gradients.
    """
    x = images(ours, side, scale, seed)
    randomize(ours, x)
    theirs.eval()
    order, hooks = [], []
    for module in theirs.modules():
        if list(module.parameters(recurse=False)):
            hooks.append(module.register_forward_hook(lambda module, given, made: order.append(module)))
    pixels = torch.tensor(np.ascontiguousarray(np.moveaxis(x, -1, 1)))
    with torch.no_grad():
        theirs(pixels)
    for hook in hooks:
        hook.remove()
    pairs = {}
    layers = layers or in_order([layer for layer in ours.layers if layer.weights], branches)
    assert len(layers) == len(order)
    for layer, module in zip(layers, order, strict=True):
        pairs.update(copy_weights(layer, module))
    outputs = as_list(theirs(pixels))
    outputs = [y.permute(0, 2, 3, 1) if y.ndim == 4 else y for y in outputs]
    for y, want in zip(as_list(ours.predict(x, verbose=0)), outputs, strict=True):
        assert_same(y, want.detach().numpy())
    if gradients:
        parameters = [pairs[v.path][1] for v in ours.trainable_weights]
        compare_gradients(ours, x, outputs, parameters, lambda g, v: from_torch(g, pairs[v.path][0], len(v.shape)))


def copy_weights(layer, module):
    """Our weights to PyTorch; (layer, PyTorch's parameter or statistics) by the path of ours."""
    variables, targets = layer.weights, [module.weight, module.bias]
    if hasattr(module, "eps"):
        instances = isinstance(module, torch.nn.InstanceNorm2d)
        kind = cconv.layers.GroupNormalization if instances else cconv.layers.BatchNormalization
        assert isinstance(layer, kind) and layer.epsilon == module.eps, layer.name
        targets += [module.running_mean, module.running_var]
    elif module.bias is None and layer.use_bias:  # of Keras, before a normalization
        layer.bias.assign(np.zeros(layer.bias.shape))
        variables = [layer.kernel]
    pairs = list(zip(variables, [t for t in targets if t is not None], strict=True))
    for variable, target in pairs:
        with torch.no_grad():
            target.copy_(torch.tensor(as_torch(variable.numpy(), layer, target.ndim)))
    return {variable.path: (layer, target) for variable, target in pairs}


def flattened(net, name, shape):
    """The dense layer of this name takes features of this shape flattened in our order, channels last."""
    net.get_submodule(name).register_forward_pre_hook(
        lambda module, given: given[0].reshape(-1, *shape).permute(0, 2, 3, 1).flatten(1)
    )
    return net


def in_order(layers, branches):
    """Block by block, and in each branch by branch."""
    blocks = [re.match(r"(stage\d_unit\d|conv\d_block\d+|[^_]*)", layer.name)[0] for layer in layers]
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
