"""The ONNX backend's own cases: which pass stands in `onnx_passes.txt`, why the others do not in docs/onnx.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
from . import onnx_cases as cases  # noqa: E402

HERE = Path(__file__).resolve().parent
PASSES = (HERE / "onnx_passes.txt").read_text(encoding="utf-8").split()
PAGE = (HERE.parent.parent / "docs" / "onnx.md").read_text(encoding="utf-8")
STORED = cases.archive()

pytestmark = pytest.mark.skipif(STORED is None, reason="CCONV_DATASETS names no folder with onnx_conformance")


@pytest.mark.parametrize("case", PASSES)
def test_the_case_passes(case):
    assert cases.outcome(STORED, case) == ""


def test_every_other_case_is_listed_with_its_reason():
    others = [name for name in cases.names(STORED) if name not in PASSES]
    families = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `test_")]
    missing = [name for name in others if not any(name.split("/")[1].startswith(family) for family in families)]
    assert missing == []


def test_no_case_passes_that_is_listed_as_failing():
    others = [name for name in cases.names(STORED) if name not in PASSES]
    assert [name for name in others if not cases.outcome(STORED, name)] == []


NETWORKS = sorted(n for n in (STORED.namelist() if STORED else []) if n.startswith("light/") and n.endswith(".onnx"))


@pytest.mark.parametrize("name", NETWORKS)
def test_whole_networks_give_the_stored_outputs(name):
    """They are run on what the backend's test feeds: rows of numbers that grow from 0 to 1."""
    expected = onnx.numpy_helper.to_array(onnx.TensorProto.FromString(STORED.read(name[:-5] + "_output_0.pb")))
    model = STORED.read(name)
    graph = onnx.ModelProto.FromString(model).graph
    weights = {tensor.name for tensor in graph.initializer}
    [value] = [v for v in graph.input if v.name not in weights]
    shape = [d.dim_value or 1 for d in value.type.tensor_type.shape.dim]
    x = (np.arange(np.prod(shape), dtype=np.float32) / np.prod(shape)).reshape(shape)
    [y] = cases.run(model, [x])
    assert y.shape == expected.shape
    assert np.abs(y - expected).max() <= 1e-4 * np.abs(expected).max()
