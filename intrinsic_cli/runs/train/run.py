"""``iid train``: settings, data and a run folder, then every stage through the one loop."""

from __future__ import annotations

import dataclasses
import json
import shlex
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli import __version__, settings, weights
from intrinsic_cli.api import (
    DataError,
    MethodSpec,
    PluginError,
    Progress,
    Silent,
    Source,
    Trainer,
    TrainingError,
    UsageError,
    Variant,
)
from intrinsic_cli.kit.files.atomic import write_text
from intrinsic_cli.registry import Registry, load_registry, open_dataset, open_method
from intrinsic_cli.requests import TrainReport, TrainRequest
from intrinsic_cli.runs.train.stop_signal import Stop

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState
    from intrinsic_cli.kit.training.distributed import Team
    from intrinsic_cli.kit.training.loop import Fit, Standing

_CONFIG = "config.toml"


@dataclasses.dataclass(frozen=True, slots=True)
class _Run:
    """A training run as it was decided, before torch is imported."""

    spec: MethodSpec
    variant: Variant
    data: str
    config: Any
    folder: Path
    stages: tuple[str, ...]
    command: str
    init: str = ""

    @property
    def record(self) -> dict[str, Any]:
        """What the weights file will say about where it comes from."""
        config = dataclasses.asdict(self.config)
        facts = {"method": self.spec.name, "variant": self.variant.name, "data": self.data}
        begun = {"from": weights.read_record(Path(self.init))} if Path(self.init).is_file() else {}
        return {**facts, "command": self.command, "config": config, "iid": __version__, **begun}


@dataclasses.dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of the stages: their figures, whether all are finished, and the nets to ship (none
    named: all)."""

    figures: Mapping[str, Mapping[str, Any]]
    finished: bool
    inference: frozenset[str] = frozenset()


def train(
    request: TrainRequest, progress: Progress = Silent(), registry: Registry | None = None
) -> TrainReport:  # noqa: B008  Silent is stateless
    """Train or continue a run. Time (``request.seconds``), Ctrl-C and SIGTERM end it early but
    whole."""
    registry = registry or load_registry()
    run = _plan(request, registry)
    source = open_dataset(run.data, registry)
    _require(run, source)
    if not request.resume:
        _claim(run)
    from intrinsic_cli.kit.training.distributed import gathered

    member = dataclasses.replace(request, resume=run.folder, seconds=None)
    with Stop(request.seconds) as stop, gathered(request.nproc, follow, (member,)) as team:
        outcome = _stages(run, request, source, progress, stop, team)
    best = run.folder / run.stages[-1] / "best.safetensors"
    return _close(run, request, best if best.exists() else None, outcome)


def follow(team: Team, request: TrainRequest) -> None:
    """What the other processes of ``--nproc`` do: the same stages; the leader says when to stop."""
    registry = load_registry()
    run = _plan(request, registry)
    with Stop() as stop:
        _stages(
            run, request, open_dataset(run.data, registry), Silent(), lambda: stop() and False, team
        )


def _plan(request: TrainRequest, registry: Registry) -> _Run:
    """Everything decided that can be decided without torch."""
    written = _read(request.resume) if request.resume else {}
    spec, variant = registry.resolve(str(written.get("method") or request.method))
    toml = {
        **written.get("config", {}),
        **(settings.read_toml(request.config) if request.config else {}),
    }
    steps = () if request.steps is None else (f"steps={request.steps}",)
    config: Any = settings.settle(variant.config, toml, (*request.overrides, *steps))
    if not variant.stages:
        raise UsageError(f"{spec.name} has nothing to train")
    if request.stage and request.stage not in variant.stages:
        raise UsageError(
            f"{spec.name} has no stage {request.stage!r}", f"stages: {', '.join(variant.stages)}"
        )
    stages = tuple(written.get("stages", ())) or (
        (request.stage,) if request.stage else variant.stages
    )
    data = str(written.get("data") or request.data)
    folder = request.resume or request.out or _next(spec, variant)
    command = str(written.get("command") or shlex.join(["iid", *sys.argv[1:]]))
    init = str(
        written.get("init")
        or (Path(request.init).resolve() if Path(request.init).is_file() else request.init)
    )
    return _Run(spec, variant, data, config, folder, stages, command, init)


def _read(folder: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise DataError(
            f"{folder} is not a training run: it has no readable {_CONFIG}", "give a run folder"
        ) from error


def _next(spec: MethodSpec, variant: Variant) -> Path:
    """The first free ``runs/NAME/N``."""
    parent = Path("runs") / weights.weights_name(spec, variant)
    taken = [int(p.name) for p in parent.glob("*") if p.name.isdecimal()]
    return parent / str(max(taken, default=0) + 1)


def _claim(run: _Run) -> None:
    """Make the run folder and write down what was decided."""
    if (run.folder / _CONFIG).exists():
        raise UsageError(
            f"{run.folder} already holds a run", f"continue it with --resume {run.folder}"
        )
    head = {
        "method": run.spec.title(run.variant),
        "data": run.data,
        "stages": list(run.stages),
        "command": run.command,
        "init": run.init,
    }
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in head.items())
    write_text(run.folder / _CONFIG, f"{lines}\n[config]\n{settings.to_toml(run.config)}")


def _require(run: _Run, source: Source) -> None:
    spec, needs = run.spec, run.variant.needs
    missing = sorted(needs - source.offers)
    if missing:
        wanted = ", ".join(sorted(needs))
        hint = f"give a dataset that offers {wanted}; `iid datasets` lists what each offers"
        raise DataError(
            f"{source.name} has no {', '.join(missing)}, which {spec.name} needs to train", hint
        )


def _stages(
    run: _Run,
    request: TrainRequest,
    source: Source,
    progress: Progress,
    stop: Callable[[], bool],
    team: Team,
) -> _Outcome:
    import torch

    from intrinsic_cli.api import Runtime
    from intrinsic_cli.kit.networks.checkpoint import load_weights
    from intrinsic_cli.kit.networks.device import pick_device, pick_precision
    from intrinsic_cli.kit.training.loop import Fit

    device = pick_device(request.device)
    precision = pick_precision(request.precision, device)
    method = open_method(run.spec)
    figures: dict[str, Mapping[str, Any]] = {}
    parents = _initial(run)
    for stage in run.stages:
        torch.manual_seed(run.config.seed)
        config = dataclasses.replace(
            run.config, seed=run.config.seed + 1_000_003 * team.rank
        )  # data of its own
        runtime = Runtime(device, precision, run.config.seed, run.variant.name, dict(parents))
        trainer = method.trainer(stage, config, source, runtime)
        _check_inference(run.spec, trainer)
        fit = Fit(
            trainer, run.config, run.folder / stage, runtime, {**run.record, "stage": stage}, team
        )
        standing = _fitted(fit, progress, stop)
        figures[stage] = {
            "steps": standing.step,
            "seconds": round(standing.seconds, 1),
            **(standing.figures or {}),
        }
        if not standing.finished:
            return _Outcome(figures, False)
        parents[stage] = load_weights(fit.best)[0]
    return _Outcome(figures, True, trainer.inference)


def _fitted(fit: Fit, progress: Progress, stop: Callable[[], bool]) -> Standing:
    """Train a stage; when it breaks down, its error also names the best weights there are."""
    try:
        return fit.run(progress, stop)
    except TrainingError as error:
        if fit.best.exists():
            error.hint = "; ".join(
                filter(None, (error.hint, f"the best weights so far are {fit.best}"))
            )
        raise


def _check_inference(spec: MethodSpec, trainer: Trainer) -> None:
    if unknown := sorted(trainer.inference - trainer.nets.keys()):
        raise PluginError(
            f"{spec.name} wants to ship a net {unknown[0]!r}, which its trainer does not have"
        )


def _initial(run: _Run) -> dict[str, NetState]:
    """Weights a run starts from: those of stages trained earlier, found in ``--init`` or
    installed."""
    from intrinsic_cli.kit.networks.checkpoint import load_weights

    first = run.variant.stages.index(run.stages[0])
    begun = (run.folder / run.stages[0] / "last.pt").exists()
    if (not run.init and not first) or (begun and len(run.stages) == 1):
        return {}
    path = weights.find_weights(run.spec, run.variant, run.init)
    if path is None:
        return {}
    state = load_weights(path)[0]
    return {"init": state} | dict.fromkeys(run.variant.stages[:first], state)


def _close(run: _Run, request: TrainRequest, best: Path | None, outcome: _Outcome) -> TrainReport:
    """The weights the run ends with: what decomposing needs of the last stage's best, in half
    precision."""
    if best is None or not outcome.finished:
        return TrainReport(run.folder, best, outcome.finished, outcome.figures)
    final = run.folder / "best.safetensors"
    from intrinsic_cli.kit.networks.checkpoint import load_weights, save_weights

    state, record = load_weights(best)
    shipped = {name: net for name, net in state.items() if name in (outcome.inference or state)}
    save_weights(final, shipped, {**record, "stages": outcome.figures}, half=True)
    if request.install:
        final = weights.install(final, run.spec, run.variant)
    return TrainReport(run.folder, final, True, outcome.figures)
