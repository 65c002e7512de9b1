"""The page of returns to come: the whole in a sentence, each cause, and the returns of one."""

from __future__ import annotations

from typing import Any

import pytest

from khaos_swap_assets.stages.returns.foreseeing import foresee
from khaos_swap_assets_tests.desk.visiting import Visitor, said
from khaos_swap_assets_tests.stages.town import Town, a_line, a_return

OPEN: dict[str, Any] = {"status": "Open", "processed_at": None, "closed_at": None, "refund_pence": 0}


@pytest.fixture
def filled(town: Town) -> Town:
    """Two open returns of one wrong SKU, and one of an order that Khaos does not know."""
    town.sells_and_takes_back(*(a_return(number, **OPEN) for number in (1, 2, 3)))
    town.swap.put(*(a_return(number, a_line("HAT#<b>"), **OPEN) for number in (1, 2)))
    town.khaos.orders.pop()
    town.sync()
    foresee(town.tools)
    return town


def test_the_causes_stand_below_the_whole(filled: Town, ann: Visitor) -> None:
    page = ann.text("/coming")
    assert "3 open returns will fail, 2 causes: fix HAT#<b>." in page
    assert (
        "HAT#<b> 2 0 0 HAT SKU unknown, and none ever can: it holds a #; correct it in the shop Data management" in page
    )
    assert "order KCCLX3 1 0 0 – Order not found CX" in page
    assert "<b>" not in ann.get("/coming").text


def test_the_returns_of_one_cause(filled: Town, ann: Visitor) -> None:
    page = ann.text("/coming", code="HAT#<b>")
    assert "RMA1 #LX1 Open" in page
    assert "RMA2 #LX2 Open" in page
    assert "RMA3" not in page
    assert "holds None." in ann.text("/coming", code="CAP")
    refused = ann.get("/coming", code="x" * 201)
    assert (refused.status_code, "too long" in said(refused)) == (400, True)


def test_nothing_to_come_is_said(ann: Visitor) -> None:
    assert "No open return will fail." in ann.text("/coming")
    assert "/coming" in ann.get("/").text
