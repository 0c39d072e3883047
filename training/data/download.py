"""Fetching one file: resumed where it was cut, checked, and moved into place only when it is whole."""

from __future__ import annotations

import hashlib
import http.client
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from derive.errors import BpttError, clipped
from training.errors import DatasetError, disk_error

Say = Callable[[str], None]
_CHUNK = 1 << 16
_TRIES = 4
_TIMEOUT = 30.0
"""Seconds without a byte after which a connection is given up."""


def download(url: str, path: Path, checksum: str | None, say: Say = lambda text: None, pause: float = 0.5) -> Path:
    """The file of an address at ``path``. What a broken connection left lies in ``PATH.part`` and is gone on with.

    Parameters
    ----------
    url      : ``https``, or ``http`` on this machine itself.
    checksum : ``md5:…`` or ``sha256:…`` of the whole file; None where its publisher gives none.
    say      : is told how far it is.
    pause    : seconds before the second try, doubled for each that follows.

    Raises
    ------
    DatasetError : offline, no such file, a wrong checksum (the file is then removed), or a disk that is full.
    """
    _check_address(url)
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(DatasetError, path.parent, error, "name another folder by $BPTT_DATA") from None
    reason = ""
    for number in range(_TRIES):
        if number:
            time.sleep(pause * 2 ** (number - 1))
        before = _size(part)
        try:
            _fetch(url, part, say)
            break
        except urllib.error.HTTPError as error:
            reason = f"the server answers {error.code} {error.reason}"
            if error.code == 416:  # more was kept than there is
                part.unlink(missing_ok=True)
            elif error.code < 500:
                raise _unreachable(url, reason, part) from None
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            reason = _said(getattr(error, "reason", None) or error)
            say(f"{path.name}: {reason}; {_size(part) - before:,} bytes more were kept")
        except OSError as error:
            raise disk_error(DatasetError, part, error, "the download then goes on where it stopped") from None
    else:
        raise _unreachable(url, reason, part)
    _check(part, checksum, url)
    part.replace(path)
    return path


def _check_address(url: str) -> None:
    if not (url.startswith("https://") or _is_local(url)):
        raise DatasetError(f"{url} is not fetched", expected="an address that starts with https://")


def _is_local(url: str) -> bool:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost") and parts.username is None


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Goes where a server sends it by HTTPS alone; this machine may send to itself."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not (newurl.startswith("https://") or (_is_local(newurl) and _is_local(req.full_url))):
            raise DatasetError(
                f"{req.full_url} sends on to {clipped(newurl, 200)}, which is not fetched",
                expected="an address that starts with https://",
                hint="bring the archive from elsewhere, unpack it, and name its folder with --data DIR",
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch(url: str, part: Path, say: Say) -> None:
    """Append to ``part`` what is missing of it."""
    kept = _size(part)
    request = urllib.request.Request(url, headers={"User-Agent": "bptt"})
    if kept:
        request.add_header("Range", f"bytes={kept}-")
    with urllib.request.build_opener(_Redirects).open(request, timeout=_TIMEOUT) as answer:
        if kept and not _goes_on(answer, kept):  # the server sends all of it again
            kept = 0
        total = kept + _length(answer)
        with part.open("ab" if kept else "wb") as file:
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                kept += len(chunk)
                say(f"{part.stem}: {kept / 1e6:.1f} of {max(kept, total) / 1e6:.1f} MB")
        if kept < total:  # http.client ends a stream of known length without a word when the connection is cut
            raise ConnectionError(f"the connection ended after {kept:,} of {total:,} bytes")


def _length(answer: Any) -> int:
    """How many bytes are announced; 0 where they come in chunks, whose end is told."""
    given = str(answer.headers.get("Content-Length") or "")
    if given.isascii() and given.isdecimal():
        return int(given)
    if given or not answer.chunked:  # else a connection that is cut looks like the end
        raise http.client.HTTPException(f"the server does not say how many bytes it sends ({given or 'no'} length)")
    return 0


def _goes_on(answer: Any, kept: int) -> bool:
    return answer.status == 206 and str(answer.headers.get("Content-Range", "")).startswith(f"bytes {kept}-")


def _check(part: Path, checksum: str | None, url: str) -> None:
    if checksum is None:
        return
    kind, _, expected = checksum.partition(":")
    with part.open("rb") as file:
        found = hashlib.file_digest(file, kind).hexdigest()
    if found != expected:
        part.unlink()
        raise DatasetError(
            f"what came from {url} is damaged: its {kind} is {found}",
            expected=expected,
            hint="it was removed; try again, or unpack the official archive yourself and name its folder with --data DIR",
        )


def _unreachable(url: str, reason: str, part: Path) -> BpttError:
    kept = f"; {_size(part):,} bytes are kept, and a second call goes on from there" if _size(part) else ""
    return DatasetError(
        f"{url} cannot be fetched: {reason}{kept}",
        hint="without a connection, bring the archive from elsewhere, unpack it, and name its folder with --data DIR",
    )


def _said(reason: object) -> str:
    return (
        os.strerror(reason.errno) if isinstance(reason, OSError) and reason.errno and reason.errno > 0 else str(reason)
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


__all__ = ["Say", "download"]
