"""What a Credit Note is, and the draft of one for a confirmed refund.

Belongs here: the records of a note seen in Khaos and of a draft, and the gates between a return and a draft. Stays
out: handing a draft to Khaos (``stages.credit_notes``). Source: DESIGN §4, contracts/khaos.md §7.4, §8.7, §11.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from khaos_swap_assets.domain.documents.draft_lines import DraftLine, Policy, pieces
from khaos_swap_assets.domain.goods.dispositions import DISPOSITIONS, KEPT
from khaos_swap_assets.domain.policy.decisions import NOTHING_DECIDED, CreditNotePolicy
from khaos_swap_assets.domain.policy.settlement import Settlement, settle
from khaos_swap_assets.domain.policy.settlement_case import Posted, Sale
from khaos_swap_assets.domain.records.matches import MatchedLine
from khaos_swap_assets.domain.records.orders import INVOICE_NOT_KNOWN, SalesOrder, order_problems
from khaos_swap_assets.domain.records.packs import NO_PACKS, Goods, Packs, goods_of, units
from khaos_swap_assets.domain.records.returns import HoldReason, Return, ReturnLine

WAITING_MATCH = "waiting_match"
CODE_NOT_KNOWN = "code_not_known"
COVERED = "covered"
PACK_UNCLEAR = "pack_unclear"

ItemsBy = Literal["status", "export", "none"]
"""How Khaos shows the items of Credit Notes: in the status list, by their own codes, or in no way (khaos.md §7.4)."""
# What a draft remembers of its making; its document says nothing of it.
UNSAID = ("policy_version", "refund_pence")


@dataclass(frozen=True, slots=True)
class CreditNote:
    """One note as Khaos shows it. ``gross_pence`` is items plus delivery, positive; ``lines``: (code, quantity).

    Only a file tells ``order_ref``, the reference of the order that it credits; ``net_pence`` is None, and
    ``customer_code`` empty, where a file does not say. No ``lines``: nobody told its goods, which may be any.
    Without ``is_issue_day_shown`` it is issued on a day that Khaos does not show: ``issued_on`` is that of its making.
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
    is_issue_day_shown: bool = True

    @property
    def is_issued(self) -> bool:
        """Only an issued note moved the ledger: stage 70 or above, an issue date, or complete (khaos.md §4.1, §7.4)."""
        return self.issued_on is not None or (self.stage_id or 0) >= 70 or not self.is_issue_day_shown

    @property
    def vat_pence(self) -> int | None:
        """The VAT in it, where its net is known."""
        return None if self.net_pence is None else self.gross_pence - self.net_pence

    @property
    def issued_words(self) -> str:
        """When it was issued, for a person: a day that stands in for the one not shown says so."""
        day = self.issued_on or "an unknown day"
        return f"issued on {day}" if self.is_issue_day_shown else f"issued (day not shown; made on {day})"


@dataclass(frozen=True, slots=True)
class Draft:
    """The note that a confirmed refund asks for, lines adding up exactly; ``refund_pence`` None: all of its value."""

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
    policy_version: str = ""
    refund_pence: int | None = None

    @property
    def posted(self) -> Posted:
        """What a further document of the return has to know of this one."""
        return Posted(tuple(dict.fromkeys(line.product_id for line in self.lines)), self.value_pence, self.refund_pence)

    @property
    def key(self) -> tuple[str, str, int]:
        """What makes it one: store, return and ordinal of the refund."""
        return self.store_id, self.return_id, self.ordinal

    @property
    def contents(self) -> Goods:
        """Its goods as sorted (Stock Code, quantity), several lines of one code added up."""
        return goods_of((line.stock_code, line.quantity) for line in self.lines)

    @property
    def content(self) -> str:
        """Everything that its document is made of, as JSON text: equal contents, equal documents."""
        return json.dumps({name: value for name, value in self.as_json.items() if name not in UNSAID})

    @property
    def as_json(self) -> dict[str, object]:
        """All of it by name, each line too: ``dataclasses.asdict`` copies what nobody changes."""
        lines = [{name: getattr(line, name) for name in DraftLine.__slots__} for line in self.lines]
        return {name: getattr(self, name) for name in Draft.__slots__} | {"lines": lines}


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
    decisions: CreditNotePolicy | None = None,
    room_pence: int = 0,
    found: Sequence[HoldReason] = (),
    generic_customers: Sequence[str] = (),
    has_kept_reason: bool = True,
    opened: Packs = NO_PACKS,
) -> Draft | Hold:
    """Draft the Credit Note of a confirmed refund, or say everything that holds it back.

    ``already`` lists the earlier postings of the return, ``found`` what others know against it (an over-return, a note
    that may cover it). ``decisions`` is the policy of the day of the refund, ``room_pence`` what the order still leaves
    to credit, ``has_kept_reason`` whether a ReturnReason is set for what the customer keeps, ``opened`` the packs that
    go to Khaos as their components. Only lines in no earlier posting are drafted; the order of the input is free.
    """
    decisions = decisions or NOTHING_DECIDED
    settled = settle(return_, decisions, already=already, sale=sale_of(return_, matched_lines, order, room_pence))
    if not settled.is_due and (already or not return_.is_open):
        return Hold((HoldReason(COVERED, "nothing is left to credit"),))
    matches = {match.product_id: match for match in matched_lines}
    reasons = [*found, *_order_reasons(return_, order, generic_customers, {reason.kind for reason in found})]
    reasons += _refund_reasons(return_, settled)
    for line in settled.lines:
        match = matches.get(line.product_id)
        reasons += _line_reasons(line, match, policy, opened, has_kept_reason=has_kept_reason)
    if reasons or order is None:
        return Hold(tuple({(reason.kind, reason.text): reason for reason in reasons}.values()))
    lines = tuple(pieces(settled, matches, policy, opened))
    return _draft_of(return_, order, ordinal, settled, lines, decisions.version)


def sale_of(
    return_: Return, matched_lines: Iterable[MatchedLine], order: SalesOrder | None, room_pence: int = 0
) -> Sale:
    """What the order of a return says beside its lines."""
    if order is None:
        return Sale()
    back = units((match.stock_code or "", match.quantity) for match in matched_lines)
    is_all_back = bool(order.sold) and all(back[code] >= quantity for code, quantity in order.sold.items())
    is_same_money = return_.currency == order.currency
    return Sale(order.delivery_gross_pence if is_same_money else 0, is_all_back, room_pence)


def _draft_of(
    return_: Return,
    order: SalesOrder,
    ordinal: int,
    settled: Settlement,
    lines: tuple[DraftLine, ...],
    policy_version: str,
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
        value_pence=settled.value_pence,
        lines=lines,
        policy_version=policy_version,
        refund_pence=settled.money_pence if settled.beyond_pence else None,
    )


def _order_reasons(
    return_: Return, order: SalesOrder | None, generic_customers: Sequence[str], known: Collection[str]
) -> Iterator[HoldReason]:
    if order is None:
        if not any(kind.startswith("order_") for kind in known):
            yield HoldReason(WAITING_MATCH, "no Sales Order is matched")
        return
    for kind in order_problems(return_, order, generic_customers, is_followed=INVOICE_NOT_KNOWN not in known):
        if kind not in known:
            yield HoldReason(kind, f"Sales Order {order.so_code}: {kind.replace('_', ' ')}")


def _refund_reasons(return_: Return, settled: Settlement) -> Iterator[HoldReason]:
    is_confirmed = return_.is_refund_confirmed or (return_.is_ended and settled.is_due)
    if not is_confirmed:
        yield HoldReason("waiting_refund", f"the refund is not confirmed: status {return_.status or 'unknown'}")
        return
    yield from settled.faults
    if any(line.quantity < 1 for line in settled.lines):
        yield HoldReason("refund_not_explained", "a refunded line holds no unit")
    if any(line.currency != return_.currency for line in settled.lines):
        yield HoldReason("currency_mismatch", f"a refunded line is not in {return_.currency}")


def _line_reasons(
    line: ReturnLine, match: MatchedLine | None, policy: Policy, opened: Packs, *, has_kept_reason: bool
) -> Iterator[HoldReason]:
    if match is None or (match.quantity, match.cost_pence) != (line.quantity, line.cost_pence):
        yield HoldReason(WAITING_MATCH, f"SKU {line.sku!r} is not matched as it was last read")
    elif match.problem or not match.stock_code:
        told = "has no usable Stock Code" if match.problem else "may be a Stock Code, and Khaos tells nothing of it"
        yield HoldReason(match.problem or CODE_NOT_KNOWN, f"SKU {line.sku!r} {told}")
    elif opened.is_unpriced(match.stock_code):
        yield HoldReason(PACK_UNCLEAR, f"nobody can tell how the components of {match.stock_code} share its price")
    elif match.unclear_quantity:
        yield HoldReason("kept_unclear", f"nobody can tell whether SKU {line.sku!r} comes back or is kept")
    elif match.dispositions.get(KEPT) and not has_kept_reason:
        yield HoldReason("kept_without_reason", f"SKU {line.sku!r} is kept, and no ReturnReason is set for that")
    elif policy == "disposition" and _settled_units(match) != line.quantity:
        units = line.quantity - _settled_units(match)
        yield HoldReason(
            "waiting_inspection", f"{units} of {line.quantity} units of SKU {line.sku!r} are not inspected"
        )


def _settled_units(match: MatchedLine) -> int:
    return sum(max(match.dispositions.get(word, 0), 0) for word in DISPOSITIONS)
