"""The manifest: finished photos are known by it alone, and it is believed no further than that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from decomposing import everything, forget, go, photo, statuses, tell

from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.runs.decompose import earlier
from intrinsic_cli.runs.decompose.manifest import append_line

MANIFEST = "iid-manifest.jsonl"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png", "sub/c.png"):
        photo(tmp_path / "photos" / name)
    return tmp_path / "photos"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What is opened or hashed; a finished photo costs neither."""
    opened: list[Path] = []
    read, digest = sidecar.read, earlier.content_hash

    def noted_read(path: Path) -> Any:
        opened.append(path)
        return read(path)

    def noted_digest(path: Path) -> Any:
        opened.append(path)
        return digest(path)

    monkeypatch.setattr(sidecar, "read", noted_read)
    monkeypatch.setattr(earlier, "content_hash", noted_digest)
    return opened


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / MANIFEST).read_text().splitlines()]


def do(photos: Path, out: Path, **more: Any) -> dict[str, int]:
    return statuses(go(photos, out=out, recursive=True, **more))


def test_a_line_tells_what_became_of_a_photo(photos: Path, out: Path) -> None:
    (photos / "bad.png").write_text("no picture")
    do(photos, out, preview=True)
    told = {line["photo"]: line for line in lines(out)}
    assert told.keys() == {
        f"../photos/{name}" for name in ("a.png", "b.png", "bad.png", "sub/c.png")
    }
    good, bad = told["../photos/sub/c.png"], told["../photos/bad.png"]
    assert (good["status"], good["error"], good["base"]) == ("done", "", "sub/c")
    assert good["input"] == str(photos / "sub/c.png")
    assert good["files"] == {"albedo": ["c.albedo.png"], "shading": ["c.shading.png"]}
    assert good["preview"] == "c.preview.png"
    assert good["size"] == (photos / "sub/c.png").stat().st_size
    assert good["seconds"] > 0
    assert (bad["status"], bad["files"]) == ("failed", {})
    assert "not an image" in bad["error"]


def test_finished_photos_are_neither_opened_nor_hashed(
    photos: Path, out: Path, blind: list[Path]
) -> None:
    first = go(photos, out=out, recursive=True, preview=True)
    blind.clear()
    again = go(photos, out=out, recursive=True, preview=True)
    assert statuses(again) == {"done": 0, "skipped": 3, "failed": 0}
    assert blind == []
    for one, other in zip(first.inputs, again.inputs, strict=True):
        assert (one.layers, one.outputs, one.preview) == (
            other.layers,
            other.outputs,
            other.preview,
        )
    assert len(lines(out)) == 3, "what is known is not noted again"


def test_without_the_manifest_the_sidecars_tell(photos: Path, out: Path, blind: list[Path]) -> None:
    do(photos, out)
    before = everything(out)
    forget(out)
    assert do(photos, out) == {"done": 0, "skipped": 3, "failed": 0}
    assert everything(out) == before
    blind.clear()
    assert do(photos, out)["skipped"] == 3
    assert blind == [], "and the manifest is there again"


def test_a_changed_photo_is_done_again(photos: Path, out: Path) -> None:
    do(photos, out)
    path = photos / "b.png"
    status = path.stat()
    path.write_bytes(path.read_bytes() + b"more")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert do(photos, out) == {"done": 1, "skipped": 2, "failed": 0}
    os.utime(path, ns=(1, 1))
    assert do(photos, out) == {"done": 0, "skipped": 3, "failed": 0}, "the same bytes"
    for changed in ({"options": ("power=0.4",)}, {"format": "tiff"}, {"layers": ("albedo",)}):
        assert do(photos, out, **changed)["done"] == 3
        assert do(photos, out, **changed)["skipped"] == 3
    assert do(photos, out)["done"] == 3
    assert do(photos, out, force=True)["done"] == 3


@pytest.mark.parametrize("lost", ["a.albedo.png", "a.iid.json"])
def test_a_lost_file_is_noticed_by_its_name(lost: str, photos: Path, out: Path) -> None:
    do(photos, out)
    (out / lost).unlink()
    assert do(photos, out) == {"done": 1, "skipped": 2, "failed": 0}


def test_a_lost_folder_is_noticed(photos: Path, out: Path) -> None:
    do(photos, out)
    for path in (out / "sub").iterdir():
        path.unlink()
    (out / "sub").rmdir()
    assert do(photos, out) == {"done": 1, "skipped": 2, "failed": 0}


BAD_LINES = [
    b'{"base": "a", "photo": "../pho',
    b"[]",
    b"\xff\xfe",
    b'{"base": "a", "photo": "../photos/a.png", "status": "done", "files": 3}',
    b'{"base": "a", "files": {"x": []}}',
    b"\n\n",
    b"[" * 100_000,
    b"",
]


@pytest.mark.parametrize("number", range(len(BAD_LINES)))
def test_a_torn_line_costs_its_own_photo_only(number: int, photos: Path, out: Path) -> None:
    do(photos, out)
    whole = (out / MANIFEST).read_bytes().splitlines(keepends=True)
    (out / MANIFEST).write_bytes(b"".join(whole[1:]) + BAD_LINES[number])
    assert do(photos, out) == {"done": 0, "skipped": 3, "failed": 0}
    told = (out / MANIFEST).read_bytes().splitlines()
    assert json.loads(told[-1])["base"] == json.loads(whole[0])["base"], "on a line of its own"


def test_lines_of_many_processes_stay_whole(tmp_path: Path) -> None:
    import threading

    path = tmp_path / "m.jsonl"
    text = json.dumps({"x": "y" * 3000})

    def write() -> None:
        for _ in range(40):
            append_line(path, text)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = path.read_text().splitlines()
    assert [line for line in lines if line] == [text] * 240


def test_photos_and_outputs_may_move_together(
    photos: Path, out: Path, tmp_path: Path, blind: list[Path]
) -> None:
    do(photos, out)
    (tmp_path / "new").mkdir()
    photos.rename(tmp_path / "new/photos")
    out.rename(tmp_path / "new/out")
    blind.clear()
    assert do(tmp_path / "new/photos", tmp_path / "new/out")["skipped"] == 3
    assert blind == []


def test_another_photo_at_the_same_place_is_not_taken_for_it(photos: Path, out: Path) -> None:
    do(photos, out)
    other = photo(photos.parent / "other/a.png")
    other.write_bytes(other.read_bytes() + b"other")
    status = (photos / "a.png").stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert go(other, out=out).inputs[0].status == "failed"
    assert do(photos, out)["skipped"] == 3


def test_only_what_failed_last_is_tried_again(photos: Path, out: Path) -> None:
    bad = photos / "bad.png"
    bad.write_text("no picture")
    assert do(photos, out)["failed"] == 1
    report, notes = tell(photos, out=out, recursive=True, retry_failed=True)
    assert statuses(report) == {"done": 0, "skipped": 0, "failed": 1}
    assert "1 of 4 photos failed last" in notes
    photo(bad)
    photo(photos / "new.png")
    assert do(photos, out, retry_failed=True) == {"done": 1, "skipped": 0, "failed": 0}
    assert do(photos, out, retry_failed=True) == {"done": 0, "skipped": 0, "failed": 0}
    assert do(photos, out) == {"done": 1, "skipped": 4, "failed": 0}


def test_the_marker_stands_while_nothing_is_to_do(photos: Path, out: Path) -> None:
    marker = out / "iid-manifest.done.json"
    do(photos, out)
    assert json.loads(marker.read_text())["done"] == 3
    do(photos, out)
    assert json.loads(marker.read_text())["skipped"] == 3
    forget(out)
    go(photos / "a.png", out=out)
    assert not marker.exists(), "a single photo is no shard"


def test_a_photo_keeps_its_place_when_a_namesake_comes(photos: Path, out: Path) -> None:
    do(photos, out)
    photo(photos / "a.bmp")
    report = go(photos, out=out)
    assert {Path(item.input).name: item.status for item in report.inputs} == {
        "a.bmp": "done",
        "a.png": "skipped",
        "b.png": "skipped",
    }
    assert (out / "a.bmp.albedo.png").exists()


LIGHT = """
import sys
from pathlib import Path
from intrinsic_cli.requests import DecomposeRequest
from intrinsic_cli.runs.decompose.run import decompose
photos, out = map(Path, sys.argv[1:])
report = decompose(DecomposeRequest((photos,), "gray", out, device="cpu", recursive=True))
heavy = {"torch", "numpy", "cv2", "PIL"} & set(sys.modules)
print(report.count("done"), report.count("skipped"), *heavy)
"""


def test_a_finished_folder_starts_no_torch(photos: Path, out: Path, home: Path) -> None:
    def run() -> list[str]:
        words = [sys.executable, "-c", LIGHT, str(photos), str(out)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        return done.stdout.split()

    weights = home / "weights"
    weights.mkdir()
    make_weights(weights / "gray.safetensors")
    assert run()[:2] == ["3", "0"]
    assert run() == ["0", "3"]


def make_weights(path: Path) -> None:
    import torch

    from intrinsic_cli.kit.networks.checkpoint import save_weights

    state = {"brightness": {"power": torch.tensor(0.5)}}
    save_weights(path, state, {"method": "gray", "variant": ""})
