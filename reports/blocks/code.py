"""The block whose code is shown and run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NoReturn

from derive.errors import BpttError, CodeError, ParseError, RenderError, UsageError, clipped
from derive.notation.source import Span
from reports.block_calls import BlockCall, BlocksLater
from reports.blocks.context import context_of
from reports.blocks.registry import REGISTRY
from reports.code.executed import Executed, Picture, Raised
from reports.code.expected import agrees
from reports.code.marks import MarkError, answer, for_students, syntax_error
from reports.code.outputs import ChangingError, Result
from reports.code.pictures import as_pdf
from reports.document import Block, CodeCell

SECONDS = 60
"""How long a piece of code may take if it does not say."""
_MOST_SECONDS = 3600
_DRAWS = "draw less, or save it at fewer points to the inch"


def _begin(call: BlockCall) -> None:
    """Run the code of a block before its turn comes, while the blocks above it are made."""
    source = _source(call)
    if context_of(call).run and syntax_error(source) is None:
        context_of(call).code.begin(call.span.start, source, _seconds(call))


def _source(call: BlockCall) -> str:
    return call.body.expandtabs(4).rstrip()


def _seconds(call: BlockCall) -> int:
    return call.integer("seconds", SECONDS, least=1, most=_MOST_SECONDS)


@REGISTRY.block(
    "code",
    options=("name", "show", "output", "caption", "expect", "expect-error", "seconds", "student"),
    body="required",
    ahead=_begin,
)
def code_block(call: BlockCall) -> BlocksLater:
    """``bptt code``: the body is Python; it is run, and shown with what it prints, draws, and comes to. All code of a
    sheet runs in one process.
    """
    context = context_of(call)
    if not context.run:
        raise UsageError(
            "this sheet holds code, which would be run",
            span=call.span,
            expected="the option --run (run=True from Python), which runs it with all that you may do",
            hint="read the code of a sheet that is not yours before you run it",
        )
    name = call.text("name")
    if name in context.code_names:
        raise call.error(f"there is a piece of code called {name!r} already", "name", expected="another name")
    if name:
        context.code_names.append(name)
    source = _source(call)
    student = _student(call, source) if call.flag("student", call.flag("show", True)) else None
    return partial(_ran, call, source, student)


def _ran(call: BlockCall, source: str, student: str | None) -> Sequence[Block]:
    """The code with what came out of it, once it has run."""
    result = _run(call, source, _seconds(call))
    _check_error(call, result)
    _check_pictures(call, result)
    _check_expected(call, result)
    if result.complaints:
        context_of(call).warnings.append(
            f"line {call.span.line}: the code complains: {clipped(' '.join(result.complaints.split()), 200)}"
        )
    executed = Executed(
        _shown(call, source),
        student,
        result.outputs,
        call.text("name"),
        shown=call.flag("show", True),
        outputs_shown=call.flag("output", True),
        raises=call.flag("expect-error"),
    )
    return [CodeCell(executed, call.sentence("caption"))]


def _student(call: BlockCall, source: str) -> str:
    """What students get of the code."""
    try:
        return for_students(source)
    except MarkError as error:
        raise ParseError(
            str(error),
            span=_line(call, error.line + 1),
            expected="a line '# solution' or '# solution: what to do', the lines of the solution, and a line '# end'",
        ) from None


def _shown(call: BlockCall, source: str) -> str:
    try:
        return answer(source)
    except MarkError as error:
        raise ParseError(str(error), span=_line(call, error.line + 1), expected="the other of the two marks") from None


def _run(call: BlockCall, source: str, seconds: int) -> Result:
    """What comes out of the code.

    Raises
    ------
    ParseError : it is no Python.
    CodeError  : it takes too long, prints too much, ends the process, or prints what changes.
    """
    unreadable = syntax_error(source)
    if unreadable is not None:
        message = unreadable.msg or "no Python"
        if call.flag("expect-error"):
            return Result((Raised("SyntaxError", message),), "")
        raise ParseError(
            f"this is no Python: {message}",
            span=_line(call, unreadable.lineno or 1, unreadable.offset or 0),
            expected="Python alone, without commands of notebooks",
        )
    from reports.code.process import MAX_DATA, MAX_TEXT, EndedError, StartError, TimeIsUpError, TooMuchError

    try:
        return context_of(call).code.result(call.span.start, source, seconds)
    except StartError as error:
        raise CodeError(
            f"the process for the code does not start: {error}",
            span=call.span,
            hint="is ipykernel installed for this Python?",
        ) from None
    except TimeIsUpError:
        raise CodeError(
            f"the code was still at work after {seconds} seconds",
            span=call.span,
            hint=f"does it end? The option seconds gives it more time, at most {_MOST_SECONDS:,}",
        ) from None
    except TooMuchError:
        raise CodeError(
            f"the code prints more than {MAX_TEXT:,} characters, or draws more than {MAX_DATA // 1_000_000} MB",
            span=call.span,
            hint=f"print less, or {_DRAWS}",
        ) from None
    except EndedError:
        raise CodeError(
            "the code ends the process in which it runs",
            span=call.span,
            expected="code that goes on to its last line",
            hint="was it exit(), os._exit(), or a crash of a library?",
        ) from None
    except ChangingError as error:
        raise CodeError(
            str(error),
            span=call.span,
            expected="output that is the same on each run",
            hint="end the last line with ; so that its value is not shown, or print something else",
        ) from None


def _check_error(call: BlockCall, result: Result) -> None:
    raised = next((output for output in result.outputs if isinstance(output, Raised)), None)
    wanted = call.flag("expect-error")
    if raised is not None and not wanted:
        raise CodeError(
            f"the code raises {raised.text}",
            span=_line(call, result.line) if result.line else call.span,
            hint=_hint(raised),
        )
    if raised is None and wanted:
        raise call.error("the code raises no error", "expect-error", expected="an error, or expect-error: no")


def _check_pictures(call: BlockCall, result: Result) -> None:
    """Every picture can be drawn; else no output could hold it, and none would know where it comes from."""
    for output in result.outputs:
        if isinstance(output, Picture):
            try:
                as_pdf(output)
            except RenderError as error:
                raise CodeError(
                    "a picture that the code draws cannot be read",
                    span=call.span,
                    expected="PNG or SVG",
                    hint=error.message,
                ) from None


def _hint(raised: Raised) -> str:
    if raised.kind == "StdinNotImplementedError":
        return "nobody is there to answer; write the answer into the code"
    if raised.kind == "ModuleNotFoundError":
        return "the code runs with the packages of this Python; other files of its folder are not in reach"
    return "where an error is what the code shall show, say expect-error: yes"


def _check_expected(call: BlockCall, result: Result) -> None:
    if "expect" not in call.options:
        return
    printed = "\n".join(output.text for output in result.outputs if not isinstance(output, Picture))
    if not agrees(call.text("expect"), printed):
        _disagrees(call, printed)


def _disagrees(call: BlockCall, printed: str) -> NoReturn:
    shown = " ".join(printed.split())
    error: BpttError = CodeError(
        f"the code prints {clipped(shown, 240)!r}" if shown else "the code prints nothing",
        span=call.places["expect"],
        expected="what the option expect says, numbers up to the digits written there",
    )
    raise error


def _line(call: BlockCall, number: int, column: int = 0) -> Span:
    """A line of the body, counted from 1; from a column on, counted from 1, if that is known."""
    lines = call.body.split("\n")
    number = max(1, min(number, len(lines)))
    start = sum(len(line) + 1 for line in lines[: number - 1])
    line = lines[number - 1]
    first = len(line) - len(line.lstrip()) if column < 1 else min(column - 1, max(0, len(line) - 1))
    end = len(line.rstrip()) if column < 1 else first + 1
    return Span(start + first, start + max(end, first + 1), call.body_source)
