"""People hold the feed, let it go again, and send a document in doubt once more only after they looked.

Belongs here: ``postings hold``, ``resume`` and ``release``, as the channel sees them. Stays out: what a document says.
"""

from __future__ import annotations

from datetime import timedelta

from khaos_swap_assets_tests.acceptance.conftest import WHO, Merchant, settings
from khaos_swap_assets_tests.acceptance.swap_wire import closed, product


def test_a_hold_stops_the_feed_at_once_and_says_who_and_why(merchant: Merchant) -> None:
    merchant.trades(closed(1))
    merchant.sync()
    assert merchant.says("postings", "hold", *WHO).exit_code == 0
    assert merchant.collects() == []
    told = merchant.says("postings", "list").output
    assert "Kim Ash" in told
    assert "looked it up" in told
    assert merchant.says("postings", "resume", *WHO).exit_code == 0
    assert merchant.imports() == ["RMA1"]


def test_a_hold_needs_a_name_and_a_reason(merchant: Merchant) -> None:
    assert merchant.says("postings", "hold", "--by", "Kim Ash").exit_code == 2
    assert merchant.says("postings", "hold", "--by", " ", "--reason", "why").exit_code != 0
    merchant.trades(closed(1))
    assert merchant.settles(1) == ["RMA1"]


def test_nothing_leaves_while_nobody_watched_and_a_run_lets_it_leave(merchant: Merchant) -> None:
    merchant.trades(closed(1))
    merchant.sync()
    merchant.now += timedelta(minutes=31)
    assert merchant.collects() == []
    told = merchant.says("postings", "list").output
    assert "complete" in told, told
    merchant.sync()
    assert merchant.imports() == ["RMA1"]


def test_what_waits_behind_a_document_names_it(merchant: Merchant) -> None:
    merchant.trades(closed(1), closed(2))
    merchant.sync()
    (first,) = merchant.collects()
    merchant.sync(minutes=10)
    other = "RMA2" if first["AssociatedRef"] == "RMA1" else "RMA1"
    told = merchant.says("postings", "list").output
    _, row = told.split(f"\n{other} ")
    of_it = row.split("\n", 1)[1].partition("\nRMA")[0]
    assert f"waits for: {first['AssociatedRef']}" in of_it


def test_one_in_doubt_is_sent_again_only_by_a_person_who_looked(merchant: Merchant) -> None:
    merchant.trades(closed(1))
    merchant.sync()
    assert len(merchant.collects()) == 1
    merchant.sync(minutes=10)
    refused = merchant.says("postings", "release", "RMA1", *WHO)
    assert refused.exit_code == 2
    assert "--i-looked-in-khaos" in refused.output
    merchant.sync(minutes=10)
    assert merchant.collects() == []
    assert merchant.says("postings", "release", "RMA1", *WHO, "--i-looked-in-khaos").exit_code == 0
    merchant.sync(minutes=10)
    assert merchant.imports() == ["RMA1"]
    merchant.sync(minutes=10)
    assert merchant.postings() == {"RMA1": "confirmed"}
    assert len([one for one in merchant.books.documents.values() if one.is_note]) == 1


def test_a_planned_one_is_released_as_ever(merchant: Merchant) -> None:
    merchant.settings = settings(mode="assist")
    merchant.trades(closed(1))
    merchant.sync()
    assert merchant.collects() == []
    assert merchant.says("postings", "release", "RMA1", *WHO).exit_code == 0
    assert merchant.imports() == ["RMA1"]


def test_no_hash_and_no_control_character_reaches_the_channel_in_free_text(merchant: Merchant) -> None:
    merchant.trades(
        closed(1, product(comments="# too small #1", main_reason_text="Fit #2"), customer_name="Priya #7 Nolan")
    )
    merchant.swaps.returns["ret_1"]["rma_number"] = "#RMA1"
    merchant.sync()
    (document,) = merchant.collects()
    assert "#" not in str(document)
