"""The proof of the catalogue notices what it is to notice, and holds for a small one."""

from __future__ import annotations

from typing import Any

import pytest

from khaos_swap_assets_tests.prove import catalogue_feed
from khaos_swap_assets_tests.prove.catalogue_feed import a_level, an_item, judged, parts

GOOD = {"rows_a_second": 9_000, "peak_mb": 150, "seconds_of_one_changed": 0.1}


def figures(**whole: Any) -> dict[str, Any]:
    return {"tenth": GOOD, "whole": GOOD | whole, "again": GOOD}


@pytest.mark.parametrize(
    ("whole", "faults"),
    [
        ({}, []),
        ({"peak_mb": 210, "rows_a_second": 2_000, "seconds_of_one_changed": 0.13}, []),
        ({"peak_mb": 211}, ["the first feed takes 61 MB more than a tenth of it, 60 are allowed"]),
        ({"rows_a_second": 1_999}, ["the first feed: 1999 rows a second, 2000 are wanted"]),
        ({"seconds_of_one_changed": 0.14}, ["one changed item costs 1.40 times as much over ten times the items"]),
    ],
)
def test_each_fault_is_said(whole: dict[str, Any], faults: list[str]) -> None:
    assert judged(figures(**whole)) == faults


def test_every_item_is_pushed_once_in_pushes_of_a_hundred() -> None:
    pushes = list(parts(an_item, 250, unlike=2))
    assert [len(push) for push in pushes] == [100, 100, 50]
    assert len({item["StockCode"] for push in pushes for item in push}) == 250
    assert [item["OtherRef"] for item in pushes[0][:3]] == ["whole", "whole", "SUP-2"]
    assert next(parts(a_level, 1)) == [
        {"StockCode": "FELL-000000-MOS-M", "SiteID": 1, "Levels": {"Available": 0, "OnOrder": 0}}
    ]


@pytest.mark.house
def test_a_small_catalogue_is_mirrored_exactly() -> None:
    told = catalogue_feed.gateway_catalogue(500)
    assert [fault for fault in told["faults"] if "mirrored" in fault or "codes" in fault] == []
    assert (told["tenth"]["changed"], told["whole"]["changed"], told["again"]["changed"]) == (50, 455, 0)
