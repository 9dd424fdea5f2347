"""Print the classes that a saved model gives to image files, the most likely first.

Nothing of how the model was trained is guessed: pixels are bytes from 0 to 255, which --scale and --offset turn into
what the model takes. Of a model that `train` has saved nothing need be said.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ..models import load_model
from .arguments import model_file, number, positive, size
from .failure import Failure
from .image_files import read_image


def add_arguments(parser: argparse.ArgumentParser) -> None:
    model_file(parser)
    parser.add_argument("images", metavar="IMAGE", nargs="+", type=Path, help="image files")
    parser.add_argument(
        "--size", type=size, help="height and width, 224 or 240x320; default: those of the model's input"
    )
    parser.add_argument("--scale", type=number, default=1.0, help="factor of the pixels, such as 1/255; default: 1")
    parser.add_argument("--offset", type=number, default=0.0, help="added to the scaled pixels; default: 0")
    parser.add_argument(
        "--bgr", action="store_true", help="give the model blue, green, red instead of red, green, blue"
    )
    parser.add_argument("--channels-first", action="store_true", help="give the model (channels, height, width)")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="names of the classes, one a line")
    parser.add_argument("--top", type=positive, default=5, help="how many classes to print; default: 5")


def run(options: argparse.Namespace) -> int:
    model = load_model(options.file)
    height, width, channels = _input(model, options)
    names = None if options.labels is None else options.labels.read_text(encoding="utf-8").splitlines()
    failed = 0
    for path in options.images:
        try:
            pixels = read_image(path, (height, width), channels).astype(np.float32)
        except Failure as failure:
            print(f"cconv predict: {failure}", file=sys.stderr)
            failed += 1
            continue
        if options.bgr and channels >= 3:
            pixels[..., :3] = pixels[..., 2::-1]
        pixels = pixels * np.float32(options.scale) + np.float32(options.offset)
        scores = model.predict((pixels.transpose(2, 0, 1) if options.channels_first else pixels)[None], verbose=0)
        _tell(path, scores, names, options.top)
    return 1 if failed else 0


def _input(model: Any, options: argparse.Namespace) -> tuple[int, int, int]:
    """The size and the channels of images for a model."""
    shapes = [x.shape for x in model.inputs or []]
    if len(shapes) > 1 or (shapes and len(shapes[0]) != 4):
        raise Failure(f"{options.file}: expected a model of images, with one input. Its inputs have shapes {shapes}")
    shape = shapes[0] if shapes else (None, None, None, None)
    channels, *given = (shape[1], *shape[2:]) if options.channels_first else (shape[3], *shape[1:3])
    found = options.size or tuple(given)
    if None in found:
        raise Failure(f"{options.file}: the model takes images of any size: say which with --size")
    if options.size is not None and any(g is not None and g != s for g, s in zip(given, options.size, strict=True)):
        raise Failure(
            f"{options.file}: the model takes images of {given[0]}x{given[1]}, not of --size {found[0]}x{found[1]}"
        )
    if channels not in (None, 1, 3, 4):
        raise Failure(
            f"{options.file}: expected 1, 3 or 4 channels. The model takes {channels}, of shape {shape}: "
            f"{'--channels-first is given' if options.channels_first else 'is it a case for --channels-first?'}"
        )
    return found[0], found[1], channels or 3


def _tell(path: Path, scores: Any, names: list[str] | None, top: int) -> None:
    if not isinstance(scores, np.ndarray) or scores.ndim != 2:
        shape = getattr(scores, "shape", type(scores).__name__)
        raise Failure(f"expected a classifier, which returns a score for each class. The model returns: {shape}")
    scores = scores[0]
    if names is not None and len(names) != len(scores) and len(scores) > 1:
        raise Failure(f"the labels are {len(names)} lines, the model's classes {len(scores)}")
    print(path)
    if len(scores) == 1:  # one score for two classes
        print(f"  {scores[0]:9.4f}" + ("" if not names else f"  {names[int(scores[0] > 0.5) % len(names)]}"))
        return
    for i in np.argsort(-scores, kind="stable")[:top]:
        print(f"  {scores[i]:9.4f}  {i if names is None else names[i]}")
