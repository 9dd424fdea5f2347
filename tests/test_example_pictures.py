"""The examples that learn from pictures and volumes, shortened: they run, learn, and leave what they say they leave."""

import importlib.util
import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

import cconv

pytest.importorskip("matplotlib")
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
DATASETS = os.environ.get("CCONV_DATASETS")


def run(name, output, *arguments):
    """Calls the `main` of an example."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.main([*map(str, arguments), "--output", str(output)]) == 0
    return module


def needs(folder):
    if not DATASETS or not (Path(DATASETS) / folder).is_dir():
        pytest.skip(f"needs images: CCONV_DATASETS names no folder with {folder}/")
    return Path(DATASETS) / folder


def number(text, pattern):
    return float(re.search(pattern, text).group(1))


def test_autoencoder_takes_noise_away(tmp_path, capsys):
    needs("mnist")
    run("autoencoder", tmp_path, "--epochs", 1, "--samples", 2400)
    before, after = re.search(r"noisy images: ([\d.]+), of the network's: ([\d.]+)", capsys.readouterr().out).groups()
    assert float(after) < 0.8 * float(before)
    assert (tmp_path / "digits.png").exists() and (tmp_path / "curves.png").exists()


def test_super_resolution_beats_interpolation(tmp_path, capsys):
    needs("fashion_mnist")
    module = run("super_resolution", tmp_path, "--epochs", 1, "--samples", 600)
    linear, network = re.search(r"interpolated ([\d.]+) dB, network ([\d.]+) dB", capsys.readouterr().out).groups()
    assert float(network) > float(linear) + 0.3
    assert (tmp_path / "clothes.png").exists()
    ramp = np.arange(4.0).reshape(1, 1, 4, 1)
    np.testing.assert_allclose(module.interpolated(ramp)[0, 0, 1:-1, 0], np.arange(0.25, 3, 0.5))


def test_grad_cam_example_draws(tmp_path, capsys):
    needs("fashion_mnist")
    run("grad_cam", tmp_path, "--epochs", 1, "--samples", 800)
    out = capsys.readouterr().out
    assert number(out, r"predicted, ([\d.]+) %") > 30
    assert {path.stem for path in tmp_path.iterdir()} == {"grad_cam", "saliency", "occlusion", "feature_maps"}


def test_time_series_do_not_look_ahead(tmp_path, capsys):
    needs("mnist")
    run("time_series", tmp_path, "--epochs", 1, "--samples", 1500)
    out = capsys.readouterr().out
    assert number(out, r"after 28 of 28 moments: ([\d.]+)") > number(out, r"after 7 of 28 moments: ([\d.]+)")
    assert "not looked at" in out
    assert {path.name for path in tmp_path.iterdir()} == {"accuracy.png", "model.keras"}


def test_volumes_are_told_apart(tmp_path, capsys):
    pytest.importorskip("sklearn")
    module = run("volumes", tmp_path, "--epochs", 4, "--samples", 250)
    assert number(capsys.readouterr().out, r"not seen: ([\d.]+) %") > 20
    turn = module.rotation(np.random.default_rng(0))
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)


def test_image_folder_learns(tmp_path, capsys):
    random = np.random.default_rng(0)
    for name, channel in (("blue", 2), ("red", 0)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(20):
            image = random.integers(0, 90, (20, 24, 3))
            image[..., channel] += 120
            cconv.utils.save_img(str(tmp_path / "data" / name / f"{i}.png"), image, scale=False)
    module = run("image_folder", tmp_path / "out", tmp_path / "data", "--epochs", 3, "--image-size", 16)
    assert number(capsys.readouterr().out, r"held-out images: ([\d.]+) %") == 100
    assert {path.stem for path in (tmp_path / "out").iterdir()} == {
        "model", "curves", "confusion", "augmentation", "predictions",
    }  # fmt: skip
    augmentation = module.augmentation()
    images = np.repeat(np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3)), 2, axis=0).astype(np.float32)
    made = np.asarray(augmentation(images))
    assert made.shape == images.shape and made.dtype == np.float32 and not np.array_equal(made[0], made[1])
    np.testing.assert_array_equal(augmentation(images, training=False), images)


@pytest.mark.slow
def test_image_folder_reaches_95_percent_of_sign_language_digits(tmp_path, capsys):
    archive = needs("sign_language_digits") / "sign_language_digits.zip"
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "data")
    run("image_folder", tmp_path / "out", tmp_path / "data", "--epochs", 10, "--image-size", 48)
    assert number(capsys.readouterr().out, r"held-out images: ([\d.]+) %") >= 95


def test_a_network_of_an_onnx_file_learns_new_classes(tmp_path, capsys):
    from PIL import Image

    random = np.random.default_rng(0)
    for name, channel in (("blue", 2), ("green", 1), ("red", 0)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(12):
            image = random.integers(0, 90, (16, 16, 3))
            image[..., channel] += 120
            Image.fromarray(image.astype(np.uint8)).save(tmp_path / "data" / name / f"{i}.png")
    x = cconv.Input((16, 16, 3))
    y = cconv.layers.MaxPooling2D(2)(cconv.layers.Conv2D(8, 3, activation="relu")(x))
    base = cconv.Model(x, cconv.layers.Dense(5)(cconv.layers.GlobalAveragePooling2D()(y)))
    base.export(tmp_path / "base.onnx", format="onnx", verbose=False)
    arguments = (tmp_path / "data", tmp_path / "base.onnx", "--bgr", "--scale", 1 / 255, "--samples", 24)
    run("onnx_transfer", tmp_path / "new.onnx", *arguments)
    assert number(capsys.readouterr().out, r"held out: ([\d.]+) %") > 60
    made = cconv.onnx.load(tmp_path / "new.onnx")
    assert made.output_shape == (None, 3) and made.input_shape == (None, 3, 16, 16)
    kernels = [[w for w in model.get_weights() if w.shape == (3, 3, 3, 8)] for model in (base, made)]
    np.testing.assert_array_equal(*(found[0] for found in kernels))
