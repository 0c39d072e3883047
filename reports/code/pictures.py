"""Pictures that code draws: made fit for a page, and for each output."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from functools import lru_cache
from xml.etree import ElementTree

from reports.code.executed import Picture
from reports.escape import typst_string
from reports.typst_pdf import typst_pdf

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_CM = {"": 2.54 / 96, "px": 2.54 / 96, "pt": 2.54 / 72, "in": 2.54, "cm": 1.0, "mm": 0.1}
_LENGTH = re.compile(r"\s*([0-9.]+)\s*(px|pt|in|cm|mm|)\s*")
_PNG = b"\x89PNG\r\n\x1a\n"
_DROPPED = ("script", "foreignObject", "metadata")


def from_svg(svg: str) -> Picture | None:
    """A picture without programs, remarks and links; None if it is no SVG."""
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError:
        return None
    if root.tag != f"{{{_SVG}}}svg":
        return None
    _clean(root)
    box = [float(number) for number in re.findall(r"-?[0-9.]+", root.get("viewBox", ""))]
    width = _centimetres(root.get("width", "")) or (box[2] * _CM[""] if len(box) == 4 else 12.0)
    height = _centimetres(root.get("height", "")) or (box[3] * _CM[""] if len(box) == 4 else 8.0)
    box = box if len(box) == 4 else [0, 0, width / _CM[""], height / _CM[""]]
    root.set("viewBox", " ".join(f"{number:g}" for number in box))
    return Picture(ElementTree.tostring(root, encoding="unicode"), round(width, 4), round(height, 4))


def from_png(png: bytes) -> Picture | None:
    """A picture of points, 96 to the inch; None if it is no PNG, or a damaged one."""
    if not _is_whole(png):
        return None
    across, down = struct.unpack(">II", png[16:24])
    data = base64.b64encode(png).decode()
    size = f'width="{across}" height="{down}"'
    svg = (
        f'<svg xmlns="{_SVG}" xmlns:xlink="{_XLINK}" viewBox="0 0 {across} {down}" {size}>'
        f'<image {size} xlink:href="data:image/png;base64,{data}"/></svg>'
    )
    return Picture(svg, round(across * _CM[""], 4), round(down * _CM[""], 4), png)


def on_white(picture: Picture, scale: float) -> str:
    """The picture as SVG on white ground, for pages that may be dark and know nothing of its colours."""
    root = ElementTree.fromstring(picture.svg)
    root.set("width", f"{round(picture.width * scale, 4):g}cm")
    root.set("height", f"{round(picture.height * scale, 4):g}cm")
    left, top, width, height = root.get("viewBox", "0 0 1 1").replace(",", " ").split()
    ground = {"x": left, "y": top, "width": width, "height": height, "fill": "white"}
    root.insert(0, ElementTree.Element(f"{{{_SVG}}}rect", ground))
    return ElementTree.tostring(root, encoding="unicode")


@lru_cache(maxsize=32)
def as_pdf(picture: Picture) -> bytes:
    """The picture as a page of PDF, for LaTeX.

    Raises
    ------
    RenderError : it cannot be read as SVG.
    """
    size = f"width: {picture.width:g}cm, height: {picture.height:g}cm"
    return typst_pdf(
        f'#set page({size}, margin: 0pt)\n#image(bytes({typst_string(picture.svg)}), format: "svg", {size})'
    )


def _is_whole(png: bytes) -> bool:
    """Whether all chunks of a PNG are there and as they were written."""
    at = len(_PNG)
    while png.startswith(_PNG) and at + 12 <= len(png):
        length = int.from_bytes(png[at : at + 4])
        end = at + 8 + length
        if zlib.crc32(png[at + 4 : end]).to_bytes(4) != png[end : end + 4]:
            return False
        if png[at + 4 : at + 8] == b"IEND":
            return True
        at = end + 4
    return False


def _centimetres(text: str) -> float | None:
    match = _LENGTH.fullmatch(text)
    return float(match.group(1)) * _CM[match.group(2)] if match else None


def _clean(element: ElementTree.Element) -> None:
    for child in list(element):
        if not isinstance(child.tag, str) or child.tag.rpartition("}")[2] in _DROPPED:
            element.remove(child)
        else:
            _clean(child)
    for name, value in list(element.attrib.items()):
        plain = name.rpartition("}")[2].lower()
        elsewhere = plain == "href" and not value.startswith(("#", "data:image/"))
        if plain.startswith("on") or elsewhere:
            del element.attrib[name]
