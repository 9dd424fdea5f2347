"""A few seconds of what `make fuzz-files` does for as long as one likes, and every file of its corpus as it is."""

import tempfile

import pytest
from robustness import fuzz_files


@pytest.mark.parametrize("path", sorted(fuzz_files.CORPUS.iterdir()), ids=lambda path: path.name)
def test_files_that_once_did_harm_are_refused(path, tmp_path):
    kind = next(kind for kind in fuzz_files.KINDS if path.name.endswith(kind))
    with pytest.raises(ValueError):
        fuzz_files.KINDS[kind](str(path))
    assert fuzz_files.check(path.read_bytes(), kind, str(tmp_path)) is None


def test_altered_files_are_loaded_whole_or_refused():
    said = []
    assert fuzz_files.fuzz(seed=7, seconds=60, count=60, say=said.append) == 0, "\n".join(said)
    assert said == ["60 files from seed 7 on: 0 failed"]


def test_what_fails_is_told_with_its_seed(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setitem(fuzz_files.KINDS, ".idx.gz", lambda path: 1 // 0)
    said = []
    assert fuzz_files.fuzz(seed=0, seconds=60, count=30, say=said.append) > 0
    assert said[0].startswith("seed ") and "ZeroDivisionError" in said[0]
