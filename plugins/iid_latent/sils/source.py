"""Where photos and exemplars come from."""

from __future__ import annotations

from iid_latent.sils.tasks import Task
from intrinsic_cli.api import DataError, Source
from intrinsic_cli.kit.data.reflection.mixtures import Mixtures


def source_of(task: Task, source: Source) -> Source:
    """Where the layers of a task come from: the dataset itself or, for sums, mixtures of its
    photos. DataError."""
    missing = [name for name in task.layers if name not in source.offers]
    if not missing:
        return source
    if not task.adds_up:
        hint = "give a dataset with these layers, such as synth, or unpaired:FOLDER"
        raise DataError(f"{source.name} has no {' and no '.join(missing)} to learn from", hint)
    return Mixtures(source, len(task.layers))
