"""When a run should end early: its time is up, or somebody asked it to."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

#: Not every system knows all of them.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_SIGNALS = tuple(signal.Signals[name] for name in _NAMES if name in signal.Signals.__members__)


class Stop:
    """A context in which Ctrl-C, SIGTERM and a closed terminal ask instead of kill; calling it says
    whether to stop.

    A second signal raises KeyboardInterrupt at once. Off the main thread signals are left alone,
    and so is one that is ignored (as ``nohup`` has it).
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._handlers: dict[signal.Signals, Any] = {}
        self.asked = False

    @property
    def timed_out(self) -> bool:
        """Whether the time is up."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    def __call__(self) -> bool:
        return self.asked or self.timed_out

    def within(self, part: float) -> Callable[[], bool]:
        """As calling it, and also when ``part`` (0..1) of the time left from now on is up."""
        if self._deadline is None:
            return self
        now = time.monotonic()
        earlier = now + part * max(0.0, self._deadline - now)
        return lambda: self() or time.monotonic() >= earlier

    def __enter__(self) -> Stop:
        if threading.current_thread() is not threading.main_thread():
            return self
        for name in _SIGNALS:
            if signal.getsignal(name) is not signal.SIG_IGN:
                self._handlers[name] = signal.signal(name, self._ask)
        return self

    def __exit__(self, *error: object) -> None:
        for name, handler in self._handlers.items():
            signal.signal(name, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
