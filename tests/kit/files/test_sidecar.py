"""The sidecar names all outputs, tells finished work from other, and survives strangers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_up_outputs import VALUES, write_all

from intrinsic_cli.api import Region
from intrinsic_cli.api.outputs import kind_of
from intrinsic_cli.kit.files import sidecar


def test_the_sidecar_vouches_for_all_outputs(tmp_path: Path) -> None:
    made = {"version": 1, "method": "toy"}
    described = sidecar.describe_outputs(write_all(tmp_path / "a"))
    path = tmp_path / "a.iid.json"
    path.write_text(sidecar.dump({**made, **described}))
    facts = sidecar.read(path)
    assert facts is not None
    assert set(facts["layers"]) == {name for name in VALUES if kind_of(name).is_layer}
    assert facts["layers"]["albedo"] == {"file": "a.albedo.png", "encoding": "srgb", "scale": 1.0}
    files = list(sidecar.files(facts))
    assert len(files) == len(set(files))
    assert set(files) == {file.name for file in tmp_path.iterdir()} - {path.name}
    assert sidecar.holds(facts, made, tuple(VALUES), tmp_path)
    assert not sidecar.holds(facts, made, tuple(VALUES)[1:], tmp_path)
    assert not sidecar.holds(facts, {**made, "seed": 1}, tuple(VALUES), tmp_path)
    (tmp_path / "a.mesh-2.glb").unlink()
    assert not sidecar.holds(facts, made, tuple(VALUES), tmp_path)


def test_sidecars_of_before_still_hold(tmp_path: Path) -> None:
    facts = {"version": 1, "layers": {"albedo": {"file": "a.png", "encoding": "srgb", "scale": 1}}}
    assert not sidecar.holds(facts, {"version": 1}, ("albedo",), tmp_path)
    (tmp_path / "a.png").write_bytes(b"")
    assert sidecar.holds(facts, {"version": 1}, ("albedo",), tmp_path)
    assert list(sidecar.files({**facts, "preview": "b.png"})) == ["a.png", "b.png"]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        '{"layers": {"a": ' + "[" * 100_000 + "]" * 100_000 + "}}",
        '{"layers": {}, "x": "' + "y" * sidecar.LONGEST + '"}',
        '{"layers": []}',
        '{"layers": {}, "n": ' + "9" * 5000 + "}",
        "\ud800".encode("utf-8", "surrogatepass").decode("latin1"),
    ],
    ids=["open", "deep", "long", "list", "digits", "bytes"],
)
def test_a_strange_sidecar_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.iid.json").write_text(text, encoding="latin1")
    assert sidecar.read(tmp_path / "a.iid.json") is None


def test_strange_facts_are_survived(tmp_path: Path) -> None:
    facts = {
        "layers": {"a": {"file": 3}, "b": [], "c": None},
        "outputs": {"m": {"files": "x"}, "n": 5, "o": {"files": ["\0"]}},
    }
    assert list(sidecar.files(facts)) == ["3", "\0"]
    assert not sidecar.holds(facts, {}, ("m", "n", "o"), tmp_path)


def test_regions_are_described() -> None:
    region = Region((1.23456, 2, 30, 40), 12.5, "face", np.float32(0.75), facts={"points": 5})
    plain = Region.whole(40, 30)
    assert sidecar.describe_regions([region, plain]) == [
        {
            "label": "face",
            "box": [1.235, 2.0, 30.0, 40.0],
            "angle": 12.5,
            "confidence": 0.75,
            "facts": {"points": 5},
        },
        {"label": "region", "box": [0.0, 0.0, 30.0, 40.0], "angle": 0.0},
    ]


def test_a_sidecar_that_is_not_there_costs_no_look_at_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*given: object) -> bytes:
        raise AssertionError("names like it were looked for")

    monkeypatch.setattr(sidecar, "read_bytes", never)
    assert sidecar.read(tmp_path / "a.iid.json") is None
