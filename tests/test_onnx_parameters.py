"""The variables that a file's initializers become: one for each, also where a second graph shares them."""

import numpy as np
import small_onnx

from cconv import _core


def places(graph):
    """Where the numbers of each variable lie, by its name and shape."""
    return {(n.name, n.shape): n.value.array.ctypes.data for n in graph.nodes() if n.kind == "variable"}


def test_many_are_shared():
    """So many that a search through all of them for each would take minutes."""
    names = [f"w{i}" for i in range(20000)]
    nodes = [small_onnx.node("Add", [f"y{i}", name], f"y{i + 1}") for i, name in enumerate(names)]
    weights = {name: np.full(20, i, np.float32) for i, name in enumerate(names)}
    data = small_onnx.model(
        nodes, [small_onnx.value("y0", ("n", 20))], [small_onnx.value("y20000", ("n", 20))], weights
    )
    first = _core.load_onnx(data)
    second = _core.load_onnx(data, {"y0": (3, 20)}, first)
    assert len(places(first)) == len(names) and places(second) == places(first)


def test_one_tensor_in_two_orders():
    """A matrix that one operator reads as it is and another one turned is one variable, whichever graph is built."""
    nodes = [
        small_onnx.node("Gemm", ["x", "w"], "a", transB=1),
        small_onnx.node("MatMul", ["x", "w"], "b"),
        small_onnx.node("Add", ["a", "b"], "y"),
    ]
    weights = {"w": np.arange(16, dtype=np.float32).reshape(4, 4)}
    data = small_onnx.model(nodes, [small_onnx.value("x", ("n", 4))], [small_onnx.value("y", ("n", 4))], weights)
    first = _core.load_onnx(data)
    second = _core.load_onnx(data, {"x": (2, 4)}, first)
    assert len(places(first)) == 1 and places(second) == places(first)
    x = np.random.default_rng(0).standard_normal((2, 4)).astype(np.float32)
    for graph in (first, second):
        (y,) = _core.Plan(graph, [node for _, node in graph.outputs()], max_batch=2).run([x])
        np.testing.assert_allclose(y, x @ weights["w"].T + x @ weights["w"], rtol=1e-5, atol=1e-4)
