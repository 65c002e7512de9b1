"""What staff post for a return, well and badly: the Credit Notes of a month and the truth about each.

Each slip is a way in which people go wrong; ``SLIPS`` says how often. A slip that cannot be told from the right note by
anything in the files (the same goods, value, order and day) is never made: no audit could know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from khaos_swap_assets_tests.audit.months import Claim, Item, Month, net, text


@dataclass
class Draft:
    """A note in the making, with the claims that it is for."""

    claims: list[Claim]
    ref: str
    order: str
    customer: str
    day: date
    currency: str
    lines: list[Item] = field(default_factory=list)
    delivery: int = 0
    legs: Counter[str] = field(default_factory=Counter)

    @property
    def gross(self) -> int:
        """Goods and delivery."""
        return sum(line.paid for line in self.lines) + self.delivery


Drafts = list[Draft]
Slip = Callable[[Random, Month, Draft], Drafts]


def post_all(random: Random, month: Month) -> None:
    """Notes for every claim, and some for none."""
    rest = list(month.claims)
    while rest:
        claim = rest.pop(0)
        name = random.choices(list(SLIPS), [weight for _, weight in SLIPS.values()])[0]
        mates = [one for one in rest if one.customer == claim.customer and one.currency == claim.currency]
        if name == "merged" and mates and _is_due(claim) and _is_due(mates[0]):
            rest.remove(mates[0])
            _keep(month, "merged", [_merged(random, claim, mates[0])])
            continue
        name = "clean" if name == "merged" or claim.kind not in ("refund", "fee", "tender") else name
        drafts = [] if not _is_due(claim) else SLIPS[name][0](random, month, _draft(random, claim))
        month.slip_of[claim.id] = name if _is_due(claim) else claim.kind
        _keep(month, name, drafts)
    for claim in random.sample(month.claims, len(month.claims) // 12):
        _keep(month, "orphan", [_orphan(random, claim, month.drops)])


def _is_due(claim: Claim) -> bool:
    return claim.kind not in ("open", "fresh", "ended", "exchange")


def _draft(random: Random, claim: Claim) -> Draft:
    """The note as it should be: the goods at what was paid; a fee that was withheld stays credited."""
    day = claim.day + timedelta(days=random.randrange(3))
    lines = [Item(item.code, item.units, item.paid, item.listed, item.rate) for item in claim.items]
    draft = Draft([claim], claim.rma, f"KCC{claim.order}", claim.customer, day, claim.currency, lines)
    draft.legs["fee"] += claim.fee
    draft.legs["tender"] += claim.credit
    draft.legs["exchange"] += sum(claim.swaps)
    return draft


def _keep(month: Month, name: str, drafts: Drafts) -> None:
    for draft in drafts:
        code = f"CN{len(month.truth) + 1:05d}"
        month.truth[code] = {claim.id for claim in draft.claims}
        month.slips[code] = name
        month.notes += _rows(code, draft)
        for claim in draft.claims:
            month.slip_of.setdefault(claim.id, name)
            month.legs.setdefault(claim.id, Counter()).update(draft.legs)


def _rows(code: str, draft: Draft) -> Iterator[dict[str, Any]]:
    """One row a line, delivery repeated on each; a note of delivery alone has one row without a Stock Code."""
    shared = {
        "credit_note_code": code,
        "associated_ref": draft.ref,
        "order_ref": draft.order,
        "customer_ref": draft.customer,
        "created_on": draft.day,
        "currency": draft.currency,
        "delivery_gross": text(draft.delivery) if draft.delivery else "",
    }
    for line in draft.lines:
        yield {
            **shared,
            "stock_code": line.code,
            "quantity": line.units,
            "gross": text(line.paid),
            "net": text(net(line.paid, line.rate)),
        }
    if not draft.lines:
        yield {**shared, "gross": text(draft.delivery)}


def _clean(random: Random, month: Month, draft: Draft) -> Drafts:
    return [draft]


def _untidy(random: Random, month: Month, draft: Draft) -> Drafts:
    """The right reference, written as people write."""
    rma = draft.ref
    forms = (rma.lower(), f" {rma} ", f"#{rma}", rma.replace("RMA", "RMA "), rma.replace("RMA", "rma-"), rma[3:])
    draft.ref = random.choice(forms)
    return [draft]


def _order_as_ref(random: Random, month: Month, draft: Draft) -> Drafts:
    """The order's name where the RMA belongs."""
    name = draft.claims[0].order
    draft.ref = random.choice((f"#{name}", name, f"KCC{name}"))
    draft.order = random.choice((draft.order, ""))
    return [draft]


def _order_loose(random: Random, month: Month, draft: Draft) -> Drafts:
    """The order as the shop writes it, or by its Sales Order code, and no reference."""
    name = draft.claims[0].order
    draft.ref, draft.order = "", random.choice((f"#{name}", name, f"SO{name}", f"kcc{name}"))
    return [draft]


def _transposed(random: Random, month: Month, draft: Draft) -> Drafts:
    """Two digits in the wrong order: mostly another return's RMA."""
    head, digits = draft.ref[:3], list(draft.ref[3:])
    place = random.randrange(1, len(digits) - 1)
    digits[place], digits[place + 1] = digits[place + 1], digits[place]
    draft.ref = head + "".join(digits)
    return [] if any(one.rma == draft.ref and _is_twin(month, one, draft) for one in month.claims) else [draft]


def _is_twin(month: Month, claim: Claim, draft: Draft) -> bool:
    """True for a return that nothing but its order tells from the right one, where notes do not show the order."""
    return "order_ref" in month.drops and claim.goods == draft.claims[0].goods and claim is not draft.claims[0]


def _elsewhere(random: Random, month: Month, draft: Draft) -> Drafts:
    """The reference of another return, perhaps one of the same customer or the same value."""
    others = [one for one in month.claims if one is not draft.claims[0] and not _is_twin(month, one, draft)]
    alike = [one for one in others if one.customer == draft.customer or one.goods == draft.claims[0].goods]
    draft.ref = random.choice(random.choice((others, alike or others))).rma
    return [draft]


def _left_out(random: Random, month: Month, draft: Draft) -> Drafts:
    draft.ref = ""
    if random.random() < 0.3:
        draft.order = ""
    return [draft]


def _merged(random: Random, claim: Claim, other: Claim) -> Draft:
    """One note for two returns of a customer."""
    draft, more = _draft(random, claim), _draft(random, other)
    draft.claims.append(other)
    draft.lines += more.lines
    draft.day = max(draft.day, more.day)
    draft.ref = random.choice((draft.ref, "", f"{claim.rma}, {other.rma}", f"{claim.rma} & {other.rma}"))
    draft.order = draft.order if claim.order == other.order else random.choice((draft.order, ""))
    draft.legs.update(more.legs)
    return draft


def _split(random: Random, month: Month, draft: Draft) -> Drafts:
    """Two notes for one return: line by line, or one line in two amounts."""
    first, second = draft.lines[:1], draft.lines[1:]
    if not second:
        line = draft.lines[0]
        part = line.paid * random.randrange(20, 80) // 100
        first = [Item(line.code, 1, part, line.listed, line.rate)]
        second = [Item(line.code, max(line.units - 1, 1), line.paid - part, line.listed, line.rate)]
    other = Draft(draft.claims, draft.ref, draft.order, draft.customer, draft.day, draft.currency, second)
    draft.lines = first
    if random.random() < 0.4:
        other.ref = ""
    return [draft, other]


def _doubled(random: Random, month: Month, draft: Draft) -> Drafts:
    again = Draft(draft.claims, draft.ref, draft.order, draft.customer, draft.day, draft.currency, draft.lines)
    again.day += timedelta(days=random.randrange(4))
    again.legs["again"] += again.gross
    return [draft, again]


def _list_price(random: Random, month: Month, draft: Draft) -> Drafts:
    """Credited before the discount."""
    draft.legs["discount"] += sum(line.listed - line.paid for line in draft.lines)
    for line in draft.lines:
        line.paid = line.listed
    return [draft]


def _net_price(random: Random, month: Month, draft: Draft) -> Drafts:
    """Net prices typed where gross ones belong."""
    for line in draft.lines:
        draft.legs["tax"] -= line.paid - net(line.paid, line.rate)
        line.paid = net(line.paid, line.rate)
    return [draft]


def _wrong_units(random: Random, month: Month, draft: Draft) -> Drafts:
    line = draft.lines[0]
    each = line.paid // line.units
    draft.legs["quantity"] += each if line.paid == each * line.units else 0
    line.units, line.paid = line.units + 1, line.paid + (each if line.paid == each * line.units else 0)
    return [draft]


def _wrong_amount(random: Random, month: Month, draft: Draft) -> Drafts:
    """A slip of the keyboard."""
    off = random.choice((1, -1, 100, 27, 900, -90))
    draft.lines[0].paid += off
    draft.legs["typed"] += off
    return [draft]


def _delivery(random: Random, month: Month, draft: Draft) -> Drafts:
    draft.delivery = draft.claims[0].delivery
    draft.legs["delivery"] += draft.delivery
    return [draft]


def _wrong_customer(random: Random, month: Month, draft: Draft) -> Drafts:
    draft.customer = random.choice(month.claims).customer
    return [draft]


def _wrong_goods(random: Random, month: Month, draft: Draft) -> Drafts:
    """Another Stock Code at the same price."""
    draft.lines[0].code = "S99"
    return [draft]


def _opened_pack(random: Random, month: Month, draft: Draft) -> Drafts:
    """The parts of a pack in place of the pack."""
    packs = [line for line in draft.lines if line.code == "PACK"]
    for line in packs:
        half = line.paid // 2
        parts = [Item("S00", line.units, half, half, 20), Item("S01", line.units, line.paid - half, half, 20)]
        draft.lines = [one for one in draft.lines if one is not line] + parts
    return [draft]


def _missing(random: Random, month: Month, draft: Draft) -> Drafts:
    return []


def _orphan(random: Random, claim: Claim, drops: Sequence[str]) -> Draft:
    """A note that is for no return, made to look like one: goodwill, a repair, or a cancelled order before it.

    Of those told apart by a column that the notes do not have there are none.
    """
    draft = _draft(random, claim)
    draft.claims, draft.legs = [], Counter()
    kinds = [0, 2, *([1] if "created_on" not in drops else []), *([3] if "currency" not in drops else [])]
    match random.choice(kinds):
        case 0:
            draft.lines, draft.ref = [Item("GOODWILL", 1, draft.gross, draft.gross, 20)], "GOODWILL"
        case 1:
            draft.day, draft.ref = claim.day - timedelta(days=40), ""
        case 2:
            draft.lines, draft.order, draft.ref = [Item("S98", 1, 4321, 4321, 20)], "", f"REPAIR {claim.rma}"
        case 3:
            draft.currency, draft.ref = "USD", ""
    return draft


SLIPS: dict[str, tuple[Slip, int]] = {
    "clean": (_clean, 60),
    "untidy": (_untidy, 8),
    "order_as_ref": (_order_as_ref, 4),
    "order_loose": (_order_loose, 4),
    "transposed": (_transposed, 5),
    "elsewhere": (_elsewhere, 5),
    "left_out": (_left_out, 5),
    "merged": (_clean, 6),
    "split": (_split, 5),
    "doubled": (_doubled, 3),
    "list_price": (_list_price, 3),
    "net_price": (_net_price, 2),
    "wrong_units": (_wrong_units, 3),
    "wrong_amount": (_wrong_amount, 4),
    "delivery": (_delivery, 4),
    "wrong_customer": (_wrong_customer, 4),
    "wrong_goods": (_wrong_goods, 3),
    "opened_pack": (_opened_pack, 3),
    "missing": (_missing, 5),
}
