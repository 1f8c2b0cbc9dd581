"""Squares, circles and triangles that were added up are taken apart again, learned from unrelated
exemplars."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from iid_latent.sils.layer_model import layer_model_of
from iid_latent.sils.settings import SilsConfig
from iid_latent.sils.trainer import SilsTrainer
from intrinsic_cli.api import Case, Runtime, Source
from intrinsic_cli.api.data import Split

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch


def _image(rng: np.random.Generator, size: int, kind: str) -> Tensor:
    """One shape of one colour on black: [3,S,S]."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    side = (0.1 + 0.5 * rng.random()) * size
    top, left = rng.uniform(0, 0.6, 2) * size
    if kind == "transmission":
        inside = (y >= top) & (y < top + side) & (x >= left) & (x < left + side)
    else:
        inside = (y - top) ** 2 + (x - left) ** 2 < side**2 / 2
    colour = rng.uniform(50, 220, 3) / 255
    return torch.tensor(np.where(inside, colour[:, None, None], 0.02), dtype=torch.float32)


class Toys(Source):
    """Sums of a square and a disc as a source."""

    name, protocol, offers = (
        "toys",
        "reflection",
        frozenset({"photo", "transmission", "reflection", "mask"}),
    )

    def __init__(self, key: int = 0) -> None:
        self._key = key

    def part(self, index: int, count: int) -> "Toys":
        return Toys(self._key * count + index + 1)

    def batches(
        self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator["Batch"]:
        number = start
        while split == "train" or number < 2:
            rng = np.random.default_rng((self._key, number, split == "val"))
            share = torch.tensor(rng.uniform(0.2, 0.8, (size, 1, 1, 1)), dtype=torch.float32)
            square = share * torch.stack([_image(rng, crop, "transmission") for _ in range(size)])
            disc = (1 - share) * torch.stack([_image(rng, crop, "reflection") for _ in range(size)])
            layers = {"photo": square + disc, "transmission": square, "reflection": disc}
            yield layers | {"mask": torch.ones(size, 1, crop, crop)}
            number += 1

    def cases(self, split: Split = "val") -> Sequence[Case]:
        return ()

    def counts(self, split: Split) -> Mapping[str, int]:
        return {"photo": 9}


def _decibels(trainer: SilsTrainer) -> list[float]:
    """PSNR of both layers in unseen mixtures. Half the photo for either would have 17 and 19 dB,
    its copy 14 and 15."""
    torch.manual_seed(5)
    with torch.no_grad():
        losses = trainer.validate(next(iter(trainer.batches("val"))))
    return [float(losses[f"{name} dB"]) for name in ("transmission", "reflection")]


def test_toys_are_taken_apart() -> None:
    torch.manual_seed(0)
    config = SilsConfig(
        batch_size=8,
        pairings=1,
        crop=32,
        pretrained="no",
        width=16,
        dis_dim=4,
        lr=3e-3,
        backbone_lr=1e-3,
    )
    runtime = Runtime(torch.device("cpu"), variant="reflection")
    trainer = SilsTrainer(layer_model_of("reflection"), config, Toys(), runtime)

    def minimise(loss: Tensor, name: str) -> None:
        trainer.optimizers[name].zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        trainer.optimizers[name].step()

    before = _decibels(trainer)
    for number, batch in zip(range(40), trainer.batches("train"), strict=False):
        trainer.step(batch, minimise, number)
    after = _decibels(trainer)
    assert min(after) > 21, f"{before} → {after}"
    assert min(after[k] - before[k] for k in (0, 1)) > 6, f"{before} → {after}"
