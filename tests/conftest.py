"""Every run has a stranger's plugin and a broken one on the path, its own home folder, and one
thread."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

FOREIGN = Path(__file__).parent / "foreign"

# torch reads these when it is imported; tests that need no torch do not import it just to set a
# number.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [str(FOREIGN), os.environ.get("PYTHONPATH", "")])
)
sys.path.insert(0, str(FOREIGN))

# Whoever starts the tests in the background, or with nohup, has them ignore these.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights the user has installed must not change what is tested."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("IID_HOME", str(folder))
    return folder
