"""Not known, never assumed: while a source of Khaos answers nothing, what it would say is not told as missing.

Belongs here: an operation that answers nothing from the first day, or from now on. Stays out: a no about one record.
"""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from khaos_swap_assets_tests.acceptance.conftest import Merchant, settings
from khaos_swap_assets_tests.acceptance.swap_wire import closed, product
from khaos_swap_assets_tests.acceptance.test_one_no_ends_nothing import refusing
from khaos_swap_assets_tests.acceptance.test_returns_to_come import COMING
from khaos_swap_assets_tests.by_hand import work

FEED = "ExportOrderStatusEx"
CODES = ("GetStockList", "ExportStock")
SKUS = {"sku_unknown", "sku_ambiguous", "sku_discontinued"}
TROUBLE = {"source_refused", "source_not_read"}
OF_THE_ENGINEER = {*TROUBLE, "record_refused"}
NEW = {"post_from": date(2026, 3, 5)}
EARLY = {
    "date_updated": "3 Mar 2026, 15:41:30", "rma_processed": "3 Mar 2026, 15:41:29",
    "date_closed": "3 Mar 2026, 15:41:29", "delivered_date": "3 Mar 2026, 09:00:00",
}  # fmt: skip
"""Refunded before ``NEW`` lets anything be posted."""
PAID = {"date_updated": "10 Mar 2026, 12:15:00", "rma_processed": "10 Mar 2026, 12:14:00"}

either_way = pytest.mark.parametrize("how", ["refused", "absent"])


def stops(merchant: Merchant, operation: str, how: str) -> None:
    """Khaos refuses every call of the operation, or its WSDL does not name it and a call finds no such method."""
    if how == "absent":
        merchant.books.absent = frozenset({operation})
    else:
        merchant.books.refuses = refusing(operation)


def answers(merchant: Merchant) -> None:
    """Khaos answers everything, and a day later nothing waits for its next try."""
    merchant.books.absent = frozenset()
    merchant.books.refuses = lambda operation, params: ""
    merchant.now += timedelta(days=1)


def told(merchant: Merchant, *kinds: str) -> set[tuple[str, str]]:
    """(kind, return or other subject) of what is open, of these kinds or of all."""
    rows = [(kind, subject.split("/")[0]) for kind, _, subject, _ in merchant.open_exceptions()]
    return {one for one in rows if not kinds or one[0] in kinds}


def lives(merchant: Merchant, days: int = 4) -> tuple[list[str], set[str]]:
    """So many days with their jobs: the references that left, and each kind that was open on any of them."""
    left: list[str] = []
    kinds: set[str] = set()
    for _ in range(days):
        left += merchant.settles(1)
        for job in ("open_returns", "watch"):
            work(merchant, job)
        merchant.sync()
        kinds |= {kind for kind, _ in told(merchant)}
        merchant.now += timedelta(days=1)
    return left, kinds


def refusals(merchant: Merchant, *kinds: str) -> str:
    """Subject and message of what is told as refused."""
    rows = json.loads(merchant.says("exceptions", "list", "--json").stdout)
    return " / ".join(f"{row['subject']}: {row['message']}" for row in rows if row["kind"] in kinds)


def invoices(merchant: Merchant, number: int, *, is_issued: bool) -> None:
    """Issue the invoice of order #LX<number>, or have it none that is issued."""
    order = merchant.books.documents[f"SO{number}"]
    order.is_issued, order.stage = is_issued, 70 if is_issued else 10


def notes(merchant: Merchant) -> list[str]:
    """Customers that were credited."""
    return sorted(one.customer for one in merchant.books.documents.values() if one.is_note)


def trades_with_a_wrong_code(merchant: Merchant) -> None:
    """RMA1 to RMA3 are right, ZEBRA of RMA4 is no Stock Code, and the goods of RMA5 are still on their way."""
    right = [closed(number, product(f"HAT{number}")) for number in (1, 2, 3)]
    merchant.trades(*right, closed(4, product("ZEBRA")), closed(5, product("HAT5"), **COMING))
    del merchant.books.codes["ZEBRA"]


@either_way
@pytest.mark.parametrize("operation", CODES)
def test_stock_codes_that_were_never_read_make_no_sku_wrong(operation: str, how: str, merchant: Merchant) -> None:
    trades_with_a_wrong_code(merchant)
    stops(merchant, operation, how)
    left, kinds = lives(merchant)
    assert (left, notes(merchant)) == ([], [])
    assert kinds & {*SKUS, "code_will_fail", "credit_note_missing"} == set()


@either_way
@pytest.mark.parametrize("operation", CODES)
def test_codes_that_were_never_read_are_told_by_their_operation(operation: str, how: str, merchant: Merchant) -> None:
    trades_with_a_wrong_code(merchant)
    stops(merchant, operation, how)
    _, kinds = lives(merchant, 1)
    assert "source_refused" in kinds
    assert operation in refusals(merchant, "source_refused")
    _, kinds = lives(merchant, 2)
    assert kinds >= TROUBLE
    answers(merchant)
    lives(merchant, 1)
    assert told(merchant, *OF_THE_ENGINEER) == set()


@either_way
@pytest.mark.parametrize("operation", CODES)
def test_once_stock_codes_are_read_all_goes_on_and_a_wrong_sku_is_told(
    operation: str, how: str, merchant: Merchant
) -> None:
    trades_with_a_wrong_code(merchant)
    stops(merchant, operation, how)
    lives(merchant)
    answers(merchant)
    assert sorted(merchant.settles(6)) == ["RMA1", "RMA2", "RMA3"]
    assert merchant.postings() == dict.fromkeys(("RMA1", "RMA2", "RMA3"), "confirmed")
    assert told(merchant, *SKUS) == {("sku_unknown", "RMA4")}


@pytest.mark.parametrize(("operation", "how"), [(CODES[0], "refused"), (CODES[0], "absent"), (CODES[1], "absent")])
def test_a_code_that_is_new_while_stock_codes_are_not_read_is_judged_when_they_are(
    operation: str, how: str, merchant: Merchant
) -> None:
    merchant.trades(closed(1), closed(4, product("ZEBRA")))
    del merchant.books.codes["ZEBRA"]
    assert merchant.settles() == ["RMA1"]
    stops(merchant, operation, how)
    merchant.trades(closed(2, product("NEW")))
    merchant.settles(2)
    assert told(merchant, *SKUS) == {("sku_unknown", "RMA4")}
    answers(merchant)
    assert merchant.settles(6) == ["RMA2"]
    assert told(merchant, *SKUS) == {("sku_unknown", "RMA4")}


def trades_before_the_feed(merchant: Merchant, mode: str) -> None:
    """RMA1 is right, the order of RMA2 not invoiced, RMA3 older than what is posted, RMA4 credited by staff."""
    merchant.settings = settings(**NEW, mode=mode)
    merchant.trades(closed(1), closed(2), closed(3, **EARLY), closed(4))
    invoices(merchant, 2, is_issued=False)
    merchant.books.note("CN1", 4, "10.00", reference="RMA4")


@either_way
@pytest.mark.parametrize("mode", ["post", "audit"])
def test_a_feed_that_was_never_read_shows_nothing_as_missing(mode: str, how: str, merchant: Merchant) -> None:
    trades_before_the_feed(merchant, mode)
    stops(merchant, FEED, how)
    left, kinds = lives(merchant)
    assert (left, notes(merchant)) == ([], ["C4"])
    assert kinds & {"order_not_invoiced", "credit_note_missing"} == set()


@either_way
@pytest.mark.parametrize(
    ("mode", "days", "goes", "misses"),
    [("post", 4, ["RMA1"], ["RMA3"]), ("audit", 4, [], ["RMA1", "RMA3"]), ("audit", 0, [], ["RMA3"])],
)
def test_once_the_feed_is_read_what_is_missing_is_told(
    mode: str, days: int, goes: list[str], misses: list[str], how: str, merchant: Merchant
) -> None:
    """On the day after, RMA1 is still within its limit."""
    trades_before_the_feed(merchant, mode)
    stops(merchant, FEED, how)
    merchant.sync()
    lives(merchant, days)
    answers(merchant)
    assert merchant.settles(6) == goes
    assert merchant.postings() == dict.fromkeys(goes, "confirmed")
    assert told(merchant, "order_not_invoiced") == {("order_not_invoiced", "RMA2")}
    missing = {rma for _, rma in told(merchant, "credit_note_missing")}
    assert sorted(missing - {"RMA2"}) == misses


def ids(merchant: Merchant) -> dict[int, str]:
    """Kind by id of what is open."""
    rows = json.loads(merchant.says("exceptions", "list", "--json").stdout)
    return {row["exception_id"]: row["kind"] for row in rows}


def mends(merchant: Merchant) -> None:
    """The invoice is issued, RMA2 is paid, staff credit RMA3, ZEBRA becomes a Stock Code."""
    invoices(merchant, 1, is_issued=True)
    merchant.swaps.put(closed(2, **PAID))
    merchant.books.note("CN9", 3, "10.00", reference="RMA3")
    merchant.books.codes["ZEBRA"] = merchant.books.codes["HAT"]


@either_way
def test_while_the_feed_is_refused_nothing_closes_and_afterwards_all_does(how: str, merchant: Merchant) -> None:
    merchant.settings = settings(**NEW)
    merchant.trades(closed(1), closed(2, rma_processed="N/A"), closed(3, **EARLY), closed(4, product("ZEBRA")))
    invoices(merchant, 1, is_issued=False)
    del merchant.books.codes["ZEBRA"]
    assert merchant.settles(1) == []
    before = ids(merchant)
    assert set(before.values()) >= {"order_not_invoiced", "closed_without_refund", "credit_note_missing", "sku_unknown"}
    stops(merchant, FEED, how)
    mends(merchant)
    assert lives(merchant)[0] == []
    assert before.items() <= ids(merchant).items()
    answers(merchant)
    assert sorted(merchant.settles(6)) == ["RMA1", "RMA2", "RMA4"]
    work(merchant, "watch")
    assert told(merchant) == set()


@either_way
@pytest.mark.parametrize("is_issued", [False, True])
def test_a_new_order_is_judged_when_the_feed_is_read_again(is_issued: bool, how: str, merchant: Merchant) -> None:
    merchant.trades(closed(1))
    assert merchant.settles() == ["RMA1"]
    stops(merchant, FEED, how)
    merchant.trades(closed(2))
    invoices(merchant, 2, is_issued=False)
    left, kinds = lives(merchant)
    assert (left, "order_not_invoiced" in kinds) == ([], False)
    invoices(merchant, 2, is_issued=is_issued)
    answers(merchant)
    assert merchant.settles(6) == (["RMA2"] if is_issued else [])
    assert told(merchant, "order_not_invoiced") == (set() if is_issued else {("order_not_invoiced", "RMA2")})


@either_way
@pytest.mark.parametrize("items_by", ["status", "export"])
def test_orders_that_were_never_read_are_waited_for(items_by: str, how: str, merchant: Merchant) -> None:
    """Staff credited RMA2 and named it; Khaos has no order of RMA3."""
    merchant.books.items_by = items_by
    merchant.trades(closed(1), closed(2))
    merchant.swaps.put(closed(3))
    merchant.books.note("CN1", 2, "10.00", reference="RMA2")
    stops(merchant, "ExportOrders", how)
    left, kinds = lives(merchant)
    assert (left, notes(merchant)) == ([], ["C2"])
    assert kinds & {"order_not_found", "credit_note_orphan"} == set()
    answers(merchant)
    assert merchant.settles(6) == ["RMA1"]
    assert (merchant.postings(), notes(merchant)) == ({"RMA1": "confirmed"}, ["C1", "C2"])
    assert told(merchant, "order_not_found", "credit_note_orphan") == {("order_not_found", "RMA3")}


@either_way
@pytest.mark.parametrize(
    ("operation", "never"),
    [
        *((operation, {*SKUS, "code_will_fail"}) for operation in CODES),
        ("ExportOrders", {"order_not_found", "credit_note_orphan"}),
    ],
)
def test_in_mode_audit_nothing_is_assumed_either(operation: str, never: set[str], how: str, merchant: Merchant) -> None:
    merchant.settings = settings(mode="audit")
    trades_with_a_wrong_code(merchant)
    merchant.books.note("CN1", 1, "10.00", reference="RMA1", sku="HAT1")
    stops(merchant, operation, how)
    left, kinds = lives(merchant)
    assert (left, kinds & never) == ([], set())


@either_way
def test_company_info_touches_nothing_else(how: str, merchant: Merchant) -> None:
    """Nobody knows whether a Credit Note is allocated, so none is told as open on its account."""
    merchant.books.credit["C1"] = "10.00"
    merchant.trades(closed(1), closed(2), closed(3, product("ZEBRA")), closed(4))
    invoices(merchant, 4, is_issued=False)
    del merchant.books.codes["ZEBRA"]
    stops(merchant, "GetCompanyInfo", how)
    assert sorted(merchant.settles(6)) == ["RMA1", "RMA2"]
    assert merchant.postings() == {"RMA1": "confirmed", "RMA2": "confirmed"}
    others = {one for one in told(merchant) if one[0] not in OF_THE_ENGINEER}
    assert others == {("sku_unknown", "RMA3"), ("order_not_invoiced", "RMA4")}
    merchant.sync(days=8)
    assert told(merchant, "credit_note_unallocated") == set()


@either_way
@pytest.mark.parametrize("operation", [*CODES, FEED, "ExportOrders"])
def test_a_source_that_was_never_read_is_the_engineers_alone(operation: str, how: str, merchant: Merchant) -> None:
    """All of it is right in both books, so nobody else has anything to do."""
    merchant.trades(*(closed(number, product(f"HAT{number}")) for number in (1, 2, 3)))
    stops(merchant, operation, how)
    left, kinds = lives(merchant)
    assert (left, kinds - OF_THE_ENGINEER) == ([], set())
    assert operation in refusals(merchant, "source_refused", "record_refused")
    answers(merchant)
    assert sorted(merchant.settles(6)) == ["RMA1", "RMA2", "RMA3"]
    work(merchant, "watch")
    assert told(merchant) == set()
