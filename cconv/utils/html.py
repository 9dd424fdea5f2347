"""Tables and small curves as HTML, as notebooks show them."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

_CELL = "padding:2px 10px;border-bottom:1px solid #ddd;"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A table.

    Args:
        header: A title for each column.
        rows: The texts of the cells.
        right: The columns with numbers, which stand on the right.
    """

    def cells(tag: str, texts: Sequence[str]) -> str:
        parts = []
        for i, text in enumerate(texts):
            align = "right" if i in right else "left"
            parts.append(f'<{tag} style="{_CELL}text-align:{align}">{html.escape(str(text))}</{tag}>')
        return f"<tr>{''.join(parts)}</tr>"

    body = "".join(cells("td", row) for row in rows)
    return f'<table style="border-collapse:collapse"><thead>{cells("th", header)}</thead><tbody>{body}</tbody></table>'


def curve(series: Sequence[tuple[str, Sequence[float]]], title: str, width: int = 260, height: int = 120) -> str:
    """Numbers over their place, as a drawing (SVG).

    Args:
        series: For each line its color and its numbers; what is not finite is left out.
        title: Written above.
        width: Of the drawing, in pixels.
        height: Of the drawing, in pixels.
    """
    finite = [y for _, numbers in series for y in numbers if math.isfinite(y)]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    span = high - low or 1.0
    most = max((len(numbers) for _, numbers in series), default=1)
    lines = []
    for color, numbers in series:
        points = [
            (10 + (width - 20) * (i / max(most - 1, 1)), height - 10 - (height - 40) * (y - low) / span)
            for i, y in enumerate(numbers)
            if math.isfinite(y)
        ]
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        lines.append(f'<polyline points="{text}" fill="none" stroke="{color}" stroke-width="1.8"/>')
        lines.extend(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{color}"/>' for x, y in points[-1:])
    label = f"{html.escape(title)}: {low:.4g} to {high:.4g}"
    frame = f'<rect x="1" y="20" width="{width - 2}" height="{height - 22}" fill="none" stroke="#ccc"/>'
    heading = f'<text x="2" y="14" font-size="12" font-family="sans-serif">{label}</text>'
    return f'<svg width="{width}" height="{height}" style="background:white">{frame}{heading}{"".join(lines)}</svg>'
