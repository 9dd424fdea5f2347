"""Every network of `applications`: how many parameters it has, and what it makes of images of several sizes.

What is asked of families whose own tests ask something else, too: training, files, layouts.
"""

import functools
import inspect

import network_checks as checks
import numpy as np
import pytest

import cconv
from cconv import applications
from cconv.applications import VGG16, DenseNet121, MobileNetV2, ResNet18, ResNet50, ResNet50V2

# of Keras' networks its `Total params`: statistics of batch normalization are among them; and the features of 100x135
OF_KERAS = {
    "ConvNeXtBase": (88_591_464, (3, 4, 1024)),
    "ConvNeXtLarge": (197_767_336, (3, 4, 1536)),
    "ConvNeXtSmall": (50_223_688, (3, 4, 768)),
    "ConvNeXtTiny": (28_589_128, (3, 4, 768)),
    "ConvNeXtXLarge": (350_196_968, (3, 4, 2048)),
    "DenseNet121": (8_062_504, (3, 4, 1024)),
    "DenseNet169": (14_307_880, (3, 4, 1664)),
    "DenseNet201": (20_242_984, (3, 4, 1920)),
    "EfficientNetB0": (5_330_571, (4, 5, 1280)),
    "EfficientNetB1": (7_856_239, (4, 5, 1280)),
    "EfficientNetB2": (9_177_569, (4, 5, 1408)),
    "EfficientNetB3": (12_320_535, (4, 5, 1536)),
    "EfficientNetB4": (19_466_823, (4, 5, 1792)),
    "EfficientNetB5": (30_562_527, (4, 5, 2048)),
    "EfficientNetB6": (43_265_143, (4, 5, 2304)),
    "EfficientNetB7": (66_658_687, (4, 5, 2560)),
    "EfficientNetV2B0": (7_200_312, (4, 5, 1280)),
    "EfficientNetV2B1": (8_212_124, (4, 5, 1280)),
    "EfficientNetV2B2": (10_178_374, (4, 5, 1408)),
    "EfficientNetV2B3": (14_467_622, (4, 5, 1536)),
    "EfficientNetV2L": (119_027_848, (4, 5, 1280)),
    "EfficientNetV2M": (54_431_388, (4, 5, 1280)),
    "EfficientNetV2S": (21_612_360, (4, 5, 1280)),
    "InceptionResNetV2": (55_873_736, (1, 2, 1536)),
    "InceptionV3": (23_851_784, (1, 2, 2048)),
    "MobileNet": (4_253_864, (3, 4, 1024)),
    "MobileNetV2": (3_538_984, (4, 5, 1280)),
    "MobileNetV3Large": (5_507_432, (4, 5, 960)),
    "MobileNetV3Small": (2_554_968, (4, 5, 576)),
    "NASNetLarge": (88_949_818, (4, 5, 4032)),
    "NASNetMobile": (5_326_716, (4, 5, 1056)),
    "ResNet101": (44_707_176, (4, 5, 2048)),
    "ResNet101V2": (44_675_560, (4, 5, 2048)),
    "ResNet152": (60_419_944, (4, 5, 2048)),
    "ResNet152V2": (60_380_648, (4, 5, 2048)),
    "ResNet50": (25_636_712, (4, 5, 2048)),
    "ResNet50V2": (25_613_800, (4, 5, 2048)),
    "VGG16": (138_357_544, (3, 4, 512)),
    "VGG19": (143_667_240, (3, 4, 512)),
    "Xception": (22_910_480, (3, 5, 2048)),
}
# of the others what is trained, as papers and PyTorch count
OTHERS = {
    "AlexNet": (60_965_224, (2, 3, 256)),
    "EfficientNetLite0": (4_652_008, (4, 5, 1280)),
    "EfficientNetLite1": (5_416_680, (4, 5, 1280)),
    "EfficientNetLite2": (6_092_072, (4, 5, 1280)),
    "EfficientNetLite3": (8_197_096, (4, 5, 1280)),
    "EfficientNetLite4": (13_006_568, (4, 5, 1280)),
    "GhostNet": (5_182_508, (4, 5, 960)),
    "InceptionResNetV1": (24_357_096, (1, 2, 1792)),
    "InceptionV1": (6_998_552, (3, 4, 1024)),
    "InceptionV2": (11_295_240, (4, 5, 1024)),
    "InceptionV4": (42_679_816, (1, 2, 1536)),
    "MixNetL": (7_329_252, (4, 5, 1536)),
    "MixNetM": (5_014_382, (4, 5, 1536)),
    "MixNetS": (4_134_606, (4, 5, 1536)),
    "ResNet18": (11_689_512, (4, 5, 512)),
    "ResNet20": (269_722, (25, 34, 64)),
    "ResNet34": (21_797_672, (4, 5, 512)),
    "ShuffleNet": (1_864_728, (4, 5, 960)),
    "ShuffleNetV2": (2_278_604, (4, 5, 1024)),
    "SqueezeNet": (1_248_424, (5, 8, 512)),
    "UNet": (31_037_698, (96, 144, 64)),
    "VGG11": (132_863_336, (3, 4, 512)),
    "VGG13": (133_047_848, (3, 4, 512)),
}
LARGE = (
    "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtXLarge", "DenseNet201", "EfficientNetB5", "EfficientNetB6",
    "EfficientNetB7", "EfficientNetV2L", "EfficientNetV2M", "InceptionResNetV2", "NASNetLarge", "ResNet152",
    "ResNet152V2",
)  # fmt: skip
NAMES = [pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name for name in {**OF_KERAS, **OTHERS}]


@pytest.fixture
def zeros(monkeypatch):
    """Weights begin as zeros, which take no time: some networks have hundreds of millions."""
    for kind in vars(cconv.initializers).values():
        if inspect.isclass(kind) and issubclass(kind, cconv.initializers.Initializer) and "__call__" in vars(kind):
            monkeypatch.setattr(kind, "__call__", lambda self, shape, *_, **__: np.zeros(shape, np.float32))


def test_every_network_is_here():
    found = {name for name in applications.__all__ if inspect.isfunction(getattr(applications, name))}
    assert found == {*OF_KERAS, *OTHERS} and not {*OF_KERAS} & {*OTHERS}


@pytest.mark.parametrize("name", NAMES)
def test_parameters_and_sizes(name, zeros):
    network = getattr(applications, name)
    model = network()
    if name in OF_KERAS:
        assert model.count_params() == OF_KERAS[name][0]
    else:
        assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == OTHERS[name][0]
    classes = {"UNet": (None, None, 2), "ResNet20": (10,)}.get(name, (1000,))
    assert model.output_shape == (None, *classes)
    shape = (96, 144, 3) if name == "UNet" else (100, 135, 3)
    features = network(include_top=False, input_shape=shape)
    assert features.output_shape == (None, *{**OF_KERAS, **OTHERS}[name][1])


# beside those whose own tests ask the same, in their smallest form
FAMILIES = {
    "resnet18": (ResNet18, 512),
    "resnet50": (ResNet50, 2048),
    "resnet50 like torchvision": (functools.partial(ResNet50, like="torchvision"), 2048),
    "resnet50v2": (ResNet50V2, 2048),
    "densenet121": (DenseNet121, 1024),
    "mobilenet_v2": (functools.partial(MobileNetV2, alpha=0.35), 1280),
    "mobilenet_v2 like torchvision": (functools.partial(MobileNetV2, alpha=0.35, like="torchvision"), 1280),
}
SLOW = ("resnet50 like torchvision", "resnet50v2", "mobilenet_v2")  # what is particular in them is no matter of files


@pytest.mark.parametrize("family", ["resnet18", "resnet50v2", "densenet121"])
def test_images_of_any_size(family):
    sides = {32: 1, 75: 2 if family == "densenet121" else 3}
    checks.check_sizes(FAMILIES[family][0], sides, FAMILIES[family][1])


@pytest.mark.parametrize("family", FAMILIES)
def test_training(family):
    checks.check_training(FAMILIES[family][0], cconv.optimizers.Adam(1e-4), 4, input_shape=(48, 48, 3))


def test_training_of_vgg16():
    def network(classes):
        base = VGG16(include_top=False, input_shape=(32, 32, 3), pooling="avg")
        return cconv.Sequential([base, cconv.layers.Dense(classes, activation="softmax")])

    checks.check_training(network, cconv.optimizers.Adam(1e-5), 4)


MARKED = [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in FAMILIES]


@pytest.mark.parametrize("family", [name for name in MARKED if name != "resnet50"])
def test_files(family, tmp_path):
    checks.check_files(FAMILIES[family][0], tmp_path, input_shape=(32, 40, 3), classes=3)


@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in ("resnet50", "mobilenet_v2")])
def test_channels_first(family):
    checks.check_channels_first(FAMILIES[family][0], (33, 48, 3), classes=3, classifier_activation=None)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["NASNetLarge", "ConvNeXtSmall", "MobileNetV3Large"])
def test_channels_first_of_larger_networks(family):
    checks.check_channels_first(getattr(applications, family), (76, 81, 3), classes=3, classifier_activation=None)
