"""``bptt check`` and ``bptt grade`` as they are called."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bptt.cli import main

CELL = "h_t = \\sigma(W h_{t-1} + U x_t + b)"
RIGHT = "$$\\frac{\\partial h_t}{\\partial h_{t-1}} = \\operatorname{diag}(\\sigma'(z_t)) W$$\n"
WRONG = "$$\\nabla_W L = \\sum_{t=1}^T \\delta_t h_t^\\top$$\n"


@pytest.fixture
def answer(tmp_path: Path) -> Path:
    path = tmp_path / "answer.tex"
    path.write_text("Words.\n" + RIGHT + WRONG)
    return path


def test_right_and_wrong(answer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(answer), "--cell", CELL]) == 1
    out = capsys.readouterr().out
    assert "2:3      correct (proved)" in out and "3:3      wrong" in out and "2 equations: 1 correct, 1 wrong" in out
    answer.write_text(RIGHT)
    assert main(["check", str(answer), "--cell", CELL]) == 0


def test_json_is_a_list_with_an_object_for_each_equation(answer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(answer), "--cell", CELL, "--json"]) == 1
    captured = capsys.readouterr()
    right, wrong = json.loads(captured.out)
    names = {"line", "column", "claim", "verdict", "evidence", "reading", "message", "hint", "counterexample"}
    assert names <= set(right) and names <= set(wrong)
    assert (right["line"], right["verdict"], right["evidence"]) == (2, "correct", "proved")
    assert (wrong["line"], wrong["verdict"]) == (3, "wrong")
    assert wrong["hints"][-1].startswith("what holds") and "h_{t-1}" in wrong["correction"]
    point = wrong["counterexample"]
    assert {"sizes", "indices", "left", "right", "differs"} <= set(point) and point["differs"]
    assert not captured.err


def test_the_document_from_the_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Input:
        buffer = io.BytesIO(RIGHT.encode())

    monkeypatch.setattr(sys, "stdin", Input())
    assert main(["check", "-", "--cell", CELL]) == 0
    assert "1 equation: 1 correct" in capsys.readouterr().out


@pytest.mark.parametrize(("hints", "said"), [("0", None), ("1", "look at"), ("2", "a time"), ("4", "what holds")])
def test_hints_in_steps(answer: Path, capsys: pytest.CaptureFixture[str], hints: str, said: str | None) -> None:
    main(["check", str(answer), "--cell", CELL, "--hints", hints])
    out = capsys.readouterr().out
    assert ("hint" in out) == (said is not None) and (said or "") in out
    assert ("belongs where" in out) == (hints == "4")


def test_marks(answer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = tmp_path / "wanted.txt"
    wanted.write_text("2 \\frac{\\partial h_t}{\\partial h_{t-1}} # the Jacobian\n3 \\nabla_W L\n1 \\nabla_b L\n")
    assert main(["check", str(answer), "--cell", CELL, "--require", str(wanted)]) == 1
    out = capsys.readouterr().out
    assert "2 of 2  right, line 2" in out and "0 of 1  missing" in out and out.rstrip().endswith("2 of 6 points")
    assert main(["check", str(answer), "--cell", CELL, "--require", str(wanted), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["points"], found["of"]) == (2.0, 6.0) and [one["state"] for one in found["results"]] == [
        "right",
        "wrong",
        "missing",
    ]


def test_a_document_with_its_own_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "own.md"
    path.write_text(f"# Answer\n\n$${CELL}$$\n\n{RIGHT}")
    assert main(["check", str(path)]) == 0
    assert "correct (a definition)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (None, [], "there is no file"),
        ("", [], "is empty"),
        (RIGHT, [], "there is no cell"),
        ("$$x_t = 3$$", [], "is about no cell that is known"),
        (RIGHT, ["--cell", "h_t ="], "the formula ends too early"),
        (RIGHT, ["--cell", CELL, "--alias", "g"], "no alias"),
        (RIGHT, ["--cell", CELL, "--require", "nowhere.txt"], "there is no file"),
        ("{", ["--cell", CELL], None),
    ],
)
def test_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, options: list[str], said: str | None
) -> None:
    path = tmp_path / "answer.tex"
    if content is not None:
        path.write_text(content)
    code = main(["check", str(path), *options])
    captured = capsys.readouterr()
    if said is None:
        assert code in (0, 1)
    else:
        assert code == 2 and said in captured.err and not captured.out


def test_torch_is_not_loaded(answer: Path) -> None:
    code = (
        "import sys; from bptt.cli import main\n"
        f"main(['check', {str(answer)!r}, '--cell', {CELL!r}])\n"
        "assert 'torch' not in sys.modules and 'reports' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


# -- a class -------------------------------------------------------------------------------------------


def test_grade(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / "class", tmp_path / "out"
    (folder / "bob").mkdir(parents=True)
    (folder / "alice.tex").write_text(RIGHT)
    (folder / "bob" / "answer.md").write_text(WRONG)
    (folder / "notes.pdf").write_text("no")
    (folder / ".hidden.tex").write_text("no")
    (folder / "broken.ipynb").write_text("{")
    assert main(["grade", str(folder), "--cell", CELL, "-o", str(out), "--route", "typst", "--jobs", "1"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["alice.pdf", "bob-answer.pdf", "grades.csv", "grades.html"]
    table = (out / "grades.csv").read_text()
    assert [line.split(",")[0] for line in table.splitlines()] == ["file", "alice.tex", "bob/answer.md", "broken.ipynb"]
    assert "bob-answer.pdf" in (out / "grades.html").read_text()
    assert "broken.ipynb: " in capsys.readouterr().err
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.suffix != ".pdf"}
    assert main(["grade", str(folder), "--cell", CELL, "-o", str(out), "--no-pdf", "--jobs", "1"]) == 0
    assert (out / "grades.csv").read_bytes() == before["grades.csv"]


@pytest.mark.parametrize("options", [["nowhere"], ["."], [".", "--jobs", "0"], [".", "--require", "nowhere"]])
def test_grade_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["grade", *options, "--cell", CELL, "-o", "out"]) == 2
    assert not (tmp_path / "out").exists()
