"""Winograd's algorithm: its rounding errors beside those of im2col, on random normal data, in all three passes."""

import numpy as np
import pytest
from op_harness import OneOp
from reference import conv as reference

from cconv import _core, config

# x, side of the kernel, output channels, padding. Tiles have 4x4 outputs; 2x2 where that takes less, and for 5x5.
SHAPES = [
    ((2, 28, 28, 1), 3, 32, "same"),
    ((2, 9, 13, 3), 3, 64, "same"),
    ((2, 12, 12, 8), 3, 8, "valid"),
    ((4, 16, 16, 16), 3, 16, "same"),
    ((1, 13, 13, 32), 3, 64, "valid"),
    ((2, 30, 27, 33), 3, 31, "same"),
    ((1, 40, 44, 64), 3, 64, "same"),
    ((2, 14, 14, 128), 3, 128, "same"),
    ((2, 7, 7, 256), 3, 64, "same"),
    ((1, 7, 7, 512), 3, 96, "same"),
    ((1, 14, 14, 512), 3, 17, "valid"),
    ((1, 4, 4, 512), 3, 33, "valid"),
    ((3, 2, 2, 64), 3, 64, "same"),
    ((9, 6, 6, 20), 3, 40, "same"),
    ((1, 120, 100, 12), 3, 10, "same"),
    ((2, 28, 28, 1), 5, 32, "same"),
    ((2, 12, 12, 6), 5, 16, "valid"),
    ((1, 27, 27, 64), 5, 192, "same"),
    ((2, 14, 14, 24), 5, 64, "same"),
    ((1, 7, 7, 512), 5, 96, "same"),
    ((3, 5, 4, 64), 5, 64, "same"),
    ((2, 30, 27, 33), 5, 31, "valid"),
    ((1, 120, 100, 12), 5, 10, "same"),
]


def errors(x, w, dy, padding, algorithm, exact):
    """The root-mean-square and the largest error of y, dx and dw."""
    op = OneOp("conv", [x, w, None], {"padding": padding, "algorithm": algorithm}, wrt=(0, 1), threads=2)
    result = op.run([x, w, None], dy)
    found = (result.y, result.gradients[0], result.gradients[1])
    off = [np.abs(a - b) for a, b in zip(found, exact, strict=True)]
    return np.array([[np.sqrt(np.mean(e**2)), e.max()] for e in off])


@pytest.mark.parametrize(("shape", "side", "filters", "padding"), SHAPES, ids=str)
def test_errors_are_near_those_of_im2col(shape, side, filters, padding):
    rng = np.random.default_rng(sum(shape))
    x = rng.standard_normal(shape).astype(np.float32)
    w = rng.standard_normal((side, side, shape[3], filters)).astype(np.float32)
    y = reference.conv(x.astype(np.float64), w.astype(np.float64), None, padding=padding)
    dy = rng.standard_normal(y.shape).astype(np.float32)
    dx, dw, _ = reference.conv_backward(*(a.astype(np.float64) for a in (dy, x, w)), None, padding=padding)
    exact = (y, dx, dw)
    ratio = errors(x, w, dy, padding, "winograd", exact) / errors(x, w, dy, padding, "im2col", exact)
    assert np.all(ratio <= [8, 16]), f"of y, dx, dw, root mean square and largest, on {_core.isa()}: {ratio.round(2)}"


def described(**attributes):
    """The algorithms of a layer that Winograd's serves best."""
    graph = _core.Graph()
    nodes = [graph.input((4, 28, 28, 64)), graph.input((3, 3, 64, 64)), 0]
    return _core.Plan(graph, [graph.add("conv", nodes, {"padding": "same", **attributes})]).describe()


def test_it_can_be_switched_off():
    assert config.is_winograd_enabled()
    assert "winograd" in described()
    config.disable_winograd()
    try:
        assert not config.is_winograd_enabled()
        assert "winograd" not in described()
        assert "winograd" in described(algorithm="winograd"), "unless it is asked for by name"
    finally:
        config.enable_winograd()
    assert "winograd" in described()


@pytest.mark.parametrize(
    "attributes", [{"strides": 2}, {"dilation": 2}, {"groups": 2}], ids=["strides", "dilation", "groups"]
)
def test_it_is_refused_where_it_does_not_fit(attributes):
    graph = _core.Graph()
    depth = 8 // attributes.get("groups", 1)
    nodes = [graph.input((1, 9, 9, 8)), graph.input((3, 3, depth, 8)), 0]
    with pytest.raises(ValueError, match=r'expected an algorithm that fits .*received "winograd"'):
        graph.add("conv", nodes, {**attributes, "algorithm": "winograd"})


@pytest.mark.parametrize("side", [3, 5])
def test_batches_around_the_size_of_a_block_agree(side):
    """Where tiles make one block or several, in groups of any size, each image's output is the same."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((11, 18 + side, 19 + side, 40)).astype(np.float32)
    w = rng.standard_normal((side, side, 40, 24)).astype(np.float32)
    dy = rng.standard_normal((11, 19, 20, 24)).astype(np.float32)
    op = OneOp("conv", [x, w, None], {"algorithm": "winograd"}, wrt=(0,), threads=2, batched=(0,), max_batch=11)
    whole = op.run([x, w, None], dy, n=11)
    for n in range(1, 11):
        part = op.run([x[:n], w, None], dy[:n], n=n)
        assert np.array_equal(part.y, whole.y[:n])
        assert np.array_equal(part.gradients[0], whole.gradients[0][:n])


@pytest.mark.parametrize(
    ("images", "side", "kernel", "c", "oc", "batches"),
    [
        pytest.param(9, 38, 3, 20, 24, (9, 6, 5, 1), id="tiles in parts where there are many, else shared"),
        pytest.param(4, 19, 3, 390, 470, (4, 1), id="panels some at a time, the last ones fewer, or in one go"),
        pytest.param(5, 22, 5, 20, 24, (5, 3, 1), id="5x5"),
    ],
)
def test_the_weight_gradient_does_not_depend_on_threads(images, side, kernel, c, oc, batches):
    rng = np.random.default_rng(7)
    x = rng.standard_normal((images, side, side + 1, c)).astype(np.float32)
    w = rng.standard_normal((kernel, kernel, c, oc)).astype(np.float32)
    dy = rng.standard_normal((images, side, side + 1, oc)).astype(np.float32)
    options = {"wrt": (1,), "batched": (0,), "max_batch": images}
    winograd, im2col = ({"padding": "same", "algorithm": name} for name in ("winograd", "im2col"))
    made = [OneOp("conv", [x, w, None], winograd, threads=k, **options) for k in (1, 2, 3)]
    other = OneOp("conv", [x, w, None], im2col, threads=2, **options)
    for n in batches:
        found = [op.run([x[:n], w, None], dy[:n], n=n).gradients[1] for op in made]
        assert np.array_equal(found[0], found[1])
        assert np.array_equal(found[0], found[2])
        np.testing.assert_allclose(found[0], other.run([x[:n], w, None], dy[:n], n=n).gradients[1], atol=0.02)


def test_a_tuned_plan_takes_the_fastest_and_computes_the_same():
    rng = np.random.default_rng(6)
    x = rng.standard_normal((2, 12, 13, 24)).astype(np.float32)
    w = rng.standard_normal((3, 3, 24, 40)).astype(np.float32)
    dy = rng.standard_normal((2, 12, 13, 40)).astype(np.float32)
    results, told = [], []
    for tune in (False, True, True):
        graph = _core.Graph()
        nodes = [graph.input(x.shape), graph.input(w.shape), 0]
        node = graph.add("conv", nodes, {"padding": "same"})
        plan = _core.Plan(graph, [node], root=node, wrt=nodes[:2], threads=2, tune=tune)
        results.append([plan.run([x, w], root_gradient=dy)[0], plan.gradient(nodes[0]), plan.gradient(nodes[1])])
        told.append(plan.describe())
    for estimated, measured, again in zip(*results, strict=True):
        np.testing.assert_allclose(measured, estimated, rtol=1e-3, atol=1e-3)
        assert np.array_equal(measured, again)
    assert told[1] == told[2], "the measurement is remembered"


def allocations_of_a_plan(side):
    """How many a plan for one convolution takes; measuring takes some for each algorithm tried, once for a shape."""
    graph = _core.Graph()
    nodes = [graph.input((1, side, side, 8)), graph.input((3, 3, 8, 8)), 0]
    y = graph.add("conv", nodes, {"padding": "same"})
    before = _core.allocations()
    _core.Plan(graph, [y])
    return _core.allocations() - before


def test_tuning_is_a_setting_for_plans_that_are_not_told():
    estimated = allocations_of_a_plan(13)
    config.enable_tuning()
    try:
        assert config.is_tuning_enabled()
        assert allocations_of_a_plan(13) > estimated
    finally:
        config.disable_tuning()
    assert not config.is_tuning_enabled()
    assert allocations_of_a_plan(13) == estimated
