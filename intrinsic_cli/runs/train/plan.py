"""Everything about a run that can be decided without torch."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from pathlib import Path
from typing import Any

from intrinsic_cli import __version__, settings, weights
from intrinsic_cli.api import DataError, MethodSpec, Source, UsageError, Variant
from intrinsic_cli.registry import Registry
from intrinsic_cli.requests import TrainRequest
from intrinsic_cli.runs.train.data_place import from_everywhere
from intrinsic_cli.runs.train.run_folder import (
    Written,
    as_written,
    is_run,
    next_folder,
    read_run,
    require_free,
    write_run,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """A training run as it was decided. ``init`` is the file of weights it starts from, or "";
    ``counts`` says how much data it has, or had when it was left."""

    spec: MethodSpec
    variant: Variant
    data: str
    config: Any
    folder: Path
    stages: tuple[str, ...]
    command: str
    init: str = ""
    install: bool = False
    counts: str = ""

    @property
    def title(self) -> str:
        """``NAME`` or ``NAME:VARIANT``."""
        return self.spec.title(self.variant)

    def write(self) -> None:
        """Write ``config.toml``, from which the run can go on."""
        head = Written(
            self.title,
            self.data,
            self.stages,
            self.command,
            self.init,
            self.install,
            self.counts,
        )
        write_run(self.folder, head, self.config)

    def record(self) -> dict[str, Any]:
        """What the weights file will say about where it comes from."""
        told: dict[str, Any] = {
            "method": self.spec.name,
            "variant": self.variant.name,
            "data": self.data,
            "command": self.command,
            "config": dataclasses.asdict(self.config),
            "iid": __version__,
        }
        if self.init and Path(self.init).is_file():
            told["from"] = weights.read_record(Path(self.init))
        return told


def plan(request: TrainRequest, registry: Registry) -> Run:
    """A new run, or the one to resume. UsageError, DataError or WeightsError for what is wrong."""
    if request.resume:
        return _resumed(request, request.resume, registry)
    toml = settings.read_toml(request.config) if request.config else {}
    written = Written(config=toml)
    if request.config and is_run(toml):
        written = as_written(toml, request.config)
        _require_same_method(request, written, registry, str(request.config))
    spec, variant = registry.resolve(request.method or written.method)
    run = Run(
        spec,
        variant,
        data=from_everywhere(request.data or written.data or variant.data, registry),
        config=_config(request, variant, written),
        folder=request.out or next_folder(weights.weights_name(spec, variant)),
        stages=_stages(spec, variant, request.stage, written.stages),
        command=shlex.join(["iid", *sys.argv[1:]]),
        init=_init(spec, variant, request.init or written.init),
        install=request.install,
    )
    require_free(run.folder)
    return run


def require_needs(run: Run, source: Source) -> None:
    """DataError unless the dataset offers what the method needs to train."""
    missing = sorted(run.variant.needs - source.offers)
    if missing:
        wanted = ", ".join(sorted(run.variant.needs))
        lacking = ", ".join(missing)
        hint = f"give a dataset that offers {wanted}; `iid datasets` lists what each offers"
        message = f"{source.name} has no {lacking}, which {run.spec.name} needs to train"
        raise DataError(message, hint)


def _resumed(request: TrainRequest, folder: Path, registry: Registry) -> Run:
    """The run in ``folder``, with the settings that were changed now."""
    written = read_run(folder)
    _require_same_method(request, written, registry, str(folder))
    spec, variant = registry.resolve(written.method)
    stages = _stages(spec, variant, "", written.stages)
    request = dataclasses.replace(request, data=from_everywhere(request.data, registry))
    written = dataclasses.replace(written, data=from_everywhere(written.data, registry))
    _refuse_changes(request, folder, written, spec, variant)
    if request.config:
        toml = settings.read_toml(request.config)
        changed = as_written(toml, request.config).config if is_run(toml) else toml
        written = dataclasses.replace(written, config={**written.config, **changed})
    config = _config(request, variant, written)
    install = request.install or written.install
    return Run(
        spec,
        variant,
        written.data,
        config,
        folder,
        stages,
        written.command,
        written.init,
        install,
        written.counts,
    )


def _require_same_method(
    request: TrainRequest, written: Written, registry: Registry, where: str
) -> None:
    if not request.method:
        return
    spec, variant = registry.resolve(request.method)
    if spec.title(variant) != written.method:
        message = f"{where} trains {written.method}, not {spec.title(variant)}"
        raise UsageError(message, "leave --plugin out, or begin a new run")


def _refuse_changes(
    request: TrainRequest, folder: Path, written: Written, spec: MethodSpec, variant: Variant
) -> None:
    """What a run was begun with stays; only its settings may change."""
    changes = []
    if request.data and request.data != written.data:
        changes.append(f"--data {written.data}")
    if request.out and request.out.resolve() != folder.resolve():
        changes.append(f"--out {folder}")
    if request.stage and (request.stage,) != written.stages:
        changes.append(f"stages {', '.join(written.stages)}")
    if request.init and written.init not in (request.init, _init(spec, variant, request.init)):
        changes.append(f"--init {written.init or 'nothing'}")
    if changes:
        message = f"{folder} was begun with {' and '.join(changes)}, which --resume cannot change"
        raise UsageError(message, "leave that out, or begin a new run without --resume")


def _stages(
    spec: MethodSpec, variant: Variant, wanted: str, written: tuple[str, ...]
) -> tuple[str, ...]:
    if not variant.stages:
        hint = f"it works as it is: iid decompose photo.jpg -m {spec.title(variant)}"
        raise UsageError(f"{spec.title(variant)} has nothing to train", hint)
    stages = (wanted,) if wanted else written or variant.stages
    for stage in stages:
        if stage not in variant.stages:
            hint = f"stages: {', '.join(variant.stages)}"
            raise UsageError(f"{spec.name} has no stage {stage!r}", hint)
    return stages


def _config(request: TrainRequest, variant: Variant, written: Written) -> Any:
    steps = () if request.steps is None else (f"steps={request.steps}",)
    return settings.settle(variant.config, written.config, (*request.overrides, *steps))


def _init(spec: MethodSpec, variant: Variant, given: str) -> str:
    """The file behind ``--init``, so that it is found from every folder."""
    path = weights.find_weights(spec, variant, given) if given else None
    return str(path.resolve()) if path else ""
