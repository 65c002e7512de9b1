"""What a new user types first: targets, their help, the Python that is too old, and locked requirements."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shlex
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TARGETS = {
    "help",
    "setup",
    "demo",
    "demo-once",
    "test",
    "houses",
    "coverage",
    "prove",
    "quick",
    "bench",
    "cluster",
    "cluster-prove",
    "lint",
    "sbom",
    "docs",
    "clean",
}
RUNS = {"setup", "demo", "demo-once"}
HASHED = re.compile(r"^([A-Za-z0-9._-]+)(\[[a-z,]+\])?==")


def make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    outer = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["make", *arguments], cwd=folder, env=outer, capture_output=True, text=True)


def locked(name: str) -> set[str]:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    return {found[1].lower().replace("_", "-").replace(".", "-") for line in lines if (found := HASHED.match(line))}


def named(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=;~! ]", one)[0].lower().replace("_", "-") for one in requirements}


@pytest.mark.parametrize("arguments", [(), ("help",)])
def test_make_alone_shows_every_target(arguments: tuple[str, ...]) -> None:
    shown = make(*arguments).stdout.splitlines()
    assert {line.split()[0] for line in shown} == TARGETS
    assert all(len(line.split()) > 2 for line in shown)


def test_every_target_that_runs_something_sets_up_first(tmp_path: Path) -> None:
    for target in TARGETS - {"help", "clean"}:
        planned = make("--dry-run", target, f"RUNS={tmp_path}/runs", f"READY={tmp_path}/ready").stdout
        install = "requirements/install.py .venv/bin/python requirements/"
        assert f"{install}build.txt requirements/run.txt" in planned, target
        assert "--no-deps --no-build-isolation --no-index -e ." in planned, target
        assert (f"{install}dev.txt" in planned) is (target not in RUNS), target


def test_what_runs_is_not_set_up_twice(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.touch()
    planned = make("--dry-run", "test", f"RUNS={runs}", f"READY={tmp_path}/ready").stdout
    assert "requirements/run.txt" not in planned
    assert "requirements/dev.txt" in planned


PIP = """#!/bin/sh
echo "$@" > {folder}/asked
for number in 1 2 3 4 5 6 7 8 9 10; do echo "Collecting package$number==1.0"; done
echo "WARNING: Location is ignored: it is neither a file nor a directory."
echo "Installing collected packages: a, b"
exit {code}
"""


@pytest.mark.parametrize("code", [0, 1])
def test_setting_up_says_how_far_it_is_and_why_it_failed(tmp_path: Path, code: int) -> None:
    pip, wanted = tmp_path / "python", tmp_path / "wanted.txt"
    pip.write_text(PIP.format(folder=tmp_path, code=code))
    pip.chmod(0o755)
    wanted.write_text("a==1.0 \\\n    --hash=sha256:00\nb[c]==2.0 ; sys_platform == 'win32' \\\n    --hash=sha256:11\n")
    install = [sys.executable, str(ROOT / "requirements" / "install.py"), str(pip), str(wanted)]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert "--require-hashes" in (tmp_path / "asked").read_text()
    assert done.stdout.splitlines()[:2] == ["  10 of about 2 packages", "  unpacking them"]
    assert ("WARNING: Location" in done.stdout) is bool(code)


def test_a_python_that_is_too_old_is_one_clear_line(tmp_path: Path) -> None:
    old = tmp_path / "python2"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(old.stat().st_mode | stat.S_IXUSR)
    done = make("demo", f"PYTHON={old}", f"RUNS={tmp_path}/runs")
    assert done.returncode == 2
    assert done.stderr.startswith(
        f"Khaos Swap needs Python 3.11 or newer, and {old} is not: name one, e.g. make PYTHON="
    )


def test_houses_are_played_apart_and_whatever_is_named_is_run(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    ready.touch()

    def planned(*arguments: str) -> str:
        return make("--dry-run", *arguments, f"RUNS={ready}", f"READY={ready}").stdout

    assert planned("test").endswith(" -m 'not house and not long and not browser and not alone'\n")
    assert " -m 'house or long or browser'\n" in planned("houses")
    assert planned("houses").endswith(" -m alone khaos_swap_assets_tests/test_cluster.py\n")
    assert planned("test", "TESTS=a.py b.py").endswith(" a.py b.py\n")
    assert "house" not in planned("coverage")


def test_the_port_of_the_demo_is_handed_on(tmp_path: Path) -> None:
    assert "khaos-swap demo --port 3001" in make("--dry-run", "demo", "PORT=3001").stdout
    assert "khaos-swap demo --port 3000" in make("--dry-run", "demo").stdout


def test_the_length_of_a_soak_is_handed_on() -> None:
    assert "HOURS=2 .venv/bin/python -m khaos_swap_assets_tests.prove" in make("--dry-run", "prove", "HOURS=2").stdout


def test_clean_takes_the_demos_folder_and_no_other_data() -> None:
    planned = make("--dry-run", "clean").stdout
    assert " .khaos-swap-demo " in planned
    assert ".khaos-swap " not in planned


@pytest.mark.parametrize("name", ["supervisor.lock", "postgres.lock"])
def test_clean_leaves_a_running_demo_its_data(tmp_path: Path, name: str) -> None:
    demo = tmp_path / ".khaos-swap-demo"
    demo.mkdir()
    with (demo / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        refused = make("-f", str(ROOT / "Makefile"), "clean", folder=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.startswith("the demo in .khaos-swap-demo is running, and nothing was removed: stop it")
    assert (demo / name).exists()
    assert make("-f", str(ROOT / "Makefile"), "clean", folder=tmp_path).returncode == 0
    assert not demo.exists()


@pytest.mark.parametrize("name", ["build", "run", "image", "celery", "dev"])
def test_requirements_are_pinned_with_hashes_and_hold_no_address(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert "://" not in text
    assert "index-url" not in text
    blocks = re.split(r"(?m)^(?=[A-Za-z0-9])", text)[1:]
    assert all("--hash=sha256:" in block for block in blocks)


def test_what_the_project_names_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed, tools = named(project["dependencies"]), named(project["optional-dependencies"]["dev"])
    assert needed <= locked("run")
    assert needed | tools <= locked("dev")
    assert needed | named(project["optional-dependencies"]["image"]) <= locked("image")
    assert named(project["optional-dependencies"]["celery"]) <= locked("celery")


@pytest.mark.parametrize("name", ["build", "image", "celery", "dev"])
def test_one_package_has_one_version_in_every_file(name: str) -> None:
    found, ours = pinned(name), pinned("run")
    assert {package: found[package] for package in found.keys() & ours} == {
        package: ours[package] for package in found.keys() & ours
    }
    assert name in ("build", "celery") or found.keys() >= ours.keys()


def pinned(name: str) -> dict[str, set[str]]:
    """The versions of each package; there may be one for each Python."""
    versions: dict[str, set[str]] = {}
    for line in (ROOT / "requirements" / f"{name}.txt").read_text().splitlines():
        if found := HASHED.match(line):
            versions.setdefault(found[1], set()).add(line.removeprefix(found[0]).split()[0])
    return versions


def test_the_bill_of_materials_names_all_that_the_image_holds(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    ready.touch()
    planned = make("--dry-run", "sbom", f"RUNS={ready}", f"READY={ready}").stdout
    assert "cyclonedx_py requirements requirements/image.txt" in planned
    out = tmp_path / "sbom.json"
    command = re.sub(r"\\\n\s*", " ", planned).splitlines()[0].replace("sbom.json", str(out))
    subprocess.run([*shlex.split(command), "--no-validate"], cwd=ROOT, check=True, capture_output=True)
    bill = json.loads(out.read_text())
    assert bill["bomFormat"] == "CycloneDX"
    assert {one["name"].lower().replace("_", "-").replace(".", "-") for one in bill["components"]} == locked("image")
    assert all(one["version"] and one["purl"].startswith("pkg:pypi/") for one in bill["components"])


def test_the_licence_is_the_whole_text() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_what_lands_is_checked_by_one_script() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "set -euo pipefail" in script
    for step in ("make lint", "make test", "make houses", "make demo-once RETURNS=60", "dagster definitions validate"):
        assert step in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
