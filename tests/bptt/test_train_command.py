"""``bptt train`` as a user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bptt.cli import main

ROOT = Path(__file__).parents[2]


def run(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bptt", "train", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        timeout=300,
        check=False,
    )


def test_the_tasks_are_listed_without_torch() -> None:
    code = "import sys, bptt.cli\nbptt.cli.main(['train'])\nprint('torch' in sys.modules, file=sys.stderr)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert found.stdout.startswith("names ") and found.stderr.strip() == "False"


def test_a_run_with_its_report(tmp_path: Path) -> None:
    found = run("lstm-cell", "--steps", "5", "--hidden", "4", "-o", "run", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    files = {path.name for path in (tmp_path / "run").iterdir() if path.name != ".lock"}
    assert files == {"checkpoint.pt", "curve.csv", "metrics.json", "report.html", "report.pdf", "settings.json"}
    assert "step 5 of 5" in found.stderr and "\x1b" not in found.stderr and "\r" not in found.stderr
    page = (tmp_path / "run" / "report.html").read_text()
    assert "An LSTM cell of tensors beside nn.LSTMCell" in page and "bptt train lstm-cell --steps 5" in page
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["steps"] == 5 and metrics["settings"]["hidden"] == 4
    again = run("lstm-cell", "--hidden", "5", "--resume", "-o", "run", cwd=tmp_path)
    assert again.returncode == 2 and "begun with --hidden 4, not with --hidden 5" in again.stderr
    other = run("practical-11", "--resume", "-o", "run", cwd=tmp_path)
    assert other.returncode == 2 and "holds a run of lstm-cell" in other.stderr


def test_gradients_side_by_side() -> None:
    found = run("practical-11", "--compare", "3", "--hidden", "4", "--set", "length=6", "--dtype", "float64")
    lines = found.stdout.splitlines()
    assert found.returncode == 0 and lines[1].startswith("autograd") and lines[2].startswith("derived")
    assert float(lines[3].rpartition(" ")[2]) < 1e-12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "there is no task 'nothing'"),
        (["nams"], "did you mean names?"),
        (["names", "--data", "nowhere"], "there is no folder nowhere"),
        (["names", "--data", "."], "does not hold the data set names"),
        (["names", "--set", "colour=red"], "no setting 'colour' of its own"),
        (["names", "--set", "held_out"], "sets nothing"),
        (["names", "--set", "samples=many"], "a whole number"),
        (["names", "--batch", "0"], "--batch is 0"),
        (["names", "--learning-rate", "nan"], "--learning-rate is nan"),
        (["names", "--learning-rate", "fast"], "invalid float value"),
        (["names", "--grad", "numeric"], "invalid choice"),
        (["names", "--epochs", "1", "--steps", "1"], "not allowed with"),
        (["names", "--resume"], "no checkpoint in runs"),
        (["names", "--compare", "0"], "--compare is 0"),
        (["lstm-cell", "--cell", "gru"], "--cell is 'gru'"),
        (["skipgram", "--grad", "derived"], "--grad derived does not apply to skipgram"),
        (["lstm-cell", "--device", "tpu"], "--device tpu cannot be used"),
        (["practical-11", "--cell", "no-such-cell"], "no cell 'no-such-cell'"),
        (["practical-11", "--cell", "h_t = "], "h_t ="),
        (["practical-11", "--cell", "bidirectional-rnn"], "expected: a cell that reads one vector"),
    ],
)
def test_wrong_arguments_are_one_clear_error(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        status = main(["train", *arguments])
    except SystemExit as ended:  # of argparse
        status = int(str(ended.code))
    assert status == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_help_of_a_task_has_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train", "names", "--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0 and "--checkpoint-every" in shown and "--learning-rate 0.0005" in shown
    assert "--set held_out=0.1" in shown and "(a number between 0 and 1)" in shown


@pytest.mark.parametrize("other", [["--compare", "2"], ["--leaderboard", "x"]])
def test_what_goes_on_with_no_run(other: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "names", "--resume", *other]) == 2
    assert f"{other[0]} goes on with no run" in capsys.readouterr().err


def test_no_report_is_left_of_other_results(tmp_path: Path) -> None:
    command = ["train", "lstm-cell", "--hidden", "2", "--no-report", "-o", str(tmp_path)]
    assert main([*command, "--steps", "2"]) == 0
    (tmp_path / "report.html").write_text("of two steps")
    assert main([*command, "--steps", "3", "--resume"]) == 0
    assert not (tmp_path / "report.html").exists()


def test_offline_is_told_with_what_to_do(tmp_path: Path) -> None:
    found = run("names", cwd=tmp_path, BPTT_DATA=str(tmp_path / "cache"), https_proxy="http://127.0.0.1:9")
    assert found.returncode == 2
    assert "cannot be fetched" in found.stderr and "--data DIR" in found.stderr and "Traceback" not in found.stderr
