"""What each of several processes does; a module of its own, so that they find it."""

from __future__ import annotations

from pathlib import Path

import torch

from intrinsic_cli.kit.training.distributed import Processes


def meet(processes: Processes, folder: Path) -> None:
    """Begin with weights and gradients of its own, meet the others, and write down what came of
    it."""
    net = torch.nn.Linear(2, 1)
    with torch.no_grad():
        net.weight.fill_(10 + processes.rank)
        net.bias.fill_(20 + processes.rank)
    processes.share_weights({"net": net})
    shared = {name: x.clone() for name, x in net.state_dict().items()}
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net.weight.grad = torch.tensor([[1.0, 2.0]]) * (1 + processes.rank)
    net.bias.grad = torch.tensor([4.0]) * (1 + processes.rank)
    processes.average_gradients(optimizer)
    found = {
        "leads": processes.leads,
        "shared": shared,
        "weight": net.weight.grad,
        "bias": net.bias.grad,
        "one": processes.any(processes.rank == 1),
        "none": processes.any(False),
    }
    torch.save(found, folder / f"{processes.rank}.pt")
    processes.wait()
