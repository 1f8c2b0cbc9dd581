"""``--watch``: photos are done as they come, once, and not before they are whole."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from decomposing import photo
from light_method import REGISTRY

from intrinsic_cli.api import UsageError
from intrinsic_cli.requests import DecomposeReport, DecomposeRequest, InputReport
from intrinsic_cli.runs.decompose import watch
from intrinsic_cli.runs.decompose.run import decompose
from intrinsic_cli.runs.decompose.shards import parse_shard

LONG = 60.0  # seconds; nothing waits for it unless something is broken


@pytest.fixture
def watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., DecomposeReport]:
    """Watch a folder; ``acts`` happen one by one, each when a photo was told, the first at the
    start. After the last a signal ends it."""
    monkeypatch.setattr(watch, "LOOK", 0.02)
    (tmp_path / "in").mkdir()

    def run(*acts: Callable[[], Any], **more: Any) -> DecomposeReport:
        waiting = list(acts)

        def on_input(report: InputReport) -> None:
            if waiting:
                waiting.pop(0)()
            else:
                os.kill(os.getpid(), signal.SIGTERM)

        waiting.pop(0)()
        given = {"watch": True, "seconds": LONG, "device": "cpu", "recursive": True, **more}
        request = DecomposeRequest((tmp_path / "in",), "power", tmp_path / "out", **given)
        return decompose(request, registry=REGISTRY, on_input=on_input)

    return run


def told(report: DecomposeReport) -> list[tuple[str, str]]:
    return [(Path(item.input).name, item.status) for item in report.inputs]


def test_photos_are_done_as_they_come(
    watching: Callable[..., DecomposeReport], tmp_path: Path
) -> None:
    folder = tmp_path / "in"

    def change() -> None:
        path = photo(folder / "a.png")
        path.write_bytes(path.read_bytes() + b"more")

    report = watching(
        lambda: photo(folder / "a.png"),
        lambda: photo(folder / "a.bmp"),
        lambda: (folder / "bad.png").write_text("no picture"),
        change,
        lambda: photo(folder / "sub/c.png"),
    )
    assert told(report) == [
        ("a.png", "done"),
        ("a.bmp", "done"),
        ("bad.png", "failed"),
        ("a.png", "done"),
        ("c.png", "done"),
    ]
    assert report.interrupted
    assert report.seconds < LONG
    assert (tmp_path / "out/a.bmp.albedo.png").exists()


def test_a_photo_is_left_alone_while_it_is_written(
    watching: Callable[..., DecomposeReport], tmp_path: Path
) -> None:
    data = photo(tmp_path / "whole.png").read_bytes()
    path = tmp_path / "in/a.png"

    def write() -> None:
        with path.open("wb") as file:
            for at in range(0, len(data), 200):
                file.write(data[at : at + 200])
                file.flush()
                time.sleep(0.005)

    writer = threading.Thread(target=write)
    report = watching(writer.start)
    writer.join()
    assert told(report) == [("a.png", "done")]


def test_it_ends_when_its_time_is_up(
    watching: Callable[..., DecomposeReport], tmp_path: Path
) -> None:
    report = watching(lambda: None, seconds=0.1)
    assert told(report) == []
    assert not report.interrupted
    assert not list((tmp_path / "out").glob("*.done.json"))


def test_what_is_finished_is_passed_over(
    watching: Callable[..., DecomposeReport], tmp_path: Path
) -> None:
    photo(tmp_path / "in/a.png")
    first = watching(lambda: None)
    again = watching(lambda: None)
    assert [told(first), told(again)] == [[("a.png", "done")], [("a.png", "skipped")]]


def test_shards_watch_together(watching: Callable[..., DecomposeReport], tmp_path: Path) -> None:
    names = [photo(tmp_path / f"in/{number}.png").name for number in range(6)]
    done = []
    for shard in ("1/2", "2/2"):
        mine = [name for name in names if parse_shard(shard).owns(Path(name))]
        report = watching(*[lambda: None] * len(mine), shard=shard)
        assert {name for name, _ in told(report)} == set(mine)
        done += [name for name, status in told(report) if status == "done"]
    assert sorted(done) == names


def test_a_photo_waits_for_its_mask(
    watching: Callable[..., DecomposeReport], tmp_path: Path
) -> None:
    """The mask of ``a`` is there, that of ``b`` comes later; then another comes in its place."""
    masks = tmp_path / "masks"
    photo(masks / "a.png")
    photo(tmp_path / "in/b.png")

    def change() -> None:
        path = photo(masks / "b.png")
        path.write_bytes(path.read_bytes() + b"more")

    report = watching(
        lambda: photo(tmp_path / "in/a.png"),
        lambda: photo(masks / "b.png"),
        change,
        mask=masks,
    )
    assert told(report) == [("a.png", "done"), ("b.png", "done"), ("b.png", "done")]
    sidecar = json.loads((tmp_path / "out/b.iid.json").read_text())
    assert sidecar["mask_sha256"] == hashlib.sha256((masks / "b.png").read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "more",
    [
        {"mask": Path(__file__)},
        {"mask": Path("nowhere")},
        {"inputs": (Path("nowhere"),)},
        {"inputs": (Path(__file__),)},
        {"inputs": ()},
        {"retry_failed": True},
        {"watch": False},
    ],
)
def test_only_folders_are_watched(more: dict[str, Any], tmp_path: Path) -> None:
    given = {"inputs": (tmp_path,), "watch": True, "seconds": 1.0, **more}
    request = DecomposeRequest(method="power", out=tmp_path / "out", **given)
    with pytest.raises(UsageError, match="watch"):
        decompose(request, registry=REGISTRY)
