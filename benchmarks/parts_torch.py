"""The parts of networks as PyTorch has them: functions of x over parameters with the numbers of Keras' weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from parts import Part
from torch.nn import functional

Function = Callable[[torch.Tensor], torch.Tensor]


def made(part: Part, weights: list[torch.Tensor]) -> tuple[Function, list[torch.Tensor]]:
    """The function, and the parameters it reads."""
    settings = part.settings
    if part.attends:
        return attention(part, weights)
    if part.layer == "LayerNormalization":
        gamma, beta = weights
        return lambda x: functional.layer_norm(x, part.shape[-1:], gamma, beta, settings["epsilon"]), weights
    if part.layer == "GroupNormalization":
        gamma, beta = weights
        return lambda x: functional.group_norm(x, settings["groups"], gamma, beta, settings["epsilon"]), weights
    if part.layer == "RMSNormalization":
        return lambda x: functional.rms_norm(x, part.shape[-1:], weights[0], settings["epsilon"]), weights
    if part.layer == "Embedding":
        return lambda x: functional.embedding(x, weights[0]), weights
    return FUNCTIONS[part.layer](settings), weights


def scaled(settings: dict) -> Function:
    mode = settings.get("interpolation", "nearest")
    return lambda x: functional.interpolate(x, scale_factor=settings["size"], mode=mode)


def resized(settings: dict) -> Function:
    return lambda x: functional.interpolate(x, (settings["height"], settings["width"]), mode="bilinear")


FUNCTIONS: dict[str, Callable[[dict], Function]] = {
    "UpSampling2D": scaled,
    "Resizing": resized,
    "MaxPooling3D": lambda settings: lambda x: functional.max_pool3d(x, settings["pool_size"]),
    "AveragePooling3D": lambda settings: lambda x: functional.avg_pool3d(x, settings["pool_size"]),
    "Activation": lambda settings: functional.gelu,
    "Softmax": lambda settings: lambda x: functional.softmax(x, -1),
}


def attention(part: Part, weights: list[torch.Tensor]) -> tuple[Function, list[torch.Tensor]]:
    """Its module, whose projections of query, key and value are the rows of one matrix."""
    width = part.shape[-1]
    kernels, biases = weights[:6:2], weights[1:6:2]
    module = torch.nn.MultiheadAttention(width, part.settings["num_heads"], batch_first=True)
    with torch.no_grad():
        module.in_proj_weight.copy_(torch.cat([w.reshape(width, width).T for w in kernels]))
        module.in_proj_bias.copy_(torch.cat([b.reshape(width) for b in biases]))
        module.out_proj.weight.copy_(weights[6].reshape(width, width).T)
        module.out_proj.bias.copy_(weights[7])
    module.train()
    parameters = [module.in_proj_weight, module.in_proj_bias, module.out_proj.weight, module.out_proj.bias]
    return lambda x: module(x, x, x, need_weights=False)[0], parameters


def gradients(part: Part, parameters: list[torch.Tensor]) -> list[torch.Tensor]:
    """Of Keras' weights, in their order and shapes."""
    found = [p.grad for p in parameters]
    if not part.attends:
        return found
    kernels, biases = found[0].chunk(3), found[1].chunk(3)
    rows = [g for kernel, bias in zip(kernels, biases, strict=True) for g in (kernel.T, bias)]
    rows += [found[2].T, found[3]]
    return [g.reshape(shape) for g, shape in zip(rows, part.weights, strict=True)]
