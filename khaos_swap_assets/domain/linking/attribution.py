"""Which Credit Note belongs to which return.

Belongs here: the three passes by which a note answers what was asked of Khaos, in this order, and the guard before a
draft. Stays out: the passes for what is left (``linking.loose_notes``), and what a wrong or missing note means
(``judging.verdict``).

1. ``posting``: the note carries a reference that we handed out.
2. ``reference``: the note carries the RMA, or another form of it.
3. ``customer_codes_value_date``: the same customer, currency, value and units, made near the refund; only where the
   notes and the returns that fit each other leave no choice.

A typed reference is evidence, not proof: one that names a return of another customer, currency or other goods does not
win, and where content fits another return it is an ambiguity. Two fits attribute nothing. The order of the input does
not matter. Source: DESIGN §4.7, contracts/khaos.md §11.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Literal

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.linking.records import PassName
from khaos_swap_assets.domain.linking.windows import INVOICE, REFUND
from khaos_swap_assets.domain.records.packs import NO_PACKS, Packs

MatchedBy = Literal["posting", "person"] | PassName


@dataclass(frozen=True, slots=True)
class Claim:
    """One Credit Note that a return asks for: one a posting, or one for the whole refund where nothing was posted.

    ``posted_reference`` was handed out by us (empty if none was); ``references`` are the RMA and its other forms.
    ``customer_code`` is empty when unknown. ``invoiced_on`` is the London day on which its goods were invoiced.
    ``order_ref`` is empty when unknown: a note that names another order is none of the claim's, whatever it refers to.
    ``is_witnessed`` claims have their note already: a further one is attributed by its reference only.
    """

    return_id: str
    customer_code: str
    currency: str
    value_pence: int
    lines: tuple[tuple[str, int], ...]
    references: frozenset[str] = frozenset()
    posted_reference: str = ""
    refunded_on: date | None = None
    invoiced_on: date | None = None
    is_witnessed: bool = False
    order_ref: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Attribution:
    """A Credit Note belongs to a return, and the pass that says so.

    Where a note credits several returns, ``share_pence`` are this one's; one of them has None: what the others leave.
    """

    credit_note_code: str
    return_id: str
    matched_by: MatchedBy
    share_pence: int | None = None


@dataclass(frozen=True, slots=True, order=True)
class Ambiguity:
    """A Credit Note fits these returns (or shares its only return with another note) and goes to none of them."""

    credit_note_code: str
    return_ids: tuple[str, ...]


Outcome = Attribution | Ambiguity


def attribute(
    notes: Iterable[CreditNote], claims: Iterable[Claim], taken: Mapping[str, str]
) -> tuple[list[Attribution], list[Ambiguity]]:
    """Attribute the notes that are not ``taken`` (Credit Note code to return id); sorted by Credit Note code.

    Cancelled notes must not be passed. Each note appears once at most, in one of the two lists.
    """
    asked, rest = list(claims), [note for note in notes if note.credit_note_code not in taken]
    posted = _by_key(rest, _index(asked, lambda claim: {claim.posted_reference}), "posting", _contradicts)
    rest = _without(rest, posted)
    typed = _by_key(rest, _index(asked, lambda claim: claim.references), "reference", _contradicts_typed)
    named = _doubted(rest, typed, asked)
    rest = _without(rest, named)
    alike = _unless_named(rest, _by_content(rest, _open(asked, posted, named)), asked)
    found = [*posted.values(), *named.values(), *alike.values()]
    return (
        sorted(outcome for outcome in found if isinstance(outcome, Attribution)),
        sorted(outcome for outcome in found if isinstance(outcome, Ambiguity)),
    )


def may_cover(note: CreditNote, claim: Claim, packs: Packs = NO_PACKS) -> bool:
    """True when an unattributed note may be the claim's: its customer, and its reference, value or a Stock Code.

    Staff may credit a pack by its components: goods are compared with packs closed and opened.

    A note made before the window of ``invoiced_on`` cannot be, where that is known: staff credit a customer who
    telephones, and the return is made in Swap after that. One that names no customer may be anybody's whose reference,
    or value and goods, it has. One whose goods nobody told may hold any. Nothing may be posted while one may.
    """
    is_older = note.created_on and claim.invoiced_on and not INVOICE.holds(note.created_on, claim.invoiced_on)
    if is_older or not claim.customer_code or note.customer_code not in ("", claim.customer_code):
        return False
    has_value = note.gross_pence == claim.value_pence and note.currency == claim.currency
    is_named = bool(note.associated_ref) and note.associated_ref in claim.references
    shares_goods = packs.share_goods(note.lines, claim.lines)
    if not note.customer_code:
        return is_named or (has_value and (shares_goods or not note.lines))
    return is_named or has_value or shares_goods or not note.lines


_Outcomes = dict[str, Outcome]
_Index = Mapping[str, Sequence[Claim]]


def _without(notes: Iterable[CreditNote], outcomes: Collection[str]) -> list[CreditNote]:
    return [note for note in notes if note.credit_note_code not in outcomes]


def _index(claims: Iterable[Claim], keys: Callable[[Claim], Iterable[str]]) -> _Index:
    index: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        for key in keys(claim):
            index[key].append(claim)
    return index


def _by_key(
    notes: Iterable[CreditNote],
    index: _Index,
    matched_by: MatchedBy,
    contradicts: Callable[[CreditNote, Claim], bool],
) -> _Outcomes:
    outcomes = _Outcomes()
    for note in notes:
        named = index.get(note.associated_ref, ()) if note.associated_ref else ()
        fits = sorted({claim.return_id for claim in named if not contradicts(note, claim)})
        if fits:
            outcomes[note.credit_note_code] = _outcome(note, fits, matched_by, is_free=len(fits) == 1)
    return outcomes


def _outcome(note: CreditNote, fits: Sequence[str], matched_by: MatchedBy, *, is_free: bool) -> Outcome:
    if is_free:
        return Attribution(note.credit_note_code, fits[0], matched_by)
    return Ambiguity(note.credit_note_code, tuple(fits))


def _contradicts(note: CreditNote, claim: Claim) -> bool:
    is_other_person = bool(claim.customer_code and note.customer_code) and note.customer_code != claim.customer_code
    return is_other_person or note.currency != claim.currency


def _contradicts_typed(note: CreditNote, claim: Claim) -> bool:
    has_other_goods = bool(note.lines and claim.lines) and not NO_PACKS.share_goods(note.lines, claim.lines)
    return has_other_goods or _is_of_another_order(note, claim) or _contradicts(note, claim)


def _is_of_another_order(note: CreditNote, claim: Claim) -> bool:
    return bool(note.order_ref and claim.order_ref) and note.order_ref != claim.order_ref


def _doubted(notes: Iterable[CreditNote], named: _Outcomes, claims: Sequence[Claim]) -> _Outcomes:
    """Notes that name one return at another value, and have the content of another one: they go to neither."""
    index: dict[object, set[str]] = defaultdict(set)
    for claim in claims:
        index[_content_of(claim)].add(claim.return_id)
    outcomes = dict(named)
    for note in notes:
        alike = index.get(_content(note.customer_code, note.currency, note.gross_pence, note.lines), set())
        outcome = named.get(note.credit_note_code)
        if alike and isinstance(outcome, Attribution) and outcome.return_id not in alike:
            outcomes[note.credit_note_code] = Ambiguity(
                note.credit_note_code, tuple(sorted({outcome.return_id, *alike}))
            )
    return outcomes


def _unless_named(notes: Iterable[CreditNote], alike: _Outcomes, claims: Sequence[Claim]) -> _Outcomes:
    """Notes of one return's content that name another one of that value and goods: they go to neither."""
    index = _index(claims, lambda claim: claim.references)
    outcomes = dict(alike)
    for note in notes:
        outcome, same = alike.get(note.credit_note_code), _content("", note.currency, note.gross_pence, note.lines)
        others = {
            claim.return_id
            for claim in index.get(note.associated_ref, ())
            if _content("", claim.currency, claim.value_pence, claim.lines) == same
        }
        if isinstance(outcome, Attribution) and others - {outcome.return_id}:
            rivals = tuple(sorted({outcome.return_id, *others}))
            outcomes[note.credit_note_code] = Ambiguity(note.credit_note_code, rivals)
    return outcomes


def _open(claims: Iterable[Claim], posted: _Outcomes, named: _Outcomes) -> list[Claim]:
    """Claims whose note is still to be found: not witnessed, and named by no reference now."""
    seen = set(chain.from_iterable(map(_return_ids, (*posted.values(), *named.values()))))
    return [claim for claim in claims if claim.customer_code and not claim.is_witnessed and claim.return_id not in seen]


def _return_ids(outcome: Outcome) -> tuple[str, ...]:
    return (outcome.return_id,) if isinstance(outcome, Attribution) else outcome.return_ids


def _by_content(notes: Iterable[CreditNote], claims: Iterable[Claim]) -> _Outcomes:
    index: dict[object, list[Claim]] = defaultdict(list)
    for claim in claims:
        index[_content_of(claim)].append(claim)
    groups: dict[object, list[CreditNote]] = defaultdict(list)
    for note in notes:
        groups[_content(note.customer_code, note.currency, note.gross_pence, note.lines)].append(note)
    return dict(chain.from_iterable(_pair(group, index.get(key, ())).items() for key, group in groups.items()))


def _content_of(claim: Claim) -> object:
    return _content(claim.customer_code, claim.currency, claim.value_pence, claim.lines)


def _content(customer_code: str, currency: str, pence: int, lines: Iterable[tuple[str, int]]) -> object:
    units = Counter[str]()
    for code, quantity in lines:
        units[code] += quantity
    return customer_code, currency, pence, frozenset(units.items())


def _pair(notes: Sequence[CreditNote], claims: Sequence[Claim]) -> _Outcomes:
    """Notes and claims of one content. A return takes notes only if there are no more of them than it asks for."""
    fits = {
        note: [
            claim.return_id
            for claim in claims
            if _is_near(note.created_on, claim) and not _is_of_another_order(note, claim)
        ]
        for note in notes
    }
    offers = Counter(return_id for found in fits.values() for return_id in set(found))
    outcomes = _Outcomes()
    for note, found in fits.items():
        if found:
            is_free = len(set(found)) == 1 and offers[found[0]] <= len(found)
            outcomes[note.credit_note_code] = _outcome(
                note, sorted(set(found)), "customer_codes_value_date", is_free=is_free
            )
    return outcomes


def _is_near(made_on: date | None, claim: Claim) -> bool:
    return made_on is not None and claim.refunded_on is not None and REFUND.holds(made_on, claim.refunded_on)
