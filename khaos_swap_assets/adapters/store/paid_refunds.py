"""Refunds that were paid, as a payout is laid beside them: payments of the storefront, or returns as Swap says.

Belongs here: finding them by what the lines of a payout name, and those that no payout holds. Stays out: comparing
(``domain.payouts``). A payment counts in the shop's own currency, which is that of a payout. Days are London's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import psycopg

from khaos_swap_assets.domain.payouts.records import PaidLine, PaidRefund

_PAID = (
    "t.kind = 'REFUND' AND t.status = 'SUCCESS' AND NOT t.is_test AND t.processed_at IS NOT NULL AND t.shop_pence > 0"
)
_PAYMENTS = (
    "SELECT t.transaction_id, t.shop_currency, t.shop_pence, (t.processed_at AT TIME ZONE 'Europe/London')::date, "
    "f.refund_id, f.order_id, f.order_name, coalesce(f.return_id, ''), coalesce(s.rma, ''), t.gateway, "
    "t.currency <> t.shop_currency FROM storefront.refunds f JOIN storefront.transactions t USING (refund_id) "
    f"LEFT JOIN swap.returns s ON s.return_id = f.return_id WHERE {_PAID} "
)
_NAMED = (
    _PAYMENTS
    + "AND f.refund_id IN (SELECT refund_id FROM storefront.transactions WHERE transaction_id = ANY(%(payments)s) "
    "UNION SELECT refund_id FROM storefront.refunds WHERE refund_id = ANY(%(payments)s) OR order_id = ANY(%(orders)s) "
    "OR order_name = ANY(%(orders)s) UNION SELECT f2.refund_id FROM storefront.refunds f2 JOIN swap.returns r2 "
    "USING (return_id) WHERE r2.rma = ANY(%(returns)s) OR r2.return_id = ANY(%(returns)s))"
)
_RETURNS = (
    "SELECT return_id, currency, refund_pence, (refunded_at AT TIME ZONE 'Europe/London')::date, '', order_id, "
    "order_name, return_id, rma, '', false FROM swap.returns WHERE refund_pence > 0 AND refunded_at IS NOT NULL "
    "AND (order_id = ANY(%(orders)s) OR order_name = ANY(%(orders)s) OR rma = ANY(%(returns)s) "
    "OR return_id = ANY(%(returns)s))"
)
_UNHELD = (
    _PAYMENTS
    + "AND lower(t.gateway) = %(provider)s AND t.processed_at >= %(first)s::timestamp AT TIME ZONE 'Europe/London' "
    "AND t.processed_at < (%(until)s::timestamp + interval '1 day') AT TIME ZONE 'Europe/London' AND NOT EXISTS "
    "(SELECT 1 FROM recon.payout_refunds r WHERE r.refund_key = t.transaction_id AND r.payout_id <> '') ORDER BY 1"
)


def named_by(conn: psycopg.Connection, lines: Sequence[PaidLine], *, has_storefront: bool) -> list[PaidRefund]:
    """Every payment that one of these lines may name; without a storefront the returns that Swap calls refunded."""
    told = [one.line for one in lines]
    bare = {one.order_ref.removeprefix("#") for one in told} - {""}
    given = {
        "payments": sorted({one.transaction_id for one in told} | {one.refund_id for one in told} - {""}),
        "orders": sorted(bare | {f"#{name}" for name in bare} | {name.replace(":", ":#", 1) for name in bare}),
        "returns": sorted({one.return_ref for one in told} - {""}),
    }
    return _refunds(conn, _NAMED if has_storefront else _RETURNS, given)


def unheld(conn: psycopg.Connection, provider: str, first: date, until: date) -> list[PaidRefund]:
    """Payments by a provider (a gateway in lower case) of these days that no line of a payout holds."""
    return _refunds(conn, _UNHELD, {"provider": provider, "first": first, "until": until})


def _refunds(conn: psycopg.Connection, query: str, given: dict[str, Any]) -> list[PaidRefund]:
    return [PaidRefund(*row) for row in conn.execute(query.encode(), given)]
