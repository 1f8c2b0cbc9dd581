"""``--engine ray``: photos are taken apart by workers that Ray starts, on this machine or on those
of a cluster. The only place that knows Ray.

The run is a pipeline of Ray Data whose rows are paths, and one line of JSON a photo comes out;
photos and layers go between workers and files alone. Where a worker dies Ray gives its photos to
another one. That makes no photo twice, for each worker does as any run of iid would: it claims a
photo, looks whether it is finished, and writes its sidecar last.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli.api import IidError, UsageError
from intrinsic_cli.kit.files.atomic import HOST
from intrinsic_cli.kit.files.quiet import without_complaints, without_prints
from intrinsic_cli.requests import InputReport
from intrinsic_cli.runs.claims import Claims, claim_file
from intrinsic_cli.runs.decompose.attended import Service, ServiceGoneError, attended
from intrinsic_cli.runs.decompose.out_folder import AGAIN, OutFolder, RunEndedError
from intrinsic_cli.runs.decompose.photos import Outcomes, PhotoWorker
from intrinsic_cli.runs.decompose.plan import Plan
from intrinsic_cli.runs.decompose.rows import (
    Answer,
    absolute,
    answer_row,
    as_asked,
    photo_row,
    read_answer_row,
    read_photo_row,
)
from intrinsic_cli.runs.decompose.sidecars import Sidecars
from intrinsic_cli.runs.decompose.targets import Target

if TYPE_CHECKING:
    from ray.data import Dataset

#: Photos that a worker is given at a time: few, so that little is looked at again where it dies,
#: unless there are so many that Ray would be busy with handing them out.
FEWEST, MOST, TASKS = 1, 32, 2000
#: With a GPU: as many as keep its batches full.
FEWEST_ON_GPU = 16
#: Bytes of memory that a worker on the CPU is counted with.
WORKER_MEMORY = 1_250_000_000
#: Bytes for the rows of a cluster of our own, about as few as Ray takes.
ROW_MEMORY = 100 << 20
#: On a machine that has much to do Ray gives up before it has begun.
ATTEMPTS = 4
#: Seconds until another machine sees a file for sure.
PATIENCE = 10.0
#: Seconds for which the head of a cluster may be away: Ray waits for it for 60.
HEAD_PATIENCE = 20.0
ALIKE = "see that iid and its plugins are alike on all of Ray's machines"
#: How the threads of Ray are called, which print to stdout what becomes of workers.
THREADS = "ray_"
#: Ray reports home, and begins a cluster anew where one has died, unless told otherwise.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_AUTO_CONNECT": "0"}


@dataclass(frozen=True, slots=True)
class Pool:
    """How many workers there may be, on which ``device``, and the resources of each as Ray counts
    them."""

    workers: int
    device: str
    each: Mapping[str, float]


def choose_pool(device: str, cluster: Mapping[str, float]) -> Pool:
    """One worker a GPU, where ``cluster`` (its resources by name) has any; else as many as there
    are cores and memory for. UsageError where there is no GPU and one is asked for."""
    gpus = int(cluster.get("GPU", 0))
    if device == "cuda" and not gpus:
        raise UsageError("the Ray cluster has no GPU", "try --device cpu")
    if gpus and device != "cpu":
        return Pool(gpus, "cuda", {"num_gpus": 1})
    cores = int(cluster.get("CPU", 1))
    memory = int(cluster.get("memory", WORKER_MEMORY) / WORKER_MEMORY)
    return Pool(max(1, min(cores, memory)), "cpu", {"num_cpus": 1})


class RayWorkers:
    """Takes photos apart on Ray's machines, all of which must see the photos and the folder of the
    outputs under the names that they have here."""

    def __init__(
        self, plan: Plan, claims: Claims, folder: OutFolder, note: Callable[[str], None]
    ) -> None:
        self.plan = plan
        self.claims = claims
        self.folder = folder
        self.note = note

    def process(self, targets: Sequence[Target], sidecars: Sidecars) -> Outcomes:
        """Each photo with its report, in the order in which they are done. OutputLostError,
        RunEndedError where the cluster is gone."""
        waiting = dict(enumerate(targets))
        with self._marked() as mark, _cluster() as cluster:
            pool = choose_pool(self.plan.request.device, cluster)
            rows = [photo_row(number, target) for number, target in waiting.items()]
            for answer in self._answers(pipeline(rows, self._portable(pool), mark, pool)):
                target = waiting.pop(answer.number, None)
                if target is not None and answer.report is not None:
                    yield target, as_asked(answer.report, target)
        for target in waiting.values():
            yield target, InputReport(target.input, "failed", error="Ray lost it (run again)")

    def _answers(self, dataset: Dataset) -> Iterator[Answer]:
        """What workers tell, as it comes; an error that ends the run is raised."""
        from ray.exceptions import RayError

        try:
            for row in attended(dataset.iter_rows(), list(_services())):
                answer = read_answer_row(row["answer"])
                for note in answer.notes:
                    self.note(note)
                if answer.error is not None:
                    raise answer.error
                yield answer
        except ServiceGoneError as error:
            raise RunEndedError(f"{error.service.name} has died", AGAIN) from error
        except RayError as error:
            reason = str(error).strip().splitlines()[0]
            raise IidError(f"Ray cannot go on: {reason}", ALIKE) from error

    def _portable(self, pool: Pool) -> Plan:
        """The plan as a worker needs it."""
        asked = self.plan.request
        mask = None if asked.mask is None else absolute(asked.mask)
        out = absolute(asked.out)
        request = replace(asked, inputs=(), out=out, mask=mask, device=pool.device)
        return replace(self.plan, request=request)

    @contextmanager
    def _marked(self) -> Iterator[Path]:
        """A file in the folder of the outputs by which workers see that it is the same one."""
        self.folder.check()
        mark = absolute(self.plan.request.out) / f"ray-{uuid.uuid4().hex}"
        try:
            self.claims.take(mark)
        except OSError as error:
            raise self.folder.refusal(error) from error
        try:
            yield claim_file(mark)
        finally:
            self.claims.release(mark)


def pipeline(rows: Sequence[str], plan: Plan, mark: Path, pool: Pool) -> Dataset:
    """Rows of photos → rows of answers, not yet begun."""
    from ray import data

    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # errors are raised
    context = data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    tasks = max(1, len(rows) // size_of_task(len(rows), pool))
    photos = data.from_items([{"photo": row} for row in rows], override_num_blocks=tasks)
    workers = min(pool.workers, tasks)
    return photos.map_batches(
        PhotoActor,
        fn_constructor_args=(plan, mark),
        batch_size=None,
        batch_format="pyarrow",
        compute=data.ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
        **pool.each,
    )


def size_of_task(photos: int, pool: Pool) -> int:
    """How many photos a worker is given at a time."""
    fewest = FEWEST_ON_GPU if pool.device == "cuda" else FEWEST
    return min(MOST, max(fewest, photos // TASKS))


class PhotoActor:
    """One worker, with a method that is loaded once. Ray makes it where it is to run."""

    def __init__(self, plan: Plan, mark: Path) -> None:
        self.mark = mark
        self.notes: list[str] = []
        folder = OutFolder(plan.request.out)
        # Waiting for a photo ends with the worker.
        self.worker = PhotoWorker(plan, Claims(), folder, self.notes.append, lambda: False)

    def __call__(self, table: Any) -> dict[str, list[str]]:
        """Rows of photos → rows of answers."""
        photos = [read_photo_row(row) for row in table["photo"].to_pylist()]
        answers = [answer_row(answer) for answer in self._answers(photos)]
        return {"answer": answers}

    def _answers(self, photos: Sequence[tuple[int, Target]]) -> Iterator[Answer]:
        numbers = {id(target): number for number, target in photos}
        targets = [target for _, target in photos]
        try:
            self._require_same_folder()
            with Claims() as self.worker.claims:
                for target, report in self.worker.process(targets, Sidecars()):
                    yield Answer(numbers[id(target)], report, notes=self._take_notes())
        except IidError as error:
            yield Answer(error=error, notes=self._take_notes())
        except Exception as error:  # most likely something that is not installed here
            message = f"unexpected {type(error).__name__} on {HOST}: {error}"
            yield Answer(error=IidError(message.splitlines()[0], ALIKE))

    def _take_notes(self) -> list[str]:
        taken = list(self.notes)
        del self.notes[: len(taken)]
        return taken

    def _require_same_folder(self) -> None:
        """Another machine may have another folder of that name, or none."""
        until = time.monotonic() + PATIENCE
        while not self.mark.exists():
            if time.monotonic() > until:
                message = f"{self.mark.parent} is not the folder on {HOST} that it is here"
                raise UsageError(message, "give -o a folder that all of Ray's machines share")
            time.sleep(0.1)


@contextmanager
def _cluster() -> Iterator[Mapping[str, float]]:
    """The resources of a cluster: the one that this program is in already, the one at RAY_ADDRESS,
    or one of this machine that ends with the block. IidError where there is none."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    begun_here = not ray.is_initialized()
    if begun_here:
        _begin()
    own = [thread for thread in threading.enumerate() if thread.name.startswith(THREADS)]
    try:
        with without_prints(own), without_complaints():
            yield ray.cluster_resources()
    finally:
        if begun_here:
            # The error that led here says more, and what Ray has kept to print is not for stdout.
            with contextlib.suppress(Exception), without_prints():
                ray.shutdown()


def _services() -> Iterator[Service]:
    """What must live for photos to be done: Ray's process on this machine, which is not started
    again, and the head of the cluster, which may be. Ray ends this program some seconds after the
    one, a minute after the other, without a word."""
    import ray

    here = ray.get_runtime_context()
    for node in ray.nodes():
        if node["NodeID"] == here.get_node_id():
            address = node["NodeManagerAddress"], node["NodeManagerPort"]
            yield Service("Ray's process on this machine (the raylet)", address)
    host, _, port = here.gcs_address.rpartition(":")
    yield Service("the head of the Ray cluster", (host, int(port)), HEAD_PATIENCE)


def _begin() -> None:
    address = os.environ.get("RAY_ADDRESS") or "local"
    for attempt in range(ATTEMPTS):
        try:
            _connect(address)
        except Exception as error:  # of many kinds, as the versions of Ray go
            if address == "local" and attempt < ATTEMPTS - 1:
                continue
            where = "of its own" if address == "local" else f"at {address}"
            reason = (str(error) or type(error).__name__).splitlines()[0]
            hint = "RAY_ADDRESS says where a cluster is; without it one is started here"
            raise IidError(f"there is no Ray cluster {where}: {reason}", hint) from error
        return


def _connect(address: str) -> None:
    import ray

    given: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address == "local":
        given |= {"include_dashboard": False, "object_store_memory": ROW_MEMORY}
    try:
        ray.init(address, **given)
    except BaseException:
        ray.shutdown()  # what it has begun
        raise
