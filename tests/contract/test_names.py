"""Plain names: words that only this house once used do not come back, and no plugin is known by
name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "intrinsic_cli"
SOURCES = sorted(
    path for top in ("intrinsic_cli", "plugins") for path in (ROOT / top).rglob("*.py")
)

#: A file, class or function is not called that, for the field has a plainer word.
PRIVATE = """
    addressed ahead blends canvas checking collapse collections contest crew deliver develop
    entrants facts figures gallery glass half health imports judge judged judges ledger lift listed
    listing painter pictures plate scale_free standing stopping stored task team tone trunk view
"""
#: Nor does a longer name have it as a part; the others also have honest uses.
NOWHERE = """
    addressed canvas contest crew entrants gallery judges ledger lift painter plate stopping trunk
"""
HOOKS = {"iid_methods", "iid_datasets", "iid_protocols"}
PACKAGE = re.compile(r"(?<!\w)iid_[a-z]\w*")


def words_of(name: str) -> list[str]:
    """``_ReadAhead`` and ``read_ahead`` → read, ahead."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return parted.lower().strip("_").split("_")


def private(name: str) -> bool:
    """Is it one of the words, or made of one?"""
    words = words_of(name)
    return "_".join(words) in PRIVATE.split() or bool(set(words) & set(NOWHERE.split()))


def names(path: Path) -> Iterator[str]:
    """What a file is called, and the classes and functions in it."""
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_are_plain(path: Path) -> None:
    assert not [name for name in names(path) if private(name)]


@pytest.mark.parametrize("name", ["Gallery", "_lift_shading", "judged", "_listing", "scale_free"])
def test_private_words_are_found_in_any_spelling(name: str) -> None:
    assert private(name)


@pytest.mark.parametrize("name", ["half_tiff", "tone_mapped", "Judgements", "view_angle", "Shift"])
def test_words_with_an_honest_use_are_left_alone(name: str) -> None:
    assert not private(name)


def test_the_house_names_no_plugin() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in HOUSE.rglob("*.py")}
    found = {path: set(PACKAGE.findall(text)) - HOOKS for path, text in texts.items()}
    assert not {str(path.relative_to(ROOT)): names for path, names in found.items() if names}
