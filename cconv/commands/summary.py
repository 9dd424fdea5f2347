"""Print the layers of a saved model, their output shapes and numbers of weights."""

from __future__ import annotations

import argparse
import shutil

from ..models import load_model
from .arguments import model_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    model_file(parser)
    parser.add_argument("--expand-nested", action="store_true", help="list the layers of models inside the model too")
    parser.add_argument("--show-trainable", action="store_true", help="tell if training changes each layer")
    parser.add_argument("--graph", action="store_true", help="print what the model computes, node by node, instead")


def run(options: argparse.Namespace) -> int:
    model = load_model(options.file)
    if options.graph:
        print(model.describe_graph())
        return 0
    width = max(shutil.get_terminal_size((112, 24)).columns, 60) - 4
    wanted = min(width, 108 + (12 if options.show_trainable else 0))
    model.summary(line_length=wanted, expand_nested=options.expand_nested, show_trainable=options.show_trainable)
    return 0
