"""The command line as a user meets it: in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "bptt", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
        timeout=300,
        check=False,
    )


def test_help_and_version() -> None:
    assert "derive" in run("--help").stdout
    assert run("--version").stdout.startswith("bptt ")
    assert run().returncode == 2


def test_help_imports_neither_torch_nor_sympy() -> None:
    code = "import sys, bptt, bptt.cli\ntry:\n    bptt.cli.main(['--help'])\nexcept SystemExit:\n    pass\nprint('torch' in sys.modules, 'sympy' in sys.modules, file=sys.stderr)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert found.stderr.strip() == "False False"


def test_deriving_does_not_import_torch() -> None:
    code = "import sys, bptt\nbptt.cell('lstm').gradients()\nprint('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert found.stdout.strip() == "False"


def test_cells() -> None:
    lines = run("cells").stdout.splitlines()
    assert any(line.startswith("lstm ") for line in lines)


def test_derive_in_three_formats() -> None:
    text = run("derive", "lstm", "--of", "C_t", "--wrt", "C_{t-1}")
    assert text.returncode == 0 and "diag(f[t])" in text.stdout
    assert r"\begin{align*}" in run("derive", "lstm", "--gradient", "W_f", "--format", "latex").stdout
    data = json.loads(
        run(
            "derive",
            "h_t = \\tanh(W h_{t-1} + U x_t)",
            "--gradient",
            "W",
            "--form",
            "unrolled",
            "--steps",
            "2",
            "--format",
            "json",
        ).stdout
    )
    assert data["steps"][-1]["operator"] == "=" and r"\partial^{+} h_2" in data["result"]["latex"]


def test_output_is_the_same_every_time() -> None:
    arguments = ("derive", "lstm", "--gradient", "W_f", "--prove", "--format", "json")
    assert run(*arguments).stdout == run(*arguments).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("derive", "no-such-cell"), ("derive", ""), ("derive", "/"), ("derive", "h_t = W h_{t-1"), ("derive", "lstm", "--of", "C_t"),
        ("derive", "lstm", "--of", "nothing_t", "--wrt", "C_t"), ("derive", "lstm", "--gradient", "V"), ("derive", "lstm", "--steps", "3"),
        ("derive", "lstm", "--gradient", "W_f", "--form", "unrolled", "--steps", "0"), ("derive", "lstm", "--of", "C_t", "--wrt", "W_f"),
        ("derive", "rnn", "--gradient", "W", "--prove", "--form", "recursion"), ("sheet", "no-such-sheet"), ("sheet", "--all", "x"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_one_clear_error(arguments: tuple[str, ...]) -> None:
    found = run(*arguments)
    assert found.returncode == 2
    assert found.stderr.startswith("bptt: ") and "Traceback" not in found.stderr
    assert found.stdout == ""


HOSTILE = {
    "empty.tex": b"", "blank.tex": b"  \n\n", "binary.tex": bytes(range(256)) * 40, "zero.tex": b"h_t = W h_{t-1}\x00",
    "parentheses.tex": b"(" * 1_000_000, "nested.tex": b"h_t = " + b"(" * 90_000, "input.tex": b"\\input{/etc/passwd}\n" * 2000,
    "macro.tex": b"\\def\\a{\\a\\a}\\a = 1", "latin1.tex": "h_t = \xfc".encode("latin-1"), "prose.tex": b"Dear reader, this is not a cell.",
    "comments.tex": b"% nothing here\n% title: x\n",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("command", ["derive", "sheet"])
def test_hostile_files_are_one_clear_error(tmp_path: Path, name: str, command: str) -> None:
    """One error, exit code 2, nothing written: for cells always, for sheets wherever the text is not a harmless
    document.
    """
    (tmp_path / name).write_bytes(HOSTILE[name])
    harmless = command == "sheet" and name in (
        "prose.tex",
        "comments.tex",
        "input.tex",
        "macro.tex",
        "parentheses.tex",
        "nested.tex",
    )
    if harmless:
        pytest.skip("as Markdown this is text like any other, or too large; covered in the tests of the reports")
    found = run(command, name, *(("-o", "out") if command == "sheet" else ()), cwd=tmp_path)
    assert found.returncode == 2
    assert "Traceback" not in found.stderr and found.stderr.startswith("bptt: ")
    assert "root:" not in found.stdout + found.stderr
    assert not (tmp_path / "out").exists()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "missing.tex" in run("derive", "missing.tex", cwd=tmp_path).stderr


def test_an_error_in_a_file_has_its_place(tmp_path: Path) -> None:
    (tmp_path / "cell.tex").write_text("% a cell\nh_t = \\tanh(W h_{t-1} + U x_t)\ny_t = V h_t +\n")
    found = run("derive", "cell.tex", cwd=tmp_path)
    assert "cell.tex, line 3, column 14" in found.stderr
    assert found.stderr.splitlines()[2].endswith("^")


def test_an_atlas_of_chosen_cells(tmp_path: Path) -> None:
    mine = tmp_path / "mine.tex"
    mine.write_text("% title: My own cell\nh_t = \\tanh(W h_{t-1} + U x_t)\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [
        sys.executable,
        "-m",
        "bptt",
        "atlas",
        "irnn",
        str(mine),
        "-o",
        str(tmp_path / "out"),
        "--route",
        "typst",
    ]
    outputs = []
    for _ in range(2):
        found = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
        assert found.returncode == 0, found.stderr
        assert [Path(line).suffix for line in found.stdout.split()] == [".tex", ".pdf", ".html"]
        outputs.append({path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()})
    assert outputs[0] == outputs[1]
    page = outputs[0]["recurrent-gradient-atlas.html"].decode()
    assert "My own cell" in page and "rectified" in page
    assert len(list((tmp_path / "cache").rglob("*.chapter"))) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing-of-the-kind"], "no cell of that name"),
        (["rnn", "rnn"], "given twice"),
        (["h_t = \\tanh(W h_{t-1"], "never closed"),
    ],
)
def test_an_atlas_of_what_is_no_cell(arguments: list[str], message: str, tmp_path: Path) -> None:
    found = run("atlas", *arguments, "-o", str(tmp_path / "out"))
    assert found.returncode == 2 and message in found.stderr
    assert not (tmp_path / "out").exists()
