"""Rendered heads under lamps from known directions, as files whose names tell them: ``iid datasets
prepare faces-light``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from iid_residual.data.one_light import open_heads_light
from intrinsic_cli.kit.files.photo import write_png
from intrinsic_cli.kit.light.colour import encode_codes

if TYPE_CHECKING:
    from intrinsic_cli.api import Case, Progress


def write_lit_heads(source: Path, out: Path, progress: Progress) -> int:
    """Write the held-out heads of the shards in ``source`` under each lamp as ``HEADA+040E+10.png``
    and where they are as ``HEAD_mask.png``. Files that are there already are kept; how many photos
    were written."""
    cases = open_heads_light(source).cases("val")
    out.mkdir(parents=True, exist_ok=True)
    progress.start("heads under lamps", len(cases))
    written = 0
    for case in cases:
        if case.facts["lamp"]:
            written += _write(case, out)
        progress.advance()
    progress.finish()
    return written


def _write(case: Case, out: Path) -> int:
    head = case.facts["scene"]
    photo = out / f"{head}{case.facts['lamp']}.png"
    if photo.exists():
        return 0
    outline = out / f"{head}_mask.png"
    if not outline.exists():
        inside = case.facts["outline"].astype(np.uint8) * 255
        write_png(outline, np.repeat(inside[..., None], 3, axis=2))
    write_png(photo, encode_codes(case.photo, 8).astype(np.uint8))
    return 1
