"""Networks as ONNX files: `exported` gives one, and has PyTorch write it, in a process of its own, if there is none.

python onnx_file.py PICKLED_WORK
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

from work import HERE, Work


def exported(work: Work) -> Path:
    """The network's file, its batch a free dimension named "batch"."""
    path = work.file(".onnx")
    if not path.exists():
        command = [sys.executable, str(HERE / "onnx_file.py"), pickle.dumps(work).hex()]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError("no ONNX file: " + (done.stderr.strip().splitlines() or ["export failed"])[-1])
    return path


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
    write(pickle.loads(bytes.fromhex(sys.argv[1])))
