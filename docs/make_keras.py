"""Writes the last section of docs/keras.md, the names of Keras that cconv lacks: `make docs`.

They are what `cconv.keras_names` says, which tests/peers/test_names.py compares with Keras itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parent / "keras.md"
HEADING = "## Names that are not there\n"

sys.path.insert(0, str(PAGE.parent.parent))
from cconv.keras_names import KERAS_ONLY  # noqa: E402


def section() -> str:
    """The section, from its heading on."""
    by_reason: dict[str, dict[str, list[str]]] = {}
    for module, names in KERAS_ONLY.items():
        for name, why in names.items():
            by_reason.setdefault(why, {}).setdefault(module, []).append(name)
    count = sum(map(len, KERAS_ONLY.values()))
    lines = [
        HEADING,
        "<!-- Written by docs/make_keras.py from cconv/keras_names.py: change that, then run `make docs`. -->\n",
        f"{count} public names of Keras 3.15, by the reason why they are absent. Who asks for one is told the same.\n",
    ]
    for why, modules in by_reason.items():
        lines.append(f"**{why[0].upper()}{why[1:]}.**\n")
        lines += [f"- `{module}`: {', '.join(f'`{name}`' for name in names)}" for module, names in modules.items()]
        lines.append("")
    return "\n".join(lines)


def page() -> str:
    """The whole page, with the section renewed."""
    text = PAGE.read_text(encoding="utf-8")
    return text[: text.index(HEADING)] + section()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
