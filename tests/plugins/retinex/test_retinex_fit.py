"""Fitting the thresholds of ``retinex``: it finds those a scene was made for, and stops and goes on
exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from iid_retinex.settings import RetinexConfig
from iid_retinex.trainer import BRIGHTNESS, CHROMA, RetinexTrainer, ScoreTable, score
from intrinsic_cli.api import Runtime, Silent, Source
from intrinsic_cli.kit.networks.checkpoint import load_weights
from intrinsic_cli.kit.training.loop import Loop
from intrinsic_cli.requests import TrainRequest
from intrinsic_cli.runs.train import train

CPU = Runtime(torch.device("cpu"))
CONFIG = RetinexConfig(steps=3, batch_size=2, crop=40, val_batches=1)


class Stripes(Source):
    """Gray paint with steps of 0.5 in log brightness under light with steps of 0.3: thresholds lie
    between them."""

    name = "stripes"
    protocol = "synth"
    offers = frozenset({"photo", "albedo", "shading", "mask"})

    def batches(
        self, split: str, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Mapping[str, Tensor]]:
        while split == "train" or start < 2:
            yield _scenes(torch.Generator().manual_seed(1000 * seed + start), size, crop)
            start += 1

    def cases(self, split: str = "val") -> Sequence[object]:
        return ()


def _scenes(random: torch.Generator, size: int, crop: int) -> Mapping[str, Tensor]:
    paint, light = (
        torch.randint(0, 2, (size, 1, 1, 9), generator=random).repeat_interleave(5, 3)
        for _ in range(2)
    )
    albedo = (-0.5 * paint[..., :crop]).exp().expand(size, 3, crop, crop)
    shading = (-0.3 * light[..., 2 : crop + 2]).exp().expand(size, 3, crop, crop)
    layers = {
        "albedo": albedo,
        "shading": shading,
        "photo": albedo * shading,
        "mask": torch.ones(size, 1, crop, crop),
    }
    return {name: layer.contiguous() for name, layer in layers.items()}


def fit(folder: Path, stops: bool = False) -> Path:
    """A run of three steps, in one piece or with a stop after each."""
    for _ in range(3 if stops else 1):
        trainer = RetinexTrainer(CONFIG, Stripes(), CPU)
        done = Loop(trainer, CONFIG, folder, CPU, {})
        done.run(Silent(), lambda: stops)
    assert done.state.finished
    return done.best


def test_finds_the_thresholds_a_scene_was_made_for(tmp_path: Path) -> None:
    state = load_weights(fit(tmp_path))[0]
    brightness = float(state["thresholds"]["values"][0])
    assert 0.3 < brightness < 0.5
    assert int(state["table"]["photos"]) == CONFIG.steps * CONFIG.batch_size


def test_a_stopped_fit_ends_like_an_uninterrupted_one(tmp_path: Path) -> None:
    whole, pieces = (
        load_weights(fit(tmp_path / "whole"))[0],
        load_weights(fit(tmp_path / "pieces", stops=True))[0],
    )
    assert all(
        torch.equal(whole[net][key], pieces[net][key]) for net in whole for key in whole[net]
    )


def test_the_right_shading_scores_nothing() -> None:
    batch = _scenes(torch.Generator().manual_seed(0), 2, 40)
    assert float(score(batch["shading"][:, :1] * 3, batch).max()) < 1e-9
    assert float(score(torch.ones(2, 1, 40, 40), batch).min()) > 1e-3


def test_the_table_means_over_photos() -> None:
    table = ScoreTable()
    assert table.pairs.shape == (len(BRIGHTNESS) * len(CHROMA), 2)
    scores = torch.ones(len(table.pairs), 4)
    scores[7] = 0.5
    table.add(scores)
    table.add(scores)
    pair, mean = table.best()
    assert torch.equal(pair, table.pairs[7])
    assert float(mean) == 0.5


def test_processes_that_fit_together_have_the_table_of_one(tmp_path: Path) -> None:
    fits = []
    for nproc, size in ((1, 4), (2, 2)):
        overrides = ("steps=2", "crop=32", "val_batches=1", f"batch_size={size}")
        out = tmp_path / str(nproc)
        train(TrainRequest("retinex", out=out, overrides=overrides, nproc=nproc, device="cpu"))
        fits.append(load_weights(out / "best.safetensors")[0]["table"])
    one, two = fits
    assert int(one["photos"]) == int(two["photos"]) == 8
    torch.testing.assert_close(one["total"], two["total"])


def test_averaging_is_refused() -> None:
    from intrinsic_cli import settings
    from intrinsic_cli.api import UsageError

    with pytest.raises(UsageError, match="ema"):
        settings.settle(RetinexConfig, {}, ("ema=0.9",))
    assert replace(CONFIG, steps=1).ema == 0
