"""`cconv-run` as a newcomer uses it: built by make, run on images of every format, on numbers, and used wrongly."""

import os
import re
import signal
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import small_onnx

TOP = Path(__file__).resolve().parent.parent
DATASETS = Path(os.environ.get("CCONV_DATASETS", "/nowhere"))
ONNX, PHOTOS = DATASETS / "models" / "onnx", DATASETS / "photos"
SQUEEZENET = ONNX / "squeezenet1.1_fp32_from_fp16.onnx"
IMAGENET = "--labels", str(DATASETS / "labels" / "imagenet_classes.txt")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="cconv-run is built by make")


@pytest.fixture(scope="module")
def program() -> Path:
    subprocess.run(["make", "cconv-run"], cwd=TOP, check=True, capture_output=True)
    return TOP / "build" / "bin" / "cconv-run"


def run(program: Path, *arguments: object, status: int = 0) -> str:
    """What it prints; of a failure the sentence."""
    result = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert result.returncode == status, result.stdout + result.stderr
    if status == 0:
        assert result.stderr == ""
        return result.stdout
    assert result.stderr.startswith("cconv-run: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr.removeprefix("cconv-run: ").rstrip("\n")


def classes(text: str) -> list[tuple[float, int, str]]:
    found = re.findall(r"^ *(-?[\d.]+) +(\d+)(?:  (.+))?$", text, re.MULTILINE)
    return [(float(score), int(number), name) for score, number, name in found]


def numbers(program: Path, model: Path, image: Path, *options: object) -> np.ndarray:
    """What a model that gives back its input was given, to four decimals."""
    found = classes(run(program, model, image, *options, "--softmax", "never", "--top", 10**6))
    out = np.full(len(found), np.nan)
    for score, number, _ in found:
        out[number] = score
    return out


def write_ppm(path: Path, pixels: np.ndarray) -> Path:
    kind = "P5" if pixels.ndim == 2 else "P6"
    path.write_bytes(f"{kind} # made\n{pixels.shape[1]} {pixels.shape[0]}\n255\n".encode() + pixels.tobytes())
    return path


def write_bmp(path: Path, pixels: np.ndarray, bits: int, top_down: bool = False) -> Path:
    """Of 24 or 32 bits; with 8 bits, pixels are grey, and the palette counts down."""
    height, width = pixels.shape[:2]
    if bits == 8:
        body = (255 - pixels)[..., None]
        palette = b"".join(bytes([255 - i] * 3 + [0]) for i in range(256))
    else:
        body = np.concatenate([pixels[..., ::-1], np.full((height, width, 1), 7, np.uint8)], -1)[..., : bits // 8]
        palette = b""
    rows = [row.tobytes() + bytes(-row.size % 4) for row in body]
    start = 54 + len(palette)
    head = struct.pack(
        "<2sIIIIiiHHIIiiII", b"BM", 0, 0, start, 40, width, -height if top_down else height, 1, bits, *[0] * 6
    )
    path.write_bytes(head + palette + b"".join(rows if top_down else rows[::-1]))
    return path


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)


@pytest.fixture
def planes(tmp_path: Path) -> Path:
    """Gives back a colour image of 4 rows and 5 columns, channels first."""
    path = tmp_path / "planes.onnx"
    path.write_bytes(small_onnx.flattened((1, 3, 4, 5)))
    return path


# ---- Real models ----


@pytest.mark.skipif(not SQUEEZENET.is_file(), reason="CCONV_DATASETS names no folder with models/onnx/")
class TestRealModels:
    def test_squeezenet_knows_the_fish_and_the_kitten(self, program):
        images = PHOTOS / "fish.png", PHOTOS / "kitten_224.png"
        if "PNG" not in run(program, "--help").split("\n\n")[1]:
            pytest.skip("cconv-run was built without libpng")
        found = classes(run(program, SQUEEZENET, *images, *IMAGENET, "--preset", "raw", "--bgr", "--top", 1))
        assert [(number, name) for _, number, name in found] == [(0, "tench"), (281, "tabby")]
        assert [score for score, _, _ in found] == pytest.approx([0.7377, 0.9315], abs=1e-4)

    def test_squeezenet_knows_photographs_of_any_size(self, program):
        if "JPEG" not in run(program, "--help").split("\n\n")[1]:
            pytest.skip("cconv-run was built without libjpeg")
        wanted = {
            "samoyed.jpg": "Samoyed",
            "chicken.jpg": "cock",
            "car.jpg": "racer",
            "elephants.jpg": "Indian elephant",
            "grace_hopper.jpg": "bow tie",
            "cat.jpg": "tabby",
            "coral/hot_dog.jpg": "hotdog",
            "coral/cat_720p.jpg": "Egyptian cat",
        }
        options = "--preset", "raw", "--bgr", "--crop", "center:0.875", "--top", "1"
        found = classes(run(program, SQUEEZENET, *(PHOTOS / name for name in wanted), *IMAGENET, *options))
        assert [name for _, _, name in found] == list(wanted.values())

    def test_softmax_is_taken_of_logits(self, program):
        model = ONNX / "squeezenet1.0_from_deep_compression.onnx"
        options = "--preset=caffe", "--mean=104,117,123", "--softmax"
        image = PHOTOS / "fish.png"
        if "PNG" not in run(program, "--help").split("\n\n")[1]:
            pytest.skip("cconv-run was built without libpng")
        found, raw = (classes(run(program, model, image, *options, how)) for how in ("auto", "never"))
        scores = np.exp([score - raw[0][0] for score, _, _ in raw])
        assert [score / found[0][0] for score, _, _ in found] == pytest.approx(scores, abs=1e-3)
        assert {0, 389} == {number for _, number, _ in found[:2]} and found[0][0] < 1

    def test_one_channel_and_bmp(self, program):
        for model in ONNX / "mnist_ort.onnx", ONNX / "mnist_winml.onnx":
            found = classes(run(program, model, PHOTOS / "coral" / "mnist_nine.bmp", "--preset", "raw", "--top", 1))
            assert found[0][1] == 9

    def test_outputs_that_are_no_classes(self, program):
        model = ONNX / "ultraface_version-RFB-320.onnx"
        text = run(program, model, PHOTOS / "coral" / "sunflower.bmp", "--mean", 127, "--std", 128)
        assert re.search(r": scores\n  \(1, 4420, 2\): min [\d.e-]+, mean 0.5, max 0\.\d+\n", text)
        assert ": boxes\n  (1, 4420, 4): min " in text


# ---- Images become numbers ----


@pytest.mark.parametrize("bits", [24, 32])
@pytest.mark.parametrize("top_down", [False, True])
def test_bmp_of_colours(program, planes, pixels, tmp_path, bits, top_down):
    image = write_bmp(tmp_path / "image.bmp", pixels, bits, top_down)
    assert (numbers(program, planes, image, "--preset", "raw") == pixels.transpose(2, 0, 1).ravel()).all()


def test_grey_images_and_colours(program, planes, pixels, tmp_path):
    grey_model = tmp_path / "grey.onnx"
    grey_model.write_bytes(small_onnx.flattened((1, 1, 4, 5)))
    grey = np.ascontiguousarray(pixels[..., 0])
    ascii_ = tmp_path / "ascii.pgm"
    ascii_.write_text("P2 5 4\n# a comment\n255\n" + " ".join(map(str, grey.ravel())))
    wide = tmp_path / "wide.pgm"
    wide.write_bytes(b"P5 5 4 65535\n" + (grey.astype(">u2") * 257).tobytes())
    for image in write_ppm(tmp_path / "a.pgm", grey), write_bmp(tmp_path / "a.bmp", grey, 8), ascii_, wide:
        assert (numbers(program, grey_model, image, "--preset", "raw") == grey.ravel()).all(), image
        assert (numbers(program, planes, image, "--preset", "raw").reshape(3, -1) == grey.ravel()).all(), image
    colours = write_ppm(tmp_path / "colours.ppm", pixels)
    unit = numbers(program, grey_model, colours)
    wanted = pixels @ np.array([0.299, 0.587, 0.114]) / 255
    np.testing.assert_allclose(unit, wanted.ravel(), atol=1e-4)
    for options in ("--preset", "imagenet"), ("--mean", "1,2,3"), ("--std", "1,2,1"):
        assert "are of three channels" in run(program, grey_model, colours, *options, status=1)
    np.testing.assert_allclose(
        numbers(program, grey_model, colours, "--mean", "7"), 255 * wanted.ravel() - 7, atol=1e-2
    )


def test_presets_and_their_parts(program, planes, pixels, tmp_path):
    image = write_ppm(tmp_path / "image.ppm", pixels)
    x = pixels.transpose(2, 0, 1).reshape(3, -1) / 255
    mean, deviation = np.array([[0.485], [0.456], [0.406]]), np.array([[0.229], [0.224], [0.225]])
    wanted = {
        (): (x - mean) / deviation,
        ("--preset", "imagenet"): (x - mean) / deviation,
        ("--preset", "torch", "--crop", "none"): (x - mean) / deviation,
        ("--preset", "keras-tf"): 2 * x - 1,
        ("--preset", "caffe"): 255 * x[::-1] - [[103.939], [116.779], [123.68]],
        ("--preset", "unit"): x,
        ("--preset=unit", "--bgr", "--std=2"): x[::-1] / 2,
        ("--bgr",): 255 * x[::-1],
        ("--scale", "1/51", "--mean", "1,2,3", "--std", "1,2,4"): (5 * x - [[1], [2], [3]]) / [[1], [2], [4]],
    }
    for options, values in wanted.items():
        np.testing.assert_allclose(
            numbers(program, planes, image, *options), values.ravel(), atol=2e-4, err_msg=str(options)
        )


def test_layouts(program, pixels, tmp_path):
    image = write_ppm(tmp_path / "image.ppm", pixels)
    last = tmp_path / "last.onnx"
    last.write_bytes(small_onnx.flattened((1, 4, 5, 3)))
    assert (numbers(program, last, image, "--preset", "raw") == pixels.ravel()).all()
    whole = tmp_path / "whole.onnx"
    whole.write_bytes(small_onnx.flattened((1, 4, 5, 3), small_onnx.UINT8))
    assert (numbers(program, whole, image) == pixels.ravel()).all()
    cube = tmp_path / "cube.onnx"
    cube.write_bytes(small_onnx.flattened((1, 3, 3, 3)))
    first = numbers(program, cube, image, "--preset", "raw").reshape(3, 3, 3)
    assert (
        numbers(program, cube, image, "--preset", "raw", "--layout", "nhwc").reshape(3, 3, 3)
        == first.transpose(1, 2, 0)
    ).all()


def by_hand(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear, between pixels with centres at halves."""
    ys = (np.arange(height) + 0.5) * pixels.shape[0] / height - 0.5
    xs = (np.arange(width) + 0.5) * pixels.shape[1] / width - 0.5
    rows = [
        np.interp(ys, np.arange(pixels.shape[0]), pixels[:, x, c]) for x in range(pixels.shape[1]) for c in range(3)
    ]
    tall = np.array(rows).T.reshape(height, pixels.shape[1], 3)
    return np.stack([[np.interp(xs, np.arange(pixels.shape[1]), row[:, c]) for row in tall] for c in range(3)])


def test_sizes_change_bilinearly(program, planes, tmp_path):
    rng = np.random.default_rng(1)
    for height, width in (2, 3), (9, 13):
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        image = write_ppm(tmp_path / "image.ppm", pixels)
        found = numbers(program, planes, image, "--preset", "raw", "--no-antialias")
        np.testing.assert_allclose(found, by_hand(pixels, 4, 5).ravel(), atol=1e-3)
    square = rng.integers(0, 256, (8, 20, 3), dtype=np.uint8)  # the middle of 8 x 10 makes 4 x 5
    found = numbers(
        program, planes, write_ppm(tmp_path / "a.ppm", square), "--preset=raw", "--crop=center", "--no-antialias"
    )
    np.testing.assert_allclose(found, by_hand(square[:, 5:15], 4, 5).ravel(), atol=1e-3)


def test_shrinking_is_pillow_s(program, planes, tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(1).integers(0, 256, (37, 23, 3), dtype=np.uint8)
    found = numbers(program, planes, write_ppm(tmp_path / "image.ppm", pixels), "--preset", "raw")
    wanted = np.asarray(pillow.fromarray(pixels).resize((5, 4), pillow.Resampling.BILINEAR))
    np.testing.assert_allclose(found, wanted.transpose(2, 0, 1).ravel(), atol=1.01)  # it rounds twice


def test_png_and_jpeg(program, planes, pixels, tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    formats = run(program, "--help").split("\n\n")[1]
    for suffix, mode in ("png", "RGB"), ("png", "RGBA"), ("png", "P"), ("jpg", "RGB"), ("jpg", "L"):
        path = tmp_path / f"{mode}.{suffix}"
        pillow.fromarray(pixels).convert(mode).save(path)
        if {"png": "PNG", "jpg": "JPEG"}[suffix] not in formats:
            assert "which was not there when cconv-run was built" in run(program, planes, path, status=1)
            continue
        with pillow.open(path) as image:
            wanted = np.asarray(image.convert("RGB")).transpose(2, 0, 1).ravel()
        np.testing.assert_allclose(numbers(program, planes, path, "--preset", "raw"), wanted, atol=1)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        assert path.name in run(program, planes, path, status=1)


# ---- Open sizes, numbers, several outputs ----


def test_open_sizes_are_the_image_s(program, tmp_path):
    model = tmp_path / "open.onnx"
    model.write_bytes(small_onnx.classifier(np.eye(3)))
    images = []
    for name, size in ("a", (2, 3)), ("b", (8, 5)):
        images.append(write_ppm(tmp_path / f"{name}.ppm", np.full((*size, 3), (10, 30, 20), np.uint8)))
    labels = tmp_path / "labels.txt"
    labels.write_bytes(b"\xef\xbb\xbfred\r\ngreen \nblue\n\n")
    found = classes(run(program, model, *images, "--preset=raw", "--softmax=never", "--labels", labels, "--top=2"))
    assert found == [(30, 1, "green"), (20, 2, "blue")] * 2
    assert "(1, " not in run(program, model, "--size", "6x7", "--bench", 2)
    assert "--size" in run(program, model, "--bench", 2, status=1)


def test_numbers_of_several_samples(program, tmp_path):
    model, file = tmp_path / "model.onnx", tmp_path / "numbers"
    nodes = [small_onnx.node("MatMul", ["a", "b"], "product"), small_onnx.node("ReduceMean", ["a"], "mean", keepdims=0)]
    inputs = [small_onnx.value("a", ("n", 2)), small_onnx.value("b", (2, 3))]
    model.write_bytes(
        small_onnx.model(nodes, inputs, [small_onnx.value("product", ("n", 3)), small_onnx.value("mean", ())])
    )
    a, b = np.array([[1, 2], [3, -4]], "f4"), np.arange(6, dtype="f4").reshape(2, 3)
    file.write_bytes(a.tobytes())
    other = tmp_path / "other"
    other.write_bytes(b.tobytes())
    text = run(program, model, "--raw", file, "--raw", other, "--softmax", "never", "--top", 1)
    samples = f"{file}, sample 0: product\n   12.0000     2\n{file}, sample 1: product\n  -12.0000     0\n"
    assert text == f"{samples}{file}: mean\n  (): 0.5\n"
    assert "has 2 inputs: expected --raw as often" in run(program, model, "--raw", file, status=1)
    assert "for the input 'b'" in run(program, model, "--raw", file, "--raw", file, status=1)
    assert "has no height and width" in run(program, model, "--bench", 1, "--size", "2x2", status=1)
    other.write_bytes(bytes(6))
    assert "expected a multiple of 2 numbers" in run(program, model, "--raw", other, "--raw", other, status=1)


def test_describe_and_bench(program, tmp_path):
    model = tmp_path / "model.onnx"
    model.write_bytes(small_onnx.classifier(np.ones((3, 4)), (1, 3, 8, 9)))
    text = run(program, model, "--describe", "--bench", 7, "--threads", 1)
    assert "inputs\n  image  float32 (1, 3, 8, 9)\noutputs\n  scores  float32 (1, 4)\n" in text
    assert "12 in 1 variable " in text and "global_avg_pool" in text
    median, least, most = map(float, re.search(r"7 runs .* median (\S+) ms, min (\S+) ms, p90 (\S+) ms", text).groups())
    assert 0 < least <= median <= most


def test_an_interrupt_ends_the_measuring(program, tmp_path):
    model = tmp_path / "model.onnx"
    model.write_bytes(small_onnx.classifier(np.ones((3, 4)), (1, 3, 64, 64)))
    command = [program, model, "--describe", "--bench", "10000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while "(variable)" not in process.stdout.readline():  # at the end of loading
            pass
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "latency of " in out and re.search(r"interrupted after \d+ of 10000000 runs", err)


# ---- Wrong uses ----


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ([], "expected a model"),
        (["m"], "expected an image"),
        (["m", "i", "--fast"], "there is no option '--fast'"),
        (["m", "i", "--top"], "--top: expected a value"),
        (["m", "i", "--top", "0"], "--top: expected a whole number from 1 to"),
        (["m", "i", "--size", "224"], "expected HEIGHTxWIDTH"),
        (["m", "i", "--mean", "1,2"], "expected a number, or three"),
        (["m", "i", "--std", "0"], "expected numbers above 0"),
        (["m", "i", "--scale", "1/0"], "expected a number or a fraction"),
        (["m", "i", "--crop", "center:2"], "expected none, center"),
        (["m", "i", "--layout", "chw"], "expected nchw or nhwc, received 'chw'"),
        (["m", "i", "--preset", "tf"], "expected imagenet, torch"),
        (["m", "i", "--raw", "f"], "expected images or --raw, received both"),
        (["m", "--bench", "1", "--bgr"], "are about images: received none"),
        (["m", "--bench", "1", "--top", "3"], "are about what a run gives: received neither an image nor --raw"),
        (["m", "--describe", "--labels", "l"], "are about what a run gives"),
        (["m", "--describe", "--softmax", "never"], "are about what a run gives"),
    ],
)
def test_wrong_arguments(program, arguments, sentence):
    assert sentence in run(program, *arguments, status=2)


def test_files_that_are_wrong(program, planes, pixels, tmp_path):
    image = write_ppm(tmp_path / "image.ppm", pixels)
    labels = tmp_path / "labels.txt"
    labels.write_text("one\ntwo\n")
    assert "expected a name for each of 60 classes, found 2" in run(
        program, planes, image, "--labels", labels, status=1
    )
    assert "none.onnx" in run(program, tmp_path / "none.onnx", image, status=1)
    assert "No such file" in run(program, planes, tmp_path / "none.ppm", status=1)
    assert "its first bytes are of none of these" in run(program, planes, planes, status=1)
    assert "image.ppm" in run(program, image, image, status=1)
    bmp = write_bmp(tmp_path / "image.bmp", pixels, 24)
    for path in image, bmp:
        path.write_bytes(path.read_bytes()[:-1])
        assert f"{path.name}: ends early" in run(program, planes, path, status=1)
    for text in b"P6 0 4 255\n", b"P6 99999 99999 255\n", b"P6 4 4 70000\n", b"P6 x", b"P\x00 2 2 255 1 2 3 4":
        image.write_bytes(text)
        assert "image.ppm: expected" in run(program, planes, image, status=1)


def test_help(program):
    text = run(program, "--help")
    assert text.startswith("usage: cconv-run MODEL.onnx") and max(map(len, text.splitlines())) <= 100
    assert re.fullmatch(r"cconv-run \d+\.\d+\.\d+ \(\w+\)\n", run(program, "--version"))
