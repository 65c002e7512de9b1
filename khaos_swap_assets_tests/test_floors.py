"""Imports only point down, and the lower floors know nothing of what is above or outside them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import khaos_swap_assets

PACKAGE = "khaos_swap_assets"
ROOT = Path(khaos_swap_assets.__file__).parent
FLOORS = {"domain": 0, "adapters": 1, "stages": 2, "definitions": 4}
ABOVE = 3
# The demo plays the whole code location, so it alone may reach for it.
UPWARD_ALLOWED = {("demo.once", "definitions.build")}
# A page without anything from the network, for whatever serves one.
SHARED = {"api_page"}
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
LOADED = ("stages", "automation", "resources", "definitions")


def modules(folder: str = "") -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    """Dotted name below the package; empty for the package itself."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path, *, at_top_only: bool = False) -> Iterator[str]:
    """Full names of everything that a module imports; with ``at_top_only`` what its own import pays for."""
    for node in _top(tree(path)) if at_top_only else ast.walk(tree(path)):
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


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_only_point_down(path: Path) -> None:
    upward = {(name_of(path), name) for name in own(path) if floor_of(name) > floor_of(name_of(path))}
    assert upward - UPWARD_ALLOWED == set()


@pytest.mark.parametrize("path", modules("sandbox"), ids=name_of)
def test_the_sandbox_shares_nothing_with_what_it_tests(path: Path) -> None:
    assert [name for name in own(path) if name.split(".")[0] not in {"sandbox", *SHARED}] == []


@pytest.mark.parametrize("path", modules("domain"), ids=name_of)
def test_the_domain_knows_no_world_outside(path: Path) -> None:
    assert {name.split(".")[0] for name in imported(path)} & OUTSIDE == set()
    attributes = {
        (node.value.id, node.attr)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    assert attributes & CLOCK == set()
    assert {name for name in imported(path) if name.startswith("os")} == set()


@pytest.mark.parametrize("path", modules("adapters"), ids=name_of)
def test_adapters_know_no_dagster(path: Path) -> None:
    assert [name for name in imported(path) if name.split(".")[0] == "dagster"] == []


@pytest.mark.parametrize("path", modules("adapters/swap") + modules("adapters/khaos"), ids=name_of)
def test_a_vendor_knows_neither_the_other_nor_the_store(path: Path) -> None:
    vendor = name_of(path).split(".")[1]
    others = {"swap", "khaos", "store"} - {vendor}
    assert [name for name in own(path) if name.startswith(tuple(f"adapters.{one}" for one in others))] == []


@pytest.mark.parametrize("path", modules("adapters/store"), ids=name_of)
def test_the_store_knows_of_a_vendor_only_its_records(path: Path) -> None:
    vendors = [name for name in own(path) if name.startswith(("adapters.swap", "adapters.khaos"))]
    assert [name for name in vendors if ".records." not in name] == []


def test_only_the_domain_may_be_imported_by_itself() -> None:
    """Nothing in the domain imports anything of ours but the domain."""
    assert {name.split(".")[0] for path in modules("domain") for name in own(path)} <= {"domain"}


@pytest.mark.parametrize(
    "path", [path for name in LOADED for path in modules(name) or [ROOT / f"{name}.py"]], ids=name_of
)
def test_what_dagster_loads_imports_nothing_heavy_at_its_top(path: Path) -> None:
    assert {name.split(".")[0] for name in imported(path, at_top_only=True)} & HEAVY == set()


@pytest.mark.parametrize(
    ("source", "is_found"),
    [
        ("import dagster as dg", True),
        ("from psycopg.rows import dict_row", True),
        ("def f():\n    import httpx", True),
        ("from dataclasses import dataclass", False),
    ],
)
def test_the_test_itself_can_fail(tmp_path: Path, source: str, is_found: bool) -> None:
    path = tmp_path / "module.py"
    path.write_text(source)
    assert bool({name.split(".")[0] for name in imported(path)} & OUTSIDE) is is_found
