"""Weights a run starts from, given with ``--init`` or installed."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from intrinsic_cli import weights
from intrinsic_cli.api import Progress, Runtime, Source, Trainer, WeightsError
from intrinsic_cli.kit.files.atomic import replacing
from intrinsic_cli.registry import open_method
from intrinsic_cli.runs.train.plan import Run
from intrinsic_cli.runs.train.run_folder import INIT

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState
    from intrinsic_cli.kit.networks.matching import Match


def keep_initial_weights(run: Run) -> None:
    """Copy the weights that ``run`` starts from into its folder, where it has not done so: it must
    go on with the same, also when others are installed or the file is gone. WeightsError."""
    path = _given(run)
    kept = run.folder / INIT
    if path is None or kept.is_file():
        return
    with replacing(kept) as temporary:
        shutil.copyfile(path, temporary)


def initial_weights(run: Run) -> dict[str, NetState]:
    """By the name of the stage they stand for; those of ``init`` also under that word. {} for a run
    that starts from nothing. A run that goes on is given the same ones again: what it learns, and
    what from, may depend on them."""
    from intrinsic_cli.kit.networks.checkpoint import load_weights

    path = _given(run)
    if path is None:
        return {}
    state = load_weights(path)[0]
    found = {"init": state}
    for stage in _stages_before(run):
        found[stage] = state
    return found


def without_whole_stages(run: Run, source: Source, progress: Progress) -> Run:
    """The run without the stages whose networks all came with ``--init``: training them anew would
    throw away what is to be tuned. The last stage always stays.

    WeightsError where not one network fits."""
    from intrinsic_cli.kit.networks.checkpoint import load_weights
    from intrinsic_cli.kit.networks.matching import match_nets

    state = load_weights(Path(run.init))[0]
    trainers = {stage: _empty_trainer(run, stage, source) for stage in run.stages}
    matches = {stage: match_nets(trainer.nets, state) for stage, trainer in trainers.items()}
    if not any(match.taken for match in matches.values()):
        raise _nothing_fits(run, state, trainers.values())
    stages = list(run.stages)
    needed = trainers[stages[-1]].nets.keys()
    while len(stages) > 1 and _is_whole(trainers[stages[0]], matches[stages[0]], needed):
        stage = stages.pop(0)
        name = Path(run.init).name
        progress.note(f"stage {stage} is skipped: its networks came whole with {name}")
    return dataclasses.replace(run, stages=tuple(stages))


def take_over(
    run: Run, stage: str, trainer: Trainer, state: NetState, keep: Collection[str]
) -> str:
    """Begin a stage with the networks of ``state`` that fit, but for those in ``keep``, which this
    run has trained itself. Returns a sentence about it, "" where there was nothing to take."""
    from intrinsic_cli.kit.networks.matching import load_matching

    match = load_matching(trainer.nets, state, keep)
    if not (match.taken or match.unlike):
        return ""
    total = sum(len(net.state_dict()) for net in trainer.nets.values())
    name = Path(run.init).name if run.init else "the installed weights"
    told = [f"stage {stage}: {match.tensors} of {total} tensors begin as in {name}"]
    if match.taken:
        told.append(f"({', '.join(match.taken)})")
    if match.unlike:
        told.append(f"; of other shapes and not taken: {', '.join(match.unlike)}")
    if match.absent:
        told.append(f"; new: {', '.join(match.absent)}")
    return " ".join(told).replace(" ;", ";")


def _given(run: Run) -> Path | None:
    """The file of the weights that ``run`` starts from: its own copy, if it has one already. None
    for a run that starts from nothing."""
    if not run.init and not _stages_before(run):
        return None
    kept = run.folder / INIT
    if kept.is_file():
        return kept
    if run.init and not Path(run.init).is_file():
        message = f"the weights that {run.folder} began with are gone: {run.init}"
        raise WeightsError(message, "bring them back there, or begin a new run")
    return weights.find_weights(run.spec, run.variant, run.init)


def _stages_before(run: Run) -> tuple[str, ...]:
    """The stages of the variant that come before those of ``run``."""
    return run.variant.stages[: run.variant.stages.index(run.stages[0])]


def _empty_trainer(run: Run, stage: str, source: Source) -> Trainer:
    """A trainer that is only looked at: it has the shapes of the networks to come."""
    import torch

    from intrinsic_cli.kit.training.promises import require_trainer

    runtime = Runtime(torch.device("cpu"), "fp32", run.config.seed, run.variant.name)
    trainer = open_method(run.spec).trainer(stage, run.config, source, runtime)
    require_trainer(trainer, run.title, stage)
    return trainer


def _is_whole(trainer: Trainer, match: Match, needed: Collection[str]) -> bool:
    """Did everything come that the last stage goes on with?"""
    handed_on = [name for name in trainer.nets if name in needed]
    return set(handed_on or trainer.nets) <= set(match.taken)


def _nothing_fits(run: Run, state: NetState, trainers: Collection[Trainer]) -> WeightsError:
    message = f"no network of {run.init} fits {run.title}"
    theirs = ", ".join(sorted(state)) or "nothing"
    wanted: set[str] = set()
    for trainer in trainers:
        wanted |= trainer.nets.keys()
    ours = ", ".join(sorted(wanted))
    return WeightsError(message, f"it holds {theirs}; {run.title} has {ours}")
