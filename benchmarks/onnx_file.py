"""Networks as ONNX files, from PyTorch."""

from __future__ import annotations

from pathlib import Path

import conversion
from work import Work


def exported(work: Work) -> Path:
    """The network's file, its batch a free dimension named "batch"."""
    if work.model:
        return Path(work.model)
    if work.is_application:
        return work.file(".onnx")  # by `applications.py`
    return conversion.converted(work, ".onnx", "onnx_file.py")


def write(work: Work) -> None:
    """Exports the network with the weights cconv has left."""
    import engine_torch
    import torch

    net = engine_torch.loaded(work).eval()
    network = work.network
    x = torch.zeros(2, network.channels, network.side, network.side)
    names = {"input_names": ["x"], "output_names": ["y"], "dynamic_axes": {"x": {0: "batch"}, "y": {0: "batch"}}}
    part = work.file(".part.onnx")
    with torch.inference_mode():
        torch.onnx.export(
            torch.nn.Sequential(net, torch.nn.Softmax(1)), (x,), part, dynamo=False, opset_version=17, **names
        )
    part.replace(work.file(".onnx"))


if __name__ == "__main__":
    conversion.main(write)
