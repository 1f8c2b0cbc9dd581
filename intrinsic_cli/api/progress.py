"""How long work tells the world how far it is, without knowing who listens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Progress(Protocol):
    """A listener. The command line draws bars or plain lines; a library user may pass
    ``Silent()``."""

    def start(self, label: str, total: int | None) -> None:
        """A piece of work called ``label`` begins; ``total`` is None when its length is unknown."""

    def advance(self, by: int = 1, facts: Mapping[str, float | str] | None = None) -> None:
        """``by`` more units are done; ``facts`` are short numbers worth showing beside the bar."""

    def note(self, text: str) -> None:
        """One line worth reading: a warning, a checkpoint written."""

    def finish(self) -> None:
        """The piece of work begun last is over."""


class Silent:
    """Progress that nobody watches."""

    def start(self, label: str, total: int | None) -> None: ...
    def advance(self, by: int = 1, facts: Mapping[str, float | str] | None = None) -> None: ...
    def note(self, text: str) -> None: ...
    def finish(self) -> None: ...
