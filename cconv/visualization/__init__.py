"""Figures: the course of a training, what is confused, what a network sees, and where.

Each function returns a Matplotlib figure, to be shown in a notebook or written with `savefig`; those whose names end in
`_heatmap` return arrays.
"""

from ..keras_names import getattr_of
from .attribution import (
    grad_cam,
    grad_cam_heatmap,
    occlusion_heatmap,
    occlusion_map,
    saliency,
    saliency_heatmap,
)
from .confusion_matrix import confusion_matrix, count_confusions
from .images import augmentation_preview, image_gallery, prediction_gallery
from .inside import feature_maps, filters
from .training_curves import LiveCurves, training_curves

__all__ = [
    "LiveCurves",
    "augmentation_preview",
    "confusion_matrix",
    "count_confusions",
    "feature_maps",
    "filters",
    "grad_cam",
    "grad_cam_heatmap",
    "image_gallery",
    "occlusion_heatmap",
    "occlusion_map",
    "prediction_gallery",
    "saliency",
    "saliency_heatmap",
    "training_curves",
]
__getattr__ = getattr_of(globals())
