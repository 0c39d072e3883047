"""An answer comes in time, and nothing of it stays behind."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from verify.limits import TooLong, limited


def _endless() -> None:
    while True:
        sum(range(100))


def test_work_is_stopped() -> None:
    with pytest.raises(TooLong), limited(0.05):
        _endless()


def test_waiting_is_no_work() -> None:
    with limited(0.05):
        time.sleep(0.2)


def test_what_is_swallowed_comes_again() -> None:
    def stubborn() -> None:
        try:
            _endless()
        except BaseException:
            _endless()

    with pytest.raises(TooLong), limited(0.05):
        stubborn()


def test_limits_within_limits() -> None:
    with limited(60), pytest.raises(TooLong), limited(0.05):
        _endless()


def test_programs_can_be_traced_afterwards() -> None:
    """A debugger or a measure of coverage follows every line; an exception that was taken back would have it wait forever."""
    with limited(10):
        pass
    with pytest.raises(TooLong), limited(0.05):
        _endless()
    seen, before = [], sys.gettrace()
    sys.settrace(lambda frame, event, argument: seen.append(event))
    try:
        len("")
        (lambda: None)()
    finally:
        sys.settrace(before)
    assert seen


def test_no_other_thread_is_needed_once_the_work_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without memory for another thread must not make a computation endless."""

    def none_left(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with pytest.raises(TooLong), limited(0.05):
        monkeypatch.setattr(threading.Thread, "start", none_left)
        _endless()
