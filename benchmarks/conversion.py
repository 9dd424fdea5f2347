"""Files of networks in the formats of other engines: each is written once, in a process of its own.

So no engine's process has another engine in it. A program that writes such a file takes the pickled work:

    python onnx_file.py PICKLED_WORK
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from work import HERE, Work


def converted(work: Work, suffix: str, program: str) -> Path:
    """The network's file with this suffix, which the program writes if there is none.

    Raises:
        RuntimeError: If it did not; the text has the program's last line.
    """
    path = work.file(suffix)
    if not path.exists():
        command = [sys.executable, str(HERE / program), pickle.dumps(work).hex()]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode or not path.exists():
            raise RuntimeError(f"no {suffix} file: {(done.stderr.strip().splitlines() or ['conversion failed'])[-1]}")
    return path


def main(write: Callable[[Work], None]) -> None:
    """Of such a program."""
    write(pickle.loads(bytes.fromhex(sys.argv[1])))
