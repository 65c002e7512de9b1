"""Payouts through the code location on a real instance: assets, check and exceptions as a run leaves them."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from khaos_swap_assets_tests.adapters.storefront.shop import balance
from khaos_swap_assets_tests.stages.payouts.town import PayingTown, a_town
from khaos_swap_assets_tests.test_definitions import checks, metadata, run

pytestmark = pytest.mark.house


def look(town: PayingTown, instance: dg.DagsterInstance) -> tuple[dg.AssetCheckEvaluation, dict[str, Any]]:
    """A sync and its verdicts: that of the payouts, and what the asset shows."""
    shown = metadata(run(town, instance), "reconciliation/payouts")
    return checks(run(town, instance, "standing_checks"))["payouts_agree_with_credit_notes"], shown


def test_from_the_refund_to_the_payout_and_the_credit_note(database_url: str) -> None:
    town = a_town(database_url)
    with dg.DagsterInstance.ephemeral() as instance:
        run(town, instance)
        for _ in range(3):
            town.pull()
            verdict, _ = look(town, instance)
        assert verdict.passed
        assert verdict.description
        assert verdict.description.startswith("not compared: No payouts are read")
        lines = [balance(number, "-10.00", "0.20", sourceOrderTransactionId=f"TF{number}") for number in (1, 2)]
        town.shop.pay_out(1, *lines)
        verdict, shown = look(town, instance)
        assert verdict.passed, verdict.description
        assert (shown["lines_matched"], shown["apart"], shown["dagster/row_count"]) == (2, 0, 2)
        assert shown["proposed_journals"].count("payment fees") == 1
        lines[0]["amount"]["amount"], lines[0]["net"]["amount"] = "-13.95", "-14.15"
        town.shop.pay_out(1, *lines, status="SCHEDULED")
        verdict, shown = look(town, instance)
        assert not verdict.passed
        assert verdict.description == "1 open, £3.95 at risk"
        assert "3.29" not in shown["by_month"]
        assert (
            "| 2026-03 | shopify_payments | 1 | ‑£24.35 | ‑£20.00 | ‑£3.95 | £0.00 | ‑£0.40 | £0.00 |"
            in (shown["by_month"])
        )
        assert town.kinds() == {"payout_amount_differs": "shopify_payments 1/1"}
