"""Shape rules while sizes are unknown: what is told early must be what is told late."""

import numpy as np
import pytest
from cases import all_cases
from op_harness import infer

CASES = [pytest.param(op, case, id=f"{op}: {case.id}") for op, cases in all_cases().items() for case in cases]
ZERO = "expected at least one element"


def shapes_of(case):
    return [None if shape is None else tuple(shape) for shape in case.inputs]


def agrees(early, late):
    return len(early) == len(late) and all(a is None or a == b for a, b in zip(early, late, strict=True))


@pytest.mark.parametrize("op, case", CASES)
def test_an_unknown_first_size_agrees_with_the_known_one(op, case):
    """Of each input by itself, and of all inputs whose first size is the same."""
    shapes = shapes_of(case)
    late = infer(op, shapes, case.attributes)
    hidden = [{i} for i, shape in enumerate(shapes) if shape]
    hidden.append({i for i, shape in enumerate(shapes) if shape and shapes[0] and shape[0] == shapes[0][0]})
    for chosen in hidden:
        partly = [(None, *shape[1:]) if i in chosen else shape for i, shape in enumerate(shapes)]
        early = infer(op, partly, case.attributes)
        assert agrees(early, late), f"{partly} gives {early}, but {shapes} gives {late}"


@pytest.mark.parametrize(
    "op, shapes, attributes, expected",
    [
        ("flatten", [(None, 4, 4, 8)], {}, (None, 128)),
        ("flatten", [(None, None, 4)], {}, (None, None)),
        ("reshape", [(None, 4, 6)], {"shape": (0, -1)}, (None, 24)),
        ("reshape", [(None, 4, 6)], {"shape": (-1, 8)}, (None, 8)),
        ("reshape", [(None, 4, 6)], {"shape": (0, 3, -1, 2)}, (None, 3, 4, 2)),
        ("reshape", [(None, 4)], {"shape": (2, 8)}, (2, 8)),
        ("reshape", [(1, None, 8, None, 5)], {"shape": (-3, 8, -5, 5)}, (None, 8, None, 5)),
        ("reshape", [(None, None, 6)], {"shape": (0, 1, -3, -1)}, (None, 1, None, 6)),
        ("add", [(None, 3), (3,)], {}, (None, 3)),
        ("add", [(None, 3), (1, 1)], {}, (None, 3)),
        ("add", [(None, 3), (5, 3)], {}, (5, 3)),
        ("add", [(1, 3), (None, 1)], {}, (None, 3)),
        ("where", [(None, 1), (1, 4), ()], {}, (None, 4)),
        ("concatenate", [(None, 2), (7, 3)], {"axis": 1}, (7, 5)),
        ("concatenate", [(None, 2), (7, 2)], {"axis": 0}, (None, 2)),
        ("slice", [(None, None, 3)], {"begin": (0, -1, 0), "size": (-1, -1, 2)}, (None, 1, 2)),
        ("slice", [(None, None, 3)], {"begin": (0, 2, 0), "size": (-1, -2, -2)}, (None, None, 2)),
        ("slice", [(None, 3)], {"begin": (-4, 0), "size": (-2, -1)}, (3, 3)),
        ("pad", [(None, None, 5, 3)], {"pads": (0, 1, 2, 0, 0, 3, 4, 0)}, (None, None, 11, 3)),
        ("pad", [(None, None, 5)], {"pads": (1, 2, 3, 0, 4, 1), "mode": "reflect"}, (None, None, 9)),
        ("squeeze", [(None, 1, 3)], {"axes": (1,)}, (None, 3)),
        ("broadcast_to", [(None, 1)], {"shape": (-1, 4)}, (None, 4)),
        ("broadcast_to", [(1, 1, 4), (None, 7)], {"shape": (-2, -1, 4)}, (None, 1, 4)),
        ("broadcast_to", [(4,), (2, None)], {"shape": (-3, 4)}, (None, 4)),
        ("transpose", [(None, 2, None)], {"axes": (2, 0, 1)}, (None, None, 2)),
        ("mean", [(None, None, 3)], {"axes": (0, 1), "keepdims": True}, (1, 1, 3)),
        ("one_hot", [(None,)], {"depth": 4}, (None, 4)),
        ("softmax", [(None, 10)], {}, (None, 10)),
    ],
)
def test_unknown_sizes_are_passed_on(op, shapes, attributes, expected):
    assert infer(op, shapes, attributes) == expected


@pytest.mark.parametrize(
    "op, shapes, attributes, words",
    [
        ("add", [(None, 3), (4,)], {}, ["(None, 3)", "(4,)"]),
        ("where", [(2,), (3,), (3,)], {}, ["(2,)", "(3,)"]),
        ("reshape", [(2, 3)], {"shape": (4, -1)}, ["(4, -1)", "(2, 3)"]),
        ("reshape", [(None, 3)], {"shape": (0, 4)}, ["(0, 4)", "(None, 3)"]),
        ("reshape", [(None, 3)], {"shape": (5,)}, ["(5,)", "(None, 3)"]),
        ("reshape", [(2, 3)], {"shape": (-1, -1)}, ["at most one -1"]),
        ("reshape", [(6,)], {"shape": (6, 0)}, ["position 1", "(6,)"]),
        ("reshape", [(6, 1)], {"shape": (6, -4)}, ["position 1", "(6, 1)"]),
        ("reshape", [(2, 2)], {"shape": (0, -2)}, ["once each, at position 1", "(2, 2)"]),
        ("reshape", [(6,)], {"shape": (-(2**63),)}, ["position 0", "(6,)"]),
        ("reshape", [(6,)], {"shape": (2**62, 2**62)}, ["fits in memory"]),
        ("transpose", [(2, 3)], {"axes": (0, 0)}, ["axis 0 twice"]),
        ("transpose", [(2, 3)], {"axes": (0,)}, ["expected 2 axes", "received 1"]),
        ("softmax", [(2, 3)], {"axis": 2}, ["-2 to 1", "received 2"]),
        ("softmax", [()], {}, ["scalar"]),
        ("sum", [(2, 3)], {"axes": (1, -1)}, ["axis 1 twice"]),
        ("max", [(2, 0)], {}, [ZERO, "(2, 0)"]),
        ("argmax", [(2, 0)], {}, [ZERO, "(2, 0)"]),
        ("squeeze", [(None, 2)], {"axes": (1,)}, ["size 1 along axis 1", "(None, 2)"]),
        ("squeeze", [(None, 1)], {"axes": ()}, ["unknown"]),
        ("slice", [(4, 3)], {"begin": (0, 2), "size": (-1, 2)}, ["(4, 3)", "begin 2 and size 2 along axis 1"]),
        ("slice", [(4, 3)], {"begin": (0,), "size": (1,)}, ["(4, 3)", "received 1 and 1"]),
        ("slice", [(None,)], {"begin": (-2,), "size": (3,)}, ["begin -2 and size 3"]),
        ("slice", [(4, 3)], {"begin": (0, 2), "size": (-1, -3)}, ["(4, 3)", "begin 2 and size -3 along axis 1"]),
        ("slice", [(None,)], {"begin": (-2,), "size": (-4,)}, ["begin -2 and size -4"]),
        ("slice", [(4,)], {"begin": (0,), "size": (-(2**63),)}, ["(4,)"]),
        ("pad", [(1, 2, 2, 1)], {"pads": (0, 1, -1, 0, 0, 0, 0, 0)}, ["received -1"]),
        ("pad", [(1, 2, 2, 1)], {"pads": (1,)}, ["8 pads", "(1, 2, 2, 1)", "received 1"]),
        ("pad", [(2, 2)], {"pads": (1, 1, 1, 1), "mode": "edge", "value": 2.0}, ["received 2 with mode edge"]),
        (
            "pad",
            [(2, 3)],
            {"pads": (0, 1, 0, 3), "mode": "reflect"},
            ["smaller", "received a pad of 3 for axis 1", "(2, 3)"],
        ),
        ("pad", [(None, 3)], {"pads": (9, 1, 0, 4), "mode": "symmetric"}, ["no larger", "a pad of 4 for axis 1"]),
        ("pad", [(2, 0)], {"pads": (0, 1, 0, 0), "mode": "edge"}, ["at least one element", "(2, 0)"]),
        ("pad", [(2, 0)], {"pads": (0, 0, 0, 1), "mode": "symmetric"}, ["no larger", "(2, 0)"]),
        ("pad", [(2, 2**40)], {"pads": (2**31 - 1, 0, 2**31 - 1, 0)}, ["fits in memory"]),
        ("concatenate", [(2, 3), (3, 3)], {"axis": 1}, ["(2, 3)", "(3, 3)", "axis 1"]),
        ("concatenate", [(2, 3), (2, 3, 1)], {}, ["(2, 3, 1)", "input 1"]),
        ("broadcast_to", [(2, 3)], {"shape": (2, 4)}, ["(2, 4)", "(2, 3)"]),
        ("broadcast_to", [(1, 3)], {"shape": (-2, 3)}, ["(1, 3)"]),
        ("broadcast_to", [(1, 3), (2,)], {"shape": (-3, 3)}, ["(1, 3)", "(2,)"]),
        ("broadcast_to", [(2, 3), (4,)], {"shape": (-2, 3)}, ["(2, 3)", "(4,)"]),
        ("broadcast_to", [(1, 3), (4,)], {"shape": (-(2**63), 3)}, ["(1, 3)", "(4,)"]),
        ("one_hot", [(2,)], {"depth": 0}, ["received 0"]),
        ("expand_dims", [(2,)], {"axis": 2}, ["-2 to 1", "received 2"]),
        ("expand_dims", [(1,) * 8], {"axis": 0}, ["rank 7"]),
        ("clip", [(2,)], {"minimum": 2, "maximum": 1}, ["minimum <= maximum", "2 and 1"]),
        ("leaky_relu", [(2,)], {"alpha": -1.0}, ["at least 0", "-1"]),
        ("flatten", [()], {}, ["scalar"]),
    ],
)
def test_what_cannot_be_is_refused_with_both_sides_named(op, shapes, attributes, words):
    with pytest.raises(ValueError) as refusal:
        infer(op, shapes, attributes, name="the_layer")
    for word in ["the_layer", op, *words]:
        assert word in str(refusal.value)


def test_broadcasting_agrees_with_numpy():
    """Over many pairs of shapes: the same result, or refused by both."""
    rng = np.random.default_rng(3)
    for _ in range(500):
        a, b = (
            tuple(int(n) for n in rng.choice([0, 1, 2, 3], rng.integers(0, 6), p=[0.05, 0.45, 0.4, 0.1])) for _ in "ab"
        )
        try:
            expected = np.broadcast_shapes(a, b)
        except ValueError:
            with pytest.raises(ValueError, match="counted from the last"):
                infer("add", [a, b])
        else:
            assert infer("add", [a, b]) == expected
