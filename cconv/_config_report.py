"""What this installation was built with and what it uses on this machine: `cconv.show_config()`."""

import platform
import sys
from typing import Any

from . import _core

DEPENDENCIES = ("numpy", "h5py", "tqdm")


def installed_version(name: str) -> str:
    from importlib import metadata  # a tenth of the time of `import cconv`

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def config() -> dict[str, Any]:
    """The report as values."""
    return {
        "version": _core.version(),
        "isa": _core.isa(),
        "isas": _core.isas(),
        "isa_error": _core.isa_error(),
        "threads": _core.get_num_threads(),
        "threads_reason": _core.num_threads_reason(),
        "openmp": _core.openmp(),
        "compiler": _core.compiler(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "dependencies": {name: installed_version(name) for name in DEPENDENCIES},
    }


def show_config(mode: str = "stdout") -> dict[str, Any] | None:
    """Shows how cconv was built and what it uses on this machine.

    Args:
        mode: `"stdout"` prints a report, `"dicts"` returns the same facts as a dictionary.

    Returns:
        A dictionary with `mode="dicts"`, else `None`.

    Raises:
        ValueError: if `mode` is something else.

    Example:

    >>> import cconv
    >>> facts = cconv.show_config(mode="dicts")
    >>> facts["isa"] in facts["isas"]
    True
    """
    if mode not in ("stdout", "dicts"):
        raise ValueError(f'`mode` must be "stdout" or "dicts". Received: mode={mode!r}')
    facts = config()
    if mode == "dicts":
        return facts
    openmp = f"OpenMP {facts['openmp']}" if facts["openmp"] else "built without OpenMP: single-threaded"
    lines = [
        ("cconv", facts["version"]),
        ("instructions", f"{facts['isa']} (available: {', '.join(facts['isas'])})"),
        ("threads", f"{facts['threads']} ({facts['threads_reason']})"),
        ("threading", openmp),
        ("compiler", facts["compiler"]),
        ("python", f"{facts['python']} on {facts['platform']}"),
        *facts["dependencies"].items(),
    ]
    if facts["isa_error"]:
        lines.insert(2, ("", facts["isa_error"]))
    sys.stdout.write("".join(f"{name:>13}  {value}\n" for name, value in lines))
    return None
