"""Which device, at which precision."""

from __future__ import annotations

import contextlib
import os
from contextlib import AbstractContextManager
from typing import TypeVar

import torch
from torch import nn

from intrinsic_cli.api import UsageError

N = TypeVar("N", bound=nn.Module)

#: Where torchrun, or SLURM, tells a process its number (from 0) among those of its machine.
LOCAL_RANKS = ("LOCAL_RANK", "SLURM_LOCALID")

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def pick_device(name: str = "auto") -> torch.device:
    """``auto`` takes CUDA, then MPS, then the CPU. Of several CUDA devices each of the processes
    that torchrun or SLURM started on a machine takes its own. UsageError when the named device is
    not there."""
    if name == "auto":
        return _own(torch.device(_best()))
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(
            f"there is no device called {name!r}", "use auto, cpu, cuda, cuda:N or mps"
        ) from error
    _require(device)
    return _own(device)


def pick_precision(name: str, device: torch.device) -> str:
    """``auto`` is bf16 on CUDA cards that have it, else fp32 (on CPUs bf16 was measured twice as
    slow). UsageError where there is none called ``name``."""
    if name != "auto":
        _require_precision(name)
        return name
    return "bf16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "fp32"


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Mixed precision for a block; does nothing for ``fp32``."""
    _require_precision(precision)
    if precision == "fp32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=_DTYPES[precision])


def place(net: N, device: torch.device) -> N:
    """Move ``net`` to ``device`` in channels-last order, which convolutions like on every
    device."""
    net.to(device)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # untyped in torch
    return net


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if _mps() else "cpu"


def _own(device: torch.device) -> torch.device:
    """The device of this process, where only its kind was named."""
    if device.type != "cuda" or device.index is not None:
        return device
    for name in LOCAL_RANKS:
        rank = os.environ.get(name, "")
        if rank.isdecimal():
            return torch.device("cuda", int(rank) % torch.cuda.device_count())
    return device


def _mps() -> bool:
    return torch.backends.mps.is_available()


def _require_precision(name: str) -> None:
    if name != "fp32" and name not in _DTYPES:
        raise UsageError(f"there is no precision called {name!r}", "use auto, fp32, bf16 or fp16")


def _require(device: torch.device) -> None:
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UsageError("this machine has no CUDA device torch can use", "try --device cpu")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UsageError(
            f"there is no {device}: {torch.cuda.device_count()} CUDA devices found",
            "try --device cuda:0",
        )
    if device.type == "mps" and not _mps():
        raise UsageError("this machine has no MPS device torch can use", "try --device cpu")
