"""Signals that all processes of a terminal hear of, and that one of them is to answer: whoever
leads a training decides when it stops."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_NAMES = ("SIGINT", "SIGHUP")  # not every system knows both
_SIGNALS = [signal.Signals[name] for name in _NAMES if name in signal.Signals.__members__]


def leave_signals() -> None:
    """From now on this process ignores Ctrl-C and a terminal that is closed."""
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)


@contextmanager
def signals_left() -> Iterator[None]:
    """Processes that are started in the block ignore them, from their beginning on. Only the main
    thread can say so; off it nothing is changed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[signal.Signals, Any] = {each: signal.getsignal(each) for each in _SIGNALS}
    leave_signals()
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
