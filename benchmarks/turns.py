"""Engines in processes of their own take turns: ours, peer, ours, ... One works, the others wait.

A disturbance of the machine so meets everyone, no engine's idle threads steal from another, and caches are as cold for
one as for the other. The best time of several turns counts, and the ratio is the median over rounds.
"""

from __future__ import annotations

import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from work import HERE, Work, agree

SETTLE = 0.03  # seconds in which no engine may use the processor before another's turn
PATIENCE = 1.0  # seconds that are waited for that, at most
TOO_SLOW = 1.25  # a variant that is slower than its engine's best by this factor is not timed again


class Missing(Exception):
    """The engine is not installed."""


class Failed(Exception):
    """The engine could not do it; the text says why."""


class Worker:
    """The process of an engine.

    Args:
        engine: its name, as in engine_<name>.py.
        threads: how many it may take.
        label: its name in tables, by default the engine's.
    """

    def __init__(self, engine: str, threads: int, label: str = "") -> None:
        self.engine, self.label = engine, label or engine
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": str(threads),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "KERAS_BACKEND": "tensorflow",
        }
        command = [sys.executable, str(HERE / "worker.py"), engine, str(threads)]
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  shown if the process ends: much is no error
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=self._said)
        self.facts: dict[str, Any] = self._answer()

    def ask(self, name: str, *arguments: Any) -> Any:
        """Calls a method of `worker.Server`."""
        with suppress(BrokenPipeError):  # then there is no answer either
            pickle.dump((name, arguments), self._process.stdin)
            self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        try:
            kind, value = pickle.load(self._process.stdout)
        except EOFError:
            self._said.seek(0)
            last = self._said.read().decode(errors="replace").strip()[-2000:]
            raise Failed(f"{last}\n{self.engine}: its process ended with {self._process.wait()}") from None
        if kind == "ok":
            return value
        raise (Missing if kind == "missing" else Failed)(value)

    def cpu_seconds(self) -> float:
        """That its process has used, where the system tells."""
        try:
            with open(f"/proc/{self._process.pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """Ends the process."""
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._said.close()


@dataclass(frozen=True)
class Contender:
    """One way to do a work: an engine's process, and which of its ways."""

    worker: Worker
    variant: str

    @property
    def label(self) -> str:
        return self.worker.label


@dataclass
class Timing:
    """What came out for one work: best seconds and, of each peer, the median of its ratio to ours."""

    work: Work
    flops: float
    seconds: dict[str, float] = field(default_factory=dict)  # by engine, the best of its variants
    variants: dict[str, str] = field(default_factory=dict)  # which that was
    ratios: dict[str, float] = field(default_factory=dict)  # by peer: its time / ours
    notes: list[str] = field(default_factory=list)
    struck: set[tuple[str, str]] = field(
        default_factory=set
    )  # engines' variants that were slower than others of theirs

    @property
    def peers(self) -> dict[str, float]:
        """The ratios of other engines."""
        return {name: ratio for name, ratio in self.ratios.items() if not name.startswith("cconv")}

    @property
    def ratio(self) -> float | None:
        """The best peer's time divided by ours; above 1 we are faster."""
        return min(self.peers.values(), default=None)


@dataclass(frozen=True)
class Rules:
    """How long is measured.

    Args:
        rounds: each gives a ratio; their median counts.
        turns: of each engine in a round; the best counts. One, where a call takes half a second.
        seconds: of a turn; a call that takes longer is one turn.
        patience: seconds after which no further round begins.
    """

    rounds: int = 3
    turns: int = 2
    seconds: float = 0.04
    patience: float = float("inf")


def measure(
    work: Work,
    workers: list[Worker],
    rules: Rules,
    without: Collection[tuple[str, str]] = (),
    peaks: dict[str, int] | None = None,
) -> Timing:
    """Times one work on the engines that can do it; the first is ours. Their results are compared before.

    Args:
        work: What is done.
        workers: Who does it.
        rules: How long.
        without: Engines' variants that are left out.
        peaks: Where to put, for training, the memory of the first variant of each engine, in a fresh process.

    Raises:
        Failed: If ours could not do it.
    """
    try:
        contenders, timing = prepare(work, workers, without, peaks)
        rounds, end = [], time.perf_counter() + rules.patience
        while len(rounds) < rules.rounds and (not rounds or time.perf_counter() < end):
            rounds.append(play(contenders, rules, timing))
        conclude(rounds, timing)
        return timing
    finally:
        for worker in workers:
            with suppress(Failed):
                worker.ask("drop")


def prepare(
    work: Work,
    workers: list[Worker],
    without: Collection[tuple[str, str]] = (),
    peaks: dict[str, int] | None = None,
) -> tuple[list[Contender], Timing]:
    """All who can do the work, ours first, and a timing that has notes about those who cannot."""
    contenders: list[Contender] = []
    timing = Timing(work, 0)
    expected: dict = {}
    for worker in workers:
        for variant in worker.ask("variants", work):
            contender = Contender(worker, variant)
            if (contender.label, variant) in without:
                continue
            try:
                results, flops = worker.ask("prepare", work, variant)
            except Failed as error:
                if worker is workers[0]:
                    raise
                timing.notes.append(f"{contender.label} {variant}: {str(error).strip().splitlines()[-1]}")
                continue
            if worker is workers[0]:
                expected, timing.flops = results, flops
            elif complaint := agree(expected, results, work):
                raise Failed(f"{work}: {contender.label} {variant}: {complaint}")
            if peaks is not None and not work.infers and worker.label not in peaks:
                peaks[worker.label] = worker.ask("peak", variant, 1)
            contenders.append(contender)
    return contenders, timing


def settle(workers: Collection[Worker]) -> None:
    """Waits until the threads of the engine before have fallen asleep: some look for work for 50 ms and more."""
    end = time.perf_counter() + PATIENCE
    used, before = [worker.cpu_seconds() for worker in workers], None
    while used != before and time.perf_counter() < end:
        time.sleep(SETTLE)
        used, before = [worker.cpu_seconds() for worker in workers], used


def play(contenders: list[Contender], rules: Rules, timing: Timing) -> dict[Contender, float]:
    """One round; slow variants are struck off the list. Notes the engines that do not sleep while others work."""
    best = dict.fromkeys(contenders, float("inf"))
    workers = {contender.worker for contender in contenders}
    for _ in range(rules.turns):
        for contender in contenders:
            settle(workers)
            idle = [(worker, worker.cpu_seconds()) for worker in workers if worker is not contender.worker]
            start = time.perf_counter()
            best[contender] = min(best[contender], contender.worker.ask("time", contender.variant, rules.seconds))
            took = time.perf_counter() - start
            for worker, before in idle:
                used = worker.cpu_seconds() - before
                if used > 0.03 + 0.05 * took:
                    timing.notes.append(f"{worker.engine} used {used:.2f} s of CPU while {contender.label} worked")
        if max(best.values()) > 0.5:
            break
    for contender in list(contenders):
        rivals = [best[other] for other in contenders if other.worker is contender.worker]
        if best[contender] > TOO_SLOW * min(rivals):
            contenders.remove(contender)
            timing.struck.add((contender.label, contender.variant))
    return best


def conclude(rounds: list[dict[Contender, float]], timing: Timing) -> None:
    """Fills in the best seconds, and the median of the ratios."""
    per_round: list[dict[str, float]] = []
    for times in rounds:
        engines: dict[str, float] = {}
        for contender, seconds in times.items():
            if seconds < engines.get(contender.label, float("inf")):
                engines[contender.label] = seconds
            if seconds < timing.seconds.get(contender.label, float("inf")):
                timing.seconds[contender.label], timing.variants[contender.label] = seconds, contender.variant
        per_round.append(engines)
    ours = next(iter(rounds[0])).label
    for label in timing.seconds:
        if label != ours:
            timing.ratios[label] = statistics.median(times[label] / times[ours] for times in per_round)
