"""What is concatenated along the channels is computed in its place: the same bits, without the copies."""

import itertools

import numpy as np
import pytest

import cconv
from cconv import _core

pytestmark = pytest.mark.usefixtures("three_threads")
SHAPE = (9, 7, 12)


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


class Branches:
    """Convolutions of one image, (kernel, channels, attributes) each, concatenated; and what comes after."""

    def __init__(self, branches, shape=SHAPE, axis=-1, after="softmax"):
        self.graph = _core.Graph()
        self.x = self.graph.input((None, *shape), "x")
        self.branches = [self.convolution(i, *branch) for i, branch in enumerate(branches)]
        self.whole = self.graph.add("concatenate", self.branches, {"axis": axis}, "whole")
        self.after = self.graph.add(after, [self.whole], {}, "after")

    def convolution(self, i, kernel, channels, attributes):
        c = self.graph.shape(self.x)[-1] // attributes.get("groups", 1)
        inputs = [
            self.x,
            self.variable(random(*kernel, c, channels, seed=i)),
            self.variable(random(channels, seed=-i - 1 + 99)),
        ]
        return self.graph.add("conv", inputs, {"padding": "same", "algorithm": "direct", **attributes}, f"conv_{i}")

    def variable(self, array):
        made = _core.Variable(array.shape)
        made.assign(array)
        return self.graph.variable(made)


def parts(plan):
    return [line.split()[-1] for line in plan.describe().splitlines() if line.startswith("> ")]


def assert_same(network, found, batch=3):
    """The plan of what comes after alone, and one that gives all values to the caller: they are whole there."""
    x = random(batch, *network.graph.shape(network.x)[1:], seed=7)
    inside = _core.Plan(network.graph, [network.after], max_batch=batch)
    apart = _core.Plan(network.graph, [network.after, network.whole, *network.branches], max_batch=batch)
    assert parts(inside) == [f"conv_{i}" for i in found] and not parts(apart)
    assert not found or inside.bytes < apart.bytes
    for threads, n in itertools.product((1, 2, 3), range(batch, 0, -1)):
        _core.set_num_threads(threads)
        for _ in range(2):
            expected = apart.run([x[:n]], n=n)
            np.testing.assert_array_equal(inside.run([x[:n]], n=n)[0], expected[0])
            np.testing.assert_array_equal(expected[1], np.concatenate(expected[2:], axis=-1))


@pytest.mark.parametrize("activation", ["linear", "relu", "relu6", "tanh", "silu"])
@pytest.mark.parametrize("channels", [(1, 3, 8), (16, 5, 24), (31, 33, 17)])
def test_parts_of_each_algorithm(activation, channels):
    a, b, c = channels
    settings = {"activation": activation}
    network = Branches(
        [
            ((1, 1), a, settings),
            ((3, 3), b, settings | {"algorithm": "winograd"}),
            ((5, 5), c, settings | {"algorithm": "direct"}),
            ((3, 3), b, settings | {"algorithm": "im2col"}),
            ((3, 3), 12, settings | {"groups": 12, "algorithm": "depthwise"}),
            ((3, 3), 24, settings | {"groups": 12, "algorithm": "depthwise"}),
            ((3, 3), 12, settings | {"groups": 3, "algorithm": "direct"}),
        ]
    )
    assert_same(network, range(7))


def test_strided_dilated_and_signals():
    depthwise = {"dilation": 2, "groups": 12, "algorithm": "depthwise"}
    assert_same(Branches([((3, 3), 5, {"strides": 2}), ((1, 1), 4, {"strides": 2})]), [0, 1])
    assert_same(Branches([((3, 3), 5, {"dilation": 2}), ((3, 3), 12, depthwise)]), [0, 1])
    assert_same(Branches([((3,), 5, {}), ((4,), 9, {})], shape=(40, 6)), [0, 1])


def test_where_an_algorithm_writes_side_by_side_its_part_is_copied():
    grouped = {"groups": 4, "algorithm": "grouped"}
    assert_same(Branches([((3, 3), 8, {"algorithm": "rows"}), ((1, 1), 4, {}), ((3, 3), 8, grouped)]), [1])
    assert_same(Branches([((2, 3, 3), 5, {}), ((1, 1, 1), 4, {})], shape=(4, 5, 6, 3)), [1])


def test_who_comes_after_may_write_over_the_whole():
    assert_same(Branches([((1, 1), 5, {}), ((3, 3), 6, {})], after="exp"), [0, 1])


def test_not_along_another_axis():
    network = Branches([((1, 1), 5, {}), ((3, 3), 5, {})], axis=1)
    assert not parts(_core.Plan(network.graph, [network.after]))


def test_not_what_others_read():
    network = Branches([((1, 1), 5, {}), ((3, 3), 6, {})])
    read = network.graph.add("relu", [network.branches[0]], {}, "read")
    plan = _core.Plan(network.graph, [network.after, read])
    assert parts(plan) == ["conv_1"]
    twice = Branches([((1, 1), 5, {})])
    both = twice.graph.add("concatenate", [twice.branches[0]] * 2, {}, "both")
    assert not parts(_core.Plan(twice.graph, [twice.graph.add("relu", [both], {}, "end")]))


def test_not_in_training():
    inputs = cconv.Input((8, 8, 3))
    both = cconv.layers.Concatenate()([cconv.layers.Conv2D(4, k, padding="same")(inputs) for k in (1, 3)])
    model = cconv.Model(inputs, cconv.layers.GlobalAveragePooling2D()(both))
    model.compile("sgd", "mse")
    x = random(4, 8, 8, 3)
    expected = model.predict(x, verbose=0)
    model.fit(x, expected, epochs=1, verbose=0)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=1e-6)
    assert "> conv" in model.describe_plans()
