"""``iid evaluate``: methods against truth, one row each, beside the answers that need no method."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli import settings, weights
from intrinsic_cli.api import Case, DataError, MethodSpec, Progress, Silent, Source, UsageError
from intrinsic_cli.registry import Registry, load_registry, open_dataset, open_method
from intrinsic_cli.requests import EvaluateReport, EvaluateRequest
from intrinsic_cli.runs.gallery import Gallery

if TYPE_CHECKING:
    #: A case → its layers (and meshes) by name.
    Answer = Callable[[Case], Mapping[str, Any]]
    #: A case and its layers → figures.
    Figures = Callable[[Case, Mapping[str, Any]], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class _Entrant:
    """A method with everything about it that can be checked without torch."""

    name: str
    spec: MethodSpec
    variant: str
    options: Any
    weights: Path | None


@dataclass(slots=True)
class _Tally:
    """The rows of one method, as they come in."""

    name: str
    protocol: str
    cases: list[dict[str, Any]] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """Method, protocol, number of scored cases and the mean of every figure over the cases that have it."""
        names = dict.fromkeys(key for case in self.cases for key in case if key not in ("method", "case"))
        found = {name: [case[name] for case in self.cases if name in case] for name in names}
        means = {name: sum(values) / len(values) for name, values in found.items()}
        return {"method": self.name, "protocol": self.protocol, "cases": len(self.cases), **means}


def evaluate(
    request: EvaluateRequest,
    progress: Progress = Silent(),  # noqa: B008  Silent is stateless
    registry: Registry | None = None,
) -> EvaluateReport:
    """Score ``request.methods`` on one dataset; the constant baselines follow as rows of their own.

    Raises UsageError for unknown names and settings, WeightsError and DataError for what is missing.
    """
    registry = registry or load_registry()
    entrants = _entrants(request, registry)
    _check_folder(request.save)
    source = open_dataset(request.data, registry)
    tallies = [_run_method(entrant, request, source, progress) for entrant in entrants]
    tallies += _run_baselines(request, source, progress)
    if not any(tally.cases for tally in tallies):
        raise DataError(f"{source.name} has no case to score in its {request.split!r} split")
    cases = tuple(case for tally in tallies for case in tally.cases)
    return EvaluateReport(request.data, source.protocol, tuple(tally.row() for tally in tallies), cases)


def _entrants(request: EvaluateRequest, registry: Registry) -> list[_Entrant]:
    if request.weights and len(request.methods) > 1:
        raise UsageError("one weights file cannot serve several methods", "evaluate them one by one")
    entrants = []
    for name in dict.fromkeys(request.methods):
        spec, variant = registry.resolve(name)
        options: Any = settings.settle(spec.options, {}, request.options)
        entrants.append(_Entrant(name, spec, variant, options, weights.find_weights(spec, variant, request.weights)))
    return entrants


def _check_folder(folder: Path | None) -> None:
    if folder is not None and folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file, not a folder for pictures")


def _run_method(entrant: _Entrant, request: EvaluateRequest, source: Source, progress: Progress) -> _Tally:
    answer, figures = _open(entrant, request, source)
    gallery = Gallery()
    tally = _Tally(entrant.name, source.protocol)
    for case, layers, seconds in _answers(entrant.name, answer, request, source, progress):
        found = dict(figures(case, layers))
        if not found:
            progress.note(f"{case.name}: nothing to score")
            continue
        tally.cases.append({"method": entrant.name, "case": case.name, **found, "seconds": seconds})
        if request.save:
            gallery.add(case, layers, *_headline(source.protocol, found))
    if request.save:
        for path in gallery.write(request.save, entrant.name.replace(":", "-")):
            progress.note(f"wrote {path}")
    return tally


def _run_baselines(request: EvaluateRequest, source: Source, progress: Progress) -> list[_Tally]:
    """The constant answers, where the house knows the protocol."""
    from intrinsic_cli.kit.score import BASELINES, PROTOCOLS, score

    if source.protocol not in PROTOCOLS:
        return []
    tallies = [_Tally(name, source.protocol) for name in BASELINES]
    for case in source.cases(_split(request), request.limit):
        for tally, answer in zip(tallies, BASELINES.values(), strict=True):
            if found := score(source.protocol, case, answer(case)):
                tally.cases.append({"method": tally.name, "case": case.name, **found})
    return tallies


def _answers(
    name: str, answer: Answer, request: EvaluateRequest, source: Source, progress: Progress
) -> Iterator[tuple[Case, Mapping[str, Any], float]]:
    """Every case with its layers and the seconds they took."""
    progress.start(f"{name} on {request.data}", request.limit)
    for case in source.cases(_split(request), request.limit):
        began = time.perf_counter()
        layers = answer(case)
        yield case, layers, time.perf_counter() - began
        progress.advance()
    progress.finish()


def _open(entrant: _Entrant, request: EvaluateRequest, source: Source) -> tuple[Answer, Figures]:
    """Load a method: photos go through the very pipeline that ``iid decompose`` uses."""
    from intrinsic_cli.api import Runtime
    from intrinsic_cli.kit.checkpoint import load_weights
    from intrinsic_cli.kit.device import pick_device, pick_precision
    from intrinsic_cli.kit.image import Photo
    from intrinsic_cli.kit.pipeline import decompose_photo
    from intrinsic_cli.kit.score import PROTOCOLS, score

    device = pick_device(request.device)
    runtime = Runtime(device, pick_precision(request.precision, device), request.seed, entrant.variant)
    method = open_method(entrant.spec)
    state = load_weights(entrant.weights)[0] if entrant.weights else {}
    decomposer = method.decomposer(state, entrant.options, runtime)
    scorer = method.scorer(runtime)

    def answer(case: Case) -> Mapping[str, Any]:
        result = decompose_photo(decomposer, Photo(case.photo, encoding="linear"), runtime)
        return {**result.layers, **result.meshes}

    def figures(case: Case, layers: Mapping[str, Any]) -> Mapping[str, float]:
        own = scorer(case, layers) if scorer else {}
        return {**own, **score(source.protocol, case, layers)} if source.protocol in PROTOCOLS or not scorer else own

    return answer, figures


def _headline(protocol: str, found: Mapping[str, float]) -> tuple[str, float]:
    """The figure that cases are ranked by: the protocol's own, else the first there is."""
    from intrinsic_cli.kit.score import PROTOCOLS

    wanted = PROTOCOLS[protocol].headline if protocol in PROTOCOLS else ""
    name = wanted if wanted in found else next(iter(found))
    return name, found[name]


def _split(request: EvaluateRequest) -> Any:
    if request.split not in ("train", "val"):
        raise UsageError(f"there is no split called {request.split!r}", "use val or train")
    return request.split
