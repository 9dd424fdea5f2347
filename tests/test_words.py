"""The words of the C core: how the work of threads is called, and whose a static function is."""

import re
from pathlib import Path

import pytest

CORE = Path(__file__).resolve().parent.parent / "src_c"
ALGORITHMS = sorted(p for p in (CORE / "algos").rglob("*.c"))
OPS = sorted((CORE / "ops").glob("*.c"))
NAMES = re.findall(r"^[A-Z_]+\((\w+)[,)]", "".join(p.read_text() for p in (CORE / "ops").glob("*.def")), re.MULTILINE)
DIVIDED = [
    *(p for p in (CORE / "algos").rglob("*.[ch]")),
    *(CORE / "ops").glob("*.[ch]"),
    *(CORE / "kernels" / "grouped").glob("*.h"),
]
STATIC = re.compile(r"^static\s+(?:inline\s+)?[\w\s]*?[\s*](\w+)\(|^typedef (?:struct|enum) (\w+)", re.MULTILINE)
OTHER_NAMES = re.compile(r"\b(?:\w+_)?(?:pieces?|bands?|strips?|slabs?|chunks?)(?:_\w+)?\b", re.IGNORECASE)


@pytest.mark.parametrize("path", ALGORITHMS, ids=lambda p: p.name)
def test_static_functions_and_types_carry_their_file(path):
    """Profilers and sanitizers show a function without its file: `gemm_add_in_place` says where to look."""
    names = {function or kind for function, kind in STATIC.findall(path.read_text(encoding="utf-8"))}
    assert [n for n in sorted(names) if path.stem not in n] == []


@pytest.mark.parametrize("path", OPS, ids=lambda p: p.name)
def test_static_functions_of_ops_carry_their_op(path):
    """Or their file's name, where several ops share them."""
    found = re.findall(r"^static (?!const)[\w\s]*?[\s*](\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    owners = (*NAMES, path.stem, path.stem.removesuffix("_common"))
    assert [n for n in found if "##" not in n and not n.startswith(tuple(f"{owner}_" for owner in owners))] == []


@pytest.mark.parametrize("path", sorted(DIVIDED), ids=lambda p: p.name)
def test_what_work_is_divided_into_is_a_tile_a_block_or_a_task(path):
    assert OTHER_NAMES.findall(path.read_text(encoding="utf-8")) == []
