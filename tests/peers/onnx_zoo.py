"""Networks that other programs wrote as ONNX: their outputs there and here, and how far the two are from each other."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cconv

DATA = Path(os.environ.get("CCONV_DATASETS", ""), "models", "onnx")
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="CCONV_DATASETS names no folder with models/onnx")


def session(model: str | os.PathLike[str] | bytes) -> Any:
    """The model in ONNX Runtime."""
    ort = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    options = ort.SessionOptions()
    options.log_severity_level = 4
    source = model if isinstance(model, bytes) else os.fspath(model)
    return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def run(model: str | os.PathLike[str] | bytes, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The outputs of a model in ONNX Runtime."""
    runner = session(model)
    return runner.run(None, {i.name: a for i, a in zip(runner.get_inputs(), arrays, strict=True)})


def predict(model: cconv.Model, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    found = model.predict(list(arrays) if len(arrays) > 1 else arrays[0], verbose=0)
    return found if isinstance(found, list) else [found]


def difference(found: Sequence[Any], expected: Sequence[Any]) -> float:
    """The largest difference, relative to the largest value of its output."""
    worst = 0.0
    for y, right in zip(found, expected, strict=True):
        y, right = np.asarray(y, np.float64), np.asarray(right, np.float64)
        assert y.shape == right.shape
        assert np.isfinite(right).all() and np.ptp(right) > 0, "nothing that could differ"
        worst = max(worst, float(np.abs(y - right).max() / np.abs(right).max()))
    return worst


def check(
    model: str | os.PathLike[str] | bytes,
    arrays: Sequence[np.ndarray],
    record: Callable[[str, object], None],
    tolerance: float = 1e-4,
    shapes: Any = None,
) -> cconv.Model:
    """The model loaded here; it gives what ONNX Runtime gives."""
    loaded = cconv.onnx.load(model, shapes=shapes)
    found = difference(predict(loaded, arrays), run(model, arrays))
    record("difference", f"{found:.1e}")
    assert found <= tolerance
    return loaded


# ---- PyTorch ----


def torchvision() -> Any:
    """torchvision; without its compiled ops where those are built for another PyTorch: networks need none of them."""
    torch = pytest.importorskip("torch", reason="needs torch")
    register = torch.library.register_fake

    def register_fake(op: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(op, str) and op.startswith("torchvision::"):
            return lambda function: function
        return register(op, *args, **kwargs)

    torch.library.register_fake = register_fake
    try:
        return pytest.importorskip("torchvision", reason="needs torchvision")
    finally:
        torch.library.register_fake = register


def unlike_new(net: Any, seed: int = 0) -> Any:
    """The network for inference, with statistics of batch normalization that are no identity."""
    torch = pytest.importorskip("torch", reason="needs torch")
    rng = torch.Generator().manual_seed(seed)
    for module in net.modules():
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d, torch.nn.BatchNorm3d)):
            module.running_mean.normal_(0, 0.1, generator=rng)
            module.running_var.uniform_(0.5, 1.5, generator=rng)
            if module.affine:
                module.weight.data.uniform_(0.8, 1.2, generator=rng)
                module.bias.data.normal_(0, 0.1, generator=rng)
    return net.eval()


def exported(net: Any, arrays: Sequence[np.ndarray], opset: int = 17, dynamo: bool = False) -> bytes:
    """The network as a file for batches of any size."""
    torch = pytest.importorskip("torch", reason="needs torch")
    pytest.importorskip("onnxscript" if dynamo else "onnx", reason="needs onnxscript" if dynamo else "needs onnx")
    given = tuple(torch.from_numpy(a) for a in arrays)
    names = [f"input{i}" for i in range(len(arrays))]
    file = io.BytesIO()
    if dynamo:
        open_batch = [{0: torch.export.Dim("batch")} for _ in arrays]
        program = torch.onnx.export(
            net, given, input_names=names, opset_version=opset, dynamo=True, dynamic_shapes=open_batch, verbose=False
        )
        program.save(file)
    else:
        torch.onnx.export(
            net,
            given,
            file,
            input_names=names,
            output_names=["output"],
            dynamic_axes={name: {0: "batch"} for name in [*names, "output"]},
            opset_version=opset,
            dynamo=False,
        )
    return file.getvalue()


def torch_outputs(net: Any, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    torch = pytest.importorskip("torch", reason="needs torch")
    with torch.no_grad():
        found = net(*(torch.from_numpy(a) for a in arrays))
    return [y.numpy() for y in (found if isinstance(found, (list, tuple)) else [found])]
