"""The money of one London month in words, for the report that finance signs.

Belongs here: what moved in the month by means of payment, or that nobody witnessed it. Stays out: the report itself
(``stages.reconciliation``). Source: FINANCE_RULES U-1, U-14, U-18.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.store import refunds
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.refunds.proof import CLOSED_IN_FORCE
from khaos_swap_assets.stages.storefront.assets import NOT_CONNECTED

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.settings import Settings

HEAD = """\
Witnessed by the storefront: a refund belongs to the month in which its money moved.

| currency | means of payment | payments | moved | of it without a return |
|---|---|---:|---:|---:|
"""


def money_of_month(conn: psycopg.Connection, settings: Settings, period: str) -> str:
    """Markdown: payments that went through in the month ('2026-03'), by means of payment, gift cards apart.

    Where closing counts as the refund, that is said too.
    """
    rule = f"\n\n{CLOSED_IN_FORCE}" if settings.refund_proof == "closed" else ""
    if not settings.storefront.is_connected:
        return NOT_CONNECTED + rule
    rows = refunds.moved_in_month(conn, period)
    lines = (
        f"| {currency} | {gateway or '(none named)'} | {count} | {format_money(pence, currency)} | "
        f"{format_money(loose, currency)} |\n"
        for currency, gateway, count, pence, loose in rows
    )
    return HEAD + "".join(lines) + rule
