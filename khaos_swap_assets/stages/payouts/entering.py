"""The correcting journals of a month, for a person to enter: gathered, and as rows of a file.

Belongs here: what of a month is apart with the goods of its returns, and the columns of the file. Stays out: accounts
and VAT (``domain.payouts.journals``). Nothing is posted by us. Source: FINANCE_RULES U-18, U-24.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from khaos_swap_assets.adapters.khaos.orders import RATES
from khaos_swap_assets.adapters.store import Conn, payout_rows
from khaos_swap_assets.domain.money.amounts import from_pence
from khaos_swap_assets.domain.money.periods import london_date, month_bounds
from khaos_swap_assets.domain.money.tax import Rate
from khaos_swap_assets.domain.payouts.journals import Difference, JournalLine, journals

COLUMNS = (
    *("month", "entry", "date", "account", "debit", "credit", "currency", "vat_rate"),
    *("payout_or_refund", "order", "rma", "why"),
)


def journals_of_month(conn: Conn, period: str) -> list[JournalLine]:
    """The proposals for a London month ('2026-03'). Raises ``ValueError`` for what is no month."""
    first, until = (london_date(moment) for moment in month_bounds(period))
    return journals([*_of_refunds(conn, first, until), *_of_totals(conn, first, until)])


def _of_refunds(conn: Conn, first: date, until: date) -> Iterator[Difference]:
    rows = payout_rows.apart_in(conn, first, until)
    goods = _goods_by_rate(conn, sorted({row["return_id"] for row in rows} - {""}))
    for row in rows:
        name = f"{row['provider']} {row['payout_id']}/{row['line_id']}" if row["payout_id"] else row["line_id"]
        yield Difference(
            place=row["place"], day=row["day"], subject=name, currency=row["currency"], apart_pence=row["apart_pence"],
            order_name=row["order_name"], rma=row["rma"] or "", is_foreign=row["is_foreign"],
            is_credited=row["is_credited"], goods_pence_by_rate=goods.get(row["return_id"], {}),
        )  # fmt: skip


def _goods_by_rate(conn: Conn, return_ids: Sequence[str]) -> dict[str, dict[Rate, int]]:
    """The refunded goods of each return by the VAT rate of their sale; left out where the rate of one is not known."""
    rows = payout_rows.goods_by_code(conn, return_ids)
    unknown = {return_id for return_id, code, _ in rows if code not in RATES}
    found: defaultdict[str, dict[Rate, int]] = defaultdict(dict)
    for return_id, code, pence in rows:
        if return_id not in unknown:
            found[return_id][int(RATES[code] * 100)] = pence
    return found


def _of_totals(conn: Conn, first: date, until: date) -> Iterator[Difference]:
    """Totals that are not the sum of their lines, payout by payout; then the fees of the month, apart."""
    fees: defaultdict[tuple[str, str], int] = defaultdict(int)
    for provider, payout_id, currency, day, apart_pence, fee_pence in payout_rows.totals_in(conn, first, until):
        fees[provider, currency] += fee_pence
        yield Difference(
            place="total", day=day, subject=f"{provider} {payout_id}", currency=currency, apart_pence=apart_pence
        )
    last = until - timedelta(days=1)
    for (provider, currency), pence in sorted(fees.items()):
        yield Difference(place="fee", day=last, subject=f"{provider} fees", currency=currency, apart_pence=pence)


def file_rows(lines: Sequence[JournalLine], period: str) -> list[list[Any]]:
    """The lines as cells, in the order of ``COLUMNS``; money in whole units, empty for nothing."""
    return [
        [
            *(period, one.entry, one.day.isoformat(), one.account, *_money(one), one.currency, one.vat_rate),
            *(one.subject, one.order_name, one.rma, one.why),
        ]
        for one in lines
    ]


def _money(one: JournalLine) -> tuple[str, str]:
    debit, credit = (
        str(from_pence(pence, one.currency)) if pence else "" for pence in (one.debit_pence, one.credit_pence)
    )
    return debit, credit
