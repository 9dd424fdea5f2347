"""The names that cconv says only Keras has are Keras'."""

import importlib

import pytest

from cconv.keras_names import KERAS_ONLY

keras = pytest.importorskip("keras")


@pytest.mark.parametrize("module", KERAS_ONLY)
def test_keras_has_the_names(module):
    there = importlib.import_module(module.replace("cconv", "keras", 1))
    assert [name for name in sorted(KERAS_ONLY[module]) if not hasattr(there, name)] == []
