"""Zeros around images go into the window that reads them."""

import pytest
from rewriting import assert_equal, both, random, weights_of


@pytest.mark.parametrize("wrt", [False, True])
def test_padding_goes_into_the_window(wrt):
    def build(g, a):
        w = weights_of(g, 3, 3, 8, 5)
        y = g.add("conv", [g.add("pad", [a], {"pads": [0, 1, 0, 0, 0, 2, 1, 0]}), w, 0], {"strides": 2})
        y = g.add("pad", [g.add("relu", [y])], {"pads": [0, 1, 1, 0, 0, 1, 1, 0]})
        return [g.add("max_pool", [y], {"pool_size": 3, "strides": 2})], [w]

    results = both(build, random(3, 11, 12, 8), wrt=wrt)
    assert results[0][0] == ["conv", "max_pool"]
    assert_equal(results, rtol=1e-6)


@pytest.mark.parametrize("wrt", [False, True])
@pytest.mark.parametrize("pads", [[0, 0, 0, 0], [1, 0, 2, 1]])
def test_padding_is_added_to_the_pads_of_a_convolution(pads, wrt):
    """As models from ONNX have them, whose windows say all their pads."""

    def build(g, a):
        w, own = weights_of(g, 3, 3, 8, 5), {"padding": "explicit", "pads": pads, "strides": 2}
        return [g.add("conv", [g.add("pad", [a], {"pads": [0, 1, 0, 0, 0, 2, 1, 0]}), w, 0], own)], [w]

    results = both(build, random(3, 11, 12, 8), wrt=wrt)
    assert results[0][0] == ["conv"]
    assert_equal(results, rtol=1e-6)


@pytest.mark.parametrize("own", [[0, 0, 0, 0], [0, 1, 0, 0]])
@pytest.mark.parametrize("op", ["max_pool", "avg_pool"])
def test_padding_is_not_added_to_the_pads_of_a_pooling(op, own):
    def build(g, a):
        padded = g.add("pad", [g.add("relu", [a])], {"pads": [0, 1, 1, 0, 0, 1, 1, 0]})
        return [g.add(op, [padded], {"pool_size": 3, "strides": 2, "padding": "explicit", "pads": own})], []

    results = both(build, random(3, 9, 9, 8))
    assert ("pad" in results[0][0]) == any(own)
    assert_equal(results, rtol=1e-6)


@pytest.mark.parametrize("rank", [1, 3])
def test_padding_goes_into_a_pooling_of_any_rank(rank):
    def build(g, a):
        y = g.add("pad", [g.add("relu", [a])], {"pads": [0, *[1] * rank, 0, 0, *[2] * rank, 0]})
        return [g.add("max_pool", [y], {"pool_size": 3, "strides": 2})], []

    results = both(build, random(3, *(6, 5, 7)[:rank], 8))
    assert results[0][0] == ["relu", "max_pool"]
    assert_equal(results)


def test_padding_stays_where_a_zero_may_be_the_maximum():
    def build(g, a):
        y = g.add("pad", [g.add("negative", [g.add("exp", [a])])], {"pads": [0, 1, 1, 0, 0, 1, 1, 0]})
        return [g.add("max_pool", [y], {"pool_size": 2})], []

    results = both(build, random(3, 6, 6, 8))
    assert "pad" in results[0][0]
    assert_equal(results)


@pytest.mark.parametrize(
    "attributes",
    [
        {"pads": [1, 1, 1, 0, 0, 1, 1, 0]},
        {"pads": [0, 1, 1, 0, 1, 1, 1, 0]},
        {"pads": [0, 1, 1, 1, 0, 1, 1, 0]},
        {"pads": [0, 1, 1, 0, 0, 1, 1, 1]},
        {"pads": [0, 1, 1, 0, 0, 1, 1, 0], "value": 1.0},
        *({"pads": [0, 1, 1, 0, 0, 1, 1, 0], "mode": mode} for mode in ("reflect", "symmetric", "edge")),
    ],
)
def test_padding_stays_where_it_is_not_zeros_around_the_image(attributes):
    def build(g, a):
        channels = 8 + attributes["pads"][3] + attributes["pads"][7]
        pooled = g.add("max_pool", [g.add("pad", [g.add("relu", [a])], attributes)], {"pool_size": 3, "strides": 2})
        w = weights_of(g, 3, 3, channels, 5)
        return [pooled, g.add("conv", [g.add("pad", [a], attributes), w, 0])], []

    results = both(build, random(3, 6, 7, 8))
    assert results[0][0].count("pad") == 2
    assert_equal(results)


@pytest.mark.parametrize("pads, attributes", [([1, 1], {"strides": 3, "ceil_mode": True}), ([1, 3], {"strides": 1})])
def test_padding_stays_where_a_window_could_lie_in_it(pads, attributes):
    def build(g, a):
        y = g.add("pad", [g.add("relu", [a])], {"pads": [0, pads[0], 0, 0, pads[1], 0]})
        return [g.add("max_pool", [y], {"pool_size": 3, **attributes})], []

    results = both(build, random(3, 5, 8))
    assert results[0][0] == ["relu", "pad", "max_pool"]
    assert_equal(results)


@pytest.mark.parametrize("wrt", [False, True])
@pytest.mark.parametrize("included", [False, True])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_padding_counts_in_a_mean(rank, included, wrt):
    def build(g, a):
        y = g.add("pad", [a], {"pads": [0, *[1] * rank, 0, 0, *[2] * rank, 0]})
        return [g.add("avg_pool", [y], {"pool_size": 3, "strides": 2, "count_include_pad": included})], []

    results = both(build, random(3, *(6, 5, 7)[:rank], 11), wrt=wrt)
    assert results[0][0] == ["avg_pool"]
    assert_equal(results, rtol=1e-6)
