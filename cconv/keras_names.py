"""What Keras has and cconv has not, by name: who asks for it is told so and why, not that it does not exist."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .naming import nearest

#: why -> public module -> names
_ABSENT: dict[str, dict[str, str]] = {
    "recurrent layers are out of its scope": {
        "cconv.layers": """
            Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D GRU GRUCell LSTM LSTMCell RNN SimpleRNN SimpleRNNCell
            StackedRNNCells
        """,
    },
    "text, tables and sound are out of its scope": {
        "cconv.layers": """
            HashedCrossing Hashing IntegerLookup MelSpectrogram ReversibleEmbedding STFTSpectrogram StringLookup
            TextVectorization
        """,
        "cconv.losses": "CTC ctc",
        "cconv.ops": "ctc_decode ctc_loss",
        "cconv.ops.nn": "ctc_decode ctc_loss",
        "cconv.initializers": "STFT STFTInitializer stft",
        "cconv.utils": "FeatureSpace audio_dataset_from_directory text_dataset_from_directory",
        "cconv.datasets": "boston_housing california_housing imdb reuters",
    },
    "it belongs to another back end, and cconv computes by itself": {
        "cconv": "distribution",
        "cconv.callbacks": "OrbaxCheckpoint",
        "cconv.config": """
            disable_flash_attention enable_flash_attention is_flash_attention_enabled is_nnx_enabled
        """,
        "cconv.layers": "FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper",
    },
    "values are float32, and a lower precision will be an option of a plan": {
        "cconv": "FloatDTypePolicy Quantizer mixed_precision quantizers",
        "cconv.dtype_policies": """
            AWQDTypePolicy DTypePolicyMap FloatDTypePolicy GPTQDTypePolicy Int4DTypePolicy QuantizedDTypePolicy
            QuantizedFloat8DTypePolicy
        """,
        "cconv.optimizers": "LossScaleOptimizer",
    },
    "it is a part of Keras' own machinery": {
        "cconv": "Function Operation RematScope StatelessScope SymbolicScope remat",
        "cconv.config": """
            disable_traceback_filtering enable_traceback_filtering enable_unsafe_deserialization
            is_traceback_filtering_enabled max_epochs max_steps_per_epoch set_max_epochs set_max_steps_per_epoch
        """,
        "cconv.saving": "KerasFileEditor",
        "cconv.utils": "Config",
    },
    "it belongs to Keras' past, and its successors are in `cconv.layers` and `cconv.utils`": {
        "cconv": "legacy",
        "cconv.preprocessing": "text_dataset_from_directory",
        "cconv.optimizers": "legacy",
        "cconv.utils": "legacy",
    },
    "gradients flow backward only": {"cconv.ops": "jvp", "cconv.ops.linalg": "jvp"},
    "functions take whole arrays, and `reshape`, `transpose` and `cast` say the same": {
        "cconv.ops": "rearrange vectorize view",
        "cconv.ops.numpy": "vectorize view",
    },
    "it is not there yet": {
        "cconv": "distillation export",
    },
}

#: public module -> the names of Keras 3 that it lacks -> why
KERAS_ONLY: dict[str, dict[str, str]] = {}
for _why, _modules in _ABSENT.items():
    for _module, _names in _modules.items():
        KERAS_ONLY.setdefault(_module, {}).update(dict.fromkeys(_names.split(), _why))


def keras_only(module: str, name: object) -> str | None:
    """Why cconv has not what Keras has by this name, in any case, in the module of the same name; else `None`."""
    lacking = {item.lower(): why for item, why in KERAS_ONLY.get(module, {}).items()}
    return lacking.get(str(name).lower())


def unknown(module: str, name: object, known: Iterable[str]) -> str:
    """What to say of a name that a public module does not have, where `known` are those it could have been."""
    why = keras_only(module, name)
    return nearest(name, known) if why is None else f"cconv has no {name!r} (Keras has): {why}."


def getattr_of(namespace: dict[str, Any], others: Iterable[str] = ()) -> Callable[[str], object]:
    """The `__getattr__` of a public module: an error that says where a name is, or which are like it.

    Args:
        namespace: The module's `globals()`.
        others: Names that can be had of it beside those in `__all__`.
    """
    module = str(namespace["__name__"])

    def missing(name: str) -> object:
        known = [*(namespace.get("__all__") or (key for key in namespace if not key.startswith("_"))), *others]
        hint = "" if name.startswith("_") else f" {unknown(module, name, known)}"
        raise AttributeError(f"module {module!r} has no attribute {name!r}.{hint}")

    return missing
