"""Builds cconv._core: the Cython boundary and every C file of src_c, in one extension, and a static library of the same
objects beside it. The metadata is in pyproject.toml, the compiler flags in src_c/flags.mk.

Environment variables: CCONV_WERROR=1 makes warnings in src_c errors; CCONV_OPENMP=0 builds without OpenMP; CC
and CFLAGS are heeded as usual, and what CFLAGS says comes last.
"""

import hashlib
import os
import re
import shlex
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).resolve().parent
CORE = Path("src_c")  # relative, so that object files have short names; the build runs in HERE
HEADER_ENDINGS = {".h", ".def", ".mk"}
EMPTY_PROGRAM = "int main(void) { return 0; }\n"


def read_flags() -> dict[str, list[str]]:
    """The "NAME = words" lines of flags.mk."""
    lines = (HERE / CORE / "flags.mk").read_text(encoding="utf-8").splitlines()
    return {
        name: words.split()
        for name, words in (re.split(r"\s*=\s*", s, maxsplit=1) for s in lines if re.match(r"\w+ *=", s))
    }


def read_level_flags() -> dict[str, list[str]]:
    """The flags of each kernels/isa_<level>.c: the rows `CC_LEVEL(level, features, "flags")` of levels.def."""
    text = (HERE / CORE / "kernels" / "levels.def").read_text(encoding="utf-8")
    return {level: flags.split() for level, flags in re.findall(r'^CC_LEVEL\((\w+),.*"(.*)"\)$', text, re.MULTILINE)}


def read_version() -> str:
    text = (HERE / CORE / "include" / "cconv.h").read_text(encoding="utf-8")
    return re.search(r'#define CCONV_VERSION +"([^"]+)"', text)[1]


def read_page() -> str:
    """The README as a package index shows it: no file lies beside it, so what it points to in the tree is named."""
    text = (HERE / "README.md").read_text(encoding="utf-8")
    text = re.sub(r"^!\[[^]]*\]\((?!https?:)[^)]*\)\n+", "", text, flags=re.MULTILINE)
    text = re.sub(r"\[[^]]*\]\((?!https?:)([^)]*)\)", r"`\1`", text)
    return f"{text}\nPaths are those of the source archive.\n"


def c_files() -> list[str]:
    return sorted(path.relative_to(HERE).as_posix() for path in (HERE / CORE).rglob("*.c"))


def headers() -> list[str]:
    return sorted(p.relative_to(HERE).as_posix() for p in (HERE / CORE).rglob("*") if p.suffix in HEADER_ENDINGS)


INCLUDE_FOLDERS = [CORE.as_posix(), (CORE / "include").as_posix()]


class BuildCore(build_ext):
    """Compiles each C file with its own flags, several at a time and only if it changed; links them with _core.pyx."""

    def accepts(self, flags: list[str], link_flags: list[str] | None = None, program: str = EMPTY_PROGRAM) -> bool:
        """Whether a small program compiles with these flags and, with `link_flags`, links and runs."""
        with tempfile.TemporaryDirectory() as folder:
            source, result = Path(folder, "probe.c"), str(Path(folder, "probe"))
            source.write_text(program, encoding="utf-8")
            strict = ["-Werror", *flags] if self.unix else flags
            try:
                objects = self.compiler.compile([str(source)], output_dir=folder, extra_postargs=strict)
                if link_flags is not None:
                    self.compiler.link_executable(objects, result, extra_postargs=link_flags)
                    self.spawn([result + (self.compiler.exe_extension or "")])
            except Exception:  # the compilers' own error classes have moved between versions of setuptools
                return False
        return True

    def openmp_flags(self) -> tuple[list[str], list[str]]:
        """Flags to compile and to link with OpenMP; none if it is switched off or does not work."""
        if os.environ.get("CCONV_OPENMP", "1") == "0":
            return [], []
        if self.unix:
            ways = [
                (["-fopenmp"], ["-fopenmp"]),
                (["-Xpreprocessor", "-fopenmp"], ["-lomp"]),
            ]  # GCC and Clang; Apple's Clang
        else:
            ways = [(["/openmp"], [])]
        program = "#include <omp.h>\nint main(void) { return omp_get_max_threads() > 0 ? 0 : 1; }\n"
        return next((way for way in ways if self.accepts(*way, program)), ([], []))

    def build_extension(self, ext: Extension) -> None:
        self.unix = self.compiler.compiler_type != "msvc"
        known = read_flags()
        compile_openmp, link_openmp = self.openmp_flags()
        if self.unix:
            common = known["STANDARD"] + known["OPTIMIZE"] + known["HIDE"] + ["-g0"] + compile_openmp
            if os.name != "nt":
                common.append("-pthread")
                link_openmp.append("-pthread")
            common += shlex.split(os.environ.get("CFLAGS", ""))  # setuptools puts them before ours
            warn = known["WARN"] + (["-Werror"] if os.environ.get("CCONV_WERROR", "0") == "1" else [])
        else:
            common, warn = ["/std:c11", "/experimental:c11atomics", "/O2", *compile_openmp], []

        macros = [
            ("CCONV_API", ""),  # nothing but the module's own symbol leaves the extension
            ("CCONV_EXTENSION", None),
        ]
        isa_flags = {}
        if self.unix:
            for level, flags in read_level_flags().items():
                if flags and self.accepts(flags):
                    isa_flags[f"isa_{level}.c"] = flags

        ext.extra_objects = self.compile_core(macros, [*common, *warn], isa_flags)
        ext.depends = [*c_files(), *headers()]
        ext.include_dirs = INCLUDE_FOLDERS
        ext.define_macros = macros
        ext.extra_compile_args = [*common, "-w"] if self.unix else common  # generated code is Cython's responsibility
        ext.extra_link_args = link_openmp
        from Cython.Build import cythonize

        ext.sources = cythonize([ext], build_dir=os.path.join("build", "cython"), language_level=3, quiet=True)[
            0
        ].sources
        super().build_extension(ext)
        self.add_c_library(Path(self.get_ext_fullpath(ext.name)).parent, ext.extra_objects)

    def add_c_library(self, package: Path, objects: list[str]) -> None:
        """Puts what cconv.get_include and cconv.get_library tell of into the package: for Windows the header alone."""
        self.mkpath(str(package / "include"))
        self.copy_file(str(HERE / CORE / "include" / "cconv.h"), str(package / "include" / "cconv.h"))
        if os.name == "posix":
            # whole, not added to: objects of files that are gone would stay in it
            (package / "lib" / "libcconv.a").unlink(missing_ok=True)
            self.compiler.create_static_lib(objects, "cconv", output_dir=str(package / "lib"))

    def copy_extensions_to_source(self) -> None:
        """Built in place, the library lies in the source's package, as the extension does."""
        super().copy_extensions_to_source()
        for ext in self.extensions:
            self.add_c_library(Path(ext.name.split(".")[0]), ext.extra_objects)

    def compile_core(
        self, macros: list[tuple[str, str]], flags: list[str], isa_flags: dict[str, list[str]]
    ) -> list[str]:
        """Object files of all C files. Those whose source, headers and flags are as before are kept."""
        settings = repr((macros, flags, isa_flags, getattr(self.compiler, "compiler_so", None)))
        # Not in build_temp, which pip makes anew each time: after a small change only that is compiled.
        folder = os.path.join("build", "core-" + hashlib.sha256(settings.encode()).hexdigest()[:12])
        newest = max((HERE / name).stat().st_mtime for name in [*headers(), "setup.py"])
        sources = c_files()
        objects = self.compiler.object_filenames(sources, output_dir=folder)
        for name in objects:
            os.makedirs(os.path.dirname(name), exist_ok=True)

        def compile_one(source: str, name: str) -> None:
            done = os.path.getmtime(name) if os.path.exists(name) else 0
            if self.force or done <= max(newest, os.path.getmtime(source)):
                own = isa_flags.get(os.path.basename(source), [])
                self.compiler.compile(
                    [source],
                    output_dir=folder,
                    macros=macros,
                    include_dirs=INCLUDE_FOLDERS,
                    extra_postargs=[*flags, *own],
                )

        workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if sources and not self.unix:
            compile_one(sources[0], objects[0])  # the first call finds the compiler, which must happen once
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(compile_one, sources, objects))
        return objects


setup(
    version=read_version(),
    long_description=read_page(),
    long_description_content_type="text/markdown",
    ext_modules=[Extension("cconv._core", ["cconv/_core.pyx"])],
    cmdclass={"build_ext": BuildCore},
)
