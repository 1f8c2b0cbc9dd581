"""What makes a finished photo be done again: each thing its outputs depend on, proved alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from decomposing import FLAT, everything, forget, go
from light_method import DEFAULT, REGISTRY, SPEC
from PIL import Image

from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.networks.checkpoint import save_weights
from intrinsic_cli.registry import Registry
from intrinsic_cli.requests import DecomposeRequest
from intrinsic_cli.runs.decompose.plan import make_plan

#: Each differs in one thing from what was asked first.
CHANGES: dict[str, dict[str, Any]] = {
    "options": {"options": ("power=0.4",)},
    "format": {"format": "png16"},
    "seed": {"seed": 3},
    "input_encoding": {"input_encoding": "linear"},
    "variant": {"method": "power:soft"},
    "metadata": {"metadata": "strip"},
}


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    Image.fromarray(FLAT[..., :3]).save(path)
    return path


@pytest.fixture
def status(photo: Path, tmp_path: Path) -> Callable[..., str]:
    """Decompose the photo; what became of it."""

    def run(**more: Any) -> str:
        return go(photo, out=tmp_path / "out", **more).inputs[0].status

    return run


@pytest.mark.parametrize("key", CHANGES)
def test_a_change_makes_a_photo_be_done_again(key: str, status: Callable[..., str]) -> None:
    """Back to the start as well, but for each change from a fresh folder: else the way back from
    one change would hide that another is not noticed."""
    assert status() == "done"
    assert status() == "skipped"
    assert status(**CHANGES[key]) == "done"
    assert status(**CHANGES[key]) == "skipped"
    assert status() == "done"


def test_every_part_of_the_recipe_is_proved(tmp_path: Path) -> None:
    """The rest is proved below, by sidecars that differ."""
    request = DecomposeRequest((), "power", tmp_path)
    known = CHANGES.keys() | {"version", "method", "weights", "exr_layer"}
    assert make_plan(request, REGISTRY).recipe.keys() == known
    beauty = make_plan(replace(request, exr_layer="beauty"), REGISTRY).recipe
    assert beauty["exr_layer"] == "beauty"


def test_older_sidecars_that_do_not_tell_of_everything_still_vouch(
    status: Callable[..., str], tmp_path: Path
) -> None:
    assert status() == "done"
    path = tmp_path / "out/a.iid.json"
    facts = json.loads(path.read_text())
    del facts["metadata"], facts["exr_layer"]
    path.write_text(json.dumps(facts))
    assert status() == "skipped"
    assert status(metadata="strip") == "done"


@pytest.mark.parametrize("key", ["version", "method", "weights", "seed", "options", "format"])
def test_a_sidecar_of_another_recipe_vouches_for_nothing(
    key: str, status: Callable[..., str], tmp_path: Path
) -> None:
    assert status() == "done"
    path = tmp_path / "out/a.iid.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, key: "other"}))
    forget(path.parent)
    assert status() == "done"


def test_other_weights_make_a_photo_be_done_again(photo: Path, tmp_path: Path) -> None:
    trained = Registry({"power": replace(SPEC, variants=(replace(DEFAULT, stages=("main",)),))})
    for value in (1.0, 2.0):
        path = tmp_path / "w.safetensors"
        save_weights(path, {"net": {"x": torch.tensor(value)}}, {})
        for expected in ("done", "skipped"):
            report = go(photo, out=tmp_path / "out", registry=trained, weights=str(path))
            assert report.inputs[0].status == expected


def test_fewer_layers_are_another_answer(status: Callable[..., str]) -> None:
    assert status() == "done"
    assert status(layers=("albedo",)) == "done"
    assert status(layers=("albedo",)) == "skipped"
    assert status() == "done"


def test_force_does_everything_again(status: Callable[..., str]) -> None:
    assert [status(), status(force=True), status()] == ["done", "done", "skipped"]


def test_a_lost_file_is_made_again(status: Callable[..., str], tmp_path: Path) -> None:
    status()
    (tmp_path / "out/a.shading.png").unlink()
    assert status() == "done"


def test_another_picture_under_the_same_name(status: Callable[..., str], photo: Path) -> None:
    status()
    Image.fromarray(FLAT[::-1, :, :3].copy()).save(photo)
    assert status() == "done"


BAD_SIDECARS = {
    "cut off": "{",
    "deep": "[" * 100_000,
    "a list": "[]",
    "null": '{"layers": {"albedo": null}}',
    "numbers": '{"layers": {"albedo": 3}, "preview": 5, "source": 7, "outputs": 4}',
    "zero byte": '{"layers": {"albedo": {"file": "\\u0000"}}}',
    "long name": json.dumps({"layers": {"albedo": {"file": "x" * 5000}}}),
}


@pytest.mark.parametrize("kind", BAD_SIDECARS)
def test_a_bad_sidecar_costs_no_more_than_its_own_photo(
    kind: str, photo: Path, tmp_path: Path
) -> None:
    Image.fromarray(FLAT[..., :3]).save(tmp_path / "b.png")
    out = tmp_path / "out"

    def status() -> dict[str, str]:
        return {Path(item.input).stem: item.status for item in go(tmp_path, out=out).inputs}

    assert status() == {"a": "done", "b": "done"}
    (out / "a.iid.json").write_text(BAD_SIDECARS[kind])
    forget(out)
    assert status() == {"a": "done", "b": "skipped"}
    (tmp_path / "bad.iid.json").write_text(BAD_SIDECARS[kind])
    assert status() == {"a": "skipped", "b": "skipped"}


def test_a_sidecar_full_of_the_right_words_and_wrong_values(
    status: Callable[..., str], tmp_path: Path
) -> None:
    status()
    path = tmp_path / "out/a.iid.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, "layers": dict.fromkeys(facts["layers"], 5)}))
    forget(path.parent)
    assert status() == "done"


def test_sidecars_are_read_once(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from intrinsic_cli.kit.files import sidecar

    go(photo, out=tmp_path)  # beside the photo, where it is seen while photos are looked for
    read: list[Path] = []
    original = sidecar.read

    def counted(path: Path) -> Any:
        read.append(path)
        return original(path)

    monkeypatch.setattr(sidecar, "read", counted)
    assert go(tmp_path, out=tmp_path).inputs[0].status == "skipped"
    assert read == [tmp_path / "a.iid.json"]


def test_the_preview_of_a_finished_photo_is_made_alone(
    status: Callable[..., str], photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    status()
    before = everything(out)
    monkeypatch.setattr("intrinsic_cli.runs.decompose.photos.PhotoWorker.process", None)
    item = go(photo, out=out, preview=True).inputs[0]
    assert (item.status, item.written) == ("done", (str(out / "a.preview.png"),))
    after = everything(out)
    assert after.keys() - before.keys() == {"a.preview.png"}
    assert all(after[name] == before[name] for name in before if name.endswith(".png"))
    monkeypatch.undo()
    assert status(preview=True) == "skipped"
    fresh = go(photo, out=tmp_path / "fresh", preview=True).inputs[0]
    assert fresh.written[-1] == str(tmp_path / "fresh/a.preview.png")
    late, early = (read_photo(Path(path)).pixels for path in (item.preview, fresh.preview))
    assert abs(late - early).max() < 0.05


@pytest.mark.parametrize("form", ["tiff", "npz", "jpg"])
def test_a_preview_is_made_of_any_format(form: str, status: Callable[..., str]) -> None:
    assert status(format=form) == "done"
    assert status(format=form, preview=True) == "done"
    assert status(format=form, preview=True) == "skipped"
