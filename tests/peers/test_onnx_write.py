"""The ops of the C core as ONNX: each case of tests/cases is written, checked and run in ONNX Runtime beside the op."""

from __future__ import annotations

import re

import numpy as np
import pytest
from cases import Case, all_cases
from op_harness import input_dtypes, of_type

from cconv import _core

onnx = pytest.importorskip("onnx", reason="needs onnx")
ort = pytest.importorskip("onnxruntime", reason="needs onnxruntime")

CASES = all_cases()

# What cases of ops that are written may be refused for.
REASONS = (
    "no Lanczos interpolation",
    "LRN takes images",
    "Resize does not move an image",
    "no symmetric mode",
    "do not divide into",
    "(is|are) not known",
    "an image that has none",
    "there are no channels",
)

# ONNX Runtime computes moments of large numbers in float32 less exactly.
LESS_EXACT = {"large mean, small variance": 5e-4}

# ONNX Runtime interpolates volumes by nearest and linear functions only.
NOT_RUN = {"bicubic: volume"}

# Ops that cannot be written, whatever their attributes.
REFUSED = {
    *("mean_squared_error", "mean_absolute_error", "l1_loss", "l2_loss", "mean_squared_logarithmic_error"),
    *("mean_absolute_percentage_error", "hinge", "kl_divergence", "binary_crossentropy", "categorical_crossentropy"),
    *("sparse_categorical_crossentropy", "weight_penalty", "projective_transform", "random", "erfinv", "arctan2"),
    *("cumprod", "scatter_update", "assign", "grid_sample", "roi_align", "non_max_suppression"),
}
WRITTEN = [op for op in _core.ops() if op not in REFUSED]


def session(path):
    """The model in ONNX Runtime, after every check that ONNX has."""
    onnx.checker.check_model(str(path), full_check=True)
    onnx.shape_inference.infer_shapes(onnx.load(str(path)), check_type=True, strict_mode=True, data_prop=True)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def graph_of(op: str, arrays, attributes, dtypes, batched: bool, variables=()):
    """A graph of that op alone, its first input open along axis 0 if `batched`."""
    graph = _core.Graph()
    nodes, fed = [], {}
    for i, array in enumerate(arrays):
        if array is None:
            nodes.append(0)
        elif i in variables:
            variable = _core.Variable(array.shape)
            variable.assign(array)
            nodes.append(graph.variable(variable, f"weight{i}"))
        else:
            shape = (None, *array.shape[1:]) if batched and i == 0 and array.ndim else array.shape
            nodes.append(graph.input(shape, f"input{i}", dtypes[i]))
            fed[f"input{i}"] = array
    node = graph.add(op, nodes, attributes, f"the {op}")
    graph.output("y", node)
    return graph, node, fed


def compare(what: str, found: np.ndarray, expected: np.ndarray, tolerance: float = 1e-5) -> None:
    """Numbers of float32 agree within the tolerance, relative to their root mean square; others are equal."""
    assert found.dtype == expected.dtype and found.shape == expected.shape, what
    if expected.dtype != np.float32:
        np.testing.assert_array_equal(found, expected, err_msg=what)
        return
    finite = expected[np.isfinite(expected)]
    scale = float(np.sqrt(np.mean(np.square(finite, dtype=np.float64)))) if finite.size else 0.0
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * max(scale, 1e-3), err_msg=what)


def channels_first(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(array, -1, 1)) if array.ndim > 2 else array


def check(op: str, case: Case, arrays, dtypes, path, *, batched=False, variables=(), layout="last") -> bool:
    """Whether the op can be written; then it computes the same in ONNX Runtime."""
    graph, node, fed = graph_of(op, arrays, case.attributes, dtypes, batched, variables)
    try:
        graph.save_onnx(path, channels_last=layout == "last")
    except NotImplementedError as refusal:
        assert any(re.search(why, str(refusal)) for why in REASONS), refusal
        return False
    run = session(path)
    if case.id in NOT_RUN:
        return True
    n = arrays[0].shape[0] if batched else 1
    plan = _core.Plan(graph, [node], max_batch=n)
    expected = np.asarray(plan.run(list(fed.values()), n=n)[0])
    if layout == "first":
        fed = {name: channels_first(array) for name, array in fed.items()}
        expected = channels_first(expected)
    what = f"{op}, case {case.id!r}, batched {batched}, variables {variables}"
    compare(what, run.run(["y"], fed)[0], expected, LESS_EXACT.get(case.id, 1e-5))
    return True


def different(cases: list[Case]) -> list[Case]:
    """Without those that differ in the algorithm only, which a file does not name."""
    kept = {}
    for case in cases:
        attributes = {name: value for name, value in case.attributes.items() if name != "algorithm"}
        kept.setdefault(repr((case.inputs, attributes, case.values)), case)
    return list(kept.values())


def arrays_of(op: str, case: Case, whole: bool = False):
    """The inputs of a case and their types; positions are inside, since others are an error in ONNX."""
    arrays = case.arrays(integers=whole)
    dtypes = input_dtypes(op, len(arrays), whole)
    arrays = [
        None if a is None else of_type(np.rint(a) if whole else a, t) for a, t in zip(arrays, dtypes, strict=True)
    ]
    if op in ("take", "take_along_axis"):
        n = arrays[0].shape[case.attributes.get("axis", -1)]
        arrays[1] = np.asarray(np.clip(arrays[1], -n, n - 1))
    return arrays, dtypes


def test_every_op_is_written_or_refused(tmp_path):
    for op in REFUSED:
        case = CASES[op][0]
        arrays = case.arrays()
        graph, _, _ = graph_of(op, arrays, case.attributes, input_dtypes(op, len(arrays)), batched=False)
        with pytest.raises(NotImplementedError, match=rf"the {op} \({op}: "):
            graph.save_onnx(tmp_path / "m.onnx")
    assert set(WRITTEN) <= set(CASES)


@pytest.mark.parametrize("op", WRITTEN)
def test_cases(op, tmp_path):
    layout = "first" if op == "resize" else "last"  # ONNX Runtime exchanges Resize and Transpose where it cannot
    written = 0
    for case in different(CASES[op]):
        arrays, dtypes = arrays_of(op, case)
        written += check(op, case, arrays, dtypes, tmp_path / "m.onnx", layout=layout)
        if arrays[0] is not None and arrays[0].size and arrays[0].ndim:
            check(op, case, arrays, dtypes, tmp_path / "m.onnx", batched=True, layout=layout)
    assert written


@pytest.mark.parametrize("op", [op for op in WRITTEN if {"n", "t"} & set(_core.ops()[op].types.split(" -> ")[0])])
def test_whole_numbers(op, tmp_path):
    for case in different(CASES[op]):
        arrays, dtypes = arrays_of(op, case, whole=True)
        if op == "power" and (arrays[1] < 0).any():
            continue  # 1 / 0 is whatever the machine makes of it
        if op == "prod" and np.abs(np.prod(arrays[0], dtype=np.float64)) > 2**31:
            continue  # likewise
        check(op, case, arrays, dtypes, tmp_path / "m.onnx")


@pytest.mark.parametrize("op", [op for op in WRITTEN if "t" in _core.ops()[op].types.split(" -> ")[0]])
def test_bools(op, tmp_path):
    for case in different(CASES[op])[:8]:
        arrays, dtypes = arrays_of(op, case)
        known = _core.ops()[op].types.split()
        dtypes = ["bool" if known[min(i, known.index("->") - 1)] == "t" else t for i, t in enumerate(dtypes)]
        arrays = [np.asarray(a > 0) if t == "bool" else a for a, t in zip(arrays, dtypes, strict=True)]
        if case.attributes.get("value", 0) not in (0, 1):
            continue  # no bool
        check(op, case, arrays, dtypes, tmp_path / "m.onnx")


@pytest.mark.parametrize(
    "op", ["conv", "conv_transpose", "dense", "batch_norm", "group_norm", "layer_norm", "matmul", "add"]
)
def test_weights(op, tmp_path):
    """Variables are written in the order that the operator reads; nothing transposes them then."""
    for case in different(CASES[op])[::3]:
        arrays, dtypes = arrays_of(op, case)
        variables = [i for i in range(1, len(arrays)) if arrays[i] is not None]
        if not check(op, case, arrays, dtypes, tmp_path / "m.onnx", variables=variables):
            continue
        graph = onnx.load(tmp_path / "m.onnx").graph
        weights = {tensor.name for tensor in graph.initializer}
        assert not [node for node in graph.node if node.op_type == "Transpose" and node.input[0] in weights]
