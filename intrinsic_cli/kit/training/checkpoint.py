"""``last.pt``: all that a stage needs to go on as if it had never stopped."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from intrinsic_cli.api import Trainer, WeightsError
from intrinsic_cli.kit.files.atomic import replacing


@dataclass(slots=True)
class StageState:
    """How far a stage is: steps done, seconds spent over all calls, and the best validation so far:
    the score that is watched, all scores, and the ``weights`` of the losses it was measured with
    (None where an older checkpoint does not tell)."""

    step: int = 0
    seconds: float = 0.0
    best: float = math.inf
    scores: Mapping[str, float] = field(default_factory=dict)
    finished: bool = False
    weights: Mapping[str, float] | None = None

    def weigh(self, weights: Mapping[str, float]) -> bool:
        """Go on with these weights of losses. Where they are others than before, validations
        cannot be compared: the best one is forgotten, and the answer is True. A loss that there was
        not had no weight."""
        changed = self.weights is not None and _used(self.weights) != _used(weights)
        if changed:
            self.best, self.scores = math.inf, {}
        self.weights = dict(weights)
        return changed


def _used(weights: Mapping[str, float]) -> dict[str, float]:
    return {name: weight for name, weight in weights.items() if weight}


def save_checkpoint(
    path: Path, state: StageState, trainer: Trainer, helpers: Mapping[str, Any]
) -> None:
    """Write ``path`` whole or not at all. ``helpers`` are the loop's own things with a state: the
    weight average, the loss scaler."""
    saved = {
        "standing": [state.step, state.seconds, state.best],
        "figures": dict(state.scores),
        "weights": state.weights,
        "nets": {name: net.state_dict() for name, net in trainer.nets.items()},
        "optimizers": {name: o.state_dict() for name, o in trainer.optimizers.items()},
    }
    for name, helper in helpers.items():
        saved[name] = helper.state_dict() if helper else {}
    with replacing(path) as temporary:
        torch.save(saved, temporary)


def restore_checkpoint(path: Path, trainer: Trainer, helpers: Mapping[str, Any]) -> StageState:
    """Bring everything back to where ``path`` was written. WeightsError where it is damaged or
    was written for other networks."""
    saved = _read(path)
    try:
        for name, net in trainer.nets.items():
            net.load_state_dict(saved["nets"][name])
        for name, optimizer in trainer.optimizers.items():
            optimizer.load_state_dict(saved["optimizers"][name])
        for name, helper in helpers.items():
            if helper:
                helper.load_state_dict(saved[name])
        return _state(saved)
    # Whatever a file of another layout makes torch stumble over.
    except Exception as error:
        hint = "settings that shape the networks must stay as they were; or begin a new run"
        raise WeightsError(f"{path} does not fit this run", hint) from error


def read_state(path: Path) -> StageState:
    """How far the stage that wrote ``path`` was. WeightsError where it is damaged."""
    saved = _read(path)
    try:
        return _state(saved)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path) from error


def _state(saved: Mapping[str, Any]) -> StageState:
    step, seconds, best = saved["standing"]
    weights = saved.get("weights")
    scores = dict(saved["figures"])
    return StageState(int(step), float(seconds), float(best), scores, weights=weights)


def _read(path: Path) -> Mapping[str, Any]:
    """The restricted reader: tensors and plain containers, never code."""
    try:
        with warnings.catch_warnings():  # torch has opinions on pickles it does not know
            warnings.simplefilter("ignore")
            saved = torch.load(path, map_location="cpu", weights_only=True)
    # Whatever damage makes torch stumble over.
    except Exception as error:
        raise _damaged(path) from error
    if not isinstance(saved, Mapping):
        raise _damaged(path)
    return saved


def _damaged(path: Path) -> WeightsError:
    hint = f"remove it to begin the stage {path.parent.name!r} anew"
    return WeightsError(f"{path} is not a readable checkpoint", hint)
