"""Files that are damaged, hostile or half-written: refused with a reason, and never loaded as something else.

Samples only; every bit and 200 kills are tried by `make test-robustness`, with the programs in `tests/robustness`.
"""

import errno
import io
import json
import os
import random
import signal
import struct
import zipfile

import h5py
import numpy as np
import pytest
from robustness.flip_bits import Checker, small_model
from robustness.kill_saves import kill_saves

import cconv
from cconv import layers
from cconv.saving import atomic, hdf5

KINDS = [".keras", ".weights.h5"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bits_and_cuts_never_load_as_other_values(kind, tmp_path):
    checker = Checker(kind, str(tmp_path))
    size, chosen = len(checker.whole), random.Random(1)
    ends = [*range(8 * 600), *range(8 * size - 8 * 160, 8 * size)]  # heads and checksums
    for bit in chosen.sample(range(8 * size), 1500) + chosen.sample(ends, 500):
        checker.flip(bit)
    for rest in [*chosen.sample(range(size), 200), 0, 1, 511, 512, 513, size - 1]:
        checker.cut(rest)


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_added_in_front_or_behind_are_refused(kind, tmp_path):
    checker = Checker(kind, str(tmp_path))
    for data in (checker.whole + b"\0", b"\0" + checker.whole, checker.whole * 2, checker.whole + checker.whole[-100:]):
        checker.check(data, "bytes added")
    assert checker.refused == 4


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("kind", KINDS)
def test_killed_saves_leave_a_whole_file(kind):
    assert kill_saves(8, kind) > 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moment", ["while writing", "at fsync", "at rename"])
def test_failed_save_leaves_the_old_file_and_no_other(kind, moment, tmp_path, monkeypatch):
    model = small_model()
    path = tmp_path / f"model{kind}"
    save = model.save if kind == ".keras" else model.save_weights
    save(path)
    before = path.read_bytes()

    def fail(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    if moment == "while writing":
        write = hdf5.write_groups

        def write_and_fail(*args, **kwargs):
            write(*args, **kwargs)
            fail()

        monkeypatch.setattr(hdf5, "write_groups", write_and_fail)
    else:
        monkeypatch.setattr(atomic.os, "fsync" if moment == "at fsync" else "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


def test_content_is_on_the_disk_before_the_rename_and_the_folder_after(tmp_path, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor):
        events.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        fsync(descriptor)

    def noted_replace(source, target):
        assert os.path.dirname(source) == os.path.dirname(target) == str(tmp_path)
        events.append("rename")
        replace(source, target)

    monkeypatch.setattr(atomic.os, "fsync", noted_fsync)
    monkeypatch.setattr(atomic.os, "replace", noted_replace)
    small_model().save(tmp_path / "model.keras")
    if os.path.isdir("/proc/self/fd"):
        assert events == ["file", "rename", "folder"]


def test_interrupted_save_leaves_the_old_file(tmp_path, monkeypatch):
    model = small_model()
    model.save(tmp_path / "model.keras")
    before = (tmp_path / "model.keras").read_bytes()

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(hdf5, "write_groups", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.save(tmp_path / "model.keras")
    assert (tmp_path / "model.keras").read_bytes() == before
    assert os.listdir(tmp_path) == ["model.keras"]


def test_symbolic_link_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    try:
        (tmp_path / "model.keras").symlink_to(tmp_path / "real" / "model.keras")
    except OSError:
        pytest.skip("this system makes no symbolic links")
    small_model().save(tmp_path / "model.keras")
    assert (tmp_path / "model.keras").is_symlink()
    cconv.saving.load_model(tmp_path / "model.keras")


# Files without cconv's checksum, as another program would write them.


@pytest.fixture
def parts(tmp_path):
    """The members of a saved model, with the mark of the checksum taken out of the metadata."""
    small_model().save(tmp_path / "parts.keras")
    with zipfile.ZipFile(tmp_path / "parts.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    os.unlink(tmp_path / "parts.keras")
    members["metadata.json"] = b'{"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}'
    return members


def write_zip(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def changed_h5(data, change):
    file = io.BytesIO(data)
    with h5py.File(file, "r+") as h5:
        change(h5)
    return file.getvalue()


def refused(path, match):
    with pytest.raises(ValueError, match=match) as error:
        cconv.saving.load_model(path)
    assert os.path.basename(path) in str(error.value)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_file_without_checksum_loads(parts, compression, tmp_path):
    model = cconv.saving.load_model(write_zip(tmp_path / "model.keras", parts, compression))
    for a, b in zip(model.get_weights(), small_model().get_weights(), strict=True):
        assert a.shape == b.shape


def test_checksum_cannot_be_lost(parts, tmp_path):
    parts["metadata.json"] = json.dumps({"cconv_checksum": "sha256 in the archive's comment"}).encode()
    refused(write_zip(tmp_path / "model.keras", parts), "expected the checksum in the archive's comment, found none")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected a zip archive, found b''.* \\(0 bytes\\)"),
        (b"hello", "expected a zip archive, found b'hello'"),
        (b"\x89HDF\r\n\x1a\n" + bytes(600), "expected a zip archive, found an HDF5 file"),
        (b"PK\x03\x04" + bytes(100), "expected the end of a zip archive"),
        (b"PK\x03\x04" + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 46, 0, 0), "damaged"),
        (b"PK\x05\x06" + bytes(18), "expected a zip archive"),
    ],
    ids=["empty", "text", "hdf5", "no end", "no directory", "empty zip"],
)
def test_other_files_are_refused(data, message, tmp_path):
    (tmp_path / "model.keras").write_bytes(data)
    refused(tmp_path / "model.keras", message)


@pytest.mark.parametrize("name", ["metadata.json", "config.json", "model.weights.h5"])
def test_missing_member_is_named(parts, name, tmp_path):
    del parts[name]
    refused(write_zip(tmp_path / "model.keras", parts), f"expected the members .*{name}.*found ")


def test_member_twice_is_refused(parts, tmp_path):
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        for name, data in [*parts.items(), ("config.json", b"{}")]:
            if name in archive.namelist():
                with pytest.warns(UserWarning, match="Duplicate"):
                    archive.writestr(name, data)
            else:
                archive.writestr(name, data)
    refused(tmp_path / "model.keras", "once each")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (b"", "expected JSON"),
        (b"\xff\xfe", "expected JSON"),
        (b"[" * 100_000, "expected JSON|damaged"),
        (b"[]", "expected the configuration of a model"),
        (b'{"class_name": "Dense", "module": "keras.layers", "config": {"units": 1}}', "found that of a Dense"),
        (b'{"class_name": "Sequential", "module": "keras", "config": {"layers": 3}}', "config.json"),
        (b'{"class_name": "Sequential", "module": "keras", "config": {"layers": [3]}}', "config.json"),
        (
            b'{"class_name": "Functional", "module": "keras.src.models.functional", "config": {"layers": []}}',
            "config.json",
        ),
        (b'{"class_name": "Popen", "module": "subprocess", "config": {"args": "ls"}}', "Unknown class 'Popen'"),
    ],
)
def test_bad_configuration_is_refused(parts, config, message, tmp_path):
    parts["config.json"] = config
    refused(write_zip(tmp_path / "model.keras", parts), message)


def test_configuration_of_a_huge_model_is_refused_before_memory_is_asked_for(parts, tmp_path):
    parts["config.json"] = parts["config.json"].replace(b'"filters": 1', b'"filters": 1000000000')
    refused(write_zip(tmp_path / "model.keras", parts), "file holds")


def test_zip_bomb_is_refused(parts, tmp_path):
    parts["model.weights.h5"] = bytes(1 << 20)
    path = write_zip(tmp_path / "model.keras", parts, zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")  # the directory's entry of the last member: size when unpacked
    data[at + 24 : at + 28] = struct.pack("<L", 0xFFFFFFF0)
    path.write_bytes(data)
    refused(path, "declares 4294967280 bytes")


def huge(h5):
    del h5["layers/conv2d/vars/0"]
    h5["layers/conv2d/vars"].create_dataset("0", shape=(1 << 20, 1 << 20, 1, 1), chunks=(1, 1, 1, 1), dtype="f4")


def external_link(h5):
    del h5["layers/conv2d/vars/0"]
    h5["layers/conv2d/vars/0"] = h5py.ExternalLink("/etc/passwd", "/x")


def soft_link(h5):
    del h5["layers/conv2d/vars/0"]
    h5["layers/conv2d/vars/0"] = h5py.SoftLink("/optimizer/vars/2")


def external_storage(h5):
    del h5["layers/conv2d/vars/1"]
    h5["layers/conv2d/vars"].create_dataset("1", shape=(1,), dtype="f4", external=[("/etc/passwd", 0, 4)])


def cycle(h5):
    h5["layers/conv2d/again"] = h5["layers"]


def text(h5):
    del h5["layers/conv2d/vars/1"]
    h5["layers/conv2d/vars/1"] = np.array([b"x"], dtype=object)


def missing(h5):
    del h5["layers/conv2d/vars/1"]


def too_many(h5):
    h5["layers/conv2d/vars/2"] = np.zeros(3, np.float32)


def other_layer(h5):
    h5["layers/dense/vars/0"] = np.zeros(3, np.float32)


def transposed(h5):
    value = h5["layers/conv2d/vars/0"][()]
    del h5["layers/conv2d/vars/0"]
    h5["layers/conv2d/vars/0"] = value.reshape(1, 3, 3, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (huge, "declares .* bytes"),
        (external_link, "found a link to somewhere else"),
        (soft_link, "found a link to somewhere else"),
        (external_storage, "points to another file"),
        (cycle, "contains itself"),
        (text, "expected numbers at 'layers/conv2d/vars/1'"),
        (missing, r"Layer 'conv2d.*': expected 2 variables.*kernel \(3, 3, 1, 1\), bias \(1,\)\), received 1"),
        (too_many, "expected 2 variables.*received 3"),
        (other_layer, "received also variables at layers/dense/vars"),
        (transposed, r"variable 'kernel': expected shape \(3, 3, 1, 1\), received \(1, 3, 3, 1\)"),
    ],
    ids=lambda item: getattr(item, "__name__", None),
)
def test_bad_weights_are_refused(parts, change, message, tmp_path):
    parts["model.weights.h5"] = changed_h5(parts["model.weights.h5"], change)
    refused(write_zip(tmp_path / "model.keras", parts), message)
    (tmp_path / "w.weights.h5").write_bytes(parts["model.weights.h5"])
    model = small_model()
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        model.load_weights(tmp_path / "w.weights.h5")
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_optimizer_state_of_another_kind_is_refused_and_can_be_left_out(parts, tmp_path):
    def change(h5):
        del h5["optimizer/vars/3"]

    parts["model.weights.h5"] = changed_h5(parts["model.weights.h5"], change)
    path = write_zip(tmp_path / "model.keras", parts)
    refused(path, "Optimizer 'sgd.*expected 4 variables.*received 3.*compile=False")
    cconv.saving.load_model(path, compile=False)


def test_damaged_hdf5_without_checksum_never_crashes(parts, tmp_path):
    data = parts["model.weights.h5"]
    chosen = random.Random(3)
    model = small_model()
    path = tmp_path / "w.weights.h5"
    for _ in range(200):
        damaged = bytearray(data)
        for _ in range(chosen.randint(1, 8)):
            damaged[chosen.randrange(len(damaged))] = chosen.randrange(256)
        path.write_bytes(damaged)
        try:
            model.load_weights(path)
        except ValueError as error:
            assert "w.weights.h5" in str(error)


def test_weights_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "w.weights.h5"
    for data in (b"", b"hello", bytes(1000), b"PK\x03\x04" + bytes(600)):
        path.write_bytes(data)
        with pytest.raises(ValueError, match="expected HDF5 data.*found"):
            small_model().load_weights(path)


def test_loading_weights_into_an_unbuilt_model_is_refused(tmp_path):
    small_model().save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(ValueError, match="not built yet"):
        cconv.Sequential([layers.Dense(2)]).load_weights(tmp_path / "w.weights.h5")
