"""The discriminator of albedos in training, as the variants gan, gan-separate and gan-label have
it. The published code forgets to clear gradients and compares [B,1,1,1] with [B,1]; here both are
[B]."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from iid_residual.networks.discriminators import discriminator
from iid_residual.variants import Design

if TYPE_CHECKING:
    from intrinsic_cli.api.method import Minimise

#: Losses of gan-separate and gan-label while albedos are learned, and afterwards.
_FIRST = ("normals", "albedo", "light", "harmonic", "outline", "adversarial")


class Adversary:
    """A discriminator and when it plays. ``steps`` is the length of the stage: ``separate`` and
    ``label`` learn albedos in its first half and the residual alone in the second."""

    def __init__(self, design: Design, width: int, steps: int) -> None:
        self._kind = design.adversary
        self._weight = design.terms["adversarial"].weight
        self._middle = (steps + 1) // 2
        self.network = discriminator(design.adversary, width)

    def plays(self, number: int) -> bool:
        """Does it take part in the ``number``-th step?"""
        return self._kind == "joint" or number < self._middle

    def teach(
        self, made: Tensor, truth: Tensor, label: Tensor, minimise: Minimise, number: int
    ) -> dict[str, Tensor]:
        """One step of the discriminator, frozen afterwards; albedos [B,3,h,w], ``label`` [B,1] is 1
        for those of rendered heads."""
        if not self.plays(number):
            return {}
        self.release()
        real = self.network(truth)
        fake = self.network(made.detach())
        loss = (self._real_error(real, label) + fake.square().mean()) / 2
        minimise(loss, "discriminator")
        self.network.requires_grad_(False)
        return {"discriminator": loss.detach()}

    def _real_error(self, answers: Tensor, label: Tensor) -> Tensor:
        """How far from 1 it is for rendered albedos; gan-label also shows it the others, for which
        it should say 0."""
        wanted = label.flatten()
        errors = (answers - wanted).square()
        if self._kind == "label":
            return errors.mean()
        return (errors * wanted).sum() / wanted.sum().clamp_min(1)

    def losses(self, made: Tensor, number: int) -> dict[str, Tensor]:
        """What the network is told by it: 1 is wanted of all it makes."""
        if not self.plays(number):
            return {}
        return {"adversarial": self._weight * (self.network(made) - 1).square().mean()}

    def those_of_now(self, losses: dict[str, Tensor], number: int) -> dict[str, Tensor]:
        """The losses that count in a step: albedos first, or the residual alone."""
        if self._kind == "joint":
            return losses
        first = self.plays(number)
        return {name: loss for name, loss in losses.items() if (name in _FIRST) == first}

    def release(self) -> None:
        """Let it learn again."""
        self.network.requires_grad_(True)
