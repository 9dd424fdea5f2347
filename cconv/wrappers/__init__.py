"""Models as estimators of scikit-learn: in pipelines, cross-validation and grid search."""

from ..keras_names import getattr_of
from .sklearn_wrapper import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]
__getattr__ = getattr_of(globals())
