"""`make install`: programs find the library by pkg-config and CMake; CMake builds its source; the package has it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import cconv

TOP = Path(__file__).resolve().parent.parent
PROGRAM = """#include <cconv.h>
#include <stdio.h>
int main(void) { printf("%s %s\\n", cconv_version(), cconv_isa()); return 0; }
"""


def run(*command: str | Path, **environment: str) -> str:
    result = subprocess.run(command, cwd=TOP, capture_output=True, text=True, env={**os.environ, **environment})
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    return result.stdout


def needs(*tools: str) -> None:
    for tool in tools:
        if not shutil.which(tool):
            pytest.skip(f"needs {tool}")


def runs(program: Path, **environment: str) -> bool:
    return run(program, **environment).split()[0] == cconv.__version__


@pytest.fixture(scope="module")
def stage(tmp_path_factory) -> Path:
    """What `make install PREFIX=/opt/cconv LIB=lib/own` puts below a DESTDIR."""
    needs("make", "cc")
    folder = tmp_path_factory.mktemp("stage")
    run("make", "install", "PREFIX=/opt/cconv", "LIB=lib/own", f"DESTDIR={folder}")
    return folder / "opt" / "cconv"


@pytest.fixture
def source(tmp_path) -> Path:
    (tmp_path / "program.c").write_text(PROGRAM, encoding="utf-8")
    return tmp_path


@pytest.mark.slow
def test_the_shared_library_has_a_number_in_its_name(stage):
    header = (TOP / "src_c" / "include" / "cconv.h").read_text(encoding="utf-8")
    number = re.search(r"^#define CCONV_ABI (\d+)", header, re.MULTILINE)[1]
    shared = stage / "lib" / "own" / "libcconv.so"
    if not shared.exists():
        pytest.skip("needs ELF libraries")
    assert os.readlink(shared) == f"libcconv.so.{number}"
    needs("readelf")
    assert f"soname: [libcconv.so.{number}]" in run("readelf", "-d", shared)


@pytest.mark.slow
@pytest.mark.parametrize("static", [False, True], ids=["shared", "static"])
def test_pkg_config_tells_how_to_build_a_program(stage, source, static):
    needs("pkg-config")
    where = {
        "PKG_CONFIG_PATH": str(stage / "lib" / "own" / "pkgconfig"),
        "PKG_CONFIG_SYSROOT_DIR": str(stage.parent.parent),
    }
    flags = run("pkg-config", "--cflags", "--libs", *(["--static"] if static else []), "cconv", **where).split()
    if static:
        flags = ["-l:libcconv.a" if flag == "-lcconv" else flag for flag in flags]
    run("cc", source / "program.c", *flags, "-o", source / "program")
    assert run("pkg-config", "--modversion", "cconv", **where).strip() == cconv.__version__
    assert runs(source / "program", LD_LIBRARY_PATH="" if static else str(stage / "lib" / "own"))


CMAKE = """cmake_minimum_required(VERSION 3.16)
project(program LANGUAGES C)
{how}
add_executable(program program.c)
target_link_libraries(program PRIVATE {target})
"""


def build_by_cmake(folder: Path, *settings: str, **text: str) -> Path:
    (folder / "CMakeLists.txt").write_text(CMAKE.format(**text), encoding="utf-8")
    run("cmake", "-S", folder, "-B", folder / "build", *settings)
    run("cmake", "--build", folder / "build", "--parallel", str(os.cpu_count() or 1))
    return folder / "build" / "program"


@pytest.mark.slow
@pytest.mark.parametrize("target", ["cconv::cconv", "cconv::cconv_static"])
def test_cmake_finds_the_package(stage, source, target):
    needs("cmake")
    version = cconv.__version__
    program = build_by_cmake(
        source, f"-DCMAKE_PREFIX_PATH={stage}", f"-Dcconv_DIR={stage}/lib/own/cmake/cconv",
        how=f"find_package(cconv {version} REQUIRED)", target=target,
    )  # fmt: skip
    assert runs(program)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [[], ["-DBUILD_SHARED_LIBS=ON", "-DCCONV_OPENMP=OFF"]], ids=["static", "shared"])
def test_cmake_builds_the_source_in_another_project(source, settings):
    needs("cmake")
    how = f'add_subdirectory("{TOP / "src_c"}" cconv)'
    program = build_by_cmake(source, "-DCMAKE_BUILD_TYPE=Debug", *settings, how=how, target="cconv::cconv")
    assert runs(program)
    assert run(program).split()[1] == cconv.show_config(mode="dicts")["isa"]


def test_a_program_is_linked_with_the_package_s_own_library(source):
    needs("cc")
    if os.name != "posix":
        pytest.skip("the package has no library there")
    flags = ["-pthread", "-lm"]
    if cconv.show_config(mode="dicts")["openmp"]:
        flags.insert(0, "-fopenmp")
    include = cconv.get_include()
    run("cc", source / "program.c", f"-I{include}", cconv.get_library(), *flags, "-o", source / "program")
    assert runs(source / "program")


def test_a_package_without_the_library_says_so(monkeypatch, tmp_path):
    from cconv import _c_library

    monkeypatch.setattr(_c_library, "_FOLDER", str(tmp_path))
    for function, name in [(cconv.get_include, "cconv.h"), (cconv.get_library, "libcconv.a")]:
        with pytest.raises(FileNotFoundError, match=f"expected {name} beside this package.*make lib"):
            function()


@pytest.mark.slow
def test_the_command_is_installed(stage):
    assert run(stage / "bin" / "cconv-run", "--version").split()[1] == cconv.__version__
