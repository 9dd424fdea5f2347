"""Tables, summaries, the JSON file and the bar charts."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

from turns import Timing

COLOURS = {"torch": "C1", "tensorflow": "C2", "onnxruntime": "C3", "openvino": "C4"}


class Table:
    """Prints a line for each timing as soon as it is there.

    Args:
        engines: labels of the columns, ours first.
        peak: FLOP/s of the machine, if known.
    """

    def __init__(self, engines: list[str], peak: float | None) -> None:
        self._engines, self._peak = engines, peak
        columns = "".join(f"{name[:12]:>13}" for name in engines)
        print(f"{'case':<26}{'batch':>6} {'mode':<8}{columns}{'GFLOP/s':>9}{'of peak':>9}{'ratio':>7}   (times in ms)")

    def add(self, timing: Timing) -> None:
        work = timing.work
        times = "".join(
            f"{timing.seconds[name] * 1e3:13.3f}" if name in timing.seconds else f"{'-':>13}" for name in self._engines
        )
        speed = timing.flops / timing.seconds["cconv"] if "cconv" in timing.seconds else 0
        share = f"{speed / self._peak:9.0%}" if self._peak else " " * 9
        ratio = f"{timing.ratio:7.2f}" if timing.ratio else f"{'-':>7}"
        print(f"{work.name:<26}{work.batch:>6} {work.mode:<8}{times}{speed / 1e9:9.1f}{share}{ratio}", flush=True)
        for note in dict.fromkeys(timing.notes):
            print(f"    {note}", flush=True)


def layer_summary(timings: list[Timing]) -> list[dict[str, object]]:
    """The geometric mean and the lowest ratio of each kind of layer and mode; prints them."""
    groups: dict[tuple[str, str], list[float]] = {}
    for timing in timings:
        if timing.ratio:
            groups.setdefault((timing.work.kind, timing.work.mode), []).append(timing.ratio)
    rows: list[dict[str, object]] = []
    for (kind, mode), ratios in groups.items():
        mean, lowest = statistics.geometric_mean(ratios), min(ratios)
        rows.append({"kind": kind, "mode": mode, "geometric_mean": mean, "lowest": lowest, "cases": len(ratios)})
        print(f"{kind:<10} {mode:<8} geometric mean {mean:5.2f}   lowest {lowest:5.2f}   of {len(ratios)}")
    return rows


def network_summary(timings: list[Timing]) -> None:
    """Prints each ratio to the best peer, and what the second thread brings."""
    for timing in timings:
        if not timing.ratio:
            continue
        peer = min(timing.peers, key=timing.peers.__getitem__)
        line = f"{str(timing.work):<36} {timing.ratio:5.2f} times as fast as {peer} ({timing.variants[peer]})"
        alone = timing.ratios.get("cconv, 1 thread")
        print(line + (f"   {alone:4.2f} times as fast as on one thread" if alone else ""))


def rows(timings: list[Timing]) -> list[dict[str, object]]:
    """For the JSON file."""
    return [
        {
            "case": timing.work.name,
            "kind": timing.work.kind,
            "batch": timing.work.batch,
            "mode": timing.work.mode,
            "flops": timing.flops,
            "seconds": timing.seconds,
            "variants": timing.variants,
            "ratios": timing.ratios,
            "ratio": timing.ratio,
            "notes": timing.notes,
        }
        for timing in timings
    ]


def write_json(path: Path, contents: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"date": time.strftime("%Y-%m-%d"), **contents}, indent=1) + "\n", encoding="utf-8")


def chart(timings: list[Timing], title: str, path: Path) -> None:
    """A bar for each case and peer, from 1 to the ratio; a panel for each mode."""
    from matplotlib.figure import Figure

    panels: dict[str, list[Timing]] = {}
    for timing in timings:
        if timing.ratio:
            panels.setdefault(timing.work.mode if timing.work.layer else "", []).append(timing)
    if not panels:
        return
    most = max(len(panel) for panel in panels.values())
    peers = sorted({name for timing in timings for name in timing.peers}, key=list(COLOURS).index)
    height = 1.4 + most * (0.16 + 0.1 * len(peers))
    figure = Figure(figsize=(8.5 * len(panels), height), layout="constrained")
    for place, (mode, panel) in enumerate(panels.items(), 1):
        plot = figure.add_subplot(1, len(panels), place)
        thick = 0.8 / len(peers)
        for i, peer in enumerate(peers):
            places = [at for at, timing in enumerate(panel) if peer in timing.peers]
            ratios = [panel[at].peers[peer] for at in places]
            middle = [at + (i - (len(peers) - 1) / 2) * thick for at in places]
            bars = plot.barh(middle, [r - 1 for r in ratios], thick, left=1, color=COLOURS[peer], label=peer)
            plot.bar_label(bars, [f"{ratio:.2f}" for ratio in ratios], fontsize=6, padding=2)
        names = [f"{t.work.name}, {t.work.batch}" if t.work.layer else str(t.work) for t in panel]
        plot.set_yticks(range(len(panel)), names, fontsize=7)
        plot.set_ylim(len(panel) - 0.4, -0.6)
        plot.set_xscale("log", base=2)
        plot.margins(x=0.1)
        ticks = [t for t in (0.125, 0.25, 0.5, 0.7, 1, 1.4, 2, 3, 4, 6, 8, 16, 32) if inside(t, panel)]
        plot.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        plot.minorticks_off()
        plot.axvline(1, color="black", linewidth=0.8)
        plot.grid(axis="x", alpha=0.3)
        plot.set_xlabel("the peer's time / cconv's: to the right of 1 cconv is faster")
        plot.set_title(mode or title)
    figure.axes[0].legend(loc="lower right", fontsize=8)
    if len(panels) > 1:
        figure.suptitle(title)
    figure.savefig(path, dpi=100)


def inside(tick: float, panel: list[Timing]) -> bool:
    ratios = [ratio for timing in panel for ratio in timing.peers.values()]
    return tick == 1 or min(ratios) * 0.8 <= tick <= max(ratios) * 1.25
