"""The block ``code``: refused unless it may run, checked, and every error with its place in the sheet."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from derive.errors import BpttError, CodeError, ParseError, UsageError
from derive.notation.source import Source
from reports.block_calls import BlockCall
from reports.blocks import REGISTRY, SheetContext
from reports.code.executed import Picture, Printed, Raised
from reports.document import CodeCell, Document
from reports.forms import Form
from reports.markdown import read_markdown
from reports.sheet import build_all
from reports.walk import all_blocks

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def context() -> Iterator[SheetContext]:
    """One process for all short pieces of code."""
    with SheetContext(draws=2, run=True) as one:
        yield one


def fence(body: str, **options: str) -> str:
    given = "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in options.items())
    return f"```bptt code\n{given}---\n{body}\n```\n"


def read(context: SheetContext, text: str) -> Document:
    return read_markdown(Source(text, "sheet.md"), REGISTRY, context)


def cell(context: SheetContext, body: str, **options: str) -> CodeCell:
    (block,) = read(context, fence(body, **options)).blocks
    assert isinstance(block, CodeCell)
    return block


def test_code_is_refused_unless_it_may_run() -> None:
    with pytest.raises(UsageError, match="holds code, which would be run") as caught:
        read(SheetContext(), "Text.\n\n" + fence("open('x', 'w')"))
    assert caught.value.span is not None and caught.value.span.line == 3 and "--run" in str(caught.value)


def test_without_code_no_library_of_jupyter_is_imported() -> None:
    code = (
        "import sys\nfrom reports.blocks import REGISTRY, SheetContext\nfrom reports.markdown import read_markdown\n"
        "import reports.render\nwith SheetContext(run=True) as c:\n    read_markdown('Hello.', REGISTRY, c)\n"
        "print([name for name in ('nbclient', 'nbformat', 'jupyter_client', 'zmq', 'psutil', 'pygments', 'IPython') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert found.stdout.strip() == "[]"


def test_what_is_run_is_what_is_shown(context: SheetContext) -> None:
    block = cell(
        context, "def twice(x):\n    # solution: double it\n    return 2 * x\n    # end\nprint(twice(4))\ntwice(5)"
    )
    assert block.executed.source == "def twice(x):\n    return 2 * x\nprint(twice(4))\ntwice(5)"
    assert block.executed.student == (
        "def twice(x):\n    # TODO: double it\n    raise NotImplementedError\nprint(twice(4))\ntwice(5)"
    )
    assert block.executed.outputs == (Printed("8\n"), Printed("10\n", value=True))
    assert cell(context, "twice(6)").executed.outputs == (Printed("12\n", value=True),)
    assert cell(context, "twice(6)", student="no").executed.student is None


def test_pictures(context: SheetContext) -> None:
    block = cell(context, "import matplotlib.pyplot as plt\nplt.plot([1, 2]);", caption="A line, $y_t = t$.")
    (picture,) = block.executed.outputs
    assert isinstance(picture, Picture) and picture.svg.startswith("<svg")
    assert cell(context, "plt.plot([1, 2]);", output="no").executed.visible == ()


def test_what_is_expected_is_compared(context: SheetContext) -> None:
    cell(context, "print(1 / 3)\n2 / 3", expect="0.333\n  0.6667")
    with pytest.raises(CodeError, match=r"the code prints '0\.3333") as caught:
        cell(context, "print(1 / 3)", expect="0.334")
    assert caught.value.span is not None and caught.value.span.text == "0.334" and caught.value.span.line == 2
    with pytest.raises(CodeError, match="prints nothing"):
        cell(context, "x = 1", expect="1", show="no")


@pytest.mark.parametrize(
    ("body", "says", "line", "text"),
    [
        ("x = 1\n1 / 0", "raises ZeroDivisionError: division by zero", 4, "1 / 0"),
        ("def f():\n    raise ValueError('no')\n\nf()", "raises ValueError: no", 4, "raise ValueError('no')"),
        ("f()\n", "raises ValueError: no", 3, "f()"),
        ("x = 1\nx = = 2", "this is no Python: invalid syntax", 4, "="),
        ("%time 1", "this is no Python", 3, "%"),
        ("x = 1\n  # solution\nx = 2", "never ended", 4, "# solution"),
        ("assert 1 == 2, 'différent'", "raises AssertionError: différent", 3, "assert 1 == 2, 'différent'"),
        ("input()", "raises StdinNotImplementedError", 3, "input()"),
        ("import sys; sys.exit(2)", "raises SystemExit: 2", 1, "```bptt code"),
        ("object()", "holds an address in memory", 1, "```bptt code"),
        ("from IPython.display import SVG\nSVG('<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"0\" height=\"0\"/>')", "cannot be read", 1, "```bptt code"),
        ("import os\nos.getcwd()", "temporary folder", 1, "```bptt code"),
    ],
)  # fmt: skip
def test_errors_have_their_place(context: SheetContext, body: str, says: str, line: int, text: str) -> None:
    with pytest.raises(BpttError, match=says) as caught:
        cell(context, body)
    span = caught.value.span
    assert span is not None and span.source.name == "sheet.md" and (span.line, span.text) == (line, text)


def test_expected_errors(context: SheetContext) -> None:
    block = cell(context, "print('a')\n1 / 0", expect_error="yes", expect="a ZeroDivisionError: division by zero")
    assert block.executed.outputs == (Printed("a\n"), Raised("ZeroDivisionError", "division by zero"))
    assert cell(context, "x = = 1", expect_error="yes").executed.raises
    with pytest.raises(ParseError, match="raises no error"):
        cell(context, "x = 1", expect_error="yes")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"seconds": "0"}, "seconds is '0'"), ({"show": "maybe"}, "show is 'maybe'"), ({"nmae": "x"}, "no option 'nmae'"),
        ({"caption": "$x"}, "never closed"),
    ],
)  # fmt: skip
def test_wrong_options_are_told(context: SheetContext, options: dict[str, str], says: str) -> None:
    with pytest.raises(ParseError, match=says):
        cell(context, "x = 1", **options)


def test_names_are_used_once(context: SheetContext) -> None:
    cell(context, "x = 1", name="once")
    with pytest.raises(ParseError, match="called 'once' already"):
        cell(context, "x = 1", name="once")


def test_complaints_are_told_to_the_author(context: SheetContext) -> None:
    assert cell(context, "import sys\nprint('careful', file=sys.stderr)").executed.outputs == ()
    assert context.warnings[-1] == "line 1: the code complains: careful"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("while True:\n    pass", "still at work after 1 seconds"), ("import os\nos._exit(1)", "ends the process"),
        ("while True:\n    print('x' * 500)", "more than 20,000 characters"),
    ],
)  # fmt: skip
def test_limits(body: str, says: str) -> None:
    with SheetContext(run=True) as context, pytest.raises(CodeError, match=says) as caught:
        cell(context, body, seconds="1" if "pass" in body else "30")
    assert caught.value.span is not None and caught.value.span.line == 1


def test_a_users_file_runs_only_when_told(tmp_path: Path) -> None:
    sheet, proof = tmp_path / "mine.md", tmp_path / "proof"
    sheet.write_text(fence(f"open({str(proof)!r}, 'w').write('x');"))
    with pytest.raises(UsageError, match="would be run"):
        build_all([str(sheet)], tmp_path / "out", "typst")
    assert not proof.exists() and not (tmp_path / "out").exists()
    (built,) = build_all([str(sheet)], tmp_path / "out", "typst", run=True)
    assert proof.exists() and set(built.result.files) == {"tex", "pdf", "html"}


def test_of_two_errors_the_first_in_the_sheet_is_told() -> None:
    slow, wrong = fence("import time\ntime.sleep(0.3)\n1 / 0"), "```bptt cell\nname: c\n---\nh_t = \\foo\n```\n"
    with SheetContext(draws=2, run=True) as context, pytest.raises(CodeError, match="ZeroDivisionError") as caught:
        read(context, f"::: answer\n{slow}:::\n\n{wrong}")
    assert caught.value.span is not None and caught.value.span.line == 6
    with SheetContext(draws=2, run=True) as context, pytest.raises(ParseError, match="unknown command"):
        read(context, f"{wrong}\n{slow}")


def test_code_keeps_its_place_wherever_it_stands(context: SheetContext) -> None:
    pieces = [fence(f"print({k})") for k in range(4)]
    inside = "\n".join(f"  {line}" for line in pieces[2].split("\n"))
    text = (
        f"{pieces[0]}\n::: answer\n> "
        + "\n> ".join(pieces[1].split("\n"))
        + f"\n:::\n\n- one\n\n{inside}\n\n{pieces[3]}"
    )
    done: list[int] = []
    document = read_markdown(
        Source(text, "sheet.md"), REGISTRY, context, meanwhile=lambda blocks: done.append(len(list(all_blocks(blocks))))
    )
    found = [
        (block.line, block.executed.outputs) for block in all_blocks(document.blocks) if isinstance(block, CodeCell)
    ]
    lines = [number for number, line in enumerate(text.split("\n"), 1) if "```bptt code" in line]
    assert found == [(line, (Printed(f"{k}\n"),)) for k, line in enumerate(lines)]
    assert done == [len(list(all_blocks(document.blocks)))], "all else has been read by then"


def marker(path: Path, word: str) -> str:
    return fence(f"with open({str(path)!r}, 'a') as file:\n    print({word!r}, file=file)")


def test_code_runs_in_the_order_of_the_sheet_before_its_turn(tmp_path: Path) -> None:
    """What is wrong with the first block is told, though the code behind it has begun."""
    path = tmp_path / "log"
    text = "```bptt cell\nname: c\n---\nh_t = \\foo\n```\n\n" + marker(path, "one") + "\n> " + "\n> ".join(
        marker(path, "two").split("\n")
    ) + "\n\n" + marker(path, "three")  # fmt: skip
    with SheetContext(draws=2, run=True) as context:
        with pytest.raises(ParseError, match="unknown command"):
            read(context, text)
        read(context, text.replace("\\foo", "W h_{t-1}"))
    lines = path.read_text().split()
    assert lines[-3:] == ["one", "two", "three"] and lines[:-3] == ["one", "two", "three"][: len(lines) - 3]


@pytest.mark.parametrize(
    ("show", "ran"),
    [("answers", ["answer", "question", "steps"]), ("questions", ["question"]), ("hints", ["question", "hint"])],
)
def test_code_that_a_form_has_not_is_not_run(show: str, ran: list[str], tmp_path: Path) -> None:
    path = tmp_path / "log"
    parts = {"question": "question", "steps": "steps", "short": "short", "hint": "hint", "variant": "variant"}
    text = marker(path, "answer") + "".join(f"\n::: {kind}\n{marker(path, word)}:::\n" for kind, word in parts.items())
    with SheetContext(draws=2, run=True) as context:
        read_markdown(Source(text, "sheet.md"), REGISTRY, context, Form(show=show))  # type: ignore[arg-type]
    assert path.read_text().split() == ran


def test_an_error_elsewhere_ends_code_that_is_at_work(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    body = f"import os, time\nwith open({str(path)!r} + '-', 'w') as file:\n    file.write(str(os.getpid()))\n"
    body += f"os.rename({str(path)!r} + '-', {str(path)!r})\ntime.sleep(300)"

    def until_it_works(call: BlockCall) -> None:
        for _ in range(6000):
            if call.name == "cell" and not path.exists():
                time.sleep(0.01)

    text = "```bptt cell\nname: c\n---\nh_t = \\foo\n```\n\n" + fence(body, seconds="600")
    with pytest.raises(ParseError, match="unknown command"), SheetContext(draws=2, run=True) as context:
        read_markdown(Source(text, "sheet.md"), REGISTRY.watched(until_it_works), context)
    assert not psutil.pid_exists(int(path.read_text()))
