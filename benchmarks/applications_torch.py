"""A network of `cconv.applications` as one writes it in PyTorch, made of the model's JSON in Keras' form.

Images are (n, c, h, w), in either memory format. Zeros around an image are the padding of the convolution or pooling
that reads it, activations work in place where nothing else reads what they overwrite, so do sums, and a tensor goes as
soon as the last one has read it. Layers of the last axis (ConvNeXt's) see a permuted view, as in torchvision. A softmax
at the end is left out: the module gives logits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from applications_layers import Key, Layer, Value, flat
from applications_windows import Padded, pooling, windowed
from torch import nn
from torch.nn import functional

Function = Callable[..., torch.Tensor]
ACTIVATIONS: dict[str, Function] = {
    "relu": functional.relu,
    "relu6": functional.relu6,
    "silu": functional.silu,
    "hard_silu": functional.hardswish,
    "hard_sigmoid": functional.hardsigmoid,
    "sigmoid": torch.sigmoid,
    "gelu": functional.gelu,
}
IN_PLACE = ("relu", "relu6", "silu", "hard_silu", "hard_sigmoid")
NOTHING = ("linear", "softmax")
# what no gradient needs once it is computed, so that it can be overwritten
OVERWRITABLE = ("BatchNormalization", "Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Dense", "Add", "Concatenate",
                "LayerScale", "CustomScaleLayer")  # fmt: skip


class Step(NamedTuple):
    """What is done to some values, and which ones go then."""

    function: Function
    inputs: list[Key]
    output: str
    done: list[Key]


class ApplicationNet(nn.Module):
    """Modules have the names of the layers.

    Args:
        config: of the model, as in its JSON.
        weights: by the layer's name and number.
    """

    def __init__(self, config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
        super().__init__()
        self._weights = weights
        self._layers = flat(config)
        self._by_name = {layer.name: layer for layer in self._layers}
        self._same: dict[Key, Key] = {}  # values that are others
        self._last: set[Key] = set()  # values whose channels are the last axis
        self._flat: dict[Key, tuple[int, int, int]] = {}  # flattened images: channels, height, width
        self._merged = self._merge()
        self._readers = self._count()
        self.steps: list[Step] = []
        for layer in self._layers:
            if layer.name not in self._merged:
                self._add(layer)
        self._end = self._value(Value((config["output_layers"][0], 0), ()))
        self._forget()
        del self._weights, self._layers, self._by_name, self._merged

    # ---- what is read by whom

    def _merge(self) -> dict[str, tuple]:
        """Padding layers that belong to the one window behind them, and sums and products that make a hard sigmoid."""
        readers: dict[str, list[Layer]] = {}
        for layer in self._layers:
            for value in layer.inputs:
                readers.setdefault(value.key[0], []).append(layer)
        merged: dict[str, tuple] = {}
        for layer in self._layers:
            behind = readers.get(layer.name, [])
            if len(behind) != 1:
                continue
            after = behind[0]
            if layer.kind == "ZeroPadding2D" and after.config.get("padding") == "valid":
                merged[layer.name] = tuple(map(tuple, layer.config["padding"]))
            elif layer.kind == "Add" and layer.number == 3.0 and after.config.get("max_value") == 6.0:
                merged[layer.name] = ()
        return merged

    def _count(self) -> dict[Key, int]:
        found: dict[Key, int] = {}
        for layer in self._layers:
            for value in layer.inputs:
                found[value.key] = found.get(value.key, 0) + 1
        return found

    def _value(self, value: Value) -> Key:
        key = value.key
        while key in self._same:
            key = self._same[key]
        return key

    def _overwritable(self, value: Value) -> bool:
        """Whether nothing else reads it, now or for a gradient."""
        key = value.key
        while True:
            if self._readers.get(key) != 1:
                return False
            if key not in self._same:
                break
            key = self._same[key]
        layer = self._by_name.get(key[0])
        if layer is None or layer.kind not in OVERWRITABLE:
            return False
        return layer.config.get("activation", "linear") in NOTHING

    def _forget(self) -> None:
        """Notes at each step what is read there for the last time."""
        seen = {self._end}
        for i in reversed(range(len(self.steps))):
            step = self.steps[i]
            done = [key for key in dict.fromkeys(step.inputs) if key not in seen]
            seen.update(done)
            self.steps[i] = step._replace(done=done)

    # ---- making steps

    def _step(self, function: Function, inputs: list[Key], output: str) -> Key:
        self.steps.append(Step(function, inputs, output, []))
        return output, 0

    def _first(self, key: Key) -> Key:
        """The image with channels first."""
        if key not in self._last:
            return key
        return self._step(lambda x: x.permute(0, 3, 1, 2), [key], f"{key[0]}.first{len(self.steps)}")

    def _to_last(self, key: Key) -> Key:
        if key in self._last:
            return key
        turned = self._step(lambda x: x.permute(0, 2, 3, 1), [key], f"{key[0]}.last{len(self.steps)}")
        self._last.add(turned)
        return turned

    def _add(self, layer: Layer) -> None:
        name, inputs = layer.name, [self._value(value) for value in layer.inputs]
        make = getattr(self, f"_make_{layer.kind}", None)
        if make is None:
            raise NotImplementedError(f"{name}: no module for {layer.kind}")
        made = make(layer, layer.config, layer.inputs, inputs)
        if isinstance(made, tuple):  # another value
            if made != (name, 0):
                self._same[name, 0] = made
        elif made is not None:
            self._step(made, inputs, name)
            if inputs[0] in self._last:
                self._last.add((name, 0))

    def _activate(self, name: str, activation: str, key: Key, fresh: bool) -> Key:
        """The activation of a value; in place if nobody else has it."""
        if activation in NOTHING:
            return key
        function = ACTIVATIONS[activation]
        if fresh and activation in IN_PLACE:
            function = partial(function, inplace=True)
        made = self._step(function, [key], name)
        if key in self._last:
            self._last.add(made)
        return made

    def _module(self, name: str, module: nn.Module, key: Key, activation: str = "linear") -> Key:
        """A module applied to a value, and its activation."""
        self.add_module(name.replace(".", "_"), module)
        made = self._step(module, [key], name if activation in NOTHING else f"{name}.before")
        if key in self._last:
            self._last.add(made)
        return self._activate(name, activation, made, fresh=True)

    def _arrays(self, name: str) -> list[np.ndarray]:
        found = []
        while f"{name}/{len(found)}" in self._weights:
            found.append(self._weights[f"{name}/{len(found)}"])
        return found

    # ---- windows

    def _padding(self, value: Value) -> tuple[Value, tuple | None]:
        """The value before a padding layer that belongs to its reader, and how much that pads."""
        if outside := self._merged.get(value.key[0]):
            return self._by_name[value.key[0]].inputs[0], outside
        return value, None

    def _window(self, layer: Layer, config: dict, values: list[Value], inputs: list[Key]) -> Key:
        value, outside = self._padding(values[0])
        name, arrays = layer.name, self._arrays(layer.name)
        key = self._first(self._value(value))
        if layer.kind == "SeparableConv2D":
            first = windowed("DepthwiseConv2D", config | {"use_bias": False}, value.shape, outside, arrays[:1])
            key = self._module(f"{name}_depthwise", first, key)
            whole = {"kernel_size": [1, 1], "strides": [1, 1], "dilation_rate": [1, 1], "padding": "valid", "groups": 1}
            shape = (*value.shape[:3], arrays[1].shape[2])
            module = windowed("Conv2D", config | whole, shape, None, arrays[1:])
        else:
            module = windowed(layer.kind, config, value.shape, outside, arrays)
        return self._module(name, module, key, config["activation"])

    _make_Conv2D = _make_DepthwiseConv2D = _make_SeparableConv2D = _make_Conv2DTranspose = _window

    def _pool(self, layer: Layer, config: dict, values: list[Value], inputs: list[Key]) -> Key:
        value, outside = self._padding(values[0])
        module = pooling(layer.kind, config, value.shape, outside)
        return self._module(layer.name, module, self._first(self._value(value)))

    _make_MaxPooling2D = _make_AveragePooling2D = _pool

    # ---- the others, each as Keras' class is called

    def _make_Dense(self, layer, config, values, inputs):
        kernel, *bias = self._arrays(layer.name)
        if image := self._flat.get(inputs[0]):
            c, height, width = image
            kernel = kernel.reshape(height, width, c, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
        with torch.device("meta"):
            module = nn.Linear(*kernel.shape, bias=bool(bias))
        module.weight = parameter(kernel.T)
        if bias:
            module.bias = parameter(bias[0])
        key = self._to_last(inputs[0]) if len(values[0].shape) == 4 else inputs[0]
        return self._module(layer.name, module, key, config["activation"])

    def _make_BatchNormalization(self, layer, config, values, inputs):
        arrays = self._arrays(layer.name)
        module = nn.BatchNorm2d(len(arrays[0]), eps=config["epsilon"], momentum=1 - config["momentum"])
        module.running_var, module.running_mean = (torch.from_numpy(arrays.pop()) for _ in range(2))
        for wanted, name in ((config["center"], "bias"), (config["scale"], "weight")):
            if wanted:
                setattr(module, name, parameter(arrays.pop()))
            else:
                getattr(module, name).requires_grad_(False)
        return self._module(layer.name, module, self._first(inputs[0]))

    def _make_LayerNormalization(self, layer, config, values, inputs):
        weight, bias = self._arrays(layer.name)
        module = nn.LayerNorm(len(weight), eps=config["epsilon"])
        module.weight, module.bias = parameter(weight), parameter(bias)
        key = self._to_last(inputs[0]) if len(values[0].shape) == 4 else inputs[0]
        return self._module(layer.name, module, key)

    def _make_LayerScale(self, layer, config, values, inputs):
        (scale,) = self._arrays(layer.name)
        shape = scale.shape if inputs[0] in self._last else (*scale.shape, 1, 1)
        return self._module(layer.name, Scale(scale.reshape(shape)), inputs[0])

    def _make_Normalization(self, layer, config, values, inputs):
        mean, variance = self._arrays(layer.name)[:2] if config["mean"] is None else (
            np.asarray(config[part], np.float32) for part in ("mean", "variance"))  # fmt: skip
        deviation = np.sqrt(variance)
        return self._module(layer.name, Affine(1 / deviation, -mean / deviation), self._first(inputs[0]))

    def _make_Rescaling(self, layer, config, values, inputs):
        scale, offset = config["scale"], config["offset"]
        return lambda x: x * scale + offset

    def _make_Activation(self, layer, config, values, inputs):
        return self._activate(layer.name, config["activation"], inputs[0], self._overwritable(values[0]))

    def _make_ReLU(self, layer, config, values, inputs):
        before = self._by_name.get(values[0].key[0])
        if before is not None and before.name in self._merged:
            return self._value(before.inputs[0])  # see `_make_Multiply`
        activation = {None: "relu", 6.0: "relu6"}[config["max_value"]]
        return self._activate(layer.name, activation, inputs[0], self._overwritable(values[0]))

    def _make_Multiply(self, layer, config, values, inputs):
        if (factor := layer.number) is not None:
            before = self._by_name[values[0].key[0]]
            if before.kind == "ReLU" and before.inputs[0].key[0] in self._merged and factor == 1 / 6:
                return functional.hardsigmoid
            return lambda x: x * factor
        inputs[:] = [self._first(key) for key in inputs]
        return torch.mul

    def _make_Add(self, layer, config, values, inputs):
        if (term := layer.number) is not None:
            return lambda x: x + term
        inputs[:] = [self._first(key) for key in inputs]
        if len(inputs) == 2:
            for i in (1, 0):
                if self._overwritable(values[i]) and inputs[0] != inputs[1]:
                    return (lambda x, y: y.add_(x)) if i else (lambda x, y: x.add_(y))
        return lambda x, *others: sum(others, x)

    def _make_CustomScaleLayer(self, layer, config, values, inputs):
        return partial(torch.add, alpha=config["scale"])

    def _make_Concatenate(self, layer, config, values, inputs):
        inputs[:] = [self._first(key) for key in inputs]
        return lambda *x: torch.cat(x, 1)

    def _make_Split(self, layer, config, values, inputs):
        where, name = config["indices_or_sections"], layer.name
        split = self._step(lambda x: torch.tensor_split(x, where, dim=1), inputs, f"{name}.split")
        count = where if isinstance(where, int) else len(where) + 1
        for i in range(count):
            self._same[name, i] = self._step(lambda x, i=i: x[i], [split], f"{name}.{i}")

    def _make_ChannelShuffle(self, layer, config, values, inputs):
        return partial(functional.channel_shuffle, groups=config["groups"])

    def _make_LocalResponseNormalization(self, layer, config, values, inputs):
        settings = {"size": config["size"], "alpha": config["alpha"], "beta": config["beta"]}
        return partial(functional.local_response_norm, **settings, k=config.get("bias", 1.0))

    def _make_Pad(self, layer, config, values, inputs):
        (_, _), rows, columns, channels = config["pad_width"]
        return partial(functional.pad, pad=(*columns, *rows, *channels))

    def _make_ZeroPadding2D(self, layer, config, values, inputs):
        rows, columns = config["padding"]
        return partial(functional.pad, pad=(*columns, *rows))

    def _make_Cropping2D(self, layer, config, values, inputs):
        (top, bottom), (left, right) = config["cropping"]
        return lambda x: x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right]

    def _make_GlobalAveragePooling2D(self, layer, config, values, inputs):
        inputs[:] = [self._first(key) for key in inputs]
        return partial(torch.mean, dim=(2, 3), keepdim=config["keepdims"])

    def _make_Reshape(self, layer, config, values, inputs):
        shape, size = values[0].shape[1:], tuple(config["target_shape"])
        channels = max(shape)
        if sorted((*shape, *size))[:-2] != [1] * (len(shape) + len(size) - 2):
            raise NotImplementedError(f"{layer['name']}: from {shape} to {size}")
        return lambda x: x.view(-1, channels, *[1] * (len(size) - 1))

    def _make_Flatten(self, layer, config, values, inputs):
        height, width, channels = values[0].shape[1:]
        self._flat[layer.name, 0] = (channels, height, width)
        return partial(torch.flatten, start_dim=1)

    def _make_Dropout(self, layer, config, values, inputs):
        if config["rate"]:
            raise NotImplementedError(f"{layer['name']}: losses are compared, so its rate must be 0")
        return inputs[0]

    def _make_Softmax(self, layer, config, values, inputs):
        return inputs[0]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values: dict[Key, Any] = {self.steps[0].inputs[0]: x}
        del x
        for function, inputs, output, done in self.steps:
            values[output, 0] = function(*[values[key] for key in inputs])
            for key in done:
                del values[key]
        return values[self._end]


class Scale(nn.Module):
    """A factor for each channel, which is trained."""

    def __init__(self, factors: np.ndarray) -> None:
        super().__init__()
        self.factors = parameter(factors)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.factors


class Affine(nn.Module):
    """A fixed factor and term for each channel."""

    def __init__(self, factors: np.ndarray, terms: np.ndarray) -> None:
        super().__init__()
        for name, values in (("factors", factors), ("terms", terms)):
            self.register_buffer(name, torch.from_numpy(np.float32(values)).reshape(-1, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.addcmul(self.terms, x, self.factors)


def parameter(values: np.ndarray) -> nn.Parameter:
    return nn.Parameter(torch.from_numpy(np.ascontiguousarray(values)))


def as_in_pytorch(net: nn.Module) -> bool:
    """Pads windows of stride 2 evenly, as one does in PyTorch, where that is no more work; whether there were any."""
    return sum(module.pad_evenly() for module in net.modules() if isinstance(module, Padded)) > 0
