"""Weights trained on ImageNet that Keras has published: where the files are, and what their digests are.

A network is found by its name: that of the model, or what `make_model` was told as `published`. The files are Keras 1's
and 2's (`.h5`); some are without a digest.
"""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

from ..utils.cached_file import get_file

IMAGENET = "imagenet"
_CLASSES = 1000
_FOLDER = "https://storage.googleapis.com/tensorflow/keras-applications/"
_EFFICIENTNET = "https://storage.googleapis.com/keras-applications/"
_CACHE = "models"  # below ~/.cconv
_HEADS = ("predictions", "_head_dense")  # the last layer of all networks with a classifier


class Published(NamedTuple):
    """Address and digest (MD5 or SHA-256) of a network's file, and of that without its classifier."""

    address: str
    digest: str | None
    address_without_top: str
    digest_without_top: str | None


_DIGESTS = {
    "vgg16": ("64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"),
    "vgg19": ("cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"),
    "resnet50": ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    "resnet101": ("f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    "resnet152": ("100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    "resnet50v2": ("3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"),
    "resnet101v2": ("6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5"),
    "resnet152v2": ("a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33"),
    "densenet121": ("9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    "densenet169": ("d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    "densenet201": ("1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
    "inception_v3": ("9a0d58056eeedaa3f26cb7ebd46da564", "bcbd6486424b2319ff4ef7d526e38f63"),
    "inception_resnet_v2": ("e693bd0210a403b3192acc6073ad2e96", "d19885ff4a710c122648d3b5c3b684e4"),
    "xception": ("0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97"),
    "nasnet_mobile": ("020fb642bf7360b370c678b08e0adf61", "1ed92395b5b598bdda52abe5c0dbfd63"),
    "nasnet_large": ("11577c9a518f0070763c2b964a382f17", "d81d89dc07e6e56530c4e77faddd61b5"),
    "MobileNetV3Large_0.75": ("765b44a33ad4005b3ac83185abf1d0eb", "40af19a13ebea4e2ee0c676887f69a2e"),
    "MobileNetV3Large": ("59e551e166be033d707958cf9e29a6a7", "07fb09a5933dd0c8eaafa16978110389"),
    "MobileNetV3Large_minimalistic": ("675e7b876c45c57e9e63e6d90a36599c", "ec5221f64a2f6d1ef965a614bdae7973"),
    "MobileNetV3Small_0.75": ("cb65d4e5be93758266aa0a7f2c6708b7", "ebdb5cc8e0b497cd13a7c275d475c819"),
    "MobileNetV3Small": ("8768d4c2e7dee89b9d02b2d03d65d862", "d3e8ec802a04aa4fc771ee12a9a9b836"),
    "MobileNetV3Small_minimalistic": ("99cd97fb2fcdad2bf028eb838de69e37", "cde8136e733e811080d9fcd8a252f7e4"),
    "efficientnetb0": ("902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d"),
    "efficientnetb1": ("1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432"),
    "efficientnetb2": ("b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39"),
    "efficientnetb3": ("ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226"),
    "efficientnetb4": ("18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba"),
    "efficientnetb5": ("ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f"),
    "efficientnetb6": ("165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743"),
    "efficientnetb7": ("8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a"),
    "efficientnetv2-b0": ("21ecbf6da12460d5c40bb2f29ceb2188", "893217f2bb855e2983157299931e43ff"),
    "efficientnetv2-b1": ("069f0534ff22adf035c89e2d9547a9dc", "0e80663031ca32d657f9caa404b6ec37"),
    "efficientnetv2-b2": ("424e49f28180edbde1e94797771950a7", "1dfe2e7a5d45b6632553a8961ea609eb"),
    "efficientnetv2-b3": ("1f1fc43bd98a6e4fd8fdfd551e02c7a0", "f6abf7b5849ac99a89b50dd3fd532856"),
    "efficientnetv2-s": ("e1d88a8495beba45748fedd0cecbe016", "af0682fb74e8c54910f2d4393339c070"),
    "efficientnetv2-m": ("a3bf6aa3276309f4fc6a34aa114c95cd", "1b8dc055df72dde80d614482840fe342"),
    "efficientnetv2-l": ("27e6d408b53c7ebc868fefa357689935", "b0b66b5c863aef5b46e8608fe1711615"),
    "convnext_tiny": (
        "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
        "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
    ),
    "convnext_small": (
        "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c",
        "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
    ),
    "convnext_base": (
        "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6",
        "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
    ),
    "convnext_large": (
        "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6",
        "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd",
    ),
    "convnext_xlarge": (
        "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee",
        "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05",
    ),
}
_MOBILENETS = {"mobilenet": (0.25, 0.5, 0.75, 1.0), "mobilenetv2": (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)}
_SIDES = {"mobilenet": (128, 160, 192, 224), "mobilenetv2": (96, 128, 160, 192, 224)}  # of images; else that of 224


def published(name: str) -> Published | None:
    """The files of a network, by the name that its model has by default; None if there are none.

    Names of MobileNetV3 have `_0.75` or `_minimalistic` behind them if it is that.
    """
    digests = _DIGESTS.get(name, (None, None))
    if name in _DIGESTS:
        starts = _addresses(name)
    else:
        found = re.fullmatch(r"(mobilenet|mobilenetv2)_(\d+\.\d\d)_(\d+|None)", name)
        if found is None or float(found[2]) not in _MOBILENETS[found[1]]:
            return None
        side = int(found[3]) if found[3] != "None" else 0
        starts = _mobilenet(found[1], float(found[2]), side if side in _SIDES[found[1]] else 224)
    return Published(f"{starts[0]}.h5", digests[0], f"{starts[1]}.h5", digests[1])


def _addresses(name: str) -> tuple[str, str]:
    """Those of a network's file and of that without classifier, without their endings."""
    if name.startswith("nasnet"):
        start = f"{_FOLDER}nasnet/NASNet-{name.removeprefix('nasnet_')}"
        return start, f"{start}-no-top"
    if name.startswith("MobileNetV3"):
        kind, _, rest = name.removeprefix("MobileNetV3").partition("_")
        plain = "_minimalistic" if rest == "minimalistic" else ""
        start = f"{_FOLDER}mobilenet_v3/weights_mobilenet_v3_{kind.lower()}{plain}_224_"
        start += f"{rest if rest == '0.75' else '1.0'}_float"
        return start, f"{start}_no_top_v2"
    if name.startswith("efficientnetb"):
        start = f"{_EFFICIENTNET}{name}"
    elif name.startswith(("efficientnetv2", "convnext")):
        start = f"{_FOLDER}{'convnext' if name.startswith('convnext') else 'efficientnet_v2'}/{name}"
    else:
        folder = next((family for family in ("resnet", "densenet") if name.startswith(family)), name)
        start = f"{_FOLDER}{folder}/{name}_weights_tf_dim_ordering_tf_kernels"
    return start, f"{start}_notop"


def _mobilenet(kind: str, alpha: float, side: int) -> tuple[str, str]:
    if kind == "mobilenet":
        width = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}[alpha]
        start = f"{_FOLDER}mobilenet/mobilenet_{width}_{side}_tf"
    else:
        start = f"{_FOLDER}mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{side}"
    return start, f"{start}_no_top"


def published_file(model: Any, name: str) -> str:
    """The path of the file with the weights of a network, downloaded if it is not in the cache.

    Args:
        model: The network, with its classifier or without.
        name: What it is called here.

    Raises:
        ValueError: There is no such file, or one for other classes, or what came is another one.
        OSError: It could not be downloaded.
    """
    files = published(name)
    if files is None:
        raise ValueError(
            f"Keras has published no weights for {name!r}. Give the path of a file instead, such as one of PyTorch: "
            "`weights='network.pth'`. Received: weights='imagenet'"
        )
    has_top = any(layer.name.endswith(_HEADS) for layer in model.layers)
    if has_top and model.output_shape[-1] != _CLASSES:
        raise ValueError(
            f"weights='imagenet' are for classes={_CLASSES}. Received: classes={model.output_shape[-1]}. For classes "
            "of your own take the network with `include_top=False`, and put a `Dense` layer behind it."
        )
    address, digest = files[:2] if has_top else files[2:]
    file = os.path.basename(address)
    try:
        return get_file(file, address, cache_subdir=_CACHE, file_hash=digest)
    except OSError as error:
        folder = os.path.join(os.path.expanduser("~"), ".cconv", _CACHE)
        raise OSError(
            f"{error}. Without a network, put the file {file} of that address into {folder!r}. Or, where Keras is "
            "installed, save its network by `save_weights('network.weights.h5')`, and give that: "
            "`weights='network.weights.h5'`."
        ) from error
