"""The demo's own world: whole, on this machine alone, and nothing of the one that it was started in."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from khaos_swap_assets.adapters import clock
from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.settings import load_settings
from khaos_swap_assets.adapters.settings_list import variables
from khaos_swap_assets.adapters.store import embedded
from khaos_swap_assets.demo import environment, live
from khaos_swap_assets.demo.environment import Place, settings_of
from khaos_swap_assets.gateway.security import DEMO_SECRETS, DEMO_STORE_SECRETS, refuse_demo_secrets
from khaos_swap_assets.sandbox.rounds import TRICKLE_SECONDS

OUTSIDE = {
    "KHAOS_SWAP_KHAOS_URL": "https://erp.example",
    "KHAOS_SWAP_MODE": "post",
    "KHAOS_SWAP_ANYTHING": "at all",
    "DAGSTER_HOME": "/real",
}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    database = SimpleNamespace(url=lambda name: f"postgresql://postgres@127.0.0.1:5999/{name}")
    return Place(tmp_path, cast(embedded.EmbeddedPostgres, database), 5001, 5002)


def env_of(place: Place, *, is_live: bool = False, storefront: bool = False) -> dict[str, str]:
    return settings_of(
        place, period_start=date(2026, 6, 1), post_from=date(2026, 6, 8), is_live=is_live, storefront=storefront
    )


def loaded(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def test_everything_of_the_outer_world_is_forgotten_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {**OUTSIDE, "HOME": "/home/me", "SWAP_KHAOS_X": "1"})
    environment.forget_outside()
    assert os.environ == {"HOME": "/home/me", "SWAP_KHAOS_X": "1"}


@pytest.mark.parametrize("is_live", [True, False])
@pytest.mark.parametrize("storefront", [True, False])
def test_the_demo_reaches_this_machine_alone(place: Place, is_live: bool, storefront: bool) -> None:
    env = env_of(place, is_live=is_live, storefront=storefront)
    urls = {name: urlsplit(value) for name, value in env.items() if name.endswith("_URL")}
    assert {url.hostname for url in urls.values()} == {"127.0.0.1"}
    assert ("KHAOS_SWAP_STOREFRONT_URL" in urls) is storefront


def test_its_settings_are_whole_and_known(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    env = env_of(place, storefront=True)
    known = {one.name for one in variables()} | {clock.VARIABLE, "DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY"}
    assert {name for name in env if name.startswith("KHAOS_SWAP_")} - known == {
        "KHAOS_SWAP_STARTED_BY",
        "KHAOS_SWAP_DAGSTER_URL",
    }
    found = loaded(env, monkeypatch)
    assert (found.mode, found.post_from, found.period_start) == ("post", date(2026, 6, 8), date(2026, 6, 1))
    assert found.storefront.is_connected


def test_no_live_installation_would_take_its_secrets(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    found = loaded(env_of(place, storefront=True), monkeypatch)
    refuse_demo_secrets(found, "demo")
    with pytest.raises(SettingsError) as caught:
        refuse_demo_secrets(found, "live")
    assert all(name in str(caught.value) for name in DEMO_SECRETS)


def test_a_second_store_is_of_the_same_sandbox_and_no_live_installation_would_take_its_secrets(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = loaded(env_of(place) | environment.further_store(place), monkeypatch).with_stores()
    assert list(found.store_names) == ["main", "outlet"]
    main, outlet = found.by_store
    assert outlet.swap.url == f"{place.sandbox_url}/outlet/returns-api"
    assert main.swap.store_id != outlet.swap.store_id
    with pytest.raises(SettingsError) as caught:
        refuse_demo_secrets(found, "live")
    assert all(f"KHAOS_SWAP_STORE_OUTLET_{name}" in str(caught.value) for name in DEMO_STORE_SECRETS)


@pytest.mark.parametrize("is_live", [True, False])
def test_only_a_play_has_a_clock_of_its_own(place: Place, is_live: bool) -> None:
    env = env_of(place, is_live=is_live)
    assert env.get(clock.VARIABLE) == (None if is_live else str(place.folder / "clock"))


def test_the_sandbox_gets_the_same_secrets_by_its_environment_and_none_by_its_arguments(place: Place) -> None:
    child = environment.sandbox(place, ["--returns", "5"])
    told = json.loads(child.env["SANDBOX_CREDENTIALS"])
    further = told.pop("further_stores")
    assert set(told.values()) <= set(DEMO_SECRETS.values())
    assert {*further["outlet"]} == set(DEMO_STORE_SECRETS.values())
    assert not {*told.values(), *further["outlet"]} & set(child.argv)
    assert child.argv[-2:] == ["--returns", "5"]
    assert child.argv[child.argv.index("--port") + 1] == "5001"
    assert child.argv[child.argv.index("--gateway") + 1] == "http://127.0.0.1:5002"


def test_both_children_tell_where_they_listen_and_when_they_are_ready(place: Place) -> None:
    sandbox, gateway = environment.sandbox(place, []), environment.gateway(place, {"A": "b"})
    assert (sandbox.name, sandbox.ready) == ("sandbox", "http://127.0.0.1:5001/admin/clock")
    assert (gateway.name, gateway.ready) == ("gateway", "http://127.0.0.1:5002/readyz")
    assert gateway.env == {"A": "b"}
    assert [one.listens.port for one in (sandbox, gateway) if one.listens] == [5001, 5002]


def test_a_folder_that_holds_anything_else_is_never_the_demos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "postgres").mkdir()
    monkeypatch.setattr(embedded, "start", lambda *_, **__: pytest.fail("a database was started"))
    with pytest.raises(SettingsError, match="is not the demo's, this is demo: refused"):
        environment.open_place(tmp_path, durable=False)


def test_the_wall_clock_is_utc_to_the_second() -> None:
    now = environment.wall_now()
    assert (now.tzinfo, now.microsecond) == (UTC, 0)
    assert timedelta(0) <= datetime.now(UTC) - now < timedelta(seconds=5)


@pytest.mark.parametrize(("every", "looks"), [(180, 30), (20, 3), (1, 1)])
def test_a_page_of_the_live_demo_rests_between_two_looks_and_the_guide_says_how_long(
    place: Place, every: int, looks: int
) -> None:
    visit = live.Visit(every=every)
    assert visit.pace["KHAOS_SWAP_SENSOR_SECONDS"] == str(looks)
    assert visit.pace["KHAOS_SWAP_KHAOS_POLL_MINUTES"] == str(max(1, every // 60))
    told = " ".join(live._guide(place, visit, 3000, 1.0).split())
    assert f"a new return arrives every {every} s, what is due is looked for every {looks} s" in told
    assert "--every 20" in told


def test_the_live_demo_rests_unless_it_is_told_otherwise() -> None:
    """At its own pace a page has half a minute to be read."""
    assert (live.Visit().seconds_between_looks, TRICKLE_SECONDS, live.EVERY) == (30, live.EVERY, 180)
