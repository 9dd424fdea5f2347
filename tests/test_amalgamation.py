"""The library in two files: it compiles everywhere, computes what the library computes, and keeps its names inside."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from levels import LEVELS

TOP = Path(__file__).resolve().parent.parent
CORE = TOP / "src_c"
PRINT_BITS = TOP / "tests" / "packaging_programs" / "print_bits.c"


def run(*command: str | Path, **environment: str) -> str:
    result = subprocess.run(command, cwd=TOP, capture_output=True, text=True, env={**os.environ, **environment})
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    return result.stdout


def needs(*tools: str) -> None:
    for tool in tools:
        if not shutil.which(tool):
            pytest.skip(f"needs {tool}")


def has_openmp(compiler: str) -> bool:
    script = ["sh", str(CORE / "openmp_flags.sh")]
    return (
        "-fopenmp" in subprocess.run(script, env={**os.environ, "CC": compiler}, capture_output=True, text=True).stdout
    )


@pytest.fixture(scope="module")
def two_files(tmp_path_factory) -> Path:
    """The folder of cconv.c and cconv.h."""
    needs("cc")
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, CORE / "tools" / "amalgamate.py", folder)
    return folder


def compiled(folder: Path, compiler: str, *flags: str) -> Path:
    """The object file, made without a warning."""
    made = folder / ("-".join([compiler, *(flag.strip("-") for flag in flags)]) + ".o")
    if not made.exists():
        run(compiler, *flags, "-Werror", "-c", folder / "cconv.c", "-o", made)
    return made


def bits(program: Path, isa: str, *emulator: str) -> list[str]:
    lines = run(*emulator, program, CCONV_ISA=isa).splitlines()
    assert lines[0] == f"isa {isa}" and len(lines) > 20
    return lines


@pytest.mark.slow
@pytest.mark.parametrize("compiler, flags", [("gcc", ["-O2", "-fopenmp"]), ("clang", ["-O2"])], ids=["gcc", "clang"])
def test_it_computes_what_the_library_computes(two_files, tmp_path, compiler, flags):
    needs(compiler, "make")
    made = compiled(two_files, compiler, *flags)
    run(compiler, *flags, f"-I{two_files}", PRINT_BITS, made, "-lm", "-o", tmp_path / "amalgamation")
    run("make", "lib")
    link_flags = (TOP / "build" / "lib" / "link_flags").read_text(encoding="utf-8").split()
    library = TOP / "build" / "lib" / "libcconv.a"
    run("cc", "-std=c11", f"-I{CORE / 'include'}", PRINT_BITS, library, *link_flags, "-o", tmp_path / "library")
    for level in LEVELS:
        if level.here:
            assert bits(tmp_path / "amalgamation", level.name) == bits(tmp_path / "library", level.name)


@pytest.mark.slow
def test_the_c_tests_pass_on_it(two_files, tmp_path):
    needs("gcc")
    made = compiled(two_files, "gcc", "-O2", "-fopenmp")
    tests = sorted((TOP / "tests" / "c").glob("*.c"))
    run(
        "gcc",
        "-std=c11",
        f"-I{CORE / 'include'}",
        f"-I{CORE}",
        "-O1",
        "-fopenmp",
        *tests,
        made,
        "-lm",
        "-o",
        tmp_path / "t",
    )
    assert re.search(r"\d+ C tests, 0 failed", run(tmp_path / "t", CCONV_OVERSUBSCRIBE="1"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "compiler, flags",
    [("gcc", ["-O0"]), ("clang", ["-O0", "-fopenmp"]), ("gcc", ["-O0", "-std=c11", "-fopenmp", "-DCCONV_NO_OPENMP"])],
    ids=["gcc", "clang, OpenMP", "gcc, C11, no OpenMP"],
)
def test_the_program_of_the_header_runs(two_files, tmp_path, compiler, flags):
    needs(compiler)
    if compiler == "clang" and not has_openmp(compiler):
        pytest.skip("needs OpenMP for clang")
    text = (CORE / "include" / "cconv.h").read_text(encoding="utf-8")
    program = re.search(r'^ \*     #include "cconv.h".*?^ \*     }$', text, re.MULTILINE | re.DOTALL)[0]
    (tmp_path / "program.c").write_text(
        re.sub(r"^ \*(?:     )?", "", program, flags=re.MULTILINE) + "\n", encoding="utf-8"
    )
    (tmp_path / "openmp.c").write_text(
        '#include "cconv.h"\nint main(void) { return cconv_openmp() > 0; }\n', encoding="utf-8"
    )
    made = compiled(two_files, compiler, *flags)
    for name in ("program", "openmp"):
        run(compiler, *flags, f"-I{two_files}", tmp_path / f"{name}.c", made, "-lm", "-o", tmp_path / name)
    loss, weight = re.search(r"loss (\S+), weight (\S+)", run(tmp_path / "program")).groups()
    assert float(loss) < 1e-6 and abs(float(weight) - 2) < 1e-3
    with_openmp = "-fopenmp" in flags and "-DCCONV_NO_OPENMP" not in flags
    assert subprocess.run([tmp_path / "openmp"]).returncode == with_openmp


@pytest.mark.slow
def test_only_names_of_the_interface_leave_a_shared_library_of_it(two_files, tmp_path):
    needs("gcc", "nm")
    flags = ["-O0", "-fPIC", "-DCCONV_NO_AVX2", "-DCCONV_NO_AVX512"]
    made = compiled(two_files, "gcc", *flags)
    run("gcc", "-shared", made, "-lm", "-o", tmp_path / "library.so")
    lines = run("nm", "-D", "--defined-only", tmp_path / "library.so").splitlines()
    names = {line.split()[-1] for line in lines} - {"_init", "_fini", "_edata", "_end", "__bss_start"}
    declared = re.findall(
        r"^CCONV_API[^(]*?\b(cconv_\w+)\(", (CORE / "include" / "cconv.h").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert names == set(declared)
    inside = run("nm", made)
    assert "isa_portable__" in inside and "isa_avx" not in inside, "a level that was to be left out"


@pytest.mark.slow
def test_it_runs_on_a_processor_without_wide_instructions(two_files, tmp_path):
    needs("gcc", "qemu-x86_64")
    made = compiled(two_files, "gcc", "-O2", "-fopenmp")
    run("gcc", "-fopenmp", f"-I{two_files}", PRINT_BITS, made, "-lm", "-o", tmp_path / "bits")
    old = run("qemu-x86_64", "-cpu", "Nehalem", tmp_path / "bits").splitlines()
    assert old[0] == "isa portable" and old == bits(tmp_path / "bits", "portable")


def test_inexact_arithmetic_is_refused(two_files):
    needs("gcc")
    command = ["gcc", "-O2", "-ffast-math", "-fsyntax-only", two_files / "cconv.c"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode and "expected exact arithmetic, received -ffast-math" in result.stderr


def test_it_holds_every_source_file_and_no_include_of_them(two_files):
    text = (two_files / "cconv.c").read_text(encoding="utf-8")
    titles = re.findall(r"^/\* =+ (\S+) =+ \*/$", text, re.MULTILINE)
    assert sorted(titles) == sorted(p.relative_to(CORE).as_posix() for p in CORE.rglob("*.c"))
    assert set(re.findall(r'^\s*#\s*include\s+"([^"]+)"', text, re.MULTILINE)) == {"cconv.h"}
    assert (two_files / "cconv.h").read_bytes() == (CORE / "include" / "cconv.h").read_bytes()
