"""A process of one engine: prepares works, and times them when told. `turns.Worker` starts it and talks to it.

    python worker.py ENGINE THREADS

Requests and answers are pickles on standard input and output. Between requests it waits for input, and burns nothing.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import pickle
import re
import resource
import statistics
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def memory(what: str) -> int:
    """Bytes of this process: "VmRSS" now, "VmHWM" at most so far."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(what + r":\s+(\d+) kB", status.read_text())[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def give_back() -> None:
    """Lets malloc return what is free, where it can: what making the weights left over is no part of a step."""
    if os.name == "posix" and hasattr(ctypes.CDLL(None), "malloc_trim"):
        ctypes.CDLL(None).malloc_trim(0)


def forget_peak() -> None:
    """Lets the largest size of this process begin anew, where the system can."""
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")


class Server:
    """What the driver may ask for, one method each."""

    def __init__(self, engine: str, threads: int) -> None:
        import numpy  # noqa: F401  (everyone's; what the engine adds is measured)

        start = time.perf_counter()
        self._engine = importlib.import_module(f"engine_{engine}")
        self.facts = {**self._engine.start(threads), "import_seconds": time.perf_counter() - start}
        gc.collect()
        self._imported = memory("VmRSS")
        self._calls: dict[str, Any] = {}

    def variants(self, work: Any) -> tuple[str, ...]:
        return self._engine.variants(work)

    def prepare(self, work: Any, variant: str, key: str = "") -> tuple[dict, float]:
        """Builds, and runs once or more; returns results and flops. Others call it `key`, by default the variant."""
        prepared = self._engine.prepare(work, variant)
        self._calls[key or variant] = prepared.call, prepared.before or (lambda: None)
        return prepared.results, prepared.flops

    def time(self, variant: str, seconds: float) -> float:
        """The best time of a call, for about so many seconds, at least one call."""
        return min(self._times(variant, seconds, 1))

    def usual(self, variant: str, seconds: float) -> tuple[float, float]:
        """Median and mean of the times of calls, for about so many seconds, at least three calls."""
        times = self._times(variant, seconds, 3)
        return statistics.median(times), statistics.fmean(times)

    def _times(self, variant: str, seconds: float, least: int) -> list[float]:
        (call, before), clock = self._calls[variant], time.perf_counter
        times, end = [], clock() + seconds
        gc.disable()
        while len(times) < least or clock() < end:
            before()
            start = clock()
            call()
            times.append(clock() - start)
        gc.enable()
        return times

    def finish(self, keys: list[str], calls: int) -> float:
        """Seconds until so many calls of each are done, each in a thread of its own."""

        def repeat(key: str) -> None:
            for _ in range(calls):
                self._calls[key][0]()

        start = time.perf_counter()
        with ThreadPoolExecutor(len(keys)) as pool:
            list(pool.map(repeat, keys))  # a list, so that an error is not lost
        return time.perf_counter() - start

    def peak(self, variant: str, calls: int = 3) -> int:
        """Bytes this process grows to in so many calls, beyond what it had when the engine was imported."""
        gc.collect()
        give_back()
        forget_peak()
        call, _ = self._calls[variant]
        for _ in range(calls):
            call()
        return memory("VmHWM") - self._imported

    def keep(self, variant: str) -> None:
        """Forgets the works that are not called so."""
        self._calls = {variant: self._calls[variant]}
        gc.collect()

    def drop(self) -> None:
        """Forgets all works."""
        self._calls.clear()
        gc.collect()


def main() -> None:
    engine, threads = sys.argv[1], int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # an engine that prints does not disturb
    server: Server | None = None

    def answer(kind: str, value: Any) -> None:
        pickle.dump((kind, value), answers)
        answers.flush()

    try:
        server = Server(engine, threads)
        answer("ok", server.facts)
    except ImportError as error:
        answer("missing", str(error))
        return
    while True:
        try:
            name, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer("ok", getattr(server, name)(*arguments))
        except Exception:
            answer("error", traceback.format_exc())


if __name__ == "__main__":
    main()
