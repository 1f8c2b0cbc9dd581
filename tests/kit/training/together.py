"""What each of several processes does; a module of its own, so that they find it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import torch

from intrinsic_cli.kit.training.distributed import Processes
from intrinsic_cli.kit.training.process_group import started

LONG = 600.0  # seconds that nobody waits


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


def dawdle(processes: Processes, folder: Path) -> None:
    """Say who this is, and do nothing for long."""
    (folder / f"{processes.rank}.part").write_text(str(os.getpid()))
    (folder / f"{processes.rank}.part").rename(folder / f"{processes.rank}.pid")
    time.sleep(LONG)


def lead_dawdlers(folder: Path) -> None:
    """Lead another one that does nothing for long, and do nothing either."""
    with started(2, dawdle, (folder,)) as processes:
        dawdle(processes, folder)


def tell_signals(processes: Processes, folder: Path) -> None:
    """Write down whether Ctrl-C is ignored."""
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    (folder / f"{processes.rank}.ignores").write_text(str(ignored))
    processes.wait()


class Fatal:
    """Whoever unpickles it ends."""

    def __reduce__(self) -> tuple[object, ...]:
        return os._exit, (3,)
