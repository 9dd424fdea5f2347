"""Well-known networks with Keras' names, layers and order of weights: files of Keras fit, and those of PyTorch."""

from ..keras_names import getattr_of
from . import densenet, imagenet_utils, mobilenet_v2, resnet, resnet50, resnet_v2, vgg16, vgg19
from .densenet import DenseNet121, DenseNet169, DenseNet201
from .mobilenet_v2 import MobileNetV2
from .resnet import ResNet50, ResNet101, ResNet152
from .resnet_v2 import ResNet50V2, ResNet101V2, ResNet152V2
from .vgg16 import VGG16
from .vgg19 import VGG19

__all__ = [
    "VGG16", "VGG19", "DenseNet121", "DenseNet169", "DenseNet201", "MobileNetV2", "ResNet50", "ResNet50V2", "ResNet101",
    "ResNet101V2", "ResNet152", "ResNet152V2", "densenet", "imagenet_utils", "mobilenet_v2", "resnet", "resnet50",
    "resnet_v2", "vgg16", "vgg19",
]  # fmt: skip
__getattr__ = getattr_of(globals())
