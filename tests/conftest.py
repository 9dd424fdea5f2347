"""Shared by all tests. Its place puts tests/ on the import path: `from cases import Case`, `import reference`."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from op_harness import threads_allowed

from cconv import _core

TOP = Path(__file__).resolve().parent.parent
WORKERS = 8  # each collects all tests and holds half a gigabyte: more of them end hardly sooner

# Teams of more threads than there are processors, whose results must be the same; the core asks at its first run.
os.environ.setdefault("CCONV_OVERSUBSCRIBE", "1")


@pytest.fixture
def three_threads() -> Iterator[None]:
    """Lets plans take up to three threads, however few processors or OMP_NUM_THREADS there are."""
    with threads_allowed(3):
        yield


@pytest.fixture(scope="session")
def library() -> Path:
    """The folder that `make lib` fills. Of several processes one makes it, the others wait."""
    fcntl = pytest.importorskip("fcntl")
    folder = TOP / "build"
    folder.mkdir(exist_ok=True)
    with open(folder / "lib.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = subprocess.run(["make", "lib"], cwd=TOP, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    return folder / "lib"


@pytest.hookimpl(optionalhook=True)  # pytest-xdist's
def pytest_xdist_auto_num_workers() -> int:
    """With `-n auto`: a process for each processor we may use."""
    return min(_core.get_num_threads(), WORKERS)


def pytest_configure(config: pytest.Config) -> None:
    """Of several processes each has its share of the processors; at least two, so that teams are tested."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    threads = _core.get_num_threads()
    share = max(2, threads // workers)
    if workers > 1 and share < threads:
        os.environ["OMP_NUM_THREADS"] = str(share)
        _core.set_num_threads(0)  # which asks again


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="of every test its first case and its last; none marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --quick: every file and every test function stays, but for those marked slow; of many cases two do."""
    if not config.getoption("--quick"):
        return
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if not item.get_closest_marker("slow"):
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    kept = {id(item) for found in cases.values() for item in (found[0], found[-1])}
    config.hook.pytest_deselected(items=[item for item in items if id(item) not in kept])
    items[:] = [item for item in items if id(item) in kept]
