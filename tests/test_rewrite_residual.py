"""Sums go into the batch normalization or the convolution before them."""

import numpy as np
import pytest
from rewriting import assert_equal, both, norm_of, random, weights_of


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("side", [0, 1])
def test_sum_and_relu_go_into_batch_norm(relu, side):
    def build(g, a):
        w = weights_of(g, 3, 3, 6, 6)
        y, nodes = norm_of(g, g.add("conv", [a, w, 0], {"padding": "same"}), 6)
        y = g.add("add", [y, a] if side else [a, y])
        return [g.add("relu", [y]) if relu else y], [w, *nodes[:2]]

    results = both(build, random(4, 5, 5, 6), training=True, wrt=True)
    assert results[0][0] == ["conv", "batch_norm"]
    assert_equal(results)


def test_sum_of_two_batch_norms():
    def build(g, a):
        y, nodes = norm_of(g, g.add("conv", [a, weights_of(g, 1, 1, 6, 9), 0]), 9)
        z, more = norm_of(g, g.add("conv", [a, weights_of(g, 1, 1, 6, 9, seed=3), 0]), 9, seed=4)
        return [g.add("relu", [g.add("add", [y, z])])], [*nodes[:2], *more[:2]]

    results = both(build, random(4, 5, 5, 6), training=True, wrt=True)
    assert sorted(results[0][0]) == ["batch_norm", "batch_norm", "conv", "conv"]
    assert_equal(results)


def test_sum_that_broadcasts_stays():
    def build(g, a):
        y, _ = norm_of(g, a, 6)
        return [g.add("add", [y, g.constant(np.ones(6, np.float32))])], []

    results = both(build, random(4, 5, 5, 6), training=True)
    assert results[0][0] == ["batch_norm", "add"]
    assert_equal(results)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("norm", [False, True])
def test_sum_goes_into_the_convolution_at_inference(norm, kernel, relu):
    def build(g, a):
        r = g.add("exp", [a])
        y = g.add("conv", [g.add("tanh", [r]), weights_of(g, kernel, kernel, 6, 6), 0], {"padding": "same"})
        y = g.add("add", [r, norm_of(g, y, 6)[0] if norm else y])
        return [g.add("relu", [y]) if relu else y], []

    results = both(build, random(3, 9, 9, 6))
    assert results[0][0] == ["exp", "tanh", "conv"]
    assert_equal(results, rtol=3e-6)


def test_sum_with_what_the_convolution_reads():
    def build(g, a):
        r = g.add("exp", [a])
        y = g.add("conv", [r, weights_of(g, 3, 3, 6, 6), 0], {"padding": "same"})
        return [g.add("add", [y, r])], []

    results = both(build, random(3, 9, 9, 6))
    assert results[0][0] == ["exp", "conv"]
    assert_equal(results, rtol=3e-6)


def test_sum_stays_where_the_convolution_is_differentiated():
    def build(g, a):
        w = weights_of(g, 3, 3, 6, 6)
        return [g.add("add", [g.add("conv", [a, w, 0], {"padding": "same"}), a])], [w]

    results = both(build, random(3, 9, 9, 6), wrt=True)
    assert results[0][0] == ["conv", "add"]
    assert_equal(results)
