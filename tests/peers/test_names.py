"""The names that cconv says only Keras has are those that Keras has and cconv lacks, no more and no fewer."""

import importlib

import pytest

from cconv.keras_names import KERAS_ONLY

keras = pytest.importorskip("keras")

MODULES = """
    activations applications backend callbacks config constraints datasets dtype_policies initializers layers losses
    metrics models ops ops.image ops.linalg ops.nn ops.numpy optimizers optimizers.schedules preprocessing
    preprocessing.image preprocessing.sequence random regularizers saving
    tree utils utils.bounding_boxes visualization wrappers
"""


def public(module):
    return {name for name in dir(module) if not name.startswith("_") and name != "src"}


@pytest.mark.parametrize("name", ["", *MODULES.split()])
def test_absent_names(name):
    suffix = f".{name}" if name else ""
    there, here = importlib.import_module(f"keras{suffix}"), importlib.import_module(f"cconv{suffix}")
    absent = {item for item in public(there) if not hasattr(here, item)}
    assert absent == set(KERAS_ONLY.get(f"cconv{suffix}", ()))
