"""Models of one node, run here and by ONNX Runtime (by the specification's evaluator where that has no such type)."""

import numpy as np
import onnx
import onnxruntime as runtime
import pytest
from onnx import helper, numpy_helper, reference
from onnxruntime.capi import onnxruntime_pybind11_state as errors

from .onnx_cases import run

rng = np.random.default_rng(7)


def floats(*shape):
    return rng.uniform(-2, 2, shape).astype(np.float32)


def array(values, dtype=None):
    found = np.array(values)
    return found.astype(dtype or (bool if found.dtype == bool else np.float32))


def whole(*values):
    return np.array(values, np.int64)


def count(*shape, dtype="float32"):
    return np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)


def case(op, *inputs, known=(), opset=21, outputs=1, **attributes):
    """`known`: which inputs are initializers, by number."""
    return op, inputs, known, opset, outputs, attributes


def model_of(op, inputs, known, opset, outputs, attributes):
    names = ["" if x is None else f"x{i}" for i, x in enumerate(inputs)]
    types = {n: helper.np_dtype_to_tensor_dtype(x.dtype) for n, x in zip(names, inputs) if n}
    graph = helper.make_graph(
        [helper.make_node(op, names, [f"y{k}" for k in range(outputs)], **attributes)],
        "one",
        [
            helper.make_tensor_value_info(n, types[n], x.shape)
            for i, (n, x) in enumerate(zip(names, inputs))
            if n and i not in known
        ],
        [onnx.ValueInfoProto(name=f"y{k}") for k in range(outputs)],
        [numpy_helper.from_array(inputs[i], names[i]) for i in known],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def expected(model, feeds):
    try:
        options = runtime.SessionOptions()
        options.log_severity_level = 4
        typed = onnx.shape_inference.infer_shapes(model).SerializeToString()
        return runtime.InferenceSession(typed, options, providers=["CPUExecutionProvider"]).run(None, feeds)
    except (errors.NotImplemented, errors.InvalidGraph):
        return reference.ReferenceEvaluator(model).run(None, feeds)


def check(op, inputs, known, opset, outputs, attributes):
    model = model_of(op, inputs, known, opset, outputs, attributes)
    feeds = {f"x{i}": x for i, x in enumerate(inputs) if x is not None and i not in known}
    ours = run(model.SerializeToString(), list(feeds.values()))
    for y, right in zip(ours, expected(model, feeds), strict=True):
        assert y.shape == right.shape
        if right.dtype.kind == "f":
            np.testing.assert_allclose(y, right, 1e-5, 1e-6)
        else:
            np.testing.assert_array_equal(y.astype(np.int64), right.astype(np.int64))


def named(cases):
    return pytest.mark.parametrize("one", cases, ids=[f"{c[0]}-{i}" for i, c in enumerate(cases)])
