"""Tables, summaries, the JSON file and the bar charts."""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from contention import TOGETHER, Contended
from turns import Timing

ONE_THREAD = "cconv, 1 thread"  # the label of ours on one thread
C_CORE = "cconv in C"  # and of the C core alone


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
        share = f"{speed / self._peak:9.0%}" if self._peak and speed else " " * 9
        rate = f"{speed / 1e9:9.1f}" if speed else " " * 9  # what only moves numbers has none
        ratio = f"{timing.ratio:7.2f}" if timing.ratio else f"{'-':>7}"
        print(f"{work.name:<26}{work.batch:>6} {work.mode:<8}{times}{rate}{share}{ratio}", flush=True)
        for note in dict.fromkeys(timing.notes):
            print(f"    {note}", flush=True)


def layer_summary(timings: list[Timing]) -> list[dict[str, object]]:
    """The geometric mean and the lowest ratio by kind of layer and mode; printed. "not 3x3" has all other images."""
    groups: dict[tuple[str, str], list[float]] = {}
    for timing in timings:
        if timing.ratio:
            kind = timing.work.kind
            groups_of = {"depthwise": ["not 3x3", kind], "other": ["not 3x3"]}
            for group in groups_of.get(kind, [kind]):
                groups.setdefault((group, timing.work.mode), []).append(timing.ratio)
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
        alone = timing.ratios.get(ONE_THREAD)
        print(line + (f"   {alone:4.2f} times as fast as on one thread" if alone else ""))


class ContentionTable:
    """Prints a line for each work and engine: the time under each condition, and what it is of the quiet one."""

    def __init__(self, conditions: list[str]) -> None:
        columns = "".join(f"{name:>10}{'(ratios)':>14}" for name in conditions[1:])
        print(f"{'case':<16}{'batch':>6} {'mode':<7}{'engine':<13}{conditions[0]:>10}{columns}   (ms, median of calls;")
        print("   ratios to the quiet time: of the medians / of the means, which have rare long calls in them)")

    def add(self, found: list[Contended]) -> None:
        for one in found:
            quiet, *others = one.seconds
            columns = "".join(
                f"{one.seconds[name] * 1e3:10.3f}{f'({one.ratios[name]:.2f} / {one.mean_ratios[name]:.2f})':>14}"
                for name in others
            )
            case = f"{one.work.name:<16}{one.work.batch:>6} {one.work.mode:<7}{one.engine:<13}"
            print(f"{case}{one.seconds[quiet] * 1e3:10.3f}{columns}", flush=True)


def contention_rows(found: list[Contended]) -> list[dict[str, object]]:
    """For the JSON file."""
    return [
        {
            "case": one.work.name,
            "batch": one.work.batch,
            "mode": one.work.mode,
            "engine": one.engine,
            "variant": one.variant,
            "seconds": one.seconds,
            "ratios": one.ratios,
            "mean_ratios": one.mean_ratios,
        }
        for one in found
    ]


def print_together(name: str, rows: list[dict[str, object]]) -> None:
    """Two trainings in each way: seconds, and the ratio to one after the other."""
    for row in rows:
        ways = "   ".join(f"{way} {row['seconds'][way]:.2f} s ({row['ratios'][way]:.2f})" for way in TOGETHER)
        print(f"two trainings of {name}, {row['steps']} steps each, {row['engine']}: {ways}", flush=True)


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


@dataclass(frozen=True)
class Bar:
    """In a chart: a case (a row of the panel), what is compared there (a colour), and the ratio."""

    panel: str
    case: str
    series: str
    ratio: float


def layer_bars(timings: list[Timing]) -> list[Bar]:
    """A panel for each mode, a colour for each batch."""
    return [Bar(t.work.mode, t.work.name, f"batch {t.work.batch}", t.ratio) for t in timings if t.ratio]


def network_bars(timings: list[Timing]) -> list[Bar]:
    """A colour for each peer."""
    return [Bar("", str(t.work), peer, ratio) for t in timings for peer, ratio in t.peers.items()]


def chart(bars: list[Bar], title: str, path: Path) -> None:
    """Bars from 1 to the ratio, on a logarithmic axis."""
    from matplotlib.figure import Figure

    if not bars:
        return
    panels, series = (list(dict.fromkeys(getattr(bar, name) for bar in bars)) for name in ("panel", "series"))
    cases = list(dict.fromkeys(bar.case for bar in bars))
    size = (1 + 7.5 * len(panels), 1.6 + len(cases) * (0.12 + 0.11 * len(series)))
    figure = Figure(figsize=size, layout="constrained")
    low, high = min(1.0, *(bar.ratio for bar in bars)), max(1.0, *(bar.ratio for bar in bars))
    ticks = [
        t for t in (1 / 16, 1 / 8, 0.25, 0.5, 0.7, 1, 1.4, 2, 3, 4, 6, 8, 12, 16, 32) if low * 0.9 <= t <= high * 1.1
    ]
    thick = 0.84 / len(series)
    for plot, panel in zip(figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], panels):
        for i, name in enumerate(series):
            chosen = [bar for bar in bars if (bar.panel, bar.series) == (panel, name)]
            places = [cases.index(bar.case) + (i - (len(series) - 1) / 2) * thick for bar in chosen]
            drawn = plot.barh(places, [bar.ratio - 1 for bar in chosen], thick, left=1, color=f"C{i}", label=name)
            plot.bar_label(drawn, [f"{bar.ratio:.2f}" for bar in chosen], fontsize=6, padding=2)
        plot.set_yticks(range(len(cases)), cases, fontsize=8)
        plot.set_ylim(len(cases) - 0.4, -0.6)
        plot.set_xscale("log")
        plot.set_xlim(low / 1.25, high * 1.25)
        plot.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        plot.minorticks_off()
        plot.axvline(1, color="black", linewidth=0.8)
        plot.grid(axis="x", alpha=0.3)
        plot.set_xlabel("the peer's time / cconv's: right of 1 cconv is faster")
        plot.set_title(panel)
    figure.axes[0].legend(loc="best", fontsize=8)
    figure.suptitle(title)
    figure.savefig(path, dpi=100)
