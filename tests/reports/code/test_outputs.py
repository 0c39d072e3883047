"""Outputs of a kernel as data: without colours, the same on every run, pictures without programs."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from reports.code.executed import Picture, Printed, Raised
from reports.code.outputs import ChangingError, plain, result_of
from reports.code.pictures import as_pdf, from_png, from_svg

FOLDER = Path("/tmp/bptt-xyz")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = b"".join((
    b"\x89PNG\r\n\x1a\n", _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
    _chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")), _chunk(b"IEND", b""),
))  # fmt: skip
"""One red point."""


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def value(**data: str) -> dict[str, Any]:
    return {"output_type": "execute_result", "data": {key.replace("__", "/"): one for key, one in data.items()}}


def test_pieces_are_joined_and_values_stay_apart() -> None:
    found = result_of(1, [stream("a"), stream("b\n"), stream("warning", "stderr"), value(text__plain="3")], FOLDER)
    assert found.outputs == (Printed("ab\n"), Printed("3\n", value=True)) and found.complaints == "warning"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("\x1b[31mred\x1b[0m", "red"), ("10%\r20%\r100%\n", "100%\n"), ("a\r\nb", "a\nb"), ("\x00\x07", r"\x00\x07"),
        ("\u202eevil", r"\u202eevil"), ("a\tb", "a       b"), ("h\u00e9\ufffd", "h\u00e9\ufffd"),
    ],
)  # fmt: skip
def test_words_are_plain(written: str, read: str) -> None:
    assert plain(written) == read


@pytest.mark.parametrize("text", ["<f at 0x7f12ab34cd56>", "/tmp/bptt-xyz/work", "/tmp/ipykernel_31/2.py"])
def test_what_changes_on_each_run_is_refused(text: str) -> None:
    for output in (stream(text), value(text__plain=text)):
        with pytest.raises(ChangingError, match="another one on each run"):
            result_of(1, [output], FOLDER)
    assert result_of(1, [stream("0x7f12ab34cd56")], FOLDER).outputs


def test_the_place_of_an_error_is_the_last_line_of_this_code() -> None:
    traceback = ["  Cell In[3], line 7\n    f(0)\n", "  Cell In[2], line 2 in f\n", "ValueError: no\n"]
    found = result_of(
        3, [{"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": traceback}], FOLDER
    )
    assert (
        found.line == 7 and found.outputs == (Raised("ValueError", "no"),) and found.outputs[0].text == "ValueError: no"
    )


HOSTILE_SVG = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="72pt" height="1in" onload="x()">
<script>alert(1)</script><!-- remark --><foreignObject/><a xlink:href="https://example.org"><rect id="r" width="5" height="5" onclick="y()"/></a>
<use xlink:href="#r"/><image href="data:image/png;base64,AAAA"/><image href="file:///etc/passwd"/></svg>"""


def test_pictures_hold_no_programs_and_no_links() -> None:
    picture = from_svg(HOSTILE_SVG)
    assert picture is not None and (picture.width, picture.height) == (2.54, 2.54)
    for gone in ("script", "alert", "onload", "onclick", "example.org", "passwd", "foreignObject", "remark"):
        assert gone not in picture.svg
    assert "#r" in picture.svg and "data:image/png" in picture.svg
    assert from_svg("<svg") is None and from_svg("<html/>") is None


def test_pictures_of_points() -> None:
    picture = from_png(PNG)
    assert picture is not None and picture.png == PNG and picture.width == pytest.approx(2.54 / 96, abs=1e-4)
    assert (
        from_png(b"GIF89a") is None
        and from_png(PNG[:-9]) is None
        and from_png(PNG.replace(b"\x08\x02", b"\x08\x03")) is None
    )
    assert as_pdf(Picture(picture.svg, 2.0, 2.0)).startswith(b"%PDF-")


def test_the_best_form_is_taken() -> None:
    import base64

    data = {"text__plain": "<Figure>", "image__png": base64.b64encode(PNG).decode()}
    (output,) = result_of(1, [value(**data)], FOLDER).outputs
    assert isinstance(output, Picture)
    (output,) = result_of(1, [value(text__plain="x", text__html="<b>x</b>")], FOLDER).outputs
    assert output == Printed("x\n", value=True)
    with pytest.raises(ChangingError, match="more than 12 pictures"):
        result_of(1, [value(**data)] * 13, FOLDER)
