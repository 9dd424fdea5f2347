"""Layers that change images in training, so that a network sees other ones every time."""

from . import (
    aug_mix,
    equalization,
    max_num_bounding_boxes,
    mixing,
    pipeline,
    rand_augment,
    random_brightness,
    random_color,
    random_color_jitter,
    random_contrast,
    random_crop,
    random_elastic_transform,
    random_erasing,
    random_flip,
    random_gaussian_blur,
    random_levels,
    random_perspective,
    random_rotation,
    random_sharpness,
    random_shear,
    random_translation,
    random_zoom,
)
from .aug_mix import *
from .equalization import *
from .max_num_bounding_boxes import *
from .mixing import *
from .pipeline import *
from .rand_augment import *
from .random_brightness import *
from .random_color import *
from .random_color_jitter import *
from .random_contrast import *
from .random_crop import *
from .random_elastic_transform import *
from .random_erasing import *
from .random_flip import *
from .random_gaussian_blur import *
from .random_levels import *
from .random_perspective import *
from .random_rotation import *
from .random_sharpness import *
from .random_shear import *
from .random_translation import *
from .random_zoom import *

_MODULES = (
    aug_mix, equalization, max_num_bounding_boxes, mixing, pipeline, rand_augment, random_brightness,
    random_color, random_color_jitter, random_contrast, random_crop, random_elastic_transform, random_erasing,
    random_flip, random_gaussian_blur, random_levels, random_perspective, random_rotation, random_sharpness,
    random_shear, random_translation, random_zoom,
)  # fmt: skip
__all__ = [name for module in _MODULES for name in module.__all__]
