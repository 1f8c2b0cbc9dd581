"""Who may know whom, read from the source: cli → runs → kit → api; plugins → api and kit; the rooms
of the kit in one direction."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "intrinsic_cli"
KIT_FOLDER = HOUSE / "kit"
PLUGINS = sorted(path.parent for path in (ROOT / "plugins").glob("*/__init__.py"))
HALL = ("registry", "settings", "weights", "requests", "datasets", "protocols")
HEAVY = {
    *("torch", "numpy", "cv2", "PIL", "rich", "safetensors", "OpenEXR", "imageio", "scipy"),
    *("ray", "pyarrow"),
}

TESTING = ("testing_source", "testing_training", "testing_decomposing")
#: Room → the rooms of the house it may import (besides itself).
MAY = {
    "api": (),
    "kit": ("api",),
    "runs": ("api", "kit", *HALL),
    "cli": ("api", "kit", "runs", *HALL),
    "registry": ("api", "datasets", "find_dataset", "protocols", "plugin_checks"),
    "find_dataset": ("api", "kit"),
    "plugin_checks": ("api",),
    "settings": ("api",),
    "weights": ("api", "registry", "kit"),
    "requests": (),
    "datasets": ("api", "kit"),
    "protocols": ("api",),
    "testing": ("api", "plugin_checks", *HALL, *TESTING),
    "testing_training": ("api", "kit", "runs", *HALL, *TESTING),
    "testing_decomposing": ("api", "kit", "runs", *HALL, *TESTING),
    "testing_source": ("api", "kit"),
    "__init__": ("api", "runs"),
    "__main__": ("cli",),
}
#: Room of the workshop → the rooms of it that it may import (besides itself).
KIT = {
    "light": (),
    "files": ("light",),
    "networks": ("files",),
    "inference": ("light", "files", "networks"),
    "training": ("files", "networks"),
    "data": ("light", "files"),
    "metrics": ("light", "files"),
    "score": ("light", "metrics"),
}
LIGHT = (
    *(path for room in ("api", "cli", "runs") for path in (HOUSE / room).rglob("*.py")),
    *(
        HOUSE / f"{name}.py"
        for name in (*HALL, "plugin_checks", "find_dataset", "__init__", "__main__")
    ),
    *(
        plugin / name
        for plugin in PLUGINS
        for name in ("__init__.py", "settings.py")
        if (plugin / name).exists()
    ),
)


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module a piece of source imports, ``from a import b`` as ``a`` and ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_start(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported: not in functions, not for type checkers
    only."""
    pending: list[ast.stmt] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            pending += node.orelse
            continue
        blocks = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
        blocks += [handler.body for handler in getattr(node, "handlers", [])]
        inner = [statement for block in blocks for statement in block]
        if inner:
            pending += inner
        else:
            yield node


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def room_of(path: Path) -> str:
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


def is_light(name: str) -> bool:
    """False for a module of the workshop that imports something heavy at its door, itself or
    through another."""
    path = ROOT / Path(*name.split(".")).with_suffix(".py")
    if not name.startswith("intrinsic_cli.kit.") or not path.exists():
        return True
    names = [name for statement in at_start(parse(path)) for name in imported(statement)]
    return not {name.split(".")[0] for name in names} & HEAVY and all(map(is_light, names))


@pytest.mark.parametrize(
    "path", sorted(HOUSE.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_rooms_keep_their_walls(path: Path) -> None:
    room = room_of(path)
    for name in imported(parse(path)):
        parts = name.split(".")
        assert not parts[0].startswith("iid_"), f"the house knows the plugin {parts[0]}"
        if parts[0] == "intrinsic_cli" and len(parts) > 1 and parts[1] != "__version__":
            assert parts[1] == room or parts[1] in MAY[room], f"{room} imports {name}"


@pytest.mark.parametrize(
    "path", sorted(KIT_FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(KIT_FOLDER))
)
def test_rooms_of_the_workshop_look_one_way(path: Path) -> None:
    room = path.relative_to(KIT_FOLDER).parts[0].removesuffix(".py")
    for name in imported(parse(path)):
        if name.startswith("intrinsic_cli.kit."):
            other = name.split(".")[2]
            assert other == room or other in KIT[room], f"{room} imports {name}"


def test_the_workshop_has_no_cycle_and_few_arrows() -> None:
    assert set(KIT) == {path.parent.name for path in KIT_FOLDER.glob("*/__init__.py")}
    TopologicalSorter(KIT).prepare()  # CycleError where there is one
    assert sum(map(len, KIT.values())) <= 14


def test_the_workshop_says_which_rooms_are_stable() -> None:
    told = ast.get_docstring(parse(KIT_FOLDER / "__init__.py")) or ""
    assert not [room for room in KIT if f"``{room}``" not in told]


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_plugins_know_only_the_contract_and_the_workshop(plugin: Path) -> None:
    for path in plugin.rglob("*.py"):
        for name in imported(parse(path)):
            parts = name.split(".")
            if parts[0] == "intrinsic_cli":
                assert parts[1] in ("api", "kit"), f"{path.relative_to(ROOT)} imports {name}"
            assert not parts[0].startswith("iid_") or parts[0] == plugin.name, (
                f"{plugin.name} knows {parts[0]}"
            )


@pytest.mark.parametrize("path", LIGHT, ids=lambda path: str(path.relative_to(ROOT)))
def test_light_rooms_import_nothing_heavy_at_the_door(path: Path) -> None:
    for statement in at_start(parse(path)):
        heavy = {name.split(".")[0] for name in imported(statement)} & HEAVY
        assert not heavy, f"line {statement.lineno} imports {', '.join(heavy)}"
        closed = [name for name in imported(statement) if not is_light(name)]
        assert not closed, f"line {statement.lineno} opens the workshop: {', '.join(closed)}"


def test_one_place_knows_ray() -> None:
    sources = [*HOUSE.rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]
    known = {path.name for path in sources if "ray" in modules(path)}
    assert known == {"ray_engine.py"}


def modules(path: Path) -> set[str]:
    """The packages that a file imports anywhere."""
    return {name.split(".")[0] for name in imported(parse(path))}


def test_every_room_is_known() -> None:
    assert {room_of(path) for path in HOUSE.rglob("*.py")} <= MAY.keys()
