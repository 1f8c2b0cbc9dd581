"""The one place that imports OpenCV: ``from intrinsic_cli.kit.files.opencv import cv2``."""

from __future__ import annotations

import importlib
from typing import Any

from intrinsic_cli.api import IidError

#: Both packages share one folder: where both were installed, removing one breaks the other.
HEADLESS = (
    "pip uninstall -y opencv-python && "
    "pip install --force-reinstall --no-deps opencv-python-headless"
)


def load(name: str = "cv2") -> Any:
    """The cv2 module, from opencv-python or opencv-python-headless, whichever is installed."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise IidError("OpenCV is not installed", "pip install opencv-python-headless") from error
    except ImportError as error:
        # opencv-python links the window system; bare servers and containers have none of its
        # libraries.
        raise IidError(f"OpenCV cannot be loaded: {error}", HEADLESS) from error
    # Broken files are reported by us in one sentence; OpenCV would print a page for each on stderr.
    quiet = getattr(module, "utils", None) and getattr(module.utils, "logging", None)
    if quiet:  # since OpenCV 4.5
        quiet.setLogLevel(quiet.LOG_LEVEL_SILENT)
    return module


cv2: Any = load()
