"""When a run should end early: its time is up, or somebody asked it to."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """A context in which Ctrl-C and SIGTERM ask instead of kill; calling it says whether to stop.

    A second Ctrl-C raises KeyboardInterrupt at once. Off the main thread signals are left alone.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._handlers: dict[signal.Signals, Any] = {}
        self.asked = False

    def __call__(self) -> bool:
        return self.asked or (self._deadline is not None and time.monotonic() >= self._deadline)

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            self._handlers = {name: signal.signal(name, self._ask) for name in _SIGNALS}
        return self

    def __exit__(self, *error: object) -> None:
        for name, handler in self._handlers.items():
            signal.signal(name, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
