"""Files that a person brings: a witness as good as the web service, never better, and the same twice is once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from khaos_swap_assets.adapters.files import layouts
from khaos_swap_assets.adapters.files.reading import read_table
from khaos_swap_assets.adapters.files.tables import Layout, Table
from khaos_swap_assets.adapters.store import audit_log
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.stages.credit_notes.drafting import draft_waiting
from khaos_swap_assets.stages.importing import (
    Brought,
    Imported,
    ImportRefusedError,
    import_notes,
    import_orders,
)
from khaos_swap_assets.stages.returns.matching import match_waiting
from khaos_swap_assets_tests.audit.files import NOTE_COLUMNS, ORDER_COLUMNS, write_csv
from khaos_swap_assets_tests.stages.town import NOON, TODAY, Town, a_code, a_note, a_return, an_order, connect

FILE = Brought("march.csv", "abc", "Kim")
Rows = Mapping[str, Any]


def an_order_row(number: int = 1, **more: str) -> dict[str, str]:
    """One HAT at £10 of order KCCLX<number>, invoiced."""
    row = {
        "order_ref": f"KCCLX{number}",
        "so_code": f"SO{number}",
        "customer_ref": f"C{number}",
        "stock_code": "HAT",
        "quantity": "1",
        "unit_price_gross": "10.00",
        "invoiced_on": "2026-03-01",
    }
    return {**row, **more}


def a_note_row(code: str = "CN1", **more: str) -> dict[str, str]:
    """One HAT credited at £10 to customer C1 on the day of the test."""
    row = {
        "credit_note_code": code,
        "customer_ref": "C1",
        "created_on": TODAY.isoformat(),
        "stock_code": "HAT",
        "quantity": "1",
        "gross": "10.00",
    }
    return {**row, **more}


def read(folder: Path, layout: Layout[Any], columns: tuple[str, ...], rows: tuple[Rows, ...]) -> Table[Any]:
    table = read_table(write_csv(folder / "file.csv", columns, rows), layout)
    assert not table.faults, table.faults
    return table


@pytest.fixture
def orders_come(town: Town, tmp_path: Path) -> Any:
    def bring(*rows: Rows, is_cloud: bool = False, brought: Brought = FILE) -> Imported:
        table = read(tmp_path, layouts.SALES_ORDERS, ORDER_COLUMNS, rows)
        with connect(town) as conn:
            return import_orders(conn, table.rows, brought, town.now, is_cloud=is_cloud)

    return bring


@pytest.fixture
def notes_come(town: Town, tmp_path: Path) -> Any:
    def bring(*rows: Rows, brought: Brought = FILE) -> Imported:
        table = read(tmp_path, layouts.CREDIT_NOTES, NOTE_COLUMNS, rows)
        with connect(town) as conn:
            return import_notes(conn, table.rows, brought, town.now)

    return bring


def state(town: Town) -> list[Any]:
    """Everything that an import may change."""
    tables = ("khaos.sales_orders", "khaos.order_lines", "khaos.credit_notes", "khaos.credit_note_lines")
    others = ("khaos.wanted_orders", "recon.imports", "recon.audit_log", "recon.worklist")
    return [town.ask(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in (*tables, *others)]


def test_an_order_that_khaos_does_not_give_out_comes_by_file_and_is_drafted(town: Town, orders_come: Any) -> None:
    town.swap.put(a_return(1))
    town.khaos.items["HAT"] = a_code("HAT")
    town.sync()
    assert "order_not_found" in town.kinds()
    assert orders_come(an_order_row()) == Imported(1, 1, 0, 1)
    match_waiting(town.tools)
    draft_waiting(town.tools)
    assert town.one("SELECT state FROM recon.drafts") == "ready"
    assert town.one("SELECT so_code FROM recon.matched_returns") == "SO1"
    assert town.ask("SELECT source, invoiced_on FROM khaos.sales_orders") == [("file", date(2026, 3, 1))]


@pytest.mark.parametrize("invoiced_on", ["", "column left out"])
def test_nothing_is_drafted_on_an_order_that_no_source_shows_as_invoiced(
    town: Town, tmp_path: Path, invoiced_on: str
) -> None:
    town.swap.put(a_return(1))
    town.khaos.items["HAT"] = a_code("HAT")
    town.sync()
    columns = ORDER_COLUMNS if not invoiced_on else ORDER_COLUMNS[:-1]
    row = {name: value for name, value in an_order_row(invoiced_on="").items() if name in columns}
    table = read(tmp_path, layouts.SALES_ORDERS, columns, (row,))
    with connect(town) as conn:
        import_orders(conn, table.rows, FILE, town.now, is_cloud=False)
    town.sync()
    assert town.one("SELECT state FROM recon.drafts") == "held"
    assert "order_not_invoiced" in town.kinds()


def test_the_same_files_twice_change_nothing(town: Town, orders_come: Any, notes_come: Any) -> None:
    orders, notes = (an_order_row(1), an_order_row(2)), (a_note_row(), a_note_row("CN2", order_ref="KCCLX1"))
    for bring, rows in ((orders_come, orders), (notes_come, notes)):
        assert bring(*rows).changed == 2
        before = state(town)
        town.now += timedelta(days=1)
        assert bring(*rows) == Imported(2, 0, 0, 0)
        assert state(town) == before


def test_a_file_is_kept_with_who_brought_it_in_the_audit_log(town: Town, notes_come: Any) -> None:
    notes_come(a_note_row())
    assert town.ask("SELECT kind, file_name, changed, imported_by, imported_at FROM recon.imports") == [
        ("credit-notes", "march.csv", 1, "Kim", NOON)
    ]
    with connect(town) as conn:
        (entry,) = audit_log.of_document(conn, "credit-notes march.csv")
    assert (entry.who, entry.what, entry.after) == (
        "Kim", "imported", {"documents": 1, "changed": 1, "file_hash": "abc"},
    )  # fmt: skip


@pytest.mark.parametrize("so_code", ["SO1", ""])
def test_an_order_that_khaos_told_of_is_left_as_it_told(town: Town, orders_come: Any, so_code: str) -> None:
    town.swap.put(a_return(1))
    town.khaos.sell(an_order(1, invoiced_on=None))
    town.read()
    before = town.ask("SELECT * FROM khaos.sales_orders")
    assert orders_come(an_order_row(so_code=so_code)) == Imported(1, 0, 1, 0)
    assert town.ask("SELECT * FROM khaos.sales_orders") == before


def test_what_khaos_tells_takes_the_place_of_what_a_file_told(town: Town, orders_come: Any, notes_come: Any) -> None:
    town.swap.put(a_return(1))
    town.khaos.items["HAT"] = a_code("HAT")
    town.read()
    orders_come(an_order_row(so_code="", unit_price_gross="99.00"))
    notes_come(a_note_row(gross="99.00", order_ref="KCCLX1"))
    assert town.ask("SELECT so_code, source FROM khaos.sales_orders") == [("KCCLX1", "file")]
    town.khaos.sell(an_order(1))
    town.khaos.notes["CN1"] = a_note()
    town.now += timedelta(hours=2)
    town.read()
    assert town.ask("SELECT so_code, source, gross_pence FROM khaos.sales_orders JOIN khaos.order_lines "
                    "USING (so_code)") == [("SO1", "khaos", 1000)]  # fmt: skip
    assert town.ask("SELECT gross_pence, source, import_id, order_ref FROM khaos.credit_notes") == [
        (1000, "khaos", None, "KCCLX1")
    ]
    assert notes_come(a_note_row(gross="99.00")) == Imported(1, 0, 1, 0)
    assert town.one("SELECT gross_pence FROM khaos.credit_notes") == 1000


def test_a_status_makes_an_order_of_a_file_khaos_s_own(town: Town, orders_come: Any) -> None:
    orders_come(an_order_row())
    town.khaos.sell(an_order(1, invoiced_on=None))
    town.read()
    assert town.ask("SELECT source, invoiced_on FROM khaos.sales_orders") == [("khaos", None)]
    assert orders_come(an_order_row()).told_by_khaos == 1


def out_at_khaos(town: Town) -> CreditNote:
    """RMA1's document is out, and Khaos hides the note that it made of it."""
    town.sells_and_takes_back(a_return(1))
    town.sync()
    (note,) = town.pull()
    del town.khaos.notes[note.credit_note_code]
    town.sync()
    assert town.one("SELECT state FROM recon.postings") == "in_doubt"
    return note


@pytest.mark.parametrize("customer", [{}, {"customer_ref": ""}, {"customer_ref": "", "order_ref": "KCCLX1"}])
def test_a_note_of_a_file_witnesses_a_posting(town: Town, notes_come: Any, customer: dict[str, str]) -> None:
    note = out_at_khaos(town)
    notes_come(a_note_row("CN7", associated_ref=note.associated_ref, **customer))
    town.sync()
    assert town.ask("SELECT state, credit_note_code, witnessed_pence FROM recon.postings") == [
        ("confirmed", "CN7", 1000)
    ]
    assert town.ask("SELECT status, matched_by FROM recon.reconciliation") == [("matched", "posting")]


def test_a_note_of_a_file_at_another_value_is_a_gap(town: Town, notes_come: Any) -> None:
    note = out_at_khaos(town)
    notes_come(a_note_row("CN7", associated_ref=note.associated_ref, gross="9.00"))
    town.sync()
    assert town.ask("SELECT state, witnessed_pence FROM recon.postings") == [("confirmed", 900)]
    assert "value_gap" in town.kinds()


def test_a_note_of_a_file_keeps_anything_from_being_planned_over_it(town: Town, notes_come: Any) -> None:
    town.sells_and_takes_back(a_return(1))
    town.read()
    notes_come(a_note_row("CN7", gross="8.00"))
    town.sync()
    assert town.ask("SELECT count(*) FROM recon.postings") == [(0,)]
    assert town.pull() == []


def test_lines_of_one_code_add_up_and_money_is_whole(town: Town, notes_come: Any) -> None:
    rows = [a_note_row(gross="4.00", net="3.33"), a_note_row(gross="6.00", net="5.00"), a_note_row(gross="0")]
    notes_come(*rows[:2], {**rows[2], "stock_code": "", "quantity": "", "delivery_gross": "2.50"})
    assert town.ask("SELECT gross_pence, net_pence, delivery_gross_pence, issued_on FROM khaos.credit_notes") == [
        (1250, None, 250, TODAY)
    ]
    assert town.ask("SELECT stock_code, quantity FROM khaos.credit_note_lines") == [("HAT", 2)]
    notes_come(a_note_row("CN2", net="8.33"))
    assert town.one("SELECT net_pence FROM khaos.credit_notes WHERE credit_note_code = 'CN2'") == 833


@pytest.mark.parametrize(
    ("row", "later", "words"),
    [
        ({}, timedelta(minutes=1), "is not over yet"),
        ({"customer_ref": "", "order_ref": "unheard of"}, timedelta(0), "CN1 among them"),
    ],
)
def test_a_file_that_cannot_be_complete_is_refused(
    town: Town, notes_come: Any, row: dict[str, str], later: timedelta, words: str
) -> None:
    before = state(town)
    with pytest.raises(ImportRefusedError, match=words):
        notes_come(a_note_row(**row), brought=replace(FILE, complete_to=NOON + later))
    assert state(town) == before


def test_a_file_that_is_older_than_one_that_was_complete_puts_nothing_back(town: Town, notes_come: Any) -> None:
    notes_come(a_note_row(), brought=replace(FILE, complete_to=NOON))
    before = state(town)
    with pytest.raises(ImportRefusedError, match=r"older than march\.csv"):
        notes_come(a_note_row(gross="7.00"), brought=replace(FILE, complete_to=NOON - timedelta(hours=1)))
    assert state(town) == before


def test_a_later_word_that_it_is_complete_is_news(town: Town, notes_come: Any) -> None:
    for hours, count in ((3, 1), (3, 1), (2, 1), (1, 1)):
        notes_come(a_note_row(), brought=replace(FILE, complete_to=NOON - timedelta(hours=hours)))
        assert town.one("SELECT count(*) FROM recon.imports") in (count, count + (3 - hours))
    assert town.one("SELECT max(complete_to) FROM recon.imports") == NOON - timedelta(hours=1)


def test_a_note_that_a_later_complete_file_lacks_is_named_and_still_counts(town: Town, notes_come: Any) -> None:
    first, later = (replace(FILE, complete_to=NOON - timedelta(hours=hours)) for hours in (2, 1))
    early = {"created_on": (TODAY - timedelta(days=3)).isoformat()}
    assert notes_come(a_note_row("CN1", **early), a_note_row("CN2"), brought=first).absent == ()
    assert notes_come(a_note_row("CN3", **early)).absent == ()
    assert notes_come(a_note_row("CN3", **early), brought=later).absent == ("CN1",)
    assert town.one("SELECT count(*) FROM khaos.credit_notes WHERE NOT is_cancelled") == 3
