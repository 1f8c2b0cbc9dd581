"""Lets these tests import the photos and methods of those that need no GPU."""

from __future__ import annotations

import sys
from pathlib import Path

KIT = Path(__file__).parents[1] / "kit"
sys.path.insert(0, str(KIT / "inference"))
sys.path.insert(1, str(KIT / "files"))
