"""``bptt sheet``."""

from __future__ import annotations

import argparse
import signal
from typing import TYPE_CHECKING

from bptt.console import safe, say, tell
from bptt.jobs import jobs_of
from bptt.progress import Progress
from derive.errors import UsageError

if TYPE_CHECKING:
    from reports.forms import Form, Show
    from reports.sheet import Built

_ROUTES = {"tex": "TeX", "typst": "Typst"}


def run_sheet(options: argparse.Namespace) -> int:
    """Build the sheets that were asked for, or list what there is."""
    from reports.sheet import build_all, sheet_ids
    from reports.stopping import STOPPED, stoppable

    if options.all and options.sheets:
        raise UsageError("--all and names ask for two things", expected="one of them")
    names = list(sheet_ids()) if options.all else options.sheets
    if not names:
        say("\n".join(sheet_ids()))
        return 0
    with stoppable() as stopped:
        try:
            with Progress() as progress:
                built = build_all(
                    names,
                    options.output,
                    options.route,
                    progress.say,
                    _form(options),
                    run=options.run,
                    notebook=options.notebook,
                    fragment=options.fragment,
                    jobs=jobs_of(options.jobs),
                )
        except KeyboardInterrupt:
            tell("bptt: stopped")
            return STOPPED + (stopped() or signal.SIGINT)
    for one in built:
        _report(one)
    return 0


def _form(options: argparse.Namespace) -> Form:
    """The form that was asked for."""
    from reports.forms import Form

    settings = {} if options.language is None else {"language": options.language}
    for text in options.set:
        key, sign, value = text.partition("=")
        if not sign or not key.strip():
            raise UsageError(f"{text!r} sets nothing", expected="KEY=VALUE, such as 'course=My course'")
        settings[key.strip()] = value.strip()
    show: Show = "questions" if options.questions_only else "hints" if options.hints else "answers"
    return Form(show, options.detail, options.variant, options.paper, settings)


def _report(built: Built) -> None:
    """The files that were written, and what its author should look at."""
    say("\n".join(safe(str(path)) for path in built.result.files.values()))
    for warning in built.result.warnings:
        tell(f"bptt: warning: {safe(built.name)}: {warning}")
    tell(f"bptt: {safe(built.name)}: {built.seconds:.1f} s, PDF by {_ROUTES[built.result.route or 'typst']}")
