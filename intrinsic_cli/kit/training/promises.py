"""What the loop relies on a trainer for. A broken promise is a PluginError that names it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from intrinsic_cli.api import PluginError, Trainer


def require_trainer(trainer: object, method: str, stage: str) -> None:
    """A Trainer that says which nets there are, which optimizers, and which nets to ship."""
    if not isinstance(trainer, Trainer):
        kind = type(trainer).__name__
        message = f"trainer() of {method} gave {kind} for stage {stage!r} instead of a Trainer"
        raise PluginError(message)
    name = type(trainer).__name__
    try:
        nets, _ = trainer.nets, trainer.optimizers
    except AttributeError as error:
        hint = "set nets and optimizers, both by name, in __init__ (optimizers may be {})"
        raise PluginError(f"{name} of {method} has no {error.name}", hint) from error
    unknown = sorted(trainer.inference - nets.keys())
    if unknown:
        message = f"{name} of {method} wants to ship a net {unknown[0]!r}, which it does not have"
        raise PluginError(message, f"its nets are {_join(nets)}")


def require_numbers(answer: object, promise: str) -> Mapping[str, Tensor]:
    """Numbers by name: what ``promise`` (``step() of X``) must return."""
    if not isinstance(answer, Mapping) or not answer:
        kind = "nothing" if not answer else type(answer).__name__
        hint = "return a mapping from names to tensors of one number, detached"
        raise PluginError(f"{promise} returned {kind} instead of its losses by name", hint)
    for name, x in answer.items():
        if not isinstance(x, Tensor) or x.numel() != 1:
            message = f"{promise} returned {name!r}, which is not a tensor of one number"
            raise PluginError(message, "write loss.detach(), or torch.tensor(number)")
    return answer


def require_watched(scores: Mapping[str, Any], trainer: Trainer) -> None:
    """The score by which the best weights are chosen."""
    if trainer.watch not in scores:
        name = type(trainer).__name__
        message = f"validate() of {name} returned no {trainer.watch!r}, by which it is judged"
        raise PluginError(message, f"it returned {_join(scores)}; set watch to one of them")


def unknown_optimizer(given: object, known: Collection[str], trainer: Trainer) -> PluginError:
    """A loss that is to be minimised by an optimizer nobody has."""
    name = type(trainer).__name__
    message = f"step() of {name} minimises with {given!r}, which is none of its optimizers"
    return PluginError(message, f"its optimizers are {_join(known)}")


def minimised_twice(name: str, trainer: Trainer) -> PluginError:
    """A second loss for an optimizer that has taken its step."""
    message = f"step() of {type(trainer).__name__} minimises with {name!r} more than once"
    hint = "add the losses of an optimizer up, or minimise the next one in the next step"
    return PluginError(message, hint)


def endless(trainer: Trainer, step: int) -> PluginError:
    """Training batches that came to an end."""
    message = f"the training batches of {type(trainer).__name__} ended after step {step}"
    return PluginError(message, "batches('train') must never end; see Source.batches")


@contextmanager
def known_keys(batch: Mapping[str, Tensor], promise: str) -> Iterator[None]:
    """Inside the block a missing key is told together with what the batch has."""
    try:
        yield
    except KeyError as error:
        hint = f"the batch holds {_join(batch)}; name what is needed in Variant.needs"
        raise PluginError(f"{promise} looked for {error}, which is not there", hint) from error


def _join(names: Collection[str]) -> str:
    return ", ".join(names) or "none"
