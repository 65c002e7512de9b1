"""Tests of one child process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from khaos_swap_assets.adapters.errors import HouseError, SettingsError
from khaos_swap_assets.running import processes
from khaos_swap_assets.running.processes import Child, Listen, Process

SLEEP = "import time; time.sleep(60)"
SERVE = """
import http.server, sys
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
FAMILY = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("born", flush=True)
time.sleep(60)
"""


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-S", "-c", code, *arguments]


def until(question: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if question():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[[Child], Process]]:
    started: list[Process] = []

    def start(child: Child) -> Process:
        started.append(Process(child, tmp_path))
        return started[-1]

    yield start
    for process in started:
        process.send(signal.SIGKILL)
        assert until(process.is_gone)


def test_output_and_errors_go_to_the_log(begin: Callable[[Child], Process], tmp_path: Path) -> None:
    process = begin(Child("talker", python("import sys; print('one'); sys.exit('two')")))
    assert until(lambda: process.exit_code() == 1)
    assert process.last_words() == "two"
    assert (tmp_path / "logs" / "talker.log").read_text() == "one\ntwo\n"


def test_a_silent_child_has_last_words_too(begin: Callable[[Child], Process]) -> None:
    process = begin(Child("silent", python("")))
    assert until(lambda: process.exit_code() == 0)
    assert process.last_words() == "it said nothing"


def test_a_child_sees_our_environment_under_its_own(
    begin: Callable[[Child], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "a")
    monkeypatch.setenv("BOTH", "a")
    process = begin(Child("env", python("import os; print(os.environ['OURS'], os.environ['BOTH'])"), {"BOTH": "b"}))
    assert until(lambda: process.exit_code() == 0)
    assert process.last_words() == "a b"


@pytest.mark.parametrize("told", ["2", "7"])
def test_the_threads_of_a_child_share_their_memory_unless_it_is_told_otherwise(
    begin: Callable[[Child], Process], monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    if told != "2":
        monkeypatch.setenv("MALLOC_ARENA_MAX", told)
    process = begin(Child("env", python("import os; print(os.environ['MALLOC_ARENA_MAX'])")))
    assert until(lambda: process.exit_code() == 0)
    assert process.last_words() == told


def test_a_child_works_in_the_houses_folder_out_of_reach_of_our_env_file(
    begin: Callable[[Child], Process], tmp_path: Path
) -> None:
    process = begin(Child("where", python("import os; print(os.getcwd(), os.path.exists('.env'))")))
    assert until(lambda: process.exit_code() == 0)
    assert process.last_words() == f"{tmp_path} False"


def test_a_child_without_an_address_is_ready_at_once(begin: Callable[[Child], Process]) -> None:
    assert begin(Child("sleeper", python(SLEEP))).is_ready()


def test_a_child_is_ready_when_its_address_answers(begin: Callable[[Child], Process]) -> None:
    listens = Listen("127.0.0.1", processes.free_port(), "X")
    waiting = begin(Child("waiting", python(SLEEP), listens=listens))
    assert not waiting.is_ready()
    serving = begin(Child("server", python(SERVE, str(listens.port)), listens=listens))
    assert until(serving.is_ready)


@pytest.mark.parametrize(("path", "expected"), [("/", True), ("/nothing-here", False)])
def test_a_child_is_ready_when_its_url_answers_well(
    begin: Callable[[Child], Process], path: str, expected: bool
) -> None:
    listens = Listen("127.0.0.1", processes.free_port(), "X")
    ready = f"http://127.0.0.1:{listens.port}{path}"
    process = begin(Child("server", python(SERVE, str(listens.port)), listens=listens, ready=ready))
    open_port = begin(Child("same", python(SLEEP), listens=listens))
    assert until(open_port.is_ready)
    assert process.is_ready() is expected


def test_a_question_of_the_caller_decides(begin: Callable[[Child], Process]) -> None:
    answers = iter([False, True])
    process = begin(Child("asked", python(SLEEP), ready=lambda: next(answers)))
    assert [process.is_ready(), process.is_ready()] == [False, True]


def test_a_signal_reaches_the_childs_own_children(begin: Callable[[Child], Process]) -> None:
    process = begin(Child("family", python(FAMILY)))
    assert until(lambda: process.last_words() == "born")
    (grandchild,) = psutil.Process(process.pid).children()
    process.send(signal.SIGTERM)
    assert until(process.is_gone)
    assert until(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE)


@pytest.fixture
def _deaf() -> Iterator[None]:
    """As a script starts a program in the background: SIGINT ignored, and Dagster takes SIGTERM as SIGINT."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_deaf")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_child_hears_what_ends_it_though_we_do_not(begin: Callable[[Child], Process], number: signal.Signals) -> None:
    process = begin(Child("family", python(FAMILY)))
    assert until(lambda: process.last_words() == "born")
    process.send(number)
    assert until(process.is_gone)


def test_a_group_is_not_gone_while_a_grandchild_lives(begin: Callable[[Child], Process]) -> None:
    process = begin(Child("family", python(FAMILY)))
    assert until(lambda: process.last_words() == "born")
    os.kill(process.pid, signal.SIGKILL)
    assert until(lambda: process.exit_code() is not None)
    assert not process.is_gone()


def test_leftovers_are_ended_by_folder(begin: Callable[[Child], Process], tmp_path: Path) -> None:
    process = begin(Child("family", python(FAMILY)))
    assert until(lambda: process.last_words() == "born")
    assert processes.end_leftovers(tmp_path / "another") == 0
    assert process.exit_code() is None
    assert processes.end_leftovers(tmp_path) == 2
    assert until(process.is_gone)


def test_a_stubborn_leftover_is_killed(begin: Callable[[Child], Process], tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    process = begin(Child("stubborn", python(code)))
    assert until(lambda: process.last_words() == "deaf")
    assert processes.end_leftovers(tmp_path, seconds=0.2) == 1
    assert until(lambda: process.exit_code() == -signal.SIGKILL)


def test_a_taken_port_names_the_setting() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(HouseError, match=rf"port {port} of 127\.0\.0\.1 .*KHAOS_SWAP_GATEWAY_PORT"):
            processes.require_free(Listen("127.0.0.1", port, "KHAOS_SWAP_GATEWAY_PORT"))


def test_an_address_that_is_not_ours_names_the_setting() -> None:
    with pytest.raises(SettingsError, match="KHAOS_SWAP_GATEWAY_HOST"):
        processes.require_free(Listen("192.0.2.1", 8700, "KHAOS_SWAP_GATEWAY_HOST"))


def test_a_free_port_is_free() -> None:
    processes.require_free(Listen("127.0.0.1", processes.free_port(), "X"))
    processes.require_free(Listen("127.0.0.1", 0, "X"))


def test_a_free_port_is_none_that_an_outgoing_connection_may_be_given() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert processes.free_port() in processes.PORTS
    assert processes.PORTS.stop <= first or first < 32_768, "but for a machine that is told to give out more"


CHOOSE = (
    "from khaos_swap_assets.running import processes; print(processes.free_port(usual={usual}), flush=True); input()"
)


def test_two_houses_that_start_at_once_are_never_given_one_port() -> None:
    usual = processes.free_port()
    os.close(processes.PROMISED.pop())
    choose = [sys.executable, "-c", CHOOSE.format(usual=usual)]
    with (
        subprocess.Popen(choose, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first,
        subprocess.Popen(choose, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as second,
    ):
        given = {int(house.stdout.readline()) for house in (first, second) if house.stdout}
        assert usual in given
        assert len(given) == 2
        for house in (first, second):
            house.kill()
    assert processes.free_port(usual=usual) == usual, "an ended house holds nothing"


def test_only_the_last_ports_are_held() -> None:
    for _ in range(processes.PROMISES + 3):
        processes.free_port()
    assert len(processes.PROMISED) == processes.PROMISES


def test_of_ports_in_use_none_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", processes.free_port())) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(processes, "PORTS", range(port, port + 1))
        with pytest.raises(OSError, match=f"every port from {port} to {port} of 127.0.0.1 is in use"):
            processes.free_port()


def test_a_port_of_an_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(OSError, match="assign"):
        processes.free_port("192.0.2.1")
