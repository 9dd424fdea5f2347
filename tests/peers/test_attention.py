"""Attention, einsum and what is made of them, and embeddings beside Keras."""

import keras
import numpy as np
import pytest

import cconv

from .training_alike import check_errors_alike, check_layer_alike, check_signature, random


def bools(*shape, seed=0):
    x = np.random.default_rng(seed).random(shape) < 0.6
    x[..., 0] = True
    return x


HEADS = {"num_heads": 2, "key_dim": 3}
SEQUENCES = [(4, 5), (6, 5)]
MULTI_HEAD = [
    (HEADS, SEQUENCES, {}),
    ({**HEADS, "value_dim": 4, "output_shape": 7, "use_bias": False}, [(4, 5), (6, 8), (6, 9)], {}),
    ({**HEADS, "output_shape": (7, 2), "kernel_regularizer": "l2"}, SEQUENCES, {"return_attention_scores": True}),
    ({**HEADS, "attention_axes": (2,)}, [(4, 6, 5), (4, 3, 5)], {"return_attention_scores": True}),
    ({**HEADS, "attention_axes": (1,)}, [(4, 6, 5), (3, 6, 5)], {}),
    (HEADS, [(2, 3, 5), (3, 2, 5)], {"return_attention_scores": True}),
    ({**HEADS, "use_gate": True}, SEQUENCES, {}),
    ({**HEADS, "sliding_window": 2}, [(6, 5), (6, 5)], {"use_causal_mask": True}),
    ({**HEADS, "sliding_window": 2, "dropout": 0.3}, SEQUENCES, {}),
    (HEADS, SEQUENCES, {"use_causal_mask": True, "return_attention_scores": True}),
    (HEADS, SEQUENCES, {"attention_mask": bools(3, 4, 6)}),
    (HEADS, SEQUENCES, {"attention_mask": bools(1, 4, 6), "value_mask": bools(3, 6), "return_attention_scores": True}),
    (HEADS, SEQUENCES, {"value_mask": bools(3, 6), "query_mask": bools(3, 4, seed=1), "key_mask": bools(3, 6, seed=2)}),
    (HEADS, SEQUENCES, {"attention_mask": np.zeros((3, 4, 6), bool), "return_attention_scores": True}),
    (HEADS, SEQUENCES, {"attention_mask": bools(3, 2, 4, 6), "return_attention_scores": True}),
]
GROUPED = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
GROUPED_QUERY = [
    (GROUPED, SEQUENCES, {"return_attention_scores": True}),
    ({**GROUPED, "num_key_value_heads": 1, "use_bias": False}, SEQUENCES, {"use_causal_mask": True}),
    ({**GROUPED, "num_key_value_heads": 4, "use_gate": True}, SEQUENCES, {"value_mask": bools(3, 6)}),
    ({**GROUPED, "sliding_window": 2}, [(6, 5), (6, 5)], {"attention_mask": bools(3, 6, 6) | np.eye(6, dtype=bool)}),
]


@pytest.mark.parametrize(
    ("name", "arguments", "shapes", "keywords"),
    [("MultiHeadAttention", *c) for c in MULTI_HEAD] + [("GroupQueryAttention", *c) for c in GROUPED_QUERY],
)
def test_attention_of_heads_is_keras(name, arguments, shapes, keywords):
    steps = 0 if any(k.endswith("mask") for k in keywords if k != "use_causal_mask") else 3
    # a dropout draws other numbers
    steps = 0 if arguments.get("dropout") else steps

    def call(layer, inputs):
        return layer(*inputs, **keywords)

    check_layer_alike(name, arguments, shapes, call=call, steps=steps)


LISTS = [
    ("Attention", {}, {}),
    ("Attention", {"use_scale": True}, {"return_attention_scores": True, "use_causal_mask": True}),
    ("Attention", {"score_mode": "concat", "use_scale": True}, {}),
    ("Attention", {"score_mode": "concat"}, {"mask": [bools(3, 4), bools(3, 6)], "return_attention_scores": True}),
    ("Attention", {}, {"mask": [None, np.zeros((3, 6), bool)], "return_attention_scores": True}),
    ("AdditiveAttention", {}, {"return_attention_scores": True}),
    ("AdditiveAttention", {"use_scale": False}, {"mask": [bools(3, 4), None], "use_causal_mask": True}),
]


@pytest.mark.parametrize(("name", "arguments", "keywords"), LISTS)
def test_attention_of_lists_is_keras(name, arguments, keywords):
    def call(layer, inputs):
        return layer(inputs, **keywords)

    check_layer_alike(name, arguments, SEQUENCES, call=call, steps=0 if "mask" in keywords else 3)


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({"equation": "abc,cd->abd", "output_shape": (None, 4), "bias_axes": "d", "activation": "relu"}, (3, 5)),
        ({"equation": "ab,bc->ac", "output_shape": 4}, (5,)),
        ({"equation": "ab...,bc->ac...", "output_shape": (4, None), "bias_axes": "c"}, (3, 5)),
        ({"equation": "abc,cd->abd", "output_shape": (3, 4), "bias_axes": "bd"}, (3, 5)),
        ({"equation": "abc,cd->abd", "output_shape": (3, 4), "bias_axes": "b", "kernel_regularizer": "l2"}, (3, 5)),
        ({"equation": "abcd,cde->abe", "output_shape": (None, 6), "bias_axes": "e"}, (3, 5, 4)),
        ({"equation": "abc,cde->abde", "output_shape": (None, 2, 3), "bias_axes": "de"}, (4, 5)),
        ({"equation": "abc,dbc->ad", "output_shape": 6, "bias_axes": "d"}, (4, 5)),
        ({"equation": "...x,xy->...y", "output_shape": 4, "bias_axes": "y"}, (5,)),
    ],
)
def test_einsum_dense_is_keras(arguments, shape):
    check_layer_alike("EinsumDense", arguments, [shape])


@pytest.mark.parametrize(
    ("arguments", "shapes"),
    [
        ({"axes": 1}, [(5,), (5,)]),
        ({"axes": 2}, [(3, 5), (4, 5)]),
        ({"axes": (2, 1), "normalize": True}, [(3, 5), (5, 4)]),
        ({"axes": -1}, [(3, 5), (4, 5)]),
        ({"axes": 1}, [(5, 3), (5,)]),
        ({"axes": [3, 2]}, [(3, 4, 5), (6, 5)]),
    ],
)
def test_dot_is_keras(arguments, shapes):
    check_layer_alike("Dot", arguments, shapes)


@pytest.mark.parametrize("arguments", [{}, {"mask_zero": True, "embeddings_regularizer": "l2"}])
@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_an_embedding_is_keras(arguments, dtype):
    data = [np.array([[1, 0, 6], [2, 2, 1]]).astype(dtype)]
    ours, theirs, _ = check_layer_alike(
        "Embedding", {"input_dim": 7, "output_dim": 3, **arguments}, [], data=data, steps=3 if dtype == "int32" else 0
    )
    if arguments:
        mask = theirs.compute_mask(keras.ops.convert_to_tensor(data[0]), None)
        np.testing.assert_array_equal(ours.compute_mask(data[0], None), keras.ops.convert_to_numpy(mask))


@pytest.mark.parametrize(
    ("name", "arguments", "shapes"),
    [
        ("MultiHeadAttention", {"num_heads": 0, "key_dim": 3}, [(3, 4)]),
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "value_dim": 0}, [(3, 4)]),
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "sliding_window": 0}, [(3, 4)]),
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, [(3, 4)]),
        ("GroupQueryAttention", {"head_dim": 2, "num_query_heads": 4, "num_key_value_heads": 3}, [(3, 4)]),
        ("Attention", {}, [(3, 4)]),
        ("Attention", {"score_mode": "product"}, [(3, 4), (5, 4)]),
        ("EinsumDense", {"equation": "abc->ab", "output_shape": 4}, [(3, 4)]),
        ("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 4, "bias_axes": "z"}, [(3,)]),
        ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (7, 4)}, [(3, 4)]),
        ("Dot", {"axes": "a"}, [(3, 4), (3, 4)]),
        ("Dot", {"axes": (1, 2, 3)}, [(3, 4), (3, 4)]),
        ("Dot", {"axes": (1, 2)}, [(3, 4), (3, 5)]),
        ("Dot", {"axes": 1}, [(3, 4)]),
        ("Embedding", {"input_dim": 0, "output_dim": 3}, [(3,)]),
    ],
)
def test_errors_are_of_keras_class(name, arguments, shapes):
    check_errors_alike(name, arguments, shapes)


def test_signatures():
    for name in ("LayerNormalization", "CategoryEncoding", "Discretization", "Normalization"):
        check_signature(name)


EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("abc,cde->abde", (2, 3, 4), (4, 2, 3)),
    ("aecd,abcd->acbe", (2, 3, 4, 5), (2, 6, 4, 5)),
    ("acbe,aecd->abcd", (2, 3, 4, 5), (2, 5, 3, 6)),
    ("ij->ji", (2, 3)),
    ("ij->", (2, 3)),
    ("i,j->ij", (2,), (3,)),
    ("ij,ij->i", (2, 3), (2, 3)),
    ("...ij,...jk->...ik", (2, 3, 4), (4, 5)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)),
    ("...,...->...", (2, 3), (3,)),
    ("ab,bc->ca", (2, 3), (3, 4)),
]


@pytest.mark.parametrize("case", EQUATIONS, ids=[c[0] for c in EQUATIONS])
def test_einsum_is_keras(case):
    equation, *shapes = case
    for dtype in ("float32", "int32"):
        xs = [(random(shape, i) * 3).astype(dtype) for i, shape in enumerate(shapes)]
        ours = cconv.ops.einsum(equation, *xs)
        theirs = keras.ops.convert_to_numpy(keras.ops.einsum(equation, *xs))
        assert ours.dtype.kind == theirs.dtype.kind and ours.shape == theirs.shape  # its int64 are int32 here
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_einsum_in_a_model_is_read_by_keras():
    a, b = cconv.Input((3, 4)), cconv.Input((5, 4))
    model = cconv.Model([a, b], cconv.ops.einsum("bij,bkj->bik", a, b))
    theirs = keras.models.model_from_json(model.to_json())
    data = [random((2, 3, 4)), random((2, 5, 4), 1)]
    np.testing.assert_allclose(model(data), keras.ops.convert_to_numpy(theirs(data)), rtol=1e-4, atol=1e-5)
    back = cconv.models.model_from_json(theirs.to_json())
    np.testing.assert_allclose(back(data), model(data), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "shapes", "keywords"),
    [
        ("tensordot", [(2, 3, 4), (3, 4, 5)], {}),
        ("tensordot", [(2, 3, 4), (4, 3, 5)], {"axes": [[1, 2], [1, 0]]}),
        ("dot", [(2, 3, 4), (4,)], {}),
        ("dot", [(3,), (3,)], {}),
        ("inner", [(2, 3), (4, 3)], {}),
        ("vdot", [(5,), (5,)], {}),
        ("outer", [(2, 3), (4,)], {}),
    ],
)
def test_a_product_is_keras(name, shapes, keywords):
    xs = [random(shape, i) for i, shape in enumerate(shapes)]
    ours = getattr(cconv.ops, name)(*xs, **keywords)
    theirs = keras.ops.convert_to_numpy(getattr(keras.ops, name)(*xs, **keywords))
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"mask": bools(2, 4, 3, 6)},
        {"mask": bools(3, 6), "scale": 0.3},
        {"bias": random((4, 3, 6), 5)},
        {"is_causal": True},
    ],
)
@pytest.mark.parametrize("heads", [4, 2, 1])
def test_dot_product_attention_is_keras(keywords, heads):
    query, key, value = random((2, 3, 4, 5)), random((2, 6, heads, 5), 1), random((2, 6, heads, 5), 2)
    ours = cconv.ops.dot_product_attention(query, key, value, **keywords)
    theirs = keras.ops.convert_to_numpy(keras.ops.dot_product_attention(query, key, value, **keywords))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
