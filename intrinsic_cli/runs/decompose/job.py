"""One decomposition of folders and files, looked at once or again and again."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from intrinsic_cli.api import IidError, Progress
from intrinsic_cli.kit.files.atomic import PREFIX
from intrinsic_cli.requests import InputReport
from intrinsic_cli.runs.claims import Claims
from intrinsic_cli.runs.decompose.earlier import replaced, verdict
from intrinsic_cli.runs.decompose.engines import open_engine
from intrinsic_cli.runs.decompose.inputs import Found, find
from intrinsic_cli.runs.decompose.manifest import Manifest
from intrinsic_cli.runs.decompose.out_folder import OutFolder
from intrinsic_cli.runs.decompose.photos import contained, sentence
from intrinsic_cli.runs.decompose.plan import Plan
from intrinsic_cli.runs.decompose.shards import parse_shard
from intrinsic_cli.runs.decompose.sidecars import Sidecars
from intrinsic_cli.runs.decompose.targets import (
    Target,
    check_targets,
    choose_targets,
    plan_for,
)

Reports = Generator[InputReport, None, None]


class Job:
    """What is asked, what earlier runs left, and the engine that does the rest."""

    def __init__(
        self, plan: Plan, claims: Claims, progress: Progress, stop: Callable[[], bool]
    ) -> None:
        self.plan = plan
        self.progress = progress
        self.shard = parse_shard(plan.request.shard)
        self.sidecars = Sidecars()
        self.manifest = Manifest(plan, self.shard)
        self.folder = OutFolder(plan.request.out)
        self.claims = claims
        self.engine = open_engine(plan, claims, self.folder, progress.note, stop)

    def look(self) -> Found:
        """The photos that are there now. What was read of sidecars and folders is forgotten."""
        self.sidecars = Sidecars()
        self.manifest.look_again()
        asked = self.plan.request
        return find(asked.inputs, asked.recursive, asked.out, self.sidecars, asked.sequence)

    def targets(self, found: Found) -> list[Target]:
        """Where the outputs of the photos go that this run is to do. Names depend on all photos,
        so that shards and whole runs agree on them. UsageError where a photo would be
        overwritten."""
        out, is_of = self.plan.request.out, self.manifest.is_of
        targets = choose_targets(found.photos, out, self.plan, self.sidecars, is_of)
        check_targets(targets, self.plan)
        mine = []
        for photo, target in zip(found.photos, targets, strict=True):
            wanted = not self.plan.request.retry_failed or self.manifest.failed(target)
            if wanted and self.shard.owns(photo.relative):
                mine.append(target)
        return mine

    def go(self, targets: Sequence[Target]) -> Reports:
        """A report of every photo: of what is finished, then of the work. OutputLostError."""
        folders = {target.base.parent for target in targets}
        self.claims.sweep(folder for folder in folders if self._has_left_overs(folder))
        waiting = []
        for target in targets:
            report = self._verdict(target)
            if report is None:
                waiting.append(target)
            else:
                yield report
        if not waiting:
            return
        note = replaced(waiting, self.plan, self.sidecars)
        if note:
            self.progress.note(note)
        if self.manifest.done_marker.exists() and not self.plan.request.retry_failed:
            self.manifest.unmark()
        try:
            with contextlib.closing(self.engine.process(waiting, self.sidecars)) as outcomes:
                for target, report in outcomes:
                    self._note(target, report)
                    yield report
        finally:
            # Workers of this run, or runs beside it, may have been killed since it began.
            self.claims.sweep(folders)

    def mark_done(self, reports: Iterable[InputReport]) -> None:
        """Leave the marker that this shard was gone through, with the number of its photos that
        are done, were skipped and failed."""
        counts = Counter(report.status for report in reports)
        told = {status: counts[status] for status in ("done", "skipped", "failed")}
        with self._writing():
            self.manifest.mark_done(told)

    def _has_left_overs(self, folder: Path) -> bool:
        """Is there a file of a run that is going on, or was killed?"""
        return any(name.startswith(PREFIX) for name in self.manifest.names_in(folder))

    def _verdict(self, target: Target) -> InputReport | None:
        """The report of a photo that need not be done, None where it must."""
        if not self.plan.request.force:
            report = self.manifest.finished(target)
            if report is not None:
                return report
        report = self._asked(target)
        if report is None:
            return None
        wants_preview = self.plan.request.preview and not target.is_clip
        if report.status == "skipped" and wants_preview and not report.preview:
            report = self._preview(target, report)
        self._note(target, report)
        return report

    def _asked(self, target: Target) -> InputReport | None:
        """What the sidecar says; one that makes no sense vouches for nothing."""
        try:
            return verdict(target, plan_for(target, self.plan), self.sidecars)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def _preview(self, target: Target, report: InputReport) -> InputReport:
        """Just the contact sheet of a finished photo."""
        from intrinsic_cli.runs.decompose.finished_preview import add_preview

        start = time.perf_counter()
        facts = self.sidecars.read(target.sidecar) or {}
        try:
            contained(add_preview, target, self.plan, facts)
        except IidError as error:
            return InputReport(target.input, "failed", error=sentence(error))
        path = str(target.preview)
        seconds = time.perf_counter() - start
        return replace(report, status="done", preview=path, written=(path,), seconds=seconds)

    def _note(self, target: Target, report: InputReport) -> None:
        """Into the manifest."""
        with self._writing():
            self.manifest.append(target, report)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Something is written to the output folder; OutputLostError where that is impossible."""
        self.folder.check()
        try:
            yield
        except OSError as error:
            raise self.folder.refusal(error) from error
