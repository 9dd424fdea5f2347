"""ncnn: inference of the file PyTorch has exported, converted by its tool pnnx, held to float32.

One image at a time is its way; a batch as one array, which it takes too, is timed beside.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import ncnn
import numpy as np
import pnnx
from onnx_file import exported
from work import Prepared, Work

THREADS = 1


def start(threads: int) -> dict[str, object]:
    global THREADS
    THREADS = threads
    return {"version": ncnn.__version__}


def variants(work: Work) -> tuple[str, ...]:
    if not work.infers:
        return ()
    return ("image by image",) if work.at_once == 1 else ("image by image", "batch")


def converted(work: Work) -> tuple[Path, Path]:
    """The files of structure and of weights."""
    param, weights = (work.file(f".ncnn.{kind}") for kind in ("param", "bin"))
    if not param.exists():
        height, width, channels = work.network.image
        with tempfile.TemporaryDirectory(dir=work.folder) as folder:  # pnnx leaves many files beside what it reads
            given = Path(folder) / "net.onnx"
            given.symlink_to(exported(work).resolve())
            settings = [f"inputshape=[1,{channels},{height},{width}]", "fp16=0"]
            done = subprocess.run([pnnx.EXEC_PATH, str(given), *settings], capture_output=True, text=True, cwd=folder)
            if done.returncode:
                raise RuntimeError("pnnx does not convert the network: " + done.stderr.strip()[-200:])
            (Path(folder) / "net.ncnn.bin").replace(weights)
            (Path(folder) / "net.ncnn.param").replace(param)
    return param, weights


def prepare(work: Work, variant: str) -> Prepared:
    x = np.ascontiguousarray(work.images()[0].transpose(0, 3, 1, 2))
    net = ncnn.Net()
    net.opt.num_threads = THREADS
    for half in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_packed", "bf16_storage"):
        setattr(net.opt, f"use_{half}", False)
    param, weights = converted(work)
    if net.load_param(str(param)) or net.load_model(str(weights)):
        raise RuntimeError("ncnn does not load the network")
    if variant == "batch":
        given = [ncnn.Mat(x[at : at + work.at_once], batch_index=0) for at in range(0, len(x), work.at_once)]
    else:
        given = [ncnn.Mat(image) for image in x]
    inputs = [images.clone() for images in given]  # the others do not keep the array they point into

    def infer(images: ncnn.Mat) -> np.ndarray:
        with net.create_extractor() as extractor:
            extractor.input("in0", images)
            _, y = extractor.extract("out0")
            y = y.numpy(batch_index=0) if variant == "batch" else np.array(y)
            return y.reshape(work.at_once if variant == "batch" else 1, -1).copy()  # it may have axes of 1 between

    def call() -> list[np.ndarray]:
        return [infer(images) for images in inputs]

    return Prepared(call, {"y": np.concatenate(call())[:8]})
