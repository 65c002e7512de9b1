"""Looking ahead on a real database: causes with their returns, what nobody sent back yet, and closing by proof."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.domain.judging.foreseen import KIND
from khaos_swap_assets.domain.money.periods import night_has_passed
from khaos_swap_assets.domain.records.returns import Return, ReturnLine
from khaos_swap_assets.stages.returns import assets
from khaos_swap_assets.stages.returns.foreseeing import foresee
from khaos_swap_assets.stages.storefront.sync import read_variants
from khaos_swap_assets_tests.stages.storefront.shop import CONNECTED, MoneyTown
from khaos_swap_assets_tests.stages.tables import check_named
from khaos_swap_assets_tests.stages.town import NOON, a_code, a_line, a_return, called, some_settings

COMING: dict[str, Any] = {
    "status": "Open", "refund_pence": 0, "delivery_status": "In-Transit", "quality_control_status": "Pending",
    "delivered_at": None, "processed_at": None, "closed_at": None,
}  # fmt: skip
CAUSES = "SELECT about, code, kind, returns, sold, listed FROM recon.return_causes ORDER BY 1, 2"
TOLD = f"SELECT subject FROM recon.exceptions WHERE kind = '{KIND}' AND closed_at IS NULL ORDER BY 1"


class Ahead(MoneyTown):
    """The town in which each run looks ahead, a night after the last one."""

    def sync(self, **later: float) -> Any:
        posted = super().sync(**(later or {"days": 1}))
        read_variants(self.tools)
        foresee(self.tools)
        return posted

    def causes(self) -> list[tuple[Any, ...]]:
        return self.ask(CAUSES)

    def told(self) -> list[str]:
        return [subject for (subject,) in self.ask(TOLD)]


@pytest.fixture
def town(database_url: str) -> Ahead:
    return Ahead(database_url, some_settings(storefront=CONNECTED))


def coming(number: int, *lines: ReturnLine) -> Return:
    return a_return(number, *lines, **COMING)


def takes_back(town: Ahead, *some: Return) -> Ahead:
    """These returns, whose orders hold a HAT each, whatever they name."""
    town.sells_and_takes_back(*(replace(one, lines=(replace(one.lines[0], sku="HAT"),)) for one in some))
    town.swap.put(*some)
    return town


def variant(sku: str | None, number: int = 1, status: str = "ACTIVE") -> dict[str, Any]:
    return {
        "id": f"gid://shopify/ProductVariant/{number}", "sku": sku, "displayName": "A hat",
        "product": {"status": status},
    }  # fmt: skip


def test_one_wrong_code_is_one_exception_with_all_of_its_open_returns(town: Ahead) -> None:
    takes_back(town, coming(1, a_line("HAT#2")), coming(2, a_line("HAT#2")), coming(3), a_return(4)).sync()
    assert town.causes() == [("SKU", "HAT#2", "sku_unknown", 2, 0, 0)]
    message, pence = town.ask(f"SELECT message, money_at_risk_pence FROM recon.exceptions WHERE kind = '{KIND}'")[0]
    why = "SKU unknown, and none ever can: it holds a #; correct it in the shop"
    assert message == f"2 open returns will fail: RMA1, RMA2. HAT#2: {why}"
    assert pence == 0


def test_a_mended_code_closes_its_cause_at_the_next_run_and_its_returns_go_on(town: Ahead) -> None:
    town.sells_and_takes_back(coming(1, a_line("ZEBRA")), coming(2, a_line("ZEBRA")))
    del town.khaos.items["ZEBRA"]
    town.khaos.items["HAT"] = a_code("HAT")
    town.sync()
    assert town.causes() == [("SKU", "ZEBRA", "sku_unknown", 2, 2, 0)]
    assert town.told() == ["ZEBRA"]
    town.khaos.items["ZEBRA"] = a_code("ZEBRA")
    town.sync(minutes=1)
    assert (town.told(), town.causes()) == ([], [])
    assert town.ask("SELECT DISTINCT stock_code FROM recon.matched_lines") == [("ZEBRA",)]


def test_a_return_that_was_refunded_or_cancelled_holds_no_cause_open(town: Ahead) -> None:
    takes_back(town, coming(1, a_line("ZEBRA")), coming(2, a_line("ZEBRA"))).sync()
    town.edit(a_return(1, a_line("ZEBRA")), a_return(2, a_line("ZEBRA"), **{**COMING, "status": "Cancelled"}))
    town.sync(minutes=1)
    assert (town.told(), town.causes()) == ([], [])
    assert town.kinds()["sku_unknown"] == "RMA1/ZEBRA"


def test_what_the_shop_lists_is_told_before_anybody_sends_it_back(town: Ahead) -> None:
    town.khaos.items |= {"HAT": a_code("HAT"), "OLD": a_code("OLD", is_discontinued=True)}
    town.shop.variants = [
        variant("HAT"), variant("OLD", 2), variant(" HAT", 3), variant(None, 4), variant("CAP", 5, "DRAFT"),
    ]  # fmt: skip
    town.sync()
    assert [(code, kind, listed) for _, code, kind, _, _, listed in town.causes()] == [
        ("", "sku_unknown", 1), (" HAT", "sku_unknown", 1), ("OLD", "sku_discontinued", 1),
    ]  # fmt: skip
    assert town.told() == [" HAT", "OLD", "SKU (empty)"]
    town.khaos.items["OLD"] = a_code("OLD")
    town.sync(minutes=1)
    assert town.told() == [" HAT", "SKU (empty)"]
    town.shop.variants = [variant("HAT")]
    town.sync(hours=1)
    assert len(town.told()) == 2
    town.sync()
    assert town.told() == []


def test_a_code_that_was_sold_lately_and_was_renamed_since_is_told(town: Ahead) -> None:
    town.sells_and_takes_back(coming(1, a_line("CAP"), a_line("HAT")))
    town.edit(coming(1, a_line("HAT")))
    del town.khaos.items["CAP"]
    town.sync()
    assert town.causes() == [("SKU", "CAP", "sku_unknown", 0, 1, 0)]
    town.do("UPDATE khaos.sales_orders SET ordered_on = %s", town.today() - timedelta(days=91))
    town.sync()
    assert town.causes() == []


def test_what_an_exception_of_a_return_tells_already_is_not_told_twice(town: Ahead) -> None:
    town.sells_and_takes_back(a_return(1, a_line("ZEBRA")))
    del town.khaos.items["ZEBRA"]
    town.sync()
    assert (town.kinds()["sku_unknown"], town.told()) == ("RMA1/ZEBRA", [])


def test_without_any_stock_code_nothing_is_said_of_sales_and_listings(town: Ahead) -> None:
    town.shop.variants = [variant("HAT")]
    town.sync()
    assert town.told() == []


def test_orders_are_causes_for_their_owners_and_vat_codes_for_data_management(town: Ahead) -> None:
    town.sells_and_takes_back(coming(1), coming(2), coming(3))
    first, second, _ = town.khaos.orders
    town.khaos.orders[0] = replace(first, lines=tuple(replace(line, vat_code="9") for line in first.lines))
    town.khaos.orders.remove(second)
    town.sync()
    town.sync()
    assert [row[:4] for row in town.causes()] == [
        ("VAT code", "9", KIND, 1),
        ("order", "KCCLX2", "order_not_found", 1),
    ]
    assert town.told() == ["VAT code 9"]
    town.do("UPDATE khaos.order_lines SET vat_code = '1'")
    town.sync(minutes=1)
    assert town.told() == []


def test_where_a_shop_refuses_its_variants_it_is_told_and_those_of_before_stay(town: Ahead) -> None:
    town.khaos.items["HAT"] = a_code("HAT")
    town.shop.variants = [variant("CAP")]
    town.sync()
    town.shop.error = PermanentError("POST: ACCESS_DENIED")
    read_variants(town.tools)
    town.now += timedelta(days=1)
    read_variants(town.tools)
    foresee(town.tools)
    assert town.told() == ["CAP"]
    assert town.one("SELECT subject FROM recon.setbacks WHERE operation = 'Storefront variants'") is not None
    town.settings = some_settings()
    read_variants(town.tools)
    assert town.ask("SELECT * FROM storefront.variants") == []


def test_a_variant_that_cannot_be_read_is_told_until_it_is(town: Ahead) -> None:
    town.shop.variants = [variant("x" * 201), variant("HAT", 2)]
    town.sync()
    unread = "SELECT subject FROM storefront.unreadable WHERE resolved_at IS NULL"
    assert town.ask(unread) == [("variant 1",)]
    town.shop.variants = [variant("x")]
    town.sync()
    assert town.ask(unread) == []


def test_while_a_mandatory_source_is_refused_nothing_closes(town: Ahead) -> None:
    takes_back(town, coming(1, a_line("ZEBRA"))).sync()
    town.do("DELETE FROM recon.matched_lines")
    town.do(
        "INSERT INTO recon.setbacks (operation, subject, reason, first_at, last_at, next_try_at, attempts) "
        "VALUES ('Swap list of returns', '', 'no', now(), now(), now(), 1)"
    )
    foresee(town.tools)
    assert (town.causes(), town.told()) == ([], ["ZEBRA"])


def test_the_asset_tells_the_whole_and_the_check_its_owner(town: Ahead) -> None:
    takes_back(town, coming(1, a_line("HAT#2")), coming(2, a_line("HAT#2"))).sync()
    shown = called(assets.open_returns, town).metadata
    assert shown["summary"] == "2 open returns will fail, 1 cause: fix HAT#2"
    assert "RMA1, RMA2" in str(shown["by_cause"])
    verdict = called(check_named(assets.CHECKS, "no_code_will_fail"), town)
    assert not verdict.passed
    assert "HAT#2" in str(verdict.metadata["causes"])


def test_new_causes_are_alerted_once_in_one_message(town: Ahead) -> None:
    takes_back(town, coming(1, a_line("HAT#2")), coming(2, a_line("HAT#3")))
    super(Ahead, town).sync()
    for _ in range(2):
        called(assets.open_returns, town)
    assert [one.message for one in town.alerts] == ["2 open returns will fail, 2 causes: fix HAT#2, HAT#3"]


def test_a_moment_of_the_night_is_londons() -> None:
    at = datetime(2026, 7, 1, 2, 29, tzinfo=UTC)
    assert night_has_passed(None, at)
    assert not night_has_passed(NOON, NOON + timedelta(hours=15, minutes=29))
    assert night_has_passed(NOON, NOON + timedelta(hours=15, minutes=30))
    assert not night_has_passed(at, at)
    assert night_has_passed(at, at + timedelta(minutes=1))
