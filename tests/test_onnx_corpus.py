"""Small files that `make fuzz-onnx` found: each is loaded, or refused by one of the exceptions that say so."""

import math
import zipfile
from pathlib import Path

from cconv import _core

CORPUS = Path(__file__).parent / "robustness" / "onnx_corpus.zip"


def test_models_of_the_fuzzer_are_loaded_or_refused():
    loaded = refused = 0
    with zipfile.ZipFile(CORPUS) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            if data[:1] == b"A" or data[8:9] == b"{":  # attributes, parameters
                continue
            try:
                assert _core.load_onnx(data) is not None
                loaded += 1
            except (ValueError, NotImplementedError, MemoryError) as error:
                assert str(error), name
                refused += 1
    assert loaded > 50 and refused > 50, (loaded, refused)


def test_indices_of_a_pooling_take_tables_as_long_as_its_axes():
    """Not one of 43 * 25 places by 60 * 80 cells, which took seconds to be written."""
    with zipfile.ZipFile(CORPUS) as archive:
        graph = _core.load_onnx(archive.read("pool_of_indices_that_took_long"))
    assert sum(math.prod(node.shape) for node in graph.nodes() if node.kind == "constant") < 10_000
