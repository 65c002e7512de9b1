"""The rules of the house that a machine can read: sizes, docstrings, types, words, money."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

import khaos_swap_assets

PACKAGE = Path(khaos_swap_assets.__file__).parent
HOME = PACKAGE.parent
LONGEST_FUNCTION, MEDIAN_FUNCTION, LONGEST_FILE = 40, 8, 300
LONGEST_COMMENT = 3
MOST_UNNAMED = 4
# Where a number only places ink or measures time, a float is right; money never is one.
FLOATS_ALLOWED = {"domain/reporting/tables.py", "adapters/failures.py", "adapters/rate.py"}
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


@cache
def nodes(path: Path) -> list[ast.AST]:
    """All of a module, walked through once for every rule."""
    return list(ast.walk(tree(path)))


def functions(path: Path) -> Iterator[Function]:
    return (node for node in nodes(path) if isinstance(node, Function))


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


def too_long(path: Path) -> list[str]:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    sizes = [(one.name, length(one)) for one in functions(path)]
    return [
        *([f"{lines} lines"] if lines > LONGEST_FILE else []),
        *(f"{name}: {size} lines" for name, size in sizes if size > LONGEST_FUNCTION),
    ]


def without_docstring(path: Path) -> list[str]:
    body = tree(path).body
    if not body:
        return []
    classes = [one for one in body if isinstance(one, ast.ClassDef) and not one.name.startswith("_")]
    public = [
        node
        for node in [*body, *(part for one in classes for part in one.body)]
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_")
    ]
    return [
        *([] if ast.get_docstring(tree(path)) else ["the module"]),
        *(node.name for node in public if not ast.get_docstring(node)),
    ]


def untyped(path: Path) -> list[str]:
    return [
        one.name
        for one in functions(path)
        if (one.returns is None and one.name != "__init__")
        or any(a.annotation is None for a in [*one.args.args, *one.args.kwonlyargs] if a.arg not in {"self", "cls"})
    ]


def words_about_the_work(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return [*TALK.findall(text), *OF_THE_WORK.findall(text)]


def long_comments(path: Path) -> list[str]:
    run, found = 0, []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        run = run + 1 if line.lstrip().startswith("# ") else 0
        found += [f"line {number}"] if run == LONGEST_COMMENT + 1 else []
    return found


def gone(path: Path) -> list[str]:
    """Modules, and names in them, that a text refers to and that are no more."""
    rooms = {path.name for base in (PACKAGE, PACKAGE / "domain") for path in base.iterdir() if path.is_dir()}
    named = [text.split(".") for text in re.findall(r"``([a-z_]+(?:\.[a-z_]+)+)``", path.read_text(encoding="utf-8"))]
    return [".".join(one) for one in named if one[0] in rooms and one[-1] != "py" and not _is_there(one)]


def _is_there(parts: list[str]) -> bool:
    for base in (PACKAGE, PACKAGE / "domain"):
        at, rest = base, list(parts)
        while rest and (at / rest[0]).is_dir():
            at /= rest.pop(0)
        module = at / f"{rest[0]}.py" if rest else at / "__init__.py"
        if module.is_file() and all(re.search(rf"\b{name}\b", module.read_text("utf-8")) for name in rest[1:]):
            return True
    return False


def floats(path: Path) -> list[str]:
    """Calls of ``float`` where money is."""
    name = name_of(path)
    if not name.startswith(("domain", "adapters", "stages")) or name in FLOATS_ALLOWED:
        return []
    text = path.read_text(encoding="utf-8").splitlines()
    calls = [
        node.lineno
        for node in nodes(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
    ]
    return [f"line {number}" for number in calls if 'float("nan")' not in text[number - 1]]


def unnamed(path: Path) -> list[str]:
    """Constructors of more than four values that are given without their names."""
    calls = [node for node in nodes(path) if isinstance(node, ast.Call) and len(node.args) > MOST_UNNAMED]
    return [
        f"line {call.lineno}: {call.func.id}"
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id.lstrip("_")[:1].isupper()
        if not any(isinstance(value, ast.Starred) for value in call.args)
    ]


RULES: tuple[Callable[[Path], list[str]], ...] = (
    too_long,
    without_docstring,
    untyped,
    words_about_the_work,
    long_comments,
    gone,
    floats,
    unnamed,
)


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_a_file_keeps_the_rules(path: Path) -> None:
    assert {rule.__name__: found for rule in RULES if (found := rule(path))} == {}


@pytest.mark.parametrize(
    ("rule", "name", "source", "found"),
    [
        (too_long, "m.py", "x = 1\n" * (LONGEST_FILE + 1), ["301 lines"]),
        (too_long, "m.py", "def f():\n" + "    x = 1\n" * LONGEST_FUNCTION, ["f: 41 lines"]),
        (without_docstring, "m.py", "class A:\n    def f(self): ...\ndef _g(): ...", ["the module", "A", "f"]),
        (untyped, "m.py", "def f(a: int): ...\ndef g(a) -> int: ...\ndef h(a: int) -> int: ...", ["f", "g"]),
        (words_about_the_work, "m.py", "x = 1  # TO" + "DO", ["TO" + "DO"]),
        (long_comments, "m.py", "# a\n" * (LONGEST_COMMENT + 2), ["line 4"]),
        (gone, "domain/m.py", "# ``domain.n``, ``domain.m``, ``other.n`` and ``domain.m.x``", ["domain.n"]),
        (gone, "domain/m.py", "# ``domain.m.y``\nx = 1", []),
        (floats, "domain/m.py", "x = 1\ny = float(x)", ["line 2"]),
        (floats, "domain/m.py", 'x = float("nan")', []),
        (floats, "sandbox/m.py", "x = float(1)", []),
    ],
)
def test_a_rule_can_fail(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rule: Callable[[Path], list[str]],
    name: str,
    source: str,
    found: list[str],
) -> None:
    monkeypatch.setattr(f"{__name__}.PACKAGE", tmp_path)
    (tmp_path / "domain").mkdir()
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(source)
    assert rule(path) == found


def test_most_functions_are_short() -> None:
    assert statistics.median(length(one) for path in sources() for one in functions(path)) <= MEDIAN_FUNCTION


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


def test_a_class_name_means_one_thing() -> None:
    """A newcomer who looks a name up finds one class; what is private to a module is its own affair."""
    places: dict[str, list[str]] = {}
    for path in sources():
        for one in tree(path).body:
            if isinstance(one, ast.ClassDef) and not one.name.startswith("_"):
                places.setdefault(one.name, []).append(name_of(path))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


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


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(HOME).with_suffix("").parts).removesuffix(".__init__")


def used_names() -> dict[str, set[str]]:
    """By module, the names of it that any source uses: in the module itself, imported from it, or through it."""
    used: dict[str, set[str]] = {module_of(path): set() for path in sources()}
    for path in sources():
        through: dict[str, list[str]] = {}
        for node in nodes(path):
            if isinstance(node, ast.ImportFrom) and node.module:
                used.setdefault(node.module, set()).update(alias.name for alias in node.names)
                for alias in node.names:
                    through.setdefault(alias.asname or alias.name, []).append(f"{node.module}.{alias.name}")
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                used[module_of(path)].add(node.id)
            elif isinstance(node, ast.Constant) and re.fullmatch(r"[\w.]+:\w+", str(node.value)):
                module, _, name = str(node.value).partition(":")
                used.setdefault(module, set()).add(name)
        for node in nodes(path):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                for module in through.get(node.value.id, ()):
                    used.setdefault(module, set()).add(node.attr)
    return used


def test_nothing_is_run_by_tests_alone() -> None:
    """What no source uses is proved and never runs; what a decorator registers runs, and what Alembic looks for."""
    used = used_names()
    unused = [
        f"{name_of(path)}: {one.name}"
        for path in sources()
        if "versions" not in path.parts
        for one in tree(path).body
        if isinstance(one, ast.ClassDef) or (isinstance(one, Function) and not one.decorator_list)
        if one.name not in used[module_of(path)]
    ]
    assert unused == []
