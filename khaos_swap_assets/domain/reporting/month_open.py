"""What of a month is open, by causes that a person would use, who waits, and whether it may be signed, or was.

Belongs here: one cause for each return of a month that is apart, what makes a month red, its three marks (matched,
witnessed, signed), the queue of each owner with its forecast, and customers by the clock of their refund. Stays out:
which rows these are (``adapters.store``) and the legs of a gap (``judging.waterfall``). Money is pence of the row's
currency, at risk as it was last seen; opening and new less resolved is closing. Source: FINANCE_RULES U-10, U-17.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from khaos_swap_assets.domain.exceptions.catalogue import KINDS
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import note_clock, refund_clock
from khaos_swap_assets.domain.sums import grouped

Cause = Literal[
    "amounts differ",
    "no note yet",
    "blocked by a SKU",
    "blocked by an order",
    "credited in another month",
    "on its way",
    "waived",
]
CAUSES: tuple[Cause, ...] = get_args(Cause)
"""From what a person has to solve to what asks for nothing."""
SKU_KINDS = frozenset({"sku_unknown", "sku_ambiguous", "sku_discontinued", "pack_unclear"})
ORDER_KINDS = frozenset({"order_not_found", "order_ambiguous", "order_not_invoiced", "customer_unknown", "over_return"})


@dataclass(frozen=True, slots=True)
class Apart:
    """A return of the month whose issued notes are not its refund.

    ``open_kinds`` is what is open about it, errors and the most money first; ``owner`` and ``message`` those of the
    first. ``waived_by`` are the people whose waivers about it stand. ``timing_pence`` was credited in another month.
    ``paid_on`` is the London day of the refund, at the latest the last of the month.
    """

    rma: str
    currency: str
    refund_pence: int
    credited_pence: int
    issued_pence: int
    timing_pence: int
    status: str
    open_kinds: tuple[str, ...]
    owner: str
    message: str
    waived_by: tuple[str, ...]
    paid_on: date

    @property
    def gone_by(self) -> str:
        """The month in which a difference that is carried over should be gone: that of the note's last day (U-3)."""
        return f"{note_clock(self.paid_on).last_day:%Y-%m}"

    @property
    def apart_pence(self) -> int:
        """Issued less refunded."""
        return self.issued_pence - self.refund_pence

    @property
    def cause(self) -> Cause:
        """Why it is apart. What has an open error is not waived, and what asks for anybody is not on its way."""
        open_kinds = set(self.open_kinds)
        if self.waived_by and not any(KINDS[kind].severity == "error" for kind in open_kinds):
            return "waived"
        if open_kinds & SKU_KINDS:
            return "blocked by a SKU"
        if open_kinds & ORDER_KINDS:
            return "blocked by an order"
        if self.timing_pence and self.timing_pence == self.apart_pence:
            return "credited in another month"
        if not open_kinds and self.status in ("in_flight", "matched", "within_tolerance"):
            return "on its way"
        return "amounts differ" if self.credited_pence not in (0, self.refund_pence) else "no note yet"


@dataclass(frozen=True, slots=True)
class Shifted:
    """Returns of one currency whose money and Credit Note are of two months: paid in this one, or credited in it."""

    currency: str
    is_paid_here: bool
    returns: int
    pence: int


def blocking(rows: Iterable[Apart], today: str) -> list[Apart]:
    """Rows for which the month is red in month ``today``: none waived, none on its way until it should be gone."""
    return [row for row in rows if row.cause != "waived" and (row.cause != "on its way" or today > row.gone_by)]


def by_cause(rows: Sequence[Apart], shifted: Sequence[Shifted] = ()) -> list[dict[str, str | int]]:
    """Each cause with its pounds, over- and under-credits never netted; one of another month only has its own row."""
    apart = grouped(((CAUSES.index(row.cause), row.currency), row.apart_pence) for row in rows)
    found = [(CAUSES[at], its, len(own), own) for (at, its), own in sorted(apart.items())]
    moved = ((one, one.pence * (-1 if one.is_paid_here else 1)) for one in shifted)
    found += [("credited in another month", one.currency, one.returns, [pence]) for one, pence in moved]
    return [
        {
            "cause": cause,
            "returns": returns,
            "credited too little": format_money(sum(max(-one, 0) for one in own), currency),
            "credited too much": format_money(sum(max(one, 0) for one in own), currency),
        }
        for cause, currency, returns, own in found
    ]


def shifted_words(shifted: Sequence[Shifted]) -> str:
    """How many returns of the month are credited in another one, and their pounds; empty where none is."""
    sums = " and ".join(format_money(one.pence, one.currency) for one in shifted)
    return f"credited in another month: {sum(one.returns for one in shifted)}, {sums}" if shifted else ""


def carried_words(rows: Iterable[Apart], period: str) -> str:
    """What of these is on its way beyond the month ``period``, and when it should be gone; empty where nothing is."""
    carried = [row for row in rows if row.cause == "on its way" and row.gone_by > period]
    months = " and ".join(sorted({row.gone_by for row in carried}))
    told = counted([(abs(row.apart_pence), row.currency) for row in carried])
    return f"carried over: {told}, to be gone in {months}" if carried else ""


def waived_words(waived: Sequence[tuple[int, str, Sequence[str]]]) -> str:
    """How many waived (pence, currency, people) there are, their pounds and by whom; empty where none is."""
    people = " and ".join(sorted({person for *_, some in waived for person in some}))
    return f"waived: {counted([(pence, currency) for pence, currency, _ in waived])}, by {people}" if waived else ""


def waived_of(rows: Iterable[Apart]) -> list[tuple[int, str, Sequence[str]]]:
    """The waived ones of these rows, as ``waived_words`` takes them."""
    return [(abs(row.apart_pence), row.currency, row.waived_by) for row in rows if row.cause == "waived"]


def counted(some: Sequence[tuple[int, str]]) -> str:
    """How many of these (pence, currency), and their sums: ``2, £74.97``."""
    currencies = sorted({currency for _, currency in some})
    sums = [format_money(sum(pence for pence, its in some if its == one), one or "GBP") for one in currencies]
    return f"{len(some)}, {' and '.join(sums)}"


MATCHED, WITNESSED, SIGNED = "= matched", "◉ witnessed", "✎ signed"


@dataclass(frozen=True, slots=True)
class Marked:
    """Of a month's returns in one currency: how many are matched or witnessed, and their refunds."""

    mark: str
    currency: str
    returns: int
    refund_pence: int


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed a month's figures in one currency, on which London day, and what they were."""

    currency: str
    signed_by: str
    signed_on: date
    refund_pence: int
    issued_pence: int

    @property
    def words(self) -> str:
        """The signature for a person."""
        amounts = (format_money(pence, self.currency) for pence in (self.refund_pence, self.issued_pence))
        return "by {} on {}: {} refunded, {} issued".format(self.signed_by, self.signed_on, *amounts)


MEANING = {
    MATCHED: "the Credit Notes come to the refund, or what is left is accounted for",
    WITNESSED: "matched, the note is seen issued in Khaos and the money seen moving in the storefront",
    SIGNED: "a named person put their name under these figures",
}


def mark_rows(marked: Iterable[Marked], signatures: Sequence[Signature]) -> list[dict[str, str | int]]:
    """Each mark with what it means and how far it holds."""
    rows: list[dict[str, str | int]] = [
        {
            "mark": one.mark,
            "means": MEANING[one.mark],
            "returns": one.returns,
            "holds": format_money(one.refund_pence, one.currency),
        }
        for one in marked
    ]
    for words in [one.words for one in signatures] or ["nobody yet"]:
        rows.append({"mark": SIGNED, "means": MEANING[SIGNED], "returns": "", "holds": words})
    return rows


def signed_words(signatures: Sequence[Signature]) -> str:
    """Who signed; empty where nobody did."""
    people = " and ".join(sorted({f"{one.signed_by} on {one.signed_on}" for one in signatures}))
    return f"{SIGNED} by {people}" if people else ""


PACE_DAYS = 28
"""The days before now whose pace the forecast goes by."""


@dataclass(frozen=True, slots=True)
class Some:
    """So many exceptions and the money at risk in them."""

    count: int
    pence: int


@dataclass(frozen=True, slots=True)
class OwnerQueue:
    """The exceptions of an owner in one currency over a time; what a person waived in it is resolved."""

    owner: str
    currency: str
    opening: Some
    new: Some
    resolved: Some
    closing: Some

    def empty_on(self, today: date) -> date | None:
        """The day on which nothing is left at the pace of these ``PACE_DAYS``; None where it does not get shorter."""
        pace = self.resolved.count - self.new.count
        if not self.closing.count:
            return today
        return today + timedelta(days=-(-self.closing.count * PACE_DAYS // pace)) if pace > 0 else None

    def told(self, some: Some) -> str:
        """A part of it for a person: ``2, £74.97``."""
        return f"{some.count}, {format_money(some.pence, self.currency)}"


def waiting_rows(waiting: Iterable[tuple[date, str, int, int]], today: date) -> list[dict[str, str | int]]:
    """Customers who wait for a refund (day of arrival, currency, returns, pence), by their clock (U-10)."""
    rows: list[dict[str, str | int]] = []
    for arrived_on, currency, returns, pence in sorted(waiting):
        clock = refund_clock(arrived_on)
        told = "over" if today >= clock.breach_on else "due soon" if today >= clock.warn_on else "in time"
        money = format_money(pence, currency)
        row: dict[str, str | int] = {"days waited": (today - arrived_on).days, "returns": returns, "to refund": money}
        rows.append({**row, "last day": str(clock.last_day), "clock": told})
    return rows


def queue_rows(month: Iterable[OwnerQueue], lately: Iterable[OwnerQueue], today: date) -> list[dict[str, str]]:
    """Each queue of a month, and when that of now (``lately``) will be empty."""
    ends = {(one.owner, one.currency): one.empty_on(today) or "not at the pace of the last 28 days" for one in lately}
    return [
        {
            "queue": one.owner,
            "opening": one.told(one.opening),
            "new": one.told(one.new),
            "resolved": one.told(one.resolved),
            "closing": one.told(one.closing),
            "empty on": str(ends.get((one.owner, one.currency), today)),
        }
        for one in month
    ]
