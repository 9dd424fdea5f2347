"""docs/ops.md says of every op what the C core's table and the references say."""

import importlib.util
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import reference

from cconv import _core

DOCS = Path(__file__).resolve().parent.parent / "docs"
OPS = _core.ops()


@pytest.fixture(scope="module")
def make_ops():
    spec = importlib.util.spec_from_file_location("make_ops", DOCS / "make_ops.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_reference_of_ops_is_what_the_program_writes(make_ops):
    assert make_ops.PAGE.read_text(encoding="utf-8") == make_ops.page(), "docs/ops.md is out of date: run `make docs`"


@pytest.mark.parametrize("op", OPS)
def test_op_has_its_formulas(op, make_ops):
    assert make_ops.formula(op), f"expected the formula of {op} as the docstring of its reference, found none"
    gradient = make_ops.formula(op + "_backward")
    if OPS[op].differentiable:
        assert gradient, f"expected the gradient of {op} as the docstring of {op}_backward, found none"
    else:
        assert reference.find(op + "_backward") is None, f"no gradient passes through {op}, yet it has {op}_backward"


def test_every_link_has_one_heading(make_ops):
    page = make_ops.page()
    links = re.findall(r"\]\(#([^)]*)\)", page)
    headings = [make_ops.anchor(heading) for heading in re.findall(r"^##+ (.*)$", page, re.MULTILINE)]
    assert sorted(links) == sorted(headings)
    assert len(set(headings)) == len(headings)


def test_what_the_table_may_say_is_put_in_words(make_ops):
    op = SimpleNamespace(inputs=("condition", "a", "b?"), types="b t t -> t", per_sample=True, random=False, residual=2)
    assert make_ops.types_of(op) == "bool, any, any -> any"
    assert make_ops.properties_of(op) == "samples stay apart (as attributes allow), residual `b`"
