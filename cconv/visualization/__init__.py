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
from .drawing import draw_bounding_boxes, draw_segmentation_masks
from .galleries import plot_bounding_box_gallery, plot_image_gallery, plot_segmentation_mask_gallery
from .images import augmentation_preview, image_gallery, prediction_gallery
from .inside import feature_maps, filters
from .training_curves import LiveCurves, training_curves

__all__ = [
    "LiveCurves",
    "augmentation_preview",
    "confusion_matrix",
    "count_confusions",
    "draw_bounding_boxes",
    "draw_segmentation_masks",
    "feature_maps",
    "filters",
    "grad_cam",
    "grad_cam_heatmap",
    "image_gallery",
    "occlusion_heatmap",
    "occlusion_map",
    "plot_bounding_box_gallery",
    "plot_image_gallery",
    "plot_segmentation_mask_gallery",
    "prediction_gallery",
    "saliency",
    "saliency_heatmap",
    "training_curves",
]
__getattr__ = getattr_of(globals())
