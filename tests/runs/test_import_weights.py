"""Checkpoints of other people's code, made up in the layouts they come in."""

from __future__ import annotations

import os
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from intrinsic_cli.api import Method, MethodSpec, Variant, WeightsError
from intrinsic_cli.kit.networks.checkpoint import load_weights, save_weights
from intrinsic_cli.registry import Registry
from intrinsic_cli.runs.import_weights import import_checkpoint
from intrinsic_cli.weights import find_weights, sha256, verify


class Paper(Method[Any, Any]):
    """Recognises two networks, stored in two files."""

    def decomposer(self, state: Any, options: Any, runtime: Any) -> Any:
        raise NotImplementedError

    def trainer(self, stage: str, config: Any, source: Any, runtime: Any) -> Any:
        raise NotImplementedError

    def convert(self, state: Mapping[str, Any]) -> tuple[str, Any] | None:
        parts = {"vae": state.get("vae"), "unet": state.get("model_state_dict")}
        found = {name: part for name, part in parts.items() if isinstance(part, Mapping)}
        return ("small", found) if found else None


REGISTRY = Registry(
    {
        "absent": MethodSpec("absent", "not there", "no_such_module:Nothing", (Variant(),)),
        "paper": MethodSpec(
            "paper",
            "a paper",
            f"{__name__}:Paper",
            (Variant(), Variant("small"), Variant("twin")),
        ),
    }
)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IID_HOME", str(tmp_path / "home"))


def save(path: Path, state: Any, **how: Any) -> Path:
    torch.save(state, path, **how)
    return path


@pytest.mark.parametrize("zipped", [True, False])
def test_zip_and_legacy_with_a_numpy_number_in_it(tmp_path: Path, zipped: bool) -> None:
    state = {"vae": {"weight": torch.arange(3.0)}, "best_result": np.float64(3.5)}
    given = save(tmp_path / "gen.pt", state, _use_new_zipfile_serialization=zipped)
    made = import_checkpoint(given, REGISTRY)
    assert made == tmp_path / "home" / "weights" / "paper-small.safetensors"
    assert made == find_weights(*REGISTRY.resolve("paper:small"))
    assert verify(made)
    nets, record = load_weights(made)
    assert torch.equal(nets["vae"]["weight"], torch.arange(3.0))
    assert record == {
        "method": "paper",
        "variant": "small",
        "imported": True,
        "sources": [{"file": "gen.pt", "sha256": sha256(given), "nets": ["vae"]}],
    }


def test_wrappers_of_compiled_and_parallel_training_are_stripped(tmp_path: Path) -> None:
    state = {
        "model_state_dict": {
            "module._orig_mod.a.weight": torch.ones(1),
            "module.b._orig_mod.bias": torch.ones(1),
        }
    }
    nets, _ = load_weights(import_checkpoint(save(tmp_path / "x.pt", state), REGISTRY))
    assert sorted(nets["unet"]) == ["a.weight", "b.bias"]


def test_a_module_called_module_is_no_wrapper(tmp_path: Path) -> None:
    state = {"vae": {"module.weight": torch.ones(1), "head.weight": torch.ones(1)}}
    nets, _ = load_weights(import_checkpoint(save(tmp_path / "x.pt", state), REGISTRY))
    assert sorted(nets["vae"]) == ["head.weight", "module.weight"]


def test_networks_from_several_files_are_joined(tmp_path: Path) -> None:
    import_checkpoint(save(tmp_path / "vae.pt", {"vae": {"w": torch.zeros(1)}}), REGISTRY)
    import_checkpoint(
        save(tmp_path / "unet.pt", {"model_state_dict": {"w": torch.zeros(2)}}), REGISTRY
    )
    made = import_checkpoint(save(tmp_path / "vae2.pt", {"vae": {"w": torch.ones(1)}}), REGISTRY)
    nets, record = load_weights(made)
    assert sorted(nets) == ["unet", "vae"]
    assert nets["vae"]["w"].item() == 1
    assert [source["file"] for source in record["sources"]] == ["unet.pt", "vae2.pt"]


def test_a_folder_is_handed_over_as_a_whole(tmp_path: Path) -> None:
    """Each file under its stem: parts of one network need not be networks of their own."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    save(folder / "vae.pkl", {"w": torch.ones(1)})
    save(folder / "other.pth", {"x": torch.ones(1)})
    (folder / "readme.txt").write_text("none of them")
    made = import_checkpoint(folder, REGISTRY)
    nets, record = load_weights(made)
    assert nets["vae"]["w"].item() == 1
    assert [source["file"] for source in record["sources"]] == ["other.pth", "vae.pkl"]
    with pytest.raises(WeightsError, match="holds no checkpoints"):
        import_checkpoint(tmp_path, REGISTRY)


def test_another_name(tmp_path: Path) -> None:
    made = import_checkpoint(
        save(tmp_path / "x.pt", {"vae": {"w": torch.zeros(1)}}), REGISTRY, "mine"
    )
    assert made.name == "mine.safetensors"
    assert find_weights(*REGISTRY.resolve("paper:small"), "mine") == made


def test_the_name_of_a_variant_settles_it(tmp_path: Path) -> None:
    made = import_checkpoint(
        save(tmp_path / "x.pt", {"vae": {"w": torch.zeros(1)}}), REGISTRY, "paper-twin"
    )
    assert find_weights(*REGISTRY.resolve("paper:twin")) == made
    assert load_weights(made)[1]["variant"] == "twin"


def test_trained_weights_are_not_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "home" / "weights" / "paper-small.safetensors"
    save_weights(
        target, {"vae": {"w": torch.ones(1)}}, {"method": "paper", "variant": "small", "steps": 9}
    )
    with pytest.raises(WeightsError, match="already holds other weights"):
        import_checkpoint(save(tmp_path / "x.pt", {"vae": {"w": torch.zeros(1)}}), REGISTRY)


class Payload:
    """What a malicious file would hold."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("touched",)


def test_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsError, match=r"holds \w+\.mkdir, which iid does not load"):
        import_checkpoint(save(tmp_path / "x.pt", {"vae": Payload()}), REGISTRY)
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 cut off", b"\x80\x02}q"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="not a readable torch checkpoint"):
        import_checkpoint(path, REGISTRY)


def test_strangers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no installed method recognises") as caught:
        import_checkpoint(save(tmp_path / "x.pt", {"weight": torch.ones(1)}), REGISTRY)
    assert "paper" in caught.value.hint
    with pytest.raises(WeightsError, match="holds a list instead"):
        import_checkpoint(save(tmp_path / "y.pt", [1, 2]), REGISTRY)


def test_a_plain_pickle_is_refused_without_torch_s_remarks(tmp_path: Path) -> None:
    path = tmp_path / "plain.pth"
    path.write_bytes(pickle.dumps({"a": print}, protocol=4))
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        with pytest.raises(WeightsError):
            import_checkpoint(path, REGISTRY)
    assert not remarks
