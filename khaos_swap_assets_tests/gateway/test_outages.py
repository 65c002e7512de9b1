"""The database is locked, or only reads: every message is refused with 503, and none that got its 200 is lost.

Belongs here: that the gateway goes on by itself. Stays out: a database that is gone (``test_limits``), the words
(``adapters.store.test_database``).
"""

from __future__ import annotations

import pytest

from khaos_swap_assets.adapters.store import database
from khaos_swap_assets_tests.gateway.conftest import Gateway, OpenGateway
from khaos_swap_assets_tests.gateway.test_inspections import BEARER, finding
from khaos_swap_assets_tests.gateway.test_webhooks import message, signed
from khaos_swap_assets_tests.outages import count, cut, kept, read_only

KEPT = "SELECT array_agg(return_id ORDER BY return_id) FROM recon.inbox"
FOUND = "SELECT array_agg(inspection_id ORDER BY inspection_id) FROM recon.inspections"


def send(gateway: Gateway, name: str) -> set[int]:
    """One message by each way in: knocks are written together, findings one by one."""
    found = gateway.post("/inspections", json=finding(inspection_id=name), headers=BEARER)
    return {knock(gateway, name), found.status_code}


def knock(gateway: Gateway, name: str) -> int:
    """One webhook of a return."""
    return gateway.post("/webhooks/swap", json=message(signed(return_id=name), **{"return": {}})).status_code


def kept_are(url: str, *names: str) -> bool:
    return bool(count(url, KEPT) == count(url, FOUND) == list(names))


def test_on_a_standby_nothing_is_accepted_and_on_a_new_primary_everything(
    open_gateway: OpenGateway, database_url: str
) -> None:
    gateway = open_gateway()
    assert send(gateway, "a") == {200}
    with read_only(database_url):
        cut(database_url)
        assert [send(gateway, "b"), send(gateway, "b")] == [{503}, {503}]
    assert send(gateway, "c") == {200}
    assert kept_are(database_url, "a", "c")


def test_under_a_lock_of_somebody_nothing_is_accepted_and_after_it_everything(
    open_gateway: OpenGateway, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.1)
    gateway = open_gateway()
    with kept(database_url, "LOCK TABLE recon.inbox, recon.inspections IN ACCESS EXCLUSIVE MODE"):
        assert send(gateway, "a") == {503}
    assert send(gateway, "b") == {200}
    assert kept_are(database_url, "b")
