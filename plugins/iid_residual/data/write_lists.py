"""The lists ``train.csv`` and ``test.csv`` of face datasets, from the files that are there."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

from intrinsic_cli.api import DataError, Progress
from intrinsic_cli.kit.files.atomic import write_text

COLUMNS = ("albedo", "normal", "depth", "mask", "face", "light", "name")
SPLITS = ("train", "test")
#: What the files look like, in errors.
FACES = f"train.csv and test.csv with the columns {','.join(COLUMNS)} (or face,name)"
SFSNET_ORIGINALS = "{train,test}/DDDD/NNNNNN_face_A_B.png"
CELEBA_ORIGINALS = "{train,test}/**/all/*.jpg or predicted layers"
_SYNTHETIC = re.compile(r"(\d+)_face_(\d+)_(\d+)\.png")
#: Column → file, or a word.
Row = dict[str, Path | str]


def write_sfsnet_lists(source: Path, out: Path, progress: Progress) -> int:
    """Lists of SfSNet's synthetic faces, ``{train,test}/DDDD/NNNNNN_KIND_A_B.png`` (light:
    ``.txt``): only complete sixes, sorted; paths relative to ``train/`` or ``test/`` where the
    lists lie beside them, else absolute."""
    return _write_lists(source, out, progress, COLUMNS, _synthetic, SFSNET_ORIGINALS)


def write_celeba_lists(source: Path, out: Path, progress: Progress) -> int:
    """Lists of CelebA crops, ``{train,test}/**/all/*.jpg``, with absolute paths; or, where there
    are no crops, of predicted layers ``{train,test}/E_I_{face,albedo,normal}.png`` and
    ``_light.txt``, whose mask and depth are the word ``None``."""
    if any(_crops(source / split) for split in SPLITS):
        columns = ("face", "name")
        return _write_lists(source, out, progress, columns, _crops, CELEBA_ORIGINALS)
    return _write_lists(source, out, progress, COLUMNS, _predicted, CELEBA_ORIGINALS)


def _write_lists(
    source: Path,
    out: Path,
    progress: Progress,
    columns: tuple[str, ...],
    find: Callable[[Path], list[Row]],
    layout: str,
) -> int:
    lists = {split: find(source / split) for split in SPLITS}
    if not any(lists.values()):
        raise DataError(f"{source} holds no faces in train/ or test/", f"expected: {layout}")
    out.mkdir(parents=True, exist_ok=True)
    beside = out.resolve() == source.resolve() and columns == COLUMNS
    for split, rows in lists.items():
        write_text(out / f"{split}.csv", _page(columns, rows, source / split if beside else None))
        progress.note(f"{out / f'{split}.csv'}: {len(rows)} faces")
    return sum(map(len, lists.values()))


def _page(columns: tuple[str, ...], rows: list[Row], base: Path | None) -> str:
    """A list as text, with a running index in front as pandas writes it."""
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(("", *columns))
    for i, row in enumerate(rows):
        writer.writerow((i, *(_told(row[name], base) for name in columns)))
    return page.getvalue()


def _told(value: Path | str, base: Path | None) -> str:
    if isinstance(value, str):
        return value
    return value.relative_to(base).as_posix() if base else str(value.resolve())


def _synthetic(folder: Path) -> list[Row]:
    rows = []
    for face in sorted(folder.glob("*/*_face_*.png")):
        found = _SYNTHETIC.fullmatch(face.name)
        if not found:
            continue
        number, pose, light = found.groups()
        row: Row = {}
        for column in COLUMNS[:5]:
            row[column] = face.with_name(f"{number}_{column}_{pose}_{light}.png")
        row["light"] = face.with_name(f"{number}_light_{pose}_{light}.txt")
        if all(Path(path).is_file() for path in row.values()):
            rows.append(row | {"name": f"{face.parent.name}_{number}_{pose}_{light}"})
    return rows


def _crops(folder: Path) -> list[Row]:
    return [{"face": path, "name": path.stem} for path in sorted(folder.glob("**/all/*.jpg"))]


def _predicted(folder: Path) -> list[Row]:
    rows = []
    for face in sorted(folder.glob("*_face.png")):
        stem = face.name.removesuffix("_face.png")
        row: Row = {}
        for column in ("albedo", "normal", "face"):
            row[column] = face.with_name(f"{stem}_{column}.png")
        row["light"] = face.with_name(f"{stem}_light.txt")
        if all(Path(path).is_file() for path in row.values()):
            rows.append(row | {"depth": "None", "mask": "None", "name": stem})
    return rows
