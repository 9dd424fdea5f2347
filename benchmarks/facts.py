"""Measured once: the machine's peak, and of each engine the import, the size on disk, the memory of a training step."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from turns import Failed, Missing, Worker
from work import HERE, NETWORKS, Work

PACKAGES = {  # what a program imports
    "cconv": "cconv",
    "torch": "torch",
    "tensorflow": "tensorflow",
    "onnxruntime": "onnxruntime",
    "openvino": "openvino",
    "litert": "ai_edge_litert.interpreter",
    "ncnn": "ncnn",
    "mnn": "MNN",
}
SOURCES = {".c", ".h", ".pyx", ".pxd", ".pyc"}  # beside an editable installation, not part of an installed one


def machine() -> dict[str, object]:
    """Its name, as the system has it."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        name = names[0] if names else name
    return {"cpu": name, "system": platform.platform(terse=True), "python": platform.python_version()}


def fma_peak(threads: int) -> float | None:
    """FLOP/s of nothing but multiply-adds on so many threads; None without a C compiler."""
    compiler = shutil.which("cc")
    if not compiler:
        return None
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "fma_peak"
        flags = ["-O2", "-march=native", "-ffp-contract=fast", "-pthread"]
        built = subprocess.run([compiler, *flags, str(HERE / "fma_peak.c"), "-o", str(program)], capture_output=True)
        if built.returncode:
            return None
        return 1e9 * max(float(subprocess.check_output([str(program), str(threads)])) for _ in range(3))


def import_seconds(package: str, tries: int = 3) -> float | None:
    """The best of several imports, each in a process of its own that has NumPy already; modules are compiled before."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    code = f"import numpy, time; t = time.perf_counter(); import {package}; print(time.perf_counter() - t)"
    best = None
    for _ in range(1 + tries):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
        if done.returncode:
            return None
        seconds = float(done.stdout.split()[-1])
        best = seconds if best is None else min(best, seconds)
    return best


def installed_bytes(package: str) -> int | None:
    """Of the package's folder, without what only a source tree has; without its dependencies."""
    spec = importlib.util.find_spec(package.partition(".")[0])
    if spec is None or not spec.submodule_search_locations:
        return None
    files = (path for folder in spec.submodule_search_locations for path in Path(folder).rglob("*"))
    return sum(path.stat().st_size for path in files if path.is_file() and path.suffix not in SOURCES)


def engine_facts(engines: Iterable[str]) -> dict[str, dict[str, float]]:
    """Import and size of each; prints them."""
    found = {}
    for engine in engines:
        seconds, size = import_seconds(PACKAGES[engine]), installed_bytes(PACKAGES[engine])
        if seconds is not None and size is not None:
            found[engine] = {"import_seconds": seconds, "installed_bytes": size}
            print(f"{engine:<12} import after NumPy {seconds:6.3f} s   installed {size / 1e6:7.1f} MB")
    return found


def training_memory(
    engines: Iterable[str], threads: int, folder: str, names: Iterable[str]
) -> dict[str, dict[str, float]]:
    """The bytes that each engine's process grows to in a training step, by network; prints them."""
    found: dict[str, dict[str, float]] = {}
    for name in names:
        row: dict[str, float] = {}
        for engine in engines:
            work = Work(name, NETWORKS[name].train_batch, "train", folder=folder)
            try:
                row[engine] = peak(engine, work, threads)
            except Missing:
                continue
            except Failed as error:
                print(f"{name}: {engine}: {str(error).strip().splitlines()[-1]}")
        if "cconv" in row:
            found[name] = row
            figures = "".join(f"   {engine} {size / 1e6:7.1f} MB" for engine, size in row.items())
            share = f"   ours / PyTorch's {row['cconv'] / row['torch']:.2f}" if "torch" in row else ""
            print(f"{name + ', batch ' + str(work.batch):<24}{figures}{share}", flush=True)
    return found


def peak(engine: str, work: Work, threads: int) -> int:
    """In a fresh process, so that nothing is left of other works."""
    worker = Worker(engine, threads)
    try:
        variants = worker.ask("variants", work)
        if not variants:
            raise Missing(engine)
        worker.ask("prepare", work, variants[0])
        return worker.ask("peak", variants[0])
    finally:
        worker.close()
