"""Levels: which codes are asked for, what changed, and what Khaos tells by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from khaos_swap_assets.adapters.store import inbox
from khaos_swap_assets.stages.credit_notes.drafting import draft_waiting
from khaos_swap_assets.stages.stock.levels import SyncedLevels, sync_levels
from khaos_swap_assets_tests.stages.town import Town, a_line, a_return

LEVELS = "SELECT stock_code, site_id, available, is_as_told FROM khaos.stock_levels ORDER BY 1, 2"


def push(town: Town, *levels: tuple[str, int, object], **body: Any) -> None:
    told = body or {
        "Statuses": [
            {"StockCode": code, "StockID": "1", "SiteID": site, "Levels": {"Available": available}}
            for code, site, available in levels
        ]
    }
    with town.tools.store() as conn:
        inbox.store_push(conn, event="StockStatusUpload", body=told, now=town.now)


def ready(town: Town) -> Town:
    town.sells_and_takes_back(a_return(1), a_return(2, a_line("CAP"), quality_control_status="Pending"))
    town.read()
    draft_waiting(town.tools)
    return town


def asked(town: Town) -> list[list[str]]:
    return [what for how, what in town.khaos.asked if how == "levels"]


def test_only_codes_of_ready_drafts_and_unsettled_moves_are_asked_for(town: Town) -> None:
    assert sync_levels(ready(town).tools) == SyncedLevels(1, 1)
    assert asked(town) == [["HAT"]]
    assert town.ask(LEVELS) == [("HAT", 1, 10, False)]


def test_nothing_in_play_asks_nothing(town: Town) -> None:
    assert sync_levels(town.tools) == SyncedLevels(0, 0)
    assert asked(town) == []


def test_history_grows_only_when_a_level_changes(town: Town) -> None:
    ready(town)
    for level, changed in ((10, 1), (10, 0), (11, 1)):
        town.now += timedelta(minutes=1)
        town.khaos.levels["HAT"] = level
        assert sync_levels(town.tools).changed == changed
    assert town.ask("SELECT available FROM khaos.stock_level_history ORDER BY observed_at") == [(10,), (11,)]
    assert town.one("SELECT observed_at FROM khaos.stock_levels") == town.now


def test_pushed_levels_are_kept_as_told(town: Town) -> None:
    push(town, ("CAP", 1, 4.0), ("CAP", 9, 1.0), ("HAT ", 1, -2))
    assert sync_levels(town.tools).pushed == 3
    assert town.ask(LEVELS) == [("CAP", 1, 4, True), ("CAP", 9, 1, True), ("HAT ", 1, -2, True)]
    assert town.one("SELECT count(*) FROM recon.inbox WHERE consumed_at IS NULL") == 0


@pytest.mark.parametrize("edition", ["desktop", "cloud"])
def test_pushed_levels_are_kept_and_used_up_in_audit_too(town: Town, edition: str) -> None:
    town.with_settings(mode="audit", post_from=None, khaos={"edition": edition})
    push(town, ("CAP", 1, 4))
    assert sync_levels(town.tools) == SyncedLevels(0, 0, pushed=1)
    assert town.ask(LEVELS) == [("CAP", 1, 4, True)]
    assert town.one("SELECT count(*) FROM recon.inbox WHERE consumed_at IS NULL") == 0


def test_the_last_of_two_entries_for_one_site_counts(town: Town) -> None:
    push(town, ("CAP", 1, 4), ("CAP", 1, 3))
    sync_levels(town.tools)
    assert town.ask(LEVELS) == [("CAP", 1, 3, True)]


def test_pushes_are_used_in_the_order_in_which_they_came(town: Town) -> None:
    for level in (5, 4, 5, 3):
        push(town, ("CAP", 1, level))
        town.now += timedelta(seconds=1)
    sync_levels(town.tools)
    assert town.ask(LEVELS) == [("CAP", 1, 3, True)]


def test_an_old_push_does_not_hide_what_was_read_since(town: Town) -> None:
    ready(town)
    push(town, ("HAT", 1, 99))
    town.now += timedelta(minutes=1)
    sync_levels(town.tools)
    assert town.ask(LEVELS) == [("HAT", 1, 10, False)]
    push(town, ("HAT", 1, 8))
    town.now -= timedelta(minutes=5)
    push(town, ("HAT", 1, 77))
    town.do("DELETE FROM recon.drafts")
    sync_levels(town.tools)
    assert town.ask(LEVELS) == [("HAT", 1, 10, False)]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"Statuses": [{"StockCode": "CAP", "SiteID": 1, "Levels": {"Available": 1.5}}]},
            "Khaos: '1.5' is no whole number of units",
        ),
        ({"Levels": []}, "Khaos: the push holds no list Statuses"),
    ],
)
def test_a_push_that_cannot_be_read_becomes_an_exception(town: Town, body: dict[str, Any], message: str) -> None:
    push(town, **body)
    town.sync()
    assert town.ask("SELECT message FROM recon.exceptions WHERE kind = 'record_unreadable'") == [(message,)]
    assert town.one("SELECT count(*) FROM recon.inbox WHERE consumed_at IS NULL") == 0
