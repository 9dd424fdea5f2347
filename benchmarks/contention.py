"""cconv and its peers on cores that other programs use too: how many times its quiet time does each take?

Engines are held to as many cores as they have threads, so that a busy process on one of them is met, however many cores
the machine has.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

import turns
from work import Work

CHOICE = turns.Rules(rounds=1, turns=2, seconds=0.1)  # of a turn in which the quickest variant of an engine is found
TOGETHER = ("one after the other", "two processes", "two threads")  # ways to do two trainings
# Ends with its parent, whatever ended that.
SPIN = """
import os, sys
os.sched_setaffinity(0, [int(sys.argv[1])])
parent = os.getppid()
print(flush=True)
while os.getppid() == parent:
    for _ in range(100_000):
        pass
"""


@dataclass(frozen=True)
class Condition:
    """What the cores do besides: `busy` of them have a process each; the engine has `factor` threads a core."""

    name: str
    busy: int = 0
    factor: int = 1


@dataclass
class Contended:
    """What came out for one work and engine: seconds of a call and, against the quiet ones, ratios, by condition."""

    work: Work
    engine: str
    variant: str
    seconds: dict[str, float] = field(default_factory=dict)  # the median of the turns' medians
    ratios: dict[str, float] = field(default_factory=dict)  # of the medians, the median over rounds
    mean_ratios: dict[str, float] = field(default_factory=dict)  # of the mean times: has what rare long calls cost


def conditions(cores: int) -> list[Condition]:
    """A quiet machine first; one core busy, all of them; twice the threads."""
    found = [Condition("quiet"), Condition("1 busy", busy=1)]
    if cores > 1:
        found.append(Condition(f"{cores} busy", busy=cores))
    return [*found, Condition(f"{2 * cores} threads", factor=2)]


def core_numbers(threads: int) -> list[int]:
    """The first cores this process may use, one for each thread.

    Raises:
        RuntimeError: If there are fewer, or the system does not bind processes to cores.
    """
    if not hasattr(os, "sched_setaffinity"):
        raise RuntimeError("this system does not bind a process to a core")
    cores = sorted(os.sched_getaffinity(0))[:threads]
    if len(cores) < threads:
        raise RuntimeError(f"{threads} threads need as many cores, there are {len(cores)}")
    return cores


@contextmanager
def confined(cores: Sequence[int]) -> Iterator[None]:
    """This process and all that it starts meanwhile run on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def busy(core: int) -> Iterator[subprocess.Popen]:
    """A process of its own keeps this core busy."""
    command = [sys.executable, "-c", SPIN, str(core)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        if not process.stdout.readline():
            raise RuntimeError(f"no busy process on core {core}")
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class Contention:
    """The engines, and the cores they share with busy processes.

    Args:
        start: gives the process of an engine with so many threads, or None if it is not installed.
        engines: ours first.
        threads: of an engine, and cores.
        rounds: each gives ratios, their medians count.
        seconds: of a turn, at least three calls.
    """

    def __init__(
        self,
        start: Callable[[str, int], turns.Worker | None],
        engines: Sequence[str],
        threads: int,
        rounds: int,
        seconds: float,
    ) -> None:
        self.cores, self._rounds, self._seconds = core_numbers(threads), rounds, seconds
        self.conditions = conditions(threads)
        self._workers: dict[int, dict[str, turns.Worker]] = {1: {}, 2: {}}
        with confined(self.cores):
            for factor, workers in self._workers.items():
                for engine in engines:
                    if worker := start(engine, factor * threads):
                        workers[engine] = worker

    def measure(self, work: Work) -> list[Contended]:
        """One work under all conditions, of each engine that can do it. A round has all conditions and engines.

        Raises:
            turns.Failed: If ours could not do it.
        """
        try:
            found = [Contended(work, contender.worker.engine, contender.variant) for contender in self._chosen(work)]
            for contended in found:
                self._workers[2][contended.engine].ask("prepare", work, contended.variant)
            rounds = [self._round(found) for _ in range(self._rounds)]
        finally:
            self._drop()
        for contended in found:
            conclude(contended, [{name: row[contended.engine] for name, row in times.items()} for times in rounds])
        return found

    def _chosen(self, work: Work) -> list[turns.Contender]:
        """The quickest variant of each engine, ready with either number of threads."""
        workers = list(self._workers[1].values())
        contenders, timing = turns.prepare(work, workers)
        for note in timing.notes:
            print(f"    {note}", flush=True)
        best = turns.play(list(contenders), CHOICE, timing)
        chosen = []
        for worker in workers:
            if mine := [contender for contender in contenders if contender.worker is worker]:
                chosen.append(min(mine, key=best.__getitem__))
                worker.ask("keep", chosen[-1].variant)
        return chosen

    def _round(self, found: list[Contended]) -> dict[str, dict[str, tuple[float, float]]]:
        """condition -> engine -> median and mean of a turn."""
        times: dict[str, dict[str, tuple[float, float]]] = {}
        for condition in self.conditions:
            with ExitStack() as stack:
                for core in self.cores[: condition.busy]:
                    stack.enter_context(busy(core))
                for contended in found:
                    progress(f"{contended.work}, {condition.name}: {contended.engine}")
                    turns.settle([worker for workers in self._workers.values() for worker in workers.values()])
                    worker = self._workers[condition.factor][contended.engine]
                    taken = worker.ask("usual", contended.variant, self._seconds)
                    times.setdefault(condition.name, {})[contended.engine] = taken
        progress("")
        return times

    def side_by_side(self, work: Work) -> list[dict[str, object]]:
        """Two trainings at a time, of each engine: seconds, and the ratio to one after the other, by way."""
        try:
            return [self._two(work, contender) for contender in self._chosen(work)]
        finally:
            self._drop()

    def _two(self, work: Work, contender: turns.Contender) -> dict[str, object]:
        """Two trainings of one engine, in each way."""
        first, variant = contender.worker, contender.variant
        with confined(self.cores):
            other = turns.Worker(first.engine, len(self.cores))
        try:
            other.ask("prepare", work, variant)
            first.ask("prepare", work, variant, "second")
            return self._alike(first, other, variant)
        finally:
            other.close()

    def _alike(self, first: turns.Worker, other: turns.Worker, variant: str) -> dict[str, object]:
        calls = max(1, math.ceil(self._seconds / first.ask("usual", variant, 0)[0]))

        def processes() -> float:
            start = time.perf_counter()
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda worker: worker.ask("finish", [variant], calls), (first, other)))
            return time.perf_counter() - start

        ways: tuple[Callable[[], float], ...] = (
            lambda: sum(worker.ask("finish", [variant], calls) for worker in (first, other)),
            processes,
            lambda: first.ask("finish", [variant, "second"], calls),
        )
        rounds = []
        for _ in range(self._rounds):
            rounds.append({})
            for name, way in zip(TOGETHER, ways):
                progress(f"two trainings, {name}: {first.engine}")
                turns.settle([first, other])
                rounds[-1][name] = way()
        progress("")
        seconds = {name: statistics.median(times[name] for times in rounds) for name in TOGETHER}
        ratios = {name: statistics.median(times[name] / times[TOGETHER[0]] for times in rounds) for name in TOGETHER}
        return {"engine": first.engine, "steps": calls, "seconds": seconds, "ratios": ratios}

    def _drop(self) -> None:
        for workers in self._workers.values():
            for worker in workers.values():
                with suppress(turns.Failed):
                    worker.ask("drop")


def conclude(contended: Contended, rounds: list[dict[str, tuple[float, float]]]) -> None:
    """Fills in seconds and ratios from each round's medians and means by condition, the quiet one first."""
    quiet = next(iter(rounds[0]))
    for name in rounds[0]:
        contended.seconds[name] = statistics.median(times[name][0] for times in rounds)
        contended.ratios[name] = statistics.median(times[name][0] / times[quiet][0] for times in rounds)
        contended.mean_ratios[name] = statistics.median(times[name][1] / times[quiet][1] for times in rounds)


def progress(text: str) -> None:
    """Says on a terminal what is being done, in a line that the next one overwrites."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
