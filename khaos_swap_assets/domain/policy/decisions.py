"""What finance decided about Credit Notes, as data and in plain words for people who never see its file.

Belongs here: the decisions with their defaults, their version, what each choice means and what it leaves to a person.
Stays out: reading the file (``adapters.policy``), the note that follows of them (``policy.settlement``) and what a
choice does to the books (``policy.trial``). What is undecided is a task for a person, never a guess. Money is whole
pence. Source: FINANCE_RULES U-2, U-7, U-9, U-12 to U-15, contracts/khaos.md §8.7.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from khaos_swap_assets.domain.goods.conditions import (
    DEFAULTS,
    FATE_WORDS,
    ConditionMap,
    Fate,
    b_grade_faults,
    faults_of,
    plain,
)

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
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


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

    delivery: DeliveryLine = _default("if_all_goods_come_back", "Usual for a part return")
    delivery_vat: Decision[DeliveryVat] = _default("follow_goods", "One supply of delivered goods")
    label_fee: Decision[FeeRule] = _default("reduce_refund", "The customer was paid less")
    order_discount: Decision[DiscountRule] = _default("price_paid", "Only what was paid is credited")
    promotion: Decision[PromotionRule] = _default("never_credited", "A bonus is a marketing cost")
    gift_card: Decision[GiftCardRule] = _default("task", "Finance has not chosen")
    store_credit: Decision[StoreCreditRule] = _default("hold_until_spent", "No money was refunded yet")
    exchange: Decision[ExchangeRule] = _default("task", "Finance has not chosen")
    extra_payment: Decision[PaymentRule] = _default("task", "Finance has not chosen")
    part_payment: StockLine[PartPaymentRule] = _default("task", "Finance has not chosen")
    tax: Decision[TaxRule] = _default("rate_of_sale", "HMRC: credits are coded as the sale was")
    tax_on_top: StockLine[OnTopRule] = _default("task", "Finance has not chosen")
    duties: StockLine[OnTopRule] = _default("task", "Finance has not chosen")
    returned_goods: GoodsDecision = _default("by_condition", "The warehouse says what came back")

    @cached_property
    def version(self) -> str:
        """The same for equal decisions, another after any change; a draft stores it."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return sha256(text.encode()).hexdigest()[:16]

    @cached_property
    def _newest(self) -> date:
        days: list[date] = [getattr(self, name).effective_on for name in CreditNotePolicy.model_fields]
        return max(days)

    def on(self, day: date) -> CreditNotePolicy:
        """The policy as it held on a day: decisions of a later day are still at their default."""
        if self._newest <= day:
            return self
        decisions = {name: getattr(self, name) for name in CreditNotePolicy.model_fields}
        held = {name: decision for name, decision in decisions.items() if decision.effective_on <= day}
        return self if held == decisions else CreditNotePolicy(**held)


NOTHING_DECIDED = CreditNotePolicy()
"""Every decision at its default."""


WORDS: Mapping[tuple[str, str], str] = {
    ("delivery", "if_all_goods_come_back"): "Refunded delivery is credited when all goods of the order come back.",
    ("delivery", "never"): "Delivery is never credited by us.",
    ("delivery", "as_refunded"): "Refunded delivery is credited whenever the refund holds it.",
    ("delivery_vat", "follow_goods"): "VAT of delivery follows the goods it delivered.",
    ("delivery_vat", "standard"): "Delivery is at the standard rate.",
    ("label_fee", "reduce_refund"): "A withheld label fee lowers the prices on the Credit Note.",
    ("label_fee", "charge_service"): "Goods are credited in full; finance invoices the withheld label fee.",
    ("order_discount", "price_paid"): "Only what was paid after discounts is credited.",
    ("promotion", "never_credited"): "A bonus is a marketing cost and never on a Credit Note.",
    ("gift_card", "task"): "A refund that goes back to a gift card in part is booked by a person.",
    ("gift_card", "credit_in_full"): "The Credit Note holds what the gift card paid too.",
    ("store_credit", "hold_until_spent"): "Goods returned for store credit are not credited by us.",
    ("store_credit", "mpv_reduce_now"): "Goods returned for store credit are credited now; "
    "VAT is due when it is spent.",
    ("store_credit", "spv_neutral"): "Goods returned for store credit are credited now; "
    "finance books the voucher's sale.",
    ("exchange", "task"): "An exchange is booked by a person.",
    ("exchange", "credit_returned_goods"): "Exchanged goods are credited in full; an even exchange needs no note.",
    ("extra_payment", "task"): "An exchange with an extra payment is booked by a person.",
    ("extra_payment", "sale_of_its_own"): "An extra payment belongs to the new order's own sale.",
    ("part_payment", "task"): "A later refund without new lines is booked by a person.",
    ("part_payment", "credit_when_paid"): "A later refund without new lines is credited when it is paid.",
    ("tax", "rate_of_sale"): "Credits are at the VAT rate of the sale.",
    ("tax_on_top", "task"): "Tax refunded on top of the prices is booked by a person.",
    ("tax_on_top", "own_line"): "Tax refunded on top of the prices is a line of its own.",
    ("duties", "task"): "Refunded duties are booked by a person.",
    ("duties", "own_line"): "Refunded duties are a line of their own.",
    ("returned_goods", "by_condition"): "Returned goods go by the condition in which they came back:",
}
LEFT_TO_PEOPLE = frozenset({"task", "hold_until_spent"})


@dataclass(frozen=True, slots=True)
class DecisionWords:
    """One decision in words; ``is_task`` says that a person does the work, ``is_default`` that nobody decided it."""

    name: str
    choice: str
    words: str
    stock_code: str
    approver: str
    effective_on: date
    is_task: bool
    is_default: bool


def told(policy: CreditNotePolicy) -> list[DecisionWords]:
    """Every decision in the order of the policy."""
    return [_told(name, getattr(policy, name)) for name in CreditNotePolicy.model_fields]


def tasks_of(policy: CreditNotePolicy) -> list[str]:
    """Names of what the policy leaves to a person, spelled for a person."""
    return [one.name.replace("_", " ") for one in told(policy) if one.is_task]


def _told(name: str, decision: Decision[str]) -> DecisionWords:
    stock_code = decision.stock_code if isinstance(decision, StockLine) else ""
    lacks_code = isinstance(decision, StockLine) and not stock_code and decision.choice not in {"never", "task"}
    words = WORDS[name, decision.choice]
    if isinstance(decision, GoodsDecision):
        words += f" {_fates(decision)}."
    if lacks_code:
        words += " No Stock Code is set for its line, so a person books it."
    return DecisionWords(
        name=name,
        choice=decision.choice,
        words=words,
        stock_code=stock_code,
        approver=decision.approver,
        effective_on=decision.effective_on,
        is_task=lacks_code or decision.choice in LEFT_TO_PEOPLE,
        is_default=decision.approver == "default",
    )


def _fates(goods: GoodsDecision) -> str:
    """Every condition with where its goods go; words that nobody mapped go to a person."""
    own = {plain(word) for word in goods.conditions}
    told = {word: fate for word, fate in DEFAULTS.items() if plain(word) not in own} | goods.conditions
    codes = [f"{code} becomes {graded}" for code, graded in goods.b_grade_codes.items()]
    codes += [f"any other code gets {goods.b_grade_suffix!r} behind it"] if goods.b_grade_suffix else []
    return "; ".join([*(f"{word}: {FATE_WORDS[fate]}" for word, fate in told.items()), "any other: a person", *codes])
