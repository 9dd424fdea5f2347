"""Shared by all tests. Its place puts tests/ on the import path: `from cases import Case`, `import reference`."""

import os
from collections.abc import Iterator

import pytest
from op_harness import threads_allowed

# Teams of more threads than there are processors, whose results must be the same; the core asks at its first run.
os.environ.setdefault("CCONV_OVERSUBSCRIBE", "1")


@pytest.fixture
def three_threads() -> Iterator[None]:
    """Lets plans take up to three threads, however few processors or OMP_NUM_THREADS there are."""
    with threads_allowed(3):
        yield


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
