"""Where photos and exemplars come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from iid_latent.sils.tasks import Task
from intrinsic_cli.api import DataError, Source
from intrinsic_cli.kit.data.mixtures import Mixtures
from intrinsic_cli.kit.data.unpaired import unpaired

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch


def source_of(task: Task, source: Source) -> Source:
    """Where the layers of a task come from: the dataset itself or, for sums, mixtures of its photos. DataError."""
    missing = [name for name in task.layers if name not in source.offers]
    if not missing:
        return source
    if not task.adds_up:
        hint = "give a dataset with these layers, such as synth, or unpaired:FOLDER"
        raise DataError(f"{source.name} has no {' and no '.join(missing)} to learn from", hint)
    return Mixtures(source, len(task.layers))


def reused(
    source: Source, names: Sequence[str], size: int, crop: int, seed: int, start: int, uses: int
) -> Iterator[Batch]:
    """Training batches of :func:`~intrinsic_cli.kit.data.unpaired.unpaired`, each ``uses`` times with other partners.

    Reading takes longer than a step, and n exemplars of each of two layers make n² mixtures. The n-th batch depends
    on ``(seed, n)`` alone.
    """
    read, turn = divmod(start, uses)
    for batch in unpaired(source, names, "train", size, crop, seed, read):
        for number in range(turn, uses):
            yield _turned(batch, names, number)
        turn = 0


def _turned(batch: Batch, names: Sequence[str], number: int) -> Batch:
    """Every collection moved on by a number of its own. The first one, photos, moves so that other ones lead, of
    which a step only looks at some."""
    count = len(batch[names[0]])
    moves = {names[0]: -number * max(1, count // 4)} | {name: k * number for k, name in enumerate(names[1:])}
    return {key: x.roll(moves[key.removesuffix("_mask")], 0) for key, x in batch.items()}
