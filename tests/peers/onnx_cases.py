"""The ONNX backend's node cases and whole networks, as stored under `CCONV_DATASETS`: read, run in cconv, compared."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from cconv import _core

SUITES = ("node", "pytorch-converted", "pytorch-operator")


def archive() -> zipfile.ZipFile | None:
    """The stored cases; None where there are none."""
    path = Path(os.environ.get("CCONV_DATASETS", "")) / "onnx_conformance" / "cases.zip"
    return zipfile.ZipFile(path) if path.is_file() else None


def names(cases: zipfile.ZipFile) -> list[str]:
    """`suite/case` of every single-operator case."""
    found = {"/".join(name.split("/")[:2]) for name in cases.namelist() if name.endswith("model.onnx")}
    return sorted(name for name in found if name.split("/")[0] in SUITES)


def tensors(cases: zipfile.ZipFile, case: str, kind: str) -> Iterator[np.ndarray]:
    """The stored inputs or outputs."""
    number = 0
    while f"{case}/test_data_set_0/{kind}_{number}.pb" in cases.NameToInfo:
        tensor = onnx.TensorProto.FromString(cases.read(f"{case}/test_data_set_0/{kind}_{number}.pb"))
        yield numpy_helper.to_array(tensor)
        number += 1


def fed(x: np.ndarray) -> np.ndarray:
    """An array as the core takes it."""
    x = np.asarray(x, order="C")
    if x.dtype in (np.uint16, np.int16, np.uint32, np.uint64):
        return x.astype(np.int64)
    return x.astype(np.float32) if x.dtype.name in ("float16", "bfloat16") else x


def bound(model: bytes, inputs: list[np.ndarray]) -> tuple[bytes, list[np.ndarray]]:
    """The model with all inputs but the first as initializers: axes, sizes and the like must be known."""
    proto = onnx.ModelProto.FromString(model)
    wanted = list(proto.graph.input)
    for value, x in list(zip(wanted, inputs, strict=False))[1:]:
        proto.graph.initializer.append(numpy_helper.from_array(x, value.name))
    return proto.SerializeToString(), inputs[:1]


def run(model: bytes, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """The outputs of a model, in the types that the core computes in."""
    proto = onnx.ModelProto.FromString(model)
    initializers = {tensor.name for tensor in proto.graph.initializer}
    wanted = [value.name for value in proto.graph.input if value.name not in initializers]
    shapes = {name: x.shape for name, x in zip(wanted, inputs, strict=False)}
    graph = _core.load_onnx(model, shapes)
    arrays = dict(zip(wanted, inputs, strict=False))
    plan = _core.Plan(graph, [node for _, node in graph.outputs()])
    return plan.run([fed(arrays[node.name]) for node in graph.nodes() if node.kind == "input"])


def complaint(got: list[np.ndarray], expected: list[np.ndarray]) -> str:
    """What differs by more than the backend's tolerance, or ''."""
    if len(got) != len(expected):
        return f"{len(expected)} outputs expected, {len(got)} received"
    for k, (y, right) in enumerate(zip(got, expected, strict=True)):
        if y.shape != right.shape:
            return f"output {k}: shape {right.shape} expected, {y.shape} received"
        exact = right.dtype.kind in "iub" or right.dtype == bool
        right = right.astype(np.float64)
        if not np.allclose(
            y.astype(np.float64), right, rtol=0 if exact else 1e-3, atol=0 if exact else 1e-7, equal_nan=True
        ):
            return f"output {k}: differs by up to {np.nanmax(np.abs(y - right)):g}"
    return ""


def outcome(cases: zipfile.ZipFile, case: str) -> str:
    """'' if the case passes, else why it does not."""
    try:
        inputs, expected = list(tensors(cases, case, "input")), list(tensors(cases, case, "output"))
    except Exception as error:  # sequences, optional values and strings are no tensors
        return f"values that are no tensors ({type(error).__name__})"
    model = cases.read(f"{case}/model.onnx")
    try:
        try:
            return complaint(run(model, inputs), expected)
        except NotImplementedError as error:
            if "that is not known" not in str(error):
                raise
            return complaint(run(*bound(model, inputs)), expected)
    except (ValueError, NotImplementedError, TypeError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    import sys

    stored = archive()
    if stored is None:
        sys.exit("set CCONV_DATASETS")
    chosen = [name for name in names(stored) if not sys.argv[1:] or any(part in name for part in sys.argv[1:])]
    results = {name: outcome(stored, name) for name in chosen}
    for name, text in results.items():
        print(name, text or "ok")
    print(sum(not text for text in results.values()), "of", len(results), "pass")
