"""The hooks a plugin answers: functions of these names in the module that its entry point names,
each marked with ``@hookimpl``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from intrinsic_cli.api.specs import DatasetSpec, MethodSpec, ProtocolSpec

PROJECT = "iid"
#: The entry-point group a plugin package registers under.
ENTRY_POINTS = "iid.methods"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Hooks:
    """Everything the house asks of a plugin; specifications, which pluggy never calls."""

    @hookspec
    def iid_methods(self) -> Iterable[MethodSpec]:  # type: ignore[empty-body]
        """Name your methods. Called at every start of ``iid``: import nothing heavy here, no torch
        and no numpy."""

    @hookspec
    def iid_datasets(self) -> Iterable[DatasetSpec]:  # type: ignore[empty-body]
        """Name extra dataset readers, if you bring any."""

    @hookspec
    def iid_protocols(self) -> Iterable[ProtocolSpec]:  # type: ignore[empty-body]
        """Name protocols of your own, by which datasets may be scored."""
