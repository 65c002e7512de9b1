"""Whether an issued note still stands open on the customer's account.

Belongs here: which customers to ask about and remembering that a note was allocated. Stays out: the exception
(``judging.verdict``). GetCompanyInfo is one call a customer by contract, so each is asked only when a note of
theirs is past the limit, and at most once a day. Source: contracts/khaos.md §7.9.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.errors import VendorError
from khaos_swap_assets.adapters.store import bulk, setbacks, worklist
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.stages import refusing

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.khaos.client import KhaosClient
    from khaos_swap_assets.adapters.settings import Settings
    from khaos_swap_assets.stages.toolbox import Toolbox

ASK_AGAIN = timedelta(days=1)


def read_allocations(tools: Toolbox) -> int:
    """Ask Khaos about customers with an old issued note; how many answers came. A refusal is kept with its customer."""
    now = tools.now()
    with tools.store() as conn:
        customers = due_customers(conn, tools.settings, now)
    if not customers:
        return 0
    client = tools.open_khaos()
    heard = refusing.hear((code, _told_of(client, code)) for code in customers)
    with tools.store() as conn:
        refusing.keep(conn, refusing.COMPANIES, heard, client, now)
        columns = ("customer_code", "currency", "unallocated_pence", "read_at")
        answers = [(code, *told, now) for code, told in heard.answers.items()]
        bulk.upsert(conn, "khaos.customers", columns, ["customer_code"], answers)
        conn.execute(
            "UPDATE khaos.credit_notes n SET allocated_at = %s FROM khaos.customers c WHERE n.customer_code = "
            "c.customer_code AND n.customer_code = ANY(%s) AND n.allocated_at IS NULL AND n.issued_on IS NOT NULL "
            "AND c.unallocated_pence < n.gross_pence",
            (now, list(heard.answers)),
        )
        rows = conn.execute(
            "SELECT DISTINCT return_id FROM khaos.credit_notes WHERE return_id IS NOT NULL AND customer_code = ANY(%s)",
            (list(heard.answers),),
        ).fetchall()
        worklist.queue(conn, "reconcile", [row[0] for row in rows])
    return len(heard.answers)


def _told_of(client: KhaosClient, customer_code: str) -> tuple[str, int] | VendorError:
    try:
        return client.get_company_info(customer_code)
    except VendorError as error:
        return error


def due_customers(conn: psycopg.Connection, settings: Settings, now: datetime) -> list[str]:
    """Customers with an attributed note issued longer ago than the limit that was not seen allocated.

    None in Khaos Cloud, which tells nobody what an account holds.
    """
    paused = setbacks.paused(conn, refusing.COMPANIES, now)
    if settings.khaos.is_cloud or setbacks.WHOLE in paused:
        return []
    rows = conn.execute(
        "SELECT customer_code FROM khaos.credit_notes n WHERE is_followed AND issued_on < %s AND NOT EXISTS "
        "(SELECT 1 FROM khaos.customers c WHERE c.customer_code = n.customer_code AND c.read_at > %s) "
        "AND customer_code <> ALL(%s) GROUP BY 1 ORDER BY EXISTS (SELECT 1 FROM recon.setbacks s "
        "WHERE s.operation = %s AND s.subject = customer_code), 1 LIMIT %s",
        (
            london_date(now) - timedelta(days=settings.allocation_days),
            now - ASK_AGAIN,
            list(paused),
            refusing.COMPANIES,
            settings.khaos.order_budget,
        ),
    ).fetchall()
    return [row[0] for row in rows]
