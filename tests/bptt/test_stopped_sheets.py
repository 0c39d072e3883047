"""A sheet that is stopped leaves nothing: no file, no process of its code, no temporary folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_nothing_is_left_of_code_that_is_at_work(number: signal.Signals, status: int, tmp_path: Path) -> None:
    said, temporary, out = tmp_path / "said", tmp_path / "temporary", tmp_path / "out"
    temporary.mkdir()
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\n"
        f"with open({str(said)!r} + '-', 'w') as file:\n    print(os.getpid(), child.pid, file=file)\n"
        f"os.rename({str(said)!r} + '-', {str(said)!r})\ntime.sleep(300)"
    )
    sheet = tmp_path / "sheet.md"
    sheet.write_text(f"# A sheet\n\n```bptt code\nseconds: 600\n---\n{code}\n```\n")
    command = [sys.executable, "-m", "bptt", "sheet", str(sheet), "--run", "-o", str(out)]
    with subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)},
        preexec_fn=lambda: [signal.signal(one, signal.SIG_DFL) for one in (signal.SIGINT, signal.SIGHUP)],
    ) as process:
        until = time.monotonic() + 60
        while not said.exists() and time.monotonic() < until:
            time.sleep(0.05)
        family = [int(word) for word in said.read_text().split()]
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
    assert process.returncode == status and told.strip().endswith("bptt: stopped") and "Traceback" not in told
    assert not out.exists() and not list(temporary.iterdir())
    assert not [
        pid for pid in family if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    ]
