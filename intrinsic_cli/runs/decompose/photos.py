"""Photos read, taken apart and written, torch and all."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from intrinsic_cli.api import Decomposition, IidError
from intrinsic_cli.kit.files.available_cores import cores_here
from intrinsic_cli.kit.files.os_errors import hint_of
from intrinsic_cli.kit.files.out_of_memory import HINT, OUT_OF_MEMORY, is_out_of_memory
from intrinsic_cli.requests import InputReport
from intrinsic_cli.runs.claims import Claims
from intrinsic_cli.runs.decompose.clip_work import ClipResult, ClipWork, OpenedClip
from intrinsic_cli.runs.decompose.clips import open_clip, write_clip
from intrinsic_cli.runs.decompose.earlier import verdict
from intrinsic_cli.runs.decompose.large import (
    LargePhoto,
    LargeResult,
    fits_strips,
    open_photo,
    take_apart,
    whole,
    write_large,
)
from intrinsic_cli.runs.decompose.load import LoadedPhoto, load
from intrinsic_cli.runs.decompose.out_folder import OutFolder, OutputLostError
from intrinsic_cli.runs.decompose.plan import Plan
from intrinsic_cli.runs.decompose.sidecars import Sidecars
from intrinsic_cli.runs.decompose.targets import Target, plan_for
from intrinsic_cli.runs.decompose.workers import (
    choose_workers,
    keep_memory,
    leave_cores,
)
from intrinsic_cli.runs.decompose.write import write
from intrinsic_cli.runs.session import Session

if TYPE_CHECKING:
    from intrinsic_cli.kit.inference.stream import Stream

Made = TypeVar("Made")
#: What to do about an error that nobody has thought of.
BUG = "please report this: it is a mistake of iid or of the plugin"
Outcomes = Generator[tuple[Target, InputReport], None, None]
#: A photo in memory, and what was made of it: whole, in strips, or frame by frame.
Opened = LoadedPhoto | LargePhoto | OpenedClip
Result = Decomposition | LargeResult | ClipResult

#: Seconds between two looks at photos that other runs are at: at first, and at most.
FIRST_WAIT, LONGEST_WAIT = 0.1, 2.0


class BusyError(IidError):
    """Another run is at the photo."""


class SettledError(IidError):
    """Another run has settled the photo in the meantime, as ``report`` says."""

    def __init__(self, report: InputReport) -> None:
        super().__init__("settled")
        self.report = report


class PhotoWorker:
    """Takes photos apart, each claimed while it is at it. The network is opened when the first
    photos come, and stays open for all that follow; ``stop`` is asked while it waits for others."""

    def __init__(
        self,
        plan: Plan,
        claims: Claims,
        folder: OutFolder,
        note: Callable[[str], None],
        stop: Callable[[], bool],
    ) -> None:
        self.plan = plan
        self.claims = claims
        self.folder = folder
        self.note = note
        self.stop = stop
        self._session: Session | None = None

    def process(self, targets: Sequence[Target], sidecars: Sidecars) -> Outcomes:
        """Each photo with its report, which comes when all its files are in place; those that other
        runs are at last. OutputLostError where nothing more can be written."""
        if self._session is None:
            leave_cores()
            keep_memory()
            asked = self.plan.request
            self._session = Session(self.plan.choice, asked.device, asked.precision, asked.seed)
        stream = self._stream(self._session, sidecars)
        waiting = list(targets)
        wait = FIRST_WAIT
        while waiting:
            busy: list[Target] = []
            # Its threads end when it is closed, come what may.
            with contextlib.closing(stream.run(waiting)) as outcomes:
                for target, outcome in outcomes:
                    self.claims.release(target.base)
                    if isinstance(outcome, BusyError):
                        busy.append(target)
                    else:
                        yield target, _report(target, outcome)
            if busy and wait == FIRST_WAIT:
                self.note(_waiting(busy))
            if not busy or self.stop():
                return
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)
            waiting = busy

    def _stream(
        self, session: Session, sidecars: Sidecars
    ) -> Stream[Target, Opened, Result, InputReport]:
        from intrinsic_cli.kit.inference.stream import Stream

        cuts = session if fits_strips(self.plan, session) else None
        device = session.runtime.device

        def put(target: Target, opened: Opened, result: Result) -> InputReport:
            return contained(self._write, target, opened, result)

        return Stream(
            read=lambda target: contained(self._read, target, sidecars, cuts),
            work=lambda group: contained(self._work, session, group),
            write=put,
            workers=choose_workers(device, self.plan.request.batch_size, cores_here()),
            pixels_of=_pixels_of,
        )

    def _work(self, session: Session, group: Sequence[Opened]) -> list[Result | IidError]:
        """Small photos together, and so large ones."""
        small = [one.photo for one in group if isinstance(one, LoadedPhoto)]
        large = [one for one in group if isinstance(one, LargePhoto)]
        made = iter(session.try_many(small, self.note) if small else ())
        made_large = iter(self._take_apart_large(large, session) if large else ())
        results: list[Result | IidError] = []
        for one in group:
            if isinstance(one, LargePhoto):
                results.append(next(made_large))
            elif isinstance(one, OpenedClip):
                results.append(self._take_apart_clip(one, session))
            else:
                results.append(next(made))
        return results

    def _take_apart_large(
        self, photos: Sequence[LargePhoto], session: Session
    ) -> Sequence[Result | IidError]:
        """In strips, or the one that cannot be, whole."""
        from intrinsic_cli.kit.inference.strips import LargerLayerError

        try:
            return take_apart(photos, session, self.note)
        except LargerLayerError:
            if len(photos) > 1:
                raise
        return session.try_many([whole(photos[0]).photo], self.note)

    def _take_apart_clip(self, opened: OpenedClip, session: Session) -> ClipResult | IidError:
        try:
            plan = plan_for(opened.target, self.plan)
            return ClipWork(opened, plan, session, self.note).run()
        except IidError as error:
            return error
        except OSError as error:
            return self.folder.refusal(error)

    def _read(self, target: Target, sidecars: Sidecars, cuts: Session | None) -> Opened:
        """Claim and read a photo, unless another run is at it or has been; a large one to be cut
        into strips, where a session does that."""
        self.folder.check()
        try:
            if not self.claims.take(target.base):
                raise BusyError("another run of iid is at it")
        except OSError as error:
            raise self.folder.refusal(error) from error
        if sidecars.refreshed(target.sidecar):
            report = verdict(target, plan_for(target, self.plan), sidecars)
            if report is not None:
                raise SettledError(report)
        if target.is_clip:
            return open_clip(target, plan_for(target, self.plan))
        if cuts is None:
            return load(target, self.plan.request)
        return open_photo(target, self.plan, cuts)

    def _write(self, target: Target, opened: Opened, result: Result) -> InputReport:
        self.folder.check()
        if not self.claims.holds(target.base):
            raise BusyError("another run of iid has taken it over")
        try:
            if isinstance(opened, LargePhoto) and isinstance(result, LargeResult):
                return write_large(self.plan, target, opened, result)
            if isinstance(opened, LargePhoto) and isinstance(result, Decomposition):
                return write(self.plan, target, whole(opened), result)
            if isinstance(opened, OpenedClip) and isinstance(result, ClipResult):
                return write_clip(plan_for(target, self.plan), opened, result)
            if isinstance(opened, LoadedPhoto) and isinstance(result, Decomposition):
                return write(self.plan, target, opened, result)
            raise TypeError("a photo and the result of another")
        except OSError as error:
            raise self.folder.refusal(error) from error


def contained(step: Callable[..., Made], *given: Any) -> Made:
    """``step(*given)``, whose every error becomes an IidError, which ends the work on one photo and
    not the run."""
    try:
        return step(*given)
    except IidError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise IidError(OUT_OF_MEMORY, HINT) from error
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        message = f"unexpected {type(error).__name__} at {place}: {error}"
        raise IidError(message.splitlines()[0], BUG) from error


def sentence(error: IidError) -> str:
    """The error in one line."""
    hint = hint_of(error)
    return f"{error.message} ({hint})" if hint else error.message


def _report(target: Target, outcome: InputReport | IidError) -> InputReport:
    """The report of a photo, come what may; an error that ends the run is raised."""
    if isinstance(outcome, OutputLostError):
        raise outcome
    if isinstance(outcome, SettledError):
        return outcome.report
    if isinstance(outcome, IidError):
        return InputReport(target.input, "failed", error=sentence(outcome))
    return outcome


def _pixels_of(opened: Opened) -> int:
    if isinstance(opened, LoadedPhoto):
        height, width = opened.photo.pixels.shape[:2]
        return int(height * width)
    if isinstance(opened, LargePhoto):
        height, width = opened.rows.size
        return int(height * width)
    return 0


def _waiting(busy: Sequence[Target]) -> str:
    others = f" and {len(busy) - 1} more" if len(busy) > 1 else ""
    return f"waiting for another run of iid, which is at {busy[0].input}{others}"
