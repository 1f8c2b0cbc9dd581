"""Every slip of a plugin's trainer is one sentence that names the promise broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from line_trainer import Line, loop
from torch import Tensor

from intrinsic_cli.api import PluginError, Silent
from intrinsic_cli.kit.training.promises import require_trainer


class Slip(Line):
    """A Line that does one thing wrong."""

    def __init__(self, step: Any = None, validate: Any = None, **more: Any) -> None:
        super().__init__()
        self._step, self._validate = step, validate
        for name, value in more.items():
            setattr(self, name, value)

    def step(self, batch: Mapping[str, Tensor], minimise: Any, number: int) -> Any:
        if self._step:
            return self._step(self, batch, minimise)
        return super().step(batch, minimise, number)

    def validate(self, batch: Mapping[str, Tensor]) -> Any:
        return self._validate(batch) if self._validate else super().validate(batch)


def minimise_unknown(trainer: Any, batch: Any, minimise: Callable[..., None]) -> None:
    minimise(trainer.net.weight.sum(), "adm")


def minimise_twice(trainer: Any, batch: Any, minimise: Callable[..., None]) -> None:
    for _ in range(2):
        minimise(trainer.net.weight.sum(), "line")


def look_for_albedo(trainer: Any, batch: Any, minimise: Any) -> Any:
    return batch["albedo"]


@pytest.mark.parametrize(
    ("slip", "message", "hint"),
    [
        (Slip(minimise_unknown), "minimises with 'adm', which is none of its", "are line"),
        (Slip(minimise_twice), r"step\(\) of Slip minimises with 'line' more than once", "add"),
        (Slip(lambda *_: None), r"step\(\) of Slip returned nothing", "a mapping from names"),
        (Slip(lambda *_: {}), r"step\(\) of Slip returned nothing", "a mapping from names"),
        (Slip(lambda *_: [1]), r"step\(\) of Slip returned list", "a mapping from names"),
        (Slip(lambda *_: {"a": 1.0}), "'a', which is not a tensor of one", "loss.detach()"),
        (Slip(lambda *_: {"a": torch.ones(2)}), "'a', which is not a tensor of one", "detach"),
        (Slip(look_for_albedo), "looked for 'albedo', which is not there", "holds x, n;"),
        (Slip(watch="lose"), "returned no 'lose', by which", "it returned loss;"),
        (Slip(validate=lambda _: None), r"validate\(\) of Slip returned nothing", "mapping"),
    ],
)
def test_slips_of_steps_are_named(tmp_path: Path, slip: Slip, message: str, hint: str) -> None:
    with pytest.raises(PluginError, match=message) as caught:
        loop(tmp_path, slip, steps=2).run(Silent())
    assert hint in caught.value.hint


def test_batches_that_end_are_named(tmp_path: Path) -> None:
    class Ending(Line):
        def batches(self, split: str, start: int = 0) -> Iterable[Mapping[str, Tensor]]:
            return list(super().batches("val", start))

    with pytest.raises(PluginError, match="training batches of Ending ended after step 2"):
        loop(tmp_path, Ending()).run(Silent())


def test_trainers_that_lack_something_are_named() -> None:
    with pytest.raises(PluginError, match=r"trainer\(\) of toy gave NoneType for stage 'main'"):
        require_trainer(None, "toy", "main")
    lacking = Line()
    del lacking.optimizers
    with pytest.raises(PluginError, match="Line of toy has no optimizers") as caught:
        require_trainer(lacking, "toy", "main")
    assert "nets and optimizers" in caught.value.hint
    wanting = Line()
    wanting.inference = frozenset({"lines"})
    with pytest.raises(PluginError, match="ship a net 'lines', which it does not") as caught:
        require_trainer(wanting, "toy", "main")
    assert caught.value.hint == "its nets are line"
    require_trainer(Line(), "toy", "main")
