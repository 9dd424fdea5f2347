"""cconv beside other engines, on this machine and in one run.

    python benchmarks                                     layers, ranks, parts, networks, growth, facts
    python benchmarks layers --cases resnet_56 --quick    one thing, in seconds
    python benchmarks networks --cases mobilenet --batches 1 --engines torch onnxruntime
    python benchmarks applications --resume --minutes 10  a part of it; the next call goes on there

Suites: layers (convolutions of well-known networks, beside PyTorch), ranks (those of one and three axes, and transposed
ones), parts (attention, normalizations, resizing and others), networks (training and inference, beside all engines),
growth (time as a 3x3 convolution grows), facts (import time, installed size, memory of a training step).
Only when named: contention (networks on cores that busy processes use too; turns last two seconds), zoo (fourteen more
networks, beside all engines), models (the networks, and what --models names, from ONNX files beside ONNX Runtime and
OpenVINO, by cconv's C core too), applications (all networks of cconv.applications, beside PyTorch and ONNX Runtime).
Writes results.json and pictures into the folder given by --out. See docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import applications_run
import contention
import facts
import growth
import report
import suites
import turns
from report import C_CORE, ONE_THREAD
from work import NETWORKS, Work

ENGINES = ("torch", "tensorflow", "onnxruntime", "openvino", "litert", "ncnn", "mnn")
SUITES = ("layers", "ranks", "parts", "networks", "growth", "facts")
NAMED_SUITES = ("contention", "zoo", "models", "applications")  # long ones, which run only when they are named


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("suites", nargs="*", metavar="suite", help=f"of {', '.join(SUITES + NAMED_SUITES)}")
    parser.add_argument("--quick", action="store_true", help="fewer cases, one short round: to see that it runs")
    parser.add_argument("--cases", nargs="+", default=[""], help="only cases whose name contains one of these")
    parser.add_argument("--batches", type=int, nargs="+", help="only these")
    parser.add_argument("--modes", nargs="+", help="only these of forward, fwd+bwd, train, infer, predict")
    parser.add_argument("--engines", nargs="*", default=ENGINES, choices=ENGINES, help="beside cconv; default: all")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="of every engine, default 2")
    parser.add_argument("--rounds", type=int, help="each gives a ratio, the median counts; default 3")
    parser.add_argument("--seconds", type=float, help="of an engine's turn; default 0.04, contention: 2")
    parser.add_argument(
        "--out", type=Path, default=Path("build/benchmarks"), help="folder of results.json and pictures"
    )
    parser.add_argument(
        "--models", nargs="+", default=[], help="more ONNX files for the suite models, one input of images each"
    )
    parser.add_argument("--resume", action="store_true", help="applications: only what --out does not have yet")
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="applications: after which no network begins; default: all"
    )
    parser.add_argument("--files", help="folder to keep weights and ONNX files in from run to run")
    options = parser.parse_args()
    if unknown := set(options.suites) - set(SUITES + NAMED_SUITES):
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    options.suites = options.suites or SUITES
    return options


class Run:
    """One run of the program: the processes that are up, and what has come out."""

    def __init__(self, options: argparse.Namespace, files: str) -> None:
        self.options, self.files = options, files
        normal = turns.Rules(rounds=1, turns=2, seconds=0.01) if options.quick else turns.Rules()
        self.rules = turns.Rules(options.rounds or normal.rounds, normal.turns, options.seconds or normal.seconds)
        self.results: dict[str, Any] = {**facts.machine(), "threads": options.threads, "fma_peak": None}
        self._workers: dict[str, turns.Worker] = {}
        self._missing: set[str] = set()
        self._told: set[tuple[str, str]] = set()  # engines that are printed

    def workers(self, engines: Sequence[str], single: bool = False) -> list[turns.Worker]:
        """Ours, then those of the engines that are installed; with `single`, ours on one thread too."""
        threads = self.options.threads
        wanted = [(name, threads, name) for name in ("cconv", *engines) if name in ("cconv", *self.options.engines)]
        if single and threads > 1:
            wanted.append(("cconv", 1, ONE_THREAD))
        return [worker for engine, count, label in wanted if (worker := self.worker(engine, count, label))]

    def worker(self, engine: str, threads: int, label: str) -> turns.Worker | None:
        if engine in self._missing:
            return None
        if label not in self._workers:
            try:
                worker = turns.Worker(engine, threads, label)
            except turns.Missing as error:
                if engine == "cconv":
                    sys.exit(f"cconv: {error}")
                print(f"{engine}: not installed, left out ({error})")
                self._missing.add(engine)
                return None
            self._workers[label] = worker
            about = {key: value for key, value in worker.facts.items() if key != "import_seconds"}
            known = self.results.setdefault("engines", {})
            if (engine, label) not in self._told:
                print(f"{engine} {' '.join(map(str, about.values()))}, threads: {threads}")
            self._told.add((engine, label))
            known[engine] = about
        return self._workers[label]

    def measure_peak(self) -> float | None:
        """The machine's peak: the best so far, for the clock drifts."""
        found = facts.fma_peak(self.options.threads)
        if found:
            self.results["fma_peak"] = max(found, self.results["fma_peak"] or 0)
        return self.results["fma_peak"]

    def named(self, name: str) -> bool:
        """Whether the options ask for this case."""
        return any(part in name for part in self.options.cases)

    def chosen(self, works: list[Work]) -> list[Work]:
        """Those that the options ask for."""
        options = self.options
        return [
            dataclasses.replace(work, folder=self.files)
            for work in works
            if self.named(work.name)
            and (not options.batches or work.batch in options.batches)
            and (not options.modes or work.mode in options.modes)
        ]

    def time(self, works: list[Work], workers: list[turns.Worker]) -> list[turns.Timing]:
        """All of them, each with its line. One that fails is told, and left out."""
        table = report.Table([worker.label for worker in workers], self.measure_peak())
        timings = []
        for work in works:
            with self.failure_told(work):
                timings.append(turns.measure(work, workers, self.rules))
                table.add(timings[-1])
        return timings

    @contextmanager
    def failure_told(self, work: Work) -> Iterator[None]:
        """A work that fails is told, and the next one comes."""
        try:
            yield
        except turns.Failed as error:
            self.results.setdefault("failed", []).append(f"{work}: {error}")
            print(f"{work}: FAILED: {str(error).strip().splitlines()[-1]}", flush=True)

    def layers(self) -> None:
        self.time_layers("layers", suites.layer_works, "Convolution layers beside PyTorch")

    def ranks(self) -> None:
        self.time_layers("ranks", suites.rank_works, "Other convolutions beside PyTorch")

    def parts(self) -> None:
        self.time_layers("parts", suites.part_works, "Other parts of networks beside PyTorch")

    def time_layers(self, suite: str, make_works: Callable[[bool], list[Work]], title: str) -> None:
        if works := self.chosen(make_works(self.options.quick)):
            timings = self.time(works, self.workers(["torch"]))
            self.results[suite] = report.rows(timings)
            self.results[f"{suite}_summary"] = report.layer_summary(timings)
            report.chart(report.layer_bars(timings), title, self.options.out / f"{suite}.png")

    def networks(self) -> None:
        self.time_networks("networks", suites.network_works, "Networks")

    def zoo(self) -> None:
        self.time_networks("zoo", suites.zoo_works, "More networks")

    def models(self) -> None:
        if works := self.chosen(suites.model_works(self.options.models, self.options.quick)):
            workers = self.workers(["onnxruntime", "openvino"])
            workers.append(self.worker("c", self.options.threads, C_CORE))
            timings = self.time(works, workers)
            self.results["models"] = report.rows(timings)
            report.network_summary(timings)

    def time_networks(self, suite: str, make_works: Callable[[bool], list[Work]], title: str) -> None:
        if works := self.chosen(make_works(self.options.quick)):
            timings = self.time(works, self.workers(ENGINES, single=True))
            self.results[suite] = report.rows(timings)
            report.network_summary(timings)
            report.chart(report.network_bars(timings), title, self.options.out / f"{suite}.png")

    def growth(self) -> None:
        grown = {axis: self.chosen(works) for axis, works in suites.growth_works(self.options.quick).items()}
        if grown := {axis: works for axis, works in grown.items() if works}:
            workers = self.workers(["torch"])
            timed = {axis: self.time(works, workers) for axis, works in grown.items()}
            self.results["growth"] = {axis: report.rows(timings) for axis, timings in timed.items()}
            self.results["growth_summary"] = growth.summary(timed)
            growth.picture(timed, self.options.out / "growth.png")

    def contention(self) -> None:
        options = self.options
        works = self.chosen(suites.contention_works(options.quick))
        if not works:
            return

        def start(engine: str, threads: int) -> turns.Worker | None:
            return self.worker(engine, threads, f"{engine} among others, {threads} threads")

        engines = ["cconv", *(name for name in ("torch", "onnxruntime") if name in options.engines)]
        seconds = options.seconds or (0.1 if options.quick else 2)
        try:
            among = contention.Contention(start, engines, options.threads, self.rules.rounds, seconds)
        except RuntimeError as error:
            sys.exit(f"contention: {error}")
        table = report.ContentionTable([condition.name for condition in among.conditions])
        found = []
        for work in works:
            with self.failure_told(work):
                found += among.measure(work)
                table.add([one for one in found if one.work is work])
        self.results["contention"] = report.contention_rows(found)
        for work in works:
            if work.name == "mnist_convnet" and work.mode == "train":
                with self.failure_told(work):
                    self.results["two_trainings"] = among.side_by_side(work)
                    report.print_together(work.name, self.results["two_trainings"])

    def facts(self) -> None:
        options = self.options
        names = [name for name in NETWORKS if self.named(name)]
        if options.quick:
            names = names[:1]
        self.results["packages"] = facts.engine_facts(["cconv", *options.engines])
        trained = ["cconv", *(name for name in ("torch", "tensorflow") if name in options.engines)]
        print("Memory a training step takes beyond the import:")
        self.results["training_memory"] = facts.training_memory(trained, options.threads, self.files, names)

    def applications(self) -> None:
        self.results["applications"] = applications_run.measured(self)

    def close(self) -> None:
        """Ends the processes; whoever needs some gets new ones."""
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()


def main() -> None:
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        files = options.files or temporary
        Path(files).mkdir(parents=True, exist_ok=True)
        run = Run(options, files)
        peak = run.measure_peak()
        about = f"multiply-adds at most {peak / 1e9:.0f} GFLOP/s" if peak else "no C compiler: peak not known"
        print(f"{run.results['cpu']}, {options.threads} threads, {about}")
        for suite in options.suites:
            print(f"\n---- {suite} ----", flush=True)
            getattr(run, suite)()
            report.write_json(options.out / "results.json", run.results)
        run.close()
    if run.results.get("failed"):
        sys.exit("some works have failed, see above")
    if not any(run.results.get(suite) for suite in (*SUITES[:5], *NAMED_SUITES, "packages")):
        sys.exit("nothing was measured: no case of the suites fits --cases, --batches and --modes")


if __name__ == "__main__":
    main()
