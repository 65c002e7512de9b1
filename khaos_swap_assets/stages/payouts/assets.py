"""The assets of the payouts: as told, and laid beside refunds and Credit Notes; their check and their journals.

Belongs here: ``storefront/payouts``, ``reconciliation/payouts`` and what they show. Stays out: the work (``comparing``)
and the rules (``domain.payouts``). Source: FINANCE_RULES U-1, U-14 to U-16, U-25, U-28.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, payout_rows, payouts
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import london_date, london_month
from khaos_swap_assets.domain.payouts.comparing import KINDS, Places
from khaos_swap_assets.domain.reporting.month_open import counted
from khaos_swap_assets.domain.reporting.tables import markdown_table
from khaos_swap_assets.stages.checking import StandingCheck, described, judge_open
from khaos_swap_assets.stages.payouts.comparing import compare_payouts, read_payouts
from khaos_swap_assets.stages.payouts.entering import COLUMNS, file_rows, journals_of_month
from khaos_swap_assets.stages.presenting import WORST_ROWS, as_table, asset, owned, table_metadata
from khaos_swap_assets.stages.toolbox import Toolbox

MONTHS_SHOWN = timedelta(days=62)
NOT_READ = (
    "No payouts are read. Set KHAOS_SWAP_STOREFRONT_PAYOUTS=true to read those of Shopify Payments, or bring those of "
    "any payment provider by `khaos-swap payouts import FILE`."
)


@asset(
    "storefront/payouts",
    **owned("storefront", "finance", "storefront", "shopify"),
    op_tags={"vendor": "storefront"},
    description="Payouts of payment providers with their lines: those of Shopify Payments as last read, of any other "
    "as a file told them. Money is pence of the payout's currency, days are London's. A fee is positive and apart.",
)
def storefront_payouts(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Read those that came or changed."""
    read, since = read_payouts(toolbox), london_date(toolbox.now() - MONTHS_SHOWN)
    with toolbox.store() as conn:
        others = [
            {"type": kind or "(none)", "lines": count, "gross": format_money(pence, currency)}
            for kind, currency, count, pence in payout_rows.other_kinds(conn, since)
        ]
        shown = table_metadata(conn, "storefront.payouts", "changed_at")
    return dg.MaterializeResult(
        metadata={
            "read_from_shopify": any(one.storefront.reads_payouts for one in toolbox.settings.by_store),
            **asdict(read),
            "shown_since": str(since),
            "lines_of_no_refund": as_table(others),
            **shown,
        }
    )


@asset(
    "reconciliation/payouts",
    deps="storefront/payouts storefront/refunds swap/returns matched/return_lines khaos/sales_orders "
    "khaos/credit_notes reconciliation/returns",
    **owned("reconciliation", "finance", "ours"),
    description="In which payout each refund went, beside the refund and the Credit Notes of its return: date and "
    "pounds side by side, every difference named, fees apart and never netted. Proposed journals are lines for a "
    "person to enter; nothing is posted.",
)
def reconciliation_payouts(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Lay payouts that came beside the refunds, and look again at what is apart."""
    compared = compare_payouts(toolbox)
    now = toolbox.now()
    with toolbox.store() as conn:
        return dg.MaterializeResult(
            metadata={
                "payouts_compared": compared.payouts,
                **{f"lines_{place}": count for place, count in sorted(compared.places.items())},
                "apart": compared.apart,
                **table_metadata(conn, "recon.payout_refunds", "compared_at"),
                "side_by_side": as_table([_for_people(row) for row in payout_rows.side_by_side(conn, WORST_ROWS)]),
                "by_month": dg.MetadataValue.md(_by_month(conn, now)),
                "proposed_journals": dg.MetadataValue.md(_proposed(conn, now)),
            }
        )


def _for_people(row: Mapping[str, Any]) -> dict[str, str]:
    """A row as finance reads it, from the payout to the refund to the credit."""

    def money(name: str, currency: str = "currency") -> str:
        return "" if row[name] is None else format_money(row[name], row[currency])

    return {
        "place": row["place"],
        "payout": f"{row['provider']} {row['payout_id']}" if row["payout_id"] else "in none",
        "paid out on": str(row["paid_out_on"] or ""),
        **{name: money(f"{name}_pence") for name in ("gross", "fee", "net")},
        "refund": money("refund_pence"),
        "refunded on": str(row["refunded_on"] or ""),
        "order": row["order_name"],
        "rma": row["rma"],
        "apart": money("apart_pence"),
        "Credit Notes": row["credit_notes"] or "",
        "credited": money("issued_pence", "credited_in"),
        "credited on": str(row["credited_on"] or ""),
        "credit apart": money("credit_apart_pence", "credited_in"),
        "why": row["why"],
    }


BY_MONTH = ("month", "provider", "payouts", "paid out", "refunds", "apart", "of no refund", "fees", "not in the lines")


def _by_month(conn: Conn, now: datetime) -> str:
    """Markdown: where each penny of the payouts belongs, for this month and those just over."""
    rows = [
        (month, provider, count, *(format_money(pence, currency) for pence in _shown(places)))
        for month, provider, currency, count, places in payout_rows.months(conn, london_date(now - MONTHS_SHOWN))
    ]
    return markdown_table(BY_MONTH, rows) if rows else NOT_READ


def _shown(places: Places) -> tuple[int, ...]:
    """What was paid out, and the places that add up to it: fees take off."""
    apart = (places.matched_pence, places.apart_pence, places.beside_pence, -places.fee_pence, places.untold_pence)
    return places.total_pence, *apart


def _proposed(conn: Conn, now: datetime) -> str:
    """Markdown: the first lines of the journals of this month and the one before; the whole is a command."""
    this = london_date(now)
    months = (london_month(now), f"{this.replace(day=1) - timedelta(days=1):%Y-%m}")
    rows = [row for month in months for row in file_rows(journals_of_month(conn, month), month)]
    told = f"{len(rows)} lines, none posted; all of a month: `khaos-swap payouts journals --month {months[1]}`.\n\n"
    return told + markdown_table(COLUMNS, rows[:WORST_ROWS]) if rows else "Nothing to correct.\n"


PROVES = (
    "Every refund is in one payout of its provider, to the penny and within KHAOS_SWAP_STOREFRONT_PAYOUT_DAYS days, "
    "every payout is the sum of its lines, and what was paid out is what issued Credit Notes credit. Where no payouts "
    "are known it compares nothing and says so; refunds of providers whose payouts nobody brings are not in it."
)


def _judge(conn: Conn, tools: Toolbox) -> dg.AssetCheckResult:
    """Count what is open between payouts, refunds and credit."""
    otherwise = payout_rows.credited_otherwise(conn)
    shown = {
        "compared": dg.MetadataValue.text(_compared_words(conn, tools.settings)),
        "credited_otherwise": as_table(
            [
                {"rma": rma, "credit less refund": format_money(pence, currency)}
                for rma, currency, pence in otherwise[:WORST_ROWS]
            ]
        ),
    }
    found = judge_open(conn, KINDS, shown)
    if not payouts.is_known(conn):
        return found._replace(description=f"not compared: {NOT_READ}")
    told = [found.description or "", _credited_words(otherwise)]
    return found._replace(passed=found.passed and not otherwise, description="; ".join(filter(None, told)))


payouts_agree_with_credit_notes = StandingCheck(
    "reconciliation/payouts", "payouts_agree_with_credit_notes", described(PROVES, KINDS), _judge
)


def _compared_words(conn: Conn, settings: Settings) -> str:
    days = [f"{name} {one.first} to {one.last}" for name, one in sorted(payouts.covered(conn).items())]
    refunds = "payments of the storefront" if settings.connected else "refunds as Swap says"
    return f"payouts of {', '.join(days)}, beside {refunds}" if days else NOT_READ


def _credited_words(rows: Sequence[tuple[str, str, int]]) -> str:
    """Returns that were paid out and credited otherwise: their own exceptions say why."""
    apart = [(abs(pence), currency) for _, currency, pence in rows]
    return f"paid out and credited otherwise, each with an exception of its own: {counted(apart)}" if rows else ""


ASSETS = [storefront_payouts, reconciliation_payouts]
CHECKS = [payouts_agree_with_credit_notes]
