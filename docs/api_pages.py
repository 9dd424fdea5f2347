"""Which page of docs/api describes which names: read by docs/make_api.py."""

from __future__ import annotations

from typing import NamedTuple


class Page(NamedTuple):
    file: str
    title: str
    modules: str  # public ones
    parts: str = ""  # which of their modules define what stands here; by default whatever is on no page above


PAGES = (
    Page("models", "Models", "models"),
    Page("layers-convolution", "Layers: convolution", "layers", "conv conv_transpose depthwise_conv separable_conv"),
    Page("layers-pooling", "Layers: pooling", "layers", "pooling global_pooling adaptive_pooling"),
    Page(
        "layers-normalization",
        "Layers: normalization",
        "layers",
        "normalization sample_normalization spectral_normalization",
    ),
    Page("layers-dropout", "Layers: dropout, noise, penalties", "layers", "regularization"),
    Page("layers-attention", "Layers: attention", "layers", "attention multi_head_attention grouped_query_attention"),
    Page(
        "layers-attention-blocks",
        "Layers: attention in images",
        "layers",
        "squeeze_excitation concurrent_scse non_local global_context cbam",
    ),
    Page("layers-merging", "Layers: merging", "layers", "merging"),
    Page("layers-shapes", "Layers: shapes and sizes", "layers", "reshaping padding cropping up_sampling resizing"),
    Page("layers-augmentation", "Layers: augmentation", "layers", "augmentation"),
    Page("layers", "Layers: the base, dense, activations, and others", "layers"),
    Page("activations", "Activations", "activations"),
    Page(
        "ops-arithmetic",
        "Ops: arithmetic",
        "ops",
        "arithmetic powers rounding exponential trigonometry comparison bitwise",
    ),
    Page("ops-reductions", "Ops: reductions", "ops", "reductions nan_reductions cumulation sorting counting"),
    Page("ops-shapes", "Ops: shapes", "ops", "shapes joining arrangement indexing subscripts scatter"),
    Page("ops-matrices", "Ops: matrices", "ops ops.linalg", "contraction matrices linalg distances fourier"),
    Page("ops-image", "Ops: images", "ops.image"),
    Page("ops-basics", "Ops: tensors, ranges, control", "ops", "tensors ranges control own_gradients"),
    Page("ops-networks", "Ops: what layers are made of", "ops"),
    Page("losses", "Losses", "losses"),
    Page("metrics", "Metrics", "metrics"),
    Page("optimizers", "Optimizers", "optimizers"),
    Page("schedules", "Learning-rate schedules", "optimizers.schedules"),
    Page("initializers", "Initializers", "initializers"),
    Page("regularizers", "Regularizers", "regularizers"),
    Page("constraints", "Constraints", "constraints"),
    Page("callbacks", "Callbacks", "callbacks"),
    Page("data", "Data sets of steps", "data", "pipeline"),
    Page("datasets", "Well-known data", "datasets.mnist datasets.fashion_mnist datasets.cifar10 datasets.cifar100"),
    Page("utils", "Helpers", "utils"),
    Page("preprocessing", "Old names of helpers", "preprocessing.image preprocessing.sequence"),
    Page("bounding-boxes", "Bounding boxes", "utils.bounding_boxes"),
    Page("random", "Random numbers", "random"),
    Page("tree", "Nested structures", "tree"),
    Page("saving", "Saving", "saving"),
    Page("onnx", "ONNX", "onnx"),
    Page("wrappers", "Estimators of scikit-learn", "wrappers"),
    Page("visualization", "Figures", "visualization"),
    Page(
        "applications",
        "Well-known networks",
        "applications applications.imagenet_utils applications.alexnet applications.convnext "
        "applications.densenet applications.efficientnet applications.efficientnet_lite "
        "applications.efficientnet_v2 applications.ghostnet applications.inception_resnet_v1 "
        "applications.inception_resnet_v2 applications.inception_v1 applications.inception_v2 "
        "applications.inception_v3 applications.inception_v4 applications.mixnet applications.mobilenet "
        "applications.mobilenet_v2 applications.mobilenet_v3 applications.nasnet applications.resnet50 "
        "applications.resnet_basic applications.resnet_v2 applications.shufflenet applications.shufflenet_v2 "
        "applications.squeezenet applications.vgg11 applications.vgg16 applications.xception",
    ),
    Page("config", "Settings", "config"),
    Page("backend", "Back end", "backend"),
    Page("dtype-policies", "Types of layers", "dtype_policies"),
    Page("cconv", "Tensors, variables, tapes, threads", ""),
)

# What stands in `__all__`, or has a docstring, for the other modules of the package.
OWN_USE = {
    "saving": "TensorReference deserialize_object object_sharing_scope serialize_object",
    "config": "standardize_data_format",
    "Callback": "in_groups end_group",
    "Dataset": "state resume",
    "Layer": "losses_for_tracing makes_mask",
    "Mean": "sums",
    "Metric": "accumulate add batch_values is_traced numbers resume state",
    "Operators": "squeeze",
    "Optimizer": "before_step clipping state_of",
    "Progbar": "due leave",
    "ProgbarLogger": "due",
    "Tensor": "history inputs node op value",
    "Variable": "current node",
}
