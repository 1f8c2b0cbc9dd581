"""Stage ``real``: rendered heads with their truth, and crops of faces without any."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from balls import write_heads
from little_training import new_trainer

from iid_residual.data.heads import open_heads
from iid_residual.trainer import ResidualTrainer
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.colour import encode_codes
from intrinsic_cli.kit.networks.checkpoint import load_weights, save_weights, state_of
from intrinsic_cli.requests import TrainRequest
from intrinsic_cli.runs.train import train

_QUICK = ("batch_size=4", "val_batches=1", "crop=64", "warmup=0")


@pytest.fixture
def data(tmp_path: Path) -> str:
    """``heads:HEADS,PHOTOS``: shards of balls, and a few renders of them as photos of no truth."""
    heads = tmp_path / "heads"
    heads.mkdir()
    write_heads(heads)
    photos = tmp_path / "photos"
    photos.mkdir()
    stream = open_heads(heads).batches("train", 1, 80, seed=3)
    for number, batch in enumerate(islice(stream, 3)):
        codes = encode_codes(np.asarray(batch["photo"][0].permute(1, 2, 0)), 8)
        cv2.imwrite(str(photos / f"{number}.png"), codes[..., ::-1])
    return f"heads:{heads},{photos}"


def begun_with(begin: Path, data: str, **more: Any) -> TrainRequest:
    """Two steps of stage real alone, in a folder beside the weights that it begins with."""
    return TrainRequest(
        "residual",
        data,
        begin.parent / "run",
        overrides=_QUICK,
        steps=2,
        init=str(begin),
        stage="real",
        device="cpu",
        **more,
    )


def test_a_folder_of_crops_is_learned_from_beside_the_heads(data: str, tmp_path: Path) -> None:
    """From weights of a width of their own, which nobody has to name."""
    begin = tmp_path / "begin.safetensors"
    save_weights(begin, state_of(new_trainer().nets), {"method": "residual", "variant": ""})
    report = train(begun_with(begin, data))
    assert report.finished
    assert report.weights is not None
    assert np.isfinite(report.stages["real"]["loss"])
    before, after = load_weights(begin)[0]["pipe"], load_weights(report.weights)[0]["pipe"]
    assert before.keys() == after.keys()
    learned = {key.partition(".")[0] for key, x in before.items() if not x.equal(after[key])}
    assert {"shading_residual_model", "albedo_gen_model"} <= learned


def test_a_resumed_stage_has_the_same_teacher(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the file that it came from is gone."""
    teachers = []
    make = ResidualTrainer.__init__

    def remember(self: ResidualTrainer, *given: Any) -> None:
        make(self, *given)
        assert self._teacher is not None
        teachers.append({name: x.clone() for name, x in self._teacher.state_dict().items()})

    begin = tmp_path / "begin.safetensors"
    nets = new_trainer().nets
    expected = nets["pipe"].state_dict()
    save_weights(begin, state_of(nets), {"method": "residual", "variant": ""})
    assert not train(begun_with(begin, data, seconds=0.0)).finished
    begin.unlink()
    monkeypatch.setattr(ResidualTrainer, "__init__", remember)
    assert train(TrainRequest(resume=tmp_path / "run", device="cpu")).finished
    assert teachers
    for name, x in teachers[0].items():
        torch.testing.assert_close(x, expected[name], rtol=1e-3, atol=1e-3, msg=name)
