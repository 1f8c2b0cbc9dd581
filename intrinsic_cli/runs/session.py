"""A network, opened once, that takes pictures apart in memory: what every verb uses, and the way in
from Python.

    choice = choose("flow", options={"steps": 2})
    session = Session(choice, device="cpu")
    albedo = session("photo.jpg").layers["albedo"]

Choosing is light: names, settings and files are checked before torch is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli import settings, weights
from intrinsic_cli.api import Decomposition, IidError, MethodSpec, UsageError, Variant
from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.registry import Registry, load_registry, open_method
from intrinsic_cli.requests import MAX_SEED
from intrinsic_cli.runs.given_photo import require_several, to_photo

if TYPE_CHECKING:
    from intrinsic_cli.kit.files.photo import Photo as DecodedPhoto
    from intrinsic_cli.runs.given_photo import Photo


@dataclass(frozen=True, slots=True)
class Choice:
    """A method with everything about it settled: ``options`` is an instance of
    ``variant.options``, ``weights`` the file to use (None: nothing to load)."""

    spec: MethodSpec
    variant: Variant
    options: Any
    weights: Path | None

    @property
    def title(self) -> str:
        """``NAME`` or ``NAME:VARIANT``."""
        return self.spec.title(self.variant)

    def recipe(self, **more: Any) -> dict[str, Any]:
        """What its outputs depend on besides the photo, as a sidecar holds it."""
        whose = None
        if self.weights is not None:
            whose = {"name": self.weights.stem, "sha256": weights.sha256(self.weights)}
        options = asdict(self.options)
        return sidecar.recipe(self.spec.name, self.variant.name, whose, options, **more)


def choose(
    method: str = "flow",
    options: Mapping[str, Any] | Sequence[str] = (),
    weights_file: str | Path = "",
    table: Mapping[str, Any] | None = None,
    registry: Registry | None = None,
) -> Choice:
    """Settle ``NAME[:VARIANT]``. ``options`` are ``key=value`` words or values by name, which come
    before those of ``table`` (a config file); ``weights_file`` is a path or name, "" the method's
    own. UsageError, WeightsError."""
    spec, variant = (registry or load_registry()).resolve(method)
    values = dict(table or {})
    words: Sequence[str] = ()
    if isinstance(options, Mapping):
        values.update(options)
    else:
        words = options
    settled: Any = settings.settle(variant.options, values, words)
    return Choice(spec, variant, settled, weights.find_weights(spec, variant, str(weights_file)))


class Session:
    """An opened network. ``runtime`` says where it runs, ``decomposer`` is the method's own."""

    def __init__(
        self, choice: Choice, device: str = "auto", precision: str = "auto", seed: int = 0
    ) -> None:
        from intrinsic_cli.api import Runtime
        from intrinsic_cli.kit.inference.room import Room
        from intrinsic_cli.kit.networks.checkpoint import load_weights
        from intrinsic_cli.kit.networks.device import pick_device, pick_precision

        if not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
            raise UsageError(f"{seed!r} is no seed", "give a whole number from 0 to 2^63 - 1")
        self.choice = choice
        self.room = Room()
        place = pick_device(device)
        name = choice.variant.name
        self.runtime = Runtime(place, pick_precision(precision, place), seed, name)
        state = load_weights(choice.weights)[0] if choice.weights else {}
        method = open_method(choice.spec)
        self.decomposer = method.decomposer(state, choice.options, self.runtime)

    def __call__(self, photo: Photo, encoding: str = "auto") -> Decomposition:
        """One photo taken apart: a path, the bytes of a file, an array [H,W], [H,W,3] or [H,W,4]
        (floats are linear, uint8 and uint16 sRGB unless ``encoding``, ``srgb`` or ``linear``, says
        otherwise). UsageError where it is no photo; DataError where it cannot be read or the method
        finds nothing to look at."""
        return self.many([photo], encoding)[0]

    def many(self, photos: Sequence[Photo], encoding: str = "auto") -> list[Decomposition]:
        """Photos taken apart together, those that the network sees at one size in one batch."""
        require_several(photos)
        results = []
        for result in self.try_many([to_photo(photo, encoding) for photo in photos]):
            if isinstance(result, IidError):
                raise result
            results.append(result)
        return results

    def try_many(
        self, photos: Sequence[DecodedPhoto], note: Callable[[str], None] = lambda text: None
    ) -> list[Decomposition | IidError]:
        """As :meth:`many`, with the error of a photo that has nothing to look at in its place;
        ``note`` hears of batches made smaller."""
        from intrinsic_cli.kit.inference.pipeline import try_photos

        kinds = self.choice.variant.kinds
        return try_photos(self.decomposer, photos, self.runtime, kinds, note, self.room)
