"""A group with two Swap stores and one Khaos: kept apart, told apart, and one store's trouble is its own.

Belongs here: what holds of every further store, from outside. Stays out: their storefronts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.settings_swap import SwapSettings
from khaos_swap_assets.adapters.swap import client as swap_client
from khaos_swap_assets.adapters.swap.client import SwapClient
from khaos_swap_assets.stages.toolbox import Toolbox
from khaos_swap_assets_tests.acceptance.conftest import settings
from khaos_swap_assets_tests.acceptance.khaos_wire import KhaosOnTheWire, Sold
from khaos_swap_assets_tests.acceptance.office import Office, records
from khaos_swap_assets_tests.acceptance.swap_wire import Json, SwapOnTheWire, closed, product
from khaos_swap_assets_tests.by_hand import work
from khaos_swap_assets_tests.conftest import empty
from khaos_swap_assets_tests.lending import lend

OUTLET = {
    "SWAP_STORE_ID": "S2",
    "SWAP_API_KEY": "key-of-outlet",
    "SWAP_WEBHOOK_SECRET": "whsk_" + "2" * 32,
    "ORDER_REF_FORMAT": "OUT{0}",
}
KEYS = {"S1": "k", "S2": "key-of-outlet"}
WATCH = timedelta(minutes=45)


@dataclass
class Group(Office):
    """The same merchant with a second store, ``outlet``; ``down`` are the ids of the stores that do not answer."""

    outlet: SwapOnTheWire = field(default_factory=SwapOnTheWire)
    down: set[str] = field(default_factory=set)

    @property
    def tools(self) -> Toolbox:
        return replace(super().tools, open_swap=lambda: self._swap(self.settings.swap), open_swap_of=self._swap)

    def _swap(self, of: SwapSettings) -> SwapClient:
        return swap_client.connect(of, transport=httpx.MockTransport(self._answer), sleep=lambda _: None)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        """Whatever is asked names one store, and carries the key of that store alone."""
        store = request.url.params["swap_store_id"]
        assert request.headers["x-api-key"] == KEYS[store]
        if store in self.down:
            return httpx.Response(503, text="down for maintenance")
        return {"S1": self.swaps, "S2": self.outlet}[store](request)

    def delivers(self) -> list[Json]:
        """Runs and pulls by turns until a pull brings nothing; what Khaos was given and imported."""
        every: list[Json] = []
        self.sync(minutes=10)
        while given := self.collects():
            for document in given:
                self.books.take(document)
            every += given
            self.sync(minutes=10)
        return every

    def pushes_at(self, path: str, body: Json) -> None:
        """A message of Swap."""
        self._gateway("POST", path, json=body)

    def outlet_trades(self, *some: Json) -> None:
        """Have the outlet list these returns, and Khaos the order of each under the outlet's format."""
        for one in some:
            number = int(one["rma_number"].removeprefix("RMA"))
            self.books.sell(number)
            sold = self.books.documents[f"SO{number}"]
            code = f"SX{number}"
            self.books.documents[code] = Sold(code, f"OUTLX{number}", f"X{number}", sold.lines, sold.day)
        self.outlet.put(*({**one, "store_id": "S2"} for one in some))


def of_group(patch: pytest.MonkeyPatch, **changes: str) -> Settings:
    """The settings of both stores, as the environment gives them."""
    for name, value in {**OUTLET, **changes}.items():
        patch.setenv(f"KHAOS_SWAP_STORE_OUTLET_{name}", value)
    swap = {"webhook_secret": "whsk_" + "1" * 32}
    return settings(stores="outlet", swap=swap).with_stores()


@pytest.fixture
def group(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Group]:
    """Two empty stores, in mode post at noon of 10 March 2026."""
    opened = Group(database_url, of_group(monkeypatch))
    yield opened
    opened.closes()


def told(group: Group, *words: str) -> list[tuple[str, str]]:
    """(kind, subject) of what is open."""
    return sorted((row["kind"], row["subject"]) for row in group.exceptions(*words))


def orders_of(documents: list[Json]) -> dict[str, str]:
    """Order in Khaos by reference of the document."""
    return {
        one["AssociatedRef"]: one["ReturnedItems"][0]["SourceReference"]["SourceOrder"]["AssociatedRef"]
        for one in documents
    }


def test_stores_that_number_alike_have_a_note_of_each_return_and_of_its_own_order(group: Group) -> None:
    group.trades(closed(1), closed(2))
    group.outlet_trades(closed(1), closed(2))
    named = orders_of(group.delivers())
    credited = sorted(
        (one.customer, int(one.pounds), one.reference) for one in group.books.documents.values() if one.is_note
    )
    assert [(customer, pounds) for customer, pounds, _ in credited] == [("C1", 10), ("C2", 10), ("X1", 10), ("X2", 10)]
    references = [reference for _, _, reference in credited]
    assert references[:2] == ["RMA1", "RMA2"]
    assert {reference: named[reference] for reference in references[:2]} == {"RMA1": "KCCLX1", "RMA2": "KCCLX2"}
    assert [named[reference] for reference in references] == ["KCCLX1", "KCCLX2", "OUTLX1", "OUTLX2"]
    assert len(named) == 4
    assert all(len(reference) <= 15 for reference in references)
    assert (set(group.postings().values()), told(group)) == ({"confirmed"}, [])


def test_what_the_first_store_says_and_does_is_what_it_was_byte_for_byte(group: Group) -> None:
    both, alone = group.settings, settings(swap={"webhook_secret": "whsk_" + "1" * 32})
    said: list[tuple[Any, ...]] = []
    began = group.now
    for now_with in (alone, both):
        with lend(group.url) as conn:
            empty(conn)
            conn.commit()
        group.settings, group.token, group.now, group.books = now_with, "", began, KhaosOnTheWire()
        group.trades(closed(1))
        if now_with is both:
            group.outlet_trades(closed(9))
        given = [one for one in group.delivers() if one["AssociatedRef"] == "RMA1"]
        kept = group.ask("SELECT return_id, document_hash FROM recon.postings WHERE reference = 'RMA1'")
        said.append((given, kept))
    assert said[0] == said[1]
    assert [len(part) for part in said[0]] == [1, 1]


@pytest.mark.parametrize(("ill", "subject"), [("S1", "Swap list of returns"), ("S2", "Swap list of returns of outlet")])
def test_one_store_down_holds_nothing_of_the_other(group: Group, ill: str, subject: str) -> None:
    group.down.add(ill)
    group.trades(closed(1))
    group.outlet_trades(closed(1))
    left = group.settles()
    assert len(left) == 1
    assert (left == ["RMA1"]) is (ill == "S2")
    assert told(group) == [("source_refused", subject)]
    group.down.clear()
    group.now += WATCH
    assert len(group.settles()) == 1
    assert (set(group.postings().values()), told(group)) == ({"confirmed"}, [])


def test_while_a_store_is_down_nothing_of_it_closes_and_nothing_of_it_leaves(group: Group) -> None:
    group.outlet_trades(closed(1), closed(2, rma_processed="N/A"))
    group.sync(minutes=1)
    before = told(group, "--store", "outlet")
    assert ("closed_without_refund", "outlet:RMA2") in before
    group.down.add("S2")
    group.outlet.put({**closed(2, date_updated="10 Mar 2026, 12:40:00"), "store_id": "S2"})
    group.now += WATCH
    group.trades(closed(3))
    assert group.settles() == ["RMA3"]
    assert told(group, "--store", "outlet") == before
    group.down.clear()
    group.now += WATCH
    assert len(group.settles()) == 2
    assert told(group) == []


def test_a_reference_that_may_be_either_stores_acts_on_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = Group(database_url, of_group(monkeypatch, ORDER_REF_FORMAT="KCC{0}"))
    group.trades(closed(1))
    group.outlet.put({**closed(1), "store_id": "S2"})
    assert group.settles() == []
    assert [kind for kind, _ in told(group)] == ["order_ambiguous", "order_ambiguous"]
    group.closes()


def test_the_month_is_told_by_store_and_the_stores_add_up_to_it(group: Group) -> None:
    group.trades(closed(1), closed(2, product(cost=30.0)))
    group.outlet_trades(closed(1))
    group.settles()
    verdict, shown = group.month("2026-03")
    assert verdict.passed
    rows = {row["store"]: (row["returns"], row["refund"], row["credited"]) for row in records(shown["by_store"])}
    assert rows == {"main": (2, "£40.00", "£40.00"), "outlet": (1, "£10.00", "£10.00")}


def test_the_counts_of_the_stores_stand_side_by_side(group: Group) -> None:
    group.trades(closed(1), closed(2))
    group.outlet_trades(closed(1))
    shown = records(group.runs().pages["reconciliation/completeness"]["days"])
    assert {row["store"]: row["told"] for row in shown if row["told"]} == {"main": 2, "outlet": 1}
    assert {row["missing"] for row in shown} == {0}


def test_lists_are_of_one_store_where_one_is_named(group: Group) -> None:
    group.trades(closed(1, rma_processed="N/A"))
    group.outlet_trades(closed(1, rma_processed="N/A"), closed(2, rma_processed="N/A"))
    group.sync(minutes=1)
    assert {subject for _, subject in told(group, "--store", "main")} == {"RMA1"}
    assert {subject for _, subject in told(group, "--store", "outlet")} == {"outlet:RMA1", "outlet:RMA2"}
    assert {subject for _, subject in told(group)} == {"RMA1", "outlet:RMA1", "outlet:RMA2"}
    listed = {name: json.loads(group.asks("returns", "list", "--json", *name.split()).stdout) for name in
              ("", "--store main", "--store outlet")}  # fmt: skip
    assert {name: sorted(row["rma"] for row in rows) for name, rows in listed.items()} == {
        "": ["RMA1", "outlet:RMA1", "outlet:RMA2"],
        "--store main": ["RMA1"],
        "--store outlet": ["outlet:RMA1", "outlet:RMA2"],
    }
    assert [sorted({row["store"] for row in rows}) for rows in listed.values()] == [
        ["main", "outlet"], ["main"], ["outlet"],
    ]  # fmt: skip


def test_a_file_of_payouts_may_be_of_a_further_store(group: Group, tmp_path: Path) -> None:
    group.trades(closed(1))
    group.outlet_trades(closed(1), closed(2))
    group.settles()
    rows = "PP1,2026-03-12,refund,-10.00,RMA1,\nPP2,2026-03-12,refund,-10.00,,LX2\n"
    (tmp_path / "outlet.csv").write_text(f"payout_id,paid_on,kind,gross,return_id,order_ref\n{rows}")
    words = ("--provider", "paypal", "--by", "Kim Ash", "--store", "outlet")
    done = group.asks("payouts", "import", str(tmp_path / "outlet.csv"), *words)
    assert done.exit_code == 0, done.output
    shown = records(group.runs().pages["reconciliation/payouts"]["side_by_side"])
    assert {row["payout"]: (row["place"], row["rma"]) for row in shown} == {
        "paypal PP1": ("matched", "outlet:RMA1"),
        "paypal PP2": ("matched", "outlet:RMA2"),
    }


@pytest.mark.parametrize("words", [("returns", "list"), ("exceptions", "list")])
def test_a_store_that_is_none_is_named_in_the_refusal(group: Group, words: tuple[str, str]) -> None:
    done = group.asks(*words, "--store", "attic")
    assert done.exit_code == 2
    assert all(word in done.output for word in ("attic", "main", "outlet"))


@pytest.mark.parametrize(
    ("secret", "store_id", "named"), [("1", "S2", "outlet"), ("2", "S1", "main"), ("9", "S2", "outlet")]
)
def test_a_webhook_that_is_refused_is_told_of_the_store_that_it_names(
    group: Group, secret: str, store_id: str, named: str
) -> None:
    at = int(group.now.timestamp())
    claims = {"iat": at, "exp": at + 300, "event": "returnProcessed", "return_id": "ret_1", "store_id": store_id}
    body = {"jwt": jwt.encode(claims, f"whsk_{secret * 32}", algorithm="HS256"), "return_id": "ret_1"}
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        group.pushes_at("/webhooks/swap", body)
    kept = [reason for (reason,) in group.ask("SELECT reason FROM recon.refused_messages")]
    assert [named in reason for reason in kept] == [True]


def test_a_store_that_was_taken_out_with_open_returns_is_told_until_it_comes_back(group: Group) -> None:
    both = group.settings
    group.outlet_trades(closed(1, rma_processed="N/A"))
    group.trades(closed(1))
    group.settles()
    before = told(group)
    group.settings = settings(swap={"webhook_secret": "whsk_" + "1" * 32}).with_stores()
    group.trades(closed(2))
    assert group.settles() == ["RMA2"]
    assert not work(group, "watch").verdicts["somebody_watches"].passed
    gone = [row for row in group.exceptions() if row["kind"] in ("source_refused", "source_not_read")]
    assert [(row["owner"], "outlet" in row["subject"]) for row in gone] == [("engineer", True)]
    assert "KHAOS_SWAP_STORES" in gone[0]["message"]
    assert set(before) <= set(told(group))
    group.settings = both
    group.now += WATCH
    group.settles()
    assert work(group, "watch").verdicts["somebody_watches"].passed
    assert told(group) == before
