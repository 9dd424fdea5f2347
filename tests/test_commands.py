"""`python -m cconv`: what each command prints and writes, its exit codes, and what Ctrl-C leaves."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest

import cconv
from cconv import layers
from cconv.commands import bench, main

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("matplotlib")


def command(*arguments):
    heeds = {} if os.name == "nt" else {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    return subprocess.Popen(
        [sys.executable, "-m", "cconv", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(cconv.__file__)), "PYTHONUNBUFFERED": "1"},
        **heeds,  # a shell lets what it runs in the background ignore Ctrl-C
    )


def colour(path, rgb, size=(24, 20)):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(zlib.crc32(path.name.encode())).integers(0, 40, (*size, 3))
    Image.fromarray(np.clip(np.array(rgb) + noise, 0, 255).astype("uint8")).save(path)
    return path


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Three classes that colours tell apart, one file that is no image, one folder without images."""
    folder = tmp_path_factory.mktemp("data") / "colours"
    for name, rgb in (("blue", (0, 0, 200)), ("green", (0, 200, 0)), ("red", (200, 0, 0))):
        for i in range(10):
            colour(folder / name / f"{i}.png", rgb)
    (folder / "red" / "broken.jpg").write_bytes(b"no image")
    (folder / "notes").mkdir()
    (folder / "notes" / "read.txt").write_text("nothing")
    return folder


def told(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


# ---- as a program


def test_help_and_usage():
    run = command("--help")
    out, _ = run.communicate()
    assert run.returncode == 0 and all(name in out for name in ("info", "summary", "predict", "bench", "train"))
    run = command("train", "--epochs", "0")
    _, err = run.communicate()
    assert run.returncode == 2 and "--epochs" in err and "at least 1" in err


@pytest.mark.parametrize("name", ["info", "summary", "predict", "bench", "train"])
def test_each_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])
    out = capsys.readouterr().out
    assert caught.value.code == 0 and "usage: python -m cconv " + name in out and "--" in out


def test_a_failure_is_a_sentence(tmp_path):
    run = command("summary", tmp_path / "none.keras")
    out, err = run.communicate()
    assert run.returncode == 1 and out == "" and "none.keras" in err and "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


# ---- info, summary, bench


def test_info(capsys):
    code, out, _ = told(capsys, "info")
    assert code == 0 and cconv.__version__ in out and "matplotlib" in out and "threads" in out
    code, out, _ = told(capsys, "info", "--json")
    facts = json.loads(out)
    assert facts["version"] == cconv.__version__ and facts["optional"]["Pillow"] != "not installed"


def test_summary(tmp_path, capsys):
    inner = cconv.Sequential([cconv.Input((4,)), layers.Dense(3, name="inside")])
    cconv.Sequential([cconv.Input((4,)), inner, layers.Dense(2, name="last")]).save(tmp_path / "m.keras")
    code, out, _ = told(capsys, "summary", tmp_path / "m.keras")
    assert code == 0 and "last (Dense)" in out and "inside" not in out and "Total params: 23" in out
    _, out, _ = told(capsys, "summary", tmp_path / "m.keras", "--expand-nested", "--show-trainable")
    assert "inside" in out and "Trainable" in out
    _, out, _ = told(capsys, "summary", tmp_path / "m.keras", "--graph")
    assert "dense" in out and "(variable)" in out


def test_bench(capsys):
    code, out, _ = told(capsys, "bench", "mnist-predict", "mnist-train", "--seconds", "0.001")
    rows = [line.split() for line in out.splitlines()[2:]]
    assert code == 0 and [row[0] for row in rows] == ["mnist-predict", "mnist-train"]
    assert all(float(cell) > 0 for row in rows for cell in row[1:])
    code, _, err = told(capsys, "bench", "alexnet")
    assert code == 1 and "alexnet" in err and "resnet50-one" in err


def test_operations_are_those_of_products():
    model = cconv.Sequential(
        [
            cconv.Input((8, 8, 3)),
            layers.Conv2D(4, 3),  # 6x6 places, each 2 * 27 operations for 4 channels
            layers.DepthwiseConv2D(3, padding="same"),  # 36 places, 2 * 9 for 4 channels
            layers.SeparableConv2D(5, 3, padding="same"),  # 36 places, 2 * 9 * 4, then 2 * 4 * 5
            layers.Flatten(),
            layers.Dense(7),
        ]
    )
    assert bench.operations_of(model) == 36 * (2 * 27 * 4 + 2 * 9 * 4 + 2 * 9 * 4 + 2 * 4 * 5) + 2 * 180 * 7


# ---- predict


def first_channel(tmp_path, shape=(6, 6, 3), channels_first=False):
    """Scores: the mean of the red, green and blue pixels."""
    axis = (2, 3) if channels_first else (1, 2)
    x = cconv.Input(shape)
    model = cconv.Model(x, cconv.ops.mean(x, axis=axis))
    model.save(tmp_path / "m.keras")
    return tmp_path / "m.keras"


def test_predict_prints_the_highest_scores(tmp_path, capsys):
    file = first_channel(tmp_path)
    Image.new("RGB", (30, 20), (250, 100, 50)).save(tmp_path / "a.png")
    (tmp_path / "names.txt").write_text("red\ngreen\nblue\n")
    code, out, _ = told(capsys, "predict", file, tmp_path / "a.png", "--labels", tmp_path / "names.txt", "--top", "2")
    assert code == 0
    assert [line.split() for line in out.splitlines()[1:]] == [["250.0000", "red"], ["100.0000", "green"]]
    _, out, _ = told(capsys, "predict", file, tmp_path / "a.png", "--scale", "1/255", "--offset", "-1", "--bgr")
    assert [line.split() for line in out.splitlines()[1:]] == [["-0.0196", "2"], ["-0.6078", "1"], ["-0.8039", "0"]]


def test_predict_takes_the_size_it_is_told(tmp_path, capsys):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    file = first_channel(tmp_path, (None, None, 3))
    assert told(capsys, "predict", file, tmp_path / "a.png")[0] == 1
    assert told(capsys, "predict", file, tmp_path / "a.png", "--size", "5x7")[0] == 0
    file = first_channel(tmp_path, (3, 6, 6), channels_first=True)
    code, _, err = told(capsys, "predict", file, tmp_path / "a.png")
    assert code == 1 and "--channels-first" in err
    assert told(capsys, "predict", file, tmp_path / "a.png", "--channels-first")[0] == 0
    code, _, err = told(capsys, "predict", file, tmp_path / "a.png", "--channels-first", "--size", "7")
    assert code == 1 and "6x6" in err


def test_predict_goes_on_behind_a_file_that_is_damaged(tmp_path, capsys):
    file = first_channel(tmp_path)
    Image.new("L", (8, 8), 9).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"broken")
    code, out, err = told(capsys, "predict", file, tmp_path / "b.png", tmp_path / "c.png", tmp_path / "a.png")
    assert code == 1 and "b.png" in err and "c.png: there is no such file" in err and "9.0000" in out


def test_predict_refuses_what_is_no_classifier(tmp_path, capsys):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    x = cconv.Input((6, 6, 3))
    cconv.Model(x, layers.ReLU()(x)).save(tmp_path / "m.keras")
    code, _, err = told(capsys, "predict", tmp_path / "m.keras", tmp_path / "a.png")
    assert code == 1 and "classifier" in err
    (tmp_path / "names.txt").write_text("a\n")
    code, _, err = told(
        capsys, "predict", first_channel(tmp_path), tmp_path / "a.png", "--labels", tmp_path / "names.txt"
    )
    assert code == 1 and "1 lines" in err


# ---- train


def test_more_images_than_memory_are_refused(folders, capsys, tmp_path):
    cconv.config.set_program_memory(1000)
    try:
        code, _, err = told(capsys, "train", folders, "--output", tmp_path / "out")
    finally:
        cconv.config.set_program_memory(None)
    assert code == 1 and "--image-size" in err


def test_train_learns_saves_and_reports(folders, tmp_path, capsys):
    output = tmp_path / "out"
    arguments = ["train", folders, "--output", output, "--epochs", "4", "--image-size", "16", "--batch-size", "4"]
    code, out, _ = told(capsys, *arguments)
    assert code == 0 and "31 images of 3 classes" in out and "broken.jpg" in out and "Epoch 4/4" in out
    assert (output / "labels.txt").read_text() == "blue\ngreen\nred\n"
    assert len((output / "history.csv").read_text().splitlines()) == 5
    report = (output / "report.html").read_text()
    assert report.count("data:image/png;base64,") >= 2 and "broken.jpg" in report and "blue" in report
    right = float(re.search(r"([\d.]+) %</span>", report).group(1))
    assert right == 100.0 and "There are none" in report
    picture = folders / "green" / "3.png"
    code, out, _ = told(capsys, "predict", output / "model.keras", picture, "--labels", output / "labels.txt")
    assert code == 0 and out.splitlines()[1].split()[1] == "green"


def test_mistakes_stand_in_the_report(tmp_path, capsys):
    folder = tmp_path / "mixed"  # classes that nothing tells apart
    for i in range(12):
        colour(folder / ("a" if i % 2 else "b") / f"{i}.png", (100, 100, 100))
    arguments = ["--output", tmp_path / "out", "--epochs", "1", "--image-size", "32", "--model", "mobilenet"]
    code, _, _ = told(capsys, "train", folder, *arguments)
    report = (tmp_path / "out" / "report.html").read_text()
    assert code == 0 and "taken for" in report and ".png</td>" in report and "mobilenet" in report


@pytest.mark.parametrize("epochs_first", [False, True])
def test_ctrl_c_keeps_what_was_reached(folders, tmp_path, epochs_first):
    output = tmp_path / "out"
    run = command("train", folders, "--output", output, "--epochs", "100000", "--image-size", "16")
    try:
        if epochs_first:
            while not (output / "model.keras").exists() and run.poll() is None:
                time.sleep(0.02)
        else:
            while "Epoch 1/" not in run.stdout.readline() and run.poll() is None:
                pass
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=300)
    finally:
        run.kill()
    assert run.returncode == 130, err
    assert "interrupted" in out and "Traceback" not in err
    assert cconv.models.load_model(output / "model.keras").output_shape == (None, 3)
    assert "interrupted" in (output / "report.html").read_text()


WRONG = {
    "no folder": ("none", ["none", "no such folder"]),
    "no classes": ("flat", ["flat", "a folder for each class"]),
    "one image": ("single", ["class number 1", "at least 2"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_folders_that_are_none_of_classes(name, tmp_path, capsys):
    folder, words = WRONG[name]
    colour(tmp_path / "flat" / "a.png", (0, 0, 0))
    for i in range(4):
        colour(tmp_path / "single" / "a" / f"{i}.png", (0, 0, 0))
    colour(tmp_path / "single" / "b" / "0.png", (0, 0, 0))
    code, _, err = told(capsys, "train", tmp_path / folder, "--output", tmp_path / "out")
    assert code == 1 and all(word in err for word in words), err
    assert not (tmp_path / "out").exists()
