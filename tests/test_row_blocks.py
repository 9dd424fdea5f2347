"""Convolutions that follow each other are done by blocks of rows: the same bits, with less memory."""

import itertools

import numpy as np
import pytest

import cconv
from cconv import _core

pytestmark = pytest.mark.usefixtures("three_threads")


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


class Network:
    """Convolutions, (kernel, channels, attributes) each; `residual`: x is added to the last sum."""

    def __init__(self, shape, convolutions, residual=False):
        self.graph = _core.Graph()
        self.x = self.graph.input((None, *shape), "x")
        self.nodes, node, c = [], self.x, shape[-1]
        for i, (kernel, channels, attributes) in enumerate(convolutions):
            w = self.variable(random(*kernel, c // attributes.get("groups", 1), channels, seed=2 * i + 1) * 0.2)
            inputs = [node, w, self.variable(random(channels, seed=2 * i + 2))]
            last = i == len(convolutions) - 1
            node = self.graph.add("conv", inputs + [self.x] * (residual and last), attributes, f"conv_{i}")
            self.nodes.append(node)
            c = channels

    def variable(self, array):
        made = _core.Variable(array.shape)
        made.assign(array)
        return self.graph.variable(made)

    def plans(self, batch):
        """The last value alone, and all of them, which then are whole."""
        return [_core.Plan(self.graph, nodes, max_batch=batch) for nodes in ([self.nodes[-1]], self.nodes)]


def joined(plan):
    return sum(line.startswith("+ ") for line in plan.describe().splitlines())


def assert_same(network, x, joins):
    blocks, whole = network.plans(len(x))
    assert joined(blocks) == joins and joined(whole) == 0
    assert blocks.bytes < whole.bytes
    for threads, n in itertools.product((1, 2, 3), range(1, len(x) + 1)):
        _core.set_num_threads(threads)
        for _ in range(2):  # the second run leaves out what is known
            np.testing.assert_array_equal(blocks.run([x[:n]], n=n)[0], whole.run([x[:n]], n=n)[-1])


def inverted_residual(c, expanded, kernel=3, stride=1, activation="relu6", **depthwise):
    return [
        ((1, 1), expanded, {"activation": activation}),
        (
            (kernel, kernel),
            expanded,
            {"strides": [stride, stride], "padding": "same", "groups": expanded, "activation": activation, **depthwise},
        ),
        ((1, 1), c, {}),
    ]


@pytest.mark.parametrize("stride", (1, 2))
@pytest.mark.parametrize("activation", ("relu6", "silu"))
def test_inverted_residuals(stride, activation):
    network = Network((64, 61, 12), inverted_residual(12, 72, stride=stride, activation=activation), stride == 1)
    assert_same(network, random(3, 64, 61, 12), 2)


@pytest.mark.parametrize(
    "depthwise",
    (
        {"kernel": 5},
        {"kernel": 3, "dilation": [2, 3]},
        {"kernel": 4, "padding": "explicit", "pads": [0, 2, 3, 1]},
        {"kernel": 3, "padding": "valid"},
        {"kernel": 2, "stride": 3},
    ),
    ids=str,
)
def test_windows(depthwise):
    network = Network((96, 50, 8), inverted_residual(10, 65, **depthwise))
    assert_same(network, random(2, 96, 50, 8), 2)


@pytest.mark.parametrize("channels", (7, 8, 9, 16, 17, 33))
def test_channels_around_a_vector(channels):
    convolutions = [
        ((3, 3), channels, {"padding": "same", "groups": channels}),
        ((1, 1), 2 * channels, {"activation": "relu"}),
        ((3, 3), 2 * channels, {"padding": "same", "groups": 2 * channels, "strides": [2, 1]}),
        ((1, 1), channels, {"activation": "tanh"}),
    ]
    network = Network((600, 40, channels), convolutions)
    assert_same(network, random(1, 600, 40, channels), 3)


def test_groups_of_channels():
    convolutions = [
        ((1, 1), 64, {"activation": "relu"}),
        ((3, 3), 64, {"padding": "same", "groups": 8, "activation": "relu"}),
        ((1, 1), 32, {}),
    ]
    assert_same(Network((80, 60, 32), convolutions), random(2, 80, 60, 32), 2)


def test_images_of_one_column_and_of_few_rows():
    assert_same(Network((4000, 1, 16), inverted_residual(8, 96)), random(2, 4000, 1, 16), 2)
    assert_same(Network((3, 900, 16), inverted_residual(8, 300)), random(3, 3, 900, 16), 1)


def test_what_fits_the_cache_is_done_step_by_step():
    blocks, _ = Network((14, 14, 16), inverted_residual(16, 96)).plans(1)
    assert joined(blocks) == 0


def test_two_windows_behind_each_other_are_not_joined():
    """Rows would be computed several times."""
    window = ((3, 3), 64, {"padding": "same", "groups": 64})
    blocks, whole = Network((100, 100, 64), [window] * 4).plans(2)
    assert joined(blocks) == 2  # two pairs
    x = random(2, 100, 100, 64)
    np.testing.assert_array_equal(blocks.run([x])[0], whole.run([x])[-1])


def test_values_that_others_read_are_whole():
    network = Network((64, 64, 12), inverted_residual(12, 72))
    total = network.graph.add(
        "add", [network.nodes[-1], network.graph.add("mean", [network.nodes[0]], {"axes": [3], "keepdims": True})]
    )
    x = random(2, 64, 64, 12)
    plan = _core.Plan(network.graph, [total], max_batch=2)
    whole = _core.Plan(network.graph, [total, *network.nodes], max_batch=2)
    assert joined(plan) == 1  # the depthwise convolution and the one behind it
    np.testing.assert_array_equal(plan.run([x])[0], whole.run([x])[0])


def test_folded_weights_follow_the_variables():
    def build():
        cconv.utils.set_random_seed(3)
        layers = cconv.layers
        return cconv.Sequential(
            [
                cconv.Input((64, 64, 8)),
                layers.Conv2D(72, 1, use_bias=False),
                layers.BatchNormalization(),
                layers.ReLU(6.0),
                layers.DepthwiseConv2D(3, padding="same", use_bias=False),
                layers.BatchNormalization(),
                layers.ReLU(6.0),
                layers.Conv2D(8, 1),
            ]
        )

    x = random(2, 64, 64, 8)
    model, fresh = build(), build()
    before = model.predict_on_batch(x)
    assert "+ conv" in model.describe_plans()
    values = [0.5 + np.abs(random(*w.shape, seed=i)) for i, w in enumerate(model.get_weights())]
    model.set_weights(values)
    fresh.set_weights(values)
    after = model.predict_on_batch(x)
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(after, fresh.predict_on_batch(x))


def test_times_stand_in_the_first_line():
    plan, _ = Network((64, 64, 12), inverted_residual(12, 72)).plans(1)
    plan.profile()
    plan.run([random(1, 64, 64, 12)])
    first, *others = [line.split() for line in plan.describe().splitlines() if "conv_" in line]
    assert float(first[-2]) > 0
    assert all(line[0] == "+" and line[-2] == "(gemm)" or line[-2].isdigit() for line in others)


@pytest.mark.parametrize(
    "shape", ((72,), (61, 72), (64, 1, 1), (64, 61, 72), (1, 1, 1, 72), (None, 1, 1, 72), (None, 64, 1, 72)), ids=str
)
@pytest.mark.parametrize("last", (False, True))
def test_what_is_multiplied_and_subtracted_between_convolutions(shape, last):
    network = Network((64, 61, 12), [((1, 1), 72, {"activation": "relu"})])
    graph, batch = network.graph, 3
    x, given = random(batch, 64, 61, 12), random(*(batch if size is None else size for size in shape), seed=9)
    batched = shape[0] is None
    other = graph.input(shape, "other") if batched else network.variable(given)
    for op in ("multiply", "subtract"):
        network.nodes.append(graph.add(op, [network.nodes[-1], other]))
    if not last:
        network.nodes.append(graph.add("conv", [network.nodes[-1], network.variable(random(1, 1, 72, 8, seed=4))]))
    blocks, whole = network.plans(batch)
    assert joined(blocks) == 3 - last and joined(whole) == 0
    for threads, n in itertools.product((1, 2, 3), (1, batch)):
        _core.set_num_threads(threads)
        inputs = [x[:n], given[:n]] if batched else [x[:n]]
        np.testing.assert_array_equal(blocks.run(inputs, n=n)[0], whole.run(inputs, n=n)[-1])


def test_gates_of_whole_images():
    """Squeeze and excitation: what is multiplied has another reader, and is whole; the product never is."""
    network = Network((64, 61, 12), inverted_residual(12, 72)[:2])
    graph, (_, y) = network.graph, network.nodes
    gate = graph.add("sigmoid", [graph.add("global_avg_pool", [y], {"keepdims": True})])
    product = graph.add("multiply", [y, gate])
    network.nodes += [gate, product, graph.add("conv", [product, network.variable(random(1, 1, 72, 8, seed=4))])]
    assert_same(network, random(3, 64, 61, 12), 2)


def test_a_shuffle_between_convolutions_of_groups():
    network = Network((64, 61, 24), [])
    apart = [((1, 1), 24, {"groups": 3, "activation": "relu"}), ((3, 3), 24, {"groups": 24, "padding": "same"})]
    node = network.x
    for i, (kernel, channels, attributes) in enumerate([*apart, ((1, 1), 96, {"groups": 3})]):
        w = network.variable(random(*kernel, 24 // attributes["groups"], channels, seed=i) * 0.2)
        node = network.graph.add("conv", [node, w], attributes, f"conv_{i}")
        if i == 0:
            network.nodes.append(node)
            node = network.graph.add("channel_shuffle", [node], {"groups": 3})
        network.nodes.append(node)
    assert_same(network, random(3, 64, 61, 24), 2)
