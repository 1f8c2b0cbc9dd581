"""How many cores each of several processes has."""

from __future__ import annotations

import pytest

from intrinsic_cli.kit.files import available_cores
from intrinsic_cli.kit.files.available_cores import cores_each


@pytest.mark.parametrize(
    ("mine", "together", "processes", "each"),
    [
        (16, "", 1, 16),
        (16, "", 3, 5),
        (2, "", 8, 1),
        (4, "16", 4, 4),  # SLURM gave each task four of its own
        (16, "16", 4, 4),
        (16, "many", 4, 4),
        (8, "64", 1, 8),
    ],
)
def test_processes_share_what_they_may_use(
    mine: int, together: str, processes: int, each: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(available_cores, "cores_here", lambda: mine)
    monkeypatch.setenv("SLURM_CPUS_ON_NODE", together)
    assert cores_each(processes) == each
