"""No value of any source stops a reading or the store: it is a record or a fault beside the others, whatever it holds.

Belongs here: every field of every source with every poison, through the reader and into a real PostgreSQL.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import settings as within
from hypothesis import strategies as st
from lxml import etree

from khaos_swap_assets.adapters import json_text, texts
from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.khaos import orders, pushes, status, stock
from khaos_swap_assets.adapters.khaos.envelope import document
from khaos_swap_assets.adapters.khaos.records import CancelledNote, OrderStatus, StockLevel
from khaos_swap_assets.adapters.khaos.wire import KhaosRowFault as KhaosFault
from khaos_swap_assets.adapters.store import catalogue, khaos_faults, notes, refunds, returns
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store import orders as order_store
from khaos_swap_assets.adapters.store import stock as levels
from khaos_swap_assets.adapters.storefront.records import ReadRefund, RefundSweep
from khaos_swap_assets.adapters.storefront.wire import read_refund
from khaos_swap_assets.adapters.swap.records import ReadReturn, RowFault
from khaos_swap_assets.adapters.swap.wire import read_row
from khaos_swap_assets.domain.records.stock_codes import StockCode
from khaos_swap_assets_tests.adapters.khaos import test_orders, test_status
from khaos_swap_assets_tests.adapters.storefront import shop
from khaos_swap_assets_tests.adapters.swap.rows import product, row, settings

NOW = datetime(2026, 3, 9, 15, 41, 30, tzinfo=UTC)
Database = psycopg.Connection[Any]
RANDOM = random.Random(7)
WIDE = "".join(chr(RANDOM.randrange(0x10000, 0x2FFFF)) for _ in range(2_800))
TEXTS = [
    *("x" * 2_800, WIDE, WIDE[:200], WIDE[:201], "A\0B", "\ud800", "\ufffd", "9" * 5_000, "1e99", "-1e99", "1e-99"),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "01/01/0001", "31/12/9999", "9999999999999.99", "-5"),
    *("", " ", "NaN", "Infinity", "sNaN", "\u202e\u2028", "١٢", "999999999", "-999999999", "GBP\0", "#", "5e2"),
]
DEEP: Any = json_text.tolerant(b"[" * 400 + b"]" * 400)
VALUES: list[Any] = [
    *(*TEXTS, None, True, 0, -1, 2**31, 2**63, 10**30, 10**99, Decimal("1E+99"), Decimal("-0.001"), Decimal("1E-60")),
    *([], {}, [None], ["x" * 3_000] * 3, {"a": "x"}, DEEP, {"x" * 3_000: 1}),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every member of a JSON value."""
    if path:
        yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in members:
        yield from places(part, (*path, name))


def poisoned(value: Any, path: tuple[Any, ...], poison: Any) -> Any:
    made = copy.deepcopy(value)
    holder = made
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = poison
    return made


def pairs(ways: list[tuple[Any, ...]]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Each way with every second poison, in turns: what one field is spared, its neighbour gets."""
    for number, way in enumerate(ways):
        yield from ((way, bad) for bad in VALUES[number % 2 :: 2])


def a_return(number: int) -> dict[str, Any]:
    extras = {"exchange_items": [{"quantity": 1, "price": Decimal("5.00"), "discount": 0}], "shopify_return_id": "77"}
    taxes = {name: Decimal("1.00") for name in ("refunded_non_inclusive_taxes", "refunded_duties")}
    return row(number, **extras, products=[product(1, **taxes)], tags="x", brand_new_field={"a": 1})


def kept_returns(database: Database, raws: list[Any]) -> list[ReadReturn | RowFault]:
    read = [read_row(raw, settings()) for raw in raws]
    good = [one for one in read if isinstance(one, ReadReturn)]
    faults = [one for one in read if isinstance(one, RowFault)]
    newest = {one.record.return_id: one for one in good}
    returns.save(database, list(newest.values()), NOW)
    returns.save_unreadable(database, [(one.row_hash, one.subject, one.reason) for one in faults], NOW)
    found = returns.load(database, list(newest))
    assert found == {name: one.record for name, one in newest.items()}
    return read


@pytest.mark.long
def test_no_field_of_a_return_stops_the_others(database: Database) -> None:
    ways = list(places(a_return(0)))
    raws = [poisoned(a_return(n), way, bad) for n, (way, bad) in enumerate(pairs(ways))]
    read = kept_returns(database, [*raws, *VALUES, a_return(10**6)])
    assert isinstance(read[-1], ReadReturn)
    faults = [one for one in read if isinstance(one, RowFault)]
    assert len(faults) > 150
    assert all(one.reason and len(one.subject) <= texts.LONGEST_KEY for one in faults)


@pytest.mark.parametrize("name", ["rma_number", "return_id", "shopify_order_name", "order_id", "shopify_return_id"])
@pytest.mark.parametrize("bad", ["x" * 2_800, "A\0B", "\ud800", WIDE], ids=["long", "NUL", "surrogate", "wide"])
def test_a_code_that_no_index_holds_is_a_fault_that_names_it(name: str, bad: str) -> None:
    spoilt: dict[str, Any] = {name: bad}
    found = read_row(row(**spoilt), settings())
    assert isinstance(found, RowFault)
    assert [reason.partition(":")[0] for reason in found.reasons] == [name]


@pytest.mark.parametrize("products", [[{}] * 1_001, [product(n) for n in range(1_001)]], ids=["empty", "whole"])
def test_a_return_of_too_many_lines_is_a_fault(products: list[Any]) -> None:
    found = read_row(row(products=products), settings())
    assert isinstance(found, RowFault)
    assert found.reasons == ("products: holds more than 1000 lines",)


@pytest.mark.parametrize("bad", ["x" * 2_800, "A\0B", "\ud800"], ids=["long", "NUL", "surrogate"])
def test_a_sku_that_no_index_holds_is_a_fault(bad: str) -> None:
    found = read_row(row(products=[product(sku=bad)]), settings())
    assert isinstance(found, RowFault)
    assert found.reason.startswith("products[0].sku: ")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text() | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)


def test_whatever_swap_writes_is_a_record_or_a_fault(database: Database) -> None:
    fields = st.sampled_from(list(places(a_return(0))))

    @within(max_examples=20, deadline=None)
    @given(st.lists(st.tuples(fields, JSON), min_size=1, max_size=40))
    def law(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
        read = kept_returns(database, [poisoned(a_return(n), *change) for n, change in enumerate(changes)])
        assert len(read) == len(changes)
        database.rollback()

    law()


def a_refund(number: int) -> dict[str, Any]:
    back = {"id": "gid://shopify/Return/77"}
    fee = {"id": "gid://shopify/RefundShippingLine/3", "subtotalAmountSet": shop.money("3"), "taxAmountSet": None}
    return shop.refund(number, **{"return": back}, refundShippingLines=shop.listed(fee))


def test_no_field_of_a_refund_stops_the_others(database: Database) -> None:
    ways = [("node", *way) for way in places(a_refund(0))] + [("order", "id"), ("order", "name")]
    given_ = [
        poisoned({"order": shop.order(n), "node": a_refund(n)}, way, bad) for n, (way, bad) in enumerate(pairs(ways))
    ]
    read = [read_refund(one["order"], one["node"]) for one in given_] + [read_refund(shop.order(1), a_refund(10**6))]
    assert isinstance(read[-1], ReadRefund)
    good = list({one.record.refund_id: one for one in read if isinstance(one, ReadRefund)}.values())
    faults = list({one.row_hash: one for one in read if isinstance(one, RowFault)}.values())
    refunds.save(database, good, NOW)
    refunds.save_faults(database, RefundSweep(tuple(good), tuple(faults), len(read), 1), NOW)
    assert len(faults) > 150
    assert database.execute("SELECT count(*) FROM storefront.refunds").fetchone() == (len(good),)


def spoilt(sample: str, make: Callable[[int], str]) -> Iterator[str]:
    """The row once for each text and attribute of it and each poison; ``make`` gives it a code of its own."""
    root = etree.fromstring(sample)
    marks = [(one, name) for one in range(len(list(root.iter()))) for name in ("", *list(root.iter())[one].attrib)]
    for number, (place, name, bad) in enumerate((*mark, bad) for mark in marks for bad in TEXTS):
        made = etree.fromstring(make(number))
        element = list(made.iter())[place]
        if name:
            element.set(name, "@@")
        elif not len(element):
            element.text = "@@"
        told = bad.encode("utf-8", "replace").decode() if bad != "A\0B" else "A&#0;B"
        yield etree.tostring(made, encoding="unicode").replace("@@", told.replace("\0", "&#0;"))


def read_all(name: str, rows: Iterator[str]) -> etree._Element:
    root = document(f"<{name}>{''.join(rows)}</{name}>")
    assert root is not None
    return root


def test_no_field_of_the_status_list_stops_the_others(database: Database) -> None:
    samples = (test_status.note, test_status.row)
    rows = [one for make in samples for one in spoilt(make("X"), lambda n, make=make: make(f"{make.__name__}{n}"))]  # type: ignore[misc]
    found, faults = status.read_statuses(read_all("STATUS_LIST", iter([*rows, test_status.note("GOOD")])))
    feed = status.feed(found, faults)
    assert "GOOD" in [one.credit_note_code for one in feed.credit_notes]
    assert [one for one in found if isinstance(one, OrderStatus | CancelledNote)]
    notes.save(database, feed.credit_notes, NOW)
    khaos_faults.save(database, feed.faults, NOW)
    order_store.want(database, [one.associated_ref for one in feed.orders], NOW)
    assert len(feed.faults) > 100
    assert all(len(one.subject) <= texts.LONGEST_KEY for one in feed.faults)


def test_no_field_of_an_order_stops_the_others(database: Database) -> None:
    def made(number: int) -> str:
        return test_orders.order(code=f'<INTERNAL_REF TYPE_ID="1" TYPE_DESC="Sales Order">SO{number}</INTERNAL_REF>')

    rows, refused = [], 0
    for one in spoilt(made(0), made):
        try:
            rows += orders.read_orders(document(f"<SALES_ORDERS>{one}</SALES_ORDERS>"))
        except PermanentError:
            refused += 1
    read = list({one.order.so_code: (one.order, json.dumps(one.party).encode()) for one in rows}.values())
    order_store.save(database, read, NOW)
    assert min(refused, len(read)) > 50


ITEM = (
    "<STOCK_ITEM><STOCK_CODE>C{0}</STOCK_CODE><STOCK_ID>{0}</STOCK_ID><STOCK_DESC>Hat</STOCK_DESC>"
    "<ASSOCIATED_REF>O</ASSOCIATED_REF><DISCONTINUED>0</DISCONTINUED><STOCK_CONTROLLED>-1</STOCK_CONTROLLED>"
    "<BARCODES><BARCODE>50600</BARCODE></BARCODES><LINKED_ITEMS><LINK_ITEM><LINK_TYPE>3</LINK_TYPE>"
    "<STOCK_CODE>P</STOCK_CODE><LINK_VALUE>2</LINK_VALUE></LINK_ITEM></LINKED_ITEMS></STOCK_ITEM>"
)
LEVEL = '<STOCK_ITEM CODE="L{0}" ID="{0}"><STATUS>1</STATUS><LEVEL>4</LEVEL></STOCK_ITEM>'


def test_no_field_of_the_catalogue_stops_the_others(database: Database) -> None:
    items, faults = stock.read_stock(read_all("STOCK_ITEMS", spoilt(ITEM.format(0), ITEM.format)))
    seen, bad = stock.read_levels(read_all("STOCK_STATUS", spoilt(LEVEL.format(0), LEVEL.format)), 1)
    keep_stock(database, items, seen, [*faults, *bad])
    assert min(len(items), len(faults), len(seen), len(bad)) > 10


def keep_stock(database: Database, items: list[StockCode], seen: list[StockLevel], bad: list[KhaosFault]) -> None:
    catalogue.save(database, items, NOW)
    levels.observe(database, [(one.stock_code, one.site_id, one.available) for one in seen], NOW)
    khaos_faults.save(database, bad, NOW)


def test_no_field_of_a_push_stops_the_others(database: Database) -> None:
    item = {
        "StockCode": "A",
        "StockID": "1",
        "ShortDescription": "Hat",
        "OtherRef": "O",
        "Barcodes": [{"Barcode": "5"}],
    }
    told = item | {"Options": {"Discontinued": 0, "StockControlled": -1}}
    level = {"StockCode": "A", "SiteID": 1, "Levels": {"Available": 4}}
    bodies = [[poisoned(one, way, bad) for way in places(one) for bad in VALUES] for one in (told, level)]
    items = pushes.read_stock_push({"Items": [*bodies[0], *VALUES], "Deleted": VALUES})
    seen, faults = pushes.read_level_push({"Statuses": [*bodies[1], *VALUES]})
    keep_stock(database, items.items, seen, [*items.faults, *faults])
    assert min(len(items.items), len(items.faults), len(seen), len(faults)) > 10
    for whole in VALUES:
        assert pushes.read_stock_push({"Items": whole}).items == []


INDEXES = """
    SELECT i.indexrelid::regclass::text, coalesce(pg_get_expr(i.indexprs, i.indrelid), ''), (
        SELECT count(*) FROM pg_attribute a
        WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey::int2[]) AND a.atttypid = 'text'::regtype
        AND NOT (i.indrelid::regclass::text IN ('recon.stock_moves', 'recon.stock_adjustments')
            AND a.attname = 'disposition')
        AND NOT (i.indrelid = 'recon.inbox'::regclass AND a.attname IN ('source', 'order_id'))
        AND NOT (i.indrelid = 'recon.exceptions'::regclass AND a.attname = ANY('{owner,kind,severity,currency}')))
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace::regnamespace::text IN ('swap', 'khaos', 'storefront', 'recon')
"""


def test_the_longest_codes_fit_into_every_index(database: Database) -> None:
    """Each text of an index is a code of any length, but for words of our own, currencies and short numbers."""
    found = database.execute(INDEXES.encode()).fetchall()
    longest = 4 * texts.LONGEST_KEY
    assert len(found) > 50
    assert [name for name, _, count in found if count * longest > 2_704 - 100] == []
    assert {how for _, how, _ in found if how} == {"(raw ->> 'shopify_return_id'::text)"}


def test_an_error_of_the_data_is_not_worded_as_one_of_the_server(database: Database, database_url: str) -> None:
    with pytest.raises(psycopg.Error) as caught, store.reported(database_url):
        database.execute(
            "INSERT INTO khaos.stock_codes (stock_code, stock_id, content_hash, changed_at, seen_at) "
            "VALUES (%s, '', '', now(), now())",
            (WIDE,),
        )
    assert caught.value.sqlstate == "54000"
    told = str(store.translate(caught.value, database_url))
    assert "is the server running" not in told
    assert "index row" in told
