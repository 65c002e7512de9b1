"""What finance decided about Credit Notes, as data.

Belongs here: the decisions with their defaults and their version. Stays out: reading the file (``adapters.policy``),
the note that follows of them (``policy.settlement``) and what a choice does to the books (``policy.trial``). What is
undecided is a task for a person, never a guess. Money is whole pence. Source: FINANCE_RULES U-9, U-12 to U-15,
contracts/khaos.md §8.7.
"""

from __future__ import annotations

import json
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from khaos_swap_assets.domain.goods.conditions import ConditionMap, Fate, b_grade_faults, faults_of

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
GoodsRule = Literal["by_condition"]


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


class GoodsDecision(Decision[GoodsRule]):
    """What becomes of returned goods, by their condition; a condition that is left out is at its default.

    ``b_grade_codes`` names the B-grade Stock Code of a Stock Code; for others it is theirs with ``b_grade_suffix``.
    """

    conditions: dict[str, Fate] = {}
    b_grade_codes: dict[str, str] = {}
    b_grade_suffix: str = ""

    @model_validator(mode="after")
    def _is_safe(self) -> GoodsDecision:
        faults = [*faults_of(self.conditions), *b_grade_faults(self.b_grade_codes, self.b_grade_suffix)]
        if "b_grade" in self.conditions.values() and not (self.b_grade_codes or self.b_grade_suffix):
            faults.append("b_grade needs b_grade_codes or b_grade_suffix")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def map(self) -> ConditionMap:
        """The fate of every condition."""
        return ConditionMap.of(self.conditions)

    def b_grade_code_of(self, stock_code: str) -> str:
        """The B-grade Stock Code of a Stock Code; empty where none is named."""
        by_suffix = f"{stock_code}{self.b_grade_suffix}" if self.b_grade_suffix else ""
        return self.b_grade_codes.get(stock_code, by_suffix)


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
    returned_goods: GoodsDecision = GoodsDecision(**_default("by_condition", "The warehouse says what came back"))

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


NOTHING_DECIDED = CreditNotePolicy()
"""Every decision at its default."""
