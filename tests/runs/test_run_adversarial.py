"""Training with helpers that decomposing never needs, training that breaks down, and data of the
wrong kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from iid_gray.method import Gray, GrayTrainer
from torch import Tensor, nn

from intrinsic_cli.api import DataError, PluginError, Runtime, TrainConfig, TrainingError
from intrinsic_cli.cli import iid
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.networks.checkpoint import load_weights
from intrinsic_cli.registry import Registry, load_registry
from intrinsic_cli.requests import TrainRequest
from intrinsic_cli.runs.train import run as training
from intrinsic_cli.runs.train.run import train
from intrinsic_cli.testing_source import TINY

SMALL = ("batch_size=1", "crop=16", "save_every=2", "val_every=2", "val_batches=1")


class Rivals(GrayTrainer):
    """Gray with a discriminator beside it, which goes on from where an earlier run left it."""

    inference = frozenset({"brightness"})

    def __init__(self, config: TrainConfig, source: Any, runtime: Runtime) -> None:
        super().__init__(config, source, runtime)
        rival = nn.Linear(1, 1)
        if known := runtime.parents.get("init", {}).get("rival"):
            rival.load_state_dict(known)
        self.begun = rival.weight.item()
        self.nets = {**self.nets, "rival": rival}
        self.optimizers = {**self.optimizers, "rival": torch.optim.SGD(rival.parameters(), 0.1)}

    def step(self, batch: Mapping[str, Tensor], minimise: Any, number: int) -> Mapping[str, Tensor]:
        minimise(self.nets["rival"](batch["photo"].mean()[None]).sum(), "rival")
        return super().step(batch, minimise, number)


class Adversarial(Gray):
    kind: Any = Rivals
    made: Any = None

    def trainer(self, stage: str, config: TrainConfig, source: Any, runtime: Runtime) -> Any:
        type(self).made = self.kind(config, source, runtime)
        return type(self).made


class Collapsing(Rivals):
    """Breaks down in the third validation, or in step ``breaks``."""

    looks = steps_done = 0
    breaks = 0

    def step(self, batch: Mapping[str, Tensor], minimise: Any, number: int) -> Mapping[str, Tensor]:
        self.steps_done += 1
        if self.steps_done == self.breaks:
            raise TrainingError("the discriminator won")
        return super().step(batch, minimise, number)

    def validate(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        self.looks += 1
        if self.looks == 3:
            raise TrainingError("every photo gives the same albedo", "try a lower gan weight")
        return super().validate(batch)


class Doomed(Adversarial):
    kind = Collapsing


class Beaten(Adversarial):
    kind = type("AtFour", (Collapsing,), {"breaks": 4})


class Confused(Adversarial):
    kind = type("Wrong", (Rivals,), {"inference": frozenset({"brightnes"})})


def registry(kind: type = Adversarial, **more: Any) -> Registry:
    gray = load_registry().methods["gray"]
    variant = replace(gray.default, **more)
    spec = replace(gray, target=f"{__name__}:{kind.__name__}", variants=(variant,))
    known = load_registry()
    return replace(
        known, methods={**known.methods, "gray": spec}, datasets={**known.datasets, "tiny": TINY}
    )


def request(folder: Path, **more: Any) -> TrainRequest:
    return TrainRequest(
        "gray", out=folder, overrides=SMALL, device="cpu", **{"data": "tiny", "steps": 8, **more}
    )


def test_a_run_ships_only_what_decomposing_needs(tmp_path: Path, home: Path) -> None:
    report = train(request(tmp_path / "run", install=True), registry=registry())
    assert report.weights == home / "weights" / "gray.safetensors"
    for path in (report.weights, tmp_path / "run" / "best.safetensors"):
        state, record = load_weights(path)
        assert state.keys() == {"brightness"}
        assert record["stages"]["main"]["steps"] == 8
    stage = tmp_path / "run" / "main"
    assert load_weights(stage / "best.safetensors")[0].keys() == {"brightness", "rival"}
    assert torch.load(stage / "last.pt", weights_only=True)["nets"].keys() == {
        "brightness",
        "rival",
    }


def test_the_weights_of_a_stage_bring_the_helpers_along(tmp_path: Path) -> None:
    first = train(request(tmp_path / "a"), registry=registry())
    whole = tmp_path / "a" / "main" / "best.safetensors"
    train(request(tmp_path / "b", init=str(whole)), registry=registry())
    assert Adversarial.made.begun == load_weights(whole)[0]["rival"]["weight"].item()
    train(request(tmp_path / "c", init=str(first.weights)), registry=registry())
    assert Adversarial.made.begun != load_weights(whole)[0]["rival"]["weight"].item()


def test_a_trainer_that_names_no_nets_ships_all(tmp_path: Path) -> None:
    report = train(request(tmp_path / "run"), registry=registry(Gray))
    assert report.weights
    assert load_weights(report.weights)[0].keys() == {"brightness"}


def test_a_net_that_is_not_there_cannot_be_shipped(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="'brightnes'"):
        train(request(tmp_path / "run"), registry=registry(Confused))


@pytest.mark.parametrize(
    ("kind", "sentence", "hint"),
    [
        (
            Doomed,
            "every photo gives the same albedo",
            "try a lower gan weight; the best weights so far are ",
        ),
        (Beaten, "the discriminator won", "the best weights so far are "),
    ],
)
def test_a_collapse_ends_the_run_and_keeps_what_was_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type, sentence: str, hint: str
) -> None:
    monkeypatch.setattr(training, "load_registry", lambda: registry(kind))
    settings = [word for pair in SMALL for word in ("--set", pair)]
    words = [
        "train",
        "-m",
        "gray",
        "--data",
        "tiny",
        "--out",
        str(tmp_path / "run"),
        "--steps",
        "20",
        "--device",
        "cpu",
        *settings,
    ]
    done = CliRunner().invoke(iid, words)
    stage = tmp_path / "run" / "main"
    best = stage / "best.safetensors"
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-2:] == [f"iid: {sentence}", f"hint: {hint}{best}"]
    assert "Traceback" not in done.stderr
    assert load_weights(best)[1]["step"] in (2, 4)
    kept = torch.load(stage / "last.pt", weights_only=True)["standing"][0]
    assert kept == (4 if kind is Doomed else 2), "the last checkpoint is from before it broke down"
    assert not (tmp_path / "run" / "best.safetensors").exists()


def test_a_collapse_before_any_validation_names_no_weights(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="the discriminator won") as caught:
        train(
            replace(request(tmp_path / "run"), overrides=("crop=16", "val_every=50")),
            registry=registry(Beaten),
        )
    assert caught.value.hint == ""


@pytest.mark.parametrize("method", ["flow", "retinex"])
def test_data_that_does_not_belong_together_is_refused_where_pairs_are_needed(
    tmp_path: Path, method: str
) -> None:
    for name in ("photo", "albedo", "shading"):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / f"{name}.png"), np.full((8, 8, 3), 90, np.uint8))
    with pytest.raises(
        DataError, match=f"unpaired has no mask, which {method} needs to train"
    ) as caught:
        train(TrainRequest(method, f"unpaired:{tmp_path}", tmp_path / "run", device="cpu"))
    assert "iid datasets" in caught.value.hint
    assert not (tmp_path / "run").exists()
    unneedy = registry(needs=frozenset({"photo", "albedo", "shading"}))
    assert train(request(tmp_path / "run", data=f"unpaired:{tmp_path}"), registry=unneedy).finished
