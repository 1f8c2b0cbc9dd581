"""Signals ask a run to stop; the second one insists."""

from __future__ import annotations

import os
import signal

import pytest

from intrinsic_cli.runs.stop_signal import Stop

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
SIGNALS = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_asks_and_the_next_one_insists(number: int) -> None:
    before = signal.getsignal(number)
    with Stop() as stop:
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()
        assert stop.asked
        assert not stop.timed_out
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no such signal here")
def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Stop() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_time_is_up() -> None:
    with Stop(0.0) as stop:
        assert stop()
        assert not stop.asked
    assert not Stop(3600.0)()
    assert not Stop()()
