"""The variables that a file's initializers become: one for each, also where a second graph shares them."""

import subprocess
import sys

import numpy as np
import pytest
import small_onnx

import cconv
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


LOAD = """
import sys
import cconv
import cconv.onnx

def peak():
    # of this process at most so far; `ru_maxrss` begins with what the parent had at the fork
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))

start = peak()
model = cconv.onnx.load(sys.argv[1])
print(peak() - start, sum(weight.size for weight in model.weights))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_weights_are_in_memory_once(tmp_path):
    """While a file is read, and as the model's: 96 MB of one large weight and a small one."""
    weights = {"w": np.ones((4096, 6000), np.float32), "v": np.ones(6000, np.float32)}
    nodes = [small_onnx.node("MatMul", ["x", "w"], "a"), small_onnx.node("Add", ["a", "v"], "y")]
    data = small_onnx.model(nodes, [small_onnx.value("x", ("n", 4096))], [small_onnx.value("y", ("n", 6000))], weights)
    path = tmp_path / "large.onnx"
    path.write_bytes(data)
    done = subprocess.run([sys.executable, "-c", LOAD, path], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    peak, numbers = map(int, done.stdout.split())
    assert numbers == 4096 * 6000 + 6000
    assert 4 * numbers < peak < 1.3 * 4 * numbers


def test_a_model_has_its_weights_for_itself():
    """Those of two models of one file are two, though none was copied."""
    weights = {"w": np.ones((4, 4), np.float32)}
    data = small_onnx.model(
        [small_onnx.node("MatMul", ["x", "w"], "y")],
        [small_onnx.value("x", ("n", 4))],
        [small_onnx.value("y", ("n", 4))],
        weights,
    )
    first, second = cconv.onnx.load(data), cconv.onnx.load(data)
    first.weights[0].assign(np.zeros((4, 4)))
    x = np.ones((1, 4), np.float32)
    assert first.predict_on_batch(x).tolist() == [[0.0] * 4]
    assert second.predict_on_batch(x).tolist() == [[4.0] * 4]
