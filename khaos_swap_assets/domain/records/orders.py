"""What a Sales Order is in Khaos, and how a Return names it.

Belongs here: the records of an order and its lines, the Order Ref. Format and its reverse, and the choice of the
order that a return is about. Stays out: reading orders from Khaos (``adapters.khaos``).
Source: contracts/khaos.md §3, §7.4, §7.5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from itertools import accumulate
from typing import NamedTuple

from khaos_swap_assets.domain.records.packs import NO_PACKS, Packs, units
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.domain.sums import added, grouped

_NEVER = datetime.max.replace(tzinfo=UTC)
WAITING, INVOICE_NOT_KNOWN = "waiting", "invoice_not_known"
WAITS = frozenset({WAITING, INVOICE_NOT_KNOWN})
"""What stands among the problems of an order and is none: Khaos has not told."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One sold line; ``gross_pence`` is the whole line with VAT, after its discount."""

    line_no: int
    stock_code: str
    quantity: int
    gross_pence: int
    vat_code: str = "1"
    import_ref: str = ""


@dataclass(frozen=True, slots=True)
class SalesOrder:
    """One Khaos Sales Order; ``invoiced_on`` is the London date of its first issued invoice, if any."""

    so_code: str
    associated_ref: str
    customer_code: str
    currency: str
    ordered_on: date | None
    invoiced_on: date | None
    is_cancelled: bool
    delivery_gross_pence: int
    lines: tuple[OrderLine, ...] = ()

    @property
    def gross_pence(self) -> int:
        """What was paid for the order: its lines and its delivery."""
        return sum(line.gross_pence for line in self.lines) + self.delivery_gross_pence

    @property
    def sold(self) -> Mapping[str, int]:
        """Units sold by Stock Code."""
        return units((line.stock_code, line.quantity) for line in self.lines)

    def vat_code_of(self, line_no: int | None, quantity: int | None) -> str:
        """The VAT code of the sold line, or of all lines of its Stock Code where more units count; empty: several."""
        line = next((one for one in self.lines if one.line_no == line_no), None)
        if line is None or line.quantity == quantity:
            return line.vat_code if line else ""
        codes = {one.vat_code for one in self.lines if one.stock_code == line.stock_code}
        return line.vat_code if len(codes) == 1 else ""


@dataclass(frozen=True, slots=True)
class OrderMatch:
    """The order of a return and the kinds of exception about it; ``is_waiting``: Khaos was not fully asked yet."""

    order: SalesOrder | None
    problems: tuple[str, ...] = ()
    is_waiting: bool = False


@dataclass(frozen=True, slots=True)
class UnitClaim:
    """Units of one Stock Code that one return takes back from an order; ``refunded_at`` is None while unconfirmed.

    ``pence`` are credited for these units, in the order's currency; 0 where that is not known. ``line_no`` is the one
    sold line that they are of, 0 where several may be.
    """

    return_id: str
    rma: str
    refunded_at: datetime | None
    stock_code: str
    quantity: int
    pence: int = 0
    line_no: int = 0


def order_ref(order_name: str, *, ref_format: str, strips_hash: bool) -> str:
    """Khaos's reference of an order: ``#LX10482`` is ``KCCLX10482`` by ``KCC{0}``; empty for none (khaos.md §3)."""
    name = order_name.strip()
    if strips_hash:
        name = name.removeprefix("#")
    return ref_format.replace("{0}", name) if name else ""


def plain_name(text: str) -> str:
    """A name of an order as people write it, with or without hash, in any case."""
    return text.strip().removeprefix("#").casefold()


def order_names(return_: Return) -> set[str]:
    """The names of the orders that a return is about: one when all is well, several when its lines differ.

    A line's own original order wins over the header's, which names the exchange order when that is what came back.
    Lines of outcome Refund decide where there are any (swap.md §2.4).
    """
    lines = return_.refund_lines or return_.lines
    return {line.original_order_name.strip() or return_.order_name for line in lines} or {return_.order_name}


def choose_order(
    return_: Return,
    refs: Sequence[str],
    candidates: Sequence[SalesOrder],
    *,
    stock_codes: Collection[str] = (),
    is_answered: bool,
    is_followed: bool = True,
    generic_customers: Sequence[str] = (),
    packs: Packs = NO_PACKS,
) -> OrderMatch:
    """Choose the Khaos order of a return among ``candidates`` by the exact Associated Ref, or say why none can be.

    ``refs`` is what ``OrderNamings`` says; ``stock_codes`` are those of its matched Refund lines. ``is_answered``
    is False while Khaos was not asked for the reference, or the order's lines were not read: then the match waits.
    ``is_followed`` is False while nobody can see what became of an order since.
    """
    if len(refs) != 1:
        return OrderMatch(None, ("order_ambiguous" if refs else "order_not_found",))
    carrying = [order for order in candidates if order.associated_ref == refs[0]]
    found = [order for order in carrying if not order.is_cancelled] or carrying
    if len(found) > 1:
        return OrderMatch(None, ("order_ambiguous",))
    if not found:
        return OrderMatch(None, ("order_not_found",) if is_answered else (), is_waiting=not is_answered)
    order = found[0]
    held = {line.stock_code for line in order.lines}
    missing = is_answered and not set(stock_codes) <= held | {part for code in held for part, _ in packs.parts(code)}
    problems = order_problems(return_, order, generic_customers, is_followed=is_followed)
    return OrderMatch(order, ("order_not_found", *problems) if missing else problems, not is_answered)


def order_problems(
    return_: Return, order: SalesOrder, generic_customers: Sequence[str] = (), *, is_followed: bool = True
) -> tuple[str, ...]:
    """Kinds of exception that the order gives a return: no invoice, no customer, another currency.

    While the order is not followed nobody knows whether it has an invoice by now.
    """
    lines = return_.refund_lines
    holds = {
        "order_not_invoiced" if is_followed else INVOICE_NOT_KNOWN: (
            order.invoiced_on is None and return_.is_refund_confirmed
        ),
        "customer_unknown": is_no_person(order.customer_code, generic_customers),
        "currency_mismatch": bool(lines) and {line.currency for line in lines} != {order.currency},
    }
    return tuple(kind for kind, is_so in holds.items() if is_so)


def is_no_person(customer_code: str, generic_customers: Sequence[str]) -> bool:
    """True for an empty URN and for one that a pattern such as ``Amazo-*`` names, in any case (khaos.md §3)."""
    code = customer_code.strip().casefold()
    return not code or any(fnmatchcase(code, pattern.strip().casefold()) for pattern in generic_customers)


def over_refunds(claims: Sequence[UnitClaim], order: SalesOrder) -> dict[tuple[str, str], int]:
    """The pence that each (return id, Stock Code) is credited beyond what its units cost, with all before it.

    Units of a known sold line count at its price, others at the dearest that the order has for them, and a return by
    the sum of its rows, so nothing is named that may be right. Earlier refunds count first; a Stock Code that the order
    never held is left out. Source: FINANCE_RULES U-8, U-26.
    """
    claimed = {one.stock_code for one in claims}
    sold = [line for line in order.lines if line.stock_code in claimed]
    found = _excesses(claims, caps_of(sold))
    by_line = {_of_line(line.stock_code, line.line_no): line for line in sold if line.line_no}
    own = [
        replace(one, stock_code=name) for one in claims if (name := _of_line(one.stock_code, one.line_no)) in by_line
    ]
    named = {one.stock_code for one in own}
    lines = [replace(line, stock_code=name) for name, line in by_line.items() if name in named]
    exact = added(
        ((return_id, by_line[name].stock_code), pence)
        for (return_id, name), pence in _excesses(own, caps_of(lines)).items()
    )
    return {key: max(found.get(key, 0), exact[key]) for key in {*found, *exact}}


def _of_line(stock_code: str, line_no: int) -> str:
    return f"{stock_code}\n{line_no}"


def _excesses(claims: Iterable[UnitClaim], caps: Mapping[str, Sequence[int]]) -> dict[tuple[str, str], int]:
    """What each return adds to the excess of those before it."""
    before: Counter[str] = Counter()
    found = {}
    for asked in _asked_so_far(claims):
        paid = caps.get(asked.stock_code)
        over = max(asked.pence - paid[min(asked.units, len(paid) - 1)], 0) if paid else 0
        if over > before[asked.stock_code]:
            found[asked.return_id, asked.stock_code] = over - before[asked.stock_code]
        before[asked.stock_code] = over
    return found


def caps_of(lines: Iterable[OrderLine]) -> dict[str, list[int]]:
    """By Stock Code: the most that 0, 1, 2, … of its units may be refunded together, the dearest first.

    A unit is worth its share rounded up, all of a line what was paid: three of £34.99 are £11.67, £11.67 and £11.65.
    """
    prices: dict[str, list[int]] = {}
    for line in lines:
        if line.quantity > 0 and line.gross_pence >= 0:
            each = -(-line.gross_pence // line.quantity)
            shares = (min(each, max(line.gross_pence - each * at, 0)) for at in range(line.quantity))
            prices.setdefault(line.stock_code, []).extend(shares)
    return {code: [0, *accumulate(sorted(units, reverse=True))] for code, units in prices.items()}


def over_returns(claims: Sequence[UnitClaim], sold: Mapping[str, int]) -> set[tuple[str, str]]:
    """(return id, Stock Code) of each return that takes back more than is left of what one order sold.

    Earlier refunds count first (then by RMA), unconfirmed ones last, so only the later return is named. A Stock Code
    that the order never held is another trouble (``order_not_found``) and is left out. Order of ``claims`` is free.
    """
    return {
        (asked.return_id, asked.stock_code)
        for asked in _asked_so_far(claims)
        if asked.stock_code in sold and asked.units > sold[asked.stock_code]
    }


def turn_of(claim: UnitClaim) -> tuple[datetime, str, str, str]:
    """Where a claim stands in line: by moment of the refund, by RMA, unconfirmed last."""
    return claim.refunded_at or _NEVER, claim.rma, claim.return_id, claim.stock_code


class _Asked(NamedTuple):
    """What this return and every earlier one of the order take back of a Stock Code, in all."""

    return_id: str
    stock_code: str
    units: int
    pence: int


def _asked_so_far(claims: Iterable[UnitClaim]) -> Iterator[_Asked]:
    """One row for each return and Stock Code, its rows together: by moment of the refund, by RMA, unconfirmed last."""
    units_so_far: Counter[str] = Counter()
    pence_so_far: Counter[str] = Counter()
    for (*_, return_id, code), some in sorted(grouped((turn_of(claim), claim) for claim in claims).items()):
        units_so_far[code] += sum(claim.quantity for claim in some)
        pence_so_far[code] += sum(claim.pence for claim in some)
        yield _Asked(return_id, code, units_so_far[code], pence_so_far[code])
