"""What a run leaves to read: a line of JSON for every report, pictures for every validation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from intrinsic_cli.kit.files.atomic import replacing

PHOTOS = 6  # rows of a preview


class RunLog:
    """``log.jsonl`` and ``previews/`` of one stage in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, kind: str, step: int, numbers: Mapping[str, float], seconds: float) -> None:
        """One line: what the numbers are (losses of ``train``, scores of ``val``), and when they
        were measured."""
        line: dict[str, Any] = {"kind": kind, "step": step}
        line["seconds"] = round(seconds, 2)
        for name, number in numbers.items():
            line[name] = round(number, 6)
        path = self._folder / "log.jsonl"
        with path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line))
            log.write("\n")

    def preview(self, step: int, columns: Mapping[str, Tensor]) -> None:
        """A contact sheet with a row for every photo and a labelled column for every entry
        ([B,C,H,W] linear)."""
        if not columns:
            return
        from intrinsic_cli.kit.files.contact_sheet import contact_sheet
        from intrinsic_cli.kit.files.opencv import cv2

        arrays = [_photos(column) for column in columns.values()]
        sheet = contact_sheet(list(zip(*arrays, strict=True)), labels=list(columns))
        with replacing(self._folder / "previews" / f"{step:07d}.png") as temporary:
            cv2.imwrite(str(temporary), sheet[..., ::-1])


def _photos(column: Tensor) -> Any:
    """The first photos of [B,C,H,W] as an array [B,H,W,C]."""
    return column[:PHOTOS].detach().float().permute(0, 2, 3, 1).cpu().numpy()
