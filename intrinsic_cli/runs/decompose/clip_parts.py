"""What is done of a clip so far: a hidden folder beside its outputs-to-be, from which a run that
was killed goes on."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli.kit.files.atomic import PREFIX, replacing, write_text
from intrinsic_cli.runs.decompose.plan import Plan
from intrinsic_cli.runs.decompose.targets import Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.kit.inference.steady_light import SteadyLight

    State = Mapping[str, NDArray[Any]]

_MADE_BY, _STATE = "made-by.json", "state.npz"


@dataclass(slots=True)
class Done:
    """How far a clip is: ``frames``, of which some are ``lost``, the ``seconds`` they took, the sum
    of the squared errors of pictures, and sentences about frames."""

    steady: SteadyLight
    frames: int = 0
    lost: int = 0
    seconds: float = 0.0
    squares: float = 0.0
    notes: dict[str, None] = field(default_factory=dict)

    @staticmethod
    def begun(saved: Mapping[str, Any] | None, rate: float) -> Done:
        """How far an earlier run came."""
        from intrinsic_cli.kit.inference.steady_light import SteadyLight

        if saved is None:
            return Done(SteadyLight(rate))
        return Done(
            SteadyLight.restored(rate, saved),
            int(saved["frames"]),
            int(saved["lost"]),
            float(saved["seconds"]),
            float(saved["squares"]),
            dict.fromkeys(saved["notes"].tolist()),
        )


class ClipParts:
    """The folder of one clip. What lies in it was made by the same recipe from the same clip, or
    is removed."""

    def __init__(self, target: Target, plan: Plan, sha256: str) -> None:
        base = target.base
        self.folder = base.with_name(f"{PREFIX}clip-{base.name}")
        self._made_by = json.dumps([sha256, plan.recipe, plan.outputs], sort_keys=True)

    def open(self) -> State | None:
        """What was saved last, None where there is nothing. OSError."""
        state = self._saved() if self._is_ours() else None
        if state is None:
            self.remove()
            self.folder.mkdir(parents=True)
            write_text(self.folder / _MADE_BY, self._made_by)
        return state

    def save(self, state: State) -> None:
        """Everything up to here is done. OSError."""
        import numpy as np

        arrays: dict[str, Any] = {**state}
        with replacing(self.folder / _STATE) as temporary:
            np.savez(temporary, **arrays)

    def remove(self) -> None:
        """All of it."""
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _is_ours(self) -> bool:
        try:
            return (self.folder / _MADE_BY).read_text(encoding="utf-8") == self._made_by
        except (OSError, ValueError):
            return False

    def _saved(self) -> State | None:
        import numpy as np

        place: Path = self.folder / _STATE
        try:
            with np.load(place, allow_pickle=False) as arrays:
                return dict(arrays)
        except (OSError, ValueError, zipfile.BadZipFile):
            return None
