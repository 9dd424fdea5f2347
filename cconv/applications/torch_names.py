"""The names of networks' layers in the files of torchvision and timm, which mostly has the same.

A further network needs a table here, or in its own module, and `make_model(..., tables=(TABLE,))`: see
`cconv.saving.name_tables.NameTable` for what a table may say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..saving.name_tables import NameTable

_SOURCE = "torchvision"
_VGG_TOPS = {
    _SOURCE: {"fc1": "classifier.0", "fc2": "classifier.3", "predictions": "classifier.6"},
    "timm": {"fc1": "pre_logits.fc1", "fc2": "pre_logits.fc2", "predictions": "head.fc"},
}

RESNET = NameTable(
    _SOURCE,
    {
        "conv1_conv": "conv1",
        "conv1_bn": "bn1",
        "conv{i}_block{j}_0_conv": "layer{i-1}.{j-1}.downsample.0",
        "conv{i}_block{j}_0_bn": "layer{i-1}.{j-1}.downsample.1",
        "conv{i}_block{j}_{k}_conv": "layer{i-1}.{j-1}.conv{k}",
        "conv{i}_block{j}_{k}_bn": "layer{i-1}.{j-1}.bn{k}",
    },
    top={"predictions": "fc"},
    zero_biases=True,  # Keras' convolutions have some, in front of batch normalization
)

# Keras' form of the network, which has the weights in the same shapes, but computes something else with them
RESNET_LIKE_KERAS = replace(
    RESNET,
    note="ResNet of torchvision and timm has its strides in the convolutions of 3x3, this model in those of 1x1, as "
    "Keras has. Which of them the file was trained for it does not say; the other gives worse results. For files of "
    "torchvision make the model with `like='torchvision'`.",
)

DENSENET = NameTable(
    _SOURCE,
    {
        "conv1_conv": "features.conv0",
        "conv1_bn": "features.norm0",
        "conv{i}_block{j}_0_bn": "features.denseblock{i-1}.denselayer{j}.norm1",
        "conv{i}_block{j}_1_conv": "features.denseblock{i-1}.denselayer{j}.conv1",
        "conv{i}_block{j}_1_bn": "features.denseblock{i-1}.denselayer{j}.norm2",
        "conv{i}_block{j}_2_conv": "features.denseblock{i-1}.denselayer{j}.conv2",
        "pool{i}_bn": "features.transition{i-1}.norm",
        "pool{i}_conv": "features.transition{i-1}.conv",
        "bn": "features.norm5",
    },
    top={"predictions": "classifier"},
    renamed=((r"(\.denselayer\d+\.(?:norm|conv))\.(\d)", r"\1\2"),),  # the published files are older than the names
)

MOBILENET_V2 = NameTable(
    _SOURCE,
    {
        "Conv1": "features.0.0",
        "bn_Conv1": "features.0.1",
        "expanded_conv_depthwise": "features.1.conv.0.0",
        "expanded_conv_depthwise_BN": "features.1.conv.0.1",
        "expanded_conv_project": "features.1.conv.1",
        "expanded_conv_project_BN": "features.1.conv.2",
        "block_{i}_expand": "features.{i+1}.conv.0.0",
        "block_{i}_expand_BN": "features.{i+1}.conv.0.1",
        "block_{i}_depthwise": "features.{i+1}.conv.1.0",
        "block_{i}_depthwise_BN": "features.{i+1}.conv.1.1",
        "block_{i}_project": "features.{i+1}.conv.2",
        "block_{i}_project_BN": "features.{i+1}.conv.3",
        "Conv_1": "features.18.0",
        "Conv_1_bn": "features.18.1",
    },
    top={"predictions": "classifier.1"},
)

_MOBILENET_V2_BLOCKS = [(stage, i) for stage, count in enumerate((1, 2, 3, 4, 3, 3, 1)) for i in range(count)]
MOBILENET_V2_TIMM = NameTable(
    "timm",
    {
        "Conv1": "conv_stem",
        "bn_Conv1": "bn1",
        "expanded_conv_depthwise": "blocks.0.0.conv_dw",
        "expanded_conv_depthwise_BN": "blocks.0.0.bn1",
        "expanded_conv_project": "blocks.0.0.conv_pw",
        "expanded_conv_project_BN": "blocks.0.0.bn2",
        **{
            f"block_{number}_{ours}": f"blocks.{stage}.{i}.{theirs}"
            for number, (stage, i) in enumerate(_MOBILENET_V2_BLOCKS)
            for ours, theirs in (
                ("expand", "conv_pw"),
                ("expand_BN", "bn1"),
                ("depthwise", "conv_dw"),
                ("depthwise_BN", "bn2"),
                ("project", "conv_pwl"),
                ("project_BN", "bn3"),
            )
            if number
        },
        "Conv_1": "conv_head",
        "Conv_1_bn": "bn2",
    },
    top={"predictions": "classifier"},
)

_MOBILENET_V2_NOTE = (
    "MobileNetV2 of torchvision and timm has other zeros around images before strides, and another epsilon in its "
    "batch normalization, than this model, which is Keras': results will be worse than those the file was trained "
    "for. For such files make the model with `like='torchvision'`."
)
MOBILENET_V2_LIKE_KERAS = tuple(replace(table, note=_MOBILENET_V2_NOTE) for table in (MOBILENET_V2, MOBILENET_V2_TIMM))


def vgg(blocks: Sequence[tuple[int, int]], batch_norm: bool) -> tuple[NameTable, ...]:
    """The tables of a VGG of these blocks (channels, convolutions), and of one with batch normalization.

    There, modules are numbered through all of the network: convolution, perhaps normalization, activation, pooling. A
    model without normalization takes files with it, too, folded into its convolutions.
    """
    tables = []
    for step in (3,) if batch_norm else (2, 3):
        at, layers, norms = 0, {}, {}
        for i, (_, convolutions) in enumerate(blocks, 1):
            for j in range(1, convolutions + 1):
                layers[f"block{i}_conv{j}"] = f"features.{at}"
                norms[f"block{i}_conv{j}"] = f"features.{at + 1}"
                at += step
            at += 1
        rest = {"flattened": {"fc1": blocks[-1][0]}, "folded": norms if step == 3 and not batch_norm else {}}
        if batch_norm:
            layers |= {f"{name}_bn": norm for name, norm in norms.items()}
        tables += [NameTable(source, layers, top=top, **rest) for source, top in _VGG_TOPS.items()]
    return tuple(tables)


_LEFT = {"left_depthwise_conv": 0, "left_depthwise_bn": 1, "left_conv": 2, "left_bn": 3}
_RIGHT = {"reduce_conv": 0, "reduce_bn": 1, "depthwise_conv": 3, "depthwise_bn": 4, "expand_conv": 5, "expand_bn": 6}

SHUFFLENET_V2 = NameTable(
    _SOURCE,
    {
        "stem_conv": "conv1.0",
        "stem_bn": "conv1.1",
        **{f"stage{{i}}_unit{{j}}_{name}": f"stage{{i}}.{{j-1}}.branch1.{at}" for name, at in _LEFT.items()},
        **{f"stage{{i}}_unit{{j}}_{name}": f"stage{{i}}.{{j-1}}.branch2.{at}" for name, at in _RIGHT.items()},
        "head_conv": "conv5.0",
        "head_bn": "conv5.1",
    },
    top={"predictions": "fc"},
)

ALEXNET = NameTable(  # of one tower
    _SOURCE,
    {f"conv{i}": f"features.{at}" for i, at in enumerate((0, 3, 6, 8, 10), 1)},
    top={"fc6": "classifier.1", "fc7": "classifier.4", "predictions": "classifier.6"},
    flattened={"fc6": 256},
)


def squeezenet(halved: Sequence[int]) -> NameTable:
    """The table of a SqueezeNet whose images are halved before these fire modules, 2 to 9.

    There, modules and poolings are numbered together.
    """
    at, layers = 2, {"conv1": "features.0"}
    for i in range(2, 10):
        at += i in halved
        parts = {"squeeze1x1": "squeeze", "expand1x1": "expand1x1", "expand3x3": "expand3x3"}
        layers |= {f"fire{i}_{part}": f"features.{at}.{module}" for part, module in parts.items()}
        at += 1
    return NameTable(_SOURCE, layers, top={"conv10": "classifier.1"})
