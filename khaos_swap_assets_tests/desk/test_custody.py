"""The page of custody: where goods are, by SKU, by place and age, and what is on no shelf or was not looked at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from khaos_swap_assets_tests.desk.visiting import Visitor, said
from khaos_swap_assets_tests.stages.town import Town, a_line, a_return

OPEN: dict[str, Any] = {"status": "Open", "processed_at": None, "closed_at": None, "quality_control_status": "Pending"}


@pytest.fixture
def filled(town: Town) -> Town:
    """Three HATs that nobody looked at, one that nobody looked at and that is on the shelf, and hostile words."""
    evil = a_line('<b>"x"</b>', 2, 500, product_id="E")
    town.sells_and_takes_back(
        a_return(1, a_line("HAT", 3, 3000), **OPEN),
        a_return(2),
        a_return(3, evil, **OPEN, delivery_status="In-Transit"),
    )
    town.sync()
    town.pull()
    town.sync()
    town.now += timedelta(days=3)
    return town


def test_where_the_units_of_a_code_are(filled: Town, ann: Visitor) -> None:
    page = ann.text("/custody?code=HAT")
    assert "4 units of HAT" in page
    assert "Delivered, nobody has looked 3 £30.00" in page
    assert "Back in the saleable stock, nobody has looked 1 £10.00" in page
    assert "No unit of it came back" in ann.text("/custody?code=hat")


def test_what_waits_and_what_nobody_looked_at(filled: Town, ann: Visitor) -> None:
    page = ann.text("/custody")
    waiting, unseen = page.split("Came in and is not on the shelf")[1].split("On the shelf, and nobody looked")
    assert "RMA1 HAT 3 £30.00" in waiting
    assert "RMA2" not in waiting
    assert "RMA2 HAT 1 £10.00" in unseen


def test_what_others_wrote_is_text(filled: Town, ann: Visitor) -> None:
    for path in ("/custody", "/custody?code=%3Cb%3E%22x%22%3C/b%3E"):
        assert "<b>" not in ann.get(path).text
    refused = ann.get(f"/custody?code={'x' * 101}")
    assert (refused.status_code, "too long" in said(refused)) == (400, True)


def test_an_empty_installation_says_so(ann: Visitor) -> None:
    assert "Nothing has come back yet." in ann.text("/custody")
    assert "/custody" in ann.get("/").text
