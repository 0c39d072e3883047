"""Files of text as every reader takes them: bytes that no text has are told with their line."""

from __future__ import annotations

from pathlib import Path

from training.errors import DatasetError


def text_bytes(path: Path, expected: str) -> bytes:
    """The content of a file of text, without the mark that some editors put in front of UTF-8.

    Raises
    ------
    DatasetError : it cannot be read, or holds zero bytes.
    """
    try:
        content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}", expected=expected) from None
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise DatasetError(
            f"{path}, line {line}: it holds zero bytes",
            expected=expected,
            hint="is the file whole? unpack the official archive again",
        )
    return content


def utf8(path: Path, expected: str) -> str:
    """The content of a file in UTF-8.

    Raises
    ------
    DatasetError : it is none; see :func:`text_bytes`.
    """
    content = text_bytes(path, expected)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DatasetError(f"{path}, line {line}, cannot be read: it is not UTF-8", expected=expected) from None


__all__ = ["text_bytes", "utf8"]
