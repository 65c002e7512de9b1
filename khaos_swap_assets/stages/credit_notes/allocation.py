"""Whether an issued note still stands open on the customer's account.

Belongs here: which customers to ask about and remembering that a note was allocated. Stays out: the exception
(``domain.reconciliation``). GetCompanyInfo is one call a customer by contract, so each is asked only when a note of
theirs is past the limit, and at most once a day. Source: contracts/khaos.md §7.9.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.store import bulk, worklist
from khaos_swap_assets.domain.periods import london_date

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.settings import Settings
    from khaos_swap_assets.stages.toolbox import Toolbox

ASK_AGAIN = timedelta(days=1)


def read_allocations(tools: Toolbox) -> int:
    """Ask Khaos about customers with an old issued note; how many were asked."""
    now = tools.now()
    with tools.store() as conn:
        customers = due_customers(conn, tools.settings, now)
    if not customers:
        return 0
    client = tools.open_khaos()
    answers = [(code, *client.get_company_info(code), now) for code in customers]
    with tools.store() as conn:
        columns = ("customer_code", "currency", "unallocated_pence", "read_at")
        bulk.upsert(conn, "khaos.customers", columns, ["customer_code"], answers)
        conn.execute(
            "UPDATE khaos.credit_notes n SET allocated_at = %s FROM khaos.customers c WHERE n.customer_code = "
            "c.customer_code AND n.customer_code = ANY(%s) AND n.allocated_at IS NULL AND n.issued_on IS NOT NULL "
            "AND c.unallocated_pence < n.gross_pence",
            (now, customers),
        )
        rows = conn.execute(
            "SELECT DISTINCT return_id FROM khaos.credit_notes WHERE return_id IS NOT NULL AND customer_code = ANY(%s)",
            (customers,),
        ).fetchall()
        worklist.queue(conn, "reconcile", [row[0] for row in rows])
    return len(customers)


def due_customers(conn: psycopg.Connection, settings: Settings, now: datetime) -> list[str]:
    """Customers with an attributed note issued longer ago than the limit that was not seen allocated.

    None in Khaos Cloud, which tells nobody what an account holds.
    """
    if settings.khaos.is_cloud:
        return []
    rows = conn.execute(
        "SELECT DISTINCT customer_code FROM khaos.credit_notes n WHERE is_followed AND issued_on < %s AND NOT EXISTS "
        "(SELECT 1 FROM khaos.customers c WHERE c.customer_code = n.customer_code AND c.read_at > %s) "
        "ORDER BY 1 LIMIT %s",
        (london_date(now) - timedelta(days=settings.allocation_days), now - ASK_AGAIN, settings.khaos.order_budget),
    ).fetchall()
    return [row[0] for row in rows]
