"""Losses. Targets and predictions are drawn apart from the kinks of a formula where the slope is measured."""

from cases import Case

SHAPES = {"matrix": (5, 7), "one column": (6, 1), "row": (9,), "image": (2, 3, 4, 5), "many rows": (1300, 3)}


def same(shape):
    return [shape, shape]


def apart(rng, shape):
    """Numbers whose distances to their neighbours, and to halves, are at least 0.2: targets take one half of them."""
    return rng.integers(-6, 7, shape) + rng.uniform(0.1, 0.4, shape)


def apart_from(rng, shape):
    return rng.integers(-6, 7, shape) + rng.uniform(0.6, 0.9, shape)


def saturated(rng, shape):
    """Probabilities outside and at the ends of the clipped range."""
    return rng.choice([0.0, 1.0, -0.5, 1.5, 0.5], shape)


def huge(rng, shape):
    """Logits whose exponentials overflow, and such as vanish."""
    return rng.choice([-2000.0, -100.0, -1.0, 0.0, 3.0, 90.0, 1000.0], shape)


def never(rng, shape):
    """Probabilities of which some are exactly zero."""
    x = rng.uniform(0.1, 1, shape) * rng.choice([0, 1, 1], shape)
    x[..., 0] = 1
    return x


def distances(values):
    return [Case(name, same(shape), values=values) for name, shape in SHAPES.items()]


def integers(columns=8):
    """Exact: a mean over eight numbers, a sum over any. Where t = p the slope of an absolute value is taken to be 0."""
    return Case("integers", same((5, columns)), values="integers", exact=True, adjoint=False, numeric=False)


KINKS = {"numeric": False}  # at the bounds of a clipped range the slope jumps
LOGITS = {"from_logits": True}

CASES = {
    "mean_squared_error": [
        *distances("normal"),
        integers(),
        Case("equal", same((3, 4)), values="ones", min_nonzero=0, numeric=False),
    ],
    "mean_absolute_error": [*distances((apart, apart_from)), integers()],
    "l1_loss": [*distances((apart, apart_from)), integers(13)],
    "l2_loss": [*distances("normal"), integers(13)],
    "mean_squared_logarithmic_error": [
        *(Case(name, same(shape), values="positive") for name, shape in SHAPES.items()),
        Case("negative numbers", same((6, 7)), values="away_from_zero"),
        Case("zeros as targets", same((6, 7)), values=("zeros", "positive"), grad=(1,)),
    ],
    "mean_absolute_percentage_error": [
        *(Case(name, same(shape), values=(apart, apart_from)) for name, shape in SHAPES.items()),
        Case("zeros as targets", same((6, 7)), values=("zeros", apart), grad=(1,)),
    ],
    "hinge": [
        *(Case(name, same(shape), values=("signs", "normal"), min_nonzero=0.2) for name, shape in SHAPES.items()),
        Case("labels 0 and 1", same((8, 5)), values=("binary", "normal"), grad=(1,)),
        Case("labels all 1", same((8, 5)), values=("ones", "normal"), grad=(1,)),
        Case("labels 0 and 1, their gradient", same((8, 5)), values=("binary", "normal"), numeric=False),
        Case("integers", same((8, 5)), values=("signs", "integers"), min_nonzero=0.2, **KINKS),
    ],
    "kl_divergence": [
        *(Case(name, same(shape), values="unit") for name, shape in SHAPES.items()),
        Case("distributions", same((5, 7)), values="probabilities"),
        Case("one-hot", same((5, 7)), values=("one_hot", "probabilities"), grad=(1,)),
        Case("outside of the range", same((8, 9)), values=saturated, **KINKS),
    ],
    "binary_crossentropy": [
        *(Case(name, same(shape), values=("binary", "unit")) for name, shape in SHAPES.items()),
        Case("soft targets", same((5, 7)), values="unit"),
        Case("smoothed", same((5, 7)), {"label_smoothing": 0.2}, values=("binary", "unit")),
        Case("outside of the range", same((8, 9)), values=("binary", saturated), **KINKS),
        Case("logits", same((5, 7)), LOGITS, values=("unit", "normal")),
        Case("logits, smoothed", same((2, 3, 5)), {**LOGITS, "label_smoothing": 0.1}, values=("binary", "normal")),
        Case("huge logits", same((8, 9)), LOGITS, values=("binary", huge), **KINKS),
    ],
    "categorical_crossentropy": [
        *(Case(name, same(shape), values="probabilities") for name, shape in SHAPES.items() if name != "one column"),
        Case("one class", same((4, 1)), values="ones", numeric=False),
        Case("not normalized", same((5, 7)), values="positive"),
        Case("one-hot", same((5, 7)), values=("one_hot", "unit")),
        Case("smoothed", same((5, 7)), {"label_smoothing": 0.2}, values=("one_hot", "unit")),
        Case("some probabilities zero", same((9, 7)), values=("one_hot", never), **KINKS),
        Case("axis 1", same((5, 4, 3)), {"axis": 1}, values="positive"),
        Case("axis 0", same((5, 4)), {"axis": 0}, values="positive"),
        Case("logits", same((5, 7)), LOGITS, values=("one_hot", "normal")),
        Case("logits, many rows", same((1300, 10)), LOGITS, values=("one_hot", "normal")),
        Case("logits, targets that do not sum to 1", same((5, 7)), {"from_logits": True}),
        Case("logits, axis 1, smoothed", same((5, 4, 3, 2)), {**LOGITS, "axis": 1, "label_smoothing": 0.1}),
        Case("logits, row", same((9,)), LOGITS, values=("one_hot", "normal")),
        Case("huge logits", same((9, 7)), LOGITS, values=("probabilities", huge), **KINKS),
    ],
    "sparse_categorical_crossentropy": [
        Case("matrix", [(6,), (6, 4)], values=("labels(4)", "unit")),
        Case("labels in a column", [(6, 1), (6, 4)], values=("labels(4)", "unit")),
        Case("image", [(2, 3, 5), (2, 3, 5, 4)], values=("labels(4)", "unit")),
        Case("one sample", [(), (4,)], values=("labels(4)", "unit")),
        Case("one class", [(4,), (4, 1)], values=("labels(1)", "positive"), numeric=False),
        Case("some probabilities zero", [(30,), (30, 4)], values=("labels(4)", never), **KINKS),
        Case("logits", [(6,), (6, 4)], LOGITS, values=("labels(4)", "normal")),
        Case(
            "logits, image, labels with a last 1", [(2, 3, 5, 1), (2, 3, 5, 4)], LOGITS, values=("labels(4)", "normal")
        ),
        Case("logits, many rows", [(1300,), (1300, 10)], LOGITS, values=("labels(10)", "normal")),
        Case("huge logits", [(9,), (9, 7)], LOGITS, values=("labels(7)", huge), **KINKS),
    ],
    "weight_penalty": [
        Case("l1", [(5, 7)], {"l1": 0.5}, values="away_from_zero", exact=True, adjoint=False),
        Case("l2", [(3, 3, 2, 4)], {"l2": 0.25}, exact=True, adjoint=False),
        Case(
            "more than a block", [(9001,)], {"l1": 0.5, "l2": 2.0}, values="away_from_zero", exact=True, adjoint=False
        ),
        Case("scalar", [()], {"l2": 1.0}),
    ],
}
