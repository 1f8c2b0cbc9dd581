"""The house stays small: files, functions, the tree, and what goes into the wheel."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MIB = 1 << 20
SOURCES = sorted(
    path for folder in ("intrinsic_cli", "plugins") for path in (ROOT / folder).rglob("*.py")
)
TOP = {
    "pyproject.toml",
    "intrinsic_cli",
    "plugins",
    "tests",
    "README.md",
    "completions",
    "LICENSE",
    "CHANGELOG.md",
}  # fmt: skip


def tracked() -> list[Path]:
    """Files under version control."""
    try:
        done = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 40, f"{node.name} has {length} lines"


def test_there_is_no_drawer_for_everything() -> None:
    assert not [
        path for path in SOURCES if path.stem in ("utils", "util", "helpers", "misc", "common")
    ]


def test_the_tree_is_small() -> None:
    assert sum(path.stat().st_size for path in tracked() if path.is_file()) < 48 * MIB


def test_shipped_weights_are_small() -> None:
    assert (
        sum(
            path.stat().st_size
            for path in tracked()
            if path.suffix == ".safetensors" and path.is_file()
        )
        < 36 * MIB
    )


def test_nothing_strange_lies_at_the_top() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert not {name for name in names - TOP if not name.startswith(".")}


def test_the_wheel_holds_the_house_and_its_plugins_only() -> None:
    from setuptools import find_packages

    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    find = config["tool"]["setuptools"]["packages"]["find"]
    found = {
        name
        for place in find["where"]
        for name in find_packages(str(ROOT / place), include=find["include"])
    }
    assert find["namespaces"] is False
    assert {name.split(".")[0] for name in found} == {
        "intrinsic_cli",
        *(path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py")),
    }
    folders = {path.parent for path in SOURCES}
    assert len(found) == len(folders), "a folder of sources without __init__.py would stay behind"


def test_every_builtin_plugin_has_an_entry_point() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = {
        value.split(".")[0].split(":")[0]
        for value in config["project"]["entry-points"]["iid.methods"].values()
    }
    assert named == {path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py")}
