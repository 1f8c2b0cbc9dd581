"""OpenCV that is missing or cannot be loaded is explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from intrinsic_cli.api import IidError
from intrinsic_cli.kit.files.opencv import load


def test_a_missing_opencv_is_explained() -> None:
    with pytest.raises(Exception, match="OpenCV is not installed") as caught:
        load("cv2_that_is_not_there")
    assert "pip install" in getattr(caught.value, "hint", "")


def test_opencv_without_its_libraries_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cv2_bare.py").write_text("raise ImportError('libGL.so.1: cannot open')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(IidError, match="cannot be loaded: libGL") as caught:
        load("cv2_bare")
    remove, _, install = caught.value.hint.partition(" && ")
    assert remove == "pip uninstall -y opencv-python"
    assert "--force-reinstall" in install, "both packages share one folder"
