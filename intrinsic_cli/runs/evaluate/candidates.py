"""What is evaluated: methods, folders of predictions, and the answers that need no method.

All about them that can be checked without torch is checked when they are named; ``open`` does the
rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from intrinsic_cli import __version__, weights
from intrinsic_cli.api import Case, Progress, Protocol, UsageError
from intrinsic_cli.kit.files.formats import ENCODINGS
from intrinsic_cli.registry import Registry
from intrinsic_cli.requests import EvaluateRequest
from intrinsic_cli.runs.evaluate.method_settings import choice_for
from intrinsic_cli.runs.evaluate.predictions import Predictions, open_predictions
from intrinsic_cli.runs.session import Choice, Session
from intrinsic_cli.settings import settle

if TYPE_CHECKING:
    from intrinsic_cli.api import Decomposition
    from intrinsic_cli.api.protocols import Answer, Scores


class Candidate(ABC):
    """Something that answers cases and gets a row of the table.

    ``recipe`` is what its scores depend on besides the case and the protocol; {} where nothing is
    gained by remembering them. ``module`` is the one that answers, "" where none does. ``timed``:
    are its seconds worth telling?"""

    name: str
    module: str = ""
    recipe: Mapping[str, Any] = {}
    timed: bool = False

    def open(self, protocol: Protocol, progress: Progress) -> None:  # noqa: B027  optional
        """Make ready to answer what ``protocol`` asks."""

    def made_by(self) -> Mapping[str, Any]:
        """What a reader of its scores should know of it, once it is open; {} where that is
        nothing."""
        return {}

    @abstractmethod
    def answer(self, case: Case) -> Answer:
        """Outputs by name."""

    def score(self, protocol: Protocol, case: Case, answer: Answer) -> Scores:
        """What an answer is worth."""
        from intrinsic_cli.kit.score.scoring import score_case

        return score_case(protocol, case, answer)


class MethodCandidate(Candidate):
    """A method, opened and fed as ``iid decompose`` does it."""

    timed = True

    def __init__(self, name: str, choice: Choice, request: EvaluateRequest) -> None:
        self.name, self._choice, self._request = name, choice, request
        self.module = choice.spec.target.partition(":")[0]
        self.recipe = {
            "iid": __version__,
            "method": choice.spec.name,
            "variant": choice.variant.name,
            "options": asdict(choice.options),
            "weights": weights.sha256(choice.weights) if choice.weights else None,
            "device": request.device,
            "precision": request.precision,
            "seed": request.seed,
        }

    def open(self, protocol: Protocol, progress: Progress) -> None:
        """Load the network, and tell which options are not those of ``iid decompose``."""
        request = self._request
        own = self._own_options()
        if own:
            progress.note(f"{self.name} is measured with {own}")
        self._session = Session(self._choice, request.device, request.precision, request.seed)

    def answer(self, case: Case) -> Answer:
        """The photo taken apart."""
        return outputs_of(self._session(case.photo, "linear"))

    def made_by(self) -> Mapping[str, Any]:
        """Its recipe with the device and the precision that were chosen, and the options that are
        not its defaults."""
        runtime = self._session.runtime
        given, plain = (
            asdict(options) for options in (self._choice.options, self._plain_options())
        )
        return {
            **self.recipe,
            "changed": {key: value for key, value in given.items() if value != plain[key]},
            "device": str(runtime.device),
            "precision": runtime.precision,
        }

    def _plain_options(self) -> Any:
        """The options it is measured with where nobody gives any."""
        variant = self._choice.variant
        return settle(variant.options, variant.measured_with, ())

    def _own_options(self) -> str:
        """The options it is measured with in place of their defaults."""
        given = asdict(self._choice.options)
        own = self._choice.variant.measured_with
        words = [f"{key}={value}" for key, value in own.items() if given[key] == value]
        return ", ".join(words)


class PredictionsCandidate(Candidate):
    """Layers that some program left in a folder."""

    def __init__(self, name: str, folder: Predictions) -> None:
        self.name, self._folder = name, folder
        self._has_told = False

    def open(self, protocol: Protocol, progress: Progress) -> None:
        """Remember which outputs are looked at, and whom to tell of resized layers."""
        self._reads, self._progress = protocol.reads, progress

    def answer(self, case: Case) -> Answer:
        """The layers on disk, at the photo's size."""
        from intrinsic_cli.kit.files.read_layers import read_layer_file

        size = (case.photo.shape[0], case.photo.shape[1])
        answer = {}
        for name, file in self._folder.find(case.name, (*case.truth, *self._reads)).items():
            answer[name], resized = read_layer_file(name, file, size)
            if resized:
                self._tell_once(case.name)
        return answer

    def _tell_once(self, case: str) -> None:
        if not self._has_told:
            self._has_told = True
            what = f"layers of another size than their photo ({case} first) are resized to it"
            self._progress.note(f"{self.name}: {what}")


@dataclass
class BaselineCandidate(Candidate):
    """An answer that needs no method."""

    name: str
    baseline: Callable[[Case], Answer]
    recipe: Mapping[str, Any] = field(default_factory=dict)
    timed: bool = False

    def answer(self, case: Case) -> Answer:
        """Always the same."""
        return self.baseline(case)


def gather_candidates(request: EvaluateRequest, registry: Registry) -> list[Candidate]:
    """Methods and predictions, in the order in which they were asked for. Names must tell them
    apart."""
    methods = [_method(name, request, registry) for name in dict.fromkeys(request.methods)]
    candidates = [*methods, *(_predictions(text, request) for text in request.predictions)]
    if not candidates:
        raise UsageError("there is nothing to evaluate", "name a method or a folder of predictions")
    names = [candidate.name for candidate in candidates]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two rows would be called {name!r}", "write --predictions NAME=DIR")
    return candidates


def baselines_of(protocol: Protocol) -> list[Candidate]:
    """The answers that every table of the protocol shows."""
    return [BaselineCandidate(name, answer) for name, answer in protocol.baselines.items()]


def outputs_of(decomposition: Decomposition) -> Answer:
    """Everything a method handed out, by name."""
    return {
        **decomposition.layers,
        **decomposition.meshes,
        **decomposition.textures,
        **decomposition.records,
        **decomposition.animations,
    }


def _method(name: str, request: EvaluateRequest, registry: Registry) -> Candidate:
    return MethodCandidate(name, choice_for(name, request, registry), request)


def _predictions(text: str, request: EvaluateRequest) -> Candidate:
    encoding = request.predictions_encoding
    if encoding not in ENCODINGS:
        raise UsageError(f"there is no encoding {encoding!r}", f"use {', '.join(ENCODINGS)}")
    return PredictionsCandidate(*open_predictions(text, request.patterns, encoding))
