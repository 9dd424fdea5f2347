"""Graphs in Graphviz' language DOT, and pictures of them."""

from __future__ import annotations

import html
import shutil
import subprocess
from pathlib import Path
from typing import Any


class Dot:
    """A graph as text in the language DOT. In a notebook it is shown as a picture, if Graphviz is installed.

    Args:
        text: What `to_string` returns.

    Example:

    >>> cconv.utils.model_to_dot(cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(2)])).to_string()[:14]
    'digraph model '
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def to_string(self) -> str:
        """The text."""
        return self._text

    def create(self, prog: str = "dot", format: str = "png") -> bytes:
        """The bytes of a picture.

        Args:
            prog: Program of Graphviz that arranges the graph.
            format: One that the program knows: `"png"`, `"svg"`, `"pdf"`, ...

        Raises:
            ImportError: Graphviz is not installed.
            ValueError: The program does not know the format.
        """
        command = shutil.which(prog)
        if command is None:
            raise ImportError(
                f"Pictures of models are drawn by Graphviz, whose program {prog!r} is not found. Install it "
                "(https://graphviz.org/download), or keep the text of `cconv.utils.model_to_dot(model).to_string()`."
            )
        done = subprocess.run([command, f"-T{format}"], input=self._text.encode(), capture_output=True, check=False)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise ValueError(f"Graphviz' {prog!r} could not draw the graph as {format!r}: {said}")
        return done.stdout

    def write(self, path: Any, prog: str = "dot", format: str | None = None) -> None:
        """Writes a picture, or with the extension `.dot` the text, to a file.

        Args:
            path: Where to.
            prog: Program of Graphviz that arranges the graph.
            format: Of the picture; by default the extension of `path`.

        Raises:
            ImportError: Graphviz is not installed.
            ValueError: The path has no extension, or one that Graphviz does not know.
        """
        format = format or Path(path).suffix[1:].lower()
        if not format:
            raise ValueError(f"Expected a file name with an extension, such as 'model.png'. Received: {str(path)!r}")
        data = self._text.encode() if format in ("dot", "raw") else self.create(prog, format)
        Path(path).write_bytes(data)

    def _repr_svg_(self) -> str | None:
        return self.create(format="svg").decode() if shutil.which("dot") else None

    def __repr__(self) -> str:
        return f"<Dot {self._text.count('->')} edges>"


def box(name: str, title: str, rows: list[tuple[str, str]], width: int = 2) -> str:
    """The statement for a node: a title on a dark ground over a table of settings."""
    cells = f'<tr><td bgcolor="#1f3b57" colspan="{width}"><font color="white"><b>{escape(title)}</b></font></td></tr>'
    for key, value in rows:
        if key:
            cells += f'<tr><td align="left">{escape(key)}</td><td align="left"><b>{escape(value)}</b></td></tr>'
        else:
            cells += f'<tr><td colspan="{width}">{escape(value)}</td></tr>'
    table = f'<table border="0" cellborder="1" cellspacing="0" cellpadding="6" color="#1f3b57">{cells}</table>'
    return f"{quoted(name)} [label=<{table}>];"


def quoted(text: str) -> str:
    """A name as DOT writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def escape(text: str) -> str:
    """Text within a label."""
    return html.escape(str(text), quote=True)
