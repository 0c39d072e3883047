"""Archives, sound ones and others."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from training.data.archive import unpack
from training.data.source import Source
from training.errors import DatasetError


def zipped(path: Path, entries: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return path


def taped(path: Path, entries: dict[str, str], link: str = "") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
        if link:
            info = tarfile.TarInfo("link")
            info.type, info.linkname = tarfile.SYMTYPE, link
            archive.addfile(info)
    return path


@pytest.mark.parametrize("pack", [zipped, taped])
def test_what_is_wanted_is_unpacked(pack: object, tmp_path: Path) -> None:
    name = "a.zip" if pack is zipped else "a.tar.gz"
    archive = (zipped if pack is zipped else taped)(tmp_path / name, {"data/x/1.txt": "one", "data/y.txt": "two"})
    unpack(archive, tmp_path / "out", only="data/x/")
    assert [path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.txt")] == [
        "data/x/1.txt"
    ]


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "a/../../evil.txt", "c:\\evil.txt"])
def test_nothing_leaves_the_folder(name: str, tmp_path: Path) -> None:
    inner = tmp_path / "in"
    inner.mkdir()
    for archive in (zipped(inner / "a.zip", {name: "x"}), taped(inner / "a.tar.gz", {name: "x"})):
        with pytest.raises(DatasetError, match="no file inside a folder"):
            unpack(archive, inner / "out")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.tar.gz", "a.zip", "in"]


def test_links_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no file inside"):
        unpack(taped(tmp_path / "a.tar.gz", {"a": "x"}, link="/etc/passwd"), tmp_path / "out")


def test_damage_leaves_nothing(tmp_path: Path) -> None:
    for name, make in (("a.zip", zipped), ("a.tar.gz", taped)):
        archive = make(tmp_path / name, {"a.txt": "x" * 5000})
        archive.write_bytes(archive.read_bytes()[:60])
        with pytest.raises(DatasetError, match="damaged"):
            unpack(archive, tmp_path / "out")
        archive.unlink()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source("names", "https://127.0.0.1:9/data.zip", None, 1.0, ("data/names", "."), ("English.txt",))
    with pytest.raises(DatasetError, match="there is no folder"):
        source.folder(str(tmp_path / "nowhere"))
    with pytest.raises(DatasetError, match="does not hold the data set names") as caught:
        source.folder(str(tmp_path))
    assert "data/names/English.txt" in str(caught.value)
    for place in (tmp_path / "a" / "data" / "names", tmp_path / "b"):
        place.mkdir(parents=True)
        (place / "English.txt").write_text("Smith\n")
    assert source.folder(str(tmp_path / "a")) == tmp_path / "a" / "data" / "names"
    assert source.folder(str(tmp_path / "b")) == tmp_path / "b" / "."


def test_the_archive_in_the_cache_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BPTT_DATA", str(tmp_path))
    zipped(tmp_path / "data.zip", {"data/names/English.txt": "Smith\n", "data/eng-fra.txt": "no"})
    source = Source(
        "names", "https://127.0.0.1:9/data.zip", None, 1.0, ("data/names",), ("English.txt",), only="data/names/"
    )
    assert source.folder() == source.folder() == tmp_path / "names" / "data" / "names"
    assert not (tmp_path / "names" / "data" / "eng-fra.txt").exists()


def flipped(path: Path, place: int) -> Path:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    return path


def marked(path: Path, place: int, value: int) -> Path:
    """A number of the header of the only entry of a ZIP archive, in both of its places."""
    content = bytearray(path.read_bytes())
    content[place] = content[content.find(b"PK\1\2") + place + 2] = value
    path.write_bytes(content)
    return path


def test_the_checksum_behind_a_tape_is_compared(tmp_path: Path) -> None:
    archive = flipped(taped(tmp_path / "a.tar.gz", {"a.txt": "x" * 5000}), -8)
    with pytest.raises(DatasetError, match="is damaged: CRC"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_archives_that_cannot_be_read(tmp_path: Path) -> None:
    compressed = tmp_path / "a.tar.xz"
    with tarfile.open(compressed, "w:xz") as archive:
        archive.add(__file__, "a")
    wrong = {
        marked(zipped(tmp_path / "a.zip", {"a": "x"}), 6, 1): "encrypted",
        marked(zipped(tmp_path / "b.zip", {"a": "x"}), 8, 99): "compression",
        flipped(compressed, 200): "damaged",
        zipped(tmp_path / "c.zip", {}): "holds no files",
        taped(tmp_path / "d.tar.gz", {"d": "x", "d/e": "y"}): "'d/e', which cannot be a file",
        zipped(tmp_path / "e.zip", {"a" * 300: "x"}): "which cannot be a file",
    }
    for path, message in wrong.items():
        with pytest.raises(DatasetError, match=message):
            unpack(path, tmp_path / "out")
    with pytest.raises(DatasetError, match="no files whose names begin with data/"):
        unpack(zipped(tmp_path / "f.zip", {"a": "x"}), tmp_path / "out", only="data/")
    assert not (tmp_path / "out").exists()
