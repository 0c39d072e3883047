"""The command line. Only the standard library is imported before a command runs, so that ``--help`` is immediate."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from bptt import __version__

_EPILOG = "A CELL is a library name (bptt cells), a file, or the equations themselves in quotes."


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(
        prog="bptt", description="Derive, prove, measure and typeset the gradients of recurrent networks.", epilog=_EPILOG
    )
    top.add_argument("--version", action="version", version=f"bptt {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("cells", help="list the cells of the library")
    _derive_parser(commands)
    _sheet_parser(commands)
    return top


def _derive_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    derive = commands.add_parser("derive", help="derive a Jacobian or a gradient of a cell", epilog=_EPILOG)
    derive.add_argument("cell", metavar="CELL")
    derive.add_argument("--of", metavar="A", help="numerator of a Jacobian, such as 'C_t'")
    derive.add_argument("--wrt", metavar="B", help="denominator of a Jacobian, such as 'C_{t-1}' or 'C_k'")
    derive.add_argument("--gradient", metavar="W", help="the gradient of the loss by a parameter, an input x_t or a starting value h_0")
    derive.add_argument("--form", choices=("recursion", "double-sum", "unrolled"), help="how the gradient is written (default: recursion)")
    derive.add_argument("--steps", type=int, metavar="N", help="length of the unrolled form (default: 3)")
    derive.add_argument("--prove", action="store_true", help="with --gradient: prove that the double sum equals the recursion")
    derive.add_argument("--validate", action="store_true", help="measure the result against torch autograd")
    derive.add_argument("--format", choices=("text", "latex", "json"), default="text")


def _sheet_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sheet = commands.add_parser("sheet", help="build answer sheets (.tex, .pdf, .html)")
    sheet.add_argument("sheets", nargs="*", metavar="ID|FILE", help="a sheet of the package, or a Markdown file of your own; without any, list them")
    sheet.add_argument("--all", action="store_true", help="every sheet of the package")
    sheet.add_argument("-o", "--output", metavar="DIR", default=".", help="where the files go (default: here)")
    sheet.add_argument("--route", choices=("auto", "tex", "typst"), default="auto", help="what makes the PDF (default: TeX where there is one)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 on success, 2 on a usage or input error."""
    top = parser()
    options = top.parse_args(arguments)
    if options.command is None:
        top.print_help()
        return 2
    from derive.errors import BpttError

    try:
        return _run(options)
    except BpttError as error:
        print(f"bptt: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of a pipe went away; nothing is left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("bptt: stopped", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace) -> int:
    if options.command == "cells":
        return _cells()
    if options.command == "derive":
        return _derive(options)
    from bptt.sheet_command import run_sheet

    return run_sheet(options)


def _cells() -> int:
    from derive.cell import cell, library

    names = library()
    width = max(len(name) for name in names)
    for name in names:
        print(f"{name:<{width}}  {cell(name).title}")
    return 0


def _derive(options: argparse.Namespace) -> int:
    from bptt.derive_command import run_derive

    return run_derive(options)
