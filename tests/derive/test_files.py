"""Users' files: what cannot be one is told for what it is, and what is one is read whatever its line ends."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from derive.cell import MAX_BYTES, cell
from derive.errors import BpttError, UsageError
from derive.files import read_text

CELL = "h_t = \\tanh(W h_{t-1} + U x_t)\n% title: a cell\n"


def read(path: Path | str) -> str:
    return read_text(path, limit=1000, expected="a text")


@pytest.mark.parametrize(
    "raw",
    [
        CELL.encode(),
        CELL.replace("\n", "\r\n").encode(),
        CELL.replace("\n", "\r").encode(),
        b"\xef\xbb\xbf" + CELL.encode(),
    ],
)
def test_line_ends_and_byte_order_marks_do_not_matter(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "cell.tex").write_bytes(raw)
    assert read(tmp_path / "cell.tex") == CELL
    assert cell(tmp_path / "cell.tex") == cell(str(tmp_path / "cell.tex")) == cell(CELL)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


MADE: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda path: None, "there is no file"), "folder": (Path.mkdir, "is a folder"),
    "pipe": (_pipe, "is a pipe"), "socket": (_socket, "is a socket"),
    "loop": (_loop, "cannot be read"), "dangling": (lambda path: path.symlink_to("x"), "a link to a file that is not there"),
    "empty": (Path.touch, "is empty"), "blank": (lambda path: path.write_bytes(b" \n\t\n"), "is empty"),
    "zero": (lambda path: path.write_bytes(b"a\x00b"), "a zero byte"),
    "binary": (lambda path: path.write_bytes(bytes(range(256))), "byte 129 is not UTF-8"),
    "utf16": (lambda path: path.write_bytes(CELL.encode("utf-16")), "it looks like UTF-16"),
    "latin1": (lambda path: path.write_bytes("ä = b".encode("latin-1")), "save it as UTF-8"),
    "large": (lambda path: path.write_bytes(b"(" * 1001), "more than 1,000 bytes"),
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_what_is_no_text_file_is_one_error(tmp_path: Path, name: str) -> None:
    make, message = MADE[name]
    make(tmp_path / name)
    with pytest.raises(UsageError, match=message) as found:
        read(tmp_path / name)
    assert name in str(found.value)


@pytest.mark.parametrize(
    "name", ["/dev/zero", "/dev/full", "/proc/self/mem", "x" * 300, "a\x00b", "/dev/null/x", "\udcff"]
)
def test_what_is_no_file_at_all_is_one_error(name: str) -> None:
    with pytest.raises(UsageError) as found:
        read(name)
    assert len(str(found.value)) < 700 and "\x00" not in str(found.value)


def test_no_more_than_the_limit_is_read(tmp_path: Path) -> None:
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 10**12)
    with pytest.raises(UsageError, match="more than 1,000 bytes"):
        read(tmp_path / "sparse")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_of_somebody_else_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "secret").chmod(0)
    with pytest.raises(UsageError, match="cannot be read: Permission denied"):
        read(tmp_path / "secret")


@pytest.mark.parametrize("given", [3, None, b"lstm", ["lstm"], 1.5])
def test_a_cell_is_given_by_text_or_a_path(given: object) -> None:
    with pytest.raises(TypeError, match="a cell is given by its equations, a path or a library name"):
        cell(given)  # type: ignore[arg-type]


def test_names_in_the_library_are_suggested() -> None:
    with pytest.raises(UsageError, match="did you mean lstm"):
        cell("LSTMM")


HOSTILE = {
    "number": "h_t = 9" + "9" * 5000 + " W h_{t-1}", "exponent": "h[t] = 1e999999999 * (W @ h[t-1])",
    "digits": "h[t] = 1e" + "9" * 5000 + " * (W @ h[t-1])",
    "lag": "h_t = W h_{t-1000000} + x_t", "factors": "h_t = " + "W " * 3000 + "h_{t-1}", "terms": "h_t = " + "W h_{t-1} + " * 3000 + "x_t",
    "equations": "\n".join(["h_t = W h_{t-1}", *(f"y^{{k{k}}}_t = V h_t" for k in range(300))]),
    "primes": "h_t = W h_{t-1} + \\tanh" + "'" * 50 + "(x_t)",
    "parentheses": "h_t = " + "(" * 100_000, "braces": "h_t = " + "{" * 100_000,
    "deep": "h_t = W h_{t-1} + " + "\\tanh(" * 300 + "x_t" + ")" * 300,
    "zero": "h_t = \\frac{1}{0} W h_{t-1}", "input": "\\input{/etc/passwd}\nh_t = 1",
    "write": "\\write18{touch x}\nh_t = 1", "catcode": "\\catcode`\\@=11\nh_t = 1",
    "csname": "\\csname input\\endcsname{/etc/passwd} = 1", "macro": "\\def\\a{\\a\\a}\\a = 1",
    "line": "h_t = " + "x" * 190_000, "commas": "h_t = " + "," * 100_000,
    "escape": "h_t = W h_{t-1} + \x1b[2J\x1b]0;x\x07 y_t", "reversed": "h_t = W h_{t-1} + \u202e x_t", "bytes": "h_t = W h_{t-1}\x00",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_cells_are_one_short_error_with_its_place(name: str) -> None:
    with pytest.raises(BpttError) as found:
        cell(HOSTILE[name]).gradients()
    text = str(found.value)
    assert text.startswith("line ") and len(text) < 1000 and max(map(len, text.split("\n"))) < 330
    assert not any(char < " " and char != "\n" for char in text) and "\u202e" not in text and "root:" not in text


def test_a_high_power_of_a_matrix_is_not_differentiated() -> None:
    with pytest.raises(BpttError, match="at most 50"):
        cell("h_t = W^{1000000} h_{t-1}").gradients()


@pytest.mark.parametrize("steps", [0, -1, 21, 100_000, 10**4000, "3", 2.5, None])
def test_a_sum_is_written_out_for_few_steps(steps: object) -> None:
    with pytest.raises(UsageError, match="a number from 1 to 20") as found:
        cell("lstm").gradient("W_f", form="unrolled", steps=steps)  # type: ignore[arg-type]
    assert len(str(found.value)) < 300


def test_the_limit_of_files_is_that_of_the_notation() -> None:
    from derive.notation.parser import MAX_LENGTH

    assert MAX_BYTES <= MAX_LENGTH
