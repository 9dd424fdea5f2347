"""Attention, einsum, embeddings: numbers beside NumPy, gradients, masks that follow tensors, errors."""

import numpy as np
import pytest

import cconv
from cconv import layers, ops


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@pytest.mark.parametrize("heads", [6, 3, 1])
def test_dot_product_attention_is_its_formula(heads):
    query, key, value = numbers(2, 5, 6, 4), numbers(2, 7, heads, 4, seed=1), numbers(2, 7, heads, 4, seed=2)
    mask = np.random.default_rng(3).random((2, 1, 5, 7)) < 0.5
    mask[0, 0, 2] = False
    y = ops.dot_product_attention(query, key, value, mask=mask)
    k, v = (np.repeat(x.astype(float), 6 // heads, 2) for x in (key, value))
    scores = np.einsum("btnh,bsnh->bnts", query.astype(float), k) / 2
    weights = softmax(np.where(mask, scores, -1e30)) * mask
    np.testing.assert_allclose(y, np.einsum("bnts,bsnh->btnh", weights, v), rtol=1e-4, atol=1e-5)
    assert not y[0, 2].any()


@pytest.mark.parametrize("window", [None, 2])
@pytest.mark.parametrize("steps", [5, None])
def test_a_causal_mask_is_the_same_for_known_and_unknown_steps(steps, window):
    inputs = cconv.Input((steps, 4))
    layer = layers.MultiHeadAttention(2, 3, sliding_window=window)
    y, weights = layer(inputs, inputs, use_causal_mask=True, return_attention_scores=True)
    model = cconv.Model(inputs, [y, weights])
    x = numbers(3, 5, 4)
    x[1, 2] = np.inf  # positions do not depend on values
    y, weights = model.predict(x, verbose=0)
    apart = np.arange(5)[:, None] - np.arange(5)
    seen = (apart >= 0) & (apart < (window or 9))
    assert np.array_equal(weights[0] > 0, np.broadcast_to(seen, weights[0].shape))
    np.testing.assert_allclose(weights[0].sum(-1), 1, rtol=1e-5)


def test_a_causal_transformer_learns_to_repeat():
    """Training goes through embeddings, attention, normalization: the next number of a counted row is told."""
    rng = np.random.default_rng(0)
    x = (rng.integers(0, 6, (64, 1)) + np.arange(8)) % 6
    inputs = cconv.Input((8,), dtype="int32")
    tokens = layers.Embedding(6, 16)(inputs)
    seen = layers.MultiHeadAttention(2, 8)(tokens, tokens, use_causal_mask=True)
    hidden = layers.LayerNormalization()(layers.Add()([tokens, seen]))
    model = cconv.Model(inputs, layers.Dense(6, activation="softmax")(hidden))
    model.compile(cconv.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, (x + 1) % 6, epochs=15, batch_size=16, verbose=0).history
    assert history["accuracy"][-1] > 0.99


def trained_on(threads, x):
    cconv.set_num_threads(threads)
    cconv.utils.set_random_seed(5)
    inputs = cconv.Input(x.shape[1:])
    y = layers.GroupNormalization(3)(layers.MultiHeadAttention(3, 5, dropout=0.2, seed=1)(inputs, inputs))
    model = cconv.Model(inputs, layers.LayerNormalization()(y))
    model.compile("sgd", "mse")
    model.fit(x, x, epochs=2, batch_size=4, verbose=0)
    return model.get_weights()


def test_attention_trains_the_same_on_every_number_of_threads(three_threads):
    before = cconv.get_num_threads()
    try:
        found = [trained_on(threads, numbers(7, 9, 12)) for threads in (1, 3)]
    finally:
        cconv.set_num_threads(before)
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_masks_follow_embeddings_into_attention():
    inputs = cconv.Input((4,), dtype="int32")
    tokens = layers.Embedding(5, 3, mask_zero=True)(inputs)
    assert tokens.mask is not None and tokens.mask.dtype == "bool"
    y, weights = layers.MultiHeadAttention(1, 2)(tokens, tokens, return_attention_scores=True)
    assert y.mask is not None
    model = cconv.Model(inputs, weights)
    weights = model.predict(np.array([[1, 2, 0, 0], [3, 0, 0, 0]]), verbose=0)
    assert not weights[0, 0, :, 2:].any() and not weights[1, 0, :, 1:].any()
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "float32"])
def test_an_embedding_takes_numbers_of_any_type(dtype):
    layer = layers.Embedding(4, 3)
    x = np.array([[3, 0], [1, 1]]).astype(dtype)
    np.testing.assert_array_equal(layer(x), layer.embeddings.numpy()[x.astype(int)])


@pytest.mark.parametrize("wrong", [-1, 4, 1000])
def test_a_number_that_is_none_of_an_embedding_is_named(wrong):
    layer = layers.Embedding(4, 3, name="words")
    with pytest.raises(ValueError, match=rf"words.*expected positions from 0 to 3, received {wrong}"):
        layer(np.array([[1, wrong]]))
    model = cconv.Sequential([cconv.Input((2,), dtype="int32"), layer, layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    before = model.get_weights()
    with pytest.raises(ValueError, match=f"received {wrong}"):
        model.train_on_batch(np.array([[1, wrong]]), np.ones((1, 1)))
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_gradients_of_repeated_numbers_add_up():
    layer = layers.Embedding(5, 2, embeddings_initializer="zeros")
    model = cconv.Sequential([cconv.Input((3,), dtype="int32"), layer, layers.GlobalAveragePooling1D()])
    model.compile(cconv.optimizers.SGD(1.0), "mse")
    model.train_on_batch(np.array([[1, 1, 4]]), np.array([[3.0, 0.0]]))
    np.testing.assert_allclose(layer.embeddings.numpy()[:, 0], [0, 2, 0, 0, 1], rtol=1e-6)


EQUATIONS = [
    ("bij,bjk->bik", (5, 2, 3), (5, 3, 4)),
    ("abcd,cde->abe", (2, 3, 4, 5), (4, 5, 6)),
    ("i,i->", (3,), (3,)),
    ("ij,ij->ij", (2, 3), (2, 3)),
    ("ijk,k->ij", (2, 3, 4), (4,)),
    ("ji,jk->ik", (3, 2), (3, 4)),
    ("bi,bj->bij", (2, 3), (2, 4)),
    ("ij,k->", (2, 3), (4,)),
    ("bhtd,bhsd->bhts", (2, 3, 4, 5), (2, 3, 6, 5)),
    ("btnh,bsnh->bnts", (2, 4, 3, 5), (2, 6, 3, 5)),
    ("bnts,bsnh->btnh", (2, 3, 4, 6), (2, 6, 3, 5)),
    ("a...b,b->a...", (2, 3, 4, 5), (5,)),
    ("ba,cab->c", (2, 3), (4, 3, 2)),
    ("bxy,byz,bzw->bxw", (2, 3, 4), (2, 4, 5), (2, 5, 3)),
    ("aij,ij->a", (1, 3, 4), (3, 4)),
    ("ab,b->a", (3, 1), (4,)),
]


@pytest.mark.parametrize("case", EQUATIONS, ids=[c[0] for c in EQUATIONS])
def test_einsum_is_numpys(case):
    equation, *shapes = case
    xs = [numbers(*shape, seed=i) for i, shape in enumerate(shapes)]
    wide = np.broadcast_to(xs[0], (3, 4)) if equation == "ab,b->a" else xs[0]
    expected = np.einsum(equation, wide.astype(float), *(x.astype(float) for x in xs[1:]))
    y = ops.einsum(equation, *xs)
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


def test_einsum_of_unknown_sizes():
    a, b = cconv.Input((None, 2, 5)), cconv.Input((None, 2, 5))
    model = cconv.Model([a, b], ops.einsum("btnh,bsnh->bnts", a, b))
    x, y = numbers(3, 4, 2, 5), numbers(3, 6, 2, 5, seed=1)
    np.testing.assert_allclose(model([x, y]), np.einsum("btnh,bsnh->bnts", x, y), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("equation", "shapes", "message"),
    [
        ("ij,jk->ik", [(2, 3), (4, 5)], "'j' for 3 and 4"),
        ("ij->ij", [(2, 3), (3, 2)], "an operand for each of 1 subscripts"),
        ("ijk->i", [(2, 3)], "as many subscripts as an operand has axes"),
        ("ij->k", [(2, 3)], "among the operands'"),
        ("i.j->i", [(2, 3)], "expected letters"),
    ],
)
def test_einsum_says_what_does_not_fit(equation, shapes, message):
    with pytest.raises(ValueError, match=message):
        ops.einsum(equation, *(np.ones(shape) for shape in shapes))


def test_what_is_not_supported_says_so():
    with pytest.raises(NotImplementedError, match="diagonals"):
        ops.einsum("ii->i", np.ones((2, 2)))
    with pytest.raises(NotImplementedError, match="flash attention"):
        layers.MultiHeadAttention(2, 3, flash_attention=True)
    with pytest.raises(NotImplementedError, match="flash attention"):
        ops.dot_product_attention(*[np.ones((1, 2, 1, 2))] * 3, flash_attention=True)
    with pytest.raises(ValueError, match="multiple of the key's"):
        ops.dot_product_attention(np.ones((1, 2, 3, 2)), *[np.ones((1, 2, 2, 2))] * 2)


def test_normalization_adapts_to_batches_and_again():
    x = numbers(30, 4) * 3 + 100
    whole, parts = layers.Normalization(), layers.Normalization()
    whole.adapt(x)
    parts.adapt(x[i : i + 7] for i in range(0, 30, 7))
    for a, b in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    np.testing.assert_allclose(whole(x), (x - x.mean(0)) / x.std(0), rtol=1e-3, atol=1e-3)
    model = cconv.Sequential([cconv.Input((4,)), whole])
    before = model.predict(x, verbose=0)
    whole.adapt(x * 2)
    np.testing.assert_allclose(model.predict(x * 2, verbose=0), before, rtol=1e-3, atol=1e-3)


def test_adapt_says_what_it_cannot_take():
    layer = layers.Normalization()
    layer.adapt(numbers(5, 3))
    with pytest.raises(ValueError, match="incompatible shape"):
        layer.adapt(numbers(5, 4))
    with pytest.raises(ValueError, match="inputs alone"):
        layer.adapt(iter([(numbers(5, 3), numbers(5))]))
    with pytest.raises(ValueError, match="Received: none"):
        layer.adapt(iter([]))
    with pytest.raises(ValueError, match="static `mean`"):
        layers.Normalization(mean=1.0, variance=1.0).adapt(numbers(5, 3))
    with pytest.raises(ValueError, match="both `mean` and `variance`"):
        layers.Normalization(mean=1.0)


def test_discretization_finds_quantiles():
    x = numbers(4000)
    layer = layers.Discretization(num_bins=4)
    with pytest.raises(ValueError, match="adapt"):
        layer(x)
    layer.adapt(x)
    np.testing.assert_allclose(layer.bin_boundaries, np.quantile(x, [0.25, 0.5, 0.75]), rtol=1e-5)
    assert np.bincount(layer(x)).tolist() == [1000] * 4
    again = layers.Discretization.from_config(layer.get_config())
    assert np.array_equal(again(x), layer(x)) and again.get_config() == layer.get_config()


def test_category_encoding_refuses_what_is_none():
    with pytest.raises(ValueError, match="from 0 to 3, received 4"):
        layers.CategoryEncoding(4)(np.array([[0, 4]]))


@pytest.mark.parametrize("axis", [1, (1, 3), (2, 1)])
def test_normalizations_over_inner_axes(axis):
    x = numbers(2, 3, 4, 5)
    axes = axis if isinstance(axis, tuple) else (axis,)
    y = ops.layer_normalization(x, axis=axis, epsilon=1e-3)
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    np.testing.assert_allclose(y, (x - mean) / np.sqrt(variance + 1e-3), rtol=1e-4, atol=1e-5)
    layer = layers.RMSNormalization(axis=axis, epsilon=0.0)
    np.testing.assert_allclose(layer(x), x / np.sqrt(np.square(x).mean(axes, keepdims=True)), rtol=1e-4, atol=1e-5)


def test_normalizations_say_what_does_not_fit():
    with pytest.raises(ValueError, match="must be a multiple of the number of groups"):
        layers.GroupNormalization(3)(numbers(2, 4))
    with pytest.raises(ValueError, match="not of the samples"):
        layers.GroupNormalization(2, axis=0)(numbers(2, 4))
    with pytest.raises(ValueError, match="must name axes of the input"):
        layers.LayerNormalization(axis=3)(numbers(2, 4))
    with pytest.raises(ValueError, match="must be known"):
        layers.LayerNormalization(axis=1)(cconv.Input((None, 3)))
