"""Imports only point down, and the lower floors know nothing of what is above or outside them."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeGuard

import pytest

import khaos_swap_assets

PACKAGE = "khaos_swap_assets"
ROOT = Path(khaos_swap_assets.__file__).parent
FLOORS = {"domain": 0, "adapters": 1, "stages": 2, "definitions": 4, "started": 4}
ABOVE = 3
# The demo plays the whole code location, so it alone may reach for it.
UPWARD_ALLOWED = {("demo.once", "definitions.build")}
# A page without anything from the network, and what a refusal says, for whatever serves one.
SHARED = {"api_page", "told_errors"}
OUTSIDE = {
    "dagster",
    "httpx",
    "psycopg",
    "psycopg2",
    "sqlalchemy",
    "requests",
    "logging",
    "fastapi",
    "alembic",
    "subprocess",
    "socket",
}
CLOCK = {
    ("time", "time"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("os", "environ"),
    ("os", "getenv"),
}
HEAVY = {
    "matplotlib",
    "fastapi",
    "uvicorn",
    "apprise",
    "rapidfuzz",
    "lxml",
    "alembic",
    "xlsxwriter",
    "jinja2",
    "jwt",
    "httpx",
}
# What Dagster imports at each run worker's start: everything that ``definitions`` reaches at module level.
LOADED = (
    "stages",
    "automation",
    "failures",
    "housekeeping",
    "prefixing",
    "belonging",
    "heartbeat",
    "signing",
    "resources",
    "not_started",
    "definitions",
    "started",
)
# Words of a statement as we write them, at the beginning of a text or after a condition's column.
STATEMENT = re.compile(
    r"^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|COPY|CREATE|ALTER|SET|ANALYZE|PRAGMA|WITH) \S|"
    r"\b(FROM|JOIN|INTO|UPDATE) (swap|khaos|recon|storefront)\.\w|\bWHERE \w+ [=<>]|\bpg_\w+"
)
# Who writes SQL beside the store, and why.
WRITES_SQL = {
    "sandbox.persistence": "the sandbox shares nothing with what it tests, its own file neither",
    "demo.outcome": "what a play came to is counted apart from the code that it proves",
    "ui.webserver": "it looks whether Dagster's own connections, which are not ours, are alive",
}
# What Dagster does not promise to keep, in modules that say for which version they were written.
PINNED = {"ui.webserver", "running.launching"}


def modules(folder: str = "") -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    """Dotted name below the package; empty for the package itself."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(path: Path) -> list[ast.AST]:
    """All of a module, walked through once for every rule."""
    return list(ast.walk(tree(path)))


def imported(path: Path, *, at_top_only: bool = False) -> Iterator[str]:
    """Full names of everything that a module imports; with ``at_top_only`` what its own import pays for."""
    for node in _top(tree(path)) if at_top_only else nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _top(module: ast.Module) -> Iterator[ast.AST]:
    for node in module.body:
        is_for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        if not is_for_types and not isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from ast.walk(node)


def own(path: Path) -> list[str]:
    """Names below the package that a module imports."""
    return [name.removeprefix(f"{PACKAGE}.") for name in imported(path) if name.startswith(f"{PACKAGE}.")]


def floor_of(name: str) -> int:
    return FLOORS.get(name.split(".")[0], ABOVE)


def upward(path: Path) -> list[str]:
    """Imports only point down."""
    here = name_of(path)
    return [name for name in own(path) if floor_of(name) > floor_of(here) and (here, name) not in UPWARD_ALLOWED]


def sharing(path: Path) -> list[str]:
    """The sandbox shares nothing with what it tests."""
    return [name for name in own(path) if name.split(".")[0] not in {"sandbox", *SHARED}]


def worldly(path: Path) -> list[str]:
    """The domain knows no world outside, no clock, and nothing of ours but itself."""
    calls = [
        f"{node.value.id}.{node.attr}"
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in CLOCK
    ]
    outside = [name for name in imported(path) if name.split(".")[0] in {*OUTSIDE, "os"}]
    return [*outside, *calls, *(name for name in own(path) if name.split(".")[0] != "domain")]


def orchestrating(path: Path) -> list[str]:
    """Adapters know no Dagster."""
    return [name for name in imported(path) if name.split(".")[0] == "dagster"]


def meddling(path: Path) -> list[str]:
    """A vendor knows neither the other nor the store; the store knows of a vendor only its records."""
    vendor = name_of(path).split(".")[1]
    others = tuple(f"adapters.{one}" for one in {"swap", "khaos", "store"} - {vendor})
    is_store = vendor == "store"
    return [name for name in own(path) if name.startswith(others) and not (is_store and ".records." in name)]


def heavy(path: Path) -> list[str]:
    """What Dagster loads imports nothing heavy at its top."""
    return [name for name in imported(path, at_top_only=True) if name.split(".")[0] in HEAVY]


def reading_at_import(path: Path) -> list[str]:
    """No module reads the environment when it is imported: it would be that of whoever imports it first."""
    named = [name for name in imported(path) if name in {"os.environ", "os.getenv", "os.environb"}]
    return [*named, *(f"os.{node.attr}" for node in _run_at_import(tree(path)) if _is_environment(node))]


def _is_environment(node: ast.AST) -> TypeGuard[ast.Attribute]:
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return False
    return node.value.id == "os" and node.attr in {"environ", "environb", "getenv"}


def _run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when a module is imported: all but the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            parts = [child.args, *getattr(child, "decorator_list", ())]
        else:
            parts = [child]
        for part in parts:
            yield part
            yield from _run_at_import(part)


def unpromised(path: Path) -> list[str]:
    """Names of Dagster's that begin with an underscore, outside the modules that are pinned to a version."""
    private = re.compile(r"dagster\w*\.(\w+\.)*_(?!_)")
    return [name for name in imported(path) if private.match(name) and name_of(path) not in PINNED]


def querying(path: Path) -> list[str]:
    """SQL stands in the store alone: others call a function of its rooms, by name."""
    if is_within(name_of(path), "adapters.store") or name_of(path) in WRITES_SQL:
        return []
    texts = (node for node in nodes(path) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [f"line {one.lineno}" for one in texts if STATEMENT.search(str(one.value))]


RULES: tuple[tuple[Callable[[Path], list[str]], tuple[str, ...]], ...] = (
    (upward, ("",)),
    (sharing, ("sandbox",)),
    (worldly, ("domain",)),
    (orchestrating, ("adapters",)),
    (meddling, ("adapters.swap", "adapters.khaos", "adapters.store")),
    (heavy, LOADED),
    (unpromised, ("",)),
    (reading_at_import, ("",)),
    (querying, ("",)),
)


def offences(path: Path) -> dict[str, list[str]]:
    """What a module imports against each rule that its floor has, by rule."""
    rules = [rule for rule, floors in RULES if any(is_within(name_of(path), floor) for floor in floors)]
    return {rule.__name__: found for rule in rules if (found := rule(path))}


def is_within(name: str, floor: str) -> bool:
    return not floor or f"{name}.".startswith(f"{floor}.")


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_module_imports_only_what_its_floor_may(path: Path) -> None:
    assert offences(path) == {}


@pytest.mark.parametrize("floor", sorted({floor for _, floors in RULES for floor in floors}))
def test_every_floor_with_a_rule_has_modules(floor: str) -> None:
    assert [path for path in modules() if is_within(name_of(path), floor)]


@pytest.mark.parametrize(
    ("name", "source", "found"),
    [
        ("domain/m", "import dagster as dg", {"worldly": ["dagster"]}),
        ("domain/m", "from psycopg.rows import dict_row", {"worldly": ["psycopg.rows.dict_row"]}),
        ("domain/m", "def f():\n    import httpx", {"worldly": ["httpx"]}),
        ("domain/m", "import os", {"worldly": ["os"]}),
        ("domain/m", "x = datetime.now()", {"worldly": ["datetime.now"]}),
        ("domain/m", "from dataclasses import dataclass", {}),
        (
            "domain/m",
            "from khaos_swap_assets.adapters import http",
            {"upward": ["adapters.http"], "worldly": ["adapters.http"]},
        ),
        ("stages/m", "from khaos_swap_assets.gateway import app", {"upward": ["gateway.app"]}),
        ("sandbox/m", "from khaos_swap_assets.domain import money", {"sharing": ["domain.money"]}),
        ("adapters/m", "import dagster as dg", {"orchestrating": ["dagster"]}),
        ("adapters/swap/m", "from khaos_swap_assets.adapters.store import bulk", {"meddling": ["adapters.store.bulk"]}),
        ("adapters/store/m", "from khaos_swap_assets.adapters.swap import x", {"meddling": ["adapters.swap.x"]}),
        ("adapters/store/m", "from khaos_swap_assets.adapters.swap.records.line import Line", {}),
        ("stages/m", "import lxml", {"heavy": ["lxml"]}),
        ("stages/m", "from dagster._core.events import x", {"unpromised": ["dagster._core.events.x"]}),
        ("stages/m", "if TYPE_CHECKING:\n    import dagster_pg._util", {"unpromised": ["dagster_pg._util"]}),
        ("ui/webserver", "from dagster._core.events import x", {}),
        ("stages/m", "x = os.environ['A']", {"reading_at_import": ["os.environ"]}),
        ("stages/m", "from os import environ", {"reading_at_import": ["os.environ"]}),
        ("stages/m", "class A:\n    x = os.getenv('A')", {"reading_at_import": ["os.getenv"]}),
        ("stages/m", "def f(x=os.environ):\n    pass", {"reading_at_import": ["os.environ"]}),
        ("stages/m", "@g(os.environ)\ndef f():\n    pass", {"reading_at_import": ["os.environ"]}),
        ("stages/m", "def f():\n    return os.environ, lambda: os.environ", {}),
        ("stages/m", "x = f'SELECT a FROM {t}'", {"querying": ["line 1"]}),
        ("stages/m", "x = ''\ny = 'UPDATE a SET b = 1'", {"querying": ["line 2"]}),
        ("gateway/m", "x = 'NOT EXISTS (SELECT 1 FROM recon.postings)'", {"querying": ["line 1"]}),
        ("adapters/store/m", "x = 'SELECT 1'", {}),
        ("sandbox/persistence", "x = 'SELECT 1'", {}),
        ("stages/m", "x = 'Select the order from Khaos.'", {}),
        ("resources", "import lxml", {"heavy": ["lxml"]}),
        ("stages/m", "def f():\n    import lxml", {}),
        ("stages/m", "if TYPE_CHECKING:\n    import lxml", {}),
    ],
)
def test_the_test_itself_can_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, source: str, found: dict[str, list[str]]
) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    path = tmp_path / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    assert offences(path) == found


ROOMS = "## The rooms on the way"
WALK = (ROOT.parent / "docs" / "flow.md").read_text(encoding="utf-8").partition(ROOMS)[2]


@pytest.mark.parametrize(("room", "column"), [("stages", 2), ("domain", 3)])
def test_the_walk_names_each_module_once_and_goes_down(room: str, column: int) -> None:
    cells = [line.split("|")[column] for line in WALK.splitlines() if line.startswith("| ")][1:]
    walk = [f"{room}.{name}" for cell in cells for name in re.findall(r"`([\w.]+)`", cell)]
    there = {name_of(path) for path in modules(room) if path.name != "__init__.py"}
    assert sorted(walk) == sorted(there)
    upward = [
        f"{name} imports {other}"
        for at, name in enumerate(walk)
        for found in own(ROOT / f"{name.replace('.', '/')}.py")
        for other in walk[at + 1 :]
        if is_within(found, other)
    ]
    assert upward == []
