"""Models: `Model` (functional or subclassed) and `Sequential`, and how they come out of files."""

from ..keras_names import getattr_of
from ..registry import register_public
from ..saving import load_model, model_from_json, save_model
from .cloning import clone_model
from .model import Functional, Model
from .sequential import Sequential

__all__ = ["Functional", "Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]

register_public("keras.models", globals())
__getattr__ = getattr_of(globals())
