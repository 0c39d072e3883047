"""What the commands print: on full disks, into closed pipes, on terminals of every kind; and what long work says
meanwhile.
"""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bptt import console
from bptt.cli import main
from bptt.progress import Progress

ROOT = Path(__file__).parents[2]
RNN = "h_t = \\tanh(W h_{t-1} + U x_t)"
COMMANDS = [
    ["derive", RNN],
    ["cells"],
    ["sheet"],
    ["--help"],
    ["--version"],
    ["derive", "--help"],
    ["derive", RNN, "--format", "json"],
]


def run(arguments: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}  # type: ignore[dict-item]
    command = [sys.executable, "-m", "bptt", *arguments]
    return subprocess.run(
        command, stderr=subprocess.PIPE, text=True, env=environment, timeout=300, check=False, **options
    )  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_one_error(arguments: list[str], unbuffered: str) -> None:
    if unbuffered and arguments != ["--help"]:
        pytest.skip("one command is enough")
    with Path("/dev/full").open("w") as full:
        found = run(arguments, stdout=full, env={"PYTHONUNBUFFERED": unbuffered})
    assert found.returncode == 2
    assert found.stderr == "bptt: the standard output cannot be written: No space left on device\n"


def test_a_pipe_that_nobody_reads_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    found = run(["derive", "lstm"], stdout=writing)
    os.close(writing)
    assert found.returncode == 0 and found.stderr == ""


def test_a_full_error_stream_changes_nothing() -> None:
    command = f"{sys.executable} -m bptt derive nothing 2>/dev/full; echo $?"
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, check=False)
    assert found.stdout == "2\n"


def test_closed_streams_are_one_error() -> None:
    command = (
        f"{sys.executable} -m bptt derive rnn >&-; echo $? >&2; {sys.executable} -m bptt derive rnn >&- 2>&-; exit $?"
    )
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, check=False)
    assert found.stderr == "bptt: the standard output cannot be written: it is closed\n2\n" and found.returncode == 2


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_terminals_without_mathematical_signs(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """Signs are spelled, JSON stays JSON, and errors are told."""
    written = {name: io.TextIOWrapper(io.BytesIO(), encoding=encoding) for name in ("stdout", "stderr")}
    for name, stream in written.items():
        monkeypatch.setattr(sys, name, stream)
    assert (
        main(["derive", RNN]) == 0
        and main(["derive", RNN, "--format", "json"]) == 0
        and main(["derive", "h_t = ∮ 漢"]) == 2
    )
    text = written["stdout"].buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
    plain, _, data = text.partition("{\n")
    assert ("∇_W L" if encoding == "utf-8" else "nabla_W L") in plain
    assert "∇" in json.loads("{\n" + data)["result"]["text"] + json.loads("{\n" + data)["target"]["text"]
    assert b"bptt: " in written["stderr"].buffer.getvalue()  # type: ignore[attr-defined]


def test_every_sign_that_is_spelled_has_an_ascii_spelling() -> None:
    for sign, spelling in console._SPELLINGS.items():
        assert spelling.isascii() and not sign.isascii()
    assert "∂⁺h".encode("ascii", console._ERRORS) == b"partial^{+} h"


def test_names_of_files_cannot_move_the_cursor() -> None:
    assert console.safe("a\x1b[2J\nb\udcff") == "a\\x1b[2J\\nb\\udcff"


def test_lines_are_as_long_as_the_terminal_is_wide(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def longest(columns: int | None) -> int:
        if columns is not None:
            monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
            monkeypatch.setattr("shutil.get_terminal_size", lambda *fallback: os.terminal_size((columns, 24)))
        assert main(["derive", "lstm", "--gradient", "W_f", "--prove"]) == 0
        return max(map(len, capsys.readouterr().out.splitlines()))

    assert longest(None) == 100
    assert longest(70) == 70
    assert 100 < longest(400) <= 400


# -- progress --------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """A terminal that says when something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.written.set()
        return super().write(text)


def test_long_work_says_what_it_does_and_leaves_the_line_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with Progress(patience=0.0) as progress:
        progress.say("deriving \x1b[2J everything")
        assert terminal.written.wait(60)
    assert "\r\x1b[2Kderiving \\x1b[2J everything ... (" in terminal.getvalue() and terminal.getvalue().endswith(
        "\r\x1b[2K"
    )


def test_a_terminal_that_cannot_go_back_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "dumb")
    with Progress(patience=0.0) as progress:
        progress.say("deriving")
        assert terminal.written.wait(60)
    assert terminal.getvalue() == "deriving ...\n"


def test_short_work_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress(patience=3600.0) as progress:
        progress.say("deriving")
    assert terminal.getvalue() == ""


def test_without_a_terminal_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress(patience=0.0) as progress:
        progress.say("deriving")
    assert stream.getvalue() == ""


def test_on_a_terminal_a_command_works() -> None:
    master, slave = pty.openpty()
    found = subprocess.run(
        [sys.executable, "-m", "bptt", "derive", "rnn"],
        stdout=subprocess.PIPE,
        stderr=slave,
        cwd=ROOT,
        text=True,
        check=False,
    )
    os.close(slave)
    assert found.returncode == 0 and "nabla" not in found.stdout
    os.close(master)


# -- faults ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (RecursionError(), 2, "nested too deeply"), (MemoryError(), 2, "not enough memory"), (KeyboardInterrupt(), 130, "stopped"),
        (ZeroDivisionError("x" * 9999), 70, "a fault of bptt"),
    ],
)  # fmt: skip
def test_what_nobody_foresaw_is_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, message: str
) -> None:
    def fail(options: object) -> int:
        raise error

    monkeypatch.setattr("bptt.derive_command.run_derive", fail)
    assert main(["derive", "rnn"]) == code
    told = capsys.readouterr().err
    assert message in told and told.startswith("bptt: ") and len(told) < 700 and "Traceback" not in told


def test_a_fault_shows_where_it_happened_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(options: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr("bptt.derive_command.run_derive", fail)
    monkeypatch.setenv("BPTT_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        main(["derive", "rnn"])


@pytest.mark.parametrize("steps", ["x", "1e5", "", "3.0", "٣", "9" * 9999])
def test_wrong_numbers_are_not_repeated_whole(capsys: pytest.CaptureFixture[str], steps: str) -> None:
    try:
        assert main(["derive", "rnn", "--gradient", "W", "--form", "unrolled", "--steps", steps]) == 2
    except SystemExit as stop:
        assert stop.code == 2
    assert len(capsys.readouterr().err) < 700


def test_validation_says_what_was_measured_against_what(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", RNN, "--gradient", "W", "--prove", "--validate"]) == 0
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("measured against torch autograd: ∇_W L by the recursion: largest relative error")
    assert second.startswith("measured against torch autograd: ∂L/∂W by the double sum: largest relative error")
