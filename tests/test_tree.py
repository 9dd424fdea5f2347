"""Nested structures and what is told of the back end, beside Keras' numbers written down."""

from collections import namedtuple

import numpy as np
import pytest

import cconv
from cconv import backend, tree

Point = namedtuple("Point", "x y")
NESTED = {"b": [1, (2, None)], "a": Point(3, {"c": 4})}


def test_flatten_and_pack():
    assert tree.flatten(NESTED) == [3, 4, 1, 2, None]
    assert tree.pack_sequence_as(NESTED, "vwxyz") == {"b": ["x", ("y", "z")], "a": Point("v", {"c": "w"})}
    assert tree.pack_sequence_as(0, [7]) == 7
    with pytest.raises(ValueError, match="5 leaves. Received: 6"):
        tree.pack_sequence_as(NESTED, range(6))
    paths = [("a", 0), ("a", 1, "c"), ("b", 0), ("b", 1, 0), ("b", 1, 1)]
    assert [path for path, _ in tree.flatten_with_path(NESTED)] == paths


def test_map_structure():
    assert tree.map_structure(str, NESTED) == {"b": ["1", ("2", "None")], "a": Point("3", {"c": "4"})}
    assert tree.map_structure(lambda a, b, c: a + b + c, [1, (2,)], [3, (4,)], [5, (6,)]) == [9, (12,)]
    assert tree.map_structure_up_to((0, [0]), len, ("ab", [[1, 2, 3]])) == (2, [3])
    with pytest.raises(ValueError, match="expected 1 parts, received"):
        tree.map_structure_up_to([0], len, [[1], [2]])
    with pytest.raises(ValueError, match="expected 2 parts of .*list.*, received 3"):
        tree.map_structure(max, [1, 2], [1, 2, 3])


@pytest.mark.parametrize(
    ("a", "b"), [([1], (1,)), ([1], 1), ([1, 2], [1]), ({"a": 1}, {"b": 1}), ([[1]], [(1,)]), ([1], [[1]])]
)
def test_different_structures(a, b):
    tree.assert_same_structure(a, a)
    with pytest.raises(ValueError, match="The structures differ"):
        tree.assert_same_structure(a, b)


def test_same_paths():
    tree.assert_same_paths([1, (2,)], (3, [4]))
    with pytest.raises(ValueError, match=r"of the other \{\(2,\)\}"):
        tree.assert_same_paths([1, 2], [1, 2, 3])


def test_traverse():
    double = lambda x: x * 2 if isinstance(x, int) else None  # noqa: E731
    assert tree.traverse(double, [1, (2, {"a": 3})]) == [2, (4, {"a": 6})]
    assert tree.traverse(lambda x: tuple(x) if isinstance(x, list) else None, [1, [2]]) == (1, [2])
    assert tree.traverse(lambda x: tree.MAP_TO_NONE if x == 2 else None, [1, [2, 3]]) == [1, [None, 3]]
    assert tree.traverse(lambda x: sum(x) if isinstance(x, list) else None, [1, [2, 3]], top_down=False) == 6
    assert tree.lists_to_tuples([1, [2, (3, [4])], Point([5], 6)]) == (1, (2, (3, (4,))), Point((5,), 6))


def test_shapes_are_leaves():
    assert tree.map_shape_structure(lambda s: (*s, 1), {"a": (1, None), "b": [[2, 3]]}) == {
        "a": (1, None, 1),
        "b": [(2, 3, 1)],
    }
    with pytest.raises(ValueError, match="unknown objects"):
        tree.map_shape_structure(len, {"a": "x"})


def test_backend():
    assert backend.backend() == "cconv"
    assert backend.floatx() == "float32" and backend.epsilon() == cconv.config.epsilon()
    backend.set_floatx("float32")
    with pytest.raises(ValueError, match="value='float64'"):
        backend.set_floatx("float64")
    assert backend.result_type("int32", "float32") == "float32"
    assert backend.result_type(int, bool) == "int32" and backend.result_type("uint8", "int64") == "int32"
    assert backend.result_type() == "float32"
    assert [backend.standardize_dtype(t) for t in (None, int, "bfloat16", np.int8)] == [
        "float32",
        "int32",
        "bfloat16",
        "int8",
    ]
    assert backend.is_float_dtype("float16") and not backend.is_float_dtype("int8")
    assert backend.is_int_dtype("uint8") and not backend.is_int_dtype(bool)
    with pytest.raises(ValueError, match="Invalid dtype: foo"):
        backend.standardize_dtype("foo")
    assert backend.is_keras_tensor(cconv.Input((1,))) and not backend.is_keras_tensor(np.ones(1))
    first = backend.get_uid("of a test")
    assert backend.get_uid("of a test") == first + 1 and backend.get_uid("of another test") == 1
