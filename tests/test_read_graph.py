"""A graph tells all it is made of: one built anew from what it says computes the same, and its text can be read."""

import numpy as np
import pytest
from cases import all_cases
from op_harness import input_dtypes, of_type

import cconv
from cconv import _core, applications
from cconv.graph import build_graph
from cconv.scope import tracing
from cconv.tensor import Tensor

CASES = all_cases()


def rebuilt(graph):
    """A graph made from nothing but what `graph` says of itself."""
    copy = _core.Graph()
    for number, node in enumerate(graph.nodes(), 1):
        if node.kind == "input":
            made = copy.input(node.shape, node.name, node.dtype)
        elif node.kind == "variable":
            made = copy.variable(node.value, node.name)
        elif node.kind == "constant":
            made = copy.constant(node.value, node.name)
        else:
            made = copy.add(node.op, node.inputs, node.attributes, node.name)
        assert made == number and copy.shape(made) == node.shape and copy.dtype(made) == node.dtype
    assert copy.describe() == graph.describe()
    return copy


@pytest.mark.parametrize("op, case", [pytest.param(op, c, id=f"{op}: {c.id}") for op in CASES for c in CASES[op]])
def test_every_case_of_every_op(op, case):
    graph = _core.Graph()
    dtypes = input_dtypes(op, len(case.inputs))
    nodes = [0 if s is None else graph.input(s, dtype=dtype) for s, dtype in zip(case.inputs, dtypes)]
    y = graph.add(op, nodes, case.attributes, "node")
    arrays = [of_type(a, dtype) for a, dtype in zip(case.arrays(), dtypes) if a is not None]
    values = [
        _core.Plan(g, [y], training=case.training).run(arrays, seed=1)[0].tobytes() for g in (graph, rebuilt(graph))
    ]
    assert values[0] == values[1]


def graph_of(model, shape, training):
    x = Tensor((None, *shape), name="x")
    with tracing():
        y = model(x, training=training)
    graph, ids = build_graph([y], [x])
    return graph, ids[id(y)]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("make", [applications.VGG16, applications.ResNet50, applications.MobileNetV2])
def test_the_applications(make, training):
    shape = (32, 32, 3)
    model = make(weights=None, include_top=False, input_shape=shape, pooling="avg")
    graph, y = graph_of(model, shape, training)
    x = np.random.default_rng(0).random((2, *shape)).astype(np.float32)
    values = [_core.Plan(g, [y], max_batch=2).run([x])[0] for g in (graph, rebuilt(graph))]
    np.testing.assert_array_equal(*values)


def test_what_a_node_says():
    graph = _core.Graph()
    weights = _core.Variable((3, 3, 2, 4))
    weights.assign(np.arange(72).reshape(3, 3, 2, 4))
    x = graph.input((None, 8, None, 2), "x")
    w = graph.variable(weights, "kernel")
    y = graph.add("conv", [x, w, 0], {"strides": [2, 1], "padding": "same", "activation": "elu", "alpha": 0.1}, "conv")
    graph.add("multiply", [y, graph.constant(np.array([[0.5, -2.0]]).T, "c")])
    nodes = graph.nodes()
    assert [node.kind for node in nodes] == ["input", "variable", "op", "constant", "op"]
    assert nodes[0] == _core.Node("input", "x", None, (), {}, "float32", (None, 8, None, 2), None)
    assert nodes[1].name == "kernel" and np.array_equal(nodes[1].value.array, weights.array)
    weights.assign(np.zeros((3, 3, 2, 4)))
    assert not nodes[1].value.array.any()  # it is the variable itself
    assert nodes[2].op == "conv" and nodes[2].inputs == (1, 2, 0) and nodes[2].shape == (None, 4, None, 4)
    assert nodes[2].attributes == {"strides": "2,1", "padding": "same", "activation": "elu", "alpha": "0.1"}
    assert nodes[3].value.tolist() == [[0.5], [-2.0]] and nodes[3].value.dtype == np.float32
    assert nodes[4].inputs == (3, 4) and nodes[4].attributes == {}
    assert _core.Graph().nodes() == []


@pytest.mark.parametrize("values", [np.array([2**31 - 1, -7], np.int32), np.array([True, False])])
def test_constants_keep_their_type(values):
    graph = _core.Graph()
    graph.add("cast", [graph.constant(values)], {"to": "float32"})
    nodes = graph.nodes()
    assert nodes[0].dtype == values.dtype and nodes[1].dtype == "float32"
    assert nodes[0].value.dtype == values.dtype and np.array_equal(nodes[0].value, values)
    assert str(nodes[0].dtype) in graph.describe()
    np.testing.assert_array_equal(*[_core.Plan(g, [2]).run([])[0] for g in (graph, rebuilt(graph))])


def test_the_text():
    graph = _core.Graph()
    x = graph.input((None, 3), "x")
    graph.add(
        "clip",
        [graph.add("multiply", [x, graph.constant(np.float32(0.1))], {}, "scaled")],
        {"minimum": -1, "maximum": 6},
    )
    assert graph.describe() == (
        "node  op          output     inputs  name        attributes\n"
        "   1  (input)     (None, 3)          x\n"
        "   2  (constant)  ()                 constant_2  values=0.1\n"
        "   3  multiply    (None, 3)  1, 2    scaled\n"
        "   4  clip        (None, 3)  3       clip_4      minimum=-1 maximum=6\n"
    )


def test_a_model_describes_its_graph():
    model = cconv.Sequential(
        [
            cconv.Input((8, 8, 3)),
            cconv.layers.Conv2D(4, 3, activation="relu", name="first"),
            cconv.layers.Dropout(0.5),
            cconv.layers.Flatten(),
            cconv.layers.Dense(2, name="last"),
        ]
    )
    lines = model.describe_graph().splitlines()
    assert [line.split()[1] for line in lines[1:]] == [
        "(input)", "(variable)", "(variable)", "conv", "relu", "flatten", "(variable)", "(variable)", "dense"
    ]  # fmt: skip
    assert "dropout" in model.describe_graph(training=True)
    with pytest.raises(ValueError, match="no graph yet"):
        cconv.Sequential([cconv.layers.Dense(2)]).describe_graph()
