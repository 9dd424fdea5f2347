"""Circle loss: embeddings of one class come together, those of others part."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..ops._apply import shape_of
from .loss import LossFunctionWrapper

__all__ = ["Circle", "circle"]

_NEVER = -1e30  # in place of a logarithm of 0


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """The circle loss of embeddings of length 1: each pair pulls or pushes the more, the farther it is from its goal.

    With s the similarities (cosines) of pairs of one class (p) and of different classes (n), for each sample
    `log(1 + sum exp(gamma max(s_n + margin, 0) (s_n - margin)) * sum exp(-gamma max(1 + margin - s_p, 0) (s_p - 1 +
    margin)))`. Sun and others, "Circle loss: a unified perspective of pair similarity optimization", 2020, equation 6.

    Args:
        y_true: Class numbers of shape (n,) or (n, 1).
        y_pred: Embeddings of length 1, of shape (n, d).
        ref_labels, ref_embeddings: What they are compared with, of shapes (m,) and (m, d): by default each other.
        remove_diagonal: Whether the pair of number i with number i does not count.
        gamma: Scale of the similarities.
        margin: How far similarities may stay from 1 and 0.

    Returns:
        One loss for each sample, of shape (n,).

    Example:

    >>> near = cconv.losses.circle([0, 0, 1], np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), gamma=2)
    >>> near.round(3).tolist()
    [0.486, 0.486, 0.0]
    """
    labels, embeddings = _labels(y_true), ops.convert_to_tensor(y_pred)
    others = labels if ref_labels is None else _labels(ref_labels)
    points = embeddings if ref_embeddings is None else ops.convert_to_tensor(ref_embeddings)
    if len(shape_of(embeddings)) != 2:
        raise ValueError(f"circle: expected embeddings of shape (n, d). Received: shape {shape_of(embeddings)}")
    similar = ops.matmul(embeddings, ops.transpose(points))
    alike = ops.equal(ops.expand_dims(labels, 1), ops.expand_dims(others, 0))
    positive = ops.cast(alike, "float32")
    negative = 1.0 - positive
    if remove_diagonal:
        rows, columns = (ops.argsort(x * 0) for x in (labels, others))  # 0, 1, 2, ...: equals keep their order
        same = ops.equal(ops.expand_dims(rows, 1), ops.expand_dims(columns, 0))
        positive = positive * (1.0 - ops.cast(same, "float32"))
    pull = -gamma * ops.stop_gradient(ops.maximum(1 + margin - similar, 0.0)) * (similar - (1 - margin))
    push = gamma * ops.stop_gradient(ops.maximum(similar + margin, 0.0)) * (similar - margin)
    pulls = ops.logsumexp(ops.where(ops.greater(positive, 0.5), pull, _NEVER), axis=1)
    pushes = ops.logsumexp(ops.where(ops.greater(negative, 0.5), push, _NEVER), axis=1)
    return ops.softplus(pulls + pushes)


def _labels(labels: Any) -> Any:
    labels = ops.cast(ops.convert_to_tensor(labels), "int32")
    return ops.squeeze(labels, -1) if len(shape_of(labels)) == 2 else labels


class Circle(LossFunctionWrapper):
    """The circle loss of a batch of embeddings. See `cconv.losses.circle`.

    Args:
        gamma: Scale of the similarities.
        margin: How far similarities may stay from 1 and 0.
        remove_diagonal: Whether a sample does not count as similar to itself.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"`.

    Example:

    >>> loss = cconv.losses.Circle(gamma=2)
    >>> round(float(loss([0, 0, 1], np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))), 3)
    0.324
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(circle, reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal)
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal
