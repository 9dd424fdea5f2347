"""The names of networks' layers in the files of torchvision and timm, which mostly has the same.

A further network needs a table here, or in its own module, and `make_model(..., tables=(TABLE,))`: see
`cconv.saving.name_tables.NameTable` for what a table may say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

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


def _numbered(counts: Sequence[int]) -> list[tuple[int, int, int]]:
    """Number of a block, counted from 1, its stage and its place there, of stages of so many blocks."""
    places = [(stage, i) for stage, count in enumerate(counts) for i in range(count)]
    return [(number, *place) for number, place in enumerate(places, 1)]


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
            f"block_{number - 1}_{ours}": f"blocks.{stage}.{i}.{theirs}"
            for number, stage, i in _numbered((1, 2, 3, 4, 3, 3, 1))[1:]
            for ours, theirs in (
                ("expand", "conv_pw"),
                ("expand_BN", "bn1"),
                ("depthwise", "conv_dw"),
                ("depthwise_BN", "bn2"),
                ("project", "conv_pwl"),
                ("project_BN", "bn3"),
            )
        },
        "Conv_1": "conv_head",
        "Conv_1_bn": "bn2",
    },
    top={"predictions": "classifier"},
)

_FIRST_OF_V3 = {"depthwise": "conv_dw", "depthwise_bn": "bn1", "project": "conv_pw", "project_bn": "bn2"}
_BLOCK_OF_V3 = {
    "expand": "conv_pw", "expand_bn": "bn1", "depthwise": "conv_dw", "depthwise_bn": "bn2", "project": "conv_pwl",
    "project_bn": "bn3",
}  # fmt: skip
_GATE_OF_V3 = {"squeeze_excite_conv": "se.conv_reduce", "squeeze_excite_conv_1": "se.conv_expand"}


def mobilenet_v3(blocks: Sequence[tuple[int, bool]]) -> tuple[NameTable, NameTable]:
    """The tables of a MobileNetV3 whose blocks have so many channels, and squeeze and excitation or not.

    timm counts blocks by stages, which are of one number of channels each; torchvision the steps of a block, too.
    """
    last = len(blocks) + 1
    vision = {"conv": "features.0.0", "conv_bn": "features.0.1"}
    timm = {"conv": "conv_stem", "conv_bn": "bn1"}
    stages = [len(list(stage)) for _, stage in groupby(blocks, key=lambda block: block[0])]
    for (number, stage, i), (_, gated) in zip(_numbered(stages), blocks, strict=True):
        prefix = f"expanded_conv_{number - 1}_" if number > 1 else "expanded_conv_"
        parts = (_BLOCK_OF_V3 if number > 1 else _FIRST_OF_V3) | _GATE_OF_V3
        timm |= {prefix + part: f"blocks.{stage}.{i}.{module}" for part, module in parts.items()}
        steps = [*["expand"] * (number > 1), "depthwise", *["squeeze_excite_conv"] * gated, "project"]
        for k, step in enumerate(steps):
            module = f"features.{number}.block.{k}"
            ends = {"": ".fc1", "_1": ".fc2"} if step == "squeeze_excite_conv" else {"": ".0", "_bn": ".1"}
            vision |= {prefix + step + end: module + at for end, at in ends.items()}
    vision |= {"conv_1": f"features.{last}.0", "conv_1_bn": f"features.{last}.1"}
    timm |= {"conv_1": f"blocks.{len(stages)}.0.conv", "conv_1_bn": f"blocks.{len(stages)}.0.bn1"}
    return (
        NameTable("timm", timm, top={"conv_2": "conv_head", "logits": "classifier"}),
        NameTable(_SOURCE, vision, top={"conv_2": "classifier.0", "logits": "classifier.3"}),
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


_ENDS = {"stem_conv": "conv_stem", "stem_bn": "bn1", "top_conv": "conv_head", "top_bn": "bn2"}
_SEPARABLE = {
    "expand_conv": "conv_pw", "expand_bn": "bn1", "dwconv": "conv_dw", "dwconv2": "conv_dw", "bn": "bn2",
    "se_reduce": "se.conv_reduce", "se_expand": "se.conv_expand", "project_conv": "conv_pwl", "project_bn": "bn3",
}  # fmt: skip
_NARROW = {"bn": "bn1", "project_conv": "conv_pw", "project_bn": "bn2"}  # of the first stack, which widens nothing
_FUSED = {"expand_conv": "conv_exp", "expand_bn": "bn1", "project_conv": "conv_pwl", "project_bn": "bn2"}


def _stacks(own: Mapping[int, Mapping[str, str]]) -> dict[str, str]:
    """The names of timm's EfficientNets: those of some stacks, counted from 1, and those of the others."""
    names = dict(_ENDS)
    for i, parts in own.items():
        names |= {f"block{i}{{j:a}}_{part}": f"blocks.{i - 1}.{{j}}.{module}" for part, module in parts.items()}
    return names | {
        f"block{{i}}{{j:a}}_{part}": f"blocks.{{i-1}}.{{j}}.{module}" for part, module in _SEPARABLE.items()
    }


EFFICIENTNET_LITE = NameTable("timm", _stacks({1: _NARROW}), top={"predictions": "classifier"})
EFFICIENTNET = replace(
    EFFICIENTNET_LITE,
    # the images of timm's are normalized outside; here that is a layer, and its weights are in files of Keras alone
    given={
        f"normalization{number}/{weight}": values
        for number in ("", "_{i}")
        for weight, values in (
            ("mean", (0.485, 0.456, 0.406)),
            ("variance", (0.229**2, 0.224**2, 0.225**2)),
            ("count", (0,)),
        )
    },
)
EFFICIENTNET_V2 = NameTable(
    "timm",
    _stacks({1: {"project_conv": "conv", "project_bn": "bn1"}, 2: _FUSED, 3: _FUSED}),
    top={"predictions": "classifier"},
)


def convnext(name: str) -> tuple[NameTable, ...]:
    """The tables of a ConvNeXt whose layers begin with its name."""
    parts = ("depthwise_conv", "layernorm", "pointwise_conv_1", "pointwise_conv_2", "layer_scale/variable")
    timm = ("conv_dw", "norm", "mlp.fc1", "mlp.fc2", "gamma")
    vision = ("block.0", "block.2", "block.3", "block.5", "layer_scale")
    stages_of_timm = [(f"stages.{i}.downsample" if i else "stem", f"stages.{i}.blocks") for i in range(4)]
    stages_of_torchvision = [(f"features.{i}", f"features.{i + 1}") for i in (0, 2, 4, 6)]
    tables = []
    for source, modules, stages, norm, dense in (
        ("timm", timm, stages_of_timm, "head.norm", "head.fc"),
        (_SOURCE, vision, stages_of_torchvision, "classifier.0", "classifier.2"),
    ):
        names = {}
        for i, (smaller, blocks) in enumerate(stages):
            first = ("stem_conv", "stem_layernorm")
            if i:
                first = (f"downsampling_layernorm_{i - 1}", f"downsampling_conv_{i - 1}")
            names |= {f"{name}_{part}": f"{smaller}.{k}" for k, part in enumerate(first)}
            names |= {
                f"{name}_stage_{i}_block_{{j}}_{part}": f"{blocks}.{{j}}.{module}"
                for part, module in zip(parts, modules, strict=True)
            }
        for last in (f"{name}_head_layernorm", "layer_normalization", "layer_normalization_{i}"):
            names[last] = norm
        tables.append(NameTable(source, names, top={f"{name}_head_dense": dense}))
    return tuple(tables)


_GHOST = {
    "ghost{k}_primary_conv": "ghost{k}.primary_conv.0", "ghost{k}_primary_bn": "ghost{k}.primary_conv.1",
    "ghost{k}_cheap_conv": "ghost{k}.cheap_operation.0", "ghost{k}_cheap_bn": "ghost{k}.cheap_operation.1",
    "depthwise_conv": "conv_dw", "depthwise_bn": "bn_dw", "se_reduce": "se.conv_reduce", "se_expand": "se.conv_expand",
    "shortcut_depthwise_conv": "shortcut.0", "shortcut_depthwise_bn": "shortcut.1", "shortcut_conv": "shortcut.2",
    "shortcut_bn": "shortcut.3",
}  # fmt: skip

GHOSTNET = NameTable(
    "timm",
    {
        "stem_conv": "conv_stem",
        "stem_bn": "bn1",
        **{
            f"block{number}_{ours}": f"blocks.{stage}.{i}.{theirs}"
            for number, stage, i in _numbered((1, 1, 1, 1, 1, 1, 5, 1, 4))
            for ours, theirs in _GHOST.items()
        },
        "head_conv": "blocks.9.0.conv",
        "head_bn": "blocks.9.0.bn1",
    },
    top={"top_dense": "conv_head", "predictions": "classifier"},
)


def mixnet(blocks: Sequence[Sequence[tuple[int, int, int]]]) -> NameTable:
    """The table of a MixNet of these stages after the first; of each block the parts of its three convolutions."""
    names = {
        "stem_conv": "conv_stem", "stem_bn": "bn1", "head_conv": "conv_head", "head_bn": "bn2",
        "block1_depthwise_conv": "blocks.0.0.conv_dw", "block1_depthwise_bn": "blocks.0.0.bn1",
        "block1_project_conv": "blocks.0.0.conv_pw", "block1_project_bn": "blocks.0.0.bn2",
    }  # fmt: skip
    places = _numbered([len(stage) for stage in blocks])
    for (number, stage, i), counts in zip(places, [parts for each in blocks for parts in each], strict=True):
        ours, theirs = f"block{number + 1}_", f"blocks.{stage + 1}.{i}."
        for step, count, module in zip(("depthwise", "expand", "project"), counts, ("dw", "pw", "pwl"), strict=True):
            for k in range(count):  # a part of the channels; timm does not number a single one
                names[f"{ours}{step}_conv_{k}"] = f"{theirs}conv_{module}" + (f".{k}" if count > 1 else "")
            names[f"{ours}{step}_bn"] = theirs + {"dw": "bn2", "pw": "bn1", "pwl": "bn3"}[module]
        names |= {f"{ours}se_{step}": f"{theirs}se.conv_{step}" for step in ("reduce", "expand")}
    return NameTable("timm", names, top={"predictions": "classifier"})
