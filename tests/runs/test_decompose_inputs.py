"""Which photos are found, what is said of the others, and what their files are called."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from decomposing import FLAT, everything, go, statuses
from light_method import DEFAULT, REGISTRY, SPEC, Power, PowerDecomposer
from PIL import Image

from intrinsic_cli.api import DataError, Decomposer, IidError, Runtime, UsageError
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.networks.checkpoint import save_weights
from intrinsic_cli.registry import Registry
from intrinsic_cli.requests import DecomposeReport, DecomposeRequest
from intrinsic_cli.runs.decompose.claim import claimed
from intrinsic_cli.runs.decompose.run import decompose


class Notes:
    """Progress that keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def start(self, label: str, total: int | None) -> None: ...
    def advance(self, by: int = 1, facts: Any = None) -> None: ...
    def finish(self) -> None: ...
    def note(self, text: str) -> None:
        self.texts.append(text)


def tell(*inputs: Path, out: Path, **more: Any) -> tuple[DecomposeReport, str]:
    """The report, and all notes."""
    notes = Notes()
    given = {"method": "power", "out": out, "device": "cpu", **more}
    registry = given.pop("registry", REGISTRY)
    return decompose(DecomposeRequest(inputs, **given), notes, registry), "\n".join(notes.texts)


def photo(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(FLAT[..., :3]).save(path)
    return path


def test_an_empty_folder_gets_no_advice_that_cannot_help(tmp_path: Path) -> None:
    (tmp_path / "bare/sub").mkdir(parents=True)
    with pytest.raises(DataError, match="there are no photos in") as caught:
        go(tmp_path / "bare", out=tmp_path / "out")
    assert "-r" not in caught.value.hint


def test_photos_in_subfolders_are_counted(tmp_path: Path) -> None:
    for name in ("in/sub/a.png", "in/sub/deeper/b.png", "in/.hidden/c.png"):
        photo(tmp_path / name)
    with pytest.raises(DataError, match=r"no photos in .* itself") as caught:
        go(tmp_path / "in", out=tmp_path / "out")
    assert caught.value.hint == "-r finds 2 photos below it"
    photo(tmp_path / "in/d.png")
    report, notes = tell(tmp_path / "in", out=tmp_path / "in/out")
    assert report.count("done") == 1
    assert "2 photos in subfolders left out; -r looks into them" in notes
    report, notes = tell(tmp_path / "in", out=tmp_path / "in/out")
    assert "2 photos" in notes, "what iid made is not counted"
    report, notes = tell(tmp_path / "in", out=tmp_path / "in/out", recursive=True)
    assert "left out" not in notes


@pytest.mark.parametrize(
    ("name", "word"),
    [("a.CR2", "RAW"), ("a.dng", "RAW"), ("a.HEIC", "HEIC"), ("a.mp4", "video")],
)
def test_formats_that_cannot_be_read_are_named(name: str, word: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / name).write_bytes(b"II*\0 whatever")
    with pytest.raises(DataError, match=f"no photos in .*{word}") as caught:
        go(folder, out=tmp_path / "out")
    assert caught.value.hint
    report = go(folder / name, out=tmp_path / "out")
    assert word in report.inputs[0].error
    assert caught.value.hint in report.inputs[0].error
    photo(folder / "b.png")
    report, notes = tell(folder, out=tmp_path / "out")
    assert statuses(report) == {"done": 1, "skipped": 0, "failed": 0}
    assert notes.startswith(f"left out: a {word}")
    assert "times" not in notes
    (folder / f"again{Path(name).suffix}").write_bytes(b"II*\0 whatever")
    assert "(2 times): " in tell(folder, out=tmp_path / "out")[1]


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_a_loop_of_links_costs_only_itself(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    photo(folder / "z.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "gone.png").symlink_to(tmp_path / "nowhere")
    (folder / "round").symlink_to(folder, target_is_directory=True)
    report = go(folder, out=tmp_path / "out", recursive=True)
    assert [item.status for item in report.inputs] == ["failed", "failed", "done"]
    report = go(folder / "loop.png", folder / "z.png", out=tmp_path / "out")
    assert [item.status for item in report.inputs] == ["failed", "skipped"]
    assert report.inputs[0].error == "a link that leads nowhere"


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    report = go(tmp_path / ("x" * 5000), tmp_path / "a.png", out=tmp_path / "out")
    assert statuses(report) == {"done": 1, "skipped": 0, "failed": 1}


@pytest.mark.skipif(os.name != "posix", reason="a POSIX pipe")
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.png")
    photo(tmp_path / "z.png")
    report = go(tmp_path, out=tmp_path / "out")
    assert [item.status for item in report.inputs] == ["failed", "done"]
    assert "pipe" in report.inputs[0].error


def test_a_name_pattern_keeps_runs_apart(tmp_path: Path) -> None:
    path, out = photo(tmp_path / "a.png"), tmp_path / "out"
    runs: tuple[dict[str, Any], ...] = ({}, {"format": "tiff"}, {"method": "power:soft"})
    for more in runs:
        for expected in ("done", "skipped"):
            report = go(path, out=out, name="{stem}.{method}-{variant}.{format}.{layer}", **more)
            assert report.inputs[0].status == expected
    assert {name for name in everything(out) if "albedo" in name} == {
        "a.power-default.png.albedo.png",
        "a.power-default.tiff.albedo.tiff",
        "a.power-soft.png.albedo.png",
    }
    go(path, out=out, name="{method}/{stem}")
    assert (out / "power/a.iid.json").exists()


def test_photos_are_told_apart_under_a_pattern_too(tmp_path: Path) -> None:
    photo(tmp_path / "in/a.png")
    photo(tmp_path / "in/a.bmp")
    report = go(tmp_path / "in", out=tmp_path / "out", name="{stem}-x")
    assert [Path(item.sidecar).name for item in report.inputs] == [
        "a.bmp-x.iid.json",
        "a.png-x.iid.json",
    ]


@pytest.mark.parametrize(
    "pattern", ["{layer}-{stem}", "x", "{stem", "{stem}{x}", "/{stem}", "../{stem}"]
)
def test_a_pattern_that_makes_no_names_is_refused(pattern: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the name") as caught:
        go(photo(tmp_path / "a.png"), out=tmp_path / "out", name=pattern)
    assert "{stem}" in caught.value.hint


def test_outputs_of_another_kind_in_the_same_place_are_told(tmp_path: Path) -> None:
    path, out = photo(tmp_path / "a.png"), tmp_path / "out"
    assert "had outputs" not in tell(path, out=out)[1]
    assert "had outputs" not in tell(path, out=out, options=("power=0.3",))[1]
    _, notes = tell(path, out=out, format="tiff")
    assert "1 photo had outputs of power (png) here" in notes
    assert "tell of power (tiff) only" in notes
    assert '--name "{stem}.{method}.{format}"' in notes


@pytest.mark.parametrize(("given", "suffix"), [("PNG", ".png"), ("tif", ".tiff"), ("JPEG", ".jpg")])
def test_formats_have_other_names(given: str, suffix: str, tmp_path: Path) -> None:
    report = go(photo(tmp_path / "a.png"), out=tmp_path / "out", format=given)
    assert report.inputs[0].layers["albedo"].endswith(suffix)


def test_a_folder_that_cannot_be_written_to_is_found_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write everywhere by the permission bits; a file system that takes no files says so
    only when asked for one."""

    def refuse(**_: Any) -> Any:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(UsageError, match=r"cannot write to .*read-only"):
        go(photo(tmp_path / "a.png"), out=tmp_path / "out")


def test_a_folder_whose_name_is_too_long_is_found_early(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot write to .*name too long"):
        go(photo(tmp_path / "a.png"), out=tmp_path / ("a" * 300))


def test_other_weights_than_the_shipped_ones_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = replace(SPEC, variants=(replace(DEFAULT, stages=("main",)),))
    package = tmp_path / "light_plugin"
    (package / "weights").mkdir(parents=True)
    (package / "__init__.py").write_text("from light_method import Power\n")
    monkeypatch.syspath_prepend(tmp_path)
    spec = replace(spec, target="light_plugin:Power")
    shipped, mine = package / "weights/power.safetensors", tmp_path / "mine.safetensors"
    for path in (shipped, mine):
        save_weights(path, {"net": {"x": torch.zeros(1)}}, {})
    registry = Registry({"power": spec})
    given = photo(tmp_path / "a.png")
    _, notes = tell(given, out=tmp_path / "out", registry=registry)
    assert "weights" not in notes
    _, notes = tell(given, out=tmp_path / "out", registry=registry, weights=str(mine))
    assert f"weights of power: {mine} (not those that came with it)" in notes


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


def test_the_output_folder_is_not_looked_into(tmp_path: Path) -> None:
    """Whatever lies there, also what no sidecar tells of."""
    photo(tmp_path / "in/a.png")
    photo(tmp_path / "in/out/stranger.png")
    report = go(tmp_path / "in", out=tmp_path / "in/out", recursive=True)
    assert [Path(item.input).name for item in report.inputs] == ["a.png"]


def test_what_was_asked_reaches_the_method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Runtime] = []

    def decomposer(self: Power, state: Any, options: Any, runtime: Runtime) -> Decomposer:
        seen.append(runtime)
        return PowerDecomposer(options)

    monkeypatch.setattr(Power, "decomposer", decomposer)
    more = {"seed": 5, "precision": "bf16", "method": "power:soft"}
    go(photo(tmp_path / "a.png"), out=tmp_path / "out", **more)
    (runtime,) = seen
    assert (runtime.seed, runtime.precision, runtime.variant) == (5, "bf16", "soft")


def test_photos_are_understood_as_asked(tmp_path: Path) -> None:
    path = photo(tmp_path / "a.png")
    for encoding in ("srgb", "linear"):
        out = tmp_path / encoding
        go(path, out=out, input_encoding=encoding, format="npz")
        assert json.loads((out / "a.iid.json").read_text())["encoding"] == encoding
        with np.load(out / "a.npz") as layers:
            made = layers["albedo"] * layers["shading"]
        assert np.allclose(made, read_photo(path, encoding).pixels, atol=1e-5)


def test_light_beyond_half_precision_is_told(tmp_path: Path) -> None:
    light = np.full((16, 16, 3), 0.5, np.float32)
    light[:4] = 3e5
    cv2.imwrite(str(tmp_path / "sun.tiff"), light)
    (report,) = go(tmp_path / "sun.tiff", out=tmp_path / "out", format="exr").inputs
    assert any("beyond what half precision holds" in note for note in report.notes), report
    (report,) = go(tmp_path / "sun.tiff", out=tmp_path / "out", format="exr32").inputs
    assert not report.notes
