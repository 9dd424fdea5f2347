"""Kinds of arguments that several commands take."""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path


def positive(text: str) -> int:
    """A count of at least 1."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, received {text!r}") from None
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, received {text!r}")
    return value


def size(text: str) -> tuple[int, int]:
    """Height and width: `224`, or `240x320`."""
    parts = text.lower().split("x")
    if len(parts) not in (1, 2):
        raise argparse.ArgumentTypeError(f"expected a size such as 224 or 240x320 (height x width), received {text!r}")
    return positive(parts[0]), positive(parts[-1])


def number(text: str) -> float:
    """A number, also as a fraction such as `1/255`."""
    try:
        return float(Fraction(text)) if "/" in text else float(text)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f"expected a number such as 0.5 or 1/255, received {text!r}") from None


def share(text: str) -> float:
    """A share, more than 0 and less than 1."""
    value = number(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"expected a number between 0 and 1, received {text!r}")
    return value


def model_file(parser: argparse.ArgumentParser) -> None:
    """Adds the argument FILE."""
    parser.add_argument("file", metavar="FILE", type=Path, help="a saved model: .keras, or one of its formats")
