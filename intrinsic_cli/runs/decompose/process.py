"""The dark room of ``iid decompose``: photos read, taken apart and written, torch and all."""

from __future__ import annotations

import hashlib
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from intrinsic_cli import __version__
from intrinsic_cli.api import (
    Decomposer,
    Decomposition,
    IidError,
    MethodSpec,
    PluginError,
    Runtime,
    Variant,
)
from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.kit.files.atomic import replacing, write_text
from intrinsic_cli.registry import open_method
from intrinsic_cli.requests import DecomposeRequest, InputReport
from intrinsic_cli.runs.decompose.inputs import Job

if TYPE_CHECKING:
    from intrinsic_cli.kit.files.layers import Stored
    from intrinsic_cli.kit.files.photo import Photo
    from intrinsic_cli.kit.inference.stream import Crew

Made = TypeVar("Made")

CUDA_BATCH = 8  # photos; memory that runs out halves it


@dataclass(frozen=True, slots=True)
class Order:
    """A request understood: the method, its settled options and weights, the layers wanted, and the
    ``recipe`` by which finished work is recognised."""

    request: DecomposeRequest
    spec: MethodSpec
    variant: Variant
    options: Any
    weights: Path | None
    layers: tuple[str, ...]
    recipe: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A photo in memory, the hash of its file, and when work on it began."""

    photo: Photo
    sha256: str
    began: float


def develop(
    order: Order, jobs: Sequence[Job], note: Callable[[str], None]
) -> Iterator[InputReport]:
    """Do ``jobs``; each report comes when all its files are in place."""
    from intrinsic_cli.kit.inference.pipeline import decompose_photos, network_size
    from intrinsic_cli.kit.inference.stream import Stream

    runtime = _runtime(order)
    decomposer = open_decomposer(order, runtime)
    stream: Stream[Job, Loaded, Decomposition, InputReport] = Stream(
        read=lambda job: contained(load, job, order.request),
        work=lambda group: contained(
            decompose_photos, decomposer, [one.photo for one in group], runtime, note
        ),
        write=lambda job, loaded, result: contained(write, order, job, loaded, result),
        key=lambda loaded: network_size(loaded.photo, decomposer.frame),
        crew=_crew(runtime, order.request.batch_size),
    )
    for job, outcome in stream.run(jobs):
        if isinstance(outcome, IidError):
            outcome = InputReport(job.input, "failed", error=_sentence(outcome))
        yield outcome


def contained(step: Callable[..., Made], *given: Any) -> Made:
    """``step(*given)``, whose every error becomes an IidError, which ends the work on one photo and
    not the run."""
    try:
        return step(*given)
    except IidError:
        raise
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        raise IidError(
            f"unexpected {type(error).__name__} at {place}: {error}".splitlines()[0]
        ) from error


def open_decomposer(order: Order, runtime: Runtime) -> Decomposer:
    """The method's network with its weights."""
    from intrinsic_cli.kit.networks.checkpoint import load_weights

    state = load_weights(order.weights)[0] if order.weights else {}
    return open_method(order.spec).decomposer(state, order.options, runtime)


def _runtime(order: Order) -> Runtime:
    from intrinsic_cli.kit.networks.device import pick_device, pick_precision

    device = pick_device(order.request.device)
    precision = pick_precision(order.request.precision, device)
    return Runtime(device, precision, order.request.seed, order.variant.name)


def _crew(runtime: Runtime, batch: int | None) -> Crew:
    """Encoding takes about three times as long as decoding; on the CPU the network leaves no cores
    to spare."""
    from intrinsic_cli.kit.inference.stream import Crew

    if runtime.device.type != "cuda":
        return Crew(batch=batch or 1)
    cores = os.cpu_count() or 4
    return Crew(
        readers=max(1, cores // 4), batch=batch or CUDA_BATCH, writers=max(1, cores * 3 // 4)
    )


def load(job: Job, request: DecomposeRequest) -> Loaded:
    """Read one photo."""
    from intrinsic_cli.api import DataError
    from intrinsic_cli.kit.files.photo import read_photo

    began = time.perf_counter()
    try:
        data = (request.stdin or b"") if job.path is None else job.path.read_bytes()
    except OSError as error:
        raise DataError(f"it cannot be read: {error.strerror}") from error
    return Loaded(read_photo(data, request.input_encoding), hashlib.sha256(data).hexdigest(), began)


def write(order: Order, job: Job, loaded: Loaded, result: Decomposition) -> InputReport:
    """Write the layers, the preview and, last, the sidecar that vouches for them."""
    missing = [name for name in order.layers if name not in result.layers]
    if missing:
        raise PluginError(
            f"{order.spec.name} gave no layer {missing[0]!r}", "the plugin promises it"
        )
    try:
        job.base.parent.mkdir(parents=True, exist_ok=True)
        job.sidecar.unlink(missing_ok=True)  # from here on, what it vouched for is being replaced
        facts = _describe(order, job, loaded, result, write_layers(order, job, result))
        if order.request.preview:
            write_preview(order, job, result)
        write_text(job.sidecar, sidecar.dump(facts))
    except OSError as error:
        raise IidError(
            f"its layers cannot be written: {error.strerror or error}", "is the disk full?"
        ) from error
    files = {name: str(job.layer(name, order.request.format)) for name in order.layers}
    return InputReport(
        job.input, "done", files, str(job.sidecar), time.perf_counter() - loaded.began
    )


def write_layers(order: Order, job: Job, result: Decomposition) -> dict[str, Stored]:
    """Every wanted layer in its file (or, as npz, all in one)."""
    from intrinsic_cli.kit.files.layers import write_layer, write_npz

    form = order.request.format
    if form == "npz":
        with replacing(job.layer("", form)) as path:
            return write_npz(
                path, {name: result.layers[name] for name in order.layers}, result.alpha
            )
    stored = {}
    for name in order.layers:
        with replacing(job.layer(name, form)) as path:
            stored[name] = write_layer(path, name, result.layers[name], form, result.alpha)
    return stored


def write_preview(order: Order, job: Job, result: Decomposition) -> None:
    """A contact sheet of the photo and its layers, as bright as in their own files."""
    from intrinsic_cli.kit.files.contact_sheet import contact_sheet
    from intrinsic_cli.kit.files.layers import display_scale
    from intrinsic_cli.kit.files.photo import write_png

    row: list[Any] = [result.photo]
    for name in order.layers:
        layer = result.layers[name]
        row.append((layer + 1) / 2 if name == "normals" else layer / display_scale(layer))
    write_png(job.preview, contact_sheet([row], labels=["photo", *order.layers], cell=512))


def _describe(
    order: Order, job: Job, loaded: Loaded, result: Decomposition, stored: Mapping[str, Stored]
) -> dict[str, Any]:
    """The facts of the sidecar."""
    from intrinsic_cli.kit.files.layers import rebuild_error

    form = order.request.format
    layers = {
        name: {"file": job.layer(name, form).name, "encoding": layer.encoding, "scale": layer.scale}
        for name, layer in stored.items()
    }
    photo = loaded.photo
    height, width = photo.pixels.shape[:2]
    about = {
        "input": job.path.name if job.path else "-",
        "sha256": loaded.sha256,
        "size": [width, height],
    }
    about["source"] = job.source
    return {
        **{"version": sidecar.VERSION, **about, "encoding": photo.encoding, "bits": photo.bits},
        **order.recipe,
        "layers": layers,
        **({"preview": job.preview.name} if order.request.preview else {}),
        "reconstruction_rmse": rebuild_error(result.photo, stored),
        **{key: round(value, 6) for key, value in result.facts.items()},
        "iid": __version__,
    }


def _sentence(error: IidError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
