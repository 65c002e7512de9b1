"""The service as a whole: health, outages, start from the environment, shared connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from khaos_swap_assets.adapters.errors import SettingsError, StoreError
from khaos_swap_assets.adapters.settings import load_settings
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store.pool import Pool
from khaos_swap_assets.adapters.store.seal import Sealer
from khaos_swap_assets.gateway.app import from_environment
from khaos_swap_assets.gateway.security import DEMO_SECRETS, is_same, refuse_demo_secrets
from khaos_swap_assets_tests.gateway.conftest import CHANNEL, Gateway, OpenGateway, configure


def refuse() -> psycopg.Connection[Any]:
    raise StoreError("db.internal:5432: the server cannot be reached")


def test_health_and_readiness(gateway: Gateway, open_gateway: OpenGateway) -> None:
    assert gateway.get("/healthz").json() == {"status": "ok"}
    assert gateway.get("/readyz").json() == {"status": "ready", "installation": "test"}
    down = open_gateway(connect=refuse)
    assert down.get("/healthz").status_code == 200
    assert down.get("/readyz").status_code == 503
    assert "db.internal" not in down.get("/readyz").text


@pytest.mark.parametrize("version", ["0001", "9999"])
def test_tables_of_another_version_are_not_ready(
    gateway: Gateway, database: psycopg.Connection[Any], version: str
) -> None:
    ((right,),) = database.execute("SELECT version_num FROM alembic_version").fetchall()
    try:
        database.execute("UPDATE alembic_version SET version_num = %s", (version,))
        database.commit()
        assert gateway.get("/readyz").status_code == 503
    finally:
        database.execute("UPDATE alembic_version SET version_num = %s", (right,))
        database.commit()
    assert gateway.get("/readyz").status_code == 200


def test_a_fault_of_ours_asks_the_sender_to_come_again_and_repeats_no_word_of_his(
    open_gateway: OpenGateway, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **given: Any) -> Any:
        raise RuntimeError(f"unexpected {given['continuation']}")

    answer = open_gateway(hand_out=broken).get("/khaos/returns", headers={"Sirion-Continuation": "P.N."}, auth=CHANNEL)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert "RuntimeError at" in caplog.text
    assert "P.N." not in caplog.text + answer.text


def test_the_documentation_names_every_endpoint(gateway: Gateway) -> None:
    described = gateway.get("/openapi.json").json()
    assert described["info"]["title"] == "Khaos Swap gateway"
    assert {"/webhooks/swap", "/inspections", "/khaos/config", "/khaos/returns", "/readyz"} <= set(described["paths"])
    operations = [one for path in described["paths"].values() for one in path.values()]
    assert all(one.get("summary") for one in operations)
    assert "inspection_id" in str(described["paths"]["/inspections"]["post"]["requestBody"])


def test_the_service_starts_from_the_environment(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.setenv("KHAOS_SWAP_DATABASE_URL", database_url)
    assert from_environment().title == "Khaos Swap gateway"


def test_a_live_service_does_not_start_on_a_secret_of_the_demo(
    monkeypatch: pytest.MonkeyPatch, database: psycopg.Connection[Any], database_url: str
) -> None:
    monkeypatch.setenv("KHAOS_SWAP_DATABASE_URL", database_url)
    monkeypatch.setenv("KHAOS_SWAP_INSPECTION_TOKEN", DEMO_SECRETS["KHAOS_SWAP_INSPECTION_TOKEN"])
    from_environment()
    try:
        database.execute("UPDATE recon.installation SET mark = 'live'")
        database.commit()
        with pytest.raises(SettingsError, match="KHAOS_SWAP_INSPECTION_TOKEN"):
            from_environment()
    finally:
        database.execute("UPDATE recon.installation SET mark = 'test'")
        database.commit()


def test_without_a_database_it_says_how_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="khaos-swap up"):
        from_environment()
    monkeypatch.setenv("KHAOS_SWAP_MODE", "post")
    with pytest.raises(SettingsError, match="KHAOS_SWAP_POST_FROM"):
        from_environment()


Connect = Callable[[], psycopg.Connection[Any]]


@pytest.fixture
def connect(database_url: str) -> Connect:
    return lambda: store.connect(database_url, application="pool tests")


def backend(conn: psycopg.Connection[Any]) -> int:
    return conn.info.backend_pid


def test_a_connection_is_used_again_and_its_work_is_committed(connect: Connect) -> None:
    pool = Pool(connect)
    with pool.transaction() as conn:
        first = backend(conn)
        conn.execute("INSERT INTO recon.touched_periods VALUES ('2026-03', now())")
    with pool.transaction() as conn:
        assert backend(conn) == first
        conn.rollback()
        assert conn.execute("SELECT count(*) FROM recon.touched_periods").fetchone() == (1,)
    pool.close()
    assert conn.closed


def test_work_that_failed_is_rolled_back_and_the_connection_survives(connect: Connect) -> None:
    pool = Pool(connect)

    def work() -> None:
        with pool.transaction() as conn:
            conn.execute("INSERT INTO recon.touched_periods VALUES ('2026-03', now())")
            conn.execute("SELECT * FROM nowhere")

    with pytest.raises(psycopg.errors.UndefinedTable):
        work()
    with pool.transaction() as conn:
        assert conn.execute("SELECT count(*) FROM recon.touched_periods").fetchone() == (0,)
    pool.close()


def test_a_connection_that_the_server_dropped_is_replaced(connect: Connect, database: psycopg.Connection[Any]) -> None:
    pool = Pool(connect)
    with pool.transaction() as conn:
        dropped = backend(conn)
    database.execute("SELECT pg_terminate_backend(%s, 5000)", (dropped,))
    with pool.transaction() as conn:
        assert backend(conn) != dropped
    pool.close()


def test_no_more_connections_than_allowed_and_none_is_lost(connect: Connect) -> None:
    pool = Pool(connect, size=2, patience=0.01)
    with pool.transaction(), pool.transaction(), pytest.raises(StoreError, match="in use"), pool.transaction():
        pass
    with pool.transaction(), pool.transaction():
        pass
    pool.close()
    broken = Pool(refuse, size=1, patience=0.01)
    for _ in range(3):
        with pytest.raises(StoreError, match="cannot be reached"), broken.transaction():
            pass


@pytest.mark.parametrize("name", DEMO_SECRETS)
def test_a_secret_of_the_demo_is_refused_outside_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, DEMO_SECRETS[name])
    settings = load_settings()
    refuse_demo_secrets(settings, "demo")
    with pytest.raises(SettingsError, match=name) as caught:
        refuse_demo_secrets(settings, "live")
    assert DEMO_SECRETS[name] not in str(caught.value)


def test_secrets_of_our_own_are_fine_and_the_demos_key_seals() -> None:
    refuse_demo_secrets(configure(), "live")
    sealer = Sealer(SecretStr(DEMO_SECRETS["KHAOS_SWAP_SEAL_KEY"]))
    assert sealer.unseal(sealer.seal({"a": "b"})) == {"a": "b"}


def test_a_demo_key_among_rotated_ones_is_refused() -> None:
    with pytest.raises(SettingsError, match="KHAOS_SWAP_SEAL_KEY"):
        refuse_demo_secrets(configure(seal_key=f"other, {DEMO_SECRETS['KHAOS_SWAP_SEAL_KEY']}"), "live")


@pytest.mark.parametrize(
    ("given", "expected", "same"),
    [("a", "a", True), ("a", "b", False), ("a", "ab", False), ("", "", False), ("a", "", False), ("é", "é", True)],
)
def test_comparing_secrets(given: str, expected: str, same: bool) -> None:
    assert is_same(given, expected) is same
