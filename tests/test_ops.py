"""Every op of the table on every case: a new op without a case, a reference or a gradient fails here."""

import inspect

import pytest
import reference
from cases import all_cases
from op_harness import check, check_whole

from cconv import _core

OPS = _core.ops()
CASES = all_cases()


@pytest.mark.parametrize("op, case", [pytest.param(op, c, id=f"{op}: {c.id}") for op in OPS for c in CASES.get(op, [])])
def test_op(op, case):
    check(op, case)


@pytest.mark.parametrize("op", [op for op in OPS if set("nt") & set(OPS[op].types)])
def test_op_of_whole_numbers(op):
    check_whole(op, CASES[op])


@pytest.mark.parametrize("op", OPS)
def test_op_is_covered(op):
    """Each op has a case, each attribute is set by one, and each choice is made by one."""
    assert CASES.get(op), f"no case for {op}: add one to tests/cases/<family>.py"
    for attribute in OPS[op].attributes:
        values = [case.attributes[attribute.name] for case in CASES[op] if attribute.name in case.attributes]
        assert values, f"no case of {op} sets {attribute.name}"
        missing = set(attribute.choices or ()) - set(values) - {attribute.default}
        assert not missing, f"no case of {op} has {attribute.name} = {sorted(missing)}"


@pytest.mark.parametrize("op", OPS)
def test_reference_has_the_attributes_of_the_table(op):
    function = reference.find(op)
    assert function is not None, f"no reference for {op}: add one to tests/reference/<family>.py"
    for f in (function, reference.find(op + "_backward")):
        if f is None:
            continue
        keywords = {p.name: p.default for p in inspect.signature(f).parameters.values() if p.kind is p.KEYWORD_ONLY}
        keywords.pop("run", None)
        expected = {attribute.name: default_of(attribute) for attribute in OPS[op].attributes}
        assert keywords == expected, f"{f.__name__} has other attributes or defaults than the op"


def test_no_case_is_orphaned():
    assert set(CASES) <= set(OPS)


def default_of(attribute):
    """An attribute's default as Python has it; the marker of a missing default if it must be given."""
    text = attribute.default
    if text is None:
        return inspect.Parameter.empty
    if attribute.type == "list":
        return tuple(int(number) for number in text.split(",") if number)
    if attribute.type == "floats":
        return tuple(float(number) for number in text.split(",") if number)
    return {"int": int, "float": float, "bool": lambda t: t in ("1", "true"), "enum": str}[attribute.type](text)
