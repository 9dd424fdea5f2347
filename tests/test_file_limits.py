"""Small files that claim, or unpack to, far more than they hold; and saving where there is little memory."""

import io
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from robustness.flip_bits import small_model

import cconv
from cconv.datasets import cifar10

MEMBERS = ("metadata.json", "config.json", "model.weights.h5")


def repack(path: Path, method: int, **changed: bytes) -> None:
    """Writes the members of a file anew, by another method, as a file without a checksum (one of Keras') is."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in MEMBERS}
    members["metadata.json"] = b'{"keras_version": "3.15.1"}'
    members.update({name.replace("__", "."): data for name, data in changed.items()})
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.keras"
    small_model().save(path)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_stored_or_deflated(saved, method):
    repack(saved, method)
    assert cconv.saving.load_model(saved).count_params() == small_model().count_params()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_packed_by_methods_without_a_bound_are_refused_unread(saved, method, monkeypatch):
    repack(saved, method, config__json=b" " * 30_000_000)
    assert saved.stat().st_size < 60_000
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *arguments: pytest.fail("the member was unpacked"))
    with pytest.raises(
        ValueError, match=r"expected members that are stored or deflated, found \S+ compressed by method"
    ):
        cconv.saving.load_model(saved)


def test_a_configuration_that_unpacks_to_far_more_than_a_text_would_is_refused(saved):
    repack(saved, zipfile.ZIP_DEFLATED, config__json=b"[" * 30_000_000)
    with pytest.raises(ValueError, match="config.json declares 30000000 bytes in"):
        cconv.saving.load_model(saved)


def absurd_contiguous(h5: h5py.File) -> None:
    """An array whose place is declared, and lies behind the end of the file."""
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_alloc_time(h5py.h5d.ALLOC_TIME_LATE)
    space = h5py.h5s.create_simple((1 << 28, 1 << 4))
    h5py.h5d.create(h5["vars"].id, b"0", h5py.h5t.NATIVE_FLOAT, space, creation)


def absurd_chunks(h5: h5py.File) -> None:
    """An array that is small by its shape, in one chunk that is not."""
    h5["vars"].create_dataset("0", (4,), "f4", maxshape=(None,), chunks=(1 << 28,), compression="gzip")
    h5["vars/0"].id.write_direct_chunk((0,), b"x" * 1000)


def absurd_shape(h5: h5py.File) -> None:
    """An array of which one part of very many was written."""
    h5["vars"].create_dataset("0", (1 << 40,), "f4", chunks=(1 << 10,), compression="gzip")[:4] = 1


@pytest.mark.parametrize("make", [absurd_contiguous, absurd_chunks, absurd_shape])
def test_arrays_larger_than_the_file_can_hold_are_refused(make, tmp_path):
    path = tmp_path / "absurd.weights.h5"
    with h5py.File(path, "w") as h5:
        h5.create_group("vars")
        make(h5)
    model = small_model()
    before = model.get_weights()
    with pytest.raises(ValueError, match="declares [0-9]+ bytes in shape"):
        model.load_weights(path)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_compressed_arrays_are_loaded(tmp_path):
    model = cconv.Sequential([cconv.Input((300,)), cconv.layers.Dense(40, kernel_initializer="zeros")])
    path = tmp_path / "plain.weights.h5"
    with h5py.File(path, "w") as h5:
        variables = h5.create_group("layers/dense/vars")
        variables.create_dataset("0", data=np.ones((300, 40), "f4"), compression="gzip", shuffle=True)
        variables.create_dataset("1", data=np.ones(40, "f4"), compression="lzf")
    model.load_weights(path)
    assert all((weights == 1).all() for weights in model.get_weights())


@pytest.mark.parametrize("kind", ["pax header", "many members", "a long member"])
def test_a_tar_that_unpacks_to_far_more_than_the_data_set_is_refused(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(cifar10, "_FORMAT", cifar10._FORMAT._replace(images=16))
    path = tmp_path / "cifar10" / "cifar-10-binary.tar.gz"
    path.parent.mkdir()
    size = 8_000_000
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        if kind == "many members":
            for k in range(size // 512):
                archive.addfile(tarfile.TarInfo(f"{k}"))
        else:
            info = tarfile.TarInfo("data")
            if kind == "pax header":
                info.pax_headers = {"comment": "x" * size}
                archive.addfile(info)
            else:
                info.size = size
                archive.addfile(info, io.BytesIO(bytes(size)))
    monkeypatch.setenv("CCONV_DATASETS", str(tmp_path))
    said = "a header declares 8000017 bytes, expected at most 8192"
    with pytest.raises(ValueError, match=said if kind == "pax header" else "expected 6 batches, found far more bytes"):
        cifar10.load_data()


SAVE_WITH_LITTLE_MEMORY = """
import resource, sys
import numpy as np, cconv

def allow(bytes):
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + bytes if bytes else -1, -1))

model = cconv.Sequential([cconv.Input((1500,)), cconv.layers.Dense(1500), cconv.layers.Dense(1500)])
for save, path in (model.save, sys.argv[1] + ".keras"), (model.save_weights, sys.argv[1] + ".weights.h5"):
    save(path)
    for megabytes in (1, 10, 18, 20, 25, 30, 60):
        allow(megabytes << 20)
        try:
            save(path)
            said = "saved"
        except BaseException as error:
            said = type(error).__name__
        allow(0)
        print(said)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc how much memory is in use")
def test_saving_with_little_memory_is_a_memory_error(tmp_path):
    command = [sys.executable, "-c", SAVE_WITH_LITTLE_MEMORY, str(tmp_path / "model")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    said = result.stdout.split()
    assert len(said) == 14 and "MemoryError" in said and said[6] == said[13] == "saved"
    assert set(said) == {"MemoryError", "saved"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.keras", "model.weights.h5"]
