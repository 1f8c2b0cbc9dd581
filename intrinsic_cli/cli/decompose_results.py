"""Running a decomposition from the command line: results on stdout as they come, a summary at the
end."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from intrinsic_cli.api import UsageError
from intrinsic_cli.cli import console
from intrinsic_cli.cli.console import progress
from intrinsic_cli.cli.failures import INTERRUPTED
from intrinsic_cli.cli.output import line
from intrinsic_cli.requests import DecomposeReport, DecomposeRequest, InputReport

FAILED, SOME_FAILED = 1, 3


def to_folder(request: DecomposeRequest, as_json: bool) -> int:
    """Write outputs below ``request.out``; print the path of each new file, or a JSON line per
    photo."""
    from intrinsic_cli.runs.decompose.run import decompose

    with progress() as listener:

        def tell(item: InputReport) -> None:
            lines = [line(item)] if as_json else item.written
            for text in lines:
                listener.result(text)

        report = decompose(request, listener, on_input=tell)
    return _sum_up(report)


def to_stdout(request: DecomposeRequest) -> int:
    """One layer of one photo as bytes on stdout."""
    with _one_layer(request, "`-o -`") as report:
        for item in report.inputs:
            for path in dict.fromkeys(item.layers.values()):
                sys.stdout.buffer.write(Path(path).read_bytes())
    return _sum_up(report)


def to_file(request: DecomposeRequest, as_json: bool) -> int:
    """One layer of one photo in the file ``request.out``, in the format that its name says."""
    from intrinsic_cli.kit.files.atomic import replacing
    from intrinsic_cli.kit.files.writable import check_writable
    from intrinsic_cli.runs.decompose.plan import ELSEWHERE

    out = request.out
    check_writable(out.absolute().parent, ELSEWHERE)
    if any(path.exists() and out.exists() and path.samefile(out) for path in request.inputs):
        raise UsageError(f"{out} is an input and would be overwritten", "choose another -o FILE")
    wanted = replace(request, format=_format_of(out, request.format))
    with _one_layer(wanted, f"`-o {out}`") as report:
        told = list(report.inputs)
        for number, item in enumerate(report.inputs):
            for path in dict.fromkeys(item.layers.values()):
                with replacing(out) as temporary:
                    temporary.write_bytes(Path(path).read_bytes())
                told[number] = _moved(item, str(out))
    for item in told:
        if as_json:
            console.result(line(item))
        elif item.written:
            console.result(str(out))
    return _sum_up(report)


def _moved(item: InputReport, path: str) -> InputReport:
    """The report of a photo whose one layer lies at ``path``."""
    layers = dict.fromkeys(item.layers, path)
    outputs = {name: [path] for name in layers}
    return replace(item, layers=layers, outputs=outputs, written=(path,), sidecar="", preview="")


def _format_of(out: Path, asked: str) -> str:
    """The format that the file's name says: the one asked for where it has that suffix too."""
    from intrinsic_cli.kit.files.formats import LAYER_SUFFIXES, format_name

    named = format_name(out.suffix[1:])
    return asked if LAYER_SUFFIXES[asked] == LAYER_SUFFIXES[named] else named


@contextmanager
def _one_layer(request: DecomposeRequest, what: str) -> Iterator[DecomposeReport]:
    """The report of one photo of which one layer (or one file of all) was written to a temporary
    folder. UsageError where something else is asked for."""
    from intrinsic_cli.runs.decompose.run import decompose

    _check_one_run(request, what)
    _check_one_layer(request, what)
    _check_one_photo(request, what)
    with tempfile.TemporaryDirectory(prefix="iid-") as folder:
        with progress() as listener:
            report = decompose(replace(request, out=Path(folder)), listener)
        yield report


def _check_one_run(request: DecomposeRequest, what: str) -> None:
    """UsageError for what is left in folders only."""
    for_folders = request.shard or request.watch or request.retry_failed
    if for_folders or request.engine != "threads":
        hint = "give -o a folder for --shard, --watch, --retry-failed and --engine ray"
        raise UsageError(f"{what} writes one layer of one photo", hint)
    if request.preview:
        hint = "leave out --preview, or give -o a folder"
        raise UsageError(f"{what} writes one layer of one photo, and no preview", hint)


def _check_one_layer(request: DecomposeRequest, what: str) -> None:
    """UsageError unless one layer is named, or layers that one file holds together. (Names that no
    output has are refused where all names are.)"""
    from intrinsic_cli.registry import load_registry

    together = request.format == "npz" or request.exr_multilayer
    if len(request.layers) != 1 and not together:
        raise UsageError(f"{what} writes one layer of one photo", "say which: --layers NAME")
    _, variant = load_registry().resolve(request.method)
    made = (*variant.layers, *variant.asked_by)
    layers = [name for name in made if variant.kind(name).is_layer]
    if not layers:
        raise UsageError(f"{what} writes layers, and {request.method} has none", "give -o a folder")
    asked = [name for name in request.layers or variant.layers if name in made]
    others = [name for name in asked if name not in layers]
    if others:
        kind = variant.kind(others[0]).name
        message = f"{what} writes a layer, and {others[0]} of {request.method} is a {kind}"
        raise UsageError(message, _instead(request, [name for name in asked if name in layers]))


def _instead(request: DecomposeRequest, layers: Sequence[str]) -> str:
    """What to ask for where not all outputs are layers."""
    folder = "give -o a folder"
    return folder if request.layers else f"{folder}, or say which: --layers {','.join(layers)}"


def _check_one_photo(request: DecomposeRequest, what: str) -> None:
    """UsageError for several photos, and for clips."""
    from intrinsic_cli.kit.files.formats import is_video
    from intrinsic_cli.kit.files.frame_numbers import is_sequence
    from intrinsic_cli.runs.decompose.inputs import is_folder

    if len(request.inputs) != 1 or is_folder(request.inputs[0]):
        hint = "give one photo; for several, -o names a folder"
        raise UsageError(f"{what} writes one layer of one photo", hint)
    if request.sequence or is_video(request.inputs[0]) or is_sequence(request.inputs[0]):
        raise UsageError(f"{what} writes one layer of one photo, not of a clip", "-o DIR")


def _sum_up(report: DecomposeReport) -> int:
    done, skipped, failed = map(report.count, ("done", "skipped", "failed"))
    for item in report.inputs:
        if item.status == "failed":
            console.note(f"failed: {item.input}: {item.error}")
    seconds = f"{report.seconds:.1f} s"
    console.note(f"{done} done, {skipped} skipped, {failed} failed in {seconds}")
    if report.interrupted:
        return INTERRUPTED
    if not failed:
        return 0
    return SOME_FAILED if done or skipped else FAILED
