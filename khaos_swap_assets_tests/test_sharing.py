"""Shared tests are told as those of one process: each once, with its failure, none lost where a process dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from khaos_swap_assets_tests.running import until

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


ENDLESS = """
import atexit, pathlib, time

def test_endless():
    atexit.register(pathlib.Path("{left}").write_text, "ended whole")
    pathlib.Path("{begun}").touch()
    time.sleep(600)
"""


def command(folder: Path, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """How pytest is called to share the tests of a folder between two processes, and its environment."""
    plugin = ("-p", "khaos_swap_assets_tests.sharing", "--processes", "2")
    where = (f"--rootdir={folder}", f"--basetemp={folder / 'base'}", "-c", "/dev/null", str(folder))
    words = [sys.executable, "-m", "pytest", "-q", *plugin, *where, *arguments]
    return words, {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def shared(folder: Path, *arguments: str) -> str:
    """What pytest says of them."""
    words, env = command(folder, *arguments)
    return subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=False).stdout


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


def test_who_ends_it_leaves_nothing_running(tmp_path: Path) -> None:
    left, begun = tmp_path / "left", tmp_path / "begun"
    (tmp_path / "test_endless.py").write_text(ENDLESS.format(left=left, begun=begun))
    words, env = command(tmp_path)
    with subprocess.Popen(
        words, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        assert until(begun.exists, 60)
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert left.read_text() == "ended whole"
