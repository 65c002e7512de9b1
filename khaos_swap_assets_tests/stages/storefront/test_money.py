"""The stage of the money on a real database: drafts wait for it, links hold, trouble opens and closes by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from khaos_swap_assets.adapters.errors import SettingsError, TransientError
from khaos_swap_assets.adapters.store import orders, refunds
from khaos_swap_assets.adapters.swap.records import RowFault
from khaos_swap_assets.domain.linking import refund_links
from khaos_swap_assets.domain.refunds.proof import CLOSED_IN_FORCE
from khaos_swap_assets.stages.credit_notes.drafting import draft_waiting
from khaos_swap_assets.stages.credit_notes.people import Person
from khaos_swap_assets.stages.credit_notes.policy_trial import try_policy
from khaos_swap_assets.stages.credit_notes.posting import post
from khaos_swap_assets.stages.due import UnansweredError, local_reason, what_is_due
from khaos_swap_assets.stages.reconciliation.checks import sources_are_fresh
from khaos_swap_assets.stages.storefront import assets, money
from khaos_swap_assets.stages.storefront.assets import money_of_month
from khaos_swap_assets.stages.storefront.sync import sync_refunds
from khaos_swap_assets.stages.waivers import waive
from khaos_swap_assets_tests.domain.payments import a_payment
from khaos_swap_assets_tests.stages.storefront.shop import CONNECTED, YESTERDAY, MoneyTown
from khaos_swap_assets_tests.stages.town import (
    NOON,
    Town,
    a_line,
    a_note,
    a_return,
    an_order,
    called,
    connect,
    some_settings,
)


@pytest.fixture
def town(database_url: str) -> MoneyTown:
    return MoneyTown(database_url, some_settings(storefront=CONNECTED))


def sold(town: MoneyTown, *numbers: int, **changes: Any) -> None:
    """Returns of ten pounds, refunded in Swap yesterday."""
    town.sells_and_takes_back(*(a_return(number, order_id=f"id{number}", **changes) for number in numbers))


def test_nothing_is_drafted_before_the_money_moved(town: MoneyTown) -> None:
    sold(town, 1)
    town.sync()
    assert town.drafts() == {"R1": "held"}
    assert town.pull() == []
    town.shop.pay(1, 1000)
    town.sync()
    assert [note.gross_pence for note in town.pull()] == [1000]


def refuse_links_of(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule of linking that fails wherever a refund of order #LX<number> takes part."""

    def link(claimants: Any, refunds: Any) -> Any:
        some = list(refunds)
        if any(one.order_name == f"#LX{number}" for one in some):
            raise ZeroDivisionError("a value nobody foresaw")
        return refund_links.link(claimants, some)

    monkeypatch.setattr(money, "link", link)


def test_an_order_whose_refunds_cannot_be_linked_holds_its_returns_alone(
    town: MoneyTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold(town, 1, 2, 3)
    for number in (1, 3):
        town.shop.pay(number, 1000)
    town.sync()
    town.shop.pay(2, 1000)
    refuse_links_of(2, monkeypatch)
    town.sync()
    told = dict(town.ask("SELECT subject, message FROM recon.exceptions WHERE kind = 'fault_in_return'"))
    assert told["#LX2"].startswith("linking refunds of order: ZeroDivisionError: a value nobody foresaw")
    assert told.keys() == {"#LX2", "RMA2"}
    left: list[str] = []
    for _ in range(3):
        left += [note.associated_ref for note in town.pull()]
        town.sync()
    assert sorted(left) == ["RMA1", "RMA3"]
    with connect(town) as conn:
        assert local_reason(conn, town.settings, town.now + timedelta(minutes=5)) != "refund to judge"
    monkeypatch.undo()
    town.sync(hours=9)
    town.sync()
    assert [note.associated_ref for note in town.pull()] == ["RMA2"]
    town.sync()
    assert town.kinds() == {}


def test_a_draft_whose_money_cannot_be_told_is_held_and_the_others_are_planned(
    town: MoneyTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold(town, 1, 2)
    for number in (1, 2):
        town.shop.pay(number, 1000)
    town.read()
    draft_waiting(town.tools)
    refuse_links_of(2, monkeypatch)
    post(town.tools)
    assert town.ask("SELECT return_id FROM recon.postings") == [("R1",)]
    with connect(town) as conn:
        found = list(try_policy(conn, town.settings, town.policy, town.policy, days=30, now=town.now))
    assert {one.rma: "could not be tried" in one.outcome_then for one in found} == {"RMA1": False, "RMA2": True}


def test_the_day_of_the_money_decides_and_not_swaps(town: MoneyTown) -> None:
    sold(town, 1)
    town.shop.pay(1, 1000, at=NOON - timedelta(days=12))
    town.sync()
    assert town.one("SELECT period FROM recon.reconciliation") == "2026-02"
    assert town.one("SELECT return_id FROM storefront.refunds") == "R1"


def test_without_a_storefront_swaps_word_stands(town: MoneyTown) -> None:
    town.with_settings()
    sold(town, 1)
    town.sync()
    assert town.drafts() == {"R1": "ready"}
    assert town.shop.asked == []


def test_a_later_part_payment_is_a_note_of_its_own_on_its_own_day(town: MoneyTown) -> None:
    """FINANCE_RULES U-2."""
    first, second = a_line("HAT", 1, 5000), a_line("BAG", 1, 7000)
    town.sells_and_takes_back(a_return(1, first, second, order_id="id1"))
    town.edit(a_return(1, first, order_id="id1"))
    town.shop.pay(1, 5000, "F1")
    town.sync()
    town.pull()
    town.edit(a_return(1, first, second, order_id="id1"))
    town.sync()
    assert town.pull() == []
    town.shop.pay(1, 7000, "F2", at=town.now)
    town.sync(hours=1)
    assert [note.gross_pence for note in town.pull()] == [7000]
    rows = town.ask("SELECT ordinal, document::text FROM recon.postings ORDER BY 1")
    assert [row[0] for row in rows] == [1, 2]
    assert f"{YESTERDAY:%Y-%m-%d}" in rows[0][1]
    assert f"{NOON:%Y-%m-%d}" in rows[1][1]
    town.sync()
    assert town.kinds() == {}


def test_unpaid_money_becomes_an_exception_and_ends_with_the_payment(town: MoneyTown) -> None:
    sold(town, 1)
    town.sync()
    assert town.kinds() == {}
    town.sync(days=3)
    assert town.kinds() == {"refund_not_paid": "RMA1"}
    town.shop.pay(1, 1000, at=town.now)
    town.sync()
    assert "refund_not_paid" not in town.kinds()


@pytest.mark.parametrize(
    ("pay", "kind"),
    [({"pence": 900}, "refund_amount_differs"), ({"pence": 1000, "currency": "EUR"}, "refund_currency_differs")],
)
def test_money_that_does_not_agree_holds_the_draft_until_it_does(town: MoneyTown, pay: Any, kind: str) -> None:
    sold(town, 1)
    town.shop.pay(1, **pay)
    town.sync()
    assert (town.kinds(), town.drafts()) == ({kind: "RMA1"}, {"R1": "held"})
    town.sync(days=10)
    assert town.kinds() == {kind: "RMA1"}
    town.shop.pay(1, 1000)
    town.sync()
    assert kind not in town.kinds()
    assert len(town.pull()) == 1


def test_a_refund_that_went_out_twice_is_credited_once(town: MoneyTown) -> None:
    sold(town, 1)
    town.shop.pay(1, 1000, "F1")
    town.shop.pay(1, 1000, "F2", at=NOON)
    town.sync()
    assert len(town.pull()) == 1
    town.sync()
    assert town.kinds() == {"refund_paid_twice": "RMA1"}


def test_two_returns_of_one_order_and_price_are_told_and_not_guessed(town: MoneyTown) -> None:
    sold(town, 1)
    twin = a_return(2, order_id="id1", order_name="#LX1")
    town.swap.put(twin)
    town.shop.pay(1, 1000)
    town.sync()
    found = town.ask("SELECT subject FROM recon.exceptions WHERE kind = 'refund_ambiguous' ORDER BY 1")
    assert [row[0] for row in found] == ["RMA1", "RMA2"]
    assert set(town.drafts().values()) == {"held"}


def test_money_without_a_return_opens_after_the_grace_and_ends_with_the_return(town: MoneyTown) -> None:
    town.shop.pay(1, 1000, at=NOON)
    town.sync()
    assert town.kinds() == {}
    town.sync(days=4)
    assert town.kinds() == {"refund_without_return": "#LX1/F1"}
    sold(town, 1, updated_at=town.now)
    town.sync()
    assert "refund_without_return" not in town.kinds()
    assert town.one("SELECT return_id FROM storefront.refunds") == "R1"


def test_what_was_paid_outside_the_storefront_is_posted_once_a_person_proves_it(town: MoneyTown) -> None:
    swapped = a_return(
        1, replace(a_line(), outcome="Exchange"), order_id="id1", refund_pence=0, additional_payment_pence=300
    )
    again = replace(a_return(2, replace(a_line(), original_order_name="#LX1")), order_id="id2", order_name="#LX1-EX")
    town.sells_and_takes_back(swapped, again)
    town.shop.pay(1, 700)
    town.sync(days=4)
    assert town.kinds()["paid_outside_storefront"] == "RMA2"
    assert town.pull() == []
    (number,) = town.ask("SELECT exception_id FROM recon.exceptions WHERE kind = 'paid_outside_storefront'")[0]
    with connect(town) as conn:
        waive(conn, number, Person("Kim", "Stripe re_1 of £3.00"), now=town.now)
    town.sync()
    assert [(note.associated_ref, note.gross_pence) for note in town.pull()] == [("RMA2", 1000)]
    town.sync()
    assert town.ask("SELECT refund_pence, status FROM recon.reconciliation WHERE rma = 'RMA2'") == [(1000, "matched")]
    assert "paid_outside_storefront" not in town.kinds()


def test_a_means_of_payment_that_nobody_knows_is_told_until_the_setting_names_it(town: MoneyTown) -> None:
    sold(town, 1, 2)
    town.shop.pay(1, 1000)
    known = town.shop.pay(2, 1000)
    parts = (a_payment(700, number="T1"), a_payment(300, number="T2", gateway="Rewards"))
    town.shop.refunds["F2"] = replace(known, transactions=parts)
    town.sync()
    assert town.kinds() == {"payment_kind_unknown": "Rewards"}
    with connect(town) as conn:
        assert [name for name, *_ in refunds.gateways(conn)] == ["Rewards", "shopify_payments"]
    named = town.settings.storefront.model_copy(update={"payment_kinds": "rewards:store_credit"})
    town.settings = town.settings.model_copy(update={"storefront": named})
    town.edit(a_return(2, order_id="id2", updated_at=town.now))
    town.sync()
    assert town.kinds() == {}
    assert town.ask("SELECT rma, refund_pence FROM recon.reconciliation ORDER BY 1") == [("RMA1", 1000), ("RMA2", 700)]


def a_goodwill(town: MoneyTown, *codes: str, ref: str = "KCCLX7", **changes: Any) -> None:
    """Delivery of an order that nobody returned is paid back, and credited by hand."""
    town.shop.pay(7, 495, at=NOON)
    for code in codes:
        town.khaos.notes[code] = a_note(code, 495, customer_code="C7", associated_ref=ref, lines=(), **changes)


@pytest.mark.parametrize(
    ("changes", "is_settled"),
    [
        ({}, True),
        ({"ref": "lx7"}, True),
        ({"ref": "KCCLX8"}, False),
        ({"gross_pence": 494}, False),
        ({"currency": "EUR"}, False),
        ({"created_on": (NOON - timedelta(days=9)).date()}, False),
    ],
)
def test_goodwill_and_its_note_are_no_two_losses(town: MoneyTown, changes: dict[str, Any], is_settled: bool) -> None:
    a_goodwill(town, "CN7", **changes)
    for days in (0, 4):
        town.sync(days=days)
    strays = {} if is_settled else {"credit_note_orphan": "CN7", "refund_without_return": "#LX7/F7"}
    assert town.kinds() == strays


@pytest.mark.parametrize(("sold_pence", "is_settled"), [(495, True), (494, False)])
def test_u26_goodwill_beyond_what_was_paid_settles_nothing(town: MoneyTown, sold_pence: int, is_settled: bool) -> None:
    line = replace(an_order(7).lines[0], gross_pence=sold_pence)
    town.khaos.sell(replace(an_order(7), lines=(line,)))
    with connect(town) as conn:
        orders.save(conn, [(town.khaos.orders[-1], None)], town.now)
    a_goodwill(town, "CN7")
    town.sync(days=4)
    assert town.kinds() == ({} if is_settled else {"credit_note_orphan": "CN7", "refund_without_return": "#LX7/F7"})


def test_goodwill_that_is_credited_twice_or_no_longer_is_told(town: MoneyTown) -> None:
    a_goodwill(town)
    town.sync(days=4)
    assert town.kinds() == {"refund_without_return": "#LX7/F7"}
    a_goodwill(town, "CN7", "CN8")
    town.sync()
    assert town.kinds() == {"credit_note_orphan": "CN8"}
    town.khaos.cancelled["CN8"], town.khaos.cancelled["CN7"] = town.khaos.notes.pop("CN8"), town.khaos.notes.pop("CN7")
    town.sync()
    town.sync()
    assert town.kinds() == {"refund_without_return": "#LX7/F7"}


def test_money_from_before_the_first_month_is_nobodys_trouble(town: MoneyTown) -> None:
    town.shop.pay(1, 1000, at=NOON - timedelta(days=500))
    town.sync()
    assert town.kinds() == {}


def test_a_return_older_than_all_that_was_read_keeps_swaps_word(town: MoneyTown) -> None:
    town.settings = town.settings.model_copy(update={"period_start": date(2026, 3, 1)})
    long_ago = NOON - timedelta(days=61)
    sold(town, 1, processed_at=long_ago, closed_at=long_ago, submitted_at=long_ago, updated_at=NOON)
    town.sync()
    assert town.one("SELECT refund_pence FROM recon.reconciliation") == 1000
    town.sync(days=5)
    assert "refund_not_paid" not in town.kinds()


@pytest.mark.parametrize("order", list(permutations(("return", "first", "second"))))
def test_what_arrives_first_changes_nothing_in_the_end(town: MoneyTown, order: Sequence[str]) -> None:
    lines = (a_line("HAT", 1, 5000), a_line("BAG", 1, 7000))
    steps: dict[str, Callable[[], object]] = {
        "return": lambda: town.sells_and_takes_back(a_return(1, *lines, order_id="id1", updated_at=town.now)),
        "first": lambda: town.shop.pay(1, 5000, "F1"),
        "second": lambda: town.shop.pay(1, 7000, "F2"),
    }
    for name in order:
        steps[name]()
        town.sync()
    linked = town.ask("SELECT refund_id, return_id, linked_by FROM storefront.refunds ORDER BY 1")
    assert linked == [("F1", "R1", "order_and_parts"), ("F2", "R1", "order_and_parts")]
    assert [note.gross_pence for note in town.pull()] == [12000]
    town.sync()
    assert town.kinds() == {}


def test_the_storefronts_number_of_a_return_links_it(town: MoneyTown) -> None:
    sold(town, 1)
    town.sync()
    town.do('UPDATE swap.returns SET raw = raw || \'{"shopify_return_id": "gid://shopify/Return/77"}\'')
    town.shop.pay(9, 1000, return_ref="77")
    town.sync()
    assert town.one("SELECT linked_by FROM storefront.refunds") == "storefront_return"
    assert len(town.pull()) == 1


def test_only_what_changed_is_written_and_judged_again(town: MoneyTown) -> None:
    sold(town, 1)
    town.shop.pay(1, 1000)
    town.sync()
    synced = sync_refunds(town.tools)
    assert (synced.refunds_read, synced.changed, synced.linked_again) == (1, 0, 0)
    town.shop.pay(2, 500, "F2")
    synced = sync_refunds(town.tools)
    assert (synced.refunds_read, synced.changed, synced.linked_again) == (2, 1, 1)


def test_the_window_reaches_back_by_the_overlap_and_the_first_one_to_the_first_month(town: MoneyTown) -> None:
    sync_refunds(town.tools)
    first = town.now
    town.now += timedelta(minutes=10)
    sync_refunds(town.tools)
    assert town.shop.asked == [datetime(2025, 1, 1, tzinfo=UTC), first - timedelta(hours=1)]


def test_a_reading_that_fails_keeps_the_watermark_and_nothing_else(town: MoneyTown) -> None:
    sync_refunds(town.tools)
    reached = town.one("SELECT reached_at FROM recon.watermarks WHERE source = 'storefront/refunds'")
    town.now += timedelta(hours=1)
    town.shop.error = TransientError("THROTTLED")
    with pytest.raises(TransientError):
        sync_refunds(town.tools)
    assert town.one("SELECT reached_at FROM recon.watermarks WHERE source = 'storefront/refunds'") == reached


def test_the_shop_is_asked_no_more_often_than_its_setting_says(town: MoneyTown) -> None:
    town.settings.storefront.poll_minutes = 5
    sync_refunds(town.tools)
    town.now += timedelta(minutes=4)
    sync_refunds(town.tools)
    assert len(town.shop.asked) == 1


def test_a_refund_that_cannot_be_read_is_told_until_it_is_read(town: MoneyTown) -> None:
    town.shop.faults.append(RowFault("refund F1", "hash", ("createdAt: is empty",)))
    town.sync()
    assert town.kinds() == {"record_unreadable": "refund F1"}
    town.shop.faults.clear()
    sold(town, 1)
    town.shop.pay(1, 1000, "F1")
    town.sync()
    assert "record_unreadable" not in town.kinds()


def test_the_sensor_sees_a_changed_refund_and_a_refund_that_is_due(town: MoneyTown) -> None:
    town.sync()
    town.now += timedelta(minutes=2)
    assert what_is_due(town.tools) == ""
    town.shop.pay(1, 1000, at=NOON)
    assert what_is_due(town.tools) == "1 refund changed"
    town.sync()
    with connect(town) as conn:
        assert local_reason(conn, town.settings, town.now) == ""
        assert local_reason(conn, town.settings, NOON + timedelta(days=4)) in {"refund to judge", "deadline passed"}


def test_the_sensor_names_the_one_that_did_not_answer(town: MoneyTown) -> None:
    town.sync()
    town.now += timedelta(minutes=2)
    town.shop.error = TransientError("no answer in time")
    with pytest.raises(UnansweredError, match=r"^The storefront could not be asked: no answer in time$"):
        what_is_due(town.tools)
    town.swap.error = TransientError("503")
    with pytest.raises(UnansweredError, match=r"^Swap could not be asked: 503$"):
        what_is_due(town.tools)


def test_the_month_tells_the_means_of_payment_and_what_has_no_return(town: MoneyTown) -> None:
    sold(town, 1)
    town.shop.pay(1, 1000)
    town.shop.pay(2, 500, "F2")
    town.sync()
    with connect(town) as conn:
        told = money_of_month(conn, town.settings, "2026-03")
        assert "| GBP | shopify_payments | 2 | £15.00 | £5.00 |" in told
        assert "shopify_payments" not in money_of_month(conn, town.settings, "2026-04")
        assert "No storefront is connected" in money_of_month(conn, some_settings(), "2026-03")
        assert CLOSED_IN_FORCE not in told + money_of_month(conn, some_settings(), "2026-03")
        assert CLOSED_IN_FORCE in money_of_month(conn, some_settings(refund_proof="closed"), "2026-03")


def test_u16_the_note_is_at_the_rate_of_the_sale_and_the_loss_stands_apart(town: MoneyTown) -> None:
    """€120.00 sold at 1.2000 were £100.00; refunded at 1.1800 they are £101.69: VAT is £16.67, and £1.69 is lost."""
    town.with_settings(storefront=town.settings.storefront, mode="audit", post_from=None)
    town.khaos.sell(an_order(1, currency="EUR"))
    town.swap.put(a_return(1, a_line(pence=12000, currency="EUR"), currency="EUR", order_id="id1"))
    town.shop.pay(1, 12000, currency="EUR", shop_pence=10169, sold_pence=12000, sold_shop_pence=10000)
    town.khaos.notes["CN1"] = a_note(pence=12000, associated_ref="RMA1", currency="EUR")
    town.sync()
    assert town.ask("SELECT status, gap_pence, vat_gap_pence, refund_vat_pence FROM recon.reconciliation") == [
        ("matched", 0, 0, 2000)
    ]
    with connect(town) as conn:
        told = money_of_month(conn, town.settings, "2026-03")
    assert "| paid by the shop | £101.69 |\n| exchange loss | £1.69 |\n| VAT at that rate | £16.67 |" in told


@pytest.mark.parametrize("is_rate_known", [True, False])
def test_u16_a_return_in_pounds_that_was_paid_in_euros_has_its_loss_as_a_leg(
    town: MoneyTown, is_rate_known: bool
) -> None:
    """Not a penny of VAT is claimed for the loss; where nobody knows the rate of the sale nothing is compared."""
    town.with_settings(storefront=town.settings.storefront, mode="audit", post_from=None)
    sold(town, 1, lines=(a_line(pence=10000),), refund_pence=10000)
    rate: dict[str, Any] = {"sold_pence": 12000, "sold_shop_pence": 10000} if is_rate_known else {}
    town.shop.pay(1, 12000, currency="EUR", shop_pence=10169, **rate)
    town.khaos.notes["CN1"] = a_note(pence=10000, associated_ref="RMA1")
    town.sync()
    row = town.ask("SELECT status, refund_pence, gap_pence, gap_fx_pence, vat_gap_pence FROM recon.reconciliation")
    assert row == ([("matched", 10169, -169, -169, 0)] if is_rate_known else [("matched", 10000, 0, 0, 0)])
    assert town.kinds() == ({} if is_rate_known else {"refund_currency_differs": "RMA1"})


def test_the_asset_and_its_check_say_whether_money_is_witnessed(town: MoneyTown) -> None:
    sold(town, 1)
    town.sync(days=4)
    made = called(assets.storefront_refunds, town)
    assert made.metadata["connected"] is True
    found = called(assets.every_refund_moved_money, town)
    assert (found.passed, found.description) == (False, "1 open, £10.00 at risk")
    town.with_settings()
    made = called(assets.storefront_refunds, town)
    assert "Swap says" in str(made.metadata["witness"].value)
    assert "no storefront is connected" in called(assets.every_refund_moved_money, town).description


def test_a_toolbox_without_a_storefront_says_which_setting_is_missing(database_url: str) -> None:
    with pytest.raises(SettingsError, match="KHAOS_SWAP_STOREFRONT_URL"):
        Town(database_url).tools.open_storefront()


def test_a_connected_storefront_that_nobody_read_lately_is_told(town: MoneyTown) -> None:
    town.sync()
    assert called(sources_are_fresh, town).passed
    town.do("UPDATE recon.watermarks SET reached_at = %s WHERE source = 'storefront/refunds'", NOON - timedelta(days=2))
    assert called(sources_are_fresh, town).description == "not read lately: storefront/refunds"


def test_how_far_back_the_storefront_was_read_is_found_again_after_a_clock_ahead(town: MoneyTown) -> None:
    town.now = NOON + timedelta(days=900)
    town.sync()
    town.now = NOON
    town.sync()
    assert town.one("SELECT reached_at FROM recon.watermarks WHERE source = 'storefront/seen_from'") < NOON


def test_one_payment_for_two_returns_of_an_order_lets_both_be_drafted(town: MoneyTown) -> None:
    town.khaos.sell(an_order(1, ("HAT", 1), ("CAP", 1)))
    town.swap.put(a_return(1, a_line("HAT")), a_return(2, a_line("CAP"), order_name="#LX1"))
    town.shop.pay(1, 2000)
    town.sync()
    assert town.ask("SELECT refund_id, linked_by FROM storefront.refunds") == [("F1", "order_and_sum")]
    assert town.drafts() == {"R1": "ready", "R2": "ready"}
    kinds = {kind for (kind,) in town.ask("SELECT kind FROM recon.exceptions WHERE closed_at IS NULL")}
    assert not {one for one in kinds if one.startswith("refund_")}
