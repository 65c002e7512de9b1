"""The parts that assets are given: made from the environment, opened only when asked for."""

from __future__ import annotations

import dagster as dg
import psycopg
import pytest
from psycopg import errors

from khaos_swap_assets import resources
from khaos_swap_assets.adapters import clock
from khaos_swap_assets.adapters.errors import SettingsError, StoreError
from khaos_swap_assets.adapters.store.seal import Sealer
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.stages.toolbox import Toolbox


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Toolbox:
    monkeypatch.setenv("KHAOS_SWAP_DATABASE_URL", database_url)
    monkeypatch.setenv("KHAOS_SWAP_SEAL_KEY", Sealer.new_key())
    return resources.toolbox_from_environment()


def test_without_a_database_the_line_says_how_to_start() -> None:
    with pytest.raises(SettingsError, match="KHAOS_SWAP_DATABASE_URL is empty: start with khaos-swap up"):
        resources.toolbox_from_environment()


def test_a_run_is_given_the_toolbox_and_no_secret_is_configuration(tools: Toolbox) -> None:
    resource = resources.ToolboxResource()
    assert set(type(resource).model_fields) == {"application"}
    with dg.build_resources({"toolbox": resource}) as made:
        assert made.toolbox.settings == tools.settings
        with made.toolbox.store() as conn:
            assert conn.execute("SHOW application_name").fetchone() == ("khaos-swap dagster",)


def test_nothing_is_opened_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHAOS_SWAP_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nowhere")
    assert resources.toolbox_from_environment().settings.mode == "audit"


def test_the_store_commits_what_went_well_and_nothing_else(tools: Toolbox) -> None:
    with tools.store() as conn:
        conn.execute("INSERT INTO recon.touched_periods VALUES ('2026-03', now())")

    def fail(conn: psycopg.Connection) -> None:
        conn.execute("INSERT INTO recon.touched_periods VALUES ('2026-04', now())")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), tools.store() as conn:
        fail(conn)
    with tools.store() as conn:
        assert conn.execute("SELECT period FROM recon.touched_periods").fetchall() == [("2026-03",)]


def test_what_the_server_says_of_itself_is_one_clear_line(tools: Toolbox) -> None:
    def fill(_: psycopg.Connection) -> None:
        raise errors.DiskFull("could not extend file")

    full = "the disk of the database is full: could not extend file"
    with pytest.raises(StoreError, match=full), tools.store() as conn:
        fill(conn)


def test_a_vendor_that_is_not_configured_is_named_when_it_is_asked(tools: Toolbox) -> None:
    with pytest.raises(SettingsError, match="KHAOS_SWAP_SWAP_URL"):
        tools.open_swap()
    with pytest.raises(SettingsError, match="KHAOS_SWAP_KHAOS_URL"):
        tools.open_khaos()


def test_the_sealer_is_made_once(tools: Toolbox) -> None:
    assert tools.open_sealer() is tools.open_sealer()
    assert tools.open_sealer().unseal(tools.open_sealer().seal({"a": "b"})) == {"a": "b"}


def test_the_clock_is_the_machines(tools: Toolbox) -> None:
    assert tools.clock is clock.wall


def test_problems_reach_the_alerts(tools: Toolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr("khaos_swap_assets.adapters.alerts.send_problems", lambda *args: told.append(args))
    problems = [Problem("sku_unknown", "RMA1/TEE", "No Stock Code equals the SKU TEE", rma="RMA1", sku="TEE")]
    tools.alert(problems)
    assert told == [(tools.settings, problems)]
