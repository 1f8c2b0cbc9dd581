"""Files that iid itself writes and reads again (sidecars, lines of a manifest, weights), and ways
to damage them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from damage import damage

from intrinsic_cli.api import WeightsError
from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.kit.networks.checkpoint import load_weights, save_weights
from intrinsic_cli.kit.networks.weights_file import check_file
from intrinsic_cli.requests import InputReport
from intrinsic_cli.runs.decompose.earlier import finished
from intrinsic_cli.runs.decompose.manifest_lines import read_lines
from intrinsic_cli.runs.decompose.targets import Target

#: What may stand where something else is expected.
ODD = (None, True, 0, -1, 1e999, float("nan"), "", "a/../b", "\ud800", [], [[]], {}, {"a": None})

SIDECAR = {
    "version": 1,
    "input": "a.png",
    "sha256": "0" * 64,
    "size": [52, 40],
    "source": "../a.png",
    "method": "gray",
    "options": {"floor": 0.01},
    "layers": {"albedo": {"file": "a.albedo.png", "encoding": "srgb", "scale": 1.0}},
    "outputs": {"albedo": {"kind": "albedo", "files": ["a.albedo.png"]}},
    "preview": "a.preview.png",
    "notes": ["a note"],
}
LINE = {
    "input": "a.png",
    "status": "done",
    "files": {"albedo": ["a.albedo.png"]},
    "preview": "",
    "base": "a",
    "photo": "../a.png",
    "size": 99,
    "mtime_ns": 5,
    "recipe": "0" * 16,
    "at": 1.5,
}


@cache
def records() -> dict[str, bytes]:
    """Whole files by the name of what they are."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.safetensors")
        state = {"net": {"weight": torch.ones(3, 2), "bias": torch.zeros(3)}}
        save_weights(path, state, {"method": "gray", "variant": ""})
        weights = path.read_bytes()
    return {
        "sidecar": json.dumps(SIDECAR).encode(),
        "manifest": json.dumps(LINE).encode() + b"\n",
        "weights": weights,
    }


def damage_record(form: str, data: bytes, seed: int) -> bytes:
    """Half of the time bytes are changed, else something in its JSON takes another's place."""
    rng = np.random.default_rng((seed, 1))
    if rng.random() < 0.5:
        return damage(data, seed)
    if form == "weights":
        length = int.from_bytes(data[:8], "little")
        header = mangled(data[8 : 8 + length], rng)
        return len(header).to_bytes(8, "little") + header + data[8 + length :]
    return mangled(data, rng)


def mangled(text: bytes, rng: np.random.Generator) -> bytes:
    """JSON with odd values in some of its places, or without them."""
    whole = json.loads(text)
    for _ in range(rng.integers(1, 4)):
        places = list(walk(whole))
        holder, key = places[rng.integers(len(places))] if places else ({}, "")
        if rng.random() < 0.3:
            del holder[key]
        else:
            odd = ODD[rng.integers(len(ODD))]
            holder[key] = deepcopy(odd)  # else the next change may be made in ODD itself
        if rng.random() < 0.02:
            return b"[" * 100_000 + json.dumps(whole).encode()
    return json.dumps(whole).encode()


def walk(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a piece of JSON, as its holder and its key."""
    keys: Any = []
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = range(len(value))
    found = [(value, key) for key in keys]
    for key in keys:
        found += walk(value[key])
    return found


def record_outcome(form: str, data: bytes) -> str:
    """``read`` where something was read, "" where it was refused as it should be, or what is
    wrong."""
    readers: dict[str, Callable[[Path], str]] = {
        "sidecar": read_sidecar,
        "manifest": read_manifest,
        "weights": read_weights,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"a{sidecar.SUFFIX}")
        path.write_bytes(data)
        try:
            return readers[form](path)
        except BaseException as error:
            return f"{type(error).__name__}: {error}"


def read_sidecar(path: Path) -> str:
    """As a run does that looks what is finished: what does not hold is done again."""
    facts = sidecar.read(path)
    if facts is None:
        return ""
    for name in sidecar.files(facts):
        assert isinstance(name, str)
    target = Target("a.png", path.parent / "a.png", path.parent / "a")
    try:
        held = sidecar.holds(facts, {"method": "gray"}, ["albedo"], path.parent)
        report = finished(target, facts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""
    assert isinstance(held, bool)
    assert isinstance(report, InputReport)
    return "read"


def read_manifest(path: Path) -> str:
    lines = list(read_lines(path))
    for line in lines:
        assert isinstance(line.size, int)
        assert all(isinstance(name, str) for names in line.files.values() for name in names)
    return "read" if lines else ""


def read_weights(path: Path) -> str:
    try:
        check_file(path)
        state, _ = load_weights(path)
    except WeightsError as error:
        return "" if error.hint else f"a sentence without a hint: {error.message}"
    finite = [bool(torch.isfinite(x).all()) for net in state.values() for x in net.values()]
    return "read" if all(finite) else "numbers that are not finite"
