"""Two runs of iid that write to the same place."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from decomposing import go, photo

from intrinsic_cli.api import IidError
from intrinsic_cli.runs.decompose.claim import claimed


def test_a_place_is_claimed_by_one_process_alone(tmp_path: Path) -> None:
    base = tmp_path / "out/a"
    refused = pytest.raises(IidError, match="another run of iid is writing")
    with claimed(base), refused, claimed(base):
        pass
    with claimed(base):
        pass
    assert not list((tmp_path / "out").iterdir())


def test_of_many_claims_at_once_one_succeeds(tmp_path: Path) -> None:
    barrier, inside = threading.Barrier(8), threading.Event()
    outcomes: list[bool] = []

    def claim() -> None:
        barrier.wait()
        try:
            with claimed(tmp_path / "a"):
                inside.wait(10)
            outcomes.append(True)
        except IidError:
            outcomes.append(False)
            if len(outcomes) == 7:
                inside.set()

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 7 + [True]


@pytest.mark.skipif(os.name != "posix", reason="asks whether a process lives")
def test_the_claim_of_a_killed_process_does_not_last(tmp_path: Path) -> None:
    import socket

    (tmp_path / ".iid-lock-a").write_text(f"{socket.gethostname()} {2**22 + 5}")
    with claimed(tmp_path / "a"):
        pass
    (tmp_path / ".iid-lock-a").write_text("another-machine 5")
    with pytest.raises(IidError, match="another run"), claimed(tmp_path / "a"):
        pass


def test_who_comes_second_with_another_photo_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both runs have looked and seen a free place; the other one is done first."""
    one, other, out = photo(tmp_path / "1/a.png"), photo(tmp_path / "2/a.png"), tmp_path / "out"
    other.write_bytes(one.read_bytes() + b"another")
    from intrinsic_cli.runs.decompose import photos

    original: Callable[..., Any] = photos.load

    def late(*given: Any) -> Any:
        loaded = original(*given)
        monkeypatch.setattr(photos, "load", original)
        assert go(one, out=out).inputs[0].status == "done"
        return loaded

    monkeypatch.setattr(photos, "load", late)
    item = go(other, out=out).inputs[0]
    assert item.status == "failed"
    assert f"its layers would replace those of {one}" in item.error
    assert go(other, out=out, force=True).inputs[0].status == "done"
