"""``decompose`` in trouble: mistakes found early, runs that are killed or interrupted."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decomposing import FLAT, everything, go, statuses
from light_method import DEFAULT, SPEC
from PIL import Image

from intrinsic_cli.api import DataError, IidError, UsageError, WeightsError
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.registry import Registry
from intrinsic_cli.requests import DecomposeRequest
from intrinsic_cli.runs.decompose.run import decompose

MISTAKES: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"method": "powr"}, UsageError, "powr"),
    ({"method": "power:hard"}, UsageError, "hard"),
    ({"options": ("powr=1",)}, UsageError, "powr"),
    ({"options": ("power=much",)}, UsageError, "much"),
    ({"layers": ("albdo",)}, UsageError, "albdo"),
    ({"format": "pngg"}, UsageError, "pngg"),
    ({"input_encoding": "gamma"}, UsageError, "gamma"),
    ({"device": "gpu"}, UsageError, "gpu"),
    ({"precision": "int8"}, UsageError, "int8"),
    ({"batch_size": 0}, UsageError, "batch size"),
    ({"config": Path("no.toml")}, UsageError, r"no\.toml"),
    ({"inputs": (Path("nowhere.jpg"),)}, DataError, r"nowhere\.jpg"),
    ({"inputs": ()}, DataError, "no input"),
    ({"out": Path(__file__)}, UsageError, "not a folder"),
    ({"out": Path(__file__) / "below"}, UsageError, "not a folder"),
    ({"method": "trained"}, WeightsError, "no weights"),
]


@pytest.mark.parametrize(("change", "kind", "words"), MISTAKES)
def test_mistakes_are_named(
    change: dict[str, Any], kind: type[Exception], words: str, tmp_path: Path
) -> None:
    spec = replace(SPEC, name="trained", variants=(replace(DEFAULT, stages=("main",)),))
    request = DecomposeRequest((Path(__file__),), "power", tmp_path / "out")
    with pytest.raises(kind, match=words):
        decompose(replace(request, **change), registry=Registry({"power": SPEC, "trained": spec}))
    assert not (tmp_path / "out").exists()


LIGHT = """
import sys
from pathlib import Path
from intrinsic_cli.api import IidError
from intrinsic_cli.registry import Registry
from intrinsic_cli.requests import DecomposeRequest
from intrinsic_cli.runs.decompose.run import decompose
missing = (Path("nowhere"),)
first = {"inputs": (Path(sys.argv[1]),), "method": "gray"}
wrong_option = {"method": "flow", "options": ("x=1",)}
for change in ({"method": "nobody"}, {"format": "odd"}, {"inputs": missing}, wrong_option):
    try:
        decompose(DecomposeRequest(**{**first, **change}))
    except IidError as error:
        print(error.message)
heavy = {"torch", "numpy", "cv2", "PIL", "rich", "click"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""


def test_mistakes_are_found_before_torch_is_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, __file__], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 4


RUN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from light_method import REGISTRY
from intrinsic_cli.requests import DecomposeRequest
from intrinsic_cli.runs.decompose.run import decompose
photos, out = map(Path, sys.argv[2:])
decompose(DecomposeRequest((photos,), "power", out, device="cpu"), registry=REGISTRY)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills with a signal")
def test_killed_and_run_again(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    for number in range(12):
        Image.fromarray(np.roll(FLAT[..., :3], number, axis=1)).save(photos / f"{number:02}.png")
    words = [sys.executable, "-c", RUN, str(Path(__file__).parent), str(photos), str(out)]
    run = subprocess.Popen(words, env={**os.environ, "POWER_SLEEP": "0.8"})
    deadline = time.monotonic() + 60
    while len(list(out.glob("*.iid.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    finished = list(out.glob("*.iid.json"))
    assert 3 <= len(finished) < 12
    for path in out.glob("[!.]*.png"):
        read_photo(path)  # whatever carries its final name is whole
    host = socket.gethostname()
    half_written = out / f".iid-{host}-{run.pid}-abc.png"
    in_the_making = out / f".iid-{host}-{os.getpid()}-abc.png"
    for path in (half_written, in_the_making):
        path.write_bytes(b"\x89PNG")

    report = go(photos, out=out)
    assert statuses(report) == {"done": 12 - len(finished), "skipped": len(finished), "failed": 0}
    assert not half_written.exists(), "what a killed run left is cleared away"
    assert in_the_making.exists(), "what a living run is writing stays"
    in_the_making.unlink()
    assert len(everything(out)) == 36


def test_work_that_is_interrupted_while_being_redone_is_not_vouched_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Layers of two different runs must never be taken for one finished photo."""
    Image.fromarray(FLAT[..., :3]).save(tmp_path / "a.png")
    out = tmp_path / "out"
    assert go(tmp_path / "a.png", out=out).count("done") == 1
    from intrinsic_cli.runs.decompose import write

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write, "write_text", fail)
    with pytest.raises(IidError, match="No space left"):
        go(tmp_path / "a.png", out=out, options=("power=0.1",))
    monkeypatch.undo()
    assert go(tmp_path / "a.png", out=out).inputs[0].status == "done"
