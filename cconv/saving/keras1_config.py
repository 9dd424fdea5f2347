"""Layers of Keras 1 by the names that they and their arguments have had since Keras 2."""

from __future__ import annotations

from typing import Any

_CLASSES = {
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D",
    "Deconvolution2D": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
}
_MERGED = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate"}
_ARGUMENTS = {
    "nb_filter": "filters",
    "filter_length": "kernel_size",
    "subsample": "strides",
    "subsample_length": "strides",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "bias": "use_bias",
    "init": "kernel_initializer",
    "gamma_init": "gamma_initializer",
    "beta_init": "beta_initializer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "depthwise_init": "depthwise_initializer",
    "pointwise_init": "pointwise_initializer",
    "atrous_rate": "dilation_rate",
    "output_dim": "units",
    "p": "rate",
    "sigma": "stddev",
    "pool_length": "pool_size",
    "stride": "strides",
}
_INITIALIZERS = {"zero": "zeros", "one": "ones", "normal": "random_normal", "uniform": "random_uniform"}
_ORDERINGS = {"tf": "channels_last", "th": "channels_first", "default": None}
_GONE = frozenset({"input_dim", "input_length", "weights", "input_dtype"})


def of_keras1(name: str, config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Class and settings of a layer of Keras 1 by their later names.

    Raises:
        ValueError: It does something that no layer does any longer.
    """
    if name == "Merge":
        return _merge(config)
    if name == "BatchNormalization" and config.pop("mode", 0) not in (0, 2):
        raise ValueError("BatchNormalization with `mode=1` (each sample by itself) is a layer of Keras 1 only")
    if "nb_row" in config:
        config["kernel_size"] = [config.pop("nb_row"), config.pop("nb_col")]
    if "kernel_dim1" in config:
        config["kernel_size"] = [config.pop(f"kernel_dim{i}") for i in (1, 2, 3)]
    if name == "Deconvolution2D":
        config.pop("output_shape", None)
    made = {}
    for key, value in config.items():
        if key in _GONE:
            continue
        key = _ARGUMENTS.get(key, key)
        if key.endswith("initializer") and isinstance(value, str):
            value = _INITIALIZERS.get(value, value)
        elif key == "data_format" and value in _ORDERINGS:
            value = _ORDERINGS[value]
        elif key.endswith("regularizer") and isinstance(value, dict) and "name" in value:
            value = _named(value, "L1L2", ("l1", "l2"))
        elif key.endswith("constraint") and isinstance(value, dict) and "name" in value:
            value = _constraint(value)
        made[key] = value
    return _CLASSES.get(name, name), made


def _merge(config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    mode = config.get("mode")
    if mode not in _MERGED:
        raise ValueError(f"a Merge layer of mode {mode!r:.40} cannot be read: expected one of {', '.join(_MERGED)}")
    made = {key: config[key] for key in ("name", "trainable") if key in config}
    if mode == "concat":
        made["axis"] = config.get("concat_axis", -1)
    return _MERGED[mode], made


def _named(value: dict[str, Any], name: str, keys: tuple[str, ...]) -> dict[str, Any]:
    return {"class_name": name, "config": {key: value[key] for key in keys if key in value}}


def _constraint(value: dict[str, Any]) -> dict[str, Any]:
    config = {("max_value" if key == "m" else key): item for key, item in value.items() if key != "name"}
    return {"class_name": value["name"], "config": config}
