"""The manifest of an output folder: one JSON line for each photo that was done or failed.

It is an index, kept for speed: a photo whose last line fits is known to be finished by the names of
its files and by its own size and time, without opening its sidecar or hashing the photo. What is
true of a photo stands in its sidecar; where the manifest is lost, torn or deleted, the sidecars are
asked again and it is written anew. Each shard writes a file of its own, and all are read together.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

from intrinsic_cli.kit.files.atomic import write_text
from intrinsic_cli.kit.files.json_text import as_json
from intrinsic_cli.requests import InputReport
from intrinsic_cli.runs.decompose.content import state_of
from intrinsic_cli.runs.decompose.earlier import skipped
from intrinsic_cli.runs.decompose.manifest_lines import Line, read_lines
from intrinsic_cli.runs.decompose.plan import Plan
from intrinsic_cli.runs.decompose.shards import Shard
from intrinsic_cli.runs.decompose.targets import PHOTO, Target, plan_for

NAME = "iid-manifest"


class Manifest:
    """What earlier runs noted in ``plan.request.out``, and what this one, ``shard``, adds.

    ``names`` are forgotten by :meth:`look_again`: they are those in the folders just now."""

    def __init__(self, plan: Plan, shard: Shard) -> None:
        self.plan = plan
        self.out = plan.request.out
        self.path = self.out / f"{NAME}{shard.label}.jsonl"
        self.done_marker = self.out / f"{NAME}{shard.label}.done.json"
        self._shard = shard
        self._recipe = recipe_key(plan)
        self._recipes = {PHOTO: self._recipe}
        self._done: dict[str, Line] = {}  # by the place of its outputs
        self._last: dict[str, tuple[float, str]] = {}  # by photo: when and how it ended
        self._states: dict[Path, tuple[int, int]] = {}
        self._names: dict[Path, frozenset[str]] = {}
        self._absolute_out = os.path.abspath(self.out)  # noqa: PTH100  links stay as they are
        for path in sorted(self.out.glob(f"{NAME}*.jsonl")):
            for line in read_lines(path):
                self._learn(line)

    def finished(self, target: Target) -> InputReport | None:
        """The report of a photo that is known to be done, None where its sidecar must be asked.
        Remembers the photo's size and time for its next line."""
        if target.path is None:
            return None
        state = state_of(target.path)
        self._states[target.base] = state
        line = self._done.get(self._place(target.base))
        if line is None or (line.size, line.mtime_ns) != state:
            return None
        if line.recipe != self._recipe_of(target):
            return None
        if self.plan.request.mask is not None or self._photo(target) != line.photo:
            return None
        if self.plan.request.preview and not line.preview:
            return None
        return self._report(target, line)

    def is_of(self, base: Path, path: Path) -> bool:
        """Are the outputs at ``base`` known to be those of the photo ``path``?"""
        line = self._done.get(self._place(base))
        return line is not None and line.photo == self._relative(path)

    def failed(self, target: Target) -> bool:
        """Is a failure the last that was noted of a photo?"""
        return self._last.get(self._photo(target), (0, ""))[1] == "failed"

    def look_again(self) -> None:
        """Files may have come and gone."""
        self._names.clear()

    def append(self, target: Target, report: InputReport) -> None:
        """Note what became of a photo: one line, written at once. OSError."""
        size, mtime_ns = self._states.get(target.base, (0, 0))
        status = "failed" if report.status == "failed" else "done"
        entry = {
            "input": target.input,
            "status": status,
            "files": {name: [Path(f).name for f in fs] for name, fs in report.outputs.items()},
            "seconds": round(report.seconds, 3),
            "error": report.error,
            "preview": Path(report.preview).name if report.preview else "",
            "base": self._place(target.base),
            "photo": self._photo(target),
            "size": size,
            "mtime_ns": mtime_ns,
            "recipe": self._recipe_of(target),
            "at": round(time.time(), 3),
        }
        text = json.dumps(entry, ensure_ascii=True)
        append_line(self.path, text)
        self._learn(Line.parse(text))

    def mark_done(self, counts: Mapping[str, int]) -> None:
        """Say that a run over this shard came to its end, and how its photos did."""
        facts = {
            "shard": str(self._shard),
            **counts,
            "recipe": self._recipe,
            "method": self.plan.choice.title,
            "at": round(time.time(), 3),
        }
        write_text(self.done_marker, as_json(facts) + "\n")

    def unmark(self) -> None:
        """There is work to do: the shard is not done."""
        self.done_marker.unlink(missing_ok=True)

    def _recipe_of(self, target: Target) -> str:
        kind = target.kind
        if kind not in self._recipes:
            self._recipes[kind] = recipe_key(plan_for(target, self.plan))
        return self._recipes[kind]

    def _learn(self, line: Line | None) -> None:
        """The newest line of a place, and of a photo, counts."""
        if line is None:
            return
        if line.at >= self._last.get(line.photo, (0.0, ""))[0]:
            self._last[line.photo] = (line.at, line.status)
        known = self._done.get(line.base)
        if line.status == "done" and (known is None or line.at >= known.at):
            self._done[line.base] = line

    def _report(self, target: Target, line: Line) -> InputReport | None:
        """What a finished photo's report would say; None where one of its files is lacking."""
        folder = target.base.parent
        lacking = {target.sidecar.name}.union(*line.files.values())
        if line.preview:
            lacking.add(line.preview)
        if not lacking <= self.names_in(folder):
            return None
        outputs = {
            name: [str(folder / file) for file in files] for name, files in line.files.items()
        }
        kind = self.plan.choice.variant.kind
        layers = {name: files[0] for name, files in outputs.items() if kind(name).is_layer}
        preview = str(folder / line.preview) if line.preview else ""
        return skipped(target, layers, outputs, preview)

    def names_in(self, folder: Path) -> frozenset[str]:
        """The names in a folder, listed once."""
        if folder not in self._names:
            try:
                self._names[folder] = frozenset(os.listdir(folder))  # noqa: PTH208  names only
            except OSError:
                self._names[folder] = frozenset()
        return self._names[folder]

    def _place(self, base: Path) -> str:
        """The place of outputs, seen from the output folder."""
        return base.relative_to(self.out).as_posix()

    def _photo(self, target: Target) -> str:
        return "-" if target.path is None else self._relative(target.path)

    def _relative(self, path: Path) -> str:
        """A photo as seen from the output folder, so that both may be moved together."""
        absolute = os.path.abspath(path)  # noqa: PTH100  links stay as they are
        try:
            return os.path.relpath(absolute, self._absolute_out)
        except ValueError:  # two drives of Windows
            return absolute


def recipe_key(plan: Plan) -> str:
    """What stands for everything that outputs depend on besides the photo."""
    masked = plan.request.mask is not None
    text = json.dumps([plan.recipe, plan.outputs, masked], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def append_line(path: Path, text: str) -> None:
    """Add a line to a file that others may add to as well; one that is being added by another may
    look torn, and then an empty line stands between them. OSError where it does not fit."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        size = os.fstat(handle).st_size
        whole = size == 0 or _last_byte(handle, size) == b"\n"
        data = f"{'' if whole else chr(10)}{text}\n".encode()
        written = os.write(handle, data)
        if written < len(data):  # what is left does not fit either, and says why
            os.write(handle, data[written:])
    finally:
        os.close(handle)


def _last_byte(handle: int, size: int) -> bytes:
    """A run that was killed may have left a line without its end."""
    os.lseek(handle, size - 1, os.SEEK_SET)
    return os.read(handle, 1)
