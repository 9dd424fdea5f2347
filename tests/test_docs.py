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


@pytest.mark.parametrize("op", OPS)
def test_the_table_says_what_attributes_and_inputs_mean(op):
    facts = OPS[op]
    for attribute in facts.attributes:
        assert len(attribute.meaning) > 10, f"expected the meaning of {op}'s attribute {attribute.name}, found none"
    for declared in facts.inputs:
        name = declared.rstrip("?*")
        if len(facts.inputs) > 1 and not (op == "batch_norm" and name == "x"):
            assert re.search(rf"\b{name}\b.*:", facts.meaning), f"expected what {op}'s input {name} is, found none"


def test_the_meaning_of_lists_says_their_order():
    meanings = {a.name: a.meaning for a in OPS["conv"].attributes}
    assert "top,left,bottom,right" in meanings["pads"]
    assert "leaky_relu" in meanings["alpha"] and "elu" in meanings["alpha"]
    assert "before axis 0, before axis 1, ..., behind axis 0" in OPS["pad"].attributes[0].meaning


def test_settings_of_update_rules_have_a_meaning(make_ops):
    page = make_ops.page()
    for rule, attributes in _core.optimizer_rules().items():
        assert f"\n### {rule}\n" in page
        for attribute in attributes:
            assert len(attribute.meaning) > 10 and attribute.meaning in page


def test_page_of_keras_lists_the_names_that_are_absent():
    spec = importlib.util.spec_from_file_location("make_keras", DOCS / "make_keras.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text(encoding="utf-8") == module.page(), "docs/keras.md is out of date: run `make docs`"
