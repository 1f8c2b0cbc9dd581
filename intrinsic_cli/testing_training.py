"""Does a method keep the contract while it trains? Half of :mod:`~intrinsic_cli.testing`."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from intrinsic_cli import settings, weights
from intrinsic_cli.api import DatasetSpec, MethodSpec, Runtime, Silent, Trainer, Variant
from intrinsic_cli.kit.networks.checkpoint import load_weights, state_of
from intrinsic_cli.registry import Registry, open_dataset, open_method
from intrinsic_cli.requests import TrainReport, TrainRequest
from intrinsic_cli.runs.train.run import train
from intrinsic_cli.testing_source import data_text, expect

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState

AT_ONCE = 1e-6  # seconds after which an interrupted run stops: after its first step
BEST = "best.safetensors"


def check_stage(
    spec: MethodSpec, stage: str, variant: Variant, data: DatasetSpec, folder: Path
) -> Path:
    """Two steps of ``stage`` (and of those before it): they move the weights, a run that is stopped
    after every step ends with the same ones, the file holds what was trained. Returns the weights
    the run ends with, which need not hold more than decomposing needs."""
    variant = replace(variant, stages=variant.stages[: variant.stages.index(stage) + 1])
    upto = replace(spec, variants=(variant,))
    whole = _train(upto, variant, data, folder / "whole")
    state = _trained(whole, stage, spec.name)
    _check_moved(upto, variant, data, state, whole.folder)
    stopped = _train_in_pieces(upto, variant, data, folder / "pieces", whole.folder)
    if not _same(state, _weights_of(stopped, stage)):
        again = _train(upto, variant, data, folder / "again")
        repeats = _same(state, _weights_of(again, stage))
        expect(repeats, "two runs with one seed give the same weights")
        expect(False, "a resumed run gives the same weights as an uninterrupted one")
    return whole.folder / BEST


def _trained(run: TrainReport, stage: str, method: str) -> NetState:
    """The weights a stage ended with."""
    path = run.folder / stage / BEST
    expect(run.finished and path.exists(), "the run ends with weights")
    weights.verify(path)
    state, record = load_weights(path)
    expect(record["method"] == method, "the weights file says whose it is")
    return state


def _weights_of(run: TrainReport, stage: str) -> NetState:
    return load_weights(run.folder / stage / BEST)[0]


def _check_moved(
    spec: MethodSpec, variant: Variant, data: DatasetSpec, state: NetState, run: Path
) -> None:
    """Every net with an optimizer differs from where the stage began."""
    trainer = _open_trainer(spec, variant, data, run)
    before = state_of(trainer.nets)
    expect(before.keys() == state.keys(), f"the file holds the nets {', '.join(before)}")
    for name in _learning(trainer):
        moved = not _same({name: before[name]}, {name: state[name]})
        expect(moved, f"training moves the net {name!r}")


def _open_trainer(spec: MethodSpec, variant: Variant, data: DatasetSpec, run: Path) -> Trainer:
    """The trainer of the last stage as it is before its first step; the stages before it are those
    of ``run``."""
    config: Any = settings.settle(variant.config, {"steps": 2, **variant.smoke}, ())
    parents = {}
    for name in variant.stages[:-1]:
        parents[name] = load_weights(run / name / BEST)[0]
    cpu = torch.device("cpu")
    runtime = Runtime(cpu, "fp32", 0, variant.name, parents)
    torch.manual_seed(config.seed)
    source = open_dataset(data_text(data), _registry(spec, data))
    return open_method(spec).trainer(variant.stages[-1], config, source, runtime)


def _learning(trainer: Trainer) -> list[str]:
    """The nets of which an optimizer owns a parameter."""
    owned: set[int] = set()
    for optimizer in trainer.optimizers.values():
        for group in optimizer.param_groups:
            owned.update(id(parameter) for parameter in group["params"])
    nets = trainer.nets.items()
    return [name for name, net in nets if any(id(x) in owned for x in net.parameters())]


def _train(
    spec: MethodSpec, variant: Variant, data: DatasetSpec, folder: Path, **more: Any
) -> TrainReport:
    config = {"steps": 2, **variant.smoke}
    request = TrainRequest(
        spec.title(variant),
        data_text(data),
        folder,
        overrides=tuple(f"{key}={value}" for key, value in config.items()),
        device="cpu",
        precision="fp32",
        **more,
    )
    return train(request, Silent(), _registry(spec, data))


def _train_in_pieces(
    spec: MethodSpec, variant: Variant, data: DatasetSpec, folder: Path, whole: Path
) -> TrainReport:
    """The last stage once more, stopped after every step; the stages before it are taken from the
    run ``whole``."""
    shutil.copytree(whole, folder, ignore=shutil.ignore_patterns(variant.stages[-1]))
    report = _train(spec, variant, data, folder, seconds=AT_ONCE, resume=folder)
    expect(not report.finished, "a run stops when its time is up")
    for _ in range(100):
        if report.finished:
            break
        report = _train(spec, variant, data, folder, seconds=AT_ONCE, resume=folder)
    expect(report.finished, "a run that is resumed often enough comes to its end")
    return report


def _registry(spec: MethodSpec, data: DatasetSpec) -> Registry:
    origins = {spec.name: "this check"}
    return Registry(methods={spec.name: spec}, datasets={data.name: data}, origins=origins)


def _same(one: NetState, other: NetState) -> bool:
    if one.keys() != other.keys():
        return False
    return all(_same_net(part, other[net]) for net, part in one.items())


def _same_net(one: Any, other: Any) -> bool:
    if one.keys() != other.keys():
        return False
    return all(torch.equal(parameter, other[key]) for key, parameter in one.items())
