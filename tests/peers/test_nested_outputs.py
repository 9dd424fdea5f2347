"""Losses, weights, metrics and labels of nested outputs, with holes, beside Keras."""

import keras
import numpy as np
import pytest

import cconv

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(8, 4)).astype(np.float32)
A, B, C = (RANDOM.normal(size=(8, 2)).astype(np.float32) for _ in range(3))
WEIGHTS = {name: RANDOM.normal(size=(4, 2)).astype(np.float32) for name in "abc"}
SAMPLE_WEIGHT = RANDOM.uniform(0.2, 2, 8).astype(np.float32)
FORMS = {
    "list": lambda a, b, c: [a, b],
    "dict": lambda a, b, c: {"a": a, "b": b},
    "keys": lambda a, b, c: {"p": a, "q": b},
    "dict of list": lambda a, b, c: {"a": a, "z": [b, c]},
    "list of list": lambda a, b, c: [a, [b, c]],
    "tuple of dict": lambda a, b, c: (a, {"b": b, "c": c}),
    "one": lambda a, b, c: a,
}
# the form of the outputs, the arguments of compile, the labels
CASES = [
    ("list", {"loss": ["mse", None]}, [A, B]),
    ("list", {"loss": ["mse", None]}, [A, None]),
    ("list", {"loss": ["mse", None]}, [A]),
    ("list", {"loss": [None, "mae"]}, [A, B]),
    ("list", {"loss": [None, "mae"]}, [B]),
    ("list", {"loss": ("mse", "mae"), "loss_weights": [2.0, None]}, [A, B]),
    ("list", {"loss": {"a": "mse", "b": None}}, [A, B]),
    ("list", {"loss": {"a": "mse", "b": "mae"}, "loss_weights": {"a": 2.0, "b": None}}, [A, B]),
    ("list", {"loss": ["mse", "mae"], "metrics": ["mae", None]}, [A, B]),
    ("list", {"loss": ["mse", "mae"], "metrics": {"b": ["mae", "mse"]}}, {"a": A, "b": B}),
    ("dict", {"loss": {"a": "mse", "b": None}}, {"a": A, "b": B}),
    ("dict", {"loss": {"a": "mse", "b": None}}, {"a": A, "b": None}),
    ("dict", {"loss": {"a": "mse"}}, {"a": A}),
    ("dict", {"loss": ["mse", None]}, {"a": A, "b": B}),
    ("dict", {"loss": {"a": "mse", "b": "mae"}, "loss_weights": {"a": 1.0, "b": None}}, {"a": A, "b": B}),
    ("keys", {"loss": {"p": "mse", "q": None}, "metrics": {"p": "mae"}}, {"p": A, "q": B}),
    ("dict of list", {"loss": {"a": "mse", "z": ["mae", None]}}, {"a": A, "z": [B, C]}),
    ("dict of list", {"loss": {"a": "mse", "z": ["mae", None]}}, {"a": A, "z": [B, None]}),
    ("dict of list", {"loss": {"a": "mse"}}, {"a": A, "z": [B, C]}),
    ("dict of list", {"loss": {"a": "mse", "z": None}}, {"a": A, "z": [B, C]}),
    ("dict of list", {"loss": "mse"}, {"a": A, "z": [B, C]}),
    (
        "dict of list",
        {"loss": {"a": None, "z": ["mae", "mse"]}, "loss_weights": {"a": None, "z": [0.5, 2.0]}},
        {"a": A, "z": [B, C]},
    ),
    (
        "dict of list",
        {"loss": {"a": "mse", "z": ["mae", "mse"]}, "metrics": {"a": "mae", "z": ["mse", None]}},
        {"a": A, "z": [B, C]},
    ),
    ("list of list", {"loss": ["mse", ["mae", None]]}, [A, [B, C]]),
    ("list of list", {"loss": ["mse", ["mae", None]]}, [A, [B, None]]),
    ("list of list", {"loss": ["mse", "mae", None]}, [A, B, C]),
    ("list of list", {"loss": ["mse", ("mae", None)], "loss_weights": [1.0, [2.0, None]]}, [A, [B, C]]),
    ("list of list", {"loss": ["mse", ["mae", "mse"]], "metrics": ["mse", [None, ["mae"]]]}, [A, [B, C]]),
    ("tuple of dict", {"loss": ("mse", {"b": "mae", "c": None})}, (A, {"b": B, "c": C})),
    ("tuple of dict", {"loss": ("mse", {"b": "mae"})}, (A, {"b": B, "c": C})),
    ("one", {"loss": ["mse"], "loss_weights": [0.5]}, A),
    ("one", {"loss": {"a": "mse"}}, [A]),
]


def evaluated(library, form, arguments, y, **given):
    x = library.Input((4,))
    outputs = [library.layers.Dense(2, name=name) for name in "abc"]
    model = library.Model(x, FORMS[form](*(layer(x) for layer in outputs)))
    for layer in outputs:
        layer.set_weights([WEIGHTS[layer.name], np.zeros(2, np.float32)])
    model.compile(library.optimizers.SGD(0.1), **arguments)
    logs = model.evaluate(X, y, batch_size=6, verbose=0, return_dict=True, **given)
    history = model.fit(X, y, batch_size=6, epochs=2, shuffle=False, verbose=0, **given).history
    return logs, history


@pytest.mark.parametrize(("form", "arguments", "y"), CASES, ids=[f"{i}-{case[0]}" for i, case in enumerate(CASES)])
def test_as_keras(form, arguments, y):
    theirs, ours = (evaluated(library, form, arguments, y) for library in (keras, cconv))
    for mine, its in zip(ours, theirs, strict=True):
        assert sorted(mine) == sorted(its)
        for name in its:
            np.testing.assert_allclose(mine[name], its[name], rtol=2e-5, err_msg=name)


def test_weights_nest_as_the_outputs():
    arguments = {"loss": {"a": "mse", "z": ["mae", "mse"]}}
    y, w = {"a": A, "z": [B, C]}, {"a": SAMPLE_WEIGHT, "z": [SAMPLE_WEIGHT * 2, SAMPLE_WEIGHT[::-1].copy()]}
    theirs, ours = (evaluated(library, "dict of list", arguments, y, sample_weight=w)[0] for library in (keras, cconv))
    for name in theirs:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=2e-5, err_msg=name)
