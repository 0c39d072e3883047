"""The process in which code runs: names are shared, nothing of the user's reaches it, and nothing of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from reports.code.executed import Picture, Printed
from reports.code.outputs import result_of
from reports.code.process import MAX_TEXT, EndedError, Process, TimeIsUpError, TooMuchError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def process() -> Iterator[Process]:
    one = Process()
    yield one
    one.close()
    assert not one.folder.exists()


def text(process: Process, source: str) -> str:
    outputs = result_of(*process.run(source, 30), process.folder).outputs
    return "".join(output.text for output in outputs if not isinstance(output, Picture))


def test_names_are_shared_and_the_last_value_is_shown(process: Process) -> None:
    assert text(process, "x = 20\nprint('a')") == "a\n"
    assert text(process, "x += 1\n2 * x") == "42\n" and text(process, "x;") == ""


def test_the_environment_is_small(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "secret")
    other = Process()
    try:
        assert text(other, "import os\nos.environ.get('MY_TOKEN'), os.listdir()") == "(None, [])\n"
    finally:
        other.close()


def test_the_same_code_gives_the_same_output() -> None:
    source = (
        "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2], label='a')\nplt.legend()\n"
        "print(hash('a'), {chr(k) for k in range(65, 80)})"
    )
    found = []
    for _ in range(2):
        one = Process()
        try:
            found.append(result_of(*one.run(source, 60), one.folder).outputs)
        finally:
            one.close()
    printed, picture = found[0]
    assert found[0] == found[1] and isinstance(printed, Printed) and isinstance(picture, Picture)
    assert 8 < picture.width < 16 and "date" not in picture.svg.lower()


def test_nobody_answers_and_nothing_can_be_read(process: Process) -> None:
    assert "StdinNotImplementedError" in text(process, "input('name? ')")
    assert text(process, "import sys\nprint(repr(sys.stdin.read()))") == "''\n"


def test_bytes_that_are_no_text(process: Process) -> None:
    assert (
        text(process, "import os\nn = os.write(1, b'\\xff\\xfe\\x00')\nprint('\\x00\\udcff ok')") == "\\x00\ufffd ok\n"
    )
    assert "AttributeError" in text(process, "import sys\nsys.stdout.buffer.write(b'\\xff')")


@pytest.mark.parametrize("source", ["import os\nos._exit(0)", "exit()", "quit()", "import os\nos.kill(os.getpid(), 9)"])
def test_code_that_ends_the_process(process: Process, source: str) -> None:
    with pytest.raises(EndedError):
        process.run(source, 30)


def test_an_exit_is_an_error_like_others(process: Process) -> None:
    assert text(process, "import sys\nsys.exit(3)") == "SystemExit: 3"


@pytest.mark.parametrize(
    "source",
    [
        "while True:\n    print('x' * 1000)", f"print('x' * {MAX_TEXT + 1})", f"'x' * {MAX_TEXT + 1}",
        f"raise ValueError('x' * {MAX_TEXT + 1})",
        "from IPython.display import SVG, display\nfor k in range(100): display(SVG('<svg xmlns=\"http://www.w3.org/2000/svg\">' + ' ' * 200_000 + '</svg>'))",
    ],
)  # fmt: skip
def test_too_much_is_told(process: Process, source: str) -> None:
    start = time.monotonic()
    with pytest.raises(TooMuchError):
        process.run(source, 30)
    assert time.monotonic() - start < 20


def test_what_never_ends_is_stopped_with_all_that_it_started(process: Process) -> None:
    source = (
        "import subprocess, sys, time\n"
        "children = [subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=new) for new in (False, True)]\n"
        "print(*[child.pid for child in children])"
    )
    children = [int(number) for number in text(process, source).split()]
    assert all(psutil.pid_exists(pid) for pid in children)
    with pytest.raises(TimeIsUpError):
        process.run("while True: pass", 1)
    deadline = time.monotonic() + 5
    while any(_lives(pid) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_lives(pid) for pid in children)
    assert not [child for child in psutil.Process().children() if "ipykernel" in " ".join(_command(child))]


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline()) or [process.status()]
    except psutil.NoSuchProcess:
        return []


SHEET = "```bptt code\n---\nimport pathlib, time\npathlib.Path({ready!r}).write_text('x')\ntime.sleep(600)\n```\n"


STARTED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from bptt.cli import main
sys.exit(main())
"""
"""Programs that are started in the background may have been told to ignore Ctrl-C."""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    ready, sheet, own = tmp_path / "ready", tmp_path / "sheet.md", tmp_path / "own"
    own.mkdir()
    sheet.write_text(SHEET.format(ready=str(ready)))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(own)}
    command = [sys.executable, "-c", STARTED, "sheet", str(sheet), "--run", "-o", str(tmp_path / "out")]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as running:
        deadline = time.monotonic() + 60
        while not ready.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        kernels = psutil.Process(running.pid).children(recursive=True)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
    assert running.returncode == 130 and said.strip() == "bptt: stopped"
    assert kernels and not any(_lives(kernel.pid) for kernel in kernels)
    assert not list(own.iterdir()) and not (tmp_path / "out").exists()


def test_a_process_that_nobody_closes_is_gone_with_the_program() -> None:
    code = "from reports.code.process import Process\np = Process()\nprint(p._manager.provisioner.pid, p.folder)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    pid, folder = found.stdout.split()
    assert folder.startswith(tempfile.gettempdir()) and not _lives(int(pid)) and not Path(folder).exists()
