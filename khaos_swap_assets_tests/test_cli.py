"""The command line from outside: help, bad input in one line and exit 2, and what starts nothing."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from psycopg import errors

from khaos_swap_assets.adapters.settings_list import variables
from khaos_swap_assets.adapters.store import migrate
from khaos_swap_assets.cli import reach
from khaos_swap_assets.running import processes
from khaos_swap_assets_tests.running import PROGRAM, Call

COMMANDS = (
    "audit",
    "demo",
    "up",
    "gateway",
    "preflight",
    "migrate",
    "upgrade",
    "sandbox",
    "new-key",
    "settings",
    "postings",
    "exceptions",
)
HEAVY = ("dagster", "pandas", "fastapi", "uvicorn", "httpx", "psycopg", "sqlalchemy", "pydantic", "matplotlib")
AUDIT = {
    "KHAOS_SWAP_SWAP_URL": "http://127.0.0.1:9/returns-api",
    "KHAOS_SWAP_SWAP_API_KEY": "key",
    "KHAOS_SWAP_SWAP_STORE_ID": "store",
    "KHAOS_SWAP_KHAOS_URL": "http://127.0.0.1:9/LiveSoap/KhaosACME.exe",
}
IMPORTED = (
    "import sys, khaos_swap_assets.cli.commands; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def free_ports() -> dict[str, str]:
    return {f"KHAOS_SWAP_{name}_PORT": str(processes.free_port()) for name in ("GATEWAY", "WEBSERVER")}


def test_help_names_every_command(call: Call, tmp_path: Path) -> None:
    done = call("--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert re.search(rf"^│ {command} +\w", done.stdout, re.MULTILINE), command
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "sandbox"])
def test_every_command_has_its_own_help(call: Call, command: str) -> None:
    done = call(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Usage: khaos-swap {command}" in done.stdout


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(done.stdout.split())


def test_the_sandbox_has_its_own_help(call: Call) -> None:
    done = call("sandbox", "--help")
    assert done.returncode == 0
    assert "--gateway" in done.stdout


def test_the_program_from_outside_ends_with_one_line_and_code_2(tmp_path: Path) -> None:
    done = subprocess.run([*PROGRAM, "up"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == "khaos-swap: KHAOS_SWAP_SWAP_URL: is required"
    assert "Traceback" not in done.stderr


def test_a_new_key_seals(call: Call) -> None:
    first, second = (call("new-key").stdout.strip() for _ in range(2))
    assert first != second
    Fernet(first)


def test_settings_are_listed_without_what_is_set(call: Call) -> None:
    done = call("settings", KHAOS_SWAP_SEAL_KEY="s3cret", KHAOS_SWAP_MODE="nonsense")
    assert done.returncode == 0
    assert [line for line in done.stdout.splitlines() if line.startswith("KHAOS_SWAP_")] == [
        f"{variable.name}={variable.default}" for variable in variables()
    ]
    assert "s3cret" not in done.stdout


BAD_SETTINGS = {"KHAOS_SWAP_MODE": "post", "KHAOS_SWAP_SWAP_PAGE_SIZE": "0", "KHAOS_SWAP_SEAL_KEY": "s3cret"}


@pytest.mark.parametrize("command", [["up"], ["gateway"], ["preflight"], ["migrate"], ["postings", "list"]])
def test_bad_settings_are_a_line_each_and_exit_2_before_anything_starts(
    call: Call, tmp_path: Path, command: list[str]
) -> None:
    done = call(*command, **BAD_SETTINGS)
    assert done.returncode == 2
    assert done.stdout == ""
    lines = [line.removeprefix("khaos-swap: ") for line in done.stderr.splitlines()]
    assert lines == [
        "KHAOS_SWAP_SWAP_PAGE_SIZE: Input should be greater than or equal to 1",
        "KHAOS_SWAP_POST_FROM: is required when KHAOS_SWAP_MODE is post",
    ]
    assert list(tmp_path.iterdir()) == []


def test_settings_are_read_from_env_of_the_folder_and_the_environment_wins(call: Call, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KHAOS_SWAP_MODE=neither\nKHAOS_SWAP_GATEWAY_PORT=many\nPATH=/nowhere\n")
    done = call("up", KHAOS_SWAP_MODE="audit")
    assert done.returncode == 2
    assert done.stderr.startswith("khaos-swap: KHAOS_SWAP_GATEWAY_PORT: Input should be a valid integer")
    assert "KHAOS_SWAP_MODE" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--once", "--history", "nowhere.parquet", "--month", "2010-10"], "there is no such file"),
        (["--once", "--history", "nowhere.parquet"], "--history and --month belong together"),
        (["--once", "--month", "2010-10"], "--history and --month belong together"),
        (["--once", "--credit-first", "--stock-route", "post"], "--stock-route is file or level"),
        (["--once", "--stock-route", "file"], "and needs --credit-first"),
        (["--once", "--switch", "colour=red"], "colour: no such switch; there are"),
        (["--once", "--switch", "sort=upwards"], "sort: must be one of"),
        (["--once", "--returns", "0"], "Input should be greater than or equal to 8"),
        (["--once", "--seed", "one"], "Input should be a valid integer"),
        (["--month", "2010-10"], "need --once"),
        (["--port", "70000"], "Input should be less than or equal to 65535"),
    ],
)
def test_bad_arguments_of_the_demo_start_nothing(call: Call, tmp_path: Path, arguments: list[str], reason: str) -> None:
    done = call("demo", *arguments)
    assert done.returncode == 2
    assert reason in " ".join(re.sub("[│╭╮╰╯─]", " ", done.stderr).split())
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nonsense"], "khaos-swap: No such command 'nonsense'; see khaos-swap --help"),
        (["up", "--port", "3"], "khaos-swap up: No such option: --port; see khaos-swap up --help"),
        (["audit"], "khaos-swap audit: Missing option '--returns'; see khaos-swap audit --help"),
        (
            ["exceptions", "list", "--owner", "bob"],
            "Invalid value for '--owner': 'bob' is none of cx, data management,",
        ),
        (
            ["exceptions", "list", "--kind", "late"],
            "Invalid value for '--kind': 'late' is none of cancelled_order_open,",
        ),
        (
            ["postings", "list", "--state", "lost"],
            "Invalid value for '--state': 'lost' is none of confirmed, in_doubt,",
        ),
        (["policy", "test", "--days", "0"], "Invalid value for '--days'"),
        (
            ["sandbox", "--port", "many", "--gateway", "x"],
            "khaos-swap sandbox: argument --port: invalid int value: 'many'",
        ),
        (["sandbox", "--port", "70000", "--gateway", "x"], "--port 70000 cannot be used (ports are 1 to 65535)"),
        (["sandbox"], "khaos-swap sandbox: --gateway is needed, or --hand-posted; see khaos-swap sandbox --help"),
    ],
)
def test_a_wrong_argument_is_one_line_that_says_where_help_is(call: Call, arguments: list[str], told: str) -> None:
    done = call(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert told in line
    assert line.endswith("--help")


@pytest.mark.parametrize("arguments", [[], ["postings"]])
def test_nothing_said_shows_the_help(call: Call, arguments: list[str]) -> None:
    done = call(*arguments)
    assert done.returncode == 2
    assert "Usage: khaos-swap" in done.stdout + done.stderr


def test_the_gateway_alone_refuses_a_taken_port(call: Call, taken_port: int) -> None:
    done = call("gateway", KHAOS_SWAP_GATEWAY_PORT=str(taken_port), **AUDIT)
    assert done.returncode == 75
    assert done.stderr.startswith(f"khaos-swap: port {taken_port} of 127.0.0.1 cannot be used (Address already in use)")


def test_a_month_that_is_none_is_refused(call: Call, tmp_path: Path) -> None:
    (tmp_path / "history.parquet").touch()
    done = call("demo", "--once", "--history", "history.parquet", "--month", "2010-13")
    assert (done.returncode, done.stderr) == (2, "khaos-swap: --month 2010-13: write it as YYYY-MM\n")


def test_a_taken_port_is_one_clear_line_before_anything_starts(call: Call, tmp_path: Path, taken_port: int) -> None:
    done = call("demo", "--port", str(taken_port))
    assert done.returncode == 75
    assert done.stderr == (
        f"khaos-swap: port {taken_port} of 127.0.0.1 cannot be used (Address already in use): stop the program that "
        "has it or choose another with PORT=, e.g. make demo PORT=3001\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_the_demos_is_refused(call: Call, tmp_path: Path) -> None:
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "ledger.txt").write_text("ours")
    done = call("demo", "--folder", "books", "--port", "39999")
    assert done.returncode == 2
    assert "is not the demo's" in done.stderr
    assert [path.name for path in (tmp_path / "books").iterdir()] == ["ledger.txt"]


@pytest.mark.parametrize("command", [["exceptions", "list"], ["postings", "list"]])
def test_people_without_a_database_are_told_what_to_do(call: Call, tmp_path: Path, command: list[str]) -> None:
    done = call(*command)
    assert done.returncode == 75
    assert done.stderr.startswith("there is no database yet: run khaos-swap up")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["exceptions", "list"], ["postings", "list"], ["up"], ["migrate"]])
def test_a_database_that_is_closed_to_us_is_one_line(
    call: Call, database_url: str, reader: str, command: list[str]
) -> None:
    url = database_url.replace("postgres@", f"{reader}@")
    done = call(*command, KHAOS_SWAP_DATABASE_URL=url, **free_ports(), **AUDIT)
    assert done.returncode == 75
    assert len(done.stderr.splitlines()) == 1
    assert "user reader has no permission: permission denied " in done.stderr


def test_hands_leave_tables_of_another_version_alone(
    call: Call, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "head", lambda: "9999")
    done = call("postings", "list", KHAOS_SWAP_DATABASE_URL=database_url)
    assert (done.returncode, done.stdout) == (75, "")
    assert "this program needs 9999; run: khaos-swap migrate" in done.stderr


def test_what_the_server_says_in_the_middle_of_a_command_is_one_line(
    call: Call, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise errors.DiskFull("could not extend file")

    monkeypatch.setattr("khaos_swap_assets.adapters.store.exceptions.count", full)
    done = call("exceptions", "list", KHAOS_SWAP_DATABASE_URL=database_url)
    assert (done.returncode, done.stdout) == (75, "")
    assert re.fullmatch(r"khaos-swap: .*the disk of the database is full: could not extend file; .*\n", done.stderr)


def test_what_nobody_foresaw_keeps_its_traceback() -> None:
    assert reach.said_by_the_database(ZeroDivisionError()) is None
    assert reach.said_by_the_database(errors.UndefinedTable("recon.nowhere")) is None


def test_the_demo_that_does_not_run_cannot_be_reached(call: Call) -> None:
    done = call("--demo", "exceptions", "list", KHAOS_SWAP_DATABASE_URL="postgresql://live/books")
    assert (done.returncode, done.stdout) == (2, "")
    assert "holds no demo: run make demo first" in done.stderr
