"""Damaged and hostile files for a while: each is loaded whole, or refused with a ValueError.

Files of every kind that cconv reads are altered at random (bits, bytes, pieces cut out, doubled or taken from another
file); those in corpus/ are altered, too, and are the small ones that once did harm. Checksums of cconv's own files are
made right again half of the time, since they would keep everything else from being tried.
"""

import argparse
import functools
import gzip
import hashlib
import io
import json
import os
import random
import sys
import tarfile
import tempfile
import time
import traceback
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np

import cconv
from cconv.datasets import cifar, cifar10, idx
from cconv.saving import archive, weights_file

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import torch_files  # noqa: E402

try:
    from .flip_bits import small_model
except ImportError:  # run as a program
    from flip_bits import small_model

CORPUS = Path(__file__).resolve().parent / "corpus"
MOST_BYTES = 1 << 30  # of memory, for one file of a few kilobytes
MOST_SECONDS = 10


def keras_file(folder: Path, *, plain: bool) -> bytes:
    path = folder / "model.keras"
    small_model().save(path)
    if not plain:
        return path.read_bytes()
    with zipfile.ZipFile(path) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    members[archive.METADATA] = b'{"keras_version": "3.15.1"}'
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    return memory.getvalue()


def weights_bytes(folder: Path, *, plain: bool) -> bytes:
    path = folder / "model.weights.h5"
    small_model().save_weights(path)
    data = path.read_bytes()
    if not plain:
        return data
    plain_path = folder / "plain.weights.h5"
    with h5py.File(path) as old, h5py.File(plain_path, "w") as new:
        for name in old:
            old.copy(name, new)
    return plain_path.read_bytes()


def legacy_bytes(folder: Path, *, plain: bool) -> bytes:
    path = folder / "model.h5"
    model = small_model()
    model.compile("adam", "mse")
    model.save(path)
    if not plain:
        return path.read_bytes()
    with h5py.File(path) as old, h5py.File(folder / "plain.h5", "w") as new:
        for name in old:
            old.copy(name, new)
        new.attrs.update(dict(old.attrs))
        new.attrs["keras_version"] = "2.4.0"
    return (folder / "plain.h5").read_bytes()


def cifar_bytes() -> bytes:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as packed:
        for name in [*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"]:
            info = tarfile.TarInfo(f"cifar/{name}")
            info.size = 2 * 3073
            packed.addfile(info, io.BytesIO(bytes(info.size)))
    return memory.getvalue()


def idx_bytes() -> bytes:
    return gzip.compress(b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (2, 28, 28)) + bytes(2 * 28 * 28))


def named_bytes(folder: Path, kind: str) -> bytes:
    """The weights of the small model, as PyTorch's world writes them."""
    arrays = {"c.weight": np.ones((1, 1, 3, 3), np.float32), "c.bias": np.ones(1, np.float32)}
    if kind == ".pth":
        torch_files.save(folder / "model.pth", arrays)
        return (folder / "model.pth").read_bytes()
    entry = {"dtype": "F32", "shape": [1, 1, 3, 3], "data_offsets": [4, 40]}
    header = json.dumps({"c.weight": entry, "c.bias": entry | {"shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(40)


def load_keras(path: str) -> None:
    cconv.saving.load_model(path)


def load_weights(path: str, **settings: dict[str, str]) -> None:
    model = small_model()
    before = model.get_weights()
    try:
        model.load_weights(path, **settings)
    except ValueError:
        for a, b in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b, err_msg="half loaded")
        raise


def load_cifar(path: str) -> None:
    cifar.read_images(path, cifar10._FORMAT)


NAMES = {"conv2d": "c", "conv2d_{i}": "c"}
KINDS = {
    ".keras": load_keras,
    ".weights.h5": load_weights,
    ".legacy.h5": load_keras,
    ".safetensors": functools.partial(load_weights, names=NAMES),
    ".pth": functools.partial(load_weights, names=NAMES),
    ".tar.gz": load_cifar,
    ".idx.gz": lambda path: idx.read_idx(path, 3),
}


def mend(data: bytearray, kind: str) -> None:
    """Makes the checksum right again, where the file still has the place for it."""
    if kind == ".keras" and len(data) > 64 and bytes(data[-121:]).find(archive._COMMENT_START) >= 0:
        data[-64:] = hashlib.sha256(bytes(data[:-64])).hexdigest().encode()
    digits = weights_file._DIGITS
    if kind.endswith(".h5") and bytes(data[: digits.start]) == weights_file._BLOCK_START:
        digest = hashlib.sha256(bytes(data[: digits.start]) + bytes(data[digits.stop :]))
        data[digits] = digest.hexdigest().encode()


def altered(data: bytes, others: list[bytes], chosen: random.Random) -> bytearray:
    new = bytearray(data)
    for _ in range(chosen.choice([1, 1, 1, 2, 3, 8])):
        place, length = chosen.randrange(len(new) or 1), chosen.choice([1, 2, 4, 8, 64, 512])
        way = chosen.randrange(7)
        if way == 0 and new:
            new[place] ^= 1 << chosen.randrange(8)
        elif way == 1:
            new[place : place + 1] = bytes([chosen.choice([0, 1, 127, 128, 255])])
        elif way == 2:
            new[place : place + length] = chosen.choice([b"\xff", b"\0", b"\x7f"]) * length
        elif way == 3:
            del new[place : place + length]
        elif way == 4:
            new[place:place] = new[chosen.randrange(len(new) or 1) :][:length]
        elif way == 5:
            other = chosen.choice(others)
            new[place : place + length] = other[chosen.randrange(len(other)) :][:length]
        else:
            new[place : place + 4] = chosen.randrange(1 << 32).to_bytes(4, chosen.choice(["big", "little"]))
    return new


def unpacked(data: bytes, kind: str, change) -> bytearray:
    """Alters what is within the compression or the checksums of a file, which would hide most of it."""
    if kind == ".pth":
        return repacked(data, change)
    if not kind.endswith(".gz"):
        return change(data)
    try:
        inside = gzip.decompress(data)
    except (OSError, EOFError, ValueError):
        return change(data)
    return bytearray(gzip.compress(bytes(change(inside)), 1)) if len(inside) < 1 << 20 else change(data)


def repacked(data: bytes, change) -> bytearray:
    """Alters the pickle in a zip archive."""
    memory = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(memory, "w") as new:
        for name in old.namelist():
            member = old.read(name)
            new.writestr(name, bytes(change(member)) if name.endswith(".pkl") else member)
    return bytearray(memory.getvalue())


def samples() -> list[tuple[str, bytes]]:
    """(kind, content) of the files to begin with."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = [(".keras", keras_file(folder, plain=plain)) for plain in (False, True)]
        made += [(".weights.h5", weights_bytes(folder, plain=plain)) for plain in (False, True)]
        made += [(".legacy.h5", legacy_bytes(folder, plain=plain)) for plain in (False, True)]
        made += [(kind, named_bytes(folder, kind)) for kind in (".safetensors", ".pth")]
    made += [(".tar.gz", cifar_bytes()), (".idx.gz", idx_bytes())]
    for path in sorted(CORPUS.iterdir()):
        made += [(kind, path.read_bytes()) for kind in KINDS if path.name.endswith(kind)]
    return made


def check(data: bytes, kind: str, folder: str) -> str | None:
    """Loads a file; what is wrong with how that went, or None."""
    path = os.path.join(folder, f"file{kind}")
    Path(path).write_bytes(data)
    start = time.process_time()  # other programs on the machine do not count
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            KINDS[kind](path)
    except ValueError as error:
        if not str(error):
            return "refused without a word"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return "".join(traceback.format_exception(error)[-4:])
    if time.process_time() - start > MOST_SECONDS:
        return f"took {time.process_time() - start:.0f} s"
    return None


def fuzz(seed: int, seconds: float, count: int | None = None, say=print) -> int:
    """Tries files from `seed` on; the number of failures. A failure leaves its file where it says."""
    start, beginnings, failures, done = time.monotonic(), samples(), 0, 0
    others = [data for _, data in beginnings]
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() - start < seconds and (count is None or done < count):
            chosen = random.Random(seed + done)
            kind, data = chosen.choice(beginnings)
            if chosen.random() < 0.5:
                new = unpacked(data, kind, functools.partial(altered, others=others, chosen=chosen))
            else:
                new = altered(data, others, chosen)
            if chosen.random() < 0.5:
                mend(new, kind)
            wrong = check(bytes(new), kind, folder)
            if wrong:
                failures += 1
                left = Path(tempfile.gettempdir(), f"cconv_fuzz_{seed + done}{kind}")
                left.write_bytes(new)
                say(f"seed {seed + done} ({left}): {wrong}")
            done += 1
    say(f"{done} files from seed {seed} on: {failures} failed")
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()) * 1000, help="default: another each time")
    parser.add_argument("--count", type=int, help="files to try; default: as many as there is time for")
    arguments = parser.parse_args()
    if sys.platform == "linux":
        import resource

        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MOST_BYTES, resource.RLIM_INFINITY))
    return 1 if fuzz(arguments.seed, arguments.seconds, arguments.count) else 0


if __name__ == "__main__":
    sys.exit(main())
