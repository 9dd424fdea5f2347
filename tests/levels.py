"""The levels of src_c/kernels/levels.def, as the tests of instruction sets read them."""

import platform
import re
from pathlib import Path
from typing import NamedTuple

TEXT = (Path(__file__).resolve().parent.parent / "src_c" / "kernels" / "levels.def").read_text(encoding="utf-8")
MACHINES = {"x86_64": "x86", "amd64": "x86", "aarch64": "arm64", "arm64": "arm64"}
DETECTIONS = dict(re.findall(r"^CC_FEATURE\((\w+), (\w+)\(", TEXT, re.MULTILINE))


class Level(NamedTuple):
    name: str
    flags: str
    machine: str | None
    """How its features are found, "x86" or "arm64"; None: it has none and runs anywhere."""

    @property
    def here(self) -> bool:
        """Whether a build for this kind of machine has it."""
        return self.machine in (None, MACHINES.get(platform.machine().lower()))


def _machine(features: str) -> str | None:
    used = {how for name, how in DETECTIONS.items() if re.search(rf"\bCC_CPU_{name}\b", features)}
    assert len(used) <= 1, f"features of more than one kind of machine: {features}"
    return used.pop() if used else None


LEVELS = [
    Level(name, flags, _machine(features))
    for name, features, flags in re.findall(r'^CC_LEVEL\((\w+), (.*), "(.*)"\)$', TEXT, re.MULTILINE)
]
