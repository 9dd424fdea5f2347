"""The examples in the documentation of every function and class do what they say."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import cconv

MODULES = [m.name for m in pkgutil.walk_packages(cconv.__path__, "cconv.") if not m.name.endswith("._core")]


@pytest.mark.parametrize("name", ["cconv", *MODULES])
def test_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cconv.naming.reset_names()
    module = importlib.import_module(name)
    finder = doctest.DocTestFinder()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    report = []
    for test in finder.find(module, extraglobs={"np": np, "cconv": cconv}):
        runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)
