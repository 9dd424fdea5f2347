"""The layers of a model's JSON in Keras' form, as far as a chain of modules needs them."""

from __future__ import annotations

from typing import Any, NamedTuple

Key = tuple[str, int]  # a layer's name, and which of its outputs


class Value(NamedTuple):
    """What the JSON says of a tensor; its shape is in Keras' order."""

    key: Key
    shape: tuple[int | None, ...]


class Layer(NamedTuple):
    """A layer or a function between layers, what it reads, and a number that it reads beside."""

    kind: str
    name: str
    config: dict[str, Any]
    inputs: list[Value]
    number: float | None = None


def flat(config: dict[str, Any]) -> list[Layer]:
    """The model's layers but its input, in the place of a `Sequential` its own."""
    found: list[Layer] = []
    ends: dict[str, str] = {}  # of each `Sequential` the last layer

    def walk(x: Any) -> list[Value]:
        if isinstance(x, list):
            return [value for each in x for value in walk(each)]
        if isinstance(x, dict) and x.get("class_name") == "__keras_tensor__":
            name, _, output = x["config"]["keras_history"]
            return [Value((ends.get(name, name), output), tuple(x["config"]["shape"]))]
        return []

    for layer in config["layers"]:
        for call in layer["inbound_nodes"]:
            values, numbers = walk(call["args"]), [x for x in call["args"] if isinstance(x, float)]
            if layer["class_name"] != "Sequential":
                number = numbers[0] if numbers else None
                found.append(Layer(layer["class_name"], layer["name"], layer["config"], values, number))
                continue
            for inner in layer["config"]["layers"]:
                name = inner["config"]["name"]
                values = [values[0]._replace(shape=tuple(inner["build_config"]["input_shape"]))]
                found.append(Layer(inner["class_name"], name, inner["config"], values))
                values = [Value((name, 0), ())]
            ends[layer["name"]] = name
    return found
