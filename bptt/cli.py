"""The command line. Only the standard library is imported before a command runs, so that ``--help`` is immediate."""

from __future__ import annotations

import argparse
import gc
import os
import re
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from bptt import __version__, console
from bptt.train_help import TrainHelp
from derive.errors import BpttError, clipped, visible

_EPILOG = "A CELL is a library name (bptt cells), a file, or the equations themselves in quotes."
_HINTS = "how much is told of a wrong equation, each step with those before it: 0: nothing, 1: where, 2: which kind of slip, {}, {}"
_LARGEST = 1_000_000_000
_OBJECTS = 20_000
"""How many objects are made before it is looked which can be freed; Python's own number is 700."""


class _Parser(argparse.ArgumentParser):
    """Repeats no more of a wrong argument than helps, and prints as the commands do."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {clipped(visible(message), 300)}\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        if message and (file is None or file is sys.stderr):
            console.tell(message.rstrip("\n"))
        elif message:
            console.say(message.rstrip("\n"))


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    return _parsers()[0]


def _parsers() -> tuple[_Parser, Mapping[str, _Parser]]:
    """The parser of the whole, and that of each command."""
    top = _Parser(
        prog="bptt",
        description="Derive, prove, measure and typeset the gradients of recurrent networks.",
        epilog=_EPILOG,
    )
    top.add_argument("--version", action="version", version=f"bptt {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("cells", help="list the cells of the library")
    _derive_parser(commands)
    _sheet_parser(commands)
    _check_parser(commands)
    _grade_parser(commands)
    _export_parser(commands)
    _atlas_parser(commands)
    _train_parser(commands)
    return top, commands.choices


def _derive_parser(commands: argparse._SubParsersAction[_Parser]) -> None:
    derive = commands.add_parser("derive", help="derive a Jacobian or a gradient of a cell", epilog=_EPILOG)
    derive.add_argument("cell", metavar="CELL")
    derive.add_argument("--of", metavar="A", help="numerator of a Jacobian, such as 'C_t'")
    derive.add_argument("--wrt", metavar="B", help="denominator of a Jacobian, such as 'C_{t-1}' or 'C_k'")
    derive.add_argument(
        "--jacobian",
        action="store_true",
        help="the one-step Jacobian of all states together, and its product over time",
    )
    derive.add_argument(
        "--vec", action="store_true", help="with --of or --jacobian: stack matrices by columns, ∂vec(A)/∂vec(B)"
    )
    derive.add_argument(
        "--gradient", metavar="W", help="the gradient of the loss by a parameter, an input x_t or a starting value h_0"
    )
    derive.add_argument(
        "--form",
        choices=("recursion", "double-sum", "unrolled", "rtrl"),
        help="how the gradient is written (default: recursion)",
    )
    derive.add_argument(
        "--steps", type=_number, metavar="N", help="length of the unrolled form, from 1 to 20 (default: 3)"
    )
    derive.add_argument(
        "--truncate-after",
        metavar="K",
        help="with --gradient: truncated BPTT; each loss goes back K steps, a number or a letter",
    )
    derive.add_argument("--hessian-vector", action="store_true", help="the Hessian of the loss times a direction")
    derive.add_argument("--bound", action="store_true", help="a bound for the norm of the gradient of the last loss")
    derive.add_argument(
        "--prove", action="store_true", help="with --gradient: prove that the double sum equals the recursion"
    )
    derive.add_argument("--validate", action="store_true", help="measure the result against torch autograd")
    derive.add_argument("--format", choices=("text", "latex", "json"), default="text")


def _check_parser(commands: argparse._SubParsersAction[_Parser]) -> None:
    check = commands.add_parser("check", help="say of each equation of a document whether it is right", epilog=_EPILOG)
    check.add_argument("file", metavar="FILE", help="LaTeX, Markdown, a notebook, or - for the standard input")
    check.add_argument(
        "--cell", metavar="CELL", help="what it is about (default: the equations of the document itself)"
    )
    check.add_argument(
        "--alias",
        action="append",
        default=[],
        metavar="NAME=FORMULA",
        help="what a name of the author stands for, such as 'g_t=\\delta_t'; may be repeated",
    )
    check.add_argument("--inline", action="store_true", help="check formulas within lines as well")
    check.add_argument(
        "--hints", type=int, choices=range(5), default=3, help=_HINTS.format("3: what it is (default)", "4: what holds")
    )
    check.add_argument(
        "--require", metavar="FILE", help="the results that are wanted, one a line: POINTS FORMULA # TITLE; marks them"
    )
    check.add_argument("--json", action="store_true", help="print a list, one object an equation")


def _grade_parser(commands: argparse._SubParsersAction[_Parser]) -> None:
    grade = commands.add_parser(
        "grade", help="check all files of a folder: a table of marks, and an annotated copy of each", epilog=_EPILOG
    )
    grade.add_argument("folder", metavar="DIR", help="LaTeX, Markdown, text and notebooks, in folders within as well")
    grade.add_argument("--cell", metavar="CELL", help="what they are about (default: the equations of each file)")
    grade.add_argument(
        "--require", metavar="FILE", help="the results that are wanted, one a line: POINTS FORMULA # TITLE"
    )
    grade.add_argument("--alias", action="append", default=[], metavar="NAME=FORMULA", help="what a name stands for")
    grade.add_argument("--inline", action="store_true", help="check formulas within lines as well")
    grade.add_argument(
        "--hints", type=int, choices=range(5), default=4, help=_HINTS.format("3: what it is", "4: what holds (default)")
    )
    grade.add_argument("-o", "--output", default="grades", metavar="DIR", help="where the files go (default: grades)")
    grade.add_argument("--no-pdf", action="store_true", help="make no annotated copies")
    grade.add_argument(
        "--jobs", type=_number, metavar="N", help="how many files are checked at once (default: the cores)"
    )
    grade.add_argument(
        "--route",
        choices=("auto", "tex", "typst"),
        default="auto",
        help="what makes the PDF (default: TeX where there is one)",
    )


def _export_parser(commands: argparse._SubParsersAction[_Parser]) -> None:
    export = commands.add_parser("export", help="write a module with the gradients of a cell", epilog=_EPILOG)
    export.add_argument("cell", metavar="CELL")
    export.add_argument(
        "--backend", choices=("numpy", "torch", "jax"), default="numpy", help="what the module needs (default: numpy)"
    )
    export.add_argument(
        "--cotangent",
        action="append",
        metavar="Q",
        help="a quantity whose ∂L/∂q_t will be given (default: what an abstract loss reads); may be repeated",
    )
    export.add_argument("-o", "--output", required=True, metavar="FILE", help="the file to write")


def _atlas_parser(commands: argparse._SubParsersAction[_Parser]) -> None:
    atlas = commands.add_parser(
        "atlas", help="build the Recurrent Gradient Atlas, a book of cells (.tex, .pdf, .html)", epilog=_EPILOG
    )
    atlas.add_argument("cells", nargs="*", metavar="CELL", help="which cells (default: the whole library)")
    atlas.add_argument("-o", "--output", default=".", metavar="DIR", help="where the files go (default: here)")
    atlas.add_argument(
        "--jobs", type=_number, metavar="N", help="how many cells are built at once (default: the cores)"
    )
    atlas.add_argument("--fresh", action="store_true", help="build every cell anew, and keep none")
    atlas.add_argument(
        "--route",
        choices=("auto", "tex", "typst"),
        default="auto",
        help="what makes the PDF (default: TeX where there is one)",
    )


def _sheet_parser(commands: argparse._SubParsersAction[_Parser]) -> None:
    sheet = commands.add_parser("sheet", help="build answer sheets (.tex, .pdf, .html)")
    sheet.add_argument(
        "sheets",
        nargs="*",
        metavar="ID|FILE",
        help="a sheet of the package, or a Markdown file of your own; without any, list them",
    )
    sheet.add_argument("--all", action="store_true", help="every sheet of the package")
    shown = sheet.add_mutually_exclusive_group()
    shown.add_argument("--questions-only", action="store_true", help="without answers, to be handed out")
    shown.add_argument("--hints", action="store_true", help="the questions with hints, without answers")
    sheet.add_argument(
        "--detail",
        choices=("steps", "short"),
        default="steps",
        help="derivations step by step (default), or results alone",
    )
    sheet.add_argument(
        "--variant",
        type=_number,
        default=0,
        metavar="N",
        help="other numbers: every N gives another sheet with its own answers",
    )
    sheet.add_argument("--paper", choices=("a4", "letter"), default="a4", help="what a page is (default: a4)")
    sheet.add_argument(
        "--language", choices=("en", "de"), help="of what the sheet says by itself (default: what the sheet says)"
    )
    sheet.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="front matter instead of the sheet's own, such as 'course=My course'; may be repeated",
    )
    sheet.add_argument("-o", "--output", metavar="DIR", default=".", help="where the files go (default: here)")
    sheet.add_argument(
        "--jobs", type=_number, metavar="N", help="how many sheets are made at once (default: the cores)"
    )
    sheet.add_argument(
        "--run", action="store_true", help="run the code in a file of your own (that of the package's sheets always is)"
    )
    sheet.add_argument(
        "--notebook", action="store_true", help="make ID.ipynb and, for students, ID-student.ipynb as well"
    )
    sheet.add_argument(
        "--fragment",
        action="store_true",
        help="make ID-fragment.tex without a preamble, and bptt-sheet.sty for the preamble of your own, as well",
    )
    sheet.add_argument(
        "--route",
        choices=("auto", "tex", "typst"),
        default="auto",
        help="what makes the PDF (default: TeX where there is one)",
    )


def _train_parser(commands: argparse._SubParsersAction[_Parser]) -> None:
    train = commands.add_parser(
        "train", help="the practical tasks: train, measure, report", epilog=_EPILOG, add_help=False
    )
    train.add_argument(
        "-h", "--help", action=TrainHelp, nargs=0, help="show this; with TASK before it, its settings too"
    )
    train.add_argument("task", nargs="?", metavar="TASK", help="what to train; without it, list the tasks")
    train.add_argument("--data", metavar="DIR", help="where the official archive was unpacked (default: it is fetched)")
    train.add_argument("-o", "--output", metavar="DIR", help="the folder of the run (default: runs/TASK)")
    train.add_argument("--cell", metavar="CELL", help="the recurrent cell")
    train.add_argument(
        "--grad",
        choices=("autograd", "derived"),
        help="whose gradients (default: autograd's), or those of 'bptt derive'",
    )
    length = train.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=_number, metavar="N", help="how long; the task says what an epoch is")
    length.add_argument("--steps", type=_number, metavar="N", help="how many updates")
    train.add_argument("--batch", type=_number, metavar="N", help="examples in a step")
    train.add_argument("--learning-rate", type=float, metavar="X")
    train.add_argument("--hidden", type=_number, metavar="N", help="size of the recurrent state")
    train.add_argument("--seed", type=_number, metavar="N")
    train.add_argument("--dtype", choices=("float32", "float64"))
    train.add_argument(
        "--precision",
        choices=("full", "bfloat16", "float16"),
        help="compute in half as many bits where they do (default: full)",
    )
    train.add_argument("--device", metavar="NAME", help="cpu (default), cuda, cuda:1")
    train.add_argument(
        "--threads", type=_number, metavar="N", help="threads of the processor (default: what the task says)"
    )
    train.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the task's own; may be repeated"
    )
    train.add_argument("--resume", action="store_true", help="go on with the run in the folder")
    train.add_argument(
        "--checkpoint-every",
        type=_number,
        default=0,
        metavar="N",
        help="steps between checkpoints (default: one a minute)",
    )
    train.add_argument(
        "--compare",
        type=_number,
        metavar="N",
        help="make N steps with both gradients, and print loss and time side by side",
    )
    train.add_argument("--tensorboard", action="store_true", help="write events for TensorBoard beside curve.csv")
    train.add_argument(
        "--leaderboard",
        nargs="+",
        metavar="ENTRY",
        help="rank folders of runs and files with labels by the right ones, for a task that is a competition",
    )
    train.add_argument("--no-report", action="store_true", help="make no report.html and report.pdf")


def _number(text: str) -> int:
    """A whole number; the command says in which range it must be."""
    digits = text.strip().removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()):
        raise argparse.ArgumentTypeError(f"{clipped(text, 30)!r} is not a whole number")
    return int(text) if len(digits) < 10 else _LARGEST


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 on success, 2 on a usage or input error, 70 on a fault of bptt itself."""
    console.prepare()
    try:
        with warnings.catch_warnings():
            # Numbers that overflow while something is measured are found in its result; NumPy's own remarks help
            # nobody.
            warnings.simplefilter("ignore", RuntimeWarning)
            return _run(_options(sys.argv[1:] if arguments is None else arguments))
    except BpttError as error:
        console.tell_error(error)
        return 2
    except BrokenPipeError:
        # The reader of a pipe went away; nothing is left to say to it.
        console.abandon(sys.stdout)
        return 0
    except KeyboardInterrupt:
        console.tell("bptt: stopped")
        return 130
    except RecursionError:
        console.tell("bptt: a formula is nested too deeply\nhint: name its inner parts by equations of their own")
        return 2
    except MemoryError:
        console.tell("bptt: there is not enough memory for this\nhint: is the cell, the length or a size very large?")
        return 2
    except Exception as error:
        if os.environ.get("BPTT_TRACEBACK"):
            raise
        kind = type(error).__name__
        console.tell(
            f"bptt: a fault of bptt, not of your input: {kind}: {clipped(visible(str(error)), 300)}\n"
            "hint: please report it, with what you typed; BPTT_TRACEBACK=1 in the environment shows where it happened"
        )
        return 70


def run() -> int:
    """The command of the shell: :func:`main`, with few searches for what could be freed, and none at the end; among
    torch's and SymPy's objects, which stay, they take a tenth of the time, and the last one a second.
    """
    gc.set_threshold(_OBJECTS)
    code = main()
    gc.freeze()
    return code


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    """What was typed. What is no command or no option is told with the usage of what it was meant for."""
    top, commands = _parsers()
    first = next(iter(arguments), "")
    if first and not first.startswith("-") and first not in commands:
        top.error(f"there is no command {first!r}{_meant(first, commands)}; bptt --help lists them")
    options, unknown = top.parse_known_args(arguments)
    if unknown:
        command = commands[options.command] if options.command else top
        flags = re.findall(r"--[a-z-]+", command.format_help())
        wrong = next((text for text in unknown if text.startswith("-")), unknown[0])
        what = f"there is no option {wrong}" if wrong.startswith("-") else f"nothing is done with {wrong!r}"
        command.error(what + _meant(wrong.partition("=")[0], flags))
    return options


def _meant(text: str, known: Iterable[str]) -> str:
    import difflib

    close = difflib.get_close_matches(text[:100], list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _run(options: argparse.Namespace) -> int:
    if options.command is None:
        console.say(parser().format_help().rstrip("\n"))
        return 2
    if options.command == "cells":
        return _cells()
    if options.command == "derive":
        from bptt.derive_command import run_derive

        return run_derive(options)
    if options.command == "atlas":
        from bptt.atlas_command import run_atlas

        return run_atlas(options)
    if options.command == "check":
        from bptt.check_command import run_check

        return run_check(options)
    if options.command == "grade":
        from bptt.grade_command import run_grade

        return run_grade(options)
    if options.command == "export":
        from bptt.export_command import run_export

        return run_export(options)
    if options.command == "train":
        from bptt.train_command import run_train

        return run_train(options)
    from bptt.sheet_command import run_sheet

    return run_sheet(options)


def _cells() -> int:
    from derive.cell import cell, library

    names = library()
    width = max(len(name) for name in names)
    console.say("\n".join(f"{name:<{width}}  {cell(name).title}" for name in names))
    return 0
