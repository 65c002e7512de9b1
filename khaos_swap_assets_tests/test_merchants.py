"""Files of merchants: what each must be, what no two may have alike, and who is wanted as they come, change and go."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from khaos_swap_assets import definitions
from khaos_swap_assets.adapters.errors import HouseError, SettingsError
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.settings_runs import RunSettings
from khaos_swap_assets.adapters.store import database, embedded
from khaos_swap_assets.adapters.store.tenancy import Beside, SharedTenancy
from khaos_swap_assets.running import celery_parts, dagster_parts, house, installation, merchant, merchants
from khaos_swap_assets.running.house import Merchants
from khaos_swap_assets.running.parts import Part
from khaos_swap_assets.running.processes import Listen

FELWOOD = {
    "DATABASE_URL": "postgresql://kim:secret-of-kim@db.example/felwood",
    "SWAP_URL": "https://api.example/returns-api",
    "SWAP_STORE_ID": "st_felwood",
    "KHAOS_URL": "https://khaos.example/LiveSoap/KhaosFELWOOD.exe",
    "GATEWAY_PORT": "8701",
}
OAKHAM = {
    "DATABASE_URL": "postgresql://kim:secret-of-kim@db.example/oakham",
    "SWAP_URL": "https://api.example/returns-api",
    "SWAP_STORE_ID": "st_oakham",
    "KHAOS_URL": "https://khaos.example/LiveSoap/KhaosOAKHAM.exe",
    "GATEWAY_PORT": "8702",
}


def write(folder: Path, name: str, values: Mapping[str, str], mode: int = 0o600) -> Path:
    file = folder / f"{name}.env"
    file.write_text("".join(f"KHAOS_SWAP_{setting}={value}\n" for setting, value in values.items()))
    file.chmod(mode)
    return file


def lines(folder: Path) -> list[str]:
    """What a start says of the folder, without the folder's name."""
    with pytest.raises(SettingsError) as caught:
        house.require_merchants(folder)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_merchants_with_nothing_alike_are_taken(tmp_path: Path) -> None:
    write(tmp_path, "felwood", FELWOOD)
    write(tmp_path, "oakham-2024", {**OAKHAM, "MERCHANT": "oakham"})
    (tmp_path / "notes.txt").write_text("no merchant")
    house.require_merchants(tmp_path)
    found, faults = merchants.read_all(merchants.files(tmp_path))
    assert [(one.path.name, one.name) for one in found] == [("felwood.env", "felwood"), ("oakham-2024.env", "oakham")]
    assert faults == []
    assert "secret-of-kim" not in repr(found)


@pytest.mark.parametrize(
    ("alike", "told"),
    [
        ({"MERCHANT": "felwood"}, "name: give one another KHAOS_SWAP_MERCHANT"),
        ({"DATABASE_URL": FELWOOD["DATABASE_URL"]}, "database: each needs a KHAOS_SWAP_DATABASE_URL of its own"),
        (
            {"DATABASE_URL": "postgresql://another@DB.example:5432/felwood?sslmode=require"},
            "database: each needs a KHAOS_SWAP_DATABASE_URL of its own",
        ),
        ({"KHAOS_URL": "https://KHAOS.example:443/livesoap/khaosfelwood.exe/"}, "Khaos: only one merchant may write"),
        ({"SWAP_STORE_ID": "st_felwood"}, "Swap store: its returns would be credited twice"),
        ({"STORES": "eu", "STORE_EU_SWAP_STORE_ID": "st_felwood"}, "Swap store: its returns would be credited twice"),
        ({"GATEWAY_PORT": "8701"}, "gateway port: give one another KHAOS_SWAP_GATEWAY_PORT"),
    ],
)
def test_two_merchants_with_one_of_these_do_not_start_and_both_files_are_named(
    tmp_path: Path, alike: Mapping[str, str], told: str
) -> None:
    write(tmp_path, "felwood", FELWOOD)
    write(tmp_path, "oakham", {**OAKHAM, **alike})
    (line,) = lines(tmp_path)
    assert line.startswith(f"felwood.env and oakham.env have the same {told}")


def test_what_is_left_out_counts_as_its_default(tmp_path: Path) -> None:
    for name, values in (("felwood", FELWOOD), ("oakham", OAKHAM)):
        without = {setting: value for setting, value in values.items() if setting in ("SWAP_URL", "SWAP_STORE_ID")}
        write(tmp_path, name, without)
    assert lines(tmp_path) == [
        "felwood.env and oakham.env have the same gateway port: give one another KHAOS_SWAP_GATEWAY_PORT"
    ]


@pytest.mark.parametrize(
    ("values", "mode", "told"),
    [
        (FELWOOD, 0o640, "felwood.env: holds secrets and others may read it: chmod 600 "),
        ({**FELWOOD, "MERCHANT": "Felwood Ltd"}, 0o600, "felwood.env: 'Felwood Ltd' is no short name"),
        ({**FELWOOD, "DATA_DIR": "/srv"}, 0o600, "felwood.env: KHAOS_SWAP_DATA_DIR is the same for all merchants"),
        ({**FELWOOD, "DAGSTER_URL": "x"}, 0o600, "felwood.env: KHAOS_SWAP_DAGSTER_URL is the same for all merchants"),
        ({**FELWOOD, "SHARED_URL": "x"}, 0o600, "felwood.env: KHAOS_SWAP_SHARED_URL is the same for all merchants"),
        ({"MODE": "x" * 300_000}, 0o600, "felwood.env: is longer than 262144 bytes"),
    ],
)
def test_a_file_that_cannot_be_used_says_why_and_holds_up_no_other(
    tmp_path: Path, values: Mapping[str, str], mode: int, told: str
) -> None:
    write(tmp_path, "felwood", values, mode)
    assert lines(tmp_path)[0].startswith(told)
    write(tmp_path, "oakham", OAKHAM)
    house.require_merchants(tmp_path)


def test_a_folder_without_merchants_is_no_start(tmp_path: Path) -> None:
    assert lines(tmp_path) == [f"{tmp_path}: holds no merchant: write a file NAME.env for each"]
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        merchants.files(tmp_path / "nowhere")


def test_the_house_takes_no_setting_of_a_merchant(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("KHAOS_SWAP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KHAOS_SWAP_WEBSERVER_PORT", "3100")
    assert house.ready_settings().webserver_port == 3100
    monkeypatch.setenv("KHAOS_SWAP_SWAP_API_KEY", "key-of-swap")
    monkeypatch.setenv("KHAOS_SWAP_WEBSERVER_PROT", "3000")
    with pytest.raises(SettingsError) as caught:
        house.ready_settings()
    assert str(caught.value).splitlines() == [
        "KHAOS_SWAP_WEBSERVER_PROT: there is no such setting; did you mean KHAOS_SWAP_WEBSERVER_PORT?",
        "KHAOS_SWAP_SWAP_API_KEY: is a merchant's own: set it in the merchant's file",
    ]


def test_machines_that_share_a_house_need_a_server_and_workers_a_broker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("KHAOS_SWAP_")]:
        monkeypatch.delenv(name)
    with pytest.raises(SettingsError) as caught:
        house.ready_settings("workers")
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == [
        "KHAOS_SWAP_DATABASE_URL",
        "KHAOS_SWAP_RUNS_BROKER_URL",
    ]
    monkeypatch.setenv("KHAOS_SWAP_RUNS_BROKER_URL", "redis://:secret@redis.example:6379/0")
    with pytest.raises(SettingsError, match="KHAOS_SWAP_DATABASE_URL: is required where other machines take part"):
        house.ready_settings()
    monkeypatch.setenv("KHAOS_SWAP_DATABASE_URL", "postgresql://kim@db.example/house")
    assert house.ready_settings("workers").runs.are_sent


class Watched:
    """A folder of merchants and who is wanted of it, at a look after every change."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder, self.home = tmp_path / "merchants", tmp_path / "dagster_home"
        self.folder.mkdir()
        self.home.mkdir()
        self.said: list[str] = []
        env = {"DAGSTER_HOME": str(self.home)}
        self.there = Merchants(
            self.folder, tmp_path, env, self.said.append, lambda title, body: None, is_embedded=False
        )

    def wanted(self, looks: int = 2) -> dict[str, str]:
        """Each process with the moment of its file, after so many looks."""
        for _ in range(looks):
            self.there._next = 0.0
            found = self.there.wanted()
        return {name.removeprefix("merchant-"): one.argv[one.argv.index("--as-of") + 1] for name, one in found.items()}

    def served(self) -> dict[str, int]:
        entries = yaml.safe_load((self.home / "workspace.yaml").read_text())["load_from"]
        return {one["grpc_server"]["location_name"]: one["grpc_server"]["port"] for one in entries}


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_who_comes_changes_and_goes_touches_no_other(watched: Watched) -> None:
    write(watched.folder, "felwood", FELWOOD)
    first = watched.wanted(looks=1)
    ports = watched.served()
    assert {*first} == {*ports} == {"felwood"}
    write(watched.folder, "oakham", OAKHAM)
    assert watched.wanted(looks=1) == first, "one look may have seen half a file"
    both = watched.wanted()
    assert both["felwood"] == first["felwood"]
    assert watched.served()["felwood"] == ports["felwood"]
    changed = write(watched.folder, "oakham", {**OAKHAM, "MODE": "audit"})
    os.utime(changed, ns=(1, 1))
    again = watched.wanted()
    assert again == {"felwood": first["felwood"], "oakham": "1"}
    changed.unlink()
    assert watched.wanted() == first
    assert watched.served() == ports
    assert watched.said == []


def test_a_file_that_clashes_or_became_unusable_is_told_and_whoever_was_here_stays(watched: Watched) -> None:
    file = write(watched.folder, "oakham", OAKHAM)
    before = watched.wanted()
    write(watched.folder, "a_twin", {**OAKHAM, "MERCHANT": "twin"})
    assert {*watched.wanted()} == {"oakham"}
    assert "a_twin.env have the same database" in watched.said[0]
    os.utime(file, ns=(1, 1))
    file.chmod(0o644)
    assert watched.wanted() == before
    assert "chmod 600" in watched.said[-1] or "chmod 600" in watched.said[-2]


def test_a_folder_that_is_empty_or_away_takes_nobody_down(watched: Watched) -> None:
    file = write(watched.folder, "felwood", FELWOOD)
    before = watched.wanted()
    file.unlink()
    assert watched.wanted() == before
    watched.folder.rmdir()
    assert watched.wanted() == before


def test_a_merchants_process_is_told_the_houses_part_and_no_setting_of_any_file(watched: Watched) -> None:
    write(watched.folder, "felwood", FELWOOD)
    (child,) = watched.there.wanted().values()
    assert {*child.env} == {"DAGSTER_HOME", "KHAOS_SWAP_DATA_DIR"}
    assert child.env["KHAOS_SWAP_DATA_DIR"].endswith("/merchants/felwood")
    assert not any("secret-of-kim" in part for part in (*child.argv, *child.env.values()))


def settings_for(monkeypatch: pytest.MonkeyPatch, folder: Path, values: Mapping[str, str], server: str = "") -> str:
    """The database that a merchant's process comes to, its environment taken back afterwards."""
    file = write(folder, "felwood", values)
    with monkeypatch.context() as patch:
        patch.setattr(os, "environ", {**os.environ, installation.SHARED: server})
        found = merchant.settings_for(merchants.read(file), is_embedded=bool(server))
    assert found.merchant == "felwood"
    return found.database_url.get_secret_value()


def test_a_merchants_process_takes_up_no_file_but_the_one_that_it_was_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merchant, "start", lambda *_, **__: pytest.fail("was started"))
    file = write(tmp_path, "felwood", FELWOOD)
    before = os.umask(0o077)
    assert merchant.main([str(file), "--port", "1", "--as-of", "1"]) == HouseError.exit_code
    os.umask(before)
    assert "it changed and was not taken up" in capsys.readouterr().out


GOOD = {**FELWOOD, "SWAP_API_KEY": "key-of-swap"}
WITHOUT = {name: value for name, value in GOOD.items() if name != "DATABASE_URL"}


def test_a_merchant_has_its_own_database_or_in_audit_one_of_the_house(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = "postgresql://postgres@/khaos_swap_dagster?host=/run/x"
    assert settings_for(monkeypatch, tmp_path, GOOD, server) == FELWOOD["DATABASE_URL"]
    assert "dbname=merchant_felwood" in settings_for(monkeypatch, tmp_path, WITHOUT, server)
    with pytest.raises(SettingsError, match="DATABASE_URL: is required where the house"):
        settings_for(monkeypatch, tmp_path, WITHOUT)
    with pytest.raises(SettingsError, match="DATABASE_URL: is required when KHAOS_SWAP_MODE is post"):
        settings_for(monkeypatch, tmp_path, {**WITHOUT, "MODE": "post"}, server)


def test_one_dagster_is_one_houses(postgres: embedded.EmbeddedPostgres) -> None:
    url = postgres.url("one_house_dagster")
    database.ensure(url)
    one, other = SharedTenancy(url, "one"), SharedTenancy(url, "other")
    one.take()
    assert not one.keep()
    with pytest.raises(HouseError, match=r"one_house_dagster at .* has a running `khaos-swap up` already"):
        other.take()
    beside = Beside(url, "workers")
    beside.take()
    assert not beside.keep()
    one.leave()
    other.take()
    beside.leave()
    other.leave()


def test_what_celery_is_told_is_written_only_where_runs_are_sent(tmp_path: Path) -> None:
    homes = [
        dagster_parts.prepare_dagster_home(tmp_path / str(are_sent), is_of_many=True, are_sent=are_sent)
        for are_sent in (False, True)
    ]
    plain, sent = (yaml.safe_load((home / "dagster.yaml").read_text()) for home in homes)
    assert {name for name in sent if sent[name] != plain.get(name)} == {"run_launcher", "run_monitoring"}
    assert sent["run_monitoring"] == {**plain["run_monitoring"], **celery_parts.MONITORING}
    assert sent["run_monitoring"]["max_resume_run_attempts"] == 0
    config = sent["run_launcher"]["config"]
    assert config["broker"] == config["backend"] == {"env": "KHAOS_SWAP_RUNS_BROKER_URL"}
    told = config["config_source"]
    assert (told["task_acks_late"], told["worker_prefetch_multiplier"]) == (True, 1)
    longest = sent["run_monitoring"]["max_runtime_seconds"]
    assert told["broker_transport_options"]["visibility_timeout"] > longest, "a run that goes on is delivered again"


@pytest.mark.parametrize(
    ("part", "processes"),
    [
        ("all", ["code-server", "gateway"]),
        ("core", ["code-server"]),
        ("gateways", ["gateway"]),
        ("workers", ["run-worker"]),
    ],
)
def test_a_machine_starts_its_part_of_each_merchant(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, part: Part, processes: list[str]
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("KHAOS_SWAP_DAGSTER_URL", "postgresql+psycopg2://db.example/house_dagster")
    settings = Settings(merchant="felwood", data_dir=tmp_path)
    children, _ = merchant._parts(settings, FELWOOD["DATABASE_URL"], 20_001, lambda *_: None, part)
    assert [child.name for child in children] == processes


def test_every_job_names_its_merchants_queue_where_runs_are_sent() -> None:
    sent = RunSettings(broker_url=SecretStr("redis://redis.example"))
    for settings, tag in ((Settings(merchant="felwood"), None), (Settings(merchant="felwood", runs=sent), "felwood")):
        made = definitions.build(settings)
        repository = made.get_repository_def()
        asking = {one.job_name for one in repository.schedule_defs}
        asking |= {target.job_name for one in repository.sensor_defs for target in one.targets}
        assert asking == {"sync", "month_end", "standing_checks", "watch", "open_returns", "housekeeping"}
        tags = {name: made.resolve_job_def(name).tags.get(celery_parts.QUEUE_TAG) for name in (*asking, "sign_month")}
        assert {*tags.values()} == {tag}


def test_one_merchants_slow_vendor_leaves_the_others_their_looks_and_their_runs(tmp_path: Path) -> None:
    plain, many = (
        yaml.safe_load(
            (dagster_parts.prepare_dagster_home(tmp_path, is_of_many=is_of_many) / "dagster.yaml").read_text()
        )
        for is_of_many in (False, True)
    )
    assert {name for name in many if many[name] != plain.get(name)} == {"sensors", "schedules", "concurrency"}
    assert many["sensors"] == many["schedules"] == {"use_threads": True, "num_workers": 16}
    (limit,) = many["concurrency"]["runs"]["tag_concurrency_limits"]
    assert (limit["key"], limit["value"]) == ("merchant", {"applyLimitPerUniqueValue": True})
    assert limit["limit"] * 3 < many["concurrency"]["runs"]["max_concurrent_runs"]
    assert many["concurrency"]["pools"] == plain["concurrency"]["pools"]


def test_the_workspace_names_every_code_server(tmp_path: Path) -> None:
    servers = {"felwood": Listen("127.0.0.1", 20_001, ""), "oakham": Listen("127.0.0.1", 20_002, "")}
    file = dagster_parts.write_workspace(tmp_path, servers)
    assert yaml.safe_load(file.read_text()) == {
        "load_from": [
            {"grpc_server": {"host": "127.0.0.1", "port": port, "location_name": name}}
            for name, port in (("felwood", 20_001), ("oakham", 20_002))
        ]
    }
    assert list(tmp_path.iterdir()) == [file]
