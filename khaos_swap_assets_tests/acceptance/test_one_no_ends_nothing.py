"""One refusal of a vendor about one record, or of an optional operation, holds nothing else.

Belongs here: each operation of Khaos absent, refusing one record, refusing all. Stays out: the storefront's operations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from xml.sax.saxutils import escape

import pytest

from khaos_swap_assets_tests.acceptance.conftest import Merchant
from khaos_swap_assets_tests.acceptance.khaos_wire import Refusal, enveloped
from khaos_swap_assets_tests.acceptance.swap_wire import closed, product

_A_DAY = timedelta(days=1)


def refusing(operation: str, needle: str = "") -> Refusal:
    """A Khaos that says no to an operation, where one of its parameters names the needle."""

    def why(asked: str, params: Mapping[str, str]) -> str:
        hit = asked == operation and (not needle or any(needle in text.split(",") for text in params.values()))
        return f"{operation} cannot be answered" if hit else ""

    return why


def three() -> list[dict[str, object]]:
    """Three paid returns, of a code each."""
    return [closed(number, product(f"HAT{number}")) for number in (1, 2, 3)]


def of_kind(merchant: Merchant, kind: str) -> list[tuple[str, str, str, int]]:
    return [one for one in merchant.open_exceptions() if one[0] == kind]


@pytest.mark.parametrize("operation", ["GetCompanyInfo", "GetSiteList"])
def test_an_optional_operation_may_be_missing_for_ever(operation: str, merchant: Merchant) -> None:
    merchant.trades(*three())
    merchant.books.absent = frozenset({operation})
    assert sorted(merchant.settles()) == ["RMA1", "RMA2", "RMA3"]
    assert (set(merchant.postings().values()), merchant.open_exceptions()) == ({"confirmed"}, [])


def test_company_info_of_one_merged_customer(merchant: Merchant) -> None:
    merchant.trades(*three())
    merchant.books.refuses = refusing("GetCompanyInfo", "C2")
    assert sorted(merchant.settles()) == ["RMA1", "RMA2", "RMA3"]
    assert set(merchant.postings().values()) == {"confirmed"}
    merchant.books.credit["C3"] = "10.00"
    merchant.sync(days=8)
    assert [one[1:] for one in of_kind(merchant, "credit_note_unallocated")] == [("finance", "CN105", 1000)]
    ((_, owner, subject, _),) = of_kind(merchant, "record_refused")
    assert (owner, subject) == ("engineer", "Khaos GetCompanyInfo C2")


def test_one_order_that_khaos_refuses(merchant: Merchant) -> None:
    merchant.trades(*three())
    merchant.books.refuses = refusing("ExportOrders", "KCCLX2")
    assert sorted(merchant.settles()) == ["RMA1", "RMA3"]
    ((_, owner, subject, _),) = of_kind(merchant, "record_refused")
    assert (owner, subject) == ("engineer", "Khaos ExportOrders KCCLX2")
    merchant.books.refuses = lambda operation, params: ""
    merchant.now += _A_DAY
    assert merchant.settles() == ["RMA2"]
    assert of_kind(merchant, "record_refused") == []


SPOILT: dict[str, Callable[[str], str]] = {
    "cut off": lambda operation: enveloped(operation, "")[:-40],
    "cut off within": lambda operation: enveloped(operation, escape("<LIST><ROW>")),
    "no XML": lambda operation: "<html>Service unavailable",
    "a DTD": lambda operation: enveloped(operation, escape("<!DOCTYPE x [<!ENTITY a 'b'>]><LIST>&a;</LIST>")),
    "a structure": lambda operation: enveloped(operation, "<Count>1</Count><List>2</List>"),
    "a lost reference": lambda operation: enveloped(operation, "").replace("<return>", "<return href='#9'>"),
}


@pytest.mark.parametrize(
    ("operation", "key", "how"),
    [
        *(("ExportOrders", "KCCLX2", how) for how in ("cut off", "cut off within", "no XML")),
        *(("ExportStock", "HAT2", how) for how in ("cut off within", "a DTD", "a lost reference")),
        ("ExportStockStatus", "HAT2", "a structure"),
    ],
)
def test_one_answer_that_cannot_be_read(operation: str, key: str, how: str, merchant: Merchant) -> None:
    """Whatever holds the record is spoilt; it is found, and all others are read."""
    merchant.trades(*three())
    guilty = refusing(operation, key)
    merchant.books.spoils = lambda asked, params: SPOILT[how](asked) if guilty(asked, params) else ""
    assert {"RMA1", "RMA3"} <= set(merchant.settles())
    ((_, owner, subject, _),) = of_kind(merchant, "record_refused")
    assert (owner, subject) == ("engineer", f"Khaos {operation} {key}")
    merchant.books.spoils = lambda asked, params: ""
    merchant.now += _A_DAY
    merchant.settles()
    assert (set(merchant.postings().values()), merchant.open_exceptions()) == ({"confirmed"}, [])


@pytest.mark.parametrize("operation", ["ExportStock", "ExportStockStatus"])
def test_a_chunk_is_halved_down_to_the_guilty_code(operation: str, merchant: Merchant) -> None:
    merchant.trades(*three())
    for code in [f"OTHER{number}" for number in range(40)]:
        merchant.books.codes[code], merchant.books.levels[code] = merchant.books.codes["HAT1"], 5
    merchant.books.refuses = refusing(operation, "HAT2")
    left = merchant.settles()
    assert {"RMA1", "RMA3"} <= set(left)
    subjects = [subject for _, _, subject, _ in of_kind(merchant, "record_refused")]
    assert subjects == [f"Khaos {operation} HAT2"]


def test_the_list_of_stock_may_be_refused(merchant: Merchant) -> None:
    merchant.trades(*three())
    merchant.settles()
    merchant.trades(closed(4, product("HAT1")))
    merchant.books.refuses = refusing("GetStockList")
    assert merchant.settles() == ["RMA4"]
    assert [one[1] for one in of_kind(merchant, "source_refused")] == ["engineer"]


def test_where_the_window_of_statuses_is_refused_nothing_leaves_and_nothing_closes(merchant: Merchant) -> None:
    merchant.trades(closed(1, rma_processed="N/A"), closed(2))
    merchant.settles(1)
    before = merchant.open_exceptions()
    merchant.trades(closed(3))
    merchant.swaps.put(closed(1, date_updated="10 Mar 2026, 12:40:00"))
    merchant.books.refuses = refusing("ExportOrderStatusEx")
    assert merchant.settles() == []
    now = merchant.open_exceptions()
    assert set(before) <= set(now)
    assert "source_refused" in {kind for kind, *_ in now}
    merchant.books.refuses = lambda operation, params: ""
    merchant.now += _A_DAY
    assert sorted(merchant.settles()) == ["RMA1", "RMA3"]
    assert merchant.open_exceptions() == []
