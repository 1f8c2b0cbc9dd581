"""What a run ends with: weights to use, installed where that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intrinsic_cli import weights
from intrinsic_cli.api import Progress, WeightsError
from intrinsic_cli.requests import TrainReport
from intrinsic_cli.runs.train.plan import Run
from intrinsic_cli.runs.train.stages import Outcome

#: Settings that change how weights are found, not how they are scored.
_PACE = ("steps", "lr", "warmup", "clip", "ema", "val_every", "save_every", "save_minutes")


def finish(run: Run, outcome: Outcome, interrupted: bool, progress: Progress) -> TrainReport:
    """The report of a run that is finished or stopped. ``interrupted`` ones (by a signal) are not
    installed: somebody wants to go on."""
    path, installed = None, False
    if outcome.weights is not None:
        path = _write(run, outcome)
    if run.install and path is not None and not interrupted:
        path, installed = _install(run, path, progress), True
    elif run.install:
        why = "it was interrupted" if interrupted else "it has not come to weights that can be used"
        progress.note(f"nothing is installed: {why}; {run.folder} can be resumed")
    if path is None and not run.init and _has_weights(run):
        name = weights.weights_name(run.spec, run.variant)
        progress.note(f"--init {name} begins a run with the weights there are, for a quick result")
    stages = {name: dict(told) for name, told in outcome.stages.items()}
    return TrainReport(
        run.folder, path, outcome.finished, stages, run.title, installed, interrupted
    )


def _has_weights(run: Run) -> bool:
    """Are there weights of the method, shipped or installed?"""
    try:
        return weights.find_weights(run.spec, run.variant) is not None
    except WeightsError:
        return False


def _write(run: Run, outcome: Outcome) -> Path:
    """What decomposing needs of the last stage's weights, in half precision."""
    from intrinsic_cli.kit.networks.checkpoint import load_weights, save_weights

    assert outcome.weights is not None
    state, record = load_weights(outcome.weights)
    wanted = outcome.inference or state.keys()
    shipped = {name: net for name, net in state.items() if name in wanted}
    path = run.folder / weights.BEST
    save_weights(path, shipped, {**record, "stages": outcome.stages}, half=True)
    return path


def _install(run: Run, path: Path, progress: Progress) -> Path:
    """Install and tell, with a warning where that is no gain."""
    try:
        hidden = weights.find_weights(run.spec, run.variant)
        compared = compare(weights.read_record(path), weights.read_record(hidden)) if hidden else ""
    except WeightsError:  # there were none, or none that can be read
        compared = ""
    target = weights.install(path, run.spec, run.variant)
    name = weights.weights_name(run.spec, run.variant)
    progress.note(f"installed as {target}; `iid weights remove {name}` takes them away again")
    if compared:
        progress.note(compared)
    return target


def compare(new: Mapping[str, Any], old: Mapping[str, Any]) -> str:
    """A sentence about how ``new`` weights score against ``old`` ones, by their records."""
    if not _comparable(new, old):
        return (
            "whether they are better than those they hide cannot be told, for those were validated "
            "otherwise (other data or settings); `iid evaluate` compares them"
        )
    watch = str(new.get("watch", "loss"))
    mine, theirs = new["validation"][watch], old["validation"][watch]
    if mine > theirs:
        return (
            f"warning: they score worse than those they hide ({watch} {mine:.4f}, not {theirs:.4f})"
        )
    return (
        f"they score as well as those they hide, or better ({watch} {mine:.4f}, was {theirs:.4f})"
    )


def _comparable(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Were both validated on the same data by the same loss?"""
    watch = new.get("watch", "loss")
    for name in ("method", "variant", "stage", "data"):
        if new.get(name) != old.get(name):
            return False
    for record in (new, old):
        scores = record.get("validation")
        if not isinstance(scores, Mapping) or not isinstance(scores.get(watch), float):
            return False
    return watch == old.get("watch", "loss") and _rules(new) == _rules(old)


def _rules(record: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a score may depend on."""
    config = record.get("config")
    if not isinstance(config, Mapping):
        return {}
    return {name: value for name, value in config.items() if not _is_pace(name)}


def _is_pace(name: str) -> bool:
    return name in _PACE or name.endswith("_lr")
