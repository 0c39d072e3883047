"""Building answer sheets: from content files to .tex, .pdf and .html, all of them or none."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from importlib import resources
from itertools import takewhile
from pathlib import Path

from derive.errors import BpttError, RenderError, UsageError, clipped
from derive.files import is_file_name, read_text
from derive.notation.source import Source
from reports import walk
from reports.block_calls import BlockCall, did_you_mean
from reports.code.ahead import Runner
from reports.document import Blocks, Document, Figure
from reports.drawing import Canvas
from reports.formats import FORMATS, FRAGMENT, NOTEBOOK, STYLE, Rendered, RenderResult, check, file_names
from reports.forms import WHOLE, Form
from reports.output import check_folder, check_targets, folder_of, same_name, write_files
from reports.plot import draw_all
from reports.workers import each

MAX_BYTES = 200_000
"""Largest content file."""

_CODE = re.compile(r"^[\s>]*[`~]{3,}[ \t]*bptt[ \t]+code\b", re.MULTILINE)
"""Where code is, most likely, before anything has been read."""

Say = Callable[[str], None]
"""Told what is being done, in a few words."""


_Made = tuple[Rendered, float]
"""A sheet with the seconds that it took."""


@dataclass(frozen=True)
class Content:
    """The text of a sheet, the name its files get, and the file it comes from if it is a user's own."""

    name: str
    source: Source
    path: Path | None = None


@dataclass(frozen=True)
class Built:
    """A sheet that was built: its name as the user gave it, its files, and how long it took."""

    name: str
    result: RenderResult
    seconds: float


def sheet_ids() -> tuple[str, ...]:
    """Identifiers of the sheets that come with the package."""
    folder = resources.files("reports") / "sheets"
    return tuple(sorted(entry.name[: -len(".md")] for entry in folder.iterdir() if entry.name.endswith(".md")))


def find(name: str) -> Content:
    """The content of a sheet of the package, or of a user's file.

    Raises
    ------
    UsageError : there is neither; or the file is empty, too large or no text.
    """
    if name in sheet_ids():
        text = (resources.files("reports") / "sheets" / f"{name}.md").read_text(encoding="utf-8")
        return Content(name, Source(text, f"{name}.md"))
    if not name.strip():
        raise UsageError(
            "no sheet is given", expected="a Markdown file, or the name of a sheet", hint="bptt sheet lists the sheets"
        )
    if not is_file_name(name):
        expected = f"a Markdown file, or one of {', '.join(sheet_ids())}"
        raise UsageError(
            f"there is no sheet and no file called {clipped(name, 200)!r}",
            expected=expected,
            hint=did_you_mean(name[:100], sheet_ids()),
        )
    path = Path(name)
    return Content(
        path.stem, Source(read_text(name, limit=MAX_BYTES, expected="the Markdown text of a sheet"), name), path
    )


def document_of(
    content: Content,
    draws: int = 20,
    seed: int = 0,
    say: Say = lambda text: None,
    form: Form = WHOLE,
    run: bool = False,
) -> Document:
    """The document of a sheet, with everything derived and measured. The code of a sheet of the package is run, that of
    a user's file only if ``run`` says so.

    Raises
    ------
    UsageError : the sheet holds code that may not be run.
    BpttError : the content is wrong, with its place; or a derivation does not hold.
    """
    called: list[str] = []

    def watch(call: BlockCall) -> None:
        called.append(call.name)
        say(f"line {call.span.line}: {call.name}")

    folder = None if content.path is None else content.path.parent
    may_run = run or content.path is None
    with closing(Runner()) as code:
        if may_run and _CODE.search(content.source.text):
            code.start()
        # The engine loads while the process starts.
        from reports.blocks import REGISTRY, SheetContext
        from reports.markdown import read_markdown

        context = SheetContext(
            draws,
            seed,
            short=form.detail == "short",
            answers=form.has_answers,
            run=may_run,
            folder=folder,
            code=code,
        )
        document = read_markdown(
            content.source, REGISTRY.watched(watch), context, form, lambda blocks: _get_ready(blocks, code)
        )
    return replace(document, warnings=(*document.warnings, *context.warnings, *_never_shown(called)))


def _get_ready(blocks: Blocks, code: Runner) -> None:
    """Load what typesets and draw the plots, while code is at work and there is nothing else to do."""
    import reports.render  # noqa: F401

    drawn = [block.content for block in walk.all_blocks(blocks) if isinstance(block, Figure)]
    draw_all(takewhile(lambda plot: code.at_work, (plot for plot in drawn if not isinstance(plot, Canvas))))


def _never_shown(called: Sequence[str]) -> list[str]:
    """A warning about claims that no later block shows."""
    unseen = called[len(called) - called[::-1].index("findings") :] if "findings" in called else called
    count = unseen.count("claim")
    return (
        [f"{count} claim{'s are' if count > 1 else ' is'} judged, but not shown; add a block 'bptt findings' below"]
        if count
        else []
    )


def build(
    name: str,
    directory: str | Path,
    route: str = "auto",
    form: Form = WHOLE,
    *,
    run: bool = False,
    notebook: bool = False,
    fragment: bool = False,
) -> RenderResult:
    """Build a sheet: ``directory/NAME.tex``, ``.pdf`` and ``.html``, all or none of them; options and errors as for
    :func:`build_all`.
    """
    (built,) = build_all([name], directory, route, form=form, run=run, notebook=notebook, fragment=fragment)
    return built.result


def build_all(
    names: Sequence[str],
    directory: str | Path,
    route: str = "auto",
    say: Say = lambda text: None,
    form: Form = WHOLE,
    *,
    run: bool = False,
    notebook: bool = False,
    fragment: bool = False,
    jobs: int = 1,
) -> list[Built]:
    """Build sheets, in a form that their files are named after. All are made before the first file is written, so after an error the
    directory is as it was.

    Parameters
    ----------
    run      : whether code that stands in a user's own file is run; without it, such a file is refused.
    notebook : make ``NAME.ipynb`` and ``NAME-student.ipynb`` as well.
    fragment : make ``NAME-fragment.tex`` and ``bptt-sheet.sty`` as well.
    jobs     : how many sheets are made at once, each in a process of its own.

    Raises
    ------
    UsageError : two sheets would have the same files.
    BpttError  : see :func:`find`, :func:`document_of` and :func:`reports.render.make`.
    """
    contents = [replace(content, name=content.name + form.suffix) for content in map(find, names)]
    folder = folder_of(directory)
    formats = (*FORMATS, *((NOTEBOOK,) if notebook else ()), *((FRAGMENT,) if fragment else ()))
    _check_all(names, contents, folder, formats, route)
    make_one = partial(_make, formats=formats, route=route, form=form, run=run)
    if min(jobs, len(names)) > 1:
        made = _side_by_side(make_one, contents, jobs, say)
    else:
        titles = names if len(names) == 1 else [f"[{k}/{len(names)}] {name}" for k, name in enumerate(names, 1)]
        made = [make_one(content, title=title, say=say) for content, title in zip(contents, titles, strict=True)]
    write_files(folder, _merged(names, [rendered for rendered, _ in made]))
    results = [rendered.written_to(folder, content.name) for content, (rendered, _) in zip(contents, made, strict=True)]
    return [Built(name, result, seconds) for name, result, (_, seconds) in zip(names, results, made, strict=True)]


def _side_by_side(
    make_one: Callable[[Content], _Made], contents: Sequence[Content], jobs: int, say: Say
) -> list[_Made]:
    """The sheets, made in several processes. The first of them that cannot be made says why."""
    found: dict[int, _Made | BpttError] = {}
    with closing(each(partial(_made_or_error, make_one), contents, jobs)) as results:
        say(f"0 of {len(contents)} sheets")
        for place, result in results:
            found[place] = result or RenderError(
                f"the process that made {contents[place].name} died", hint="try --jobs 1"
            )
            say(f"{len(found)} of {len(contents)} sheets")
            for k in range(len(contents)):
                if k not in found:
                    break  # an earlier one may have an error as well
                one = found[k]
                if isinstance(one, BpttError):
                    raise one
    return [found[k] for k in range(len(contents))]  # type: ignore[misc]


def _made_or_error(make_one: Callable[[Content], _Made], content: Content) -> _Made | BpttError:
    try:
        return make_one(content)
    except BpttError as error:
        return error


def _make(
    content: Content,
    formats: Sequence[str],
    route: str,
    form: Form,
    run: bool,
    title: str = "",
    say: Say = lambda text: None,
) -> _Made:
    start = time.perf_counter()
    say(f"{title}: reading")
    document = document_of(content, say=lambda text: say(f"{title}, {text}"), form=form, run=run)
    say(f"{title}: typesetting")
    from reports.render import make

    return make(document, content.name, formats, route), time.perf_counter() - start


def _check_all(
    names: Sequence[str], contents: Sequence[Content], folder: Path, formats: Sequence[str], route: str
) -> None:
    """What can be known before the work: names, and what stands where the files shall go."""
    owners: dict[str, str] = {}
    for name, content in zip(names, contents, strict=True):
        check(content.name, formats, route)
        key = same_name(content.name)
        if key in owners:
            raise _clash(owners[key], name, f"{content.name}.pdf")
        owners[key] = name
    check_folder(folder)
    inputs = [content.path for content in contents if content.path is not None]
    check_targets(folder, (file for content in contents for file in file_names(content.name, formats)), inputs)


def _merged(names: Sequence[str], rendered: Sequence[Rendered]) -> dict[str, bytes]:
    """All files of all sheets; figures count too."""
    files: dict[str, bytes] = {}
    owners: dict[str, str] = {}
    for name, made in zip(names, rendered, strict=True):
        for file, content in made.contents.items():
            if files.get(file) == content and file == STYLE:
                continue  # every fragment needs the same package
            if same_name(file) in owners:
                raise _clash(owners[same_name(file)], name, file)
            owners[same_name(file)] = name
            files[file] = content
    return files


def _clash(first: str, second: str, file: str) -> UsageError:
    if first == second:
        return UsageError(f"{clipped(first)!r} is given twice", expected="each sheet once")
    return UsageError(
        f"{clipped(first)!r} and {clipped(second)!r} would both be written to {file}",
        hint="rename one of them, or build them into two folders",
    )
