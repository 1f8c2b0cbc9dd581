"""What the trainers of both methods do alike: begin, and keep discriminators out of the generators'
update."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from intrinsic_cli.api import Runtime, Trainer
from intrinsic_cli.kit.networks.device import place
from intrinsic_cli.kit.networks.efficientnet import pretrained_wanted


class AdversarialTrainer(Trainer):
    """A subclass sets ``_discriminators``, which are among its nets."""

    _discriminators: Mapping[str, nn.Module]

    def _wants_pretrained(self, choice: str, runtime: Runtime) -> bool:
        """Whether the backbone starts from ImageNet weights; a note tells when they are missed."""
        wanted = pretrained_wanted(choice)
        if not wanted and choice == "auto" and "init" not in runtime.parents:
            missed = "the extra 'pretrained' would bring ImageNet weights"
            self.notes = (f"the backbone starts from nothing: {missed}",)
        return wanted

    def _take(self, nets: Mapping[str, nn.Module], runtime: Runtime) -> None:
        """Take ``nets`` as this stage's, on the device."""
        self.nets = nets
        for net in nets.values():
            place(net, runtime.device)

    def _freeze_discriminators(self, frozen: bool) -> None:
        for discriminator in self._discriminators.values():
            discriminator.requires_grad_(not frozen)
