"""The three networks of RapidOCR, which find text, tell whether it stands on its head, and read it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import cconv

from .onnx_zoo import check, difference, predict, run, session

if importlib.util.find_spec("rapidocr_onnxruntime") is None:
    pytest.skip("needs rapidocr-onnxruntime", allow_module_level=True)
Image = pytest.importorskip("PIL.Image", reason="needs Pillow")
Draw = pytest.importorskip("PIL.ImageDraw", reason="needs Pillow")
Font = pytest.importorskip("PIL.ImageFont", reason="needs Pillow")

MODELS = Path(importlib.util.find_spec("rapidocr_onnxruntime").origin).parent / "models"
FINDER, READER = MODELS / "ch_PP-OCRv4_det_infer.onnx", MODELS / "ch_PP-OCRv4_rec_infer.onnx"
TURNS = MODELS / "ch_ppocr_mobile_v2.0_cls_infer.onnx"
TEXT = "Convolution 2026"


def line(height, width, turned=False):
    """A line of black text on white (1, 3, height, width), from -1 to 1."""
    image = Image.new("RGB", (width, height), "white")
    Draw.Draw(image).text((8, height // 2), TEXT, "black", Font.load_default(0.62 * height), "lm")
    image = image.rotate(180) if turned else image
    return np.ascontiguousarray(np.asarray(image, np.float32).transpose(2, 0, 1)[None] / 127.5 - 1)


def page(height, width):
    """White with a line of text in its middle."""
    x = np.ones((1, 3, height, width), np.float32)
    words = line(32, width - 32)
    x[:, :, height // 2 - 16 : height // 2 + 16, 16 : width - 16] = words
    return x


def read(scores):
    """The text of the best characters, without repetitions and blanks."""
    characters = ["", *session(READER).get_modelmeta().custom_metadata_map["character"].splitlines(), " "]
    best = scores.argmax(-1)
    return "".join(characters[i] for k, i in enumerate(best) if k == 0 or i != best[k - 1])


def test_text_is_found_in_images_of_any_size(record_property):
    model = cconv.onnx.load(FINDER)
    assert model.input_shape == (None, 3, None, None) and model.output_shape == (None, 1, None, None)
    for height, width in [(96, 352), (160, 320), (64, 288)]:
        x = page(height, width)
        check(FINDER, [x], record_property)
        check(FINDER, [x], record_property, shapes={"x": x.shape})
        [y] = predict(model, [x])
        where = y[0, 0] > 0.5
        assert where[height // 2, 40 : width // 2].mean() > 0.5 and not where[:8].any()


@pytest.mark.parametrize("shape", [None, (None, 3, 48, 192), (1, 3, 48, 192), (2, 3, 48, 192)])
def test_lines_that_are_turned(shape, record_property):
    x = np.concatenate([line(48, 192), line(48, 192, turned=True)])
    model = check(TURNS, [x], record_property, shapes=shape and {"x": shape})
    assert predict(model, [x])[0].argmax(1).tolist() == [0, 1]


@pytest.mark.parametrize("width", [320, 256, 200])
@pytest.mark.parametrize("batch", [None, 1, 3])
def test_lines_are_read(width, batch, record_property):
    x = np.repeat(line(48, width), 2, 0)
    model = check(READER, [x], record_property, shapes={"x": (batch, 3, 48, width)})
    assert model.input_shape == (None, 3, 48, width)
    if width == 320:
        assert [read(scores) for scores in predict(model, [x])[0]] == [TEXT] * 2


def test_lines_of_any_width(tmp_path, record_property):
    """One model for all; and it is written as one."""
    model = check(READER, [line(48, 320)], record_property, shapes={"x": (None, 3, 48, None)})
    assert model.input_shape == (None, 3, 48, None) and model.output_shape == (None, None, 6625)
    model.export(str(tmp_path / "m.onnx"), format="onnx", verbose=False)
    for width, n in [(320, 2), (320, 1), (256, 3), (200, 1), (48, 2), (641, 1), (1504, 1)]:
        x = np.repeat(line(48, width), n, 0)
        expected = run(READER, [x])
        found = max(difference(predict(model, [x]), expected), difference(run(tmp_path / "m.onnx", [x]), expected))
        record_property(f"difference at {n} x {width}", f"{found:.1e}")
        assert found <= 1e-4
        if width == 320:
            assert [read(scores) for scores in predict(model, [x])[0]] == [TEXT] * n


def test_sizes_that_must_be_given():
    with pytest.raises(ValueError, match="sizes of input 'x' open: give the sizes of the inputs when loading"):
        cconv.onnx.load(READER)
