"""Folders of faces as datasets: with truth, without, and both together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Self

from iid_residual.data.face_list import (
    Face,
    existing,
    find_faces,
    has_lists,
    training_faces,
)
from iid_residual.data.face_sample import face_case, face_sample
from iid_residual.data.heads import open_heads
from iid_residual.data.source import FaceSource, shows_photo
from iid_residual.data.write_lists import FACES
from intrinsic_cli.api import Case, DataError
from intrinsic_cli.kit.data.readers import TrainingReader

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from intrinsic_cli.api.data import Split
    from intrinsic_cli.kit.data.rows import Sample

_NO_TRUTH = "it has no truth: only stage real of the method residual can learn from it alone"


class FaceFolders(TrainingReader[Face], FaceSource):
    """The faces of one folder; of a second one, faces are shown by turns with them in training.

    Lists name their splits, ``test`` is ``val``. MissingFilesError where files of the first folder
    are missing."""

    def __init__(self, name: str, folder: Path, others: Sequence[Face] = ()) -> None:
        faces = find_faces(folder)
        self.name = name
        self._entries = faces
        self._others = others
        everyone = [*others, *(face for split in faces.values() for face in split)]
        self.has_truth = any(face.is_known for face in everyone)
        if not self.has_truth:
            self.notes = (_NO_TRUTH,)
        if has_lists(folder):
            self._require_files(f"the dataset {name}", folder, FACES)

    def first(self, count: int) -> Self:
        """See :meth:`FaceSource.first`; of the second folder as many."""
        some = copy(self)
        some._entries = {**self._entries, "train": self._in("train")[:count]}
        some._others = self._others[:count]
        return some

    def counts(self, split: Split) -> Mapping[str, int]:
        """How many there are, and how many of the second folder beside them."""
        counts = dict(super().counts(split))
        if self._others and split == "train":
            counts["other photo"] = len(self._others)
        return counts

    def _files(self, entry: Face) -> Collection[Path]:
        return entry.files.values()

    def _case(self, entry: Face) -> Case:
        return face_case(entry)

    def _draw(self, entries: Sequence[Face], seed: int, number: int, crop: int) -> Sample:
        if self._others and shows_photo(seed, number):
            entries = self._others
        return super()._draw(entries, seed, number, crop)

    def _middle(self, case: Case, crop: int) -> Sample:
        return face_sample(case, crop)

    def _vary(self, case: Case, crop: int, rng: np.random.Generator) -> Sample:
        return face_sample(case, crop, rng)


def open_sfsnet(path: Path) -> FaceFolders:
    """``FACES`` with layers, or ``FACES,PHOTOS``."""
    return _open_lists("sfsnet", path)


def open_celeba(path: Path) -> FaceFolders:
    """Photos of faces, perhaps with predicted layers."""
    return _open_lists("celeba", path)


def open_faces(path: Path) -> FaceSource:
    """``PHOTOS`` without truth, or ``PHOTOS,HEADS`` with rendered heads or lists beside them."""
    photos, comma, with_truth = str(path).partition(",")
    if not comma:
        return FaceFolders("faces", existing(Path(photos)))
    if has_lists(Path(with_truth)):
        return open_sfsnet(Path(f"{with_truth},{photos}"))
    return open_heads(Path(f"{with_truth},{photos}"))


def _open_lists(name: str, path: Path) -> FaceFolders:
    named, comma, others = str(path).partition(",")
    folder = existing(Path(named))
    if not has_lists(folder):
        hint = f"make them: iid datasets prepare {name} {folder} {folder}"
        raise DataError(f"{folder} has neither train.csv nor test.csv", hint)
    beside = training_faces(Path(others)) if comma else []
    return FaceFolders(name, folder, beside)
