"""What each choice of the Credit Note policy does to sales, VAT and money.

Belongs here: figures of one return under a choice, so that finance can see what it decides. Stays out: the choices
(``policy.decisions``). Money is whole pence. Source: FINANCE_RULES U-9, U-12, U-13, U-15.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from khaos_swap_assets.domain.money.tax import STANDARD_RATE, Amount, Rate
from khaos_swap_assets.domain.policy.decisions import DeliveryRule, FeeRule, StoreCreditRule

NOTHING = Amount(0, 0, 0)


def delivery_due(
    paid_pence: int, standard_pence: int, back: Literal["all", "part", "faulty"], rule: DeliveryRule
) -> int:
    """Pence of delivery that are due (U-9): all of it for faulty goods, up to the standard kind when all come back.

    A part return has a right to none; ``as_refunded`` gives it up to the standard kind all the same.
    """
    if back == "faulty":
        return paid_pence
    return min(paid_pence, standard_pence) if back == "all" or rule == "as_refunded" else 0


@dataclass(frozen=True, slots=True)
class FeeDocuments:
    """The Credit Note of goods with a label fee, and the fee's own invoice where the policy charges a service."""

    note: Amount
    invoice: Amount

    @property
    def net_effect(self) -> Amount:
        """What leaves the books: the note less the invoice."""
        return self.note - self.invoice


def fee_documents(goods_pence: int, fee_pence: int, vat_percent: Rate, rule: FeeRule) -> FeeDocuments:
    """A return of goods less a label fee (U-12); a service is at the standard rate, whatever the goods are."""
    if rule == "reduce_refund":
        return FeeDocuments(Amount.of(goods_pence - fee_pence, vat_percent), NOTHING)
    return FeeDocuments(Amount.of(goods_pence, vat_percent), Amount.of(fee_pence, STANDARD_RATE))


@dataclass(frozen=True, slots=True)
class StoreCredit:
    """A return to store credit: movements of sales now and when it is spent, what is owed, and the cost of a bonus."""

    now: tuple[Amount, ...]
    when_spent: tuple[Amount, ...]
    liability_pence: int
    marketing_pence: int = 0


def store_credit(
    value_pence: int, vat_percent: Rate, rule: StoreCreditRule, *, spent_vat_percent: Rate = 20, bonus_pence: int = 0
) -> StoreCredit:
    """What store credit does to sales and VAT under each rule (U-13); a bonus is never on the note."""
    sale, spent = Amount.of(value_pence, vat_percent), Amount.of(value_pence, spent_vat_percent)
    movements: dict[StoreCreditRule, tuple[tuple[Amount, ...], tuple[Amount, ...]]] = {
        "hold_until_spent": ((), ()),
        "mpv_reduce_now": ((NOTHING - sale,), (spent,)),
        "spv_neutral": ((NOTHING - sale, sale), ()),
    }
    now, later = movements[rule]
    return StoreCredit(now, later, value_pence, bonus_pence)


@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange: the note for what came back, the sale of what went out, and the money between them."""

    returned_pence: int
    given_pence: int
    note: Amount
    sale: Amount

    @property
    def paid_back_pence(self) -> int:
        """Money to the customer; negative when the customer pays."""
        return self.returned_pence - self.given_pence

    @property
    def vat_effect_pence(self) -> int:
        """Change of the VAT due."""
        return self.sale.vat_pence - self.note.vat_pence

    def refund_fault(self, refund_pence: int) -> Literal["", "full_value", "other_value"]:
        """What is wrong with the money paid out: the full value despite the exchange (khaos.md §11), or another one."""
        if refund_pence == max(self.paid_back_pence, 0):
            return ""
        return "full_value" if refund_pence == self.returned_pence else "other_value"


def exchange(returned_pence: int, given_pence: int, vat_percent: Rate) -> Exchange:
    """Goods for goods (U-15); an even swap needs no VAT document, only its goods move."""
    is_even = returned_pence == given_pence
    note, sale = (NOTHING if is_even else Amount.of(pence, vat_percent) for pence in (returned_pence, given_pence))
    return Exchange(returned_pence, given_pence, note, sale)
