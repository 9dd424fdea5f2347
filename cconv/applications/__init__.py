"""Well-known networks: those that Keras has with its names, layers and order of weights, so that its files fit.

The others are as their papers or torchvision have them.
"""

from ..keras_names import getattr_of
from . import (
    alexnet,
    densenet,
    imagenet_utils,
    mobilenet_v2,
    resnet,
    resnet50,
    resnet_basic,
    resnet_cifar,
    resnet_v2,
    unet,
    vgg11,
    vgg13,
    vgg16,
    vgg19,
)
from .alexnet import AlexNet
from .densenet import DenseNet121, DenseNet169, DenseNet201
from .mobilenet_v2 import MobileNetV2
from .resnet import ResNet50, ResNet101, ResNet152
from .resnet_basic import ResNet18, ResNet34
from .resnet_cifar import ResNet20
from .resnet_v2 import ResNet50V2, ResNet101V2, ResNet152V2
from .unet import UNet
from .vgg11 import VGG11
from .vgg13 import VGG13
from .vgg16 import VGG16
from .vgg19 import VGG19

__all__ = [
    "VGG11", "VGG13", "VGG16", "VGG19", "AlexNet", "DenseNet121", "DenseNet169", "DenseNet201", "MobileNetV2",
    "ResNet18", "ResNet20", "ResNet34", "ResNet50", "ResNet50V2", "ResNet101", "ResNet101V2", "ResNet152",
    "ResNet152V2", "UNet", "alexnet", "densenet", "imagenet_utils", "mobilenet_v2", "resnet", "resnet50",
    "resnet_basic", "resnet_cifar", "resnet_v2", "unet", "vgg11", "vgg13", "vgg16", "vgg19",
]  # fmt: skip
__getattr__ = getattr_of(globals())
