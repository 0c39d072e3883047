"""``bptt check`` as it is called."""

from __future__ import annotations

import io
import itertools
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


def test_letters_have_their_usual_meaning_unless_an_equation_gives_it(
    answer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verdict on the sum is one with this δ; whoever means another one sees it."""
    right = WRONG.replace("h_t^", "h_{t-1}^")
    answer.write_text(right)
    assert main(["check", str(answer), "--cell", CELL]) == 0
    assert r"does not give by an equation: \delta_t = \nabla_{z_t} L" in " ".join(capsys.readouterr().out.split())
    of_state = right.replace(r"\delta_t", r"(\sigma'(z_t) \odot \delta_t)")
    for text in (r"Let $\delta_t = \nabla_{z_t} L$. " + right, RIGHT, r"Let $\delta_t = \nabla_{h_t} L$. " + of_state):
        answer.write_text(text)
        assert main(["check", str(answer), "--cell", CELL]) == 0
        assert "usual meaning" not in capsys.readouterr().out


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


def test_hints_in_steps(answer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each step says what those before it say, and more; the first says nothing but verdicts."""
    said = []
    for hints in "01234":
        main(["check", str(answer), "--cell", CELL, "--hints", hints])
        said.append(capsys.readouterr().out.splitlines())
    assert [line.split()[1] for line in said[0]] == ["correct", "wrong", "equations:"]
    for fewer, more in itertools.pairwise(said):
        assert set(fewer) < set(more)
    for line, since in {"look at": 1, "a time": 2, "left [[": 2, "belongs where": 3, "what holds": 4}.items():
        assert [any(line in one for one in step) for step in said] == [step >= since for step in range(5)]


def test_a_counterexample_is_no_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It tells what the left side is, so it comes with the second step, where nothing else is known of the slip as well."""
    path = tmp_path / "far.tex"
    path.write_text("$$\\nabla_b L = 3 \\sum_{t=2}^T \\delta_t + W h_t + h_t \\odot h_t$$")
    for hints in range(5):
        main(["check", str(path), "--cell", CELL, "--hints", str(hints)])
        out = capsys.readouterr().out
        assert ("left [" in out) == (hints >= 2) and ("differ" in out) == (hints >= 1)


def test_hints_are_all_in_json(answer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", str(answer), "--cell", CELL, "--hints", "0", "--json"])
    assert len(json.loads(capsys.readouterr().out)[1]["hints"]) == 4


@pytest.mark.parametrize(
    ("text", "options", "hint"),
    [
        ("Only words.\n\\begin{document}\n", [], False),
        ("Within a line, $h_t = W$.", [], True),
        ("Only words.\n\\begin{document}\n", ["--inline"], False),
    ],
)
def test_a_document_without_equations_is_not_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, options: list[str], hint: bool
) -> None:
    path = tmp_path / "answer.md"
    path.write_text(text)
    assert main(["check", str(path), "--cell", CELL, *options]) == 1
    captured = capsys.readouterr()
    assert "there is no displayed equation" in captured.out
    assert ("--inline" in captured.err) == hint


def test_another_cell_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "answer.tex"
    path.write_text("$$\\nabla_V L = Q h_t$$ $$c_t = R c_{t-1}$$" + RIGHT)
    assert main(["check", str(path), "--cell", CELL]) == 1
    assert "2 of 3 equations hold names that the cell does not have: is this the right cell?" in capsys.readouterr().err
    path.write_text("$$\\nabla_V L = Q h_t$$" + RIGHT)
    assert main(["check", str(path), "--cell", CELL]) == 1
    assert "right cell" not in capsys.readouterr().err


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
        ("$$x_t = 3 y_t$$", [], "is about no cell that is known"),
        (RIGHT, ["--cell", "h_t ="], "the formula ends too early"),
        (RIGHT, ["--cell", CELL, "--alias", "g"], "no alias"),
        (RIGHT, ["--cell", CELL, "--alias", "g_t=g_{t}"], "says nothing"),
        (RIGHT, ["--cell", CELL, "--alias", "g_t=\\delta_t", "--alias", "g_{t}=W h_t"], "different things of g_{t}"),
        (RIGHT, ["--cell", ""], "no cell is named"),
        (RIGHT, ["--cell", "nofile.tex"], "there is no file 'nofile.tex'"),
        (RIGHT, ["--cell", "no/such/place"], "there is no file 'no/such/place'"),
        (RIGHT, ["--cell", "lstn"], "did you mean lstm"),
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


@pytest.mark.parametrize(("name", "said"), [("", "no document is named"), ("-", "the standard input is empty")])
def test_no_document(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, said: str) -> None:
    class Input:
        buffer = io.BytesIO(b" \n")

    monkeypatch.setattr(sys, "stdin", Input())
    assert main(["check", name, "--cell", CELL]) == 2
    assert said in capsys.readouterr().err


def test_an_alias_may_be_said_twice(answer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer.write_text("$$g_t = \\delta_t$$")
    assert main(["check", str(answer), "--cell", CELL, "--alias", "g_t=\\delta_t", "--alias", "g_t = \\delta_{t}"]) == 0


@pytest.mark.parametrize(
    ("arguments", "usage", "said"),
    [
        (["chek", "x"], "usage: bptt [", "did you mean check?"),
        (["check", "x", "--hnts", "1"], "usage: bptt check", "there is no option --hnts (did you mean --hints?)"),
        (["grade", "x", "--zzz=1"], "usage: bptt grade", "there is no option --zzz=1"),
        (["check", "x", "y"], "usage: bptt check", "nothing is done with 'y'"),
        (["--zzz"], "usage: bptt [", "there is no option --zzz"),
    ],
)
def test_what_is_no_command_and_no_option(
    capsys: pytest.CaptureFixture[str], arguments: list[str], usage: str, said: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    told = capsys.readouterr().err
    assert stop.value.code == 2 and told.startswith(usage) and said in told


def test_torch_is_not_loaded(answer: Path) -> None:
    code = (
        "import sys; from bptt.cli import main\n"
        f"main(['check', {str(answer)!r}, '--cell', {CELL!r}])\n"
        "assert 'torch' not in sys.modules and 'reports' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
