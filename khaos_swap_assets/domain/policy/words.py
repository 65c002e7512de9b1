"""The Credit Note policy in plain words, for people who never see its file.

Belongs here: what each choice means and what it leaves to a person. Stays out: the decisions (``policy.decisions``) and
their figures (``policy.trial``). Source: FINANCE_RULES U-2, U-7, U-9, U-12 to U-15.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from khaos_swap_assets.domain.goods.conditions import DEFAULTS, FATE_WORDS
from khaos_swap_assets.domain.goods.quality import plain
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy, Decision, GoodsDecision, StockLine

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
    (
        "store_credit",
        "mpv_reduce_now",
    ): "Goods returned for store credit are credited now; VAT is due when it is spent.",
    (
        "store_credit",
        "spv_neutral",
    ): "Goods returned for store credit are credited now; finance books the voucher's sale.",
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
    is_task = lacks_code or decision.choice in LEFT_TO_PEOPLE
    is_default = decision.approver == "default"
    return DecisionWords(
        name=name,
        choice=decision.choice,
        words=words,
        stock_code=stock_code,
        approver=decision.approver,
        effective_on=decision.effective_on,
        is_task=is_task,
        is_default=is_default,
    )


def _fates(goods: GoodsDecision) -> str:
    """Every condition with where its goods go; words that nobody mapped go to a person."""
    own = {plain(word) for word in goods.conditions}
    told = {word: fate for word, fate in DEFAULTS.items() if plain(word) not in own} | goods.conditions
    codes = [f"{code} becomes {graded}" for code, graded in goods.b_grade_codes.items()]
    codes += [f"any other code gets {goods.b_grade_suffix!r} behind it"] if goods.b_grade_suffix else []
    return "; ".join([*(f"{word}: {FATE_WORDS[fate]}" for word, fate in told.items()), "any other: a person", *codes])
