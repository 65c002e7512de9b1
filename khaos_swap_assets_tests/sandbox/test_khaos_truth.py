from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from khaos_swap_assets.sandbox.generator import build
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.khaos_returns import import_document, issue, process_return
from khaos_swap_assets.sandbox.khaos_truth import duplicates, planted
from khaos_swap_assets.sandbox.khaos_wire import KhaosFaultError
from khaos_swap_assets.sandbox.world import Note, NoteLine, Plant
from khaos_swap_assets_tests.sandbox.small import HAT, JACKET, NOW, RMA, URN, document, small_books

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Found = list[tuple[str, str]]


def found(books: Books, after: timedelta = timedelta()) -> Found:
    """(kind, RMA or note code) of what is true when the clock stands ``after`` the start."""
    books.world.now = NOW + after
    return [(plant.kind, plant.rma or plant.credit_note_code) for plant in planted(books.world)]


def with_first_note(script: str) -> Books:
    """A ledger that has its first note, from a return that the sandbox does not know, so that losing scripts act."""
    books = small_books()
    import_document(books, document(reference="FIRST", rma="RMA-0", sku=HAT, gross="10.00"))
    books.world.scripts[RMA] = script
    return books


def test_an_ordinary_return_is_no_trouble() -> None:
    books = small_books()
    import_document(books, document())
    assert found(books, 30 * DAY) == []


@pytest.mark.parametrize(("paid", "expected"), [(NOW, []), (NOW - 31 * DAY, [("credited_in_another_month", RMA)])])
def test_a_note_of_another_month_than_its_money_is_told(paid: datetime, expected: Found) -> None:
    books = small_books()
    books.world.rmas[RMA].processed_at = paid
    import_document(books, document())
    assert found(books, HOUR) == expected


@pytest.mark.parametrize(("after", "expected"), [(24 * HOUR, []), (25 * HOUR, [("posting_in_doubt", RMA)])])
def test_a_lost_document_is_in_doubt_after_a_day(after: timedelta, expected: Found) -> None:
    books = with_first_note("drop_import")
    import_document(books, document())
    assert found(books, after) == expected


def test_a_lost_document_that_comes_again_is_in_order() -> None:
    books = with_first_note("drop_import")
    for _ in range(2):
        import_document(books, document())
    assert found(books, 2 * DAY) == []


def test_a_failed_import_is_in_doubt() -> None:
    books = small_books()
    import_document(books, document(reason="9"))
    assert found(books, 2 * DAY) == [("posting_in_doubt", RMA)]


def test_a_partial_return_is_refused_once_somebody_asked() -> None:
    books = with_first_note("partial_return")
    kept = import_document(books, document())
    assert found(books, 2 * DAY) == [("posting_in_doubt", RMA)]
    with pytest.raises(KhaosFaultError):
        process_return(books, kept.return_code, "auth")
    assert found(books, 2 * DAY) == [("posting_refused", RMA)]


def test_a_partial_return_that_was_pulled_twice_is_refused_as_one() -> None:
    books = with_first_note("partial_return")
    kept, _ = import_document(books, document()), import_document(books, document())
    with pytest.raises(KhaosFaultError):
        process_return(books, kept.return_code, "auth")
    assert found(books, 2 * DAY) == [("posting_refused", RMA)]


@pytest.mark.parametrize(
    ("script", "reason", "expected"),
    [
        ("wrong_type_missing", "1", [("stock_not_returned", RMA)]),
        ("wrong_type_saleable", "2", [("damaged_in_saleable", RMA)]),
        ("wrong_type_missing", "2", []),
        ("wrong_type_saleable", "1", []),
        ("value_override", "1", [("value_gap", RMA)]),
    ],
)
def test_what_a_clerk_did_wrong(script: str, reason: str, expected: Found) -> None:
    books = small_books()
    books.world.scripts[RMA] = script
    import_document(books, document(reason=reason))
    assert found(books) == expected


def test_goods_that_wait_for_issue_are_not_wrong_yet() -> None:
    books = small_books()
    books.state.switches |= {"stock_moves": "issue", "notes_issued": "later"}
    books.world.scripts[RMA] = "wrong_type_missing"
    kept = import_document(books, document())
    assert found(books) == []
    issue(books, books.world.notes[kept.note_code], kept)
    assert found(books) == [("stock_not_returned", RMA)]


@pytest.mark.parametrize(
    ("script", "after", "kinds"),
    [
        ("issue_never", 3 * DAY, []),
        ("issue_never", 3 * DAY + HOUR, ["credit_note_not_issued"]),
        ("never_allocated", 7 * DAY, []),
        ("never_allocated", 7 * DAY + HOUR, ["credit_note_unallocated"]),
    ],
)
def test_notes_that_nobody_touches(script: str, after: timedelta, kinds: list[str]) -> None:
    books = small_books()
    books.world.scripts[RMA] = script
    kept = import_document(books, document())
    assert found(books, after) == [(kind, kept.note_code) for kind in kinds]


@pytest.mark.parametrize(("mode", "kinds"), [("ignore", ["value_gap"]), ("net", ["value_gap"]), ("honour", [])])
def test_another_price_is_a_gap(mode: str, kinds: list[str]) -> None:
    books = small_books()
    books.state.switches["unit_price"] = mode
    import_document(books, document())
    assert [kind for kind, _ in found(books)] == kinds


def test_a_note_without_reference_is_in_doubt_only_beside_its_twin() -> None:
    books = small_books()
    books.state.switches["note_reference"] = "none"
    import_document(books, document())
    assert found(books, 2 * DAY) == []
    twin = Note("CN9", URN, "", "GBP", NOW, [NoteLine(JACKET, 1, 8499, 7083)], made_by="staff")
    books.world.notes["CN9"] = twin
    assert found(books, 2 * DAY) == [("posting_in_doubt", RMA)]


def test_what_was_planted_and_what_happened_stand_once_each() -> None:
    books = small_books()
    books.world.plants = [Plant("value_gap", rma=RMA, why="planted"), Plant("over_return", rma=RMA)]
    books.state.switches["unit_price"] = "net"
    import_document(books, document())
    assert found(books) == [("value_gap", RMA), ("over_return", RMA)]


def staff_note(books: Books, so_code: str) -> None:
    code = f"CN9{len(books.world.notes)}"
    lines = [NoteLine(JACKET, 1, 8499, 0, so_code=so_code)]
    books.world.notes[code] = Note(code, URN, "", "GBP", NOW, lines, made_by="staff")


@pytest.mark.parametrize(
    ("references", "staff_links", "count"),
    [
        ("", [], 0),
        ("A", [], 0),
        ("AA", [], 1),
        ("ABC", [], 2),
        ("", ["SO48213", "SO48213"], 0),
        ("A", ["SO48213"], 1),
        ("A", [""], 1),
        ("A", ["SO48213", ""], 1),
    ],
)
def test_duplicates_are_counted_by_order_line(references: str, staff_links: list[str], count: int) -> None:
    books = small_books()
    for so_code in staff_links:
        staff_note(books, so_code)
    for reference in references:
        import_document(books, document(reference=reference))
    assert duplicates(books.world) == count


def test_a_unit_credited_for_goods_that_nobody_returned_is_a_duplicate() -> None:
    books = small_books()
    import_document(books, document(sku=HAT, gross="10.00"))
    assert duplicates(books.world) == 1


def test_a_record_that_is_refused_must_be_told_and_hides_what_only_it_would_show() -> None:
    books = small_books()
    books.world.scripts[RMA] = "never_allocated"
    kept = import_document(books, document())
    books.world.now = NOW + 8 * DAY
    for gone, expected in (
        ({}, [("credit_note_unallocated", kept.note_code)]),
        ({"GetCompanyInfo": "C9"}, [("credit_note_unallocated", kept.note_code), ("record_refused", "")]),
        ({"GetCompanyInfo": URN}, [("record_refused", "")]),
    ):
        told = planted(books.world, gone=gone)
        assert [(one.kind, one.credit_note_code) for one in told] == expected
        assert {one.record for one in told} - {""} == {f"Khaos {name} {key}" for name, key in gone.items()}


def test_an_operation_that_answers_nothing_must_be_told_and_hides_what_only_it_would_show() -> None:
    books = small_books()
    books.world.scripts[RMA] = "wrong_type_saleable"
    import_document(books, document(reason="2"))
    for refused, expected in (
        ([], {"damaged_in_saleable"}),
        (["GetStockList"], {"damaged_in_saleable", "source_refused", "source_not_read"}),
        (["ExportStockStatus"], {"source_refused"}),
    ):
        told = planted(books.world, refused=refused)
        assert {one.kind for one in told} == expected
        assert {one.record for one in told if one.kind == "source_refused"} == {f"Khaos {name}" for name in refused}


def test_what_only_an_unread_source_would_show_is_not_asked_for() -> None:
    world = build(1, 200)
    shown = {one.kind for one in planted(world)}
    for refused, hidden, kept in (
        ("ExportStock", "sku_unknown", "order_not_invoiced"),
        ("ExportOrderStatusEx", "order_not_invoiced", "sku_unknown"),
        ("ExportOrders", "over_return", "sku_unknown"),
    ):
        told = {one.kind for one in planted(world, refused=[refused])}
        assert {hidden, kept} <= shown
        assert (hidden in told, kept in told) == (False, True)
    gone = planted(world, gone={"ExportOrderStatusEx": "SO1"})
    assert {one.record for one in gone if one.kind == "source_refused"} == {"Khaos ExportOrderStatusEx"}
