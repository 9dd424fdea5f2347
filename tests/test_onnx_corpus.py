"""Small files that `make fuzz-onnx` found: each is loaded, or refused by one of the exceptions that say so."""

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
