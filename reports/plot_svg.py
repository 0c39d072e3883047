"""A plot's SVG made fit to stand inside an HTML page.

matplotlib writes looks as ``style`` attributes, which a strict content security policy forbids, fixed colours, which
cannot follow a dark page, and identifiers that two plots of one page share. All three are rewritten here.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from reports.plot import Drawn, draw_svg
from reports.plot_style import COLOURS, FAINT, INK

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_CLASSES = {
    INK: "ink", FAINT: "muted", "#6a6a6a": "muted", "#000000": "ink",
    **{colour: f"series-{k + 1}" for k, colour in enumerate(COLOURS)},
}  # fmt: skip
_REFERENCE = re.compile(r"#([\w.-]+)")


def inline_svg(plot: Drawn, prefix: str, title: str) -> str:
    """The plot as an SVG element; see :func:`inlined`."""
    return inlined(draw_svg(plot), plot.width, plot.height, prefix, title)


def inlined(svg: str, width: float, height: float, prefix: str, title: str) -> str:
    """A picture (lengths in centimetres) as an SVG element: identifiers start with ``prefix``, colours are classes
    (``stroke-…``, ``fill-…``), ``title`` says what it shows.
    """
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(svg)
    _drop(root, ("metadata", "style"))
    for element in root.iter():
        _plain_attributes(element)
        _own_identifiers(element, prefix)
        # Links inside the picture need no namespace of their own in HTML.
        link = element.attrib.pop(f"{{{_XLINK}}}href", None)
        if link is not None:
            element.set("href", link)
    box = root.get("viewBox", "0 0 1 1").split()
    root.attrib = {
        "viewBox": " ".join(box),
        "width": f"{width}cm",
        "height": f"{height}cm",
        "role": "img",
        "aria-label": title,
        "class": "plot",
    }
    return ElementTree.tostring(root, encoding="unicode")


def _drop(element: ElementTree.Element, names: tuple[str, ...]) -> None:
    for child in list(element):
        if child.tag.rpartition("}")[2] in names:
            element.remove(child)
        else:
            _drop(child, names)


def _plain_attributes(element: ElementTree.Element) -> None:
    """``style`` attributes as attributes of their own, known colours as classes."""
    for declaration in element.attrib.pop("style", "").split(";"):
        name, _, value = (piece.strip() for piece in declaration.partition(":"))
        if name:
            element.set(name, value)
    classes = []
    for name in ("fill", "stroke"):
        colour = _CLASSES.get(element.get(name, "").lower())
        if colour is not None:
            classes.append(f"{name}-{colour}")
            del element.attrib[name]
    if (
        element.tag == f"{{{_SVG}}}g"
        and element.get("id", "").startswith("text")
        and not classes
        and "fill" not in element.attrib
    ):
        classes.append("fill-ink")
    if classes:
        element.set("class", " ".join(classes))


def _own_identifiers(element: ElementTree.Element, prefix: str) -> None:
    for name, value in list(element.attrib.items()):
        if name == "id":
            element.set(name, f"{prefix}-{value}")
        elif "url(#" in value or name.endswith("href"):
            element.set(name, _REFERENCE.sub(rf"#{prefix}-\1", value))
