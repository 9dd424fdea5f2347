"""examples/c/fine_tune.c: a pretrained ONNX model learns classes of its own."""

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import small_onnx

TOP = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    if os.name == "nt":
        pytest.skip("the library is built by make")
    subprocess.run(["make", "lib"], cwd=TOP, check=True, capture_output=True)
    path = tmp_path_factory.mktemp("fine_tune") / "fine_tune"
    library = TOP / "build" / "lib"
    warnings = ["-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wconversion", "-Wno-sign-conversion"]
    command = ["cc", "-std=c11", "-O2", *warnings, f"-I{TOP / 'src_c' / 'include'}", TOP / "examples/c/fine_tune.c"]
    flags = (library / "link_flags").read_text(encoding="utf-8").split()
    subprocess.run([*command, library / "libcconv.a", *flags, "-o", path], check=True)
    return path


@pytest.fixture
def images(tmp_path) -> Path:
    """A list of images, of which one colour is stronger: their class."""
    rng = np.random.default_rng(0)
    lines = []
    for number in range(60):
        pixels = rng.integers(0, 128, (5, 6, 3), dtype=np.uint8)
        pixels[..., number % 3] += 60
        path = tmp_path / f"{number}.ppm"
        path.write_bytes(b"P6\n6 5\n255\n" + pixels.tobytes())
        lines.append(f"{number % 3} {path}\n")
    listed = tmp_path / "images.txt"
    listed.write_text("".join(lines))
    return listed


@pytest.mark.parametrize("node", ["pooled", "means"])
def test_the_new_head_learns_and_is_saved(program, images, tmp_path, node):
    model, saved = tmp_path / "model.onnx", tmp_path / "taught.onnx"
    model.write_bytes(small_onnx.classifier(np.ones((3, 7)), (1, 3, 5, 6)))
    command = [program, model, node, images, saved, "60"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "48 images to learn from, 12 held out" in said
    losses = [float(loss) for loss in re.findall(r"epoch \d+: loss (\S+)", said)]
    assert len(losses) == 60 and losses[-1] < 0.8 * losses[0]
    assert float(re.search(r"accuracy after (\S+)", said)[1]) == 1.0

    subprocess.run(["make", "cconv-run"], cwd=TOP, check=True, capture_output=True)
    paths = [line.split()[1] for line in images.read_text().splitlines()]
    command = [TOP / "build" / "bin" / "cconv-run", saved, *paths, "--preset", "keras-tf", "--top", "1"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = [int(number) for number in re.findall(r": classes\n *[\d.]+ +(\d)\n", said)]
    assert (np.array(found) == np.arange(60) % 3).mean() > 0.95 and said.count(": scores\n") == 60


def test_what_is_wrong_is_said(program, images, tmp_path):
    model, saved = tmp_path / "model.onnx", tmp_path / "taught.onnx"
    model.write_bytes(small_onnx.classifier(np.ones((3, 7)), (1, 3, 5, 6)))
    (tmp_path / "3.ppm").write_bytes(b"P6\n5 5\n255\n" + bytes(75))
    cases = [
        ([model, "means"], 2, "usage: "),
        ([model, "means", images, saved], 1, "3.ppm: expected a whole PPM image"),
        ([model, "means", model, saved], 1, "expected lines of a class"),
        ([model, "means", tmp_path / "none", saved], 1, "cannot be opened"),
    ]
    for arguments, status, sentence in cases:
        result = subprocess.run([program, *arguments], capture_output=True, text=True)
        assert result.returncode == status and sentence in result.stderr
    (tmp_path / "3.ppm").write_bytes(b"P6\n6 5\n255\n" + bytes(90))
    for arguments, sentence in ([model, "other"], "no value of this name"), ([images, "means"], "fine_tune: "):
        result = subprocess.run([program, *arguments, images, saved], capture_output=True, text=True)
        assert result.returncode == 1 and sentence in result.stderr and not saved.exists()
