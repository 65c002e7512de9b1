"""Tests of the house: order, restarts, signals, a killed owner, and Dagster's own files."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from khaos_swap_assets.adapters.errors import HouseError, SettingsError, StoreAwayError
from khaos_swap_assets.running import dagster_parts, logs, processes, supervisor, watching
from khaos_swap_assets.running.logs import Rotation
from khaos_swap_assets.running.orphans import Orphans
from khaos_swap_assets.running.processes import Child, Listen
from khaos_swap_assets.running.watching import Watcher
from khaos_swap_assets_tests.running import fair
from khaos_swap_assets_tests.test_watching import Earth

pytestmark = pytest.mark.house

SLEEP = "import time; time.sleep(60)"
FAMILY = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
time.sleep(60)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
HOUSE = """
import sys
from pathlib import Path
from khaos_swap_assets.running import processes
from khaos_swap_assets.running import supervisor
from khaos_swap_assets.adapters.store import embedded
from khaos_swap_assets.running.processes import Child

folder = Path(sys.argv[1])
database = embedded.start(folder / "postgres", durable=False)
print(f"postgres: {database.pid}", flush=True)

def stop_last():
    database.stop()
    print("postgres stopped", flush=True)

children = [Child(name, [sys.executable, "-S", "-c", sys.argv[2]]) for name in ("one", "two")]
with processes.only_house(folder):
    code = supervisor.run(children, folder=folder, stop_last=stop_last)
sys.exit(code)
"""


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-S", "-c", code, *arguments]


def wait_long() -> int:
    time.sleep(30)
    return 1


def until(question: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if question():
            return True
        time.sleep(0.02)
    return False


def marked(folder: Path) -> list[psutil.Process]:
    """Everything that runs for this folder."""
    found = []
    for process in psutil.process_iter(["environ", "status"]):
        if process.info["status"] != psutil.STATUS_ZOMBIE:
            found += [process] if (process.info["environ"] or {}).get(processes.HOUSE) == str(folder) else []
    return found


class Journal:
    """What happened, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(re.sub(r" after [0-9.]+ s", "", line))

    def stop_last(self) -> None:
        self.lines.append("stopped last")


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def keep(tmp_path: Path, journal: Journal) -> Callable[..., int]:
    """Run a house in this process; ``work`` ends it."""

    def run(*children: Child, work: Callable[[], int] = lambda: 0) -> int:
        return supervisor.run(children, folder=tmp_path, stop_last=journal.stop_last, work=work, say=journal)

    return run


def test_children_start_in_order_and_the_database_stops_last(
    keep: Callable[..., int], journal: Journal, tmp_path: Path
) -> None:
    seen: list[int] = []

    def work() -> int:
        seen.append(len(marked(tmp_path)))
        return 7

    assert keep(Child("one", python(SLEEP)), Child("two", python(FAMILY)), work=work) == 7
    assert seen[0] >= 2
    assert journal.lines == ["one: ready", "two: ready", "everything is stopped", "stopped last"]
    assert marked(tmp_path) == []


def test_the_next_child_waits_for_the_one_before(keep: Callable[..., int], journal: Journal, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    slow = python(
        "import pathlib, sys, time; time.sleep(0.3); pathlib.Path(sys.argv[1]).touch(); time.sleep(60)", str(flag)
    )
    eager = python("import pathlib, sys, time; print(pathlib.Path(sys.argv[1]).exists()); time.sleep(60)", str(flag))
    log = tmp_path / "logs" / "eager.log"
    keep(
        Child("slow", slow, ready=flag.exists),
        Child("eager", eager, ready=lambda: log.exists() and log.read_text() != ""),
    )
    assert log.read_text() == "True\n"


def test_a_child_that_does_not_come_up_stops_the_house(
    keep: Callable[..., int], journal: Journal, tmp_path: Path
) -> None:
    broken = Child("broken", python("import sys; sys.exit('no such table')"), ready=lambda: False)
    with pytest.raises(HouseError, match="broken ended with code 1 before it was ready: no such table"):
        keep(Child("one", python(SLEEP)), broken)
    assert journal.lines[-1] == "stopped last"
    assert marked(tmp_path) == []


def test_a_child_that_is_never_ready_stops_the_house(keep: Callable[..., int]) -> None:
    with pytest.raises(HouseError, match=r"slow is not ready after 0 s; see .*slow.log"):
        keep(Child("slow", python(SLEEP), ready=lambda: False, ready_seconds=0.2))


def test_a_fallen_child_is_started_again(
    keep: Callable[..., int], journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "RESTART_SECONDS", 0.1)
    log = tmp_path / "logs" / "one.log"

    def work() -> int:
        assert until(log.exists)
        assert until(lambda: log.read_text() == "alive\n")
        first = marked(tmp_path)[0]
        first.kill()
        assert until(lambda: journal.lines.count("one: ready") == 2)
        return int(marked(tmp_path)[0].pid == first.pid)

    assert keep(Child("one", python("print('alive', flush=True); " + SLEEP)), work=work) == 0
    assert journal.lines[1] == "one was ended by SIGKILL: alive; starting it again"


def test_a_child_that_falls_again_and_again_stops_the_house(
    keep: Callable[..., int], journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "RESTART_SECONDS", 0.05)
    falling = Child("two", python("raise SystemExit('out of memory')"), restarts=2)
    with pytest.raises(HouseError, match="two ended with code 1: out of memory; it fell 3 times, so everything stops"):
        keep(Child("one", python(SLEEP)), falling, work=wait_long)
    assert journal.lines[-1] == "stopped last"
    assert marked(tmp_path) == []


def test_what_is_to_be_done_before_a_start_is_done_before_each(
    keep: Callable[..., int], journal: Journal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervisor, "RESTART_SECONDS", 0.05)

    def work() -> int:
        assert until(lambda: len(marked(tmp_path)) == 2)
        next(one for one in marked(tmp_path) if one.ppid() == os.getpid()).kill()
        assert until(lambda: journal.lines.count("one: ready") == 2)
        return 0

    before: list[int] = []
    child = Child("one", python(FAMILY), before=lambda: before.append(len(marked(tmp_path))))
    keep(child, work=work)
    assert before == [0, 0], "nobody of the former one is left"


def test_a_child_that_hangs_is_started_again(tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "RESTART_SECONDS", 0.05)
    for name in ("LOOK_SECONDS", "ASK_SECONDS"):
        monkeypatch.setattr(watching, name, 0.02)
    hangs = [True]
    child = Child("one", python(SLEEP), alive=lambda: not hangs[0], hang_seconds=0.3)

    def work() -> int:
        assert until(lambda: "one did not answer for 0 s; starting it again" in journal.lines)
        hangs[0] = False
        assert until(lambda: journal.lines.count("one: ready") == 2)
        return 0

    assert supervisor.run([child], folder=tmp_path, stop_last=lambda: None, work=work, say=journal) == 0


def test_while_the_database_is_away_falls_do_not_count_and_wait_for_it(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "RESTART_SECONDS", 0.05)
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(watching, "LONGEST_PAUSE_SECONDS", 0.02)
    earth = Earth()
    watcher = Watcher(earth, journal)
    child = Child("one", python(SLEEP), restarts=0)

    def work() -> int:
        earth.error = StoreAwayError("nobody answers")
        assert until(lambda: bool(watcher.away))
        marked(tmp_path)[0].kill()
        assert until(lambda: any("starting it again" in line for line in journal.lines))
        assert until(lambda: not marked(tmp_path))
        assert journal.lines.count("one: ready") == 1
        earth.error = None
        assert until(lambda: journal.lines.count("one: ready") == 2)
        return 0

    run = partial(supervisor.run, [child], folder=tmp_path, stop_last=lambda: None, say=journal)
    assert run(watcher=watcher, work=work) == 0
    lost = HouseError("another house is there")
    earth.error = lost
    with pytest.raises(HouseError, match="another house is there"):
        run(watcher=Watcher(earth, journal), work=wait_long)
    assert marked(tmp_path) == []


def test_a_deaf_child_is_killed_in_time(keep: Callable[..., int], tmp_path: Path) -> None:
    log = tmp_path / "logs" / "deaf.log"
    began = time.monotonic()
    keep(Child("deaf", python(DEAF), ready=lambda: "deaf" in log.read_text(), stop_seconds=0.3))
    assert time.monotonic() - began < fair(5)
    assert marked(tmp_path) == []


def test_what_work_raises_reaches_the_caller_after_the_stop(keep: Callable[..., int], journal: Journal) -> None:
    def work() -> int:
        raise SettingsError("no store")

    with pytest.raises(SettingsError, match="no store"):
        keep(Child("one", python(SLEEP)), work=work)
    assert journal.lines[-2:] == ["everything is stopped", "stopped last"]


def test_a_taken_port_is_told_before_anything_starts(keep: Callable[..., int], journal: Journal) -> None:
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = Listen("127.0.0.1", other.getsockname()[1], "KHAOS_SWAP_GATEWAY_PORT")
        with pytest.raises(HouseError, match="KHAOS_SWAP_GATEWAY_PORT"):
            keep(Child("one", python(SLEEP)), Child("gateway", python(SLEEP), listens=taken))
    assert journal.lines == ["everything is stopped", "stopped last"]


def test_a_signal_ends_the_house_with_code_zero(keep: Callable[..., int], journal: Journal) -> None:
    handlers = [signal.getsignal(number) for number in supervisor.STOP_SIGNALS]

    def work() -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        return wait_long()

    assert keep(Child("one", python(SLEEP)), work=work) == 0
    assert [signal.getsignal(number) for number in supervisor.STOP_SIGNALS] == handlers


class House:
    """A house in a process of its own, with a real database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._popen = subprocess.Popen(
            [sys.executable, "-c", HOUSE, str(folder), FAMILY],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._popen.stdout
        self.postgres = psutil.Process(int(self._popen.stdout.readline().split(": ")[1]))
        self.ready = [self._popen.stdout.readline().split(":")[0] for _ in range(2)]
        assert until(lambda: len(marked(folder)) == 4), marked(folder)

    def send(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def ending(self) -> tuple[int, str]:
        """Exit code and the rest of the output, with errors first."""
        output, errors = self._popen.communicate(timeout=120)
        return self._popen.returncode, errors + output

    def has_postgres(self) -> bool:
        return bool(self.postgres.is_running() and self.postgres.status() != psutil.STATUS_ZOMBIE)


@pytest.fixture
def house(server_folder: Path) -> Iterator[House]:
    house = House(server_folder)
    yield house
    house.send(signal.SIGKILL)
    house.ending()
    processes.end_leftovers(server_folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_in_time_and_the_database_last(house: House, number: signal.Signals) -> None:
    assert house.ready == ["one", "two"]
    began = time.monotonic()
    house.send(number)
    assert house.ending() == (0, "everything is stopped\npostgres stopped\n")
    assert time.monotonic() - began < fair(15)
    assert marked(house.folder) == []
    assert not house.has_postgres()


def test_a_killed_owner_takes_its_children_along_and_a_second_start_cleans_up(house: House) -> None:
    before = {process.pid for process in marked(house.folder)}
    house.send(signal.SIGKILL)
    house.ending()
    assert until(lambda: len(marked(house.folder)) == 2), "the children die, theirs may linger"
    assert house.has_postgres()
    second = House(house.folder)
    assert second.postgres.pid == house.postgres.pid
    assert before.isdisjoint({process.pid for process in marked(house.folder)})
    second.send(signal.SIGTERM)
    assert second.ending()[0] == 0
    assert marked(house.folder) == []
    assert not house.has_postgres()


def test_a_second_house_of_the_same_folder_is_refused(house: House) -> None:
    began = {process.pid for process in marked(house.folder)}
    refused = pytest.raises(HouseError, match=r"is in use by process \d+: .*KHAOS_SWAP_DATA_DIR")
    with refused, processes.only_house(house.folder):
        pass
    assert {process.pid for process in marked(house.folder)} == began


def test_a_child_that_talks_does_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LOOK_SECONDS", 0.02)
    talk = "import time\nwhile True: print('x' * 200_000, flush=True); time.sleep(0.01)"
    aside = tmp_path / "logs" / "talker.log.2"

    def work() -> int:
        return 0 if until(aside.exists) else 1

    children, rotation = [Child("talker", python(talk))], Rotation(megabytes=1, files=2)
    code = supervisor.run(children, folder=tmp_path, stop_last=lambda: None, work=work, rotation=rotation)
    assert code == 0
    assert {file.name for file in aside.parent.iterdir()} == {"talker.log", "talker.log.1", "talker.log.2"}


def test_dagster_finds_its_settings_where_we_put_them(tmp_path: Path) -> None:
    home = dagster_parts.prepare_dagster_home(tmp_path / "data")
    assert home == tmp_path / "data" / "dagster_home"
    ours = Path(dagster_parts.__file__).parents[1] / "dagster.yaml"
    assert (home / "dagster.yaml").read_text() == ours.read_text()


def test_dagsters_children_share_one_code_server(tmp_path: Path) -> None:
    home = dagster_parts.prepare_dagster_home(tmp_path)
    orphans = Orphans("x", {}, tmp_path)
    code, web, daemon = dagster_parts.dagster_children(
        home, "127.0.0.1", 3111, {"KHAOS_SWAP_DAGSTER_URL": "x"}, orphans
    )
    assert code.before == orphans.close_all
    assert all(child.alive for child in (code, web, daemon))
    assert [child.name for child in (code, web, daemon)] == ["code-server", "webserver", "daemon"]
    assert code.listens
    workspace = (home / "workspace.yaml").read_text()
    assert f"port: {code.listens.port}" in workspace
    assert all(child.env["DAGSTER_HOME"] == str(home) for child in (code, web, daemon))
    assert web.listens == Listen("127.0.0.1", 3111, "KHAOS_SWAP_WEBSERVER_PORT")
    assert web.argv[1:] == ["-m", "khaos_swap_assets.ui"]
    assert (web.env["KHAOS_SWAP_WEBSERVER_HOST"], web.env["KHAOS_SWAP_WEBSERVER_PORT"]) == ("127.0.0.1", "3111")
    assert str(home / "workspace.yaml") in daemon.argv
