"""Getting and checking files: resume, checksums, archives, what is said when things go wrong."""

import hashlib
import http.server
import io
import json
import os
import socketserver
import tarfile
import threading
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from arlif import data
from arlif.base.errors import ArlifError
from arlif.data import store
from arlif.data.fetch import Download, NpmPackage, checksum, unpack
from arlif.data.registry import DATASETS

CONTENT = np.random.default_rng(0).bytes(300_000)


def quiet(what, done, total):
    pass


@pytest.fixture
def server(tmp_path):
    """A local HTTP server that understands byte ranges, and what it was asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
            asked.append(start)
            if start >= len(CONTENT):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(CONTENT) - start))
            self.end_headers()
            self.wfile.write(CONTENT[start:])

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/file.bin", asked
        running.shutdown()
        thread.join()


def test_a_download_continues_where_it_stopped(server, tmp_path):
    url, asked = server
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:100_000])
    seen = []
    source = Download(url, "file.bin", hashlib.md5(CONTENT).hexdigest())
    source.fetch(tmp_path, lambda what, done, total: seen.append((done, total)))
    assert asked == [100_000]
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert seen[-1] == (300_000, 300_000)
    source.fetch(tmp_path, quiet)
    assert asked == [100_000]


def test_a_finished_part_is_not_downloaded_again(server, tmp_path):
    url, _ = server
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    Download(url, "file.bin", hashlib.md5(CONTENT).hexdigest()).fetch(tmp_path, quiet)
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


def test_a_wrong_checksum_is_refused_and_leaves_no_file(server, tmp_path):
    url, _ = server
    with pytest.raises(ArlifError, match=r"arrived damaged .* run the same again to start anew"):
        Download(url, "file.bin", "0" * 32).fetch(tmp_path, quiet)
    assert not list(tmp_path.iterdir())


def test_a_file_put_there_by_hand_is_compared_too(server, tmp_path):
    url, asked = server
    (tmp_path / "file.bin").write_bytes(CONTENT[:-1])
    with pytest.raises(ArlifError, match=r"file\.bin is not as published .*; delete it"):
        Download(url, "file.bin", hashlib.md5(CONTENT).hexdigest()).fetch(tmp_path, quiet)
    assert not asked


def answering(answer):
    """A server that sends some bytes to every request and hangs up; its address."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(65536)
            self.request.sendall(answer)

    return socketserver.TCPServer(("127.0.0.1", 0), Handler)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "message", "kept"),
    [
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + b"x" * 1000,
            "ended early, after 1,000 of 3,000 bytes; run the same again to continue",
            1000,
        ),
        (CHUNKED + b"ff\r\nxx", "IncompleteRead.* run the same again to continue", 0),
        (b"nonsense\r\n\r\n", "nonsense.* run the same again to continue", None),
        (b"", "cannot download file.bin: .* run the same again to continue", None),
    ],
)
def test_a_cut_download_keeps_what_came(tmp_path, answer, message, kept):
    with answering(answer) as running:
        thread = threading.Thread(target=running.handle_request)
        thread.start()
        source = Download(f"http://127.0.0.1:{running.server_address[1]}/", "file.bin", "0" * 32)
        with pytest.raises(ArlifError, match=message):
            source.fetch(tmp_path, quiet)
        thread.join()
    part = tmp_path / "file.bin.part"
    assert (part.stat().st_size if part.exists() else None) == kept


def test_an_unreachable_source_is_named(tmp_path):
    with pytest.raises(ArlifError, match=r"cannot download file\.bin"):
        Download("http://127.0.0.1:9/file.bin", "file.bin", "0" * 32).fetch(tmp_path, quiet)


@dataclass(frozen=True)
class Fails:
    gives: str = ""
    origin: str = "the official server"

    def fetch(self, folder, progress):
        raise ArlifError("no internet")


@dataclass(frozen=True)
class Writes:
    file: str = "file.bin"
    origin: str = "a package"

    @property
    def gives(self):
        return self.file

    def fetch(self, folder, progress):
        (folder / self.file).write_bytes(CONTENT)


def test_the_next_source_is_tried_and_all_failures_are_told(tmp_path):
    told = []
    sources = ((Fails(),), (Writes(), Writes("other.bin")))
    store.fetch_files(tmp_path / "a", sources, ["file.bin"], quiet, told.append)
    assert (tmp_path / "a" / "file.bin").exists()
    assert told == ["not from the official server: no internet", "fetched from a package"]
    with pytest.raises(ArlifError, match="no internet; no internet"):
        store.fetch_files(tmp_path / "b", ((Fails(),), (Fails(),)), [""], quiet, told.append)


def test_check_names_missing_and_changed_files(tmp_path):
    (tmp_path / "file.bin").write_bytes(CONTENT)
    digest = checksum(tmp_path / "file.bin")
    assert [state.wrong for state in store.check_files(tmp_path, {"file.bin": digest})] == [""]
    store.write_manifest(tmp_path)
    (tmp_path / "file.bin").write_bytes(CONTENT[:-1])
    states = store.check_files(tmp_path, {"gone.bin": digest})
    assert {state.file: state.wrong[:7] for state in states} == {
        "file.bin": "differs",
        "gone.bin": "is miss",
    }
    (tmp_path / "manifest.json").write_text("{")
    assert store.check_files(tmp_path, {})[0].wrong.startswith("is damaged")


@pytest.fixture
def two_files(tmp_path, monkeypatch):
    """A dataset of two files, fetched; the folder it lies in."""
    entry = replace(
        DATASETS["shd"],
        alternatives=((Writes("a.bin"), Writes("b.bin")),),
        required=(("a.bin", ""), ("b.bin", "")),
    )
    monkeypatch.setitem(DATASETS, "shd", entry)
    return data.get("shd", tmp_path)


def change(file):
    """Other bytes of the same size and age."""
    times = file.stat()
    file.write_bytes(CONTENT[::-1])
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize("damage", [Path.unlink, lambda f: f.write_bytes(b"cut"), change])
def test_get_fetches_again_what_is_missing_or_damaged(two_files, tmp_path, damage):
    wrong, good = two_files / "a.bin", two_files / "b.bin"
    for file in (wrong, good):
        os.utime(file, ns=(0, 0))
    damage(wrong)
    assert [s.file for s in data.check("shd", tmp_path) if s.wrong] == ["a.bin"]
    data.get("shd", tmp_path)
    assert wrong.read_bytes() == CONTENT
    assert good.stat().st_mtime_ns == 0
    assert not [s for s in data.check("shd", tmp_path) if s.wrong]


def test_get_replaces_a_damaged_manifest_and_reads_one_without_sizes(two_files, tmp_path):
    manifest = two_files / "manifest.json"
    manifest.write_text("[]")
    data.get("shd", tmp_path)
    assert not [s for s in data.check("shd", tmp_path) if s.wrong]
    manifest.write_text(json.dumps({"a.bin": checksum(two_files / "a.bin")}))
    (two_files / "a.bin").write_bytes(b"cut")
    data.get("shd", tmp_path)
    assert (two_files / "a.bin").read_bytes() == CONTENT


def test_missing_data_names_the_cure(tmp_path):
    with pytest.raises(ArlifError, match="arlif data get cifar100"):
        data.load("cifar100", tmp_path)


def test_damaged_archives_are_refused(tmp_path):
    for name in ("bad.zip", "bad.tar.gz"):
        (tmp_path / name).write_bytes(b"not an archive")
        with pytest.raises(ArlifError, match="is damaged"):
            unpack(tmp_path / name, tmp_path)


@pytest.mark.parametrize(
    ("at", "value"), [((8, 10), 99), ((8, 10), 12), ((6, 8), 1)], ids=["method", "bzip2", "locked"]
)
def test_members_that_nobody_here_can_unpack_are_refused(tmp_path, at, value):
    """An unknown method, a stream that is none of its method, an encrypted member."""
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("x", b"content")
    content = bytearray(archive.read_bytes())
    directory = content.index(b"PK\x01\x02")
    for place in (at[0], directory + at[1]):
        content[place : place + 2] = value.to_bytes(2, "little")
    archive.write_bytes(content)
    with pytest.raises(ArlifError, match=r"a\.zip is damaged .*; delete it and get it again"):
        unpack(archive, tmp_path)


def test_archive_members_cannot_leave_the_folder(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    with tarfile.open(inside / "a.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("../escaped.txt")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(ArlifError, match="is damaged"):
        unpack(inside / "a.tar.gz", inside)
    with zipfile.ZipFile(inside / "b.zip", "w") as zipped:
        zipped.writestr("../escaped.txt", "x")
    unpack(inside / "b.zip", inside)
    assert not (tmp_path / "escaped.txt").exists()


def test_a_package_client_that_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ArlifError, match="npm is not installed"):
        NpmPackage("some-package", ("*",)).fetch(tmp_path, quiet)


def test_the_data_folder_follows_the_environment(monkeypatch):
    monkeypatch.setenv("ARLIF_DATA", "/somewhere")
    assert store.data_folder() == Path("/somewhere")
    assert store.data_folder(Path("here")) == Path("here")


def test_every_dataset_says_what_it_is():
    for name in data.names():
        info = data.describe(name)
        assert info.licence
        assert len({*info.classes}) == len(info.classes) >= 2
        assert len(info.mean) == len(info.std)
