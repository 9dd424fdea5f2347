"""Models as classifiers, regressors and transformers of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from .estimator import ModelEstimator  # first: says what is missing without scikit-learn

from sklearn.base import ClassifierMixin, RegressorMixin, TransformerMixin  # isort: skip
from sklearn.utils.multiclass import check_classification_targets  # isort: skip


class SKLearnClassifier(ClassifierMixin, ModelEstimator):
    """A classifier of scikit-learn around a model that returns a probability for each class.

    The model is trained on labels as one-hot rows `(n, classes)`, in the order of `classes_`: its loss is
    `"categorical_crossentropy"` or another of these.

    Args:
        model: A compiled model, or a function `(X, y, **model_kwargs)` that returns one.
        warm_start: Whether `fit` goes on with the model of the last one.
        model_kwargs: Further arguments of the function.
        fit_kwargs: Arguments of `model.fit`.

    Attributes:
        classes_: The labels there are, sorted.
        model_: The trained model.
        history_: The `history` of the last training.

    Example:

    >>> def network(X, y, units=8):
    ...     model = cconv.Sequential([
    ...         cconv.Input(X.shape[1:]),
    ...         cconv.layers.Dense(units, activation="relu"),
    ...         cconv.layers.Dense(y.shape[1], activation="softmax"),
    ...     ])
    ...     model.compile("adam", "categorical_crossentropy")
    ...     return model
    >>> classifier = cconv.wrappers.SKLearnClassifier(network, fit_kwargs={"epochs": 2, "verbose": 0})
    >>> classifier.fit(np.eye(4), ["a", "b", "a", "b"]).predict(np.eye(4)).shape
    (4,)
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # how good it is, is a matter of the model and of `epochs`
        return tags

    def _encoded(self, y: np.ndarray, first: bool) -> np.ndarray:
        check_classification_targets(y)
        found = np.unique(y)
        if first:
            if len(found) < 2:
                raise ValueError(
                    f"Classifier can't train when only one class is present: expected 2 or more classes. "
                    f"Received: {found.tolist()}"
                )
            self.classes_ = found
        elif not np.isin(found, self.classes_).all():
            raise ValueError(f"Expected labels of the first training: {self.classes_}. Received: {found}")
        return np.eye(len(self.classes_), dtype=np.float32)[np.searchsorted(self.classes_, y)]

    def decision_function(self, X: Any) -> np.ndarray:  # noqa: N803 - scikit-learn's name
        """What the model returns, `(n, classes)`, also for two classes."""
        return self._outputs(X)

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """The class with the highest output for each sample, `(n,)`."""
        outputs = self._outputs(X)  # refuses what is not trained
        return self.classes_[outputs.argmax(1)]


class SKLearnRegressor(RegressorMixin, ModelEstimator):
    """A regressor of scikit-learn around a model that returns a number, or several, for each sample.

    The model is trained on labels as rows `(n, 1)` or `(n, outputs)`.

    Args:
        model: A compiled model, or a function `(X, y, **model_kwargs)` that returns one.
        warm_start: Whether `fit` goes on with the model of the last one.
        model_kwargs: Further arguments of the function.
        fit_kwargs: Arguments of `model.fit`.

    Attributes:
        model_: The trained model.
        history_: The `history` of the last training.

    Example:

    >>> def network(X, y):
    ...     model = cconv.Sequential([cconv.Input(X.shape[1:]), cconv.layers.Dense(y.shape[1])])
    ...     model.compile("adam", "mse")
    ...     return model
    >>> regressor = cconv.wrappers.SKLearnRegressor(network, fit_kwargs={"epochs": 2, "verbose": 0})
    >>> regressor.fit(np.eye(4), np.arange(4.0)).predict(np.eye(4)).shape
    (4,)
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags

    def _encoded(self, y: np.ndarray, first: bool) -> np.ndarray:
        return _rows(y)

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """What the model returns: `(n,)` for one output, else `(n, outputs)`."""
        outputs = self._outputs(X)
        return outputs[:, 0] if outputs.ndim == 2 and outputs.shape[1] == 1 else outputs


class SKLearnTransformer(TransformerMixin, ModelEstimator):
    """A transformer of scikit-learn around a model: what it returns is what `transform` gives.

    Args:
        model: A compiled model, or a function `(X, y, **model_kwargs)` that returns one.
        warm_start: Whether `fit` goes on with the model of the last one.
        model_kwargs: Further arguments of the function.
        fit_kwargs: Arguments of `model.fit`.

    Attributes:
        model_: The trained model.
        history_: The `history` of the last training.

    Example:

    >>> model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(1)])
    >>> model.compile("adam", "mse")
    >>> transformer = cconv.wrappers.SKLearnTransformer(model, fit_kwargs={"verbose": 0})
    >>> transformer.fit(np.eye(4), np.ones(4)).transform(np.eye(4)).shape
    (4, 1)
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _encoded(self, y: np.ndarray, first: bool) -> np.ndarray:
        return _rows(y)

    def transform(self, X: Any) -> np.ndarray:  # noqa: N803
        """What the model returns."""
        return self._outputs(X)


def _rows(y: np.ndarray) -> np.ndarray:
    return np.asarray(y, np.float32).reshape(len(y), -1)
