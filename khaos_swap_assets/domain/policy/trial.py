"""One return under two policies: what its Credit Note is worth, what is left to people, and the VAT between them.

Belongs here: figures and words of the comparison. Stays out: the settlement (``policy.settlement``) and reading the
store (``stages.credit_notes.policy_trial``). Money is whole pence. Source: FINANCE_RULES U-9, U-12, U-13.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.tax import STANDARD_RATE, Amount, Rate, split_delivery
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.policy.settlement import Settlement
from khaos_swap_assets.domain.policy.settlement_case import STORE_CREDITS
from khaos_swap_assets.domain.sums import grouped

Rates = Mapping[str, Rate | None]


@dataclass(frozen=True, slots=True)
class Trial:
    """A return as it is settled now and as it would be; ``vat_effect_pence`` is VAT claimed back more (None: no rate).

    ``is_posted`` says that a document is out already: no policy changes that one.
    """

    rma: str
    return_id: str
    currency: str
    refund_pence: int
    outcome_now: str
    outcome_then: str
    note_now_pence: int
    note_then_pence: int
    vat_effect_pence: int | None
    is_posted: bool

    @property
    def difference_pence(self) -> int:
        """Pounds that would have moved: worth of the note then less now."""
        return self.note_then_pence - self.note_now_pence

    @property
    def is_changed(self) -> bool:
        """True when the policy makes any difference to this return."""
        return self.outcome_now != self.outcome_then or bool(self.difference_pence or self.vat_effect_pence)


@dataclass(frozen=True, slots=True)
class TrialTotal:
    """All returns of one currency together; VAT of those whose rates are known."""

    currency: str
    returns: int
    changed: int
    now_pence: int
    then_pence: int
    vat_effect_pence: int
    without_rate: int

    @property
    def difference_pence(self) -> int:
        """Pounds that would have moved."""
        return self.then_pence - self.now_pence


def totals(trials: Iterable[Trial]) -> list[TrialTotal]:
    """The trials of each currency added up, by currency."""
    return [_total(currency, some) for currency, some in sorted(grouped((one.currency, one) for one in trials).items())]


def _total(currency: str, some: list[Trial]) -> TrialTotal:
    return TrialTotal(
        currency=currency,
        returns=len(some),
        changed=sum(one.is_changed for one in some),
        now_pence=sum(one.note_now_pence for one in some),
        then_pence=sum(one.note_then_pence for one in some),
        vat_effect_pence=sum(one.vat_effect_pence or 0 for one in some),
        without_rate=sum(one.vat_effect_pence is None for one in some),
    )


def outcome_words(found: Settlement, currency: str) -> str:
    """What becomes of a return, in words: its note, what holds it, and what is left to a person."""
    said = [f"{fault.kind.replace('_', ' ')}: {fault.text}" for fault in found.faults]
    if found.is_due and not found.faults:
        said.append(f"Credit Note of {format_money(found.value_pence, currency)}")
    said += [f"task: {outcome}" for outcome in found.undecided]
    if found.open_credit_pence and not found.undecided:
        said.append(f"task: store credit of {format_money(found.open_credit_pence, currency)}")
    return "; ".join(said) or "no Credit Note"


def value_of(found: Settlement) -> int:
    """Worth of the note; 0 where there is none."""
    return found.value_pence if found.is_due and not found.faults else 0


def vat_of(found: Settlement, rates: Rates, policy: CreditNotePolicy) -> int | None:
    """VAT that the note claims back, less that of an invoice of the fee; None where a rate is not known.

    ``rates`` are of the sale by product id. Tax on top is tax as a whole, duties hold none; store credit on a
    single-purpose voucher claims nothing, since its sale is taxed at once (U-13).
    """
    if found.faults or not found.is_due:
        return 0
    worth: Counter[Rate] = Counter()
    for line, pence in (share for credit in found.credits for share in credit.shares):
        rate = rates.get(line.product_id)
        if rate is None:
            return None
        is_voucher = line.outcome in STORE_CREDITS and policy.store_credit.choice == "spv_neutral"
        worth[rate] += 0 if is_voucher else pence
    vat = sum(Amount.of(pence, rate).vat_pence for rate, pence in worth.items())
    parts = {part.outcome: part.pence for part in found.parts}
    beside = parts.get("delivery", 0) + parts.get("part_payment", 0)
    split = split_delivery(beside, worth, policy.delivery_vat.choice) if beside else {}
    vat += sum(amount.vat_pence for amount in split.values()) + parts.get("tax_on_top", 0)
    return vat - Amount.of(found.invoice_pence, STANDARD_RATE).vat_pence
