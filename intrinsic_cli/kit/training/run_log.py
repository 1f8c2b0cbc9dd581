"""What a run leaves to read: a line of JSON per look, pictures per validation, checkpoints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from intrinsic_cli.kit.files.atomic import replacing


class Journal:
    """``log.jsonl`` and ``previews/`` of one stage below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, kind: str, step: int, figures: Mapping[str, float], seconds: float) -> None:
        """One line: what was measured (``train`` or ``val``), when, and the figures."""
        line = {"kind": kind, "step": step, "seconds": round(seconds, 2)}
        line |= {name: round(value, 6) for name, value in figures.items()}
        with (self._folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")

    def picture(self, step: int, columns: Mapping[str, Tensor], rows: int = 6) -> None:
        """A contact sheet with a row per photo and a labelled column per entry ([B,C,H,W]
        linear)."""
        if not columns:
            return
        from intrinsic_cli.kit.files.contact_sheet import contact_sheet
        from intrinsic_cli.kit.files.opencv import cv2

        tables = [
            x[:rows].detach().float().permute(0, 2, 3, 1).cpu().numpy() for x in columns.values()
        ]
        sheet = contact_sheet(list(zip(*tables, strict=True)), labels=list(columns))
        with replacing(self._folder / "previews" / f"{step:07d}.png") as temporary:
            cv2.imwrite(str(temporary), sheet[..., ::-1])

    def checkpoint(self, path: Path, state: Mapping[str, Any]) -> None:
        """Everything needed to continue, written whole or not at all."""
        with replacing(path) as temporary:
            torch.save(state, temporary)
