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
    "not known to be different",
)

# ONNX Runtime computes moments of large numbers, and places far away, in float32 less exactly; beginnings of cases.
LESS_EXACT = {"large mean, small variance": 5e-4, "far away": 1e-3}

# ONNX Runtime interpolates volumes by nearest and linear functions only, and takes no NaN and no images of none.
NOT_RUN = ("bicubic: volume", "nowhere", "no numbers", "boxes of no numbers", "no images, ")

# Ops that cannot be written, whatever their attributes.
REFUSED = {
    *("mean_squared_error", "mean_absolute_error", "l1_loss", "l2_loss", "mean_squared_logarithmic_error"),
    *("mean_absolute_percentage_error", "hinge", "kl_divergence", "binary_crossentropy", "categorical_crossentropy"),
    *("sparse_categorical_crossentropy", "weight_penalty", "projective_transform", "random", "erfinv", "arctan2"),
    *("cumprod", "assign"),
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
    if case.id.startswith(NOT_RUN):
        return True
    n = arrays[0].shape[0] if batched else 1
    plan = _core.Plan(graph, [node], max_batch=n)
    expected = np.asarray(plan.run(list(fed.values()), n=n)[0])
    if layout == "first":
        fed = {name: channels_first(array) for name, array in fed.items()}
        expected = channels_first(expected)
    tolerance = next((less for id, less in LESS_EXACT.items() if case.id.startswith(id)), 1e-5)
    what = f"{op}, case {case.id!r}, batched {batched}, variables {variables}"
    compare(what, run.run(["y"], fed)[0], expected, tolerance)
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
    if op == "roi_align":
        arrays[2] = np.clip(arrays[2], 0, max(arrays[0].shape[0] - 1, 0))
    if op == "scatter_update":
        arrays[1] = np.clip(arrays[1], -arrays[0].shape[0], arrays[0].shape[0] - 1)
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


@pytest.mark.parametrize("op", ["hypot", "logaddexp", "maximum", "add"])
def test_infinities(op, tmp_path):
    """Two of them that are equal are not apart."""
    values = np.array([0, -0.0, 1, -2, 1e30, np.inf, -np.inf], np.float32)
    feeds = {"a": np.repeat(values, len(values)), "b": np.tile(values, len(values))}
    graph = _core.Graph()
    y = graph.add(op, [graph.input(array.shape, name) for name, array in feeds.items()])
    (here,), (there,), (back,) = run_both(graph, {"y": y}, feeds, tmp_path / "m.onnx")
    np.testing.assert_allclose(there, here, rtol=1e-6)
    np.testing.assert_allclose(back, here, rtol=1e-6)


def run_both(graph, outputs, feeds, path, given=None):
    """The outputs of a graph here, of its file in ONNX Runtime, and of that file read again."""
    for name, node in outputs.items():
        graph.output(name, node)
    graph.save_onnx(path, channels_last=True)
    n = len(next(iter(feeds.values())))
    shapes = [a.shape for a in feeds.values()]
    here = _core.Plan(graph, list(outputs.values()), max_batch=n, input_shapes=shapes).run(list(feeds.values()), n=n)
    there = session(path).run(list(outputs), feeds)
    again = _core.load_onnx(str(path), given or {})
    nodes = [node for _, node in again.outputs()]
    back = _core.Plan(again, nodes, max_batch=n, input_shapes=shapes).run(list(feeds.values()), n=n)
    return [np.asarray(y) for y in here], there, [np.asarray(y) for y in back]


@pytest.mark.parametrize("most", [2, 9])
def test_boxes_of_any_number_of_samples(most, tmp_path):
    """As many rows as fit; those behind the last are -1."""
    rng = np.random.default_rng(1)
    corners = np.sort(rng.uniform(0, 1, (3, 7, 2, 2)), 2).reshape(3, 7, 4).astype(np.float32)
    feeds = {"boxes": corners, "scores": rng.uniform(0, 1, (3, 2, 7)).astype(np.float32)}
    graph = _core.Graph()
    nodes = [graph.input((None, *feeds[name].shape[1:]), name) for name in feeds]
    settings = {"max_output_boxes_per_class": most, "iou_threshold": 0.3, "score_threshold": 0.6}
    y = graph.add("non_max_suppression", nodes, settings)
    given = {name: array.shape for name, array in feeds.items()}
    (here,), (there,), (back,) = run_both(graph, {"y": y}, feeds, tmp_path / "m.onnx", given)
    assert here.shape == (6 * most, 3) and (here[-1] == -1).all() and (here[0] >= 0).all()
    np.testing.assert_array_equal(here, there)
    np.testing.assert_array_equal(here, back)


def test_images_of_two_and_three_axes_are_sampled(tmp_path):
    """Those of three take opset 20, whose names of the modes are others."""
    rng = np.random.default_rng(2)
    shapes = {"x": (2, 5, 6, 3), "grid": (2, 4, 3, 2), "volume": (2, 3, 4, 5, 2), "places": (2, 2, 3, 2, 3)}
    feeds = {name: rng.uniform(-1, 1, shape).astype(np.float32) for name, shape in shapes.items()}
    graph = _core.Graph()
    nodes = {name: graph.input((None, *shape[1:]), name) for name, shape in shapes.items()}
    y = graph.add("grid_sample", [nodes["x"], nodes["grid"]], {"interpolation": "bicubic"})
    z = graph.add("grid_sample", [nodes["volume"], nodes["places"]], {"padding_mode": "border"})
    for here, there, back in zip(*run_both(graph, {"y": y, "z": z}, feeds, tmp_path / "m.onnx"), strict=True):
        compare("in ONNX Runtime", there, here)
        compare("read again", back, here)
    model = onnx.load(tmp_path / "m.onnx")
    assert model.opset_import[0].version == 20
    assert [n.attribute[0].s for n in model.graph.node if n.op_type == "GridSample"] == [b"cubic", b"linear"]


def test_rows_take_the_place_of_others_where_they_are_known(tmp_path):
    rng = np.random.default_rng(3)
    for positions, written in [([3, 0, -2], True), ([1, 1], False), ([0, -4], False), ([4], False), ([-5], False)]:
        graph = _core.Graph()
        x = graph.input((4, 3), "x")
        at = graph.constant(np.array(positions, np.int32), "at")
        updates = graph.constant(rng.standard_normal((len(positions), 3)).astype(np.float32), "updates")
        y = graph.add("scatter_update", [x, at, updates], {}, "rows")
        if written:
            feeds = {"x": rng.standard_normal((4, 3)).astype(np.float32)}
            (here,), (there,), (back,) = run_both(graph, {"y": y}, feeds, tmp_path / "m.onnx")
            np.testing.assert_array_equal(here, there)
            np.testing.assert_array_equal(here, back)
        else:
            graph.output("y", y)
            with pytest.raises(NotImplementedError, match="not known to be different"):
                graph.save_onnx(tmp_path / "none.onnx")


def test_sizes_of_other_axes(tmp_path):
    """What reshape and broadcast_to take from a tensor is computed of its Shape, in whatever order it is held."""
    rng = np.random.default_rng(4)
    feeds = {"x": rng.standard_normal((1, 1, 4, 6, 5)).astype(np.float32)}
    graph = _core.Graph()
    x = graph.input((1, 1, None, None, 5), "x")
    like = graph.add("conv", [x, graph.constant(rng.standard_normal((1, 1, 1, 5, 3)).astype(np.float32))], {})
    y = graph.add("reshape", [x], {"shape": (-4, -5, 5)})
    token = graph.constant(rng.standard_normal((1, 1, 2)).astype(np.float32))
    z = graph.add("broadcast_to", [token, like], {"shape": (-5, -4, 2)})
    for here, there, back in zip(*run_both(graph, {"y": y, "z": z}, feeds, tmp_path / "m.onnx"), strict=True):
        assert here.shape[:2] in ((4, 6), (6, 4))
        np.testing.assert_array_equal(here, there)
        np.testing.assert_array_equal(here, back)


def test_zeros_before_a_pool_are_part_of_its_image(tmp_path):
    """In ONNX Runtime too, which takes zeros without named axes for the pool's padding; into convolutions it may."""
    rng = np.random.default_rng(5)
    feeds = {"x": rng.uniform(-2, -1, (2, 5, 6, 3)).astype(np.float32)}
    graph = _core.Graph()
    x = graph.input((None, 5, 6, 3), "x")
    pads = {"pads": (0, 1, 1, 0, 0, 1, 1, 0)}
    zeros = [graph.add("pad", [x], pads) for _ in range(3)]
    kernel = graph.constant(rng.standard_normal((3, 3, 3, 4)).astype(np.float32))
    outputs = {
        "most": graph.add("max_pool", [zeros[0]], {"pool_size": 3}),
        "mean": graph.add("avg_pool", [zeros[1]], {"pool_size": 3}),
        "sums": graph.add("conv", [zeros[2], kernel], {}),
    }
    for here, there, back in zip(*run_both(graph, outputs, feeds, tmp_path / "m.onnx"), strict=True):
        compare("in ONNX Runtime", there, here)
        compare("read again", back, here)
    pads = [n for n in onnx.load(tmp_path / "m.onnx").graph.node if n.op_type == "Pad"]
    assert sorted(len(n.input) for n in pads) == [3, 4, 4]
