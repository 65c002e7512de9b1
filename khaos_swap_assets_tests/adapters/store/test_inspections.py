"""Inspections in the store: once for each id of the sender."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import inspections
from khaos_swap_assets.domain.goods.dispositions import Inspection

NOW = datetime(2026, 3, 9, 15, 0, tzinfo=UTC)
ONE = Inspection("INS-1", "RMA1", "SKU-A", "142", "Sellable", 2, NOW, "bench-1")
Connection = psycopg.Connection[Any]


def test_what_was_saved_is_what_is_listed(database: Connection) -> None:
    earlier = replace(ONE, inspection_id="INS-0", inspected_at=NOW - timedelta(hours=1))
    other = replace(ONE, inspection_id="INS-2", rma="RMA2")
    assert [inspections.save(database, one, NOW) for one in (ONE, earlier, other)] == ["new"] * 3
    assert inspections.of_rmas(database, ["RMA1", "RMA9"]) == [earlier, ONE]
    assert inspections.of_rmas(database, []) == []


def test_the_same_again_is_a_repeat_in_whatever_zone(database: Connection) -> None:
    inspections.save(database, ONE, NOW)
    elsewhere = replace(ONE, inspected_at=NOW.astimezone(timezone(timedelta(hours=5))))
    assert inspections.save(database, elsewhere, NOW + timedelta(days=1)) == "repeated"


@pytest.mark.parametrize(
    "change",
    [
        {"rma": "RMA2"},
        {"sku": "SKU-B"},
        {"line_item_id": ""},
        {"condition": "Damaged"},
        {"quantity": 3},
        {"inspected_at": NOW + timedelta(seconds=1)},
        {"inspected_by": "bench-2"},
    ],
    ids=str,
)
def test_anything_else_under_the_same_id_is_a_conflict(database: Connection, change: dict[str, Any]) -> None:
    inspections.save(database, ONE, NOW)
    assert inspections.save(database, replace(ONE, **change), NOW) == "conflict"
    assert inspections.of_rmas(database, ["RMA1", "RMA2"]) == [ONE]


def test_neighbouring_fields_do_not_run_together() -> None:
    assert inspections.fingerprint(replace(ONE, sku="A", line_item_id="BC")) != inspections.fingerprint(
        replace(ONE, sku="AB", line_item_id="C")
    )
