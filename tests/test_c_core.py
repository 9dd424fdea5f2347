"""Builds the C core without Python, runs its own tests, compiles its header as C++ and runs the C example."""

import gzip
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import sklearn

TOP = Path(__file__).resolve().parent.parent


def make(*arguments: str) -> str:
    result = subprocess.run(["make", *arguments], cwd=TOP, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def build() -> Path:
    make("lib")
    return TOP / "build"


def link(source: Path, program: Path, build: Path, *flags: str) -> None:
    extra = (build / "lib" / "link_flags").read_text(encoding="utf-8").split()
    command = [
        "cc",
        "-std=c11",
        "-O2",
        "-Wall",
        "-Wextra",
        "-Werror",
        *flags,
        f"-I{TOP / 'src_c' / 'include'}",
        str(source),
    ]
    subprocess.run([*command, str(build / "lib" / "libcconv.a"), *extra, "-o", str(program)], check=True)


@pytest.mark.slow
def test_the_c_tests_pass_and_the_header_s_program_learns():
    output = make("test-c")
    tests, failed = re.search(r"(\d+) C tests, (\d+) failed", output).groups()
    assert int(tests) >= 26 and failed == "0"
    loss, weight = re.search(r"loss (\S+), weight (\S+)", output).groups()
    assert float(loss) < 1e-6 and abs(float(weight) - 2) < 1e-3


def test_every_public_function_is_called_with_wrong_arguments():
    header = re.sub(
        r"/\*.*?\*/", "", (TOP / "src_c" / "include" / "cconv.h").read_text(encoding="utf-8"), flags=re.DOTALL
    )
    declared = re.findall(r"^CCONV_API[^(]*?\b(cconv_\w+)\(", header, re.MULTILINE)
    called = (TOP / "tests" / "c" / "test_arguments.c").read_text(encoding="utf-8")
    assert len(declared) > 60
    assert [name for name in declared if not re.search(rf"\b{name}\(", called)] == []


def test_the_header_is_c_plus_plus_too(build, tmp_path):
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if not compiler:
        pytest.skip("needs a C++ compiler")
    source = tmp_path / "embed.cpp"
    source.write_text(
        '#include "cconv.h"\n'
        "int main() { return !CCONV_ABI_FITS() || cconv_num_threads() < 1 || cconv_version()[0] == 0; }\n",
        encoding="utf-8",
    )
    extra = (build / "lib" / "link_flags").read_text(encoding="utf-8").split()
    program = str(tmp_path / "embed")
    flags = ["-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{TOP / 'src_c' / 'include'}"]
    subprocess.run(
        [compiler, *flags, str(source), str(build / "lib" / "libcconv.a"), *extra, "-o", program], check=True
    )
    subprocess.run([program], check=True)


def test_the_c_example_learns_digits(build, tmp_path):
    program = tmp_path / "train_digits"
    link(TOP / "examples" / "c" / "train_digits.c", program, build, "-Wshadow", "-Wconversion", "-Wno-sign-conversion")
    packed = Path(sklearn.__file__).parent / "datasets" / "data" / "digits.csv.gz"
    csv = tmp_path / "digits.csv"
    csv.write_bytes(gzip.decompress(packed.read_bytes()))
    output = subprocess.run([str(program), str(csv)], check=True, capture_output=True, text=True).stdout
    assert "1438 images to learn from, 359 held out" in output
    assert float(re.findall(r"held-out accuracy (\S+)", output)[-1]) >= 0.97


def test_the_c_example_refuses_a_damaged_file(build, tmp_path):
    program = tmp_path / "train_digits"
    link(TOP / "examples" / "c" / "train_digits.c", program, build)
    for text, word in [("1,2,3\n", ":1:"), ("", "at least 10"), ("0," * 64 + "11\n", ":1:")]:
        csv = tmp_path / "damaged.csv"
        csv.write_text(text, encoding="utf-8")
        result = subprocess.run([str(program), str(csv)], capture_output=True, text=True)
        assert result.returncode == 1 and word in result.stderr
    assert subprocess.run([str(program), str(tmp_path / "none.csv")], capture_output=True).returncode == 1
    assert subprocess.run([str(program)], capture_output=True).returncode == 2
