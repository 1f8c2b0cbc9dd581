"""Your own photos, albedos and shadings of whatever scenes: three folders that do not belong
together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api import Case, DataError, Progress, Source
from intrinsic_cli.kit.data.crops import (
    DARK,
    WHITE,
    WHOLE,
    middle_window,
    random_window,
    resize,
)
from intrinsic_cli.kit.data.layer_files import read_mask, require_size, visible
from intrinsic_cli.kit.data.layouts import UNPAIRED
from intrinsic_cli.kit.data.rows import collate, mirror
from intrinsic_cli.kit.data.sampling import endless_batches, shuffled_place, single_pass
from intrinsic_cli.kit.data.size_check import check_sizes
from intrinsic_cli.kit.data.splits import hold_out
from intrinsic_cli.kit.data.unpaired.files import NAMES, LayerFile, find_files
from intrinsic_cli.kit.files.photo import Photo, read_photo

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from intrinsic_cli.api.data import Batch, Split
    from intrinsic_cli.kit.data.rows import Sample


class UnpairedFolders(Source):
    """Three folders of layers as a :class:`~intrinsic_cli.api.data.Source`, unpaired.

    Integer formats are read as sRGB-encoded, float formats (EXR, HDR, float TIFF) as linear. The
    mask of a layer leaves out what is transparent, black, darker than half in ``mask/NAME/`` and,
    in a photo, clipped.

    About a tenth of each folder, chosen by a hash of the path below it, is the ``val`` split;
    adding files moves none of the others. There is always at least one; a lone file is in both
    splits."""

    name = "unpaired"
    protocol = "unpaired"
    offers = frozenset({*NAMES, "unpaired"})
    paired = False

    def __init__(self, folders: Mapping[str, Path], masks: Path | None = None) -> None:
        self._files: dict[Split, dict[str, list[LayerFile]]] = {"train": {}, "val": {}}
        for name in NAMES:
            found = find_files(name, folders[name], masks)
            # In the order of the hash: whatever comes first shows a bit of everything.
            held = hold_out(found, lambda file: file.relative)
            rest = [file for file in found if file not in held]
            self._files["val"][name] = held
            self._files["train"][name] = rest or found

    def counts(self, split: Split) -> Mapping[str, int]:
        """How many files each folder has."""
        return {name: len(files) for name, files in self._files[split].items()}

    def check_files(self, progress: Progress) -> None:
        """See :meth:`Source.check_files`: masks of unlike sizes, and empty files."""
        found = {
            file for by_name in self._files.values() for name in NAMES for file in by_name[name]
        }
        files = sorted(found, key=lambda file: file.path)
        check_sizes(files, _of_one_size, lambda file: _known(file, read_photo(file.path)), progress)

    def part(self, index: int, count: int) -> UnpairedFolders:
        """Every ``count``-th file of each folder, from the ``index``-th on."""
        some = copy(self)
        some._files = {}
        for split, by_name in self._files.items():
            some._files[split] = {name: files[index::count] for name, files in by_name.items()}
        return some

    def cases(self, split: Split = "val") -> Sequence[Case]:
        """Always a DataError: there is no truth."""
        message = "unpaired data has no truth to measure with, it can only be trained on"
        raise DataError(message, "evaluate on synth")

    def batches(
        self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Batch]:
        """Batches as :func:`~intrinsic_cli.kit.data.unpaired.parts.unpaired` describes them, of
        random squares. Every folder has an endless order of its own, whose n-th file depends on
        seed, name and n alone. Validation shows the middle squares, as many as the smallest folder
        has."""
        by_name = self._files[split]
        for name in NAMES:
            if not by_name[name]:
                raise DataError(f"no {name} is left in this part of {self.name}", "collect more")
        if split == "val":
            for places in single_pass(min(map(len, by_name.values())), size):
                yield _batch([_middle(by_name[n][i], n, crop) for i in places] for n in NAMES)
            return
        for numbers in endless_batches(size, start):
            yield _batch([_draw(by_name[n], n, seed, i, crop) for i in numbers] for n in NAMES)


def open_unpaired(path: Path) -> UnpairedFolders:
    """The folders in ``path``, or the three folders it names with commas between. DataError names
    what is missing or empty."""
    parts = str(path).split(",")
    if path.is_dir() or len(parts) == 1:
        return UnpairedFolders({name: path / name for name in NAMES}, path / "mask")
    if len(parts) != len(NAMES):
        message = f"{path} names {len(parts)} folders instead of three"
        raise DataError(message, f"expected: {UNPAIRED}")
    folders = [Path(part.strip()).expanduser() for part in parts]
    return UnpairedFolders(dict(zip(NAMES, folders, strict=True)))


def _draw(files: Sequence[LayerFile], name: str, seed: int, number: int, side: int) -> Sample:
    """The ``number``-th sample of the endless order of a folder."""
    folder = NAMES.index(name)
    file = files[shuffled_place(number, len(files), seed, folder, 0)]
    rng = np.random.default_rng((seed, folder, 1, number))
    sample = _read(file, name, side, rng)
    if rng.random() < 0.5:
        return sample
    return mirror(sample)


def _middle(file: LayerFile, name: str, side: int) -> Sample:
    return _read(file, name, side, None)


def _read(file: LayerFile, name: str, side: int, rng: np.random.Generator | None) -> Sample:
    """A square of one layer (the middle one without ``rng``) and its mask: planes [S,S,3] and
    [S,S,1]."""
    photo = read_photo(file.path)
    height, width = photo.pixels.shape[:2]
    window = middle_window(height, width)
    if rng:
        window = random_window(height, width, rng)
    square = resize(window.of(photo.pixels), side)
    known = window.of(_known(file, photo))
    brightest = square.max(-1)
    good = resize(known.astype(np.float32), side) > WHOLE
    good &= brightest > DARK
    if name == "photo":
        good &= brightest < WHITE
    mask = good[..., None].astype(np.float32)
    return {name: square, f"{name}_mask": mask}


def _of_one_size(file: LayerFile) -> Sequence[Path]:
    return [file.path] if file.mask is None else [file.path, file.mask]


def _known(file: LayerFile, photo: Photo) -> NDArray[np.bool_]:
    """[H,W], False where the layer is transparent, black or masked."""
    known = np.asarray(photo.pixels.any(-1)) & visible(photo)
    if file.mask is None:
        return known
    mask = read_mask(file.mask)
    require_size(mask, photo.pixels, file.mask, file.path)
    return known & mask


def _batch(by_name: Iterator[Sequence[Sample]]) -> Batch:
    """Samples of every folder → one batch."""
    made: dict[str, Tensor] = {}
    for samples in by_name:
        made |= collate(samples)
    return made
