"""Requests of Python callers mean what was meant, or are refused in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from evaluated_methods import REGISTRY

from intrinsic_cli.api import DataError, UsageError
from intrinsic_cli.registry import load_registry
from intrinsic_cli.requests import DecomposeRequest, EvaluateRequest, TrainRequest
from intrinsic_cli.runs.evaluate.run import evaluate
from intrinsic_cli.runs.train import train


def test_paths_may_be_text_and_one_may_stand_alone() -> None:
    one: Any = "photo.jpg"
    meant = DecomposeRequest((Path("photo.jpg"),), out=Path("layers"), layers=("albedo",))
    given: dict[str, Any] = {"out": "layers", "layers": ["albedo"]}
    assert DecomposeRequest(one, **given) == DecomposeRequest((one,), **given) == meant
    methods: Any = "flow"
    assert EvaluateRequest(methods, save=None).methods == ("flow",)
    folder: Any = "runs/flow/1"
    assert TrainRequest(resume=folder).resume == Path("runs/flow/1")
    assert TrainRequest().resume is None


def test_numbers_that_cannot_be(lab: str) -> None:
    for limit in (0, -1):
        with pytest.raises(UsageError, match="cases cannot be scored"):
            evaluate(EvaluateRequest(("gray",), lab, limit=limit), registry=REGISTRY)
    with pytest.raises(UsageError, match="0 processes cannot train"):
        train(TrainRequest("flow", nproc=0))


def test_weights_of_a_method_that_is_not_evaluated(lab: str) -> None:
    request = EvaluateRequest(("gray",), lab, weights=("sculptor=best.safetensors",))
    with pytest.raises(UsageError, match="for 'sculptor', which is not evaluated"):
        evaluate(request, registry=REGISTRY)


def test_nothing_to_score_says_what_there_is() -> None:
    request = EvaluateRequest(("sils:reflection",), limit=1, device="cpu")
    with pytest.raises(DataError, match="nothing of synth could be scored") as caught:
        evaluate(request, registry=load_registry())
    assert "synth tells albedo, light" in caught.value.hint
