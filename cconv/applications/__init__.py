"""Well-known networks with Keras' names, layers and order of weights: files of weights saved by Keras fit."""

from ..keras_names import getattr_of
from . import imagenet_utils, mobilenet_v2, resnet, resnet50, vgg16
from .mobilenet_v2 import MobileNetV2
from .resnet import ResNet50
from .vgg16 import VGG16

__all__ = ["VGG16", "MobileNetV2", "ResNet50", "imagenet_utils", "mobilenet_v2", "resnet", "resnet50", "vgg16"]
__getattr__ = getattr_of(globals())
