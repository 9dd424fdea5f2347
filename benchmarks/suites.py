"""Which works each suite of the benchmark consists of."""

from __future__ import annotations

from pathlib import Path

from parts import PARTS
from work import LAYERS, LAYERS_1D, LAYERS_3D, LAYERS_TRANSPOSED, NETWORKS, ZOO, Layer, Work

MODES = ("forward", "fwd+bwd")


def layer_works(quick: bool) -> list[Work]:
    """Every layer of the table, forward and with all its gradients, for a batch of 1, 8 and 64."""
    return [
        Work(layer.name, batch, mode, layer)
        for layer in LAYERS
        for batch in ((8,) if quick else (1, 8, 64))
        for mode in MODES
    ]


def rank_works(quick: bool) -> list[Work]:
    """Convolutions of one and three axes and transposed ones, forward and with all their gradients."""
    tables = ((LAYERS_1D, (8,)), (LAYERS_3D, (1,)), (LAYERS_TRANSPOSED, (8,)))
    return [
        Work(layer.name, batch, mode, layer)
        for layers, batches in tables
        for layer in (layers[:3] if quick else layers)
        for batch in batches
        for mode in MODES
    ]


def part_works(quick: bool) -> list[Work]:
    """Attention, normalizations and what else networks have, forward and with all gradients, for a batch of 8."""
    return [Work(part.name, 2 if quick else 8, mode, part=part) for part in PARTS for mode in MODES]


def network_works(quick: bool) -> list[Work]:
    """Training steps, and inference of one image, of eight, and for the MNIST convnet of a whole test set."""
    works = []
    for network in NETWORKS.values():
        works += [Work(network.name, network.train_batch, "train"), Work(network.name, 1, "infer")]
        if network.name == "mnist_convnet":
            works.append(Work(network.name, 10_000, "predict"))
        elif not quick:
            works.append(Work(network.name, 8, "infer"))
    return [work for work in works if not (quick and work.name in ("vgg16", "resnet50"))]


def zoo_works(quick: bool) -> list[Work]:
    """Training steps and inference of one image and of eight, of the networks described in zoo.py."""
    works = []
    for network in ZOO.values():
        batches = (2,) if quick else (1, 8)
        works.append(Work(network.name, 2 if quick else network.train_batch, "train"))
        works += [Work(network.name, batch, "infer") for batch in batches]
    return works


def model_works(files: list[str], quick: bool) -> list[Work]:
    """Inference of one image and of eight: our networks, built here and as files, and networks of other ONNX files."""
    import onnx

    works = [work for work in network_works(quick) if work.mode == "infer"]
    for file in files:
        graph = onnx.load(file, load_external_data=False).graph
        weights = {tensor.name for tensor in graph.initializer}
        value = next(value for value in graph.input if value.name not in weights)
        c, h, w = (size.dim_value for size in value.type.tensor_type.shape.dim[1:])
        for batch in (1,) if quick else (1, 8):
            works.append(Work(Path(file).stem, batch, "infer", model=file, image=(h, w, c)))
    return works


def contention_works(quick: bool) -> list[Work]:
    """A training step, and inference of one image, of a small, a middling and a large network."""
    if quick:
        return [
            Work("mnist_convnet", 128, "train"),
            Work("mnist_convnet", 1, "infer"),
            Work("mobilenet_v2", 1, "infer"),
        ]
    names = ("mnist_convnet", "resnet20", "mobilenet_v2")
    return [
        work for name in names for work in (Work(name, NETWORKS[name].train_batch, "train"), Work(name, 1, "infer"))
    ]


def growth_works(quick: bool) -> dict[str, list[Work]]:
    """A 3x3 convolution that grows along one axis: axis -> works, the smallest first."""

    def grows(axis: str, sizes: tuple[int, ...]) -> list[Work]:
        works = []
        for mode in MODES:
            for size in sizes[:3] if quick else sizes:
                measures = {"batch": 4, "side": 28, "channels": 64, axis: size}
                side, channels = measures["side"], measures["channels"]
                works.append(
                    Work(
                        f"3x3_{axis}_{size}", measures["batch"], mode, Layer(f"{axis}_{size}", side, channels, channels)
                    )
                )
        return works

    return {
        "batch": grows("batch", (1, 2, 4, 8, 16, 32, 64, 128, 256)),
        "side": grows("side", (32, 64, 128, 256, 512)),
        "channels": grows("channels", (16, 32, 64, 128, 256, 512)),
    }
