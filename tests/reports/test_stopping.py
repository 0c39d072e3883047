"""What a signal raises is not lost."""

from __future__ import annotations

import gc
import signal
import sys
import time
import weakref

import pytest

from reports.stopping import never_lost


class _Thing:
    pass


def test_what_is_raised_where_nobody_can_catch_it_comes_again(capsys: pytest.CaptureFixture[str]) -> None:
    count = 0

    def stop(*_: object) -> None:
        nonlocal count
        count += 1
        raise KeyboardInterrupt

    before, hook = signal.signal(signal.SIGUSR1, stop), sys.unraisablehook
    end = never_lost(KeyboardInterrupt, lambda: signal.SIGUSR1)
    try:
        thing = _Thing()
        reference = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGUSR1))  # the exception is lost in here
        with pytest.raises(KeyboardInterrupt):
            del thing
            gc.collect()
            for _ in range(500):
                time.sleep(0.01)
        assert reference() is None and count >= 2
    finally:
        end()
        signal.signal(signal.SIGUSR1, before)
    assert sys.unraisablehook is hook and "Traceback" not in capsys.readouterr().err


def test_other_exceptions_are_told_as_before(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: told.append(raised.exc_type))
    end = never_lost(KeyboardInterrupt, lambda: signal.SIGUSR1)
    thing = _Thing()
    reference = weakref.ref(thing, lambda _: 1 / 0)
    del thing
    gc.collect()
    end()
    assert told == [ZeroDivisionError] and reference() is None
