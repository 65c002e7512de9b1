"""Which table belongs to which asset, and what the arrows of the graph cannot show.

Belongs here: the map, which Dagster shows with each asset and a test holds to what every stage touches in the database.
Stays out: the arrows themselves, which stand with the assets. A table without an asset here fails that test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import dagster as dg

TABLES: Mapping[str, Sequence[str]] = {
    "swap/returns": ("swap.returns", "swap.refund_proof", "swap.parties", "swap.unreadable"),
    "swap/return_lines": ("swap.return_lines",),
    "warehouse/inspections": ("recon.inspections",),
    "people/decisions": ("recon.decisions",),
    "khaos/stock_codes": ("khaos.stock_codes", "khaos.stock_costs", "khaos.pack_items"),
    "khaos/sales_orders": ("khaos.sales_orders", "khaos.order_lines", "khaos.wanted_orders", "khaos.unreadable"),
    "khaos/credit_notes": (
        "khaos.credit_notes",
        "khaos.credit_note_lines",
        "khaos.note_items",
        "khaos.movements",
        "khaos.customers",
    ),
    "khaos/stock_levels": ("khaos.stock_levels", "khaos.stock_level_history"),
    "storefront/refunds": (
        "storefront.refunds",
        "storefront.refund_lines",
        "storefront.transactions",
        "storefront.cancelled_orders",
        "storefront.unreadable",
    ),
    "storefront/variants": ("storefront.variants",),
    "storefront/payouts": ("storefront.payouts", "storefront.payout_lines"),
    "matched/return_lines": ("recon.matched_lines", "recon.matched_returns"),
    "credit_notes/drafts": ("recon.drafts",),
    "credit_notes/postings": (
        "recon.postings",
        "recon.note_links",
        "recon.note_doubts",
        "recon.feed_holds",
        "recon.feed_pages",
    ),
    "khaos/stock_adjustments": (
        "recon.stock_moves",
        "recon.stock_adjustments",
        "recon.stock_transfers",
        "recon.stock_files",
    ),
    "warehouse/quality_control": ("recon.quality_calls",),
    "reconciliation/returns": (
        "recon.reconciliation",
        "recon.month_parts",
        "recon.findings",
        "recon.residuals",
    ),
    "reconciliation/custody": ("recon.custody", "recon.custody_movements", "recon.custody_days"),
    "reconciliation/cancellations": ("recon.cancellations", "recon.cancel_calls", "recon.cancelled_parts"),
    "reconciliation/payouts": ("recon.payout_refunds",),
    "reconciliation/open_returns": ("recon.return_causes",),
    "reconciliation/exceptions": ("recon.exceptions",),
    "reconciliation/completeness": ("recon.completeness", "recon.refused_messages"),
    "reconciliation/latency": ("recon.latency", "recon.latency_days"),
    "reconciliation/shadow_score": ("recon.shadow", "recon.shadow_weeks"),
    "reconciliation/watch": (),
    "reconciliation/month_end": ("recon.month_end", "khaos.write_offs"),
}
"""Asset key to its tables, the one that it shows first. The watch opens exceptions and has no table of its own."""

WORK = frozenset(
    {
        "khaos.capabilities",
        "khaos.sites",
        "recon.audit_log",
        "recon.door_attempts",
        "recon.door_sessions",
        "recon.imports",
        "recon.inbox",
        "recon.installation",
        "recon.pictures",
        "recon.policies",
        "recon.setbacks",
        "recon.tenancy",
        "recon.touched_periods",
        "recon.watermarks",
        "recon.worklist",
        "recon.writers",
        "swap.stores",
    }
)
"""Tables that say how far the work is, what waits for it and how it was set up: nothing of a return flows by them."""

FROM_THE_RUN_BEFORE: Mapping[str, Sequence[str]] = {
    "reconciliation/cancellations": ("people/decisions", "reconciliation/exceptions", "reconciliation/returns"),
    "khaos/stock_codes": ("matched/return_lines",),
    "storefront/refunds": ("reconciliation/cancellations",),
    "khaos/sales_orders": ("matched/return_lines", "khaos/stock_adjustments"),
    "matched/return_lines": ("credit_notes/drafts", "credit_notes/postings", "reconciliation/returns"),
    "credit_notes/drafts": ("credit_notes/postings",),
    "khaos/stock_levels": ("credit_notes/postings", "khaos/stock_adjustments"),
    "credit_notes/postings": ("khaos/stock_adjustments", "reconciliation/returns"),
}
"""What an asset reads of assets further down: as the run before left it. An arrow would make a circle."""

IN_ORDER_ONLY: Mapping[str, Sequence[str]] = {
    "credit_notes/postings": ("khaos/stock_levels",),
    "reconciliation/cancellations": ("khaos/sales_orders",),
    "reconciliation/returns": ("storefront/payouts",),
    "reconciliation/custody": ("reconciliation/returns",),
    "reconciliation/exceptions": (
        "reconciliation/cancellations",
        "reconciliation/payouts",
        "warehouse/quality_control",
    ),
}
"""Arrows along which nothing is read: levels are seen before a document is offered, so that its move can be told;
cancelled orders and payouts are judged before exceptions open, and orders are read in our own tables only where Khaos
is told by files; a payout that is refused is told by the run that asked for it; what is judged stands in line for
custody."""


def shown(key: dg.AssetKey, merchant: str = "") -> dict[str, str]:
    """An asset's metadata: its tables, and what it reads of the run before, by the merchant's names for it.

    ``key`` is without the merchant. Raises ``KeyError`` for one unknown.
    """
    name = key.to_user_string()
    before = [f"{merchant}/{one}" if merchant else one for one in FROM_THE_RUN_BEFORE.get(name, ())]
    tables = TABLES[name]
    return {
        **({"dagster/table_name": tables[0], "tables": ", ".join(tables)} if tables else {}),
        **({"run_before": ", ".join(before)} if before else {}),
    }
