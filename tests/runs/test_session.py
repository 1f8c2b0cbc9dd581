"""One place that opens a network, and the way in from Python."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from decomposing import DEEP, FLAT
from light_method import DEFAULT, REGISTRY, SPEC, PowerDecomposer
from PIL import Image
from torch import Tensor

import intrinsic_cli
from intrinsic_cli.api import DataError, UsageError, WeightsError
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.light.colour import srgb_to_linear
from intrinsic_cli.registry import Registry
from intrinsic_cli.runs.session import Choice, Session, choose


def chosen(**more: Any) -> Choice:
    return choose("power", registry=REGISTRY, **more)


@pytest.fixture
def session() -> Session:
    return Session(chosen(), device="cpu")


def test_a_photo_may_be_given_in_any_way(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(FLAT[..., :3]).save(path)
    linear = read_photo(path).pixels
    ways = (path, str(path), path.read_bytes(), FLAT[..., :3], linear, read_photo(path))
    results = session.many(ways)
    for result in results:
        assert np.allclose(result.photo, linear, atol=1e-6)
        assert result.layers["albedo"].shape == (40, 52, 3)
        assert np.allclose(result.layers["shading"], results[0].layers["shading"], atol=1e-5)
    assert np.array_equal(session(path).layers["albedo"], results[0].layers["albedo"])


def test_the_encoding_counts_for_files_too(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(FLAT[..., :3]).save(path)
    for given in (path, str(path), path.read_bytes(), FLAT[..., :3]):
        assert np.allclose(session(given, encoding="linear").photo, FLAT[..., :3] / 255, atol=1e-6)


def test_kinds_of_the_method_s_own_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A summand grows with the exposure of the photo, and ``paint`` does not."""

    def answer(self: PowerDecomposer, photos: Tensor) -> Mapping[str, Tensor]:
        return {"glow": torch.ones_like(photos), "paint": torch.ones_like(photos)}

    monkeypatch.setattr(PowerDecomposer, "__call__", answer)
    kinds = {"glow": "summand", "paint": "reflectance"}
    variant = replace(DEFAULT, layers=("glow", "paint"), kinds=kinds)
    registry = Registry(methods={"power": replace(SPEC, variants=(variant,))})
    session = Session(choose("power", registry=registry), device="cpu")
    layers = session(np.full((8, 8, 3), 7.0)).layers
    assert np.allclose(layers["glow"], 7)
    assert np.allclose(layers["paint"], 1)


def test_numbers_mean_what_their_type_says(session: Session) -> None:
    codes = FLAT[..., :3] / np.float32(255)
    assert np.allclose(session(codes.astype(np.float64)).photo, codes, atol=1e-6)
    assert np.allclose(session(codes, encoding="srgb").photo, srgb_to_linear(codes), atol=1e-6)
    deep = session(DEEP[..., :3]).photo
    assert np.allclose(deep, srgb_to_linear(DEEP[..., :3] / 65535), atol=1e-5)
    result = session(FLAT)
    assert result.alpha is not None
    assert np.allclose(result.alpha, FLAT[..., 3] / 255)
    assert session(FLAT[..., 0]).photo.shape == (40, 52, 3)
    assert np.isfinite(session(np.full((8, 8, 3), np.nan)).photo).all()


@pytest.mark.parametrize("shape", [(5,), (4, 4, 2), (0, 4, 3), (4, 4, 4, 3)])
def test_shapes_of_no_photo_are_named(shape: tuple[int, ...], session: Session) -> None:
    with pytest.raises(UsageError, match="is no photo"):
        session(np.zeros(shape))


def test_numbers_that_could_mean_anything_are_refused(session: Session) -> None:
    with pytest.raises(UsageError, match="of int64 is no photo"):
        session(np.zeros((4, 4, 3), np.int64))


def test_codes_in_floats_are_no_light(session: Session) -> None:
    """``image.astype(float)`` is no linear photo; whoever means it says so."""
    for codes in (FLAT[..., :3].astype(np.float32), DEEP[..., :3].astype(np.float64)):
        with pytest.raises(UsageError, match="as floats, are not light") as caught:
            session(codes)
        assert "encoding='linear'" in caught.value.hint
        assert np.allclose(session(codes, encoding="linear").photo, codes)
    light = FLAT[..., :3] + np.float32(0.25)
    assert np.allclose(session(light).photo, light), "bright light"


def test_slips_are_told_in_a_sentence(session: Session, tmp_path: Path) -> None:
    codes = FLAT[..., :3]
    for encoding in ("sRGB", ""):
        with pytest.raises(UsageError, match="no encoding"):
            session(codes, encoding)
    with pytest.raises(UsageError, match="is no photo") as caught:
        session(codes.transpose(2, 0, 1))
    assert "transpose" in caught.value.hint
    with pytest.raises(UsageError, match="is no photo"):
        session(torch.zeros(3, 40, 52))  # type: ignore[arg-type]  # what torch has a ``mode`` of
    for several in (codes, "photo.png", tmp_path / "a.png", b"bytes"):
        with pytest.raises(UsageError, match="one photo was given"):
            session.many(several)  # type: ignore[arg-type]  # as people do
    assert len(session.many(np.stack([codes, codes]))) == 2  # type: ignore[arg-type]  # a batch
    with pytest.raises(UsageError, match="mode P is no photo"):
        session(Image.fromarray(codes).convert("P"))  # type: ignore[arg-type]  # places in a palette
    swapped = DEEP[..., :3].astype(">u2")
    assert np.array_equal(session(swapped).photo, session(DEEP[..., :3]).photo)


@pytest.mark.parametrize(
    "wrong", [{"precision": "half"}, {"seed": "7"}, {"seed": -1}, {"seed": 2**63}]
)
def test_what_no_network_opens_with(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Session(chosen(), "cpu", **wrong)


def test_weights_may_be_a_path(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="there is nothing at"):
        intrinsic_cli.open("flow", weights=tmp_path / "nothing.safetensors")


def test_a_file_that_is_not_there(session: Session, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        session(tmp_path / "nowhere.png")


def test_settings_come_by_word_or_by_name() -> None:
    assert chosen(options=("power=0.25",)).options.power == 0.25
    assert chosen(options={"power": 0.25}).options.power == 0.25
    assert chosen(table={"power": 0.1}, options={"power": 0.25}).options.power == 0.25
    assert chosen(table={"power": 0.1}).options.power == 0.1
    assert choose("power:soft", registry=REGISTRY).title == "power:soft"
    for wrong in ({"options": {"powr": 1}}, {"options": ("power",)}):
        with pytest.raises(UsageError):
            chosen(**wrong)


def test_the_runtime_is_what_was_asked_for() -> None:
    session = Session(choose("power:soft", registry=REGISTRY), "cpu", "bf16", seed=7)
    runtime = session.runtime
    assert (runtime.device.type, runtime.precision) == ("cpu", "bf16")
    assert (runtime.seed, runtime.variant) == (7, "soft")


def test_the_caller_s_random_numbers_are_their_own(session: Session) -> None:
    """Whoever decomposes inside a training loop does not draw the same crops forever."""
    torch.manual_seed(5)
    alone = torch.rand(4)
    torch.manual_seed(5)
    session(FLAT)
    assert torch.equal(torch.rand(4), alone)


def test_the_way_in_from_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intrinsic_cli.runs.session.load_registry", lambda: REGISTRY)
    network = intrinsic_cli.open("power", options={"power": 1.0}, device="cpu", seed=3)
    assert network.runtime.seed == 3
    assert network(FLAT).layers["shading"].shape == (40, 52, 1)


def test_the_shipped_network_opens_in_three_lines() -> None:
    """As the package says of itself."""
    network = intrinsic_cli.open("flow", device="cpu", options={"steps": 1})
    result = network(FLAT[..., :3])
    rebuilt = result.layers["albedo"] * result.layers["shading"]
    assert np.allclose(rebuilt, result.photo, atol=1e-5)
    assert 'intrinsic_cli.open("flow")' in (intrinsic_cli.__doc__ or "")


def test_importing_the_package_is_light() -> None:
    look = (
        "import sys, intrinsic_cli; assert callable(intrinsic_cli.open); "
        "print(*sorted(name for name in sys.modules if name.startswith('intrinsic_cli.')), "
        "*{'torch', 'numpy', 'click', 'pluggy'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
