"""Well-known networks: those that Keras has with its names, layers and order of weights, so that its files fit.

The others are as their papers or torchvision have them.
"""

from ..keras_names import getattr_of
from . import (
    alexnet,
    convnext,
    densenet,
    efficientnet,
    efficientnet_lite,
    efficientnet_v2,
    ghostnet,
    imagenet_utils,
    inception_resnet_v1,
    inception_resnet_v2,
    inception_v1,
    inception_v2,
    inception_v3,
    inception_v4,
    mixnet,
    mobilenet,
    mobilenet_v2,
    mobilenet_v3,
    nasnet,
    resnet,
    resnet50,
    resnet_basic,
    resnet_cifar,
    resnet_v2,
    shufflenet,
    shufflenet_v2,
    squeezenet,
    unet,
    vgg11,
    vgg13,
    vgg16,
    vgg19,
    xception,
)
from .alexnet import AlexNet
from .convnext import ConvNeXtBase, ConvNeXtLarge, ConvNeXtSmall, ConvNeXtTiny, ConvNeXtXLarge
from .densenet import DenseNet121, DenseNet169, DenseNet201
from .efficientnet import (
    EfficientNetB0,
    EfficientNetB1,
    EfficientNetB2,
    EfficientNetB3,
    EfficientNetB4,
    EfficientNetB5,
    EfficientNetB6,
    EfficientNetB7,
)
from .efficientnet_lite import (
    EfficientNetLite0,
    EfficientNetLite1,
    EfficientNetLite2,
    EfficientNetLite3,
    EfficientNetLite4,
)
from .efficientnet_v2 import (
    EfficientNetV2B0,
    EfficientNetV2B1,
    EfficientNetV2B2,
    EfficientNetV2B3,
    EfficientNetV2L,
    EfficientNetV2M,
    EfficientNetV2S,
)
from .ghostnet import GhostNet
from .inception_resnet_v1 import InceptionResNetV1
from .inception_resnet_v2 import InceptionResNetV2
from .inception_v1 import InceptionV1
from .inception_v2 import InceptionV2
from .inception_v3 import InceptionV3
from .inception_v4 import InceptionV4
from .mixnet import MixNetL, MixNetM, MixNetS
from .mobilenet import MobileNet
from .mobilenet_v2 import MobileNetV2
from .mobilenet_v3 import MobileNetV3Large, MobileNetV3Small
from .nasnet import NASNetLarge, NASNetMobile
from .resnet import ResNet50, ResNet101, ResNet152
from .resnet_basic import ResNet18, ResNet34
from .resnet_cifar import ResNet20
from .resnet_v2 import ResNet50V2, ResNet101V2, ResNet152V2
from .shufflenet import ShuffleNet
from .shufflenet_v2 import ShuffleNetV2
from .squeezenet import SqueezeNet
from .unet import UNet
from .vgg11 import VGG11
from .vgg13 import VGG13
from .vgg16 import VGG16
from .vgg19 import VGG19
from .xception import Xception

__all__ = [
    "AlexNet", "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall", "ConvNeXtTiny", "ConvNeXtXLarge", "DenseNet121",
    "DenseNet169", "DenseNet201", "EfficientNetB0", "EfficientNetB1", "EfficientNetB2", "EfficientNetB3",
    "EfficientNetB4", "EfficientNetB5", "EfficientNetB6", "EfficientNetB7", "EfficientNetLite0",
    "EfficientNetLite1", "EfficientNetLite2", "EfficientNetLite3", "EfficientNetLite4", "EfficientNetV2B0",
    "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3", "EfficientNetV2L", "EfficientNetV2M",
    "EfficientNetV2S", "GhostNet", "InceptionResNetV1", "InceptionResNetV2", "InceptionV1", "InceptionV2",
    "InceptionV3", "InceptionV4", "MixNetL", "MixNetM", "MixNetS", "MobileNet", "MobileNetV2", "MobileNetV3Large",
    "MobileNetV3Small", "NASNetLarge", "NASNetMobile", "ResNet101", "ResNet101V2", "ResNet152", "ResNet152V2",
    "ResNet18", "ResNet20", "ResNet34", "ResNet50", "ResNet50V2", "ShuffleNet", "ShuffleNetV2", "SqueezeNet",
    "UNet", "VGG11", "VGG13", "VGG16", "VGG19", "Xception", "alexnet", "convnext", "densenet", "efficientnet",
    "efficientnet_lite", "efficientnet_v2", "ghostnet", "imagenet_utils", "inception_resnet_v1",
    "inception_resnet_v2", "inception_v1", "inception_v2", "inception_v3", "inception_v4", "mixnet", "mobilenet",
    "mobilenet_v2", "mobilenet_v3", "nasnet", "resnet", "resnet50", "resnet_basic", "resnet_cifar", "resnet_v2",
    "shufflenet", "shufflenet_v2", "squeezenet", "unet", "vgg11", "vgg13", "vgg16", "vgg19", "xception",
]  # fmt: skip
__getattr__ = getattr_of(globals())
