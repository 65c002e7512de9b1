"""Refunds in another currency than the shop's: what they cost, beside what they were worth at the rate of the sale.

Belongs here: amounts at the rate of the sale, and the loss by the rate of the day. Stays out: which refund pays which
return (``linking.refund_links``). VAT is reduced at the rate of the sale; the rest is no part of the note. Source:
FINANCE_RULES U-16.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from khaos_swap_assets.domain.money.amounts import half_up
from khaos_swap_assets.domain.refunds.payments import Refund


def in_shop_money(refunds: Iterable[Refund], currency: str, owed_pence: int) -> tuple[tuple[Refund, ...], int] | None:
    """The refunds in the shop's own currency, and what they cost more than ``owed_pence`` of it (negative: less).

    None unless the shop's currency is this one, the rate of the sale is known, and at that rate they are what is owed.
    """
    some = tuple(refunds)
    at_sale = [_at_sale(one.moved_pence, one) for one in some if one.moved_pence]
    is_of_shop = all(part.shop_currency == currency for one in some for part in one.moved)
    if not is_of_shop or None in at_sale or sum(pence or 0 for pence in at_sale) != owed_pence:
        return None
    shown = tuple(_in_shop_money(one, currency) for one in some)
    return shown, sum(one.moved_pence for one in shown) - owed_pence


def _at_sale(pence: int, refund: Refund) -> int | None:
    return half_up(pence * refund.sold_shop_pence, refund.sold_pence) if refund.sold_pence > 0 else None


def _in_shop_money(refund: Refund, currency: str) -> Refund:
    parts = tuple(replace(one, amount_pence=one.shop_pence, currency=currency) for one in refund.transactions)
    return replace(refund, transactions=parts, currency=currency, total_pence=sum(one.amount_pence for one in parts))


@dataclass(frozen=True, slots=True)
class ForeignPayment:
    """A payment in another currency than the shop's, with what the sale came to in both.

    ``vat_pence`` is its VAT in its own currency; None where no rate of VAT is known.
    """

    currency: str
    shop_currency: str
    pence: int
    shop_pence: int
    sold_pence: int
    sold_shop_pence: int
    vat_pence: int | None


@dataclass(frozen=True, slots=True)
class ForeignTotal:
    """The payments of one pair of currencies; all but ``pence`` in the shop's. None where a rate is not known."""

    currency: str
    shop_currency: str
    pence: int
    shop_pence: int
    at_sale_pence: int | None
    vat_pence: int | None

    @property
    def loss_pence(self) -> int | None:
        """What the refunds cost more than at the rate of the sale (negative: less)."""
        return None if self.at_sale_pence is None else self.shop_pence - self.at_sale_pence


def foreign_totals(payments: Iterable[ForeignPayment]) -> list[ForeignTotal]:
    """The payments of each pair of currencies added up, by currency."""
    by_pair: dict[tuple[str, str], list[ForeignPayment]] = {}
    for one in payments:
        by_pair.setdefault((one.currency, one.shop_currency), []).append(one)
    return [_total(pair, some) for pair, some in sorted(by_pair.items())]


def _total(pair: tuple[str, str], some: list[ForeignPayment]) -> ForeignTotal:
    is_rated = all(one.sold_pence > 0 for one in some)
    is_taxed = is_rated and all(one.vat_pence is not None for one in some)
    return ForeignTotal(
        *pair,
        pence=sum(one.pence for one in some),
        shop_pence=sum(one.shop_pence for one in some),
        at_sale_pence=sum(half_up(one.pence * one.sold_shop_pence, one.sold_pence) for one in some)
        if is_rated
        else None,
        vat_pence=sum(half_up((one.vat_pence or 0) * one.sold_shop_pence, one.sold_pence) for one in some)
        if is_taxed
        else None,
    )
