"""What is timed: a `Work` is one thing for every engine to do. Inputs come from a seed: engines need not share them.

A class here is pickled to the processes of the engines; everything an engine has to know is in it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from parts import Part

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))  # the table of layers is shared with the tests

from cases.layers import LAYERS as LAYERS  # noqa: E402
from cases.layers import LAYERS_1D as LAYERS_1D  # noqa: E402
from cases.layers import LAYERS_3D as LAYERS_3D  # noqa: E402
from cases.layers import LAYERS_TRANSPOSED as LAYERS_TRANSPOSED  # noqa: E402
from cases.layers import Layer  # noqa: E402

PREDICTED = 10_000  # images in the mode "predict"
PREDICT_BATCH = 125


@dataclass(frozen=True)
class Network:
    """A network as every engine has it: `side` and `channels` of its images, its classes.

    Args:
        rate: the learning rate of its training steps; small, for the same few images come again and again.
        adam: Adam instead of SGD with momentum 0.9.
        drops: it has dropout, so losses of engines agree roughly only.
        pixelwise: its classes are those of every pixel.
    """

    name: str
    side: int
    channels: int
    classes: int
    train_batch: int
    rate: float = 1e-4
    adam: bool = False
    drops: bool = False
    pixelwise: bool = False

    @property
    def brightest(self) -> float:
        """The largest value of its images."""
        return 1.0

    @property
    def image(self) -> tuple[int, int, int]:
        """The shape of its images."""
        return self.side, self.side, self.channels


NETWORKS = {
    network.name: network
    for network in (
        Network("mnist_convnet", 28, 1, 10, train_batch=128, rate=1e-3, adam=True, drops=True),
        Network("resnet20", 32, 3, 10, train_batch=128),
        Network("vgg16", 224, 3, 1000, train_batch=8),
        Network("resnet50", 224, 3, 1000, train_batch=8),
        Network("mobilenet_v2", 224, 3, 1000, train_batch=8),
    )
}
ZOO = {
    network.name: network
    for network in (
        Network("lenet", 32, 1, 10, train_batch=128),
        Network("mlp", 28, 1, 10, train_batch=128),
        Network("squeezenet", 224, 3, 1000, train_batch=8),
        Network("mobilenet_v3", 224, 3, 1000, train_batch=8),
        Network("efficientnet_b0", 224, 3, 1000, train_batch=8),
        Network("densenet121", 224, 3, 1000, train_batch=8),
        Network("googlenet", 224, 3, 1000, train_batch=8),
        Network("shufflenet", 224, 3, 1000, train_batch=8),
        Network("alexnet", 224, 3, 1000, train_batch=8),
        Network("yolov3_tiny", 416, 3, 80, train_batch=8),
        Network("unet_encoder", 256, 3, 10, train_batch=4),
        Network("se_resnet26", 224, 3, 1000, train_batch=8),
        Network("resnext26", 224, 3, 1000, train_batch=8),
        Network("xception", 299, 3, 1000, train_batch=4),
    )
}  # described in zoo.py
IN_APPLICATIONS = {"vgg16": "VGG16", "resnet50": "ResNet50", "mobilenet_v2": "MobileNetV2"}


def aligned(values: np.ndarray) -> np.ndarray:
    """A copy that begins at a cache line, as the arrays inside a network do; NumPy's own begin anywhere."""
    memory = np.empty(values.nbytes + 64, np.uint8)
    begin = -memory.ctypes.data % 64
    copy = memory[begin : begin + values.nbytes].view(values.dtype).reshape(values.shape)
    copy[...] = values
    return copy


@dataclass(frozen=True)
class Work:
    """One thing to time.

    Args:
        name: of a layer, another part of networks, or a network.
        batch: images in a call.
        mode: of a layer or part "forward" or "fwd+bwd" (with the gradients of input and weights); of a network
            "infer", "predict" (`PREDICTED` images) or "train" (a step with the optimizer).
        layer: the convolution, if it is one.
        part: the other part, if it is one; a network is neither.
        folder: where the engines leave files for each other: weights, ONNX.
        model: an ONNX file, which all engines open, of images (h, w, c) of the shape `image`; "": a network by name.
    """

    name: str
    batch: int
    mode: str
    layer: Layer | None = None
    folder: str = ""
    part: Part | None = None
    model: str = ""
    image: tuple[int, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it is a network."""
        return self.layer is None and self.part is None

    @property
    def infers(self) -> bool:
        """Whether it is a network's inference."""
        return self.whole and self.mode != "train"

    @property
    def at_once(self) -> int:
        """Images that a network gets at once: of "predict", which has many, a part."""
        return PREDICT_BATCH if self.mode == "predict" else self.batch

    @property
    def network(self) -> Network:
        if self.is_application:
            from applications import APPLICATIONS

            return APPLICATIONS[self.name]
        return NETWORKS.get(self.name) or ZOO[self.name]

    @property
    def is_application(self) -> bool:
        """Whether it is a network of `cconv.applications`."""
        return self.whole and not self.model and self.name not in NETWORKS and self.name not in ZOO

    @property
    def kind(self) -> str:
        if self.part is not None:
            return self.part.family
        return "network" if self.layer is None else self.layer.kind

    def __str__(self) -> str:
        return f"{self.name} batch {self.batch} {self.mode}"

    def layer_arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """x, w, b and dy of a layer, channels last. Images of a batch are alike but for their scale."""
        layer, rng = self.layer, np.random.default_rng(0)
        scale = np.linspace(0.5, 1, self.batch, dtype=np.float32).reshape(-1, *[1] * (layer.rank + 1))
        x = scale * rng.standard_normal((1, *layer.image), np.float32)
        w = rng.standard_normal(layer.weights, np.float32)
        w *= np.float32((w.size / layer.k) ** -0.5)
        dy = scale * rng.standard_normal((1, *layer.out, layer.k), np.float32)
        b = rng.standard_normal(layer.k, np.float32)
        return aligned(x), aligned(w), aligned(b), aligned(dy)

    def part_arrays(self) -> tuple[np.ndarray, list[np.ndarray]]:
        """x of a part, and its weights in Keras' order; kernels are such that results are of the size of x."""
        part, rng = self.part, np.random.default_rng(0)
        shape = (self.batch, *part.shape)
        if part.numbers:
            x = rng.integers(0, part.numbers, shape).astype(np.int32)
        else:
            x = rng.standard_normal(shape, np.float32)
        weights = [rng.standard_normal(w, np.float32) for w in part.weights]
        if part.attends:
            weights = [w * np.float32(part.shape[-1] ** -0.5) for w in weights]
        return aligned(x), weights

    def part_gradient(self, shape: tuple[int, ...]) -> np.ndarray:
        """The gradient of a part's output of this shape, channels last."""
        return aligned(np.random.default_rng(1).standard_normal(shape, np.float32))

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """Images (NHWC) and labels of a network."""
        if self.model:
            return np.random.default_rng(0).standard_normal((self.batch, *self.image), np.float32), np.empty(0)
        network, rng = self.network, np.random.default_rng(0)
        count = PREDICTED if self.mode == "predict" else self.batch
        x = rng.random((count, *network.image), np.float32) * np.float32(network.brightest)
        return x, rng.integers(0, network.classes, (count, *network.image[:2]) if network.pixelwise else count)

    def file(self, suffix: str) -> Path:
        """The file of a network that engines share, such as its weights."""
        return Path(self.folder) / f"{self.name}{suffix}"


@dataclass
class Prepared:
    """An engine's answer to a work.

    Args:
        call: does it once.
        results: what came out, by name, in NumPy and NHWC, to be compared with other engines'.
        flops: of one call, where the engine has counted them.
        before: done before each call, outside its time.
    """

    call: Callable[[], object]
    results: dict[str, np.ndarray] = field(default_factory=dict)
    flops: float = 0
    before: Callable[[], object] | None = None


def build_keras(keras: object, name: str) -> object:
    """The network from Keras' names: `keras` is Keras or cconv."""
    import networks
    import zoo
    import zoo_keras

    if name in ZOO:
        return zoo_keras.built(zoo.described(name, ZOO[name].side, ZOO[name].channels), keras, name)
    if name in IN_APPLICATIONS:
        return getattr(keras.applications, IN_APPLICATIONS[name])(weights=None)
    return getattr(networks, name)(keras)


def training_step(model: object, keras: object, work: Work, **settings: object) -> Prepared:
    """The model's `train_on_batch`, compiled with further `settings`; the first two losses are the result."""
    network = work.network
    optimizers = keras.optimizers
    optimizer = optimizers.Adam(network.rate) if network.adam else optimizers.SGD(network.rate, momentum=0.9)
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer, **settings)
    x, y = work.images()

    def call() -> float:
        return float(model.train_on_batch(x, y))

    return Prepared(call, {"losses": np.array([call(), call()])})


def agree(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray], work: Work) -> str:
    """Empty if both have done the same; else a sentence."""
    rough = work.whole and work.mode == "train" and work.network.drops
    tolerance = 0.2 if rough else 2e-3
    for name, want in theirs.items():
        have = ours.get(name)
        if have is None or have.shape != want.shape:
            return f"{name}: shape {None if have is None else have.shape}, the peer's {want.shape}"
        error = float(np.abs(have - want).max() / max(np.abs(want).max(), 1e-30))
        if not error <= tolerance:
            return f"{name} differs from the peer's by {error:.2g} of its largest number"
    return ""
