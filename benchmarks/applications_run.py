"""The suite `applications`: every network of `cconv.applications` beside PyTorch and ONNX Runtime.

A network has processes of its own. Its training step comes first, so that the memory of it is that of a fresh process;
then one image, then eight. Each row is kept in `applications.json` in the folder of `--out` as soon as it is there, in
the place of an older one, so that parts of the suite can be run one after the other, or again.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import time
from pathlib import Path
from typing import Any

import applications
import report
import turns
from applications import APPLICATIONS, GIGA
from work import Work

PATIENCE = 5.0  # seconds of a work after which no round begins
LONG = 40e9  # operations of a call before which a variant that was slow for one image is not tried for eight
PEERS = ("torch", "onnxruntime")
TITLES = {"torch": "PyTorch", "onnxruntime": "ONNX Runtime"}
Key = tuple[str, str, int]


class Rows:
    """The rows of a file, by network, mode and batch."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.about: dict[str, Any] = {}
        self.rows: dict[Key, dict[str, Any]] = {}
        if path.exists():
            self.about = json.loads(path.read_text(encoding="utf-8"))
            self.rows = {key_of(row): row for row in self.about.pop("rows")}

    def add(self, row: dict[str, Any], about: dict[str, Any]) -> None:
        """Takes a row up, and writes the file."""
        self.rows[key_of(row)] = row
        self.about |= about
        part = self.path.with_suffix(".part.json")
        report.write_json(part, {**self.about, "rows": self.sorted()})
        part.replace(self.path)

    def sorted(self) -> list[dict[str, Any]]:
        """The rows, smallest networks first."""
        rows = sorted(self.rows.values(), key=lambda row: (row["mode"] != "train", row["batch"]))
        return sorted(rows, key=lambda row: (GIGA[row["case"]], row["case"]))


def key_of(row: dict[str, Any]) -> Key:
    return row["case"], row["mode"], row["batch"]


def works_of(name: str, quick: bool) -> list[Work]:
    """A training step, one image, eight images."""
    network = APPLICATIONS[name]
    if quick:
        return [Work(name, min(2, network.train_batch), "train"), Work(name, 1, "infer")]
    return [Work(name, network.train_batch, "train"), Work(name, 1, "infer"), Work(name, 8, "infer")]


def measured(run: Any) -> list[dict[str, Any]]:
    """Runs what the options ask for; all rows there are, older ones as well."""
    options = run.options
    kept = Rows(options.out / f"applications{'_quick' * options.quick}.json")
    end = time.monotonic() + 60 * options.minutes
    left = []
    table = report.Table(["cconv", *PEERS], run.measure_peak())
    found = False
    for name in sorted(APPLICATIONS, key=GIGA.__getitem__):
        works = run.chosen(works_of(name, options.quick))
        found = found or bool(works)
        if options.resume:
            works = [work for work in works if not done(kept, work)]
        if works and time.monotonic() > end:
            left.append(name)
        elif works:
            try:
                network(run, works, kept, table)
            finally:
                run.close()
                if not options.files:
                    applications.forget(works[0])
    if not found:
        return []
    rows = kept.sorted()
    text = "\n".join((*markdown(rows), "", *summary(rows))) + "\n"
    kept.path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)
    if left:
        print(f"The time is up; left for --resume: {', '.join(left)}")
    return rows


def done(kept: Rows, work: Work) -> bool:
    """Whether there is a row that was measured."""
    row = kept.rows.get((work.name, work.mode, work.batch))
    return row is not None and "failed" not in row


def network(run: Any, works: list[Work], kept: Rows, table: report.Table) -> None:
    """All works of one network."""
    rules = dataclasses.replace(run.rules, patience=PATIENCE)
    struck: set[tuple[str, str]] = set()
    for work in works:
        long = 2e9 * GIGA[work.name] * work.batch > LONG
        peaks: dict[str, int] = {}
        try:
            timing = turns.measure(work, run.workers(PEERS), rules, struck if long else set(), peaks)
        except turns.Failed as error:
            run.close()  # nobody knows what has become of the processes
            text = str(error).strip().splitlines()[-1]
            run.results.setdefault("failed", []).append(f"{work}: {text}")
            print(f"{work}: FAILED: {text}", flush=True)
            row = {"case": work.name, "mode": work.mode, "batch": work.batch, "failed": text}
        else:
            table.add(timing)
            if not work.infers:
                show_peaks(peaks)
            else:
                struck = timing.struck
            (row,) = report.rows([timing])
            row["memory"] = peaks
        about = {key: run.results[key] for key in ("cpu", "system", "threads", "engines", "fma_peak")}
        kept.add(row, about)


def show_peaks(peaks: dict[str, int]) -> None:
    share = f", {peaks['cconv'] / peaks['torch']:.2f} of PyTorch's" if "torch" in peaks else ""
    print("    memory of the step: " + ", ".join(f"{k} {v / 1e6:.0f} MB" for k, v in peaks.items()) + share, flush=True)


def markdown(rows: list[dict[str, Any]]) -> list[str]:
    """A table with a line for each network and all of its rows."""
    head = ["network", "G multiply-adds", "step of", "cconv", "PyTorch", "ratio", "MB", "of PyTorch's"]
    for count in ("one image", "eight"):
        head += [f"{count}: cconv", "PyTorch", "ONNX Runtime", "ratio"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    by_key = {key_of(row): row for row in rows}
    for name in dict.fromkeys(row["case"] for row in rows):
        train = next((row for row in rows if row["case"] == name and row["mode"] == "train"), None)
        cells = [name, f"{GIGA[name]:g}", str(train["batch"]) if train else "-"]
        cells += [*times(train, ("cconv", "torch")), *memory(train)]
        for batch in (1, 8):
            cells += times(by_key.get((name, "infer", batch)), ("cconv", *PEERS))
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def times(row: dict[str, Any] | None, engines: tuple[str, ...]) -> list[str]:
    """Milliseconds, and the ratio; dashes where nothing was measured."""
    if row is None:
        return ["-"] * (len(engines) + 1)
    if "failed" in row:
        return ["failed", *["-"] * len(engines)]
    cells = [f"{1e3 * row['seconds'][name]:.3g}" if name in row["seconds"] else "-" for name in engines]
    return [*cells, f"{row['ratio']:.2f}" if row["ratio"] else "-"]


def memory(row: dict[str, Any] | None) -> list[str]:
    peaks = (row or {}).get("memory") or {}
    return [
        f"{peaks['cconv'] / 1e6:.0f}" if "cconv" in peaks else "-",
        f"{peaks['cconv'] / peaks['torch']:.2f}" if "torch" in peaks else "-",
    ]


def summary(rows: list[dict[str, Any]]) -> list[str]:
    """Geometric means, the mean of the memory, and what is slower than a peer or failed."""
    lines = []
    groups = {
        "training step": [row for row in rows if row["mode"] == "train"],
        "one image": [row for row in rows if row["mode"] == "infer" and row["batch"] == 1],
        "eight images": [row for row in rows if row["mode"] == "infer" and row["batch"] == 8],
        "inference": [row for row in rows if row["mode"] == "infer"],
    }
    for title, group in groups.items():
        if ratios := [row["ratio"] for row in group if row.get("ratio")]:
            mean = statistics.geometric_mean(ratios)
            lines.append(f"- {title}: geometric mean {mean:.2f}, lowest {min(ratios):.2f}, of {len(ratios)}")
    peaks = [row["memory"] for row in rows if "torch" in row.get("memory", {})]
    if shares := [peak["cconv"] / peak["torch"] for peak in peaks]:
        mean, most = statistics.fmean(shares), max(shares)
        lines.append(f"- memory of a step: {mean:.2f} of PyTorch's in the mean, at most {most:.2f}, of {len(shares)}")
    for row in rows:
        what = f"{row['case']} batch {row['batch']} {row['mode']}"
        if "failed" in row:
            lines.append(f"- failed: {what}: {row['failed']}")
            continue
        if (row["ratio"] or 1) < 1:
            peer = min(row["ratios"], key=row["ratios"].__getitem__)
            lines.append(f"- below 1: {what} {row['ratio']:.2f} ({TITLES[peer]} {row['variants'][peer]})")
        lines += [f"- note: {what}: {note}" for note in dict.fromkeys(row["notes"])]
    return lines
