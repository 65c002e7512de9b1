"""The rules of the house that a machine can read: sizes, docstrings, types, words, money."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import khaos_swap_assets

PACKAGE = Path(khaos_swap_assets.__file__).parent
HOME = PACKAGE.parent
LONGEST_FUNCTION, MEDIAN_FUNCTION, LONGEST_FILE = 40, 8, 300
LONGEST_COMMENT = 3
# Where a number only places ink or measures time, a float is right; money never is one.
FLOATS_ALLOWED = {"domain/report.py", "adapters/failures.py", "adapters/rate.py"}
TALK = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
OF_THE_WORK = re.compile(
    r"\b(sub-?agent|helper session|milestone|as requested|the brief|issue #?\d|spec says)\b", re.IGNORECASE
)
REGISTRY = re.compile(
    r"(pypi\.org|pythonhosted\.org|artifactory|/simple/|index-url\s*=?\s*http|registry\.npmjs)", re.IGNORECASE
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines of a function from its ``def``, without its docstring and without functions inside it."""
    assert function.end_lineno
    inner = [node for node in ast.walk(function) if isinstance(node, Function) and node is not function]
    nested = sum(1 + (node.end_lineno or 0) - node.lineno for node in inner if _is_direct(node, inner))
    return 1 + function.end_lineno - function.lineno - _docstring_lines(function) - nested


def _is_direct(node: Function, all_inner: list[Function]) -> bool:
    return not any(
        other is not node and other.lineno <= node.lineno and (node.end_lineno or 0) <= (other.end_lineno or 0)
        for other in all_inner
    )


def _docstring_lines(function: Function) -> int:
    first = function.body[0]
    is_text = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return 1 + (first.end_lineno or 0) - first.lineno if is_text else 0


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_no_file_and_no_function_is_too_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    assert {one.name: size for one in functions(path) if (size := length(one)) > LONGEST_FUNCTION} == {}


def test_most_functions_are_short() -> None:
    assert statistics.median(length(one) for path in sources() for one in functions(path)) <= MEDIAN_FUNCTION


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_every_module_says_what_it_is_and_every_public_name_what_it_means(path: Path) -> None:
    if not path.read_text(encoding="utf-8").strip():
        return
    assert ast.get_docstring(tree(path)), "the module has no docstring"
    public = [
        node
        for node in [
            *tree(path).body,
            *(
                part
                for one in tree(path).body
                if isinstance(one, ast.ClassDef) and not one.name.startswith("_")
                for part in one.body
            ),
        ]
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_")
    ]
    assert [node.name for node in public if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_everything_is_typed(path: Path) -> None:
    untyped = [
        one.name
        for one in functions(path)
        if (one.returns is None and one.name != "__init__")
        or any(a.annotation is None for a in [*one.args.args, *one.args.kwonlyargs] if a.arg not in {"self", "cls"})
    ]
    assert untyped == []


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_no_note_to_self_and_no_word_about_the_work(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert TALK.findall(text) == []
    assert OF_THE_WORK.findall(text) == []


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_comments_are_short(path: Path) -> None:
    run = longest = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        run = run + 1 if line.lstrip().startswith("# ") else 0
        longest = max(longest, run)
    assert longest <= LONGEST_COMMENT


@pytest.mark.parametrize(
    "path", [one for one in sources() if name_of(one).startswith(("domain", "adapters", "stages"))], ids=name_of
)
def test_money_is_never_a_float(path: Path) -> None:
    if name_of(path) in FLOATS_ALLOWED:
        return
    calls = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
    ]
    text = path.read_text(encoding="utf-8").splitlines()
    assert [number for number in calls if 'float("nan")' not in text[number - 1]] == []


def test_money_columns_are_whole_numbers_of_pence() -> None:
    for path in (PACKAGE / "adapters/store/migrations/versions").glob("0*.py"):
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"_pence (?!bigint)\w+", text) == [], path.name
        assert re.findall(r"\b(numeric|real|double precision|money|timestamp) ", text) == [], path.name


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=HOME, capture_output=True, text=True, check=False)
    return [HOME / name for name in listed.stdout.splitlines() if (HOME / name).is_file()]


def test_no_registry_is_named_in_any_file() -> None:
    here = Path(__file__).resolve()
    named = [
        str(path.relative_to(HOME))
        for path in tracked()
        if path.suffix in {".py", ".txt", ".toml", ".cfg", ".md", ".yaml", ".yml", ".lock", ".ini", ""}
        and path.resolve() != here
        and REGISTRY.search(path.read_text(encoding="utf-8", errors="ignore"))
    ]
    assert named == []


def test_every_folder_of_code_is_a_package() -> None:
    folders = {path.parent for path in sources()} | {
        path.parent for path in (HOME / "khaos_swap_assets_tests").rglob("*.py")
    }
    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize(
    ("source", "size"),
    [
        ("def f():\n    return 1", 2),
        ('def f():\n    """One\n\n    two.\n    """\n    return 1', 2),
        ("def f():\n    def g():\n        return 1\n    return g", 2),
        ("async def f():\n    x = 1\n    return x", 3),
    ],
)
def test_the_length_of_a_function_is_its_own(tmp_path: Path, source: str, size: int) -> None:
    path = tmp_path / "m.py"
    path.write_text(source)
    assert length(next(functions(path))) == size
