"""Well-known networks with Keras' names, layers and order of weights: files of weights saved by Keras fit."""

from cconv.applications import imagenet_utils, mobilenet_v2, resnet, resnet50, vgg16
from cconv.applications.mobilenet_v2 import MobileNetV2
from cconv.applications.resnet import ResNet50
from cconv.applications.vgg16 import VGG16

__all__ = ["VGG16", "MobileNetV2", "ResNet50", "imagenet_utils", "mobilenet_v2", "resnet", "resnet50", "vgg16"]
