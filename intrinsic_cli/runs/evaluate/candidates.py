"""Who takes part in an evaluation: methods, folders of predictions, and the answers that need no
method.

All about them that can be checked without torch is checked when they are named; ``open`` does the
rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from intrinsic_cli import __version__, weights
from intrinsic_cli.api import Case, MethodSpec, Progress, Source, UsageError, Variant
from intrinsic_cli.kit.files.formats import ENCODINGS
from intrinsic_cli.registry import Registry, open_method
from intrinsic_cli.requests import EvaluateRequest
from intrinsic_cli.runs.evaluate.method_settings import options_for, weights_for
from intrinsic_cli.runs.evaluate.predictions import Predictions, open_predictions

#: A case → its layers (and meshes) by name.
Answer = Callable[[Case], Mapping[str, Any]]
#: A case and its layers → figures.
Figures = Callable[[Case, Mapping[str, Any]], Mapping[str, float]]
Opening = Callable[[Source, Progress], tuple[Answer, Figures]]


@dataclass(frozen=True, slots=True)
class Entrant:
    """One row of the table. ``recipe`` is what its figures depend on besides the case; {} where
    nothing is gained by remembering them. ``timed``: are its seconds worth telling?"""

    name: str
    open: Opening
    recipe: Mapping[str, Any] = field(default_factory=dict)
    timed: bool = False


def gather(request: EvaluateRequest, registry: Registry) -> list[Entrant]:
    """Methods and predictions, in the order in which they were asked for. Names must tell them
    apart."""
    entrants = [_method(name, request, registry) for name in dict.fromkeys(request.methods)]
    entrants += [_predictions(text, request) for text in request.predictions]
    if not entrants:
        raise UsageError("there is nothing to evaluate", "name a method or a folder of predictions")
    names = [entrant.name for entrant in entrants]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise UsageError(f"two rows would be called {twice!r}", "write --predictions NAME=DIR")
    return entrants


def baselines(source: Source) -> list[Entrant]:
    """The answers that need no method, where the house knows the protocol."""
    rules = find_rules(source.protocol)
    return (
        [Entrant(name, _always(answer)) for name, answer in rules.baselines.items()]
        if rules
        else []
    )


def _always(answer: Answer) -> Opening:
    return lambda source, _: (answer, lambda case, layers: _score_by(source.protocol, case, layers))


def find_rules(protocol: str) -> Any:
    """The ``kit.score`` protocol, or None: by any other only methods with a scorer of their own can
    be measured."""
    from intrinsic_cli.kit.score import find_protocol

    try:
        return find_protocol(protocol)
    except UsageError:
        return None


def _method(name: str, request: EvaluateRequest, registry: Registry) -> Entrant:
    spec, variant = registry.resolve(name)
    options = options_for(name, spec, variant, request, registry)
    path = weights.find_weights(spec, variant, weights_for(name, spec, request))
    recipe = {
        **{
            "iid": __version__,
            "method": spec.name,
            "variant": variant.name,
            "options": asdict(options),
        },
        **{"weights": weights.sha256(path) if path else None, "device": request.device},
        **{"precision": request.precision, "seed": request.seed},
    }

    def open(source: Source, progress: Progress) -> tuple[Answer, Figures]:
        return _open_method(spec, variant, options, path, request, source)

    return Entrant(name, open, recipe, timed=True)


def _open_method(
    spec: MethodSpec,
    variant: Variant,
    options: Any,
    path: Path | None,
    request: EvaluateRequest,
    source: Source,
) -> tuple[Answer, Figures]:
    """Load a method: photos go through the very pipeline that ``iid decompose`` uses."""
    from intrinsic_cli.api import Runtime
    from intrinsic_cli.kit.files.photo import Photo
    from intrinsic_cli.kit.inference.pipeline import decompose_photo
    from intrinsic_cli.kit.networks.checkpoint import load_weights
    from intrinsic_cli.kit.networks.device import pick_device, pick_precision

    device = pick_device(request.device)
    runtime = Runtime(device, pick_precision(request.precision, device), request.seed, variant.name)
    method = open_method(spec)
    decomposer = method.decomposer(load_weights(path)[0] if path else {}, options, runtime)

    def answer(case: Case) -> Mapping[str, Any]:
        result = decompose_photo(decomposer, Photo(case.photo, encoding="linear"), runtime)
        return {**result.layers, **result.meshes}

    def figures(case: Case, layers: Mapping[str, Any]) -> Mapping[str, float]:
        return _score_by(source.protocol, case, layers)

    return answer, figures


def _predictions(text: str, request: EvaluateRequest) -> Entrant:
    if request.predictions_encoding not in ENCODINGS:
        raise UsageError(
            f"there is no encoding {request.predictions_encoding!r}", f"use {', '.join(ENCODINGS)}"
        )
    name, folder = open_predictions(text, request.patterns, request.predictions_encoding)

    def open(source: Source, progress: Progress) -> tuple[Answer, Figures]:
        return _reader(name, folder, source, progress), lambda case, layers: _score_by(
            source.protocol, case, layers
        )

    return Entrant(name, open)


def _reader(name: str, folder: Predictions, source: Source, progress: Progress) -> Answer:
    """Reads layers; says once that some are resized to their photos."""
    told: list[str] = []
    rules = find_rules(source.protocol)
    judged = rules.judges if rules else ()

    def answer(case: Case) -> Mapping[str, Any]:
        from intrinsic_cli.kit.files.read_layers import read_stored

        size, wanted = (case.photo.shape[0], case.photo.shape[1]), (*case.truth, *judged)
        layers = {
            layer: read_stored(layer, stored, size)
            for layer, stored in folder.find(case.name, wanted).items()
        }
        if not told and any(resized for _, resized in layers.values()):
            told.append(case.name)
            progress.note(
                f"{name}: layers of another size than their photo ({case.name} first) are resized to it"
            )
        return {layer: image for layer, (image, _) in layers.items()}

    return answer


def _score_by(protocol: str, case: Case, layers: Mapping[str, Any]) -> Mapping[str, float]:
    from intrinsic_cli.kit.score import score

    figures: Mapping[str, float] = score(protocol, case, layers)
    return figures
