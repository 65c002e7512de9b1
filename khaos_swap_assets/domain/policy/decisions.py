"""What finance decided about Credit Notes, as data, and how each outcome of a return translates under it.

Belongs here: the decisions with their defaults, their version, and the pure translation into lines and tasks. Stays
out: reading the file (``adapters.policy``), drafting (``documents.credit_notes``) and what a choice does to the books
(``policy.trial``).

What is undecided becomes a task for a person, never a guess; a line is never negative. Money is whole pence. Source:
FINANCE_RULES U-9, U-12 to U-15, contracts/khaos.md §8.7.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Choice = TypeVar("Choice", bound=str)

DeliveryRule = Literal["if_all_goods_come_back", "never", "as_refunded"]
DeliveryVat = Literal["follow_goods", "standard"]
FeeRule = Literal["reduce_refund", "charge_service"]
DiscountRule = Literal["price_paid"]
PromotionRule = Literal["never_credited"]
GiftCardRule = Literal["task", "credit_in_full"]
StoreCreditRule = Literal["hold_until_spent", "mpv_reduce_now", "spv_neutral"]
ExchangeRule = Literal["task", "credit_returned_goods"]
PaymentRule = Literal["task", "sale_of_its_own"]
PartPaymentRule = Literal["task", "credit_when_paid"]
OnTopRule = Literal["task", "own_line"]
TaxRule = Literal["rate_of_sale"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Decision(_Record, Generic[Choice]):
    """One decision: what was chosen, why, by whom, and from which London day it holds."""

    choice: Choice
    reason: str = Field(min_length=1)
    approver: str = Field(min_length=1)
    effective_on: date


class StockLine(Decision[Choice], Generic[Choice]):
    """A decision that needs a non-stock Stock Code to be carried out; without one it is a task."""

    stock_code: str = ""


class DeliveryLine(StockLine[DeliveryRule]):
    """How delivery is credited; ``standard_pence`` is the cheapest common kind, where the shop offers dearer ones."""

    standard_pence: int | None = Field(None, ge=0)


_START = date(2000, 1, 1)


def _default(choice: str, reason: str) -> Any:
    return {"choice": choice, "reason": reason, "approver": "default", "effective_on": _START}


class CreditNotePolicy(_Record):
    """All decisions. A default is what loses no money and claims no VAT too early."""

    delivery: DeliveryLine = DeliveryLine(**_default("if_all_goods_come_back", "Usual for a part return"))
    delivery_vat: Decision[DeliveryVat] = Decision[DeliveryVat](
        **_default("follow_goods", "One supply of delivered goods")
    )
    label_fee: Decision[FeeRule] = Decision[FeeRule](**_default("reduce_refund", "The customer was paid less"))
    order_discount: Decision[DiscountRule] = Decision[DiscountRule](
        **_default("price_paid", "Only what was paid is credited")
    )
    promotion: Decision[PromotionRule] = Decision[PromotionRule](
        **_default("never_credited", "A bonus is a marketing cost")
    )
    gift_card: Decision[GiftCardRule] = Decision[GiftCardRule](**_default("task", "Finance has not chosen"))
    store_credit: Decision[StoreCreditRule] = Decision[StoreCreditRule](
        **_default("hold_until_spent", "No money was refunded yet")
    )
    exchange: Decision[ExchangeRule] = Decision[ExchangeRule](**_default("task", "Finance has not chosen"))
    extra_payment: Decision[PaymentRule] = Decision[PaymentRule](**_default("task", "Finance has not chosen"))
    part_payment: StockLine[PartPaymentRule] = StockLine[PartPaymentRule](**_default("task", "Finance has not chosen"))
    tax: Decision[TaxRule] = Decision[TaxRule](**_default("rate_of_sale", "HMRC: credits are coded as the sale was"))
    tax_on_top: StockLine[OnTopRule] = StockLine[OnTopRule](**_default("task", "Finance has not chosen"))
    duties: StockLine[OnTopRule] = StockLine[OnTopRule](**_default("task", "Finance has not chosen"))

    @cached_property
    def version(self) -> str:
        """The same for equal decisions, another after any change; a draft stores it."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return sha256(text.encode()).hexdigest()[:16]

    def on(self, day: date) -> CreditNotePolicy:
        """The policy as it held on a day: decisions of a later day are still at their default."""
        decisions = {name: getattr(self, name) for name in CreditNotePolicy.model_fields}
        held = {name: decision for name, decision in decisions.items() if decision.effective_on <= day}
        return self if held == decisions else CreditNotePolicy(**held)


class Outcomes(_Record):
    """What a confirmed return asks for, in pence, none negative; ``goods_pence`` are its Refund lines as paid.

    ``delivery_refunded_pence`` is what was refunded of delivery, ``delivery_due_pence`` what the law grants when all
    goods come back. ``fee_pence`` was withheld. ``gift_card_pence`` of the goods was paid, and is given back, by card.
    ``tax_on_top_pence`` and ``duties_pence`` were refunded on top of the prices (swap.md §2.4).
    ``exchange_returned_pence`` came back for other goods, ``part_payment_pence`` was refunded later without new lines.
    """

    goods_pence: int = Field(0, ge=0)
    delivery_refunded_pence: int = Field(0, ge=0)
    delivery_due_pence: int = Field(0, ge=0)
    fee_pence: int = Field(0, ge=0)
    order_discount_pence: int = Field(0, ge=0)
    promotion_pence: int = Field(0, ge=0)
    gift_card_pence: int = Field(0, ge=0)
    store_credit_pence: int = Field(0, ge=0)
    exchange_returned_pence: int = Field(0, ge=0)
    extra_payment_pence: int = Field(0, ge=0)
    part_payment_pence: int = Field(0, ge=0)
    tax_on_top_pence: int = Field(0, ge=0)
    duties_pence: int = Field(0, ge=0)
    is_all_back: bool = False


class CreditPart(_Record):
    """A part of the Credit Note: what it is for, the Stock Code of its line (empty: the goods' own lines), pence."""

    outcome: str
    pence: int = Field(ge=0)
    stock_code: str = ""


class Task(_Record):
    """What a person has to do, because no decision or no Stock Code covers it."""

    outcome: str
    pence: int
    text: str


class Translation(_Record):
    """The Credit Note that the policy makes of a return, a fee invoice beside it, and what is left to people."""

    parts: tuple[CreditPart, ...]
    fee_invoice_pence: int
    tasks: tuple[Task, ...]
    policy_version: str


def translate(outcomes: Outcomes, policy: CreditNotePolicy) -> Translation:
    """Translate a return into the parts of its Credit Note; order discount and promotion never raise one.

    A part of goods is after the fee where the policy reduces the refund by it; a fee above the goods is a task.
    """
    every = [*_goods(outcomes, policy), *_lines(outcomes, policy), *_others(outcomes, policy)]
    found = [one for one in every if one.pence]
    is_charged = policy.label_fee.choice == "charge_service"
    return Translation(
        parts=tuple(one for one in found if isinstance(one, CreditPart)),
        fee_invoice_pence=outcomes.fee_pence if is_charged else 0,
        tasks=tuple(one for one in found if isinstance(one, Task)),
        policy_version=policy.version,
    )


def _goods(outcomes: Outcomes, policy: CreditNotePolicy) -> Iterator[CreditPart | Task]:
    goods, card = outcomes.goods_pence, outcomes.gift_card_pence
    if card and policy.gift_card.choice == "task":
        yield Task(outcome="gift_card", pence=goods, text="Paid in part by gift card: finance has not chosen how")
        return
    fee = outcomes.fee_pence if policy.label_fee.choice == "reduce_refund" else 0
    if fee > goods:
        yield Task(outcome="fee", pence=fee, text="The withheld fee is above the goods: a line is never negative")
        fee = 0
    yield CreditPart(outcome="goods", pence=goods - fee)


def _lines(outcomes: Outcomes, policy: CreditNotePolicy) -> Iterator[CreditPart | Task]:
    delivery = delivery_to_credit(outcomes, policy)
    yield _on_code("delivery", delivery, policy.delivery.stock_code)
    yield _on_code("tax_on_top", outcomes.tax_on_top_pence, _code_of(policy.tax_on_top))
    yield _on_code("duties", outcomes.duties_pence, _code_of(policy.duties))
    yield _on_code("part_payment", outcomes.part_payment_pence, _code_of(policy.part_payment))


def _code_of(decision: StockLine[OnTopRule] | StockLine[PartPaymentRule]) -> str:
    return decision.stock_code if decision.choice in ("own_line", "credit_when_paid") else ""


def delivery_to_credit(outcomes: Outcomes, policy: CreditNotePolicy) -> int:
    """Pence of the original delivery that the policy credits."""
    choice = policy.delivery.choice
    if choice == "as_refunded":
        return outcomes.delivery_refunded_pence
    return outcomes.delivery_due_pence if choice == "if_all_goods_come_back" and outcomes.is_all_back else 0


def _on_code(outcome: str, pence: int, stock_code: str) -> CreditPart | Task:
    if stock_code or not pence:
        return CreditPart(outcome=outcome, pence=pence, stock_code=stock_code)
    told = outcome.replace("_", " ")
    return Task(outcome=outcome, pence=pence, text=f"Credit the {told} by hand: no Stock Code is set for it")


def _others(outcomes: Outcomes, policy: CreditNotePolicy) -> Iterator[CreditPart | Task]:
    choices = (
        ("store_credit", outcomes.store_credit_pence, policy.store_credit.choice != "hold_until_spent"),
        ("exchange", outcomes.exchange_returned_pence, policy.exchange.choice == "credit_returned_goods"),
    )
    for outcome, pence, is_credited in choices:
        if is_credited:
            yield CreditPart(outcome=outcome, pence=pence)
        else:
            yield Task(outcome=outcome, pence=pence, text=f"{outcome.replace('_', ' ').capitalize()}: not drafted")
    if policy.extra_payment.choice == "task":
        yield Task(outcome="extra_payment", pence=outcomes.extra_payment_pence, text="Extra payment: check its sale")
