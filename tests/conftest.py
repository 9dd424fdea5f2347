"""Shared by all tests. Its place puts tests/ on the import path: `from cases import Case`, `import reference`."""

from collections.abc import Iterator

import pytest
from op_harness import threads_allowed


@pytest.fixture
def three_threads() -> Iterator[None]:
    """Lets plans take up to three threads, however few processors or OMP_NUM_THREADS there are."""
    with threads_allowed(3):
        yield
