"""Configurations of Keras 1 and 2, and of the `.h5` files of Keras 3, in the form of today's, and back.

What has another name now is renamed, what is gone is left out where it says what is always so, and what a class without
a module belongs to follows from the place it stands in. Nothing is made or looked up here.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from ..trampoline import each, trampolined
from .keras1_config import of_keras1

MODELS = ("Sequential", "Model", "Functional")
# layers whose settings Keras writes without `trainable`, as those of operations
_WITHOUT_TRAINABLE = ("InputLayer", "Pipeline", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", *MODELS)
_CLASS_NAMES = {"GroupQueryAttention": "GroupedQueryAttention"}  # here, and in Keras' `.h5` files

# by the end of an argument's name: the module of what is given for it
_MODULES = {
    "initializer": "keras.initializers",
    "regularizer": "keras.regularizers",
    "constraint": "keras.constraints",
    "learning_rate": "keras.optimizers.schedules",
    "activation": "keras.layers",
    "layer": "keras",
}

# arguments that are gone, and the values that say no more than that
_ANY = object()
_OF_EVERY_LAYER = {"batch_input_shape": _ANY, "input_dtype": _ANY, "input_dim": _ANY, "input_length": _ANY}
_GONE: dict[str, dict[str, Any]] = {
    "BatchNormalization": {"fused": _ANY, "renorm": False, "virtual_batch_size": None, "adjustment": None},
    "Conv2DTranspose": {"groups": 1},
    "Conv1DTranspose": {"groups": 1},
    "Conv3DTranspose": {"groups": 1},
    "DepthwiseConv2D": {"groups": 1, "filters": None},
    "DepthwiseConv1D": {"groups": 1, "filters": None},
    "SeparableConv1D": {"groups": 1},
    "SeparableConv2D": {"groups": 1},
    "InputLayer": {"trainable": _ANY},
    "Embedding": {"activity_regularizer": None},
}
_KERNEL = {f"kernel_{part}": _ANY for part in ("initializer", "regularizer", "constraint")}  # of a base class, unused
for _name in ("DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"):
    _GONE[_name] |= _KERNEL
_RENAMED = {("LeakyReLU", "alpha"): "negative_slope"}
_OPTIMIZER_GONE = ("jit_compile", "is_legacy_optimizer")


def modern(config: Any, version: str = "2") -> dict[str, Any]:
    """The configuration of a model in today's form.

    Args:
        config: As it stands in a file: a dictionary with `class_name` and `config`.
        version: That of the Keras which wrote it.

    Raises:
        ValueError: It is not the configuration of a model.
    """
    if not isinstance(config, Mapping) or config.get("class_name") is None or "config" not in config:
        raise ValueError("expected the configuration of a model, a dictionary with 'class_name' and 'config'")
    return _layer(config, version[:1])


@trampolined
def _layer(data: Any, major: str) -> dict[str, Any]:
    if not isinstance(data, Mapping) or not isinstance(data.get("class_name"), str):
        raise ValueError(f"expected the configuration of a layer, found {data!r:.100}")
    name, config = data["class_name"], data.get("config")
    if name in MODELS and not isinstance(config, Mapping):
        config = {"layers": config}
    if not isinstance(config, Mapping):
        raise ValueError(f"expected the settings of {name} as a dictionary, found {config!r:.100}")
    if major == "1" and name not in MODELS:
        name, config = of_keras1(name, dict(config))
    module = "keras"
    name = next((ours for ours, theirs in _CLASS_NAMES.items() if theirs == name), name)
    if major == "3" and "inbound_nodes" in data and "trainable" not in config and name not in _WITHOUT_TRAINABLE:
        module = "keras.ops"  # an operation, which is no layer
    made = {**data, "module": data.get("module", module), "class_name": name, "config": None}
    made.setdefault("registered_name", None)
    if name in MODELS and "layers" in config:
        made["config"] = yield _model(config, major)
        made["class_name"] = "Functional" if name == "Model" else name
    else:
        made["config"] = _settings(name, config, major)
    if "inbound_nodes" in data:
        made["inbound_nodes"] = [_call(call) for call in data["inbound_nodes"]]
    if "name" not in made and "inbound_nodes" in made:
        made["name"] = made["config"].get("name")
    return made


def _model(config: Mapping[str, Any], major: str) -> Generator:
    layers = config["layers"]
    if not isinstance(layers, (list, tuple)):
        raise ValueError(f"expected a list of layers, found {layers!r:.100}")
    made = {**config, "layers": (yield each(lambda data: _layer.steps(data, major), layers))}
    if "input_layers" in config:
        for key in ("input_layers", "output_layers"):
            if major in "12" and isinstance(made[key], (list, tuple)) and len(made[key]) == 1:
                made[key] = made[key][0]  # a list also of the only one
        return made
    first = layers[0] if layers else {}
    settings = first.get("config") if isinstance(first, Mapping) else None
    shape = settings.get("batch_input_shape") if isinstance(settings, Mapping) else None
    if shape is not None and first["class_name"] not in ("InputLayer", *MODELS):
        settings = {"batch_shape": list(shape), "dtype": _dtype(settings.get("dtype"))}
        made["layers"].insert(0, {"module": "keras", "class_name": "InputLayer", "config": settings})
    return made


def _settings(name: str, config: Mapping[str, Any], major: str) -> dict[str, Any]:
    gone = {**_OF_EVERY_LAYER, **_GONE.get(name, {})}
    if name == "Embedding":  # which has one of its own
        del gone["input_dim"]
    made = {}
    for key, value in config.items():
        value = value["value"] if isinstance(value, Mapping) and value.get("type") == "ndarray" else value
        if name == "InputLayer" and key == "batch_input_shape":
            key = "batch_shape"
        elif key in gone and (gone[key] is _ANY or gone[key] == value):
            continue
        elif name == "BatchNormalization" and key == "axis" and isinstance(value, (list, tuple)) and len(value) == 1:
            value = value[0]
        elif key == "dtype" and name != "InputLayer":
            value = value if isinstance(value, Mapping) and "module" in value else _dtype(value)
        made[_RENAMED.get((name, key), key)] = _value(key, value, major)
    return made


def _dtype(value: Any) -> Any:
    """The name of a type; a policy of Keras 2 is a dictionary with its name."""
    if isinstance(value, Mapping) and isinstance(value.get("config"), Mapping):
        return value["config"].get("name")
    return value


def _value(key: str, value: Any, major: str) -> Any:
    """An object given for an argument, with the module that its class is in."""
    if not isinstance(value, Mapping) or "class_name" not in value:
        return value
    if value["class_name"] in MODELS:  # whose layers have none, though it may have one
        return _layer(value, major)
    if "module" in value:
        return value
    for end, module in _MODULES.items():
        if key.endswith(end):
            if end == "layer":
                return _layer(value, major)
            return {"module": module, "registered_name": None, **value}
    return value


def _call(call: Any) -> Any:
    """What a layer was called with: from lists of [layer, call, output, arguments] to arguments."""
    if isinstance(call, Mapping):
        return call
    tensors, arguments = [], {}
    for item in call:
        if not isinstance(item, (list, tuple)) or len(item) not in (3, 4):
            raise ValueError(f"expected [layer, call, output] for each input of a layer, found {item!r:.100}")
        tensors.append(_reference(item[:3]))
        arguments.update(item[3] if len(item) == 4 else {})
    arguments = {key: value for key, value in arguments.items() if value is not None}
    return {"args": [tensors[0] if len(tensors) == 1 else tensors], "kwargs": arguments}


def _reference(history: Any) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"shape": [], "dtype": "float32", "keras_history": history}}


def modern_training(config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `compile` in today's form."""
    made = {
        "optimizer": _optimizer(config["optimizer_config"]),
        "loss": _compiled(config.get("loss"), "keras.losses"),
        "loss_weights": config.get("loss_weights"),
        "metrics": _metrics(config.get("metrics")),
        "weighted_metrics": _metrics(config.get("weighted_metrics")),
    }
    return {key: value for key, value in made.items() if value is not None}


def _optimizer(data: Mapping[str, Any]) -> dict[str, Any]:
    name = data["class_name"].removeprefix("Custom>")
    config = {key: value for key, value in data["config"].items() if key not in _OPTIMIZER_GONE}
    if "lr" in config:
        config["learning_rate"] = config.pop("lr")
    decay = config.pop("decay", 0)
    rate = _value("learning_rate", config.get("learning_rate"), "3")
    if decay and not isinstance(rate, Mapping):
        settings = {"initial_learning_rate": rate, "decay_steps": 1, "decay_rate": decay}
        rate = {"module": _MODULES["learning_rate"], "class_name": "InverseTimeDecay", "config": settings}
    config["learning_rate"] = rate
    return {"module": "keras.optimizers", "class_name": name, "config": config, "registered_name": None}


def _compiled(value: Any, module: str) -> Any:
    """Losses or metrics, in any structure."""
    if isinstance(value, Mapping) and "class_name" in value and "config" in value:
        if "module" in value:
            return value
        config = dict(value["config"])
        if config.get("reduction") == "auto":
            config["reduction"] = "sum_over_batch_size"
        if value["class_name"] in ("MeanMetricWrapper", "LossFunctionWrapper"):
            return config["fn"]
        if config.get("fn") is None or isinstance(config.get("fn"), str):
            config.pop("fn", None)
        return {"module": module, "class_name": value["class_name"], "config": config, "registered_name": None}
    if isinstance(value, Mapping):
        return {key: _compiled(item, module) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_compiled(item, module) for item in value]
    return value


def _metrics(value: Any) -> Any:
    """Keras 2 lists them for each output, also for the only one."""
    if isinstance(value, (list, tuple)) and len(value) == 1 and isinstance(value[0], (list, tuple)):
        value = value[0]
    return _compiled(value, "keras.metrics")


# ---- and back: as Keras 3 writes `.h5` files -------------------------------------------------------------------------

# Keras does not find these again under their short names
_FULL_NAMES = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
}


@trampolined
def legacy(config: Mapping[str, Any]) -> dict[str, Any]:
    """Today's configuration of a model in the form of `.h5` files: layers without their modules."""
    made = {"class_name": config.get("registered_name") or config["class_name"], "config": dict(config["config"])}
    if ">" not in made["class_name"]:
        made["class_name"] = _CLASS_NAMES.get(config["class_name"], config["class_name"])
    if config["class_name"] in MODELS and "layers" in made["config"]:
        layers = made["config"]["layers"]
        made["config"]["layers"] = [
            {**inner, **{key: layer[key] for key in ("name", "inbound_nodes") if key in layer}}
            for layer, inner in zip(layers, (yield each(legacy.steps, layers)), strict=True)
        ]
    return made


def legacy_training(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The serialized arguments of `compile` in the form of `.h5` files."""
    made = {key: _bare(value) for key, value in arguments.items() if key != "optimizer"}
    optimizer = arguments["optimizer"]
    made["optimizer_config"] = {
        "class_name": optimizer.get("registered_name") or optimizer["class_name"],
        "config": optimizer["config"],
    }
    return made


def _bare(value: Any) -> Any:
    """Losses and metrics without their modules; functions by name."""
    if isinstance(value, Mapping) and "class_name" in value:
        if value["class_name"] in ("function", "class"):
            return value["config"]
        return {"class_name": value.get("registered_name") or value["class_name"], "config": value["config"]}
    if isinstance(value, Mapping):
        return {key: _bare(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_bare(item) for item in value]
    return _FULL_NAMES.get(value.lower(), value) if isinstance(value, str) else value
