"""Writes the page, build/web/digits.html: cconv's core compiled to WebAssembly, the model and all else in one file.

    python3 examples/web/build.py

Needs emscripten (emcc; Debian's package emscripten will do). The core is compiled anew only where its sources changed.
"""

import base64
import gzip
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
OUT = TOP / "build" / "web"
LIMIT = 1_000_000
# Vectors of four floats are what every current browser has; without -pthread there is one thread.
FLAGS = ["-O2", "-msimd128"]
LINK = ["-sSTANDALONE_WASM", "-sALLOW_MEMORY_GROWTH=1", "--no-entry", "-sEXPORTED_FUNCTIONS=_malloc,_free"]


def emcc(*arguments: object) -> None:
    # Debian keeps the modules of emscripten's scripts where only Debian's node looks by itself.
    modules = os.pathsep.join(filter(None, [os.environ.get("NODE_PATH"), "/usr/share/nodejs"]))
    subprocess.run(["emcc", *map(str, arguments)], check=True, env={**os.environ, "NODE_PATH": modules})


def core() -> Path:
    """The library and recognizer.c as WebAssembly."""
    library, program = OUT / "cconv.o", OUT / "core.wasm"
    newest = max(path.stat().st_mtime for path in (TOP / "src_c").rglob("*.*"))
    if not library.exists() or library.stat().st_mtime < newest:
        subprocess.run([sys.executable, TOP / "src_c" / "tools" / "amalgamate.py", OUT], check=True)
        print("compiling cconv to WebAssembly: a minute or two", flush=True)
        emcc(*FLAGS, "-c", OUT / "cconv.c", "-o", library)
    emcc(*FLAGS, "-I", OUT, HERE / "recognizer.c", library, *LINK, "-o", program)
    return program


def packed(path: Path) -> str:
    return base64.b64encode(gzip.compress(path.read_bytes(), 9, mtime=0)).decode()


def page(program: Path) -> str:
    data = {"core": program, "model": HERE / "digits.onnx", "rehearsal": HERE / "rehearsal.bin"}

    def content(match: re.Match) -> str:
        name = match[1]
        return packed(data[name]) if name in data else (HERE / name).read_text(encoding="utf-8").rstrip()

    return re.sub(r"\{\{([\w.]+)\}\}", content, (HERE / "page.html").read_text(encoding="utf-8"))


def main() -> int:
    if not shutil.which("emcc"):
        print("examples/web needs emscripten: expected emcc on the PATH (apt-get install emscripten)", file=sys.stderr)
        return 1
    OUT.mkdir(parents=True, exist_ok=True)
    target = OUT / "digits.html"
    target.write_text(page(core()), encoding="utf-8")
    size = target.stat().st_size
    print(f"made {target.relative_to(TOP)}: {size:,} bytes")
    if size >= LIMIT:
        print(f"expected fewer than {LIMIT:,} bytes", file=sys.stderr)
    return size >= LIMIT


if __name__ == "__main__":
    sys.exit(main())
