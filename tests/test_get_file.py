"""`get_file`: from a server on this machine into a cache: once, whole, checked; archives only into their folder."""

import functools
import hashlib
import http.server
import io
import os
import tarfile
import threading
import zipfile

import pytest

from cconv.utils import get_file

DATA = b"content" * 1000


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            httpd.requests.append(self.path)
            super().do_GET()

        def copyfile(self, source, outputfile):
            data = source.read()
            outputfile.write(data[: len(data) // 2] if "half" in self.path else data)

        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    httpd.requests, httpd.folder, httpd.url = [], folder, f"http://127.0.0.1:{httpd.server_address[1]}/"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    (folder / "a.bin").write_bytes(DATA)
    (folder / "half.bin").write_bytes(DATA)
    for name, kind in (("flowers.tgz", "w:gz"), ("flowers.tar", "w"), ("flowers.tar.xz", "w:xz")):
        with tarfile.open(folder / name, kind) as archive:
            add(archive, "flowers/rose/1.txt", b"red")
            add(archive, "flowers/2.txt", b"two")
    with zipfile.ZipFile(folder / "flowers.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("flowers/rose/1.txt", "red")
        archive.writestr("flowers/empty/", "")
    yield httpd
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def add(archive, name, data=b"", **fields):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in fields.items():
        setattr(info, key, value)
    archive.addfile(info, io.BytesIO(data))


def listing(folder):
    return sorted(os.path.relpath(os.path.join(root, f), folder) for root, _, names in os.walk(folder) for f in names)


def test_a_file_is_downloaded_once(site, tmp_path, capsys):
    del site.requests[:]
    for _ in range(2):
        path = get_file("b.bin", site.url + "a.bin", cache_dir=tmp_path)
        assert path == str(tmp_path / "datasets" / "b.bin")
    assert (tmp_path / "datasets" / "b.bin").read_bytes() == DATA
    assert site.requests == ["/a.bin"]
    assert "b.bin" in capsys.readouterr().err  # the progress bar
    get_file("b.bin", site.url + "a.bin", cache_dir=tmp_path, force_download=True)
    assert len(site.requests) == 2
    assert listing(tmp_path) == [os.path.join("datasets", "b.bin")]


def test_where_it_goes(site, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert get_file(origin=site.url + "a.bin?raw=true") == str(tmp_path / ".cconv" / "datasets" / "a.bin")
    assert get_file(origin=site.url + "a.bin", cache_subdir="x") == str(tmp_path / ".cconv" / "x" / "a.bin")
    absolute = str(tmp_path / "abs")
    assert get_file(origin=site.url + "a.bin", cache_subdir=absolute) == os.path.join(absolute, "a.bin")


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_digests(site, tmp_path, algorithm):
    digest = hashlib.new(algorithm, DATA).hexdigest()
    path = get_file(origin=site.url + "a.bin", file_hash=digest.upper(), cache_dir=tmp_path)
    assert get_file(origin=site.url + "a.bin", file_hash=digest, hash_algorithm=algorithm, cache_dir=tmp_path) == path
    if algorithm == "md5":
        assert get_file(origin=site.url + "a.bin", md5_hash=digest, cache_dir=tmp_path) == path
    with open(path, "wb") as file:
        file.write(b"old")
    with pytest.warns(UserWarning, match="downloaded anew"):
        get_file(origin=site.url + "a.bin", file_hash=digest, cache_dir=tmp_path)
    with open(path, "rb") as file:
        assert file.read() == DATA
    with pytest.raises(ValueError, match=f"expected {algorithm} 0+, received {digest}"):
        get_file("c.bin", site.url + "a.bin", file_hash="0" * len(digest), cache_dir=tmp_path)
    assert listing(tmp_path) == [os.path.join("datasets", "a.bin")]


@pytest.mark.parametrize(
    "options, error, words",
    [
        ({"origin": "half.bin"}, OSError, "ended after 3500 of 7000 bytes"),
        ({"origin": "none.bin"}, OSError, "404"),
        ({"origin": "a.bin", "max_bytes": 6999}, ValueError, "at most 6999 bytes are taken, received 7000"),
        ({}, ValueError, "expected `origin`"),
        ({"origin": ""}, ValueError, "`fname` to be the name of a file"),
        ({"origin": "a.bin", "fname": "../a.bin"}, ValueError, "without folders"),
        ({"origin": "a.bin", "file_hash": "00"}, ValueError, "32 .md5. or 64"),
        ({"origin": "a.bin", "file_hash": "00", "hash_algorithm": "crc"}, ValueError, "'sha256' or 'md5'"),
        ({"origin": "a.bin", "extract": True, "archive_format": "rar"}, ValueError, "`archive_format`"),
    ],
)
def test_what_does_not_arrive_leaves_nothing(site, tmp_path, options, error, words):
    options = {**options, **({"origin": site.url + options["origin"]} if "origin" in options else {})}
    with pytest.raises(error, match=words):
        get_file(cache_dir=tmp_path, **options)
    assert listing(tmp_path) == []


@pytest.mark.parametrize(
    "fname, origin, folder",
    [
        (None, "flowers.tgz", "flowers.tgz"),
        ("mine", "flowers.tar", "mine"),
        ("mine.tar.xz", "flowers.tar.xz", "mine.tar_extracted"),
        ("mine", "flowers.zip", "mine"),
    ],
)
def test_archives_are_unpacked(site, tmp_path, fname, origin, folder):
    for _ in range(2):
        path = get_file(fname, site.url + origin, extract=True, cache_dir=tmp_path)
        assert path == str(tmp_path / "datasets" / folder)
    with open(os.path.join(path, "flowers", "rose", "1.txt"), "rb") as file:
        assert file.read() == b"red"
    assert not [name for name in listing(tmp_path) if "unpacking" in name]
    get_file(fname, site.url + origin, extract=True, cache_dir=tmp_path, force_download=True)
    assert len(listing(path)) == (1 if origin.endswith("zip") else 2)


def test_the_old_word_for_it_and_what_is_no_archive(site, tmp_path):
    path = get_file("flowers", site.url + "flowers.tgz", untar=True, cache_dir=tmp_path)
    assert os.path.isdir(os.path.join(path, "flowers"))
    with pytest.warns(UserWarning, match="no archive of kind tar or zip"):
        get_file(origin=site.url + "a.bin", extract=True, cache_dir=tmp_path)
    with pytest.warns(UserWarning, match="no archive of kind tar"):
        get_file("z", site.url + "flowers.zip", extract=True, archive_format="tar", cache_dir=tmp_path)


def evil_tar(path, **member):
    with tarfile.open(path, "w:gz") as archive:
        add(archive, "ok.txt", b"x")
        add(archive, **member)


@pytest.mark.parametrize(
    "member, words",
    [
        ({"name": "../outside.txt", "data": b"x"}, "outside of its folder"),
        ({"name": "/tmp/outside.txt", "data": b"x"}, "outside of its folder"),
        ({"name": "a/../../outside.txt", "data": b"x"}, "outside of its folder"),
        ({"name": "..\\outside.txt", "data": b"x"}, "outside of its folder"),
        ({"name": "link", "type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, "a link or a device"),
        ({"name": "link", "type": tarfile.LNKTYPE, "linkname": "ok.txt"}, "a link or a device"),
        ({"name": "pipe", "type": tarfile.FIFOTYPE}, "a link or a device"),
        ({"name": "bomb", "data": bytes(3_000_000)}, "larger than the 1000000 bytes"),
    ],
)
def test_unsafe_archives_are_refused_and_leave_nothing(site, tmp_path, member, words):
    evil_tar(site.folder / "evil.tgz", **member)
    with pytest.raises(ValueError, match=words):
        get_file("evil", site.url + "evil.tgz", extract=True, cache_dir=tmp_path, max_bytes=1_000_000)
    assert listing(tmp_path) == [os.path.join("datasets", "evil_archive")]


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_of_megabytes_is_not_read(site, tmp_path, kind):
    """Python would look through these digits in a time that grows with the square of their number."""
    evil_tar(site.folder / "evil.tgz", name="header", type=kind, data=b"1" * 3_000_000)
    with pytest.raises(ValueError, match="a header declares 3000000 bytes, expected at most 8192"):
        get_file("evil", site.url + "evil.tgz", extract=True, cache_dir=tmp_path)


def test_unsafe_zip_files_and_damaged_archives(site, tmp_path):
    with zipfile.ZipFile(site.folder / "evil.zip", "w") as archive:
        archive.writestr("../outside.txt", "x")
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(site.folder / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    whole = (site.folder / "flowers.zip").read_bytes()
    (site.folder / "broken.zip").write_bytes(whole.replace(whole[60:64], b"\xff\xff\xff\xff"))
    for name, words in (("evil", "outside of its folder"), ("link", "is a link"), ("broken", "is damaged")):
        with pytest.raises(ValueError, match=words):
            get_file(name, f"{site.url}{name}.zip", extract=True, cache_dir=tmp_path)
        assert not os.path.exists(tmp_path / "datasets" / name)


@pytest.mark.parametrize("origin", [1e300, {"a": 1}, b"http://a"])
def test_an_origin_that_is_no_string(origin):
    with pytest.raises(TypeError, match="origin"):
        get_file(origin=origin)
