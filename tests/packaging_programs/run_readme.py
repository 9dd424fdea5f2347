"""Runs the commands of the README as they stand, in its order, in a fresh clone with a new virtual environment.

Those of more than some minutes are run with --all only: the whole tests.
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
LONG = {"make test"}


def commands(text: str) -> list[str]:
    """The lines of the blocks that name no language, without their comments."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    plain = [line for language, block in blocks if not language for line in block.splitlines()]
    lines = [re.sub(r"\s+#[^\"']*$", "", line).strip() for line in plain]
    return [line for line in lines if line]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--all", action="store_true", help="the long ones, too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tree, environment = Path(folder, "cconv"), Path(folder, "venv")
        subprocess.run(["git", "clone", "--quiet", str(TOP), str(tree)], check=True)
        venv.create(environment, with_pip=True)
        bin_folder = environment / ("Scripts" if os.name == "nt" else "bin")
        variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MAKEFLAGS")}
        variables |= {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "MPLBACKEND": "Agg"}
        failed = 0
        for command in commands((tree / "README.md").read_text(encoding="utf-8")):
            if command in LONG and not arguments.all:
                print(f"{command}: left out (--all runs it)")
                continue
            start = time.monotonic()
            result = subprocess.run(
                command,
                shell=True,
                cwd=tree,
                env=variables,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            said = "done" if result.returncode == 0 else f"FAILED ({result.returncode}):\n{result.stdout}"
            print(f"{command}: {said} ({time.monotonic() - start:.0f} s)", flush=True)
            failed += result.returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
