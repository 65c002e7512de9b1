"""One exception and one return on the screen, from a whole run of a town."""

from __future__ import annotations

import re
from typing import Any

import pytest
from typer.testing import CliRunner

from khaos_swap_assets.adapters.errors import StoreError
from khaos_swap_assets.adapters.store import desk_lists
from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets.cli.returns import returns_app
from khaos_swap_assets.desk.pages import coded
from khaos_swap_assets_tests.desk.rows import opens
from khaos_swap_assets_tests.desk.visiting import Visitor, said
from khaos_swap_assets_tests.lending import lend
from khaos_swap_assets_tests.stages.town import Town, a_line, a_note, a_return, an_order, refunded_ago


def number_of(town: Town, kind: str) -> int:
    return int(town.one("SELECT exception_id FROM recon.exceptions WHERE kind = %s AND closed_at IS NULL", kind))


def case(ann: Visitor, kind: str) -> str:
    return ann.text(f"/exceptions/{number_of(ann.town, kind)}")


def audited(town: Town, *notes: Any) -> None:
    """R1 of a hat of £10, refunded yesterday, and these notes of its customer; nothing is posted."""
    town.with_settings(mode="audit", post_from=None)
    town.sells_and_takes_back(a_return(1))
    town.khaos.notes = {note.credit_note_code: note for note in notes}
    town.sync()


@pytest.mark.parametrize(("merchant", "before"), [("", ""), ("felwood", "felwood/")])
def test_the_way_to_the_months_leads_to_the_merchants_own(ann: Visitor, town: Town, merchant: str, before: str) -> None:
    town.with_settings(merchant=merchant)
    assert f'/dagster/assets/{before}reconciliation/month_end"' in ann.get("/").text


def test_a_case_shows_what_happened_what_it_means_and_all_sides(ann: Visitor, town: Town) -> None:
    audited(town, a_note("CN1", 900, associated_ref="RMA1"))
    text = case(ann, "value_gap")
    for part in (
        "Value gap: RMA1 £1.00 at risk Finance has the turn 17 March 2026 act by",
        "What happened", "What it means", "What to do", "It closes by itself when:",
        "06 Mar 2026 return asked for, £10.00 to refund", "09 Mar 2026", "parcel came back",
        "10 Mar 2026 Credit Note CN1 of £9.00 made", "Credit Note CN1 of £9.00 issued",
        "Why nothing more is credited", "not yet credited: no CN1 of £9.00",
        "Everything was judged up to 12:01 on 10 March 2026.",
    ):  # fmt: skip
        assert part in text


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ("order", "order found: no order #LX1: order not found The smallest change that would pass:"),
        ("sku", "lines matched: no no Stock Code equals HAT The smallest change"),
        ("invoice", "order invoiced: no no issued invoice The smallest change that would pass: Issue the invoice"),
    ],
)
def test_why_not_names_the_clause_that_failed_and_the_smallest_change(
    ann: Visitor, town: Town, change: str, clause: str
) -> None:
    town.with_settings(mode="audit", post_from=None)
    town.swap.put(a_return(1, **refunded_ago(5)))
    if change != "order":
        town.khaos.sell(an_order(1, **({"invoiced_on": None} if change == "invoice" else {})))
    if change == "sku":
        town.khaos.items.clear()
    town.sync()
    town.sync(days=1)
    kind = {"order": "order_not_found", "sku": "sku_unknown", "invoice": "order_not_invoiced"}[change]
    text = case(ann, kind)
    assert "Why it is not credited refund known: yes £10.00 refund proven: yes paid on 5 March 2026" in text
    assert clause in text


@pytest.mark.parametrize(
    ("refused", "clause"),
    [
        ("stock_list", "lines matched: no Khaos tells nothing of HAT"),
        ("status", "order invoiced: no whether the order is invoiced is not known"),
    ],
)
def test_why_not_waits_for_what_khaos_has_not_told(ann: Visitor, town: Town, refused: str, clause: str) -> None:
    town.sells_and_takes_back(a_return(1, **refunded_ago(5)))
    town.khaos.refuses = {refused}
    town.sync()
    number = opens(town, "value_gap", "RMA1", return_id="R1", rma="RMA1")
    text = ann.text(f"/exceptions/{number}")
    assert f"{clause} The smallest change that would pass: what it waits for comes; then it goes on by itself" in text


def test_a_loose_note_shows_its_nearest_return_and_what_keeps_them_apart(ann: Visitor, town: Town) -> None:
    audited(town, a_note("CN9", 950))
    text = case(ann, "credit_note_orphan")
    assert "Credit Notes nearby that belong to no return" in text
    assert re.search(r"CN9 £9\.50 RMA1 [\w, ]*value[\w, ]* .*value £10\.00 instead of £9\.50", text)
    assert "What it means" in text


def test_notes_nearby_are_shown_with_the_return_too(ann: Visitor, town: Town) -> None:
    town.with_settings(mode="audit", post_from=None)
    town.sells_and_takes_back(a_return(1, **refunded_ago(6)))
    town.khaos.notes = {"CN9": a_note("CN9", 950)}
    town.sync()
    number = opens(town, "value_gap", "RMA1", return_id="R1", rma="RMA1")
    assert "CN9 £9.50 RMA1" in ann.text(f"/exceptions/{number}")


def test_a_case_of_the_engineer_is_about_no_return(ann: Visitor, town: Town) -> None:
    number = opens(town, "record_unreadable", "Swap RMA7", 0, currency="")
    text = ann.text(f"/exceptions/{number}")
    assert "Record unreadable: Swap RMA7 no amount at risk Engineer has the turn" in text
    assert "The evidence, side by side" not in text


def test_a_closed_case_says_by_whom(ann: Visitor, town: Town) -> None:
    number = opens(town, "value_gap", "RMA1", closed_at=town.now, closed_by="condition", close_reason="no longer holds")
    assert "closed at 12:00 on 10 March 2026 by condition: no longer holds" in ann.text(f"/exceptions/{number}")


@pytest.mark.parametrize("name", ["RMA1", "%23LX1", "LX1"])
def test_the_return_page_says_what_the_command_says(ann: Visitor, town: Town, name: str) -> None:
    audited(town)
    text = ann.text(f"/returns/{name}")
    reach = Reach(lambda: lend(town.url), lambda: town.settings, lambda: None, lambda: town.now)  # type: ignore[arg-type,return-value]
    told = CliRunner().invoke(returns_app(reach), ["show", "RMA1"]).stdout
    for sentence in " ".join(told.split()).replace("Goods", "|").split("|")[1].split(": ")[:1]:
        assert sentence.strip() in text
    for part in ("Where is the refund of RMA1 ?", "Order #LX1. Swap says: Closed.", "1 × HAT, £10.00", "escalate from"):
        assert part in text


def test_a_return_names_who_acts_next_and_its_exceptions(ann: Visitor, town: Town) -> None:
    town.with_settings(mode="audit", post_from=None)
    town.sells_and_takes_back(a_return(1, a_line("HAT"), **refunded_ago(6)))
    town.sync()
    text = ann.text("/returns/RMA1")
    assert "Who acts next Finance :" in text
    assert re.search(r"1 open exception about it .* Credit note missing", text)


def test_a_store_that_is_away_is_said_on_a_page(ann: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise StoreError("the database cannot be used")

    monkeypatch.setattr(desk_lists, "page", away)
    answer = ann.get("/queues/finance")
    assert answer.status_code == 503
    assert "the database cannot be used Nothing was changed. Try again in a moment" in said(answer)


def test_the_style_is_our_own(ann: Visitor) -> None:
    answer = ann.get("/desk.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert "url(" not in answer.text
    page = ann.get("/").text
    assert re.findall(r'(?:src|href|action)="(https?:)?//', page) == []
    assert "<script" not in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("run `khaos-swap up` now", "run <code>khaos-swap up</code> now"),
        ("`<b>` & <i>", "<code>&lt;b&gt;</code> &amp; &lt;i&gt;"),
        ("one ` alone <b>", "one ` alone &lt;b&gt;"),
    ],
)
def test_a_command_is_set_apart_and_everything_escaped(text: str, shown: str) -> None:
    assert str(coded(text)) == shown


def test_why_not_says_what_else_holds_it_and_the_smallest_change(ann: Visitor, town: Town) -> None:
    town.sells_and_takes_back(a_return(1, **refunded_ago(80)))
    town.sync(days=1)
    text = case(ann, "credit_note_missing")
    assert "nothing else holds it: no refunded before the first day of posting: refunded on 2025-12-20" in text
    assert "The smallest change that would pass: an earlier KHAOS_SWAP_POST_FROM, or a Credit Note by hand" in text
