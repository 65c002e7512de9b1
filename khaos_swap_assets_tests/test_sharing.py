"""Shared tests are told as those of one process: each once, with its failure, none lost where a process dies."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FINE = """
import os, pathlib, pytest

@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    yield tmp_path_factory.mktemp("kept")
    pathlib.Path("{left}").write_text("torn down")

@pytest.mark.parametrize("number", range(20))
def test_fine(number, kept, tmp_path, capfd):
    os.write(1, b"said")
    assert capfd.readouterr().out == "said"
    assert kept.is_dir() and tmp_path.is_dir()
"""
WRONG = "def test_wrong():\n    print('seen before')\n    assert 2 + 2 == 5\n"
DIES = "import os\n\ndef test_before():\n    pass\n\ndef test_dies():\n    os._exit(3)\n"


def shared(folder: Path, *arguments: str) -> str:
    """What pytest says of the tests of a folder, shared by two processes."""
    plugin = ("-p", "khaos_swap_assets_tests.sharing", "--processes", "2")
    where = (f"--rootdir={folder}", f"--basetemp={folder / 'base'}", "-c", "/dev/null", str(folder))
    command = [sys.executable, "-m", "pytest", "-q", *plugin, *where, *arguments]
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False).stdout


def test_every_test_is_told_once_with_what_it_said_and_how_it_ended(tmp_path: Path) -> None:
    left = tmp_path / "left"
    for name, text in {"fine": FINE.format(left=left), "wrong": WRONG, "dies": DIES}.items():
        (tmp_path / f"test_{name}.py").write_text(text)
    said = shared(tmp_path)
    assert "2 failed, 21 passed" in said, said
    assert "seen before" in said
    assert "assert (2 + 2) == 5" in said
    assert "the process died in test_dies.py::test_dies" in said
    assert left.read_text() == "torn down"


def test_what_cannot_be_collected_and_a_first_failure_end_it_as_they_do_without(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(WRONG)
    assert "stopping after 1 failures" in shared(tmp_path, "-x")
    (tmp_path / "test_b.py").write_text("import nothing_of_this_name\n")
    assert "1 error" in shared(tmp_path)
