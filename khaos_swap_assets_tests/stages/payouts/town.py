"""The town whose shop pays out by Shopify Payments, each sync as the job does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from khaos_swap_assets.adapters.settings_money import StorefrontSettings
from khaos_swap_assets.stages.credit_notes.posting import PostingRound
from khaos_swap_assets.stages.payouts.comparing import compare_payouts, read_payouts
from khaos_swap_assets.stages.reconciliation.judging import settle_exceptions
from khaos_swap_assets_tests.stages.storefront.shop import MoneyTown
from khaos_swap_assets_tests.stages.town import a_return, some_settings

READ = StorefrontSettings(
    url="https://shop.example", access_token=SecretStr("t"), poll_minutes=0, payouts=True, payout_minutes=0
)
ROWS = (
    "SELECT payout_id, line_id, place, gross_pence, fee_pence, matched_pence, apart_pence FROM recon.payout_refunds "
    "ORDER BY 1, 2"
)


@dataclass
class PayingTown(MoneyTown):
    """The town with payouts."""

    def read(self) -> None:
        super().read()
        read_payouts(self.tools)

    def sync(self, **later: float) -> PostingRound:
        posted = super().sync(**later)
        compare_payouts(self.tools)
        settle_exceptions(self.tools)
        return posted

    def rows(self) -> list[tuple[Any, ...]]:
        return self.ask(ROWS)


def a_town(database_url: str, **changes: Any) -> PayingTown:
    """With a storefront whose payouts are read; returns #LX1 and #LX2 of ten pounds were paid back by TF1 and TF2."""
    town = PayingTown(database_url, some_settings(storefront=READ.model_copy(update=changes)))
    for number in (1, 2):
        town.sells_and_takes_back(a_return(number, order_id=f"id{number}"))
        town.shop.pay(number, 1000, payment=f"TF{number}")
    return town


def credited(town: PayingTown) -> PayingTown:
    """Khaos has made the Credit Notes of both returns."""
    town.sync()
    for _ in range(3):
        town.pull()
        town.sync()
    return town
