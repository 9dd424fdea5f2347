"""What the wrappers share: how a model becomes an estimator of scikit-learn."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _core
from ..models import Model, clone_model

try:
    from sklearn.base import BaseEstimator
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "`cconv.wrappers` needs scikit-learn 1.6 or later, which is not installed: pip install scikit-learn"
    ) from error

_loaded_in = os.getpid()


class ModelEstimator(BaseEstimator):
    """An estimator around a model; the base of the wrappers.

    Args:
        model: A compiled model, of which every `fit` trains a copy with new weights; or a function `(X, y, **kwargs)`
            that returns a compiled model for such data, where `y` is as the model will be trained on it.
        warm_start: Whether `fit` goes on with the model of the last one.
        model_kwargs: Further arguments of the function `model`.
        fit_kwargs: Arguments of `model.fit`, such as `epochs` and `verbose`.

    Attributes:
        model_: The trained model.
        history_: The `history` of the last training.
        n_features_in_: The size of the first axis behind the samples.
    """

    def __init__(
        self,
        model: Model | Callable[..., Model],
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True  # unless the function seeds
        tags.input_tags.three_d_array = True
        return tags

    def _encoded(self, y: Any, first: bool) -> np.ndarray:
        """The labels as the model is trained on them. `first`: whether they say anew what labels there are."""
        raise NotImplementedError

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:  # noqa: N803 - scikit-learn's name
        """Trains the model.

        Args:
            X: Samples, `(n, features)` or `(n, h, w, c)`.
            y: A label for each.
            **kwargs: Arguments of `model.fit`, beside `fit_kwargs` and before them; among them `sample_weight`.

        Returns:
            The estimator itself.

        Raises:
            ValueError: The data is none scikit-learn takes.
            RuntimeError: The model is not compiled.
        """
        _share_processors()
        X, y = validate_data(self, X, y, allow_nd=True, multi_output=self.__sklearn_tags__().target_tags.multi_output)
        again = self.warm_start and hasattr(self, "model_")
        labels = self._encoded(y, first=not again)
        model = self.model_ if again else self._new_model(X, labels)
        history = model.fit(X, labels, **{**(self.fit_kwargs or {}), **kwargs})
        self.model_, self.history_ = model, history.history
        return self

    def _new_model(self, X: np.ndarray, y: np.ndarray) -> Model:  # noqa: N803
        if isinstance(self.model, Model):
            _check_compiled(self.model)
            made = clone_model(self.model)
            made.compile_from_config(self.model.get_compile_config())
            return made
        if not callable(self.model):
            raise TypeError(
                f"{type(self).__name__}: expected `model` to be a compiled model or a function (X, y) that returns "
                f"one. Received: model={self.model!r}"
            )
        made = self.model(X, y, **(self.model_kwargs or {}))
        if not isinstance(made, Model):
            raise TypeError(f"{type(self).__name__}: `model(X, y)` must return a model. It returned: {made!r}")
        _check_compiled(made)
        return made

    def _outputs(self, X: Any) -> np.ndarray:  # noqa: N803
        _share_processors()
        check_is_fitted(self)
        return self.model_.predict(validate_data(self, X, reset=False, allow_nd=True), verbose=0)


def _check_compiled(model: Model) -> None:
    if not model.compiled or model.loss is None or model.optimizer is None:
        raise RuntimeError(
            f"Model '{model.name}' must be compiled, with a loss and an optimizer, before it is wrapped."
        )


def _share_processors() -> None:
    """One thread in a forked worker: its siblings use the other processors, and it does not know how many they are.

    Spawned workers of joblib are told by OMP_NUM_THREADS how many they may use.
    """
    global _loaded_in
    if _loaded_in != os.getpid() and multiprocessing.parent_process() is not None:
        _core.set_num_threads(1)
    _loaded_in = os.getpid()
