"""The house stays small and airy: files, functions, lines, the tree, and what goes into the
wheel."""

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

FILE_LINES = 300
FUNCTION_LINES = 40
LINE_WIDTH = 100
#: Nodes of the syntax tree: what a reader has to take in, however few lines it was squeezed into.
FILE_DENSITY = 12  # a line that is not blank, on average
FUNCTION_DENSITY = 16  # a line of code, in functions of five lines and more
FUNCTION_NODES = 250

Function = ast.FunctionDef | ast.AsyncFunctionDef


def tracked() -> list[Path]:
    """Files under version control."""
    try:
        done = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name]


def nodes(tree: ast.AST) -> int:
    """The size of a syntax tree."""
    return sum(1 for _ in ast.walk(tree))


def lines_of(node: ast.stmt) -> int:
    """How many lines a statement stands on."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def lines_of_code(function: Function) -> int:
    """The lines of a function without those of its docstring."""
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return lines_of(function) - lines_of(first)
    return lines_of(function)


def too_dense_or_long(text: str) -> list[str]:
    """What is wrong with a piece of source, a sentence each."""
    tree = ast.parse(text)
    lines = text.splitlines()
    filled = sum(1 for line in lines if line.strip())
    found = [f"line {n} is too wide" for n, line in enumerate(lines, 1) if len(line) > LINE_WIDTH]
    if len(lines) > FILE_LINES:
        found.append(f"the file has {len(lines)} lines")
    if filled > 10 and nodes(tree) > FILE_DENSITY * filled:
        found.append(f"the file has {nodes(tree) / filled:.1f} nodes a line")
    for node in ast.walk(tree):
        if isinstance(node, Function):
            found += too_dense_or_long_function(node)
    return found


def too_dense_or_long_function(function: Function) -> list[str]:
    """What is wrong with one function."""
    size, code = nodes(function), lines_of_code(function)
    found = []
    if lines_of(function) > FUNCTION_LINES:
        found.append(f"{function.name} has {lines_of(function)} lines")
    if size > FUNCTION_NODES:
        found.append(f"{function.name} has {size} nodes")
    if code >= 5 and size > FUNCTION_DENSITY * code:
        found.append(f"{function.name} has {size / code:.1f} nodes a line of code")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_short_and_airy(path: Path) -> None:
    assert not too_dense_or_long(path.read_text(encoding="utf-8"))


DENSE = "def dense(a):\n" + "    a = [b(c.d, -e) for b, c in f(g[0], h) if i == j or k(l)]\n" * 5
SPREAD = "def spread(a):\n" + "    a = b(\n        c,\n        d,\n    )\n" * 5


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (DENSE, ["nodes a line of code"]),
        (
            DENSE + "\n" + DENSE.replace("dense", "other"),
            ["the file has", "dense has", "other has"],
        ),
        (SPREAD, []),
        ("def long():\n" + "    a = 1\n" * 40, ["long has 41 lines"]),
        ("a = 1\n" * 301, ["the file has 301 lines"]),
        (f"a = {'b' * 97}\n", ["line 1 is too wide"]),
        ("def big(a):\n" + "    b = c.d(e, f, g)\n" * 30, ["the file has", "big has"]),
    ],
)
def test_the_measure_finds_what_it_should(source: str, told: list[str]) -> None:
    found = too_dense_or_long(source)
    assert len(found) == len(told)
    assert all(sentence in found[n] for n, sentence in enumerate(told))


def test_there_is_no_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "misc", "common"}
    assert not [path for path in SOURCES if path.stem in drawers]


def test_the_tree_is_small() -> None:
    assert sum(path.stat().st_size for path in tracked() if path.is_file()) < 48 * MIB


def test_shipped_weights_are_small() -> None:
    weights = [path for path in tracked() if path.suffix == ".safetensors" and path.is_file()]
    assert sum(path.stat().st_size for path in weights) < 36 * MIB


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
