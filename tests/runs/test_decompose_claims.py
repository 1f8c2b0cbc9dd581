"""Two runs of iid that write to the same place."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from decomposing import go, photo, statuses

from intrinsic_cli.api import IidError
from intrinsic_cli.kit.files.atomic import HOST, PREFIX
from intrinsic_cli.runs import claims as room
from intrinsic_cli.runs.claims import Claims, claim_file
from intrinsic_cli.runs.decompose import write
from intrinsic_cli.runs.decompose.manifest import Manifest


def test_a_place_is_claimed_once(tmp_path: Path) -> None:
    base = tmp_path / "out/a"
    with Claims() as mine, Claims() as others:
        assert mine.take(base)
        assert not others.take(base)
        assert (mine.holds(base), others.holds(base)) == (True, False)
        others.release(base)
        assert mine.holds(base), "nobody releases what another holds"
        mine.release(base)
        assert others.take(base)
    assert not list((tmp_path / "out").iterdir())


def test_of_many_claims_at_once_one_succeeds(tmp_path: Path) -> None:
    barrier = threading.Barrier(8)
    outcomes: list[bool] = []

    def claim() -> None:
        claims = Claims()
        barrier.wait()
        outcomes.append(claims.take(tmp_path / "a"))

    run_threads(claim, 8)
    assert sorted(outcomes) == [False] * 7 + [True]


def run_threads(work: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


posix = pytest.mark.skipif(os.name != "posix", reason="asks whether a process lives")
DEAD = f"{socket.gethostname()} {2**22 + 5} x"


@posix
def test_the_claim_of_a_killed_process_does_not_last(tmp_path: Path) -> None:
    claim_file(tmp_path / "a").write_text(DEAD)
    with Claims() as claims:
        assert claims.take(tmp_path / "a")
    claim_file(tmp_path / "a").write_text("another-machine 5 x")
    with Claims() as claims:
        assert not claims.take(tmp_path / "a")


@posix
@pytest.mark.parametrize("ends_early", [False, True])
def test_what_a_run_leaves_that_is_killed_beside_another_is_removed_at_the_end(
    ends_early: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, out = photo(tmp_path / "a.png"), tmp_path / "out"
    out.mkdir()
    dead = DEAD.split()[1]
    half = out / f"{PREFIX}{HOST}-{dead}-x.png"
    claim = claim_file(out / "other")
    half.write_bytes(b"half")
    claim.write_text(DEAD)
    # They were not there yet when the run looked at the folder.
    monkeypatch.setattr(Manifest, "names_in", lambda self, folder: frozenset())
    if ends_early:
        monkeypatch.setattr(write, "write_outputs", full)
        with pytest.raises(IidError, match="No space left"):
            go(shown, out=out)
    else:
        assert statuses(go(shown, out=out))["done"] == 1
    assert not half.exists()
    assert not claim.exists()


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@posix
def test_of_many_who_take_over_one_succeeds(tmp_path: Path) -> None:
    for _ in range(20):
        claim_file(tmp_path / "a").write_text(DEAD)
        barrier = threading.Barrier(6)
        everybody = [Claims() for _ in range(6)]
        waiting = list(everybody)
        outcomes: list[bool] = []

        def claim(barrier: Any = barrier, waiting: Any = waiting, told: Any = outcomes) -> None:
            claims = waiting.pop()
            barrier.wait()
            told.append(claims.take(tmp_path / "a"))

        run_threads(claim, 6)
        assert sorted(outcomes) == [False] * 5 + [True]
        assert sum(claims.holds(tmp_path / "a") for claims in everybody) == 1


def test_a_claim_without_a_sign_of_life_is_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "a"
    claim_file(base).write_text("another-machine 5 x")
    now = [1000.0]
    monkeypatch.setattr(room, "time", clock := type("Clock", (), {}))
    clock.monotonic = staticmethod(lambda: now[0])  # type: ignore[attr-defined]
    with Claims() as claims:
        assert not claims.take(base)
        now[0] += room.STALE - 1
        assert not claims.take(base)
        os.utime(claim_file(base), ns=(5, 5))
        now[0] += 2
        assert not claims.take(base), "it was touched, whatever its owner's clock says"
        now[0] += room.STALE + 1
        assert claims.take(base)
        assert claims.holds(base)


def test_whoever_holds_a_claim_gives_signs_of_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "TOUCH", 0.01)
    with Claims() as claims:
        claims.take(tmp_path / "a")
        path = claim_file(tmp_path / "a")
        os.utime(path, ns=(5, 5))
        deadline = time.monotonic() + 20
        while path.stat().st_mtime_ns == 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert path.stat().st_mtime_ns > 5


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """``act`` once, after a run has looked what there is to do and before it claims a photo."""
    original = Claims.take

    def late(self: Claims, base: Path) -> bool:
        monkeypatch.setattr(Claims, "take", original)
        act()
        return original(self, base)

    monkeypatch.setattr(Claims, "take", late)


def test_who_comes_second_with_another_photo_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both runs have looked and seen a free place; the other one is done first."""
    one, other, out = photo(tmp_path / "1/a.png"), photo(tmp_path / "2/a.png"), tmp_path / "out"
    other.write_bytes(one.read_bytes() + b"another")

    def first() -> None:
        assert go(one, out=out).inputs[0].status == "done"

    meanwhile(monkeypatch, first)
    item = go(other, out=out).inputs[0]
    assert item.status == "failed"
    assert f"its layers would replace those of {one}" in item.error
    assert go(other, out=out, force=True).inputs[0].status == "done"


def test_who_comes_second_with_the_same_photo_leaves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, out = photo(tmp_path / "a.png"), tmp_path / "out"
    statuses: list[str] = []
    meanwhile(monkeypatch, lambda: statuses.append(go(one, out=out).inputs[0].status))
    statuses.append(go(one, out=out).inputs[0].status)
    assert statuses == ["done", "skipped"]


def test_who_comes_second_waits_for_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, out = photo(tmp_path / "a.png"), tmp_path / "out"
    first = Claims()
    assert first.take(out / "a")
    looked: list[float] = []

    def sleep(seconds: float) -> None:
        looked.append(seconds)
        if len(looked) == 3:
            first.release(out / "a")

    monkeypatch.setattr(
        "intrinsic_cli.runs.decompose.photos.time", type("", (), {"sleep": staticmethod(sleep)})
    )
    assert go(one, out=out).inputs[0].status == "done"
    assert looked == [0.1, 0.2, 0.4]
