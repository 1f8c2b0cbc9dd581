"""Photos read, taken apart and written, torch and all."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from intrinsic_cli.api import Decomposition, IidError
from intrinsic_cli.requests import InputReport
from intrinsic_cli.runs.decompose.load import LoadedPhoto, load
from intrinsic_cli.runs.decompose.plan import Plan
from intrinsic_cli.runs.decompose.sidecars import Sidecars
from intrinsic_cli.runs.decompose.targets import Target
from intrinsic_cli.runs.decompose.write import write
from intrinsic_cli.runs.session import Session

if TYPE_CHECKING:
    from intrinsic_cli.kit.inference.stream import Workers

Made = TypeVar("Made")

CUDA_BATCH = 8  # photos; memory that runs out halves it


def process_photos(
    plan: Plan, targets: Sequence[Target], sidecars: Sidecars, note: Callable[[str], None]
) -> Iterator[InputReport]:
    """Take the photos of ``targets`` apart; each report comes when all its files are in place."""
    from intrinsic_cli.kit.inference.stream import Stream

    request = plan.request
    session = Session(plan.choice, request.device, request.precision, request.seed)

    def work(group: Sequence[LoadedPhoto]) -> list[Decomposition | IidError]:
        return contained(session.try_many, [one.photo for one in group], note)

    stream: Stream[Target, LoadedPhoto, Decomposition, InputReport] = Stream(
        read=lambda target: contained(load, target, request),
        work=work,
        write=lambda target, loaded, result: contained(
            write, plan, target, loaded, result, sidecars
        ),
        workers=_workers(session.runtime.device.type, request.batch_size),
    )
    for target, outcome in stream.run(targets):
        if isinstance(outcome, IidError):
            yield InputReport(target.input, "failed", error=sentence(outcome))
        else:
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
        message = f"unexpected {type(error).__name__} at {place}: {error}"
        raise IidError(message.splitlines()[0]) from error


def sentence(error: IidError) -> str:
    """The error in one line."""
    return f"{error.message} ({error.hint})" if error.hint else error.message


def _workers(device: str, batch: int | None) -> Workers:
    """Encoding takes about three times as long as decoding; on the CPU the network leaves no cores
    to spare."""
    from intrinsic_cli.kit.inference.stream import Workers

    if device != "cuda":
        return Workers(batch=batch or 1)
    cores = os.cpu_count() or 4
    readers = max(1, cores // 4)
    writers = max(1, cores * 3 // 4)
    return Workers(readers, batch or CUDA_BATCH, writers)
