"""Queues and search: order, filters, pages, words, what is said where nothing waits, and hostile words."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from khaos_swap_assets.desk import lists
from khaos_swap_assets.domain.desk.members import Member
from khaos_swap_assets.stages import marks
from khaos_swap_assets.stages.returns.sync import sync_returns
from khaos_swap_assets_tests.desk.rows import opens
from khaos_swap_assets_tests.desk.visiting import Visitor, said
from khaos_swap_assets_tests.stages.town import Town, a_line, a_note, a_return
from khaos_swap_assets_tests.stages.two_stores import TwoStores, twin


def subjects(text: str) -> list[str]:
    """The subjects of a page's rows in their order, as ``opens`` names them."""
    return re.findall(r"(S\d+) is not as it should be", text)


def test_a_queue_shows_the_most_urgent_first_with_its_range_and_moment(ann: Visitor, town: Town) -> None:
    opens(town, "value_gap", "S1", 1_000)
    opens(town, "value_gap", "S2", 8_000)
    opens(town, "value_gap", "S3", 1_000, days=30)
    opens(town, "credit_note_missing", "S4", 1_000)
    opens(town, "order_not_found", "S5", 1_000_000)
    text = ann.text("/queues/finance")
    assert subjects(text) == ["S3", "S2", "S4", "S1"]
    assert "4 exceptions open, £110.00 at risk, of every month." in text
    assert "Read at 12:00 on 10 March 2026. No run has come to its end yet" in text
    assert "9 February 2026 15 February 2026" not in text
    assert "8 February 2026 15 February 2026 late" in text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"kind": "value_gap"}, ["S1"]),
        ({"kind": "vat_differs"}, []),
        ({"month": "2026-02"}, ["S2"]),
        ({"month": "2026-03"}, []),
        ({"kind": "value_gap", "month": "2026-02"}, []),
    ],
)
def test_filters_say_what_they_leave(ann: Visitor, town: Town, query: dict[str, str], expected: list[str]) -> None:
    opens(town, "value_gap", "S1")
    opens(town, "credit_note_missing", "S2", return_id="R2")
    town.do(
        "INSERT INTO recon.reconciliation (return_id, store_id, rma, currency, refund_pence, credited_pence, "
        "issued_pence, gap_pence, gap_unexplained_pence, status, period, reconciled_at) VALUES "
        "('R2', 'S', 'RMA2', 'GBP', 1, 0, 0, -1, -1, 'gap', '2026-02', now())"
    )
    text = ann.text("/queues/finance", **query)
    assert subjects(text) == expected
    assert ("Nothing is open here With these filters." in text) == (not expected)
    assert f"about returns of {query['month']}" in text if "month" in query else "of every month" in text


@pytest.mark.parametrize(("store", "left"), [("", ["S1", "S2"]), ("main", ["S1"]), ("outlet", ["S2"])])
def test_a_queue_may_be_of_one_store(database_url: str, store: str, left: list[str]) -> None:
    town = TwoStores(database_url)
    town.swap.put(a_return())
    town.outlet.put(twin())
    sync_returns(town.tools)
    opens(town, "value_gap", "S1", return_id="R1")
    opens(town, "value_gap", "S2", return_id="outlet:R1")
    ann = Visitor(town, Member("Ann", frozenset({"finance"})))
    answer = ann.get("/queues/finance", **{"store": store} if store else {})
    assert sorted(subjects(said(answer))) == left
    assert (f"of store {store}," in said(answer)) == bool(store)
    assert ann.get("/queues/finance", store="attic").status_code == 400


def test_who_has_one_store_is_not_asked_which(ann: Visitor) -> None:
    assert 'name="store"' not in ann.get("/queues/finance").text


def test_pages_go_through_a_queue_once_whatever_closes_meanwhile(
    ann: Visitor, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "ON_A_PAGE", 3)
    numbers = [opens(town, "value_gap", f"S{n}", 100 + n // 2) for n in range(10)]
    seen: list[str] = []
    answer = ann.get("/queues/all")
    while True:
        seen += subjects(said(answer))
        assert "10 exceptions open" in said(answer) or len(seen) > 3
        town.do("UPDATE recon.exceptions SET closed_at = now() WHERE exception_id = %s", numbers[9])
        further = re.search(r'rel="next" href="([^"]+)"', answer.text)
        if not further:
            break
        answer = ann.get(further[1].replace("&amp;", "&"))
    assert sorted(seen) == sorted({*(f"S{n}" for n in range(9)), "S9"})
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/queues/nobody", 404),
        ("/queues/finance?kind=nothing", 400),
        ("/queues/finance?month=March", 400),
        ("/queues/finance?month=2026-13", 400),
        ("/queues/finance?after=1", 400),
        ("/queues/finance?after=-99999999999999999.1", 400),
        ("/queues/finance?after=1.1'; DROP TABLE recon.exceptions", 400),
        ("/search?q=" + "x" * 101, 400),
        ("/exceptions/1", 404),
        ("/exceptions/999999999999999999999", 404),
        ("/returns/RMA1", 404),
        ("/returns/%00", 404),
    ],
)
def test_an_address_that_leads_nowhere_says_so_and_what_to_do(ann: Visitor, path: str, status: int) -> None:
    answer = ann.get(path)
    assert answer.status_code == status, said(answer)
    assert "To the queues" in said(answer)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_nothing_waits_for_you_only_where_nothing_waits_anywhere(ann: Visitor, town: Town) -> None:
    assert "No run has come to its end yet" in ann.text("/")
    assert "Nothing waits for you" not in ann.text("/")
    town.do("INSERT INTO recon.watermarks VALUES (%s, %s)", marks.JUDGED, town.now - timedelta(days=2))
    assert "nobody looked lately Nothing newer than 12:00 on 8 March 2026 was judged" in ann.text("/")
    town.do("UPDATE recon.watermarks SET reached_at = %s WHERE source = %s", town.now, marks.JUDGED)
    assert "Nothing waits for you No error is open in any queue" in ann.text("/")
    number = opens(town, "order_not_found", "S1", 7_497)
    text = ann.text("/")
    assert "Nothing waits for you" not in text
    assert "Your queue is empty, and the month is held up elsewhere cx: 1 error, £74.97" in text
    town.do("UPDATE recon.exceptions SET closed_at = now() WHERE exception_id = %s", number)
    opens(town, "value_gap", "S2")
    text = ann.text("/")
    assert "Finance yours 1 1 £10.00 10 March 2026" in text
    assert "Nothing waits for you" not in text
    assert "held up" not in text


def test_a_red_month_without_exceptions_is_named(ann: Visitor, town: Town) -> None:
    town.do(
        "INSERT INTO recon.reconciliation (return_id, store_id, rma, currency, refund_pence, credited_pence, "
        "issued_pence, gap_pence, gap_unexplained_pence, status, period, reconciled_at) VALUES "
        "('R1', 'S', 'RMA1', 'GBP', 100, 0, 0, -100, -100, 'in_flight', '2026-01', now())"
    )
    town.do("INSERT INTO recon.month_end SELECT '2026-01', 'GBP', 1, 100, 0, 0, -100, '{}', now()")
    assert "2026-01: 1 return apart, RMA1 first" in ann.text("/")


@pytest.mark.parametrize("word", ["RMA1", "rma1", " RMA1 ", "#LX1", "LX1", "lx1", "SO1", "C1", "HAT", "hat", "CN1"])
def test_a_case_is_found_by_every_number_that_people_have(ann: Visitor, town: Town, word: str) -> None:
    town.sells_and_takes_back(a_return(1))
    town.khaos.notes = {"CN1": a_note("CN1", 900, associated_ref="RMA1")}
    town.sync()
    text = ann.text("/search", q=word)
    assert "1 open exception" in text
    assert "Value gap" in text
    assert "RMA1 #LX1 Closed £10.00" in text


def test_a_code_that_is_none_finds_what_it_holds_back(ann: Visitor, town: Town) -> None:
    town.sells_and_takes_back(a_return(1, a_line("HAT")))
    town.khaos.items.clear()
    town.sync()
    assert "SKU unknown" in ann.text("/search", q="HAT")


def test_the_codes_that_hold_back_most_returns_stand_above_the_queue_of_data_management(
    ann: Visitor, town: Town
) -> None:
    for number, sku in enumerate(["ZEBRA", "ZEBRA", "ZEBRA", "HAT 2"], 1):
        perhaps = "HAT-2" if sku == "HAT 2" else ""
        opens(town, "sku_unknown", f"S{number}", 1_000 * number, return_id=f"R{number}", sku=sku, suggestion=perhaps)
    text = ann.text("/queues/data-management")
    assert "Why ZEBRA 3 £60.00 – SKU unknown HAT 2 1 £40.00 HAT-2 SKU unknown" in text
    further = ann.text("/queues/data-management", after="1.1")
    assert "Mend these first" not in further + ann.text("/queues/finance") + ann.text("/queues/all")


def test_one_return_without_exceptions_is_shown_at_once(ann: Visitor, town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.sync()
    answer = ann.get("/search", q="#LX1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/returns/RMA1")


@pytest.mark.parametrize("word", ["'", "%", "_", "' OR 1=1 --", "\0", "'); DROP TABLE swap.returns; --", "💥", "\\"])
def test_a_hostile_word_finds_nothing_and_harms_nothing(ann: Visitor, town: Town, word: str) -> None:
    opens(town, "value_gap", "S1", rma="RMA1")
    text = ann.text("/search", q=word)
    assert ("Nothing has exactly this number" in text) or word == "\0"
    assert town.one("SELECT count(*) FROM recon.exceptions") == 1


def test_what_is_stored_is_text_and_never_a_mark(ann: Visitor, town: Town) -> None:
    bad = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    number = opens(town, "value_gap", bad, message=bad, rma='"><b>', suggestion="{{ 7 * 7 }}")
    for path in ("/queues/finance", f"/exceptions/{number}"):
        answer = ann.get(path)
        assert answer.status_code == 200
        for mark in ("<script", "<img", '<b>"', "49"):
            assert mark not in answer.text
        assert bad in said(answer).replace("< ", "<")


def test_whoever_may_not_see_is_refused(ann: Visitor) -> None:
    answer = ann.of("Nobody").get("/queues/finance")
    assert (answer.status_code, "Your roles do not allow this" in said(answer)) == (403, True)
