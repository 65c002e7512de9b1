"""The assets of the reconciliation: each return, the exceptions, the month.

Belongs here: ``reconciliation/returns``, ``reconciliation/exceptions``, ``reconciliation/month_end`` and what they
show, and ``people/decisions``, which commands fill. Stays out: the work (``judging``, ``month_end``) and the rules
(``judging.verdict``).
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import dagster as dg

from khaos_swap_assets.adapters.settings import PERIOD_START, Settings
from khaos_swap_assets.adapters.store import Conn, exceptions, residuals, stores
from khaos_swap_assets.adapters.store.verdicts import LEG_COLUMNS
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.records.returns import hold_words
from khaos_swap_assets.domain.reporting.tables import summary_table, worst_rows
from khaos_swap_assets.stages.checking import to_do
from khaos_swap_assets.stages.credit_notes.stopping import Held, held
from khaos_swap_assets.stages.presenting import (
    PREVIEW_ROWS,
    as_table,
    asset,
    gap_by_cause,
    gap_by_month,
    keys,
    owned,
    picked,
    table_metadata,
)
from khaos_swap_assets.stages.reconciliation.judging import reconcile_waiting, settle_exceptions
from khaos_swap_assets.stages.reconciliation.month_end import (
    accrual_table,
    close_month,
    goods_tables,
    vat_posted_table,
    vat_table,
)
from khaos_swap_assets.stages.storefront.assets import money_of_month
from khaos_swap_assets.stages.toolbox import Toolbox

ALERTED = ("source_refused", "fault_in_return")
MONTH_END = dg.AssetKey(["reconciliation", "month_end"])
DECISIONS = dg.AssetKey(["people", "decisions"])


def months_from(first: date) -> dg.TimeWindowPartitionsDefinition:
    """The London months from that of ``first`` to the open one."""
    return dg.TimeWindowPartitionsDefinition(
        start=f"{first:%Y-%m}", fmt="%Y-%m", cron_schedule="0 0 1 * *", timezone="Europe/London", end_offset=1
    )


decisions = dg.AssetSpec(
    DECISIONS,
    **owned("reconciliation", "finance", "ours"),
    description="What named people decided: whose a note is and is not, codes that are one, values accepted or settled "
    "outside, exceptions waived. Written by `khaos-swap`, each with its reason and figures. No run makes it.",
)


def _held_metadata(behind: Sequence[Held]) -> dict[str, Any]:
    """Returns whose document waits behind a held feed: how many, and each with what it waits for."""
    if not behind:
        return {}
    rows = [{"rma": one.rma, "value": one.value, "waits_for": one.waits_for} for one in behind[:PREVIEW_ROWS]]
    return {"held": len(behind), "held_documents": as_table(rows)}


def column_lineage(merchant: str = "") -> dg.TableColumnLineage:
    """Of which columns each figure of a return is made."""

    def of(asset: str, *columns: str) -> list[dg.TableColumnDep]:
        (key,) = keys(asset, merchant)
        return [dg.TableColumnDep(key, column) for column in columns]

    gap = [*of("swap/returns", "refund_pence"), *of("khaos/credit_notes", "gross_pence")]
    return dg.TableColumnLineage(
        {
            "rma": of("swap/returns", "rma"),
            "currency": of("swap/returns", "currency"),
            "refund_pence": [
                *of("swap/returns", "refund_pence", "status", "refunded_at"),
                *of("storefront/refunds", "moved_pence", "moved_at"),
            ],
            "credited_pence": of("khaos/credit_notes", "gross_pence"),
            "issued_pence": of("khaos/credit_notes", "gross_pence", "issued_on"),
            "gap_pence": gap,
            **{column: [*gap, *of("matched/return_lines", "stock_code", "cost_pence")] for column in LEG_COLUMNS},
            "credit_note_codes": of("khaos/credit_notes", "credit_note_code"),
            "period": [*of("swap/returns", "refunded_at"), *of("storefront/refunds", "moved_at")],
        }
    )


@asset(
    "reconciliation/returns",
    deps="people/decisions swap/returns swap/return_lines matched/return_lines storefront/refunds storefront/payouts "
    "khaos/stock_codes khaos/sales_orders khaos/credit_notes khaos/stock_adjustments credit_notes/drafts "
    "credit_notes/postings",
    **owned("reconciliation", "finance", "ours"),
    description="One row a return: refunded, credited, issued, the gap in pence with its causes, and what is wrong. "
    "The gap is Khaos's credit less Swap's refund; its legs add up to it, each with the field that says so.",
)
def reconciliation_returns(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Judge every return in line, and those whose time has come."""
    judged = reconcile_waiting(toolbox)
    with toolbox.store() as conn:
        shown = table_metadata(
            conn, "recon.reconciliation", "reconciled_at", lambda row: {"status": hold_words(row["status"])}
        )
        behind = held(conn, settings=toolbox.settings, now=toolbox.now())
    statuses = [{"status": hold_words(name), "returns": count} for name, count in sorted(judged.statuses.items())]
    return dg.MaterializeResult(
        metadata={
            "judged": judged.returns,
            "statuses": as_table(statuses),
            "findings": judged.findings,
            **_held_metadata(behind),
            "dagster/column_lineage": column_lineage(toolbox.settings.merchant),
            **shown,
        }
    )


@asset(
    "reconciliation/exceptions",
    deps="reconciliation/returns reconciliation/cancellations reconciliation/payouts people/decisions swap/returns "
    "warehouse/quality_control khaos/stock_codes khaos/credit_notes",
    **owned("reconciliation", "finance", "ours"),
    description="What needs a person: opened when its condition holds, closed when it no longer does, or waived by a "
    "named person. Each has an owner and says what to do.",
)
def reconciliation_exceptions(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Open and close exceptions to agree with the findings, and alert data management to new SKUs."""
    opened, closed, unseen = settle_exceptions(toolbox)
    with toolbox.store() as conn:
        by_kind = [picked(row, "owner at_risk_pence open kind") for row in exceptions.by_kind(conn)]
        shown = table_metadata(conn, "recon.exceptions", "opened_at")
        rows = [to_do(row) for row in exceptions.open_exceptions(conn, limit=PREVIEW_ROWS)]
    toolbox.alert([problem for problem in opened if problem.kind.startswith("sku_") or problem.kind in ALERTED])
    return dg.MaterializeResult(
        metadata={
            "opened": len(opened),
            "closed": closed,
            "not_seen": ", ".join(unseen) or "everything was seen",
            "by_kind": as_table(by_kind),
            **shown,
            "preview": as_table(rows),
        }
    )


def _by_store(conn: Conn, settings: Settings, period: str) -> dict[str, dg.MetadataValue]:
    """The month by store, where there are several."""
    rows = [
        {
            "store": settings.name_of(one.store),
            "returns": one.returns,
            **{
                name: format_money(getattr(one, f"{name}_pence"), one.currency)
                for name in ("refund", "credited", "issued", "gap")
            },
        }
        for one in (stores.of_month(conn, period) if settings.has_several_stores else [])
    ]
    return {"by_store": as_table(rows)} if rows else {}


@asset(
    "reconciliation/month_end",
    deps="reconciliation/returns reconciliation/exceptions swap/returns matched/return_lines khaos/sales_orders "
    "khaos/credit_notes credit_notes/postings storefront/refunds khaos/stock_codes "
    "reconciliation/custody",
    partitions_def=months_from(PERIOD_START),
    **owned("reconciliation", "finance", "ours", "report"),
    description="The month as finance signs it (London calendar): refunded, credited, issued, the gap by cause.",
)
def month_end(context: dg.AssetExecutionContext, toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Add up one month."""
    period, now = context.partition_key, toolbox.now()
    months = close_month(toolbox, period)
    with toolbox.store() as conn:
        chart, by_month = gap_by_cause(conn, months, now), gap_by_month(conn, period, now)
        accepted = [
            {"account": one.account, "value": format_money(one.residual_pence, one.currency), "returns": one.returns}
            for one in residuals.accepted(conn, period)
        ]
        tables = {
            "money": money_of_month(conn, toolbox.settings, period),
            "vat_errors": vat_table(conn, toolbox.settings, period),
            "vat_as_posted": vat_posted_table(conn, period),
            "accrual": accrual_table(conn, toolbox.settings, period),
        }
        goods = goods_tables(conn, period, now)
        behind = held(conn, settings=toolbox.settings, now=now, period=period)
        by_store = _by_store(conn, toolbox.settings, period)
    return dg.MaterializeResult(
        metadata={
            "period": period,
            **{f"gap_pence_{month.currency}": month.gap_pence for month in months},
            "summary": dg.MetadataValue.md(summary_table(months)),
            "worst": as_table([row for month in months for row in worst_rows(month.worst)]),
            **{name: dg.MetadataValue.md(table) for name, table in tables.items()},
            **_held_metadata(behind),
            **{name: dg.MetadataValue.md(table) for name, table in goods.items()},
            "accepted": as_table(accepted),
            **by_store,
            **({"gap_by_cause": chart} if chart else {}),
            **({"gap_by_month": by_month} if by_month else {}),
        }
    )
