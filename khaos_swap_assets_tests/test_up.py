"""``khaos-swap up`` against vendors of its own: refused as long as anything is missing, else up, working, and gone."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from khaos_swap_assets.adapters import alerts
from khaos_swap_assets.adapters.errors import HouseError, SettingsError, StoreAwayError, StoreError
from khaos_swap_assets.adapters.settings import KhaosSettings, Settings
from khaos_swap_assets.adapters.settings_door import DoorSettings
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store.tenancy import Tenancy
from khaos_swap_assets.gateway.security import DEMO_SECRETS
from khaos_swap_assets.running import installation, processes, supervisor, up
from khaos_swap_assets.running.database import Ground
from khaos_swap_assets.running.logs import Rotation
from khaos_swap_assets.running.processes import answers, free_port
from khaos_swap_assets.sandbox.generator import STORE_ID
from khaos_swap_assets_tests.running import House, fair, readable_by_others, runs, runs_of, until

OWN_KEY, OWN_PASSWORD = "a-key-of-our-own", "a-password-of-our-own"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[str]:
    """URL of both vendors, who know secrets that are not the demo's."""
    folder, port = tmp_path / "vendors", free_port()
    folder.mkdir()
    secrets = {"SANDBOX_CREDENTIALS": json.dumps({"swap_api_key": OWN_KEY, "channel_password": OWN_PASSWORD})}
    arguments = ["sandbox", "--port", str(port), "--gateway", "http://127.0.0.1:9", "--returns", "24"]
    vendors = House(folder, arguments, secrets)
    url = f"http://127.0.0.1:{port}"
    assert until(lambda: answers(f"{url}/admin/clock"), 120), vendors.said()
    yield url
    vendors.close()


def environment(url: str) -> dict[str, str]:
    return {
        "KHAOS_SWAP_SWAP_URL": f"{url}/returns-api",
        "KHAOS_SWAP_SWAP_API_KEY": OWN_KEY,
        "KHAOS_SWAP_SWAP_STORE_ID": STORE_ID,
        "KHAOS_SWAP_SWAP_REQUESTS_PER_SECOND": "100",
        "KHAOS_SWAP_KHAOS_URL": f"{url}/LiveSoap/KhaosSBX.exe",
        "KHAOS_SWAP_SENSOR_SECONDS": "1",
        "KHAOS_SWAP_PERIOD_START": "2026-05-01",
        "KHAOS_SWAP_GATEWAY_PORT": str(free_port()),
        "KHAOS_SWAP_WEBSERVER_PORT": str(free_port()),
    }


def use(monkeypatch: pytest.MonkeyPatch, env: Mapping[str, str]) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)


@pytest.mark.house
def test_in_audit_it_comes_up_works_and_a_signal_ends_it_all(sandbox: str, tmp_path: Path) -> None:
    folder = tmp_path / "live"
    folder.mkdir()
    env = environment(sandbox)
    settings = "".join(f"{name}={value}\n" for name, value in env.items())
    (folder / ".env").write_text(settings)
    before = os.umask(0)
    house = House(folder, ["up"])
    os.umask(before)
    try:
        assert house.is_up("daemon: ready"), house.said()
        ui = int(env["KHAOS_SWAP_WEBSERVER_PORT"])
        assert until(lambda: runs_of(ui, "sync", "SUCCESS"), 180), runs(ui)
        ready = httpx.get(f"http://127.0.0.1:{env['KHAOS_SWAP_GATEWAY_PORT']}/readyz")
        assert ready.json()["installation"] == "live"
        assert "mode audit: nothing is written to anyone" in house.said()
        assert "Dagster UI  http://127.0.0.1:" in house.said()
        second = House(folder, ["up"], {name: str(free_port()) for name in env if name.endswith("_PORT")})
        assert second.process.wait(120) == 75
        assert "is in use by process" in second.said()
        assert httpx.get(f"{sandbox}/admin/ledger").json()["imports"] == []
        assert readable_by_others(folder / ".khaos-swap") == []
        assert house.end(signal.SIGTERM) < fair(15)
        assert house.process.returncode == 0
        assert house.family() == []
    finally:
        house.close()


@pytest.mark.parametrize("name", DEMO_SECRETS)
def test_a_secret_of_the_demo_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    shop = {"KHAOS_SWAP_STOREFRONT_URL": "http://127.0.0.1:9", "KHAOS_SWAP_STOREFRONT_ACCESS_TOKEN": "ours"}
    use(monkeypatch, {**environment("http://127.0.0.1:9"), **shop, name: DEMO_SECRETS[name]})
    with pytest.raises(SettingsError, match=rf"{name}: this secret belongs to the demo and is public"):
        up.ready_settings()


def test_what_is_missing_is_told_before_anything_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(installation, "open_database", lambda _: pytest.fail("the database was touched"))
    use(
        monkeypatch,
        {**environment("http://127.0.0.1:9"), "KHAOS_SWAP_MODE": "post", "KHAOS_SWAP_POST_FROM": "2026-07-01"},
    )
    with pytest.raises(SettingsError) as caught:
        up.start(print)
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == [
        "KHAOS_SWAP_DATABASE_URL",
        "KHAOS_SWAP_SEAL_KEY",
        "KHAOS_SWAP_KHAOS_CHANNEL_USER",
        "KHAOS_SWAP_KHAOS_CHANNEL_PASSWORD",
    ]


def test_the_processes_are_told_where_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings(khaos=KhaosSettings(ca_file=Path("ca.pem")), policy_file=Path("policy.yaml"))
    assert up.environment(settings, "postgresql://kim:pw@db/books", "/data/dagster_home") == {
        "KHAOS_SWAP_STARTED_BY": "up",
        "KHAOS_SWAP_DATABASE_URL": "postgresql://kim:pw@db/books",
        "KHAOS_SWAP_DAGSTER_URL": store.dagster_url("postgresql://kim:pw@db/books"),
        "KHAOS_SWAP_DATA_DIR": str(tmp_path / ".khaos-swap"),
        "KHAOS_SWAP_KHAOS_CA_FILE": str(tmp_path / "ca.pem"),
        "KHAOS_SWAP_POLICY_FILE": str(tmp_path / "policy.yaml"),
        "DAGSTER_HOME": "/data/dagster_home",
    }


def test_the_size_of_logs_is_that_of_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(supervisor, "run", lambda *_, **given: asked.update(given) or 0)
    settings = Settings(data_dir=tmp_path, log_megabytes=3, log_files=2)
    database = installation.Database("postgresql://db/books")
    up._run(settings, database, Ground(database.url, tmp_path, None), lambda _: None, lambda *_: None)
    assert asked["rotation"] == Rotation(megabytes=3, files=2)


@pytest.mark.parametrize(
    ("host", "ready"),
    [
        ("127.0.0.1", "http://127.0.0.1:8700/readyz"),
        ("0.0.0.0", "http://127.0.0.1:8700/readyz"),
        ("::1", "http://[::1]:8700/readyz"),
        ("10.1.2.3", "http://10.1.2.3:8700/readyz"),
    ],
)
def test_the_gateway_is_asked_where_it_listens(host: str, ready: str) -> None:
    child = up.gateway_child(Settings(gateway_host=host), {})
    assert child.ready == ready
    assert child.listens is not None
    assert (child.listens.host, child.listens.variable) == (host, "KHAOS_SWAP_GATEWAY_PORT")


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_whoever_starts_it_is_told_that_the_ui_is_for_this_machine_only(host: str, shown: str) -> None:
    database = installation.Database("postgresql://db/books")
    told = up.told(Settings(webserver_host=host), database)
    assert told[1:3] == [
        f"  Dagster UI  http://{shown}:3000",
        "              for this machine only: it asks nobody for a password",
    ]


def test_with_members_whoever_starts_it_is_told_whose_the_desk_is() -> None:
    settings = Settings(door=DoorSettings(members_file=Path("members.yaml")))
    assert up.told(settings, installation.Database("postgresql://db/books"))[1:3] == [
        "  desk        http://127.0.0.1:3000",
        "              with Dagster's pages, for the members of members.yaml",
    ]


def test_a_database_that_is_not_there_yet_is_waited_for_with_growing_pauses_and_told() -> None:
    pauses: list[float] = []
    said: list[str] = []
    told: list[str] = []

    def open_it() -> str:
        if len(pauses) < 8:
            raise StoreAwayError("nobody answers")
        return "open"

    assert up.patiently(open_it, said.append, lambda title, _: told.append(title), pauses.append) == "open"
    assert pauses == [1, 2, 4, 8, 10, 10, 10, 10]
    assert said[:2] == ["nobody answers; trying again in 1 s", "nobody answers; trying again in 2 s"]
    assert told == ["the database is away"] * 2


def test_a_start_goes_on_once_its_database_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str
) -> None:
    monkeypatch.chdir(tmp_path)
    use(monkeypatch, environment("http://127.0.0.1:9"))
    monkeypatch.setattr(up, "FIRST_PAUSE_SECONDS", 0.01)
    answers: list[StoreAwayError | None] = [StoreAwayError("nobody answers"), StoreAwayError("it is starting up"), None]
    said: list[str] = []

    def open_it(_: Settings) -> installation.Database:
        if error := answers.pop(0):
            raise error
        return installation.Database(database_url)

    def run(*_: object, **__: object) -> int:
        with pytest.raises(HouseError, match="already, of "):
            Tenancy(database_url, "another").take()
        return 0

    monkeypatch.setattr(installation, "open_database", open_it)
    monkeypatch.setattr(supervisor, "run", run)
    assert up.start(said.append) == 0
    assert said[:2] == ["nobody answers; trying again in 0 s", "it is starting up; trying again in 0 s"]
    after = Tenancy(database_url, "another")
    after.take()
    after.leave()


def test_a_database_that_nobody_can_use_as_it_is_is_not_waited_for() -> None:
    def refused() -> str:
        raise StoreError("wrong password")

    with pytest.raises(StoreError, match="wrong password"):
        up.patiently(refused, print, print, lambda _: pytest.fail("waited"))


def test_a_living_house_keeps_its_runs_when_another_start_of_its_folder_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    use(monkeypatch, environment("http://127.0.0.1:9"))
    monkeypatch.setattr(installation, "open_database", lambda _: pytest.fail("the database was touched"))
    (tmp_path / ".khaos-swap").mkdir()
    with processes.only_house(tmp_path / ".khaos-swap"), pytest.raises(HouseError, match="is in use by process"):
        up.start(print)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (HouseError("daemon fell 4 times"), "daemon fell 4 times"),
        (StoreError("wrong password"), "wrong password"),
        (ZeroDivisionError("4711"), "ZeroDivisionError; its log says where"),
    ],
)
def test_whatever_ends_it_is_an_alert_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    use(monkeypatch, environment("http://127.0.0.1:9"))
    sent: list[tuple[str, str]] = []

    def send(_: Settings, title: str, body: str) -> bool:
        sent.append((title, body))
        return True

    def fail(_: Settings) -> None:
        raise error

    monkeypatch.setattr(alerts, "send", send)
    monkeypatch.setattr(installation, "open_database", fail)
    for _ in range(3):
        with pytest.raises(type(error)):
            up.start(print)
    assert sent == [("Khaos Swap: it ended", told)], "what falls again and again is told once"


UNIT = re.compile(r"```ini\n# /etc/systemd/system/khaos-swap.service\n(.*?)```", re.DOTALL)


def test_the_unit_of_the_handbook_brings_back_all_but_a_wrong_setting() -> None:
    handbook = (Path(up.__file__).parents[2] / "docs" / "operations.md").read_text()
    found = UNIT.search(handbook)
    assert found
    unit = dict(line.split("=", 1) for line in found[1].splitlines() if "=" in line)
    assert unit["Restart"] == "on-failure"
    assert unit["RestartPreventExitStatus"] == str(SettingsError.exit_code)
    assert unit["StartLimitIntervalSec"] == "0"
    assert int(unit["RestartSec"]) > 0
    assert {kind.exit_code for kind in (HouseError, StoreError, StoreAwayError)} == {75}
    assert f"| {StoreError.exit_code} |" in handbook
