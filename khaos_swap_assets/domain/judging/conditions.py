"""When each kind of exception holds for a return: one small pure rule a kind, in the table ``RULES``.

Belongs here: the conditions of one return. Stays out: those of a single Credit Note and the verdict that is made of
all (``judging.verdict``), and what a kind means (``exceptions.catalogue``). Ages are "more than": a limit reached to
the microsecond is not yet exceeded. Source: DESIGN §4, §7, contracts/swap.md §7, contracts/khaos.md §8.7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.document_facts import LineFacts, NoteFacts, PostingFacts
from khaos_swap_assets.domain.judging.facts import Limits, ReturnFacts
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.returns import CLOSED, KNOWN_STATUSES
from khaos_swap_assets.domain.records.stock_codes import never_a_stock_code
from khaos_swap_assets.domain.sums import grouped


@dataclass(slots=True)
class JudgedReturn:
    """One return under judgement at a moment; ``is_timed`` once anything that was judged asked for the moment."""

    facts: ReturnFacts
    limits: Limits
    moment: datetime
    is_timed: bool = False

    @property
    def now(self) -> datetime:
        """The moment of the judgement (UTC)."""
        self.is_timed = True
        return self.moment

    def is_past(self, moment: datetime | None, limit: timedelta) -> bool:
        """True when the moment is known and more than the limit ago."""
        return moment is not None and self.now > moment + limit

    def money(self, pence: int) -> str:
        """An amount in the return's currency, for a person; a return without one shows bare minor units."""
        return format_money(pence, self.facts.return_.currency)

    @property
    def note_due(self) -> str:
        """The last day for the Credit Note, 14 days beginning with the refund's (U-3), as the end of a message."""
        clock, today = self.facts.note_clock, london_date(self.now)
        if clock is None:
            return ""
        if today >= clock.breach_on:
            return f"; its last day was {clock.last_day}: the 14 days from the refund are over"
        return f"; {'due soon, ' if today >= clock.warn_on else ''}last day for it {clock.last_day}"

    def problem(self, kind: str, message: str, pence: int, *, suggestion: str = "") -> Problem:
        """Trouble of the whole return, with the money at risk."""
        return_ = self.facts.return_
        return Problem(
            kind,
            return_.rma,
            message,
            return_id=return_.return_id,
            rma=return_.rma,
            suggestion=suggestion,
            money_at_risk_pence=pence,
            currency=return_.currency,
        )


Rule = Callable[[JudgedReturn], Iterable[Problem]]


def _lines_of(kind: str, message: str) -> Rule:
    """A line kind: one problem a SKU, as long as the line is worth posting or its Credit Note holds another code."""

    def rule(case: JudgedReturn) -> Iterator[Problem]:
        lines = grouped((line.sku, line) for line in case.facts.refund_lines if line.problem == kind)
        for sku, own in sorted(lines.items()):
            if case.facts.is_worth_posting:
                yield _line_problem(case, kind, message, own)
            elif sku not in case.facts.same_codes and (others := _noted_instead(case.facts, sku)):
                told = _line_problem(case, kind, f"{message}; its Credit Note holds {', '.join(others)}", own)
                only = others[0] if len(others) == 1 else ""
                yield replace(told, suggestion=told.suggestion or only, money_at_risk_pence=0)

    return rule


def _sku_unknown(case: JudgedReturn) -> Iterator[Problem]:
    """SKUs that are no Stock Code, and codes of its Credit Notes that are none."""
    for told in _lines_of("sku_unknown", "No Stock Code equals the SKU {sku}")(case):
        yield replace(told, message=f"{told.message}{never_a_stock_code(told.sku)}")
    found = {code: (name, one) for one in case.facts.notes for code, name in _damaged_codes(case.facts, one)}
    for code, (name, one) in sorted((code, told) for code, told in found.items() if code not in case.facts.same_codes):
        told = case.problem("sku_unknown", f"{one.note.credit_note_code} holds {code}, which is no Stock Code", 0)
        yield replace(told, subject=f"{told.rma}/{code}", sku=code, suggestion=name)


def _noted_instead(facts: ReturnFacts, sku: str) -> list[str]:
    """The codes that its notes hold and it does not, where they do not hold this SKU that is no Stock Code."""
    noted = {code for one in facts.notes for code in one.codes}
    own = {line.stock_code or line.sku for line in facts.lines}
    is_strange = bool(sku) and all(line.stock_code is None for line in facts.lines if line.sku == sku)
    return sorted(noted - own) if is_strange and sku not in noted and not facts.is_before_start else []


def _damaged_codes(facts: ReturnFacts, note: NoteFacts) -> list[tuple[str, str]]:
    """Codes of a note that are no Stock Code and stand for goods of the return, each with its name if told."""
    own = {line.stock_code or line.sku for line in facts.lines}
    strange = [(code, name) for code, name in note.unknown_codes if code not in own]
    return [(code, name) for code, name in strange if name in own or (not name and own - note.codes)]


def _line_problem(case: JudgedReturn, kind: str, message: str, lines: list[LineFacts]) -> Problem:
    first, pence = lines[0], sum(line.cost_pence for line in lines)
    told = case.problem(kind, message.format(sku=first.sku or "(empty)"), pence, suggestion=first.suggestion)
    return replace(told, subject=f"{told.rma}/{first.sku}", sku=first.sku)


def _order(kind: str, message: str) -> Rule:
    """An order kind: found by the match of the return or of a line."""

    def rule(case: JudgedReturn) -> Iterator[Problem]:
        kinds = {*case.facts.order_problems, *(line.problem for line in case.facts.refund_lines)}
        return_, is_awaited = case.facts.return_, case.facts.is_order_awaited
        if kind in kinds and case.facts.is_worth_posting and not is_awaited:
            yield case.problem(kind, message.format(order=return_.order_name or "(none)"), return_.refund_pence)

    return rule


def _order_not_invoiced(case: JudgedReturn) -> Iterator[Problem]:
    facts, return_ = case.facts, case.facts.return_
    is_told = "order_not_invoiced" in facts.order_problems and not facts.is_before_start
    if is_told and facts.is_confirmed and facts.refund_lines:
        message = f"Order {return_.order_name} has no issued invoice"
        yield case.problem("order_not_invoiced", message, return_.refund_pence)


def _over_return(case: JudgedReturn) -> Iterator[Problem]:
    facts = case.facts
    is_alive = facts.is_confirmed or facts.is_waiting_for_swap
    if facts.over_returned and is_alive and not facts.is_before_start:
        codes = sorted(facts.over_returned)
        lines = [line for line in facts.refund_lines if line.stock_code in codes]
        message = f"More returned or refunded than sold of {', '.join(codes)} on order {facts.return_.order_name}"
        beyond = f": {case.money(facts.over_pence)} more than was paid" if facts.over_pence else ""
        pence = facts.over_pence or sum(line.cost_pence for line in lines)
        yield case.problem("over_return", message + beyond, pence)


def _currency_mismatch(case: JudgedReturn) -> Iterator[Problem]:
    facts = case.facts
    found = {line.currency for line in facts.refund_lines} - {facts.order_currency}
    if facts.order_currency and found and facts.is_worth_posting:
        message = f"Refunded in {', '.join(sorted(found))}, the order is in {facts.order_currency}"
        yield case.problem("currency_mismatch", message, facts.return_.refund_pence)


def _outcome_needs_policy(case: JudgedReturn) -> Iterator[Problem]:
    facts, return_ = case.facts, case.facts.return_
    if return_.status != CLOSED or facts.is_before_start or _is_all_credited(facts):
        return
    others = sorted(facts.settlement.undecided)
    why = [f"{', '.join(others)} beside or instead of a refund"] if others else []
    if credit := facts.settlement.open_credit_pence:
        why.append(f"store credit of {case.money(credit)}")
    if has_unexplained_growth(facts):
        why.append(f"a later part payment of {case.money(facts.growth_pence)} that no new line explains")
    if why:
        pence = sum(line.cost_pence for line in facts.lines if line.outcome in others) + max(facts.growth_pence, 0)
        yield case.problem("outcome_needs_policy", "; ".join(why).capitalize(), max(pence, credit))


def _is_all_credited(facts: ReturnFacts) -> bool:
    """True where notes of the right value credit all rows, whatever they came to: nobody has to be asked."""
    rows = sum(line.cost_pence for line in facts.lines) - max(facts.return_.handling_fee_pence, 0)
    is_right = bool(facts.notes) and not facts.postings and not facts.apart_pence
    return is_right and facts.credited_pence >= rows > 0


def has_unexplained_growth(facts: ReturnFacts) -> bool:
    """True when a later refund exceeds what we posted and new lines do not add up to it."""
    return facts.growth_pence > 0 and not facts.is_growth_explained


def _refund_not_explained(case: JudgedReturn) -> Iterator[Problem]:
    facts, return_ = case.facts, case.facts.return_
    lines_pence = sum(line.cost_pence for line in facts.refund_lines)
    is_explained = not any(fault.kind == "refund_not_explained" for fault in facts.settlement.faults)
    moved_pence = facts.paid.moved_pence if facts.paid else -1
    is_explained = is_explained or moved_pence == lines_pence - max(return_.handling_fee_pence, 0)
    is_settled = facts.is_covered or facts.is_before_start or facts.posted_pence > 0
    is_other_outcome = bool(facts.lines) and not facts.refund_lines
    if facts.is_confirmed and not (is_explained or is_settled or is_other_outcome or facts.overpaid_pence):
        message = f"Refund {case.money(facts.refund_pence)}, lines {case.money(lines_pence)}"
        fee = f", withheld fee {case.money(return_.handling_fee_pence)}" if return_.handling_fee_pence else ""
        hint = "".join(fault.hint for fault in facts.settlement.faults)
        yield case.problem("refund_not_explained", message + fee + hint, abs(facts.refund_pence - lines_pence))


def _refund_unconfirmed_too_long(case: JudgedReturn) -> Iterator[Problem]:
    """By days of London: the last day is the customer's to the full (U-10)."""
    return_ = case.facts.return_
    last_day = return_.delivered_at and london_date(return_.delivered_at) + timedelta(days=case.limits.refund_days)
    if return_.is_open and last_day and london_date(case.now) > last_day:
        message = f"Delivered and to be refunded by {last_day}, still {return_.status or 'without status'}"
        yield case.problem("refund_unconfirmed_too_long", message, return_.refund_pence)


def _status_unknown(case: JudgedReturn) -> Iterator[Problem]:
    return_ = case.facts.return_
    if return_.status not in KNOWN_STATUSES:
        told = f"return_status is {return_.status!r}" if return_.status else "return_status is missing"
        pence = return_.refund_pence or sum(line.cost_pence for line in case.facts.lines)
        yield case.problem("return_status_unknown", f"{told}: nobody can tell whether it was refunded", pence)


def _credited_without_sale(case: JudgedReturn) -> Iterator[Problem]:
    facts = case.facts
    is_told = "order_not_found" in facts.order_problems and not facts.is_order_awaited
    is_known = "orders" not in facts.unknown or not facts.return_.order_name
    if facts.notes and is_told and is_known:
        codes = ", ".join(sorted(note.note.credit_note_code for note in facts.notes))
        vats = [one.note.vat_pence for one in facts.notes]
        vat = facts.credited_pence if None in vats else sum(filter(None, vats))
        name = facts.return_.order_name or "(none)"
        message = f"{codes} credit {case.money(facts.credited_pence)}, and there is no sale: the order is {name}"
        yield case.problem("credited_without_sale", message, vat)


def _credited_to_another_customer(case: JudgedReturn) -> Iterator[Problem]:
    """A Credit Note is of the customer of its invoice (U-4)."""
    sold_to = case.facts.customer_code
    for note in (one.note for one in case.facts.notes):
        if sold_to and note.customer_code not in ("", sold_to):
            message = f"{note.credit_note_code} is on the account of {note.customer_code}, the sale was to {sold_to}"
            told = case.problem("credited_to_another_customer", message, note.gross_pence)
            yield replace(told, subject=note.credit_note_code, credit_note_code=note.credit_note_code)


def _posting_refused(case: JudgedReturn) -> Iterator[Problem]:
    refused = [posting for posting in case.facts.postings if posting.state == "refused" and posting.refusal]
    if refused and not case.facts.is_covered:
        answers = "; ".join(f"{posting.reference}: {posting.refusal}" for posting in refused)
        yield case.problem("posting_refused", answers, sum(posting.value_pence for posting in refused))


def _posting_in_doubt(case: JudgedReturn) -> Iterator[Problem]:
    doubtful = [posting for posting in case.facts.postings if _is_doubtful(case, posting)]
    if doubtful:
        said = "; ".join(f"{posting.reference} {_doubt(case, posting)}" for posting in doubtful)
        yield case.problem("posting_in_doubt", said, sum(posting.value_pence for posting in doubtful))


def _is_doubtful(case: JudgedReturn, posting: PostingFacts) -> bool:
    is_old = case.is_past(posting.handed_out_at, timedelta(hours=case.limits.in_doubt_hours))
    return posting.state == "in_doubt" and posting.witnessed_pence is None and (is_old or posting.has_rival_notes)


def _doubt(case: JudgedReturn, posting: PostingFacts) -> str:
    if posting.has_rival_notes:
        return "fits more than one Credit Note"
    return f"was handed out more than {case.limits.in_doubt_hours} hours ago and is not seen in Khaos"


RULES: dict[str, Rule] = {
    "sku_unknown": _sku_unknown,
    "sku_ambiguous": _lines_of("sku_ambiguous", "Several Stock Codes are nearly the SKU {sku}"),
    "sku_discontinued": _lines_of("sku_discontinued", "Stock Code {sku} is discontinued"),
    "pack_unclear": _lines_of("pack_unclear", "Nobody can tell out of which sale {sku} came back, or at which price"),
    "order_not_found": _order("order_not_found", "No Sales Order for {order} that holds these goods"),
    "order_ambiguous": _order("order_ambiguous", "More than one Sales Order may be {order}"),
    "order_not_invoiced": _order_not_invoiced,
    "customer_unknown": _order("customer_unknown", "Order {order} belongs to no person's account"),
    "over_return": _over_return,
    "currency_mismatch": _currency_mismatch,
    "outcome_needs_policy": _outcome_needs_policy,
    "refund_not_explained": _refund_not_explained,
    "refund_unconfirmed_too_long": _refund_unconfirmed_too_long,
    "return_status_unknown": _status_unknown,
    "credited_without_sale": _credited_without_sale,
    "credited_to_another_customer": _credited_to_another_customer,
    "posting_refused": _posting_refused,
    "posting_in_doubt": _posting_in_doubt,
}
