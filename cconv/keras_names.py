"""What Keras has and cconv has not, by name: whoever asks for it is told so, rather than that it does not exist."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .naming import nearest

#: public module -> the names of Keras 3 that it lacks
KERAS_ONLY: dict[str, frozenset[str]] = {
    module: frozenset(names.split())
    for module, names in {
        "cconv.layers": """
            AugMix Bidirectional ContrastLimitedAdaptiveHistogramEqualization ConvLSTM1D ConvLSTM2D ConvLSTM3D
            Equalization FlaxLayer GRU GRUCell HashedCrossing Hashing IntegerLookup JaxLayer LSTM LSTMCell
            MelSpectrogram RNN RandAugment RandomElasticTransform RandomGaussianBlur ReversibleEmbedding
            STFTSpectrogram SimpleRNN SimpleRNNCell SpectralNormalization StackedRNNCells StringLookup TFSMLayer
            TextVectorization TorchModuleWrapper deserialize serialize
        """,
        "cconv.losses": "CTC ctc",
        "cconv.optimizers": "LossScaleOptimizer MultiOptimizer Muon OptimizerMap ScheduleFreeAdamW",
        "cconv.initializers": "STFT STFTInitializer stft",
        "cconv.callbacks": "OrbaxCheckpoint",
        "cconv.ops": "ctc_decode ctc_loss jvp rearrange vectorize view",
        "cconv.ops.image": "elastic_transform gaussian_blur map_coordinates sobel_edges ssim",
        "cconv.utils": "Config FeatureSpace audio_dataset_from_directory text_dataset_from_directory",
        "cconv.applications": """
            ConvNeXtBase ConvNeXtLarge ConvNeXtSmall ConvNeXtTiny ConvNeXtXLarge DenseNet121 DenseNet169 DenseNet201
            EfficientNetB0 EfficientNetB1 EfficientNetB2 EfficientNetB3 EfficientNetB4 EfficientNetB5 EfficientNetB6
            EfficientNetB7 EfficientNetV2B0 EfficientNetV2B1 EfficientNetV2B2 EfficientNetV2B3 EfficientNetV2L
            EfficientNetV2M EfficientNetV2S InceptionResNetV2 InceptionV3 MobileNet MobileNetV3Large
            MobileNetV3Small NASNetLarge NASNetMobile ResNet101 ResNet101V2 ResNet152 ResNet152V2 ResNet50V2 VGG19
            Xception convnext densenet efficientnet efficientnet_v2 inception_resnet_v2 inception_v3 mobilenet
            mobilenet_v3 nasnet resnet_v2 vgg19 xception
        """,
        "cconv.saving": "KerasFileEditor",
        "cconv.datasets": "boston_housing california_housing imdb reuters",
        "cconv.config": """
            disable_traceback_filtering enable_traceback_filtering enable_unsafe_deserialization is_nnx_enabled
            is_traceback_filtering_enabled max_epochs max_steps_per_epoch set_max_epochs set_max_steps_per_epoch
        """,
        "cconv.dtype_policies": """
            AWQDTypePolicy DTypePolicyMap FloatDTypePolicy GPTQDTypePolicy Int4DTypePolicy QuantizedDTypePolicy
            QuantizedFloat8DTypePolicy
        """,
        "cconv.visualization": """
            draw_bounding_boxes draw_segmentation_masks plot_bounding_box_gallery plot_image_gallery
            plot_segmentation_mask_gallery
        """,
        "cconv": """
            FloatDTypePolicy Function Operation Quantizer RematScope StatelessScope SymbolicScope distillation
            distribution export mixed_precision preprocessing quantizers remat
        """,
    }.items()
}

#: layers that stay absent, by a word for what they are
OUT_OF_SCOPE: dict[str, frozenset[str]] = {
    "recurrent layers": frozenset(
        {
            "Bidirectional",
            "ConvLSTM1D",
            "ConvLSTM2D",
            "ConvLSTM3D",
            "GRU",
            "GRUCell",
            "LSTM",
            "LSTMCell",
            "RNN",
            "SimpleRNN",
            "SimpleRNNCell",
            "StackedRNNCells",
        }  # fmt: skip
    ),
}


def keras_only(module: str, name: object) -> bool:
    """Whether Keras has this name, in any case, in the module of the same name, and cconv has not."""
    return str(name).lower() in {item.lower() for item in KERAS_ONLY.get(module, ())}


def unknown(module: str, name: object, known: Iterable[str]) -> str:
    """What to say of a name that a public module does not have, where `known` are those it could have been."""
    for kind, names in OUT_OF_SCOPE.items():
        if module == "cconv.layers" and name in names:
            return f"cconv has no {kind}, {name!r} is out of its scope (Keras has)."
    if keras_only(module, name):
        return f"cconv has no {name!r} (Keras has)."
    return nearest(name, known)


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
