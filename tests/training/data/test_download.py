"""Downloads from a server on the loopback that cuts connections, forgets ranges, and lies."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from training.data import download as module
from training.data.download import download
from training.errors import DatasetError

CONTENT = bytes(range(256)) * 2000
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class Server(ThreadingHTTPServer):
    """Serves CONTENT at /file.zip. ``cuts``: bytes after which the next connections are cut; ``ranges``: whether it knows them."""

    cuts: list[int]
    ranges = True
    asked: list[str | None]
    status = 200
    length: str | None = ""
    """What is said of the length in the place of the truth; None for nothing."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        if self.server.status != 200 or self.path != "/file.zip":
            self.send_error(self.server.status if self.server.status != 200 else 404)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
        if start > len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if asked and self.server.ranges else 200)
        if asked and self.server.ranges:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        body = CONTENT[start:]
        if self.server.length is not None:
            self.send_header("Content-Length", self.server.length or str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.cuts.pop(0)] if self.server.cuts else body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server(("127.0.0.1", 0), Handler)
    found.cuts, found.asked = [], []
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    yield found
    found.shutdown()
    found.server_close()


def address(server: Server, name: str = "file.zip") -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/{name}"


def test_a_whole_file(server: Server, tmp_path: Path) -> None:
    said: list[str] = []
    path = download(address(server), tmp_path / "a" / "file.zip", SHA256, said.append)
    assert path.read_bytes() == CONTENT
    assert [file.name for file in path.parent.iterdir()] == ["file.zip"]
    assert said[-1] == "file.zip: 0.5 of 0.5 MB"


def test_a_cut_connection_is_gone_on_with(server: Server, tmp_path: Path) -> None:
    server.cuts = [100_000, 7]
    path = download(address(server), tmp_path / "file.zip", SHA256, pause=0.0)
    assert path.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=100000-", "bytes=100007-"]


def test_a_download_of_an_earlier_process_is_gone_on_with(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.zip.part").write_bytes(CONTENT[:300_000])
    assert download(address(server), tmp_path / "file.zip", SHA256).read_bytes() == CONTENT
    assert server.asked == ["bytes=300000-"]


def test_a_server_without_ranges_sends_all_again(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    server.cuts = [1000]
    assert download(address(server), tmp_path / "file.zip", SHA256, pause=0.0).read_bytes() == CONTENT


def test_more_than_there_is_is_dropped(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.zip.part").write_bytes(CONTENT + b"more")
    assert download(address(server), tmp_path / "file.zip", SHA256, pause=0.0).read_bytes() == CONTENT


def test_damage_is_found_and_removed(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.zip.part").write_bytes(b"x" * 300_000)
    with pytest.raises(DatasetError, match="damaged"):
        download(address(server), tmp_path / "file.zip", SHA256)
    assert not list(tmp_path.iterdir())
    assert download(address(server), tmp_path / "file.zip", SHA256).read_bytes() == CONTENT


def test_what_always_breaks_keeps_what_came(server: Server, tmp_path: Path) -> None:
    server.cuts = [10] * 10
    with pytest.raises(DatasetError, match="40 bytes are kept") as caught:
        download(address(server), tmp_path / "file.zip", SHA256, pause=0.0)
    assert "--data DIR" in str(caught.value)
    assert (tmp_path / "file.zip.part").stat().st_size == 40


@pytest.mark.parametrize(("status", "tries"), [(404, 1), (503, 4)])
def test_answers_of_the_server(server: Server, tmp_path: Path, status: int, tries: int) -> None:
    server.status = status
    with pytest.raises(DatasetError, match=f"the server answers {status}"):
        download(address(server), tmp_path / "file.zip", SHA256, pause=0.0)
    assert len(server.asked) == tries


def test_offline(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be fetched: ") as caught:
        download("http://127.0.0.1:9/file.zip", tmp_path / "file.zip", SHA256, pause=0.0)
    assert "without a connection" in str(caught.value)


def test_other_addresses_are_refused(tmp_path: Path) -> None:
    for url in ("file:///etc/passwd", "http://example.org/x.zip", "ftp://example.org/x.zip"):
        with pytest.raises(DatasetError, match="not fetched"):
            download(url, tmp_path / "x", None)


@pytest.mark.parametrize(
    "url", ["http://localhost:1@192.0.2.1/x.zip", "http://192.0.2.1:80/x.zip", "ftp://127.0.0.1/x.zip"]
)
def test_other_addresses_are_refused_after_a_redirect_too(server: Server, tmp_path: Path, url: str) -> None:
    for given in (url, address(server, f"to/{url}")):
        with pytest.raises(DatasetError, match="not fetched"):
            download(given, tmp_path / "x", SHA256, pause=0.0)
    here = address(server, f"to/{address(server)}")
    assert download(here, tmp_path / "x", SHA256, pause=0.0).read_bytes() == CONTENT


@pytest.mark.parametrize("length", [None, "abc", "-5"])
def test_an_end_that_nobody_announced_is_none(server: Server, tmp_path: Path, length: str | None) -> None:
    server.length, server.cuts = length, [10] * 4
    with pytest.raises(DatasetError, match="does not say how many bytes"):
        download(address(server), tmp_path / "file.zip", None, pause=0.0)
    assert not (tmp_path / "file.zip").exists()


def test_a_full_disk(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(url: str, part: Path, say: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_fetch", full)
    with pytest.raises(DatasetError, match="disk is full"):
        download(address(server), tmp_path / "file.zip", SHA256)
