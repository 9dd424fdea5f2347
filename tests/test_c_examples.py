"""Builds and runs the C and C++ examples that the core's users start from."""

import gzip
import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

TOP = Path(__file__).resolve().parent.parent
EXAMPLES = TOP / "examples" / "c"
STRICT = ["-O2", "-Wall", "-Wextra", "-Werror", f"-I{TOP / 'src_c' / 'include'}"]


@pytest.fixture(scope="module")
def library() -> list[str]:
    """What a program is linked with."""
    result = subprocess.run(["make", "lib"], cwd=TOP, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    folder = TOP / "build" / "lib"
    return [str(folder / "libcconv.a"), *(folder / "link_flags").read_text(encoding="utf-8").split()]


def build(name: str, folder: Path, library: list[str]) -> str:
    source = EXAMPLES / name
    program = str(folder / source.stem)
    if source.suffix == ".cpp":
        compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
        if not compiler:
            pytest.skip("needs a C++ compiler")
        command = [compiler, "-std=c++11", "-Wpedantic"]
    else:
        command = ["cc", "-std=c11", "-Wshadow", "-Wconversion", "-Wno-sign-conversion"]
    subprocess.run([*command, *STRICT, str(source), *library, "-o", program], check=True)
    return program


def run(*command: object) -> str:
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def message(*fields: tuple[int, int | str | bytes]) -> bytes:
    """A message of protocol buffers; numbers and lengths below 2^14."""

    def number(n: int) -> bytes:
        return bytes([n]) if n < 128 else bytes([n & 127 | 128, n >> 7])

    encoded = b""
    for field, value in fields:
        if isinstance(value, int):
            encoded += number(field << 3) + number(value)
        else:
            value = value.encode() if isinstance(value, str) else value
            encoded += number(field << 3 | 2) + number(len(value)) + value
    return encoded


def onnx_model(folder: Path) -> Path:
    """A convolution of images (N, 1, 8, 8), then relu."""

    def value(name: str, *sizes: int | str) -> bytes:
        dims = [(1, message((1, size) if isinstance(size, int) else (2, size))) for size in sizes]
        return message((1, name), (2, message((1, message((1, 1), (2, message(*dims)))))))

    weights = struct.pack("<36f", *(k % 5 - 2.0 for k in range(36)))
    graph = message(
        (1, message((1, "x"), (1, "w"), (2, "c"), (4, "Conv"))),
        (1, message((1, "c"), (2, "y"), (4, "Relu"))),
        (2, "small"),
        (5, message((1, 4), (1, 1), (1, 3), (1, 3), (2, 1), (8, "w"), (9, weights))),
        (11, value("x", "N", 1, 8, 8)),
        (12, value("y", "N", 4, 6, 6)),
    )
    path = folder / "small.onnx"
    path.write_bytes(message((1, 8), (7, graph), (8, message((1, ""), (2, 13)))))
    return path


def test_a_program_of_c_plus_plus_learns(library, tmp_path):
    loss = re.search(r"loss (\S+) after 1000 steps", run(build("raii.cpp", tmp_path, library)))[1]
    assert float(loss) < 1e-3


def test_threads_serve_one_network(library, tmp_path):
    output = run(build("serve_threads.c", tmp_path, library), onnx_model(tmp_path), 10)
    assert output == "4 threads answered 10 requests each, all alike\n"


def test_a_camera_is_answered_within_its_budget(library, tmp_path):
    program = build("latency_budget.c", tmp_path, library)
    output = run(program, onnx_model(tmp_path), 20, 25)
    counts = [int(n) for n in re.search(r"(\d+) answered, (\d+) late, (\d+) cancelled, (\d+) skipped", output).groups()]
    assert sum(counts) == 25 and counts[0] >= 1
    assert all(float(within) <= 20 for within in re.findall(r"within (\S+) ms", output))


def test_examples_say_what_they_miss(library, tmp_path):
    for name, words in [("serve_threads.c", 1), ("latency_budget.c", 1), ("train_mnist.c", 2)]:
        program = build(name, tmp_path, library)
        assert subprocess.run([program], capture_output=True).returncode == 2
        result = subprocess.run([program, *[str(tmp_path / "none")] * words], capture_output=True, text=True)
        assert result.returncode == 1 and "none" in result.stderr


@pytest.mark.slow
def test_lenet_learns_mnist_and_goes_on_from_its_file(library, tmp_path):
    datasets = os.environ.get("CCONV_DATASETS")
    if not datasets or not (Path(datasets) / "mnist").is_dir():
        pytest.skip("needs the MNIST files: CCONV_DATASETS names no folder with mnist/")
    for packed in (Path(datasets) / "mnist").glob("*-ubyte.gz"):
        (tmp_path / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    program, parameters = build("train_mnist.c", tmp_path, library), tmp_path / "lenet.safetensors"
    accuracies = re.findall(r"test accuracy (\S+)", run(program, tmp_path, parameters, 4))
    assert len(accuracies) == 4 and float(accuracies[-1]) >= 0.985
    again = run(program, tmp_path, parameters, 1)
    assert "going on after step 3752" in again
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime to read what was saved")
    session = onnxruntime.InferenceSession(f"{parameters}.onnx")
    pixels = np.frombuffer((tmp_path / "t10k-images-idx3-ubyte").read_bytes(), np.uint8, offset=16)
    digits = np.frombuffer((tmp_path / "t10k-labels-idx1-ubyte").read_bytes(), np.uint8, offset=8)
    [logits] = session.run(None, {"image": pixels.reshape(-1, 1, 28, 28).astype(np.float32)})
    assert (logits.argmax(-1) == digits).mean() >= 0.98
    assert float(re.findall(r"test accuracy (\S+)", again)[-1]) >= 0.98
