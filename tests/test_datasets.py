"""The data sets: parsed exactly, found in the right place, and never silently wrong."""

import gzip
import hashlib
import http.server
import io
import os
import pickle
import struct
import tarfile
import threading

import numpy as np
import pytest

from cconv.datasets import cifar10, cifar100, fashion_mnist, files, mnist
from cconv.datasets.files import Source

IDX_NAMES = [f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]


def idx(array):
    array = np.asarray(array, np.uint8)
    return struct.pack(f">{1 + array.ndim}I", 0x0800 | array.ndim, *array.shape) + array.tobytes()


def digits(n, seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), rng.integers(0, 10, n, dtype=np.uint8)


def write_idx_files(folder, train, test):
    os.makedirs(folder, exist_ok=True)
    for name, array in zip(IDX_NAMES, (*train, *test), strict=True):
        with gzip.open(os.path.join(folder, name), "wb") as file:
            file.write(idx(array))


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder without any data, and no CCONV_DATASETS."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.delenv("CCONV_DATASETS", raising=False)
    return tmp_path / "home"


@pytest.fixture
def users_folder(home, tmp_path, monkeypatch):
    monkeypatch.setenv("CCONV_DATASETS", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def server(tmp_path):
    """A web server on this machine for the files in `server.folder`; `server.requests` lists the paths asked for."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, directory=str(folder), **kwargs)

        def do_GET(self):
            httpd.requests.append(self.path)
            super().do_GET()

        def copyfile(self, source, outputfile):
            data = source.read()
            outputfile.write(data[: len(data) // 2] if httpd.hang_up else data)

        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.requests, httpd.folder, httpd.hang_up = [], folder, False
    httpd.url = f"http://127.0.0.1:{httpd.server_address[1]}/"
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield httpd
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.mark.parametrize("module", [mnist, fashion_mnist])
def test_idx_files_of_the_users_folder_are_read_exactly(module, users_folder):
    train, test = digits(12, 1), digits(5, 2)
    write_idx_files(users_folder / module.__name__.rsplit(".", 1)[-1], train, test)
    (x_train, y_train), (x_test, y_test) = module.load_data()
    for got, want in zip((x_train, y_train, x_test, y_test), (*train, *test), strict=True):
        assert got.dtype == np.uint8
        np.testing.assert_array_equal(got, want)
        got[...] = 0  # the arrays are the caller's own


def test_truncated_idx_file_is_refused_at_every_length(users_folder):
    write_idx_files(users_folder / "mnist", digits(2, 1), digits(2, 2))
    path = users_folder / "mnist" / IDX_NAMES[1]
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="train-labels.*(expected|idx file)"):
            mnist.load_data()


def test_flipped_bits_of_an_idx_file_never_give_other_values(users_folder):
    train, test = digits(2, 1), digits(2, 2)
    write_idx_files(users_folder / "mnist", train, test)
    path = users_folder / "mnist" / IDX_NAMES[1]
    whole = path.read_bytes()
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            labels = mnist.load_data()[0][1]
        except ValueError as error:
            assert str(path) in str(error)
        else:
            np.testing.assert_array_equal(labels, train[1])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (IDX_NAMES[0], idx(np.zeros(3)), "expected a header of 16 bytes"),
        (IDX_NAMES[0], idx(np.zeros((2, 27, 28))), r"expected images of 28 x 28 bytes, found \(27, 28\)"),
        (IDX_NAMES[0], struct.pack(">4I", 0x0803, 2**31, 28, 28), "header declares"),
        (IDX_NAMES[0], idx(np.zeros((2, 28, 28)))[:-1], "expected 1568 bytes.*found 1567"),
        (IDX_NAMES[0], idx(np.zeros((2, 28, 28))) + b"x", "expected 1568 bytes.*found more"),
        (IDX_NAMES[1], idx(np.zeros(3)), "expected 2 labels, one per image, found 3"),
        (IDX_NAMES[1], idx([3, 10]), "expected labels from 0 to 9, found 10"),
    ],
)
def test_wrong_idx_file_is_refused_with_what_was_expected_and_found(name, content, message, users_folder):
    write_idx_files(users_folder / "mnist", digits(2, 1), digits(2, 2))
    with gzip.open(users_folder / "mnist" / name, "wb") as file:
        file.write(content)
    with pytest.raises(ValueError, match=message) as error:
        mnist.load_data()
    assert name in str(error.value)


def test_missing_file_is_downloaded_once_and_kept(home, server, capsys):
    (server.folder / "a.bin").write_bytes(b"content" * 1000)
    sha256 = hashlib.sha256(b"content" * 1000).hexdigest()
    source = Source("a.bin", sha256, (server.url + "nowhere/a.bin", server.url + "a.bin"))
    path = files.find("example", [source])
    assert path == str(home / ".cconv" / "datasets" / "example" / "a.bin")
    with open(path, "rb") as file:
        assert file.read() == b"content" * 1000
    assert "a.bin" in capsys.readouterr().err  # the progress bar
    assert files.find("example", [source]) == path
    assert server.requests == ["/nowhere/a.bin", "/a.bin"]  # the second call asked nobody
    assert os.listdir(os.path.dirname(path)) == ["a.bin"]  # no temporary file is left


def test_the_users_folder_comes_before_the_cache(users_folder, server):
    (users_folder / "example").mkdir(parents=True)
    (users_folder / "example" / "b.bin").write_bytes(b"mine")
    sources = [Source("a.bin", "0" * 64, (server.url + "a.bin",)), Source("b.bin", "0" * 64, ())]
    assert files.find("example", sources) == str(users_folder / "example" / "b.bin")
    assert server.requests == []


def test_download_with_other_content_is_refused_and_not_kept(home, server):
    (server.folder / "a.bin").write_bytes(b"something else")
    with pytest.raises(ValueError, match=f"expected SHA-256 {'0' * 64}, found [0-9a-f]{{64}} \\(14 bytes\\)"):
        files.find("example", [Source("a.bin", "0" * 64, (server.url + "a.bin",))])
    assert os.listdir(home / ".cconv" / "datasets" / "example") == []


def test_download_that_breaks_off_is_an_os_error_and_leaves_nothing(home, server):
    (server.folder / "a.bin").write_bytes(bytes(100000))
    server.hang_up = True
    with pytest.raises(OSError, match="ended after 50000 of 100000 bytes"):
        files.find("example", [Source("a.bin", "0" * 64, (server.url + "a.bin",))])
    assert os.listdir(home / ".cconv" / "datasets" / "example") == []


def test_corrupt_file_in_the_cache_is_refused(home):
    folder = home / ".cconv" / "datasets" / "mnist"
    write_idx_files(folder, digits(2, 1), digits(2, 2))
    with pytest.raises(ValueError, match="expected SHA-256 440fcabf.*Remove it"):
        mnist.load_data()


def test_without_a_network_the_error_says_where_to_put_the_file(home, monkeypatch):
    import urllib.request

    def unreachable(*args, **kwargs):
        raise OSError("Network is unreachable")

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    with pytest.raises(OSError, match="is unreachable.*put the file as published into .*CCONV_DATASETS") as error:
        cifar10.load_data()
    assert str(home) in str(error.value)
    assert "cifar-10-binary.tar.gz" in str(error.value)


def test_a_folder_that_does_not_hold_the_files_is_named_with_what_it_holds(users_folder, monkeypatch):
    import urllib.request

    def unreachable(*args, **kwargs):
        raise OSError("Network is unreachable")

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    for make, found in [
        (lambda: None, "is no folder"),
        (lambda: (users_folder / "imagenet").mkdir(parents=True), "holds imagenet, and no mnist"),
        (lambda: (users_folder / "mnist").mkdir(), "mnist' holds nothing"),
        (lambda: (users_folder / "mnist" / "train.gz").touch(), "mnist' holds train.gz"),
    ]:
        make()
        warning = f"CCONV_DATASETS='{users_folder}': expected train-images.*but .*{found}"
        with pytest.warns(UserWarning, match=warning), pytest.raises(OSError, match="put the file as pub") as error:
            mnist.load_data()
        assert "set the variable" not in str(error.value) and str(users_folder / "mnist") in str(error.value)


CIFAR_BATCHES = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]


def cifar_batches(n=3):
    rng = np.random.default_rng(5)
    return {name: (rng.integers(0, 256, (n, 3072), dtype=np.uint8), rng.integers(0, 10, n)) for name in CIFAR_BATCHES}


def write_tar(path, members):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def binary_members(batches):
    rows = {name: np.concatenate([y.astype(np.uint8)[:, None], x], 1) for name, (x, y) in batches.items()}
    return {f"cifar-10-batches-bin/{name}.bin": array.tobytes() for name, array in rows.items()}


def pickled_members(batches, protocol=2):
    dicts = {name: {"data": x, "labels": [int(v) for v in y], "batch_label": "?"} for name, (x, y) in batches.items()}
    return {f"cifar-10-batches-py/{name}": pickle.dumps(d, protocol) for name, d in dicts.items()}


def check_cifar(batches):
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    assert x_train.shape == (15, 32, 32, 3) and y_train.shape == (15, 1)
    assert x_test.shape == (3, 32, 32, 3) and y_test.shape == (3, 1)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    for k, name in enumerate(CIFAR_BATCHES):
        x, y = (x_train[3 * k : 3 * k + 3], y_train[3 * k : 3 * k + 3]) if k < 5 else (x_test, y_test)
        np.testing.assert_array_equal(x, batches[name][0].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
        np.testing.assert_array_equal(y[:, 0], batches[name][1])


def test_cifar10_binary_archive_is_read_exactly(users_folder):
    batches = cifar_batches()
    write_tar(users_folder / "cifar10" / "cifar-10-binary.tar.gz", binary_members(batches))
    check_cifar(batches)


@pytest.mark.parametrize("order", "CF")
def test_cifar10_python_archive_is_read_exactly(order, users_folder):
    batches = cifar_batches()
    ordered = {name: (np.array(x, order=order), y) for name, (x, y) in batches.items()}
    write_tar(users_folder / "cifar10" / "cifar-10-python.tar.gz", pickled_members(ordered))
    check_cifar(batches)


class Attack:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_cifar10_python_archive_cannot_run_code(users_folder, tmp_path):
    members = pickled_members(cifar_batches())
    attack = {"data": Attack(str(tmp_path / "pwned")), "labels": []}
    members["cifar-10-batches-py/data_batch_3"] = pickle.dumps(attack, 2)
    write_tar(users_folder / "cifar10" / "cifar-10-python.tar.gz", members)
    with pytest.raises(ValueError, match="data_batch_3 is corrupt.*posix.mkdir|data_batch_3 is corrupt.*nt.mkdir"):
        cifar10.load_data()
    assert not (tmp_path / "pwned").exists()


def test_incomplete_cifar10_archive_names_the_missing_batch(users_folder):
    members = binary_members(cifar_batches())
    del members["cifar-10-batches-bin/data_batch_4.bin"]
    write_tar(users_folder / "cifar10" / "cifar-10-binary.tar.gz", members)
    with pytest.raises(ValueError, match="found no data_batch_4"):
        cifar10.load_data()


def test_cifar10_record_of_wrong_length_is_refused(users_folder):
    members = binary_members(cifar_batches())
    members["cifar-10-batches-bin/test_batch.bin"] += b"x"
    write_tar(users_folder / "cifar10" / "cifar-10-binary.tar.gz", members)
    with pytest.raises(ValueError, match="test_batch.bin: expected records of 3073 bytes, found 9220 bytes"):
        cifar10.load_data()


def test_truncated_cifar10_archive_is_refused(users_folder):
    path = users_folder / "cifar10" / "cifar-10-binary.tar.gz"
    write_tar(path, binary_members(cifar_batches()))
    whole = path.read_bytes()
    for size in range(0, len(whole), len(whole) // 50):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="cifar-10-binary"):
            cifar10.load_data()


@pytest.mark.parametrize("module", [mnist, fashion_mnist])
def test_the_published_files_are_what_they_should_be(module):
    name = module.__name__.rsplit(".", 1)[-1]
    folder = files.users_folder(name)
    if folder is None or not os.path.isdir(folder):
        pytest.skip(f"the published files are not here: CCONV_DATASETS names no folder with {name}/")
    for file, sha256 in module._FILES.items():
        with open(os.path.join(folder, file), "rb") as stream:
            assert hashlib.sha256(stream.read()).hexdigest() == sha256
    (x_train, y_train), (x_test, y_test) = module.load_data()
    assert x_train.shape == (60000, 28, 28) and x_test.shape == (10000, 28, 28)
    assert y_train.shape == (60000,) and y_test.shape == (10000,)
    if module is mnist:
        assert np.bincount(y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    else:
        assert np.bincount(y_train).tolist() == [6000] * 10


def test_a_file_that_is_too_long_is_refused_when_that_is_known(home, server, monkeypatch):
    (server.folder / "a.bin").write_bytes(bytes(5000))
    monkeypatch.setattr(files, "_MOST_BYTES", 4999)
    with pytest.raises(ValueError, match="longer than expected: at most 4999 bytes are taken, received 5000"):
        files.find("example", [Source("a.bin", "0" * 64, (server.url + "a.bin",))])
    assert os.listdir(home / ".cconv" / "datasets" / "example") == []


def cifar100_archive(folder, form):
    """An archive in one of the two forms; returns pictures as rows, fine and coarse labels, by the name of the set."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(3)
    sets = {
        name: (rng.integers(0, 256, (n, 3072), dtype=np.uint8), rng.integers(0, 100, n), rng.integers(0, 20, n))
        for name, n in (("train", 7), ("test", 3))
    }
    with tarfile.open(folder / f"cifar-100-{form}.tar.gz", "w:gz") as archive:
        for name, (rows, fine, coarse) in sets.items():
            if form == "binary":
                records = np.concatenate([coarse[:, None], fine[:, None], rows], 1).astype(np.uint8)
                data, name = records.tobytes(), f"{name}.bin"
            else:
                data = pickle.dumps({"data": rows, "fine_labels": fine.tolist(), "coarse_labels": coarse.tolist()}, 2)
            info = tarfile.TarInfo(f"cifar-100-{form}/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return sets


@pytest.mark.parametrize("form", ["binary", "python"])
@pytest.mark.parametrize("mode", ["fine", "coarse"])
def test_cifar100_in_both_forms_with_both_labels(users_folder, form, mode):
    sets = cifar100_archive(users_folder / "cifar100", form)
    for (x, y), (rows, fine, coarse) in zip(cifar100.load_data(mode), sets.values(), strict=True):
        assert x.dtype == y.dtype == np.uint8 and x.shape == (len(rows), 32, 32, 3) and y.shape == (len(rows), 1)
        np.testing.assert_array_equal(x.transpose(0, 3, 1, 2).reshape(len(rows), -1), rows)
        np.testing.assert_array_equal(y[:, 0], fine if mode == "fine" else coarse)


def test_cifar100_refuses_other_labels(users_folder):
    cifar100_archive(users_folder / "cifar100", "binary")
    with pytest.raises(ValueError, match="`label_mode`: expected 'fine' or 'coarse'"):
        cifar100.load_data("medium")
