from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from lxml import etree

from khaos_swap_assets.adapters.khaos import status
from khaos_swap_assets.adapters.khaos.records import CancelledNote, OrderStatus
from khaos_swap_assets.adapters.khaos.wire import KhaosRowFault
from khaos_swap_assets.domain.documents.credit_notes import CreditNote

ISSUED = (
    '<INVOICE INVOICE_CODE="INV90551" INVOICE_DATE="03/11/2025" SHIP_DATE="03/11/2025" ISSUE_DATE="04/11/2025" '
    'INVOICE_STAGE_ID="70"><INVOICE_ITEMS><INVOICE_ITEM STOCK_CODE="FELL" QTY_SENT="2"/></INVOICE_ITEMS></INVOICE>'
)
TOTALS = '<ITEMS_TOTAL NET_VALUE="141.65">169.98</ITEMS_TOTAL><DELIVERY_TOTAL NET_VALUE="4.13">4.95</DELIVERY_TOTAL>'


def invoice(stage: str, issue: str = "", day: str = "", sent: str = "", items: str = "") -> str:
    return (
        f'<INVOICE ISSUE_DATE="{issue}" INVOICE_DATE="{day}" SHIP_DATE="{sent}" INVOICE_STAGE_ID="{stage}">'
        f"<INVOICE_ITEMS>{items}</INVOICE_ITEMS></INVOICE>"
    )


def item(code: str, quantity: str) -> str:
    return f'<INVOICE_ITEM STOCK_CODE="{code}" QTY_SENT="{quantity}"/>'


def row(
    code: str = "SO1",
    kind: str = '<ORDER_TYPE TYPE_ID="1">Sales Order</ORDER_TYPE>',
    invoices: str = ISSUED,
    totals: str = TOTALS,
    extra: str = "",
    currency: str = "GBP",
    created: str = "03/11/2025",
) -> str:
    return (
        f'<ORDER_STATUS SORDER_CODE="{code}" ASSOCIATED_REF="LK10457">'
        f'<COMPANY_NAME COMPANY_CODE="PATEL0007" OTHER_REF="7720114">Ms A Patel</COMPANY_NAME>{kind}'
        f"<CURRENCY_CODE>{currency}</CURRENCY_CODE><DATE_CREATED>{created}</DATE_CREATED>{totals}{extra}"
        f"<INVOICES>{invoices}</INVOICES></ORDER_STATUS>"
    )


def sample(complete: str, invoices: str = "", created: str = "12/11/2025") -> str:
    """A note as the contract's own sample shows it."""
    return note("CN02217", invoices=invoices, extra=f"<COMPLETE>{complete}</COMPLETE>", created=created)


def note(code: str = "CN1", **parts: str) -> str:
    return row(code, kind='<ORDER_TYPE TYPE_ID="2">Credit Note</ORDER_TYPE>', **parts)


def read(*rows: str) -> tuple[list[status.Document], list[KhaosRowFault]]:
    return status.read_statuses(etree.fromstring(f"<STATUS_LIST>{''.join(rows)}</STATUS_LIST>"))


def one(found: str) -> status.Document:
    (document,), faults = read(found)
    assert faults == []
    return document


ORDER = OrderStatus(
    so_code="SO1",
    associated_ref="LK10457",
    customer_code="PATEL0007",
    currency="GBP",
    ordered_on=date(2025, 11, 3),
    invoiced_on=date(2025, 11, 4),
    is_cancelled=False,
    items_gross_pence=16998,
    delivery_gross_pence=495,
    stock_codes=(("FELL", 2),),
    stage_id=70,
)
NOTE = CreditNote(
    credit_note_code="CN1",
    associated_ref="LK10457",
    customer_code="PATEL0007",
    currency="GBP",
    created_on=date(2025, 11, 3),
    issued_on=date(2025, 11, 4),
    stage_id=70,
    gross_pence=17493,
    net_pence=14578,
    delivery_gross_pence=495,
    lines=(("FELL", 2),),
)


def test_an_order_and_a_note_are_read() -> None:
    assert one(row(extra="<BRAND_NEW><TAG/></BRAND_NEW>")) == ORDER
    assert one(note()) == NOTE


def test_the_name_of_a_customer_is_never_read() -> None:
    assert "Patel" not in repr(one(row()))


@pytest.mark.parametrize(
    ("type_id", "words", "expected"),
    [
        ("1", "Sales Order", OrderStatus),
        ("S", "Sales Order", OrderStatus),
        ("s", "", OrderStatus),
        ("", "sales order", OrderStatus),
        ("2", "Credit Note", CreditNote),
        ("C", "Credit Note", CreditNote),
        ("2", "", CreditNote),
        ("", "CREDIT NOTE", CreditNote),
        ("9", "Credit Note", CreditNote),
    ],
)
def test_types_are_known_by_id_or_by_text(type_id: str, words: str, expected: type) -> None:
    assert isinstance(one(row(kind=f'<ORDER_TYPE TYPE_ID="{type_id}">{words}</ORDER_TYPE>')), expected)


@pytest.mark.parametrize(
    ("type_id", "words"), [("", ""), ("3", "Quotation"), ("S", "Credit Note"), ("2", "Sales Order")]
)
def test_an_unclear_type_is_a_fault(type_id: str, words: str) -> None:
    documents, faults = read(row(kind=f'<ORDER_TYPE TYPE_ID="{type_id}">{words}</ORDER_TYPE>'), note())
    assert documents == [NOTE]
    assert faults[0].subject == "SO1"
    assert "no known type" in faults[0].reason


@pytest.mark.parametrize(
    ("invoices", "expected"),
    [
        ("", None),
        (invoice("10", day="03/11/2025"), None),
        (invoice("19"), None),
        (invoice("70", issue="04/11/2025"), date(2025, 11, 4)),
        (invoice("71", day="05/11/2025"), date(2025, 11, 5)),
        (invoice("70", sent="06/11/2025"), date(2025, 11, 6)),
        (invoice("73"), date(2025, 11, 3)),
        (invoice("16", issue="04/11/2025"), date(2025, 11, 4)),
        (invoice("70", issue="09/11/2025") + invoice("70", issue="07/11/2025"), date(2025, 11, 7)),
        (invoice("12") + invoice("70", issue="07/11/2025"), date(2025, 11, 7)),
        (invoice("1", issue="07/11/2025") + invoice("12"), None),
        (invoice("70", issue="30/12/1899", day="2025-11-08"), date(2025, 11, 8)),
    ],
)
def test_an_order_is_invoiced_on_its_first_issue(invoices: str, expected: date | None) -> None:
    found = one(row(invoices=invoices))
    assert isinstance(found, OrderStatus)
    assert found.invoiced_on == expected


@pytest.mark.parametrize(
    ("invoices", "stage", "issued_on", "is_issued"),
    [
        ("", None, None, False),
        (invoice("10"), 10, None, False),
        (invoice("70", issue="07/11/2025"), 70, date(2025, 11, 7), True),
        (invoice("70"), 70, date(2025, 11, 3), True),
        (invoice("16", issue="07/11/2025"), 16, date(2025, 11, 7), True),
        (invoice("70", issue="07/11/2025") + invoice("16"), 16, None, False),
        (invoice("70", issue="07/11/2025") + invoice("71", issue="09/11/2025"), 70, date(2025, 11, 9), True),
    ],
)
def test_a_note_is_issued_when_all_of_it_is(
    invoices: str, stage: int | None, issued_on: date | None, is_issued: bool
) -> None:
    found = one(note(invoices=invoices))
    assert isinstance(found, CreditNote)
    assert (found.stage_id, found.issued_on, found.is_issued) == (stage, issued_on, is_issued)


@pytest.mark.parametrize(
    ("row", "issued_on", "is_issued", "is_shown"),
    [
        (sample("-1"), date(2025, 11, 12), True, False),
        (sample("-1", created=""), None, True, False),
        (sample("0"), None, False, True),
        (sample(""), None, False, True),
        (sample("-1", invoice("16")), None, False, True),
        (sample("-1", invoice("70") + invoice("16")), None, False, True),
        (sample("0", invoice("70")), date(2025, 11, 12), True, False),
        (sample("-1", invoice("70", issue="13/11/2025")), date(2025, 11, 13), True, True),
        (sample("0", invoice("70", day="13/11/2025")), date(2025, 11, 13), True, True),
    ],
)
def test_a_complete_note_is_issued_unless_an_invoice_says_otherwise(
    row: str, issued_on: date | None, is_issued: bool, is_shown: bool
) -> None:
    found = one(row)
    assert isinstance(found, CreditNote)
    assert (found.issued_on, found.is_issued, found.is_issue_day_shown) == (issued_on, is_issued, is_shown)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (sample("-1"), "issued (day not shown; made on 2025-11-12)"),
        (sample("-1", invoice("70", issue="13/11/2025")), "issued on 2025-11-13"),
    ],
)
def test_a_day_that_stands_in_for_the_day_of_issue_says_so(row: str, words: str) -> None:
    found = one(row)
    assert isinstance(found, CreditNote)
    assert found.issued_words == words


@pytest.mark.parametrize("totals", [TOTALS, TOTALS.replace(">1", ">-1").replace(">4", ">-4").replace('="', '="-')])
def test_the_sign_of_a_note_does_not_matter(totals: str) -> None:
    negative = ISSUED.replace('QTY_SENT="2"', 'QTY_SENT="-2"')
    assert one(note(totals=totals, invoices=negative)) == NOTE


def test_delivery_may_be_absent() -> None:
    found = one(note(totals='<ITEMS_TOTAL NET_VALUE="8.33">10</ITEMS_TOTAL>'))
    assert found == replace(NOTE, gross_pence=1000, net_pence=833, delivery_gross_pence=0)


def test_units_add_up_over_live_invoices() -> None:
    invoices = (
        invoice("70", issue="04/11/2025", items=item("A", "1") + item("B", "2.0"))
        + invoice("12", items=item("A", "3"))
        + invoice("1", items=item("C", "9"))
    )
    found = one(row(invoices=invoices))
    assert isinstance(found, OrderStatus)
    assert found.stock_codes == (("A", 4), ("B", 2))


@pytest.mark.parametrize(
    "parts",
    [
        {"extra": "<CANCELLED><REASON>x</REASON></CANCELLED>"},
        {"extra": "<CANCELLED><CANCELLED_DATE_TIME>2025-11-05T10:00:00</CANCELLED_DATE_TIME></CANCELLED>"},
        {"invoices": invoice("1") + invoice("1")},
    ],
)
def test_what_is_cancelled_stands_apart(parts: dict[str, str]) -> None:
    order, cancelled = one(row(**parts)), one(note(**parts))
    assert isinstance(order, OrderStatus)
    assert order.is_cancelled
    assert isinstance(cancelled, CancelledNote)
    feed = status.feed([order, cancelled], [])
    assert feed.credit_notes == []
    assert feed.cancelled_credit_notes == [cancelled.note]


@pytest.mark.parametrize("parts", [{"extra": "<CANCELLED/>"}, {"invoices": ""}, {"invoices": invoice("1") + ISSUED}])
def test_what_is_not_cancelled_stays(parts: dict[str, str]) -> None:
    assert isinstance(one(note(**parts)), CreditNote)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (note("BAD", currency=""), "CURRENCY_CODE is missing"),
        (note("BAD", totals=""), "ITEMS_TOTAL is missing"),
        (note("BAD", totals="<ITEMS_TOTAL>5</ITEMS_TOTAL>"), "ITEMS_TOTAL/@NET_VALUE is missing"),
        (
            note("BAD", totals='<ITEMS_TOTAL NET_VALUE="1">1.005</ITEMS_TOTAL>'),
            "ITEMS_TOTAL: '1.005' has more decimals",
        ),
        (row("BAD", created="soon"), "DATE_CREATED: 'soon' is no date"),
        (row("BAD", invoices=invoice("seventy")), "@INVOICE_STAGE_ID: 'seventy' is no number"),
        (row("BAD", invoices=invoice("70", items=item("A", "0.5"))), "@QTY_SENT: '0.5' is no whole number"),
    ],
)
def test_a_bad_row_loses_only_itself(bad: str, reason: str) -> None:
    documents, faults = read(row(), bad, note())
    assert documents == [ORDER, NOTE]
    assert [fault.subject for fault in faults] == ["BAD"]
    assert faults[0].reason.startswith(reason)


def test_a_feed_holds_each_document_once_as_last_seen() -> None:
    newer = replace(NOTE, gross_pence=1)
    fault = KhaosRowFault("X", "bad")
    feed = status.feed([NOTE, ORDER, newer, CancelledNote(replace(NOTE, credit_note_code="CN2"))], [fault, fault])
    assert feed.orders == [ORDER]
    assert feed.credit_notes == [newer]
    assert [found.credit_note_code for found in feed.cancelled_credit_notes] == ["CN2"]
    assert feed.faults == [fault]


def test_a_note_cancelled_meanwhile_is_no_note_any_more() -> None:
    feed = status.feed([NOTE, CancelledNote(NOTE)], [])
    assert (feed.credit_notes, feed.cancelled_credit_notes) == ([], [NOTE])


def test_a_blank_answer_is_an_empty_feed() -> None:
    assert status.read_statuses(None) == ([], [])


@pytest.mark.parametrize(
    ("invoices", "stage_id"),
    [
        (invoice("12"), 12),
        (invoice("9") + invoice("13"), 13),
        (invoice("70", issue="04/11/2025") + invoice("9"), 9),
        (invoice("70", issue="04/11/2025") + invoice("71", issue="04/11/2025"), 71),
        (invoice("14", issue="04/11/2025"), 70),
        (invoice("1") + invoice("12"), 12),
        (invoice("1"), None),
        ("", None),
    ],
)
def test_the_stage_of_an_order_is_that_of_its_furthest_open_invoice(invoices: str, stage_id: int | None) -> None:
    found = one(row(invoices=invoices))
    assert isinstance(found, OrderStatus)
    assert found.stage_id == stage_id
