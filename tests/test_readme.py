"""The README's commands and programs, as they stand. `make test-readme` runs the commands in a fresh clone."""

import gzip
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import small_onnx
import torch_files
from packaging_programs import run_readme

import cconv
from cconv.applications import torch_names
from cconv.saving import name_tables

TOP = Path(__file__).resolve().parent.parent
README = (TOP / "README.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def test_the_commands_are_found():
    assert run_readme.commands(README) == [
        "make demo",
        "make test",
        "pip install .",
        'cd examples && python -c "import cconv; cconv.show_config()"',
    ]


def test_every_make_target_is_one():
    targets = set(re.findall(r"`make ([a-z0-9-]+)", README)) | set(
        re.findall(r"^make ([a-z0-9-]+)", README, re.MULTILINE)
    )
    assert {"test", "demo", "lib", "bench", "mnist", "test-quick", "help"} <= targets
    listed = subprocess.run(["make", "help"], cwd=TOP, check=True, capture_output=True, text=True).stdout
    assert targets <= set(re.findall(r"make ([a-z0-9-]+)", listed))


def test_every_file_it_names_is_there():
    named = re.findall(r"`((?:docs|examples|src_c|tests)/[\w./-]+)`", README)
    assert named and [name for name in named if not (TOP / name).exists()] == []


def write_idx(path: Path, values: np.ndarray) -> None:
    header = bytes([0, 0, 8, values.ndim]) + b"".join(n.to_bytes(4, "big") for n in values.shape)
    path.write_bytes(gzip.compress(header + values.tobytes()))


def test_the_first_program_runs(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "mnist"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name, count in ("train", 96), ("t10k", 16):
        write_idx(folder / f"{name}-images-idx3-ubyte.gz", rng.integers(0, 256, (count, 28, 28), dtype=np.uint8))
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", rng.integers(0, 10, count, dtype=np.uint8))
    monkeypatch.setenv("CCONV_DATASETS", str(tmp_path))
    exec(PROGRAMS[0], {})
    assert len(PROGRAMS) == 3 and "Epoch 12/12" in capsys.readouterr().out


def test_the_program_about_pictures_runs(tmp_path, monkeypatch, capsys):
    pytest.importorskip("PIL")
    monkeypatch.chdir(tmp_path)
    for number in range(12):
        path = Path("flowers", ("rose", "tulip")[number % 2], f"{number}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        cconv.utils.save_img(path, np.full((9, 8, 3), number))
    model = cconv.Sequential([cconv.Input((96, 96, 3)), cconv.layers.GlobalAveragePooling2D(), cconv.layers.Dense(2)])
    model.compile("sgd", cconv.losses.SparseCategoricalCrossentropy(from_logits=True))
    exec(PROGRAMS[1], {"cconv": cconv, "model": model})
    assert "Epoch 10/10" in capsys.readouterr().out


@pytest.mark.slow
def test_the_program_about_weights_runs(tmp_path, monkeypatch):
    """With files of the same form as the published ones, which the peers' tests compare."""
    monkeypatch.chdir(tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3)).astype(np.float32)
    cconv.applications.ResNet50().save("resnet50.h5")
    monkeypatch.setattr(cconv.applications.published, "get_file", lambda *_, **__: "resnet50.h5")
    like_torchvision = cconv.applications.ResNet50(like="torchvision")
    fit = name_tables._fit(like_torchvision, {}, torch_names.RESNET)
    arrays = {name: np.ones(shape, np.float32) for weight in fit.weights for name, shape in weight.sources}
    torch_files.save(Path("resnet50-11ad3fa6.pth"), arrays)
    names = {"cconv": cconv, "images": images}
    exec(PROGRAMS[2], names)
    assert names["model"].get_layer("conv1_conv").kernel.numpy().all()


@pytest.mark.skipif(os.name == "nt", reason="the commands are for a shell")
def test_the_program_in_c_compiles_by_its_command_and_runs(tmp_path):
    (program,) = re.findall(r"^```c\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
    assert program == (TOP / "examples" / "c" / "classify.c").read_text(encoding="utf-8")
    assert len(program.splitlines()) < 40
    (command,) = re.findall(r"^(cc .*classify\.c.*) -o classify$", README, flags=re.MULTILINE)
    subprocess.run(["make", "lib"], cwd=TOP, check=True, capture_output=True)
    warnings = "-Wall -Wextra -Werror -Wshadow -Wconversion -Wno-sign-conversion"
    built = command.replace("cc ", f"cc {warnings} ", 1) + f" -o {tmp_path / 'classify'}"
    subprocess.run(["sh", "-c", built], cwd=TOP, check=True)

    rng = np.random.default_rng(0)
    weights, pixels = rng.normal(size=(3, 5)), rng.integers(0, 256, (6, 7, 3), dtype=np.uint8)
    model, image = tmp_path / "model.onnx", tmp_path / "image.ppm"
    model.write_bytes(small_onnx.classifier(weights))
    image.write_bytes(b"P6\n7 6\n255\n" + pixels.tobytes())
    said = subprocess.run([tmp_path / "classify", model, image], check=True, capture_output=True, text=True).stdout
    means = (pixels.mean((0, 1)) / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    best, score = re.fullmatch(r"class (\d+), score (\S+)\n", said).groups()
    assert int(best) == np.argmax(means @ weights) and float(score) == pytest.approx((means @ weights).max(), abs=1e-4)
    for arguments in [], [model, tmp_path / "none.ppm"], [image, image]:
        result = subprocess.run([tmp_path / "classify", *arguments], capture_output=True, text=True)
        assert result.returncode == 1 and result.stderr.startswith("classify: ")
