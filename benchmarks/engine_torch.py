"""PyTorch: eager in both memory formats, and, for inference, traced, frozen and optimized."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import torch
import zoo
from networks_torch import NETWORKS, as_in_pytorch, load
from torch.nn import functional
from work import ZOO, Prepared, Work
from zoo_torch import ZooNet

FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}
CHANNELS_LAST = {1: None, 2: torch.channels_last, 3: torch.channels_last_3d}  # of images of that many axes


def start(threads: int) -> dict[str, object]:
    torch.set_num_threads(threads)
    return {"version": torch.__version__}


def variants(work: Work) -> tuple[str, ...]:
    if work.layer and work.layer.rank == 1 or work.part and not work.part.image:
        return ("contiguous",)
    if work.mode == "train" and work.is_application and work.network.is_heavy:
        return ("channels_last",)
    if not work.whole or work.mode == "train":
        return tuple(FORMATS)
    return (*FORMATS, "frozen")


def prepare(work: Work, variant: str) -> Prepared:
    if work.part:
        rank = len(work.part.shape) - 1
        return part(work, CHANNELS_LAST[rank] if variant == "channels_last" else FORMATS[variant])
    if work.layer:
        return layer(work, CHANNELS_LAST[work.layer.rank] if variant == "channels_last" else FORMATS[variant])
    return training(work, FORMATS[variant]) if work.mode == "train" else inference(work, variant)


def channels_first(x: np.ndarray, memory_format: torch.memory_format) -> torch.Tensor:
    """From (n, ..., c); a kernel's (..., c, k) becomes (k, c, ...) this way, too."""
    return torch.from_numpy(np.moveaxis(x, -1, 1)).contiguous(memory_format=memory_format)


def channels_last(x: torch.Tensor) -> np.ndarray:
    return np.moveaxis(x.detach().numpy(), 1, -1).copy()


def layer(work: Work, memory_format: torch.memory_format) -> Prepared:
    x, w, b, dy = work.layer_arrays()
    this, rank = work.layer, work.layer.rank
    backward = work.mode == "fwd+bwd"
    tx = channels_first(x, memory_format).requires_grad_(backward)
    # (..., c, k), of a transposed one (..., k, c): the last axis comes first
    tw = torch.from_numpy(w).permute(rank + 1, rank, *range(rank)).contiguous(memory_format=memory_format)
    tw = tw.requires_grad_(backward)
    tb = torch.from_numpy(b).requires_grad_(backward)
    tdy = channels_first(dy, memory_format)
    if this.transposed:
        function = getattr(functional, f"conv_transpose{rank}d")
        settings = (this.stride, this.pad, 0, this.groups, this.dilation)
    else:
        function = getattr(functional, f"conv{rank}d")
        settings = (this.stride, this.pad, this.dilation, this.groups)

    def call() -> torch.Tensor:
        with torch.set_grad_enabled(backward):
            y = function(tx, tw, tb, *settings)
            if backward:
                tx.grad = tw.grad = tb.grad = None
                y.backward(tdy)
            return y

    results = {"y": channels_last(call()[-1:])[0]}
    if backward:
        dw = tw.grad.permute(*range(2, rank + 2), 1, 0).numpy().copy()
        results |= {"dx": channels_last(tx.grad[-1:])[0], "dw": dw, "db": tb.grad.numpy().copy()}
    return Prepared(call, results, before=rewriting([tw]) if backward else None)


def rewriting(parameters: list[torch.Tensor]) -> Callable[[], None]:
    """What writes the same weights again, as an optimizer writes others: cconv's are written before each call, too."""
    kept = [parameter.detach().clone() for parameter in parameters]

    def rewrite() -> None:
        with torch.no_grad():
            for parameter, values in zip(parameters, kept, strict=True):
                parameter.copy_(values)

    return rewrite


def part(work: Work, memory_format: torch.memory_format) -> Prepared:
    import parts_torch

    x, weights = work.part_arrays()
    this, backward = work.part, work.mode == "fwd+bwd"
    tx = channels_first(x, memory_format) if this.image else torch.from_numpy(x)
    tx = tx.requires_grad_(backward and not this.numbers)
    function, parameters = parts_torch.made(this, [torch.from_numpy(w) for w in weights])
    parameters = [w.requires_grad_(backward) for w in parameters]

    def there(y: torch.Tensor) -> np.ndarray:
        return channels_last(y) if this.image else y.detach().numpy().copy()

    with torch.no_grad():
        shape = there(function(tx)).shape
    dy = work.part_gradient(shape)
    tdy = channels_first(dy, memory_format) if this.image else torch.from_numpy(dy)

    def call() -> torch.Tensor:
        with torch.set_grad_enabled(backward):
            y = function(tx)
            if backward:
                tx.grad = None
                for parameter in parameters:
                    parameter.grad = None
                y.backward(tdy)
            return y

    results = {"y": there(call()[-1:])[0]}
    if backward:
        if not this.numbers:
            results["dx"] = there(tx.grad[-1:])[0]
        gradients = parts_torch.gradients(this, parameters)
        results |= {f"dw{i}": gradients[i].numpy().copy() for i in this.compared}
    return Prepared(call, results, before=rewriting(parameters) if backward else None)


def loaded(work: Work) -> torch.nn.Module:
    """The network with the weights cconv has left in a file."""
    if work.is_application:
        return application(work)
    if work.name in ZOO:
        net: torch.nn.Module = ZooNet(zoo.described(work.name, work.network.side, work.network.channels))
    else:
        net = NETWORKS[work.name]()
    with np.load(work.file(".npz")) as file:
        load(net, dict(file))
    return net


def application(work: Work) -> torch.nn.Module:
    """A network of `cconv.applications`."""
    from applications_torch import ApplicationNet

    config = json.loads(work.file(".json").read_text(encoding="utf-8"))["config"]
    with np.load(work.file(".npz")) as file:
        return ApplicationNet(config, dict(file))


def paddings_changed(net: torch.nn.Module, work: Work) -> bool:
    """Pads as one does in PyTorch, see `as_in_pytorch`; whether that is another way than before."""
    if work.is_application:
        import applications_torch

        return applications_torch.as_in_pytorch(net)
    as_in_pytorch(net)
    return True


def training(work: Work, memory_format: torch.memory_format) -> Prepared:
    net = loaded(work).train().to(memory_format=memory_format)
    images, labels = work.images()
    x, y = channels_first(images, memory_format), torch.from_numpy(labels)
    rate = work.network.rate
    if work.network.adam:
        optimizer: torch.optim.Optimizer = torch.optim.Adam(net.parameters(), rate, eps=1e-7)
    else:
        optimizer = torch.optim.SGD(net.parameters(), rate, momentum=0.9)

    def call() -> float:
        optimizer.zero_grad()
        loss = functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    results = {"losses": np.array([call(), call()])}
    paddings_changed(net, work)
    return Prepared(call, results)


def frozen(net: torch.nn.Module, x: torch.Tensor) -> Callable:
    """Traced, frozen and optimized; not optimized where that changes what the network says, as of InceptionResNetV1."""
    with torch.no_grad():
        optimized = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, x)))
        if torch.allclose(optimized(x), net(x), rtol=0, atol=1e-3):
            return optimized
        return torch.jit.freeze(torch.jit.trace(net, x))


def inference(work: Work, variant: str) -> Prepared:
    memory_format = FORMATS.get(variant, torch.channels_last)
    net = torch.nn.Sequential(loaded(work), torch.nn.Softmax(1)).eval().to(memory_format=memory_format)
    x = channels_first(work.images()[0], memory_format)
    size = work.at_once

    def calling() -> Callable[[], list[np.ndarray]]:
        infer: Callable = net
        if variant == "frozen":
            infer = frozen(net, x[:size])

        def call() -> list[np.ndarray]:
            with torch.inference_mode():
                return [infer(x[at : at + size]).numpy() for at in range(0, len(x), size)]

        call()  # what is traced is compiled in its first runs
        return call

    call = calling()
    y = call()[0][:8]
    results = {"y": np.moveaxis(y, 1, -1).copy()}
    return Prepared(calling() if paddings_changed(net, work) else call, results)
