"""How time grows with the work: a line fitted on log-log axes, and a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from turns import Timing


def exponents(timings: list[Timing], engine: str) -> tuple[float, float]:
    """Time grows as arithmetic to this power: fitted over all sizes, and of the steepest step between two sizes."""
    flops = np.log([timing.flops for timing in timings])
    seconds = np.log([timing.seconds[engine] for timing in timings])
    fitted = float(np.polyfit(flops, seconds, 1)[0])
    return fitted, float((np.diff(seconds) / np.diff(flops)).max())


def by_mode(timings: list[Timing]) -> dict[str, list[Timing]]:
    modes: dict[str, list[Timing]] = {}
    for timing in timings:
        modes.setdefault(timing.work.mode, []).append(timing)
    return modes


def summary(grown: dict[str, list[Timing]]) -> list[dict[str, object]]:
    """A row for each axis, mode and engine; prints them. Not above 1: no faster than the arithmetic."""
    rows: list[dict[str, object]] = []
    for axis, timings in grown.items():
        for mode, line in by_mode(timings).items():
            engines = [name for name in line[0].seconds if all(name in timing.seconds for timing in line)]
            for engine in engines if len(line) > 1 else ():
                fitted, steepest = exponents(line, engine)
                rows.append({"axis": axis, "mode": mode, "engine": engine, "fitted": fitted, "steepest": steepest})
                print(f"{axis:<9} {mode:<8} {engine:<8} time ~ arithmetic^{fitted:.2f}, steepest step ^{steepest:.2f}")
    return rows


def picture(grown: dict[str, list[Timing]], path: Path) -> None:
    """Time against batch, side and channels; a dotted line grows as the arithmetic does."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5 * len(grown), 4.5), layout="constrained")
    for place, (axis, timings) in enumerate(grown.items(), 1):
        plot = figure.add_subplot(1, len(grown), place)
        for mode, line in by_mode(timings).items():
            sizes = [int(timing.work.name.rpartition("_")[2]) for timing in line]
            for i, engine in enumerate(line[0].seconds):
                times = [timing.seconds[engine] * 1e3 for timing in line]
                style = "-" if mode == "forward" else "--"
                plot.plot(sizes, times, style, color=f"C{i}", marker="o", markersize=4, label=f"{engine}, {mode}")
            last = line[-1]
            ideal = [last.seconds["cconv"] * 1e3 * timing.flops / last.flops for timing in line]
            plot.plot(sizes, ideal, ":", color="gray", linewidth=1)
        plot.set(xscale="log", yscale="log", xlabel=axis)
        plot.set_xticks(sizes, [str(size) for size in sizes])
        plot.minorticks_off()
        plot.grid(alpha=0.3)
    first = figure.axes[0]
    first.set_ylabel("ms a call (dotted: as the arithmetic)")
    first.legend(fontsize=8)
    figure.suptitle("3x3 convolution; what does not grow: batch 4, 28x28 pixels, 64 channels")
    figure.savefig(path, dpi=110)
