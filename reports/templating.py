"""Jinja as the outputs use it: one environment a target, everything escaped by default, undefined names refused.

A target's ``blocks`` template holds one Jinja block for each kind of block of a document; :meth:`Templates.fill`
renders one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template

from reports.escape import Code, escape_html, escape_markdown, escape_tex, escape_typst, typst_string

_TEX_DELIMITERS = {
    "block_start_string": "\\BLOCK{", "block_end_string": "}", "variable_start_string": "\\VAR{", "variable_end_string": "}",
    "comment_start_string": "\\#{", "comment_end_string": "}",
}  # fmt: skip
"""Delimiters that do not collide with what LaTeX itself uses."""


class Templates:
    """The templates of one target (``latex``, ``typst``, ``html``)."""

    def __init__(self, target: str, suffix: str, escape: Callable[[str], Code], delimiters: dict[str, str]) -> None:
        self.target = target
        self.suffix = suffix
        folder = files("templates") / target
        self.environment = Environment(
            loader=FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
            undefined=StrictUndefined,
            finalize=lambda value: _finalized(value, escape),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
            autoescape=False,  # our own finalize escapes, for each target in its way
            **delimiters,  # type: ignore[arg-type]
        )

    def fill(self, block: str, **values: Any) -> Code:
        """One Jinja block of the ``blocks`` template."""
        template = self._template("blocks")
        return Code("".join(template.blocks[block](template.new_context(values))))

    def page(self, template: str = "document", **values: Any) -> str:
        """The whole document, or another file of the target."""
        return self._template(template).render(values)

    def source(self, name: str) -> str:
        """A file of the folder as it is."""
        return (files("templates") / self.target / name).read_text(encoding="utf-8")

    def _template(self, name: str) -> Template:
        return self.environment.get_template(f"{name}.{self.suffix}.j2")


def _finalized(value: Any, escape: Callable[[str], Code]) -> str:
    if isinstance(value, (Code, int, float)):
        return str(value)
    if not isinstance(value, str):
        raise TypeError(f"a template prints a {type(value).__name__}; only text, code and numbers are printed")
    return escape(value)


def _bare(word: str) -> Code:
    """A word that our own code chose, printed without quotes."""
    if not word.replace("-", "").isalnum():
        raise ValueError(f"{word!r} is not a plain word")
    return Code(word)


@cache
def latex_templates() -> Templates:
    """Templates with ``\\\\VAR{ }``, ``\\\\BLOCK{ }`` and ``\\\\#{ }``."""
    return Templates("latex", "tex", escape_tex, _TEX_DELIMITERS)


@cache
def typst_templates() -> Templates:
    """Templates with Jinja's own delimiters; Typst does not use them."""
    templates = Templates("typst", "typ", escape_typst, {"comment_start_string": "{##", "comment_end_string": "##}"})
    templates.environment.filters["content"] = lambda body: Code(f"[{body}]")
    templates.environment.filters["string_literal"] = typst_string
    templates.environment.filters["bare"] = _bare
    templates.environment.filters["flag"] = lambda value: Code("true" if value else "false")
    return templates


@cache
def html_templates() -> Templates:
    """Templates with Jinja's own delimiters."""
    return Templates("html", "html", escape_html, {})


@cache
def markdown_templates() -> Templates:
    """Templates with Jinja's own delimiters; comments start in another way, since ``{#`` occurs in headings."""
    templates = Templates(
        "markdown", "md", escape_markdown, {"comment_start_string": "{##", "comment_end_string": "##}"}
    )
    templates.environment.filters["quoted"] = lambda body: _led(body, "> ", "> ")
    templates.environment.filters["item"] = lambda body, lead: _led(body, lead, " " * len(lead))
    return templates


def _led(body: str, first: str, other: str) -> Code:
    """Lines with something before each of them."""
    lines = body.split("\n")
    return Code("\n".join(f"{first if k == 0 else other}{line}".rstrip() for k, line in enumerate(lines)))
