"""Photos behind glass through ``evaluate`` and ``decompose``: baselines, pictures, sidecars."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from intrinsic_cli.api import Decomposer, Frame, Method, MethodSpec, Variant
from intrinsic_cli.datasets import DATASETS
from intrinsic_cli.kit.score.columns import MSE, PSNR, SSIM
from intrinsic_cli.protocols import PROTOCOLS
from intrinsic_cli.registry import Registry
from intrinsic_cli.requests import EvaluateRequest
from intrinsic_cli.runs.evaluate.run import evaluate

NAMES = ("transmission", "reflection", "flare")


class Third(Decomposer):
    """Says that a third of the light is mirrored, whatever the photo."""

    frame = Frame(size=64, multiple=8, upsample="subtract")

    def __call__(self, photos: Tensor) -> dict[str, Tensor]:
        return {"transmission": photos * 2 / 3, "reflection": photos / 3}


class Pane(Method[Any, Any]):
    """Needs no training."""

    def decomposer(self, state: Any, options: Any, runtime: Any) -> Third:
        return Third()

    def trainer(self, stage: str, config: Any, source: Any, runtime: Any) -> Any:
        raise NotImplementedError


SPEC = MethodSpec("pane", "a third", f"{__name__}:Pane", (Variant(layers=NAMES[:2], stages=()),))
REGISTRY = Registry(
    {"pane": SPEC},
    {spec.name: spec for spec in DATASETS},
    protocols={spec.name: spec for spec in PROTOCOLS},
)


def test_evaluate_shows_the_baselines_that_fit_and_draws_the_layers(tmp_path: Path) -> None:
    request = EvaluateRequest(("pane",), data="reflection", limit=2, save=tmp_path, device="cpu")
    report = evaluate(request, registry=REGISTRY)
    assert report.protocol == "reflection"
    assert [row["method"] for row in report.rows] == ["pane", "all transmission", "even split"]
    pane, lazy, even = report.rows
    assert len({row["transmission_mse"] for row in report.rows}) == 3
    assert pane["reflection_mse"] < even["reflection_mse"]
    assert lazy["reflection_mse"] > 0
    assert 0 < pane["transmission_ssim"] < 1
    assert {path.name for path in tmp_path.iterdir()} == {"pane.worst.png", "pane.best.png"}


def test_evaluate_with_flare() -> None:
    report = evaluate(
        EvaluateRequest(("pane",), data="reflection3", limit=1, device="cpu"), registry=REGISTRY
    )
    assert report.protocol == "reflection3"
    assert "flare_mse" in report.rows[1]
    assert "flare_mse" not in report.rows[0]


def test_the_report_says_which_way_is_better() -> None:
    request = EvaluateRequest(("pane",), data="reflection", limit=1, device="cpu")
    metrics = evaluate(request, registry=REGISTRY).metrics
    for name in NAMES[:2]:
        assert metrics[f"{name}_mse"] == asdict(MSE)
        assert metrics[f"{name}_psnr"] == asdict(PSNR)
        assert metrics[f"{name}_ssim"] == asdict(SSIM)
    assert (MSE.better, PSNR.better, PSNR.unit, SSIM.better) == ("lower", "higher", "dB", "higher")
