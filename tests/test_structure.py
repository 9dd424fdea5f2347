"""The rules of the C core's tree: who may include whom, what is exported, what may never be called."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from levels import LEVELS

from cconv import _core

TOP = Path(__file__).resolve().parent.parent
CORE = TOP / "src_c"
C_FILES = sorted(p for p in CORE.rglob("*") if p.suffix in {".c", ".h"})
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)

# base <- kernels <- algos <- ops, optim <- graph <- plan, files <- onnx: a folder may include itself and those listed.
MAY_INCLUDE = {"include": set(), "base": {"include"}}
MAY_INCLUDE["kernels"] = MAY_INCLUDE["base"] | {"base"}
MAY_INCLUDE["algos"] = MAY_INCLUDE["kernels"] | {"kernels"}
MAY_INCLUDE["ops"] = MAY_INCLUDE["optim"] = MAY_INCLUDE["algos"] | {"algos"}
MAY_INCLUDE["graph"] = MAY_INCLUDE["ops"] | {"ops", "optim"}
MAY_INCLUDE["plan"] = MAY_INCLUDE["graph"] | {"graph"}
MAY_INCLUDE["files"] = MAY_INCLUDE["plan"]
MAY_INCLUDE["onnx"] = MAY_INCLUDE["plan"] | {"plan", "files"}


def folder_of(path: Path) -> str:
    return path.relative_to(CORE).parts[0]


def test_names_of_source_files_are_unique_in_the_tree():
    """Profilers and sanitizers show them without their folder. Includes name the folder."""
    names = [p.name for p in C_FILES if p.suffix == ".c"]
    assert sorted(set(names)) == sorted(names)


def test_every_file_is_in_a_folder_of_the_design():
    assert {folder_of(p) for p in C_FILES} == set(MAY_INCLUDE)


@pytest.mark.parametrize("path", C_FILES, ids=lambda p: p.name)
def test_includes_point_one_way(path):
    for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
        found = CORE / ("include/cconv.h" if name == "cconv.h" else name)
        assert found.is_file(), f'{path.name} includes "{name}": expected the path from src_c, such as "base/status.h"'
        assert folder_of(found) in MAY_INCLUDE[folder_of(path)] | {folder_of(path)}, f"{path.name} includes {name}"


@pytest.mark.parametrize("path", C_FILES, ids=lambda p: p.name)
def test_every_file_says_what_it_holds(path):
    assert path.read_text(encoding="utf-8").startswith("/* ")


TESTED_C = [
    *C_FILES,
    *sorted((TOP / "tests" / "c").glob("*.[ch]")),
    *sorted((TOP / "examples" / "c").glob("*.c")),
    *sorted((TOP / "examples" / "web").glob("*.c")),
    *sorted((TOP / "tools").rglob("*.[ch]")),
]


@pytest.mark.parametrize("path", TESTED_C, ids=lambda p: p.relative_to(TOP).as_posix())
def test_files_and_lines_of_c_are_short(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 500, "two nouns live here: split it"
    wide = [number for number, line in enumerate(lines, 1) if len(line) > 132]
    assert not wide, f"expected at most 132 columns, received more in lines {wide}"


def test_openmp_is_known_in_one_place():
    users = {
        p.name
        for p in C_FILES
        if re.search(r"#\s*pragma\s+omp|\bomp_\w+\(", COMMENT.sub("", p.read_text(encoding="utf-8")))
    }
    assert users == {"team.h"}


# ---- The compiled library ----


@pytest.fixture(scope="module")
def library() -> Path:
    """The folder with the static and shared library, as `make lib` builds them."""
    subprocess.run(["make", "lib"], cwd=TOP, check=True, capture_output=True)
    return TOP / "build" / "lib"


def names(*arguments: str) -> list[tuple[str, str]]:
    """(letter, symbol) of each line nm prints; symbols of a Mach-O file lose their underscore."""
    lines = subprocess.run(["nm", *arguments], check=True, capture_output=True, text=True).stdout.splitlines()
    found = [re.search(r"\b([A-Za-z]) (\S+)$", line) for line in lines]
    return [(m[1], re.sub(r"^_(?=cconv_|PyInit)", "", m[2])) for m in found if m]


def exported(path: Path) -> set[str]:
    flags = ["-gU"] if path.suffix == ".dylib" or b"Mach-O" in path.read_bytes()[:16] else ["-D", "--defined-only"]
    linker_made = {"_init", "_fini", "_edata", "_end", "__bss_start"}
    return {symbol for _, symbol in names(*flags, str(path))} - linker_made


def declared() -> set[str]:
    text = COMMENT.sub("", (CORE / "include" / "cconv.h").read_text(encoding="utf-8"))
    return set(re.findall(r"^CCONV_API[^(]*?\b(cconv_\w+)\(", text, re.MULTILINE))


def test_the_extension_exports_its_entry_only():
    assert exported(Path(_core.__file__)) == {"PyInit__core"}


def test_the_shared_library_exports_what_the_header_declares(library):
    shared = next(p for p in (library / "libcconv.so", library / "libcconv.dylib") if p.exists())
    assert exported(shared) == declared()
    assert len(declared()) > 40


def objects(library: Path) -> list[Path]:
    """Object files of the sources that exist now."""
    return [library / "objects" / p.relative_to(CORE).with_suffix(".o") for p in C_FILES if p.suffix == ".c"]


def lines_of_ops(table: str) -> list[str]:
    """The names in ops.def, those of the tables of formulas that it includes at their place."""
    names = []
    for name, row, included in re.findall(
        r"^(?:CC_OP\((\w+)\)|CC_(?:UNARY|BINARY)\(\w+, (\w+),|#include \"(ops/\w+\.def)\")",
        (CORE / table).read_text(encoding="utf-8"),
        re.MULTILINE,
    ):
        names += lines_of_ops(included) if included else [name or row]
    return names


def test_the_table_of_ops_matches_the_files(library):
    listed = lines_of_ops("ops/ops.def")
    assert listed == list(_core.ops())
    assert len(set(listed)) == len(listed)
    defined = [
        symbol
        for path in objects(library)
        for kind, symbol in names("-g", "--defined-only", str(path))
        if kind in "RDSrds"
    ]
    tables = [re.sub(r"^_?cc_op_", "", symbol) for symbol in defined if re.match(r"_?cc_op_", symbol)]
    assert sorted(tables) == sorted(listed), "a table without its line, or a line without its table"


def test_the_table_of_update_rules_matches_the_files():
    listed = re.findall(r"^CC_RULE\((\w+)\)", (CORE / "optim" / "optim.def").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == list(_core.optimizer_rules())
    assert {f"{name}.c" for name in listed} == {p.name for p in (CORE / "optim").glob("*.c")} - {
        "optimizer.c",
        "step.c",
    }


def test_the_core_never_prints_exits_or_allocates_by_itself(library):
    prints = {
        "printf",
        "vprintf",
        "fprintf",
        "vfprintf",
        "puts",
        "fputs",
        "putchar",
        "perror",
        "fwrite",
        "__printf_chk",
    }
    ends = {"exit", "_exit", "abort", "signal", "system", "__assert_fail", "__assert_rtn"}
    memory = {"malloc", "calloc", "realloc", "free", "posix_memalign", "aligned_alloc", "strdup"}
    for path in objects(library):
        used = {symbol for _, symbol in names("-u", str(path))}
        assert not used & (prints | ends), path.name
        assert path.stem == "alloc" or not used & memory, path.name


def test_each_level_is_compiled_with_its_flags(library):
    """A level whose file finds its flags missing would silently become a null pointer."""
    files = {path.stem: path for path in objects(library) if path.stem.startswith("isa_")}
    assert sorted(files) == sorted(f"isa_{level.name}" for level in LEVELS), (
        "a level without its row, or a row without its file"
    )
    for level in LEVELS:
        symbols = {symbol.lstrip("_") for _, symbol in names("--defined-only", str(files[f"isa_{level.name}"]))}
        assert ("unit" in symbols) == level.here, level.name


def test_wide_instructions_stay_behind_the_dispatch(library):
    """No AVX register outside kernels/isa_*: the library starts on any CPU of its family."""
    if not shutil.which("objdump"):
        pytest.skip("needs objdump (GNU binutils)")
    for path in objects(library):
        if path.stem.startswith("isa_"):
            continue
        code = subprocess.run(
            ["objdump", "-d", "--no-show-raw-insn", str(path)], check=True, capture_output=True, text=True
        ).stdout
        assert not re.search(r"%[yz]mm\d|\tv[a-z]+ps\b", code), path.name
