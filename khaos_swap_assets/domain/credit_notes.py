"""What a Credit Note is, and the draft of one for a confirmed refund.

Belongs here: the records of a note seen in Khaos and of a draft, and the gates between a return and a draft. Stays
out: handing a draft to Khaos (``stages.credit_notes``). Source: DESIGN §4, contracts/khaos.md §7.4, §8.7, §11.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from khaos_swap_assets.domain.money import format_money, spread, unit_values
from khaos_swap_assets.domain.orders import SalesOrder, order_problems
from khaos_swap_assets.domain.returns import HoldReason, Return, ReturnLine
from khaos_swap_assets.domain.stock import DISPOSITIONS

WAITING_REFUND = "waiting_refund"
WAITING_MATCH = "waiting_match"
WAITING_INSPECTION = "waiting_inspection"
COVERED = "covered"

Policy = Literal["disposition", "credit_first"]


@dataclass(frozen=True, slots=True)
class CreditNote:
    """One note as Khaos shows it. ``gross_pence`` is items plus delivery, positive; ``lines``: (code, quantity).

    Only a file tells ``order_ref``, the reference of the order that it credits; ``net_pence`` is None, and
    ``customer_code`` empty, where a file does not say.
    """

    credit_note_code: str
    associated_ref: str
    customer_code: str
    currency: str
    created_on: date | None
    issued_on: date | None
    stage_id: int | None
    gross_pence: int
    net_pence: int | None
    delivery_gross_pence: int = 0
    lines: tuple[tuple[str, int], ...] = ()
    order_ref: str = ""

    @property
    def is_issued(self) -> bool:
        """Only an issued note moved the ledger: stage 70 or above, or an issue date (khaos.md §4.1)."""
        return self.issued_on is not None or (self.stage_id or 0) >= 70


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One line of the return document: ``quantity`` units at ``unit_gross_pence`` each, with where the goods went.

    ``disposition`` is empty under the policy ``credit_first``: the document moves no stock, a later leg does.
    """

    product_id: str
    stock_code: str
    quantity: int
    unit_gross_pence: int
    disposition: str

    @property
    def gross_pence(self) -> int:
        """The value of the line."""
        return self.quantity * self.unit_gross_pence


@dataclass(frozen=True, slots=True)
class Draft:
    """The Credit Note that a confirmed refund asks for; its lines add up to ``value_pence`` exactly."""

    store_id: str
    return_id: str
    ordinal: int
    rma: str
    so_code: str
    order_ref: str
    customer_code: str
    currency: str
    value_pence: int
    lines: tuple[DraftLine, ...]


@dataclass(frozen=True, slots=True)
class MatchedLine:
    """A returned line as matched: its Stock Code or the problem, and units by disposition. Value is the whole line."""

    product_id: str
    stock_code: str | None
    quantity: int
    cost_pence: int
    dispositions: Mapping[str, int]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """An earlier refund of the same return that is already posted: which product rows it took, at which value."""

    product_ids: tuple[str, ...]
    value_pence: int


@dataclass(frozen=True, slots=True)
class Hold:
    """No draft now, and every reason for it: kinds of exception, waits, or ``covered`` when nothing is left to post."""

    reasons: tuple[HoldReason, ...]

    @property
    def is_covered(self) -> bool:
        """True when the refund is posted already and nothing else is wrong."""
        return all(reason.kind == COVERED for reason in self.reasons)


def draft(
    return_: Return,
    matched_lines: Sequence[MatchedLine],
    order: SalesOrder | None,
    *,
    ordinal: int = 1,
    already: Sequence[Posted] = (),
    policy: Policy = "disposition",
    found: Sequence[HoldReason] = (),
    generic_customers: Sequence[str] = (),
) -> Draft | Hold:
    """Draft the Credit Note of a confirmed refund, or say everything that holds it back.

    ``already`` lists the earlier postings of the return, ``found`` what others know against it (an over-return, a note
    that may cover it). Only Refund lines that are in no earlier posting are drafted. Lines and their order in the
    input change nothing; the draft adds up to the refund that is left, to the penny.
    """
    due_pence = return_.refund_pence - sum(posted.value_pence for posted in already)
    if not due_pence and (already or not return_.is_open):
        return Hold((HoldReason(COVERED, "nothing is left to credit"),))
    done = {product_id for posted in already for product_id in posted.product_ids}
    lines = sorted((line for line in return_.refund_lines if line.product_id not in done), key=_product_id)
    matches = {match.product_id: match for match in matched_lines}
    reasons = [*found, *_order_reasons(return_, order, generic_customers, {reason.kind for reason in found})]
    reasons += _refund_reasons(return_, lines, due_pence, is_first=not already)
    reasons += [reason for line in lines for reason in _line_reasons(line, matches.get(line.product_id), policy)]
    if reasons or order is None:
        return Hold(_each_once(reasons))
    pieces = tuple(_pieces(lines, matches, due_pence, policy))
    return _draft_of(return_, order, ordinal, due_pence, pieces)


def _draft_of(
    return_: Return, order: SalesOrder, ordinal: int, value_pence: int, lines: tuple[DraftLine, ...]
) -> Draft:
    return Draft(
        store_id=return_.store_id,
        return_id=return_.return_id,
        ordinal=ordinal,
        rma=return_.rma,
        so_code=order.so_code,
        order_ref=order.associated_ref,
        customer_code=order.customer_code,
        currency=return_.currency,
        value_pence=value_pence,
        lines=lines,
    )


def is_explained(costs_pence: Sequence[int], fee_pence: int, refund_pence: int) -> bool:
    """True when the lines add up to the refund, as they are or less the whole withheld fee, and none is negative."""
    total = sum(costs_pence)
    return min(costs_pence, default=-1) >= 0 and refund_pence in (total, total - max(fee_pence, 0))


def _product_id(line: ReturnLine) -> str:
    return line.product_id


def _each_once(reasons: Iterable[HoldReason]) -> tuple[HoldReason, ...]:
    return tuple({(reason.kind, reason.text): reason for reason in reasons}.values())


def _order_reasons(
    return_: Return, order: SalesOrder | None, generic_customers: Sequence[str], known: Collection[str]
) -> Iterator[HoldReason]:
    if order is None:
        if not any(kind.startswith("order_") for kind in known):
            yield HoldReason(WAITING_MATCH, "no Sales Order is matched")
        return
    for kind in order_problems(return_, order, generic_customers):
        if kind not in known:
            yield HoldReason(kind, f"Sales Order {order.so_code}: {kind.replace('_', ' ')}")


def _refund_reasons(
    return_: Return, lines: Sequence[ReturnLine], due_pence: int, *, is_first: bool
) -> Iterator[HoldReason]:
    if not return_.is_refund_confirmed:
        yield HoldReason(WAITING_REFUND, f"the refund is not confirmed: status {return_.status or 'unknown'}")
        return
    explain = _first_refund_reasons if is_first else _later_refund_reasons
    yield from explain(return_, lines, due_pence)
    if any(line.quantity < 1 for line in lines):
        yield HoldReason("refund_not_explained", "a refunded line holds no unit")
    if any(line.currency != return_.currency for line in lines):
        yield HoldReason("currency_mismatch", f"a refunded line is not in {return_.currency}")


def _first_refund_reasons(return_: Return, lines: Sequence[ReturnLine], due_pence: int) -> Iterator[HoldReason]:
    costs = [line.cost_pence for line in lines]
    if not lines and return_.other_outcomes:
        yield HoldReason("outcome_needs_policy", f"no line is a Refund: {', '.join(return_.other_outcomes)}")
    elif not is_explained(costs, return_.handling_fee_pence, due_pence):
        amounts = (due_pence, sum(costs), return_.handling_fee_pence)
        due, together, fee = (format_money(pence, return_.currency) for pence in amounts)
        yield HoldReason("refund_not_explained", f"{due} refunded, its lines add up to {together}, fee {fee}")


def _later_refund_reasons(return_: Return, lines: Sequence[ReturnLine], due_pence: int) -> Iterator[HoldReason]:
    costs = [line.cost_pence for line in lines]
    due, together = (format_money(pence, return_.currency) for pence in (abs(due_pence), sum(costs)))
    if due_pence < 0:
        yield HoldReason("value_gap", f"{due} more is posted than was refunded")
    elif not is_explained(costs, 0, due_pence):
        yield HoldReason("outcome_needs_policy", f"{due} more was refunded, new lines explain {together} of it")


def _line_reasons(line: ReturnLine, match: MatchedLine | None, policy: Policy) -> Iterator[HoldReason]:
    if match is None or (match.quantity, match.cost_pence) != (line.quantity, line.cost_pence):
        yield HoldReason(WAITING_MATCH, f"SKU {line.sku!r} is not matched as it was last read")
    elif match.problem or not match.stock_code:
        yield HoldReason(match.problem or "sku_unknown", f"SKU {line.sku!r} has no usable Stock Code")
    elif policy == "disposition" and _settled_units(match) != line.quantity:
        units = line.quantity - _settled_units(match)
        yield HoldReason(WAITING_INSPECTION, f"{units} of {line.quantity} units of SKU {line.sku!r} are not inspected")


def _settled_units(match: MatchedLine) -> int:
    return sum(max(match.dispositions.get(word, 0), 0) for word in DISPOSITIONS)


def _pieces(
    lines: Sequence[ReturnLine], matches: Mapping[str, MatchedLine], due_pence: int, policy: Policy
) -> Iterator[DraftLine]:
    costs = [line.cost_pence for line in lines]
    withheld = spread(sum(costs) - due_pence, costs)
    for line, share in zip(lines, withheld, strict=True):
        yield from _split(matches[line.product_id], line.cost_pence - share, policy)


def _split(match: MatchedLine, value_pence: int, policy: Policy) -> Iterator[DraftLine]:
    """Lines of one product row whose pence divide by their quantity, one or two for each disposition."""
    words = [word for word in DISPOSITIONS for _ in range(match.dispositions.get(word, 0))]
    if policy == "credit_first":
        words = [""] * match.quantity
    units = Counter(zip(words, unit_values(value_pence, match.quantity), strict=True))
    for (word, unit_pence), quantity in units.items():
        yield DraftLine(match.product_id, match.stock_code or "", quantity, unit_pence, word)
